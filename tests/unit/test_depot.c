/* Stories about the threads that keep files, asked as a worker, the loop and the hub ask them. */
#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/depot.h"
#include "share/held.h"

enum { WORDS_MAX = 16, SIZE = 3 * TREE_BLOCK + 100, ANNA = 7, BEN = 8 };

/* On the heap, and lost when a CHECK fails: its threads may still use it. */
struct scene {
    char dir[64];
    uv_loop_t loop;
    struct depot *depot;
    int event, waited_ms;
    struct hub_depot_word words[WORDS_MAX];
    unsigned n_words;
    struct depot_job *looked; /* the loop's last answer */
    uint8_t body[SIZE], root[TREE_HASH];
};

/* --- the scene ------------------------------------------------------------------------------- */

static void on_word(void *ctx, const struct hub_depot_word *word)
{
    struct scene *s = ctx;

    if (word->what != DEPOT_ROOM && s->n_words < WORDS_MAX)
        s->words[s->n_words++] = *word;
}

static void on_job(void *ctx, struct depot_job *job)
{
    struct scene *s = ctx;

    depot_job_free(s->looked);
    s->looked = job;
}

static char left[64];

static void sweep(void)
{
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s", left);
    if (left[0] && system(cmd))
        printf("%s stays\n", left);
    left[0] = '\0';
}

static void depot_begin(struct scene *s, uint32_t most, uint32_t most_account)
{
    const struct depot_settings settings = { .data = s->dir,
                                             .threads = 2,
                                             .transfers = most,
                                             .transfers_account = most_account,
                                             .on_word = on_word,
                                             .on_job = on_job,
                                             .ctx = s };

    CHECK(!depot_new(&s->depot, &s->loop, &settings));
    CHECK(!depot_attach(s->depot, 0, s->event));
    CHECK(!depot_start(s->depot));
}

static void depot_end(struct scene *s)
{
    depot_stop(s->depot);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    depot_free(s->depot);
    s->depot = NULL;
}

static void begin(struct scene **ret, uint32_t most, uint32_t most_account)
{
    struct scene *s = calloc(1, sizeof *s);
    uint8_t leaves[4 * TREE_HASH], page[TREE_HASH];

    CHECK(s != NULL);
    sweep();
    strcpy(s->dir, "/tmp/roost-depot-XXXXXX");
    CHECK(mkdtemp(s->dir) != NULL);
    strcpy(left, s->dir);
    CHECK(!uv_loop_init(&s->loop));
    CHECK((s->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) >= 0);
    for (unsigned i = 0; i < SIZE; i++)
        s->body[i] = (uint8_t)(i * 2654435761u >> 13);
    for (unsigned i = 0; i < 4; i++)
        CHECK(!tree_leaf(leaves + i * TREE_HASH, i, s->body + i * TREE_BLOCK,
                         tree_block_len(SIZE, i)));
    CHECK(!tree_page(page, 0, leaves, 4));
    CHECK(!tree_root(s->root, SIZE, page, 1));
    depot_begin(s, most, most_account);
    *ret = s;
}

static void end(struct scene *s)
{
    depot_end(s);
    depot_job_free(s->looked);
    uv_loop_close(&s->loop);
    close(s->event);
    free(s);
    sweep();
}

/* Something that was told may be lost when memory is. */
static int patience_ms(void)
{
    return test_starves() ? 100 : 30000;
}

static void run_loop(struct scene *s)
{
    struct pollfd fd = { .fd = uv_backend_fd(&s->loop), .events = POLLIN };

    uv_run(&s->loop, UV_RUN_NOWAIT); /* what was new to the loop is waited for from now on */
    s->waited_ms += poll(&fd, 1, 1) == 0;
    CHECK(s->waited_ms < patience_ms());
}

/* --- asking ------------------------------------------------------------------------------------
 */

static struct depot_job *answer(struct scene *s)
{
    struct pollfd fd = { .fd = s->event, .events = POLLIN };
    struct depot_job *j;
    uint64_t n;

    while (!(j = depot_answer(s->depot, 0))) {
        CHECK(poll(&fd, 1, patience_ms()) == 1);
        CHECK(read(s->event, &n, sizeof n) == sizeof n);
    }
    return j;
}

static struct depot_job *job(int what, struct opened *opened)
{
    struct depot_job *j = calloc(1, sizeof *j);

    CHECK(j != NULL);
    j->what = what;
    j->opened = opened;
    return j;
}

