#include "test.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static int run_starved(const struct test *t)
{
    long n = 0;
    bool reached = true;

    quiet = true;
    for (n = 1; reached && n < 200000; n++) {
        fail_at = n;
        run_one(t);
        reached = fail_at == 0;
        fail_at = 0;
    }
    printf("ok %s with %ld allocations failing in turn\n", t->name, n - 1);
    return 0;
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
