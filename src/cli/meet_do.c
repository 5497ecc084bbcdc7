/* meet_do.c - what is typed in a meeting, or written by a program: each line is one
 * request at most, and is answered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/meet_explain.h"
#include "cli/meet_in.h"
#include "cli/meet_show.h"
#include "cli/text.h"

/* --- answers ---------------------------------------------------------------------------- */

/* {"event": "reply", …}: begun; the caller ends it. */
static void reply_begin(struct meet *m, struct json *j, const char *cmd, const char *id,
                        bool id_is_string, const struct roost_error *e)
{
    json_begin(j, &m->c->out);
    json_str(j, "event", "reply");
    if (id && !id_is_string)
        json_raw(j, "id", id);
    else
        json_str(j, "id", id);
    json_str(j, "cmd", cmd);
    json_bool(j, "ok", !e);
    if (!e) {
        json_null(j, "error");
        return;
    }
    json_open(j, "error", '{');
    json_u64(j, "code", (uint64_t)e->code);
    json_str(j, "name", e->name);
    json_str(j, "text", e->text);
    json_str(j, "advice", e->advice);
    json_u64(j, "retry_after_ms", e->retry_after_ms);
    json_close(j, '}');
}

static void refuse(struct meet *m, const struct meet_cmd *cmd, const struct roost_error *e)
{
    struct json j;

    if (!m->c->json) {
        cli_fail_error(m->c, e, NULL);
        return;
    }
    reply_begin(m, &j, cmd->name, cmd->id, cmd->id_is_string, e);
    json_end(&j);
}

static void refuse_line(struct meet *m, const struct meet_cmd *cmd)
{
    struct roost_error e = { 0, "usage", cmd->wrong, cmd->advice, 0 };

    if (m->c->json)
        refuse(m, cmd, &e);
    else
        cli_usage(m->c, cmd->wrong, cmd->advice);
}

static void forget(struct meet *m, size_t i)
{
    free(m->asked[i].name);
    free(m->asked[i].id);
    free(m->asked[i].user);
    m->asked[i] = m->asked[--m->n_asked];
}

void meet_asked_fini(struct meet *m)
{
    while (m->n_asked)
        forget(m, 0);
}

static bool leaves(const struct meet_asked *a)
{
    return a->what == MEET_DO_ACT && a->action == ROOST_ACT_LEAVE;
}

static void answer_json(struct meet *m, const struct meet_asked *a, const struct roost_event *e)
{
    bool refused = e->kind == ROOST_REFUSED;
    struct buf text = { 0 }, advice = { 0 };
    struct roost_error why;
    struct json j;

    if (refused)
        why = cli_fit(m->c, &e->error, &text, &advice);
    reply_begin(m, &j, a->name, a->id, a->id_is_string, refused ? &why : NULL);
    if (!refused && e->reply.done.room && e->reply.done.seq)
        json_id(&j, "ref", e->reply.done.room, e->reply.done.seq);
    else
        json_null(&j, "ref");
    json_end(&j);
    buf_fini(&text);
    buf_fini(&advice);
}

/* No event tells those who did it of this. */
static void echo(struct meet *m, const struct meet_asked *a)
{
    struct buf b = { 0 };

    if (a->what == MEET_DO_ACT && a->action == ROOST_ACT_MESSAGE) {
        buf_printf(&b, "you wrote to %s", a->user ? a->user : "all who wait in the lobby");
        meet_line(&m->show, 0, buf_str(&b), &m->c->out);
    }
    buf_fini(&b);
}

static void answer(struct meet *m, const struct meet_asked *a, const struct roost_event *e)
{
    struct meet_tried tried = { .what = a->what,
                                .action = a->action,
                                .user = a->user,
                                .waits = !m->in,
                                .there = meet_there(m) };

    m->c->tried = &tried;
    if (m->c->json)
        answer_json(m, a, e);
    else if (e->kind == ROOST_REFUSED)
        cli_fail_error(m->c, &e->error, NULL);
    else
        echo(m, a);
    m->c->tried = NULL;
}

/* Who has no place any more has left; but it may be the named successor who has none. */
static bool has_left(const struct meet_asked *a, const struct roost_event *e)
{
    return leaves(a) &&
           (e->kind == ROOST_REPLY || (e->error.code == ROOST_E_NOT_IN_MEETING && !a->user));
}

bool meet_answered(struct meet *m, const struct roost_event *e)
{
    size_t i = 0;

    while (i < m->n_asked && m->asked[i].request != e->request)
        i++;
    if (i == m->n_asked)
        return false;
    bool left = has_left(&m->asked[i], e);
    answer(m, &m->asked[i], e);
    if (leaves(&m->asked[i]))
        m->leaving = false;
    forget(m, i);
    if (left)
        meet_over(m, CLI_OK, "left");
    return true;
}

static void await(struct meet *m, const struct meet_cmd *cmd, int64_t request)
{
    struct meet_asked *a = &m->asked[m->n_asked];

    if (request < 0) {
        struct roost_error e = roost_error_get((int)request);
        refuse(m, cmd, &e);
        return;
    }
    *a = (struct meet_asked){ .request = request,
                              .name = strdup(cmd->name),
                              .id = cmd->id ? strdup(cmd->id) : NULL,
                              .id_is_string = cmd->id_is_string,
                              .what = cmd->what,
                              .action = cmd->action,
                              .user = cmd->user ? strdup(cmd->user) : NULL };
    m->leaving = m->leaving || leaves(a);
    m->n_asked++;
}

/* --- commands ----------------------------------------------------------------------------- */

