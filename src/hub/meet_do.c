/* meet_do.c - what those in a meeting do: one request for every action of meet_rules.c. */
#include <string.h>

#include "hub/handlers_meet.h"

/* The person that is meant: by number, or by the name in the meeting. One who is present
 * comes before one who has left. */
static uint64_t person_named(struct hub *h, const struct meeting *m, const char *name)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    const struct attendee *gone = NULL;
    struct map_slot *s;

    const struct attendee *numbered = meeting_attendee(m, meet_name_number(name));
    if (numbered)
        return numbered->row.account;
    if (*name == '@')
        name++;
    if (meet_name_check(h, name, norm, skeleton) < 0)
        return 0;
    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (strcmp(a->skeleton, skeleton) != 0)
            continue;
        if (attendee_present(a))
            return a->row.account;
        if (!gone || a->row.left_ms > gone->row.left_ms)
            gone = a;
    }
    return gone ? gone->row.account : 0;
}

static int ask_fill(struct hub *h, struct request *q, const struct meeting *m, struct meet_ask *ask)
{
    const Roost__MeetAct *b = q->msg->meet_act;

    *ask = (struct meet_ask){
        .action = b->action, .by = q->account, .who = b->account, .text = b->text
    };
    if (!ask->who && *b->user) {
        ask->who = person_named(h, m, b->user);
        if (!ask->who)
            return -ROOST_NOT_IN_MEETING;
    }
    return 0;
}

/* The rules say whether one may; here is said what names there can be. */
static int name_fill(struct hub *h, struct request *q, struct meet_ask *ask)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];

    if (ask->action != ROOST__MEET_ACTION__RENAME ||
        meet_name_check(h, ask->text, norm, skeleton) < 0)
        return 0; /* the rules refuse a rename without a name */
    if (meet_name_reserved(h, skeleton))
        return -ROOST_NAME_TAKEN;
    ask->name = arena_str(&q->mem, norm);
    ask->skeleton = arena_str(&q->mem, skeleton);
    return ask->name && ask->skeleton ? 0 : -ROOST_NOMEM;
}

/* "mute ann", for the log. */
static void log_about(struct request *q, const struct meeting *m, const struct meet_ask *ask)
{
    const struct attendee *a = meeting_attendee(m, ask->who);
    const char *name = a ? a->row.name : "", *action = meet_action_name(ask->action);
    char *text = arena_get(&q->mem, strlen(action) + strlen(name) + 2);

    if (text)
        strcat(strcat(strcpy(text, action), *name ? " " : ""), name);
    q->about = text;
}

static int act(struct hub *h, struct request *q, const struct meet_ask *ask)
{
    const struct meeting *m = q->room->meeting;
    struct meet_change *c = arena_get(&q->mem, sizeof *c);

    if (!c)
        return -ROOST_NOMEM;
    meet_change_begin(c, &q->mem, m, ask->action, q->account, h->now.wall_ms);
    int err = meet_act(m, ask, c);
    return err ? err : meet_store(h, q, c);
}

/* Renaming oneself or another: an account may have that name already. */
static bool name_may_be_taken(const struct request *q, const struct meet_ask *ask)
{
    const struct meeting *m = q->room->meeting;
    const struct attendee *a = meeting_attendee(m, ask->who ? ask->who : ask->by);

    return ask->name && a && strcmp(a->skeleton, ask->skeleton) != 0;
}

static int look_for_account(struct hub *h, struct request *q, struct meet_ask *ask)
{
    struct store_op *op = request_look(h, q, STORE_ACCOUNT_FIND);

    if (op)
        op->skeleton = arena_str(&op->mem, ask->skeleton);
    q->state = ask;
    return request_store(h, q, op);
}

int meet_act_on_message(struct hub *h, struct request *q)
{
    const struct meeting *m = q->room->meeting;
    struct meet_ask *ask = arena_get(&q->mem, sizeof *ask);

    if (!ask)
        return -ROOST_NOMEM;
    if (!meeting_attendee(m, q->account))
        return q->by_code ? -ROOST_NOT_IN_MEETING : -ROOST_NO_SUCH_MEETING;
    int err = ask_fill(h, q, m, ask);
    if (!err)
        err = name_fill(h, q, ask);
    if (!err && ask->action != ROOST__MEET_ACTION__LEAVE) /* that is always possible */
        err = speed_check(h, q);
    if (err)
        return err;
    log_about(q, m, ask);
    return name_may_be_taken(q, ask) ? look_for_account(h, q, ask) : act(h, q, ask);
}

int meet_act_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (r->kind == STORE_ACCOUNT_FIND) {
        struct meet_ask *ask = q->state;
        uint64_t whose = ask->who ? ask->who : ask->by;
        if (r->err && r->err != -ROOST_NO_SUCH_USER)
            return r->err;
        if (!r->err && r->account_row.id != whose)
            return -ROOST_NAME_TAKEN;
        return act(h, q, ask);
    }
    if (r->err)
        return r->err;
    if (!r->dup)
        meet_changed(h, q, r);
    return reply_done(h, q, r);
}
