/* near.c - send --nearby: who is found, what people compare, what they answer.
 *
 * While a question stands the connection lives on: the terminal is read only when a line is there.
 */
#include "cli/near_inside.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/filing.h"
#include "cli/json.h"
#include "cli/text.h"

enum { TOGETHER_MS = 1500, NOBODY_MS = 8000 };

struct near {
    struct cli *c;
    struct moving m;
    struct near_ask q;
    int64_t number;
    bool asks;         /* on a terminal */
    bool shown;        /* the words */
    const char *to;    /* who is to get it; NULL: whoever is there */
    size_t told;       /* of those who were found */
    int64_t first_us;  /* when the first one was; 0: nobody yet */
    bool chosen, lost; /* lost: who was chosen took no call */
};

void near_my_name(char ret[static NEAR_NAME + 1])
{
    const char *user = getenv("USER");
    char machine[65] = "";

    gethostname(machine, sizeof machine - 1);
    if (user && *user)
        snprintf(ret, NEAR_NAME + 1, "%.24s on %.34s", user, machine);
    else
        snprintf(ret, NEAR_NAME + 1, "%.63s", *machine ? machine : "roost");
}

int near_open(struct cli *c)
{
    struct roost_options o = {
        .alone = true, .home = c->home, .pcap = c->pcap, .key_log = c->key_log, .link = c->link
    };

    if (c->line)
        return cli_usage(c, "this goes without a server",
                         "leave the chat, or use another terminal");
    int err = roost_open(&c->r, &o);
    return err ? cli_fail(c, CLI_REFUSED, roost_problem(), roost_error_get(err).advice) : CLI_OK;
}

/* --- questions --- */

void near_tell(struct moving *m, const char *format, ...)
{
    struct buf clean = { 0 };
    char line[3 * NEAR_LINE];
    va_list args;

    if (m->c->json)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    moving_clear(m);
    text_clean(&clean, line, TEXT_ONE_LINE);
    fprintf(stderr, "%s\n", buf_str(&clean));
    buf_fini(&clean);
}

void near_question(struct near_ask *q, struct moving *m, const char *text)
{
    struct buf b = { 0 };

    text_clean(&b, text, TEXT_ONE_LINE);
    moving_clear(m);
    fprintf(stderr, "%s ", buf_str(&b));
    fflush(stderr);
    snprintf(q->asked, sizeof q->asked, "%s", buf_str(&b));
    buf_fini(&b);
}

bool near_answered(struct near_ask *q)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

    if (poll(&p, 1, 0) <= 0)
        return false;
    ssize_t len = read(STDIN_FILENO, q->line, sizeof q->line - 1);
    q->line[len > 0 ? len : 0] = 0;
    q->line[strcspn(q->line, "\r\n")] = 0;
    q->asked[0] = 0;
    return true;
}

/* --- the words --- */

static void put_connected(struct cli *c, const struct roost_transfer *t)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "connected");
    json_str(&j, "peer", *t->peer ? t->peer : NULL);
    json_str(&j, "words", t->words);
    json_end(&j);
    cli_flush(c);
}

void near_words(struct moving *m, const struct roost_transfer *t)
{
    moving_clear(m);
    if (m->c->json)
        put_connected(m->c, t);
    near_tell(m, "Connected%s%s. Both sides show the same three words if nobody is between: %s",
              *t->peer ? " with " : "", t->peer, t->words);
}

static void put_question(struct near *n, const struct roost_transfer *t)
{
    struct buf b = { 0 };

    buf_printf(&b, "Does %s show the words %s? [y/N]", t->peer, t->words);
    near_question(&n->q, &n->m, buf_str(&b));
    buf_fini(&b);
}

static void answer(struct near *n, bool yes)
{
    if (!roost_nearby_answer(n->c->r, n->number, yes) && yes)
        cli_say(n->c, "Waiting for the other side to take it.");
}

static void mind_words(struct near *n)
{
    struct roost_transfer t;
    bool yes;

    if (!roost_transfer_get(n->c->r, n->number, &t) || roost_transfer_over(t.stage))
        return;
    if (!n->shown && *t.words)
        near_words(&n->m, &t);
    n->shown = *t.words != 0;
    if (!t.asks)
        n->q.asked[0] = 0;
    else if (!n->asks)
        answer(n, true);
    else if (!*n->q.asked)
        put_question(n, &t);
    else if (near_answered(&n->q) && ask_answer(n->q.line, &yes))
        answer(n, yes);
}

/* --- who is there --- */

static void tell_found(struct near *n)
{
    struct roost_nearby p;
    struct json j;

    for (; roost_nearby_at(n->c->r, n->number, n->told, &p); n->told++) {
        if (!n->first_us)
            n->first_us = cli_now_us();
        if (!n->c->json)
            continue;
        json_begin(&j, &n->c->out);
        json_str(&j, "event", "nearby");
        json_str(&j, "name", p.name);
        json_str(&j, "address", p.address);
        json_end(&j);
        cli_flush(n->c);
    }
}

static int choose(struct near *n, size_t i)
{
    n->chosen = true;
    n->q.asked[0] = 0;
    if (!roost_nearby_choose(n->c->r, n->number, i))
        return CLI_OK;
    return cli_fail(n->c, CLI_UNREACHABLE, "the other program cannot be reached",
                    "is it still there? Else roost receive --nearby there again");
}

