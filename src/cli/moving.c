#include "cli/moving.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/amount.h"
#include "cli/filed.h"
#include "cli/json.h"
#include "cli/text.h"

enum { JSON_EVERY_US = 1000000, STILL_US = 8000000, LINES_MAX = 8 };

/* --- words --- */

const char *moving_way(const struct roost_transfer *t)
{
    return t->way == ROOST_FILE_SERVER && t->tunnelled ? "server in TLS" : filed_way(t->way);
}

static void json_size(struct json *j, const char *key, uint64_t size)
{
    if (size == ROOST_SIZE_UNKNOWN)
        json_null(j, key);
    else
        json_u64(j, key, size);
}

void moving_json(struct cli *c, const char *event, const struct roost_transfer *t, double rate,
                 int64_t left_s)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", event);
    json_u64(&j, "transfer", (uint64_t)t->number);
    if (t->file)
        json_u64(&j, "file", t->file);
    else
        json_null(&j, "file");
    json_str(&j, "direction", t->sends ? "send" : "receive");
    json_str(&j, "stage", filed_stage(t->stage));
    json_str(&j, "why",
             t->stage == ROOST_FILE_WAITING && t->error ? roost_error_get(t->error).name : NULL);
    json_str(&j, "name", t->name);
    json_str(&j, "peer", t->peer);
    json_u64(&j, "files", t->files);
    json_u64(&j, "left_out", t->left_out);
    json_u64(&j, "bytes", t->done);
    json_size(&j, "total", t->size);
    json_u64(&j, "had", t->had);
    json_u64(&j, "lost_bytes", t->lost);
    json_u64(&j, "sent_bytes", t->wire);
    json_u64(&j, "bits_a_second", (uint64_t)(rate * 8));
    if (left_s < 0)
        json_null(&j, "left_s");
    else
        json_u64(&j, "left_s", (uint64_t)left_s);
    json_str(&j, "way", *moving_way(t) ? moving_way(t) : NULL);
    json_str(&j, "phrase", *t->phrase ? t->phrase : NULL);
    json_str(&j, "path", *t->where ? t->where : NULL);
    json_end(&j);
    cli_flush(c);
}

/* --- the list --- */

void moving_init(struct moving *m, struct cli *c)
{
    *m = (struct moving){ .c = c };
}

static struct moving_one *find(struct moving *m, int64_t number)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].number == number)
            return &m->list[i];
    return NULL;
}

static int fail_start(struct cli *c, int err, const char *what)
{
    struct buf b = { 0 };
    int why = errno;

    buf_printf(&b, "%s: %s", what, err == -ROOST_E_IO ? strerror(why) : roost_error_get(err).text);
    int status = cli_fail(c, err == -ROOST_E_INVALID ? CLI_USAGE : CLI_REFUSED, buf_str(&b),
                          err == -ROOST_E_IO ? "check the name, and whether you may read it"
                                             : roost_error_get(err).advice);
    buf_fini(&b);
    return status;
}

bool moving_add(struct moving *m, int64_t number, const char *what)
{
    if (number > 0 && m->n == MOVING_MAX)
        number = -ROOST_E_LIMIT;
    if (number < 0) {
        m->status = fail_start(m->c, (int)number, what);
        return false;
    }
    m->list[m->n++] = (struct moving_one){ .number = number, .begun_us = cli_now_us() };
    return true;
}

void moving_drop(struct moving *m, int64_t number)
{
    struct moving_one *one = find(m, number);

    moving_clear(m);
    if (one)
        *one = m->list[--m->n];
}

size_t moving_left(const struct moving *m)
{
    return m->n;
}

/* --- the end of one --- */

