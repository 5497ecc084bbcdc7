#include "cli/table.h"
#include "test.h"

#include <string.h>

static const char *const heads[] = { "NAME", "N", "TEXT" };

static void fill(struct table *t)
{
    table_init(t, heads, 3);
    table_add(t, "anna");
    table_add_u64(t, 7);
    table_add(t, "hello\033[2J");
    table_add(t, "日本");
    table_add_u64(t, 12345);
    table_add(t, NULL);
}

static void columns_are_as_wide_as_what_they_hold(void)
{
    struct buf b = { 0 };
    struct table t;

    fill(&t);
    table_print(&t, &b, 0, false);
    CHECK(!strcmp(buf_str(&b), "NAME  N      TEXT\n"
                               "anna  7      hello␛[2J\n"
                               "日本  12345\n"));
    table_fini(&t);
    buf_fini(&b);
}

static void a_narrow_terminal_cuts_the_last_column(void)
{
    struct buf b = { 0 };
    struct table t;

    fill(&t);
    table_print(&t, &b, 20, false);
    CHECK(strstr(buf_str(&b), "anna  7      hello␛…\n") != NULL);
    table_fini(&t);
    buf_fini(&b);
}

TEST_MAIN({ "columns_are_as_wide_as_what_they_hold", columns_are_as_wide_as_what_they_hold },
          { "a_narrow_terminal_cuts_the_last_column", a_narrow_terminal_cuts_the_last_column })
