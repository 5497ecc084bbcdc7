/* When memory that a crowd left behind goes back. */
#include "server/trim.h"
#include "test.h"

static uv_loop_t loop;
static struct trim trim;

static bool is_due(void)
{
    return uv_is_active((uv_handle_t *)&trim.timer);
}

static void begin(void)
{
    CHECK(uv_loop_init(&loop) == 0);
    trim_init(&trim, &loop);
}

static void end(void)
{
    trim_close(&trim);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
}

static void a_few_are_no_crowd(void)
{
    begin();
    for (uint32_t i = 0; i < 99; i++)
        trim_on_gone(&trim, 98 - i);
    CHECK(!is_due());
    /* and 500 of 1,000 are none: the rest still needs what there is */
    for (uint32_t i = 0; i < 401; i++)
        trim_on_gone(&trim, 1000);
    CHECK(!is_due());
    end();
}

static void a_crowd_is_waited_for(void)
{
    begin();
    for (int i = 0; i < 100; i++)
        trim_on_gone(&trim, 50);
    CHECK(is_due());
    for (int i = 0; i < 20; i++)
        trim_on_gone(&trim, 50);
    uv_run(&loop, UV_RUN_ONCE); /* they still go: not now */
    CHECK(is_due() && trim.gone == 120);
    trim_on_gone(&trim, 50);
    uv_run(&loop, UV_RUN_ONCE);
    CHECK(!is_due() && trim.gone == 0);
    end();
}

TEST_MAIN({ "a_few_are_no_crowd", a_few_are_no_crowd },
          { "a_crowd_is_waited_for", a_crowd_is_waited_for })