/* Runs the loop until a word of that kind came; how many there were before is forgotten. */
static struct hub_depot_word word(struct scene *s, int what)
{
    for (unsigned i = 0;; i++) {
        while (i >= s->n_words)
            run_loop(s);
        if ((int)s->words[i].what == what) {
            struct hub_depot_word w = s->words[i];
            s->n_words = 0;
            return w;
        }
    }
}

static struct hub_depot grant_of(const struct scene *s, int what, uint64_t file, uint64_t account,
                                 uint8_t token)
{
    struct hub_depot g = { .what = what,
                           .file = file,
                           .account = account,
                           .sender = ANNA,
                           .room = 5,
                           .session = account * 10,
                           .size = SIZE,
                           .size_max = SIZE,
                           .has_root = true,
                           .until_us = INT64_MAX };

    memcpy(g.root, s->root, sizeof g.root);
    memset(g.token, token, sizeof g.token);
    return g;
}

/* What the hub says and what a worker asks come by different ways. Numbers of parcels are even
 * here, so that one thread has all of it, and has heard what was said when it answers the loop. */
static void put(struct scene *s, struct hub_depot g)
{
    struct depot_job *j = job(JOB_LOOK, NULL);

    depot_put(s->depot, &g);
    j->asker = DEPOT_LOOP;
    CHECK(depot_ask(s->depot, j));
    depot_job_free(s->looked);
    for (s->looked = NULL; !s->looked;)
        run_loop(s);
}

static void bar(struct scene *s, uint64_t account, uint64_t room)
{
    put(s, (struct hub_depot){ .what = DEPOT_BAR, .account = account, .room = room });
}

/* What the token opens: 0 and *ret, or why not. Asked as a worker does. */
static int open_by(struct scene *s, uint8_t token, struct opened **ret, struct depot_job **ret_job)
{
    struct depot_job *j = job(JOB_LOOK, NULL);

    memset(j->token, token, sizeof j->token);
    CHECK(depot_ask(s->depot, j));
    j = answer(s);
    if (!j->err) {
        j->what = JOB_OPEN;
        CHECK(depot_ask(s->depot, j));
        j = answer(s);
    }
    int err = j->err;
    *ret = j->opened;
    if (ret_job)
        *ret_job = j;
    else
        depot_job_free(j);
    return err;
}

static int64_t wish(struct scene *s, struct opened *o, struct wish w)
{
    struct depot_job *j = job(JOB_WISH, o);

    j->wish = w;
    CHECK(depot_ask(s->depot, j));
    j = answer(s);
    int64_t result = j->result;
    depot_job_free(j);
    return result;
}

static int64_t write_block(struct scene *s, struct opened *o, unsigned block, bool wrong)
{
    uint8_t leaf[TREE_HASH];
    uint32_t len = tree_block_len(SIZE, block);

    CHECK(!tree_leaf(leaf, block, s->body + block * TREE_BLOCK, len));
    leaf[0] ^= wrong;
    return wish(s, o,
                (struct wish){ .kind = WISH_WRITE,
                               .at = block * TREE_BLOCK,
                               .len = len,
                               .size = SIZE,
                               .bytes = s->body + block * TREE_BLOCK,
                               .leaf = leaf });
}

static int64_t lay_out(struct scene *s, struct opened *o)
{
    return wish(s, o, (struct wish){ .kind = WISH_LAY_OUT, .size = SIZE });
}

static void shut(struct scene *s, struct opened *o)
{
    CHECK(depot_ask(s->depot, job(JOB_CLOSE, o)));
}

/* The last wish of a parcel: its answer waits for the hub. */
static struct depot_job *finish(struct scene *s, struct opened *o)
{
    struct depot_job *j = job(JOB_WISH, o);

    j->wish = (struct wish){ .kind = WISH_FINISH, .size = SIZE, .leaf = s->root };
    CHECK(depot_ask(s->depot, j));
    return j;
}

static void keep(struct scene *s, uint64_t file)
{
    struct opened *o;

    put(s, grant_of(s, DEPOT_TAKE, file, ANNA, 1));
    CHECK(!open_by(s, 1, &o, NULL));
    CHECK(!lay_out(s, o));
    for (unsigned i = 0; i < 4; i++)
        CHECK(!write_block(s, o, i, false));
    struct depot_job *asked = finish(s, o);
    struct hub_depot_word w = word(s, DEPOT_KEPT);
    CHECK(w.file == file && w.account == ANNA && w.size == SIZE);
    CHECK(memcmp(w.root, s->root, sizeof w.root) == 0);
    CHECK(!depot_answer(s->depot, 0)); /* nobody is told before it is an event */
    put(s, (struct hub_depot){ .what = DEPOT_STORED, .file = file });
    struct depot_job *j = answer(s);
    CHECK(j == asked && j->result == 0);
    depot_job_free(j);
    shut(s, o);
}

