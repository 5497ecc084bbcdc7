/* read: what was said, and with --follow what is being said */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/live.h"
#include "cli/text.h"

enum {
    PAGE = 200,
    LAST_DEFAULT = 50,
    FOLDED_MAX = 50 /* pages of edits and reactions to look behind for the last messages */
};

/* Up to where a room was shown. */
struct place {
    uint64_t room, seq;
};

struct reading {
    struct cli *c;
    struct show show;
    int64_t last_day;
    bool only_rooms;
    uint64_t room, seq; /* of the last message shown; 0: none */
    struct place *places;
    size_t n_places;
};

static struct place *place_of(const struct reading *r, uint64_t room)
{
    for (size_t i = 0; i < r->n_places; i++)
        if (r->places[i].room == room)
            return &r->places[i];
    return NULL;
}

/* The list of rooms, the page and what follows come one after the other, and what
 * happens in between may come twice: each is shown once by its number. */
static bool is_shown(const struct reading *r, const struct roost_message *m)
{
    const struct place *p = place_of(r, m->room);
    return p && m->seq <= p->seq;
}

static void note_shown(struct reading *r, const struct roost_message *m)
{
    struct place *p = place_of(r, m->room);

    r->room = m->room;
    r->seq = m->seq;
    if (!p) {
        struct place *list = realloc(r->places, (r->n_places + 1) * sizeof *list);
        if (!list)
            return;
        r->places = list;
        p = &list[r->n_places++];
        *p = (struct place){ .room = m->room };
    }
    if (m->seq > p->seq)
        p->seq = m->seq;
}

static void show_one(struct reading *r, const struct roost_message *m)
{
    show_day(&r->show, m->at_ms, &r->last_day, &r->c->out);
    show_message(&r->show, m, &r->c->out);
    note_shown(r, m);
}

/* What is read later shows a changed message as it is now; that it was changed,
 * people need not read again below. */
static void show_past(struct reading *r, const struct roost_message *m)
{
    if (r->show.json || !show_is_folded(m))
        show_one(r, m);
    note_shown(r, m);
}

/* Pages from `what` on, until there is no more. */
static int forward(struct reading *r, struct roost_read *what)
{
    struct roost_event e;

    for (;;) {
        int status = cli_call(r->c, roost_message_read(r->c->r, what), &e);
        if (status)
            return status;
        for (size_t i = 0; i < e.reply.n; i++)
            show_past(r, &e.reply.messages[i]);
        cli_flush(r->c);
        if (!e.reply.more || !e.reply.n || what->last)
            return CLI_OK;
        what->after = e.reply.messages[e.reply.n - 1].seq;
        what->unread = false;
    }
}

/* Counts off, from the end, what is more than a change of something above it; *n:
 * how many are still wanted. Returns the number of the event where that ends. */
static uint64_t count_back(const struct roost_reply *page, unsigned long long *n)
{
    size_t i = page->n;

    while (i && *n)
        *n -= !show_is_folded(&page->messages[--i]);
    return page->n ? page->messages[i].seq : 0;
}

/* The last n that people would count; between them there may be any number of
 * edits and reactions. First back to where they begin. */
static int last_many(struct reading *r, struct roost_read *what, unsigned long long n)
{
    uint64_t first = 0;
    unsigned folded = 0; /* pages that brought nothing */
    struct roost_event e;

    what->last = true;
    what->limit = n < PAGE ? (uint32_t)n : PAGE;
    for (bool more = true; more && n && folded < FOLDED_MAX;) {
        unsigned long long before = n;
        int status = cli_call(r->c, roost_message_read(r->c->r, what), &e);
        if (status)
            return status;
        if (!e.reply.n)
            break;
        what->before = first = count_back(&e.reply, &n);
        what->limit = PAGE;
        more = e.reply.more;
        folded = n < before ? 0 : folded + 1;
    }
    if (!first)
        return CLI_OK;
    what->last = false;
    what->before = 0;
    what->limit = PAGE;
    what->after = first - 1;
    return forward(r, what);
}

static void mark(struct reading *r)
{
    int64_t request = r->seq ? roost_room_mark(r->c->r, r->room, r->seq, r->seq) : -1;
    struct roost_event e;

    if (request > 0)
        roost_await(r->c->r, request, &e, -1);
}

static int search(struct reading *r, const char *words, const char *target, uint64_t since_ms,
                  unsigned long long n)
{
    struct roost_event e;
    int status = cli_call(
        r->c,
        roost_message_search(r->c->r, words, target, since_ms, (uint32_t)(n < PAGE ? n : PAGE)),
        &e);

    if (status)
        return status;
    for (size_t i = 0; i < e.reply.n; i++)
        show_one(r, &e.reply.messages[i]);
    if (!e.reply.n)
        cli_say(r->c, "Nothing found.");
    cli_flush(r->c);
    return CLI_OK;
}

static bool wanted(const struct reading *r, const struct room_entry *e)
{
    return !r->only_rooms || e->kind == ROOST_ROOM;
}