/* False: where it was found nobody is any more. */
static bool is_there(struct near *n, size_t i)
{
    struct roost_nearby p;

    return roost_nearby_at(n->c->r, n->number, i, &p) && p.there;
}

/* How many are; the last of them. */
static size_t there(struct near *n, size_t *ret_last)
{
    size_t count = 0;

    for (size_t i = 0; i < n->told; i++)
        if (is_there(n, i)) {
            *ret_last = i;
            count++;
        }
    return count;
}

/* The newest of that name. */
static bool named(struct near *n, const char *name, size_t *ret)
{
    struct roost_nearby p;
    bool found = false;

    for (size_t i = 0; roost_nearby_at(n->c->r, n->number, i, &p); i++)
        if (p.there && !strcasecmp(p.name, name)) {
            *ret = i;
            found = true;
        }
    return found;
}

static void list_them(struct near *n)
{
    struct roost_nearby p;

    for (size_t i = 0; roost_nearby_at(n->c->r, n->number, i, &p); i++)
        if (p.there)
            near_tell(&n->m, "%3zu  %s  (%s)", i + 1, p.name, p.address);
}

static int choose_one(struct near *n)
{
    char *end;
    size_t i, count = there(n, &i);

    if (!count)
        return CLI_OK;
    if (count == 1 && !*n->q.asked)
        return choose(n, i);
    if (!n->asks) {
        list_them(n);
        return cli_usage(n->c, "several are there", "say which: --to NAME");
    }
    if (!*n->q.asked) {
        list_them(n);
        near_question(&n->q, &n->m, "To which of them? Number or name:");
        return CLI_OK;
    }
    if (!near_answered(&n->q))
        return CLI_OK;
    if (!*n->q.line)
        return cli_fail(n->c, CLI_REFUSED, "nobody was chosen", "nothing was sent");
    unsigned long number = strtoul(n->q.line, &end, 10);
    if (!*end && number >= 1 && number <= n->told && is_there(n, number - 1))
        return choose(n, number - 1);
    return named(n, n->q.line, &i) ? choose(n, i) : CLI_OK; /* else it is asked again */
}

static int find(struct near *n, int64_t since_us)
{
    int64_t now = cli_now_us();
    size_t i;
    bool any;

    tell_found(n);
    if (n->to && named(n, n->to, &i))
        return choose(n, i);
    any = there(n, &i) > 0;
    if (!n->to && any && now - n->first_us >= TOGETHER_MS * 1000)
        return choose_one(n);
    if (now - since_us < NOBODY_MS * 1000)
        return CLI_OK;
    list_them(n);
    return cli_fail(n->c, CLI_UNREACHABLE,
                    n->lost ? "the other program is not there any more"
                    : any   ? "nobody of that name is on this network"
                            : "nobody was found on this network",
                    "there: roost receive --nearby; both in one network, and UDP 5353 not blocked");
}

/* --- until it is over --- */

static int go(struct near *n)
{
    struct roost_event e;
    int64_t since = cli_now_us();
    int status = CLI_OK;

    while (!status && moving_left(&n->m)) {
        if (moving_interrupted()) {
            moving_clear(&n->m);
            return cli_fail(n->c, CLI_REFUSED, "stopped before the end",
                            "the same command goes on where it was");
        }
        if (roost_wait(n->c->r, MOVING_EVERY_MS) < 0)
            return CLI_UNREACHABLE;
        while (moving_left(&n->m) && roost_next(n->c->r, &e))
            moving_event(&n->m, &e);
        struct roost_transfer t;
        bool waits = roost_transfer_get(n->c->r, n->number, &t) && t.sends &&
                     t.stage == ROOST_FILE_WAITING;
        if (waits && n->chosen && !*t.peer) {
            n->lost = true;
            n->chosen = false;
            since = cli_now_us();
        }
        if (waits && !n->chosen)
            status = find(n, since);
        else if (!n->chosen)
            since = cli_now_us(); /* its source is still looked through */
        mind_words(n);
        if (!*n->q.asked)
            moving_draw(&n->m);
    }
    moving_clear(&n->m);
    return status ? status : n->m.status;
}

int near_send(struct cli *c, const struct cli_args *a)
{
    struct near n = { .c = c, .to = args_value(a, "to"), .asks = isatty(STDIN_FILENO) && !c->json };
    struct filing_send f;
    char me[NEAR_NAME + 1];
    int status = filing_send_read(c, a, &f);

    near_my_name(me);
    f.what.nearby = me;
    if (!status && f.what.via > ROOST_VIA_DIRECT)
        status = cli_usage(c, "there is no server on the way", "leave --via out");
    if (!status)
        status = near_open(c);
    moving_init(&n.m, c);
    moving_catch();
    if (!status) {
        n.number = roost_file_send(c->r, &f.what);
        cli_say(c, "Looking for who receives nearby…");
        status = moving_add(&n.m, n.number, filing_send_name(&f)) ? go(&n) : n.m.status;
    }
    filing_send_fini(&f);
    return status;
}
