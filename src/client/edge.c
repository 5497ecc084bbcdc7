/* edge.c - whom it trusts, and the one loop that drives a handle (handle.c). */
#include "client/edge.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/err.h"

enum {
    LOCK_RETRY_US = 10 * 1000,      /* another program resumes: one round trip, mostly */
    LOCK_MAX_US = 30 * 1000 * 1000, /* longer than a core waits for an answer */
    READ_BYTES = 16384,
    READS_MAX = 16, /* in one go, so that a flood does not starve the caller */
};

int64_t edge_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- trust ----------------------------------------------------------------------------- */

static bool same_print(const char *a, const char *b)
{
    return strlen(b) == HOME_PRINT_LEN && strcasecmp(a, b) == 0;
}

int edge_trust(struct roost *r)
{
    const char *shown = r->tls.fingerprint;
    bool pinned = home_pin_get(&r->home, r->pinned);

    if ((pinned && same_print(shown, r->pinned)) || tls_vouched(&r->tls))
        return 1;
    if (same_print(shown, r->accept))
        return home_pin_set(&r->home, shown) < 0 ? -ROOST_IO : 1;
    memcpy(r->shown, shown, sizeof r->shown);
    home_pin_path(&r->home, r->pin_file, sizeof r->pin_file);
    r->trust = (struct roost_trust){ r->server, r->shown, pinned ? r->pinned : NULL, r->pin_file };
    r->refused = true;
    if (pinned) {
        snprintf(
            r->detail, sizeof r->detail,
            "THE CERTIFICATE OF %s HAS CHANGED: it was %s and is now %s. If its admin says that "
            "the new "
            "one is right, remove its line from %.1000s",
            r->server, r->pinned, r->shown, r->pin_file);
        return -ROOST_UNTRUSTED;
    }
    snprintf(r->detail, sizeof r->detail, "the certificate of %s is not trusted: %s", r->server,
             r->shown);
    if (!r->options.trust)
        return -ROOST_UNTRUSTED;
    core_on_asking(r->core);
    switch (r->options.trust(r->options.trust_arg, &r->trust)) {
    case ROOST_TRUST_YES:
        r->refused = false;
        return home_pin_set(&r->home, shown) < 0 ? -ROOST_IO : 1;
    case ROOST_TRUST_LATER:
        r->refused = false;
        return 0;
    default:
        return -ROOST_UNTRUSTED;
    }
}

int roost_trust_answer(struct roost *r, bool accept)
{
    if (!r->asking)
        return -ROOST_INVALID;
    r->asking = false;
    if (accept && home_pin_set(&r->home, r->shown) == 0 && r->tls.state == TLS_HANDSHAKE_DONE) {
        tls_accept(&r->tls);
        core_on_connected(r->core, edge_now_us());
        return roost_process(r);
    }
    r->refused = true;
    tls_close(&r->tls);
    core_on_closed(r->core, -ROOST_UNTRUSTED, true, edge_now_us());
    return 0;
}

/* --- doing what the core wants ------------------------------------------------------------- */

static void lost(struct roost *r, int err, bool fatal)
{
    if (!r->refused)
        snprintf(r->detail, sizeof r->detail, "%s", r->tls.detail);
    tls_close(&r->tls);
    r->asking = false;
    core_on_closed(r->core, err, fatal, edge_now_us());
}

/* Waits for its turn; see home.h. */
static void load_token(struct roost *r)
{
    uint8_t token[CORE_TOKEN_MAX];
    int64_t now = edge_now_us();
    int got = home_lock(&r->home, r->user);

    if (got == 0 && now < r->lock_until_us) {
        r->lock_at_us = now + LOCK_RETRY_US;
        return;
    }
    r->want_token = false;
    if (got == 1)
        got = home_token_load(&r->home, r->user, token, sizeof token);
    else
        got = got ? got : -ROOST_BUSY;
    if (got < 0)
        core_on_no_token_yet(r->core, got, now);
    else
        core_on_token(r->core, token, (size_t)got, now);
    memset(token, 0, sizeof token);
}

static void save_token(struct roost *r)
{
    size_t len;
    const uint8_t *token = core_token(r->core, &len);
    const char *name = core_self(r->core)->name;

    if (!r->guest)
        snprintf(r->user, sizeof r->user, "%s", name);
    home_token_save(&r->home, r->user, token, len);
    if (!r->guest)
        home_last_save(&r->home, name);
    home_unlock(&r->home);
    core_on_saved(r->core, edge_now_us());
}

