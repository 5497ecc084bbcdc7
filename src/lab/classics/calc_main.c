/* lab calc: the remote calculator. The server answers each line by itself, so it keeps nothing
 * of its clients; the client has one question under way. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "lab/classics/calc_line.h"
#include "lab/classics/desk.h"

/* Over UDP a question that is not answered so long goes again, so often. */
enum { ASK_AGAIN_US = 500000, TRIES = 8, SILENT_US = 10000000 };

struct client {
    struct desk d;
    unsigned mark;
    char question[CUT_LINE_MAX + 1];
    char shown[CUT_LINE_MAX + 1]; /* without the mark */
    int tries;
    int64_t again_us; /* INT64_MAX: nothing is under way */
    bool typed;       /* questions come from the keyboard */
    bool over;
    int status;
};

static void describe(const uint8_t *bytes, size_t len, char ret[static DESK_WHAT_MAX])
{
    snprintf(ret, DESK_WHAT_MAX, "%.*s", (int)(len < 200 ? len : 200), (const char *)bytes);
}

static const struct desk_plan serving = { true, true, false, false, CUT_LINES, describe, NULL };
static const struct desk_plan asking = { true, true, true, false, CUT_LINES, describe, NULL };

/* --- the server ---------------------------------------------------------------------------- */

static int serve(struct desk *d)
{
    char answer[CALC_ANSWER_BYTES];
    struct desk_event e;

    for (;;) {
        while (desk_next(d, &e)) {
            if (e.kind == DESK_STOP)
                return CLI_OK;
            if (e.kind == DESK_GONE && !e.err)
                desk_finish(d, e.peer);
            if (e.kind != DESK_MESSAGE)
                continue;
            if (d->is_udp && e.len && e.bytes[e.len - 1] == '\n')
                e.len--; /* as nc -u sends it */
            calc_line(e.bytes, e.len, answer);
            desk_send(d, e.peer, answer, strlen(answer));
            if (d->is_udp && !d->bends)
                desk_drop(d, e.peer); /* nothing of it needs to be kept */
        }
        desk_sleep(d, INT64_MAX);
    }
}

/* --- the client ----------------------------------------------------------------------------- */

static void ask_again(struct client *c)
{
    desk_send(&c->d, 0, c->question, strlen(c->question));
    c->tries++;
    c->again_us = c->d.is_udp ? sleep_now_us() + ASK_AGAIN_US : sleep_now_us() + SILENT_US;
}

static void ask(struct client *c, const uint8_t *line, size_t len)
{
    snprintf(c->shown, sizeof c->shown, "%.*s", (int)len, (const char *)line);
    if (c->d.is_udp)
        snprintf(c->question, sizeof c->question, "#%u %.8000s", ++c->mark, c->shown);
    else
        memcpy(c->question, c->shown, sizeof c->question);
    c->tries = 0;
    desk_hold_lines(&c->d, true);
    ask_again(c);
}

static void tell(struct client *c, const char *answer)
{
    bool wrong = calc_is_error(answer);
    struct json j;

    if (c->d.c->json) {
        desk_json(&c->d, &j, "answer");
        json_str(&j, "expression", c->shown);
        json_str(&j, wrong ? "error" : "text", wrong ? answer + 7 : answer);
        desk_json_end(&c->d, &j);
    } else if (wrong && !c->typed) {
        desk_fail(&c->d, CLI_REFUSED, "write for example: 7 % 3", "%s", answer + 7);
    } else {
        desk_say(&c->d, "%s", answer);
    }
    if (wrong)
        c->status = CLI_REFUSED;
}

/* Over UDP it may be the answer to an earlier try of an earlier question. */
static void hear(struct client *c, const struct desk_event *e)
{
    char answer[CUT_LINE_MAX + 1];
    size_t mark = c->d.is_udp ? calc_mark(e->bytes, e->len) : 0;

    if (c->again_us == INT64_MAX ||
        (c->d.is_udp && (!mark || memcmp(e->bytes, c->question, mark) != 0)))
        return;
    snprintf(answer, sizeof answer, "%.*s", (int)(e->len - mark), (const char *)e->bytes + mark);
    c->again_us = INT64_MAX;
    tell(c, answer);
    desk_hold_lines(&c->d, false);
    c->over = !c->typed;
}

static int on_event(struct client *c, const struct desk_event *e, char *words)
{
    switch (e->kind) {
    case DESK_CAME:
        if (words)
            ask(c, (const uint8_t *)words, strlen(words));
        else
            desk_hold_lines(&c->d, false);
        break;
    case DESK_MESSAGE:
        hear(c, e);
        break;
    case DESK_LINE:
        if (e->len)
            ask(c, e->bytes, e->len);
        break;
    case DESK_LINES_END:
        c->over = !words;
        break;
    case DESK_GONE:
        return desk_fail_gone(&c->d, e);
    case DESK_STOP:
        c->over = true;
        break;
    }
    return 0;
}

static int ask_all(struct client *c, char *words)
{
    struct desk_event e;
    int status;

    c->typed = !words;
    c->again_us = INT64_MAX;
    desk_hold_lines(&c->d, true); /* until somebody is there to be asked */
    while (!c->over) {
        while (!c->over && desk_next(&c->d, &e))
            if ((status = on_event(c, &e, words)))
                return status;
        if (sleep_now_us() >= c->again_us && (!c->d.is_udp || c->tries >= TRIES)) {
            e.err = -ROOST_TIMEOUT;
            return desk_fail_gone(&c->d, &e);
        }
        if (sleep_now_us() >= c->again_us)
            ask_again(c);
        if (!c->over)
            desk_sleep(&c->d, c->again_us);
    }
    return c->status;
}

CLI_RUN(cmd_lab_calc)
{
    struct client *k = calloc(1, sizeof *k);
    char *words = a->n_words ? cmd_join(a->words, a->n_words) : NULL;
    int status = CLI_REFUSED;

    if (!k || (a->n_words && !words))
        goto out;
    if (args_has(a, "serve") && words)
        status = cli_usage(c, "a server is asked, and asks nothing", "leave the expression out");
    else if (!(status = desk_open(&k->d, c, a, args_has(a, "serve") ? &serving : &asking)))
        status = k->d.serves ? serve(&k->d) : ask_all(k, words);
    desk_close(&k->d);
out:
    free(words);
    free(k);
    return status;
}
