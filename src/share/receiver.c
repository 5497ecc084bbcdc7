#include "share/receiver_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* --- life ----------------------------------------------------------------------------------- */

void receiver_fail(struct receiver *r, int err)
{
    if (r->state == SHARE_OVER || r->state == SHARE_DONE)
        return;
    r->state = SHARE_OVER;
    r->err = err;
    r->say_cancel = !r->theirs;
    r->flush = true; /* what came is kept */
}

static int take_map(struct receiver *r, const uint8_t *map, size_t len)
{
    if (!map)
        return 0;
    int err = held_unpack(&r->synced, &r->of, &r->generation, map, len);
    if (err)
        return err == -ROOST_NOMEM ? err : 0;
    r->has_of = true;
    r->proven = r->of.has_root;
    return held_copy(&r->written, &r->synced);
}

int receiver_new(struct receiver **ret, const struct receiver_settings *settings)
{
    struct receiver *r = calloc(1, sizeof *r);

    if (!r)
        return -ROOST_NOMEM;
    r->settings = *settings;
    r->settings.map = NULL;
    if (!r->settings.size_max || r->settings.size_max > TREE_SIZE_MAX)
        r->settings.size_max = TREE_SIZE_MAX;
    if (!r->settings.sync_bytes)
        r->settings.sync_bytes = RECEIVER_SYNC_BYTES;
    if (!r->settings.sync_first || r->settings.sync_first > r->settings.sync_bytes)
        r->settings.sync_first = r->settings.sync_bytes;
    if (!r->settings.sync_us)
        r->settings.sync_us = RECEIVER_SYNC_US;
    r->list_held = settings->list_held;
    r->size = settings->size;
    int err = take_map(r, settings->map, settings->map_len);
    if (err) {
        receiver_free(r);
        return err;
    }
    *ret = r;
    return 0;
}

void receiver_free(struct receiver *r)
{
    if (!r)
        return;
    assert(!r->asked && "what a disk is reading from cannot be freed");
    for (int i = 0; i < RECEIVER_SLOTS; i++)
        free(r->slots[i]);
    struct held *all[] = { &r->come,  &r->written, &r->old,   &r->synced,
                           &r->fresh, &r->syncing, &r->untold };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        held_fini(all[i]);
    told_fini(&r->told);
    gather_fini(&r->gather);
    free(r->pages);
    free(r->map);
    free(r->leaves);
    free(r);
}

int receiver_again(struct receiver *r)
{
    if (r->state == SHARE_OVER || r->asked)
        return -ROOST_INVALID;
    for (int i = 0; i < RECEIVER_SLOTS; i++)
        if (r->slots[i])
            r->slots[i]->state = SLOT_FREE;
    held_fini(&r->untold);
    told_forget(&r->told);
    r->state = SHARE_BEGINS;
    r->has_about = r->paused_there = r->told_paused = r->has_end = false;
    r->say_have = r->say_list = r->say_want = r->say_done = false;
    r->lay_out = r->sync = r->check = r->finish = STEP_NONE;
    r->pages_n = r->check_page = r->head_len = 0;
    r->told_n = r->blocks_n = r->out_len = r->out_at = 0;
    r->filling = NULL;
    return 0;
}

uint64_t receiver_blocks(const struct receiver *r)
{
    return tree_blocks(r->size == TREE_UNKNOWN ? TREE_SIZE_MAX : r->size);
}

struct slot *receiver_slot(struct receiver *r)
{
    for (int i = 0; i < RECEIVER_SLOTS; i++) {
        if (r->slots[i] && r->slots[i]->state != SLOT_FREE)
            continue;
        if (!r->slots[i] && !(r->slots[i] = calloc(1, sizeof *r->slots[i])))
            receiver_fail(r, -ROOST_NOMEM);
        return r->slots[i];
    }
    return NULL;
}

/* --- what follows --------------------------------------------------------------------------- */

/* Since they were not vouched for when they were written, or nobody knows their hashes any more. */
static bool next_check(struct receiver *r, uint32_t *ret)
{
    uint32_t n = tree_pages(r->size);

    if (!r->about.has_root)
        return gather_missing(&r->gather, r->size, ret);
    for (; !r->proven && *ret < n; ++*ret)
        if (held_has_any(&r->old, (uint64_t)*ret * TREE_PAGE, (uint64_t)(*ret + 1) * TREE_PAGE))
            return true;
    return false;
}

