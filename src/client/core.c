/* core.c - creation, outputs and events of a client, losing and stopping. */
#include "client/core_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- items and lists ------------------------------------------------------------ */

void list_init(struct list *l)
{
    *l = (struct list){ .end = &l->head };
}

void list_add(struct list *l, struct item *i)
{
    i->next = NULL;
    *l->end = i;
    l->end = &i->next;
    l->n++;
}

void list_take(struct list *l, struct item **at)
{
    struct item *i = *at;

    *at = i->next;
    if (!i->next)
        l->end = at;
    i->next = NULL;
    l->n--;
}

struct item *item_new(void)
{
    return calloc(1, sizeof(struct item));
}

void item_free(struct item *i)
{
    if (!i)
        return;
    arena_fini(&i->event.mem);
    blob_unref(i->frame);
    if (i->pooled)
        *i = (struct item){ .pooled = true };
    else
        free(i);
}

static void list_free(struct list *l)
{
    while (l->head) {
        struct item *i = l->head;
        list_take(l, &l->head);
        item_free(i);
    }
}

/* --- words ------------------------------------------------------------------------ */

/* Cut at a character, never inside one. */
void text_copy(char *to, size_t cap, const char *from)
{
    size_t n = from ? strlen(from) : 0;

    if (n >= cap)
        for (n = cap - 1; n && ((unsigned char)from[n] & 0xc0) == 0x80;)
            n--;
    if (n)
        memcpy(to, from, n);
    to[n] = 0;
}

void error_set(struct core_error *e, int code)
{
    *e = (struct core_error){ .code = code < 0 ? -code : code };
    if (!e->code)
        return;
    text_copy(e->name, sizeof e->name, err_name(code));
    text_copy(e->text, sizeof e->text, err_text(code));
    text_copy(e->advice, sizeof e->advice, err_advice(code));
}

void error_read(struct core_error *e, const Roost__Error *m)
{
    *e = (struct core_error){ .code = m->code && m->code <= INT32_MAX ? (int)m->code
                                                                      : ROOST_MALFORMED,
                              .retry_after_ms = m->retry_after_ms };
    text_copy(e->name, sizeof e->name, m->name);
    text_copy(e->text, sizeof e->text, m->text);
    text_copy(e->advice, sizeof e->advice, m->advice);
}

/* --- life ---------------------------------------------------------------------------- */

struct core *core_new(const struct core_options *o, int64_t now_us)
{
    struct core *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->options = *o;
    c->now_us = c->lost_us = now_us;
    text_copy(c->program, sizeof c->program, o->program);
    text_copy(c->device_name, sizeof c->device_name, o->device_name);
    rng_init(&c->rng, o->seed);
    rng_fill(&c->rng, c->process, sizeof c->process);
    map_init(&c->rooms, rng_u64(&c->rng));
    map_init(&c->ignored, rng_u64(&c->rng));
    frame_reader_init(&c->reader);
    list_init(&c->requests);
    list_init(&c->events);
    for (size_t i = 0; i < STATUS_POOL; i++)
        c->pool[i].pooled = true;
    c->next_n = 1;
    core_start(c);
    return c;
}

static void drop_sends(struct core *c)
{
    while (c->sends_at < c->n_sends)
        blob_unref(c->sends[c->sends_at++]);
    c->n_sends = c->sends_at = 0;
}

void core_free(struct core *c)
{
    if (!c)
        return;
    drop_sends(c);
    free(c->sends);
    item_free(c->given);
    if (c->login)
        item_free(c->login);
    list_free(&c->requests);
    list_free(&c->events);
    room_free_all(c);
    meet_free_all(c);
    map_fini(&c->ignored);
    frame_reader_fini(&c->reader);
    rng_fini(&c->rng);
    free(c->away);
    free(c);
}

/* --- outputs ---------------------------------------------------------------------------- */

void core_send(struct core *c, struct blob *frame)
{
    if (frame && c->n_sends == c->cap_sends) {
        size_t cap = c->cap_sends ? c->cap_sends * 2 : 8;
        struct blob **sends = realloc(c->sends, cap * sizeof *sends);
        if (sends) {
            c->sends = sends;
            c->cap_sends = cap;
        } else {
            frame = blob_unref(frame);
        }
    }
    if (!frame) {
        core_lose_code(c, ROOST_NOMEM);
        return;
    }
    c->sends[c->n_sends++] = frame;
    c->spoke_us = c->now_us;
}

