#include "lab/classics/transfer.h"

#include <stdio.h>

#include "base/err.h"
#include "base/utf8.h"
#include "lab/classics/pack.h"

/* --- messages ------------------------------------------------------------------------------ */

static const char *const names[] = { "?", "OFFER", "READY", "NO", "CHUNK", "ACK", "END", "DONE" };

const char *transfer_text(enum transfer_why why)
{
    static const char *const texts[] = {
        "the other side does not answer any more",
        "the other side takes no file of this name",
        "a file of this name is there already",
        "the other side could not store it",
        "what was stored is not what was sent",
        "the other side has too many at once",
        "the other side was stopped",
    };
    return texts[why <= TRANSFER_STOPPED ? why : 0];
}

bool transfer_name_ok(const char *name)
{
    const char *at = name, *end = name + strlen(name);

    if (at == end || *at == '.' || end - at > TRANSFER_NAME_MAX || !utf8_valid(name, strlen(name)))
        return false;
    while (at < end) {
        uint32_t c = utf8_next(&at, end);
        if (c == '/' || c == '\\' || utf8_is_control(c))
            return false;
    }
    return true;
}

size_t transfer_encode(const struct transfer_message *m, uint8_t ret[static TRANSFER_MESSAGE_MAX])
{
    struct pack p = { ret, ret + TRANSFER_MESSAGE_MAX, false };

    pack_number(&p, m->kind, 1);
    pack_number(&p, m->session, 4);
    switch (m->kind) {
    case TRANSFER_OFFER:
        pack_number(&p, m->size, 8);
        pack_number(&p, m->chunk, 2);
        pack_bytes(&p, m->name, strlen(m->name));
        break;
    case TRANSFER_CHUNK:
        pack_number(&p, m->number, 8);
        pack_bytes(&p, m->bytes, m->len);
        break;
    case TRANSFER_ACK:
        pack_number(&p, m->number, 8);
        break;
    case TRANSFER_END:
        pack_number(&p, m->number, 8);
        pack_bytes(&p, m->hash, TRANSFER_HASH);
        break;
    case TRANSFER_NO:
        pack_number(&p, m->why, 1);
        break;
    default:
        break;
    }
    return pack_end(&p, ret);
}

static void decode_offer(struct transfer_message *m, struct unpack *p)
{
    m->size = unpack_number(p, 8);
    m->chunk = (uint32_t)unpack_number(p, 2);
    size_t len = (size_t)(p->end - p->at);
    const uint8_t *name = unpack_bytes(p, len);
    p->bad |= len > TRANSFER_NAME_MAX || m->size > TRANSFER_SIZE_MAX ||
              m->chunk < TRANSFER_CHUNK_MIN || m->chunk > TRANSFER_CHUNK_MAX;
    if (p->bad)
        return;
    memcpy(m->name, name, len);
    p->bad = memchr(m->name, 0, len) != NULL;
}

static void decode_body(struct transfer_message *m, struct unpack *p)
{
    const uint8_t *hash;

    switch (m->kind) {
    case TRANSFER_OFFER:
        decode_offer(m, p);
        break;
    case TRANSFER_CHUNK:
        m->number = unpack_number(p, 8);
        m->len = (size_t)(p->end - p->at);
        m->bytes = unpack_bytes(p, m->len);
        p->bad |= !m->len || m->len > TRANSFER_CHUNK_MAX;
        break;
    case TRANSFER_ACK:
        m->number = unpack_number(p, 8);
        break;
    case TRANSFER_END:
        m->number = unpack_number(p, 8);
        if ((hash = unpack_bytes(p, TRANSFER_HASH)))
            memcpy(m->hash, hash, TRANSFER_HASH);
        break;
    case TRANSFER_NO:
        m->why = (enum transfer_why)unpack_number(p, 1);
        p->bad |= m->why < TRANSFER_NAME || m->why > TRANSFER_STOPPED;
        break;
    default:
        break;
    }
}

int transfer_decode(struct transfer_message *ret, const uint8_t *bytes, size_t len)
{
    struct transfer_message m = { 0 };
    struct unpack p;

    if (!unpack_begin(&p, bytes, len))
        return -ROOST_MALFORMED;
    m.kind = (enum transfer_kind)unpack_number(&p, 1);
    m.session = (uint32_t)unpack_number(&p, 4);
    decode_body(&m, &p);
    if (p.bad || p.at != p.end || m.kind < TRANSFER_OFFER || m.kind >= TRANSFER_KINDS)
        return -ROOST_MALFORMED;
    *ret = m;
    return 0;
}

