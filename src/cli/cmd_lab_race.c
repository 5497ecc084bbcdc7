/* lab race: flows that share one link, to look at */
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/race_draw.h"
#include "cli/table.h"
#include "net/sleep.h"

enum { FRAME_US = 100000, SECONDS = 30, SECONDS_MAX = 1800, KEYS = 1, SIGNALS = 2 };
#define SPAN_US 30000000 /* of a live picture */

struct show_race {
    struct cli *c;
    const struct cli_args *a;
    struct race_config config;
    struct race *race;
    int64_t for_us;
    struct buf title;
    /* of the terminal */
    struct sleep sleep;
    int signals;
    bool raw;
    struct termios before;
};

/* --- options ------------------------------------------------------------------------- */

static int take_flows(struct show_race *s)
{
    const char *list = args_value(s->a, "cc") ? args_value(s->a, "cc") : "reno,cubic,bbr";
    char *copy = strdup(list), *rest = copy;

    for (char *name; copy && (name = strsep(&rest, ","));) {
        const struct cc_ops *cc = cc_find(name);
        if (!cc || s->config.n == RACE_FLOWS_MAX) {
            free(copy);
            return cli_usage(
                s->c, cc ? "these are too many flows" : "there is no such congestion control",
                "up to ten of reno, cubic and bbr, for example --cc cubic,cubic,bbr");
        }
        s->config.cc[s->config.n++] = cc;
    }
    free(copy);
    return s->config.n ? 0 : CLI_REFUSED;
}

static int take_link(struct show_race *s)
{
    const char *words = args_value(s->a, "link") ? args_value(s->a, "link") : "wan";
    char wrong[LINK_WRONG_MAX], text[LINK_TEXT_MAX];

    if (link_spec(&s->config.link, words, wrong))
        return cli_usage(s->c, wrong, "roost lab link --help shows how links are written");
    link_config_text(&s->config.link.up, text);
    buf_puts(&s->title, words);
    if (strcmp(words, text) != 0)
        buf_printf(&s->title, ": %s", text);
    return 0;
}

static int take_pacing(struct show_race *s)
{
    static const char *const names[] = {
        [PACER_BUCKET] = "bucket", [PACER_NONE] = "none", [PACER_SLEEP] = "sleep"
    };
    const char *name = args_value(s->a, "pacing") ? args_value(s->a, "pacing") : "bucket";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name)) {
            s->config.pacer = (enum pacer_kind)i;
            buf_printf(&s->title, ", pacing: %s", name);
            return 0;
        }
    return cli_usage(s->c, "there is no such pacing", "none, sleep and bucket are there");
}

static int take_number(struct show_race *s, const char *option, unsigned long long first,
                       unsigned long long most, unsigned long long *ret)
{
    const char *value = args_value(s->a, option);
    struct buf b = { 0 };

    if (!value || args_number(value, first, most, ret))
        return 0;
    buf_printf(&b, "--%s takes a number from %llu to %llu", option, first, most);
    cli_usage(s->c, buf_str(&b), "for example 10");
    buf_fini(&b);
    return CLI_USAGE;
}

static int take_options(struct show_race *s)
{
    unsigned long long seconds = SECONDS, apart = 0, seed = 1;
    int status = take_flows(s);

    if (!status)
        status = take_link(s);
    if (!status)
        status = take_pacing(s);
    if (!status)
        status = take_number(s, "time", 1, SECONDS_MAX, &seconds);
    if (!status)
        status = take_number(s, "apart", 0, SECONDS_MAX, &apart);
    if (!status)
        status = take_number(s, "seed", 0, UINT32_MAX, &seed);
    s->for_us = (int64_t)seconds * 1000000;
    s->config.apart_us = (int64_t)apart * 1000000;
    s->config.seed = seed;
    s->config.tick_us = 50000;
    return status;
}

/* --- the picture --------------------------------------------------------------------------- */

static void look_at(struct show_race *s, struct race_look *look, bool whole)
{
    struct winsize size = { 0 };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
        size = (struct winsize){ .ws_col = 80, .ws_row = 24 };
    *look = (struct race_look){
        .columns = size.ws_col,
        .rows = (size_t)size.ws_row - 1,
        .colour = s->c->colour,
        .plain = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
        .title = buf_str(&s->title),
        .span_us = whole                 ? s->for_us
                   : s->for_us < SPAN_US ? s->for_us
                                         : SPAN_US,
    };
}

static void draw(struct show_race *s, bool whole)
{
    struct race_look look;
    struct buf out = { 0 };

    look_at(s, &look, whole);
    race_draw(s->race, &look, &out);
    if (!whole)
        fputs("\033[H", stdout);
    for (char *line = out.p, *end; line && (end = strchr(line, '\n')); line = end + 1)
        printf("%.*s%s\n", (int)(end - line), line, whole ? "" : "\033[K");
    if (!whole)
        fputs("\033[J", stdout);
    fflush(stdout);
    buf_fini(&out);
}

static void enter(struct show_race *s)
{
    struct termios t;

    s->signals = sleep_add_signals(&s->sleep, SIGNALS);
    if (isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &s->before)) {
        t = s->before;
        t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        s->raw = !tcsetattr(STDIN_FILENO, TCSANOW, &t);
        sleep_add(&s->sleep, STDIN_FILENO, SLEEP_READ, KEYS);
    }
    fputs("\033[?1049h\033[?25l\033[2J", stdout); /* a screen of its own, without a cursor */
}

