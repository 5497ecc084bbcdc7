/* core_login.c - from a fresh connection to READY, and keeping it alive. */
#include "client/core_internal.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, PING_MIN_US = 1000 * 1000 };

void core_on_connected(struct core *c, int64_t now_us)
{
    Roost__Hello hello = ROOST__HELLO__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    uint8_t id[16];

    c->now_us = c->heard_us = now_us;
    if (c->state != CORE_AT_CONNECTING || !c->transport)
        return;
    if (c->asking) /* how long a person thinks is nobody's fault */
        c->lost_us = now_us;
    c->asking = false;
    core_move(c, CORE_AT_GREETING);
    hello.version_min = hello.version_max = VERSION;
    hello.program = c->program;
    m.body_case = ROOST__TO_SERVER__BODY_HELLO;
    m.hello = &hello;
    c->hello_n = ask_id(c, id);
    core_send(c, ask_encode(&m, id));
}

static void read_server(struct core_server *s, const Roost__Welcome *w)
{
    s->version = w->version;
    s->text_max = w->text_max;
    s->idle_ms = w->idle_ms;
    s->now_ms = w->now_ms;
    s->logs_private_text = w->logs_private_text;
    text_copy(s->program, sizeof s->program, w->program);
    text_copy(s->registration, sizeof s->registration, w->registration);
    memset(s->id, 0, sizeof s->id);
    if (w->server_id.len == sizeof s->id)
        memcpy(s->id, w->server_id.data, sizeof s->id);
}

static void enter_login(struct core *c, const struct core_error *why)
{
    core_move(c, CORE_AT_LOGIN);
    c->ready_us = c->now_us;
    core_tell(c, why);
    ask_refuse(c, why && why->code ? why->code : ROOST_LOGIN_NEEDED, false);
    if (!ask_has_login(c))
        meet_refuse(c, why && why->code ? why->code : ROOST_LOGIN_NEEDED);
    ask_pump(c);
}

/* An error that a later try may not meet. */
static bool passes(const struct core_error *e)
{
    return e->retry_after_ms || e->code == ROOST_BUSY || e->code == ROOST_SHUTTING_DOWN ||
           e->code == ROOST_NOT_STORED || e->code == ROOST_NOMEM || e->code == ROOST_IO ||
           e->code == ROOST_FULL || e->code == ROOST_TIMEOUT || e->code == ROOST_TOO_FAST ||
           e->code == ROOST_LIMIT || e->code == ROOST_STALE_OWNER;
}

void login_on_welcome(struct core *c, const Roost__Reply *r)
{
    struct core_error e;

    if (r->result_case == ROOST__REPLY__RESULT_ERROR) {
        error_read(&e, r->error);
        if (passes(&e))
            core_lose(c, &e);
        else
            core_stop(c, &e);
        return;
    }
    if (r->result_case != ROOST__REPLY__RESULT_WELCOME || r->welcome->version != VERSION) {
        error_set(&e,
                  r->result_case == ROOST__REPLY__RESULT_WELCOME ? ROOST_VERSION : ROOST_MALFORMED);
        core_stop(c, &e);
        return;
    }
    read_server(&c->server, r->welcome);
    c->ever_connected = true;
    if (c->options.no_resume && !c->token_len) {
        enter_login(c, NULL);
        return;
    }
    if (ask_has_login(c)) { /* a person's password goes before what was saved */
        enter_login(c, NULL);
        return;
    }
    core_move(c, CORE_AT_LOADING);
    c->token_held = true;
    c->todo |= 1u << CORE_LOAD;
}

void core_on_token(struct core *c, const uint8_t *token, size_t len, int64_t now_us)
{
    Roost__Resume resume = ROOST__RESUME__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    uint8_t id[16];

    c->now_us = now_us;
    if (c->state != CORE_AT_LOADING)
        return;
    if (!len || len > CORE_TOKEN_MAX || ask_has_login(c)) {
        enter_login(c, NULL);
        return;
    }
    memcpy(c->token, token, len);
    c->token_len = len;
    core_move(c, CORE_AT_RESUMING);
    resume.token.data = c->token;
    resume.token.len = len;
    resume.device.data = c->options.device;
    resume.device.len = sizeof c->options.device;
    m.body_case = ROOST__TO_SERVER__BODY_RESUME;
    m.resume = &resume;
    c->resume_n = ask_id(c, id);
    core_send(c, ask_encode(&m, id));
}

void core_on_no_token_yet(struct core *c, int err, int64_t now_us)
{
    c->now_us = now_us;
    if (c->state == CORE_AT_LOADING)
        core_lose_code(c, err);
}

void login_on_resume_refused(struct core *c, const Roost__Error *error)
{
    struct core_error e;

    error_read(&e, error);
    if (passes(&e)) {
        core_lose(c, &e);
        return;
    }
    c->todo |= 1u << CORE_FORGET;
    c->self = (struct core_self){ 0 };
    enter_login(c, &e);
}