static int compare_root(struct receiver *r)
{
    uint8_t root[TREE_HASH];

    if (r->about.has_root)
        return 0;
    int err = gather_root(&r->gather, r->size, root);
    if (err)
        return err;
    return memcmp(root, r->root, TREE_HASH) ? -ROOST_SOURCE_CHANGED : 0;
}

static void step_checks(struct receiver *r)
{
    if (r->check != STEP_NONE || r->finish != STEP_NONE || r->sync != STEP_NONE)
        return;
    if (next_check(r, &r->check_page)) {
        if (!r->leaves && !(r->leaves = malloc((size_t)TREE_PAGE * TREE_HASH))) {
            receiver_fail(r, -ROOST_NOMEM);
            return;
        }
        r->checking = r->check_page++;
        r->check = STEP_WANTED;
        return;
    }
    int err = compare_root(r);
    if (err)
        receiver_fail(r, err);
    else if (!r->whole)
        r->finish = STEP_WANTED;
    else {
        r->state = SHARE_DONE;
        r->say_done = true;
    }
}

/* Takes what was written for a sync, with the map that will be true then. */
static int begin_sync(struct receiver *r)
{
    struct held both = { 0 };
    struct held_of of = r->of;
    int err = held_copy(&both, &r->synced);

    of.has_root = of.has_root && r->proven;
    for (uint32_t i = 0; !err && i < r->fresh.n; i++)
        err = held_add(&both, r->fresh.all[i].from, r->fresh.all[i].to);
    if (!err && !r->map && !(r->map = malloc(HELD_FILE_MAX)))
        err = -ROOST_NOMEM;
    int len = err ? err : held_pack(&both, &of, ++r->generation, r->map, HELD_FILE_MAX);
    held_fini(&both);
    if (len < 0)
        return len;
    struct held empty = r->syncing;
    r->map_len = (uint32_t)len;
    r->syncing = r->fresh;
    r->fresh = empty;
    r->fresh.n = 0;
    r->dirty_bytes = 0;
    r->flush = false;
    r->sync = STEP_WANTED;
    return 0;
}

static void step_sync(struct receiver *r)
{
    uint64_t most = r->synced.n ? r->settings.sync_bytes : r->settings.sync_first;
    bool now = r->flush || r->state == SHARE_OVER || r->dirty_bytes >= most;

    if (!r->fresh.n && !r->asked)
        r->flush = false;
    if (!r->fresh.n || !now || r->sync != STEP_NONE || r->finish != STEP_NONE || r->unsyncable)
        return;
    if (r->state == SHARE_OVER && r->asked)
        return;
    if (begin_sync(r)) {
        r->unsyncable = true;
        receiver_fail(r, -ROOST_NOMEM);
    }
}

void receiver_step(struct receiver *r)
{
    if (r->state == SHARE_LIST && r->has_about && r->list_held == r->about.list_size &&
        r->lay_out == STEP_NONE && !r->laid_out)
        r->lay_out = STEP_WANTED;
    if (r->state == SHARE_BLOCKS && r->has_end && !r->say_have &&
        held_has_all(&r->written, 0, receiver_blocks(r)))
        r->state = SHARE_CHECKS;
    if (r->state == SHARE_CHECKS)
        step_checks(r);
    step_sync(r);
}

/* --- the disk ----------------------------------------------------------------------------------
 */

static bool wish_slot(struct receiver *r, struct wish *w)
{
    for (uint32_t i = 0; i < RECEIVER_SLOTS; i++) {
        struct slot *s = r->slots[i];
        if (!s || s->state != SLOT_WANTED)
            continue;
        s->state = SLOT_ASKED;
        *w = (struct wish){ .kind = s->kind, .id = i, .at = s->at, .len = s->len };
        w->at *= s->kind == WISH_WRITE ? TREE_BLOCK : 1;
        w->bytes = s->bytes;
        w->leaf = s->leaf;
        w->size = r->size;
        return true;
    }
    return false;
}

static bool wish_check(struct receiver *r, struct wish *w)
{
    if (r->check != STEP_WANTED)
        return false;
    r->check = STEP_ASKED;
    *w = (struct wish){ .kind = WISH_LEAVES,
                        .id = ID_CHECK,
                        .at = (uint64_t)r->checking * TREE_PAGE,
                        .size = r->size,
                        .len = tree_page_len(r->size, r->checking),
                        .bytes = r->leaves };
    return true;
}