static void leave(struct show_race *s)
{
    fputs("\033[?25h\033[?1049l", stdout);
    fflush(stdout);
    if (s->raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
    close(s->signals);
}

/* Is it to end? q, Escape or Ctrl+C. */
static bool wants_end(struct show_race *s, int64_t until_us)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];
    int n = sleep_until(&s->sleep, until_us, ready);
    char key = 0;

    for (int i = 0; i < n; i++)
        if (ready[i].id == SIGNALS ||
            (read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == '\033')))
            return true;
    return false;
}

static int run_live(struct show_race *s)
{
    int64_t begun_us = sleep_now_us();
    int err = 0;

    if (sleep_init(&s->sleep, false))
        return -ROOST_IO;
    enter(s);
    for (int64_t now_us = 0; !err && now_us < s->for_us;) {
        if (wants_end(s, begun_us + now_us + FRAME_US))
            break;
        now_us = sleep_now_us() - begun_us;
        err = race_run(s->race, now_us < s->for_us ? now_us : s->for_us);
        draw(s, false);
    }
    leave(s);
    sleep_fini(&s->sleep);
    return err;
}

/* --- what it came to -------------------------------------------------------------------------- */

static void put_json(struct show_race *s)
{
    struct race_result result;
    struct json j;

    for (size_t i = 0; i < s->config.n; i++) {
        race_result(s->race, i, &result);
        json_begin(&j, &s->c->out);
        json_str(&j, "event", "flow");
        json_u64(&j, "flow", i);
        json_str(&j, "cc", s->config.cc[i]->name);
        json_u64(&j, "bits_a_second", result.rate_bps);
        json_fixed(&j, "share", result.share);
        json_fixed(&j, "rtt_ms", (double)result.rtt_us / 1000);
        json_u64(&j, "sent_bytes", result.sent);
        json_u64(&j, "lost_bytes", result.lost);
        json_end(&j);
    }
    const struct race_sample *last = race_sample(s->race, race_samples(s->race) - 1);
    json_begin(&j, &s->c->out);
    json_str(&j, "event", "race");
    json_str(&j, "link", buf_str(&s->title));
    json_fixed(&j, "seconds", (double)last->at_us / 1e6);
    json_u64(&j, "dropped", last->dropped);
    json_fixed(&j, "fairness", race_fairness(s->race));
    json_end(&j);
}

static void put_table(struct show_race *s)
{
    static const char *const heads[] = { "FLOW", "CC", "MBIT/S", "SHARE", "RTT MS", "LOST %" };
    struct race_result result;
    struct table t;
    struct buf cell = { 0 };

    table_init(&t, heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < s->config.n; i++) {
        race_result(s->race, i, &result);
        table_add_u64(&t, i);
        table_add(&t, s->config.cc[i]->name);
        buf_printf(&cell, "%.2f", (double)result.rate_bps / 1e6);
        table_add_buf(&t, &cell);
        buf_printf(&cell, "%.0f %%", result.share * 100);
        table_add_buf(&t, &cell);
        buf_printf(&cell, "%.1f", (double)result.rtt_us / 1000);
        table_add_buf(&t, &cell);
        buf_printf(&cell, "%.2f",
                   result.sent ? 100 * (double)result.lost / (double)result.sent : 0);
        table_add_buf(&t, &cell);
    }
    table_print(&t, &s->c->out, s->c->columns, s->c->colour);
    buf_printf(&s->c->out, "Jain's index of fairness over the last half: %.3f\n",
               race_fairness(s->race));
    table_fini(&t);
    buf_fini(&cell);
}

static int write_file(struct show_race *s, const char *option, struct buf *b)
{
    const char *name = args_value(s->a, option);
    FILE *f = fopen(name, "we");
    bool bad = !f || b->bad || fwrite(buf_str(b), 1, b->len, f) != b->len;

    bad = (f && fclose(f)) || bad;
    if (!bad)
        return 0;
    struct buf wrong = { 0 };
    buf_printf(&wrong, "%s: %s", name, b->bad ? "it would be too large" : strerror(errno));
    cli_fail(s->c, CLI_REFUSED, buf_str(&wrong), "choose another place, or a shorter --time");
    buf_fini(&wrong);
    return CLI_REFUSED;
}

static int write_files(struct show_race *s)
{
    struct buf b = { 0 };
    int status = 0;

    if (args_has(s->a, "csv")) {
        race_csv(s->race, &b);
        status = write_file(s, "csv", &b);
        buf_clear(&b);
    }
    if (!status && args_has(s->a, "svg")) {
        race_svg(s->race, buf_str(&s->title), &b);
        status = write_file(s, "svg", &b);
    }
    buf_fini(&b);
    return status;
}

static int run(struct show_race *s)
{
    bool terminal = s->c->columns && !s->c->json;

    if (race_new(&s->race, &s->config))
        return cli_fail(s->c, CLI_REFUSED, "out of memory", "try again in a moment");
    int err = terminal && !args_has(s->a, "fast") ? run_live(s) : race_run(s->race, s->for_us);
    if (err)
        return cli_fail(s->c, CLI_REFUSED, err_text(err), err_advice(err));
    if (race_samples(s->race) < 2)
        return CLI_OK;
    if (terminal)
        draw(s, true);
    if (s->c->json)
        put_json(s);
    else
        put_table(s);
    cli_flush(s->c);
    return write_files(s);
}

CLI_RUN(cmd_lab_race)
{
    struct show_race s = { .c = c, .a = a };
    int status = take_options(&s);

    if (!status)
        status = run(&s);
    race_free(s.race);
    buf_fini(&s.title);
    return status;
}
