#include "server/worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "flow/flow_media.h"
#include "server/worker_media.h"
#include "server/worker_relay.h"
#include "server/worker_trip.h"
#include "wire/frame.h"
#include "wire/packet.h"

enum {
    PACKETS_A_TURN = 1024, /* then those who are due have their turn */
    WORDS_A_TURN = 256,
    EVENT_ID = WORKER_SOCKETS_MAX,
};

void worker_touch(struct worker *w, struct carried *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = w->dirty;
    w->dirty = c;
}

bool worker_tell(struct worker *w, struct word *word)
{
    if (!word || !passage_put(&w->outbox, word)) {
        word_free(word);
        return false;
    }
    wake_send(&w->all->wake);
    return true;
}

/* --- sessions -------------------------------------------------------------------------- */

static void open_session(struct worker *w, struct word *o)
{
    const struct flow_settings settings = { .session = o->id,
                                            .secret = o->secret,
                                            .seed = o->seed,
                                            .mtu_most = PACKET_MTU_MAX,
                                            .ecn = true,
                                            .data_window = TRIP_WINDOW,
                                            .proves = true };
    struct carried *c = calloc(1, sizeof *c);

    if (c && !dues_reserve(&w->dues) && !flow_new(&c->flow, &settings, w->now_us) &&
        !map_put(&w->sessions, o->id, c)) {
        c->id = o->id;
        dues_set(&w->dues, &c->due, INT64_MAX);
        w->counts.sessions++;
        return;
    }
    if (c) /* its packets are strangers': the client travels in a tunnel, or asks again */
        flow_free(c->flow);
    free(c);
}

void worker_let_go(struct worker *w, uint64_t conn)
{
    struct word *word = conn ? calloc(1, sizeof *word) : NULL;

    if (!word)
        return;
    *word = (struct word){ .what = WORD_CLOSE, .conn = conn };
    worker_tell(w, word);
}

/* What is on its way to a session that is over finds none. */
static void close_session(struct worker *w, uint32_t id)
{
    struct carried *c = map_get(&w->sessions, id);

    if (!c)
        return;
    worker_media_left(w, c);
    trips_leave(w, c);
    flow_close(c->flow, FLOW_DONE, "the server ends this session");
    worker_send_one(w, c);
    for (struct carried **at = &w->dirty; *at; at = &(*at)->next_dirty)
        if (*at == c) {
            *at = c->next_dirty;
            break;
        }
    dues_remove(&w->dues, &c->due);
    map_take(&w->sessions, id);
    worker_let_go(w, c->tunnel);
    flow_free(c->flow);
    free(c);
    w->counts.sessions--;
}

static void close_all(struct worker *w)
{
    struct map_slot *s;

    worker_relay_close_all(w);
    for (size_t i = 0; (s = map_next(&w->sessions, &i)); i = 0)
        close_session(w, ((struct carried *)s->value)->id);
}

static void on_tunnel(struct worker *w, const struct word *word)
{
    struct carried *c = map_get(&w->sessions, word->id);

    if (worker_relay_tunnel(w, word))
        return;
    if (!c || c->over) {
        worker_let_go(w, word->conn);
        return;
    }
    worker_let_go(w, c->tunnel); /* one at a time: the newest */
    flow_tunnel(c->flow, false, w->now_us);
    c->tunnel = word->conn;
    flow_tunnel(c->flow, true, w->now_us);
    worker_touch(w, c);
}

static void on_frames(struct worker *w, const struct word *word)
{
    struct carried *c = map_get(&w->sessions, word->id);
    const uint8_t *at = word->bytes->bytes, *end = at + word->bytes->len, *body;
    struct frame_reader whole;
    size_t len;

    if (worker_relay_frames(w, word) || !c || c->tunnel != word->conn)
        return;
    frame_reader_init(&whole);
    w->came_us = w->now_us;
    while (frame_next(&whole, &at, end, &body, &len) > 0)
        flow_on_frames(c->flow, w->now_us, body, len);
    frame_reader_fini(&whole);
    worker_media_came(w, c);
    worker_touch(w, c);
}

void worker_hang_up(struct worker *w, struct carried *c)
{
    c->tunnel = 0;
    flow_tunnel(c->flow, false, w->now_us);
    worker_touch(w, c);
}

