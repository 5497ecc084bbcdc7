/* bend_udp.c - datagrams of programs: each client gets a socket of its own toward the target. */
#include "cli/bend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "net/udp.h"

/* More clients than that, and the one that was silent longest has to go. */
enum { FLOWS_MAX = 256, ECN_SHIFT = 16, QUEUE_BYTES = 4 << 20 };

struct client {
    union address from;
    struct udp_local local; /* where it knocked */
    struct udp *there;      /* NULL: the place is free */
    int64_t heard_us;
};

struct bend_udp {
    struct udp *here;
    union address to;
    struct client clients[FLOWS_MAX];
    size_t n;
};

int bend_udp_open(struct bend *b, union address *listen, const union address *to,
                  char wrong[static BEND_WRONG_MAX])
{
    struct udp_settings s = { .at = *listen, .queue_bytes = QUEUE_BYTES };
    char text[ADDRESS_TEXT_MAX];

    b->udp = calloc(1, sizeof *b->udp);
    int err = b->udp ? udp_open(&b->udp->here, &s) : -ROOST_NOMEM;
    if (!err)
        err = udp_where(b->udp->here, listen);
    if (!err)
        err = sleep_add(&b->sleep, udp_fd(b->udp->here), SLEEP_READ, bend_id(BEND_UDP, FLOWS_MAX));
    if (err) {
        address_text(listen, text);
        snprintf(wrong, BEND_WRONG_MAX, "listening for datagrams at %s: %s", text,
                 err == -ROOST_NOMEM ? "out of memory" : strerror(errno));
        return err;
    }
    b->udp->to = *to;
    return 0;
}

static void drop_client(struct bend *b, size_t i)
{
    struct client *c = &b->udp->clients[i];

    if (!c->there)
        return;
    sleep_remove(&b->sleep, udp_fd(c->there));
    udp_close(c->there);
    c->there = NULL;
}

void bend_udp_close(struct bend *b)
{
    if (!b->udp)
        return;
    for (size_t i = 0; i < FLOWS_MAX; i++)
        drop_client(b, i);
    udp_close(b->udp->here);
    free(b->udp);
    b->udp = NULL;
}

size_t bend_udp_flows(const struct bend *b)
{
    return b->udp ? b->udp->n : 0;
}

/* --- clients --- */

/* Its place, or the one to take: a free one, or that of who was silent longest. */
static size_t place_of(const struct bend_udp *u, const union address *from)
{
    size_t best = 0;

    for (size_t i = 0; i < u->n; i++) {
        const struct client *c = &u->clients[i];
        if (c->there && address_equal(&c->from, from))
            return i;
        if (!c->there || (u->clients[best].there && c->heard_us < u->clients[best].heard_us))
            best = i;
    }
    return u->n < FLOWS_MAX ? u->n : best;
}

static bool is_place_of(const struct client *c, const union address *from)
{
    return c->there && address_equal(&c->from, from);
}

static int welcome(struct bend *b, size_t i, const struct udp_in *in)
{
    struct bend_udp *u = b->udp;
    struct client *c = &u->clients[i];
    struct udp_settings s = { .connect = true, .to = u->to, .queue_bytes = QUEUE_BYTES };

    b->crowded += c->there != NULL;
    drop_client(b, i);
    s.at.any.sa_family = u->to.any.sa_family;
    int err = udp_open(&c->there, &s);
    if (err)
        return err;
    c->from = in->from;
    c->local = in->to;
    err = sleep_add(&b->sleep, udp_fd(c->there), SLEEP_READ, bend_id(BEND_UDP, i));
    if (err) {
        udp_close(c->there);
        c->there = NULL;
        return err;
    }
    if (i == u->n)
        u->n++;
    return 0;
}

/* --- datagrams --- */

static void push(struct bend *b, int way, int64_t now_us, const struct udp_in *in, size_t i)
{
    struct blob *p = blob_copy(in->bytes, in->len);

    if (!p || link_push_tagged(&b->link[way], now_us, p,
                               (uint32_t)i | (uint32_t)in->ecn << ECN_SHIFT) < 0)
        b->unsent++;
    blob_unref(p);
}

static void on_client(struct bend *b, int64_t now_us)
{
    struct bend_udp *u = b->udp;
    struct udp_in in;

    for (int n = 0; n < BEND_AT_ONCE && udp_receive(u->here, &in) > 0; n++) {
        size_t i = place_of(u, &in.from);
        if (!in.len)
            continue;
        if (!is_place_of(&u->clients[i], &in.from) && welcome(b, i, &in) < 0) {
            b->unsent++;
            continue;
        }
        u->clients[i].heard_us = now_us;
        push(b, BEND_UP, now_us, &in, i);
    }
}

void bend_udp_on_ready(struct bend *b, size_t index, int64_t now_us)
{
    struct udp_in in;

    if (index == FLOWS_MAX) {
        on_client(b, now_us);
        return;
    }
    struct client *c = &b->udp->clients[index];
    for (int n = 0; c->there && n < BEND_AT_ONCE && udp_receive(c->there, &in) > 0; n++) {
        c->heard_us = now_us;
        if (in.len)
            push(b, BEND_DOWN, now_us, &in, index);
    }
}

static void send_on(struct bend *b, int way, const struct blob *p, uint32_t tag)
{
    struct client *c = &b->udp->clients[tag & ((1u << ECN_SHIFT) - 1)];
    struct iovec part = { (uint8_t *)p->bytes, p->len };
    struct udp_out out = { .parts = &part, .n_parts = 1, .ecn = (int)(tag >> ECN_SHIFT) };

    if (!c->there) {
        b->unsent++;
        return;
    }
    if (way == BEND_DOWN) {
        out.to = &c->from;
        out.from = &c->local;
    }
    if (udp_send(way == BEND_UP ? c->there : b->udp->here, &out) != (int64_t)p->len)
        b->unsent++;
}

void bend_udp_deliver(struct bend *b, int64_t now_us)
{
    uint32_t tag;

    for (int way = 0; way < 2; way++)
        for (struct blob *p; (p = link_next_tagged(&b->link[way], now_us, &tag)); blob_unref(p))
            send_on(b, way, p, tag);
}
