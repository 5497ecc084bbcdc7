#include "lab/link.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void link_init(struct link *l, enum link_kind kind, const struct link_config *config, uint64_t seed)
{
    *l = (struct link){ .kind = kind, .config = *config, .dice = { seed } };
}

void link_reset(struct link *l)
{
    for (size_t i = 0; i < l->n; i++)
        blob_unref(l->heap[i].bytes);
    l->counts.cut += l->n;
    l->n = 0;
    l->wire_free_ns = 0;
    l->last_due_us = 0;
}

void link_fini(struct link *l)
{
    link_reset(l);
    free(l->heap);
    *l = (struct link){ 0 };
}

void link_set(struct link *l, const struct link_config *config)
{
    l->config = *config;
}

/* --- the packets inside, the next due first --- */

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

static int heap_put(struct link *l, struct link_packet p)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        struct link_packet *heap = realloc(l->heap, cap * sizeof *heap);
        if (!heap)
            return -ROOST_NOMEM;
        l->heap = heap;
        l->cap = cap;
    }
    size_t i = l->n++;
    l->heap[i] = p;
    for (; i > 0 && is_before(&l->heap[i], &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&l->heap[i], &l->heap[(i - 1) / 2]);
    return 0;
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

/* --- in --- */

uint64_t link_backlog_bytes(const struct link *l, int64_t now_us)
{
    int64_t wait_ns = l->wire_free_ns - now_us * 1000;

    if (wait_ns <= 0 || l->config.rate_bps == 0)
        return 0;
    return (uint64_t)((double)wait_ns * (double)l->config.rate_bps / 8e9);
}

/* The wire is taken until the packet has left; returns when that is. */
static int64_t send_at_ns(struct link *l, int64_t now_us, size_t len)
{
    if (l->wire_free_ns < now_us * 1000)
        l->wire_free_ns = now_us * 1000;
    if (l->config.rate_bps)
        l->wire_free_ns += (int64_t)((double)len * 8e9 / (double)l->config.rate_bps);
    return l->wire_free_ns;
}

static bool is_full(const struct link *l, int64_t now_us, size_t len)
{
    if (l->n >= LINK_PACKETS_MAX)
        return true;
    return l->config.queue_bytes && link_backlog_bytes(l, now_us) + len > l->config.queue_bytes;
}

/* Rounded up, so that nothing arrives before it was sent. */
static int64_t due_us(struct link *l, int64_t sent_ns)
{
    int64_t due = (sent_ns + 999) / 1000 + l->config.delay_us;

    if (l->config.jitter_us > 0)
        due += dice_between(&l->dice, 0, l->config.jitter_us);
    return due;
}

int link_push(struct link *l, int64_t now_us, struct blob *bytes)
{
    bool stream = l->kind == LINK_STREAM;
    bool lost = l->config.loss_ppm && dice_ppm(&l->dice, l->config.loss_ppm);

    if (is_full(l, now_us, bytes->len)) {
        l->counts.dropped++;
        return stream ? -ROOST_LIMIT : 0;
    }
    struct link_packet p = { .order = l->order++ };
    p.due_us = due_us(l, send_at_ns(l, now_us, bytes->len));
    if (lost && stream) /* noticed after a round trip, and sent again */
        p.due_us += 2 * l->config.delay_us;
    if (stream && p.due_us < l->last_due_us)
        p.due_us = l->last_due_us;

    bool vanishes = !stream && (l->down || lost);
    if (!vanishes) {
        p.bytes = blob_ref(bytes);
        int err = heap_put(l, p);
        if (err) {
            blob_unref(bytes);
            return err;
        }
        l->last_due_us = p.due_us;
    }
    l->counts.pushed++;
    l->counts.pushed_bytes += bytes->len;
    l->counts.lost += lost && !(vanishes && l->down);
    l->counts.cut += vanishes && l->down;
    return 0;
}

/* --- out --- */

struct blob *link_next(struct link *l, int64_t now_us)
{
    while (l->n > 0 && l->heap[0].due_us <= now_us) {
        if (l->down && l->kind == LINK_STREAM)
            return NULL;
        struct blob *b = heap_take(l).bytes;
        if (!l->down) {
            l->counts.arrived++;
            l->counts.arrived_bytes += b->len;
            return b;
        }
        l->counts.cut++;
        blob_unref(b);
    }
    return NULL;
}

int64_t link_deadline_us(const struct link *l)
{
    if (l->n == 0 || l->down)
        return INT64_MAX;
    return l->heap[0].due_us;
}

void link_set_down(struct link *l, bool down, int64_t now_us)
{
    if (down == l->down)
        return;
    if (!down && l->kind == LINK_DATAGRAMS)
        while (l->n > 0 && l->heap[0].due_us <= now_us) { /* due while it was down */
            blob_unref(heap_take(l).bytes);
            l->counts.cut++;
        }
    l->down = down;
}
