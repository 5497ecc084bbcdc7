#include "share/receiver_inside.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

static void say(struct receiver *r, const struct talk *t)
{
    struct writer w = writer_of(r->out, sizeof r->out);

    talk_write(&w, t);
    assert(!w.full && "the longest is a packed map");
    r->out_len = (size_t)(w.p - r->out);
    r->out_at = 0;
}

/* Runs go straight to their place behind the head. */
static void say_runs(struct receiver *r, enum talk_kind kind, const struct held *h)
{
    struct writer w = writer_of(r->out + TALK_HEAD, sizeof r->out - TALK_HEAD);

    held_write(h, &w);
    assert(!w.full);
    size_t len = (size_t)(w.p - r->out) - TALK_HEAD;
    struct writer head = writer_of(r->out, TALK_HEAD);
    talk_write_head(&head, kind, (uint32_t)len);
    r->out_len = TALK_HEAD + len;
    r->out_at = 0;
}

/* What is on the disk for certain; all else is forgotten, and comes again. */
static bool say_have(struct receiver *r)
{
    if (r->fresh.n || r->sync != STEP_NONE)
        return false;
    r->say_have = false;
    r->state = SHARE_BLOCKS;
    int err = held_copy(&r->written, &r->synced);
    if (!err)
        err = held_copy(&r->come, &r->synced);
    if (!err)
        err = held_copy(&r->old, &r->synced);
    if (err) {
        receiver_fail(r, err);
        return false;
    }
    r->again = held_count(&r->synced);
    r->untold.n = 0;
    say_runs(r, TALK_HAVE, &r->synced);
    return true;
}

static bool say_more(struct receiver *r)
{
    if (r->say_have)
        return say_have(r);
    if (r->say_want && r->state == SHARE_BLOCKS) {
        r->say_want = false;
        say(r, &(struct talk){ TALK_WANT, .want = { r->want_from, r->want_count } });
    } else if (r->untold.n && r->state >= SHARE_BLOCKS) {
        say_runs(r, TALK_VERIFIED, &r->untold);
        r->untold.n = 0;
    } else if (r->say_done) {
        r->say_done = false;
        say(r, &(struct talk){ TALK_DONE, .end = { .root = r->root } });
    } else {
        return false;
    }
    return true;
}

static bool say_something(struct receiver *r)
{
    if (r->say_cancel) {
        r->say_cancel = false;
        say(r, &(struct talk){ TALK_CANCEL, .why = (uint32_t)-r->err });
    } else if (r->state == SHARE_OVER) {
        return false;
    } else if (r->told_paused != r->paused_here) {
        r->told_paused = r->paused_here;
        say(r, &(struct talk){ r->paused_here ? TALK_PAUSE : TALK_GO });
    } else if (r->say_list) {
        r->say_list = false;
        say(r, &(struct talk){ TALK_LIST_WANT, .list_from = r->list_held });
    } else {
        return say_more(r);
    }
    return true;
}

const uint8_t *receiver_out(struct receiver *r, size_t *ret_len)
{
    receiver_step(r);
    if (r->out_at == r->out_len)
        say_something(r);
    *ret_len = r->out_len - r->out_at;
    return *ret_len ? r->out + r->out_at : NULL;
}

void receiver_sent(struct receiver *r, size_t len)
{
    assert(len <= r->out_len - r->out_at);
    r->out_at += len;
}
