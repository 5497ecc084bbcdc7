/* core_ask.c - requests until they are answered: ids, sending, sending again. */
#include "client/core_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- ids: 8 random bytes of this process, then a counter, so that what is
 * remembered of one client lies together in the server's index --- */

uint64_t ask_id(struct core *c, uint8_t id[static 16])
{
    uint64_t n = c->next_n++;

    memcpy(id, c->process, 8);
    for (int i = 0; i < 8; i++)
        id[8 + i] = (uint8_t)(n >> (56 - 8 * i));
    return n;
}

/* 0: not one of ours. */
static uint64_t number_of(const struct core *c, const ProtobufCBinaryData *id)
{
    uint64_t n = 0;

    if (id->len != 16 || memcmp(id->data, c->process, 8) != 0)
        return 0;
    for (int i = 8; i < 16; i++)
        n = n << 8 | id->data[i];
    return n;
}

struct blob *ask_encode(Roost__ToServer *m, uint8_t id[static 16])
{
    m->id = (ProtobufCBinaryData){ 16, id };
    struct blob *frame = msg_encode(&m->base);
    m->id = (ProtobufCBinaryData){ 0 }; /* it was lent */
    return frame;
}

/* --- making ----------------------------------------------------------------------- */

static unsigned flags_of(const Roost__ToServer *m)
{
    switch (m->body_case) {
    case ROOST__TO_SERVER__BODY_LOGIN:
    case ROOST__TO_SERVER__BODY_GUEST:
        return ITEM_ANON | ITEM_LOGIN;
    case ROOST__TO_SERVER__BODY_MEET_ACT:
        return m->meet_act->action == ROOST__MEET_ACTION__LEAVE ? ITEM_LEAVE : 0;
    case ROOST__TO_SERVER__BODY_SIGN_UP:
    case ROOST__TO_SERVER__BODY_RESET_PASSWORD:
    case ROOST__TO_SERVER__BODY_PING:
    case ROOST__TO_SERVER__BODY_CODE_NEW:
    case ROOST__TO_SERVER__BODY_CODE_JOIN:
    case ROOST__TO_SERVER__BODY_CODE_END:
        return ITEM_ANON;
    case ROOST__TO_SERVER__BODY_FILE_SIGNAL:
        return m->file_signal->code ? ITEM_ANON : 0;
    case ROOST__TO_SERVER__BODY_FILE_RELAY:
        return m->file_relay->code ? ITEM_ANON : 0;
    case ROOST__TO_SERVER__BODY_LOGOUT:
    case ROOST__TO_SERVER__BODY_DELETE_ACCOUNT:
        return ITEM_ENDS;
    case ROOST__TO_SERVER__BODY_IGNORE:
        return ITEM_IGNORE | (m->ignore->on ? ITEM_ON : 0);
    default:
        return 0;
    }
}

/* The number, or an error. */
static int64_t add(struct core *c, Roost__ToServer *m, unsigned flags, uint64_t room)
{
    uint8_t id[16];

    if (protobuf_c_message_get_packed_size(&m->base) + 18 > FRAME_BODY_MAX)
        return -ROOST_TOO_LONG;
    struct item *i = item_new();
    if (!i)
        return -ROOST_NOMEM;
    i->event.request = (int64_t)ask_id(c, id);
    i->frame = ask_encode(m, id);
    if (!i->frame) {
        item_free(i);
        return -ROOST_NOMEM;
    }
    i->flags = flags;
    i->room = room;
    list_add(&c->requests, i);
    return i->event.request;
}

int ask_own(struct core *c, Roost__ToServer *m, unsigned flags, uint64_t room)
{
    int64_t n = add(c, m, flags, room);

    if (n > 0)
        ask_pump(c);
    return n < 0 ? (int)n : 0;
}

static void note_away(struct core *c, const char *text)
{
    free(c->away);
    c->away = *text ? strdup(text) : NULL;
}

int64_t core_request(struct core *c, Roost__ToServer *m, int64_t now_us)
{
    unsigned flags = flags_of(m);

    c->now_us = now_us;
    if (c->requests.n >= CORE_REQUESTS_MAX)
        return -ROOST_LIMIT;
    if (flags & ITEM_LOGIN && (c->state == CORE_AT_READY || c->state == CORE_AT_SAVING))
        return -ROOST_ALREADY;
    if (c->state == CORE_AT_OVER && !(flags & ITEM_ANON))
        return -ROOST_CLOSED;
    bool early = c->state == CORE_AT_LOGIN && !(flags & ITEM_ANON) && !c->login;
    uint64_t room = 0;
    if (flags & ITEM_LEAVE)
        meet_note_leaving(c, m->meet_act, &room);
    int64_t n = add(c, m, flags, room);
    if (n < 0 && room)
        meet_on_left(c, room, false);
    if (n < 0)
        return n;
    if (m->body_case == ROOST__TO_SERVER__BODY_WATCH_PEOPLE)
        c->watches = m->watch_people->on;
    if (m->body_case == ROOST__TO_SERVER__BODY_AWAY)
        note_away(c, m->away->text);
    if (c->state == CORE_AT_OVER) {
        backoff_reset(&c->backoff);
        c->lost_us = now_us;
        core_start(c);
    }
    if (early)
        ask_refuse(c, ROOST_LOGIN_NEEDED, false);
    ask_pump(c);
    return n;
}

