/* In the sandbox: what is on the list goes on, what is not is refused or is the end. Each
 * story is a process of its own. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "server/sandbox.h"
#include "test.h"

/* The exit status of a process that enters the sandbox and runs f; its stderr in *ret_said. */
static int run(enum sandbox how, int (*f)(void), char *ret_said, size_t cap)
{
    int ends[2], status = -1;

    CHECK(!pipe(ends));
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        _exit(sandbox_enter(how) ? 99 : f());
    }
    close(ends[1]);
    ssize_t n = read(ends[0], ret_said, cap - 1);
    ret_said[n > 0 ? n : 0] = 0;
    close(ends[0]);
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

static void *nothing(void *arg)
{
    return arg;
}

static int does_its_work(void)
{
    pthread_t thread;
    char path[] = "/tmp/roost-sandbox-XXXXXX";
    int fd = mkstemp(path), s = socket(AF_INET6, SOCK_STREAM, 0);

    if (fd < 0 || s < 0 || write(fd, "x", 1) != 1 || fsync(fd) || unlink(path))
        return 1;
    if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
        return 2;
    return 0;
}

static int runs_a_program(void)
{
    char *argv[] = { "true", NULL };

    execv("/bin/true", argv);
    return errno == EPERM ? 7 : 8;
}

static int becomes_two(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid < 0 && errno == EPERM ? 7 : 8;
}

static int traces(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 && errno == EPERM ? 7 : 8;
}

static int opens_a_raw_door(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno == EPERM ? 7 : 8;
}

static bool there_is_one(void)
{
    if (!sandbox_is_built())
        CHECK(sandbox_enter(SANDBOX_REFUSE) == -ROOST_UNSUPPORTED);
    return sandbox_is_built();
}

static void what_a_server_does_goes_on(void)
{
    char said[200];

    if (!there_is_one())
        return;
    int status = run(SANDBOX_REFUSE, does_its_work, said, sizeof said);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0 && !*said);
}

static void the_rest_is_refused_and_spoken_of(void)
{
    static int (*const tries[])(void) = { runs_a_program, becomes_two, traces, opens_a_raw_door };
    char said[200];

    if (!there_is_one())
        return;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        int status = run(SANDBOX_REFUSE, tries[i], said, sizeof said);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        CHECK(!strncmp(said, "sandbox: system call refused, number ", 37));
    }
}

static void or_is_the_end(void)
{
    char said[200];

    if (!there_is_one())
        return;
    int status = run(SANDBOX_KILL, runs_a_program, said, sizeof said);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    status = run(SANDBOX_OFF, becomes_two, said, sizeof said);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 8);
}

TEST_MAIN({ "what_a_server_does_goes_on", what_a_server_does_goes_on },
          { "the_rest_is_refused_and_spoken_of", the_rest_is_refused_and_spoken_of },
          { "or_is_the_end", or_is_the_end })