/* The token moves to the key of this code. */
int edge_guest_keep(struct roost *r, const char *code)
{
    char key[CORE_NAME_MAX];
    size_t len;
    const uint8_t *token = core_token(r->core, &len);
    const char *name = strchr(r->user + strlen("guest:"), ':');

    home_guest_key(key, sizeof key, code, name + 1);
    int err = home_token_save(&r->home, key, token, len);
    if (err)
        return err;
    home_token_forget(&r->home, r->user, token, len);
    memcpy(r->user, key, sizeof key);
    return 0;
}

static void forget_token(struct roost *r)
{
    size_t len;
    const uint8_t *token = core_token(r->core, &len);

    home_token_forget(&r->home, r->user, token, len);
}

static void do_output(struct roost *r, struct core_output *out)
{
    int64_t now = edge_now_us();
    int err;

    switch (out->kind) {
    case CORE_CONNECT:
        r->refused = false;
        r->detail[0] = 0;
        err = tls_open(&r->tls, r->host, r->port, now);
        if (err)
            lost(r, err, false);
        break;
    case CORE_SEND:
        err = tls_send(&r->tls, out->bytes);
        if (err)
            lost(r, err, false);
        break;
    case CORE_CLOSE:
        if (r->tls.state == TLS_UP)
            tls_flush(&r->tls);
        tls_close(&r->tls);
        break;
    case CORE_LOAD:
        r->want_token = true;
        r->lock_until_us = now + LOCK_MAX_US;
        load_token(r);
        break;
    case CORE_SAVE:
        save_token(r);
        break;
    case CORE_FORGET:
        forget_token(r);
        break;
    }
}

static void do_outputs(struct roost *r)
{
    struct core_output out;

    while (core_next_output(r->core, &out))
        do_output(r, &out);
    if (!core_token_is_held(r->core)) {
        r->want_token = false;
        home_unlock(&r->home);
    }
    if (r->tls.state == TLS_UP) {
        int err = tls_flush(&r->tls);
        if (err)
            lost(r, err, false);
    }
}

static void on_handshake_done(struct roost *r)
{
    int trusted = r->asking ? 0 : edge_trust(r);

    if (trusted == 1) {
        tls_accept(&r->tls);
        core_on_connected(r->core, edge_now_us());
    } else if (trusted < 0) {
        lost(r, trusted, true);
    } else if (!r->asking) {
        r->asking = r->tell_asking = true;
        core_on_asking(r->core);
    }
}

static void read_control(struct roost *r)
{
    uint8_t bytes[READ_BYTES];

    for (int i = 0; i < READS_MAX && core_wants_bytes(r->core); i++) {
        int n = tls_read(&r->tls, bytes, sizeof bytes);
        if (n < 0)
            lost(r, n, false);
        if (n <= 0)
            return;
        core_on_bytes(r->core, bytes, (size_t)n, edge_now_us());
        do_outputs(r);
    }
}

int roost_process(struct roost *r)
{
    if (r->options.alone) {
        datagrams_process(&r->datagrams, edge_now_us());
        return 0;
    }
    do_outputs(r);
    if (r->want_token && edge_now_us() >= r->lock_at_us)
        load_token(r);
    int err = tls_step(&r->tls, edge_now_us());
    if (err)
        lost(r, err, false);
    if (r->tls.state == TLS_HANDSHAKE_DONE)
        on_handshake_done(r);
    do_outputs(r);
    read_control(r);
    if (edge_now_us() >= core_deadline_us(r->core))
        core_expire(r->core, edge_now_us());
    speech_process(&r->speech, edge_now_us());
    datagrams_process(&r->datagrams, edge_now_us());
    do_outputs(r);
    return 0;
}

/* --- waiting --------------------------------------------------------------------------------- */

static int polls(const struct roost *r)
{
    int wants = tls_wants(&r->tls);

    if (r->asking || (r->tls.state == TLS_UP && !core_wants_bytes(r->core)))
        wants &= ~POLLIN;
    return wants;
}

int roost_fd(const struct roost *r)
{
    struct roost *changed = (struct roost *)r; /* what is waited for is noted when it is asked */

    return r->datagrams.wanted ? datagrams_fd(&changed->datagrams, polls(r)) : tls_fd(&r->tls);
}

int roost_wants(const struct roost *r)
{
    int p = r->datagrams.wanted ? POLLIN : polls(r);

    return (p & POLLIN ? ROOST_READ : 0) | (p & POLLOUT ? ROOST_WRITE : 0);
}

static bool has_events(const struct roost *r)
{
    return r->tell_asking || core_has_events(r->core) || r->datagrams.n_news ||
           files_has_news(&r->files) || speech_has_news(&r->speech);
}

