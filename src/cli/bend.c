#include "cli/bend.h"

#include "base/err.h"

int bend_init(struct bend *b, const struct link_pair *pair, uint64_t seed)
{
    *b = (struct bend){ .pair = *pair, .dice = { seed } };
    link_init(&b->link[BEND_UP], LINK_DATAGRAMS, &pair->up, dice_next(&b->dice));
    link_init(&b->link[BEND_DOWN], LINK_DATAGRAMS, &pair->down, dice_next(&b->dice));
    return sleep_init(&b->sleep, false);
}

void bend_fini(struct bend *b)
{
    bend_tun_close(b);
    bend_udp_close(b);
    bend_tcp_close(b);
    link_fini(&b->link[BEND_UP]);
    link_fini(&b->link[BEND_DOWN]);
    sleep_fini(&b->sleep);
}

void bend_set(struct bend *b, const struct link_pair *pair)
{
    b->pair = *pair;
    link_set(&b->link[BEND_UP], &pair->up);
    link_set(&b->link[BEND_DOWN], &pair->down);
    bend_tcp_set(b);
}

void bend_set_down(struct bend *b, bool down, int64_t now_us)
{
    b->down = down;
    link_set_down(&b->link[BEND_UP], down, now_us);
    link_set_down(&b->link[BEND_DOWN], down, now_us);
    bend_tcp_set_down(b, now_us);
}

void bend_count(struct link_counts *sum, const struct link_counts *more)
{
    sum->pushed += more->pushed;
    sum->pushed_bytes += more->pushed_bytes;
    sum->arrived += more->arrived;
    sum->arrived_bytes += more->arrived_bytes;
    sum->lost += more->lost;
    sum->policed += more->policed;
    sum->dropped += more->dropped;
    sum->early += more->early;
    sum->cut += more->cut;
    sum->duplicated += more->duplicated;
    sum->corrupted += more->corrupted;
    sum->reordered += more->reordered;
    sum->journeys += more->journeys;
    sum->took_us += more->took_us;
    sum->apart_us += more->apart_us;
    if (more->queue_most_bytes > sum->queue_most_bytes)
        sum->queue_most_bytes = more->queue_most_bytes;
}

struct link_counts bend_counts(const struct bend *b, int way, int64_t now_us,
                               uint64_t *ret_waiting_bytes)
{
    struct link_counts sum = b->closed[way];

    *ret_waiting_bytes = link_backlog_bytes(&b->link[way], now_us);
    bend_count(&sum, &b->link[way].counts);
    bend_tcp_count(b, way, now_us, &sum, ret_waiting_bytes);
    return sum;
}

void bend_on_ready(struct bend *b, const struct sleep_ready *r, int64_t now_us)
{
    size_t index = (size_t)(r->id >> BEND_INDEX_SHIFT);

    switch (r->id & ((1u << BEND_INDEX_SHIFT) - 1)) {
    case BEND_TUN:
        bend_tun_on_ready(b, index, now_us);
        break;
    case BEND_UDP:
        bend_udp_on_ready(b, index, now_us);
        break;
    case BEND_TCP_LISTEN:
        bend_tcp_on_accept(b, now_us);
        break;
    case BEND_TCP:
        bend_tcp_on_ready(b, index, r->what, now_us);
        break;
    }
}

void bend_deliver(struct bend *b, int64_t now_us)
{
    if (b->tun)
        bend_tun_deliver(b, now_us);
    if (b->udp)
        bend_udp_deliver(b, now_us);
    if (b->tcp)
        bend_tcp_deliver(b, now_us);
}

int64_t bend_deadline_us(const struct bend *b, int64_t now_us)
{
    int64_t at = bend_tcp_deadline_us(b);

    for (int way = 0; way < 2; way++) {
        int64_t due = link_deadline_us(&b->link[way]);
        at = due < at ? due : at;
    }
    return at > now_us ? at : now_us;
}
