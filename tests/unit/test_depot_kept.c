/* Stories about what those threads keep: given on, found again, damaged. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "depot_scene.h"

static void a_parcel_is_kept_and_given(void)
{
    struct scene *s;
    struct opened *o;
    struct depot_job *j;
    uint8_t block[TREE_BLOCK], leaf[TREE_HASH];

    scene_begin(&s, 10, 10);
    scene_keep(s, 2);
    CHECK(scene_is_there(s, ""));
    scene_put(s, scene_grant(s, DEPOT_GIVE, 2, BEN, 2));
    CHECK(!scene_open(s, 2, &o, &j));
    CHECK(j->about.size == SIZE && j->about.has_root && j->n_pages == 1);
    depot_job_free(j);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t len = tree_block_len(SIZE, i);
        CHECK(scene_wish(s, o,
                         (struct wish){ .kind = WISH_READ,
                                        .at = i * TREE_BLOCK,
                                        .len = len,
                                        .size = SIZE,
                                        .bytes = block,
                                        .leaf = leaf }) == len);
        CHECK(memcmp(block, s->body + i * TREE_BLOCK, len) == 0);
    }
    j = scene_job(JOB_CLOSE, o);
    j->got = true;
    CHECK(depot_ask(s->depot, j));
    struct hub_depot_word w = scene_word(s, DEPOT_GOT);
    CHECK(w.file == 2 && w.account == BEN);
    scene_end(s);
}

static void what_lies_about_is_asked_after(void)
{
    struct scene *s;

    scene_begin(&s, 10, 10);
    scene_keep(s, 2);
    scene_depot_end(s);
    s->n_words = 0;
    scene_depot(s, 10, 10);
    struct hub_depot_word w = scene_word(s, DEPOT_FOUND);
    CHECK(memcmp(w.root, s->root, sizeof w.root) == 0 && !w.has_list);
    /* it is new, so the hub may be about to refer to it */
    struct hub_depot drop = { .what = DEPOT_DROP };
    memcpy(drop.root, s->root, sizeof drop.root);
    scene_put(s, drop);
    scene_depot_end(s);
    CHECK(scene_is_there(s, ""));
    scene_depot(s, 10, 10);
    scene_end(s);
}

static void what_is_damaged_is_not_given(void)
{
    struct scene *s;
    uint8_t piece[TREE_BLOCK];

    scene_begin(&s, 10, 10);
    scene_keep(s, 2);
    struct opened *o = scene_open_as_loop(s, 2);
    CHECK(o != NULL);
    struct depot_job *closing = s->looked;
    s->looked = NULL;
    CHECK(scene_read(s, o, TREE_BLOCK + 5, 1000, piece) == 1000);
    CHECK(memcmp(piece, s->body + TREE_BLOCK + 5, 1000) == 0);
    CHECK(scene_read(s, o, TREE_BLOCK - 5, 10, piece) == -ROOST_INVALID); /* of two blocks */
    CHECK(scene_read(s, o, SIZE - 10, 11, piece) == -ROOST_INVALID);
    CHECK(scene_is_there(s, ".leaves"));
    depot_shut(s->depot, closing);
    scene_flip(s, TREE_BLOCK + 500);
    o = scene_open_as_loop(s, 2);
    CHECK(o != NULL);
    closing = s->looked;
    s->looked = NULL;
    CHECK(scene_read(s, o, 0, 1000, piece) == 1000); /* the others are what they were */
    CHECK(scene_read(s, o, TREE_BLOCK, 10, piece) == -ROOST_UNREADABLE);
    struct hub_depot_word w = scene_word(s, DEPOT_LOST);
    CHECK(memcmp(w.root, s->root, sizeof w.root) == 0);
    CHECK(!scene_is_there(s, "") && scene_is_there(s, ".damaged"));
    depot_shut(s->depot, closing);
    CHECK(!scene_open_as_loop(s, 2) && s->looked->err == -ROOST_UNREADABLE);
    /* sent again */
    s->n_words = 0;
    scene_keep(s, 4);
    CHECK(scene_is_there(s, "") && !scene_is_there(s, ".damaged"));
    o = scene_open_as_loop(s, 2);
    CHECK(o != NULL);
    closing = s->looked;
    s->looked = NULL;
    CHECK(scene_read(s, o, TREE_BLOCK, 10, piece) == 10);
    depot_shut(s->depot, closing);
    scene_end(s);
}

static void what_a_check_found(void)
{
    struct scene *s;
    char path[256];
    struct stat st;

    scene_begin(&s, 10, 10);
    scene_keep(s, 2);
    struct hub_depot g = scene_grant(s, DEPOT_GIVE, 2, 0, 0);
    scene_path(s, "", path);
    CHECK(!stat(path, &st));
    depot_found_wrong(s->depot, &g, (uint64_t)st.st_ino + 1); /* mended meanwhile */
    depot_found_wrong(s->depot, &g, 0);
    depot_found_wrong(s->depot, &g, (uint64_t)st.st_ino);
    scene_word(s, DEPOT_LOST);
    CHECK(!scene_is_there(s, "") && scene_is_there(s, ".damaged"));
    struct depot_stats stats;
    depot_stats(s->depot, &stats);
    CHECK(stats.lost == 1 && stats.kept == 1);
    scene_end(s);
}

TEST_MAIN({ "a_parcel_is_kept_and_given", a_parcel_is_kept_and_given },
          { "what_lies_about_is_asked_after", what_lies_about_is_asked_after },
          { "what_is_damaged_is_not_given", what_is_damaged_is_not_given },
          { "what_a_check_found", what_a_check_found })
