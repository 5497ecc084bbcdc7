#include "cli/rehearse.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/meet_in.h"

enum { PEOPLE = 5, PEOPLE_MAX = 100, VIDEO_KBIT_MAX = 10000 };

struct wish {
    unsigned long long people, speakers, kbit;
};

/* --- the people ---------------------------------------------------------------------------- */

/* It lies beside this program. */
static bool crowd_path(char ret[static PATH_MAX])
{
    static const char name[] = "roost-crowd";
    ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - sizeof name - 1);

    if (n <= 0)
        return false;
    ret[n] = 0;
    char *slash = strrchr(ret, '/');
    if (!slash)
        return false;
    strcpy(slash + 1, name);
    return access(ret, X_OK) == 0;
}

/* The link goes to it by its standard input: others see what a command is called with. */
static void become_crowd(const char *path, const char *server, const struct wish *w, int in,
                         int out)
{
    char people[16], speakers[16], kbit[16];
    const char *argv[] = { path,        "-s",        server,
                           "--link",    "-",         "--in-turn",
                           "--people",  people,      "--speakers",
                           speakers,    "--seconds", "1000000",
                           "--join-ms", "150",       w->kbit ? "--video" : NULL,
                           kbit,        NULL };

    snprintf(people, sizeof people, "%llu", w->people);
    snprintf(speakers, sizeof speakers, "%llu", w->speakers);
    snprintf(kbit, sizeof kbit, "%llu", w->kbit);
    setsid(); /* Ctrl+C is not for it */
    if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(127);
    signal(SIGPIPE, SIG_IGN);
    execv(path, (char *const *)argv);
    _exit(127);
}

/* What it says first: that all are in, or why not. */
static bool are_in(int words, char *said, size_t size)
{
    size_t n = 0;
    ssize_t got;

    while (n + 1 < size && (got = read(words, said + n, size - 1 - n)) > 0) {
        n += (size_t)got;
        said[n] = 0;
        if (strstr(said, " are in, "))
            return true;
        if (strchr(said, '\n'))
            break;
    }
    said[strcspn(said, "\n")] = 0;
    return false;
}

static int bring_people(struct meet *m, const struct wish *w, const char *link)
{
    struct cli *c = m->c;
    char path[PATH_MAX], said[512] = "";
    int in[2], out[2];

    if (!crowd_path(path))
        return cli_fail(c, CLI_REFUSED, "roost-crowd is not beside this program",
                        "install it there");
    if (pipe2(in, O_CLOEXEC))
        return cli_fail(c, CLI_REFUSED, "nobody can be started", "try again");
    if (pipe2(out, O_CLOEXEC)) {
        close(in[0]);
        close(in[1]);
        return cli_fail(c, CLI_REFUSED, "nobody can be started", "try again");
    }
    pid_t pid = fork();
    if (!pid)
        become_crowd(path, roost_server(c->r), w, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    m->rehearsal.crowd = pid > 0 ? pid : 0;
    m->rehearsal.words = out[0];
    dprintf(in[1], "%s\n", link);
    close(in[1]);
    if (pid > 0 && are_in(out[0], said, sizeof said))
        return CLI_OK;
    return cli_fail(c, CLI_REFUSED, *said ? said : "the people did not come",
                    "they come as guests: the server may not let those in");
}

/* --- beginning and end ------------------------------------------------------------------------ */

static int read_wish(struct cli *c, const struct cli_args *a, struct wish *w)
{
    const char *people = args_value(a, "people"), *speakers = args_value(a, "speakers"),
               *video = args_value(a, "video");

    *w = (struct wish){ .people = PEOPLE };
    if (people && !args_number(people, 1, PEOPLE_MAX, &w->people))
        return cli_usage(c, "so many people cannot come", "--people: 1 to 100");
    w->speakers = w->people;
    if (speakers && !args_number(speakers, 0, w->people, &w->speakers))
        return cli_usage(c, "so many cannot speak", "--speakers: at most as many as there are");
    if (video && !args_number(video, 1, VIDEO_KBIT_MAX, &w->kbit))
        return cli_usage(c, "that is no rate", "--video: 1 to 10000 (kbit/s)");
    return CLI_OK;
}

static int make_meeting(struct meet *m, const struct cli_args *a, struct roost_event *e)
{
    const struct roost_meet_new what = {
        .title = "Rehearsal", .open = true, .forget_chat = true, .unsealed = args_has(a, "unsealed")
    };
    const char *name = args_value(a, "name");
    int status = meet_open(m->c, a, NULL, name);

    if (!status)
        status = cli_call(m->c, roost_meet_new(m->c->r, &what), e);
    if (!status && name)
        roost_guest_keep(m->c->r, e->reply.ticket.meeting.code);
    return status;
}

int rehearsal_begin(struct meet *m, const struct cli_args *a, struct meet_link *ret)
{
    struct buf link = { 0 };
    struct roost_event e;
    struct wish w;
    int status = read_wish(m->c, a, &w);

    if (!status)
        status = make_meeting(m, a, &e);
    if (status)
        return status;
    const struct roost_ticket *t = &e.reply.ticket;
    m->meeting = t->meeting.meeting;
    snprintf(ret->code, sizeof ret->code, "%s", t->meeting.code);
    snprintf(ret->secret, sizeof ret->secret, "%s", t->secret);
    meet_link_put(&link, roost_server(m->c->r), t->meeting.code, t->secret);
    meet_tell_new(m->c, a, t, buf_str(&link));
    cli_say(m->c, "%llu people come, and talk in turn. It ends when you leave.", w.people);
    cli_flush(m->c);
    status = bring_people(m, &w, buf_str(&link));
    buf_fini(&link);
    return status;
}

static void end_meeting(struct meet *m)
{
    const struct roost_act act = { .meeting = m->meeting, .action = ROOST_ACT_END };
    struct roost_event e;
    int status;

    if (m->c->r && m->meeting && !(m->reason && !strcmp(m->reason, "ended")))
        cli_refused(m->c, roost_meet_act(m->c->r, &act), &e, &status);
}

void rehearsal_end(struct meet *m)
{
    struct rehearsal *r = &m->rehearsal;

    if (!r->on)
        return;
    end_meeting(m);
    if (r->crowd > 0) {
        kill(r->crowd, SIGTERM);
        waitpid(r->crowd, NULL, 0);
        close(r->words);
    }
    r->crowd = 0;
}
