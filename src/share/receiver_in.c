#include "share/receiver_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* --- what is sent ---------------------------------------------------------------------------- */

/* Is it what was offered? */
static int compare_offer(const struct receiver *r, const struct about *a)
{
    const struct receiver_settings *o = &r->settings;
    bool list_fits = o->has_list_root
                         ? a->list_size && !memcmp(a->list_root, o->list_root, TREE_HASH)
                         : !a->list_size;

    if ((o->size != TREE_UNKNOWN && a->size != o->size) || !list_fits ||
        (o->has_root && (!a->has_root || memcmp(a->root, o->root, TREE_HASH) != 0)))
        return -ROOST_MALFORMED;
    if ((a->size != TREE_UNKNOWN && a->size > o->size_max) || a->list_size > LIST_SIZE_MAX)
        return -ROOST_LIMIT;
    return 0;
}

/* Is it what the blocks are of that are here? */
static int compare_held(struct receiver *r, const struct about *a)
{
    struct held_of now = { .size = a->size, .mtime_ns = a->mtime_ns, .has_root = a->has_root };
    bool any = r->synced.n || r->written.n || r->whole;

    memcpy(now.list_root, a->list_root, TREE_HASH);
    memcpy(now.root, a->root, TREE_HASH);
    if (r->has_of && any && !held_of_same(&r->of, &now))
        return -ROOST_SOURCE_CHANGED;
    if (!r->has_of || !any) {
        r->of = now;
        r->proven = now.has_root;
    } else if (now.has_root) {
        r->of.has_root = true;
        memcpy(r->of.root, now.root, TREE_HASH);
    }
    r->has_of = true;
    return 0;
}

static int make_pages(struct receiver *r)
{
    if (r->pages || !r->about.has_root || !r->about.size)
        return 0;
    r->pages = malloc((size_t)tree_pages(r->about.size) * TREE_HASH);
    return r->pages ? 0 : -ROOST_NOMEM;
}

static int on_about(struct receiver *r, const struct about *a)
{
    if (r->has_about)
        return -ROOST_MALFORMED;
    int err = compare_offer(r, a);
    if (!err)
        err = compare_held(r, a);
    if (err)
        return err;
    r->about = *a;
    r->has_about = true;
    r->size = a->size;
    r->has_root = a->has_root;
    memcpy(r->root, a->root, TREE_HASH);
    r->flush = true; /* HAVE speaks of what is synced */
    r->state = SHARE_LIST;
    if (r->laid_out)
        r->say_have = true;
    else if (r->list_held > a->list_size)
        r->list_held = 0; /* another list */
    r->list_at = r->list_held;
    r->list_is_old = r->list_held > 0;
    r->say_list = !r->laid_out && r->list_held < a->list_size;
    return make_pages(r);
}

static int on_list(struct receiver *r, struct slot *s, const struct talk *t)
{
    if (r->state != SHARE_LIST || r->say_list || r->laid_out || !r->has_about ||
        t->list.len > r->about.list_size - r->list_at)
        return -ROOST_MALFORMED;
    s->state = SLOT_WANTED;
    s->kind = WISH_WRITE_LIST;
    s->at = r->list_at;
    s->bytes = (uint8_t *)t->list.bytes;
    s->len = t->list.len;
    r->list_at += t->list.len;
    return 0;
}

/* --- hashes ---------------------------------------------------------------------------------- */

static bool takes_blocks(const struct receiver *r)
{
    return r->state == SHARE_BLOCKS && !r->has_end;
}

static bool has_pages(const struct receiver *r)
{
    return r->pages_n == tree_pages(r->size);
}

static int on_pages(struct receiver *r, const struct talk *t)
{
    uint8_t root[TREE_HASH];

    if (!takes_blocks(r) || !r->about.has_root || t->pages.first != r->pages_n ||
        t->pages.n > tree_pages(r->size) - r->pages_n)
        return -ROOST_MALFORMED;
    memcpy(r->pages + (size_t)r->pages_n * TREE_HASH, t->pages.hashes,
           (size_t)t->pages.n * TREE_HASH);
    r->pages_n += t->pages.n;
    if (!has_pages(r))
        return 0;
    int err = tree_root(root, r->size, r->pages, r->pages_n);
    if (err)
        return err;
    return memcmp(root, r->root, TREE_HASH) ? -ROOST_MALFORMED : 0;
}