/* A piece as HTTPS asks for it. */
static int64_t read_as_loop(struct scene *s, struct opened *o, uint64_t at, uint32_t len,
                            uint8_t *bytes)
{
    struct depot_job *j = job(JOB_READ, o);

    j->asker = DEPOT_LOOP;
    j->wish = (struct wish){ .at = at, .len = len, .bytes = bytes };
    CHECK(depot_ask(s->depot, j));
    depot_job_free(s->looked);
    for (s->looked = NULL; !s->looked;)
        run_loop(s);
    return s->looked->result;
}

static struct opened *open_as_loop(struct scene *s, uint64_t file)
{
    struct depot_job *j = job(JOB_OPEN, NULL);

    j->asker = DEPOT_LOOP;
    j->grant = grant_of(s, DEPOT_GIVE, file, BEN, 2);
    depot_admit(s->depot, &j->grant);
    CHECK(depot_ask(s->depot, j));
    depot_job_free(s->looked);
    for (s->looked = NULL; !s->looked;)
        run_loop(s);
    return s->looked->err ? NULL : s->looked->opened;
}

static void path_of(const struct scene *s, const char *suffix, char ret[static 256])
{
    char hex[65];

    seal_hex(hex, s->root, 32);
    snprintf(ret, 256, "%s/files/%s%s", s->dir, hex, suffix);
}

static bool is_there(const struct scene *s, const char *suffix)
{
    char path[256];

    path_of(s, suffix, path);
    return access(path, F_OK) == 0;
}

static void flip(const struct scene *s, long at)
{
    char path[256];
    uint8_t byte;

    path_of(s, "", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}

/* --- stories ---------------------------------------------------------------------------------- */

static void a_parcel_is_kept_and_given(void)
{
    struct scene *s;
    struct opened *o;
    struct depot_job *j;
    uint8_t block[TREE_BLOCK], leaf[TREE_HASH];

    begin(&s, 10, 10);
    keep(s, 2);
    CHECK(is_there(s, ""));
    put(s, grant_of(s, DEPOT_GIVE, 2, BEN, 2));
    CHECK(!open_by(s, 2, &o, &j));
    CHECK(j->about.size == SIZE && j->about.has_root && j->n_pages == 1);
    depot_job_free(j);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t len = tree_block_len(SIZE, i);
        CHECK(wish(s, o,
                   (struct wish){ .kind = WISH_READ,
                                  .at = i * TREE_BLOCK,
                                  .len = len,
                                  .size = SIZE,
                                  .bytes = block,
                                  .leaf = leaf }) == len);
        CHECK(memcmp(block, s->body + i * TREE_BLOCK, len) == 0);
    }
    j = job(JOB_CLOSE, o);
    j->got = true;
    CHECK(depot_ask(s->depot, j));
    struct hub_depot_word w = word(s, DEPOT_GOT);
    CHECK(w.file == 2 && w.account == BEN);
    end(s);
}