static void on_hung_up(struct worker *w, const struct word *word)
{
    struct carried *c = map_get(&w->sessions, word->id);

    if (!worker_relay_hung_up(w, word) && c && c->tunnel == word->conn)
        worker_hang_up(w, c);
}

static void on_rate(struct worker *w, const struct word *word)
{
    struct carried *c = map_get(&w->sessions, word->id);

    if (c && c->tunnel == word->conn)
        flow_on_tunnel_rate(c->flow, word->rate);
}

/* A blob's bytes lie anywhere: what is in them is taken out. */
static void on_leg(struct worker *w, const struct word *word)
{
    struct hub_leg leg;

    memcpy(&leg, word->bytes->bytes, sizeof leg);
    worker_media_on_leg(w, &leg);
}

static void on_word(struct worker *w, struct word *word)
{
    switch (word->what) {
    case WORD_OPEN:
        open_session(w, word);
        break;
    case WORD_CLOSE:
        close_session(w, word->id);
        worker_relay_close(w, word->id);
        break;
    case WORD_RELAY:
        worker_relay_open(w, word);
        break;
    case WORD_STOP:
        w->stopping = true;
        break;
    case WORD_TUNNEL:
        on_tunnel(w, word);
        break;
    case WORD_FRAMES:
        on_frames(w, word);
        break;
    case WORD_LEG:
        on_leg(w, word);
        break;
    case WORD_HEARD: /* goes the other way */
        break;
    case WORD_HUNG_UP:
        on_hung_up(w, word);
        break;
    case WORD_RATE:
        on_rate(w, word);
        break;
    }
    word_free(word);
}

/* --- packets ------------------------------------------------------------------------------ */

static void note_via(struct carried *c, const struct packet_in *p)
{
    struct via *via = NULL;

    for (unsigned i = 0; i < CARRIED_VIAS; i++)
        if (path_same(&c->vias[i].at, &p->from))
            via = &c->vias[i];
    if (!via)
        via = &c->vias[c->next_via++ % CARRIED_VIAS];
    *via = (struct via){ .at = p->from, .local = *p->to, .socket = (uint8_t)p->socket };
}

static void on_packet(struct worker *w, const struct packet_in *p, uint32_t session)
{
    struct carried *c = map_get(&w->sessions, session);
    struct flow_view v;

    if (!c) {
        w->counts.strangers++;
        return;
    }
    flow_look(c->flow, &v);
    bool is_proven = path_same(&v.paths->now, &p->from);
    w->came_us = p->came_us;
    flow_came_before(c->flow, w->now_us - p->came_us);
    if (flow_on_datagram_from(c->flow, w->now_us, p->bytes, p->len, p->ecn, &p->from)) {
        w->counts.forged++;
        return;
    }
    if (!is_proven)
        w->counts.unproven_in += p->len;
    note_via(c, p);
    worker_media_came(w, c);
    worker_touch(w, c);
}

static void hand_over(struct worker *w, const struct packet_in *p, struct worker *to)
{
    struct handed *h = p->len <= UINT16_MAX ? malloc(sizeof *h + p->len) : NULL;

    if (!h)
        return;
    *h = (struct handed){ .from = p->from,
                          .to = *p->to,
                          .socket = (uint8_t)p->socket,
                          .ecn = (uint8_t)p->ecn,
                          .len = (uint16_t)p->len };
    memcpy(h->bytes, p->bytes, p->len);
    if (!passage_put(&to->handed[w->index], h)) {
        free(h); /* lost, as the network loses */
        return;
    }
    w->counts.handed_over++;
    worker_wake(to);
}

static void take_packet(struct worker *w, const struct packet_in *in)
{
    struct packet p = { 0 };
    bool relay = worker_relay_number(in->bytes, in->len, &p.session);

    w->counts.in++;
    w->counts.in_bytes += in->len;
    if (!relay && (packet_read(&p, in->bytes, in->len) || !p.from_client)) {
        w->counts.strangers++;
        return;
    }
    unsigned whose = p.session & (w->all->n - 1);
    if (whose == w->index && relay)
        worker_relay_packet(w, in, p.session);
    else if (whose == w->index)
        on_packet(w, in, p.session);
    else
        hand_over(w, in, w->all->each[whose]);
}

/* The kernel's stamps are of another clock, which may be set: so not before the socket was last
 * empty, and not later than now. */