int64_t core_login(struct core *c, const char *name, const char *password, int64_t now_us)
{
    Roost__Login login = ROOST__LOGIN__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    login.name = (char *)name;
    login.password = (char *)password;
    login.device.data = c->options.device;
    login.device.len = sizeof c->options.device;
    login.device_name = c->device_name;
    m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
    m.login = &login;
    return core_request(c, &m, now_us);
}

int64_t core_guest(struct core *c, const char *name, const char *code, const char *secret,
                   bool host, int64_t now_us)
{
    Roost__Guest guest = ROOST__GUEST__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    guest.name = (char *)name;
    guest.device.data = c->options.device;
    guest.device.len = sizeof c->options.device;
    guest.device_name = c->device_name;
    guest.code = (char *)code;
    guest.secret = (char *)secret;
    guest.host = host;
    m.body_case = ROOST__TO_SERVER__BODY_GUEST;
    m.guest = &guest;
    return core_request(c, &m, now_us);
}

bool ask_has_login(const struct core *c)
{
    for (const struct item *i = c->requests.head; i; i = i->next)
        if (i->flags & ITEM_LOGIN)
            return true;
    return c->login != NULL;
}

static struct item **find(struct core *c, uint64_t n)
{
    for (struct item **at = &c->requests.head; *at; at = &(*at)->next)
        if ((*at)->event.request == (int64_t)n)
            return at;
    return NULL;
}

/* A LEAVE that will not be done: the place is kept after all. */
static void note_stays(struct core *c, const struct item *i)
{
    if (i->flags & ITEM_LEAVE && i->room)
        meet_on_left(c, i->room, false);
}

static void take(struct core *c, struct item **at)
{
    if ((*at)->flags & ITEM_SENT)
        c->n_sent--;
    list_take(&c->requests, at);
}

void core_cancel(struct core *c, int64_t request)
{
    struct item **at = request > 0 ? find(c, (uint64_t)request) : NULL;

    if (at && !((*at)->flags & ITEM_SENT)) {
        struct item *i = *at;
        take(c, at);
        note_stays(c, i);
        item_free(i);
    } else if (at) {
        (*at)->flags |= ITEM_QUIET; /* the window counts it until it is answered */
    } else {
        meet_cancel(c, request);
        core_take_answer(c, request);
    }
}

bool core_knows(const struct core *c, int64_t request)
{
    for (const struct item *i = c->requests.head; i; i = i->next)
        if (i->event.request == request &&
            !(i->flags & (ITEM_SYNC | ITEM_MEET | ITEM_HERE | ITEM_QUIET)))
            return true;
    for (const struct item *i = c->events.head; i; i = i->next)
        if (i->event.request == request)
            return true;
    if ((c->login && c->login->event.request == request) || meet_knows(c, request))
        return true;
    size_t at = 0;
    for (struct map_slot *s; (s = map_next(&c->rooms, &at));)
        if (((struct room_cursor *)s->value)->follow == request)
            return true;
    return false;
}

/* --- sending ---------------------------------------------------------------------- */

static bool may_go(const struct core *c, const struct item *i)
{
    return c->state == CORE_AT_READY || (c->state == CORE_AT_LOGIN && i->flags & ITEM_ANON);
}

void ask_pump(struct core *c)
{
    if (c->state != CORE_AT_READY && c->state != CORE_AT_LOGIN)
        return;
    for (struct item *i = c->requests.head; i && c->n_sent < CORE_WINDOW; i = i->next) {
        if (i->flags & ITEM_SENT || !may_go(c, i))
            continue;
        i->flags |= ITEM_SENT;
        i->sent_us = c->now_us;
        c->n_sent++;
        c->stats.sent++;
        if (i->flags & ITEM_RESENT)
            c->stats.resent++;
        core_send(c, blob_ref(i->frame));
        if (!c->transport)
            return; /* no memory for it: the list has changed */
    }
}

/* What was the core's own is asked anew; the rest waits as it is. */
void ask_on_lost(struct core *c)
{
    for (struct item **at = &c->requests.head; *at;) {
        struct item *i = *at;
        if (i->flags & (ITEM_SYNC | ITEM_MEET | ITEM_HERE | ITEM_QUIET)) {
            list_take(&c->requests, at);
            item_free(i);
            continue;
        }
        if (i->flags & ITEM_SENT)
            i->flags |= ITEM_RESENT;
        i->flags &= ~(unsigned)ITEM_SENT;
        at = &i->next;
    }
    c->n_sent = 0;
}

