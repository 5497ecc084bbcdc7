#include "share/sender_inside.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

/* --- out ----------------------------------------------------------------------------------------
 */

static void say(struct sender *s, const struct talk *t)
{
    struct writer w = writer_of(s->word, sizeof s->word);

    talk_write(&w, t);
    assert(!w.full && "small words fit");
    s->out = s->word;
    s->out_len = (size_t)(w.p - s->word);
}

/* All was sent and is known; the end can be said. */
static bool is_end(struct sender *s)
{
    uint64_t b;

    if (s->said_end || !s->has_root || s->n || s->paused_here || s->paused_there ||
        s->size == TREE_UNKNOWN)
        return false;
    return s->state == SHARE_CHECKS ||
           (s->state == SHARE_BLOCKS &&
            (!s->about.has_root || s->pages_at >= tree_pages(s->size)) &&
            !sender_next_block(s, &b));
}

static bool say_word(struct sender *s)
{
    if (s->say_cancel) {
        s->say_cancel = false;
        say(s, &(struct talk){ TALK_CANCEL, .why = (uint32_t)-s->err });
    } else if (s->state == SHARE_OVER) {
        return false;
    } else if (s->say_about) {
        s->say_about = false;
        say(s, &(struct talk){ TALK_ABOUT, .about = s->about });
    } else if (s->told_paused != s->paused_here) {
        s->told_paused = s->paused_here;
        say(s, &(struct talk){ s->paused_here ? TALK_PAUSE : TALK_GO });
    } else if (is_end(s)) {
        s->said_end = true;
        s->state = SHARE_CHECKS;
        say(s, &(struct talk){ TALK_END, .end = { s->size, s->root } });
    } else {
        return false;
    }
    return true;
}

static bool is_zeros(const uint8_t *bytes, uint32_t len)
{
    return len && !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);
}

/* Zeros are known without being sent, where it is known how many they are. */
static bool goes_without(const struct sender *s, const struct place *p)
{
    return p->cargo == CARGO_BLOCK && (s->size != TREE_UNKNOWN || p->len == TREE_BLOCK) &&
           is_zeros(p->bytes + TALK_ROOM, p->len);
}

/* Its head, right before its bytes. */
static void put_head(struct sender *s, struct place *p)
{
    static const enum talk_kind kinds[] = { [CARGO_LIST] = TALK_LIST,
                                            [CARGO_PAGES] = TALK_PAGES,
                                            [CARGO_PAGE] = TALK_PAGE,
                                            [CARGO_BLOCK] = TALK_BLOCK };
    bool leafed = p->cargo == CARGO_BLOCK && !s->about.has_root;
    uint32_t before = p->cargo == CARGO_LIST ? 0 : var_bytes(p->at);
    uint32_t len = goes_without(s, p) ? 0 : p->len;

    before += leafed ? TREE_HASH : 0;
    uint8_t *at = p->bytes + TALK_ROOM - before - TALK_HEAD;
    struct writer w = writer_of(at, TALK_HEAD + before);
    talk_write_head(&w, leafed ? TALK_LEAFED : kinds[p->cargo], before + len);
    if (p->cargo != CARGO_LIST)
        write_var(&w, p->at);
    if (leafed)
        write_bytes(&w, p->leaf, TREE_HASH);
    assert(!w.full && w.p == w.end);
    s->out = at;
    s->out_len = TALK_HEAD + before + len;
    s->out_is_place = true;
}

/* What is to be told of leaves, and is what was told of them? */
static int look_at(struct sender *s, const struct place *p)
{
    if (p->cargo == CARGO_PAGE)
        return told_put(&s->told, (uint32_t)p->at, p->bytes + TALK_ROOM, p->len / TREE_HASH);
    if (p->cargo != CARGO_BLOCK || !s->about.has_root)
        return 0;
    return memcmp(told_leaf(&s->told, p->at), p->leaf, TREE_HASH) ? -ROOST_SOURCE_CHANGED : 0;
}

/* The first of the ring, if it is there. */
static bool say_place(struct sender *s)
{
    sender_drop_ours(s);
    if (!s->n || s->ring[s->first]->state != FILLED)
        return false;
    int err = look_at(s, s->ring[s->first]);
    if (err)
        sender_fail(s, err);
    else
        put_head(s, s->ring[s->first]);
    return !err;
}

const uint8_t *sender_out(struct sender *s, size_t *ret_len)
{
    bool held = s->paused_here || s->paused_there || s->state == SHARE_OVER;

    if (!s->out_len && !say_word(s) && !held && !say_place(s))
        say_word(s);
    *ret_len = s->out_len;
    return s->out_len ? s->out : NULL;
}

void sender_sent(struct sender *s, size_t len)
{
    assert(len <= s->out_len);
    s->out += len;
    s->out_len -= len;
    if (s->out_len)
        return;
    if (s->out_is_place)
        sender_drop_first(s);
    s->out_is_place = false;
}
