/* Meetings that one has joined: a place is kept, whatever the wire does. */
#include <string.h>

#include "core_peer.h"

#define JOIN    ROOST__TO_SERVER__BODY_MEET_JOIN
#define SYNC    ROOST__TO_SERVER__BODY_SYNC
#define WHO     ROOST__TO_SERVER__BODY_MEET_WHO
#define GUEST   ROOST__TO_SERVER__BODY_GUEST
#define ACT     ROOST__TO_SERVER__BODY_MEET_ACT
#define IN      ROOST__MEET_STATE__IN
#define WAITING ROOST__MEET_STATE__WAITING
#define MEETING 8

static void ticket(struct peer *p, const Roost__ToServer *to, Roost__MeetState state, uint64_t head)
{
    Roost__Meeting m = ROOST__MEETING__INIT;
    Roost__Attendee you = ROOST__ATTENDEE__INIT, *in[] = { &you };
    Roost__Ticket t = ROOST__TICKET__INIT;
    Roost__Reply r = ROOST__REPLY__INIT;

    m.room = MEETING;
    m.code = (char *)"204816";
    you.account = 5;
    you.name = (char *)"anna";
    you.state = state;
    t.meeting = &m;
    t.you = &you;
    t.head = head;
    t.attendees = in;
    t.n_attendees = state == IN;
    r.result_case = ROOST__REPLY__RESULT_TICKET;
    r.ticket = &t;
    peer_reply(p, to, &r);
}

static void now(struct peer *p, Roost__MeetState state, Roost__MeetAction action)
{
    Roost__Attendee you = ROOST__ATTENDEE__INIT;
    Roost__MeetNow n = ROOST__MEET_NOW__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    you.account = 5;
    you.name = (char *)"anna";
    you.state = state;
    n.meeting = MEETING;
    n.you = &you;
    n.action = action;
    m.body_case = ROOST__TO_CLIENT__BODY_MEET_NOW;
    m.meet_now = &n;
    peer_push(p, &m);
}

static void met(struct peer *p, uint64_t seq, Roost__MeetAction action, bool ended)
{
    Roost__Meeting head = ROOST__MEETING__INIT;
    Roost__Attendee bea = ROOST__ATTENDEE__INIT, *rows[] = { &bea };
    Roost__Met what = ROOST__MET__INIT;
    Roost__Event e = ROOST__EVENT__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    head.room = MEETING;
    head.ended = ended;
    bea.account = 6;
    bea.name = (char *)"Bea";
    bea.state = IN;
    what.action = action;
    what.attendees = rows;
    what.n_attendees = 1;
    if (ended)
        what.meeting = &head;
    e.room = MEETING;
    e.seq = seq;
    e.what_case = ROOST__EVENT__WHAT_MET;
    e.met = &what;
    m.body_case = ROOST__TO_CLIENT__BODY_EVENT;
    m.event = &e;
    peer_push(p, &m);
}

/* Somebody's row changes. */
static void met_one(struct peer *p, uint64_t seq, uint64_t account, Roost__MeetRole role,
                    Roost__MeetAction action, Roost__MeetState state)
{
    Roost__Attendee row = ROOST__ATTENDEE__INIT, *rows[] = { &row };
    Roost__Met what = ROOST__MET__INIT;
    Roost__Event e = ROOST__EVENT__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    row.account = account;
    row.name = (char *)"somebody";
    row.state = state;
    row.role = role;
    what.action = action;
    what.attendees = rows;
    what.n_attendees = 1;
    e.room = MEETING;
    e.seq = seq;
    e.what_case = ROOST__EVENT__WHAT_MET;
    e.met = &what;
    m.body_case = ROOST__TO_CLIENT__BODY_EVENT;
    m.event = &e;
    peer_push(p, &m);
}

static void met_row(struct peer *p, uint64_t seq, uint64_t account, Roost__MeetRole role)
{
    met_one(p, seq, account, role, ROOST__MEET_ACTION__MAKE_COHOST, IN);
}

/* What was told before is past: the login's answer, say. */
static int64_t join(struct peer *p)
{
    while (core_next_event(p->core))
        continue;
    int64_t n = core_meet(p->core, "204816", "abc", 0, p->now_us);

    peer_pump(p);
    return n;
}

static int64_t leave_by(struct peer *p, uint64_t meeting, const char *code)
{
    Roost__MeetAct act = ROOST__MEET_ACT__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    act.meeting = meeting;
    act.code = (char *)code;
    act.action = ROOST__MEET_ACTION__LEAVE;
    m.body_case = ROOST__TO_SERVER__BODY_MEET_ACT;
    m.meet_act = &act;
    int64_t n = core_request(p->core, &m, p->now_us);
    CHECK(n > 0);
    peer_pump(p);
    return n;
}

