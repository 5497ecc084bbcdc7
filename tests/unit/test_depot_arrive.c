/* Stories about parcels that are given on while they come: what was verified is given at once, what
 * is not there yet is waited for, and nobody waits for ever. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "depot_scene.h"
#include "share/held.h"

enum { FILE_NO = 2, SEND = 1, GET = 2 /* tokens */ };

/* Who gets it, and what it asked last. */
struct getting {
    struct opened *o;
    uint8_t bytes[TREE_BLOCK], leaf[TREE_HASH];
};

static void grant(struct scene *s, bool rooted)
{
    struct hub_depot take = scene_grant(s, DEPOT_TAKE, FILE_NO, ANNA, SEND);
    struct hub_depot give = scene_grant(s, DEPOT_GIVE, FILE_NO, BEN, GET);

    take.has_root = rooted;
    take.made_ms = give.made_ms = 1000;
    give.has_root = false;
    give.arrives = true;
    scene_put(s, take);
    scene_put(s, give);
}

static void ask_wait(struct scene *s, struct opened *o)
{
    CHECK(depot_ask(s->depot, scene_job(JOB_WAIT, o)));
}

static void ask_block(struct scene *s, struct getting *g, unsigned block)
{
    struct depot_job *j = scene_job(JOB_WISH, g->o);

    j->wish = (struct wish){ .kind = WISH_READ,
                             .at = block * TREE_BLOCK,
                             .len = tree_block_len(SIZE, block),
                             .size = SIZE,
                             .bytes = g->bytes,
                             .leaf = g->leaf };
    CHECK(depot_ask(s->depot, j));
}

static void ask_root(struct scene *s, struct getting *g)
{
    struct depot_job *j = scene_job(JOB_WISH, g->o);

    j->wish = (struct wish){ .kind = WISH_ROOT, .leaf = g->leaf };
    CHECK(depot_ask(s->depot, j));
}

/* Whatever was asked before is answered by now, or parked: askers have their turns one after the
 * other, so the second thing that another asked comes behind it. */
static bool is_parked(struct scene *s)
{
    for (int i = 0; i < 2; i++)
        scene_put(s, scene_grant(s, DEPOT_TAKE, 100, 99, 9));
    return !depot_answer(s->depot, 0);
}

/* What makes somebody's waiting end is answered behind that. */
static void ask_lay_out(struct scene *s, struct opened *part)
{
    struct depot_job *j = scene_job(JOB_WISH, part);

    j->wish = (struct wish){ .kind = WISH_LAY_OUT, .size = SIZE, .filled = SIZE };
    CHECK(depot_ask(s->depot, j));
}

static void ask_write(struct scene *s, struct opened *part, unsigned block)
{
    static uint8_t leaf[TREE_HASH]; /* until it is answered */
    struct depot_job *j = scene_job(JOB_WISH, part);
    uint32_t len = tree_block_len(SIZE, block);

    CHECK(!tree_leaf(leaf, block, s->body + block * TREE_BLOCK, len));
    j->wish = (struct wish){ .kind = WISH_WRITE,
                             .at = block * TREE_BLOCK,
                             .len = len,
                             .size = SIZE,
                             .bytes = s->body + block * TREE_BLOCK,
                             .leaf = leaf };
    CHECK(depot_ask(s->depot, j));
}

static int64_t result(struct scene *s, int what)
{
    struct depot_job *j = scene_answer(s);
    int64_t r = j->what == JOB_WAIT ? j->err : j->result;

    CHECK((int)j->what == what);
    depot_job_free(j);
    return r;
}

static void check_block(struct scene *s, const struct getting *g, unsigned block)
{
    uint8_t leaf[TREE_HASH];
    uint32_t len = tree_block_len(SIZE, block);

    CHECK(result(s, JOB_WISH) == len);
    CHECK(memcmp(g->bytes, s->body + block * TREE_BLOCK, len) == 0);
    CHECK(!tree_leaf(leaf, block, g->bytes, len) && memcmp(leaf, g->leaf, sizeof leaf) == 0);
}