void transfer_describe(const uint8_t *bytes, size_t len, char ret[static 256])
{
    struct transfer_message m;

    if (transfer_decode(&m, bytes, len)) {
        snprintf(ret, 256, "damaged, %zu bytes", len);
        return;
    }
    const char *name = names[m.kind];
    unsigned long long n = m.number;
    if (m.kind == TRANSFER_OFFER)
        snprintf(ret, 256, "%s %.100s, %llu bytes", name, m.name, (unsigned long long)m.size);
    else if (m.kind == TRANSFER_CHUNK)
        snprintf(ret, 256, "%s %llu, %zu bytes", name, n, m.len);
    else if (m.kind == TRANSFER_ACK || m.kind == TRANSFER_END)
        snprintf(ret, 256, "%s %llu", name, n);
    else if (m.kind == TRANSFER_NO)
        snprintf(ret, 256, "%s: %s", name, transfer_text(m.why));
    else
        snprintf(ret, 256, "%s", name);
}

static uint64_t count_chunks(uint64_t size, uint32_t chunk)
{
    return (size + chunk - 1) / chunk;
}

/* Of chunk n. */
static size_t length_of(uint64_t size, uint32_t chunk, uint64_t n)
{
    uint64_t left = size - n * chunk;

    return left < chunk ? (size_t)left : chunk;
}

/* --- the sender ------------------------------------------------------------------------------ */

/* MARGIN: beyond the round trip at least: a machine that is busy for some milliseconds is no loss.
 */
enum { PATIENCE_FIRST_US = 500000, MARGIN_US = 20000, PATIENCE_MOST_US = 3000000 };

void transfer_out_init(struct transfer_out *t, uint32_t session, const char *name, uint64_t size,
                       uint32_t chunk, uint32_t window, bool lossy, int64_t now_us)
{
    *t = (struct transfer_out){ .lossy = lossy,
                                .session = session,
                                .chunk = chunk,
                                .window = window,
                                .size = size,
                                .chunks = count_chunks(size, chunk),
                                .heard_us = now_us,
                                .patience_us = PATIENCE_FIRST_US };
    snprintf(t->name, sizeof t->name, "%s", name);
}

/* RFC 6298, 2: a round trip was measured. */
static void measure(struct transfer_out *t, int64_t rtt_us)
{
    if (!t->smooth_us) {
        t->smooth_us = rtt_us + 1;
        t->deviation_us = rtt_us / 2;
    } else {
        int64_t off = rtt_us > t->smooth_us ? rtt_us - t->smooth_us : t->smooth_us - rtt_us;
        t->deviation_us += (off - t->deviation_us) / 4;
        t->smooth_us += (rtt_us - t->smooth_us) / 8;
    }
    int64_t margin_us = 4 * t->deviation_us;
    t->patience_us = t->smooth_us + (margin_us > MARGIN_US ? margin_us : MARGIN_US);
}

static void back_off(struct transfer_out *t)
{
    t->patience_us = t->patience_us * 2 < PATIENCE_MOST_US ? t->patience_us * 2 : PATIENCE_MOST_US;
}

static struct transfer_slot *slot_of(struct transfer_out *t, uint64_t number)
{
    return &t->slots[number % TRANSFER_WINDOW_MAX];
}

static void on_ack(struct transfer_out *t, uint64_t number, int64_t now_us)
{
    if (number < t->base || number >= t->next)
        return; /* of one that was acknowledged before, or was never sent */
    struct transfer_slot *s = slot_of(t, number);
    if (!s->acked && s->tries == 1)
        measure(t, now_us - s->sent_us);
    s->acked = true;
    while (t->base < t->next && slot_of(t, t->base)->acked)
        *slot_of(t, t->base++) = (struct transfer_slot){ 0 };
}

static void fail(struct transfer_out *t, enum transfer_why why)
{
    t->state = TRANSFER_FAILED;
    t->why = why;
}

