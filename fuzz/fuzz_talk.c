/* A transfer's stream, from who keeps no rules: what can be read is written the same; a receiver
 * and a sender that are told anything, with a disk that does or fails as the input says, neither
 * break nor hold more than they may, and never believe that they are done. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "share/receiver.h"

enum { STEPS_MAX = 600, WISHES = 64 };

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t next(struct input *x)
{
    if (!x->left)
        return 0;
    x->left--;
    return *x->p++;
}

/* --- messages ------------------------------------------------------------------------------- */

static void as_messages(struct input *x)
{
    enum talk_kind kind;
    uint32_t len;
    struct talk t;

    while (talk_read_head(x->p, x->left, &kind, &len) == 1 && x->left >= TALK_HEAD + len) {
        if (!talk_read(&t, kind, x->p + TALK_HEAD, len)) {
            uint8_t *again = malloc(TALK_HEAD + len);
            struct writer w = writer_of(again, TALK_HEAD + len);
            assert(again);
            /* the version of a BEGIN is looked at by talk_read_begin */
            talk_write(&w, &t);
            assert(!w.full && w.p == w.end);
            assert(kind == TALK_BEGIN || !memcmp(again, x->p, TALK_HEAD + len));
            free(again);
        }
        x->p += TALK_HEAD + len;
        x->left -= TALK_HEAD + len;
    }
}

/* --- words that could be meant ---------------------------------------------------------------- */

static const uint8_t block[TREE_BLOCK];

static size_t make(struct input *x, uint8_t *bytes, size_t cap, const struct about *about)
{
    static uint8_t hashes[TREE_PAGE * TREE_HASH];
    struct writer w = writer_of(bytes, cap);
    struct talk t = { 0 };
    uint8_t what = next(x), leaf[TREE_HASH];
    uint64_t n = next(x) % 20;

    t.kind = (enum talk_kind)(what % 28);
    switch (t.kind) {
    case TALK_BEGIN:
        t.begin.token = hashes;
        break;
    case TALK_ABOUT:
        t.about = *about;
        t.about.size += n == 19;
        break;
    case TALK_LIST:
        t.list.bytes = block;
        t.list.len = (uint32_t)n + 1;
        break;
    case TALK_PAGES:
    case TALK_PAGE:
        t.pages.first = n == 19;
        t.pages.n = t.kind == TALK_PAGES ? 1 : (uint32_t)n + 1;
        t.pages.hashes = hashes;
        break;
    case TALK_BLOCK:
    case TALK_LEAFED:
        t.block.index = n;
        t.block.bytes = block;
        t.block.len = what & 64 ? TREE_BLOCK : 1 + next(x);
        if (tree_leaf(leaf, n, block, t.block.len))
            return 0;
        t.block.leaf = t.kind == TALK_LEAFED ? leaf : NULL;
        break;
    case TALK_END:
    case TALK_DONE:
        t.end.size = n * 1000;
        t.end.root = hashes;
        break;
    case TALK_HAVE:
    case TALK_VERIFIED:
        t.runs.bytes = x->p;
        t.runs.len = (uint32_t)(n < x->left ? n : x->left);
        break;
    case TALK_CANCEL:
        t.why = (uint32_t)n + 1;
        break;
    case TALK_WANT:
        t.want.from = n;
        t.want.count = next(x);
        break;
    default:
        t.list_from = n;
        break;
    }
    talk_write(&w, &t);
    return w.full ? 0 : (size_t)(w.p - bytes);
}

/* --- ends ---------------------------------------------------------------------------------------
 */

static void answer_receiver(struct input *x, struct receiver *r, int64_t now)
{
    struct wish w;

    for (int i = 0; i < WISHES && receiver_wish(r, &w); i++) {
        assert(receiver_wishes(r) <= RECEIVER_SLOTS + 4);
        assert(w.kind != WISH_WRITE || w.len <= TREE_BLOCK);
        assert(w.kind != WISH_FINISH || w.size <= 20 * TREE_BLOCK);
        receiver_answer(r, now, w.id, next(x) == 255 ? -ROOST_IO : 0);
    }
}

