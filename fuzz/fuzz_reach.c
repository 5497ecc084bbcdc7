/* From person to person: whatever the other end, a relay or a stranger sends, nothing breaks and
 * nothing grows; and in between all goes as it should. The first byte says which: signals of an
 * exchange, questions and lists, packets of a relay, multicast DNS, a phrase as it was typed. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "flow/reach.h"
#include "flow/relay.h"
#include "seal/pact.h"
#include "seal/phrase.h"
#include "wire/mdns.h"

/* The next part: a byte of length, then so much. */
static size_t part(const uint8_t **at, size_t *left, const uint8_t **ret)
{
    size_t n = *left ? **at : 0;

    if (!*left)
        return 0;
    (*at)++, (*left)--;
    n = n < *left ? n : *left;
    *ret = *at;
    *at += n;
    *left -= n;
    return n;
}

/* --- signals ------------------------------------------------------------------------- */

static void deliver(struct pact *from, struct pact *to)
{
    uint8_t bytes[PACT_MESSAGE_MAX];
    const uint8_t *body;
    size_t n, len = pact_next(from, bytes);

    if (len)
        pact_on_message(to, bytes, len, &body, &n);
}

/* Empty parts are steps of an honest exchange; others are bytes laid over the message that is
 * due (first byte: where), or sent instead of it. */
static void signals(const uint8_t *data, size_t len)
{
    static const uint8_t offer[PACT_OFFER] = { 1 };
    static uint8_t random[2][PACT_RANDOM];
    struct pact end[2];
    bool clean = true;

    memset(random[0], 5, sizeof random[0]);
    memset(random[1], 7, sizeof random[1]);
    bool phrased = len && data[0] & 1;
    for (int i = 0; i < 2; i++) {
        const struct pact_settings s = { .caller = i == 0,
                                         .offer = offer,
                                         .phrase = phrased ? "maple-orbit-tin" : NULL,
                                         .random = random[i] };
        assert(!pact_init(&end[i], &s));
    }
    for (int turn = 0; len; turn = !turn) {
        const uint8_t *p = NULL, *body;
        uint8_t bytes[512];
        size_t n = part(&data, &len, &p), got;
        if (!n) {
            deliver(&end[turn], &end[!turn]);
            continue;
        }
        size_t due = pact_next(&end[turn], bytes);
        if (due && n > 1) {
            uint8_t before[512];
            memcpy(before, bytes, due);
            for (size_t i = 1; i < n && p[0] + i - 1 < due; i++)
                bytes[p[0] + i - 1] ^= p[i];
            clean = clean && !memcmp(before, bytes, due);
        } else {
            memcpy(bytes, p, n);
            due = n;
            clean = false;
        }
        pact_on_message(&end[!turn], bytes, due, &body, &got);
        assert(got < sizeof bytes);
    }
    bool done[2] = { end[0].state == PACT_DONE, end[1].state == PACT_DONE };
    if (done[0]) /* the caller has heard from who has the same keys */
        assert(!memcmp(end[0].secret, end[1].secret, 32));
    if (done[0] && done[1]) {
        uint8_t box[5 + 4 + 16] = { 0 };
        const uint8_t *body;
        size_t n;
        assert(pact_seal(&end[0], box, 4) == sizeof box);
        assert(!pact_on_message(&end[1], box, sizeof box, &body, &n) && n == 4);
    }
    assert(clean || !done[0] || !done[1] || !memcmp(end[0].key, end[1].key, sizeof end[0].key));
    pact_fini(&end[0]);
    pact_fini(&end[1]);
}

/* --- questions ------------------------------------------------------------------------ */

static const uint8_t SECRET[SESSION_SECRET] = { 3 };

static void begin(struct reach *r, bool caller, int64_t now_us)
{
    const uint8_t seed[32] = { caller };
    const struct reach_local here = { { .ip = { 192, 168, 1, 1 }, .len = 4, .port = 9 }, 24 };
    const struct reach_settings s = {
        .caller = caller, .session = 6, .secret = SECRET, .seed = seed
    };

    assert(!reach_init(r, &s, now_us));
    reach_set_locals(r, &here, 1);
}

static struct path_address place(unsigned n)
{
    return (struct path_address){ .ip = { 192, 168, 1, (uint8_t)(2 + n % 40) },
                                  .len = 4,
                                  .port = (uint16_t)(1 + n / 40) };
}

/* A body that the other end sealed: it has the keys, and says what it likes. */
static void hear_sealed(struct reach *r, struct session *they, const uint8_t *body, size_t n,
                        const struct path_address *from, int64_t now_us)
{
    uint8_t bytes[PACKET_HEAD + 64 + PACKET_TAG];

    n = n < 64 ? n : 64;
    memcpy(bytes + PACKET_HEAD, body, n);
    int len = session_seal(they, now_us, bytes, n, NULL, 0);
    assert(len > 0 && reach_on_packet(r, bytes, (size_t)len, from, now_us) <= 0);
}

