/* crowd.c - many clients in one process, for crash tests.
 *
 *     crowd [--pace MS] SERVER ROOM USER=HOME...
 *
 * Each logs in with the session saved in its home, follows the room from its
 * beginning and says one line after the other, each as soon as the last was
 * acknowledged; with --pace, one each MS milliseconds, out of phase. When stdin
 * ends they stop talking, wait until all that was acknowledged has reached
 * everybody, and end. A word on stdin ends a phase. The journal on stdout:
 *
 *     ready USER                 follows the room
 *     ack USER SEQ TEXT          said and acknowledged
 *     got USER SEQ TEXT          arrived
 *     refused USER NAME TEXT     said and refused
 *     lost USER / back USER      the connection
 *     phase WORD N P50 P99 MAX   arrivals since the last word, and how many microseconds
 *                                after its time to be said each arrived
 *     end                        everybody has everything
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "roost.h"

enum {
    CROWD_MAX = 100,
    END_PATIENCE_S = 60,
    LATE_MAX = 1 << 20,
    SAID_MAX = 1 << 12,
    FLUSH_US = 20000
};

struct member {
    const char *name, *home;
    struct roost *r;
    int64_t listing, following, saying; /* requests under way, 0 = none */
    uint64_t room, seen;
    unsigned said;
    bool ready;
    char text[64];
    int64_t due_us;           /* when to say the next */
    int64_t due_of[SAID_MAX]; /* of what was said, by its number */
};

struct crowd {
    struct member members[CROWD_MAX];
    size_t n;
    const char *server, *room;
    uint64_t acked; /* highest number */
    bool quiet;     /* nothing more is said */
    int64_t pace_us, flushed_us;
    uint32_t late[LATE_MAX]; /* microseconds, of this phase */
    size_t n_late;
};

static void die(const char *what, int err)
{
    fprintf(stderr, "crowd: %s: %s %s\n", what, roost_error_get(err).text, roost_problem());
    exit(1);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* --- how late ------------------------------------------------------------------- */

/* From the moment that it was to be said, also if that had to wait for something. */
static void note_late(struct crowd *c, const char *text)
{
    for (size_t i = 0; c->pace_us && c->n_late < LATE_MAX && i < c->n; i++) {
        struct member *m = &c->members[i];
        size_t len = strlen(m->name);
        if (strncmp(text, m->name, len) != 0 || text[len] != '-')
            continue;
        unsigned long n = strtoul(text + len + 1, NULL, 10);
        c->late[c->n_late++] = (uint32_t)(now_us() - m->due_of[n % SAID_MAX]);
        return;
    }
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void end_phase(struct crowd *c, const char *word)
{
    size_t n = c->n_late;

    qsort(c->late, n, sizeof *c->late, by_size);
    printf("phase %s %zu %u %u %u\n", word, n, n ? c->late[n / 2] : 0,
           n ? c->late[n - 1 - n / 100] : 0, n ? c->late[n - 1] : 0);
    c->n_late = 0;
}

/* --- talking -------------------------------------------------------------------- */

static bool is_time(const struct crowd *c, struct member *m)
{
    if (!c->pace_us)
        return true;
    if (!m->due_us) /* each at another moment */
        m->due_us = now_us() + c->pace_us * (m - c->members) / (int64_t)c->n;
    return now_us() >= m->due_us;
}

static void say(struct crowd *c, struct member *m)
{
    if (c->quiet || !m->ready || m->saying || !is_time(c, m))
        return;
    m->due_of[(m->said + 1) % SAID_MAX] = m->due_us;
    m->due_us += c->pace_us;
    snprintf(m->text, sizeof m->text, "%s-%u-%d", m->name, ++m->said, (int)getpid());
    int64_t request = roost_message_say(m->r, c->room, m->text, 0, false);
    if (request <= 0)
        return;
    m->saying = request;
    roost_process(m->r); /* it leaves at once */
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
        if (e->message.what == ROOST_TEXT) {
            note_late(c, e->message.text);
            printf("got %s %llu %s\n", m->name, (unsigned long long)e->message.seq,
                   e->message.text);
        }
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

static void listen(struct crowd *c)
{
    char word[64];
    ssize_t n = read(STDIN_FILENO, word, sizeof word - 1);

    if (n <= 0) {
        c->quiet = true;
        return;
    }
    word[n] = 0;
    word[strcspn(word, " \n")] = 0;
    end_phase(c, word);
}

/* Until somebody is to say something. */
static int64_t next_word_us(const struct crowd *c)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; c->pace_us && !c->quiet && i < c->n; i++)
        if (c->members[i].ready && !c->members[i].saying && c->members[i].due_us < first)
            first = c->members[i].due_us;
    if (first == INT64_MAX)
        return first;
    int64_t wait_us = first - now_us();
    return wait_us < 0 ? 0 : wait_us;
}

/* What is written is read soon, but not each line by itself: nobody here is to cost the machine
 * more than it must while others are measured. */
static void flush(struct crowd *c)
{
    if (now_us() - c->flushed_us < FLUSH_US)
        return;
    fflush(stdout);
    c->flushed_us = now_us();
}

static void turn(struct crowd *c)
{
    struct pollfd fds[CROWD_MAX + 1];
    int64_t due_us[CROWD_MAX];
    struct roost_event e;
    int64_t wait_us = FLUSH_US, word_us = next_word_us(c), began_us = now_us();

    if (word_us < wait_us)
        wait_us = word_us;
    for (size_t i = 0; i < c->n; i++) {
        struct roost *r = c->members[i].r;
        int wants = roost_wants(r);
        int64_t deadline = roost_deadline_ms(r);
        fds[i] = (struct pollfd){ .fd = roost_fd(r) };
        fds[i].events = (short)((wants & ROOST_READ ? POLLIN : 0) |
                                (wants & ROOST_WRITE ? POLLOUT : 0));
        due_us[i] = deadline < 0 ? INT64_MAX : began_us + deadline * 1000;
        if (deadline >= 0 && deadline * 1000 < wait_us)
            wait_us = deadline * 1000;
    }
    fds[c->n] = (struct pollfd){ .fd = c->quiet ? -1 : STDIN_FILENO, .events = POLLIN };
    struct timespec wait = { wait_us / 1000000, wait_us % 1000000 * 1000 };
    ppoll(fds, c->n + 1, &wait, NULL);
    if (fds[c->n].revents)
        listen(c);
    for (size_t i = 0; i < c->n; i++) {
        struct member *m = &c->members[i];
        if (fds[i].revents || now_us() >= due_us[i]) {
            roost_process(m->r);
            while (roost_next(m->r, &e))
                on_event(c, m, &e);
        }
        say(c, m);
    }
    flush(c);
}

int main(int argc, char **argv)
{
    static struct crowd c;
    time_t quiet_since = 0;

    if (argc > 2 && !strcmp(argv[1], "--pace")) {
        c.pace_us = atoll(argv[2]) * 1000;
        argc -= 2;
        argv += 2;
    }
    if (argc < 4 || argc - 3 > CROWD_MAX) {
        fprintf(stderr, "crowd [--pace MS] SERVER ROOM USER=HOME... (up to %d)\n", CROWD_MAX);
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
    fflush(stdout);
    for (size_t i = 0; i < c.n; i++)
        roost_close(c.members[i].r);
    return 0;
}
