#include "lab/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* What CoDel leaves alone: less than one packet waits behind it. */
enum { SMALL_BYTES = 1500 };

void link_init(struct link *l, enum link_kind kind, const struct link_config *config, uint64_t seed)
{
    *l = (struct link){ .kind = kind, .config = *config, .dice = { seed } };
    l->bucket_bytes = config->police_bytes;
}

void link_fini(struct link *l)
{
    link_reset(l);
    free(l->heap);
    free(l->queue);
    *l = (struct link){ 0 };
}

void link_set(struct link *l, const struct link_config *config)
{
    if (!l->config.police_bps)
        l->bucket_bytes = config->police_bytes;
    l->config = *config;
}

static int64_t min_time(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* --- the packets on their journey, the next due first --- */

static bool is_before(const struct link_packet *a, const struct link_packet *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void swap(struct link_packet *a, struct link_packet *b)
{
    struct link_packet t = *a;

    *a = *b;
    *b = t;
}

static void heap_put(struct link *l, struct link_packet p)
{
    assert(l->n < l->cap && "room_for_one comes first");
    size_t i = l->n++;
    p.order = l->order++;
    l->heap[i] = p;
    for (; i > 0 && is_before(&l->heap[i], &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&l->heap[i], &l->heap[(i - 1) / 2]);
}

static struct link_packet heap_take(struct link *l)
{
    struct link_packet first = l->heap[0];
    size_t i = 0;

    assert(l->n > 0);
    l->heap[0] = l->heap[--l->n];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= l->n)
            break;
        if (child + 1 < l->n && is_before(&l->heap[child + 1], &l->heap[child]))
            child++;
        if (!is_before(&l->heap[child], &l->heap[i]))
            break;
        swap(&l->heap[child], &l->heap[i]);
        i = child;
    }
    return first;
}

/* --- the queue before the wire --- */

static struct link_packet *queue_head(struct link *l)
{
    return &l->queue[l->queue_first];
}

static void queue_put(struct link *l, struct link_packet p)
{
    assert(l->queue_n < l->queue_cap && "room_for_one comes first");
    l->queue[(l->queue_first + l->queue_n++) % l->queue_cap] = p;
    l->queue_sum += p.bytes->len;
}

static struct link_packet queue_take(struct link *l)
{
    struct link_packet p = *queue_head(l);

    l->queue_first = (l->queue_first + 1) % l->queue_cap;
    l->queue_n--;
    l->queue_sum -= p.bytes->len;
    return p;
}

static int grow_queue(struct link *l)
{
    size_t cap = l->queue_cap ? 2 * l->queue_cap : 16;
    struct link_packet *queue = malloc(cap * sizeof *queue);

    if (!queue)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < l->queue_n; i++)
        queue[i] = l->queue[(l->queue_first + i) % l->queue_cap];
    free(l->queue);
    l->queue = queue;
    l->queue_cap = cap;
    l->queue_first = 0;
    return 0;
}

/* Room in the queue for one more, and on the journey for all that waits and their doubles, so
 * that nothing can fail once a packet is in. */
static int room_for_one(struct link *l)
{
    size_t want = l->n + 2 * (l->queue_n + 1);

    if (l->queue_n == l->queue_cap && grow_queue(l) < 0)
        return -ROOST_NOMEM;
    if (want <= l->cap)
        return 0;
    size_t cap = 2 * want > 32 ? 2 * want : 32;
    struct link_packet *heap = realloc(l->heap, cap * sizeof *heap);
    if (!heap)
        return -ROOST_NOMEM;
    l->heap = heap;
    l->cap = cap;
    return 0;
}

void link_reset(struct link *l)
{
    l->counts.cut += l->n + l->queue_n;
    while (l->queue_n > 0)
        blob_unref(queue_take(l).bytes);
    while (l->n > 0)
        blob_unref(l->heap[--l->n].bytes);
    l->wire_free_ns = 0;
    l->last_due_us = 0;
    l->losing = 0;
    codel_on_empty(&l->codel);
}

/* --- from the queue over the wire --- */

static int64_t wire_ns(const struct link *l, uint64_t bytes)
{
    return l->config.rate_bps ? (int64_t)((double)bytes * 8e9 / (double)l->config.rate_bps) : 0;
}

uint64_t link_backlog_bytes(const struct link *l, int64_t now_us)
{
    int64_t left_ns = l->wire_free_ns + wire_ns(l, l->queue_sum) - now_us * 1000;

    if (left_ns <= 0 || l->config.rate_bps == 0)
        return 0;
    return (uint64_t)((double)left_ns * (double)l->config.rate_bps / 8e9);
}

/* When a packet that the wire has sent arrives. Rounded up, so that nothing arrives before it
 * was sent. */
