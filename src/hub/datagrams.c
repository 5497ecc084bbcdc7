/* datagrams.c - who may send datagrams: sessions of keys, handed out over control.
 *
 * Each connection of a login session has one, as programs that share a session do not share a
 * socket; asking again gives another, and the one before is good for two seconds more, until what
 * runs has moved. It outlives its connection by a minute, so that who comes back within it goes on
 * where it was. Who is logged out is cut off at once.
 *
 * The hub makes the keys and forgets them with the answer; whoever carries the datagrams is
 * told by HUB_DATAGRAMS. The low bits of the number say which worker that is.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_talk.h"
#include "seal/digest.h"

#define OUTLIVES_US (60 * 1000000LL)
#define BOTH_US     (2 * 1000000LL)

enum { TRIES = 8, EACH_SESSION = 16 /* then who asks takes the place of one */ };

struct datagrams {
    uint64_t session, account;
    uint64_t conn;       /* over which it was asked for; 0: that is gone */
    int64_t end_us;      /* when the connection has been gone for long enough */
    uint32_t id, before; /* before: 0 or the one that is still accepted */
    int64_t before_us;
    uint8_t token[DATAGRAMS_TOKEN];
    struct datagrams *next; /* of the same session */
};

/* False: there is no memory for the word; the next sweep tries again. */
static bool tell_over(struct hub *h, uint32_t *id)
{
    struct hub_datagrams d = { .what = DATAGRAMS_CLOSE, .id = *id };

    if (!*id)
        return true;
    if (outbox_datagrams(h->out, &d) < 0)
        return false;
    map_take(&h->datagram_ids, *id);
    *id = 0;
    return true;
}

/* Out of its session's list, of which the map knows the first. */
static void unlink_one(struct hub *h, struct datagrams *d)
{
    struct datagrams *first = map_get(&h->datagrams, d->session);

    if (first == d && !d->next)
        map_take(&h->datagrams, d->session);
    else if (first == d)
        map_put(&h->datagrams, d->session, d->next); /* replaces: needs no memory */
    for (; first && first != d; first = first->next)
        if (first->next == d)
            first->next = d->next;
}

static bool end(struct hub *h, struct datagrams *d)
{
    d->conn = 0;
    d->end_us = h->now.mono_us;
    if (!tell_over(h, &d->before) || !tell_over(h, &d->id))
        return false;
    unlink_one(h, d);
    seal_wipe(d, sizeof *d);
    free(d);
    return true;
}

/* --- opening ----------------------------------------------------------------------- */

int datagrams_draw_id(struct hub *h, int worker, uint32_t *ret)
{
    uint32_t low = h->config.workers - 1;

    for (int i = 0; i < TRIES; i++) {
        uint32_t id = (uint32_t)rng_u64(&h->rng);
        if (worker >= 0)
            id = (id & ~low) | (uint32_t)worker;
        if (id && !map_get(&h->datagram_ids, id) && !map_get(&h->relays, id)) {
            *ret = id;
            return 0;
        }
    }
    return -ROOST_BUSY;
}

/* The one that is named, else this connection's, else one whose connection has gone. */
static struct datagrams *find(struct hub *h, const struct request *q, uint32_t named)
{
    struct datagrams *first = map_get(&h->datagrams, q->session), *found = NULL;
    unsigned n = 0;

    for (struct datagrams *d = first; d; d = d->next, n++) {
        if (named && d->id == named)
            return d;
        if (d->conn == q->conn || (!d->conn && (!found || found->conn != q->conn)))
            found = d;
    }
    return found || n < EACH_SESSION ? found : first;
}

static int get(struct hub *h, struct request *q, uint32_t named, struct datagrams **ret)
{
    struct datagrams *d = find(h, q, named);

    if (!d) {
        d = calloc(1, sizeof *d);
        if (!d)
            return -ROOST_NOMEM;
        d->session = q->session;
        d->account = q->account;
        d->next = map_get(&h->datagrams, q->session);
        if (map_put(&h->datagrams, q->session, d)) {
            free(d);
            return -ROOST_NOMEM;
        }
    }
    *ret = d;
    return 0;
}

static int renew(struct hub *h, struct datagrams *d, int worker,
                 uint8_t ret_secret[static DATAGRAMS_SECRET])
{
    struct hub_datagrams open = { .what = DATAGRAMS_OPEN };
    int err = tell_over(h, &d->before) ? datagrams_draw_id(h, worker, &open.id) : -ROOST_NOMEM;

    if (!err)
        err = map_put(&h->datagram_ids, open.id, d);
    if (err)
        return err;
    rng_fill(&h->rng, open.secret, sizeof open.secret);
    err = outbox_datagrams(h->out, &open);
    if (err) {
        map_take(&h->datagram_ids, open.id);
        return err;
    }
    d->before = d->id;
    d->before_us = h->now.mono_us + BOTH_US;
    d->id = open.id;
    rng_fill(&h->rng, d->token, sizeof d->token);
    memcpy(ret_secret, open.secret, sizeof open.secret);
    seal_wipe(&open, sizeof open);
    return 0;
}

