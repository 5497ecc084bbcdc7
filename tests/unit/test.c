#include "test.h"

#include <limits.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    STARVED_TOGETHER = 16,
    AT_LEAST = 3,
    HANGS_AFTER_S = 600 /* a starved test, which takes a second */
};

static jmp_buf out_of_test;
static bool quiet; /* under failing allocations a CHECK may fail */

/* --- failing allocations: the linker sends our archives' calls here, from all threads --- */

static _Atomic long fail_at; /* 0: never; n: the n-th from now fails */
static _Atomic long allocations;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void)
{
    long n = fail_at;

    allocations++;
    while (n > 0)
        if (atomic_compare_exchange_weak(&fail_at, &n, n - 1))
            return n == 1;
    return false;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

bool test_starves(void)
{
    return quiet || fail_at;
}

long test_allocations(void)
{
    return allocations;
}

/* --- running --- */

void test_check(bool ok, const char *text, const char *file, int line)
{
    if (ok)
        return;
    if (!quiet)
        printf("%s:%d: not so: %s\n", file, line, text);
    longjmp(out_of_test, 1);
}

static bool run_one(const struct test *t)
{
    if (setjmp(out_of_test))
        return false;
    t->run();
    return true;
}

/* Runs it with the n-th allocation failing; false if it has none with that number. */
static bool run_starved_at(const struct test *t, long n)
{
    fail_at = n;
    run_one(t);
    bool reached = fail_at == 0;
    fail_at = 0;
    return reached;
}

static long count_allocations(const struct test *t)
{
    fail_at = LONG_MAX;
    run_one(t);
    long n = LONG_MAX - fail_at;
    fail_at = 0;
    return n;
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Where a test stands in its allocations; shared with the process that runs them. */
struct starving {
    long work;  /* how many allocations may be made in all its runs, about */
    double end; /* and by when: then a few more, spread over the rest */
    long total, n, stride, tried;
    bool over, is_late;
};

/* How many further, so that all runs, of which the one where the n-th fails makes n, make
 * about as many as they may: a few at least, and each when that is not too many. */
static long stride_for(long total, long work)
{
    long tries = 2 * work / (total ? total : 1);

    tries = tries < AT_LEAST ? AT_LEAST : tries;
    return tries >= total ? 1 : (total + tries - 1) / tries;
}

static void starve_one(const struct test *t, struct starving *x)
{
    x->over = !run_starved_at(t, x->n);
    x->tried += !x->over;
    if (!x->is_late && seconds() > x->end) {
        long few = (x->total - x->n) / AT_LEAST + 1;
        x->is_late = true;
        x->stride = few > x->stride ? few : x->stride;
    }
    x->n += x->stride;
}

/* A starved test leaks what it had. So some run in a process of their own, each time. */
static bool starve_some(const struct test *t, struct starving *x)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        if (!x->stride) {
            x->total = count_allocations(t);
            x->stride = stride_for(x->total, x->work);
        }
        for (int i = 0; i < STARVED_TOGETHER && !x->over; i++) {
            alarm(HANGS_AFTER_S);
            starve_one(t, x);
        }
        exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* Every allocation in turn, or as many, evenly spread, as the budget allows. */
static bool run_starved(const struct test *t)
{
    const char *work = getenv("ROOST_OOM_WORK"), *most_s = getenv("ROOST_OOM_SECONDS");
    struct starving *x = mmap(NULL, sizeof *x, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                              -1, 0);
    bool ok = x != MAP_FAILED;

    if (!ok)
        return false;
    *x = (struct starving){ .work = work ? atol(work) : LONG_MAX / 2,
                            .end = seconds() + (most_s ? atof(most_s) : 1e9),
                            .n = 1 };
    quiet = true;
    while (ok && !x->over)
        ok = starve_some(t, x);
    if (ok)
        printf("ok %s with %ld of %ld allocations failing in turn\n", t->name, x->tried, x->total);
    else
        printf("FAIL %s: it did not survive that allocation %ld failed\n", t->name, x->n);
    munmap(x, sizeof *x);
    return ok;
}

int test_main(const struct test *tests, size_t n, int argc, char **argv)
{
    bool oom = argc > 1 && strcmp(argv[1], "--oom") == 0;
    int failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n; i++) {
        if (argc > 1 + oom && !strstr(tests[i].name, argv[1 + oom]))
            continue;
        if (oom) {
            failed += !run_starved(&tests[i]);
            continue;
        }
        bool ok = run_one(&tests[i]);
        printf("%s %s\n", ok ? "ok" : "FAIL", tests[i].name);
        failed += !ok;
    }
    return failed > 0;
}
