/* conn.c - who is attached to this node: connections, and the users on them. */
#include <stdlib.h>
#include <string.h>

#include "hub/internal.h"

enum { USER_KEPT_US = 120 * 1000000 }; /* after the last connection: rate and slowness are kept */
enum { SLOW_CLOSINGS = 3, SLOW_WINDOW_US = 60 * 1000000 };

struct conn *conn_of(struct hub *h, uint64_t id)
{
    return map_get(&h->conns, id);
}

struct user *user_of(struct hub *h, uint64_t account)
{
    return map_get(&h->users, account);
}

bool session_is_on(struct hub *h, uint64_t session)
{
    size_t i = 0;
    struct map_slot *s;

    while ((s = map_next(&h->conns, &i)))
        if (((struct conn *)s->value)->session == session)
            return true;
    return false;
}

void user_free(struct user *u)
{
    free(u->name);
    free(u->away);
    free(u->typing_name);
    free(u);
}

static int user_get(struct hub *h, uint64_t account, const char *name, struct user **ret)
{
    struct user *u = user_of(h, account);
    int err = 0;

    if (!u) {
        u = calloc(1, sizeof *u);
        if (!u)
            return -ROOST_NOMEM;
        u->account = account;
        u->name = strdup(name);
        err = u->name ? map_put(&h->users, account, u) : -ROOST_NOMEM;
        if (err) {
            user_free(u);
            return err;
        }
        h->bus->ops->subscribe(h->bus, (struct shard){ SHARD_ACCOUNT, account });
    }
    *ret = u;
    return 0;
}

static bool too_slow(const struct hub *h, const struct user *u)
{
    int64_t oldest = u->slow_us[SLOW_CLOSINGS - 1]; /* newest first */

    return oldest && h->now.mono_us - oldest < SLOW_WINDOW_US;
}

int conn_attach(struct hub *h, struct conn *c, uint64_t session, uint64_t account, const char *name,
                uint32_t role)
{
    struct user *u;

    conn_detach(h, c);
    int err = user_get(h, account, name, &u);
    if (err)
        return err;
    u->role = role;
    if (!u->n_conns++) {
        u->since_ms = h->now.wall_ms;
        user_changed(h, u);
    }
    u->active_us = h->now.mono_us;
    c->user = u;
    c->session = session;
    c->marks_only = too_slow(h, u);
    c->next_of_user = u->conns;
    u->conns = c;
    h->stats.sessions++;
    return 0;
}

void conn_detach(struct hub *h, struct conn *c)
{
    struct user *u = c->user;

    if (!u)
        return;
    media_on_gone(h, c);
    datagrams_on_gone(h, c);
    if (c->meeting)
        tell_attached(h, c->meeting, u->account, false);
    c->meeting = 0;
    follow_drop_all(h, c);
    map_init(&c->subs, h->next_token);
    for (struct conn **p = &u->conns; *p; p = &(*p)->next_of_user)
        if (*p == c) {
            *p = c->next_of_user;
            break;
        }
    if (!--u->n_conns) {
        u->gone_us = h->now.mono_us;
        free(u->away);
        u->away = NULL;
        user_changed(h, u);
    }
    if (c->follows_log)
        h->n_log_followers--;
    if (c->keeps)
        admin_keep_left(h, c);
    c->follows_log = c->watches_people = c->marks_only = false;
    c->user = NULL;
    c->session = 0;
    h->stats.sessions--;
}

static void conn_free(struct hub *h, struct conn *c)
{
    conn_detach(h, c);
    codes_on_gone(h, c);
    map_fini(&c->subs);
    if (c->condemned)
        h->n_condemned--;
    map_take(&h->conns, c->id);
    h->stats.conns--;
    free(c);
}

/* Leaving is an interaction too: the lines "who was on" end with it. */
static void log_gone(struct hub *h, const struct conn *c, const char *kind)
{
    struct store_op *op = c->user ? store_op_new(STORE_LOG, h->now.wall_ms) : NULL;

    if (!op)
        return;
    op->log.kind = kind;
    op->log.account = c->user->account;
    op->log.address = arena_str(&op->mem, c->peer.address);
    hub_store(h, op);
}

void hub_close(struct hub *h, struct conn *c)
{
    log_gone(h, c, "closed");
    trains_catch_up(h, c);
    if (outbox_close(h->out, c->id) < 0) {
        hub_condemn(h, c); /* tried again by the next sweep */
        return;
    }
    conn_free(h, c);
}

void conn_release(struct hub *h, struct conn *c)
{
    trains_catch_up(h, c);
    conn_free(h, c);
}

int hub_on_connect(struct hub *h, uint64_t id, const struct hub_peer *peer, struct now now)
{
    h->now = now;
    if (h->conns.n >= h->config.conns_max || h->draining)
        return -ROOST_BUSY;
    struct conn *c = calloc(1, sizeof *c);
    if (!c)
        return -ROOST_NOMEM;
    c->id = id;
    c->peer = *peer;
    c->heard_us = now.mono_us;
    map_init(&c->subs, h->next_token);
    int err = map_put(&h->conns, id, c);
    if (err) {
        free(c);
        return err;
    }
    h->stats.conns++;
    return 0;
}

void hub_on_close(struct hub *h, uint64_t id, enum hub_close why, struct now now)
{
    struct conn *c = conn_of(h, id);

    h->now = now;
    if (!c)
        return;
    if (why == HUB_CLOSE_SLOW && c->user) {
        int64_t *slow = c->user->slow_us;
        memmove(slow + 1, slow, (SLOW_CLOSINGS - 1) * sizeof *slow);
        slow[0] = now.mono_us;
    }
    log_gone(h, c, why == HUB_CLOSE_SLOW ? "closed-slow" : "disconnected");
    conn_free(h, c);
}

void conn_sweep(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->conns, &i));) {
        struct conn *c = s->value;
        if (c->condemned || h->now.mono_us - c->heard_us > h->config.idle_ms * 1000) {
            size_t n = h->conns.n;
            hub_close(h, c);
            i -= h->conns.n <
                 n; /* another has moved into its slot, or a wrapped one waits a sweep */
        }
    }
    for (size_t i = 0; (s = map_next(&h->users, &i));) {
        struct user *u = s->value;
        if (u->n_conns || u->changed || h->now.mono_us - u->gone_us < USER_KEPT_US)
            continue;
        h->bus->ops->unsubscribe(h->bus, (struct shard){ SHARD_ACCOUNT, u->account });
        map_take(&h->users, u->account);
        user_free(u);
        i = 0;
    }
}

/* The bucket holds say_burst tokens; say_us is when the next one is paid for. */
int speed_check(struct hub *h, struct request *q)
{
    struct user *u = user_of(h, q->account);
    int64_t each = 1000000 / (h->config.say_rate ? h->config.say_rate : 1);
    int64_t room = each * h->config.say_burst, now = h->now.mono_us;

    if (!u || !h->config.say_rate)
        return 0;
    if (u->say_us < now)
        u->say_us = now;
    if (u->say_us + each > now + room) {
        q->retry_after_ms = (uint64_t)((u->say_us + each - now - room) / 1000 + 1);
        return -ROOST_TOO_FAST;
    }
    u->say_us += each;
    return 0;
}
