/* test_plot.c - curves in characters, and a race as a picture. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/plot.h"
#include "cli/race_draw.h"
#include "cli/text.h"
#include "test.h"

static bool row_is(const struct plot *p, size_t row, bool plain, const char *text)
{
    struct buf b = { 0 };

    plot_row(p, row, NULL, plain, &b);
    bool same = !strcmp(buf_str(&b), text);
    buf_fini(&b);
    return same;
}

static void dots_and_lines(void)
{
    struct plot p;

    CHECK(plot_init(&p, 3, 2) == 0);
    CHECK(row_is(&p, 0, false, "   "));
    plot_dot(&p, 0, 0, 1); /* lower left */
    plot_dot(&p, 5, 7, 2); /* upper right */
    CHECK(row_is(&p, 1, false, "⡀  ") && row_is(&p, 0, false, "  ⠈"));
    CHECK(row_is(&p, 1, true, "1  ") && row_is(&p, 0, true, "  2"));
    plot_clear(&p);
    plot_line(&p, 0, 0, 5, 0, 0);
    CHECK(row_is(&p, 1, false, "⣀⣀⣀"));
    plot_line(&p, 0, 0, 0, 7, 0);
    CHECK(row_is(&p, 0, false, "⡇  "));
    plot_clear(&p);
    plot_line(&p, -5, -5, 20, 20, 0); /* outside nothing is drawn */
    plot_dot(&p, INT32_MAX, 1, 0);
    plot_dot(&p, 1, INT32_MIN, 0);
    CHECK(row_is(&p, 1, false, "⡠⠊ "));
    plot_fini(&p);
    CHECK(plot_init(&p, 0, 2) == -ROOST_INVALID);
    CHECK(plot_init(&p, PLOT_COLUMNS_MAX + 1, 2) == -ROOST_INVALID);
}

static void styles_are_ended(void)
{
    static const char *const styles[] = { "<a>", "<b>" };
    struct plot p;
    struct buf b = { 0 };

    CHECK(plot_init(&p, 4, 1) == 0);
    plot_dot(&p, 0, 0, 0);
    plot_dot(&p, 2, 0, 0);
    plot_dot(&p, 6, 0, 1);
    plot_row(&p, 0, styles, true, &b);
    CHECK(!strcmp(buf_str(&b), "<a>00 <b>1\033[0m"));
    buf_fini(&b);
    plot_fini(&p);
}

static void round_numbers(void)
{
    static const uint64_t in[] = { 1, 3, 7, 10, 11, 13, 100, 101, 105, 250000, 999999 },
                          out[] = { 1, 4, 8, 10, 12, 16, 100, 120, 120, 320000, 1000000 };

    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        CHECK(plot_round(in[i]) == out[i]);
    CHECK(plot_round(UINT64_MAX) == UINT64_MAX);
}

static struct race *a_race(void)
{
    struct race_config c = { .cc = { cc_find("reno"), cc_find("cubic") },
                             .n = 2,
                             .apart_us = 1000000,
                             .tick_us = 50000,
                             .seed = 3 };
    char wrong[LINK_WRONG_MAX];
    struct race *r = NULL;

    if (!link_spec(&c.link, "rate=5M rtt=20ms queue=30K", wrong) && !race_new(&r, &c))
        race_run(r, 4000000);
    return r;
}

/* Whatever the size of the terminal: no line is wider, no picture higher. */
static void it_fits_every_terminal(void)
{
    static const size_t columns[] = { 1, 20, 21, 40, 80, 200, 900 }, rows[] = { 1, 7, 8, 24, 100 };
    struct race *r = a_race();

    CHECK(r && race_samples(r) > 70);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
            struct race_look look = { columns[i], rows[k], false, k % 2 == 0, "a title", 3000000 };
            struct buf b = { 0 };
            size_t n = 0;
            CHECK(race_draw(r, &look, &b) == 0 || b.bad);
            for (char *line = b.p, *end; line && (end = strchr(line, '\n')); line = end + 1, n++) {
                *end = 0;
                CHECK(text_columns(line) <= columns[i]);
            }
            CHECK(n <= rows[k]);
            if (columns[i] >= 40 && rows[k] >= 24)
                CHECK(n == rows[k]);
            buf_fini(&b);
        }
    race_free(r);
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

static void as_svg_and_csv(void)
{
    struct race *r = a_race();
    struct buf b = { 0 };

    CHECK(r);
    race_svg(r, "a <title> & more", &b);
    const char *svg = buf_str(&b);
    CHECK(!strncmp(svg, "<svg ", 5) && strstr(svg, "</svg>") && strstr(svg, "&lt;title> &amp;"));
    CHECK(count(svg, "<polyline") ==
          count(svg, "\"/>\n") - count(svg, "<line") - count(svg, "#fff\"/>"));
    CHECK(count(svg, "class=\"h\"") == RACE_PANELS && !strstr(svg, "nan") && !strstr(svg, "inf"));
    buf_clear(&b);
    race_csv(r, &b);
    CHECK(count(buf_str(&b), "\n") == 1 + 2 * race_samples(r));
    CHECK(count(buf_str(&b), ",") == 14 * (1 + 2 * race_samples(r)));
    buf_fini(&b);
    race_free(r);
}

TEST_MAIN({ "dots_and_lines", dots_and_lines }, { "styles_are_ended", styles_are_ended },
          { "round_numbers", round_numbers }, { "it_fits_every_terminal", it_fits_every_terminal },
          { "as_svg_and_csv", as_svg_and_csv })