static int64_t arrival_us(struct link *l, const struct link_packet *p, bool *ret_late)
{
    const struct link_config *c = &l->config;
    int64_t due = (l->wire_free_ns + 999) / 1000 + c->delay_us;

    if (c->jitter_us > 0)
        due += dice_between(&l->dice, 0, c->jitter_us);
    if (p->again) /* noticed after a round trip, and sent again */
        due += 2 * c->delay_us;
    if (due < l->last_due_us)
        due = l->last_due_us;
    *ret_late = l->kind == LINK_DATAGRAMS && c->reorder_ppm && dice_ppm(&l->dice, c->reorder_ppm);
    if (*ret_late)
        return due + c->late_us;
    l->last_due_us = due;
    return due;
}

static void note_journey(struct link_counts *c, int64_t took_us)
{
    int64_t apart_us = c->journeys ? took_us - c->took_last_us : 0;

    c->took_us += (uint64_t)took_us;
    c->apart_us += (uint64_t)(apart_us < 0 ? -apart_us : apart_us);
    c->took_last_us = took_us;
    c->journeys++;
}

static void send_one(struct link *l, struct link_packet p, int64_t from_ns)
{
    bool late, twice = l->config.duplicate_ppm && l->kind == LINK_DATAGRAMS &&
                       dice_ppm(&l->dice, l->config.duplicate_ppm);

    l->wire_free_ns = from_ns + wire_ns(l, p.bytes->len);
    int64_t came_us = p.due_us;
    p.due_us = arrival_us(l, &p, &late);
    note_journey(&l->counts, p.due_us - came_us);
    l->counts.reordered += late;
    heap_put(l, p);
    if (twice) {
        blob_ref(p.bytes);
        heap_put(l, p);
        l->counts.duplicated++;
    }
}

/* The next for the wire, or false: CoDel may take some away first. */
static bool take_next(struct link *l, int64_t at_ns, struct link_packet *ret)
{
    int64_t target_us = l->config.codel_target_us, at_us = at_ns / 1000;
    int64_t interval_us = l->config.codel_interval_us ? l->config.codel_interval_us
                                                      : CODEL_INTERVAL_US;

    while (l->queue_n > 0) {
        struct link_packet p = queue_take(l);
        bool drop = target_us && l->kind == LINK_DATAGRAMS &&
                    codel_drops(&l->codel, at_us, at_us - p.due_us, l->queue_sum < SMALL_BYTES,
                                target_us, interval_us);
        if (!drop) {
            *ret = p;
            return true;
        }
        l->counts.early++;
        blob_unref(p.bytes);
    }
    codel_on_empty(&l->codel);
    return false;
}

/* All that the wire began by now leaves the queue. */
static void advance(struct link *l, int64_t now_us)
{
    struct link_packet p;

    while (l->queue_n > 0) {
        int64_t came_ns = queue_head(l)->due_us * 1000;
        int64_t from_ns = came_ns > l->wire_free_ns ? came_ns : l->wire_free_ns;
        if (from_ns > now_us * 1000 || !take_next(l, from_ns, &p))
            return;
        came_ns = p.due_us * 1000;
        send_one(l, p, came_ns > from_ns ? came_ns : from_ns);
    }
}

/* --- in --- */

/* Of runs of `burst` losses with good packets between them, as many begin as make the share
 * that is asked for. */
static bool is_lost(struct link *l)
{
    double share = l->config.loss_ppm / 1e6, burst = l->config.loss_burst;

    if (l->losing > 0) {
        l->losing--;
        return true;
    }
    if (!l->config.loss_ppm)
        return false;
    if (burst <= 1)
        return dice_ppm(&l->dice, l->config.loss_ppm);
    double begins = share / (share + burst * (1 - share));
    if (!dice_ppm(&l->dice, (uint32_t)(begins * 1e6 + 0.5)))
        return false;
    l->losing = l->config.loss_burst - 1;
    return true;
}

/* A token bucket: full after a pause, and what does not fit is gone. */
static bool is_policed(struct link *l, int64_t now_us, size_t len)
{
    const struct link_config *c = &l->config;
    int64_t now_ns = now_us * 1000;

    if (!c->police_bps)
        return false;
    if (now_ns > l->bucket_at_ns) {
        l->bucket_bytes += (double)(now_ns - l->bucket_at_ns) * (double)c->police_bps / 8e9;
        l->bucket_at_ns = now_ns;
    }
    if (l->bucket_bytes > c->police_bytes)
        l->bucket_bytes = c->police_bytes;
    if (l->bucket_bytes < (double)len)
        return true;
    l->bucket_bytes -= (double)len;
    return false;
}

