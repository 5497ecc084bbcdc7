#include "lab/classics/stream.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "lab/classics/pack.h"

enum { END_AGAIN_US = 200000, ASK_AGAIN_US = 400000, HEARD_EACH_US = 500000, BURST_US = 20000 };

/* --- messages ------------------------------------------------------------------------------- */

size_t stream_encode(const struct stream_message *m, uint8_t ret[static STREAM_DATAGRAM_MOST])
{
    struct pack p = { ret, ret + STREAM_DATAGRAM_MOST, false };

    pack_number(&p, m->kind, 1);
    pack_number(&p, m->session, 4);
    switch (m->kind) {
    case STREAM_ASK:
        pack_number(&p, m->repairs, 1);
        break;
    case STREAM_HEAD_MESSAGE:
        pack_number(&p, m->size, 8);
        pack_bytes(&p, m->name, strlen(m->name));
        break;
    case STREAM_PIECE:
        pack_number(&p, m->number, 4);
        pack_number(&p, m->at, 8);
        pack_bytes(&p, m->bytes, m->len);
        break;
    case STREAM_END:
        pack_number(&p, m->number, 4);
        pack_bytes(&p, m->hash, STREAM_HASH);
        break;
    case STREAM_MISSING:
        for (size_t i = 0; i < m->n_missing; i++) {
            pack_number(&p, m->missing[i].from, 8);
            pack_number(&p, m->missing[i].to, 8);
        }
        break;
    default:
        break;
    }
    return pack_end(&p, ret);
}

static void decode_name(struct stream_message *m, struct unpack *p)
{
    size_t len = (size_t)(p->end - p->at);
    const uint8_t *name = unpack_bytes(p, len);

    p->bad |= len > STREAM_NAME_MAX || m->size > STREAM_SIZE_MAX;
    if (!p->bad)
        memcpy(m->name, name, len);
}

static void decode_missing(struct stream_message *m, struct unpack *p)
{
    while (!p->bad && p->at < p->end && m->n_missing < STREAM_MISSING_MAX) {
        struct span *s = &m->missing[m->n_missing++];
        s->from = unpack_number(p, 8);
        s->to = unpack_number(p, 8);
        p->bad |= s->from >= s->to || s->to > STREAM_SIZE_MAX;
    }
}

static void decode_body(struct stream_message *m, struct unpack *p)
{
    const uint8_t *hash;

    switch (m->kind) {
    case STREAM_ASK:
        m->repairs = unpack_number(p, 1) & 1;
        break;
    case STREAM_HEAD_MESSAGE:
        m->size = unpack_number(p, 8);
        decode_name(m, p);
        break;
    case STREAM_PIECE:
        m->number = (uint32_t)unpack_number(p, 4);
        m->at = unpack_number(p, 8);
        m->len = (size_t)(p->end - p->at);
        m->bytes = unpack_bytes(p, m->len);
        p->bad |= !m->len || m->at > STREAM_SIZE_MAX;
        break;
    case STREAM_END:
        m->number = (uint32_t)unpack_number(p, 4);
        if ((hash = unpack_bytes(p, STREAM_HASH)))
            memcpy(m->hash, hash, STREAM_HASH);
        break;
    case STREAM_MISSING:
        decode_missing(m, p);
        break;
    default:
        break;
    }
}

int stream_decode(struct stream_message *ret, const uint8_t *bytes, size_t len)
{
    struct unpack p;

    *ret = (struct stream_message){ 0 };
    if (len > STREAM_DATAGRAM_MOST || !unpack_begin(&p, bytes, len))
        return -ROOST_MALFORMED;
    ret->kind = (enum stream_kind)unpack_number(&p, 1);
    ret->session = (uint32_t)unpack_number(&p, 4);
    decode_body(ret, &p);
    return p.bad || p.at != p.end || ret->kind < STREAM_ASK || ret->kind >= STREAM_KINDS ||
                   !ret->session
               ? -ROOST_MALFORMED
               : 0;
}

