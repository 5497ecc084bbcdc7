#include "share/sender_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "share/list.h"

void sender_fail(struct sender *s, int err)
{
    if (s->state == SHARE_OVER || s->state == SHARE_DONE)
        return;
    s->state = SHARE_OVER;
    s->err = err;
    s->say_cancel = true;
}

/* --- life ----------------------------------------------------------------------------------- */

static int take_pages(struct sender *s, const uint8_t *pages)
{
    uint32_t n = tree_pages(s->size);
    uint8_t root[TREE_HASH];
    int err = 0;

    if (!s->about.has_root)
        return 0;
    for (uint32_t i = 0; !err && i < n; i++)
        err = gather_put(&s->gather, i, pages + (size_t)i * TREE_HASH);
    if (!err)
        err = gather_root(&s->gather, s->size, root);
    if (!err && memcmp(root, s->about.root, TREE_HASH) != 0)
        err = -ROOST_INVALID;
    memcpy(s->root, s->about.root, TREE_HASH);
    s->has_root = true;
    return err;
}

int sender_new(struct sender **ret, const struct sender_settings *settings)
{
    const struct about *a = &settings->about;
    bool sized = a->size != TREE_UNKNOWN;

    if ((sized && a->size > TREE_SIZE_MAX) || a->list_size > LIST_SIZE_MAX ||
        (!sized && (a->has_root || a->list_size)) || (a->has_root && a->size && !settings->pages) ||
        (settings->arrives && (a->has_root || !sized)))
        return -ROOST_INVALID;
    struct sender *s = calloc(1, sizeof *s);
    if (!s)
        return -ROOST_NOMEM;
    s->about = *a;
    s->size = a->size;
    s->arrives = settings->arrives;
    s->say_about = true;
    s->back_at = UINT64_MAX;
    int err = take_pages(s, settings->pages);
    if (err) {
        sender_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

uint32_t sender_wishes(const struct sender *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n; i++)
        n += s->ring[(s->first + i) % SENDER_AHEAD]->state == ASKED;
    return n;
}

void sender_free(struct sender *s)
{
    if (!s)
        return;
    assert(!sender_wishes(s) && "what a disk is writing to cannot be freed");
    for (int i = 0; i < SENDER_AHEAD; i++)
        free(s->ring[i]);
    gather_fini(&s->gather);
    told_fini(&s->told);
    held_fini(&s->there);
    held_fini(&s->verified);
    free(s);
}

int sender_again(struct sender *s)
{
    if (s->state == SHARE_OVER || s->state == SHARE_DONE || sender_wishes(s))
        return -ROOST_INVALID;
    told_forget(&s->told);
    held_fini(&s->there);
    held_fini(&s->verified);
    s->n_planned = s->first = s->n = 0;
    s->state = SHARE_BEGINS;
    s->say_about = true;
    s->paused_there = s->told_paused = s->said_end = s->out_is_place = false;
    s->list_at = s->pages_at = s->again = s->cursor = s->back_to = 0;
    s->back_at = UINT64_MAX;
    s->check_page = 0;
    s->out = NULL;
    s->out_len = s->in_len = 0;
    return 0;
}

/* --- in ------------------------------------------------------------------------------------------
 */

static int on_have(struct sender *s, const struct talk *t)
{
    struct reader r = reader_of(t->runs.bytes, t->runs.len);

    if (s->say_about || (s->state != SHARE_BEGINS && s->state != SHARE_LIST) ||
        (s->state == SHARE_LIST && s->list_at < s->about.list_size))
        return -ROOST_MALFORMED;
    int err = held_read(&s->there, &r, sender_blocks(s));
    if (!err)
        err = held_copy(&s->verified, &s->there);
    if (err)
        return err;
    s->again = held_count(&s->there);
    s->state = SHARE_BLOCKS;
    return 0;
}

static int on_verified(struct sender *s, const struct talk *t)
{
    struct reader r = reader_of(t->runs.bytes, t->runs.len);
    struct held fresh = { 0 };
    int err = held_read(&fresh, &r, sender_blocks(s));

    if (s->state != SHARE_BLOCKS && s->state != SHARE_CHECKS)
        err = err ? err : -ROOST_MALFORMED;
    for (uint32_t i = 0; !err && i < fresh.n; i++) {
        const struct run *run = &fresh.all[i];
        err = held_has_all(&s->there, run->from, run->to) ? 0 : -ROOST_MALFORMED; /* never sent */
        if (!err)
            err = held_add(&s->verified, run->from, run->to);
    }
    held_fini(&fresh);
    return err;
}

static int on_want(struct sender *s, const struct talk *t)
{
    uint64_t from = t->want.from, n = t->want.count;

    if (s->about.stream || from >= sender_blocks(s) || s->state < SHARE_BLOCKS)
        return -ROOST_MALFORMED;
    if (s->state != SHARE_BLOCKS)
        return 0; /* all was sent */
    if (s->back_at == UINT64_MAX)
        s->back_to = s->cursor;
    s->back_at = n && n < sender_blocks(s) - from ? from + n : UINT64_MAX;
    s->cursor = from;
    return 0;
}

static int on_done(struct sender *s, const struct talk *t)
{
    uint64_t b;
    bool all = s->said_end ||
               (s->about.has_root && s->state == SHARE_BLOCKS && !sender_next_block(s, &b));

    if (!all || memcmp(t->end.root, s->root, TREE_HASH) != 0)
        return -ROOST_MALFORMED;
    int err = held_add(&s->verified, 0, sender_blocks(s));
    s->state = err ? s->state : SHARE_DONE;
    return err;
}

static int on_list_want(struct sender *s, const struct talk *t)
{
    if (s->say_about || s->state != SHARE_BEGINS || t->list_from >= s->about.list_size)
        return -ROOST_MALFORMED;
    s->list_at = t->list_from;
    s->state = SHARE_LIST;
    return 0;
}

static int on_talk(struct sender *s, const struct talk *t)
{
    switch (t->kind) {
    case TALK_HAVE:
        return on_have(s, t);
    case TALK_LIST_WANT:
        return on_list_want(s, t);
    case TALK_WANT:
        return on_want(s, t);
    case TALK_VERIFIED:
        return on_verified(s, t);
    case TALK_DONE:
        return on_done(s, t);
    case TALK_PAUSE:
    case TALK_GO:
        s->paused_there = t->kind == TALK_PAUSE;
        return 0;
    case TALK_CANCEL:
        s->state = SHARE_OVER;
        s->err = -(int)t->why;
        s->theirs = true;
        return 0;
    default:
        return -ROOST_MALFORMED;
    }
}

/* A receiver's words: no other is even read. */
static bool is_for_us(enum talk_kind kind)
{
    return kind >= TALK_HAVE;
}

/* The message that the bytes so far make: how many it still wants, 0: it was all there. */
static int64_t next_message(struct sender *s)
{
    enum talk_kind kind;
    uint32_t len;
    struct talk t;
    int got = talk_read_head(s->in, s->in_len, &kind, &len);

    if (got < 0 || (got && !is_for_us(kind)))
        return -ROOST_MALFORMED;
    if (!got)
        return (int64_t)(TALK_HEAD - s->in_len);
    if (s->in_len < TALK_HEAD + len)
        return (int64_t)(TALK_HEAD + len - s->in_len);
    s->in_len = 0;
    int err = talk_read(&t, kind, s->in + TALK_HEAD, len);
    return err ? err : on_talk(s, &t);
}

int sender_in(struct sender *s, const uint8_t *bytes, size_t len)
{
    int64_t more = s->in_len < TALK_HEAD ? (int64_t)(TALK_HEAD - s->in_len) : next_message(s);

    while (len && s->state != SHARE_OVER && s->state != SHARE_DONE) {
        size_t n = (size_t)more < len ? (size_t)more : len;
        memcpy(s->in + s->in_len, bytes, n);
        s->in_len += n;
        bytes += n;
        len -= n;
        if ((more -= (int64_t)n))
            continue;
        more = next_message(s);
        if (more < 0) {
            sender_fail(s, (int)more);
            return (int)more;
        }
        if (!more)
            more = TALK_HEAD;
    }
    return 0;
}

/* --- what people do and see ------------------------------------------------------------------- */

void sender_pause(struct sender *s, bool on)
{
    s->paused_here = on;
}

void sender_cancel(struct sender *s, int why)
{
    sender_fail(s, why < 0 ? why : -why);
}

uint64_t sender_settled(const struct sender *s)
{
    return held_missing(&s->verified, 0) * TREE_BLOCK;
}

static uint64_t bytes_of(const struct sender *s, uint64_t n_blocks)
{
    uint64_t bytes = n_blocks * TREE_BLOCK;

    return s->size != TREE_UNKNOWN && bytes > s->size ? s->size : bytes;
}

void sender_look(const struct sender *s, struct share_view *ret)
{
    *ret = (struct share_view){ .state = s->state,
                                .err = s->err,
                                .theirs = s->theirs,
                                .paused_here = s->paused_here,
                                .paused_there = s->paused_there,
                                .size = s->size,
                                .verified = bytes_of(s, held_count(&s->verified)),
                                .here = bytes_of(s, held_count(&s->there)),
                                .again = bytes_of(s, s->again),
                                .has_root = s->has_root };
    memcpy(ret->root, s->root, TREE_HASH);
}
