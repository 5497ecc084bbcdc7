#include "server/edge.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "server/peer.h"
#include "server/tunnel_conn.h"
#include "server/web_conn.h"

enum {
    TICK_MS = 250, /* how exact the patience with a peer is */
    /* Some 20 us each; a crowd that came together is sent away in parts, and the others
     * have their turns in between. */
    LATE_A_TURN = 16,
    NEXT_PART_MS = 1,
    /* No source holds more than so many parts of conns.max. */
    SOURCE_SHARE = 3,
    SOURCE_PARTS = 4,
};

struct now edge_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (struct now){ .mono_us = (int64_t)(uv_hrtime() / 1000),
                         .wall_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 };
}

/* --- patience -------------------------------------------------------------------------- */

static void untime(struct edge *e, struct peer *p)
{
    if (!p->timed)
        return;
    if (p->timed == TIMED_HANDSHAKE)
        sources_remove(&e->half_open, p->source);
    peers_remove(&e->timed[p->timed], PEERS_TIMED, p);
    p->timed = TIMED_NONE;
}

static void on_late(struct edge *e, struct peer *p)
{
    if (p->state == PEER_HTTP) {
        web_conn_on_late(p);
        return;
    }
    e->stats.timed_out++;
    peer_lose(p, HUB_CLOSE_GONE);
}

static void on_tick(uv_timer_t *tick)
{
    struct edge *e = tick->data;
    int64_t now_us = edge_now().mono_us;
    uint32_t n = 0, late = 0;

    for (int list = TIMED_HANDSHAKE; list < TIMED_NR; list++) {
        struct peer *p;

        while (late < LATE_A_TURN && (p = e->timed[list].first) && p->due_us <= now_us) {
            on_late(e, p);
            late++;
        }
        n += e->timed[list].n;
    }
    if (!n)
        uv_timer_stop(tick);
    else
        uv_timer_start(tick, on_tick, late == LATE_A_TURN ? NEXT_PART_MS : TICK_MS, TICK_MS);
}

void edge_time(struct edge *e, struct peer *p, enum timed list)
{
    untime(e, p);
    if (!list)
        return;
    if (list == TIMED_HANDSHAKE && sources_add(&e->half_open, p->source))
        return; /* no memory: see edge_accept */
    p->timed = (uint8_t)list;
    p->due_us = edge_now().mono_us + e->settings.wait_us[list];
    peers_add(&e->timed[list], PEERS_TIMED, p);
    if (!uv_is_active((uv_handle_t *)&e->tick))
        uv_timer_start(&e->tick, on_tick, TICK_MS, TICK_MS);
}

static void unshake(struct edge *e, struct peer *p)
{
    if (!p->waits_to_shake)
        return;
    peers_remove(&e->shakes, PEERS_SHAKES, p);
    p->waits_to_shake = false;
}

void edge_shut(struct edge *e, struct peer *p)
{
    if (p->is_shut)
        return;
    p->is_shut = true;
    peers_add(&e->shut, PEERS_SHUT, p);
}

static void unshut(struct edge *e, struct peer *p)
{
    if (!p->is_shut)
        return;
    peers_remove(&e->shut, PEERS_SHUT, p);
    p->is_shut = false;
}

void edge_forget(struct edge *e, struct peer *p)
{
    untime(e, p);
    unshake(e, p);
    unshut(e, p);
    if (!peers_drop(&e->peers, p))
        return;
    sources_remove(&e->conns, p->source);
    trim_on_gone(&e->trim, e->peers.n);
}

/* --- coming -------------------------------------------------------------------------------- */

static void make_room(struct edge *e, uint64_t source)
{
    struct peer *oldest = e->timed[TIMED_HANDSHAKE].first;

    while (oldest && oldest->source != source)
        oldest = oldest->links[PEERS_TIMED].next;
    if (!oldest)
        return;
    e->stats.crowded_out++;
    peer_lose(oldest, HUB_CLOSE_GONE);
}

static bool is_full(const struct edge *e, uint64_t source)
{
    uint64_t share = (uint64_t)e->settings.conns_max * SOURCE_SHARE / SOURCE_PARTS + 1;

    return e->peers.n >= e->settings.conns_max || sources_count(&e->conns, source) >= share;
}

