/* test_refusals_meet.c - what a meeting refuses, each once: what other stories do not come to. */
#include "base/err.h"
#include "hub/internal.h"
#include "meets.h"
#include "refusing.h"
#include "test.h"

static void guests(void)
{
    struct meets m, own = { 0 };
    struct visitor *zoe;
    uint8_t device[32] = { 1 };

    meets_begin(&m, meet_stage(), false);
    zoe = visitor_new(m.stage);
    CHECK(TRY(zoe, GUEST, guest, Roost__Guest, roost__guest, .name = "Zoe", .device = { 3, device },
              .host = true) == ROOST_INVALID);
    CHECK(TRY(zoe, GUEST, guest, Roost__Guest, roost__guest, .name = "Zoe",
              .device = { 32, device }) == ROOST_NO_SUCH_MEETING);
    CHECK(guest(zoe, "Zoe\xef\xbc\xbf", m.code, m.secret, 1) == ROOST_NAME_BAD);
    CHECK(guest(zoe, "Zoe", "", "", 1) == 0);
    CHECK(guest(zoe, "Zoe", "", "", 1) == ROOST_ALREADY);
    m.stage->hall.config.guests_may_host = false;
    CHECK(hub_set_config(m.stage->hall.hub, &m.stage->hall.config) == 0);
    own.stage = m.stage;
    CHECK(meet_new(zoe, &own, false) == ROOST_NO_GUESTS);
    visitor_free(zoe);
    zoe = visitor_new(m.stage);
    CHECK(guest(zoe, "Zoe", "", "", 1) == ROOST_NO_GUESTS);
    CHECK(guest(zoe, "Zoe", m.code, m.secret, 1) == 0);
    CHECK(TRY(zoe, WHO, who, Roost__Who, roost__who) == ROOST_GUEST);
    CHECK(meet_new(zoe, &own, false) == ROOST_GUEST);
    CHECK(TRY(m.host, MEET_NEW, meet_new, Roost__MeetNew, roost__meet_new,
              .title = of_length(201)) == ROOST_TOO_LONG);
    visitor_free(zoe);
    meets_end(&m);
}

static void in_a_meeting(void)
{
    struct meets m;
    struct visitor *ann;
    const uint64_t *n = &m.meeting;

    meets_begin(&m, meet_stage(), true);
    ann = visitor_named(m.stage, "ann");
    CHECK(join_link(ann, &m) == 0);
    CHECK(TRY(ann, MEET_NOTE, meet_note, Roost__MeetNote, roost__meet_note, .meeting = *n,
              .user = "host", .text = "") == ROOST_BAD_TEXT);
    CHECK(TRY(ann, MEET_NOTE, meet_note, Roost__MeetNote, roost__meet_note, .meeting = *n,
              .user = "@host", .text = of_length(17000)) == ROOST_TOO_LONG);
    CHECK(TRY(ann, MEET_NOTE, meet_note, Roost__MeetNote, roost__meet_note, .meeting = *n,
              .user = "a/b", .text = "x") == ROOST_NOT_IN_MEETING);
    CHECK(TRY(ann, MEET_NOTE, meet_note, Roost__MeetNote, roost__meet_note, .meeting = *n,
              .user = "host", .text = "x") == 0);
    CHECK(TRY(ann, MEET_REACT, meet_react, Roost__MeetReact, roost__meet_react, .meeting = *n,
              .emoji = "") == ROOST_NO_SUCH_EMOJI);
    CHECK(TRY(ann, MEET_REACT, meet_react, Roost__MeetReact, roost__meet_react, .meeting = *n,
              .emoji = "a\x7f") == ROOST_NO_SUCH_EMOJI);
    int code = 0;
    for (int i = 0; i < 60 && !code; i++)
        code = TRY(ann, MEET_REACT, meet_react, Roost__MeetReact, roost__meet_react, .meeting = *n,
                   .emoji = "+1");
    CHECK(code == ROOST_TOO_FAST);
    CHECK(TRY(ann, MEET_LIST, meet_list, Roost__MeetList, roost__meet_list) == 0);
    const Roost__Reply *r = ann->heard[ann->n_heard - 1].frame->reply;
    CHECK(r->meetings->n_meetings == 1 && r->meetings->meetings[0]->room == *n);

    stage_run(m.stage, SECONDS(10));
    /* only one presents; a co-host takes nothing from the host */
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__START_SHARE, 0, "") == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__START_SHARE, 0, "") == ROOST_PRESENTING);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__MAKE_COHOST, ann->account, "") == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__TAKE_SHARE, 0, "") == ROOST_NOT_ALLOWED);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__GIVE_SHARE, ann->account, "") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__TITLE, 0, "") == ROOST_BAD_TEXT);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__TITLE, 0, of_length(201)) == ROOST_TOO_LONG);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__END, 0, "") == 0);
    CHECK(join_by(ann, "", "", *n) == ROOST_MEET_ENDED);
    visitor_free(ann);
    meets_end(&m);
}

