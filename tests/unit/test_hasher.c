/* Stories about what waits for the process that hashes passwords, and about that process, with
 * parameters that cost nothing. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "server/hasher.h"
#include "test.h"

enum { JOBS_MAX = 64 };

#define CHEAP ((struct password_params){ 8, 1, 1 })
/* A moment: it is there when something happens meanwhile. */
#define DEAR ((struct password_params){ 32768, 2, 1 })

/* On the heap, and lost when a CHECK fails: its process may still use it. */
struct pool {
    uv_loop_t loop;
    struct hash_process process;
    struct hasher *hasher;
    struct {
        uint64_t token;
        int err;
        bool ok, made;
        char encoded[PASSWORD_ENCODED_MAX];
    } done[JOBS_MAX];
    size_t n_done;
};

static void on_hashed(void *ctx, uint64_t token, int err, bool ok, const char *encoded)
{
    struct pool *p = ctx;

    if (p->n_done == JOBS_MAX)
        return;
    p->done[p->n_done].token = token;
    p->done[p->n_done].err = err;
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
        .params = CHEAP, .process = &p->process, .on_hashed = on_hashed, .ctx = p
    };
    uv_loop_init(&p->loop);
    CHECK(hash_process_start(&p->process, threads, SANDBOX_KILL) == 0);
    CHECK(p->process.threads == threads);
    CHECK(hasher_new(&p->hasher, &p->loop, &settings) == 0);
    return p;
}

static void pool_free_stopped(struct pool *p)
{
    pid_t keeper = p->process.keeper;

    hasher_free(p->hasher);
    CHECK(uv_loop_close(&p->loop) == 0);
    hash_process_end(&p->process);
    /* it ends with its socket (or did before) */
    CHECK(waitpid(keeper, NULL, 0) == keeper);
    free(p);
}

static void pool_free(struct pool *p)
{
    hasher_stop(p->hasher);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    pool_free_stopped(p);
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
    pool_free_stopped(p);
}

/* As a server that begins anew with another database: the process stays. */
static void what_a_former_one_asked_is_nobodys(void)
{
    struct pool *p = pool_new(2);

    for (uint64_t i = 0; i < 10; i++)
        put(p, i, "correct horse", NULL);
    hasher_stop(p->hasher);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    hasher_free(p->hasher);
    p->hasher = NULL;
    struct hasher_settings settings = {
        .params = CHEAP, .process = &p->process, .on_hashed = on_hashed, .ctx = p
    };
    CHECK(hasher_new(&p->hasher, &p->loop, &settings) == 0);
    for (uint64_t i = 20; i < 30; i++)
        put(p, i, "correct horse", NULL);
    until_done(p, 10);
    for (size_t i = 0; i < 10; i++)
        CHECK(p->done[i].ok && p->done[i].token >= 20);
    pool_free(p);
}

/* --- when somebody dies --- */

/* The process that hashes, below the one that keeps it; 0: there is none now. */
static pid_t child_of(pid_t keeper)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)keeper, (int)keeper);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f)
        fclose(f);
    return pid;
}

/* Until it does not; then 0. */
static int runs(pid_t pid)
{
    char path[64], state = 'R';

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    for (;;) {
        FILE *f = fopen(path, "r");
        if (!f)
            return 0;
        if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
            state = 'X';
        fclose(f);
        if (state == 'X' || state == 'Z')
            return 0; /* somebody else is to hear of it */
        usleep(1000);
    }
}

/* Another than that one. */
static pid_t next_child_of(pid_t keeper, pid_t last)
{
    pid_t pid;

    while (!(pid = child_of(keeper)) || pid == last)
        usleep(1000);
    return pid;
}

static void who_hashes_dies_and_nobody_notices(void)
{
    struct pool *p = pool_new(1);
    pid_t first = next_child_of(p->process.keeper, 0);

    hasher_set_params(p->hasher, &DEAR);
    put(p, 1, "correct horse", NULL);
    hasher_set_params(p->hasher, &CHEAP);
    put(p, 2, "correct horse", NULL);
    put(p, 3, "correct horse", NULL);
    kill(first, SIGKILL);
    CHECK(next_child_of(p->process.keeper, first) != first);
    until_done(p, 3);
    for (size_t i = 0; i < 3; i++) /* in their order, too */
        CHECK(p->done[i].token == i + 1 && p->done[i].ok && !p->done[i].err);
    CHECK(!p->process.stands_in);
    pool_free(p);
}

