/* play: a media file that comes while it plays */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/door.h"
#include "cli/filing.h"
#include "cli/moving.h"

#define LEAVE_US (5 * 1000000LL) /* for the last words */

struct play {
    struct cli *c;
    struct moving m;
    struct door door;
    int64_t number;
    uint64_t asked; /* the bytes from here on are on their way; UINT64_MAX: none */
    pid_t player;   /* 0: not begun */
    int status;
};

/* --- the player --- */

/* The first that is there; a command of the user's gets the address as its last word. */
static void become_player(const char *command, const char *url)
{
    signal(SIGPIPE, SIG_DFL);
    if (command) {
        char script[1024];
        snprintf(script, sizeof script, "exec %s \"$1\"", command);
        execl("/bin/sh", "sh", "-c", script, "player", url, (char *)NULL);
        _exit(127);
    }
    execlp("mpv", "mpv", "--", url, (char *)NULL);
    execlp("ffplay", "ffplay", "-autoexit", url, (char *)NULL);
    fputs("roost: there is neither mpv nor ffplay here\n", stderr);
    _exit(127);
}

static pid_t start_player(const char *command, const char *url)
{
    pid_t pid = fork();

    if (!pid)
        become_player(command, url);
    return pid;
}

/* True: it has ended. */
static bool has_ended(struct play *p)
{
    int how;

    if (!p->player || waitpid(p->player, &how, WNOHANG) != p->player)
        return false;
    p->player = 0;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127)
        p->status = cli_fail(p->c, CLI_REFUSED, "the player could not be started",
                             "install mpv or ffplay, or give --player COMMAND");
    return true;
}

static int play_here(struct cli *c, const char *command, const char *path)
{
    struct play p = { .c = c };

    p.player = start_player(command, path);
    if (p.player < 0)
        return cli_fail(c, CLI_REFUSED, "the player could not be started", "try again");
    while (!has_ended(&p))
        poll(NULL, 0, 50);
    return p.status;
}

/* --- what comes --- */

static int begin(struct play *p, const struct roost_transfer *t, const char *command)
{
    if (t->size == ROOST_SIZE_UNKNOWN || t->files != 1)
        return cli_fail(p->c, CLI_REFUSED, "this is no single file of a known size",
                        "fetch it: roost get, and play what came");
    if (door_open(&p->door, t->size, t->name))
        return cli_fail(p->c, CLI_REFUSED, "no port can be had for the player", "try again");
    p->player = start_player(command, p->door.url);
    return p->player < 0 ? CLI_REFUSED : CLI_OK;
}

static int take_events(struct play *p, const char *command)
{
    struct roost_event e;

    while (roost_next(p->c->r, &e)) {
        if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
            return cli_fail_error(p->c, &e.status.error, e.status.detail);
        if (e.kind == ROOST_TRANSFER_BYTES && e.bytes.number == p->number) {
            door_give(&p->door, e.bytes.at, e.bytes.bytes, e.bytes.n);
            p->asked = UINT64_MAX;
            continue;
        }
        bool going = e.kind == ROOST_TRANSFER && e.transfer.number == p->number &&
                     e.transfer.stage == ROOST_FILE_GOING && p->door.fd < 0;
        int status = going ? begin(p, &e.transfer, command) : CLI_OK;
        if (status)
            return status;
        moving_event(&p->m, &e);
    }
    return moving_left(&p->m) || p->m.status ? p->m.status : CLI_OK;
}

static void fetch(struct play *p)
{
    uint64_t from;

    if (p->door.fd < 0 || !door_wants(&p->door, &from) || p->asked == from)
        return;
    if (!roost_transfer_fetch(p->c->r, p->number, from))
        p->asked = from;
}

static int wait_once(struct play *p)
{
    struct pollfd fds[DOOR_GUESTS_MAX + 2];
    size_t n = p->door.fd >= 0 ? door_fds(&p->door, fds) : 0;
    int wants = roost_wants(p->c->r);
    int64_t ms = roost_deadline_ms(p->c->r);

    fds[n++] = (struct pollfd){ .fd = roost_fd(p->c->r),
                                .events = (short)((wants & ROOST_READ ? POLLIN : 0) |
                                                  (wants & ROOST_WRITE ? POLLOUT : 0)) };
    poll(fds, (nfds_t)n, ms < 0 || ms > MOVING_EVERY_MS ? MOVING_EVERY_MS : (int)ms);
    return roost_process(p->c->r);
}

/* How much of it came, which is seldom all. */
static void tell_played(struct play *p)
{
    struct roost_transfer t;

    if (p->c->json && roost_transfer_get(p->c->r, p->number, &t))
        moving_json(p->c, "played", &t, 0, -1);
}

/* Who sent it is to hear whether all came, or not to wait any more. */
static void leave(struct play *p)
{
    int64_t until = cli_now_us() + LEAVE_US;
    struct roost_transfer t;
    struct roost_event e;

    moving_drop(&p->m, p->number);
    if (roost_transfer_cancel(p->c->r, p->number))
        return;
    while (cli_now_us() < until && roost_transfer_get(p->c->r, p->number, &t) && !wait_once(p))
        while (roost_next(p->c->r, &e))
            if (e.kind == ROOST_TRANSFER && e.transfer.number == p->number &&
                roost_transfer_over(e.transfer.stage))
                return;
}

static int play_there(struct cli *c, const char *command, uint64_t file)
{
    struct roost_file_get what = { .file = file, .fd = -1, .fetched = true };
    struct play p = { .c = c, .asked = UINT64_MAX, .door.fd = -1 };
    int status = CLI_OK;

    moving_init(&p.m, c);
    moving_catch();
    p.number = roost_file_get(c->r, &what);
    if (!moving_add(&p.m, p.number, "play"))
        return p.m.status;
    while (!status && !has_ended(&p) && !moving_interrupted() && moving_left(&p.m)) {
        if (wait_once(&p))
            status = CLI_UNREACHABLE;
        else
            status = take_events(&p, command);
        if (p.door.fd >= 0)
            door_process(&p.door);
        fetch(&p);
        if (c->json)
            moving_draw(&p.m);
    }
    if (p.player > 0) {
        kill(p.player, SIGTERM);
        waitpid(p.player, NULL, 0);
    }
    door_close(&p.door);
    tell_played(&p);
    leave(&p);
    return status ? status : p.status;
}

CLI_RUN(cmd_play)
{
    const char *word = a->words[0], *command = args_value(a, "player");
    unsigned long long file;

    if (!access(word, R_OK))
        return play_here(c, command, word);
    if (!args_number(word, 1, UINT64_MAX, &file))
        return cli_usage(c, "there is no such file here, and it is no number of one",
                         "roost files shows the numbers");
    return play_there(c, command, file);
}
