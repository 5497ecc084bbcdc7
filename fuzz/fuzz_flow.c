/* STREAM and ACK sequences against naive models: what has come of a stream, as a flag a byte;
 * what is to be sent of one, likewise; what became of packets, as a letter a number. The first
 * byte chooses the model, the rest are steps. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/sent.h"
#include "flow/sink.h"
#include "flow/source.h"

enum { BYTES = 4096, NUMBERS = 512 };

struct steps {
    const uint8_t *p;
    size_t left;
};

static uint32_t next(struct steps *s)
{
    if (!s->left)
        return 0;
    s->left--;
    return *s->p++;
}

static uint32_t next16(struct steps *s)
{
    return next(s) << 8 | next(s);
}

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

/* --- what has come ------------------------------------------------------------------------ */

static uint64_t come_upto(const bool come[static BYTES])
{
    uint64_t n = 0;

    while (n < BYTES && come[n])
        n++;
    return n;
}

static void compare(const struct sink *s, const bool come[static BYTES], uint64_t read)
{
    size_t len, seen = 0;
    uint64_t upto = come_upto(come);

    assert(s->upto == upto && s->read == read);
    for (struct sink copy = *s; copy.read < upto; copy.read += len) {
        const uint8_t *p = sink_peek(&copy, &len);
        assert(p && len);
        for (size_t i = 0; i < len; i++)
            assert(p[i] == byte_at(read + seen + i));
        seen += len;
    }
    assert(seen == upto - read);
    assert(s->ring.cap <= 2 * BYTES && s->come.n <= SPANS_MAX);
}

static void sink_steps(struct steps *in)
{
    bool come[BYTES] = { false };
    uint64_t read = 0, end = SINK_NO_END, highest = 0;
    struct sink s;
    uint8_t bytes[256];

    sink_init(&s, BYTES);
    assert(s.limit == BYTES);
    while (in->left) {
        uint32_t what = next(in), offset = next16(in) % (BYTES + 64), len = next(in);
        bool last = what & 1, over = (what & 0x60) == 0x60;
        for (uint32_t i = 0; i < len; i++)
            bytes[i] = byte_at(offset + i);
        uint64_t to = offset + len;
        if (over) {
            size_t have;
            sink_peek(&s, &have);
            have = have < len ? have : len;
            sink_take(&s, have, 1, 1000);
            read += have;
            assert(sink_is_over(&s) == (read == end));
            compare(&s, come, read);
            continue;
        }
        bool wrong = to > BYTES || to > end ||
                     (last && (to < highest || (end != SINK_NO_END && to != end)));
        int64_t fresh = sink_put(&s, offset, bytes, len, last);
        assert(wrong ? fresh == -ROOST_MALFORMED
                     : fresh == (int64_t)(to > highest ? to - highest : 0));
        if (wrong)
            continue;
        for (uint32_t i = 0; i < len; i++)
            come[offset + i] = true;
        highest = to > highest ? to : highest;
        end = last ? to : end;
        compare(&s, come, read);
    }
    sink_fini(&s);
}

/* --- what is to be sent ------------------------------------------------------------------- */

enum { NOT_YET, OUT, LOST_ONE, KNOWN };

static void source_steps(struct steps *in)
{
    struct source s;
    uint8_t state[BYTES] = { 0 }, bytes[256];
    struct piece out[64];
    uint32_t n_out = 0;

    source_init(&s, BYTES / 2, BYTES);
    while (in->left) {
        uint32_t what = next(in) % 6, len = next(in);
        struct piece p;
        if (what == 0) {
            for (uint32_t i = 0; i < len; i++)
                bytes[i] = byte_at(s.written + i);
            uint64_t held = s.written - s.base, room = BYTES - held;
            if (s.written + len > BYTES)
                continue;
            int64_t took = source_write(&s, bytes, len);
            assert(took == (s.ended ? 0 : (int64_t)(len < room ? len : room)));
        } else if (what == 1) {
            source_end(&s);
        } else if (what == 2) {
            source_allow(&s, s.limit + len);
        } else if (what == 3 && n_out < 64 && source_next(&s, len + 1, BYTES, &p)) {
            bool again = p.len && state[p.offset] == LOST_ONE;
            source_copy(&s, &p, bytes);
            for (uint32_t i = 0; i < p.len; i++) {
                assert(bytes[i] == byte_at(p.offset + i));
                assert(state[p.offset + i] == (again ? LOST_ONE : NOT_YET));
                state[p.offset + i] = OUT;
            }
            assert(p.len || (p.end && !again));
            assert(p.offset + p.len <= s.written && (again || p.offset + p.len <= s.limit));
            source_take(&s, &p);
            out[n_out++] = p;
        } else if (what >= 4 && n_out) {
            uint32_t k = len % n_out;
            p = out[k];
            int err = what == 4 ? source_on_acked(&s, &p) : source_on_lost(&s, &p);
            assert(!err);
            for (uint32_t i = 0; i < p.len; i++)
                if (what == 4)
                    state[p.offset + i] = KNOWN;
                else if (state[p.offset + i] == OUT)
                    state[p.offset + i] = LOST_ONE;
            out[k] = out[--n_out];
            uint64_t base = 0;
            while (base < BYTES && state[base] == KNOWN)
                base++;
            assert(s.base == base);
        }
    }
    source_fini(&s);
}

