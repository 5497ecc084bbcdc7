/* Stories about who sends what is still coming itself: the end is said when somebody who knows
 * confirmed it. */
#include <string.h>

#include "base/err.h"
#include "share/sender.h"
#include "test.h"

enum { SIZE = 2 * TREE_BLOCK + 10 };

static uint8_t body[SIZE];

static void root_of_body(uint8_t ret[TREE_HASH])
{
    uint8_t leaves[3 * TREE_HASH], page[TREE_HASH];

    for (unsigned i = 0; i < 3; i++)
        CHECK(
            !tree_leaf(leaves + i * TREE_HASH, i, body + i * TREE_BLOCK, tree_block_len(SIZE, i)));
    CHECK(!tree_page(page, 0, leaves, 3));
    CHECK(!tree_root(ret, SIZE, page, 1));
}

/* All that it says now; the kind of the last. */
static int say(struct sender *s)
{
    const uint8_t *bytes;
    size_t len;
    int kind = 0;

    while ((bytes = sender_out(s, &len))) {
        kind = bytes[0];
        sender_sent(s, len);
    }
    return kind;
}

/* Asks for blocks until it asks for the root: that wish. */
static struct wish sent_all(struct sender *s)
{
    uint8_t have[TALK_HEAD] = { TALK_HAVE };
    struct wish w;

    CHECK(say(s) == TALK_ABOUT);
    CHECK(!sender_in(s, have, sizeof have));
    for (int i = 0; i < 10; i++) {
        CHECK(sender_wish(s, &w));
        if (w.kind == WISH_ROOT)
            return w;
        CHECK(w.kind == WISH_READ);
        memcpy(w.bytes, body + w.at, w.len);
        CHECK(!tree_leaf(w.leaf, w.at / TREE_BLOCK, w.bytes, w.len));
        sender_answer(s, w.id, w.len);
        CHECK(say(s) == TALK_LEAFED);
    }
    CHECK(false);
    return w;
}

static struct sender *begin(void)
{
    const struct sender_settings arrives = { .about = { .size = SIZE }, .arrives = true };
    struct sender *s;

    for (unsigned i = 0; i < SIZE; i++)
        body[i] = (uint8_t)(i * 2654435761u >> 11);
    CHECK(!sender_new(&s, &arrives));
    return s;
}

static void the_end_waits_for_the_root(void)
{
    struct sender *s = begin();
    struct wish w = sent_all(s);
    struct share_view v;

    CHECK(say(s) == 0);
    root_of_body(w.leaf);
    sender_answer(s, w.id, 0);
    CHECK(say(s) == TALK_END);
    sender_look(s, &v);
    CHECK(v.state == SHARE_CHECKS && v.has_root && memcmp(v.root, w.leaf, TREE_HASH) == 0);
    sender_free(s);
}

static void what_became_of_it_is_something_else(void)
{
    struct sender *s = begin();
    struct wish w = sent_all(s);
    struct share_view v;

    root_of_body(w.leaf);
    w.leaf[3] ^= 1;
    sender_answer(s, w.id, 0);
    CHECK(say(s) == TALK_CANCEL);
    sender_look(s, &v);
    CHECK(v.state == SHARE_OVER && v.err == -ROOST_SOURCE_CHANGED);
    sender_free(s);
}

static void it_is_given_up(void)
{
    struct sender *s = begin();
    struct wish w = sent_all(s);

    sender_answer(s, w.id, -ROOST_CANCELLED);
    CHECK(say(s) == TALK_CANCEL);
    sender_free(s);
}

static void it_knows_no_root_and_its_size(void)
{
    uint8_t pages[TREE_HASH] = { 0 };
    struct sender *s;

    CHECK(sender_new(&s, &(struct sender_settings){ .about = { .size = TREE_UNKNOWN },
                                                    .arrives = true }) == -ROOST_INVALID);
    CHECK(sender_new(&s, &(struct sender_settings){ .about = { .size = SIZE, .has_root = true },
                                                    .pages = pages,
                                                    .arrives = true }) == -ROOST_INVALID);
}

TEST_MAIN({ "the_end_waits_for_the_root", the_end_waits_for_the_root },
          { "what_became_of_it_is_something_else", what_became_of_it_is_something_else },
          { "it_is_given_up", it_is_given_up },
          { "it_knows_no_root_and_its_size", it_knows_no_root_and_its_size })