static void what_kills_twice_is_given_up(void)
{
    struct pool *p = pool_new(1);
    pid_t child = next_child_of(p->process.keeper, 0);

    hasher_set_params(p->hasher, &DEAR);
    put(p, 1, "correct horse", NULL);
    hasher_set_params(p->hasher, &CHEAP);
    put(p, 2, "correct horse", NULL);
    for (int i = 0; i < 2; i++) {
        kill(child, SIGKILL);
        child = next_child_of(p->process.keeper, child);
        uv_run(&p->loop, UV_RUN_ONCE); /* hears of it, and gives it to the next */
    }
    until_done(p, 2);
    CHECK(p->done[0].token == 1 && p->done[0].err == -ROOST_BUSY && !p->done[0].made);
    CHECK(p->done[1].token == 2 && p->done[1].ok);
    pool_free(p);
}

static void a_thread_stands_in_when_all_are_gone(void)
{
    struct pool *p = pool_new(2);
    pid_t child = next_child_of(p->process.keeper, 0);

    put(p, 1, "correct horse", NULL);
    until_done(p, 1);
    hasher_set_params(p->hasher, &DEAR);
    put(p, 2, "correct horse", NULL);
    hasher_set_params(p->hasher, &CHEAP);
    put(p, 3, "correct horse", p->done[0].encoded);
    put(p, 4, "wrong horse", p->done[0].encoded);
    kill(p->process.keeper, SIGKILL);
    until_done(p, 4);
    CHECK(p->process.stands_in);
    CHECK(runs(child) == 0); /* it died with who kept it */
    for (size_t i = 1; i < 4; i++) {
        CHECK(!p->done[i].err);
        CHECK(p->done[i].ok == (p->done[i].token != 4));
    }
    pool_free(p);
}

/* They have to outlive the last login of a server that is told to end. */
static void they_leave_signals_to_the_server(void)
{
    struct pool *p = pool_new(1);
    pid_t child = next_child_of(p->process.keeper, 0);

    put(p, 1, "correct horse", NULL);
    until_done(p, 1); /* so it is up */
    for (int i = 0; i < 3; i++) {
        kill(child, (int[]){ SIGINT, SIGTERM, SIGHUP }[i]);
        kill(p->process.keeper, (int[]){ SIGINT, SIGTERM, SIGHUP }[i]);
    }
    put(p, 2, "correct horse", NULL);
    until_done(p, 2);
    CHECK(p->done[1].ok && child_of(p->process.keeper) == child);
    pool_free(p);
}

static void what_no_hub_asks_is_refused(void)
{
    struct pool *p = pool_new(1);
    char *longest = calloc(1, HASH_PASSWORD_MAX + 1);

    CHECK(longest);
    memset(longest, 'x', HASH_PASSWORD_MAX);
    put(p, 1, longest, NULL);
    CHECK(p->n_done == 1 && p->done[0].err == -ROOST_INVALID && !p->done[0].ok);
    put(p, 2, longest, "$argon2id$");
    CHECK(p->n_done == 2 && !p->done[1].err && !p->done[1].ok);
    hasher_set_params(p->hasher, &(struct password_params){ 0, 1, 1 });
    put(p, 3, "correct horse", NULL);
    until_done(p, 3);
    CHECK(p->done[2].err == -ROOST_INVALID && !p->done[2].ok && !p->done[2].made);
    free(longest);
    pool_free(p);
}

static void several_lanes_are_threads_and_allowed(void)
{
    struct pool *p = pool_new(2);

    hasher_set_params(p->hasher, &(struct password_params){ 64, 1, 4 });
    put(p, 1, "correct horse", NULL);
    until_done(p, 1);
    CHECK(p->done[0].ok && strstr(p->done[0].encoded, "p=4"));
    pool_free(p);
}

TEST_MAIN({ "a_password_is_made_and_verified", a_password_is_made_and_verified },
          { "all_are_answered_once", all_are_answered_once },
          { "one_thread_keeps_the_order", one_thread_keeps_the_order },
          { "new_parameters_count_from_the_next", new_parameters_count_from_the_next },
          { "stopping_drops_what_waits", stopping_drops_what_waits },
          { "what_a_former_one_asked_is_nobodys", what_a_former_one_asked_is_nobodys },
          { "who_hashes_dies_and_nobody_notices", who_hashes_dies_and_nobody_notices },
          { "what_kills_twice_is_given_up", what_kills_twice_is_given_up },
          { "a_thread_stands_in_when_all_are_gone", a_thread_stands_in_when_all_are_gone },
          { "they_leave_signals_to_the_server", they_leave_signals_to_the_server },
          { "what_no_hub_asks_is_refused", what_no_hub_asks_is_refused },
          { "several_lanes_are_threads_and_allowed", several_lanes_are_threads_and_allowed })
