/* depot_arrive.c - parcels that are given on while they come.
 *
 * Who gets one has no source before it is whole: until then it reads the part that its sender
 * fills, as far as that was verified and written. What is not there yet is parked, and answered
 * when it is; so nobody asks twice. A part is read from when it can become nothing else any more:
 * its root is known, or some of it is synced, as then a source that changed is refused.
 *
 * Everything here is on the parcel's thread. Parked jobs lend memory of whoever asked: they are
 * all answered before an asker may go (JOB_LEAVE).
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/depot_in.h"

/* --- the part that it comes in ------------------------------------------------------------- */

int depot_part_new(struct opened *o, const struct depot_job *j)
{
    struct held_of of;
    uint64_t generation;

    if (!j->map)
        return 0;
    int err = held_unpack(&o->written, &of, &generation, j->map, j->map_len);
    o->synced = o->written.n > 0;
    return err == -ROOST_NOMEM ? err : 0;
}

/* It was compared just now: whoever gets the block soon needs no other. */
static void note_leaf(struct opened *o, const struct wish *w)
{
    uint64_t block = w->at / TREE_BLOCK;

    if (!o->told && !(o->told = malloc((size_t)LEAVES_TOLD * TREE_HASH)))
        return;
    memcpy(o->told + block % LEAVES_TOLD * TREE_HASH, w->leaf, TREE_HASH);
    o->told_of[block % LEAVES_TOLD] = block + 1;
}

static int leaf_of(const struct opened *part, const struct wish *w)
{
    uint64_t block = w->at / TREE_BLOCK;

    if (part->told_of[block % LEAVES_TOLD] != block + 1)
        return tree_leaf(w->leaf, block, w->bytes, w->len);
    memcpy(w->leaf, part->told + block % LEAVES_TOLD * TREE_HASH, TREE_HASH);
    return 0;
}

int depot_part_did(struct depot_thread *t, struct opened *o, const struct wish *w)
{
    int err = 0;

    switch (w->kind) {
    case WISH_LAY_OUT:
        o->laid_out = true;
        o->filled = w->filled;
        break;
    case WISH_SYNC:
        o->synced = true;
        break;
    case WISH_WRITE:
        note_leaf(o, w);
        err = held_add(&o->written, w->at / TREE_BLOCK, w->at / TREE_BLOCK + 1);
        break;
    default:
        return 0;
    }
    if (!err)
        depot_arrived(t, o->file);
    return err;
}

/* NULL: nobody sends it now, or it may still become something else. */
static struct opened *part_of(struct depot_thread *t, const struct opened *o)
{
    struct opened *p = map_get(&t->takes, o->file);