/* Nothing but the text, so that it can go into a pipe; on a terminal with who sent it. */
static void show_text(struct moving *m, const struct roost_transfer *t)
{
    struct cli *c = m->c;
    const char *from = *t->peer == '@' ? t->peer + 1 : t->peer;
    struct json j;

    if (c->json) {
        json_begin(&j, &c->out);
        json_str(&j, "event", "text");
        if (t->file)
            json_u64(&j, "file", t->file);
        else
            json_null(&j, "file");
        json_str(&j, "from", from);
        json_str(&j, "text", t->text);
        json_end(&j);
    } else {
        if (c->columns || c->line) {
            buf_puts(&c->out, c->line ? "- a text of " : "A text of ");
            text_clean(&c->out, from, TEXT_ONE_LINE);
            buf_puts(&c->out, c->line ? ": " : ":\n");
        }
        text_clean(&c->out, t->text, 0);
        buf_puts(&c->out, "\n");
    }
    cli_flush(c);
}

/* "in/notes.pdf"; of several, which are in one folder, their name: "in/notes.pdf and 2 more". */
static void put_where(struct buf *b, const struct roost_transfer *t)
{
    const char *slash = strrchr(t->where, '/'), *last = slash ? slash + 1 : t->where;
    size_t len = strlen(last);
    bool several = t->files > 1 && !strncmp(t->name, last, len) &&
                   !strncmp(t->name + len, " and ", 5);

    if (t->sends || !*t->where)
        buf_printf(b, "%s: ", t->name);
    else
        buf_printf(b, "%s%s: ", t->where, several ? t->name + len : "");
}

static void put_end(struct buf *b, const struct moving_one *one, const struct roost_transfer *t)
{
    int64_t took_us = cli_now_us() - one->begun_us;
    uint64_t moved = t->done > t->had ? t->done - t->had : 0;

    put_where(b, t);
    amount_bytes(b, (double)t->done);
    if (t->files != 1)
        buf_printf(b, " in %" PRIu32 " files", t->files);
    buf_printf(b, " %s %s", t->sends ? "sent to" : "received from", t->peer);
    if (t->had)
        buf_puts(b, moved ? ", of which " : "; all of it was there already");
    if (t->had && moved) {
        amount_bytes(b, (double)t->had);
        buf_puts(b, " were there already");
    }
    if (!moved)
        return;
    buf_printf(b, ", %.1f s, ", (double)took_us / 1e6);
    amount_bytes(b, took_us ? (double)moved * 1e6 / (double)took_us : 0);
    buf_puts(b, "/s");
    if (*moving_way(t))
        buf_printf(b, ", %s", moving_way(t));
}

static int fail_transfer(struct cli *c, const struct roost_transfer *t)
{
    struct roost_error e = roost_error_get(t->error ? t->error : ROOST_E_IO);
    struct buf wrong = { 0 };

    if (*t->name)
        buf_printf(&wrong, "%s: ", t->name);
    else if (t->file)
        buf_printf(&wrong, "file %" PRIu64 ": ", t->file);
    buf_puts(&wrong, *t->detail ? t->detail : e.text);
    e.text = buf_str(&wrong);
    if (*t->phrase && t->error == ROOST_E_UNTRUSTED)
        e.advice = t->sends ? "send it again, which makes another phrase"
                            : "ask for another phrase";
    if (!t->sends && t->error == ROOST_E_IO)
        e.advice = "look at the folder, its disk, and whether you may write there";
    int status = cli_fail_error(c, &e, NULL);
    buf_fini(&wrong);
    return status;
}

/* The rest was sent: that is not all. */
static int fail_missing(struct cli *c, const struct roost_transfer *t)
{
    struct buf b = { 0 };

    buf_printf(&b, "%s: %" PRIu32 " could not be sent: ", t->name, t->missing);
    text_clean(&b, t->left, TEXT_ONE_LINE);
    int status = cli_fail(c, CLI_REFUSED, buf_str(&b),
                          "all else was sent; make them readable, or rename them");
    buf_fini(&b);
    return status;
}

