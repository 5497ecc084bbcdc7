/* test_chores.c - work on a thread of its own comes back, in order. */
#include "client/chores.h"
#include "test.h"

struct sum {
    struct chore chore;
    int n, square;
};

static void square(struct chore *chore)
{
    struct sum *s = (struct sum *)chore;

    s->square = s->n * s->n;
}

static void all_come_back_in_order(void)
{
    struct chores c;
    struct sum sums[100];

    if (chores_init(&c))
        return;
    CHECK(!chores_next(&c) && !chores_wait(&c));
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            sums[i] = (struct sum){ .chore = { .run = square }, .n = i + round };
            chores_add(&c, &sums[i].chore);
        }
        for (int i = 0; i < 100; i++) {
            struct sum *s = (struct sum *)chores_wait(&c);
            CHECK(s == &sums[i] && s->square == (i + round) * (i + round));
        }
        CHECK(!chores_wait(&c) && !chores_next(&c));
    }
    chores_fini(&c);
    chores_fini(&c);
}

/* Whoever closes waits for what is under way, and takes nothing back. */
static void an_end_waits(void)
{
    struct chores c;
    struct sum sums[10];

    if (chores_init(&c))
        return;
    for (int i = 0; i < 10; i++) {
        sums[i] = (struct sum){ .chore = { .run = square }, .n = i };
        chores_add(&c, &sums[i].chore);
    }
    chores_fini(&c);
    for (int i = 0; i < 10; i++)
        CHECK(sums[i].square == i * i);
}

TEST_MAIN({ "all_come_back_in_order", all_come_back_in_order }, { "an_end_waits", an_end_waits })
