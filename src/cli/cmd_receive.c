/* receive: waits for offers and takes them */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/filed.h"
#include "cli/filing.h"
#include "cli/moving.h"
#include "cli/near.h"
#include "cli/text.h"

/* A longer text is a file. */
enum { RECEIVE_SEEN_MAX = 4096, TEXTS_MAX = 16, TEXT_BYTES_MAX = 64 * 1024 };

/* A text that is shown, and kept nowhere. */
struct text {
    int64_t number; /* of its transfer; 0: none */
    int fd;         /* it comes here */
};

struct receive {
    struct cli *c;
    struct text texts[TEXTS_MAX];
    struct moving m;
    const char *from, *dir;
    bool all;
    unsigned long long count, taken; /* count 0: without end */
    uint64_t seen[RECEIVE_SEEN_MAX]; /* a ring */
    size_t n_seen;
    bool relist; /* after a lost connection: what was offered meanwhile? */
};

/* --- texts --- */

/* NULL: it is to be a file, or there is no place for one more. */
static struct text *begin_text(struct receive *r, const struct roost_file *f)
{
    if (r->dir || f->kind != ROOST_FILE_TEXT || f->size > TEXT_BYTES_MAX)
        return NULL;
    for (size_t i = 0; i < TEXTS_MAX; i++) {
        struct text *t = &r->texts[i];
        if (t->number)
            continue;
        t->fd = memfd_create("text", MFD_CLOEXEC);
        return t->fd < 0 ? NULL : t;
    }
    return NULL;
}

static void show_text(struct receive *r, const struct roost_transfer *t, char *s, size_t len)
{
    struct json j;

    for (size_t i = 0; i < len; i++)
        s[i] = s[i] ? s[i] : '\1'; /* shown like other control characters */
    s[len] = '\0';
    if (r->c->json) {
        json_begin(&j, &r->c->out);
        json_str(&j, "event", "text");
        json_u64(&j, "file", t->file);
        json_str(&j, "from", *t->peer == '@' ? t->peer + 1 : t->peer);
        json_str(&j, "text", s);
        json_end(&j);
    } else {
        text_clean(&r->c->out, s, 0);
        buf_puts(&r->c->out, "\n");
    }
    cli_flush(r->c);
}

static void end_text(struct receive *r, const struct roost_transfer *t)
{
    char bytes[TEXT_BYTES_MAX + 1];

    for (size_t i = 0; i < TEXTS_MAX; i++) {
        struct text *x = &r->texts[i];
        if (!x->number || x->number != t->number)
            continue;
        ssize_t n = pread(x->fd, bytes, TEXT_BYTES_MAX, 0);
        moving_clear(&r->m);
        if (t->stage == ROOST_FILE_DONE && n >= 0)
            show_text(r, t, bytes, (size_t)n);
        close(x->fd);
        x->number = 0;
    }
}

/* --- offers --- */

static bool is_seen(const struct receive *r, uint64_t file)
{
    size_t n = r->n_seen < RECEIVE_SEEN_MAX ? r->n_seen : RECEIVE_SEEN_MAX;

    for (size_t i = 0; i < n; i++)
        if (r->seen[i] == file)
            return true;
    return false;
}

static bool ask(struct receive *r, const struct roost_file *f)
{
    struct buf b = { 0 };

    buf_puts(&b, f->from);
    buf_puts(&b, f->kept ? " sent " : " offers ");
    filed_what(&b, f);
    buf_puts(&b, ". Take it?");
    moving_clear(&r->m);
    bool yes = ask_yes(r->c, buf_str(&b));
    buf_fini(&b);
    return yes;
}

static void take(struct receive *r, const struct roost_file *f)
{
    struct roost_file_get what = { .file = f->file, .dir = r->dir, .fd = -1 };
    uint64_t file = f->file;
    bool kept = f->kept, going = f->stage == ROOST_FILE_GOING || f->stage == ROOST_FILE_PAUSED;

    r->seen[r->n_seen++ % RECEIVE_SEEN_MAX] = file;
    if (r->c->json)
        filing_json(r->c, "offer", f);
    /* what was accepted before is not asked about again */
    if (!r->all && !going && !ask(r, f)) {
        int64_t request = kept ? 0 : roost_file_decline(r->c->r, file);
        if (request > 0)
            roost_cancel(r->c->r, request);
        return;
    }
    struct text *text = begin_text(r, f);
    if (text) {
        what.fd = dup(text->fd);
        what.stream = true;
    }
    int64_t number = roost_file_get(r->c->r, &what);
    if (text && number > 0)
        text->number = number;
    else if (text)
        close(text->fd);
    if (number <= 0 && what.stream && what.fd >= 0)
        close(what.fd);
    if (moving_add(&r->m, number, f->name))
        r->taken++;
}

static bool wanted(const struct receive *r, const struct roost_file *f)
{
    if (f->yours || !*f->to || f->gone || is_seen(r, f->file))
        return false;
    if (f->kept ? f->stage != ROOST_FILE_DONE : roost_transfer_over(f->stage))
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

    if (w->n == ROOST_TRANSFERS_MAX || !wanted(w->r, f))
        return;
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

static int wait_for_offers(struct receive *r)
{
    struct roost_event e;
    int status = take_waiting(r);

    if (!status && !is_over(r) && !moving_left(&r->m))
        cli_say(r->c, "Waiting for files; Ctrl+C ends it.");
    while (!status && !is_over(r) && !moving_interrupted()) {
        if (roost_wait(r->c->r, moving_left(&r->m) ? MOVING_EVERY_MS : -1) < 0)
            return CLI_UNREACHABLE;
        while (roost_next(r->c->r, &e)) {
            if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return cli_fail_error(r->c, &e.status.error, e.status.detail);
            if (e.kind == ROOST_TRANSFER && roost_transfer_over(e.transfer.stage))
                end_text(r, &e.transfer);
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
    struct roost_file_get what = { .phrase = a->words[0], .dir = args_value(a, "dir"), .fd = -1 };
    struct moving m;

    if (args_has(a, "from") || args_has(a, "count"))
        return cli_usage(c, "a phrase is one sender's", "give the phrase alone");
    moving_init(&m, c);
    moving_catch();
    int64_t number = roost_file_get(c->r, &what);
    if (number == -ROOST_E_INVALID)
        return cli_usage(c, roost_problem(), "roost send --code shows it: 4821-maple-orbit-tin");
    return moving_add(&m, number, a->words[0]) ? moving_wait(&m, NULL, NULL) : m.status;
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
    const char *accept = args_value(a, "accept");
    int status = CLI_OK;

    if (!r)
        return cli_fail(c, CLI_REFUSED, "out of memory", "try again");
    *r = (struct receive){ .c = c, .dir = args_value(a, "dir"), .from = args_value(a, "from") };
    if (r->from && *r->from == '@')
        r->from++;
    r->all = accept && !strcmp(accept, "all");
    if (accept && !r->all && strcmp(accept, "ask") != 0)
        status = cli_usage(c, "accept what?", "--accept all, or --accept ask");
    else if (!r->all && (!isatty(STDIN_FILENO) || c->json))
        status = cli_usage(c, "nobody can be asked here", "give --accept all");
    else if (args_has(a, "count") && !args_number(args_value(a, "count"), 1, 1000000, &r->count))
        status = cli_usage(c, "this is no number", "--count 3");
    moving_init(&r->m, c);
    moving_catch();
    if (!status)
        status = wait_for_offers(r);
    free(r);
    return status;
}