bool core_next_output(struct core *c, struct core_output *ret)
{
    /* Sends come before CLOSE only in so far as they were made for the same
     * transport: losing one drops them. */
    static const enum core_output_kind order[] = { CORE_CLOSE, CORE_FORGET, CORE_CONNECT, CORE_LOAD,
                                                   CORE_SAVE };

    *ret = (struct core_output){ 0 };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if (c->todo & 1u << order[i]) {
            c->todo &= ~(1u << order[i]);
            ret->kind = order[i];
            return true;
        }
    if (c->sends_at == c->n_sends)
        return false;
    ret->kind = CORE_SEND;
    ret->bytes = c->sends[c->sends_at++];
    if (c->sends_at == c->n_sends)
        c->n_sends = c->sends_at = 0;
    return true;
}

bool core_has_outputs(const struct core *c)
{
    return c->todo || c->sends_at < c->n_sends;
}

/* --- events -------------------------------------------------------------------------------- */

void core_give(struct core *c, struct item *i)
{
    list_add(&c->events, i);
}

/* A status needs no memory that could be missing: when all of the pool waits
 * to be pulled, the newest takes the place of the one before it. */
static struct item *status_item(struct core *c)
{
    struct item *last = NULL;

    for (size_t i = 0; i < STATUS_POOL; i++)
        if (!c->pool[i].used)
            return &c->pool[i];
    for (struct item **at = &c->events.head; *at; at = &(*at)->next)
        if ((*at)->pooled)
            last = *at;
    for (struct item **at = &c->events.head; *at; at = &(*at)->next)
        if (*at == last) {
            list_take(&c->events, at);
            break;
        }
    return last;
}

void core_tell(struct core *c, const struct core_error *e)
{
    struct item *i = status_item(c);

    *i = (struct item){ .pooled = true, .used = true };
    i->event.kind = CORE_STATUS;
    i->event.state = c->state;
    i->event.resumed = c->resumed;
    i->event.retry_at_us = c->state == CORE_AT_LOST ? c->timer_us : 0;
    if (e && e->code) {
        i->error = *e;
        i->event.error = &i->error;
    }
    core_give(c, i);
}

struct core_event *core_next_event(struct core *c)
{
    item_free(c->given);
    c->given = c->events.head;
    if (!c->given)
        return NULL;
    list_take(&c->events, &c->events.head);
    meet_on_given(c, &c->given->event);
    return &c->given->event;
}

struct core_event *core_take_answer(struct core *c, int64_t request)
{
    for (struct item **at = &c->events.head; *at; at = &(*at)->next) {
        const struct core_event *e = &(*at)->event;
        if (e->request != request || !request)
            continue;
        item_free(c->given);
        c->given = *at;
        list_take(&c->events, at);
        meet_on_given(c, &c->given->event);
        return &c->given->event;
    }
    return NULL;
}

static bool is_of_files(const struct item *i)
{
    if (i->event.kind != CORE_PUSH || !i->event.msg)
        return false;
    switch (i->event.msg->body_case) {
    case ROOST__TO_CLIENT__BODY_FILE_OFFERED:
    case ROOST__TO_CLIENT__BODY_FILE_STATE:
    case ROOST__TO_CLIENT__BODY_FILE_SIGNAL:
    case ROOST__TO_CLIENT__BODY_CODE_MET:
        return true;
    default:
        return false;
    }
}

const Roost__ToClient *core_peek_push(struct core *c)
{
    for (struct item *i = c->events.head; i; i = i->next)
        if (!i->peeked && is_of_files(i)) {
            i->peeked = true;
            return i->event.msg;
        }
    return NULL;
}

static bool is_of_media(const struct item *i)
{
    if (i->event.kind != CORE_PUSH || !i->event.msg)
        return false;
    switch (i->event.msg->body_case) {
    case ROOST__TO_CLIENT__BODY_MEDIA_ROSTER:
    case ROOST__TO_CLIENT__BODY_MEDIA_STREAMS:
    case ROOST__TO_CLIENT__BODY_MEDIA_SPEAKER:
    case ROOST__TO_CLIENT__BODY_MEDIA_KEYS:
    case ROOST__TO_CLIENT__BODY_MEDIA_OVER:
        return true;
    default:
        return false;
    }
}

