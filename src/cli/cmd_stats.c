/* admin stats, admin check */
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"

enum { ASK_AGAIN_MS = 100 };

static void json_stats(struct cli *c, const struct roost_reply *r)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "stats");
    for (size_t i = 0; i < r->n; i++)
        if (*r->stats[i].text)
            json_str(&j, r->stats[i].name, r->stats[i].text);
        else
            json_u64(&j, r->stats[i].name, r->stats[i].value);
    json_end(&j);
}

/* "disk_free_bytes" -> "disk free bytes" */
static void row(struct table *t, const struct roost_stat *s)
{
    char name[64];

    snprintf(name, sizeof name, "%s", s->name);
    for (char *p = name; *p; p++)
        *p = *p == '_' ? ' ' : *p;
    table_add(t, name);
    if (*s->text)
        table_add(t, s->text);
    else
        table_add_u64(t, s->value);
}

CLI_RUN(cmd_admin_stats)
{
    static const char *const heads[] = { "FIGURE", "NOW" };
    struct roost_event e;
    struct table t;
    int status = cli_call(c, roost_admin_stats(c->r), &e);

    (void)a;
    if (status)
        return status;
    if (c->json) {
        json_stats(c, &e.reply);
    } else {
        table_init(&t, heads, sizeof heads / sizeof *heads);
        for (size_t i = 0; i < e.reply.n; i++)
            row(&t, &e.reply.stats[i]);
        table_print(&t, &c->out, c->columns, c->colour);
        table_fini(&t);
    }
    cli_flush(c);
    return CLI_OK;
}

CLI_RUN(cmd_admin_check)
{
    struct roost_event e;
    int status = cli_call(c, roost_admin_check(c->r, 0), &e);

    (void)a;
    while (!status && e.reply.work.stage < ROOST_WORK_READY) {
        uint64_t work = e.reply.work.work;
        cli_pause_ms(c, ASK_AGAIN_MS);
        status = cli_call(c, roost_admin_check(c->r, work), &e);
    }
    if (status)
        return status;
    bool fine = e.reply.work.stage == ROOST_WORK_READY;
    if (!fine)
        return cli_fail(c, CLI_REFUSED, e.reply.work.text,
                        "copy files from a backup, or send them again; restore a backup of the "
                        "database; the server's log may say more");
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "checked");
        json_bool(&j, "whole", fine);
        json_str(&j, "text", e.reply.work.text);
        json_u64(&j, "bytes", e.reply.work.total);
        json_end(&j);
    } else {
        cli_say(c, "All is whole: %s.", e.reply.work.text);
    }
    cli_flush(c);
    return CLI_OK;
}