static bool is_kept(const struct hub *h, const struct datagrams *d, uint32_t keep, int worker)
{
    return keep && keep == d->id &&
           (worker < 0 || (d->id & (h->config.workers - 1)) == (uint32_t)worker);
}

static void fill(const struct hub *h, const struct datagrams *d, struct datagrams_given *ret)
{
    roost__datagram_session__init(&ret->session);
    memcpy(ret->token, d->token, sizeof d->token);
    ret->session.session = d->id;
    if (ret->fresh)
        ret->session.secret = (ProtobufCBinaryData){ sizeof ret->secret, ret->secret };
    ret->session.token = (ProtobufCBinaryData){ sizeof ret->token, ret->token };
    ret->session.port = h->config.media_port;
    ret->session.outlives_ms = OUTLIVES_US / 1000;
}

int datagrams_give(struct hub *h, struct request *q, uint32_t keep, int worker,
                   struct datagrams_given *ret)
{
    struct datagrams *d = NULL;
    int err = h->config.datagrams ? get(h, q, keep, &d) : -ROOST_UNSUPPORTED;

    if (err)
        return err;
    ret->fresh = !is_kept(h, d, keep, worker);
    if (ret->fresh)
        err = renew(h, d, worker, ret->secret);
    if (err && !d->id) {
        unlink_one(h, d);
        free(d);
    }
    if (err)
        return err;
    d->conn = q->conn;
    fill(h, d, ret);
    if (ret->fresh)
        media_on_renewed(h, q->session, d->before, d->id);
    return 0;
}

int datagrams_on_message(struct hub *h, struct request *q)
{
    Roost__Reply r = ROOST__REPLY__INIT;
    struct datagrams_given given;

    if (!h->config.datagrams)
        return -ROOST_UNSUPPORTED;
    int err = speed_check(h, q);
    if (!err)
        err = datagrams_give(h, q, q->msg->datagrams->keep, media_worker(h, q), &given);
    if (err)
        return err;
    r.result_case = ROOST__REPLY__RESULT_DATAGRAMS;
    r.datagrams = &given.session;
    err = reply_with(h, q, &r);
    seal_wipe(&given, sizeof given);
    return err;
}

/* --- another way for the frames: a connection of their own ---------------------------- */

int tunnel_on_message(struct hub *h, struct request *q)
{
    const Roost__Tunnel *b = q->msg->tunnel;
    const struct datagrams *d = map_get(&h->datagram_ids, b->session);
    struct hub_datagrams open = { .what = DATAGRAMS_TUNNEL, .id = b->session, .conn = q->conn };
    struct conn *c = request_conn(h, q);

    bool fits = d && d->id == b->session && b->token.len == sizeof d->token &&
                seal_equal(b->token.data, d->token, sizeof d->token);
    open.passes = !fits &&
                  relays_token_side(h, b->session, b->token.data, b->token.len, &open.side);
    if (!fits && !open.passes)
        return -ROOST_SESSION_OVER;
    if (!c || c->user)
        return -ROOST_INVALID; /* control goes on as control */
    int err = reply_done(h, q, NULL);
    if (!err)
        err = outbox_datagrams(h->out, &open);
    if (!err)
        conn_release(h, c); /* what comes over it from now on is not for the hub */
    return err;
}

/* --- the end ------------------------------------------------------------------------------ */

void datagrams_on_gone(struct hub *h, const struct conn *c)
{
    struct datagrams *d = map_get(&h->datagrams, c->session);

    while (d && d->conn != c->id)
        d = d->next;
    if (!d)
        return;
    d->conn = 0;
    d->end_us = h->now.mono_us + OUTLIVES_US;
}

/* Of a session: those whose time is over; at INT64_MAX all. Was there one? */
static bool end_all(struct hub *h, struct datagrams *d, int64_t now_us)
{
    bool any = false;

    for (struct datagrams *next; d; d = next) {
        next = d->next;
        if (now_us == INT64_MAX || (!d->conn && d->end_us <= now_us))
            any = end(h, d) || any;
    }
    return any;
}

void datagrams_end(struct hub *h, uint64_t account, uint64_t only, uint64_t except)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->datagrams, &i));) {
        const struct datagrams *first = s->value;
        if (first->account != account || (only && first->session != only) ||
            (except && first->session == except))
            continue;
        if (end_all(h, s->value, INT64_MAX))
            i = 0;
    }
}

void datagrams_expire(struct hub *h)
{
    struct map_slot *s;
    int64_t now_us = h->now.mono_us;

    for (size_t i = 0; (s = map_next(&h->datagrams, &i));) {
        for (struct datagrams *d = s->value; d; d = d->next)
            if (d->before && d->before_us <= now_us)
                tell_over(h, &d->before);
        if (end_all(h, s->value, now_us))
            i = 0;
    }
}

void datagrams_free_all(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->datagrams, &i));)
        for (struct datagrams *d = s->value, *next; d; d = next) {
            next = d->next;
            free(d);
        }
    map_fini(&h->datagrams);
    map_fini(&h->datagram_ids);
}
