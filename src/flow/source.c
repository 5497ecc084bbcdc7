#include "flow/source.h"

#include "base/err.h"

void source_init(struct source *s, uint64_t limit, uint64_t room)
{
    *s = (struct source){ .limit = limit, .room = room };
}

void source_fini(struct source *s)
{
    ring_fini(&s->ring);
    spans_fini(&s->acked);
    spans_fini(&s->lost);
}

int64_t source_write(struct source *s, const uint8_t *bytes, size_t len)
{
    uint64_t held = s->written - s->base, room = s->room > held ? s->room - held : 0;
    size_t n = len < room ? len : (size_t)room;

    if (s->ended || !n)
        return 0;
    int err = ring_fit(&s->ring, s->base, s->written, s->written + n);
    if (err)
        return err;
    ring_put(&s->ring, s->written, bytes, n);
    s->written += n;
    return (int64_t)n;
}

void source_end(struct source *s)
{
    s->ended = true;
}

void source_allow(struct source *s, uint64_t limit)
{
    s->limit = limit > s->limit ? limit : s->limit;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool source_next(const struct source *s, uint32_t max, uint64_t credit, struct piece *ret)
{
    uint64_t to;

    if (s->lost.n) {
        ret->offset = s->lost.all[0].from;
        to = s->lost.all[0].to;
    } else {
        uint64_t may = s->limit > s->sent ? s->limit - s->sent : 0;
        ret->offset = s->sent;
        to = least(s->written, s->sent + least(may, credit));
    }
    ret->len = (uint32_t)least(to - ret->offset, max);
    ret->end = s->ended && ret->offset + ret->len == s->written;
    return ret->len || (ret->end && !s->end_sent);
}

uint64_t source_take(struct source *s, const struct piece *p)
{
    uint64_t to = p->offset + p->len, before = s->sent;

    s->end_sent = s->end_sent || p->end;
    spans_remove(&s->lost, p->offset, to); /* from its beginning on: never one more */
    s->sent = to > s->sent ? to : s->sent;
    return s->sent - before;
}

void source_copy(const struct source *s, const struct piece *p, uint8_t *bytes)
{
    ring_get(&s->ring, p->offset, bytes, p->len);
}

static void join(struct source *s)
{
    while (s->acked.n && s->acked.all[0].from <= s->base) {
        struct span first = s->acked.all[0];
        s->base = first.to > s->base ? first.to : s->base;
        spans_remove(&s->acked, first.from, first.to);
    }
}

int source_on_acked(struct source *s, const struct piece *p)
{
    uint64_t from = p->offset, to = p->offset + p->len;

    s->end_acked = s->end_acked || p->end;
    int err = spans_remove(&s->lost, from, to); /* thought lost, and come all the same */
    if (err || to <= s->base)
        return err;
    if (from <= s->base)
        s->base = to;
    else
        err = spans_add(&s->acked, from, to);
    if (!err)
        join(s);
    return err;
}

/* What came by another packet meanwhile is not sent again. */
int source_on_lost(struct source *s, const struct piece *p)
{
    uint64_t from = p->offset > s->base ? p->offset : s->base, to = p->offset + p->len;

    if (p->end && !s->end_acked)
        s->end_sent = false;
    int err = from < to ? spans_add(&s->lost, from, to) : 0;
    for (uint32_t i = 0; !err && i < s->acked.n && s->acked.all[i].from < to; i++)
        err = spans_remove(&s->lost, s->acked.all[i].from, s->acked.all[i].to);
    return err;
}

bool source_is_over(const struct source *s)
{
    return s->ended && s->end_acked && s->base == s->written;
}
