/* tiny.c - a whole client in one file, against include/roost.h.
 *
 *     ROOST_PASSWORD=... tiny HOST:PORT USER register [INVITE]
 *     ROOST_PASSWORD=... tiny HOST:PORT USER say '#room' words to say
 *     ROOST_PASSWORD=... tiny HOST:PORT USER read '#room'
 *     ROOST_PASSWORD=... tiny HOST:PORT USER follow [N]
 *     ROOST_PASSWORD=... tiny HOST:PORT USER meet CODE [N]
 *
 * `follow` prints what happens in all of one's rooms, N messages or for ever; `meet`
 * what is said in a meeting until it ends, after waiting in its lobby.
 * A server that was never seen is trusted and pinned, and said so on stderr.
 * Exit status: 0 done, 1 refused, 2 usage, 3 no connection, 4 not logged in.
 */
#include <roost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 15000 };

static enum roost_trust_answer trust(void *arg, const struct roost_trust *question)
{
    (void)arg;
    fprintf(stderr, "tiny: pinning %s as %s\n", question->server, question->fingerprint);
    return ROOST_TRUST_YES;
}

static int status_of(const struct roost_error *e)
{
    switch (e->code) {
    case ROOST_E_LOGIN_NEEDED:
    case ROOST_E_LOGIN_WRONG:
    case ROOST_E_SESSION_OVER:
        return 4;
    case ROOST_E_CLOSED:
    case ROOST_E_TIMEOUT:
        return 3;
    default:
        return 1;
    }
}

/* Waits for the answer; says why if it was refused. 0 or the exit status. */
static int await(struct roost *r, int64_t request, struct roost_event *e)
{
    int got = roost_await(r, request, e, PATIENCE_MS);
    struct roost_error error = roost_error_get(got ? got : ROOST_E_TIMEOUT);

    if (got == 1 && e->kind == ROOST_REPLY)
        return 0;
    if (got == 1)
        error = e->error;
    fprintf(stderr, "tiny: %s: %s\n", error.text, error.advice);
    return status_of(&error);
}

/* Control characters of others must not reach the terminal. */
static void print_words(const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];
        if (c < 0x20 || c == 0x7f) {
            putchar(' ');
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            putchar(' ');
            s++;
        } else {
            putchar(c);
        }
    }
    putchar('\n');
    fflush(stdout);
}

/* Prints texts; true if it was one. */
static bool print_message(const struct roost_message *m)
{
    if (m->what != ROOST_TEXT || m->deleted || m->hidden)
        return false;
    printf("%llu.%llu %s: ", (unsigned long long)m->room, (unsigned long long)m->seq,
           m->sender_name);
    print_words(m->text);
    return true;
}

/* --- commands -------------------------------------------------------------------- */

static int say(struct roost *r, int argc, char **argv)
{
    struct roost_event e;
    char text[16384] = "";

    if (argc < 2)
        return 2;
    for (int i = 1; i < argc; i++) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, "%s%s", i > 1 ? " " : "", argv[i]);
    }
    int status = await(r, roost_message_say(r, argv[0], text, 0, false), &e);
    if (!status)
        printf("%llu.%llu\n", (unsigned long long)e.reply.done.room,
               (unsigned long long)e.reply.done.seq);
    return status;
}

static int read_room(struct roost *r, int argc, char **argv)
{
    struct roost_read what = { .target = argc > 0 ? argv[0] : "*" };
    struct roost_event e;
    bool more = true;

    while (more) {
        int status = await(r, roost_message_read(r, &what), &e);
        if (status)
            return status;
        for (size_t i = 0; i < e.reply.n; i++) {
            print_message(&e.reply.messages[i]);
            what.after = e.reply.messages[i].seq;
        }
        more = e.reply.more && e.reply.n;
    }
    return 0;
}

/* Asks for all that comes from now on, and waits until that is so. */
static int follow_rooms(struct roost *r)
{
    struct roost_event e;
    int64_t asked[1000];
    size_t n = 0;
    int status = await(r, roost_room_list(r, true, 0), &e);

    if (status)
        return status;
    for (; n < e.reply.n && n < 1000; n++)
        asked[n] = roost_room_follow(r, e.reply.rooms[n].room, e.reply.rooms[n].head);
    for (size_t i = 0; i < n && !status; i++)
        status = await(r, asked[i], &e);
    return status;
}