static int64_t leave(struct peer *p)
{
    return leave_by(p, MEETING, "");
}

static void comes_in_and_follows_the_room(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = join(&p);
    CHECK(n > 0 && core_knows(p.core, n) && join(&p) == -ROOST_ALREADY);
    const Roost__ToServer *m = peer_find(&p, JOIN, 0);
    CHECK(m && !strcmp(m->meet_join->code, "204816") && !strcmp(m->meet_join->secret, "abc"));
    ticket(&p, m, IN, 20);
    CHECK(!core_roll(p.core, MEETING)); /* as of what was pulled */
    struct core_event *e = peer_next(&p, CORE_REPLY);
    CHECK(e && e->request == n && e->msg->reply->ticket);
    CHECK(core_roll(p.core, MEETING) && core_roll(p.core, MEETING)->n == 1);

    CHECK(peer_find(&p, SYNC, 0) && peer_find(&p, SYNC, 0)->sync->after == 20);
    peer_synced(&p, peer_find(&p, SYNC, 0), 20, 20, false);
    CHECK(!peer_next(&p, CORE_FOLLOWED)); /* nobody asked to follow */
    met(&p, 21, ROOST__MEET_ACTION__CAME, false);
    CHECK(core_roll(p.core, MEETING)->n == 1);
    e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->seq == 21 && core_roll(p.core, MEETING)->n == 2);
    peer_fini(&p);
}

/* Who comes back between the ticket and the Sync is told to nobody who does not follow
 * yet: so that is asked for. */
static void who_is_connected_is_asked_once_more(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 20);
    CHECK(peer_next(&p, CORE_REPLY) && !peer_find(&p, WHO, 0));
    peer_synced(&p, peer_find(&p, SYNC, 0), 20, 20, false);
    CHECK(peer_find(&p, WHO, 0) && peer_find(&p, WHO, 0)->meet_who->meeting == MEETING);
    ticket(&p, peer_find(&p, WHO, 0), IN, 20);
    struct core_event *e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->msg->body_case == ROOST__TO_CLIENT__BODY_MEET_HERE);
    CHECK(e->msg->meet_here->meeting == MEETING && e->msg->meet_here->n_attendees == 1);
    peer_fini(&p);
}

static void takes_the_place_again_then_syncs_from_its_cursor(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 20);
    peer_synced(&p, peer_find(&p, SYNC, 0), 20, 20, false);
    met(&p, 21, ROOST__MEET_ACTION__CAME, false);
    CHECK(peer_next(&p, CORE_PUSH));
    peer_cut(&p);
    int64_t down = p.now_us;
    peer_again(&p);
    CHECK(p.now_us - down < 2000000); /* as soon as there is a server */
    const Roost__ToServer *m = peer_find(&p, JOIN, 0);
    CHECK(m && m->meet_join->meeting == MEETING && !*m->meet_join->code);
    CHECK(!peer_find(&p, SYNC, 0)); /* not before the place is taken */
    ticket(&p, m, IN, 25);
    CHECK(peer_find(&p, SYNC, 0) && peer_find(&p, SYNC, 0)->sync->after == 21);
    struct core_event *e = peer_next(&p, CORE_TICKET);
    CHECK(e && e->request == 0 && e->room == MEETING && core_roll(p.core, MEETING)->n == 1);

    /* what was missed is told, but the ticket knew it */
    met(&p, 24, ROOST__MEET_ACTION__CAME, false);
    peer_synced(&p, peer_find(&p, SYNC, 0), 25, 25, false);
    CHECK(peer_next(&p, CORE_PUSH) && core_roll(p.core, MEETING)->n == 1);
    peer_fini(&p);
}

static void goes_on_waiting_and_comes_in_when_admitted(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), WAITING, 0);
    struct core_event *e = peer_next(&p, CORE_REPLY);
    CHECK(e && e->request == n && !peer_find(&p, SYNC, 0));
    peer_cut(&p);
    peer_again(&p);
    const Roost__ToServer *m = peer_find(&p, JOIN, 0);
    CHECK(m && !strcmp(m->meet_join->code, "204816") && !m->meet_join->meeting);
    ticket(&p, m, WAITING, 0);
    CHECK(peer_next(&p, CORE_TICKET));

    now(&p, WAITING, ROOST__MEET_ACTION__MESSAGE);
    CHECK(!peer_find(&p, JOIN, 1));
    now(&p, IN, ROOST__MEET_ACTION__ADMIT);
    CHECK(peer_find(&p, JOIN, 1));
    ticket(&p, peer_find(&p, JOIN, 1), IN, 30);
    CHECK(peer_find(&p, SYNC, 0) && peer_find(&p, SYNC, 0)->sync->after == 30);
    CHECK(peer_next(&p, CORE_TICKET) && core_roll(p.core, MEETING)->n == 1);
    peer_fini(&p);
}

