#include "test.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static jmp_buf out_of_test;
static bool quiet; /* under failing allocations a CHECK may fail */

/* --- failing allocations: the linker sends our archives' calls here --- */

static long fail_at; /* 0: never; n: the n-th from now fails */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool fails(void)
{
    return fail_at > 0 && --fail_at == 0;
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

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
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

/* How many allocations further, so that the rest fits into what is left of the
 * budget when each takes as long as the last: later ones fail later, and take longer. */
static long stride_for(long rest, double last, double left)
{
    double steps = left > 0 && last > 0 ? left / last : 0;

    return steps >= (double)rest ? 1 : 1 + (long)((double)rest / (steps > 10 ? steps : 10));
}

/* Every allocation in turn; when that takes longer than half of the budget, then
 * of the rest as many, evenly spread, as the other half allows, but about ten at least. */
static void run_starved(const struct test *t)
{
    const char *budget = getenv("ROOST_OOM_SECONDS");
    double whole = budget ? atof(budget) : 1e9, begun = seconds(), last = begun;
    long total, n = 1, least = 1, stride = 1, tried = 0;

    quiet = true;
    total = count_allocations(t);
    while (run_starved_at(t, n)) {
        double now = seconds(), left = whole - (now - begun);
        tried++;
        if (left < whole / 2) {
            stride = stride_for(total - n, now - last, left);
            least = least > 1 ? least : stride;
            stride = stride > least ? stride : least; /* once over it, no smaller steps */
        }
        last = now;
        n += stride;
    }
    printf("ok %s with %ld of %ld allocations failing in turn\n", t->name, tried, total);
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
            run_starved(&tests[i]);
            continue;
        }
        bool ok = run_one(&tests[i]);
        printf("%s %s\n", ok ? "ok" : "FAIL", tests[i].name);
        failed += !ok;
    }
    return failed > 0;
}