static int follow(struct roost *r, int argc, char **argv)
{
    long left = argc > 0 ? strtol(argv[0], NULL, 10) : -1;
    struct roost_event e;
    int status = follow_rooms(r);

    if (status)
        return status;
    fprintf(stderr, "tiny: following\n");
    while (left && roost_wait(r, -1) >= 0)
        while (left && roost_next(r, &e)) {
            if (e.kind == ROOST_MESSAGE && print_message(&e.message) && left > 0)
                left--;
            else if (e.kind == ROOST_ROOM_CHANGED && !e.gone)
                roost_room_follow(r, e.room.room, 0); /* a new one; known ones say "already" */
            else if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return status_of(&e.status.error);
        }
    return 0;
}

static void tell_place(const struct roost_ticket *t)
{
    fprintf(stderr, "tiny: %s\n",
            t->you.state == ROOST_IS_IN ? "following" : "waiting in the lobby");
}

/* A place once taken is kept by the library, over lost connections too. */
static int meet(struct roost *r, int argc, char **argv)
{
    long left = argc > 1 ? strtol(argv[1], NULL, 10) : -1;
    int64_t join = argc > 0 ? roost_meet_join(r, argv[0], NULL, 0) : -ROOST_E_INVALID;
    struct roost_event e;
    int status = await(r, join, &e);

    if (status)
        return status;
    tell_place(&e.reply.ticket);
    while (left && roost_wait(r, -1) >= 0)
        while (left && roost_next(r, &e)) {
            if (e.kind == ROOST_MESSAGE && print_message(&e.message) && left > 0)
                left--;
            else if (e.kind == ROOST_MESSAGE && e.message.met.meeting &&
                     e.message.met.meeting->ended)
                return 0;
            else if (e.kind == ROOST_TICKET_AGAIN)
                tell_place(&e.ticket);
            else if (e.kind == ROOST_MEET_NOW && e.meet.you.state > ROOST_IS_WAITING)
                return 1; /* denied, removed or banned */
            else if (e.kind == ROOST_REFUSED && e.request == join)
                return status_of(&e.error);
            else if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return status_of(&e.status.error);
        }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct roost *r, int argc, char **argv);
} commands[] = { { "say", say }, { "read", read_room }, { "follow", follow }, { "meet", meet } };

/* --- connecting ------------------------------------------------------------------ */

/* Waits until the connection is logged in, or waits for a login. */
static int connect_to(struct roost *r, enum roost_state *ret_state)
{
    struct roost_event e;

    while (roost_wait(r, PATIENCE_MS) == 1)
        while (roost_next(r, &e)) {
            if (e.kind != ROOST_STATUS)
                continue;
            *ret_state = e.status.state;
            if (*ret_state == ROOST_READY || *ret_state == ROOST_LOGIN)
                return 0;
            if (*ret_state == ROOST_OVER) {
                fprintf(stderr, "tiny: %s: %s\n", e.status.error.text, e.status.detail);
                return 3;
            }
        }
    fprintf(stderr, "tiny: the server does not answer\n");
    return 3;
}

static int run(struct roost *r, const char *user, int argc, char **argv)
{
    const char *password = getenv("ROOST_PASSWORD");
    struct roost_event e;
    enum roost_state state;
    int status = connect_to(r, &state);

    if (!status && strcmp(argv[0], "register") == 0)
        return await(
            r, roost_account_register(r, user, password ? password : "", argc > 1 ? argv[1] : NULL),
            &e);
    if (!status && state == ROOST_LOGIN)
        status = await(r, roost_session_login(r, user, password ? password : ""), &e);
    for (size_t i = 0; !status && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(r, argc - 1, argv + 1);
    return status ? status : 2;
}

int main(int argc, char **argv)
{
    struct roost *r;

    if (argc < 4) {
        fprintf(stderr, "usage: tiny HOST:PORT USER register|say|read|follow|meet ...\n");
        return 2;
    }
    struct roost_options o = {
        .server = argv[1], .user = argv[2], .program = "tiny.c 1", .once = true, .trust = trust
    };
    if (roost_open(&r, &o) < 0) {
        fprintf(stderr, "tiny: %s\n", roost_problem());
        return 3;
    }
    int status = run(r, argv[2], argc - 3, argv + 3);
    roost_close(r);
    return status;
}
