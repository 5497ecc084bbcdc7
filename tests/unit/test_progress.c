/* test_progress.c - amounts that people read and write, and the line of a transfer. */
#include <stdio.h>
#include <string.h>

#include "cli/amount.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "test.h"

static bool bytes_are(double n, const char *text)
{
    struct buf b = { 0 };

    amount_bytes(&b, n);
    bool same = b.bad || !strcmp(buf_str(&b), text);
    buf_fini(&b);
    return same;
}

static bool span_is(int64_t s, const char *text)
{
    struct buf b = { 0 };

    amount_span(&b, s);
    bool same = b.bad || !strcmp(buf_str(&b), text);
    buf_fini(&b);
    return same;
}

static void amounts(void)
{
    CHECK(bytes_are(0, "0 B") && bytes_are(999, "999 B") && bytes_are(1000, "1.0 kB"));
    CHECK(bytes_are(999600, "1.0 MB") && bytes_are(123456789, "123 MB"));
    CHECK(bytes_are(5e15, "5000 TB"));
    CHECK(span_is(0, "0:00") && span_is(-5, "0:00") && span_is(725, "12:05"));
    CHECK(span_is(11229, "3:07:09") && span_is(400000, "4 days"));
}

static void rates_and_sizes(void)
{
    uint64_t n = 7;

    CHECK(amount_rate("5M", &n) && n == 5000000);
    CHECK(amount_rate("2.5Mbit/s", &n) && n == 2500000);
    CHECK(amount_rate("600kB", &n) && n == 4800000);
    CHECK(amount_rate("600KB/s", &n) && n == 4800000);
    CHECK(amount_rate("64000", &n) && n == 64000);
    n = 7;
    CHECK(!amount_rate("", &n) && !amount_rate("fast", &n) && !amount_rate("0", &n));
    CHECK(!amount_rate("-5M", &n) && !amount_rate("5Q", &n) && !amount_rate("5M5", &n));
    CHECK(!amount_rate("999999999999G", &n) && !amount_rate(".", &n));
    CHECK(n == 7);
    CHECK(amount_size("500", &n) && n == 500);
    CHECK(amount_size("1.5G", &n) && n == 1500000000);
    CHECK(amount_size("20MB", &n) && n == 20000000 && !amount_size("20MBit", &n));
}

static void a_rate_settles(void)
{
    struct progress p = { 0 };
    uint64_t bytes = 5000000; /* what was there before is not counted */
    int64_t now = 1000000;

    progress_look(&p, now, bytes);
    CHECK(p.rate < 1 && progress_left_s(&p, bytes, 10000000) == -1);
    for (int i = 0; i < 50; i++)
        progress_look(&p, now += 200000, bytes += 200000);
    CHECK(p.rate > 999000 && p.rate < 1001000);
    CHECK(progress_left_s(&p, 9000000, 10000000) == 1);
    CHECK(progress_left_s(&p, 0, PROGRESS_UNKNOWN) == -1);
    CHECK(progress_left_s(&p, 11, 10) == -1);
    /* a stop is seen in a few seconds */
    for (int i = 0; i < 50; i++)
        progress_look(&p, now += 200000, bytes);
    CHECK(now - p.moved_us >= 200000);
    CHECK(p.rate < 20000);
    /* two looks in one moment, and one that began anew */
    progress_look(&p, now, bytes + 9999999);
    CHECK(p.rate < 20000);
    progress_look(&p, now + 200000, 5);
    CHECK(p.rate < 1 && p.bytes == 5);
}

static bool line_is(const struct progress_line *l, size_t columns, const char *text)
{
    struct buf b = { 0 };

    progress_put(&b, l, columns);
    bool same = b.bad || !strcmp(buf_str(&b), text);
    if (!same)
        fprintf(stderr, "got  [%s]\nwant [%s]\n", buf_str(&b), text);
    buf_fini(&b);
    return same;
}

static void lines(void)
{
    struct progress_line l = { .name = "notes.pdf",
                               .done = 54,
                               .total = 100,
                               .again = 12000,
                               .rate = 3200000,
                               .left_s = 42,
                               .way = "direct" };

    CHECK(line_is(
        &l, 80,
        "notes.pdf  ━━━━━━━━────────   54 %   3.2 MB/s   0:42 left  direct  12.0 kB again"));
    CHECK(line_is(&l, 40, "notes.pdf   54 %   3.2 MB/s   0:42 left"));
    CHECK(line_is(&l, 0, "notes.pdf   54 %  3.2 MB/s  0:42 left  direct  12.0 kB again"));
    l.again = 0;
    l.plain = true;
    CHECK(line_is(&l, 64, "notes.pdf  ########.......   54 %   3.2 MB/s   0:42 left  direct"));
    l.state = "paused";
    CHECK(line_is(&l, 50, "notes.pdf  #######......   54 %     paused  direct"));
    l.state = NULL;
    l.total = PROGRESS_UNKNOWN;
    l.left_s = -1;
    l.done = 1234567;
    l.way = "";
    CHECK(line_is(&l, 80, "notes.pdf  1.2 MB   3.2 MB/s"));
    l.name = "a\033[31mname\nthat others chose, and which is far longer than it should be.tar.gz";
    l.total = 0;
    l.done = 0;
    struct buf b = { 0 };
    progress_put(&b, &l, 40);
    CHECK(b.bad || (!strchr(buf_str(&b), '\033') && !strchr(buf_str(&b), '\n')));
    buf_fini(&b);
}

/* However narrow, and however wide the figures. */
static void never_wider(void)
{
    struct progress_line l = { .name = "日本語のとても長い名前のファイル.tar",
                               .done = 54000000000,
                               .total = 100000000000,
                               .again = 999999,
                               .rate = 99900000,
                               .left_s = 359999,
                               .way = "relay in TLS" };

    for (size_t columns = 30; columns < 160; columns++) {
        struct buf b = { 0 };
        progress_put(&b, &l, columns);
        CHECK(text_columns(buf_str(&b)) <= columns);
        buf_fini(&b);
    }
}

TEST_MAIN({ "amounts", amounts }, { "rates_and_sizes", rates_and_sizes },
          { "a_rate_settles", a_rate_settles }, { "lines", lines }, { "never_wider", never_wider })
