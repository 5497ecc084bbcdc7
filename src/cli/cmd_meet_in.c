/* cmd_meet_in.c - beside a meeting that one is in: who is there, and one act of a host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/meet.h"
#include "cli/meet_explain.h"
#include "cli/meet_show.h"
#include "cli/meet_words.h"
#include "cli/table.h"
#include "cli/when.h"

/* --- who ---------------------------------------------------------------------------------- */

static void json_row(struct cli *c, uint64_t meeting, const struct roost_attendee *a)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "attendee");
    json_u64(&j, "meeting", meeting);
    meet_json_attendee_fields(&j, a, true);
    json_end(&j);
}

static int who_now(struct cli *c, uint64_t meeting, const char *code)
{
    struct show show = cmd_show(c);
    struct roost_event e;
    int status = cli_call(c, roost_meet_who(c->r, meeting, code, false, 0), &e);

    if (status)
        return status;
    const struct roost_ticket *t = &e.reply.ticket;
    for (size_t i = 0; c->json && i < t->n_attendees; i++)
        json_row(c, t->meeting.meeting, &t->attendees[i]);
    for (size_t i = 0; c->json && i < t->n_waiting; i++)
        json_row(c, t->meeting.meeting, &t->waiting[i]);
    if (!c->json)
        meet_roster(&show, t, &c->out);
    return CLI_OK;
}

/* Quotes as RFC 4180 has them; a program for tables takes nothing for a formula. */
static void csv_cell(struct buf *b, const char *text)
{
    buf_puts(b, b->len && b->p[b->len - 1] != '\n' ? ",\"" : "\"");
    if (*text && strchr("=+-@\t\r", *text))
        buf_putc(b, '\'');
    for (; *text; text++) {
        if (*text == '"')
            buf_putc(b, '"');
        buf_putc(b, *text);
    }
    buf_putc(b, '"');
}

static void csv_time(struct buf *b, uint64_t ms)
{
    struct buf cell = { 0 };

    if (ms)
        when_rfc3339(&cell, (int64_t)ms);
    csv_cell(b, buf_str(&cell));
    buf_fini(&cell);
}

/* People call themselves in a meeting as they like: the account is what they are. */
static void csv_row(struct buf *b, const struct roost_attendee *a)
{
    char number[24];

    csv_cell(b, a->name);
    csv_cell(b, a->guest ? "guest" : "account");
    csv_cell(b, meet_role_name(a->role));
    csv_cell(b, meet_state_name(a->state));
    csv_time(b, a->came_ms);
    csv_time(b, a->left_ms);
    csv_cell(b, a->login);
    snprintf(number, sizeof number, "%llu", (unsigned long long)a->account);
    csv_cell(b, number);
    buf_puts(b, "\r\n");
}

static void time_cell(struct table *t, uint64_t ms)
{
    struct buf cell = { 0 };

    if (ms)
        when_short(&cell, (int64_t)ms, cli_now_ms(), cli_zone_s((int64_t)ms));
    table_add_buf(t, &cell);
    buf_fini(&cell);
}

static void table_row(struct table *t, const struct roost_attendee *a)
{
    table_add(t, a->name);
    table_add(t, a->guest ? "(guest)" : a->login);
    table_add(t, meet_role_name(a->role));
    table_add(t, meet_state_name(a->state));
    time_cell(t, a->came_ms);
    time_cell(t, a->left_ms);
}

static int attendance(struct cli *c, uint64_t meeting, const char *code, struct table *table,
                      struct buf *csv)
{
    struct roost_event e;
    uint64_t after = 0;
    size_t n;

    do {
        int status = cli_call(c, roost_meet_who(c->r, meeting, code, true, after), &e);
        if (status)
            return status;
        const struct roost_ticket *t = &e.reply.ticket;
        n = t->n_attendees;
        for (size_t i = 0; i < n; i++) {
            const struct roost_attendee *a = &t->attendees[i];
            after = a->account > after ? a->account : after;
            if (c->json)
                json_row(c, t->meeting.meeting, a);
            table_row(table, a);
            csv_row(csv, a);
        }
    } while (n);
    return CLI_OK;
}

static int write_csv(struct cli *c, const char *path, bool force, const struct buf *csv)
{
    if (csv->bad || !cmd_file_write(path, force, csv->p, csv->len))
        return cli_fail(c, CLI_REFUSED, "the list could not be written",
                        "check the name of the file");
    if (strcmp(path, "-") != 0)
        cli_say(c, "The list of attendance is in %s.", path);
    return CLI_OK;
}

static int who_ever(struct cli *c, uint64_t meeting, const char *code, const char *path, bool force)
{
    static const char *const heads[] = { "NAME", "ACCOUNT", "ROLE", "STATE", "CAME", "LEFT" };
    struct buf csv = { 0 };
    struct table t;

    table_init(&t, heads, 6);
    buf_puts(&csv, "name,kind,role,state,came,left,account,number\r\n");
    int status = attendance(c, meeting, code, &t, &csv);
    if (!status && path)
        status = write_csv(c, path, force, &csv);
    else if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    buf_fini(&csv);
    return status;
}