void transfer_out_hear(struct transfer_out *t, const uint8_t *bytes, size_t len, int64_t now_us)
{
    struct transfer_message m;

    if (transfer_decode(&m, bytes, len) || m.session != t->session) {
        t->damaged++;
        return;
    }
    t->heard_us = now_us;
    if (m.kind == TRANSFER_READY && t->state == TRANSFER_OFFERS) {
        t->state = TRANSFER_SENDS;
        t->asked_us = 0;
    } else if (m.kind == TRANSFER_ACK && t->state == TRANSFER_SENDS) {
        on_ack(t, m.number, now_us);
    } else if (m.kind == TRANSFER_DONE && t->state == TRANSFER_ENDS) {
        t->state = TRANSFER_OVER;
    } else if (m.kind == TRANSFER_NO && t->state < TRANSFER_OVER) {
        fail(t, m.why);
    }
}

static int ask(struct transfer_out *t, enum transfer_kind kind, int64_t now_us,
               struct transfer_message *ret)
{
    if (t->asked_us && (!t->lossy || now_us < t->asked_us + t->patience_us))
        return 0;
    if (t->asked_us)
        back_off(t);
    t->asked_us = now_us ? now_us : 1;
    *ret = (struct transfer_message){
        .kind = kind, .session = t->session, .size = t->size, .chunk = t->chunk, .number = t->chunks
    };
    memcpy(ret->name, t->name, sizeof ret->name);
    memcpy(ret->hash, t->hash, sizeof ret->hash);
    return 1;
}

static int send_chunk(struct transfer_out *t, uint64_t number, int64_t now_us,
                      struct transfer_message *ret)
{
    struct transfer_slot *s = slot_of(t, number);

    t->sent++;
    t->again += s->tries++ > 0;
    s->sent_us = now_us;
    *ret = (struct transfer_message){ .kind = TRANSFER_CHUNK,
                                      .session = t->session,
                                      .number = number,
                                      .len = length_of(t->size, t->chunk, number) };
    return 1;
}

/* When a chunk is late. */
static int64_t due_us(const struct transfer_out *t, const struct transfer_slot *s)
{
    int64_t patience_us = t->patience_us << (s->tries < 6 ? s->tries - 1 : 5);

    return s->sent_us + (patience_us < PATIENCE_MOST_US ? patience_us : PATIENCE_MOST_US);
}

static int next_chunk(struct transfer_out *t, int64_t now_us, struct transfer_message *ret)
{
    for (uint64_t n = t->base; t->lossy && n < t->next; n++) {
        const struct transfer_slot *s = slot_of(t, n);
        if (!s->acked && now_us >= due_us(t, s))
            return send_chunk(t, n, now_us, ret);
    }
    if (t->next < t->chunks && t->next < t->base + t->window)
        return send_chunk(t, t->next++, now_us, ret);
    return 0;
}

int transfer_out_next(struct transfer_out *t, int64_t now_us, struct transfer_message *ret)
{
    if (t->state < TRANSFER_OVER && now_us - t->heard_us > TRANSFER_SILENCE_US)
        fail(t, 0);
    if (t->state == TRANSFER_SENDS && t->base == t->chunks)
        t->state = TRANSFER_ENDS;
    if (t->state == TRANSFER_OFFERS)
        return ask(t, TRANSFER_OFFER, now_us, ret);
    if (t->state == TRANSFER_SENDS)
        return next_chunk(t, now_us, ret);
    return t->state == TRANSFER_ENDS ? ask(t, TRANSFER_END, now_us, ret) : 0;
}

int64_t transfer_out_deadline_us(const struct transfer_out *t)
{
    int64_t at = t->heard_us + TRANSFER_SILENCE_US + 1;

    if (t->state >= TRANSFER_OVER)
        return INT64_MAX;
    if (t->lossy && t->state != TRANSFER_SENDS)
        return t->asked_us + t->patience_us < at ? t->asked_us + t->patience_us : at;
    for (uint64_t n = t->base; t->lossy && n < t->next; n++) {
        const struct transfer_slot *s = &t->slots[n % TRANSFER_WINDOW_MAX];
        if (!s->acked && due_us(t, s) < at)
            at = due_us(t, s);
    }
    return at;
}

uint64_t transfer_out_done(const struct transfer_out *t)
{
    return t->base == t->chunks ? t->size : t->base * t->chunk;
}