static int64_t came_at(const struct worker *w, int64_t stamp_ns)
{
    int64_t at_us = stamp_ns / 1000 - w->day_us;

    if (!stamp_ns || at_us > w->now_us)
        return w->now_us;
    return at_us > w->read_us ? at_us : w->read_us;
}

static void read_socket(struct worker *w, unsigned i)
{
    struct udp_in in;

    for (int n = 0; n < PACKETS_A_TURN && udp_receive(w->udp[i], &in) > 0; n++) {
        struct packet_in p = { .from = path_of(&in.from),
                               .to = &in.to,
                               .socket = i,
                               .ecn = in.ecn,
                               .came_us = came_at(w, in.stamp_ns),
                               .bytes = in.bytes,
                               .len = in.len };
        take_packet(w, &p);
    }
    worker_relay_flush(w);
}

static void take_handed(struct worker *w)
{
    struct handed *h;

    for (unsigned i = 0; i < w->all->n; i++)
        while ((h = passage_take(&w->handed[i]))) {
            struct packet_in p = { .from = h->from,
                                   .to = &h->to,
                                   .socket = h->socket,
                                   .ecn = h->ecn,
                                   .came_us = w->now_us,
                                   .bytes = h->bytes,
                                   .len = h->len };
            struct packet head;
            uint32_t number;
            if (worker_relay_number(p.bytes, p.len, &number))
                worker_relay_packet(w, &p, number);
            else if (!packet_read(&head, p.bytes, p.len))
                on_packet(w, &p, head.session);
            free(h);
        }
    worker_relay_flush(w);
}

static void take_words(struct worker *w)
{
    struct word *word;
    uint64_t n;
    int i = 0;

    if (read(w->event, &n, sizeof n) < 0)
        return; /* nothing came */
    for (; i < WORDS_A_TURN && (word = passage_take(&w->inbox)); i++)
        on_word(w, word);
    if (i == WORDS_A_TURN)
        worker_wake(w); /* there may be more */
    if (atomic_exchange(&w->all->awaited, false))
        wake_send(&w->all->wake);
    take_handed(w);
    trips_on_answers(w);
}

/* --- the thread ------------------------------------------------------------------------------ */

static void expire(struct worker *w)
{
    struct due *d;

    while ((d = dues_first(&w->dues)) && d->at_us <= w->now_us) {
        struct carried *c = (struct carried *)((char *)d - offsetof(struct carried, due));
        flow_expire(c->flow, w->now_us);
        worker_send_one(w, c);
        if (d->at_us <= w->now_us) /* paced to this moment: the others first */
            dues_set(&w->dues, d, w->now_us + 1);
    }
}

static void count_overflows(struct worker *w)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < w->n_udp; i++)
        n += udp_counts(w->udp[i])->overflowed;
    w->counts.overflowed = n;
}

static void turn(struct worker *w)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];
    struct due *first = dues_first(&w->dues);
    int64_t media_us = worker_media_deadline_us(w), due_us = first ? first->at_us : INT64_MAX;
    int64_t nap_us = worker_media_nap_us(w, sleep_now_us());
    due_us = media_us < due_us ? media_us : due_us;
    if (nap_us)
        sleep_nap(nap_us < due_us ? nap_us : due_us);
    int n = sleep_until(&w->sleep, due_us, ready);

    w->now_us = sleep_now_us();
    w->day_us = n ? sleep_day_us() - w->now_us : w->day_us;
    for (int i = 0; i < n; i++)
        if (ready[i].id == EVENT_ID)
            take_words(w); /* first: its packets may follow the word of a session at once */
    for (int i = 0; i < n; i++)
        if (ready[i].id != EVENT_ID)
            read_socket(w, (unsigned)ready[i].id);
    w->read_us = w->now_us;
    worker_media_send(w);
    worker_send(w);
    expire(w);
    count_overflows(w);
}

int worker_begin(struct worker *w)
{
    int err = sleep_init(&w->sleep, false);

    for (unsigned i = 0; !err && i < w->n_udp; i++)
        err = sleep_add(&w->sleep, udp_fd(w->udp[i]), SLEEP_READ, i);
    return err ? err : sleep_add(&w->sleep, w->event, SLEEP_READ, EVENT_ID);
}

void worker_main(void *worker)
{
    struct worker *w = worker;

    sleep_sharpen();
    w->now_us = sleep_now_us();
    while (!w->stopping)
        turn(w);
    close_all(w);
}