    return p && p->part && p->laid_out && (p->grant.has_root || p->synced) ? p : NULL;
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void tell_about(const struct opened *o, const struct opened *part, struct depot_job *j)
{
    const struct hub_depot *g = &o->grant;

    j->about = (struct about){ .size = g->size, .list_size = g->list_size };
    j->about.mtime_ns = depot_time(g);
    memcpy(j->about.list_root, g->list_root, TREE_HASH);
    j->about.sparse = part && part->filled < g->size;
    j->about.filled = j->about.sparse ? part->filled : 0;
}

static int64_t read_block(struct opened *part, const struct wish *w)
{
    int64_t got = disk_part_read(part->part, w->at, w->bytes, w->len);

    if (got < w->len)
        return got < 0 ? got : -ROOST_IO;
    int err = leaf_of(part, w);
    return err ? err : got;
}

/* False: it is not there yet. */
static bool do_early(struct opened *part, struct depot_job *j)
{
    const struct wish *w = &j->wish;
    uint64_t block = w->at / TREE_BLOCK;

    switch (w->kind) {
    case WISH_READ_LIST:
        j->result = disk_part_read_list(part->part, w->at, w->bytes, w->len);
        return true;
    case WISH_READ:
        if (!held_has(&part->written, block))
            return false;
        j->result = read_block(part, w);
        return true;
    case WISH_LEAVES:
        if (!held_has_all(&part->written, w->at, w->at + w->len))
            return false;
        j->result = disk_part_do(part->part, w);
        return true;
    default:
        return false; /* the root */
    }
}

/* False: it has to wait. */
static bool answer(struct depot_thread *t, struct opened *o, struct depot_job *j)
{
    struct opened *part = o->source ? NULL : part_of(t, o);

    if (!o->source && !part)
        return false;
    if (j->what == JOB_WAIT) {
        tell_about(o, part, j);
        return true;
    }
    if (o->source)
        depot_read_wish(t, o, j);
    else if (!do_early(part, j))
        return false;
    if (j->wish.kind == WISH_READ && j->result > 0)
        t->all->counts.bytes_out += (uint64_t)j->result;
    return true;
}

static void park(struct opened *o, struct depot_job *j)
{
    j->next = NULL;
    if (!o->parked)
        o->parked_end = &o->parked;
    *o->parked_end = j;
    o->parked_end = &j->next;
}

bool depot_do_early(struct depot_thread *t, struct opened *o, struct depot_job *j)
{
    if (answer(t, o, j))
        return true;
    park(o, j);
    return false;
}

/* --- what was waited for ---------------------------------------------------------------------- */

void depot_unpark(struct depot_thread *t, struct opened *o, int err)
{
    struct depot_job *j = o->parked, *next;

    o->parked = NULL;
    for (; j; j = next) {
        next = j->next;
        j->err = j->what == JOB_WAIT ? err : 0;
        j->result = err;
        depot_reply(t, j);
    }
}

/* Their order stays. */
static void look_again(struct depot_thread *t, struct opened *o)
{
    struct depot_job *j = o->parked, *next;
    bool lost = !place_use(&o->place, depot_now_us());

    if (lost) {
        depot_kill(t, o, -ROOST_TRANSFERS); /* it goes on when there is a place */
        return;
    }
    o->parked = NULL;
    for (; j; j = next) {
        next = j->next;
        if (answer(t, o, j))
            depot_reply(t, j);
        else
            park(o, j);
    }
}

void depot_arrived(struct depot_thread *t, uint64_t file)
{
    for (struct opened *o = t->n_arrive ? t->opened : NULL; o; o = o->next)
        if (o->arrives && o->file == file && o->parked && !o->dead)
            look_again(t, o);
}

/* --- it is whole and kept --------------------------------------------------------------------- */

static int read_kept(struct depot_thread *t, struct opened *o, const struct hub_depot *kept)
{
    o->grant.has_root = true;
    o->grant.size = kept->size;
    memcpy(o->grant.root, kept->root, TREE_HASH);
    return depot_source_open(t, o);
}

void depot_arrive_kept(struct depot_thread *t, const struct hub_depot *kept)
{
    t->kept[t->n_kept++ % KEPT_KEPT] = *kept;
    for (struct opened *o = t->opened; o; o = o->next) {
        if (!o->arrives || o->file != kept->file || o->dead || o->source)
            continue;
        int err = read_kept(t, o, kept);
        if (err)
            depot_kill(t, o, err);
    }
    depot_arrived(t, kept->file);
}

int depot_open_arriving(struct depot_thread *t, struct depot_job *j)
{
    struct opened *o;
    int err = depot_opened_new(t, j, &o);

    if (err)
        return err;
    o->arrives = true;
    for (unsigned i = 0; !err && !o->source && i < KEPT_KEPT && i < t->n_kept; i++)
        if (t->kept[i].file == o->file) /* it was, a moment ago */
            err = read_kept(t, o, &t->kept[i]);
    if (err) {
        depot_opened_free(t, o);
        return err;
    }
    depot_opened_put(t, j, o);
    t->n_arrive++;
    t->all->counts.given++;
    return 0;
}
