/* desk_show.c - what a desk says: the time line, sentences, JSON, errors. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/text.h"
#include "lab/classics/desk.h"
#include "lab/classics/ladder.h"

void desk_name(const struct desk *d, size_t peer, char ret[static ADDRESS_TEXT_MAX])
{
    address_text(&d->peers[peer].at, ret);
}

/* --- the time line --------------------------------------------------------------------- */

static void trace_json(struct desk *d, const struct ladder_step *s, size_t len)
{
    struct json j;

    desk_json(d, &j, "packet");
    json_fixed(&j, "seconds", (double)s->at_us / 1e6);
    json_str(&j, "way", s->out ? "out" : "in");
    json_str(&j, "what", s->what);
    json_u64(&j, "bytes", len);
    json_bool(&j, "lost", s->lost);
    json_str(&j, "peer", s->who);
    desk_json_end(d, &j);
}

static void trace(struct desk *d, size_t peer, struct ladder_step s, size_t len)
{
    char who[ADDRESS_TEXT_MAX], line[LADDER_BYTES];

    desk_name(d, peer, who);
    s.at_us = sleep_now_us() - d->record->began_us;
    s.who = d->serves || d->c->json ? who : NULL;
    if (d->c->json) {
        trace_json(d, &s, len);
        return;
    }
    ladder_draw(&s, line);
    pthread_mutex_lock(&d->record->lock);
    fprintf(stderr, "%s\n", line);
    pthread_mutex_unlock(&d->record->lock);
}

void desk_trace(struct desk *d, size_t peer, bool out, bool lost, const uint8_t *bytes, size_t len)
{
    char what[DESK_WHAT_MAX] = "";
    struct ladder_step s = { .out = out, .lost = lost, .what = what };

    if (!d->record->trace)
        return;
    d->plan.describe(bytes, len, what);
    trace(d, peer, s, len);
}

void desk_trace_raw(struct desk *d, size_t peer, bool out, size_t len)
{
    char what[DESK_WHAT_MAX];
    struct ladder_step s = { .out = out, .what = what };

    if (!d->record->trace)
        return;
    snprintf(what, sizeof what, "%zu bytes", len);
    trace(d, peer, s, len);
}

/* --- sentences ---------------------------------------------------------------------------- */

static void print(struct desk *d, FILE *to, const char *format, va_list ap)
{
    struct buf raw = { 0 }, clean = { 0 };

    buf_vprintf(&raw, format, ap);
    text_clean(&clean, buf_str(&raw), TEXT_ONE_LINE);
    pthread_mutex_lock(&d->record->lock);
    fprintf(to, "%s\n", buf_str(&clean));
    fflush(to);
    pthread_mutex_unlock(&d->record->lock);
    buf_fini(&raw);
    buf_fini(&clean);
}

void desk_say(struct desk *d, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    if (!d->c->json)
        print(d, stdout, format, ap);
    va_end(ap);
}

void desk_note(struct desk *d, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    if (!d->c->json)
        print(d, stderr, format, ap);
    va_end(ap);
}

int desk_fail(struct desk *d, int status, const char *advice, const char *format, ...)
{
    struct buf b = { 0 };
    va_list ap;

    va_start(ap, format);
    buf_vprintf(&b, format, ap);
    va_end(ap);
    pthread_mutex_lock(&d->record->lock);
    cli_fail(d->c, status, buf_str(&b), advice);
    pthread_mutex_unlock(&d->record->lock);
    buf_fini(&b);
    return status;
}

/* Its lock is held until it is printed: several threads, one output. */
void desk_json(struct desk *d, struct json *j, const char *event)
{
    pthread_mutex_lock(&d->record->lock);
    json_begin(j, &d->c->out);
    json_str(j, "event", event);
}

void desk_json_end(struct desk *d, struct json *j)
{
    json_end(j);
    cli_flush(d->c);
    pthread_mutex_unlock(&d->record->lock);
}

int desk_fail_gone(struct desk *d, const struct desk_event *e)
{
    char text[ADDRESS_TEXT_MAX];

    address_text(&d->at, text);
    if (e->err == -ROOST_IO)
        return desk_fail(d, CLI_UNREACHABLE,
                         "start the other side with --serve, and check address and port",
                         "nobody answers at %s", text);
    if (e->err == -ROOST_TIMEOUT)
        return desk_fail(d, CLI_UNREACHABLE, "check that it still runs, and the network",
                         "the other side does not answer any more");
    if (e->err == -ROOST_MALFORMED || e->err == -ROOST_TOO_LONG)
        return desk_fail(d, CLI_REFUSED, "check that both sides run the same exercise",
                         "the other side sent what is not this protocol");
    return desk_fail(d, CLI_UNREACHABLE, "see what the other side says",
                     "the other side closed the connection");
}