static void who_shows_no_token_gets_nothing(void)
{
    struct scene *s;
    struct opened *o;

    begin(&s, 10, 10);
    CHECK(open_by(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    struct hub_depot late = grant_of(s, DEPOT_TAKE, 2, ANNA, 1);
    late.until_us = 1;
    put(s, late);
    CHECK(open_by(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    /* whose parcel is over, and who may not any more */
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = 2 });
    CHECK(open_by(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    put(s, grant_of(s, DEPOT_TAKE, 4, ANNA, 1));
    put(s, grant_of(s, DEPOT_TAKE, 6, BEN, 2));
    bar(s, ANNA, 5);
    CHECK(open_by(s, 1, &o, NULL) == -ROOST_NO_SUCH_FILE);
    CHECK(!open_by(s, 2, &o, NULL));
    end(s);
}

/* The token was looked up before the right went, and is opened behind it. */
static void a_right_that_ends_in_between(void)
{
    struct scene *s;
    struct depot_job *j = job(JOB_LOOK, NULL);

    begin(&s, 10, 10);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    memset(j->token, 1, sizeof j->token);
    CHECK(depot_ask(s->depot, j));
    j = answer(s);
    CHECK(!j->err);
    bar(s, ANNA, 5);
    put(s, grant_of(s, DEPOT_TAKE, 10, BEN,
                    9)); /* behind the bar, on the thread that forgets tokens */
    struct opened *o;
    CHECK(!open_by(s, 9, &o, NULL));
    j->what = JOB_OPEN;
    CHECK(depot_ask(s->depot, j));
    j = answer(s);
    CHECK(j->err == -ROOST_NO_SUCH_FILE);
    depot_job_free(j);
    end(s);
}

static void what_goes_on_ends_with_the_right(void)
{
    struct scene *s;
    struct opened *o, *mine;

    begin(&s, 10, 10);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    put(s, grant_of(s, DEPOT_TAKE, 4, BEN, 2));
    CHECK(!open_by(s, 1, &o, NULL) && !open_by(s, 2, &mine, NULL));
    CHECK(!lay_out(s, o) && !lay_out(s, mine));
    bar(s, ANNA, 5);
    CHECK(write_block(s, o, 0, false) == -ROOST_CANCELLED);
    CHECK(!write_block(s, mine, 0, false));
    shut(s, o);
    end(s);
}

static void the_newest_stream_counts(void)
{
    struct scene *s;
    struct opened *old, *new;

    begin(&s, 10, 10);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!open_by(s, 1, &old, NULL));
    CHECK(!lay_out(s, old));
    CHECK(!open_by(s, 1, &new, NULL));
    CHECK(write_block(s, old, 0, false) == -ROOST_CANCELLED);
    CHECK(!lay_out(s, new) && !write_block(s, new, 0, false));
    shut(s, old);
    CHECK(!write_block(s, new, 1, false));
    end(s);
}

static void a_lie_is_not_written(void)
{
    struct scene *s;
    struct opened *o;

    begin(&s, 10, 10);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!open_by(s, 1, &o, NULL));
    CHECK(!lay_out(s, o));
    CHECK(write_block(s, o, 2, true) == -ROOST_MALFORMED);
    CHECK(!write_block(s, o, 2, false));
    end(s);
}

static void what_came_is_there_after_a_new_start(void)
{
    struct scene *s;
    struct opened *o;
    struct depot_job *j;
    struct held held = { 0 };
    struct held_of of = { .size = SIZE, .has_root = true };
    uint8_t map[HELD_FILE_MAX];

    begin(&s, 10, 10);
    memcpy(of.root, s->root, sizeof of.root);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!open_by(s, 1, &o, NULL));
    CHECK(!lay_out(s, o));
    CHECK(!write_block(s, o, 0, false) && !write_block(s, o, 1, false));
    CHECK(!held_add(&held, 0, 2));
    int len = held_pack(&held, &of, 1, map, sizeof map);
    CHECK(len > 0);
    CHECK(!wish(
        s, o,
        (struct wish){ .kind = WISH_SYNC, .size = SIZE, .bytes = map, .len = (uint32_t)len }));
    shut(s, o);
    depot_end(s);
    depot_begin(s, 10, 10);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    CHECK(!open_by(s, 1, &o, &j));
    struct held has = { 0 };
    struct held_of whose;
    uint64_t generation;
    CHECK(!held_unpack(&has, &whose, &generation, j->map, j->map_len));
    CHECK(held_has_all(&has, 0, 2) && held_count(&has) == 2 && held_of_same(&whose, &of));
    depot_job_free(j);
    held_fini(&has);
    held_fini(&held);
    /* its sender gave it up: nothing of it stays */
    put(s, (struct hub_depot){ .what = DEPOT_OVER, .file = 2 });
    char part[128];
    snprintf(part, sizeof part, "%s/files/parts/2", s->dir);
    depot_end(s);
    CHECK(access(part, F_OK) != 0);
    depot_begin(s, 10, 10);
    end(s);
}

static void what_lies_about_is_asked_after(void)
{
    struct scene *s;

    begin(&s, 10, 10);
    keep(s, 2);
    depot_end(s);
    s->n_words = 0;
    depot_begin(s, 10, 10);
    struct hub_depot_word w = word(s, DEPOT_FOUND);
    CHECK(memcmp(w.root, s->root, sizeof w.root) == 0 && !w.has_list);
    /* it is new, so the hub may be about to refer to it */
    struct hub_depot drop = { .what = DEPOT_DROP };
    memcpy(drop.root, s->root, sizeof drop.root);
    put(s, drop);
    depot_end(s);
    CHECK(is_there(s, ""));
    depot_begin(s, 10, 10);
    end(s);
}

static void what_is_damaged_is_not_given(void)
{
    struct scene *s;
    uint8_t piece[TREE_BLOCK];

    begin(&s, 10, 10);
    keep(s, 2);
    struct opened *o = open_as_loop(s, 2);
    CHECK(o != NULL);
    struct depot_job *closing = s->looked;
    s->looked = NULL;
    CHECK(read_as_loop(s, o, TREE_BLOCK + 5, 1000, piece) == 1000);
    CHECK(memcmp(piece, s->body + TREE_BLOCK + 5, 1000) == 0);
    CHECK(read_as_loop(s, o, TREE_BLOCK - 5, 10, piece) == -ROOST_INVALID); /* of two blocks */
    CHECK(read_as_loop(s, o, SIZE - 10, 11, piece) == -ROOST_INVALID);
    CHECK(is_there(s, ".leaves"));
    depot_shut(s->depot, closing);
    flip(s, TREE_BLOCK + 500);
    o = open_as_loop(s, 2);
    CHECK(o != NULL);
    closing = s->looked;
    s->looked = NULL;
    CHECK(read_as_loop(s, o, 0, 1000, piece) == 1000); /* the others are what they were */
    CHECK(read_as_loop(s, o, TREE_BLOCK, 10, piece) == -ROOST_UNREADABLE);
    struct hub_depot_word w = word(s, DEPOT_LOST);
    CHECK(memcmp(w.root, s->root, sizeof w.root) == 0);
    CHECK(!is_there(s, "") && is_there(s, ".damaged"));
    depot_shut(s->depot, closing);
    CHECK(!open_as_loop(s, 2) && s->looked->err == -ROOST_UNREADABLE);
    /* sent again */
    s->n_words = 0;
    keep(s, 4);
    CHECK(is_there(s, "") && !is_there(s, ".damaged"));
    o = open_as_loop(s, 2);
    CHECK(o != NULL);
    closing = s->looked;
    s->looked = NULL;
    CHECK(read_as_loop(s, o, TREE_BLOCK, 10, piece) == 10);
    depot_shut(s->depot, closing);
    end(s);
}

static void what_a_check_found(void)
{
    struct scene *s;
    char path[256];
    struct stat st;

    begin(&s, 10, 10);
    keep(s, 2);
    struct hub_depot g = grant_of(s, DEPOT_GIVE, 2, 0, 0);
    path_of(s, "", path);
    CHECK(!stat(path, &st));
    depot_found_wrong(s->depot, &g, (uint64_t)st.st_ino + 1); /* mended meanwhile */
    depot_found_wrong(s->depot, &g, 0);
    depot_found_wrong(s->depot, &g, (uint64_t)st.st_ino);
    word(s, DEPOT_LOST);
    CHECK(!is_there(s, "") && is_there(s, ".damaged"));
    struct depot_stats stats;
    depot_stats(s->depot, &stats);
    CHECK(stats.lost == 1 && stats.kept == 1);
    end(s);
}

static void places_are_given_back(void)
{
    struct scene *s;
    struct opened *a, *b, *c;

    begin(&s, 2, 1);
    put(s, grant_of(s, DEPOT_TAKE, 2, ANNA, 1));
    put(s, grant_of(s, DEPOT_TAKE, 4, ANNA, 2));
    put(s, grant_of(s, DEPOT_TAKE, 6, BEN, 3));
    put(s, grant_of(s, DEPOT_TAKE, 8, 9, 4));
    CHECK(!open_by(s, 1, &a, NULL));
    CHECK(open_by(s, 2, &b, NULL) == -ROOST_TRANSFERS_OWN);
    CHECK(!open_by(s, 3, &b, NULL));
    CHECK(open_by(s, 4, &c, NULL) == -ROOST_TRANSFERS);
    struct depot_stats stats;
    depot_stats(s->depot, &stats);
    CHECK(stats.crowded == 2 && stats.open == 2);
    shut(s, a);
    CHECK(!open_by(s, 4, &c, NULL));
    end(s);
}

TEST_MAIN({ "a_parcel_is_kept_and_given", a_parcel_is_kept_and_given },
          { "who_shows_no_token_gets_nothing", who_shows_no_token_gets_nothing },
          { "a_right_that_ends_in_between", a_right_that_ends_in_between },
          { "what_goes_on_ends_with_the_right", what_goes_on_ends_with_the_right },
          { "the_newest_stream_counts", the_newest_stream_counts },
          { "a_lie_is_not_written", a_lie_is_not_written },
          { "what_came_is_there_after_a_new_start", what_came_is_there_after_a_new_start },
          { "what_lies_about_is_asked_after", what_lies_about_is_asked_after },
          { "what_is_damaged_is_not_given", what_is_damaged_is_not_given },
          { "what_a_check_found", what_a_check_found },
          { "places_are_given_back", places_are_given_back })
