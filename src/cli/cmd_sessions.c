/* sessions, sessions end; the same for admins */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/when.h"

static void json_session(struct cli *c, const struct roost_session *s)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "session");
    json_u64(&j, "session", s->session);
    json_str(&j, "name", *s->name ? s->name : c->name);
    json_str(&j, "device", s->device_name);
    json_str(&j, "address", s->address);
    json_bool(&j, "on", s->on);
    json_bool(&j, "own", s->own);
    json_time(&j, "created_at", (int64_t)s->created_ms);
    json_time(&j, "used_at", (int64_t)s->used_ms);
    json_end(&j);
}

static void row(struct cli *c, struct table *t, const struct roost_session *s, int64_t now)
{
    struct buf cell = { 0 };

    table_add_u64(t, s->session);
    table_add(t, *s->name ? s->name : c->name);
    table_add(t, s->device_name);
    table_add(t, s->address);
    when_short(&cell, (int64_t)s->created_ms, now, cli_zone_s(now));
    table_add_buf(t, &cell);
    if (s->own)
        buf_puts(&cell, "this one");
    else if (s->on)
        buf_puts(&cell, "on now");
    else
        when_short(&cell, (int64_t)s->used_ms, now, cli_zone_s(now));
    table_add_buf(t, &cell);
    buf_fini(&cell);
}

static int list_sessions(struct cli *c, bool admin)
{
    static const char *const heads[] = { "ID", "NAME", "DEVICE", "FROM", "SINCE", "LAST USED" };
    int64_t now = cli_now_ms();
    uint64_t after = 0;
    struct roost_event e;
    struct table t;
    int status;

    table_init(&t, heads, sizeof heads / sizeof *heads);
    do {
        status = cli_call(c, admin ? roost_admin_sessions(c->r, after) : roost_session_list(c->r),
                          &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.sessions[i].session;
            if (c->json)
                json_session(c, &e.reply.sessions[i]);
            else
                row(c, &t, &e.reply.sessions[i], now);
        }
    } while (admin && e.reply.more && e.reply.n);
    if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    return status;
}

CLI_RUN(cmd_sessions)
{
    (void)a;
    return list_sessions(c, false);
}

CLI_RUN(cmd_admin_sessions)
{
    (void)a;
    return list_sessions(c, true);
}

static int session_number(struct cli *c, const char *word, uint64_t *ret)
{
    unsigned long long n;

    if (!args_number(word, 1, UINT64_MAX, &n))
        return cli_usage(c, "a session is named by its number", "roost sessions shows them");
    *ret = n;
    return CLI_OK;
}

CLI_RUN(cmd_sessions_end)
{
    uint64_t n = 0;
    int status = session_number(c, a->words[0], &n);
    return status ? status
                  : cli_do(c, roost_session_end(c->r, n), "sessions end", "Session %s has ended.",
                           a->words[0]);
}

CLI_RUN(cmd_sessions_bearer)
{
    struct roost_event e;
    const char *bearer = "";
    struct json j;
    int status = cli_call(c, roost_session_list(c->r), &e);

    (void)a;
    if (status)
        return status;
    for (size_t i = 0; i < e.reply.n; i++)
        if (e.reply.sessions[i].own)
            bearer = e.reply.sessions[i].bearer;
    if (!*bearer)
        return cli_fail(c, CLI_REFUSED, "the server gives no files by HTTPS",
                        "its setting is files.https");
    if (c->json) {
        json_begin(&j, &c->out);
        json_str(&j, "event", "bearer");
        json_str(&j, "bearer", bearer);
        json_end(&j);
    } else {
        buf_printf(&c->out, "Authorization: Bearer %s\n", bearer);
    }
    cli_flush(c);
    return CLI_OK;
}

CLI_RUN(cmd_admin_sessions_end)
{
    uint64_t n = 0;
    int status = session_number(c, a->words[0], &n);
    return status ? status
                  : cli_do(c, roost_admin_end_session(c->r, n), "admin sessions end",
                           "Session %s has ended.", a->words[0]);
}
