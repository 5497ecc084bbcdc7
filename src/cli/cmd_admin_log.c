/* admin log: who did what to what, when, from where */
#include <signal.h>

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

static int follow(struct cli *c, uint64_t after)
{
    struct sigaction action = { .sa_handler = on_interrupt };
    struct roost_event e;
    int over = 0;

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    while (!interrupted && !over && roost_wait(c->r, -1) >= 0) {
        while (!over && roost_next(c->r, &e)) {
            if (e.kind == ROOST_LOG_LINE && e.log_line.n > after)
                put_line(c, &e.log_line);
            else if (e.kind == ROOST_STATUS)
                over = live_on_status(c, &e.status);
        }
        cli_flush(c);
    }
    return over ? over - 1 : CLI_OK;
}

CLI_RUN(cmd_admin_log)
{
    struct roost_log_read what = {
        .user = args_value(a, "user"),
        .kind = args_value(a, "kind"),
        .limit = PAGE,
        .follow = args_has(a, "follow"),
    };
    struct roost_event e;
    int status = args_has(a, "since") ? cmd_since(c, args_value(a, "since"), &what.since_ms)
                                      : CLI_OK;

    if (!status && c->chat && what.follow)
        return cli_usage(c, "the log is not followed within a chat",
                         "run roost admin log --follow in another terminal");
    while (!status) {
        status = cli_call(c, roost_admin_log(c->r, &what), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            put_line(c, &e.reply.lines[i]);
            what.after = e.reply.lines[i].n;
        }
        cli_flush(c);
        if (!e.reply.more || !e.reply.n)
            break;
    }
    return status || !what.follow ? status : follow(c, what.after);
}
