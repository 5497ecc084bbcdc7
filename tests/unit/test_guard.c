/* Stories in virtual time: who may try to log in, and when. */
#include "hub/guard.h"

#include <string.h>

#include "base/err.h"
#include "test.h"

struct door {
    struct guard_flights *flights;
    struct hub_config config;
    struct guard_row kept[400]; /* the store */
    size_t n_kept;
    int64_t now_ms;
    uint64_t retry_ms;
};

static bool door_init(struct door *d)
{
    memset(d, 0, sizeof *d);
    d->flights = guard_flights_new(7);
    d->config.login_tries = 5;
    d->config.login_window_ms = 600000;
    d->config.login_block_ms = 10000;
    d->config.login_block_max_ms = 900000;
    d->config.source_accounts = 20;
    d->config.account_tries = 100;
    d->now_ms = 1000000000;
    return d->flights != NULL;
}

static void keep(struct door *d, const struct guard_row *row)
{
    size_t i = 0;

    while (i < d->n_kept && memcmp(d->kept[i].key, row->key, 32) != 0)
        i++;
    CHECK(i < sizeof d->kept / sizeof *d->kept);
    d->kept[i] = *row;
    d->kept[i].name = d->kept[i].source = "";
    d->n_kept += i == d->n_kept;
}

static struct guard_try from(const char *name, const char *source, uint8_t device)
{
    return (
        struct guard_try){ .skeleton = name, .name = name, .source = source, .device = { device } };
}

static int begin(struct door *d, struct guard_run *run, struct guard_try t, bool known)
{
    memset(run, 0, sizeof *run);
    int err = guard_begin(d->flights, run, &t);
    if (err)
        return err;
    guard_on_rows(d->flights, run, d->kept, d->n_kept);
    err = guard_admit(d->flights, run, known, &d->config, d->now_ms, &d->retry_ms);
    if (err)
        guard_end(d->flights, run);
    return err;
}

static void finish(struct door *d, struct guard_run *run, bool right)
{
    struct guard_row rows[GUARD_PLACES];
    size_t n = right ? guard_succeeded(d->flights, run, &d->config, d->now_ms, rows)
                     : guard_failed(d->flights, run, &d->config, d->now_ms, rows);

    for (size_t i = 0; i < n; i++)
        keep(d, &rows[i]);
    guard_end(d->flights, run);
}

/* A whole try; 0 when it was let in to be hashed. */
static int attempt(struct door *d, struct guard_try t, bool known, bool right)
{
    struct guard_run run;
    int err = begin(d, &run, t, known);

    if (!err)
        finish(d, &run, right);
    return err;
}

static void door_fini(struct door *d)
{
    CHECK(guard_flights_count(d->flights) == 0);
    guard_flights_free(d->flights);
}

#define MINUTES(n) ((n)*60000LL)

static void five_wrong_then_blocked_and_doubled(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 0);
    int64_t block_ms = 10000;

    CHECK(door_init(&d));
    for (int i = 0; i < 5; i++)
        CHECK(attempt(&d, ann, false, false) == 0);
    CHECK(attempt(&d, ann, false, true) == -ROOST_BLOCKED && d.retry_ms == 10000);

    /* a try during the block does not lengthen it */
    d.now_ms += 9999;
    CHECK(attempt(&d, ann, false, true) == -ROOST_BLOCKED && d.retry_ms == 1);

    /* over: one more wrong one blocks for twice as long, up to the most */
    for (int i = 0; i < 4; i++) {
        d.now_ms += (int64_t)d.retry_ms;
        CHECK(attempt(&d, ann, false, false) == 0);
        block_ms *= 2;
        CHECK(attempt(&d, ann, false, false) == -ROOST_BLOCKED);
        CHECK((int64_t)d.retry_ms == block_ms);
    }
    door_fini(&d);
}

static void blocks_grow_to_a_quarter_of_an_hour(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 0);
    uint64_t longest = 0;

    CHECK(door_init(&d));
    for (int i = 0; i < 200; i++) {
        if (attempt(&d, ann, false, false) == -ROOST_BLOCKED) {
            CHECK(d.retry_ms >= longest);
            longest = d.retry_ms;
            d.now_ms += (int64_t)d.retry_ms;
        }
    }
    CHECK(longest == 900000);

    /* a day after the last block it begins with the small one again */
    d.now_ms += 24 * MINUTES(60);
    for (int i = 0; i < 5; i++)
        CHECK(attempt(&d, ann, false, false) == 0);
    CHECK(attempt(&d, ann, false, false) == -ROOST_BLOCKED && d.retry_ms == 10000);
    door_fini(&d);
}

