/* resolve.c - the names in a request become numbers before its handler runs.
 *
 * First the user, then the place. Names live in the store; the hub keeps no
 * second directory that could disagree with it.
 */
#include <string.h>

#include "hub/handlers_meet.h"

enum {
    STEP_USER = 1,
    STEP_PEER,
    STEP_ROOM,
    STEP_DIRECT,
    STEP_MEETING,
    STEP_WRONG_CODE,
};

/* The skeleton under which the store knows a name; NULL: it can be nobody's. */
static char *skeleton_of(struct hub *h, struct request *q, const char *name)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];

    if (name_check(&h->names, name, norm, sizeof norm, skeleton, sizeof skeleton) < 0)
        return NULL;
    return arena_str(&q->mem, skeleton);
}

static int look_up(struct hub *h, struct request *q, enum store_kind kind, const char *name,
                   int step, int err_none)
{
    const char *skeleton = skeleton_of(h, q, name);

    if (!skeleton)
        return err_none;
    struct store_op *op = request_look(h, q, kind);
    if (op)
        op->skeleton = arena_str(&op->mem, skeleton);
    q->step = step;
    return request_store(h, q, op);
}

static int find_direct(struct hub *h, struct request *q, uint64_t peer)
{
    struct store_op *op = request_look(h, q, STORE_ROOM_DIRECT);

    if (peer == q->account) {
        store_op_unref(op);
        return -ROOST_SELF;
    }
    if (op) {
        op->account.id = q->account;
        op->peer = peer;
    }
    q->step = STEP_DIRECT;
    return request_store(h, q, op);
}

/* By its code, a wrong one of which counts; with a secret only what proves wrong counts,
 * so that a link opens where guessing was stopped. code "": nobody has it. */
static int find_meeting(struct hub *h, struct request *q, uint64_t number, const char *code,
                        bool counts, int step)
{
    struct store_op *op = request_look(h, q, STORE_MEET_FIND);
    int err = op && counts ? meet_counts(h, q, op) : 0;

    if (op) {
        op->room.id = number;
        op->words = arena_str(&op->mem, code ? code : "");
        op->account.id = q->account;
    }
    if (err) {
        store_op_unref(op);
        return err;
    }
    q->step = step;
    return request_store(h, q, op);
}

static int on_meeting(struct hub *h, struct request *q, const struct store_result *r)
{
    struct want w = q->rule->want(q->msg);
    bool linked = w.secret && *w.secret;
    int err = r->err;

    if (!err && linked && !w.meeting && !meet_secret_is(h, r->room, w.secret))
        err = -ROOST_NO_SUCH_MEETING;
    if (err == -ROOST_NO_SUCH_MEETING && linked && !w.meeting)
        return find_meeting(h, q, 0, "", true, STEP_WRONG_CODE);
    if (err) {
        q->retry_after_ms = (uint64_t)r->retry_ms;
        return err;
    }
    q->room_id = r->room;
    q->meet_role = r->meet_role;
    q->by_link = linked && !w.meeting;
    q->by_code = !linked && !w.meeting;
    return 0;
}

static int find_place(struct hub *h, struct request *q)
{
    struct want w = q->rule->want(q->msg);
    const char *name = w.target ? w.target->name : "";
    bool bare = w.code && *w.code && !w.room && !w.meeting && !(w.secret && *w.secret);

    if (w.meeting || (w.code && *w.code && !w.room))
        return find_meeting(h, q, w.meeting, w.code, bare, STEP_MEETING);

    q->room_id = w.room ? w.room : w.target ? w.target->room : 0;
    if (q->room_id || !*name)
        return 0;
    if (strcmp(name, "*") == 0) {
        q->room_id = EVERYONE_ROOM;
        return 0;
    }
    if (*name == '@')
        return look_up(h, q, STORE_ACCOUNT_FIND, name + 1, STEP_PEER, -ROOST_NO_SUCH_USER);
    return look_up(h, q, STORE_ROOM_FIND, *name == '#' ? name + 1 : name, STEP_ROOM,
                   -ROOST_NO_SUCH_ROOM);
}

static void go_on(struct hub *h, struct request *q, int outcome)
{
    if (outcome) {
        request_settle(h, q, outcome);
        return;
    }
    q->step = 0;
    q->resolved = true;
    shard_enter(h, q);
}

static int start(struct hub *h, struct request *q)
{
    struct want w = q->rule->want(q->msg);

    if (!w.user)
        return find_place(h, q);
    return look_up(h, q, STORE_ACCOUNT_FIND, *w.user == '@' ? w.user + 1 : w.user, STEP_USER,
                   -ROOST_NO_SUCH_USER);
}

void resolve_start(struct hub *h, struct request *q)
{
    if (!q->rule->want) {
        if (q->guest && (q->rule->flags & RULE_HOME))
            q->room_id = q->guest_of;
        shard_enter(h, q);
    } else {
        go_on(h, q, start(h, q)); /* HUB_WAIT settles to nothing */
    }
}

bool resolve_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    int outcome = r->err;

    if (!q->rule->want || q->resolved)
        return false;
    if (q->step == STEP_MEETING) {
        go_on(h, q, on_meeting(h, q, r));
        return true;
    }
    if (q->step == STEP_WRONG_CODE)
        q->retry_after_ms = (uint64_t)r->retry_ms;
    switch (outcome ? 0 : q->step) {
    case STEP_USER:
        q->user_id = r->account_row.id;
        q->user_name = arena_str(&q->mem, r->account_row.name);
        outcome = q->user_name ? find_place(h, q) : -ROOST_NOMEM;
        break;
    case STEP_PEER:
        outcome = find_direct(h, q, r->account_row.id);
        break;
    case STEP_ROOM:
    case STEP_DIRECT:
        q->room_id = r->room;
        break;
    case STEP_WRONG_CODE:
        outcome = -ROOST_NO_SUCH_MEETING;
        break;
    default:
        break;
    }
    go_on(h, q, outcome);
    return true;
}
