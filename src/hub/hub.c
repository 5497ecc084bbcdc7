/* hub.c - the hub itself: made, told what happened, and pumped until it is quiet.
 *
 * Every entry ends in pump(): what handlers said over the bus takes effect
 * before the next input, and who could not be served is closed.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/file.h"
#include "hub/handlers_account.h"
#include "hub/internal.h"

enum {
    SWEEP_US = 1000000,
    UNHASHED_WAIT_MS = 1000, /* who hashes is back by then */
};

void hub_config_default(struct hub_config *c)
{
    *c = (struct hub_config){
        .registration = REGISTRATION_INVITE,
        .broadcast = BROADCAST_EVERYONE,
        .say_rate = 10,
        .say_burst = 50,
        .text_max = 16384,
        .login_tries = 5,
        .login_window_ms = 600000,
        .login_block_ms = 10000,
        .login_block_max_ms = 900000,
        .source_accounts = 20,
        .account_tries = 100,
        .sessions_max = 20,
        .conns_max = 20000,
        .hashes_max = 64,
        .guests_may_host = true,
        .code_digits = 6,
        .guests_hour = 200,
        .code_tries = 10,
        .code_tries_all = 8000,
        .codes = true,
        .relays = true,
        .file_max = 20ULL << 30,
        .file_quota_user = 20ULL << 30,
        .file_quota_room = 50ULL << 30,
        .file_days = 90,
        .workers = 1,
        .speakers = 5,
        .idle_ms = 60000,
    };
}

struct hub *hub_new(const struct hub_config *config, struct bus *bus, const uint8_t seed[static 32],
                    struct now now)
{
    struct hub *h = calloc(1, sizeof *h);

    if (!h)
        return NULL;
    h->config = *config;
    h->bus = bus;
    h->now = now;
    h->next_token = 1;
    h->swept_us = now.mono_us;
    retention_init(h);
    rng_init(&h->rng, seed);
    map_init(&h->conns, rng_u64(&h->rng));
    map_init(&h->users, rng_u64(&h->rng));
    map_init(&h->topics, rng_u64(&h->rng));
    map_init(&h->rooms, rng_u64(&h->rng));
    map_init(&h->requests, rng_u64(&h->rng));
    map_init(&h->datagrams, rng_u64(&h->rng));
    map_init(&h->datagram_ids, rng_u64(&h->rng));
    map_init(&h->relays, rng_u64(&h->rng));
    map_init(&h->media, rng_u64(&h->rng));
    map_init(&h->devices, rng_u64(&h->rng));
    h->media_due_us = INT64_MAX;
    map_init(&h->parcels, rng_u64(&h->rng));
    map_init(&h->codes, rng_u64(&h->rng));
    map_init(&h->lost, rng_u64(&h->rng));
    map_init(&h->code_guesses, rng_u64(&h->rng));
    h->depot_room = UINT64_MAX;
    h->out = outbox_new();
    if (!h->out || bus->ops->subscribe(bus, (struct shard){ SHARD_EVERYONE, 0 }) < 0) {
        hub_free(h);
        return NULL;
    }
    return h;
}

static void free_requests(struct hub *h)
{
    struct map_slot *s;
    size_t i = 0;

    while ((s = map_next(&h->requests, &i))) {
        request_free(h, s->value);
        i = 0;
    }
    map_fini(&h->requests);
}

static void free_conns(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->conns, &i));) {
        struct conn *c = s->value;
        follow_drop_all(h, c);
        free(c);
    }
    map_fini(&h->conns);
    for (size_t i = 0; (s = map_next(&h->users, &i));)
        user_free(s->value);
    map_fini(&h->users);
    map_fini(&h->topics);
    map_fini(&h->lost);
}

void hub_free(struct hub *h)
{
    if (!h)
        return;
    free_requests(h);
    media_free_all(h);
    datagrams_free_all(h);
    relays_free_all(h);
    files_free_all(h);
    free_conns(h);
    shard_free_all(h);
    guard_flights_free(h->flights);
    names_fini(&h->names);
    outbox_free(h->out);
    rng_fini(&h->rng);
    free(h);
}

int hub_set_config(struct hub *h, const struct hub_config *config)
{
    struct hub_config fresh = *config;

    /* What a running server is cannot be changed under its clients. */
    memcpy(fresh.server_id, h->config.server_id, sizeof fresh.server_id);
    memcpy(fresh.server_secret, h->config.server_secret, sizeof fresh.server_secret);
    h->config = fresh;
    return 0;
}

/* --- the bus comes back --------------------------------------------------------------- */

