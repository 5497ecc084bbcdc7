#include "share/sender_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* --- what goes next -------------------------------------------------------------------------- */

uint64_t sender_blocks(const struct sender *s)
{
    return s->size == TREE_UNKNOWN ? TREE_SIZE_MAX / TREE_BLOCK : tree_blocks(s->size);
}

bool sender_next_block(struct sender *s, uint64_t *ret)
{
    uint64_t b = held_missing(&s->there, s->cursor);

    if (b >= s->back_at || b >= sender_blocks(s)) {
        b = held_missing(&s->there, s->back_at != UINT64_MAX ? s->back_to : 0);
        s->back_at = UINT64_MAX;
        if (b >= sender_blocks(s))
            b = held_missing(&s->there, 0);
    }
    s->cursor = b;
    *ret = b;
    return b < sender_blocks(s);
}

static bool is_planned(const struct sender *s, uint32_t page)
{
    uint32_t n = s->n_planned < TREE_OPEN ? s->n_planned : TREE_OPEN;

    for (uint32_t i = 0; i < n; i++)
        if (s->planned[i] == page)
            return true;
    return false;
}

/* A place at the end of the ring. */
static struct place *plan(struct sender *s, enum cargo cargo, uint64_t at, uint32_t len)
{
    uint32_t i = (s->first + s->n) % SENDER_AHEAD;

    if (!s->ring[i])
        s->ring[i] = malloc(sizeof *s->ring[i]);
    struct place *p = s->ring[i];
    if (!p) {
        sender_fail(s, -ROOST_NOMEM);
        return NULL;
    }
    p->cargo = cargo;
    p->state = WANTED;
    p->at = at;
    p->len = p->asked = len;
    s->n++;
    return p;
}

static bool plan_list(struct sender *s)
{
    uint64_t left = s->about.list_size - s->list_at;
    uint32_t len = left < TREE_BLOCK ? (uint32_t)left : TREE_BLOCK;

    if (!len || !plan(s, CARGO_LIST, s->list_at, len))
        return false;
    s->list_at += len;
    return true;
}

/* Hashes of pages, that are here already. */
static bool plan_pages(struct sender *s)
{
    uint64_t left = tree_pages(s->size) - s->pages_at;
    uint32_t n = left < TALK_PAGES_EACH ? (uint32_t)left : TALK_PAGES_EACH;
    struct place *p = plan(s, CARGO_PAGES, s->pages_at, n * TREE_HASH);

    if (!p)
        return false;
    memcpy(p->bytes + TALK_ROOM, gather_hash(&s->gather, (uint32_t)s->pages_at),
           (size_t)n * TREE_HASH);
    p->state = FILLED;
    s->pages_at += n;
    return true;
}

static bool plan_page(struct sender *s, uint32_t page)
{
    if (!plan(s, CARGO_PAGE, page, tree_page_len(s->size, page) * TREE_HASH))
        return false;
    s->planned[s->n_planned++ % TREE_OPEN] = page;
    return true;
}

static bool plan_block(struct sender *s)
{
    uint64_t b;

    /* Where a stream ends, is seen by reading it. */
    if (s->size == TREE_UNKNOWN && s->n)
        return false;
    if (!sender_next_block(s, &b)) {
        if (!s->n)
            s->state = s->has_root ? s->state : SHARE_CHECKS;
        return false;
    }
    if (s->about.has_root && !is_planned(s, (uint32_t)(b / TREE_PAGE)))
        return plan_page(s, (uint32_t)(b / TREE_PAGE));
    int err = held_add(&s->there, b, b + 1);
    if (err) {
        sender_fail(s, err);
        return false;
    }
    s->cursor = b + 1;
    return plan(s, CARGO_BLOCK, b, tree_block_len(s->size, b));
}

/* Pages that were not sent in one go are read once more, for their hashes. */
static bool plan_check(struct sender *s)
{
    if (!gather_missing(&s->gather, s->size, &s->check_page)) {
        if (s->n || s->has_root)
            return false;
        int err = gather_root(&s->gather, s->size, s->root);
        if (err)
            sender_fail(s, err);
        else if (s->arrives)
            return plan(s, CARGO_ROOT, 0, TREE_HASH);
        s->has_root = !err;
        return false;
    }
    uint32_t page = s->check_page++;
    return plan(s, CARGO_CHECK, page, tree_page_len(s->size, page) * TREE_HASH);
}

void sender_drop_first(struct sender *s)
{
    s->first = (s->first + 1) % SENDER_AHEAD;
    s->n--;
}

void sender_drop_ours(struct sender *s)
{
    while (s->n && !s->out_is_place) {
        const struct place *p = s->ring[s->first];
        bool ours = p->cargo == CARGO_CHECK || p->cargo == CARGO_ROOT;
        if (p->state != FILLED || (!ours && p->len))
            return;
        sender_drop_first(s);
    }
}