static bool wish_step(struct receiver *r, struct wish *w)
{
    if (r->lay_out == STEP_WANTED) {
        r->lay_out = STEP_ASKED;
        *w = (struct wish){ .kind = WISH_LAY_OUT,
                            .id = ID_LAY_OUT,
                            .at = r->about.list_size,
                            .size = r->size,
                            .filled = r->about.sparse ? r->about.filled : r->size,
                            .bytes = r->about.list_root };
        return true;
    }
    if (wish_check(r, w))
        return true;
    if (r->finish != STEP_WANTED || r->asked)
        return false;
    r->finish = STEP_ASKED;
    *w = (struct wish){ .kind = WISH_FINISH, .id = ID_FINISH, .size = r->size, .leaf = r->root };
    return true;
}

static bool wish_sync(struct receiver *r, struct wish *w)
{
    if (r->sync != STEP_WANTED)
        return false;
    r->sync = STEP_ASKED;
    *w = (struct wish){
        .kind = WISH_SYNC, .id = ID_SYNC, .size = r->size, .len = r->map_len, .bytes = r->map
    };
    return true;
}

bool receiver_wish(struct receiver *r, struct wish *ret)
{
    receiver_step(r);
    bool over = r->state == SHARE_OVER;
    bool any = (!over && wish_slot(r, ret)) || wish_sync(r, ret) || (!over && wish_step(r, ret));

    r->asked += any;
    return any;
}

/* A block is written, and was what it should be. */
static int on_written(struct receiver *r, int64_t now_us, const struct slot *s)
{
    int err = held_add(&r->written, s->at, s->at + 1);

    if (!err && r->has_about && !r->about.has_root)
        err = gather_leaf(&r->gather, r->size, s->at, s->leaf);
    /* Of an unknown size, only who has the end knows that it is one: not said before. */
    if (err || s->len < tree_block_len(r->about.size, s->at))
        return err;
    if (!r->fresh.n)
        r->dirty_us = now_us;
    r->come_us = now_us;
    r->dirty_bytes += s->len;
    return held_add(&r->fresh, s->at, s->at + 1);
}

static int on_synced(struct receiver *r)
{
    int err = 0;

    r->sync = STEP_NONE;
    for (uint32_t i = 0; !err && i < r->syncing.n; i++) {
        err = held_add(&r->synced, r->syncing.all[i].from, r->syncing.all[i].to);
        if (!err)
            err = held_add(&r->untold, r->syncing.all[i].from, r->syncing.all[i].to);
    }
    r->syncing.n = 0;
    return err;
}

static int on_checked(struct receiver *r)
{
    uint32_t n = tree_page_len(r->size, r->checking);
    uint8_t hash[TREE_HASH];

    r->check = STEP_NONE;
    if (!r->about.has_root)
        return gather_page(&r->gather, r->checking, r->leaves, n);
    int err = tree_page(hash, r->checking, r->leaves, n);
    if (err)
        return err;
    return memcmp(hash, r->pages + (size_t)r->checking * TREE_HASH, TREE_HASH)
               ? -ROOST_SOURCE_CHANGED
               : 0;
}

/* A list that was there from before may have lost something with the power: once more, all of it.
 */
static bool fetch_list_anew(struct receiver *r)
{
    if (!r->list_is_old || r->state != SHARE_LIST)
        return false;
    r->list_is_old = false;
    r->lay_out = STEP_NONE;
    r->list_at = r->list_held = 0;
    r->say_list = true;
    return true;
}

static int on_laid_out(struct receiver *r)
{
    r->lay_out = STEP_NONE;
    r->laid_out = true;
    r->say_have = true;
    return 0;
}

static int on_finished(struct receiver *r)
{
    r->finish = STEP_NONE;
    r->whole = r->proven = r->of.has_root = true;
    memcpy(r->of.root, r->root, TREE_HASH);
    r->fresh.n = 0;
    r->state = SHARE_DONE;
    r->say_done = true;
    return held_add(&r->synced, 0, receiver_blocks(r));
}

static int on_slot(struct receiver *r, int64_t now_us, struct slot *s)
{
    bool other = false;

    s->state = SLOT_FREE;
    if (s->kind == WISH_WRITE)
        return on_written(r, now_us, s);
    for (int i = 0; i < RECEIVER_SLOTS; i++)
        other = other || (r->slots[i] && r->slots[i]->kind == WISH_WRITE_LIST &&
                          r->slots[i]->state >= SLOT_WANTED);
    r->list_held = other ? r->list_held : r->list_at;
    return 0;
}