static void on_sessions_end(struct hub *h, struct user *u, const Roost__EndSessions *end)
{
    media_on_sessions_end(h, u->account, end->only, end->except);
    datagrams_end(h, u->account, end->only, end->except);
    for (struct conn *c = u->conns, *next; c; c = next) {
        next = c->next_of_user;
        if ((end->only && c->session != end->only) || (end->except && c->session == end->except))
            continue;
        Roost__Error error = ROOST__ERROR__INIT;
        Roost__SessionOver over = ROOST__SESSION_OVER__INIT;
        Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
        error.code = end->error;
        error.name = (char *)err_name((int)end->error);
        error.text = (char *)err_text((int)end->error);
        error.advice = (char *)err_advice((int)end->error);
        over.error = &error;
        frame.body_case = ROOST__TO_CLIENT__BODY_SESSION_OVER;
        frame.session_over = &over;
        send_frame(h, c, &frame);
        hub_close(h, c);
    }
}

static void on_account_note(struct hub *h, uint64_t account, const Roost__ToNode *note)
{
    struct user *u = user_of(h, account);

    if (!u)
        return;
    switch (note->body_case) {
    case ROOST__TO_NODE__BODY_FRAME: {
        struct blob *b = blob_copy(note->frame.data, note->frame.len);
        for (struct conn *c = u->conns; c; c = c->next_of_user) {
            if ((note->except && c->session == note->except) ||
                (note->only && c->session != note->only))
                continue;
            if (b)
                send_blob(h, c, b);
            else
                hub_condemn(h, c);
        }
        blob_unref(b);
        break;
    }
    case ROOST__TO_NODE__BODY_END:
        on_sessions_end(h, u, note->end);
        break;
    case ROOST__TO_NODE__BODY_ROLE:
        u->role = note->role->role;
        user_changed(h, u);
        break;
    default:
        break;
    }
}

static void on_everyone_note(struct hub *h, const Roost__ToNode *note)
{
    struct room *r;

    switch (note->body_case) {
    case ROOST__TO_NODE__BODY_DETACH:
        shard_forget_account(h, note->detach->account);
        files_account_gone(h, note->detach->account);
        break;
    case ROOST__TO_NODE__BODY_ATTACHED:
        r = map_get(&h->rooms, note->attached->room);
        if (r && r->meeting)
            meet_on_attached(h, r, note->attached->account, note->attached->on);
        break;
    case ROOST__TO_NODE__BODY_STALE:
        shard_stale(h, note->stale);
        break;
    default:
        break;
    }
}

static void on_bus(struct hub *h, struct shard to, const struct blob *bytes)
{
    Roost__ToNode *note = roost__to_node__unpack(NULL, bytes->len, bytes->bytes);

    if (!note) {
        tell_lost(h);
        return;
    }
    if (to.kind == SHARD_ACCOUNT) {
        on_account_note(h, to.id, note);
    } else if (to.kind == SHARD_ROOM && note->body_case == ROOST__TO_NODE__BODY_FRAME) {
        struct blob *b = blob_copy(note->frame.data, note->frame.len);
        if (b)
            follow_publish(h, to.id, b, note->seq, note->except);
        blob_unref(b);
    } else if (to.kind == SHARD_ROOM && note->body_case == ROOST__TO_NODE__BODY_DETACH) {
        follow_detach(h, to.id, note->detach->account);
    } else if (to.kind == SHARD_EVERYONE) {
        on_everyone_note(h, note);
    }
    roost__to_node__free_unpacked(note, NULL);
}

static void pump(struct hub *h)
{
    struct shard to;
    struct blob *bytes;

    while (h->bus->ops->next(h->bus, &to, &bytes)) {
        on_bus(h, to, bytes);
        blob_unref(bytes);
    }
    if (h->n_condemned)
        conn_sweep(h);
}

/* --- entries ------------------------------------------------------------------------------ */

void hub_on_frame(struct hub *h, uint64_t conn, const uint8_t *body, size_t len, struct now now)
{
    struct conn *c = conn_of(h, conn);

    h->now = now;
    if (!c || c->condemned)
        return;
    c->heard_us = now.mono_us;
    request_begin(h, c, body, len);
    pump(h);
}

void hub_on_stored(struct hub *h, struct store_result *r, struct now now)
{
    struct request *q = map_get(&h->requests, r->token);

    h->now = now;
    h->stats.stores_failed += r->err == -ROOST_NOT_STORED;
    if (r->kind == STORE_ROOM_LOAD)
        shard_on_loaded(h, r->token, r);
    else if (q)
        request_on_result(h, q, r);
    else if (r->kind == STORE_LOG_READ)
        log_follow_on_stored(h, r);
    else if (r->kind == STORE_ROOM_LIST)
        retention_on_stored(h, r);
    else if (r->kind == STORE_MEET_LIST)
        meetings_on_stored(h, r);
    else
        files_on_stored(h, r);
    log_follow_touch(h);
    pump(h);
    store_result_free(r);
}