static void old_failures_do_not_count(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 0);

    CHECK(door_init(&d));
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            CHECK(attempt(&d, ann, false, false) == 0);
        d.now_ms += MINUTES(10);
    }
    door_fini(&d);
}

static void success_clears_the_pair(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 0);

    CHECK(door_init(&d));
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            CHECK(attempt(&d, ann, false, false) == 0);
        CHECK(attempt(&d, ann, false, true) == 0);
    }
    for (int i = 0; i < 5; i++)
        CHECK(attempt(&d, ann, false, false) == 0);
    CHECK(attempt(&d, ann, false, false) == -ROOST_BLOCKED && d.retry_ms == 10000);
    door_fini(&d);
}

static void a_stranger_does_not_lock_the_owner_out(void)
{
    struct door d;
    struct guard_try stranger = from("ann", "198.51.100.9", 66),
                     owner = from("ann", "192.0.2.1", 1);
    struct guard_try beside = from("ann", "198.51.100.9", 1);

    CHECK(door_init(&d));
    for (int i = 0; i < 300; i++) { /* the same pair, patiently, and from many places */
        char source[] = { (char)('a' + i % 26), (char)('a' + i / 26), '\0' };
        attempt(&d, from("ann", source, 66), false, false);
        attempt(&d, stranger, false, false);
        d.now_ms += 1000;
    }
    /* unknown devices are refused from everywhere now, the owner's is not */
    CHECK(attempt(&d, from("ann", "203.0.113.5", 9), false, true) == -ROOST_BLOCKED);
    CHECK(attempt(&d, owner, true, true) == 0);
    CHECK(attempt(&d, beside, true, true) == 0);

    /* it is counted by itself: five wrong ones block it, and only it */
    for (int i = 0; i < 5; i++)
        CHECK(attempt(&d, owner, true, false) == 0);
    CHECK(attempt(&d, owner, true, true) == -ROOST_BLOCKED && d.retry_ms == 10000);
    CHECK(attempt(&d, from("ann", "192.0.2.1", 2), true, true) == 0);
    door_fini(&d);
}

static void a_class_behind_one_address(void)
{
    struct door d;

    CHECK(door_init(&d));
    /* thirty pupils: each mistypes twice, then gets it right */
    for (int i = 0; i < 30; i++) {
        char name[] = { 'p', (char)('a' + i % 26), (char)('a' + i / 26), '\0' };
        struct guard_try pupil = from(name, "192.0.2.1", (uint8_t)i);
        CHECK(attempt(&d, pupil, false, false) == 0);
        CHECK(attempt(&d, pupil, false, false) == 0);
        CHECK(attempt(&d, pupil, false, true) == 0);
    }
    /* one of them tries the names of others: twenty that fail, none succeeds */
    for (int i = 0; i < 20; i++) {
        char name[] = { 'q', (char)('a' + i), '\0' };
        CHECK(attempt(&d, from(name, "192.0.2.1", 0), false, false) == 0);
    }
    CHECK(attempt(&d, from("zed", "192.0.2.1", 0), false, true) == -ROOST_BLOCKED);
    CHECK(d.retry_ms == 10000);
    /* who logged in before is not concerned, nor are other places */
    CHECK(attempt(&d, from("paa", "192.0.2.1", 0), true, true) == 0);
    CHECK(attempt(&d, from("zed", "192.0.2.2", 0), false, true) == 0);
    door_fini(&d);
}

static void tries_at_once_see_each_other(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 0);
    struct guard_run runs[8];

    CHECK(door_init(&d));
    /* all read the store before any has failed */
    for (int i = 0; i < 5; i++)
        CHECK(begin(&d, &runs[i], ann, false) == 0);
    CHECK(begin(&d, &runs[5], ann, false) == -ROOST_BUSY && d.retry_ms > 0);

    for (int i = 0; i < 5; i++)
        finish(&d, &runs[i], false);
    CHECK(attempt(&d, ann, false, true) == -ROOST_BLOCKED);

    /* after a block there is one try, not five */
    d.now_ms += 10000;
    CHECK(begin(&d, &runs[0], ann, false) == 0);
    CHECK(begin(&d, &runs[1], ann, false) == -ROOST_BUSY);
    finish(&d, &runs[0], false);
    CHECK(attempt(&d, ann, false, true) == -ROOST_BLOCKED && d.retry_ms == 20000);
    door_fini(&d);
}