void stream_describe(const uint8_t *bytes, size_t len, char ret[static 256])
{
    static const char *const names[] = { "?",   "ASK",     "HEAD",  "PIECE",
                                         "END", "MISSING", "HEARD", "BYE" };
    struct stream_message m;

    if (stream_decode(&m, bytes, len))
        snprintf(ret, 256, "damaged, %zu bytes", len);
    else if (m.kind == STREAM_PIECE)
        snprintf(ret, 256, "PIECE %u, %zu bytes from %llu", m.number, m.len,
                 (unsigned long long)m.at);
    else if (m.kind == STREAM_MISSING)
        snprintf(ret, 256, "MISSING %zu, the first from %llu", m.n_missing,
                 (unsigned long long)m.missing[0].from);
    else if (m.kind == STREAM_HEAD_MESSAGE)
        snprintf(ret, 256, "HEAD %.80s, %llu bytes", m.name, (unsigned long long)m.size);
    else if (m.kind == STREAM_ASK)
        snprintf(ret, 256, "ASK%s", m.repairs ? ", with repairs" : "");
    else
        snprintf(ret, 256, "%s", names[m.kind]);
}

/* --- the server ------------------------------------------------------------------------------- */

void stream_out_init(struct stream_out *t, uint64_t size, uint64_t rate)
{
    *t = (struct stream_out){ .size = size, .rate = rate };
}

void stream_out_fini(struct stream_out *t)
{
    spans_fini(&t->again);
}

static void on_missing(struct stream_out *t, const struct stream_message *m)
{
    /* only what was sent already, so nobody can ask for more than the file; what does not fit is
     * asked for again */
    for (size_t i = 0; t->repairs && i < m->n_missing; i++)
        spans_add(&t->again, m->missing[i].from < t->at ? m->missing[i].from : t->at,
                  m->missing[i].to < t->at ? m->missing[i].to : t->at);
}

void stream_out_hear(struct stream_out *t, const uint8_t *bytes, size_t len, int64_t now_us)
{
    struct stream_message m;

    if (stream_decode(&m, bytes, len) || (t->session && m.session != t->session))
        return;
    if (m.kind == STREAM_ASK) {
        if (!t->session)
            t->next_us = now_us;
        t->session = m.session;
        t->repairs = m.repairs;
        t->owes_head = true;
    }
    if (!t->session)
        return;
    t->heard_us = now_us;
    if (m.kind == STREAM_MISSING)
        on_missing(t, &m);
    t->over |= m.kind == STREAM_BYE;
}

static void pace(struct stream_out *t, int64_t now_us, size_t bytes)
{
    if (t->next_us < now_us - BURST_US)
        t->next_us = now_us - BURST_US; /* what was missed is not made good in one burst */
    t->next_us += (int64_t)((uint64_t)bytes * 1000000 / t->rate);
}

/* The size of the next datagram is drawn anew, the last is as long as there is something. */
static int next_piece(struct stream_out *t, int64_t now_us, struct dice *dice,
                      struct stream_message *ret)
{
    size_t len = (size_t)dice_between(dice, STREAM_DATAGRAM_LEAST, STREAM_DATAGRAM_MOST) -
                 STREAM_HEAD;
    bool again = t->again.n > 0;
    uint64_t at = again ? t->again.all[0].from : t->at;
    uint64_t left = (again ? t->again.all[0].to : t->size) - at;

    if (now_us < t->next_us)
        return 0;
    len = left < len ? (size_t)left : len;
    pace(t, now_us, len + STREAM_HEAD);
    *ret = (struct stream_message){
        .kind = STREAM_PIECE, .session = t->session, .number = t->number++, .at = at, .len = len
    };
    if (again) {
        t->repaired++;
        spans_remove(&t->again, at, at + len);
    } else {
        t->at += len;
    }
    return 1;
}