/* "#12": by its number, also when it has ended and has no code any more. */
bool meet_number(const char *word, uint64_t *ret)
{
    unsigned long long n;

    if (*word != '#' || !args_number(word + 1, 1, UINT64_MAX / 10, &n))
        return false;
    *ret = n;
    return true;
}

CLI_RUN(cmd_meet_who)
{
    static const struct meet_tried looks = { .what = MEET_DO_WHO, .outside = true };
    const char *csv = args_value(a, "csv");
    bool force = args_has(a, "force");
    struct meet_link door = { 0 };
    uint64_t meeting = 0;
    bool by_number = a->n_words == 1 && meet_number(a->words[0], &meeting);

    if (by_number && args_has(a, "name"))
        return cli_usage(c, "guests are known by the code of their meeting, not by its number",
                         "roost meet who CODE --name NAME");
    int status = by_number ? CLI_OK : meet_door(c, a, &door, NULL);
    if (!status)
        status = cmd_file_free(c, csv, force);

    if (!status)
        status = meet_open_again(c, a, &door, args_value(a, "name"));
    c->tried = &looks;
    if (!status)
        status = csv || args_has(a, "all") ? who_ever(c, meeting, door.code, csv, force)
                                           : who_now(c, meeting, door.code);
    c->tried = NULL;
    cli_flush(c);
    return status;
}

/* --- host --------------------------------------------------------------------------------- */

static int unknown(struct cli *c)
{
    struct buf advice = { 0 };
    const struct meet_word *w;

    buf_puts(&advice, "one of:");
    for (size_t i = 0; (w = meet_word_at(i)); i++)
        if (!w->own)
            buf_printf(&advice, " %s", w->name);
    int status = cli_usage(c, "no host can do this", buf_str(&advice));
    buf_fini(&advice);
    return status;
}

/* What follows the action: a name, a text, both or none. */
static int read_act(struct cli *c, const struct meet_word *w, const char **words, size_t n,
                    struct roost_act *act, char **ret_text)
{
    bool both = w->takes == MEET_MAYBE_USER_TEXT;

    if (w->takes == MEET_NONE && n)
        return cli_usage(c, "nothing goes behind this action", "roost meet host --help");
    if ((w->takes == MEET_USER || both || w->takes == MEET_TEXT) && !n)
        return cli_usage(c, w->takes == MEET_USER ? "say whom" : "the text is missing",
                         "roost meet who CODE shows who is there; roost meet host --help");
    if (w->takes == MEET_USER && n > 1)
        return cli_usage(c, "that is too much", "a name with spaces stands in \"quotes\"");
    if (w->takes == MEET_USER || (both && n > 1)) {
        act->user = *words++;
        n--;
    }
    if (!n)
        return CLI_OK;
    act->text = *ret_text = cmd_join(words, n);
    return act->text ? CLI_OK : CLI_REFUSED;
}

/* Why depends on how the meeting stands: looked at now, as the view always sees it. */
static int explain(struct cli *c, struct meet_tried *tried, const char *code,
                   const struct roost_error *e)
{
    struct roost_error why = *e; /* its words go with the next event */
    char *name = strdup(e->name), *text = strdup(e->text), *advice = strdup(e->advice);
    struct roost_event look = { 0 };
    int status = CLI_OK;

    why.name = name ? name : "";
    why.text = text ? text : "";
    why.advice = advice ? advice : "";
    bool unseen = cli_refused(c, roost_meet_who(c->r, 0, code, false, 0), &look, &status);
    if (!unseen && !status && look.reply.ticket.you.state == ROOST_IS_IN)
        tried->there = &look.reply.ticket;
    c->tried = tried;
    if (!status)
        status = cli_fail_error(c, &why, NULL);
    c->tried = NULL;
    free(name);
    free(text);
    free(advice);
    return status;
}

static int act_once(struct cli *c, const struct meet_word *w, const struct roost_act *act)
{
    struct meet_tried tried = {
        .what = MEET_DO_ACT, .action = w->action, .user = act->user, .outside = true
    };
    struct roost_event e = { 0 };
    int status = CLI_OK;

    if (cli_refused(c, roost_meet_act(c->r, act), &e, &status))
        return explain(c, &tried, act->code, &e.error);
    if (!status)
        cli_did(c, &e.reply, "meet host", "Done: %s%s%s.", w->name, act->user ? " " : "",
                act->user ? act->user : "");
    return status;
}

CLI_RUN(cmd_meet_host)
{
    const struct meet_word *w = NULL;
    struct meet_link door = { 0 };
    struct roost_act act = { .code = door.code };
    char *text = NULL;
    size_t at = 1;
    int status = meet_door(c, a, &door, &at);

    if (!status && at < a->n_words)
        w = meet_word_find(a->words[at]);
    if (!status && (!w || w->own))
        return unknown(c);
    if (!status)
        status = read_act(c, w, a->words + at + 1, a->n_words - at - 1, &act, &text);
    if (!status)
        status = meet_open_again(c, a, &door, args_value(a, "name"));
    if (!status) {
        act.action = w->action;
        status = act_once(c, w, &act);
    }
    free(text);
    return status;
}