static void rows_read_too_early_are_passed_over(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 0);
    struct guard_run slow = { 0 }, fast;
    struct guard_row old[400];

    CHECK(door_init(&d));
    CHECK(attempt(&d, ann, false, false) == 0);
    CHECK(guard_begin(d.flights, &slow, &ann) == 0);
    memcpy(old, d.kept, sizeof old);
    size_t n = d.n_kept;
    for (int i = 0; i < 4; i++) {
        CHECK(begin(&d, &fast, ann, false) == 0);
        finish(&d, &fast, false);
    }
    /* what it read says one failure; there were five */
    guard_on_rows(d.flights, &slow, old, n);
    CHECK(guard_admit(d.flights, &slow, false, &d.config, d.now_ms, &d.retry_ms) == -ROOST_BLOCKED);
    guard_end(d.flights, &slow);
    guard_end(d.flights, &slow);
    door_fini(&d);
}

static void an_admin_blocks_known_devices_too(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 1);
    struct guard_row row = { .kind = GUARD_ADMIN, .n = 1 };

    CHECK(door_init(&d));
    CHECK(guard_key(row.key, GUARD_ADMIN, &ann) == 0);
    row.since_ms = d.now_ms;
    row.until_ms = d.now_ms + MINUTES(60);
    keep(&d, &row);
    CHECK(attempt(&d, ann, true, true) == -ROOST_BLOCKED && d.retry_ms == MINUTES(60));
    CHECK(attempt(&d, ann, false, true) == -ROOST_BLOCKED);
    CHECK(attempt(&d, from("bob", "192.0.2.1", 1), false, true) == 0);

    /* set while a try is under way, it holds even for the right password */
    struct guard_run run;
    struct guard_try bob = from("bob", "192.0.2.1", 1);
    CHECK(begin(&d, &run, bob, true) == 0);
    CHECK(guard_shut_ms(d.flights, &run, d.now_ms) == 0);
    struct guard_row late = row;
    CHECK(guard_key(late.key, GUARD_ADMIN, &bob) == 0);
    guard_override(d.flights, &late);
    CHECK(guard_shut_ms(d.flights, &run, d.now_ms) == MINUTES(60));
    guard_end(d.flights, &run);

    /* over: nothing of it is left */
    d.now_ms += MINUTES(60);
    CHECK(attempt(&d, ann, true, true) == 0);
    CHECK(attempt(&d, ann, false, false) == 0);
    CHECK(attempt(&d, ann, false, true) == 0);
    door_fini(&d);
}

static void a_block_lifted_during_a_try(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 1);
    struct guard_run run;
    struct guard_row none = { .n = 0 };

    CHECK(door_init(&d));
    for (int i = 0; i < 4; i++)
        CHECK(attempt(&d, ann, false, false) == 0);
    CHECK(begin(&d, &run, ann, false) == 0);
    CHECK(guard_key(none.key, GUARD_PAIR, &ann) == 0);
    guard_override(d.flights, &none);
    finish(&d, &run, false);
    CHECK(attempt(&d, ann, false, true) == 0);
    guard_override(NULL, &none);
    door_fini(&d);
}

static void a_clock_set_back_does_not_block_for_years(void)
{
    struct door d;
    struct guard_try ann = from("ann", "192.0.2.1", 1);

    CHECK(door_init(&d));
    for (int i = 0; i < 5; i++)
        CHECK(attempt(&d, ann, false, false) == 0);
    d.now_ms -= MINUTES(60 * 24 * 365);
    CHECK(attempt(&d, ann, false, true) == 0);
    door_fini(&d);
}

TEST_MAIN({ "five_wrong_then_blocked_and_doubled", five_wrong_then_blocked_and_doubled },
          { "blocks_grow_to_a_quarter_of_an_hour", blocks_grow_to_a_quarter_of_an_hour },
          { "old_failures_do_not_count", old_failures_do_not_count },
          { "success_clears_the_pair", success_clears_the_pair },
          { "a_stranger_does_not_lock_the_owner_out", a_stranger_does_not_lock_the_owner_out },
          { "a_class_behind_one_address", a_class_behind_one_address },
          { "tries_at_once_see_each_other", tries_at_once_see_each_other },
          { "rows_read_too_early_are_passed_over", rows_read_too_early_are_passed_over },
          { "an_admin_blocks_known_devices_too", an_admin_blocks_known_devices_too },
          { "a_block_lifted_during_a_try", a_block_lifted_during_a_try },
          { "a_clock_set_back_does_not_block_for_years",
            a_clock_set_back_does_not_block_for_years })