int stream_out_next(struct stream_out *t, int64_t now_us, struct dice *dice,
                    struct stream_message *ret)
{
    if (!t->session || t->over)
        return 0;
    if (now_us - t->heard_us > STREAM_SILENCE_US) {
        t->over = true;
        return 0;
    }
    if (t->owes_head) {
        t->owes_head = false;
        *ret = (struct stream_message){ .kind = STREAM_HEAD_MESSAGE,
                                        .session = t->session,
                                        .size = t->size };
        return 1;
    }
    if (t->again.n || t->at < t->size)
        return next_piece(t, now_us, dice, ret);
    if (t->ended && now_us < t->end_us + END_AGAIN_US)
        return 0;
    t->ended = true;
    t->end_us = now_us;
    *ret =
        (struct stream_message){ .kind = STREAM_END, .session = t->session, .number = t->number };
    return 1;
}

int64_t stream_out_deadline_us(const struct stream_out *t)
{
    int64_t silent_us = t->heard_us + STREAM_SILENCE_US + 1;
    int64_t at = t->ended && !t->again.n ? t->end_us + END_AGAIN_US : t->next_us;

    if (!t->session || t->over)
        return INT64_MAX;
    return t->owes_head ? 0 : at < silent_us ? at : silent_us;
}

/* --- the client ---------------------------------------------------------------------------------
 */

void stream_in_init(struct stream_in *t, uint32_t session, bool repairs, int64_t now_us)
{
    *t = (struct stream_in){
        .session = session, .repairs = repairs, .heard_us = now_us, .tick_us = now_us
    };
}

void stream_in_fini(struct stream_in *t)
{
    spans_fini(&t->have);
}

uint64_t stream_in_ready(const struct stream_in *t)
{
    return t->have.n && !t->have.all[0].from ? t->have.all[0].to : 0;
}

uint64_t stream_in_lost(const struct stream_in *t)
{
    return t->numbers > t->pieces ? t->numbers - t->pieces : 0;
}

static uint64_t *bit_of(struct stream_in *t, uint32_t number, uint64_t *ret_mask)
{
    *ret_mask = 1ULL << number % 64;
    return &t->recent[number % STREAM_RECENT / 64];
}

/* True: the first time. */
static bool count(struct stream_in *t, uint32_t number)
{
    uint64_t mask, *bits;

    if (number >= t->numbers + STREAM_RECENT) { /* a gap so wide: all that is remembered is old */
        memset(t->recent, 0, sizeof t->recent);
        t->numbers = number;
    }
    for (; t->numbers <= number; t->numbers++) {
        bits = bit_of(t, (uint32_t)t->numbers, &mask);
        *bits &= ~mask;
    }
    bits = bit_of(t, number, &mask);
    if ((uint64_t)number + STREAM_RECENT < t->numbers || *bits & mask)
        return false;
    *bits |= mask;
    return true;
}

/* How many of these bytes are there already. */
static uint64_t covered(const struct spans *s, uint64_t from, uint64_t to)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n && s->all[i].from < to; i++) {
        uint64_t a = s->all[i].from > from ? s->all[i].from : from;
        uint64_t b = s->all[i].to < to ? s->all[i].to : to;
        n += b > a ? b - a : 0;
    }
    return n;
}

static bool on_piece(struct stream_in *t, const struct stream_message *m)
{
    uint64_t to = m->at + m->len;

    if (t->state != STREAM_PLAYS || to > t->size || m->number == UINT32_MAX)
        return false;
    if (!count(t, m->number)) {
        t->twice++;
        return false;
    }
    t->pieces++;
    uint64_t known = covered(&t->have, m->at, to);
    if (known == m->len || spans_add(&t->have, m->at, to))
        return false; /* it came too late, or there are too many holes to remember one more */
    t->got += m->len - known;
    t->top = to > t->top ? to : t->top;
    return true;
}

static void on_head(struct stream_in *t, const struct stream_message *m, int64_t now_us)
{
    if (t->state != STREAM_ASKS)
        return;
    t->state = STREAM_PLAYS;
    t->size = m->size;
    memcpy(t->name, m->name, sizeof t->name);
    t->rtt_us = now_us - t->asked_us;
}

