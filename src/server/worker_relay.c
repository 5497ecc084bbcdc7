#include "server/worker_relay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "seal/digest.h"
#include "wire/frame.h"

struct passing {
    struct relay relay;
    struct via vias[2];
    uint64_t tunnel[2]; /* connections; 0: none */
};

/* --- they come and go -------------------------------------------------------------------- */

void worker_relay_open(struct worker *w, const struct word *word)
{
    struct passing *p = calloc(1, sizeof *p);

    if (!p || map_put(&w->relays, word->id, p)) {
        free(p); /* its packets are strangers' */
        return;
    }
    static_assert(sizeof word->secret == 2 * RELAY_TOKEN, "a word carries both tokens");
    relay_init(&p->relay, word->id, word->passes, word->secret);
    w->counts.relays++;
}

void worker_relay_close(struct worker *w, uint32_t number)
{
    struct passing *p = map_take(&w->relays, number);

    if (!p)
        return;
    if (w->run.to == p)
        worker_relay_flush(w);
    for (int i = 0; i < 2; i++)
        worker_let_go(w, p->tunnel[i]);
    seal_wipe(p, sizeof *p);
    free(p);
    w->counts.relays--;
}

void worker_relay_close_all(struct worker *w)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&w->relays, &i)); i = 0)
        worker_relay_close(w, ((struct passing *)s->value)->relay.number);
}

/* --- out ------------------------------------------------------------------------------------- */

static void send_run(struct worker *w, const struct via *via, const uint8_t *bytes, size_t len,
                     size_t segment, int ecn)
{
    struct iovec part = { (void *)bytes, len };
    union address to;
    struct udp_out o = { .to = &to,
                         .from = via->local.len ? &via->local : NULL,
                         .parts = &part,
                         .n_parts = 1,
                         .segment = len > segment ? segment : 0,
                         .ecn = ecn };

    if (!worker_address(&via->at, &to) || udp_send(w->udp[via->socket], &o) <= 0)
        return;
    w->counts.out += (len + segment - 1) / segment;
    w->counts.out_bytes += len;
}

void worker_relay_flush(struct worker *w)
{
    struct relay_run *r = &w->run;

    if (r->n)
        send_run(w, &r->to->vias[r->side], w->out, r->used, r->segment, r->ecn);
    *r = (struct relay_run){ 0 };
}

static void join_run(struct worker *w, struct passing *to, int side, const uint8_t *bytes,
                     size_t len, int ecn)
{
    struct relay_run *r = &w->run;

    if (r->n && (r->to != to || r->side != side || r->ecn != ecn || r->closed || len > r->segment ||
                 r->n == UDP_SEGMENTS_MAX || r->used + len > UDP_RUN_BYTES))
        worker_relay_flush(w);
    if (!r->n)
        *r = (struct relay_run){ .to = to, .side = side, .segment = len, .ecn = ecn };
    memcpy(w->out + r->used, bytes, len);
    r->used += len;
    r->n++;
    r->closed = len < r->segment;
}

static void send_in_tunnel(struct worker *w, uint64_t conn, const uint8_t *bytes, size_t len)
{
    struct word *word = len <= TUNNEL_MESSAGE ? calloc(1, sizeof *word) : NULL;

    if (!word)
        return;
    *word = (struct word){ .what = WORD_FRAMES, .conn = conn, .bytes = blob_new(FRAME_HEAD + len) };
    if (!word->bytes) {
        word_free(word);
        return;
    }
    frame_head_encode(word->bytes->bytes, len);
    memcpy(word->bytes->bytes + FRAME_HEAD, bytes, len);
    worker_tell(w, word);
}

static void pass_on(struct worker *w, struct passing *p, int to, const uint8_t *bytes, size_t len,
                    int ecn)
{
    w->counts.relayed_bytes += len;
    if (p->tunnel[to])
        send_in_tunnel(w, p->tunnel[to], bytes, len);
    else if (relay_where(&p->relay, to, w->now_us))
        join_run(w, p, to, bytes, len, ecn);
}

/* --- in -------------------------------------------------------------------------------------- */

bool worker_relay_number(const uint8_t *bytes, size_t len, uint32_t *ret)
{
    enum relay_kind kind;

    return relay_read(bytes, len, ret, &kind);
}

void worker_relay_packet(struct worker *w, const struct packet_in *in, uint32_t number)
{
    struct passing *p = map_get(&w->relays, number);
    struct relay_verdict v;
    uint8_t cookie[RELAY_COOKIE];
    struct via via = { .at = in->from, .local = *in->to, .socket = (uint8_t)in->socket };

    if (!p || (in->bytes[5] == RELAY_HERE &&
               getrandom(cookie, sizeof cookie, GRND_NONBLOCK) != sizeof cookie)) {
        w->counts.strangers++;
        return;
    }
    relay_on_packet(&p->relay, in->bytes, in->len, &in->from, cookie, w->now_us, &v);
    switch (v.what) {
    case RELAY_PASS:
        pass_on(w, p, !v.side, in->bytes, in->len, in->ecn);
        break;
    case RELAY_ANSWER:
        if (path_same(&p->relay.side[v.side].at, &in->from))
            p->vias[v.side] = via;
        worker_relay_flush(w); /* what is in it goes where the end was */
        send_run(w, &via, v.bytes, v.len, v.len, 0);
        break;
    case RELAY_NOTHING:
        w->counts.strangers++;
        break;
    }
}

/* --- tunnels -----------------------------------------------------------------------------------
 */

bool worker_relay_tunnel(struct worker *w, const struct word *word)
{
    struct passing *p = map_get(&w->relays, word->id);

    if (!p)
        return false;
    worker_let_go(w, p->tunnel[word->side & 1]); /* one at a time: the newest */
    p->tunnel[word->side & 1] = word->conn;
    return true;
}

bool worker_relay_frames(struct worker *w, const struct word *word)
{
    struct passing *p = map_get(&w->relays, word->id);
    const uint8_t *at = word->bytes->bytes, *end = at + word->bytes->len, *body;
    struct frame_reader whole;
    enum relay_kind kind;
    uint32_t number;
    size_t len;

    if (!p)
        return false;
    frame_reader_init(&whole);
    while (frame_next(&whole, &at, end, &body, &len) > 0) {
        bool ours = relay_read(body, len, &number, &kind) && number == word->id &&
                    kind == RELAY_PACKET && len <= UDP_RUN_BYTES && p->relay.passes;
        for (int i = 0; i < 2 && ours; i++)
            if (p->tunnel[i] == word->conn)
                pass_on(w, p, !i, body, len, 0);
    }
    frame_reader_fini(&whole);
    worker_relay_flush(w);
    return true;
}

bool worker_relay_hung_up(struct worker *w, const struct word *word)
{
    struct passing *p = map_get(&w->relays, word->id);

    for (int i = 0; p && i < 2; i++)
        if (p->tunnel[i] == word->conn)
            p->tunnel[i] = 0;
    return p != NULL;
}