static void who_is_put_out_stays_out(void)
{
    static const Roost__MeetState states[] = { ROOST__MEET_STATE__REMOVED,
                                               ROOST__MEET_STATE__EXCLUDED,
                                               ROOST__MEET_STATE__DENIED, ROOST__MEET_STATE__OUT };

    for (size_t i = 0; i < 4; i++) {
        struct peer p;
        peer_init(&p, NULL);
        peer_up(&p);
        join(&p);
        ticket(&p, peer_find(&p, JOIN, 0), i == 2 ? WAITING : IN, 0);
        now(&p, states[i], ROOST__MEET_ACTION__REMOVE);
        peer_cut(&p);
        peer_again(&p);
        CHECK(!peer_find(&p, JOIN, 0) && !peer_find(&p, SYNC, 0));
        CHECK(join(&p) > 0); /* unless one asks again */
        peer_fini(&p);
    }
}

/* By another window: its event says so. What was before the ticket is past. */
static void who_left_elsewhere_has_left(void)
{
    for (int past = 0; past < 2; past++) {
        struct peer p;
        peer_init(&p, NULL);
        peer_up(&p);
        join(&p);
        ticket(&p, peer_find(&p, JOIN, 0), IN, past ? 9 : 0);
        peer_synced(&p, peer_find(&p, SYNC, 0), past ? 9 : 0, past ? 9 : 0, false);
        met_one(&p, 1, 6, ROOST__MEET_ROLE__PARTICIPANT, ROOST__MEET_ACTION__LEAVE,
                ROOST__MEET_STATE__OUT); /* somebody else */
        met_one(&p, 2, 5, ROOST__MEET_ROLE__PARTICIPANT, ROOST__MEET_ACTION__LEAVE,
                ROOST__MEET_STATE__OUT);
        peer_cut(&p);
        peer_again(&p);
        CHECK(!peer_find(&p, JOIN, 0) == !past);
        peer_fini(&p);
    }
}

static void an_ended_meeting_is_not_asked_for_again(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0);
    peer_synced(&p, peer_find(&p, SYNC, 0), 0, 0, false);
    met(&p, 1, ROOST__MEET_ACTION__END, true);
    CHECK(peer_next(&p, CORE_PUSH));
    CHECK(roll_meeting(core_roll(p.core, MEETING))->ended);
    peer_cut(&p);
    peer_again(&p);
    CHECK(!peer_find(&p, JOIN, 0));
    peer_fini(&p);
}

static void who_leaves_is_out_once_it_is_done(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0);
    leave(&p);
    peer_cut(&p); /* it may have been done: it is asked, and no place taken before */
    peer_again(&p);
    CHECK(!peer_find(&p, JOIN, 0) && peer_find(&p, ACT, 0));
    peer_error(&p, peer_find(&p, ACT, 0), ROOST_NOT_IN_MEETING);
    CHECK(peer_find(&p, JOIN, 0)); /* a successor who is not there: stays */
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0);
    while (core_next_event(p.core)) /* the code is known from the ticket */
        continue;
    leave_by(&p, 0, "204816");
    peer_done(&p, peer_find(&p, ACT, 1), 0);
    peer_cut(&p);
    peer_again(&p);
    CHECK(!peer_find(&p, JOIN, 0));
    peer_fini(&p);
}

/* Logged out meanwhile, or thought better of: the leaving is not done, so one is in. */
static void a_leaving_that_is_never_asked_leaves_nothing(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0);
    leave(&p);
    peer_cut(&p);
    p.now_us = core_deadline_us(p.core);
    core_expire(p.core, p.now_us);
    peer_pump(&p);
    core_on_connected(p.core, p.now_us);
    peer_pump(&p);
    peer_welcome(&p);
    peer_error(&p, peer_find(&p, ROOST__TO_SERVER__BODY_RESUME, 0), ROOST_SESSION_OVER);
    CHECK(core_state(p.core) == CORE_AT_LOGIN && !peer_find(&p, ACT, 0));
    CHECK(core_login(p.core, "anna", "secret words", p.now_us) > 0);
    peer_pump(&p);
    peer_session(&p, peer_find(&p, ROOST__TO_SERVER__BODY_LOGIN, 0));
    CHECK(peer_find(&p, JOIN, 0));
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0);

    peer_cut(&p);
    int64_t n = leave(&p);
    core_cancel(p.core, n);
    peer_again(&p);
    CHECK(!peer_find(&p, ACT, 0) && peer_find(&p, JOIN, 0));
    peer_fini(&p);
}

