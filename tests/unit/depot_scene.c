#include "depot_scene.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "seal/digest.h"

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

static char left_behind[64];

static void sweep(void)
{
    char cmd[128];

    snprintf(cmd, sizeof cmd, "rm -rf %s", left_behind);
    if (left_behind[0] && system(cmd))
        printf("%s stays\n", left_behind);
    left_behind[0] = '\0';
}

void scene_depot(struct scene *s, uint32_t most, uint32_t most_account)
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

void scene_depot_end(struct scene *s)
{
    depot_stop(s->depot);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    depot_free(s->depot);
    s->depot = NULL;
}

void scene_begin(struct scene **ret, uint32_t most, uint32_t most_account)
{
    struct scene *s = calloc(1, sizeof *s);
    uint8_t leaves[4 * TREE_HASH], page[TREE_HASH];

    CHECK(s != NULL);
    sweep();
    strcpy(s->dir, "/tmp/roost-depot-XXXXXX");
    CHECK(mkdtemp(s->dir) != NULL);
    strcpy(left_behind, s->dir);
    CHECK(!uv_loop_init(&s->loop));
    CHECK((s->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) >= 0);
    for (unsigned i = 0; i < SIZE; i++)
        s->body[i] = (uint8_t)(i * 2654435761u >> 13);
    for (unsigned i = 0; i < 4; i++)
        CHECK(!tree_leaf(leaves + i * TREE_HASH, i, s->body + i * TREE_BLOCK,
                         tree_block_len(SIZE, i)));
    CHECK(!tree_page(page, 0, leaves, 4));
    CHECK(!tree_root(s->root, SIZE, page, 1));
    scene_depot(s, most, most_account);
    *ret = s;
}