static int on_page(struct receiver *r, const struct talk *t)
{
    uint32_t page = t->pages.first;
    uint8_t hash[TREE_HASH];

    if (!takes_blocks(r) || !r->about.has_root || !has_pages(r) || page >= r->pages_n ||
        t->pages.n != tree_page_len(r->size, page))
        return -ROOST_MALFORMED;
    /* Hashing is work: no more of it than blocks and pages can need. */
    if (++r->told_n > r->pages_n + 2 * r->blocks_n + 64)
        return -ROOST_MALFORMED;
    int err = tree_page(hash, page, t->pages.hashes, t->pages.n);
    if (err)
        return err;
    if (memcmp(hash, r->pages + (size_t)page * TREE_HASH, TREE_HASH) != 0)
        return -ROOST_MALFORMED;
    return told_put(&r->told, page, t->pages.hashes, t->pages.n);
}

/* --- blocks ---------------------------------------------------------------------------------- */

/* A block that is not full ends a body of unknown size. */
static int find_end(struct receiver *r, const struct talk *t)
{
    uint64_t size = t->block.index * TREE_BLOCK + t->block.len;

    if (size > r->settings.size_max)
        return -ROOST_LIMIT;
    if (r->size != TREE_UNKNOWN || t->block.len == TREE_BLOCK)
        return 0;
    if (held_next(&r->come, t->block.index) != UINT64_MAX)
        return -ROOST_MALFORMED; /* there are blocks behind it */
    r->size = size;
    return gather_size(&r->gather, size);
}

/* What vouches for a block; NULL: nothing does. */
static const uint8_t *leaf_of(const struct receiver *r, const struct talk *t)
{
    if (r->about.has_root)
        return t->block.leaf || !has_pages(r) ? NULL : told_leaf(&r->told, t->block.index);
    return t->block.leaf;
}

/* Zeros that were not sent; the room of a slot has the longest block behind its leaf. */
static void fill(const struct receiver *r, struct slot *s, struct talk *t)
{
    bool known = r->size != TREE_UNKNOWN && t->block.index < receiver_blocks(r);

    if (t->block.len)
        return;
    t->block.len = known ? tree_block_len(r->size, t->block.index) : TREE_BLOCK;
    t->block.bytes = s->room + r->body_len;
    memset(s->room + r->body_len, 0, t->block.len);
}

static int on_block(struct receiver *r, struct slot *s, const struct talk *from)
{
    struct talk filled = *from, *t = &filled;

    if (!takes_blocks(r))
        return -ROOST_MALFORMED;
    fill(r, s, t);
    int err = find_end(r, t);
    if (err)
        return err;
    const uint8_t *leaf = leaf_of(r, t);
    if (!leaf || t->block.index >= receiver_blocks(r) || held_has(&r->come, t->block.index) ||
        (r->size != TREE_UNKNOWN && t->block.len != tree_block_len(r->size, t->block.index)))
        return -ROOST_MALFORMED;
    err = held_add(&r->come, t->block.index, t->block.index + 1);
    if (err)
        return err;
    r->blocks_n++;
    r->proven = r->proven && r->about.has_root;
    s->state = SLOT_WANTED;
    s->kind = WISH_WRITE;
    s->at = t->block.index;
    s->bytes = (uint8_t *)t->block.bytes;
    s->len = t->block.len;
    memcpy(s->leaf, leaf, TREE_HASH);
    return 0;
}

static int on_end(struct receiver *r, const struct talk *t)
{
    if (!takes_blocks(r) || (r->size != TREE_UNKNOWN && t->end.size != r->size) ||
        t->end.size > r->settings.size_max ||
        (r->about.has_root && (!has_pages(r) || memcmp(t->end.root, r->root, TREE_HASH) != 0)))
        return -ROOST_MALFORMED;
    r->size = t->end.size;
    if (!held_has_all(&r->come, 0, receiver_blocks(r)) ||
        held_next(&r->come, receiver_blocks(r)) != UINT64_MAX)
        return -ROOST_MALFORMED;
    /* A root that was known of these very bytes is to be theirs. */
    if (r->of.has_root && memcmp(r->of.root, t->end.root, TREE_HASH) != 0)
        return -ROOST_SOURCE_CHANGED;
    memcpy(r->root, t->end.root, TREE_HASH);
    r->has_root = r->has_end = true;
    return gather_size(&r->gather, r->size);
}