/* When something must be done; events aside. */
static int64_t until_us(const struct roost *r)
{
    int64_t now = edge_now_us(), at = r->options.alone ? INT64_MAX : core_deadline_us(r->core);
    int64_t tls = tls_deadline(&r->tls);

    if (tls < at)
        at = tls;
    if (r->want_token && r->lock_at_us < at)
        at = r->lock_at_us;
    if (r->tls.ssl && core_wants_bytes(r->core) && r->tls.state == TLS_UP &&
        SSL_pending(r->tls.ssl) > 0)
        at = now;
    int64_t datagrams = datagrams_deadline_us(&r->datagrams, now);
    int64_t files = files_deadline_us(&r->files);
    int64_t speech = speech_deadline_us(&r->speech, now);
    at = files < at ? files : at;
    at = speech < at ? speech : at;
    return datagrams < at ? datagrams : at;
}

static int64_t until_ms(const struct roost *r)
{
    int64_t at = until_us(r), now = edge_now_us();

    if (at == INT64_MAX)
        return -1;
    return at <= now ? 0 : (at - now + 999) / 1000;
}

int64_t roost_deadline_ms(const struct roost *r)
{
    return has_events(r) || (core_has_outputs(r->core) && !r->options.alone) ? 0 : until_ms(r);
}

/* Sleeps once; false: a signal came. */
static bool sleep_once(struct roost *r, int64_t limit_ms)
{
    struct pollfd p = { .fd = tls_fd(&r->tls), .events = (short)polls(r) };
    int64_t ms = until_ms(r);

    if (r->datagrams.wanted) {
        int64_t at = until_us(r), end = edge_now_us() + (limit_ms < 0 ? 60000 : limit_ms) * 1000;
        return datagrams_sleep(&r->datagrams, polls(r), at < end ? at : end);
    }
    if (limit_ms >= 0 && (ms < 0 || limit_ms < ms))
        ms = limit_ms;
    if (ms > 60000)
        ms = 60000;
    if (!p.events && p.fd >= 0)
        p.fd = -1;
    return poll(&p, 1, (int)ms) >= 0 || errno != EINTR;
}

static int64_t left_ms(int64_t end_us)
{
    int64_t now = edge_now_us();

    return end_us == INT64_MAX ? -1 : now >= end_us ? 0 : (end_us - now + 999) / 1000;
}

static int64_t end_of(int64_t timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : edge_now_us() + timeout_ms * 1000;
}

int roost_wait(struct roost *r, int64_t timeout_ms)
{
    int64_t end = end_of(timeout_ms);

    for (;;) {
        int err = roost_process(r);
        if (err)
            return err;
        if (has_events(r))
            return 1;
        if (core_state(r->core) == CORE_AT_OVER)
            return -ROOST_CLOSED;
        if (left_ms(end) == 0 || !sleep_once(r, left_ms(end)))
            return 0;
    }
}

int roost_await(struct roost *r, int64_t request, struct roost_event *ret_event, int64_t timeout_ms)
{
    int64_t end = end_of(timeout_ms);

    if (request < 0)
        return (int)request;
    for (;;) {
        int err = roost_process(r);
        struct core_event *e = core_take_answer(r->core, request);
        if (e)
            return plain_event(r, e, ret_event) < 0 ? -ROOST_NOMEM : 1;
        if (err || !core_knows(r->core, request))
            return err ? err : -ROOST_INVALID;
        if (!core_wants_bytes(r->core))
            return -ROOST_LIMIT;
        if (left_ms(end) == 0 || !sleep_once(r, left_ms(end)))
            return 0;
    }
}

void roost_cancel(struct roost *r, int64_t request)
{
    core_cancel(r->core, request);
}

bool roost_next(struct roost *r, struct roost_event *ret_event)
{
    struct core_event *e = NULL;

    if (r->tell_asking) {
        r->tell_asking = false;
        *ret_event = (struct roost_event){ .kind = ROOST_STATUS };
        ret_event->status.state = ROOST_ASKING;
        ret_event->status.error = roost_error_get(0);
        ret_event->status.detail = r->detail;
        ret_event->status.trust = &r->trust;
        ret_event->status.program = ret_event->status.registration = ret_event->status.name = "";
        return true;
    }
    if (datagrams_next(&r->datagrams, ret_event) || files_next(&r->files, ret_event) ||
        speech_next(&r->speech, ret_event))
        return true;
    do
        e = core_next_event(r->core);
    while (e && plain_event(r, e, ret_event) < 0);
    return e != NULL;
}

/* --- datagrams ------------------------------------------------------------------------------- */

int roost_datagrams(struct roost *r, bool on)
{
    if (!on && r->files.begun)
        return 0; /* files move in it */
    datagrams_want(&r->datagrams, on);
    return r->datagrams.wanted == on ? 0 : -ROOST_NOMEM;
}

int64_t roost_path_ping(struct roost *r)
{
    return datagrams_ping(&r->datagrams, edge_now_us());
}

void roost_path_get(const struct roost *r, struct roost_path *ret_path)
{
    *ret_path = r->datagrams.path;
}