static void refused_first_or_later(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = join(&p);
    peer_error(&p, peer_find(&p, JOIN, 0), ROOST_NO_SUCH_MEETING);
    struct core_event *e = peer_next(&p, CORE_REFUSED);
    CHECK(e && e->request == n && e->error->code == ROOST_NO_SUCH_MEETING);
    CHECK(!core_knows(p.core, n));

    n = join(&p);
    ticket(&p, peer_find(&p, JOIN, 1), IN, 0);
    peer_cut(&p);
    peer_again(&p);
    peer_error(&p, peer_find(&p, JOIN, 0), ROOST_BUSY); /* for now */
    CHECK(!peer_find(&p, JOIN, 1));
    p.now_us += CORE_RETRY_US;
    core_expire(p.core, p.now_us);
    peer_pump(&p);
    peer_error(&p, peer_find(&p, JOIN, 1), ROOST_MEET_ENDED);
    e = peer_next(&p, CORE_REFUSED);
    CHECK(e && e->request == n && e->error->code == ROOST_MEET_ENDED);
    peer_cut(&p);
    peer_again(&p);
    CHECK(!peer_find(&p, JOIN, 0));
    peer_fini(&p);
}

static void a_guest_logs_in_with_a_code(void)
{
    struct peer p;

    peer_init(&p, NULL);
    core_on_connected(p.core, p.now_us);
    peer_pump(&p);
    peer_welcome(&p);
    CHECK(core_state(p.core) == CORE_AT_LOGIN);
    CHECK(core_meet(p.core, "204816", NULL, 0, p.now_us) == -ROOST_LOGIN_NEEDED);
    CHECK(core_guest(p.core, "anna", "204816", "abc", false, p.now_us) > 0);
    int64_t n = join(&p); /* goes when the session is there */
    peer_pump(&p);
    const Roost__ToServer *m = peer_find(&p, GUEST, 0);
    CHECK(m && !strcmp(m->guest->secret, "abc") && m->guest->device.len == 32 && !m->guest->host);
    CHECK(n > 0 && !peer_find(&p, JOIN, 0));
    peer_session(&p, m);
    CHECK(core_state(p.core) == CORE_AT_READY && peer_find(&p, JOIN, 0));

    /* over another connection its session is resumed like any */
    ticket(&p, peer_find(&p, JOIN, 0), IN, 3);
    peer_cut(&p);
    peer_again(&p);
    CHECK(!peer_find(&p, GUEST, 0) && peer_find(&p, JOIN, 0));
    peer_fini(&p);
}

/* Only a ticket shows the lobby, so who becomes co-host asks for one. */
static void a_new_cohost_gets_a_new_ticket(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 20);
    peer_synced(&p, peer_find(&p, SYNC, 0), 20, 20, false);
    met_row(&p, 21, 6, ROOST__MEET_ROLE__COHOST); /* somebody else */
    met_row(&p, 22, 5, ROOST__MEET_ROLE__VIEWER);
    CHECK(!peer_find(&p, JOIN, 1));
    met_row(&p, 23, 5, ROOST__MEET_ROLE__COHOST);
    CHECK(peer_find(&p, JOIN, 1) && peer_find(&p, JOIN, 1)->meet_join->meeting == MEETING);
    ticket(&p, peer_find(&p, JOIN, 1), IN, 23);
    met_row(&p, 24, 5, ROOST__MEET_ROLE__HOST);
    struct core_event *e = peer_next(&p, CORE_TICKET);
    CHECK(e && roll_you(core_roll(p.core, MEETING)));
    peer_fini(&p);
}