static void questions(const uint8_t *data, size_t len)
{
    struct reach r;
    struct session they;
    struct reach_to to;
    uint8_t bytes[REACH_PACKET_MAX], copy[256];
    int64_t now_us = 1000000, begun_us = now_us;
    bool caller = len && data[0] & 1;
    const uint8_t *p = NULL;

    begin(&r, caller, now_us);
    assert(!session_init(&they, 6, !caller, SECRET, now_us));
    while (len) {
        unsigned what = *data % 8, where = *data / 8;
        struct path_address from = place(where);
        data++, len--;
        size_t n = part(&data, &len, &p);
        memcpy(copy, p ? p : SECRET, n);
        switch (what) {
        case 0:
            reach_on_list(&r, copy, n, now_us);
            break;
        case 1:
            reach_on_packet(&r, copy, n, &from, now_us);
            break;
        case 2:
            hear_sealed(&r, &they, copy, n ? n : 1, where % 4 ? &from : NULL, now_us);
            break;
        case 3: /* an honest answer to the last question */
            copy[0] = 2;
            if (r.n_paths) {
                const struct reach_path *q = &r.paths[where % r.n_paths];
                memcpy(copy + 1, q->challenge, PATH_BYTES);
                struct path_address at = q->at;
                hear_sealed(&r, &they, copy, 9, q->relay ? NULL : &at, now_us);
            }
            break;
        case 4:
            reach_set_relay(&r, where & 1, where & 2, now_us);
            break;
        case 5:
            reach_on_change(&r, now_us);
            break;
        case 6:
            reach_set_observed(&r, &from);
            reach_on_heard(&r, where & 1 ? &from : NULL, now_us);
            break;
        default:
            now_us += (int64_t)where * 100000;
        }
        reach_expire(&r, now_us);
        for (int i = 0; i < 40 && reach_next(&r, bytes, &to, now_us) > 0; i++)
            assert(i < REACH_ANSWERS_MAX + 1);
        assert(r.n_paths <= REACH_PATHS_MAX && r.n_answers == 0);
        assert(!reach_now(&r) || reach_now(&r)->works); /* nothing goes where nobody answered */
        assert(r.over || reach_deadline_us(&r, now_us) < INT64_MAX);
        now_us += 1000;
    }
    /* and once more, out of turn: the first way that is chosen is told at once */
    assert(r.asked <=
           (uint64_t)(now_us - begun_us) / (1000000 / REACH_A_SECOND) + 1 + (caller && r.now >= 0));
    session_fini(&they);
    reach_fini(&r);
}

/* --- a relay --------------------------------------------------------------------------- */

static void relays(const uint8_t *data, size_t len)
{
    static const uint8_t tokens[2 * RELAY_TOKEN] = { 1, [RELAY_TOKEN] = 2 };
    struct relay r;
    struct relay_end e[2];
    struct relay_verdict v;
    int64_t now_us = 1000000;
    const uint8_t *p = NULL;

    relay_init(&r, 5, len && data[0] & 1, tokens);
    for (int i = 0; i < 2; i++)
        relay_end_init(&e[i], 5, tokens + i * RELAY_TOKEN, now_us);
    for (unsigned step = 0; len; step++) {
        uint8_t bytes[300] = { 0 }, cookie[RELAY_COOKIE] = { (uint8_t)step, 1 };
        unsigned what = *data % 4, where = *data / 4;
        struct path_address from = place(where % 4);
        int end = where & 1;
        data++, len--;
        size_t n = part(&data, &len, &p);
        if (n)
            memcpy(bytes, p, n);
        if (what == 1) { /* honest, but for what is laid over it */
            uint8_t word[RELAY_WORD_MAX];
            size_t m = relay_end_next(&e[end], word, now_us);
            for (size_t i = 0; i < n && i < m; i++)
                word[i] ^= bytes[i];
            memcpy(bytes, word, m);
            n = m;
        } else if (what == 2) {
            relay_put_head(bytes, 5, RELAY_PACKET);
            n = n > RELAY_HEAD ? n : RELAY_HEAD + 1;
        } else if (what == 3) {
            now_us += where * 100000;
        }
        relay_on_packet(&r, bytes, n, &from, cookie, now_us, &v);
        assert(v.what != RELAY_ANSWER || v.len <= 3 * n);
        assert(v.what != RELAY_PASS ||
               (r.passes && path_same(relay_where(&r, v.side, now_us), &from)));
        if (v.what == RELAY_ANSWER)
            assert(!relay_end_on_packet(&e[v.side], v.bytes, v.len, now_us));
        relay_end_on_packet(&e[end], bytes, n, now_us);
        now_us += 10000;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct mdns_answer a;
    struct phrase phrase;
    struct phrase_wrong wrong;
    uint16_t id;
    char text[256];

    if (!len)
        return 0;
    switch (data[0] % 5) {
    case 0:
        signals(data + 1, len - 1);
        break;
    case 1:
        questions(data + 1, len - 1);
        break;
    case 2:
        relays(data + 1, len - 1);
        break;
    case 3:
        mdns_is_question(data + 1, len - 1, "_roost-send._tcp", &id);
        if (!mdns_read_answer(data + 1, len - 1, "_roost-send._tcp", &a)) {
            uint8_t bytes[MDNS_MESSAGE_MAX];
            struct mdns_answer b;
            size_t n = mdns_put_answer(bytes, &a, "_roost-send._tcp");
            assert(n && !mdns_read_answer(bytes, n, "_roost-send._tcp", &b));
            assert(!strcmp(a.name, b.name) && a.port == b.port);
        }
        break;
    default:
        len = len - 1 < sizeof text - 1 ? len - 1 : sizeof text - 1;
        memcpy(text, data + 1, len);
        text[len] = 0;
        if (phrase_read(&phrase, text, &wrong)) {
            char why[160];
            phrase_explain(&wrong, why, sizeof why);
        } else {
            char again[PHRASE_TEXT_MAX];
            struct phrase same;
            phrase_text(&phrase, again);
            assert(!phrase_read(&same, again, &wrong) && same.number == phrase.number);
        }
    }
    return 0;
}
