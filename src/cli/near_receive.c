/* near_receive.c - receive --nearby: who calls, what they bring, which of it is taken.
 *
 * One transfer of the library is found by others at a time; as soon as somebody has called it the
 * next one is, so that several who send at once are all seen, and one chooses. Who is not
 * wanted (--from) is declined without a word, and does not count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/amount.h"
#include "cli/ask.h"
#include "cli/filing.h"
#include "cli/near_inside.h"
#include "cli/text.h"

enum { AT_ONCE = 4 };

/* In this order. */
enum caller_state {
    CALLER_NONE,  /* nobody has called it yet */
    CALLER_THERE, /* words can be compared */
    CALLER_ASKS,  /* what is to come is known */
    CALLER_TAKEN,
    CALLER_SENT_AWAY,
};

struct caller {
    int64_t number;
    enum caller_state state;
};

struct receiving {
    struct cli *c;
    struct moving m;
    struct near_ask q;
    struct roost_file_get what;
    const char *from;        /* only of this one; NULL: of all */
    bool asks;               /* a person; else all is taken */
    unsigned long long left; /* so many may still come */
    struct caller list[AT_ONCE];
    size_t n, n_asked; /* n_asked: of those the question is about */
    int status;
};

static void remove_at(struct receiving *r, size_t i)
{
    r->list[i] = r->list[--r->n];
    r->q.asked[0] = 0; /* numbers have changed */
}

static size_t count(const struct receiving *r, enum caller_state state)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++)
        n += r->list[i].state == state;
    return n;
}

/* The i-th of those that ask. */
static struct caller *asking(struct receiving *r, size_t i)
{
    for (size_t k = 0; k < r->n; k++)
        if (r->list[k].state == CALLER_ASKS && !i--)
            return &r->list[k];
    return NULL;
}

/* --- to be found --- */

static int begin_one(struct receiving *r)
{
    struct roost_file_get what = r->what;

    what.fd = what.stream ? dup(what.fd) : -1;
    int64_t number = roost_file_get(r->c->r, &what);
    if (number <= 0 && what.fd >= 0)
        close(what.fd);
    if (number == -ROOST_E_INVALID)
        return cli_usage(r->c, "under this name nobody can be found", "--name 'Ann on laptop'");
    if (!moving_add(&r->m, number, what.nearby))
        return r->m.status;
    r->list[r->n++] = (struct caller){ number, CALLER_NONE };
    return CLI_OK;
}

/* Who has to choose sees more than can be taken. */
static bool may_begin(const struct receiving *r)
{
    size_t taken = count(r, CALLER_TAKEN), busy = r->n - count(r, CALLER_NONE);
    bool chooses = r->asks || r->from;

    return r->left > taken && !count(r, CALLER_NONE) && r->n < AT_ONCE &&
           (chooses || r->left > busy);
}

/* --- what is taken --- */

static void take(struct receiving *r, struct caller *one)
{
    if (!roost_nearby_answer(r->c->r, one->number, true))
        one->state = CALLER_TAKEN;
}

static void send_away(struct receiving *r, struct caller *one, bool counts)
{
    one->state = CALLER_SENT_AWAY;
    if (!counts)
        moving_drop(&r->m, one->number);
    else
        r->left--;
    roost_nearby_answer(r->c->r, one->number, false);
}

static void put_what(struct buf *b, const struct roost_transfer *t)
{
    buf_printf(b, "%s sends %s", t->peer, t->name);
    if (t->files != 1)
        buf_printf(b, ", %u files", (unsigned)t->files);
    if (t->size != ROOST_SIZE_UNKNOWN) {
        buf_puts(b, ", ");
        amount_bytes(b, (double)t->size);
    }
}

static void ask_about_one(struct receiving *r, const struct roost_transfer *t)
{
    struct buf b = { 0 };

    put_what(&b, t);
    buf_printf(&b, ". Are the words there %s, and do you want it? [y/N]", t->words);
    near_question(&r->q, &r->m, buf_str(&b));
    buf_fini(&b);
}

static void ask_which(struct receiving *r)
{
    struct roost_transfer t;
    const struct caller *one;

    for (size_t i = 0; (one = asking(r, i)); i++) {
        struct buf b = { 0 };
        if (!roost_transfer_get(r->c->r, one->number, &t))
            continue;
        put_what(&b, &t);
        buf_printf(&b, "; the words there: %s", t.words);
        near_tell(&r->m, "%3zu  %s", i + 1, buf_str(&b));
        buf_fini(&b);
    }
    near_question(&r->q, &r->m, "Which do you want? A number, or n for none:");
}

static void ask(struct receiving *r, size_t n)
{
    struct roost_transfer t;
    const struct caller *one = asking(r, 0);

    moving_clear(&r->m);
    if (r->n_asked && *r->q.asked)
        fputc('\n', stderr); /* behind the question that is not the one any more */
    r->n_asked = n;
    if (n > 1)
        ask_which(r);
    else if (one && roost_transfer_get(r->c->r, one->number, &t))
        ask_about_one(r, &t);
}

static void take_answer(struct receiving *r, size_t n)
{
    char *end;
    bool yes;

    unsigned long number = strtoul(r->q.line, &end, 10);
    if (n > 1 && *r->q.line && !*end && number >= 1 && number <= n) {
        take(r, asking(r, number - 1));
        return;
    }
    if (!ask_answer(r->q.line, &yes) || (n > 1 && yes))
        return; /* it is asked again */
    if (yes)
        take(r, asking(r, 0));
    for (struct caller *one; !yes && r->left && (one = asking(r, 0));)
        send_away(r, one, true);
}