const Roost__ToClient *core_take_media(struct core *c)
{
    for (struct item **at = &c->events.head; *at; at = &(*at)->next) {
        if (!is_of_media(*at))
            continue;
        item_free(c->given);
        c->given = *at;
        list_take(&c->events, at);
        return c->given->event.msg;
    }
    return NULL;
}

bool core_has_events(const struct core *c)
{
    return c->events.head != NULL;
}

size_t core_n_events(const struct core *c)
{
    return c->events.n;
}

bool core_wants_bytes(const struct core *c)
{
    return c->events.n < CORE_EVENTS_MAX / 2;
}

/* --- moves ------------------------------------------------------------------------------------ */

#define TO(s) (1u << CORE_AT_##s)
static const unsigned moves[] = {
    [CORE_AT_CONNECTING] = TO(GREETING) | TO(LOST) | TO(OVER),
    [CORE_AT_GREETING] = TO(LOADING) | TO(LOGIN) | TO(LOST) | TO(OVER),
    [CORE_AT_LOADING] = TO(RESUMING) | TO(LOGIN) | TO(LOST) | TO(OVER),
    [CORE_AT_RESUMING] = TO(SAVING) | TO(LOGIN) | TO(LOST) | TO(OVER),
    [CORE_AT_LOGIN] = TO(SAVING) | TO(LOST) | TO(OVER),
    [CORE_AT_SAVING] = TO(READY) | TO(LOST) | TO(OVER),
    [CORE_AT_READY] = TO(LOST) | TO(OVER),
    [CORE_AT_LOST] = TO(CONNECTING) | TO(OVER),
    [CORE_AT_OVER] = TO(CONNECTING),
};
#undef TO

void core_move(struct core *c, enum core_state next)
{
    assert(moves[c->state] & 1u << next);
    c->state = next;
    c->timer_us = INT64_MAX;
    if (next != CORE_AT_RESUMING && next != CORE_AT_SAVING && next != CORE_AT_LOADING)
        c->token_held = false;
    if (next == CORE_AT_GREETING || next == CORE_AT_RESUMING)
        c->timer_us = c->now_us + CORE_CONNECT_US;
}

void core_start(struct core *c)
{
    assert(!c->transport);
    if (c->state != CORE_AT_CONNECTING)
        core_move(c, CORE_AT_CONNECTING);
    c->timer_us = c->now_us + CORE_CONNECT_US;
    c->transport = true;
    c->served = false;
    c->todo |= 1u << CORE_CONNECT;
    c->stats.connects++;
    core_tell(c, NULL);
}

/* Whatever happened, there is no transport any more. */
static void drop_transport(struct core *c, bool close)
{
    if (c->transport && close)
        c->todo |= 1u << CORE_CLOSE;
    c->transport = false;
    c->todo &= ~(1u << CORE_CONNECT | 1u << CORE_LOAD | 1u << CORE_SAVE);
    drop_sends(c);
    frame_reader_fini(&c->reader);
    frame_reader_init(&c->reader);
    c->pinged_us = 0;
    c->resumed = c->asking = false;
    if (c->login) { /* its session is known to nobody: it is asked again */
        c->login->flags &= ~(unsigned)ITEM_SENT;
        c->login->next = c->requests.head;
        c->requests.head = c->login;
        if (!c->requests.n++)
            c->requests.end = &c->login->next;
        c->login = NULL;
    }
    ask_on_lost(c);
    room_on_lost(c);
    meet_on_lost(c);
}

