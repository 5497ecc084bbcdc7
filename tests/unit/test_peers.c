/* The peers of an edge: whom a number finds, and who waits in which order. */
#include <stddef.h>

#include "server/peer.h"
#include "server/peers.h"
#include "test.h"

enum { MANY = 200 }; /* the table grows twice */

static int come(struct peers *t, struct peer *p)
{
    int err = peers_reserve(t);

    if (err)
        return err;
    p->number = peers_number(t);
    peers_put(t, p);
    return 0;
}

static void a_number_is_never_given_twice(void)
{
    static struct peer a, b;
    struct peers t;

    peers_init(&t);
    CHECK(!peers_find(&t, 1u << 24));
    if (!come(&t, &a)) {
        uint64_t first = a.number;
        CHECK(peers_find(&t, first) == &a && t.n == 1);
        CHECK(!peers_drop(&t, &b)); /* it was never there */
        CHECK(peers_drop(&t, &a) && !peers_drop(&t, &a) && t.n == 0);
        CHECK(!peers_find(&t, first));

        CHECK(!come(&t, &b)); /* its place is free: no memory is asked for */
        CHECK((uint32_t)b.number << 8 == (uint32_t)first << 8 && b.number != first);
        CHECK(peers_find(&t, b.number) == &b && !peers_find(&t, first));
    }
    peers_fini(&t);
}

static struct peers *table;
static uint32_t n_seen;

static void goes(struct peer *p)
{
    n_seen += peers_drop(table, p);
}

static void each_may_go_while_all_are_told(void)
{
    static struct peer many[MANY];
    struct peers t;
    uint32_t n = 0;

    peers_init(&t);
    while (n < MANY && !come(&t, &many[n]))
        n++;
    CHECK(t.n == n);
    for (uint32_t i = 0; i < n; i++)
        CHECK(peers_find(&t, many[i].number) == &many[i]);
    table = &t;
    n_seen = 0;
    peers_each(&t, goes);
    CHECK(n_seen == n && t.n == 0 && t.n_unused == t.n_slots);
    peers_fini(&t);
}

static bool is(const struct peers_list *l, struct peer *const *want, uint32_t n)
{
    const struct peer *prev = NULL;
    const struct peer *p = l->first;

    for (uint32_t i = 0; i < n; i++, prev = p, p = p->links[PEERS_SHUT].next)
        if (p != want[i] || p->links[PEERS_SHUT].prev != prev)
            return false;
    return !p && l->last == prev && l->n == n;
}

static void who_waits_keeps_its_turn(void)
{
    struct peer p[4] = { 0 };
    struct peers_list l = { 0 }, other = { 0 };

    for (int i = 0; i < 4; i++) {
        peers_add(&l, PEERS_SHUT, &p[i]);
        peers_add(&other, PEERS_TIMED, &p[3 - i]); /* another kind is not disturbed */
    }
    CHECK(is(&l, (struct peer *[]){ &p[0], &p[1], &p[2], &p[3] }, 4));
    peers_remove(&l, PEERS_SHUT, &p[1]); /* in the middle, the first, the last */
    CHECK(is(&l, (struct peer *[]){ &p[0], &p[2], &p[3] }, 3));
    peers_remove(&l, PEERS_SHUT, &p[0]);
    CHECK(is(&l, (struct peer *[]){ &p[2], &p[3] }, 2));
    peers_remove(&l, PEERS_SHUT, &p[3]);
    CHECK(is(&l, (struct peer *[]){ &p[2] }, 1));
    peers_add(&l, PEERS_SHUT, &p[1]);
    CHECK(is(&l, (struct peer *[]){ &p[2], &p[1] }, 2));
    peers_remove(&l, PEERS_SHUT, &p[2]);
    peers_remove(&l, PEERS_SHUT, &p[1]);
    CHECK(is(&l, NULL, 0));
    CHECK(other.n == 4 && other.first == &p[3] && other.last == &p[0]);
}

TEST_MAIN({ "a_number_is_never_given_twice", a_number_is_never_given_twice },
          { "each_may_go_while_all_are_told", each_may_go_while_all_are_told },
          { "who_waits_keeps_its_turn", who_waits_keeps_its_turn })
