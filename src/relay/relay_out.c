#include <string.h>

#include "relay/inside.h"
#include "wire/packet.h"

/* --- whose time comes first: a heap ------------------------------------------------------- */

static void place(struct relay *r, uint32_t at, uint32_t leg)
{
    r->heap[at] = leg;
    r->legs[leg].heap = at;
}

static int64_t due_at(const struct relay *r, uint32_t at)
{
    return r->legs[r->heap[at]].due_us;
}

static void sift(struct relay *r, uint32_t at)
{
    uint32_t leg = r->heap[at];
    int64_t due = r->legs[leg].due_us;

    for (uint32_t up; at && due < due_at(r, up = (at - 1) / 2); at = up)
        place(r, at, r->heap[up]);
    for (;;) {
        uint32_t down = 2 * at + 1;
        if (down + 1 < r->n_heap && due_at(r, down + 1) < due_at(r, down))
            down++;
        if (down >= r->n_heap || due_at(r, down) >= due)
            break;
        place(r, at, r->heap[down]);
        at = down;
    }
    place(r, at, leg);
}

static void set_due(struct relay *r, uint32_t leg, int64_t due_us)
{
    struct leg *l = &r->legs[leg];

    l->due_us = due_us;
    if (l->heap == NOBODY) {
        l->heap = r->n_heap++;
        r->heap[l->heap] = leg;
    }
    sift(r, l->heap);
}

void relay_due(struct relay *r, uint32_t leg, int64_t due_us)
{
    if (due_us < r->legs[leg].due_us)
        set_due(r, leg, due_us);
}

void relay_undue(struct relay *r, uint32_t leg)
{
    uint32_t at = r->legs[leg].heap;

    r->legs[leg].due_us = INT64_MAX;
    r->legs[leg].heap = NOBODY;
    if (at == NOBODY)
        return;
    uint32_t last = r->heap[--r->n_heap];
    if (at < r->n_heap) {
        place(r, at, last);
        sift(r, at);
    }
}

int64_t relay_soon(const struct relay *r)
{
    return r->n_heap ? (int64_t)r->heap[0] : -1;
}

int64_t relay_deadline_us(const struct relay *r)
{
    return r->n_heap ? due_at(r, 0) : INT64_MAX;
}

/* --- queues ---------------------------------------------------------------------------------- */

static void push(struct relay *r, struct queue *q, struct held h)
{
    if (q->n == q->cap) {
        q->first++;
        q->n--;
        r->counts.dropped++;
    }
    q->held[(q->first + q->n++) % q->cap] = h;
}

static struct held *front(const struct queue *q)
{
    return q->n ? &q->held[q->first % q->cap] : NULL;
}

static void pop(struct queue *q)
{
    q->first++;
    q->n--;
}

/* The more is forwarded, the longer frames wait for others to share their datagram; where not even
 * every other one would find company nobody waits. */
int64_t relay_hold_us(struct relay *r, int64_t now_us)
{
    if (now_us - r->tenth_us >= 100000) {
        r->last_forwarded = now_us - r->tenth_us < 200000 ? r->now_forwarded : 0;
        r->now_forwarded = 0;
        r->tenth_us = now_us;
    }
    uint64_t busy = r->last_forwarded > r->now_forwarded ? r->last_forwarded : r->now_forwarded;
    uint64_t hold = busy * 10 * RELAY_HOLD_MOST_US / RELAY_HOLD_FULL;
    hold = hold < RELAY_HOLD_MOST_US ? hold : RELAY_HOLD_MOST_US;
    if (hold < RELAY_HOLD_LEAST_US || busy * 10 * hold * 2 < r->n_legs * 1000000ULL)
        return 0;
    return (int64_t)hold;
}

void relay_put_voice(struct relay *r, uint32_t leg, uint32_t item, int64_t due_us)
{
    struct leg *l = &r->legs[leg];

    push(r, &l->voices, (struct held){ item, 0, false });
    r->now_forwarded++;
    r->counts.forwarded++;
    if (due_us >= l->voices_due_us)
        return;
    l->voices_due_us = due_us;
    relay_due(r, leg, due_us);
}

void relay_put_picture(struct relay *r, int64_t now_us, uint32_t leg, uint32_t item)
{
    struct leg *l = &r->legs[leg];

    push(r, &l->pictures, (struct held){ item, 0, false });
    r->now_forwarded++;
    r->counts.forwarded++;
    relay_due(r, leg, turn_when_us(&l->turn, now_us, TURN_PICTURE, MEDIA_PART_MAX));
}

/* --- sent again ------------------------------------------------------------------------------ */

static void send_again(struct relay *r, int64_t now_us, uint32_t leg, uint32_t at)
{
    struct leg *l = &r->legs[leg];
    struct held h = l->sent[at].held;
    const struct item *i = relay_item(r, h.item);

    if (!i)
        return;
    bool is_voice = i->head.codec == MEDIA_OPUS || i->head.codec == MEDIA_PCM;
    l->sent[at].at_us = now_us;
    r->counts.again++;
    push(r, is_voice ? &l->voices : &l->pictures, h);
    if (is_voice)
        l->voices_due_us = now_us; /* it is late enough */
    relay_due(r, leg, now_us);
}

static bool is_asked(const struct nack *n, uint16_t count)
{
    for (uint32_t i = 0; i < n->n; i++) {
        uint16_t behind = (uint16_t)(count - n->gaps[i].first);
        if (!behind || (behind <= 16 && n->gaps[i].more >> (behind - 1) & 1))
            return true;
    }
    return false;
}

