/* edge_hub.c - what the hub wants done, and what becomes of it: edge.h. */
#include <stdlib.h>

#include "base/err.h"
#include "server/cheat.h"
#include "server/edge.h"
#include "server/peer.h"
#include "server/tunnel_conn.h"
#include "server/web_conn.h"
#include "server/web_file.h"

static void on_hub_timer(uv_timer_t *timer)
{
    struct edge *e = timer->data;

    e->hub_due_us = -1;
    hub_expire(e->hub, edge_now());
    edge_pull(e);
}

static void set_hub_timer(struct edge *e)
{
    int64_t due_us = hub_deadline_us(e->hub);

    if (due_us == e->hub_due_us)
        return;
    e->hub_due_us = due_us;
    if (due_us == INT64_MAX) {
        uv_timer_stop(&e->hub_timer);
        return;
    }
    int64_t wait_us = due_us - edge_now().mono_us;
    uv_update_time(e->loop);
    uv_timer_start(&e->hub_timer, on_hub_timer, wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0,
                   0);
}

static void do_datagrams(struct edge *e, struct hub_datagrams *d)
{
    struct peer *p = d->what == DATAGRAMS_TUNNEL ? peers_find(&e->peers, d->conn) : NULL;

    if (p && p->state == PEER_ROOST)
        tunnel_conn_open(p, d->id, d->passes);
    if (d->what != DATAGRAMS_TUNNEL || (p && p->state == PEER_TUNNEL))
        workers_put(e->workers, d);
}

static void do_output(struct edge *e, struct hub_output *out)
{
    struct peer *p;

    switch (out->kind) {
    case HUB_SEND:
        p = peers_find(&e->peers, out->conn);
        if (p && p->state == PEER_ROOST)
            cheat_send(p, out->bytes, out->at, out->len, peer_send_part);
        else
            blob_unref(out->bytes);
        break;
    case HUB_CLOSE:
        p = peers_find(&e->peers, out->conn);
        if (p)
            peer_finish(p);
        break;
    case HUB_STORE:
        storer_put(e->storer, out->op);
        break;
    case HUB_HASH:
        hasher_put(e->hasher, &out->hash);
        break;
    case HUB_KEEP:
        keeper_put(e->keeper, &out->keep);
        break;
    case HUB_DATAGRAMS:
        do_datagrams(e, &out->datagrams);
        break;
    case HUB_LEG:
        workers_leg(e->workers, &out->leg);
        break;
    case HUB_DEPOT:
        if (e->depot)
            depot_put(e->depot, &out->depot);
        hub_depot_fini(&out->depot);
        break;
    case HUB_FILE:
        p = peers_find(&e->peers, out->conn);
        if (p)
            web_conn_on_grant(p, out->err, &out->depot);
        hub_depot_fini(&out->depot);
        break;
    case HUB_TITLE:
        edge_on_title(e, out->conn,
                      !out->err                            ? MEETING_LIVE
                      : out->err == -ROOST_NO_SUCH_MEETING ? MEETING_UNKNOWN
                                                           : MEETING_UNSAID,
                      out->title);
        free(out->title);
        break;
    }
}

void edge_on_leg(void *ctx, const struct hub_leg_word *word)
{
    struct edge *e = ctx;

    hub_on_leg(e->hub, word, edge_now());
    edge_pull(e);
}

void edge_on_depot(void *ctx, const struct hub_depot_word *word)
{
    struct edge *e = ctx;

    hub_on_depot(e->hub, word, edge_now());
    edge_pull(e);
}

void edge_on_depot_job(void *ctx, struct depot_job *job)
{
    struct edge *e = ctx;
    struct peer *p = peers_find(&e->peers, (uint64_t)(uintptr_t)job->owner);

    if (p)
        web_conn_on_depot(p, job);
    else
        web_file_on_stray(e->depot, job);
}

void edge_pull(struct edge *e)
{
    struct hub_output out;

    if (e->pulling)
        return; /* the outer loop does what is new, in its turn */
    e->pulling = true;
    while (hub_next_output(e->hub, &out))
        do_output(e, &out);
    e->pulling = false;
    set_hub_timer(e);
}

void edge_on_stored(void *edge, struct store_result *r)
{
    struct edge *e = edge;

    hub_on_stored(e->hub, r, edge_now()); /* pulled when all of the batch are known: on_flush */
}

void edge_on_kept(void *edge, uint64_t token, const struct hub_kept *kept)
{
    struct edge *e = edge;

    hub_on_kept(e->hub, token, kept, edge_now());
    edge_pull(e);
}

void edge_on_hashed(void *edge, uint64_t token, int err, bool ok, const char *encoded)
{
    struct edge *e = edge;

    if (err)
        hub_on_unhashed(e->hub, token, edge_now());
    else
        hub_on_hashed(e->hub, token, ok, encoded, edge_now());
    edge_pull(e);
}