static void lose(struct core *c, const struct core_error *e, bool close)
{
    if (c->state == CORE_AT_LOST || c->state == CORE_AT_OVER)
        return;
    bool was_up = c->state == CORE_AT_READY || c->state == CORE_AT_LOGIN;
    bool stable = was_up && c->now_us - c->ready_us >= CORE_STABLE_US;
    /* A server that greets and then fails each time is no connection either: patience
     * with it goes on from the first loss. */
    if (stable || c->served)
        c->lost_us = c->now_us;
    if (stable)
        backoff_reset(&c->backoff);
    c->lost_code = e ? e->code : 0;
    bool first = c->options.once && !c->ever_connected;
    bool impatient = c->options.patience_us && c->now_us - c->lost_us >= c->options.patience_us;
    drop_transport(c, close);
    if (first || impatient) {
        core_stop(c, e);
        return;
    }
    int64_t wait = backoff_next(&c->backoff, c->now_us, rng_u64(&c->rng));
    if (e && (int64_t)e->retry_after_ms > wait / 1000)
        wait = (int64_t)(e->retry_after_ms > 600000 ? 600000 : e->retry_after_ms) * 1000;
    core_move(c, CORE_AT_LOST);
    c->timer_us = c->now_us + wait;
    core_tell(c, e);
}

void core_lose(struct core *c, const struct core_error *e)
{
    lose(c, e, true);
}

void core_lose_code(struct core *c, int code)
{
    struct core_error e;

    error_set(&e, code);
    lose(c, &e, true);
}

/* Stops for good: what waits is refused, and says why. */
void core_stop(struct core *c, const struct core_error *e)
{
    if (c->state == CORE_AT_OVER)
        return;
    drop_transport(c, true);
    core_move(c, CORE_AT_OVER);
    ask_refuse(c, e && e->code ? e->code : ROOST_CLOSED, true);
    meet_refuse(c, e && e->code ? e->code : ROOST_CLOSED);
    core_tell(c, e);
}

void core_on_closed(struct core *c, int err, bool fatal, int64_t now_us)
{
    struct core_error e;

    c->now_us = now_us;
    if (!c->transport)
        return;
    c->transport = false;
    error_set(&e, err ? err : ROOST_CLOSED);
    if (fatal)
        core_stop(c, &e);
    else
        lose(c, &e, false);
}

void core_on_asking(struct core *c)
{
    if (c->state != CORE_AT_CONNECTING)
        return;
    c->timer_us = INT64_MAX;
    c->asking = true;
}

/* --- time ------------------------------------------------------------------------------------- */

static int64_t patience_ends(const struct core *c)
{
    bool down = c->state != CORE_AT_READY && c->state != CORE_AT_LOGIN &&
                c->state != CORE_AT_OVER && !c->asking;

    return down && c->options.patience_us ? c->lost_us + c->options.patience_us : INT64_MAX;
}

int64_t core_deadline_us(const struct core *c)
{
    int64_t at[] = { c->timer_us, login_deadline(c), room_deadline(c), meet_deadline(c),
                     patience_ends(c) };
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        first = at[i] < first ? at[i] : first;
    return first;
}

void core_expire(struct core *c, int64_t now_us)
{
    c->now_us = now_us;
    if (now_us >= patience_ends(c)) {
        struct core_error e;
        error_set(&e, c->lost_code == ROOST_MALFORMED ? ROOST_MALFORMED : ROOST_TIMEOUT);
        core_stop(c, &e);
        return;
    }
    if (now_us >= c->timer_us) {
        if (c->state == CORE_AT_LOST)
            core_start(c);
        else
            core_lose_code(c, ROOST_TIMEOUT);
    }
    login_expire(c);
    meet_pump(c);
    room_pump(c);
}

void core_hurry(struct core *c, int64_t now_us)
{
    c->now_us = now_us;
    if (c->state == CORE_AT_LOST)
        core_start(c);
}

/* --- looking ------------------------------------------------------------------------------------
 */

enum core_state core_state(const struct core *c)
{
    return c->state;
}

const struct core_server *core_server(const struct core *c)
{
    return &c->server;
}

const struct core_self *core_self(const struct core *c)
{
    return &c->self;
}

const uint8_t *core_token(const struct core *c, size_t *ret_len)
{
    *ret_len = c->token_len;
    return c->token;
}

bool core_token_is_held(const struct core *c)
{
    return c->token_held;
}

bool core_ignores(const struct core *c, uint64_t account)
{
    return account && map_get(&c->ignored, account);
}

const struct core_stats *core_stats(const struct core *c)
{
    return &c->stats;
}