static void what_is_not_answered_is_refused_or_cancelled(void)
{
    struct peer p;
    Roost__SessionOver over = ROOST__SESSION_OVER__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = join(&p);
    core_cancel(p.core, n);
    CHECK(!core_knows(p.core, n));
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0); /* nobody waits for it */
    CHECK(!core_next_event(p.core) && !peer_find(&p, SYNC, 0));
    n = join(&p);
    CHECK(n > 0);
    m.body_case = ROOST__TO_CLIENT__BODY_SESSION_OVER;
    m.session_over = &over;
    peer_push(&p, &m);
    struct core_event *e = peer_next(&p, CORE_REFUSED);
    CHECK(e && e->request == n && e->error->code == ROOST_SESSION_OVER);
    CHECK(core_meet(p.core, "204816", NULL, 0, p.now_us) == -ROOST_CLOSED);
    peer_fini(&p);
}

static void a_refusal_for_now_has_its_time(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), WAITING, 0);
    peer_cut(&p);
    peer_again(&p);
    peer_error(&p, peer_find(&p, JOIN, 0), ROOST_NOT_STORED);
    CHECK(core_deadline_us(p.core) == p.now_us + CORE_RETRY_US);
    p.now_us = core_deadline_us(p.core);
    core_expire(p.core, p.now_us);
    peer_pump(&p);
    CHECK(peer_find(&p, JOIN, 1));
    peer_done(&p, peer_find(&p, JOIN, 1), 0); /* no answer to this question */
    struct core_event *e = peer_next(&p, CORE_REFUSED);
    CHECK(e && e->error->code == ROOST_MALFORMED);
    peer_fini(&p);
}

static void one_meeting_by_two_names_is_one(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    join(&p);
    ticket(&p, peer_find(&p, JOIN, 0), IN, 0);
    CHECK(core_meet(p.core, NULL, NULL, MEETING, p.now_us) == -ROOST_ALREADY);
    int64_t n = core_meet(p.core, "999999", NULL, 0, p.now_us); /* it got a new code */
    peer_pump(&p);
    ticket(&p, peer_find(&p, JOIN, 1), IN, 0);
    struct core_event *e = NULL;
    while ((e = peer_next(&p, CORE_REPLY)) && e->request != n)
        continue;
    CHECK(e);
    peer_cut(&p);
    peer_again(&p);
    CHECK(peer_find(&p, JOIN, 0) && !peer_find(&p, JOIN, 1));
    core_meet_forget(p.core, MEETING);
    peer_cut(&p);
    peer_again(&p);
    CHECK(!peer_find(&p, JOIN, 0) && !core_roll(p.core, MEETING));
    peer_fini(&p);
}

static void what_cannot_be(void)
{
    struct peer p;
    char code[] = "1000";

    peer_init(&p, NULL);
    peer_up(&p);
    CHECK(core_meet(p.core, NULL, NULL, 0, p.now_us) == -ROOST_INVALID);
    CHECK(core_meet(p.core, "1234567890123456", NULL, 0, p.now_us) == -ROOST_INVALID);
    for (int i = 0; i < CORE_MEETS_MAX; i++) {
        code[3] = (char)('0' + i);
        CHECK(core_meet(p.core, code, NULL, 0, p.now_us) > 0);
    }
    CHECK(core_meet(p.core, "2000", NULL, 0, p.now_us) == -ROOST_LIMIT);
    peer_fini(&p);
}

TEST_MAIN({ "comes_in_and_follows_the_room", comes_in_and_follows_the_room },
          { "who_is_connected_is_asked_once_more", who_is_connected_is_asked_once_more },
          { "takes_the_place_again_then_syncs_from_its_cursor",
            takes_the_place_again_then_syncs_from_its_cursor },
          { "goes_on_waiting_and_comes_in_when_admitted",
            goes_on_waiting_and_comes_in_when_admitted },
          { "who_is_put_out_stays_out", who_is_put_out_stays_out },
          { "who_left_elsewhere_has_left", who_left_elsewhere_has_left },
          { "an_ended_meeting_is_not_asked_for_again", an_ended_meeting_is_not_asked_for_again },
          { "who_leaves_is_out_once_it_is_done", who_leaves_is_out_once_it_is_done },
          { "a_leaving_that_is_never_asked_leaves_nothing",
            a_leaving_that_is_never_asked_leaves_nothing },
          { "refused_first_or_later", refused_first_or_later },
          { "a_guest_logs_in_with_a_code", a_guest_logs_in_with_a_code },
          { "a_new_cohost_gets_a_new_ticket", a_new_cohost_gets_a_new_ticket },
          { "what_is_not_answered_is_refused_or_cancelled",
            what_is_not_answered_is_refused_or_cancelled },
          { "a_refusal_for_now_has_its_time", a_refusal_for_now_has_its_time },
          { "one_meeting_by_two_names_is_one", one_meeting_by_two_names_is_one },
          { "what_cannot_be", what_cannot_be })
