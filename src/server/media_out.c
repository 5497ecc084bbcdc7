#include "server/worker_media_in.h"

#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"

#define LAZY_US 250000 /* a session that is looked at so soon need not be now */

void media_flush(struct worker *w, struct gather *g)
{
    const struct via *via = g->n ? worker_via(g->c, &g->to.at) : NULL;
    union address to;

    if (via && worker_address(&g->to.at, &to)) {
        struct udp_out o = { .to = &to,
                             .from = via->local.len ? &via->local : NULL,
                             .parts = g->parts,
                             .n_parts = g->n_parts,
                             .segment = g->n > 1 ? g->segment : 0,
                             .ecn = g->to.ect ? 2 : 0 };
        if (udp_send(w->udp[via->socket], &o) > 0) {
            w->counts.out += g->n;
            w->counts.out_bytes += g->bytes;
        }
    }
    g->n_parts = g->used = g->bytes = g->n = 0;
    g->closed = false;
}

static void gather(struct worker *w, struct gather *g, struct carried *c, const struct flow_to *to,
                   size_t head, const struct media_part *parts, size_t n)
{
    size_t len = head;

    for (size_t i = 0; i < n; i++)
        len += parts[i].head.len;
    if (g->n && (g->c != c || g->closed || len > g->segment || g->n == UDP_SEGMENTS_MAX ||
                 g->bytes + len > UDP_RUN_BYTES || !path_same(&g->to.at, &to->at))) {
        uint8_t *late = w->out + g->used;
        media_flush(w, g);
        memmove(w->out, late, head);
    }
    if (!g->n) {
        g->c = c;
        g->to = *to;
        g->segment = len;
    }
    g->parts[g->n_parts++] = (struct iovec){ w->out + g->used, head };
    for (size_t i = 0; i < n; i++)
        g->parts[g->n_parts++] = (struct iovec){ (void *)parts[i].payload, parts[i].head.len };
    g->closed = len < g->segment;
    g->used += head;
    g->bytes += len;
    g->n++;
}

/* A message of the tunnel. */
static void send_message(struct worker *w, struct carried *c, size_t head,
                         const struct media_part *parts, size_t n)
{
    size_t len = head;
    struct word *word = calloc(1, sizeof *word);

    for (size_t i = 0; i < n; i++)
        len += parts[i].head.len;
    struct blob *b = word ? blob_new(FRAME_HEAD + len) : NULL;
    if (!b) {
        free(word);
        return; /* lost, as the network loses */
    }
    frame_head_encode(b->bytes, len);
    memcpy(b->bytes + FRAME_HEAD, w->out, head);
    for (size_t i = 0, at = FRAME_HEAD + head; i < n; at += parts[i].head.len, i++)
        memcpy(b->bytes + at, parts[i].payload, parts[i].head.len);
    *word = (struct word){ .what = WORD_FRAMES, .conn = c->tunnel, .bytes = b, .soon = n > 0 };
    worker_tell(w, word);
}

void media_send_to(struct worker *w, struct gather *g, struct leg_at *l,
                   const struct media_part *parts, size_t n_parts, const struct dgram *words,
                   size_t n_words)
{
    struct carried *c = l->c;
    struct flow_to to;

    if (!c || c->over)
        return;
    if (g->n_parts + 1 + n_parts > UDP_PARTS_MAX || (c->tunnel && g->n))
        media_flush(w, g);
    int n = flow_send_media(c->flow, w->now_us, w->out + g->used, PACKET_MTU_MAX, parts, n_parts,
                            words, n_words, &to);
    if (n <= 0)
        return;
    for (size_t i = 0; i < n_parts; i++)
        l->bytes_out += parts[i].head.len;
    if (c->tunnel)
        send_message(w, c, (size_t)n, parts, n_parts);
    else
        gather(w, g, c, &to, (size_t)n, parts, n_parts);
    if (c->due.at_us > w->now_us + LAZY_US)
        worker_touch(w, c);
}