static void tell_end(struct moving *m, struct moving_one *one, const struct roost_transfer *t)
{
    struct buf b = { 0 };
    int status = CLI_OK;

    if (*t->text)
        show_text(m, t);
    if (m->c->json && !m->to_stdout)
        moving_json(m->c, t->stage == ROOST_FILE_DONE ? t->sends ? "sent" : "received" : "transfer",
                    t, 0, -1);
    if (t->stage == ROOST_FILE_DONE && *t->text) {
        /* it speaks for itself */
    } else if (t->stage == ROOST_FILE_DONE) {
        put_end(&b, one, t);
        if (m->to_stdout && !m->c->json)
            fprintf(stderr, "%s\n", buf_str(&b));
        else if (!m->to_stdout)
            cli_say(m->c, "%s", buf_str(&b));
        if (t->missing)
            status = fail_missing(m->c, t);
    } else if (t->stage == ROOST_FILE_FAILED) {
        status = fail_transfer(m->c, t);
    } else {
        buf_printf(&b, "%s: %s", t->name,
                   t->stage == ROOST_FILE_DECLINED ? "it was declined" : "it was cancelled");
        status = cli_fail(m->c, CLI_REFUSED, buf_str(&b), "");
    }
    buf_fini(&b);
    if (status && !m->status)
        m->status = status;
}

/* --- what happens --- */

/* Once, when the source was looked through: who sends may want to stop. */
static void tell_left(struct moving *m, struct moving_one *one, const struct roost_transfer *t)
{
    struct buf b = { 0 };

    if (one->told_left || !t->left_out || m->c->json)
        return;
    one->told_left = true;
    moving_clear(m);
    buf_printf(&b, "%s: left out: ", t->name);
    text_clean(&b, t->left, TEXT_ONE_LINE);
    if (t->left_out > 1)
        buf_printf(&b, " (%" PRIu32 " in all)", t->left_out);
    cli_say(m->c, "%s", buf_str(&b));
    buf_fini(&b);
}

/* What people are told beside the line that moves. */
static void tell_stage(struct moving *m, const struct roost_transfer *t)
{
    if (t->stage == ROOST_FILE_WAITING && t->error) {
        const struct roost_error e = roost_error_get(t->error);
        cli_say(m->c, "%s waits: %s; %s.", t->name, e.text, e.advice);
    } else if (t->stage == ROOST_FILE_WAITING && t->sends && *t->phrase)
        cli_say(m->c, "On the other machine: roost -s %s receive %s", roost_server(m->c->r),
                t->phrase);
    else if (t->stage == ROOST_FILE_WAITING && t->sends && t->file)
        cli_say(m->c, "%s: offered to %s (%scancel %" PRIu64 " takes it back).", t->name, t->peer,
                m->c->line ? "/" : "roost ", t->file);
}

bool moving_event(struct moving *m, const struct roost_event *e)
{
    const struct roost_transfer *t = &e->transfer;
    struct moving_one *one = e->kind == ROOST_TRANSFER ? find(m, t->number) : NULL;
    int64_t now = cli_now_us();

    if (!one)
        return false;
    bool fresh = !one->told || one->stage != t->stage;
    if (t->stage == ROOST_FILE_GOING && fresh && !one->told_us)
        one->begun_us = now;
    one->had = t->had;
    progress_look(&one->progress, now, t->done);
    bool quiet = m->c->json && m->to_stdout;
    if (roost_transfer_over(t->stage)) {
        moving_clear(m);
        tell_end(m, one, t);
        *one = m->list[--m->n];
        m->n_over++;
        return true;
    }
    tell_left(m, one, t);
    if (fresh && !m->to_stdout) {
        moving_clear(m);
        tell_stage(m, t);
    }
    if (m->c->json && !quiet && (fresh || now - one->told_us >= JSON_EVERY_US)) {
        moving_json(m->c, fresh ? "transfer" : "progress", t, one->progress.rate,
                    progress_left_s(&one->progress, t->done, t->size));
        one->told_us = now;
    }
    if (t->stage == ROOST_FILE_GOING && !one->told_us)
        one->told_us = now;
    one->stage = t->stage;
    one->told = true;
    return true;
}

/* --- on a terminal --- */

static bool shows(const struct moving *m)
{
    return !m->c->json && !m->c->line && isatty(STDERR_FILENO);
}

void moving_clear(struct moving *m)
{
    if (!m->lines)
        return;
    fputc('\r', stderr);
    for (size_t i = 1; i < m->lines; i++)
        fputs("\033[K\033[A", stderr);
    fputs("\033[K", stderr);
    m->lines = 0;
}

