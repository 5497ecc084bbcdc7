/* meet_door.c - who comes in, who waits, and who is turned away, as docs/ROLES.md has it. */
#include <string.h>

#include "hub/meeting.h"

enum way { REFUSED, WAIT, ENTER };

/* Banned: that account, or another name from its device, or a guest from a banned
 * guest's address. */
static bool is_banned(const struct meeting *m, const struct meet_comer *who)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (a->row.state != ROOST__MEET_STATE__EXCLUDED)
            continue;
        if (a->row.account == who->account ||
            (who->device && a->has_device && memcmp(a->device, who->device, 32) == 0) ||
            (who->guest && a->row.guest && who->source && *a->source &&
             strcmp(a->source, who->source) == 0))
            return true;
    }
    return false;
}

static bool is_host(const struct meeting *m, uint64_t account)
{
    return account && (account == m->head.host || account == m->head.first_host);
}

/* What the table says of those whom nothing forbids to come. */
static int way_of(const struct meeting *m, const struct meet_comer *who, enum way *ret)
{
    const struct attendee *a = meeting_attendee(m, who->account);
    bool was_in = a && a->row.admitted;
    bool sent_away = a && a->sent_away_ms;
    bool walks_in = who->room_role || (m->head.open && (!who->guest || who->by_link));

    *ret = ENTER;
    if (is_host(m, who->account) || was_in)
        return 0;
    if (m->head.locked)
        return -ROOST_MEET_LOCKED;
    *ret = walks_in && !sent_away ? ENTER : WAIT;
    return 0;
}

static bool is_full(const struct meeting *m)
{
    return m->attendees.n >= MEET_ATTENDEES_MAX;
}

static int room_for(const struct meeting *m, const struct meet_comer *who, enum way way,
                    int64_t now_ms)
{
    bool known = meeting_attendee(m, who->account) != NULL;

    if (way == ENTER ? m->n_in >= MEET_IN_MAX : m->n_waiting >= MEET_WAITING_MAX)
        return -ROOST_MEET_FULL;
    return !known && is_full(m) && !meet_oldest(m, now_ms) ? -ROOST_MEET_FULL : 0;
}

static int find_way(const struct meeting *m, const struct meet_comer *who, int64_t now_ms,
                    enum way *ret, uint64_t *ret_retry_ms)
{
    const struct attendee *a = meeting_attendee(m, who->account);

    if (m->head.ended)
        return -ROOST_MEET_ENDED;
    if (is_banned(m, who))
        return -ROOST_MEET_BANNED;
    if (a && a->row.state == ROOST__MEET_STATE__DENIED &&
        now_ms < a->sent_away_ms + MEET_DENIED_MS) {
        *ret_retry_ms = (uint64_t)(a->sent_away_ms + MEET_DENIED_MS - now_ms);
        return -ROOST_DENIED;
    }
    int err = way_of(m, who, ret);
    return err ? err : room_for(m, who, *ret, now_ms);
}

int meet_may_knock(const struct meeting *m, const struct meet_comer *who, int64_t now_ms,
                   uint64_t *ret_retry_ms)
{
    const struct attendee *a = meeting_attendee(m, who->account);
    enum way way;

    if (a && attendee_present(a) && !m->head.ended)
        return 0;
    return find_way(m, who, now_ms, &way, ret_retry_ms);
}

/* Owners and moderators of the room that a meeting is bound to look after it. */
static void role_by_room(struct attendee *a, const struct meet_comer *who)
{
    if (who->room_role > 1 + ROOST__ROOM_ROLE__MEMBER && a->row.role < ROOST__MEET_ROLE__COHOST)
        a->row.role = ROOST__MEET_ROLE__COHOST;
}

/* Whose place it is, or who finds it empty. */
static void host_if_none(struct meet_change *c, struct attendee *a)
{
    bool mine = c->head.host == a->row.account;

    if (!mine && (c->head.host || a->row.role == ROOST__MEET_ROLE__VIEWER))
        return;
    a->row.role = ROOST__MEET_ROLE__HOST;
    c->head.host = a->row.account;
    if (!mine)
        c->head.fresh_until_ms = a->row.account == c->head.first_host
                                     ? 0
                                     : (uint64_t)(c->now_ms + MEET_FRESH_MS);
}

static void know(struct meet_change *c, struct attendee *a, const struct meet_comer *who)
{
    a->row.name = meet_text(c, who->name);
    a->row.login = meet_text(c, who->login);
    a->skeleton = meet_text(c, who->skeleton);
    a->row.guest = who->guest;
    a->source = meet_text(c, who->source);
    a->has_device = who->device != NULL;
    if (who->device)
        memcpy(a->device, who->device, 32);
}

int meet_come(const struct meeting *m, const struct meet_comer *who, struct meet_change *c)
{
    const struct attendee *was = meeting_attendee(m, who->account);
    enum way way = REFUSED;
    uint64_t retry = 0;

    if (was && attendee_present(was) && !m->head.ended)
        return 1;
    int err = find_way(m, who, c->now_ms, &way, &retry);
    if (err)
        return err;
    struct attendee *a = was ? meet_edit(m, c, who->account) : meet_edit_new(c, who->account);
    know(c, a, who);
    if (!was && is_full(m)) /* whose row goes is a stranger when it comes again */
        meet_edit_drop(m, c, meet_oldest(m, c->now_ms));
    if (!a->row.came_ms)
        a->row.came_ms = (uint64_t)c->now_ms;
    c->who = who->account;
    if (way == WAIT) {
        a->row.state = ROOST__MEET_STATE__WAITING;
        a->row.left_ms = 0;
        c->event = false;
        c->edits->quiet = true;
        return c->err;
    }
    role_by_room(a, who);
    host_if_none(c, a);
    meet_step_in(m, c, a);
    return c->err;
}