static int read_ignored(struct core *c, const Roost__Session *s)
{
    map_fini(&c->ignored);
    map_init(&c->ignored, rng_u64(&c->rng));
    for (size_t i = 0; i < s->n_ignored && i < IGNORED_MAX; i++)
        if (s->ignored[i] && map_put(&c->ignored, s->ignored[i], c) < 0)
            return -ROOST_NOMEM;
    return 0;
}

/* login: its request, or NULL for a Resume. */
void login_on_session(struct core *c, struct item *login, const Roost__Session *s)
{
    bool fits = s->token.len > 0 && s->token.len <= CORE_TOKEN_MAX;
    bool expected = login ? c->state == CORE_AT_LOGIN : c->state == CORE_AT_RESUMING;
    uint64_t before = c->self.account;

    if (login) { /* asked again if anything below goes wrong */
        login->event.kind = CORE_REPLY;
        c->login = login;
    }
    if (!fits || !expected || !s->account) {
        core_lose_code(c, ROOST_MALFORMED);
        return;
    }
    if (read_ignored(c, s) < 0) {
        core_lose_code(c, ROOST_NOMEM);
        return;
    }
    memcpy(c->token, s->token.data, s->token.len);
    c->token_len = s->token.len;
    c->self.session = s->session;
    c->self.account = s->account;
    c->self.role = (uint32_t)s->role;
    c->self.guest = s->guest;
    text_copy(c->self.name, sizeof c->self.name, s->name);
    if (before && before != s->account) { /* somebody else's cursors and places */
        room_free_all(c);
        meet_free_all(c);
    }
    c->resumed = !login;
    if (!login)
        c->stats.resumes++;
    core_move(c, CORE_AT_SAVING);
    c->token_held = true;
    c->todo |= 1u << CORE_SAVE;
}

static void away_again(struct core *c)
{
    Roost__Away away = ROOST__AWAY__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    away.text = c->away;
    m.body_case = ROOST__TO_SERVER__BODY_AWAY;
    m.away = &away;
    if (ask_own(c, &m, ITEM_QUIET, 0) < 0)
        core_lose_code(c, ROOST_NOMEM);
}

static void watch_again(struct core *c)
{
    Roost__WatchPeople watch = ROOST__WATCH_PEOPLE__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    watch.on = true;
    m.body_case = ROOST__TO_SERVER__BODY_WATCH_PEOPLE;
    m.watch_people = &watch;
    if (ask_own(c, &m, ITEM_QUIET, 0) < 0)
        core_lose_code(c, ROOST_NOMEM);
}

void core_on_saved(struct core *c, int64_t now_us)
{
    c->now_us = now_us;
    if (c->state != CORE_AT_SAVING)
        return;
    core_move(c, CORE_AT_READY);
    c->ready_us = now_us;
    core_tell(c, NULL);
    if (c->login) {
        struct item *login = c->login;
        c->login = NULL;
        core_give(c, login);
    }
    if (c->watches)
        watch_again(c);
    if (c->away && c->state == CORE_AT_READY)
        away_again(c);
    if (c->state == CORE_AT_READY)
        meet_pump(c); /* before the rooms: a meeting's is synced once the place is taken */
    if (c->state == CORE_AT_READY)
        room_pump(c);
    if (c->state == CORE_AT_READY)
        ask_pump(c);
}

void login_session_over(struct core *c, const struct core_error *e)
{
    c->todo |= 1u << CORE_FORGET;
    c->self = (struct core_self){ 0 };
    c->watches = false;
    free(c->away);
    c->away = NULL;
    core_stop(c, e);
}

/* --- keep-alive ------------------------------------------------------------------- */

static bool is_up(const struct core *c)
{
    return c->state == CORE_AT_READY || c->state == CORE_AT_LOGIN;
}

/* Often enough for a server with little patience too. */
static int64_t ping_every(const struct core *c)
{
    int64_t third = (int64_t)c->server.idle_ms * 1000 / 3;
    int64_t every = third && third < CORE_PING_US ? third : CORE_PING_US;

    return every < PING_MIN_US ? PING_MIN_US : every;
}

int64_t login_deadline(const struct core *c)
{
    if (!is_up(c))
        return INT64_MAX;
    if (c->pinged_us)
        return c->pinged_us + CORE_DEAD_US;
    int64_t quiet = c->heard_us < c->spoke_us ? c->heard_us : c->spoke_us;
    return quiet + ping_every(c);
}

void login_expire(struct core *c)
{
    Roost__Ping ping = ROOST__PING__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    uint8_t id[16];

    if (!is_up(c) || c->now_us < login_deadline(c))
        return;
    if (c->pinged_us) {
        core_lose_code(c, ROOST_TIMEOUT);
        return;
    }
    m.body_case = ROOST__TO_SERVER__BODY_PING;
    m.ping = &ping;
    ask_id(c, id);
    c->pinged_us = c->now_us;
    c->stats.pings++;
    core_send(c, ask_encode(&m, id));
}
