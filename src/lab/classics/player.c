#include "lab/classics/player.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

static bool is_there(const char *program)
{
    const char *path = getenv("PATH"), *end;
    char file[4096];

    for (; path && *path; path = *end ? end + 1 : end) {
        end = strchrnul(path, ':');
        snprintf(file, sizeof file, "%.*s/%s", (int)(end - path), path, program);
        if (!access(file, X_OK))
            return true;
    }
    return false;
}

const char *player_default(void)
{
    if (is_there("mpv"))
        return "exec mpv --really-quiet -";
    return is_there("ffplay") ? "exec ffplay -loglevel error -autoexit -" : NULL;
}

/* As if it had been started by hand: our way with signals is not its own. */
static void run(const char *command, int input)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(input, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

int player_start(struct player *p, const char *command)
{
    int ends[2];

    *p = (struct player){ .fd = -1 };
    if (pipe2(ends, O_CLOEXEC))
        return -ROOST_IO;
    p->pid = fork();
    if (!p->pid)
        run(command, ends[0]);
    close(ends[0]);
    if (p->pid < 0) {
        close(ends[1]);
        p->pid = 0;
        return -ROOST_IO;
    }
    p->fd = ends[1];
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    return 0;
}

ssize_t player_feed(struct player *p, const uint8_t *bytes, size_t len)
{
    ssize_t n = p->fd >= 0 ? write(p->fd, bytes, len) : -1;

    if (n >= 0)
        return n;
    return p->fd >= 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -ROOST_CLOSED;
}

void player_end_input(struct player *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

bool player_is_over(struct player *p)
{
    if (p->pid && waitpid(p->pid, NULL, WNOHANG) == p->pid)
        p->pid = 0;
    return !p->pid;
}

void player_stop(struct player *p)
{
    player_end_input(p);
    if (player_is_over(p))
        return;
    kill(p->pid, SIGTERM);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
}
