#include "server/hold.h"

#include "test.h"

enum { LINE = 120 }; /* bytes */

/* Turns with output, one each gap_us, for a while. Returns the time after. */
static int64_t run(struct hold *h, int64_t now_us, int turns, int64_t gap_us, uint32_t sends)
{
    for (int i = 0; i < turns; i++) {
        hold_on_output(h, now_us, sends, LINE * sends);
        hold_on_written(h);
        now_us += gap_us;
    }
    return now_us;
}

static void an_idle_server_writes_at_once(void)
{
    struct hold h = { 0 };
    int64_t now = run(&h, 1000000, 5, 300000, 100);

    hold_on_output(&h, now, 100, LINE * 100);
    CHECK(hold_until(&h, now, 100, true) == now);
}

static void under_load_lines_wait_for_company(void)
{
    struct hold h = { 0 };

    /* 200 lines a second to 100 members; the next is being stored */
    int64_t now = run(&h, 1000000, 40, 5000, 100);
    hold_on_output(&h, now, 100, LINE * 100);
    CHECK(hold_until(&h, now, 100, true) == now + HOLD_US);
    CHECK(hold_until(&h, now, 100, false) == now); /* it is not even said */

    /* the second does not make the first wait longer */
    hold_on_output(&h, now + 1500, 100, LINE * 100);
    CHECK(hold_until(&h, now + 1500, 100, true) == now + HOLD_US);

    /* and what is enough for one write leaves */
    CHECK(hold_until(&h, now + 1550, 2, true) == now + 1550);
}

static void company_that_is_far_is_not_waited_for(void)
{
    struct hold h = { 0 };

    /* 20 lines a second to 1,000 members: as many deliveries, but rarely two lines */
    int64_t now = run(&h, 1000000, 40, 50000, 1000);
    hold_on_output(&h, now, 1000, LINE * 1000);
    CHECK(hold_until(&h, now, 1000, true) == now);

    /* many turns with little in them are no load either */
    now = run(&h, now, 400, 4000, 1);
    hold_on_output(&h, now, 1, LINE * 1);
    CHECK(hold_until(&h, now, 1, true) == now);
}

static void load_that_is_over_is_forgotten(void)
{
    struct hold h = { 0 };
    int64_t now = run(&h, 1000000, 40, 5000, 100);

    now += 10000000;
    hold_on_output(&h, now, 100, LINE * 100);
    CHECK(hold_until(&h, now, 100, true) == now);
}

TEST_MAIN({ "an_idle_server_writes_at_once", an_idle_server_writes_at_once },
          { "under_load_lines_wait_for_company", under_load_lines_wait_for_company },
          { "company_that_is_far_is_not_waited_for", company_that_is_far_is_not_waited_for },
          { "load_that_is_over_is_forgotten", load_that_is_over_is_forgotten })