void edge_accept(struct edge *e, int fd, uint64_t source)
{
    if (sources_count(&e->half_open, source) >= e->settings.handshakes_source)
        make_room(e, source);
    else if (e->timed[TIMED_HANDSHAKE].n >= e->settings.handshakes_max)
        make_room(e, sources_most(&e->half_open));
    if (is_full(e, source) || peers_reserve(&e->peers) || sources_add(&e->conns, source)) {
        e->stats.refused++;
        close(fd);
        return;
    }
    struct peer *p = peer_new(e, peers_number(&e->peers), fd);

    if (!p) {
        sources_remove(&e->conns, source);
        e->stats.refused++;
        return;
    }
    p->source = source;
    peers_put(&e->peers, p);
    e->stats.accepted++;
    edge_time(e, p, TIMED_HANDSHAKE);
    if (p->timed)
        peer_watch(p);
    else
        peer_kill(p);
}

/* --- handshakes ------------------------------------------------------------------------ */

static void on_shake(uv_idle_t *idle)
{
    struct edge *e = idle->data;
    struct peer *p = e->shakes.first;

    if (p) {
        unshake(e, p);
        peer_shake(p);
    }
    if (!e->shakes.first)
        uv_idle_stop(idle);
}

void edge_shake_later(struct edge *e, struct peer *p)
{
    if (p->waits_to_shake)
        return;
    p->waits_to_shake = true;
    peers_add(&e->shakes, PEERS_SHAKES, p);
    if (!uv_is_active((uv_handle_t *)&e->shake))
        uv_idle_start(&e->shake, on_shake);
}

/* --- tunnels ---------------------------------------------------------------------------------- */

void edge_on_frames(void *edge, uint64_t conn, struct blob *bytes, bool soon)
{
    struct edge *e = edge;
    struct peer *p = peers_find(&e->peers, conn);

    bool full = p && p->relays && p->queue.bytes > RELAY_QUEUE_MAX;

    if (p && p->state == PEER_TUNNEL && !full && soon)
        tunnel_conn_media(p, bytes);
    else if (p && p->state == PEER_TUNNEL && !full)
        peer_send(p, bytes);
    else
        blob_unref(bytes);
}

void edge_on_over(void *edge, uint64_t conn)
{
    struct edge *e = edge;
    struct peer *p = peers_find(&e->peers, conn);

    if (p && p->state == PEER_TUNNEL)
        peer_finish(p);
}

void edge_on_taken(void *edge)
{
    struct edge *e = edge;
    struct peer *p;

    for (uint32_t n = e->shut.n; n && (p = e->shut.first); n--) {
        unshut(e, p);
        peer_open(p);
    }
}

/* --- the web ---------------------------------------------------------------------------------- */

bool edge_has_room_for_web(const struct edge *e)
{
    return e->timed[TIMED_HTTP].n + e->timed[TIMED_ANSWER].n <= e->settings.http_max;
}

bool edge_knows_health(struct edge *e)
{
    if (health_is_fresh(&e->health, edge_now().mono_us))
        return true;
    if (health_wants_probe(&e->health))
        storer_probe(e->storer);
    return false;
}

void edge_on_probed(void *edge, int err)
{
    struct edge *e = edge;

    health_on_probed(&e->health, err, edge_now().mono_us);
    for (struct peer *p = e->timed[TIMED_ANSWER].first, *next; p; p = next) {
        next = p->links[PEERS_TIMED].next;
        web_conn_on_health(p, err);
    }
}

void edge_on_title(struct edge *e, uint64_t conn, enum meeting_shown what, const char *title)
{
    struct peer *p = peers_find(&e->peers, conn);

    if (p)
        web_conn_on_title(p, what, title);
}

/* --- going out ----------------------------------------------------------------------------------
 */

void edge_mark_dirty(struct edge *e, struct peer *p)
{
    assert(!p->is_dirty);
    p->is_dirty = true;
    p->next_dirty = e->dirty;
    e->dirty = p;
    e->n_dirty++;
}

static void on_hold_over(uv_timer_t *timer)
{
    (void)timer; /* the turn that follows writes */
}