static void a_row_that_was_never_kept(void)
{
    uint8_t bad[] = { 0x0a, 0xff };
    struct attendee_row row = { .account = 1, .data = bad, .n_data = sizeof bad };
    struct store_result loaded = { .attendees = &row, .n_attendees = 1 };
    struct meeting *m = NULL;

    CHECK(meeting_load(&m, &loaded, 0) < 0 && !m);
    loaded.meet.data = bad;
    loaded.meet.n_data = sizeof bad;
    CHECK(meeting_load(&m, &loaded, 0) < 0 && !m);
}

static void who_was_never_in(void)
{
    struct meets m;
    struct visitor *eve;

    meets_begin(&m, meet_stage(), true);
    eve = visitor_named(m.stage, "eve");
    CHECK(TRY(eve, MEET_WHO, meet_who, Roost__MeetWho, roost__meet_who, .meeting = m.meeting) ==
          ROOST_NO_SUCH_MEETING);
    CHECK(TRY(eve, MEET_WHO, meet_who, Roost__MeetWho, roost__meet_who, .code = m.code) ==
          ROOST_NOT_IN_MEETING); /* there is one, but that is all */
    CHECK(TRY(eve, MEET_ACT, meet_act, Roost__MeetAct, roost__meet_act, .code = m.code,
              .action = ROOST__MEET_ACTION__HAND_UP) == ROOST_NOT_IN_MEETING);
    CHECK(act_on(eve, &m, ROOST__MEET_ACTION__HAND_UP, 0, "") == ROOST_NO_SUCH_MEETING);

    /* two thousand that ever came are many for a story: the hub is told so */
    struct room *room = map_get(&m.stage->hall.hub->rooms, m.meeting);
    CHECK(room && room->meeting);
    size_t n = room->meeting->attendees.n;
    room->meeting->attendees.n = MEET_ATTENDEES_MAX;
    int code = join_link(eve, &m);
    room->meeting->attendees.n = n;
    CHECK(code == ROOST_MEET_FULL);
    CHECK(join_link(eve, &m) == 0);
    visitor_free(eve);
    meets_end(&m);
}

static void what_is_so_already(void)
{
    struct meets m;
    struct visitor *ann;
    int code = 0;

    meets_begin(&m, meet_stage(), true);
    ann = visitor_named(m.stage, "ann");
    CHECK(join_link(ann, &m) == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__STOP_SHARE, 0, "") == ROOST_ALREADY);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__SPOTLIGHT, ann->account, "") == 0);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__SPOTLIGHT, ann->account, "") == ROOST_ALREADY);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__MAKE_COHOST, ann->account, "") == 0);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__MAKE_COHOST, ann->account, "") == ROOST_ALREADY);
    for (int i = 0; i < 60 && !code; i++)
        code = TRY(ann, MEET_NOTE, meet_note, Roost__MeetNote, roost__meet_note,
                   .meeting = m.meeting, .user = "host", .text = "psst");
    CHECK(code == ROOST_TOO_FAST);
    visitor_free(ann);
    meets_end(&m);
}

/* Who made it and was gone takes the place back, while the successor is new in it. */
static void the_first_host_takes_the_place_back(void)
{
    struct meets m;
    struct visitor *ann;

    meets_begin(&m, meet_stage(), true);
    ann = visitor_named(m.stage, "ann");
    CHECK(join_link(ann, &m) == 0);
    hall_disconnect(&m.stage->hall, m.host->conn, HUB_CLOSE_GONE);
    m.host->conn = 0;
    stage_run(m.stage, SECONDS(62));
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__TAKE_BACK, 0, "") == ROOST_NOT_ALLOWED);
    visitor_connect(m.host);
    CHECK(login(m.host, "host", PASSWORD, 1) == 0);
    CHECK(join_by(m.host, "", "", m.meeting) == 0);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__TITLE, 0, "mine") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__TAKE_BACK, 0, "") == 0);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__TAKE_BACK, 0, "") == ROOST_ALREADY);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__TITLE, 0, "mine") == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__TITLE, 0, "no") == ROOST_NOT_ALLOWED);
    visitor_free(ann);
    meets_end(&m);
}

TEST_MAIN({ "guests", guests }, { "in_a_meeting", in_a_meeting },
          { "a_row_that_was_never_kept", a_row_that_was_never_kept },
          { "who_was_never_in", who_was_never_in }, { "what_is_so_already", what_is_so_already },
          { "the_first_host_takes_the_place_back", the_first_host_takes_the_place_back })