/* Those that ask, when no more can be taken. */
static void end_choice(struct receiving *r)
{
    struct caller *one;

    while (count(r, CALLER_TAKEN) >= r->left && (one = asking(r, 0)))
        send_away(r, one, false);
}

static void mind_choice(struct receiving *r)
{
    end_choice(r);
    size_t n = count(r, CALLER_ASKS);

    if (!n)
        r->q.asked[0] = 0;
    else if (!r->asks)
        take(r, asking(r, 0));
    else if (!*r->q.asked || r->n_asked != n)
        ask(r, n);
    else if (near_answered(&r->q))
        take_answer(r, n);
    end_choice(r);
}

/* --- what happens --- */

/* "anna" is "anna on laptop" too. */
static bool is_from(const char *peer, const char *from)
{
    size_t len = strlen(from);

    return !strncasecmp(peer, from, len) && (!peer[len] || !strncmp(peer + len, " on ", 4));
}

static void look_at(struct receiving *r, struct caller *one)
{
    struct roost_transfer t;

    if (one->state >= CALLER_TAKEN || !roost_transfer_get(r->c->r, one->number, &t))
        return;
    if (one->state == CALLER_NONE && *t.words) {
        near_words(&r->m, &t);
        r->q.asked[0] = 0;
        one->state = CALLER_THERE;
    } else if (!*t.words) {
        one->state = CALLER_NONE; /* who was there went */
    }
    if (one->state != CALLER_THERE || !t.asks)
        return;
    one->state = CALLER_ASKS;
    if (r->from && !is_from(t.peer, r->from)) {
        near_tell(&r->m, "%s is not %s, and was sent away.", t.peer, r->from);
        send_away(r, one, false);
    }
}

/* False: nobody else needs to hear of it. */
static bool on_transfer(struct receiving *r, const struct roost_transfer *t)
{
    for (size_t i = 0; i < r->n; i++) {
        struct caller *one = &r->list[i];
        if (one->number != t->number)
            continue;
        if (!roost_transfer_over(t->stage))
            return true;
        bool was_there = one->state == CALLER_THERE || one->state == CALLER_ASKS;
        if (was_there) { /* and went before anybody said yes */
            moving_drop(&r->m, t->number);
            near_tell(&r->m, "%s is not there any more.", *t->peer ? t->peer : "Who called");
        } else if (one->state != CALLER_SENT_AWAY) {
            r->left--;
        }
        remove_at(r, i);
        return !was_there;
    }
    return true;
}

static bool is_over(const struct receiving *r)
{
    return !r->left && r->n == count(r, CALLER_NONE);
}

static int go(struct receiving *r)
{
    struct roost_event e;

    while (!r->status && !is_over(r) && !moving_interrupted()) {
        if (may_begin(r))
            r->status = begin_one(r);
        if (r->status || roost_wait(r->c->r, MOVING_EVERY_MS) < 0)
            return r->status ? r->status : CLI_UNREACHABLE;
        while (roost_next(r->c->r, &e))
            if (e.kind != ROOST_TRANSFER || on_transfer(r, &e.transfer))
                moving_event(&r->m, &e);
        for (size_t i = 0; i < r->n; i++)
            look_at(r, &r->list[i]);
        mind_choice(r);
        if (!*r->q.asked)
            moving_draw(&r->m);
    }
    moving_clear(&r->m);
    if (!r->status && count(r, CALLER_TAKEN) && moving_interrupted())
        return cli_fail(r->c, CLI_REFUSED, "stopped before the end",
                        "the same commands go on where it was");
    return r->status ? r->status : r->m.status;
}

static int read_options(struct receiving *r, const struct cli_args *a, struct filing_get *g)
{
    const char *accept = args_value(a, "accept");
    bool all = accept && !strcmp(accept, "all"), terminal = isatty(STDIN_FILENO) && !r->c->json;

    if (accept && !all && strcmp(accept, "ask") != 0)
        return cli_usage(r->c, "accept what?", "--accept all, or --accept ask");
    if (!all && !terminal)
        return cli_usage(r->c, "nobody can be asked here", "give --accept all");
    if (a->n_words)
        return cli_usage(r->c, "nearby there is no phrase", "leave it out");
    if (args_has(a, "count") && !args_number(args_value(a, "count"), 1, 1000000, &r->left))
        return cli_usage(r->c, "this is no number", "--count 3");
    r->asks = !all;
    int status = filing_where_read(r->c, a, g);
    if (!status && (g->what.name || g->what.stream) && r->left > 1)
        status = cli_usage(r->c, "many cannot have one name",
                           "leave --count out, or give --dir DIR");
    return status;
}

int near_receive(struct cli *c, const struct cli_args *a)
{
    struct receiving r = { .c = c, .left = 1, .from = args_value(a, "from") };
    struct filing_get g = { .what.fd = -1 };
    const char *name = args_value(a, "name");
    char me[NEAR_NAME + 1];
    int status = read_options(&r, a, &g);

    near_my_name(me);
    g.what.nearby = name ? name : me;
    r.what = g.what;
    moving_init(&r.m, c);
    r.m.to_stdout = g.what.stream;
    if (!status)
        status = near_open(c);
    moving_catch();
    if (!status && !g.what.stream)
        cli_say(c, "Found nearby as \"%s\"; Ctrl+C ends it.", g.what.nearby);
    if (!status)
        status = go(&r);
    if (g.what.stream)
        close(g.what.fd);
    filing_get_fini(&g);
    return status;
}