static bool is_full(const struct link *l, int64_t now_us, size_t len)
{
    if (l->n + l->queue_n >= LINK_PACKETS_MAX)
        return true;
    return l->config.queue_bytes && link_backlog_bytes(l, now_us) + len > l->config.queue_bytes;
}

static struct blob *with_a_bit_turned(struct link *l, struct blob *bytes)
{
    uint64_t bit = dice_below(&l->dice, 8 * (uint64_t)bytes->len);
    struct blob *b = blob_copy(bytes->bytes, bytes->len);

    if (b)
        b->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return b;
}

static int enqueue(struct link *l, int64_t now_us, struct link_packet p)
{
    bool damaged = l->config.corrupt_ppm && l->kind == LINK_DATAGRAMS && p.bytes->len > 0 &&
                   dice_ppm(&l->dice, l->config.corrupt_ppm);

    if (room_for_one(l) < 0)
        return -ROOST_NOMEM;
    p.bytes = damaged ? with_a_bit_turned(l, p.bytes) : blob_ref(p.bytes);
    if (!p.bytes)
        return -ROOST_NOMEM;
    l->counts.corrupted += damaged;
    queue_put(l, p);
    uint64_t backlog = link_backlog_bytes(l, now_us);
    if (backlog > l->counts.queue_most_bytes)
        l->counts.queue_most_bytes = backlog;
    advance(l, now_us);
    return 0;
}

static int push_stream(struct link *l, int64_t now_us, struct link_packet p)
{
    if (is_full(l, now_us, p.bytes->len)) {
        l->counts.dropped++;
        return -ROOST_LIMIT;
    }
    p.again = is_lost(l);
    int err = enqueue(l, now_us, p);
    if (err)
        return err;
    l->counts.lost += p.again;
    l->counts.pushed++;
    l->counts.pushed_bytes += p.bytes->len;
    return 0;
}

int link_push_tagged(struct link *l, int64_t now_us, struct blob *bytes, uint32_t tag)
{
    struct link_packet p = { .due_us = now_us, .bytes = bytes, .tag = tag };

    advance(l, now_us);
    if (l->kind == LINK_STREAM)
        return push_stream(l, now_us, p);
    int err = 0;
    uint64_t *fate = l->down                             ? &l->counts.cut
                     : is_lost(l)                        ? &l->counts.lost
                     : is_policed(l, now_us, bytes->len) ? &l->counts.policed
                     : is_full(l, now_us, bytes->len)    ? &l->counts.dropped
                                                         : NULL;
    if (fate)
        (*fate)++;
    else
        err = enqueue(l, now_us, p);
    if (err)
        return err;
    l->counts.pushed++;
    l->counts.pushed_bytes += bytes->len;
    return 0;
}

int link_push(struct link *l, int64_t now_us, struct blob *bytes)
{
    return link_push_tagged(l, now_us, bytes, 0);
}

/* --- out --- */

int64_t link_idle_us(const struct link *l)
{
    return (l->wire_free_ns + wire_ns(l, l->queue_sum) + 999) / 1000;
}

bool link_is_empty(const struct link *l)
{
    return l->n == 0 && l->queue_n == 0;
}

struct blob *link_next_tagged(struct link *l, int64_t now_us, uint32_t *ret_tag)
{
    advance(l, now_us);
    while (l->n > 0 && l->heap[0].due_us <= now_us) {
        if (l->down && l->kind == LINK_STREAM)
            return NULL;
        struct link_packet p = heap_take(l);
        if (!l->down) {
            l->counts.arrived++;
            l->counts.arrived_bytes += p.bytes->len;
            *ret_tag = p.tag;
            return p.bytes;
        }
        l->counts.cut++;
        blob_unref(p.bytes);
    }
    return NULL;
}

struct blob *link_next(struct link *l, int64_t now_us)
{
    uint32_t tag;

    return link_next_tagged(l, now_us, &tag);
}

int64_t link_deadline_us(const struct link *l)
{
    if (l->down)
        return INT64_MAX;
    int64_t due = l->n > 0 ? l->heap[0].due_us : INT64_MAX;
    /* What waits may overtake what is late. */
    int64_t next = (l->wire_free_ns + 999) / 1000 + l->config.delay_us;
    if (next < l->last_due_us)
        next = l->last_due_us;
    return l->queue_n > 0 ? min_time(due, next) : due;
}

void link_set_down(struct link *l, bool down, int64_t now_us)
{
    if (down == l->down)
        return;
    advance(l, now_us);
    if (!down && l->kind == LINK_DATAGRAMS)
        while (l->n > 0 && l->heap[0].due_us <= now_us) { /* due while it was down */
            blob_unref(heap_take(l).bytes);
            l->counts.cut++;
        }
    l->down = down;
}
