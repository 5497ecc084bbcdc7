/* admin log: who did what to what, when, from where */
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/live.h"
#include "cli/text.h"
#include "cli/when.h"

enum { PAGE = 200 };

static void put_line(struct cli *c, const struct roost_log_line *l)
{
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "log");
        json_u64(&j, "n", l->n);
        json_time(&j, "at", (int64_t)l->at_ms);
        json_str(&j, "name", l->name);
        json_u64(&j, "account", l->account);
        json_str(&j, "kind", l->kind);
        json_str(&j, "target", l->target);
        json_str(&j, "address", l->address);
        json_str(&j, "outcome", l->outcome);
        json_end(&j);
        return;
    }
    struct when_parts t = when_split((int64_t)l->at_ms, cli_zone_s((int64_t)l->at_ms));
    buf_printf(&c->out, "%6llu  %04d-%02d-%02d %02d:%02d:%02d  ", (unsigned long long)l->n, t.year,
               t.month, t.day, t.hour, t.minute, t.second);
    text_pad(&c->out, *l->name ? l->name : "-", 14);
    buf_puts(&c->out, "  ");
    text_pad(&c->out, l->kind, 14);
    buf_puts(&c->out, "  ");
    text_pad(&c->out, *l->target ? l->target : "-", 16);
    buf_puts(&c->out, "  ");
    text_pad(&c->out, *l->address ? l->address : "-", 21);
    buf_puts(&c->out, "  ");
    text_clean(&c->out, l->outcome, TEXT_ONE_LINE);
    buf_putc(&c->out, '\n');
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

struct log {
    struct cli *c;
    struct roost_log_read what; /* what.after: the last line that was printed */
    uint64_t account;           /* of what.user, once a line told it */
};

static void print(struct log *log, const struct roost_log_line *l)
{
    if (l->n <= log->what.after)
        return;
    put_line(log->c, l);
    log->what.after = l->n;
    if (log->what.user)
        log->account = l->account;
}

/* All that is there; with what.follow the rest comes as ROOST_LOG_LINE. */
static int catch_up(struct log *log)
{
    struct roost_event e;

    do {
        int status = cli_call(log->c, roost_admin_log(log->c->r, &log->what), &e);
        if (status)
            return status;
        for (size_t i = 0; i < e.reply.n; i++)
            print(log, &e.reply.lines[i]);
        cli_flush(log->c);
    } while (e.reply.more && e.reply.n);
    return CLI_OK;
}

/* Followers are told every line. */
static bool is_wanted(const struct log *log, const struct roost_log_line *l)
{
    const char *user = log->what.user, *kind = log->what.kind;
    bool by = !user || !strcasecmp(user, l->name) || (log->account && log->account == l->account);

    return by && (!kind || !strcmp(kind, l->kind));
}

/* Exit status + 1 when it is over. */
static int on_event(struct log *log, const struct roost_event *e)
{
    int over = 0;

    if (e->kind == ROOST_LOG_LINE && is_wanted(log, &e->log_line))
        print(log, &e->log_line);
    if (e->kind != ROOST_STATUS)
        return 0;
    bool back = e->status.state == ROOST_READY;
    over = live_on_status(log->c, &e->status);
    if (back && !over) { /* the new connection knows of no follower yet */
        int status = catch_up(log);
        over = status ? status + 1 : 0;
    }
    return over;
}

static int follow(struct log *log)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    struct roost_event e;
    int over = 0;

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    while (!interrupted && !over && roost_wait(log->c->r, -1) >= 0) {
        while (!over && roost_next(log->c->r, &e))
            over = on_event(log, &e);
        cli_flush(log->c);
    }
    return over ? over - 1 : CLI_OK;
}

CLI_RUN(cmd_admin_log)
{
    struct log log = {
        .c = c,
        .what = { .user = args_value(a, "user"),
                  .kind = args_value(a, "kind"),
                  .limit = PAGE,
                  .follow = args_has(a, "follow") },
    };
    int status = args_has(a, "since") ? cmd_since(c, args_value(a, "since"), &log.what.since_ms)
                                      : CLI_OK;

    if (!status && c->line && log.what.follow)
        return cli_usage(c, "the log is not followed within a chat",
                         "run roost admin log --follow in another terminal");
    if (!status)
        status = catch_up(&log);
    return status || !log.what.follow ? status : follow(&log);
}
