#include "flow/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Where packets are lost, what is not acknowledged is sent again. Here nothing is lost as long
 * as the connection stands: a question behind what was written (PATH) comes back when the
 * other side has read it all. If the connection breaks before, it goes again the other way. */

void flow_tunnel_fini(struct flow *f)
{
    struct tunnel *t = &f->tunnel;

    for (; t->n; t->first++, t->n--)
        load_drop(f, t->loads[t->first % TUNNEL_LOADS_MAX].load);
    free(t->loads);
    t->loads = NULL;
}

static void settle_first(struct flow *f, enum sent_fate fate)
{
    struct tunnel *t = &f->tunnel;
    struct load *l = t->loads[t->first % TUNNEL_LOADS_MAX].load;

    t->under_way -= t->loads[t->first % TUNNEL_LOADS_MAX].bytes;
    t->first++;
    t->n--;
    load_settle(f, l, fate);
    if (fate == SENT_LOST)
        load_drop(f, l);
}

void flow_tunnel(struct flow *f, bool on, int64_t now_us)
{
    struct tunnel *t = &f->tunnel;

    if (on == t->on || f->over)
        return;
    if (on && !(t->loads = calloc(TUNNEL_LOADS_MAX, sizeof *t->loads))) {
        flow_close(f, FLOW_NOMEM, "out of memory");
        return;
    }
    now_us = flow_clock(f, now_us);
    t->on = on;
    t->asks = false;
    t->n_back = 0;
    if (on) {
        f->path_first = sent_next(&f->sent);
        sent_on_path(&f->sent);
        return;
    }
    while (t->n)
        settle_first(f, SENT_LOST);
    t->unmarked = 0;
    free(t->loads);
    t->loads = NULL;
    flow_on_change(f, now_us);
}

bool flow_is_tunnelled(const struct flow *f)
{
    return f->tunnel.on;
}

/* --- what comes --------------------------------------------------------------------------- */

/* The answer to our question: all up to it was read. */
static void on_back(struct flow *f, const uint8_t *bytes)
{
    struct tunnel *t = &f->tunnel;

    if (!t->asks || memcmp(bytes, t->mark, PATH_BYTES) != 0) {
        path_on_answer(f, bytes);
        return;
    }
    t->asks = false;
    while (t->n && t->first < t->mark_end)
        settle_first(f, SENT_ACKED);
}

static void on_tunnel_frame(struct flow *f, const struct dgram *d, const struct ack *ack,
                            int64_t now_us)
{
    if (d->kind == DGRAM_PATH) {
        if (f->tunnel.n_back < TUNNEL_BACKS_MAX) /* nobody of ours asks more at once */
            memcpy(f->tunnel.back[f->tunnel.n_back++], d->path, PATH_BYTES);
    } else if (d->kind == DGRAM_PATH_BACK) {
        on_back(f, d->path);
    } else {
        flow_on_frame(f, d, ack, now_us);
    }
}

int flow_on_frames(struct flow *f, int64_t now_us, const uint8_t *bytes, size_t len)
{
    size_t tail = f->media ? media_tail_of(bytes, len) : 0;
    struct reader r = reader_of(bytes, len - tail);
    struct dgram d;
    struct ack ack;
    int more = 0;

    now_us = flow_clock(f, now_us);
    f->refused = false;
    f->tail = bytes + len - tail;
    f->tail_left = tail;
    while (!f->over && (more = dgram_read(&r, &d, &ack)) > 0)
        on_tunnel_frame(f, &d, &ack, now_us);
    if (f->refused)
        flow_close(f, FLOW_LIMITS, "too many holes");
    if (more < 0)
        flow_close(f, FLOW_BROKEN, "a frame that cannot be");
    return more < 0 ? more : 0;
}

/* --- what goes ----------------------------------------------------------------------------- */

static void put_path(struct writer *w, enum dgram_kind kind, const uint8_t *bytes)
{
    struct dgram d = { .kind = kind };

    d.path = bytes;
    dgram_write(w, &d);
}

/* One question at a time, behind a good piece or behind all there is. */
static void put_mark(struct flow *f, struct writer *w)
{
    struct tunnel *t = &f->tunnel;

    if (t->asks || !t->n || (t->unmarked < TUNNEL_MARK_BYTES && f->turn))
        return;
    rng_fill(&f->rng, t->mark, PATH_BYTES);
    put_path(w, DGRAM_PATH, t->mark);
    t->asks = true;
    t->mark_end = t->first + t->n;
    t->unmarked = 0;
}

static void note_load(struct flow *f, struct load *l, uint32_t bytes)
{
    struct tunnel *t = &f->tunnel;

    if (!l->n) {
        load_drop(f, l);
        return;
    }
    t->loads[(t->first + t->n++) % TUNNEL_LOADS_MAX] = (struct tunnel_load){ l, bytes };
    t->under_way += bytes;
    t->unmarked += bytes;
}

int flow_next_frames(struct flow *f, int64_t now_us, uint8_t *bytes, size_t cap)
{
    struct tunnel *t = &f->tunnel;
    /* answers and a question always have room */
    struct writer w = writer_of(bytes, cap - (TUNNEL_BACKS_MAX + 1) * (1 + PATH_BYTES));

    flow_clock(f, now_us);
    flow_release(f);
    if (!t->on || (f->over && !f->tell_close))
        return 0;
    if (f->tell_close) {
        flow_put_goodbye(f, &w);
        return (int)(w.p - bytes);
    }
    struct load *l = t->n < TUNNEL_LOADS_MAX ? load_new(f) : NULL;
    if (l) {
        path_put_words(f, &w, l, false);
        flow_put_words(f, &w, l, t->under_way < TUNNEL_WINDOW);
        note_load(f, l, (uint32_t)(w.p - bytes));
    }
    w.end = bytes + cap;
    for (uint32_t i = 0; i < t->n_back; i++)
        put_path(&w, DGRAM_PATH_BACK, t->back[i]);
    t->n_back = 0;
    put_mark(f, &w);
    return (int)(w.p - bytes);
}