static int64_t say(struct meet *m, const char *text)
{
    char room[24];

    snprintf(room, sizeof room, "%llu", (unsigned long long)m->meeting);
    return roost_message_say(m->c->r, room, text, 0, false);
}

static int64_t act(struct meet *m, const struct meet_cmd *cmd)
{
    return roost_meet_act(m->c->r, &(struct roost_act){ .meeting = m->meeting,
                                                        .action = cmd->action,
                                                        .user = cmd->user,
                                                        .text = cmd->text });
}

static void who(struct meet *m, const struct meet_cmd *cmd)
{
    const struct roost_ticket *t = meet_there(m);
    struct json j;

    if (!m->c->json) {
        if (t && m->in)
            meet_roster(&m->show, t, &m->c->out);
        else
            cli_say(m->c, "You are waiting in the lobby.");
        return;
    }
    reply_begin(m, &j, cmd->name, cmd->id, cmd->id_is_string, NULL);
    meet_json_attendees(&j, "attendees", t ? t->attendees : NULL, t ? t->n_attendees : 0, true);
    meet_json_attendees(&j, "waiting", t ? t->waiting : NULL, t ? t->n_waiting : 0, true);
    json_end(&j);
}

static void link_of(struct meet *m, const struct meet_cmd *cmd)
{
    const struct roost_ticket *t = meet_there(m);
    struct buf link = { 0 }, code = { 0 };
    struct json j;

    if (t && *t->meeting.code)
        meet_link_put(&link, roost_server(m->c->r), t->meeting.code, t->secret);
    if (t)
        meet_code(&code, t->meeting.code);
    if (m->c->json) {
        reply_begin(m, &j, cmd->name, cmd->id, cmd->id_is_string, NULL);
        json_str(&j, "code", t && *t->meeting.code ? t->meeting.code : NULL);
        json_str(&j, "link", link.len ? buf_str(&link) : NULL);
        json_end(&j);
    } else if (link.len) {
        cli_say(m->c, "code  %s", buf_str(&code));
        cli_say(m->c, "link  %s%s", buf_str(&link),
                *t->secret ? "" : "  (the host has the whole one)");
    } else {
        cli_say(m->c, "Only who is in knows the code.");
    }
    buf_fini(&link);
    buf_fini(&code);
}

static void help(struct meet *m, const struct meet_cmd *cmd)
{
    struct json j;

    if (!m->c->json) {
        buf_puts(&m->c->out, meet_slash_help);
        return;
    }
    reply_begin(m, &j, cmd->name, cmd->id, cmd->id_is_string, NULL);
    json_str(&j, "text", meet_slash_help);
    json_end(&j);
}

static void run(struct meet *m, const struct meet_cmd *cmd, const char *line)
{
    struct meet_cmd end = *cmd;

    if (m->rehearsal.on && cmd->what == MEET_DO_ACT && cmd->action == ROOST_ACT_LEAVE) {
        end.action = ROOST_ACT_END; /* nobody is left who could */
        cmd = &end;
    }
    switch (cmd->what) {
    case MEET_DO_NOTHING:
        if (m->voice.on)
            meet_voice_do(m, cmd);
        break;
    case MEET_DO_VERIFY:
    case MEET_DO_FIGURES:
    case MEET_DO_TALK:
    case MEET_DO_HUSH:
    case MEET_DO_VOLUME:
        meet_voice_do(m, cmd);
        break;
    case MEET_DO_SAY:
        if (!m->c->json)
            line_wipe_typed(&m->line, line);
        await(m, cmd, say(m, cmd->text));
        break;
    case MEET_DO_ACT:
        if (cmd->action == ROOST_ACT_SELF_MUTE || cmd->action == ROOST_ACT_SELF_UNMUTE)
            meet_voice_hush(m, cmd->action == ROOST_ACT_SELF_MUTE);
        await(m, cmd, act(m, cmd));
        break;
    case MEET_DO_NOTE:
        await(m, cmd, roost_meet_note(m->c->r, m->meeting, 0, cmd->user, cmd->text));
        break;
    case MEET_DO_REACT:
        await(m, cmd, roost_meet_react(m->c->r, m->meeting, cmd->text));
        break;
    case MEET_DO_WHO:
        who(m, cmd);
        break;
    case MEET_DO_LINK:
        link_of(m, cmd);
        break;
    case MEET_DO_HELP:
        help(m, cmd);
        break;
    case MEET_DO_WRONG:
        refuse_line(m, cmd);
        break;
    }
}

void meet_typed(struct meet *m, const char *line)
{
    const struct roost_ticket *t = meet_there(m);
    struct meet_cmd cmd;
    struct arena a;

    arena_init(&a, 0);
    bool object = m->c->json && line[strspn(line, " \t")] == '{';
    int err = object ? meet_slash_json(&a, line, t, &cmd) : meet_slash_parse(&a, line, t, &cmd);
    if (!err && m->n_asked == MEET_ASKED_MAX)
        err = -ROOST_E_BUSY;
    if (err) {
        struct roost_error e = roost_error_get(err);
        cli_fail_error(m->c, &e, NULL);
    } else {
        run(m, &cmd, line);
    }
    arena_fini(&a);
    cli_flush(m->c);
}

void meet_leave(struct meet *m)
{
    static const struct meet_cmd leave = { .what = MEET_DO_ACT,
                                           .name = "leave",
                                           .action = ROOST_ACT_LEAVE };

    if (!m->leaving && !m->quit && m->n_asked < MEET_ASKED_MAX)
        run(m, &leave, "");
}