bool stream_in_hear(struct stream_in *t, const uint8_t *bytes, size_t len, int64_t now_us,
                    struct stream_message *ret)
{
    if (stream_decode(ret, bytes, len) || ret->session != t->session)
        return false;
    t->heard_us = now_us;
    if (ret->kind == STREAM_PIECE)
        return on_piece(t, ret);
    if (ret->kind == STREAM_HEAD_MESSAGE)
        on_head(t, ret, now_us);
    if (ret->kind == STREAM_END && t->state == STREAM_PLAYS) {
        memcpy(t->hash, ret->hash, sizeof t->hash);
        t->ended = true;
        t->top = t->size;
        if (ret->number > t->numbers) /* what was lost at the very end */
            t->numbers = ret->number;
    }
    return false;
}

/* The first hole below `most`. */
static bool first_hole(const struct stream_in *t, uint64_t from, uint64_t most, struct span *ret)
{
    uint32_t i = 0;

    while (i < t->have.n && t->have.all[i].to <= from)
        i++;
    if (i < t->have.n && t->have.all[i].from <= from)
        from = t->have.all[i++].to;
    ret->from = from;
    ret->to = i < t->have.n && t->have.all[i].from < most ? t->have.all[i].from : most;
    return ret->from < ret->to;
}

/* What is older than that will not come any more. */
static void give_up(struct stream_in *t, uint64_t most)
{
    struct span hole;

    while (first_hole(t, 0, most, &hole) && !spans_add(&t->have, hole.from, hole.to))
        t->given_up += hole.to - hole.from;
}

static void tick(struct stream_in *t, int64_t now_us)
{
    for (; t->tick_us + STREAM_TICK_US <= now_us; t->tick_us += STREAM_TICK_US) {
        if (now_us - t->tick_us > STREAM_SILENCE_US)
            t->tick_us = now_us - STREAM_SILENCE_US;
        memmove(t->marks + 1, t->marks, 3 * sizeof *t->marks);
        t->marks[0] = t->top;
    }
    if (!t->repairs)
        give_up(t, t->marks[3]);
}

static int ask_missing(struct stream_in *t, int64_t now_us, struct stream_message *ret)
{
    uint64_t at = 0;
    struct span hole;

    if (now_us < t->missing_us + t->rtt_us + t->rtt_us / 2 + STREAM_TICK_US / 2)
        return 0;
    *ret = (struct stream_message){ .kind = STREAM_MISSING, .session = t->session };
    while (ret->n_missing < STREAM_MISSING_MAX && first_hole(t, at, t->marks[0], &hole)) {
        ret->missing[ret->n_missing++] = hole;
        at = hole.to;
    }
    if (!ret->n_missing)
        return 0;
    t->missing_us = now_us;
    t->asked_again += ret->n_missing;
    return 1;
}

int stream_in_next(struct stream_in *t, int64_t now_us, struct stream_message *ret)
{
    bool asks = t->state == STREAM_ASKS;

    if (t->state >= STREAM_OVER)
        return 0;
    if (now_us - t->heard_us > STREAM_SILENCE_US) {
        t->state = STREAM_LOST;
        return 0;
    }
    if (!asks)
        tick(t, now_us);
    if (!asks && t->ended && stream_in_ready(t) == t->size) {
        t->state = STREAM_OVER;
        return 0;
    }
    if (!asks && t->repairs && ask_missing(t, now_us, ret))
        return 1;
    if (t->asked_us && now_us < t->asked_us + (asks ? ASK_AGAIN_US : HEARD_EACH_US))
        return 0;
    t->asked_us = now_us;
    *ret = (struct stream_message){ .kind = asks ? STREAM_ASK : STREAM_HEARD,
                                    .session = t->session,
                                    .repairs = t->repairs };
    return 1;
}

int64_t stream_in_deadline_us(const struct stream_in *t)
{
    if (t->state >= STREAM_OVER)
        return INT64_MAX;
    return t->state == STREAM_ASKS ? t->asked_us + ASK_AGAIN_US : t->tick_us + STREAM_TICK_US;
}

void stream_in_bye(const struct stream_in *t, struct stream_message *ret)
{
    *ret = (struct stream_message){ .kind = STREAM_BYE, .session = t->session };
}