/* --- packets ---------------------------------------------------------------------------------- */

struct packets {
    char fate[NUMBERS + 1]; /* ' ' out, 's' skipped, 'a', 'l', then 'L' late or 'g' gone */
    struct sent s;
};

static void on_settled(void *ctx, void *load, enum sent_fate fate)
{
    char *at = load;

    (void)ctx;
    switch (fate) {
    case SENT_ACKED:
        assert(*at == ' ');
        *at = 'a';
        break;
    case SENT_LOST:
        assert(*at == ' ');
        *at = 'l';
        break;
    case SENT_LATE:
        assert(*at == 'l');
        *at = 'L';
        break;
    case SENT_GONE:
        assert(*at == ' ' || *at == 'l');
        *at = 'g';
        break;
    }
}

static bool read_ack(struct steps *in, uint64_t sent, struct ack *ret)
{
    uint64_t last = next16(in) % (sent + 2);

    *ret = (struct ack){ .delay_us = next(in) * 100 };
    for (uint32_t i = 0, n = 1 + next(in) % 4; i < n; i++) {
        uint64_t len = next(in), gap = 1 + next(in) % 8;
        uint64_t first = last > len ? last - len : 0;
        ret->ranges[ret->n_ranges++] = (struct ack_range){ first, last };
        if (first < gap + 1)
            break;
        last = first - gap - 1;
    }
    return ret->n_ranges > 0;
}

/* Of those that are still kept: one that is forgotten may be acknowledged again. */
static bool is_a_lie(const struct packets *k, const struct ack *a)
{
    if (a->ranges[0].last >= k->s.next)
        return true;
    for (uint32_t i = 0; i < a->n_ranges; i++)
        for (uint64_t n = a->ranges[i].first; n <= a->ranges[i].last; n++)
            if (n >= k->s.first && k->fate[n] == 's')
                return true;
    return false;
}

static void look(const struct packets *k)
{
    uint64_t out = 0;

    for (uint64_t n = 0; n < k->s.next; n++)
        out += k->fate[n] == ' ';
    assert(k->s.eliciting == out && k->s.under_way == 1000 * out);
}

static void packet_steps(struct steps *in)
{
    static struct packets k;
    struct sent_report r;
    struct rtt rtt;
    struct ack a;
    int64_t now_us = 1000000;

    memset(&k, 0, sizeof k);
    sent_init(&k.s, on_settled, &k);
    rtt_init(&rtt);
    while (in->left) {
        uint32_t what = next(in);
        now_us += what >> 3 << 8;
        if (what % 8 < 4 && k.s.next < NUMBERS) {
            char *fate = &k.fate[k.s.next];
            *fate = ' ';
            assert(sent_add(&k.s, now_us, 1000, true, fate) == 0);
        } else if (what % 8 == 4 && k.s.next < NUMBERS) {
            k.fate[k.s.next] = 's';
            assert(sent_skip(&k.s) == 0);
        } else if (what % 8 == 5) {
            int64_t due_us = sent_deadline_us(&k.s, &rtt, 25000);
            if (due_us < now_us + 100000000)
                now_us = due_us > now_us ? due_us : now_us;
            sent_expire(&k.s, now_us, &rtt, 25000, &r);
        } else if (what % 8 > 5 && k.s.next && read_ack(in, k.s.next, &a)) {
            bool lie = is_a_lie(&k, &a);
            int err = sent_on_ack(&k.s, &a, now_us, &rtt, 25000, &r);
            assert(err == (lie ? -ROOST_MALFORMED : 0));
            for (uint32_t i = 0; !lie && i < a.n_ranges; i++)
                for (uint64_t n = a.ranges[i].first; n <= a.ranges[i].last; n++)
                    assert(k.fate[n] != ' ' && k.fate[n] != 'l');
        }
        look(&k);
    }
    sent_fini(&k.s);
    for (uint64_t n = 0; n < k.s.next; n++)
        assert(k.fate[n] != ' ' && k.fate[n] != 'l');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct steps in = { data, len };
    uint32_t which = next(&in) % 3;

    if (which == 0)
        sink_steps(&in);
    else if (which == 1)
        source_steps(&in);
    else
        packet_steps(&in);
    return 0;
}