/* The part's first blocks are synced. */
static void sync_blocks(struct scene *s, struct opened *o, unsigned n)
{
    struct held held = { 0 };
    struct held_of of = { .size = SIZE };
    uint8_t map[HELD_FILE_MAX];

    CHECK(!held_add(&held, 0, n));
    int len = held_pack(&held, &of, 1, map, sizeof map);
    held_fini(&held);
    CHECK(len > 0);
    struct depot_job *j = scene_job(JOB_WISH, o);
    j->wish = (struct wish){ .kind = WISH_SYNC, .size = SIZE, .bytes = map, .len = (uint32_t)len };
    CHECK(depot_ask(s->depot, j));
    CHECK(!result(s, JOB_WAIT) && !result(s, JOB_WISH));
}

static struct getting *begin_both(struct scene **s, struct opened **part, bool rooted)
{
    struct getting *g = calloc(1, sizeof *g);

    CHECK(g != NULL);
    scene_begin(s, 10, 10);
    grant(*s, rooted);
    CHECK(!scene_open(*s, GET, &g->o, NULL));
    ask_wait(*s, g->o);
    CHECK(is_parked(*s)); /* nobody sends it yet */
    CHECK(!scene_open(*s, SEND, part, NULL));
    return g;
}

static void keep_it(struct scene *s, struct opened *part)
{
    struct depot_job *asked = scene_finish(s, part);

    scene_word(s, DEPOT_KEPT);
    scene_put(s, (struct hub_depot){ .what = DEPOT_STORED, .file = FILE_NO });
    struct depot_job *j = scene_answer(s);
    CHECK(j == asked && !j->result);
    depot_job_free(j);
    scene_put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = FILE_NO, .takes = true });
    scene_shut(s, part);
}

static void leave(struct scene *s, struct getting *g)
{
    scene_shut(s, g->o);
    free(g);
    scene_end(s);
}

static void what_is_verified_is_given_at_once(void)
{
    struct scene *s;
    struct opened *part;
    struct getting *g = begin_both(&s, &part, true);

    ask_lay_out(s, part);
    struct depot_job *j = scene_answer(s);
    CHECK(j->what == JOB_WAIT && !j->err && j->about.size == SIZE && !j->about.has_root);
    CHECK(j->about.mtime_ns == 1000 * 1000000LL);
    depot_job_free(j);
    CHECK(!result(s, JOB_WISH));
    ask_block(s, g, 1);
    CHECK(is_parked(s));
    CHECK(scene_write(s, part, 1, true) == -ROOST_MALFORMED); /* a lie is not given on */
    CHECK(is_parked(s));
    CHECK(!scene_write(s, part, 0, false)); /* another one */
    CHECK(is_parked(s));
    ask_write(s, part, 1);
    check_block(s, g, 1);
    CHECK(result(s, JOB_WISH) == 0); /* the write */
    ask_block(s, g, 0);              /* what was there before */
    check_block(s, g, 0);
    leave(s, g);
}

/* Who waits for it is told that it has begun. */
static void all_arrives(struct scene *s, struct opened *part)
{
    ask_lay_out(s, part);
    CHECK(!result(s, JOB_WAIT) && !result(s, JOB_WISH));
    for (unsigned i = 0; i < 4; i++)
        CHECK(!scene_write(s, part, i, false));
}

static void the_end_is_said_when_it_is_kept(void)
{
    struct scene *s;
    struct opened *part;
    struct getting *g = begin_both(&s, &part, true);

    all_arrives(s, part);
    ask_root(s, g);
    CHECK(is_parked(s));
    scene_finish(s, part);
    scene_word(s, DEPOT_KEPT);
    CHECK(is_parked(s)); /* the hub has not stored it: a quota may be full */
    scene_put(s, (struct hub_depot){ .what = DEPOT_STORED, .file = FILE_NO });
    CHECK(!result(s, JOB_WISH) && !result(s, JOB_WISH));
    CHECK(memcmp(g->leaf, s->root, sizeof g->leaf) == 0);
    /* who sent it is cut off, who gets it is not */
    scene_put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = FILE_NO, .takes = true });
    scene_shut(s, part);
    ask_block(s, g, 3);
    check_block(s, g, 3);
    /* a token of what was coming is good for what is whole, too; and not when it is deleted */
    struct getting later = { 0 };
    CHECK(!scene_open(s, GET, &later.o, NULL));
    ask_root(s, &later);
    CHECK(!result(s, JOB_WISH) && memcmp(later.leaf, s->root, sizeof later.leaf) == 0);
    scene_shut(s, later.o);
    scene_put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = FILE_NO });
    CHECK(scene_open(s, GET, &later.o, NULL) == -ROOST_NO_SUCH_FILE);
    ask_block(s, g, 3);
    CHECK(result(s, JOB_WISH) == -ROOST_CANCELLED);
    leave(s, g);
}