static int on_answer(struct receiver *r, int64_t now_us, uint32_t id)
{
    switch (id) {
    case ID_LAY_OUT:
        return on_laid_out(r);
    case ID_SYNC:
        return on_synced(r);
    case ID_CHECK:
        return on_checked(r);
    case ID_FINISH:
        return on_finished(r);
    default:
        return on_slot(r, now_us, r->slots[id]);
    }
}

void receiver_answer(struct receiver *r, int64_t now_us, uint32_t id, int64_t result)
{
    int err = result < 0 ? (int)result : 0;

    assert(r->asked && "each wish is answered once");
    r->asked--;
    if (err && id < RECEIVER_SLOTS)
        r->slots[id]->state = SLOT_FREE;
    if (err && id == ID_SYNC)
        r->unsyncable = true; /* nobody knows what is on the disk */
    bool anew = err == -ROOST_MALFORMED && id == ID_LAY_OUT && fetch_list_anew(r);
    if (!err)
        err = on_answer(r, now_us, id);
    if (err && !anew)
        receiver_fail(r, err);
    receiver_step(r);
}

uint32_t receiver_wishes(const struct receiver *r)
{
    return r->asked;
}

/* --- time ----------------------------------------------------------------------------------------
 */

int64_t receiver_deadline_us(const struct receiver *r)
{
    bool waits = r->fresh.n && r->sync == STEP_NONE && r->finish == STEP_NONE && !r->unsyncable;

    if (!waits)
        return INT64_MAX;
    int64_t at = r->dirty_us + r->settings.sync_us;
    bool come = r->size != TREE_UNKNOWN && held_has_all(&r->written, 0, receiver_blocks(r));
    return come && r->come_us + RECEIVER_COME_US < at ? r->come_us + RECEIVER_COME_US : at;
}

void receiver_expire(struct receiver *r, int64_t now_us)
{
    if (now_us >= receiver_deadline_us(r))
        r->flush = true;
    receiver_step(r);
}

void receiver_flush(struct receiver *r)
{
    r->flush = true;
    receiver_step(r);
}

/* --- what people do and see ------------------------------------------------------------------- */

int receiver_want(struct receiver *r, uint64_t from, uint64_t count)
{
    if (r->state != SHARE_BLOCKS || r->say_have || r->about.stream || from >= receiver_blocks(r) ||
        r->come.n > HELD_RUNS_MAX / 2)
        return -ROOST_INVALID;
    r->want_from = from;
    r->want_count = count;
    r->say_want = true;
    return 0;
}

bool receiver_has(const struct receiver *r, uint64_t at, uint64_t len)
{
    return len == 0 || (at + len > at && held_has_all(&r->written, at / TREE_BLOCK,
                                                      (at + len - 1) / TREE_BLOCK + 1));
}

void receiver_pause(struct receiver *r, bool on)
{
    r->paused_here = on;
}

void receiver_cancel(struct receiver *r, int why)
{
    receiver_fail(r, why < 0 ? why : -why);
}

static uint64_t bytes_of(const struct receiver *r, uint64_t blocks)
{
    uint64_t bytes = blocks * TREE_BLOCK;

    return r->size != TREE_UNKNOWN && bytes > r->size ? r->size : bytes;
}

void receiver_look(const struct receiver *r, struct share_view *ret)
{
    *ret = (struct share_view){ .state = r->state,
                                .err = r->err,
                                .theirs = r->theirs,
                                .paused_here = r->paused_here,
                                .paused_there = r->paused_there,
                                .size = r->size,
                                .verified = bytes_of(r, held_count(&r->synced)),
                                .here = bytes_of(r, held_count(&r->written)),
                                .again = bytes_of(r, r->again),
                                .has_root = r->has_root };
    memcpy(ret->root, r->root, TREE_HASH);
}

const uint8_t *receiver_pages(const struct receiver *r, uint32_t *ret_n)
{
    *ret_n = r->size == TREE_UNKNOWN ? 0 : tree_pages(r->size);
    bool all = r->state == SHARE_DONE || r->finish != STEP_NONE; /* compared with the root */
    if (!all || !*ret_n)
        return NULL;
    return r->about.has_root ? r->pages : r->gather.pages;
}
