/* crowd.c - many clients in one process, for crash tests.
 *
 *     crowd SERVER ROOM USER=HOME...
 *
 * Each logs in with the session saved in its home, follows the room from its
 * beginning and says one line after the other, each as soon as the last was
 * acknowledged. When stdin ends they stop talking, wait until all that was
 * acknowledged has reached everybody, and end. The journal on stdout:
 *
 *     ready USER                 follows the room
 *     ack USER SEQ TEXT          said and acknowledged
 *     got USER SEQ TEXT          arrived
 *     refused USER NAME TEXT     said and refused
 *     lost USER / back USER      the connection
 *     end                        everybody has everything
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "roost.h"

enum { CROWD_MAX = 100, END_PATIENCE_S = 60 };

struct member {
    const char *name, *home;
    struct roost *r;
    int64_t listing, following, saying; /* requests under way, 0 = none */
    uint64_t room, seen;
    unsigned said;
    bool ready;
    char text[64];
};

struct crowd {
    struct member members[CROWD_MAX];
    size_t n;
    const char *server, *room;
    uint64_t acked; /* highest number */
    bool quiet;     /* nothing more is said */
};

static void die(const char *what, int err)
{
    fprintf(stderr, "crowd: %s: %s %s\n", what, roost_error_get(err).text, roost_problem());
    exit(1);
}

static void say(struct crowd *c, struct member *m)
{
    if (c->quiet || !m->ready || m->saying)
        return;
    snprintf(m->text, sizeof m->text, "%s-%u-%d", m->name, ++m->said, (int)getpid());
    int64_t request = roost_message_say(m->r, c->room, m->text, 0, false);
    if (request > 0)
        m->saying = request;
}

static void on_reply(struct crowd *c, struct member *m, const struct roost_event *e)
{
    if (e->request == m->listing) {
        for (size_t i = 0; i < e->reply.n; i++)
            if (!strcmp(e->reply.rooms[i].name, c->room + 1))
                m->room = e->reply.rooms[i].room;
        m->listing = 0;
        if (!m->room)
            die("there is no such room", -ROOST_E_NO_SUCH_ROOM);
        m->following = roost_room_follow(m->r, m->room, 0);
    } else if (e->request == m->following) {
        m->following = 0;
        m->ready = true;
        printf("ready %s\n", m->name);
    } else if (e->request == m->saying) {
        m->saying = 0;
        printf("ack %s %llu %s\n", m->name, (unsigned long long)e->reply.done.seq, m->text);
        if (e->reply.done.seq > c->acked)
            c->acked = e->reply.done.seq;
    }
    say(c, m);
}

static void on_refused(struct crowd *c, struct member *m, const struct roost_event *e)
{
    if (e->request != m->saying)
        die(m->name, e->error.code);
    m->saying = 0;
    printf("refused %s %s %s\n", m->name, e->error.name, m->text);
    say(c, m);
}

static void on_event(struct crowd *c, struct member *m, const struct roost_event *e)
{
    switch (e->kind) {
    case ROOST_REPLY:
        on_reply(c, m, e);
        break;
    case ROOST_REFUSED:
        on_refused(c, m, e);
        break;
    case ROOST_MESSAGE:
        m->seen = e->message.seq;
        if (e->message.what == ROOST_TEXT)
            printf("got %s %llu %s\n", m->name, (unsigned long long)e->message.seq,
                   e->message.text);
        break;
    case ROOST_STATUS:
        if (e->status.state == ROOST_LOST)
            printf("lost %s\n", m->name);
        else if (e->status.state == ROOST_READY)
            printf("back %s\n", m->name);
        else if (e->status.state == ROOST_OVER || e->status.state == ROOST_LOGIN)
            die(m->name, e->status.error.code);
        break;
    default:
        break;
    }
}

static void open_all(struct crowd *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct member *m = &c->members[i];
        struct roost_options o = { .server = c->server, .user = m->name, .home = m->home };
        int err = roost_open(&m->r, &o);
        if (err)
            die(m->home, err);
        m->listing = roost_room_list(m->r, true, 0);
    }
}

static bool is_done(const struct crowd *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->members[i].saying || c->members[i].seen < c->acked)
            return false;
    return true;
}

static void turn(struct crowd *c)
{
    struct pollfd fds[CROWD_MAX + 1];
    struct roost_event e;
    int64_t wait = 1000;

    for (size_t i = 0; i < c->n; i++) {
        struct roost *r = c->members[i].r;
        int wants = roost_wants(r);
        int64_t deadline = roost_deadline_ms(r);
        fds[i] = (struct pollfd){ .fd = roost_fd(r) };
        fds[i].events = (short)((wants & ROOST_READ ? POLLIN : 0) |
                                (wants & ROOST_WRITE ? POLLOUT : 0));
        if (deadline >= 0 && deadline < wait)
            wait = deadline;
    }
    fds[c->n] = (struct pollfd){ .fd = c->quiet ? -1 : STDIN_FILENO, .events = POLLIN };
    poll(fds, c->n + 1, (int)wait);
    if (fds[c->n].revents)
        c->quiet = true;
    for (size_t i = 0; i < c->n; i++) {
        roost_process(c->members[i].r);
        while (roost_next(c->members[i].r, &e))
            on_event(c, &c->members[i], &e);
    }
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct crowd c;
    time_t quiet_since = 0;

    if (argc < 4 || argc - 3 > CROWD_MAX) {
        fprintf(stderr, "crowd SERVER ROOM USER=HOME... (up to %d)\n", CROWD_MAX);
        return 2;
    }
    c.server = argv[1];
    c.room = argv[2];
    for (int i = 3; i < argc; i++) {
        char *home = strchr(argv[i], '=');
        if (!home)
            return 2;
        *home = 0;
        c.members[c.n++] = (struct member){ .name = argv[i], .home = home + 1 };
    }
    open_all(&c);
    while (!c.quiet || !is_done(&c)) {
        turn(&c);
        if (c.quiet && !quiet_since)
            quiet_since = time(NULL);
        if (quiet_since && time(NULL) - quiet_since > END_PATIENCE_S)
            die("not everything reached everybody", -ROOST_E_TIMEOUT);
    }
    puts("end");
    for (size_t i = 0; i < c.n; i++)
        roost_close(c.members[i].r);
    return 0;
}
