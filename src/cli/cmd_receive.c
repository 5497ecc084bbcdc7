/* receive: waits for offers and takes them */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/filed.h"
#include "cli/filing.h"
#include "cli/moving.h"
#include "cli/near.h"

enum { RECEIVE_SEEN_MAX = 4096 };

/* What is taken without a question. */
enum unasked { UNASKED_STANDING, UNASKED_ALL };

struct receive {
    struct cli *c;
    struct moving m;
    const char *from;
    enum unasked unasked;
    bool asks;                       /* about all others; else they are left alone */
    struct roost_file_get what;      /* dir, name, fd of all that is taken */
    unsigned long long count, taken; /* count 0: without end */
    uint64_t seen[RECEIVE_SEEN_MAX]; /* a ring */
    size_t n_seen;
    bool relist; /* after a lost connection: what was offered meanwhile? */
};

/* --- offers --- */

static bool is_seen(const struct receive *r, uint64_t file)
{
    size_t n = r->n_seen < RECEIVE_SEEN_MAX ? r->n_seen : RECEIVE_SEEN_MAX;

    for (size_t i = 0; i < n; i++)
        if (r->seen[i] == file)
            return true;
    return false;
}

/* The server does not have all of it yet, and gives it on as it comes. */
static bool is_coming(const struct roost_file *f)
{
    return f->kept && f->stage != ROOST_FILE_DONE;
}

static bool ask(struct receive *r, const struct roost_file *f)
{
    struct buf b = { 0 };

    buf_puts(&b, f->from);
    buf_puts(&b, !f->kept ? " offers " : is_coming(f) ? " is sending " : " sent ");
    filed_what(&b, f);
    buf_puts(&b, ". Take it?");
    moving_clear(&r->m);
    bool yes = ask_yes(r->c, buf_str(&b));
    buf_fini(&b);
    return yes;
}

/* What was accepted before is not asked about again. */
static bool may_take(struct receive *r, const struct roost_file *f, struct roost_standing *stands)
{
    bool going = f->stage == ROOST_FILE_GOING || f->stage == ROOST_FILE_PAUSED;

    *stands = (struct roost_standing){ 0 };
    if (roost_file_stands(r->c->r, f, stands) || going || r->unasked == UNASKED_ALL)
        return true;
    return r->asks && ask(r, f);
}

static void take(struct receive *r, const struct roost_file *f)
{
    struct roost_file_get what = r->what;
    struct roost_standing stands;
    uint64_t file = f->file;
    bool kept = f->kept;

    r->seen[r->n_seen++ % RECEIVE_SEEN_MAX] = file;
    if (r->c->json)
        filing_json(r->c, "offer", f);
    if (!may_take(r, f, &stands)) {
        int64_t request = kept || !r->asks ? 0 : roost_file_decline(r->c->r, file);
        if (request > 0)
            roost_cancel(r->c->r, request);
        return;
    }
    what.file = file;
    what.dir = what.dir ? what.dir : stands.dir;
    what.fd = what.stream ? dup(what.fd) : -1;
    int64_t number = roost_file_get(r->c->r, &what);
    if (number <= 0 && what.fd >= 0)
        close(what.fd);
    if (moving_add(&r->m, number, f->name))
        r->taken++;
}

static bool wanted(const struct receive *r, const struct roost_file *f)
{
    if (f->yours || !*f->to || f->gone || is_seen(r, f->file))
        return false;
    if (roost_transfer_over(f->stage) && !(f->kept && f->stage == ROOST_FILE_DONE))
        return false;
    if (r->count && r->taken >= r->count)
        return false;
    return !r->from || !strcasecmp(r->from, f->from);
}

static void on_event(void *arg, const struct roost_event *e)
{
    struct receive *r = arg;

    if (e->kind == ROOST_FILE_OFFERED && wanted(r, &e->file))
        take(r, &e->file);
    if (e->kind == ROOST_FILE_CHANGED && filing_goes_on(e) && wanted(r, &e->file))
        take(r, &e->file);
    if (e->kind == ROOST_STATUS && e->status.state == ROOST_READY)
        r->relist = true;
}

/* Offers are copied out of the answer first: taking one asks the server too. */
struct waiting {
    struct receive *r;
    struct roost_file list[ROOST_TRANSFERS_MAX];
    char *names[ROOST_TRANSFERS_MAX][3];
    size_t n;
};

static void note(void *arg, const struct roost_file *f)
{
    struct waiting *w = arg;

    if (w->n == ROOST_TRANSFERS_MAX || is_coming(f) || !wanted(w->r, f))
        return; /* of what comes nobody knows whether its sender is still there */
    w->list[w->n] = *f;
    w->list[w->n].from = w->names[w->n][0] = strdup(f->from);
    w->list[w->n].to = w->names[w->n][1] = strdup(f->to);
    w->list[w->n].name = w->names[w->n][2] = strdup(f->name);
    if (w->list[w->n].from && w->list[w->n].to && w->list[w->n].name)
        w->n++;
}