static bool plan_next(struct sender *s)
{
    sender_drop_ours(s);
    if (s->n == SENDER_AHEAD || s->paused_here || s->paused_there)
        return false;
    switch (s->state) {
    case SHARE_LIST:
        return plan_list(s);
    case SHARE_BLOCKS:
        if (s->about.has_root && s->pages_at < tree_pages(s->size))
            return plan_pages(s);
        return plan_block(s) || (s->state == SHARE_CHECKS && plan_check(s));
    case SHARE_CHECKS:
        return plan_check(s);
    default:
        return false;
    }
}

/* --- the disk ----------------------------------------------------------------------------------
 */

static void ask(const struct sender *s, const struct place *p, struct wish *w)
{
    w->len = p->asked;
    w->size = s->size;
    w->bytes = (uint8_t *)p->bytes + TALK_ROOM;
    w->leaf = (uint8_t *)p->leaf;
    w->at = p->at;
    if (p->cargo == CARGO_LIST) {
        w->kind = WISH_READ_LIST;
    } else if (p->cargo == CARGO_BLOCK) {
        w->kind = WISH_READ;
        w->at = p->at * TREE_BLOCK;
    } else if (p->cargo == CARGO_ROOT) {
        w->kind = WISH_ROOT;
    } else {
        w->kind = WISH_LEAVES;
        w->at = p->at * TREE_PAGE;
        w->len = p->asked / TREE_HASH;
    }
}

bool sender_wish(struct sender *s, struct wish *ret)
{
    while (plan_next(s))
        ;
    for (uint32_t i = 0; i < s->n && s->state != SHARE_OVER; i++) {
        uint32_t at = (s->first + i) % SENDER_AHEAD;
        struct place *p = s->ring[at];
        if (p->state != WANTED)
            continue;
        *ret = (struct wish){ .id = at };
        ask(s, p, ret);
        p->state = ASKED;
        return true;
    }
    return false;
}

/* A block that is shorter than was asked for: the end, if nobody knew where that is. */
static int on_short(struct sender *s, struct place *p)
{
    if (s->about.size != TREE_UNKNOWN)
        return -ROOST_SOURCE_CHANGED;
    uint64_t size = p->at * TREE_BLOCK + p->len;
    if (s->size != TREE_UNKNOWN && size != s->size)
        return -ROOST_SOURCE_CHANGED;
    if (size > TREE_SIZE_MAX)
        return -ROOST_LIMIT;
    s->size = size;
    return gather_size(&s->gather, size);
}

static int on_block(struct sender *s, struct place *p)
{
    int err = p->len < p->asked ? on_short(s, p) : 0;

    if (err || s->about.has_root || !p->len)
        return err;
    return gather_leaf(&s->gather, s->size, p->at, p->leaf);
}

static int on_leaves(struct sender *s, struct place *p)
{
    uint8_t hash[TREE_HASH];
    uint32_t n = p->asked / TREE_HASH;

    if (p->cargo == CARGO_CHECK)
        return gather_page(&s->gather, (uint32_t)p->at, p->bytes + TALK_ROOM, n);
    int err = tree_page(hash, (uint32_t)p->at, p->bytes + TALK_ROOM, n);
    if (err)
        return err;
    return memcmp(hash, gather_hash(&s->gather, (uint32_t)p->at), TREE_HASH) ? -ROOST_SOURCE_CHANGED
                                                                             : 0;
}

/* What was read while it came is what became of it. */
static int on_root(struct sender *s, const struct place *p)
{
    s->has_root = memcmp(p->leaf, s->root, TREE_HASH) == 0;
    return s->has_root ? 0 : -ROOST_SOURCE_CHANGED;
}

void sender_answer(struct sender *s, uint32_t id, int64_t result)
{
    struct place *p = s->ring[id];
    int err = result < 0 ? (int)result : 0;

    assert(p && p->state == ASKED && "each wish is answered once");
    p->state = FILLED;
    if (s->state == SHARE_OVER)
        return;
    bool counted = p->cargo == CARGO_LIST || p->cargo == CARGO_BLOCK;
    if (!err && counted)
        p->len = (uint32_t)result < p->asked ? (uint32_t)result : p->asked;
    if (!err && p->cargo == CARGO_LIST && p->len < p->asked)
        err = -ROOST_SOURCE_CHANGED;
    else if (!err && p->cargo == CARGO_BLOCK)
        err = on_block(s, p);
    else if (!err && p->cargo == CARGO_ROOT)
        err = on_root(s, p);
    else if (!err && !counted)
        err = on_leaves(s, p);
    if (err)
        sender_fail(s, err);
}
