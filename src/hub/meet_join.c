/* meet_join.c - somebody comes in, waits, or comes back to the place that was kept. */
#include <string.h>

#include "hub/handlers_meet.h"

/* By its number a meeting is there only for those who know it. */
static bool knows(const struct request *q, const struct meeting *m)
{
    return q->by_code || q->by_link || q->meet_role || meeting_attendee(m, q->account);
}

static int comer_fill(struct hub *h, struct request *q, const struct meeting *m,
                      struct meet_comer *who)
{
    const struct conn *c = request_conn(h, q);
    const struct attendee *a = meeting_attendee(m, q->account);

    *who = (struct meet_comer){ .account = q->account,
                                .guest = q->guest,
                                .login = q->guest ? "" : q->name,
                                .by_link = q->by_link,
                                .by_code = q->by_code,
                                .room_role = q->meet_role,
                                .device = c ? c->device : NULL,
                                .source = q->source };
    /* who has been here is called as it was, if that is free */
    return meet_name_free(h, q, m, q->account, a ? a->row.name : q->name, &who->name,
                          &who->skeleton);
}

int meet_join_on_message(struct hub *h, struct request *q)
{
    const struct meeting *m = q->room->meeting;
    struct meet_change *c = arena_get(&q->mem, sizeof *c);
    struct meet_comer who;

    if (!c)
        return -ROOST_NOMEM;
    if (!knows(q, m) || (q->guest && q->guest_of != q->room_id))
        return -ROOST_NO_SUCH_MEETING;
    int err = comer_fill(h, q, m, &who);
    if (!err)
        err = meet_may_knock(m, &who, h->now.wall_ms, &q->retry_after_ms);
    if (err)
        return err;
    meet_change_begin(c, &q->mem, m, ROOST__MEET_ACTION__CAME, q->account, h->now.wall_ms);
    err = meet_come(m, &who, c);
    if (err == 1) { /* is there already: another device, or back after a broken connection */
        meet_attach(h, q);
        return meet_reply_ticket(h, q, m);
    }
    if (!err) /* each knock is stored, and rings the hosts' bell */
        err = speed_check(h, q);
    return err ? err : meet_store(h, q, c);
}

int meet_join_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (!r->dup)
        meet_changed(h, q, r);
    meet_attach(h, q);
    return meet_reply_ticket(h, q, q->room->meeting);
}