static void at_receiver(struct input *x)
{
    static uint8_t bytes[TALK_HEAD + TALK_BODY_MAX];
    uint8_t kind = next(x);
    struct about about = { .size = kind & 1 ? 5 * TREE_BLOCK + 7 : TREE_UNKNOWN,
                           .stream = kind & 2,
                           .has_root = kind & 1 && kind & 4,
                           .list_size = kind & 1 && kind & 8 ? 10 : 0 };
    struct receiver_settings s = { .size = about.size,
                                   .size_max = 20 * TREE_BLOCK,
                                   .has_list_root = about.list_size > 0,
                                   .sync_bytes = 2 * TREE_BLOCK };
    struct receiver *r;
    struct share_view v;
    size_t len;

    if (receiver_new(&r, &s))
        return;
    for (int i = 0; i < STEPS_MAX && x->left; i++) {
        size_t n = make(x, bytes, sizeof bytes, &about);
        int64_t took = receiver_in(r, i * 1000, bytes, n);
        assert(took <= (int64_t)n);
        answer_receiver(x, r, i * 1000);
        for (const uint8_t *p; (p = receiver_out(r, &len));)
            receiver_sent(r, len);
        if (next(x) == 7 && !receiver_wishes(r))
            receiver_again(r);
    }
    receiver_look(r, &v);
    assert(v.size == TREE_UNKNOWN || v.size <= 20 * TREE_BLOCK);
    /* zeros are no root of anything that was sent */
    assert(v.state != SHARE_DONE);
    receiver_free(r);
}

static void answer_sender(struct input *x, struct sender *s, bool sized)
{
    struct wish w;

    for (int i = 0; i < WISHES && sender_wish(s, &w); i++) {
        assert(sender_wishes(s) <= SENDER_AHEAD);
        int64_t n = w.kind == WISH_LEAVES ? 0 : w.len;
        if (w.kind == WISH_READ && !sized && w.at >= 9 * TREE_BLOCK)
            n = 5;
        if (w.kind != WISH_LEAVES)
            memset(w.bytes, 0, w.len);
        else
            memset(w.bytes, 0, (size_t)w.len * TREE_HASH);
        if (w.leaf)
            memset(w.leaf, 1, TREE_HASH);
        sender_answer(s, w.id, next(x) == 255 ? -ROOST_UNREADABLE : n);
    }
}

static void at_sender(struct input *x)
{
    static uint8_t bytes[TALK_HEAD + TALK_BODY_MAX];
    uint8_t kind = next(x);
    struct sender_settings settings = { .about = { .size = kind & 1 ? 9 * TREE_BLOCK : TREE_UNKNOWN,
                                                   .stream = kind & 2,
                                                   .list_size = kind & 1 && kind & 8 ? 10 : 0 } };
    struct sender *s;
    struct share_view v;
    size_t len;

    if (sender_new(&s, &settings))
        return;
    for (int i = 0; i < STEPS_MAX && x->left; i++) {
        size_t n = make(x, bytes, sizeof bytes, &settings.about);
        sender_in(s, bytes, n);
        answer_sender(x, s, kind & 1);
        for (int k = 0; k < 3; k++) {
            const uint8_t *p = sender_out(s, &len);
            if (p)
                sender_sent(s, len > 1000 ? len / 2 : len);
        }
        if (next(x) == 7 && !sender_wishes(s))
            sender_again(s);
    }
    sender_look(s, &v);
    assert(v.state != SHARE_DONE && v.verified <= v.here);
    sender_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct input x = { data, len };
    uint8_t what = next(&x) % 3;

    if (what == 0)
        as_messages(&x);
    else if (what == 1)
        at_receiver(&x);
    else
        at_sender(&x);
    return 0;
}
