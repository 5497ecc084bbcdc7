/* Stories about the threads that keep files: who sends, and who may. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "depot_scene.h"
#include "share/held.h"

static void who_shows_no_token_gets_nothing(void)
{
    struct scene *s;
    struct opened *o;

    scene_begin(&s, 10, 10);
    CHECK(scene_open(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    struct hub_depot late = scene_grant(s, DEPOT_TAKE, 2, ANNA, 1);
    late.until_us = 1;
    scene_put(s, late);
    CHECK(scene_open(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    /* whose parcel is over, and who may not any more */
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    scene_put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = 2 });
    CHECK(scene_open(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 4, ANNA, 1));
    scene_put(s, scene_grant(s, DEPOT_TAKE, 6, BEN, 2));
    scene_bar(s, ANNA, 5);
    CHECK(scene_open(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    CHECK(!scene_open(s, 2, &o, NULL));
    scene_end(s);
}

/* The token was looked up before the right went, and is opened behind it. */
static void a_right_that_ends_in_between(void)
{
    struct scene *s;
    struct depot_job *j = scene_job(JOB_LOOK, NULL);

    scene_begin(&s, 10, 10);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    memset(j->token, 1, sizeof j->token);
    CHECK(depot_ask(s->depot, j));
    j = scene_answer(s);
    CHECK(!j->err);
    scene_bar(s, ANNA, 5);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 10, BEN,
                             9)); /* behind the bar, on the thread that forgets tokens */
    struct opened *o;
    CHECK(!scene_open(s, 9, &o, NULL));
    j->what = JOB_OPEN;
    CHECK(depot_ask(s->depot, j));
    j = scene_answer(s);
    CHECK(j->err == -ROOST_NO_SUCH_FILE);
    depot_job_free(j);
    scene_end(s);
}

static void what_goes_on_ends_with_the_right(void)
{
    struct scene *s;
    struct opened *o, *mine;

    scene_begin(&s, 10, 10);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    scene_put(s, scene_grant(s, DEPOT_TAKE, 4, BEN, 2));
    CHECK(!scene_open(s, 1, &o, NULL) && !scene_open(s, 2, &mine, NULL));
    CHECK(!scene_lay_out(s, o) && !scene_lay_out(s, mine));
    scene_bar(s, ANNA, 5);
    CHECK(scene_write(s, o, 0, false) == -ROOST_CANCELLED);
    CHECK(!scene_write(s, mine, 0, false));
    scene_shut(s, o);
    scene_end(s);
}

static void the_newest_stream_counts(void)
{
    struct scene *s;
    struct opened *old, *new;

    scene_begin(&s, 10, 10);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!scene_open(s, 1, &old, NULL));
    CHECK(!scene_lay_out(s, old));
    CHECK(!scene_open(s, 1, &new, NULL));
    CHECK(scene_write(s, old, 0, false) == -ROOST_CANCELLED);
    CHECK(!scene_lay_out(s, new) && !scene_write(s, new, 0, false));
    scene_shut(s, old);
    CHECK(!scene_write(s, new, 1, false));
    scene_end(s);
}

static void a_lie_is_not_written(void)
{
    struct scene *s;
    struct opened *o;

    scene_begin(&s, 10, 10);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!scene_open(s, 1, &o, NULL));
    CHECK(!scene_lay_out(s, o));
    CHECK(scene_write(s, o, 2, true) == -ROOST_MALFORMED);
    CHECK(!scene_write(s, o, 2, false));
    scene_end(s);
}

static void what_came_is_there_after_a_new_start(void)
{
    struct scene *s;
    struct opened *o;
    struct depot_job *j;
    struct held held = { 0 };
    struct held_of of = { .size = SIZE, .has_root = true };
    uint8_t map[HELD_FILE_MAX];

    scene_begin(&s, 10, 10);
    memcpy(of.root, s->root, sizeof of.root);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!scene_open(s, 1, &o, NULL));
    CHECK(!scene_lay_out(s, o));
    CHECK(!scene_write(s, o, 0, false) && !scene_write(s, o, 1, false));
    CHECK(!held_add(&held, 0, 2));
    int len = held_pack(&held, &of, 1, map, sizeof map);
    CHECK(len > 0);
    CHECK(!scene_wish(
        s, o,
        (struct wish){ .kind = WISH_SYNC, .size = SIZE, .bytes = map, .len = (uint32_t)len }));
    scene_shut(s, o);
    scene_depot_end(s);
    scene_depot(s, 10, 10);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!scene_open(s, 1, &o, &j));
    struct held has = { 0 };
    struct held_of whose;
    uint64_t generation;
    CHECK(!held_unpack(&has, &whose, &generation, j->map, j->map_len));
    CHECK(held_has_all(&has, 0, 2) && held_count(&has) == 2 && held_of_same(&whose, &of));
    depot_job_free(j);
    held_fini(&has);
    held_fini(&held);
    /* its sender gave it up: nothing of it stays */
    scene_put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = 2 });
    char part[128];
    snprintf(part, sizeof part, "%s/files/parts/2", s->dir);
    scene_depot_end(s);
    CHECK(access(part, F_OK) != 0);
    scene_depot(s, 10, 10);
    scene_end(s);
}

static void places_are_given_back(void)
{
    struct scene *s;
    struct opened *a, *b, *c;

    scene_begin(&s, 2, 1);
    scene_put(s, scene_grant(s, DEPOT_TAKE, 2, ANNA, 1));
    scene_put(s, scene_grant(s, DEPOT_TAKE, 4, ANNA, 2));
    scene_put(s, scene_grant(s, DEPOT_TAKE, 6, BEN, 3));
    scene_put(s, scene_grant(s, DEPOT_TAKE, 8, 9, 4));
    CHECK(!scene_open(s, 1, &a, NULL));
    CHECK(scene_open(s, 2, &b, NULL) == -ROOST_TRANSFERS_OWN);
    CHECK(!scene_open(s, 3, &b, NULL));
    CHECK(scene_open(s, 4, &c, NULL) == -ROOST_TRANSFERS);
    struct depot_stats stats;
    depot_stats(s->depot, &stats);
    CHECK(stats.crowded == 2 && stats.open == 2);
    scene_shut(s, a);
    CHECK(!scene_open(s, 4, &c, NULL));
    scene_end(s);
}

TEST_MAIN({ "who_shows_no_token_gets_nothing", who_shows_no_token_gets_nothing },
          { "a_right_that_ends_in_between", a_right_that_ends_in_between },
          { "what_goes_on_ends_with_the_right", what_goes_on_ends_with_the_right },
          { "the_newest_stream_counts", the_newest_stream_counts },
          { "a_lie_is_not_written", a_lie_is_not_written },
          { "what_came_is_there_after_a_new_start", what_came_is_there_after_a_new_start },
          { "places_are_given_back", places_are_given_back })
