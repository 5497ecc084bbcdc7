/* cmd_meet.c - new meetings, and lists of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/ics.h"
#include "cli/json.h"
#include "cli/meet.h"
#include "cli/meet_show.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/when.h"

enum { HOUR_MS = 3600000 };

/* --- new -------------------------------------------------------------------------------- */

static int read_start(struct cli *c, const char *word, uint64_t *ret_ms)
{
    int64_t now = cli_now_ms(), ms;
    const char *error;

    if (when_parse_ahead(word, now, cli_zone_s(now), &ms, &error))
        return cli_usage(c, "this time is not understood", error);
    if (ms < now - HOUR_MS)
        return cli_usage(c, "this time is in the past",
                         "for example --at \"tomorrow 14:00\" or --at \"in 2 hours\"");
    *ret_ms = (uint64_t)ms;
    return CLI_OK;
}

static void describe(struct buf *b, const struct roost_meeting *m, const char *link)
{
    buf_printf(b, "Join with this link: %s\nor with the code ", link);
    meet_code(b, m->code);
    buf_printf(b, " on the same server: roost meet join %s", m->code);
}

static int write_ics(struct cli *c, const char *path, bool force, const struct roost_meeting *m,
                     const char *link)
{
    struct buf uid = { 0 }, about = { 0 }, out = { 0 };
    int64_t now = cli_now_ms();

    buf_printf(&uid, "meeting-%llu-%llu@%s", (unsigned long long)m->meeting,
               (unsigned long long)m->made_ms, roost_server(c->r));
    describe(&about, m, link);
    ics_put(&out, &(struct ics){ .uid = buf_str(&uid),
                                 .title = m->title,
                                 .description = buf_str(&about),
                                 .link = link,
                                 .now_ms = now,
                                 .starts_ms = m->starts_ms ? (int64_t)m->starts_ms : now,
                                 .length_ms = HOUR_MS });
    bool ok = !out.bad && cmd_file_write(path, force, out.p, out.len);
    buf_fini(&uid);
    buf_fini(&about);
    buf_fini(&out);
    if (ok)
        return CLI_OK;
    return cli_fail(c, CLI_REFUSED, "the calendar entry could not be written",
                    "the meeting is there all the same; check the name of the file");
}

void meet_tell_new(struct cli *c, const struct cli_args *a, const struct roost_ticket *t,
                   const char *link)
{
    const char *name = args_value(a, "name");
    struct buf code = { 0 }, when = { 0 };
    struct json j;

    if (c->json) {
        json_begin(&j, &c->out);
        json_str(&j, "event", "meeting");
        meet_json_meeting_fields(&j, &t->meeting);
        json_str(&j, "link", link);
        json_str(&j, "ics", args_value(a, "ics"));
        json_end(&j);
        return;
    }
    meet_code(&code, t->meeting.code);
    cli_say(c, "%s", t->meeting.title);
    if (t->meeting.starts_ms) {
        int64_t at = (int64_t)t->meeting.starts_ms;
        when_day(&when, at, cli_zone_s(at));
        struct when_parts p = when_split(at, cli_zone_s(at));
        cli_say(c, "  starts  %s, %02d:%02d", buf_str(&when), p.hour, p.minute);
    }
    if (t->meeting.bound_room)
        cli_say(c, "  room    #%s: its members walk in", t->meeting.bound_name);
    if (t->meeting.unsealed)
        cli_say(c, "  voices  " MEET_UNSEALED ": the server could listen");
    cli_say(c, "  code    %s", buf_str(&code));
    cli_say(c, "  link    %s", link);
    cli_say(c, "  join    roost meet join %s%s%s%s", t->meeting.code, name ? " --name \"" : "",
            name ? name : "", name ? "\"" : "");
    buf_fini(&code);
    buf_fini(&when);
}