static void refuse(struct core *c, struct item *i, const struct core_error *e)
{
    note_stays(c, i);
    if (i->flags & ITEM_QUIET) {
        item_free(i);
        return;
    }
    i->event.kind = CORE_REFUSED;
    i->error = *e;
    i->event.error = &i->error;
    core_give(c, i);
}

void ask_refuse(struct core *c, int code, bool all)
{
    struct core_error e;

    error_set(&e, code);
    for (struct item **at = &c->requests.head; *at;) {
        struct item *i = *at;
        if ((i->flags & ITEM_ANON || ask_has_login(c)) && !all) {
            at = &i->next;
            continue;
        }
        take(c, at);
        refuse(c, i, &e);
    }
}

/* --- answers ---------------------------------------------------------------------- */

void ask_note_ignored(struct core *c, uint64_t account, bool on)
{
    if (!on)
        map_take(&c->ignored, account);
    else if (c->ignored.n < IGNORED_MAX && map_put(&c->ignored, account, c) < 0)
        core_lose_code(c, ROOST_NOMEM); /* Resume brings the list again */
}

static void note_ignored(struct core *c, const struct item *i, const Roost__Reply *r)
{
    uint64_t account = r->result_case == ROOST__REPLY__RESULT_DONE ? r->done->account : 0;

    if (account)
        ask_note_ignored(c, account, i->flags & ITEM_ON);
}

static void give_reply(struct core *c, struct item *i, const Roost__ToClient *m, struct arena *mem)
{
    struct core_error e;

    if (m->reply->result_case == ROOST__REPLY__RESULT_ERROR) {
        error_read(&e, m->reply->error);
        refuse(c, i, &e);
        return;
    }
    if (i->flags & ITEM_QUIET) {
        item_free(i);
        return;
    }
    i->event.kind = CORE_REPLY;
    i->event.took_us = c->now_us - i->sent_us;
    i->event.msg = m;
    i->event.mem = *mem;
    *mem = (struct arena){ 0 };
    core_give(c, i);
}

static void on_answer(struct core *c, struct item *i, const Roost__ToClient *m, struct arena *mem)
{
    const Roost__Reply *r = m->reply;
    bool failed = r->result_case == ROOST__REPLY__RESULT_ERROR;
    unsigned flags = i->flags;

    if (flags & ITEM_SYNC) {
        c->n_syncs--;
        if (r->result_case == ROOST__REPLY__RESULT_SYNCED)
            room_on_synced(c, i, r->synced);
        else
            room_on_refused(c, i, failed ? r->error : NULL);
        room_pump(c);
        return;
    }
    if (flags & ITEM_MEET) {
        meet_on_answer(c, i, m, mem);
        return;
    }
    if (flags & ITEM_HERE) {
        meet_on_who(c, i, m, mem);
        return;
    }
    if (flags & ITEM_LOGIN && r->result_case == ROOST__REPLY__RESULT_SESSION) {
        i->event.took_us = c->now_us - i->sent_us;
        login_on_session(c, i, r->session);
        return;
    }
    if (flags & ITEM_IGNORE)
        note_ignored(c, i, r);
    uint64_t room = i->room;
    give_reply(c, i, m, mem);
    if (flags & ITEM_LEAVE && room)
        meet_on_left(c, room, !failed);
    if (flags & ITEM_LOGIN && failed && c->state == CORE_AT_LOGIN)
        ask_refuse(c, ROOST_LOGIN_NEEDED, false); /* what was to come after it */
    if (flags & ITEM_ENDS && !failed)
        login_session_over(c, NULL);
}

void ask_on_reply(struct core *c, const Roost__ToClient *m, struct arena *mem)
{
    const Roost__Reply *r = m->reply;
    uint64_t n = number_of(c, &r->id);

    c->stats.answers++;
    if (n && n == c->hello_n && c->state == CORE_AT_GREETING) {
        login_on_welcome(c, r);
        return;
    }
    if (n && n == c->resume_n && c->state == CORE_AT_RESUMING) {
        if (r->result_case == ROOST__REPLY__RESULT_SESSION)
            login_on_session(c, NULL, r->session);
        else if (r->result_case == ROOST__REPLY__RESULT_ERROR)
            login_on_resume_refused(c, r->error);
        else
            core_lose_code(c, ROOST_MALFORMED);
        return;
    }
    struct item **at = n ? find(c, n) : NULL;
    if (!at || !((*at)->flags & ITEM_SENT)) {
        c->stats.strays++; /* of a ping, or of what was cancelled */
        return;
    }
    struct item *i = *at;
    if (r->result_case == ROOST__REPLY__RESULT_ERROR && r->error->code == ROOST_SHUTTING_DOWN) {
        struct core_error e; /* it waits, and is asked of the server that comes up again */
        error_read(&e, r->error);
        core_lose(c, &e);
        return;
    }
    take(c, at);
    c->served = c->served || !(i->flags & ITEM_QUIET);
    on_answer(c, i, m, mem);
    ask_pump(c);
}
