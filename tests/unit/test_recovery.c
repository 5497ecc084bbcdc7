/* When a disk that failed is tried again. */
#include "server/recovery.h"
#include "tests/unit/test.h"

static void soon_then_ever_more_seldom(void)
{
    struct recovery r = { 0 };
    int64_t now = 1000;

    CHECK(recovery_due_us(&r) == INT64_MAX);
    CHECK(!recovery_on_health(&r, STORE_FINE, now));
    CHECK(recovery_on_health(&r, STORE_NO_ROOM, now));
    CHECK(recovery_due_us(&r) == now + RECOVERY_FIRST_US);
    for (int i = 0; i < 20; i++) {
        now = recovery_due_us(&r);
        recovery_on_probed(&r, now);
        CHECK(recovery_due_us(&r) > now && recovery_due_us(&r) <= now + RECOVERY_MAX_US);
    }
    CHECK(recovery_due_us(&r) == now + RECOVERY_MAX_US);
    CHECK(recovery_on_health(&r, STORE_FINE, now));
    CHECK(recovery_due_us(&r) == INT64_MAX);
}

static void who_fails_again_at_once_waits_as_long_as_before(void)
{
    struct recovery r = { 0 };

    recovery_on_health(&r, STORE_NO_ROOM, 1000);
    for (int i = 0; i < 4; i++)
        recovery_on_probed(&r, 1000);
    recovery_on_health(&r, STORE_FINE, 2000);
    recovery_on_health(&r, STORE_NO_ROOM, 3000);
    CHECK(recovery_due_us(&r) == 3000 + 16 * RECOVERY_FIRST_US);

    /* after a good time it is a new story */
    recovery_on_health(&r, STORE_FINE, 4000);
    recovery_on_health(&r, STORE_BROKEN, 5000 + RECOVERY_RELAPSE_US);
    CHECK(recovery_due_us(&r) == 5000 + RECOVERY_RELAPSE_US + RECOVERY_FIRST_US);
}

static void what_is_damaged_is_not_tried(void)
{
    struct recovery r = { 0 };

    recovery_on_health(&r, STORE_BROKEN, 1000);
    CHECK(recovery_on_health(&r, STORE_DAMAGED, 2000));
    CHECK(recovery_due_us(&r) == INT64_MAX);
}

TEST_MAIN({ "soon_then_ever_more_seldom", soon_then_ever_more_seldom },
          { "who_fails_again_at_once_waits_as_long_as_before",
            who_fails_again_at_once_waits_as_long_as_before },
          { "what_is_damaged_is_not_tried", what_is_damaged_is_not_tried })