static int after_new(struct cli *c, const struct cli_args *a, const struct roost_ticket *t)
{
    struct buf link = { 0 };
    const char *ics = args_value(a, "ics");
    int status = CLI_OK;

    meet_link_put(&link, roost_server(c->r), t->meeting.code, t->secret);
    if (args_value(a, "name") && roost_guest_keep(c->r, t->meeting.code))
        status = cli_fail(c, CLI_REFUSED, "your place as the host could not be kept on this device",
                          "check the home directory");
    bool to_stdout = ics && !strcmp(ics, "-");
    if (!to_stdout)
        meet_tell_new(c, a, t, buf_str(&link));
    if (ics && !status)
        status = write_ics(c, ics, args_has(a, "force"), &t->meeting, buf_str(&link));
    if (ics && !status && !to_stdout)
        cli_say(c, "  entry   %s: for your calendar", ics);
    cli_flush(c);
    buf_fini(&link);
    return status;
}

CLI_RUN(cmd_meet_new)
{
    const char *room = args_value(a, "room"), *at = args_value(a, "at");
    struct roost_meet_new what = { .title = args_value(a, "title"),
                                   .open = args_has(a, "open"),
                                   .forget_chat = args_has(a, "forget"),
                                   .sealed = args_has(a, "sealed"),
                                   .unsealed = args_has(a, "unsealed") };
    char *target = room ? cli_room_target(room) : NULL;
    struct roost_event e;
    int status = cmd_file_free(c, args_value(a, "ics"), args_has(a, "force"));

    if (!status && what.sealed && what.unsealed)
        status = cli_usage(c, "it is sealed end to end, or it is not",
                           "one of --sealed and --unsealed");
    if (!status && at)
        status = read_start(c, at, &what.starts_ms);

    what.room = target;
    if (!status)
        status = meet_open(c, a, NULL, args_value(a, "name"));
    if (!status)
        status = cli_call(c, roost_meet_new(c->r, &what), &e);
    if (!status)
        status = after_new(c, a, &e.reply.ticket);
    free(target);
    return status;
}

/* --- lists ------------------------------------------------------------------------------- */

static void json_meeting(struct cli *c, const struct roost_meeting *m)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "meeting");
    meet_json_meeting_fields(&j, m);
    json_null(&j, "link");
    json_null(&j, "ics");
    json_end(&j);
}

static void row(struct table *t, const struct roost_meeting *m)
{
    int64_t now = cli_now_ms(), at = (int64_t)(m->starts_ms ? m->starts_ms : m->made_ms);
    struct buf cell = { 0 };

    meet_code(&cell, m->code);
    table_add_buf(t, &cell);
    table_add(t, m->title);
    when_short(&cell, at, now, cli_zone_s(at));
    table_add_buf(t, &cell);
    if (m->bound_room)
        buf_printf(&cell, "#%s", m->bound_name);
    table_add_buf(t, &cell);
    meet_settings(&cell, m);
    table_add_buf(t, &cell);
    buf_fini(&cell);
}

static int list(struct cli *c, bool all)
{
    static const char *const heads[] = { "CODE", "TITLE", "WHEN", "ROOM", "STATE" };
    struct roost_event e;
    struct table t;
    uint64_t after = 0;
    size_t n = 0;
    int status;

    table_init(&t, heads, 5);
    do {
        status = cli_call(c, all ? roost_admin_meetings(c->r, after) : roost_meet_list(c->r, after),
                          &e);
        for (size_t i = 0; !status && i < e.reply.n; i++, n++) {
            after = e.reply.meetings[i].meeting;
            if (c->json)
                json_meeting(c, &e.reply.meetings[i]);
            else
                row(&t, &e.reply.meetings[i]);
        }
    } while (!status && e.reply.more && e.reply.n);
    if (!status && !c->json && n)
        table_print(&t, &c->out, c->columns, c->colour);
    if (!status && !n)
        cli_say(c,
                all ? "There are no meetings." : "You have no meetings. roost meet new makes one.");
    table_fini(&t);
    cli_flush(c);
    return status;
}

CLI_RUN(cmd_meet_list)
{
    (void)a;
    return list(c, false);
}

CLI_RUN(cmd_admin_meetings)
{
    (void)a;
    return list(c, true);
}
