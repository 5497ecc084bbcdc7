/* test_session.c - what seals datagrams: published vectors, then what forgers, replayers,
 * late packets and new phases get. */
#include <string.h>

#include "base/err.h"
#include "seal/session.h"
#include "test.h"

#define SECONDS(n) ((n)*1000000LL)

static void unhex(uint8_t *ret, const char *hex)
{
    for (; *hex; hex += 2)
        *ret++ = (uint8_t)((hex[0] % 32 + 9) % 25 << 4 | (hex[1] % 32 + 9) % 25);
}

static bool is_hex(const uint8_t *bytes, const char *hex)
{
    uint8_t want[256];

    unhex(want, hex);
    return memcmp(bytes, want, strlen(hex) / 2) == 0;
}

/* --- vectors --- */

static void gcm_is_nists(void)
{
    /* The Galois/Counter Mode of Operation, McGrew and Viega, test case 4 */
    uint8_t key[16], iv[12], text[60], also[20], tag[16];
    struct aead seals, opens;

    unhex(key, "feffe9928665731c6d6a8f9467308308");
    unhex(iv, "cafebabefacedbaddecaf888");
    unhex(text, "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
    unhex(also, "feedfacedeadbeeffeedfacedeadbeefabaddad2");
    struct seal_part parts[] = { { also, 7 }, { also + 7, 13 } };
    CHECK(aead_init(&seals, key, iv, true) == 0 && aead_init(&opens, key, iv, false) == 0);
    for (int round = 0; round < 2; round++) { /* a key is kept */
        CHECK(aead_seal(&seals, 0, parts, 2, text, sizeof text, tag) == 0);
        CHECK(is_hex(text, "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                           "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"));
        CHECK(is_hex(tag, "5bc94fbc3221a5db94fae95ae7121a47"));
        CHECK(aead_open(&opens, 0, parts, 2, text, sizeof text, tag) == 0);
        CHECK(is_hex(text, "d9313225f88406e5a55909c5aff5269a"));
    }
    CHECK(aead_seal(&seals, 1, parts, 2, text, sizeof text, tag) == 0);
    CHECK(aead_open(&opens, 2, parts, 2, text, sizeof text, tag) == -ROOST_MALFORMED);
    aead_fini(&seals);
    aead_fini(&opens);
}

static void hkdf_is_rfc5869s(void)
{
    uint8_t secret[80], salt[80], purpose[80], out[82];
    struct seal_part s = { secret, 22 }, a = { salt, 13 }, p = { purpose, 10 };

    memset(secret, 0x0b, 22); /* A.1 */
    unhex(salt, "000102030405060708090a0b0c");
    unhex(purpose, "f0f1f2f3f4f5f6f7f8f9");
    CHECK(seal_hkdf(out, 42, &s, &a, &p) == 0);
    CHECK(is_hex(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
                      "34007208d5b887185865"));

    for (uint8_t i = 0; i < 80; i++) /* A.2 */
        secret[i] = i, salt[i] = 0x60 + i, purpose[i] = (uint8_t)(0xb0 + i);
    s.len = a.len = p.len = 80;
    CHECK(seal_hkdf(out, 82, &s, &a, &p) == 0);
    CHECK(is_hex(out, "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
                      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
                      "cc30c58179ec3e87c14c01d5c1f3434f1d87"));

    memset(secret, 0x0b, 22); /* A.3 */
    s.len = 22;
    a.len = p.len = 0;
    CHECK(seal_hkdf(out, 42, &s, &a, &p) == 0);
    CHECK(is_hex(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
                      "9d201395faa4b61a96c8"));
}

/* --- two sides --- */

struct pair {
    struct session client, server;
    int64_t now_us;
};

static void pair_begin(struct pair *p)
{
    static const uint8_t secret[SESSION_SECRET] = { 1, 2, 3 };

    p->now_us = SECONDS(100);
    CHECK(session_init(&p->client, 0x01020304, true, secret, p->now_us) == 0);
    CHECK(session_init(&p->server, 0x01020304, false, secret, p->now_us) == 0);
}

static void pair_end(struct pair *p)
{
    session_fini(&p->client);
    session_fini(&p->server);
}

struct datagram {
    uint8_t bytes[200];
    size_t len;
};

/* Sealed, with these frames and this tail; what was opened is checked to be that. */
static struct datagram sealed(struct pair *p, struct session *by, const char *frames,
                              const char *tail)
{
    struct datagram d = { { 0 }, 0 };
    size_t len = strlen(frames), tail_len = strlen(tail);
    size_t head = tail_len ? PACKET_HEAD_TAIL : PACKET_HEAD;
    struct seal_part parts[] = { { tail, tail_len / 2 },
                                 { tail + tail_len / 2, (tail_len + 1) / 2 } };

    memcpy(d.bytes + head, frames, len);
    int n = session_seal(by, p->now_us, d.bytes, len, parts, tail_len ? 2 : 0);
    CHECK(n == (int)(head + len + PACKET_TAG));
    memcpy(d.bytes + n, tail, tail_len);
    d.len = (size_t)n + tail_len;
    return d;
}

static int opened(struct pair *p, struct session *by, struct datagram d)
{
    struct session_opened o;
    int err = session_open(by, p->now_us, d.bytes, d.len, &o);

    if (!err)
        CHECK(o.frames_len >= 5 && memcmp(o.frames, "hello", 5) == 0);
    return err;
}

static int passes(struct pair *p, struct session *from, struct session *to)
{
    return opened(p, to, sealed(p, from, "hello", ""));
}

static void datagrams_are_as_they_were(void)
{
    struct pair p;

    pair_begin(&p);
    struct datagram d = sealed(&p, &p.client, "hello", "tail");
    CHECK(d.len == 11 + 5 + 16 + 4);
    CHECK(is_hex(d.bytes, "6801020304000000000005"));
    char hex[400];
    seal_hex(hex, d.bytes + 11, 21);
    CHECK(strcmp(hex, "2f14c385c568533862cb51a005f0c3041179f61107") == 0);
    d = sealed(&p, &p.server, "hello", "");
    seal_hex(hex, d.bytes, d.len);
    CHECK(strcmp(hex, "4001020304000000000148d638db3257bdd347fefa0e98f989511337347e") == 0);
    pair_end(&p);
}

static void what_is_forged_is_refused(void)
{
    struct pair p;

    pair_begin(&p);
    struct datagram d = sealed(&p, &p.client, "hello", "tail");
    for (size_t bit = 0; bit < d.len * 8; bit++) { /* of the tail too: a client's */
        struct datagram forged = d;
        forged.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(opened(&p, &p.server, forged) != 0);
    }
    for (size_t len = 0; len < d.len; len++) {
        struct datagram cut = { .len = len };
        memcpy(cut.bytes, d.bytes, len);
        CHECK(opened(&p, &p.server, cut) != 0);
    }
    CHECK(p.server.failures > 0);
    CHECK(opened(&p, &p.client, d) == -ROOST_MALFORMED); /* sent back to who sent it */
    CHECK(opened(&p, &p.server, d) == 0);

    struct datagram from_server = sealed(&p, &p.server, "hello", "tail");
    from_server.bytes[from_server.len - 1] ^= 1; /* has a seal of its own */
    CHECK(opened(&p, &p.client, from_server) == 0);
    from_server = sealed(&p, &p.server, "hello", "tail");
    from_server.bytes[12] ^= 1;
    CHECK(opened(&p, &p.client, from_server) == -ROOST_MALFORMED);

    p.server.failures = SESSION_FAILURES_MAX - 1;
    d = sealed(&p, &p.client, "hello", "");
    d.bytes[12] ^= 1;
    CHECK(opened(&p, &p.server, d) == -ROOST_CLOSED);
    pair_end(&p);
}

static void nothing_is_taken_twice(void)
{
    struct pair p;
    struct datagram kept[SESSION_WINDOW + 2];

    pair_begin(&p);
    for (size_t i = 0; i < SESSION_WINDOW + 2; i++)
        kept[i] = sealed(&p, &p.client, "hello", "");
    for (size_t i = 0; i < SESSION_WINDOW + 2; i += 2) { /* every other, then backwards */
        CHECK(opened(&p, &p.server, kept[i]) == 0);
        CHECK(opened(&p, &p.server, kept[i]) == -ROOST_ALREADY);
    }
    for (size_t i = SESSION_WINDOW + 1; i > 1; i -= 2) {
        CHECK(opened(&p, &p.server, kept[i]) == 0);
        CHECK(opened(&p, &p.server, kept[i]) == -ROOST_ALREADY);
    }
    CHECK(opened(&p, &p.server, kept[1]) == -ROOST_ALREADY); /* too old to know */

    /* a leap far beyond the window */
    struct datagram before = sealed(&p, &p.client, "hello", "");
    for (int i = 0; i < 5000; i++)
        session_skip(&p.client);
    CHECK(passes(&p, &p.client, &p.server) == 0);
    CHECK(opened(&p, &p.server, before) == -ROOST_ALREADY);
    CHECK(passes(&p, &p.client, &p.server) == 0);
    CHECK(p.server.replays > SESSION_WINDOW);
    pair_end(&p);
}

/* --- phases --- */

static void the_client_turns(struct pair *p)
{
    bool before = p->client.out.phase;

    p->now_us += SESSION_PHASE_US;
    CHECK(passes(p, &p->client, &p->server) == 0);
    CHECK(p->client.out.phase != before && p->server.in.phase == p->client.out.phase);
}

static void phases_follow_each_other(void)
{
    struct pair p;

    pair_begin(&p);
    for (int i = 0; i < 5; i++) {
        the_client_turns(&p);
        CHECK(passes(&p, &p.server, &p.client) == 0); /* which turns when its time has come */
    }
    /* by the number of packets, but not more often than one may follow */
    for (int i = 0; i < 2; i++) {
        bool before = p.client.out.phase;
        for (uint64_t n = 0; n < SESSION_PHASE_PACKETS; n++)
            session_skip(&p.client);
        CHECK(passes(&p, &p.client, &p.server) == 0 && p.client.out.phase == before);
        p.now_us += SESSION_REST_US;
        CHECK(passes(&p, &p.client, &p.server) == 0 && p.client.out.phase != before);
    }
    pair_end(&p);
}

static void what_is_late_is_taken_for_a_while(void)
{
    struct pair p;
    struct datagram late[3];

    pair_begin(&p);
    CHECK(passes(&p, &p.client, &p.server) == 0);
    for (int i = 0; i < 3; i++)
        late[i] = sealed(&p, &p.client, "hello", "");
    the_client_turns(&p);
    CHECK(opened(&p, &p.server, late[1]) == 0);
    p.now_us += SESSION_LATE_US - 1;
    CHECK(opened(&p, &p.server, late[0]) == 0);
    p.now_us += 1;
    CHECK(opened(&p, &p.server, late[2]) == -ROOST_MALFORMED);
    CHECK(passes(&p, &p.client, &p.server) == 0);
    pair_end(&p);
}

static void the_first_of_a_phase_may_be_late_too(void)
{
    struct pair p;

    pair_begin(&p);
    CHECK(passes(&p, &p.client, &p.server) == 0);
    p.now_us += SESSION_PHASE_US;
    struct datagram first = sealed(&p, &p.client, "hello", "");
    CHECK(passes(&p, &p.client, &p.server) == 0);
    CHECK(opened(&p, &p.server, first) == 0);
    pair_end(&p);
}

static void a_forger_turns_no_phase(void)
{
    struct pair p;

    pair_begin(&p);
    struct datagram d = sealed(&p, &p.client, "hello", "");
    d.bytes[0] ^= 0x10;
    CHECK(opened(&p, &p.server, d) == -ROOST_MALFORMED);
    CHECK(!p.server.in.phase);
    d.bytes[0] ^= 0x10;
    CHECK(opened(&p, &p.server, d) == 0);
    pair_end(&p);
}

TEST_MAIN({ "gcm_is_nists", gcm_is_nists }, { "hkdf_is_rfc5869s", hkdf_is_rfc5869s },
          { "datagrams_are_as_they_were", datagrams_are_as_they_were },
          { "what_is_forged_is_refused", what_is_forged_is_refused },
          { "nothing_is_taken_twice", nothing_is_taken_twice },
          { "phases_follow_each_other", phases_follow_each_other },
          { "what_is_late_is_taken_for_a_while", what_is_late_is_taken_for_a_while },
          { "the_first_of_a_phase_may_be_late_too", the_first_of_a_phase_may_be_late_too },
          { "a_forger_turns_no_phase", a_forger_turns_no_phase })