/* --- the receiver ------------------------------------------------------------------------------
 */

static void answer(const struct transfer_in *t, enum transfer_kind kind,
                   struct transfer_message *ret)
{
    *ret = (struct transfer_message){ .kind = kind, .session = t->session, .why = t->why };
}

static enum transfer_wish on_offer(struct transfer_in *t, const struct transfer_message *m,
                                   struct transfer_message *ret_answer)
{
    if (t->offered || t->why) {
        if (m->session == t->session)
            answer(t, t->why ? TRANSFER_NO : TRANSFER_READY, ret_answer); /* it was lost */
        return TRANSFER_NOTHING;
    }
    t->session = m->session;
    t->size = m->size;
    t->chunk = m->chunk;
    t->chunks = count_chunks(m->size, m->chunk);
    memcpy(t->name, m->name, sizeof t->name);
    if (transfer_name_ok(t->name))
        return TRANSFER_OPEN;
    transfer_in_refuse(t, TRANSFER_NAME, ret_answer);
    return TRANSFER_NOTHING;
}

static enum transfer_wish on_chunk(struct transfer_in *t, const struct transfer_message *m,
                                   struct transfer_message *ret_answer)
{
    if (m->number >= t->chunks || m->len != length_of(t->size, t->chunk, m->number) ||
        m->number >= t->base + TRANSFER_WINDOW_MAX)
        return TRANSFER_NOTHING;
    if (m->number >= t->base && !t->there[m->number % TRANSFER_WINDOW_MAX])
        return TRANSFER_STORE;
    t->twice++; /* the acknowledgement was lost, or late */
    answer(t, TRANSFER_ACK, ret_answer);
    ret_answer->number = m->number;
    return TRANSFER_NOTHING;
}

static enum transfer_wish on_end(struct transfer_in *t, const struct transfer_message *m,
                                 struct transfer_message *ret_answer)
{
    if (t->whole)
        answer(t, TRANSFER_DONE, ret_answer); /* it was lost */
    if (t->whole || t->base != t->chunks || m->number != t->chunks)
        return TRANSFER_NOTHING;
    t->ended = true;
    memcpy(t->hash, m->hash, sizeof t->hash);
    return TRANSFER_CHECK;
}

enum transfer_wish transfer_in_hear(struct transfer_in *t, const uint8_t *bytes, size_t len,
                                    struct transfer_message *ret,
                                    struct transfer_message *ret_answer)
{
    *ret_answer = (struct transfer_message){ 0 };
    if (transfer_decode(ret, bytes, len)) {
        t->damaged++;
        return TRANSFER_NOTHING;
    }
    if (ret->kind == TRANSFER_OFFER)
        return on_offer(t, ret, ret_answer);
    if (!t->session || ret->session != t->session)
        return TRANSFER_NOTHING;
    if (ret->kind == TRANSFER_NO) {
        t->why = t->whole ? 0 : ret->why;
        return TRANSFER_NOTHING;
    }
    if (t->why) {
        answer(t, TRANSFER_NO, ret_answer);
        return TRANSFER_NOTHING;
    }
    if (!t->offered)
        return TRANSFER_NOTHING;
    if (ret->kind == TRANSFER_CHUNK)
        return on_chunk(t, ret, ret_answer);
    return ret->kind == TRANSFER_END ? on_end(t, ret, ret_answer) : TRANSFER_NOTHING;
}

void transfer_in_accept(struct transfer_in *t, struct transfer_message *ret_answer)
{
    t->whole = t->offered;
    t->offered = true;
    answer(t, t->whole ? TRANSFER_DONE : TRANSFER_READY, ret_answer);
}

void transfer_in_refuse(struct transfer_in *t, enum transfer_why why,
                        struct transfer_message *ret_answer)
{
    t->why = why;
    answer(t, TRANSFER_NO, ret_answer);
}

void transfer_in_stored(struct transfer_in *t, const struct transfer_message *m,
                        struct transfer_message *ret_answer)
{
    t->there[m->number % TRANSFER_WINDOW_MAX] = true;
    t->got += m->len;
    while (t->there[t->base % TRANSFER_WINDOW_MAX])
        t->there[t->base++ % TRANSFER_WINDOW_MAX] = false;
    answer(t, TRANSFER_ACK, ret_answer);
    ret_answer->number = m->number;
}