/* All rooms in which something is unread, then they are read. */
static int unread(struct reading *r)
{
    struct cli *c = r->c;
    bool any = false;
    size_t n = c->rooms.n;
    uint64_t *numbers = calloc(n + 1, sizeof *numbers);
    int status = CLI_OK;

    if (!numbers)
        return CLI_REFUSED;
    for (size_t i = 0; i < n; i++)
        numbers[i] = c->rooms.list[i].unread && wanted(r, &c->rooms.list[i]) ? c->rooms.list[i].room
                                                                             : 0;
    for (size_t i = 0; i < n && !status; i++) {
        char target[24];
        if (!numbers[i])
            continue;
        any = true;
        snprintf(target, sizeof target, "%llu", (unsigned long long)numbers[i]);
        struct roost_read what = { .target = target, .unread = true, .limit = PAGE };
        r->seq = 0;
        status = forward(r, &what);
        if (!status)
            mark(r);
        struct room_entry *e = rooms_get(&c->rooms, numbers[i]);
        if (e && r->seq)
            e->read = r->seq; /* --follow goes on from here */
    }
    free(numbers);
    if (!any && !status)
        cli_say(c, "Nothing unread.");
    return status;
}

/* --- following --- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_interrupt(void)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

static int on_event(struct reading *r, const struct roost_event *e, const char *only)
{
    struct cli *c = r->c;

    switch (e->kind) {
    case ROOST_MESSAGE:
        if ((e->message.hidden && !c->json) || is_shown(r, &e->message))
            return 0;
        show_one(r, &e->message);
        roost_room_mark(c->r, e->message.room, e->message.seq, e->message.seq);
        return 0;
    case ROOST_ROOM_CHANGED:
        live_on_room(c, e, only);
        return 0;
    case ROOST_STATUS:
        return live_on_status(c, &e->status);
    case ROOST_NOTICE:
        live_on_notice(c, e);
        return 0;
    default:
        return 0;
    }
}

static int follow(struct reading *r, const char *only)
{
    struct cli *c = r->c;
    struct roost_event e;
    int status = live_follow(c, only, false), over = 0;

    if (status)
        return status;
    catch_interrupt();
    while (!interrupted && !over && roost_wait(c->r, -1) >= 0) {
        while (!over && roost_next(c->r, &e))
            over = on_event(r, &e, only);
        cli_flush(c);
    }
    return over ? over - 1 : CLI_OK;
}

/* --- the command --- */

static int read_target(struct reading *r, const char *target, uint64_t since_ms, bool has_last,
                       unsigned long long n)
{
    struct roost_read what = { .target = target, .since_ms = since_ms, .limit = PAGE };
    int status;

    if (since_ms && !has_last)
        status = forward(r, &what);
    else
        status = last_many(r, &what, n);
    if (!status)
        mark(r);
    struct room_entry *e = rooms_find(&r->c->rooms, target);
    if (e)
        e->read = r->seq ? r->seq : e->head; /* --follow goes on from here */
    return status;
}

/* Everything since then, room by room. */
static int read_since(struct reading *r, uint64_t since_ms)
{
    int status = CLI_OK;

    for (size_t i = 0; i < r->c->rooms.n && !status; i++) {
        struct room_entry *e = &r->c->rooms.list[i];
        char target[24];
        if (!wanted(r, e))
            continue;
        snprintf(target, sizeof target, "%llu", (unsigned long long)e->room);
        struct roost_read what = { .target = target, .since_ms = since_ms, .limit = PAGE };
        r->seq = 0;
        status = forward(r, &what);
        if (!status)
            mark(r);
        e->read = r->seq ? r->seq : e->head; /* --follow goes on from here */
    }
    return status;
}

static int run(struct reading *r, const struct cli_args *a, const char *target)
{
    unsigned long long n = LAST_DEFAULT;
    uint64_t since_ms = 0;
    int status = args_has(a, "since") ? cmd_since(r->c, args_value(a, "since"), &since_ms) : CLI_OK;

    if (status)
        return status;
    if (args_has(a, "last") && !args_number(args_value(a, "last"), 1, 100000, &n))
        return cli_usage(r->c, "--last takes a number from 1 to 100000", "for example --last 20");
    status = cli_rooms(r->c);
    if (status)
        return status;
    if (args_has(a, "search"))
        return search(r, args_value(a, "search"), target, since_ms, n);
    if (target)
        status = read_target(r, target, since_ms, args_has(a, "last"), n);
    else if (args_has(a, "last"))
        return cli_usage(r->c, "--last needs a target", "write: roost read '#ROOM' --last N");
    else
        status = since_ms ? read_since(r, since_ms) : unread(r);
    if (status || !args_has(a, "follow"))
        return status;
    return follow(r, target);
}

CLI_RUN(cmd_read)
{
    struct reading r = { .c = c, .show = cmd_show(c), .only_rooms = args_has(a, "rooms") };
    bool everyone = args_has(a, "everyone");

    if (c->line && args_has(a, "follow"))
        return cli_usage(c, "the chat follows all rooms already", "leave --follow out");
    char *target = a->n_words || everyone ? cli_target(a->n_words ? a->words[0] : "*", everyone)
                                          : NULL;
    int status = run(&r, a, target);
    free(r.places);
    free(target);
    return status;
}