void scene_end(struct scene *s)
{
    scene_depot_end(s);
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

struct depot_job *scene_answer(struct scene *s)
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

struct depot_job *scene_job(int what, struct opened *opened)
{
    struct depot_job *j = calloc(1, sizeof *j);

    CHECK(j != NULL);
    j->what = what;
    j->opened = opened;
    return j;
}

struct hub_depot_word scene_word(struct scene *s, int what)
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

struct hub_depot scene_grant(const struct scene *s, int what, uint64_t file, uint64_t account,
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

void scene_put(struct scene *s, struct hub_depot g)
{
    struct depot_job *j = scene_job(JOB_LOOK, NULL);

    depot_put(s->depot, &g);
    j->asker = DEPOT_LOOP;
    CHECK(depot_ask(s->depot, j));
    depot_job_free(s->looked);
    for (s->looked = NULL; !s->looked;)
        run_loop(s);
}

void scene_bar(struct scene *s, uint64_t account, uint64_t room)
{
    scene_put(s, (struct hub_depot){ .what = DEPOT_BAR, .account = account, .room = room });
}

int scene_open(struct scene *s, uint8_t token, struct opened **ret, struct depot_job **ret_job)
{
    struct depot_job *j = scene_job(JOB_LOOK, NULL);

    memset(j->token, token, sizeof j->token);
    CHECK(depot_ask(s->depot, j));
    j = scene_answer(s);
    if (!j->err) {
        j->what = JOB_OPEN;
        CHECK(depot_ask(s->depot, j));
        j = scene_answer(s);
    }
    int err = j->err;
    *ret = j->opened;
    if (ret_job)
        *ret_job = j;
    else
        depot_job_free(j);
    return err;
}

int64_t scene_wish(struct scene *s, struct opened *o, struct wish w)
{
    struct depot_job *j = scene_job(JOB_WISH, o);

    j->wish = w;
    CHECK(depot_ask(s->depot, j));
    j = scene_answer(s);
    int64_t result = j->result;
    depot_job_free(j);
    return result;
}

int64_t scene_write(struct scene *s, struct opened *o, unsigned block, bool wrong)
{
    uint8_t leaf[TREE_HASH];
    uint32_t len = tree_block_len(SIZE, block);

    CHECK(!tree_leaf(leaf, block, s->body + block * TREE_BLOCK, len));
    leaf[0] ^= wrong;
    return scene_wish(s, o,
                      (struct wish){ .kind = WISH_WRITE,
                                     .at = block * TREE_BLOCK,
                                     .len = len,
                                     .size = SIZE,
                                     .bytes = s->body + block * TREE_BLOCK,
                                     .leaf = leaf });
}

int64_t scene_lay_out(struct scene *s, struct opened *o)
{
    return scene_wish(s, o, (struct wish){ .kind = WISH_LAY_OUT, .size = SIZE });
}

void scene_shut(struct scene *s, struct opened *o)
{
    CHECK(depot_ask(s->depot, scene_job(JOB_CLOSE, o)));
}

struct depot_job *scene_finish(struct scene *s, struct opened *o)
{
    struct depot_job *j = scene_job(JOB_WISH, o);

    j->wish = (struct wish){ .kind = WISH_FINISH, .size = SIZE, .leaf = s->root };
    CHECK(depot_ask(s->depot, j));
    return j;
}

void scene_keep(struct scene *s, uint64_t file)
{
    struct opened *o;

    scene_put(s, scene_grant(s, DEPOT_TAKE, file, ANNA, 1));
    CHECK(!scene_open(s, 1, &o, NULL));
    CHECK(!scene_lay_out(s, o));
    for (unsigned i = 0; i < 4; i++)
        CHECK(!scene_write(s, o, i, false));
    struct depot_job *asked = scene_finish(s, o);
    struct hub_depot_word w = scene_word(s, DEPOT_KEPT);
    CHECK(w.file == file && w.account == ANNA && w.size == SIZE);
    CHECK(memcmp(w.root, s->root, sizeof w.root) == 0);
    CHECK(!depot_answer(s->depot, 0)); /* nobody is told before it is an event */
    scene_put(s, (struct hub_depot){ .what = DEPOT_STORED, .file = file });
    struct depot_job *j = scene_answer(s);
    CHECK(j == asked && j->result == 0);
    depot_job_free(j);
    scene_shut(s, o);
}

int64_t scene_read(struct scene *s, struct opened *o, uint64_t at, uint32_t len, uint8_t *bytes)
{
    struct depot_job *j = scene_job(JOB_READ, o);

    j->asker = DEPOT_LOOP;
    j->wish = (struct wish){ .at = at, .len = len, .bytes = bytes };
    CHECK(depot_ask(s->depot, j));
    depot_job_free(s->looked);
    for (s->looked = NULL; !s->looked;)
        run_loop(s);
    return s->looked->result;
}

struct opened *scene_open_as_loop(struct scene *s, uint64_t file)
{
    struct depot_job *j = scene_job(JOB_OPEN, NULL);

    j->asker = DEPOT_LOOP;
    j->grant = scene_grant(s, DEPOT_GIVE, file, BEN, 2);
    depot_admit(s->depot, &j->grant);
    CHECK(depot_ask(s->depot, j));
    depot_job_free(s->looked);
    for (s->looked = NULL; !s->looked;)
        run_loop(s);
    return s->looked->err ? NULL : s->looked->opened;
}

void scene_path(const struct scene *s, const char *suffix, char ret[static 256])
{
    char hex[65];

    seal_hex(hex, s->root, 32);
    snprintf(ret, 256, "%s/files/%s%s", s->dir, hex, suffix);
}

bool scene_is_there(const struct scene *s, const char *suffix)
{
    char path[256];

    scene_path(s, suffix, path);
    return access(path, F_OK) == 0;
}

void scene_flip(const struct scene *s, long at)
{
    char path[256];
    uint8_t byte;

    scene_path(s, "", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && pread(fd, &byte, 1, at) == 1);
    byte ^= 1;
    CHECK(pwrite(fd, &byte, 1, at) == 1);
    close(fd);
}
