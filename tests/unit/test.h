/* test.h - the whole unit runner.
 *
 *     static void rings_wrap(void) { ...; CHECK(x == 1); }
 *     TEST_MAIN({ "rings_wrap", rings_wrap })
 *
 * A failed CHECK prints itself and ends its test. `test_x --oom` runs every
 * test again with allocation 1, 2, 3 ... failing until none fails; there a
 * CHECK may fail (the allocation did), a crash or a sanitizer's finding may not.
 * ROOST_OOM_WORK is a budget for each test, in allocations that all its runs make:
 * of one with many, only some fail, evenly spread and always the same. ROOST_OOM_SECONDS
 * bounds those that wait in real time when something failed. Prints "ok NAME" or "FAIL NAME"
 * a line; exit status 1 if any failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct test {
    const char *name;
    void (*run)(void);
};

/* Run with failing allocations: again and again, so a long story is to be short. */
bool test_starves(void);
/* How often memory was asked for so far, by what is ours. */
long test_allocations(void);
void test_check(bool ok, const char *text, const char *file, int line);
int test_main(const struct test *tests, size_t n, int argc, char **argv);

#define CHECK(c) test_check((c), #c, __FILE__, __LINE__)

#define TEST_MAIN(...)                                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct test tests[] = { __VA_ARGS__ };                                        \
        return test_main(tests, sizeof tests / sizeof *tests, argc, argv);                         \
    }
