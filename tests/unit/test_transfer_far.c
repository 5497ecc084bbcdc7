/* Bytes that nobody has: what a big transfer costs, and what an enemy makes of one. */
#include "test.h"

#include <malloc.h>
#include <string.h>

#include "base/err.h"
#include "share/receiver.h"

enum { MANY = 3 * TREE_PAGE + 100, PIECE = 200000 };

static struct sender *s;
static struct receiver *r;
static uint64_t written; /* bytes */

/* A disk that has all there is, and takes all there comes. */
static void do_wish(bool receivers, const struct wish *w)
{
    int64_t n = 0;

    written += w->kind == WISH_WRITE ? w->len : 0;

    if (w->kind == WISH_READ) {
        memset(w->leaf, 0, TREE_HASH);
        memcpy(w->leaf, &w->at, sizeof w->at);
        n = w->len;
    }
    for (uint64_t i = 0; w->kind == WISH_LEAVES && i < w->len; i++) {
        uint64_t at = (w->at + i) * TREE_BLOCK;
        memset(w->bytes + i * TREE_HASH, 0, TREE_HASH);
        memcpy(w->bytes + i * TREE_HASH, &at, sizeof at);
    }
    if (receivers)
        receiver_answer(r, 1, w->id, n);
    else
        sender_answer(s, w->id, n);
}

static bool move(void)
{
    struct wish w;
    size_t len;
    const uint8_t *p;
    bool moved = false;

    while (sender_wish(s, &w))
        do_wish(false, &w);
    if ((p = sender_out(s, &len))) {
        int64_t took = receiver_in(r, 1, p, len);
        sender_sent(s, took > 0 ? (size_t)took : 0);
        moved = took > 0;
    }
    while (receiver_wish(r, &w)) {
        do_wish(true, &w);
        moved = true;
    }
    if ((p = receiver_out(r, &len))) {
        sender_in(s, p, len);
        receiver_sent(r, len);
        moved = true;
    }
    return moved;
}

static void begin(uint64_t size)
{
    struct sender_settings ss = { .about = { .size = size } };
    struct receiver_settings rs = { .size = size };

    CHECK(!sender_new(&s, &ss) && !receiver_new(&r, &rs));
}

static void end(void)
{
    sender_free(s);
    receiver_free(r);
    s = NULL;
    r = NULL;
}

static struct share_view at_receiver(void)
{
    struct share_view v;

    receiver_look(r, &v);
    return v;
}

/* With seeks all over it: what is held at the end is what was held early, and each byte comes once.
 */
static void memory_does_not_grow(void)
{
    uint64_t many = test_starves() ? MANY : 20000000000 / TREE_BLOCK;
    uint64_t size = many * TREE_BLOCK - 77;
    size_t early = 0, most = 0;

    written = 0;
    begin(size);
    for (uint64_t i = 0; move(); i++) {
        size_t now = mallinfo2().uordblks;
        if (i == MANY / 4)
            early = now;
        most = i > MANY / 4 && now > most ? now : most;
        if (i % 97 == 0)
            receiver_want(r, i * 31 % many, 3);
    }
    CHECK(at_receiver().state == SHARE_DONE && written == size);
    /* four pages of leaves on each side, at most; a sanitizer's allocator does not say */
    CHECK(!early || most < early + 300000 + 200UL * tree_pages(size));
    end();
}

/* Says a message to the receiver, as it never would come from our sender. */
static int64_t say(const struct talk *t)
{
    static uint8_t bytes[PIECE];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct wish wish;
    size_t len;

    talk_write(&w, t);
    CHECK(!w.full);
    int64_t took = receiver_in(r, 1, bytes, (size_t)(w.p - bytes));
    while (receiver_wish(r, &wish))
        do_wish(true, &wish);
    while (receiver_out(r, &len))
        receiver_sent(r, len);
    return took;
}

static const uint8_t zeros[TREE_BLOCK];

static struct talk about(uint64_t size)
{
    return (struct talk){ TALK_ABOUT, .about = { .size = size } };
}

static struct talk block(uint64_t index, uint32_t len)
{
    return (struct talk){ TALK_LEAFED, .block = { index, zeros, zeros, len } };
}