/* --- messages --------------------------------------------------------------------------------- */

static int on_talk(struct receiver *r, struct slot *s, const struct talk *t)
{
    switch (t->kind) {
    case TALK_ABOUT:
        return on_about(r, &t->about);
    case TALK_LIST:
        return on_list(r, s, t);
    case TALK_PAGES:
        return on_pages(r, t);
    case TALK_PAGE:
        return on_page(r, t);
    case TALK_BLOCK:
    case TALK_LEAFED:
        return on_block(r, s, t);
    case TALK_END:
        return on_end(r, t);
    case TALK_PAUSE:
    case TALK_GO:
        r->paused_there = t->kind == TALK_PAUSE;
        return 0;
    case TALK_CANCEL:
        r->theirs = true;
        receiver_fail(r, -(int)t->why);
        return 0;
    default:
        return -ROOST_MALFORMED;
    }
}

static bool is_for_us(enum talk_kind kind)
{
    return kind != TALK_BEGIN && (kind < TALK_HAVE || kind >= TALK_PAUSE);
}

static size_t take_head(struct receiver *r, const uint8_t *bytes, size_t len, int *err)
{
    size_t n = TALK_HEAD - r->head_len;

    n = n < len ? n : len;
    memcpy(r->head + r->head_len, bytes, n);
    r->head_len += (uint32_t)n;
    int got = talk_read_head(r->head, r->head_len, &r->kind, &r->body_len);
    if (got < 0 || (got && (!is_for_us(r->kind) || !r->has_about != (r->kind == TALK_ABOUT)) &&
                    r->kind < TALK_PAUSE))
        *err = -ROOST_MALFORMED;
    r->body_at = 0;
    return n;
}

/* The slot of the message that comes; NULL: it has to wait. */
static struct slot *slot_for(struct receiver *r)
{
    if (!r->filling)
        r->filling = receiver_slot(r);
    if (r->filling)
        r->filling->state = SLOT_FILLING;
    return r->filling;
}

static int end_message(struct receiver *r, struct slot *s)
{
    struct talk t;
    int err = talk_read(&t, r->kind, s->room, r->body_len);

    s->state = SLOT_FREE;
    r->filling = NULL;
    r->head_len = 0;
    return err ? err : on_talk(r, s, &t);
}

/* As much of one message as there is; 0: it has to wait for the disk. */
static size_t take_some(struct receiver *r, const uint8_t *bytes, size_t len, int *err)
{
    if (r->head_len < TALK_HEAD) {
        size_t n = take_head(r, bytes, len, err);
        if (*err || r->head_len < TALK_HEAD || r->body_len)
            return n;
        struct slot *s = slot_for(r); /* a message without a body, that fits anywhere */
        if (s)
            *err = end_message(r, s);
        else
            r->head_len -= (uint32_t)n;
        return s ? n : 0;
    }
    struct slot *s = slot_for(r);
    if (!s)
        return 0;
    size_t n = r->body_len - r->body_at;
    n = n < len ? n : len;
    memcpy(s->room + r->body_at, bytes, n);
    r->body_at += (uint32_t)n;
    if (r->body_at == r->body_len)
        *err = end_message(r, s);
    return n;
}

int64_t receiver_in(struct receiver *r, int64_t now_us, const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    int err = 0;

    (void)now_us;
    while (at < len && !err && r->state != SHARE_OVER) {
        size_t n = take_some(r, bytes + at, len - at, &err);
        if (!n)
            break;
        at += n;
    }
    if (err)
        receiver_fail(r, err);
    receiver_step(r);
    if (r->state == SHARE_OVER) /* whatever else there is, nobody looks at it */
        return err ? err : (int64_t)len;
    return (int64_t)at;
}