/* Without a root, what is not synced could still become something else. */
static void without_a_root_some_of_it_is_synced_first(void)
{
    struct scene *s;
    struct opened *part;
    struct getting *g = begin_both(&s, &part, false);

    CHECK(!scene_lay_out(s, part) && !scene_write(s, part, 0, false));
    CHECK(is_parked(s));
    sync_blocks(s, part, 1);
    ask_block(s, g, 0);
    check_block(s, g, 0);
    /* its sender comes again by another stream: what was synced is there, the rest comes again */
    CHECK(!scene_write(s, part, 1, false));
    struct opened *again;
    CHECK(!scene_open(s, SEND, &again, NULL));
    scene_shut(s, part);
    ask_block(s, g, 1);
    CHECK(is_parked(s));
    CHECK(!scene_lay_out(s, again));
    CHECK(is_parked(s));
    for (unsigned i = 1; i < 4; i++) {
        ask_write(s, again, i);
        if (i == 1)
            check_block(s, g, 1);
        CHECK(result(s, JOB_WISH) == 0);
    }
    ask_root(s, g);
    CHECK(is_parked(s));
    scene_finish(s, again);
    scene_word(s, DEPOT_KEPT);
    scene_put(s, (struct hub_depot){ .what = DEPOT_STORED, .file = FILE_NO });
    CHECK(!result(s, JOB_WISH) && !result(s, JOB_WISH));
    scene_shut(s, again);
    leave(s, g);
}

static void nobody_waits_for_ever(void)
{
    struct scene *s;
    struct opened *part;
    struct getting *g = begin_both(&s, &part, true);

    /* who leaves */
    CHECK(depot_ask(s->depot, scene_job(JOB_LEAVE, g->o)));
    CHECK(result(s, JOB_WAIT) == -ROOST_CANCELLED);
    scene_shut(s, g->o);
    /* whose right ends */
    CHECK(!scene_open(s, GET, &g->o, NULL));
    ask_wait(s, g->o);
    CHECK(is_parked(s));
    scene_bar(s, BEN, 5);
    CHECK(result(s, JOB_WAIT) == -ROOST_CANCELLED);
    CHECK(scene_open(s, GET, &part, NULL) == -ROOST_NO_SUCH_FILE);
    scene_shut(s, g->o);
    /* what is given up by its sender */
    grant(s, true);
    CHECK(!scene_open(s, GET, &g->o, NULL));
    ask_wait(s, g->o);
    CHECK(is_parked(s));
    scene_put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = FILE_NO });
    CHECK(result(s, JOB_WAIT) == -ROOST_CANCELLED);
    scene_shut(s, g->o);
    /* the server ends */
    grant(s, true);
    CHECK(!scene_open(s, GET, &g->o, NULL));
    ask_wait(s, g->o);
    CHECK(is_parked(s));
    depot_stop(s->depot);
    CHECK(result(s, JOB_WAIT) == -ROOST_SHUTTING_DOWN);
    free(g);
    scene_end(s);
}

static void somebody_kept_it_meanwhile(void)
{
    struct scene *s;
    struct opened *part;
    struct getting *g = begin_both(&s, &part, true);

    all_arrives(s, part);
    keep_it(s, part);
    for (unsigned i = 0; i < 4; i++) {
        ask_block(s, g, i);
        check_block(s, g, i);
    }
    leave(s, g);
}

TEST_MAIN({ "what_is_verified_is_given_at_once", what_is_verified_is_given_at_once },
          { "the_end_is_said_when_it_is_kept", the_end_is_said_when_it_is_kept },
          { "without_a_root_some_of_it_is_synced_first",
            without_a_root_some_of_it_is_synced_first },
          { "nobody_waits_for_ever", nobody_waits_for_ever },
          { "somebody_kept_it_meanwhile", somebody_kept_it_meanwhile })
