/* who ignore away */
#include <stdlib.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/when.h"

void cmd_json_person(struct cli *c, const struct roost_person *p)
{
    struct json j;
    int64_t now = cli_now_ms();

    json_begin(&j, &c->out);
    json_str(&j, "event", "person");
    json_str(&j, "name", p->name);
    json_u64(&j, "account", p->account);
    json_bool(&j, "self", p->self);
    json_str(&j, "role", cmd_role(p->role));
    json_time(&j, "since", (int64_t)p->since_ms);
    json_time(&j, "idle_since", p->idle_ms ? now - (int64_t)p->idle_ms : now);
    json_u64(&j, "sessions", p->sessions);
    json_str(&j, "away", *p->away ? p->away : NULL);
    json_str(&j, "typing", *p->typing ? p->typing : NULL);
    json_open(&j, "addresses", '[');
    for (size_t i = 0; i < p->n_addresses; i++)
        json_str(&j, NULL, p->addresses[i]);
    json_close(&j, ']');
    json_end(&j);
}

static void row(struct table *t, const struct roost_person *p, int64_t now, bool addresses)
{
    struct buf cell = { 0 };

    buf_printf(&cell, "%s%s", p->name, p->self ? " (you)" : "");
    table_add_buf(t, &cell);
    when_short(&cell, (int64_t)p->since_ms, now, cli_zone_s(now));
    table_add_buf(t, &cell);
    when_span(&cell, (int64_t)p->idle_ms);
    table_add_buf(t, &cell);
    if (addresses) {
        for (size_t i = 0; i < p->n_addresses; i++)
            buf_printf(&cell, "%s%s", i ? " " : "", p->addresses[i]);
        table_add_buf(t, &cell);
    }
    if (p->role)
        buf_puts(&cell, cmd_role(p->role));
    if (*p->away)
        buf_printf(&cell, "%saway: %s", cell.len ? ", " : "", p->away);
    if (*p->typing)
        buf_printf(&cell, "%styping in %s", cell.len ? ", " : "", p->typing);
    table_add_buf(t, &cell);
    buf_fini(&cell);
}

CLI_RUN(cmd_who)
{
    static const char *const heads[] = { "NAME", "ON SINCE", "IDLE", "" };
    static const char *const heads_admin[] = { "NAME", "ON SINCE", "IDLE", "FROM", "" };
    bool admin = c->role == ROOST_ADMIN;
    int64_t now = cli_now_ms();
    uint64_t after = 0;
    struct roost_event e;
    struct table t;
    int status;

    (void)a;
    table_init(&t, admin ? heads_admin : heads, admin ? 5 : 4);
    do {
        status = cli_call(c, roost_people_who(c->r, after), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.people[i].account;
            if (c->json)
                cmd_json_person(c, &e.reply.people[i]);
            else
                row(&t, &e.reply.people[i], now, admin);
        }
    } while (e.reply.more && e.reply.n);
    if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    return status;
}

/* "@anna" is anna. */
static const char *bare(const char *user)
{
    return *user == '@' ? user + 1 : user;
}

CLI_RUN(cmd_ignore)
{
    bool off = args_has(a, "off");
    const char *user = bare(a->words[0]);
    return cli_do(c, roost_people_ignore(c->r, user, !off), "ignore",
                  off ? "You hear %s again." : "You do not hear %s any more.", user);
}

/* Being away is seen as long as one is on, and this command is over at once. */
static int need_chat(struct cli *c)
{
    struct roost_event e;
    int status = cli_call(c, roost_people_who(c->r, c->account - 1), &e); /* oneself comes first */

    if (status || (e.reply.n && e.reply.people[0].self && e.reply.people[0].sessions > 1))
        return status;
    return cli_fail(c, CLI_REFUSED,
                    "you are on nowhere else, so nobody would see that you are away",
                    "start roost chat, and say /away TEXT there");
}

CLI_RUN(cmd_away)
{
    if (a->n_words && !c->line) {
        int status = need_chat(c);
        if (status)
            return status;
    }
    char *text = cmd_join(a->words, a->n_words);
    int status = text ? cli_do(c, roost_people_away(c->r, text), "away",
                               *text ? "You are away: %s" : "You are back.%s", text)
                      : CLI_REFUSED;
    free(text);
    return status;
}
