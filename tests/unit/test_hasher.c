/* Stories about the pool that hashes passwords, with parameters that cost nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "server/hasher.h"
#include "test.h"

enum { JOBS_MAX = 64 };

#define CHEAP ((struct password_params){ 8, 1, 1 })

/* On the heap, and lost when a CHECK fails: its threads may still use it. */
struct pool {
    uv_loop_t loop;
    struct hasher *hasher;
    struct {
        uint64_t token;
        bool ok, made;
        char encoded[PASSWORD_ENCODED_MAX];
    } done[JOBS_MAX];
    size_t n_done;
};

static void on_hashed(void *ctx, uint64_t token, bool ok, const char *encoded)
{
    struct pool *p = ctx;

    if (p->n_done == JOBS_MAX)
        return;
    p->done[p->n_done].token = token;
    p->done[p->n_done].ok = ok;
    p->done[p->n_done].made = encoded != NULL;
    snprintf(p->done[p->n_done].encoded, PASSWORD_ENCODED_MAX, "%s", encoded ? encoded : "");
    p->n_done++;
}

static struct pool *pool_new(unsigned threads)
{
    struct pool *p = calloc(1, sizeof *p);

    CHECK(p);
    struct hasher_settings settings = {
        .params = CHEAP, .threads = threads, .on_hashed = on_hashed, .ctx = p
    };
    uv_loop_init(&p->loop);
    CHECK(hasher_new(&p->hasher, &p->loop, &settings) == 0);
    return p;
}

static void pool_free(struct pool *p)
{
    hasher_stop(p->hasher);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    hasher_free(p->hasher);
    CHECK(uv_loop_close(&p->loop) == 0);
    free(p);
}

/* encoded: to be verified against; NULL: to be made. */
static void put(struct pool *p, uint64_t token, const char *password, const char *encoded)
{
    struct hub_hash job = { .token = token, .verify = encoded != NULL };

    job.password = strdup(password);
    job.encoded = encoded ? strdup(encoded) : NULL;
    memset(job.salt, (int)token, sizeof job.salt);
    hasher_put(p->hasher, &job);
}

static void until_done(struct pool *p, size_t n)
{
    while (p->n_done < n)
        uv_run(&p->loop, UV_RUN_ONCE);
    CHECK(p->n_done == n && hasher_waiting(p->hasher) == 0);
}

static void a_password_is_made_and_verified(void)
{
    struct pool *p = pool_new(2);
    char made[PASSWORD_ENCODED_MAX];

    put(p, 7, "correct horse", NULL);
    CHECK(hasher_waiting(p->hasher) == 1);
    until_done(p, 1);
    CHECK(p->done[0].token == 7 && p->done[0].ok && p->done[0].made);
    memcpy(made, p->done[0].encoded, sizeof made);

    put(p, 8, "correct horse", made);
    until_done(p, 2);
    put(p, 9, "wrong horse", made);
    until_done(p, 3);
    put(p, 10, "correct horse", "this is no hash");
    until_done(p, 4);
    for (size_t i = 1; i < 4; i++) {
        CHECK(p->done[i].token == 7 + i && p->done[i].ok == (i == 1));
        CHECK(!p->done[i].made); /* nothing to be kept */
    }
    pool_free(p);
}

static void all_are_answered_once(void)
{
    struct pool *p = pool_new(4);
    int times[40] = { 0 };

    for (uint64_t i = 0; i < 40; i++)
        put(p, i, "correct horse", NULL);
    until_done(p, 40);
    for (size_t i = 0; i < 40; i++) {
        CHECK(p->done[i].ok && p->done[i].token < 40);
        times[p->done[i].token]++;
    }
    for (size_t i = 0; i < 40; i++)
        CHECK(times[i] == 1);
    pool_free(p);
}

static void one_thread_keeps_the_order(void)
{
    struct pool *p = pool_new(1);

    for (uint64_t i = 0; i < 30; i++)
        put(p, i, "correct horse", NULL);
    until_done(p, 30);
    for (size_t i = 0; i < 30; i++)
        CHECK(p->done[i].token == i);
    pool_free(p);
}

static void new_parameters_count_from_the_next(void)
{
    struct pool *p = pool_new(1);

    put(p, 1, "correct horse", NULL);
    hasher_set_params(p->hasher, &(struct password_params){ 16, 2, 1 });
    put(p, 2, "correct horse", NULL);
    until_done(p, 2);
    CHECK(strstr(p->done[0].encoded, "m=8,t=1,") && strstr(p->done[1].encoded, "m=16,t=2,"));
    put(p, 3, "correct horse", p->done[0].encoded); /* what is there stays good */
    until_done(p, 3);
    CHECK(p->done[2].ok);
    pool_free(p);
}

static void stopping_drops_what_waits(void)
{
    struct pool *p = pool_new(1);

    for (uint64_t i = 0; i < 30; i++)
        put(p, i, "correct horse", NULL);
    hasher_stop(p->hasher); /* what waited is wiped and freed with the pool */
    size_t done = p->n_done;
    uv_run(&p->loop, UV_RUN_DEFAULT);
    CHECK(done == 0 && p->n_done == 0); /* nobody is called any more */
    hasher_free(p->hasher);
    CHECK(uv_loop_close(&p->loop) == 0);
    free(p);
}

TEST_MAIN({ "a_password_is_made_and_verified", a_password_is_made_and_verified },
          { "all_are_answered_once", all_are_answered_once },
          { "one_thread_keeps_the_order", one_thread_keeps_the_order },
          { "new_parameters_count_from_the_next", new_parameters_count_from_the_next },
          { "stopping_drops_what_waits", stopping_drops_what_waits })
