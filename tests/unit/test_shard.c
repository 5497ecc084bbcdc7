/* test_shard.c - requests that wait in their room are all answered, whatever becomes of it. */
#include "base/err.h"
#include "meets.h"
#include "test.h"

static void send_act(struct visitor *v, const struct meets *m, Roost__MeetAction action)
{
    Roost__MeetAct act = ROOST__MEET_ACT__INIT;
    Roost__ToServer frame = ROOST__TO_SERVER__INIT;

    act.meeting = m->meeting;
    act.action = action;
    frame.body_case = ROOST__TO_SERVER__BODY_MEET_ACT;
    frame.meet_act = &act;
    visitor_send(v, &frame);
}

static void in_a_meeting_that_is_forgotten(void)
{
    struct meets m;
    Roost__MeetNew wish = ROOST__MEET_NEW__INIT;
    Roost__ToServer frame = ROOST__TO_SERVER__INIT;
    struct visitor *ann;

    m.stage = meet_stage();
    m.host = visitor_named(m.stage, "host");
    wish.open = wish.forget_chat = true;
    frame.body_case = ROOST__TO_SERVER__BODY_MEET_NEW;
    frame.meet_new = &wish;
    const Roost__Reply *r = visitor_ask(m.host, &frame);
    CHECK(reply_code(r) == 0);
    m.meeting = r->ticket->meeting->room;
    CHECK(join_by(m.host, "", "", m.meeting) == 0);
    ann = visitor_named(m.stage, "ann");
    CHECK(join_by(ann, r->ticket->meeting->code, r->ticket->secret, 0) == 0);
    visitor_forget(ann);

    m.stage->hall.store_delay_us = 1000;
    send_act(m.host, &m, ROOST__MEET_ACTION__END);
    for (int i = 0; i < 3; i++) /* they wait while the end is stored, and the room is read anew */
        send_act(ann, &m, ROOST__MEET_ACTION__HAND_UP);
    hall_settle(&m.stage->hall);
    CHECK(visitor_errors(ann, ROOST_NO_SUCH_MEETING) + visitor_errors(ann, ROOST_MEET_ENDED) +
              visitor_errors(ann, ROOST_ROOM_CLOSED) ==
          3);
    visitor_free(ann);
    visitor_free(m.host);
    stage_free(m.stage);
}

TEST_MAIN({ "in_a_meeting_that_is_forgotten", in_a_meeting_that_is_forgotten })