/* No time that is left is told of what does not move. */
static const char *state_of(const struct moving_one *one, const struct roost_transfer *t)
{
    if (t->stage == ROOST_FILE_GOING)
        return cli_now_us() - one->progress.moved_us >= STILL_US ? "stands still" : NULL;
    return filed_stage(t->stage);
}

static void put_line(struct moving *m, struct moving_one *one, struct buf *b, size_t columns)
{
    struct roost_transfer t;

    if (!roost_transfer_get(m->c->r, one->number, &t))
        return;
    progress_look(&one->progress, cli_now_us(), t.done);
    struct progress_line l = {
        .name = t.name,
        .done = t.done,
        .total = t.size,
        .again = t.lost,
        .rate = one->progress.rate,
        .left_s = progress_left_s(&one->progress, t.done, t.size),
        .way = moving_way(&t),
        .state = state_of(one, &t),
    };
    progress_put(b, &l, columns);
}

/* Who only waits to be found has nothing to show yet. */
static bool is_something(const struct moving *m, const struct moving_one *one)
{
    struct roost_transfer t;

    return roost_transfer_get(m->c->r, one->number, &t) && *t.name;
}

void moving_draw(struct moving *m)
{
    int64_t now = cli_now_us();
    struct buf b = { 0 };

    if (!shows(m) || now - m->drawn_us < MOVING_EVERY_MS * 1000)
        return;
    size_t columns = m->c->columns ? m->c->columns - 1 : 79, lines = 0, more = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (!is_something(m, &m->list[i]))
            continue;
        if (lines == LINES_MAX) {
            more++;
            continue;
        }
        buf_puts(&b, lines++ ? "\n" : "");
        put_line(m, &m->list[i], &b, columns);
        buf_puts(&b, "\033[K");
    }
    if (more)
        buf_printf(&b, "\n… and %zu more\033[K", more);
    moving_clear(m);
    fputs(buf_str(&b), stderr);
    m->lines = lines + (more > 0);
    m->drawn_us = now;
    buf_fini(&b);
}

void moving_short(const struct moving *m, struct buf *b)
{
    struct roost_transfer t;

    if (!m->n || !roost_transfer_get(m->c->r, m->list[m->n - 1].number, &t))
        return;
    const struct moving_one *one = &m->list[m->n - 1];
    buf_puts(b, t.sends ? "↑ " : "↓ ");
    text_fit(b, t.name, 20);
    if (t.size != ROOST_SIZE_UNKNOWN && t.done <= t.size)
        buf_printf(b, " %d %%", t.size ? (int)(100.0 * (double)t.done / (double)t.size) : 100);
    buf_putc(b, ' ');
    if (state_of(one, &t)) {
        buf_puts(b, state_of(one, &t));
    } else {
        amount_bytes(b, one->progress.rate);
        buf_puts(b, "/s");
    }
    if (m->n > 1)
        buf_printf(b, " +%zu", m->n - 1);
}

/* --- waiting --- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

void moving_catch(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool moving_interrupted(void)
{
    return interrupted;
}

static int stopped(struct moving *m)
{
    moving_clear(m);
    return cli_fail(m->c, CLI_REFUSED, "stopped before the end",
                    "the same command goes on where it was");
}

static int lost(struct moving *m, const struct roost_status *s)
{
    moving_clear(m);
    return s->error.code ? cli_fail_error(m->c, &s->error, s->detail) : CLI_UNREACHABLE;
}

int moving_wait(struct moving *m, void (*other)(void *arg, const struct roost_event *e), void *arg)
{
    struct roost_event e;

    while (m->n) {
        if (interrupted)
            return stopped(m);
        if (roost_wait(m->c->r, MOVING_EVERY_MS) < 0)
            return CLI_UNREACHABLE;
        while (m->n && roost_next(m->c->r, &e)) {
            if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return lost(m, &e.status);
            if (!moving_event(m, &e) && other)
                other(arg, &e);
        }
        moving_draw(m);
    }
    return m->status;
}