void hub_on_hashed(struct hub *h, uint64_t token, bool ok, const char *encoded, struct now now)
{
    struct request *q = map_get(&h->requests, token);

    h->now = now;
    h->hashes--;
    if (q)
        shard_on_hashed(h, q, ok, encoded);
    pump(h);
}

void hub_on_unhashed(struct hub *h, uint64_t token, struct now now)
{
    struct request *q = map_get(&h->requests, token);

    if (q) {
        q->unhashed = true;
        q->retry_after_ms = UNHASHED_WAIT_MS;
    }
    hub_on_hashed(h, token, false, NULL, now);
}

void hub_on_kept(struct hub *h, uint64_t token, const struct hub_kept *kept, struct now now)
{
    struct request *q = map_get(&h->requests, token);

    h->now = now;
    if (q)
        admin_keep_on_kept(h, q, kept);
    pump(h);
}

void hub_on_depot(struct hub *h, const struct hub_depot_word *word, struct now now)
{
    h->now = now;
    file_keep_on_word(h, word);
    pump(h);
}

void hub_on_leg(struct hub *h, const struct hub_leg_word *word, struct now now)
{
    h->now = now;
    media_on_word(h, word);
    pump(h);
}

void hub_tell_admins(struct hub *h, const char *text, struct now now)
{
    h->now = now;
    admin_notice(h, text);
    pump(h);
}

void hub_end_sessions(struct hub *h, struct now now)
{
    h->now = now;
    admin_end_all(h);
    pump(h);
}

void hub_expire(struct hub *h, struct now now)
{
    h->now = now;
    people_expire(h);
    log_follow_expire(h);
    if (now.mono_us - h->swept_us >= SWEEP_US) {
        h->swept_us = now.mono_us;
        conn_sweep(h);
        shard_sweep(h);
        media_sweep(h);
        datagrams_expire(h);
        files_expire(h);
    }
    meetings_expire(h);
    media_expire(h);
    retention_expire(h);
    pump(h);
}

int64_t hub_deadline_us(const struct hub *h)
{
    bool busy = h->conns.n || h->users.n || h->rooms.n || h->datagrams.n || h->parcels.n ||
                h->codes.n;
    int64_t due = busy ? h->swept_us + SWEEP_US : retention_deadline_us(h);
    int64_t log_due = log_follow_deadline_us(h);
    int64_t meetings_due = meetings_deadline_us(h);

    if (meetings_due < due)
        due = meetings_due;
    if (h->media_due_us < due)
        due = h->media_due_us;
    if (h->people_changed && h->people_due_us < due)
        due = h->people_due_us;
    return log_due < due ? log_due : due;
}

void hub_drain(struct hub *h, struct now now)
{
    struct map_slot *s;
    Roost__Notice notice = ROOST__NOTICE__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    h->now = now;
    h->draining = true;
    notice.text = "the server is going down";
    notice.going_down = true;
    frame.body_case = ROOST__TO_CLIENT__BODY_NOTICE;
    frame.notice = &notice;
    for (size_t i = 0; (s = map_next(&h->conns, &i));)
        send_frame(h, s->value, &frame);
    pump(h);
}

bool hub_next_output(struct hub *h, struct hub_output *ret)
{
    if (outbox_next(h->out, ret))
        return true;
    trains_depart(h);
    return outbox_next(h->out, ret);
}

void hub_stats(const struct hub *h, struct hub_stats *ret)
{
    struct map_slot *s;

    *ret = h->stats;
    ret->conns = h->conns.n;
    ret->rooms_loaded = h->rooms.n;
    ret->parcels = h->parcels.n;
    ret->codes = h->codes.n;
    ret->media_devices = h->devices.n;
    ret->bytes = sizeof *h + h->conns.n * sizeof(struct conn) + h->users.n * sizeof(struct user) +
                 h->requests.n * sizeof(struct request);
    for (size_t i = 0; (s = map_next(&h->rooms, &i));)
        ret->bytes += meeting_bytes(((struct room *)s->value)->meeting) + sizeof(struct room) +
                      ((struct room *)s->value)->members.cap * sizeof(struct map_slot) +
                      ((struct room *)s->value)->members.n * sizeof(struct member);
}
