/* meet_time.c - what becomes of a meeting by itself: somebody is lost, the host's place
 * goes to another, the code expires.
 */
#include <string.h>

#include "hub/meeting.h"

static bool is_in(const struct attendee *a)
{
    return a->row.state == ROOST__MEET_STATE__IN;
}

void meet_step_out(const struct meeting *m, struct meet_change *c, struct attendee *a,
                   Roost__MeetState to)
{
    (void)m;
    if (is_in(a) || to == ROOST__MEET_STATE__REMOVED)
        a->row.left_ms = (uint64_t)c->now_ms;
    if (is_in(a) && c->head.until_ms && (uint64_t)c->now_ms + MEET_CODE_MS > c->head.until_ms)
        c->head.until_ms = (uint64_t)c->now_ms +
                           MEET_CODE_MS; /* who only knocked changes nothing */
    a->row.state = to;
    a->row.hand_ms = a->row.share_ms = 0;
    a->row.away = a->row.recording = a->row.asked_unmute = a->row.asked_video = false;
    a->row.note = "";
    if (to != ROOST__MEET_STATE__OUT) {
        a->row.admitted = a->row.may_record = false;
        a->row.role = ROOST__MEET_ROLE__PARTICIPANT;
        a->sent_away_ms = c->now_ms;
    } else if (a->row.role == ROOST__MEET_ROLE__HOST) {
        a->row.role = ROOST__MEET_ROLE__PARTICIPANT; /* somebody else is host now, or nobody */
    }
    if (c->head.presenter == a->row.account)
        c->head.presenter = 0;
    if (c->head.spotlight == a->row.account)
        c->head.spotlight = 0;
}

void meet_step_in(const struct meeting *m, struct meet_change *c, struct attendee *a)
{
    bool hushed = (m->head.mute_on_entry || m->head.mics_locked) &&
                  a->row.role < ROOST__MEET_ROLE__COHOST;

    a->row.state = ROOST__MEET_STATE__IN;
    a->row.admitted = true;
    a->sent_away_ms = 0;
    a->row.in_ms = (uint64_t)c->now_ms;
    a->row.left_ms = 0;
    a->row.note = "";
    a->row.muted = a->row.muted || hushed;
}

/* --- succession ------------------------------------------------------------------------ */

/* Co-hosts before accounts before guests, the longest in first. */
static int place_in_line(const struct attendee *a)
{
    return a->row.role == ROOST__MEET_ROLE__COHOST ? 0 : a->row.guest ? 2 : 1;
}

static bool before(const struct attendee *a, const struct attendee *b)
{
    int x = place_in_line(a), y = place_in_line(b);

    if (x != y)
        return x < y;
    return a->row.in_ms != b->row.in_ms ? a->row.in_ms < b->row.in_ms
                                        : a->row.account < b->row.account;
}

/* As it will be: those who leave in the same change are no longer in. */
static const struct attendee *as_changed(const struct meet_change *c, const struct attendee *a)
{
    for (const struct meet_edit *e = c->edits; e; e = e->next)
        if (e->a.row.account == a->row.account)
            return &e->a;
    return a;
}

static const struct attendee *next_in_line(const struct meeting *m, const struct meet_change *c)
{
    const struct attendee *best = NULL;
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = as_changed(c, s->value);
        if (is_in(a) && a->row.role != ROOST__MEET_ROLE__VIEWER && (!best || before(a, best)))
            best = a;
    }
    return best;
}

void meet_succeed(const struct meeting *m, struct meet_change *c, uint64_t named)
{
    const struct attendee *next = named ? meeting_attendee(m, named) : next_in_line(m, c);

    c->head.host = 0;
    c->head.fresh_until_ms = 0;
    if (!next)
        return;
    struct attendee *a = meet_edit(m, c, next->row.account);
    a->row.role = ROOST__MEET_ROLE__HOST;
    c->head.host = a->row.account;
    if (a->row.account != c->head.first_host)
        c->head.fresh_until_ms = (uint64_t)(c->now_ms + MEET_FRESH_MS);
}

/* --- ticks --------------------------------------------------------------------------------- */

static int64_t grace_us(const struct meeting *m, const struct attendee *a)
{
    if (a->row.state == ROOST__MEET_STATE__WAITING)
        return MEET_LOBBY_GRACE_US;
    return a->row.account == m->head.host ? MEET_HOST_GRACE_US : MEET_GRACE_US;
}

/* The code opens nothing any more, and nobody is in: the meeting is over. */
static bool expired(const struct meeting *m, int64_t now_ms)
{
    return !m->head.ended && !m->n_in && m->head.until_ms && (int64_t)m->head.until_ms <= now_ms;
}

int64_t meet_due_us(const struct meeting *m, int64_t now_us, int64_t now_ms)
{
    int64_t due = expired(m, now_ms) ? now_us : INT64_MAX;
    struct map_slot *s;

    if (!m->head.ended && m->keep_us)
        due = m->keep_us < due ? m->keep_us : due;

    for (size_t i = 0; !m->head.ended && (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        int64_t at = a->lost_us + grace_us(m, a);
        if (attendee_present(a) && !a->here && at < due)
            due = at;
    }
    return due;
}

static void expire(const struct meeting *m, struct meet_change *c)
{
    struct map_slot *s;

    c->action = ROOST__MEET_ACTION__EXPIRED;
    c->head.ended = true;
    c->head.host = 0;
    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (attendee_present(a))
            meet_step_out(m, c, meet_edit(m, c, a->row.account), ROOST__MEET_STATE__OUT);
    }
    for (struct meet_edit *e = c->edits; e; e = e->next)
        e->quiet = true;
}

/* What was measured of who is in, so that a server that is killed takes little of it along. */
static void keep_summaries(const struct meeting *m, struct meet_change *c)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (is_in(a) && a->past && as_changed(c, a) == a)
            meet_edit(m, c, a->row.account);
    }
}

/* Who waited is nobody's news but the hosts'; nor is what was only kept. */
static void hush(const struct meeting *m, struct meet_change *c)
{
    for (struct meet_edit *e = c->edits; e; e = e->next) {
        const struct attendee *was = meeting_attendee(m, e->a.row.account);
        e->quiet = was && (!is_in(was) || is_in(&e->a));
    }
}

int meet_tick(const struct meeting *m, int64_t now_us, struct meet_change *c)
{
    struct map_slot *s;
    bool host_lost = false;

    if (m->head.ended)
        return 1;
    if (expired(m, c->now_ms)) {
        expire(m, c);
        return c->err;
    }
    c->event = false;
    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (!attendee_present(a) || a->here || now_us < a->lost_us + grace_us(m, a))
            continue;
        bool was_in = is_in(a);
        host_lost |= was_in && a->row.account == m->head.host;
        meet_step_out(m, c, meet_edit(m, c, a->row.account), ROOST__MEET_STATE__OUT);
        c->event |= was_in;
    }
    if (m->keep_us && now_us >= m->keep_us)
        keep_summaries(m, c);
    if (!c->n_edits && !c->err)
        return 1;
    hush(m, c);
    c->action = ROOST__MEET_ACTION__LOST;
    if (host_lost)
        meet_succeed(m, c, 0);
    return c->err;
}
