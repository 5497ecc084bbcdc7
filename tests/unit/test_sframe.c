/* test_sframe.c - frames sealed end to end: the vectors of RFC 9605, and what is not a frame. */
#include <string.h>

#include "base/err.h"
#include "seal/replay.h"
#include "seal/sframe.h"
#include "test.h"

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

/* Appendix C.3, cipher suite 5. */
static void frames_are_rfc9605s(void)
{
    uint8_t base[16], meta[14], bytes[64], head[SFRAME_HEAD_MAX];
    struct sframe seals, opens;
    struct seal_part key = { base, sizeof base }, parts[] = { { meta, 3 }, { meta + 3, 11 } };

    unhex(base, "000102030405060708090a0b0c0d0e0f");
    unhex(meta, "4945544620534672616d65205747");
    unhex(bytes, "64726166742d696574662d736672616d652d656e63");
    CHECK(sframe_init(&seals, &key, 0x123, true) == 0);
    CHECK(sframe_init(&opens, &key, 0x123, false) == 0);
    CHECK(is_hex(seals.aead.iv, "84991c167b8cd23c93708ec7"));
    CHECK(sframe_head_encode(head, 0x123, 0x4567) == 5 && is_hex(head, "9901234567"));
    CHECK(sframe_seal(&seals, 0x4567, parts, 2, bytes, 21, bytes + 21) == 0);
    CHECK(is_hex(bytes,
                 "94f509d36e9beacb0e261d99c7d1e972f1fed787d4049f17ca21353c1cc24d56ceabced279"));

    CHECK(sframe_open(&opens, 0x4567, parts, 2, bytes, 21, bytes + 21) == 0);
    CHECK(is_hex(bytes, "64726166742d696574662d736672616d652d656e63"));
    sframe_fini(&seals);
    sframe_fini(&opens);
}

/* Another counter, key id, key, metadata, text or tag: it does not open. */
static void what_was_changed_does_not_open(void)
{
    uint8_t base[32] = { 7 }, meta[8] = { 1 }, bytes[32], kept[32];
    struct seal_part key = { base, sizeof base }, part = { meta, sizeof meta };
    struct sframe seals, opens, other;

    CHECK(sframe_init(&seals, &key, 16, true) == 0);
    CHECK(sframe_init(&opens, &key, 16, false) == 0);
    CHECK(sframe_init(&other, &key, 17, false) == 0);
    memset(bytes, 5, sizeof bytes);
    CHECK(sframe_seal(&seals, 9, &part, 1, bytes, 16, bytes + 16) == 0);
    memcpy(kept, bytes, sizeof kept);
    for (size_t i = 0; i < sizeof bytes; i++) {
        memcpy(bytes, kept, sizeof kept);
        bytes[i] ^= 0x10;
        CHECK(sframe_open(&opens, 9, &part, 1, bytes, 16, bytes + 16) == -ROOST_MALFORMED);
    }
    for (size_t i = 0; i < sizeof meta; i++) {
        memcpy(bytes, kept, sizeof kept);
        meta[i] ^= 1;
        CHECK(sframe_open(&opens, 9, &part, 1, bytes, 16, bytes + 16) == -ROOST_MALFORMED);
        meta[i] ^= 1;
    }
    memcpy(bytes, kept, sizeof kept);
    CHECK(sframe_open(&opens, 10, &part, 1, bytes, 16, bytes + 16) == -ROOST_MALFORMED);
    memcpy(bytes, kept, sizeof kept);
    CHECK(sframe_open(&other, 9, &part, 1, bytes, 16, bytes + 16) == -ROOST_MALFORMED);
    memcpy(bytes, kept, sizeof kept);
    CHECK(sframe_open(&opens, 9, &part, 1, bytes, 16, bytes + 16) == 0 && bytes[15] == 5);
    sframe_fini(&seals);
    sframe_fini(&opens);
    sframe_fini(&other);
}

static void headers_have_one_form(void)
{
    static const struct {
        uint64_t kid, counter;
        const char *hex;
    } golden[] = {
        { 0, 0, "00" },
        { 7, 7, "77" },
        { 0, 8, "0808" },
        { 8, 8, "880808" },
        { 255, 0, "80ff" },
        { 256, 1, "910100" },
        { 0x123, 0x4567, "9901234567" },
        { 0, 0xffffffffffffffff, "0fffffffffffffffff" },
        { 0xffffffffffffffff, 0xffffffffffffffff, "ffffffffffffffffffffffffffffffffff" },
    };
    uint8_t head[SFRAME_HEAD_MAX];
    uint64_t kid, counter;

    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        size_t n = sframe_head_encode(head, golden[i].kid, golden[i].counter);
        CHECK(n == strlen(golden[i].hex) / 2 && is_hex(head, golden[i].hex));
        CHECK(sframe_head_decode(head, n, &kid, &counter) == (int)n);
        CHECK(kid == golden[i].kid && counter == golden[i].counter);
        for (size_t len = 0; len < n; len++)
            CHECK(sframe_head_decode(head, len, &kid, &counter) == -ROOST_MALFORMED);
    }
    /* longer than needed */
    CHECK(sframe_head_decode((const uint8_t[]){ 0x08, 7 }, 2, &kid, &counter) == -ROOST_MALFORMED);
    CHECK(sframe_head_decode((const uint8_t[]){ 0x90, 0, 9 }, 3, &kid, &counter) ==
          -ROOST_MALFORMED);
}

static void a_window_knows_its_numbers(void)
{
    struct replay r = { 0 };
    const uint64_t top = 5000;

    CHECK(!replay_is_seen(&r, 0) && !replay_is_seen(&r, top));
    replay_note(&r, top);
    CHECK(replay_is_seen(&r, top) && !replay_is_seen(&r, top + 1));
    CHECK(!replay_is_seen(&r, top - REPLAY_WINDOW + 1)); /* the oldest that is known */
    CHECK(replay_is_seen(&r, top - REPLAY_WINDOW));
    replay_note(&r, top - REPLAY_WINDOW + 1);
    CHECK(replay_is_seen(&r, top - REPLAY_WINDOW + 1));
    replay_note(&r, top + 1); /* takes the oldest one's place, not another's */
    CHECK(replay_is_seen(&r, top + 1) && replay_is_seen(&r, top) && !replay_is_seen(&r, top - 1));
    CHECK(replay_is_seen(&r, top - REPLAY_WINDOW + 1));
    replay_note(&r, top + REPLAY_WINDOW); /* all but one are new */
    CHECK(replay_is_seen(&r, top + 1) && !replay_is_seen(&r, top + 2));
    replay_note(&r, UINT64_MAX - 1);
    CHECK(replay_is_seen(&r, top) && replay_is_seen(&r, UINT64_MAX - 1));
    CHECK(!replay_is_seen(&r, UINT64_MAX - 2));
}

TEST_MAIN({ "frames_are_rfc9605s", frames_are_rfc9605s },
          { "what_was_changed_does_not_open", what_was_changed_does_not_open },
          { "headers_have_one_form", headers_have_one_form },
          { "a_window_knows_its_numbers", a_window_knows_its_numbers })