static int take_waiting(struct receive *r)
{
    struct waiting *w = calloc(1, sizeof *w);
    int status = w ? CLI_OK : CLI_REFUSED;

    r->relist = false;
    if (w) {
        w->r = r;
        status = filing_each(r->c, NULL, note, w);
        for (size_t i = 0; i < w->n; i++) {
            if (!status && wanted(r, &w->list[i]))
                take(r, &w->list[i]);
            for (int k = 0; k < 3; k++)
                free(w->names[i][k]);
        }
    }
    free(w);
    return status;
}

static bool is_over(const struct receive *r)
{
    return r->count && r->taken >= r->count && !moving_left(&r->m);
}

static void tell_waiting(struct receive *r)
{
    if (r->m.to_stdout)
        return;
    cli_say(r->c, "Waiting for files%s; Ctrl+C ends it.",
            !r->asks && r->unasked == UNASKED_STANDING ? " from those of roost accept --always"
                                                       : "");
}

static int wait_for_offers(struct receive *r)
{
    struct roost_event e;
    int status = take_waiting(r);

    if (!status && !is_over(r) && !moving_left(&r->m))
        tell_waiting(r);
    while (!status && !is_over(r) && !moving_interrupted()) {
        if (roost_wait(r->c->r, moving_left(&r->m) ? MOVING_EVERY_MS : -1) < 0)
            return CLI_UNREACHABLE;
        while (roost_next(r->c->r, &e)) {
            if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return cli_fail_error(r->c, &e.status.error, e.status.detail);
            if (!moving_event(&r->m, &e))
                on_event(r, &e);
        }
        if (r->relist)
            status = take_waiting(r);
        moving_draw(&r->m);
    }
    moving_clear(&r->m);
    if (!status && moving_left(&r->m) && moving_interrupted())
        status = cli_fail(r->c, CLI_REFUSED, "stopped before the end",
                          "the same command goes on where it was");
    return status ? status : r->m.status;
}

static int by_phrase(struct cli *c, const struct cli_args *a)
{
    struct filing_get g;
    struct moving m;

    if (args_has(a, "from") || args_has(a, "count") || args_has(a, "accept"))
        return cli_usage(c, "a phrase is one sender's", "give the phrase alone");
    int status = filing_where_read(c, a, &g);
    if (status)
        return status;
    g.what.phrase = a->words[0];
    moving_init(&m, c);
    moving_catch();
    m.to_stdout = g.what.stream;
    int64_t number = roost_file_get(c->r, &g.what);
    if (number == -ROOST_E_INVALID)
        status = cli_usage(c, roost_problem(), "roost send --code shows it: 4821-maple-orbit-tin");
    else
        status = moving_add(&m, number, a->words[0]) ? moving_wait(&m, NULL, NULL) : m.status;
    filing_get_fini(&g);
    return status;
}

static int read_accept(struct receive *r, const struct cli_args *a)
{
    const char *accept = args_value(a, "accept");

    r->asks = !accept || !strcmp(accept, "ask");
    if (accept && !strcmp(accept, "all"))
        r->unasked = UNASKED_ALL;
    else if (accept && !r->asks && strcmp(accept, "always") != 0)
        return cli_usage(r->c, "accept what?", "--accept all, always or ask");
    if (r->asks && (!isatty(STDIN_FILENO) || r->c->json))
        return cli_usage(r->c, "nobody can be asked here",
                         "give --accept all, or always: from those of roost accept --always");
    return CLI_OK;
}

CLI_RUN(cmd_receive)
{
    if (args_has(a, "nearby"))
        return near_receive(c, a);
    if (args_has(a, "name"))
        return cli_usage(c, "a name is for --nearby alone", "leave it out, or add --nearby");
    if (a->n_words)
        return by_phrase(c, a);
    struct receive *r = calloc(1, sizeof *r);
    struct filing_get g = { .what.fd = -1 };

    if (!r)
        return cli_fail(c, CLI_REFUSED, "out of memory", "try again");
    *r = (struct receive){ .c = c, .from = args_value(a, "from") };
    if (r->from && *r->from == '@')
        r->from++;
    int status = read_accept(r, a);
    if (!status && args_has(a, "count") &&
        !args_number(args_value(a, "count"), 1, 1000000, &r->count))
        status = cli_usage(c, "this is no number", "--count 3");
    if (!status)
        status = filing_where_read(c, a, &g);
    if (!status && (g.what.name || g.what.stream) && r->count != 1)
        status = cli_usage(c, "many cannot have one name", "give --count 1, or --dir DIR");
    r->what = g.what;
    moving_init(&r->m, c);
    r->m.to_stdout = g.what.stream;
    moving_catch();
    if (!status)
        status = wait_for_offers(r);
    filing_get_fini(&g);
    free(r);
    return status;
}