/* Each begins anew, with a receiver that waits for blocks of 3 and a half. */
static void a_sender_is_not_believed(void)
{
    uint64_t size = 3 * TREE_BLOCK + 100;
    struct talk other = about(size + 1), first = about(size);
    const struct talk bad[] = {
        first,                                                   /* twice */
        block(4, TREE_BLOCK),                                    /* past the end */
        block(0, 5),                                             /* too short */
        block(3, 101),                                           /* too long */
        { TALK_BLOCK, .block = { 0, NULL, zeros, TREE_BLOCK } }, /* nobody vouches for it */
        { TALK_PAGE, .pages = { 0, 4, zeros } },
        { TALK_PAGES, .pages = { 0, 1, zeros } },
        { TALK_LIST, .list = { zeros, 5 } },
        { TALK_END, .end = { size, zeros } }, /* there are none yet */
        { TALK_DONE, .end = { .root = zeros } },
        { TALK_HAVE },
        { TALK_WANT, .want = { 1, 1 } },
        { TALK_BEGIN, .begin = { TALK_SENDS, zeros } },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        begin(size);
        CHECK(say(&first) > 0);
        CHECK(say(&bad[i]) == -ROOST_MALFORMED && at_receiver().err == -ROOST_MALFORMED);
        end();
    }
    begin(size);
    CHECK(say(&other) == -ROOST_MALFORMED);
    end();
    begin(size);
    struct talk one = block(1, TREE_BLOCK);
    CHECK(say(&one) == -ROOST_MALFORMED); /* before ABOUT */
    end();
    begin(size);
    CHECK(say(&first) > 0 && say(&one) > 0 && say(&one) == -ROOST_MALFORMED); /* twice */
    end();
}

static void a_receiver_is_not_believed(void)
{
    const struct talk bad[] = {
        { TALK_DONE, .end = { .root = zeros } },
        { TALK_VERIFIED, .runs = { (uint8_t *)"\2\1", 2 } },
        { TALK_WANT, .want = { 100, 1 } },
        { TALK_LIST_WANT, .list_from = 0 },
        { TALK_HAVE },
        { TALK_END, .end = { 5, zeros } },
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        static uint8_t bytes[PIECE];
        struct writer w = writer_of(bytes, sizeof bytes);
        size_t len;
        begin(3 * TREE_BLOCK);
        CHECK(sender_out(s, &len));
        sender_sent(s, len);
        CHECK(!sender_in(s, (const uint8_t *)"\x10\0\0\0", 4));
        talk_write(&w, &bad[i]);
        CHECK(sender_in(s, bytes, (size_t)(w.p - bytes)) == -ROOST_MALFORMED);
        end();
    }
}

/* A disk that never answers: what is taken of the stream is what there is room for. */
static void a_slow_disk_holds_back(void)
{
    static uint8_t bytes[PIECE];
    struct talk first = about(100 * TREE_BLOCK);
    struct wish w;
    uint64_t taken = 0;

    begin(100 * TREE_BLOCK);
    CHECK(say(&first) > 0);
    for (uint64_t i = 0; i < 100; i++) {
        struct writer out = writer_of(bytes, sizeof bytes);
        struct talk t = block(i, TREE_BLOCK);
        talk_write(&out, &t);
        size_t len = (size_t)(out.p - bytes);
        int64_t took = receiver_in(r, 1, bytes, len);
        CHECK(took >= 0);
        taken += (uint64_t)took;
        if ((size_t)took < len)
            break;
    }
    CHECK(taken >= RECEIVER_SLOTS * TREE_BLOCK && taken < (RECEIVER_SLOTS + 1) * TREE_BLOCK);
    while (receiver_wish(r, &w))
        do_wish(true, &w);
    CHECK(receiver_in(r, 1, bytes, 0) == 0 && at_receiver().state == SHARE_BLOCKS);
    end();
}

TEST_MAIN({ "memory_does_not_grow", memory_does_not_grow },
          { "a_sender_is_not_believed", a_sender_is_not_believed },
          { "a_receiver_is_not_believed", a_receiver_is_not_believed },
          { "a_slow_disk_holds_back", a_slow_disk_holds_back })