/* May what is queued wait for more? Then the timer makes a turn in time. */
static bool held(struct edge *e)
{
    int64_t now_us = edge_now().mono_us;

    if (e->stats.sends != e->seen_sends)
        hold_on_output(&e->hold, now_us, (uint32_t)(e->stats.sends - e->seen_sends),
                       e->stats.bytes_queued - e->seen_bytes);
    e->seen_sends = e->stats.sends;
    e->seen_bytes = e->stats.bytes_queued;

    bool coming = storer_coming(e->storer) > 0;
    int64_t until_us = e->draining ? now_us : hold_until(&e->hold, now_us, e->n_dirty, coming);
    if (until_us <= now_us)
        return false;
    if (!uv_is_active((uv_handle_t *)&e->hold_timer))
        uv_timer_start(&e->hold_timer, on_hold_over, (uint64_t)(until_us - now_us + 999) / 1000, 0);
    return true;
}

/* Before the loop sleeps: everything that this turn made is written. */
static void on_flush(uv_prepare_t *prepare)
{
    struct edge *e = prepare->data;
    struct peer *p;

    edge_pull(e);
    if (!e->dirty || held(e))
        return;
    while ((p = e->dirty)) {
        e->dirty = p->next_dirty;
        e->n_dirty--;
        peer_undirty(p);
    }
    hold_on_written(&e->hold);
    e->seen_sends = e->stats.sends;
    e->seen_bytes = e->stats.bytes_queued;
}

/* --- life ----------------------------------------------------------------------------------------
 */

int edge_init(struct edge *e, uv_loop_t *loop, const struct edge_settings *settings)
{
    *e = (struct edge){ .loop = loop, .settings = *settings, .hub_due_us = -1 };
    peers_init(&e->peers);
    e->plain = malloc(EDGE_PLAIN_MAX);
    e->cipher = malloc(EDGE_CIPHER_MAX);
    e->bio = peer_bio_new();
    e->started = edge_now();
    pages_policy(e->web_policy);
    uv_prepare_init(loop, &e->flush);
    uv_timer_init(loop, &e->hub_timer);
    uv_timer_init(loop, &e->tick);
    uv_timer_init(loop, &e->hold_timer);
    uv_idle_init(loop, &e->shake);
    trim_init(&e->trim, loop);
    sources_init(&e->conns, uv_hrtime());
    sources_init(&e->half_open, uv_hrtime());
    e->flush.data = e->hub_timer.data = e->tick.data = e->shake.data = e;
    uv_prepare_start(&e->flush, on_flush);
    return e->plain && e->cipher && e->bio ? 0 : -ROOST_NOMEM;
}

void edge_attach(struct edge *e, struct hub *hub, struct storer *storer, struct hasher *hasher,
                 const struct tls *tls)
{
    e->hub = hub;
    e->storer = storer;
    e->hasher = hasher;
    e->tls = tls;
}

void edge_drain(struct edge *e)
{
    e->draining = true;
    hub_drain(e->hub, edge_now());
    edge_pull(e);
    peers_each(&e->peers, peer_watch);
}

void edge_finish(struct edge *e)
{
    edge_pull(e);
    peers_each(&e->peers, peer_finish);
}

uint32_t edge_sending(const struct edge *e)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < e->peers.n_slots; i++)
        n += e->peers.slots[i] && e->peers.slots[i]->state < PEER_LINGERING;
    return n;
}

void edge_stop(struct edge *e)
{
    peers_each(&e->peers, peer_kill);
    e->draining = true; /* nothing is held any more */
    on_flush(&e->flush);
    uv_close((uv_handle_t *)&e->flush, NULL);
    uv_close((uv_handle_t *)&e->hub_timer, NULL);
    uv_close((uv_handle_t *)&e->tick, NULL);
    uv_close((uv_handle_t *)&e->hold_timer, NULL);
    uv_close((uv_handle_t *)&e->shake, NULL);
    trim_close(&e->trim);
}

void edge_fini(struct edge *e)
{
    BIO_meth_free(e->bio);
    free(e->plain);
    free(e->cipher);
    peers_fini(&e->peers);
    sources_fini(&e->conns);
    sources_fini(&e->half_open);
    *e = (struct edge){ 0 };
}