void relay_on_nack(struct relay *r, int64_t now_us, uint32_t leg, const struct nack *n,
                   int64_t rtt_us)
{
    if (leg >= r->is.legs || !r->legs[leg].used)
        return;
    struct leg *l = &r->legs[leg];
    for (uint32_t k = 0; k < RELAY_SENT_MAX && k < l->n_sent; k++) {
        uint32_t at = (l->n_sent - 1 - k) % RELAY_SENT_MAX;
        const struct item *i = relay_item(r, l->sent[at].held.item);
        if (i && i->head.stream == n->stream && is_asked(n, l->sent[at].held.count) &&
            now_us - l->sent[at].at_us >= rtt_us / 2)
            send_again(r, now_us, leg, at);
    }
}

void relay_on_path(struct relay *r, int64_t now_us, uint32_t leg, uint64_t rate, float loss)
{
    if (leg >= r->is.legs || !r->legs[leg].used)
        return;
    struct leg *l = &r->legs[leg];
    turn_set_rate(&l->turn, now_us, rate);
    l->repeat = history_repeats(l->repeat, loss);
    if (l->pictures.n)
        relay_due(r, leg, turn_when_us(&l->turn, now_us, TURN_PICTURE, MEDIA_PART_MAX));
}

/* --- a datagram ------------------------------------------------------------------------------- */

static uint32_t room_of(const struct item *i)
{
    return (uint32_t)media_bytes(&i->head) + i->head.len;
}

static void add(struct relay *r, struct relay_out *o, const struct item *i, uint16_t count)
{
    struct media_part *p = &o->parts[o->n++];

    p->head = i->head;
    p->head.count = count;
    p->payload = r->buffers + (size_t)(i->buffer % r->is.buffers) * r->is.buffer_bytes + i->offset;
}

static void remember(struct leg *l, int64_t now_us, struct held h)
{
    uint32_t at = l->n_sent++ % RELAY_SENT_MAX;

    l->sent[at].held = h;
    l->sent[at].at_us = now_us;
}

/* The first of a queue, if it is still there and fits. False: that was all for this datagram. */
static bool take(struct relay *r, int64_t now_us, struct queue *q, struct relay_out *o,
                 uint32_t *room)
{
    struct leg *l = &r->legs[o->leg];
    struct held *h = front(q);
    const struct item *i = h ? relay_item(r, h->item) : NULL;

    if (!h || o->n == RELAY_PARTS_MAX)
        return false;
    if (!i || (room_of(i) > *room && !o->n)) { /* or it fits in no datagram */
        r->counts.gone++;
        pop(q);
        return true;
    }
    if (room_of(i) > *room)
        return false;
    if (!h->counted) {
        h->count = l->counts[i->slot]++;
        h->counted = true;
        remember(l, now_us, *h);
    }
    add(r, o, i, h->count);
    *room -= room_of(i);
    pop(q);
    return true;
}

/* The frames of this voice before this one, as many as the path's loss asks for. */
static void repeat(struct relay *r, struct relay_out *o, uint32_t *room)
{
    struct leg *l = &r->legs[o->leg];
    uint32_t n = o->n;

    for (uint32_t p = 0; p < n && l->repeat; p++)
        for (uint32_t k = 0, found = 0; k < RELAY_SENT_MAX && k < l->n_sent; k++) {
            const struct held *h = &l->sent[(l->n_sent - 1 - k) % RELAY_SENT_MAX].held;
            const struct item *i = relay_item(r, h->item);
            uint16_t behind = (uint16_t)(o->parts[p].head.count - h->count);
            if (!i || i->head.stream != o->parts[p].head.stream || !behind || behind > l->repeat)
                continue;
            if (room_of(i) > *room || o->n == RELAY_PARTS_MAX)
                return;
            add(r, o, i, h->count);
            *room -= room_of(i);
            r->counts.repeats++;
            if (++found == l->repeat)
                break;
        }
}

static void next_due(struct relay *r, uint32_t leg, int64_t now_us)
{
    struct leg *l = &r->legs[leg];
    int64_t due = l->voices.n ? now_us : INT64_MAX;

    l->voices_due_us = due;
    if (l->pictures.n) {
        int64_t when = turn_when_us(&l->turn, now_us, TURN_PICTURE, MEDIA_PART_MAX);
        due = when < due ? when : due;
    }
    relay_undue(r, leg);
    if (due != INT64_MAX)
        set_due(r, leg, due);
}

static uint32_t bytes_of(const struct relay_out *o)
{
    uint32_t bytes = PACKET_HEAD_TAIL + PACKET_TAG;

    for (uint32_t i = 0; i < o->n; i++)
        bytes += (uint32_t)media_bytes(&o->parts[i].head) + o->parts[i].head.len;
    return bytes;
}

bool relay_next(struct relay *r, int64_t now_us, struct relay_out *ret)
{
    while (r->n_heap && due_at(r, 0) <= now_us) {
        struct leg *l = &r->legs[r->heap[0]];
        uint32_t room = r->is.mtu - PACKET_HEAD_TAIL - PACKET_TAG, voices;
        ret->leg = r->heap[0];
        ret->n = 0;
        while (l->voices_due_us <= now_us && take(r, now_us, &l->voices, ret, &room))
            ;
        repeat(r, ret, &room);
        voices = ret->n ? bytes_of(ret) : 0;
        while (l->pictures.n && turn_allows(&l->turn, now_us, TURN_PICTURE, MEDIA_PART_MAX) &&
               take(r, now_us, &l->pictures, ret, &room))
            ;
        turn_on_sent(&l->turn, now_us, TURN_SOUND, voices);
        turn_on_sent(&l->turn, now_us, TURN_PICTURE, ret->n ? bytes_of(ret) - voices : 0);
        next_due(r, ret->leg, now_us);
        if (r->n_heap)
            __builtin_prefetch(&r->legs[r->heap[0]]);
        if (ret->n) {
            r->counts.datagrams++;
            return true;
        }
    }
    return false;
}
