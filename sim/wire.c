#include "sim/wire.h"

#include <assert.h>
#include <string.h>

static struct blob *piece(const struct blob *b, size_t from, size_t to)
{
    struct blob *p = blob_copy(b->bytes + from, to - from);

    assert(p && "the simulator has memory");
    return p;
}

void wire_open(struct wire *w, uint64_t conn, int actor, const struct link_config *config,
               struct dice *dice, int64_t now_us)
{
    struct link_config up = *config;

    memset(w, 0, sizeof *w);
    up.queue_bytes = 0; /* the client's own queue is no subject here */
    link_init(&w->up, LINK_STREAM, &up, dice_next(dice));
    link_init(&w->down, LINK_STREAM, config, dice_next(dice));
    frame_reader_init(&w->reader);
    w->used = w->client_open = true;
    w->conn = conn;
    w->actor = actor;
    w->syn_us = now_us + 2 * config->delay_us;
    w->fin_us = w->rst_us = INT64_MAX;
}

static void drop_queue(struct wire *w)
{
    while (w->queue_n) {
        blob_unref(w->queue[w->queue_at++ % WIRE_QUEUE_MAX]);
        w->queue_n--;
    }
    w->queue_bytes = 0;
}

void wire_free(struct wire *w)
{
    drop_queue(w);
    link_fini(&w->up);
    link_fini(&w->down);
    frame_reader_fini(&w->reader);
    w->used = false;
}

void wire_send_up(struct wire *w, struct blob *b, struct dice *dice, int64_t now_us)
{
    size_t pieces = 1 + dice_below(dice, WIRE_PIECES_MAX), at = 0;

    for (size_t i = 0; i < pieces && at < b->len; i++) {
        size_t to = i + 1 == pieces ? b->len : at + 1 + dice_below(dice, b->len - at);
        struct blob *p = piece(b, at, to);
        int err = link_push(&w->up, now_us, p);
        assert(!err);
        (void)err;
        blob_unref(p);
        at = to;
    }
}

void wire_pump(struct wire *w, int64_t now_us)
{
    while (w->queue_n) {
        struct blob *b = w->queue[w->queue_at % WIRE_QUEUE_MAX];
        if (link_push(&w->down, now_us, b) < 0)
            return;
        w->queue_bytes -= b->len;
        blob_unref(b);
        w->queue_at++;
        w->queue_n--;
    }
}

static bool send_piece(struct wire *w, struct blob *b, int64_t now_us)
{
    wire_pump(w, now_us);
    if (w->queue_n == 0 && link_push(&w->down, now_us, b) == 0)
        return true;
    if (w->queue_n == WIRE_QUEUE_MAX || w->queue_bytes + b->len > WIRE_QUEUE_BYTES_MAX)
        return false;
    w->queue[(w->queue_at + w->queue_n++) % WIRE_QUEUE_MAX] = blob_ref(b);
    w->queue_bytes += b->len;
    return true;
}

bool wire_send_down(struct wire *w, struct blob *b, int64_t now_us)
{
    bool sent = true;

    if (b->len <= WIRE_PIECE_BYTES)
        return send_piece(w, b, now_us);
    for (size_t at = 0; sent && at < b->len; at += WIRE_PIECE_BYTES) {
        size_t left = b->len - at;
        struct blob *p = piece(b, at, at + (left < WIRE_PIECE_BYTES ? left : WIRE_PIECE_BYTES));
        sent = send_piece(w, p, now_us);
        blob_unref(p);
    }
    return sent;
}

void wire_reset(struct wire *w, int64_t now_us)
{
    drop_queue(w);
    link_reset(&w->up);
    link_reset(&w->down);
    w->server_open = w->ending = false;
    w->syn_us = w->fin_us = INT64_MAX;
    w->rst_us = w->client_open ? now_us + w->down.config.delay_us : INT64_MAX;
}

void wire_set_down(struct wire *w, bool down, int64_t now_us)
{
    link_set_down(&w->up, down, now_us);
    link_set_down(&w->down, down, now_us);
}

bool wire_is_drained(const struct wire *w)
{
    return w->queue_n == 0 && link_is_empty(&w->down);
}

static int64_t min_us(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t wire_deadline_us(const struct wire *w)
{
    int64_t at = INT64_MAX;

    if (w->up.down)
        return at;
    at = min_us(min_us(w->syn_us, w->fin_us), w->rst_us);
    at = min_us(at, link_deadline_us(&w->up));
    at = min_us(at, link_deadline_us(&w->down));
    /* a full queue is tried again when it has gone */
    if (w->queue_n)
        at = min_us(at, link_idle_us(&w->down));
    return at;
}
