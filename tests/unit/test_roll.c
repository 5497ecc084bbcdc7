/* Who is in a meeting: what tickets, events and pushes make of the list. */
#include <string.h>

#include "base/err.h"
#include "client/roll.h"
#include "test.h"

#define IN      ROOST__MEET_STATE__IN
#define WAITING ROOST__MEET_STATE__WAITING
#define OUT     ROOST__MEET_STATE__OUT

static Roost__Attendee somebody(uint64_t account, const char *name, Roost__MeetRole role,
                                Roost__MeetState state)
{
    Roost__Attendee a = ROOST__ATTENDEE__INIT;

    a.account = account;
    a.name = (char *)name;
    a.role = role;
    a.state = state;
    a.here = true;
    return a;
}

/* Ann is the host, Bea a participant, Carl a viewer; Dora waits. You are Bea. */
static void begin(struct roll *r)
{
    Roost__Meeting m = ROOST__MEETING__INIT;
    Roost__Ticket t = ROOST__TICKET__INIT;
    Roost__Attendee ann = somebody(1, "Ann", ROOST__MEET_ROLE__HOST, IN);
    Roost__Attendee bea = somebody(2, "Bea", ROOST__MEET_ROLE__PARTICIPANT, IN);
    Roost__Attendee carl = somebody(3, "Carl", ROOST__MEET_ROLE__VIEWER, IN);
    Roost__Attendee dora = somebody(4, "Dora", ROOST__MEET_ROLE__PARTICIPANT, WAITING);
    Roost__Attendee *in[] = { &ann, &bea, &carl }, *waiting[] = { &dora };

    m.room = 8;
    m.code = (char *)"204816";
    m.title = (char *)"Maths";
    t.meeting = &m;
    t.you = &bea;
    t.secret = (char *)"abc";
    t.attendees = in;
    t.n_attendees = 3;
    t.waiting = waiting;
    t.n_waiting = 1;
    t.head = 10;
    roll_init(r);
    CHECK(roll_ticket(r, &t) == 0);
}

static int met(struct roll *r, uint64_t seq, Roost__MeetAction action, Roost__Attendee *a)
{
    Roost__Met m = ROOST__MET__INIT;

    m.action = action;
    m.attendees = &a;
    m.n_attendees = a != NULL;
    return roll_met(r, seq, &m);
}

static void a_ticket_is_copied_and_replaces_all(void)
{
    struct roll r;
    Roost__Ticket t = ROOST__TICKET__INIT;
    Roost__Meeting m = ROOST__MEETING__INIT;

    begin(&r);
    CHECK(r.n == 4 && !strcmp(roll_at(&r, 0)->name, "Ann") && !roll_at(&r, 4));
    CHECK(!strcmp(roll_meeting(&r)->title, "Maths") && !strcmp(r.secret, "abc"));
    CHECK(roll_you(&r)->account == 2);
    t.meeting = &m;
    CHECK(roll_ticket(&r, &t) == 0);
    CHECK(r.n == 0 && !r.secret && !*roll_meeting(&r)->title);
    roll_fini(&r);
}

static void events_change_the_rows_they_list(void)
{
    struct roll r;

    begin(&r);
    Roost__Attendee bea = somebody(2, "Bea B", ROOST__MEET_ROLE__COHOST, IN);
    bea.here = false; /* an event does not know who is connected */
    CHECK(met(&r, 11, ROOST__MEET_ACTION__RENAME, &bea) == 0);
    CHECK(!strcmp(roll_find(&r, 2)->name, "Bea B") && roll_find(&r, 2)->here);
    CHECK(!strcmp(roll_you(&r)->name, "Bea B") && roll_you(&r)->role == ROOST__MEET_ROLE__COHOST);

    Roost__Attendee carl = somebody(3, "Carl", ROOST__MEET_ROLE__VIEWER, OUT);
    CHECK(met(&r, 12, ROOST__MEET_ACTION__LEAVE, &carl) == 0);
    CHECK(!roll_find(&r, 3) && r.n == 3);

    /* who was let in stands behind those who were in before */
    Roost__Attendee dora = somebody(4, "Dora", ROOST__MEET_ROLE__PARTICIPANT, IN);
    CHECK(met(&r, 13, ROOST__MEET_ACTION__CAME, &dora) == 0);
    CHECK(r.n == 3 && roll_at(&r, 2)->account == 4 && roll_at(&r, 2)->state == IN);
    roll_fini(&r);
}

static void what_the_ticket_knew_is_passed_over(void)
{
    struct roll r;

    begin(&r);
    Roost__Attendee ann = somebody(1, "Ann", ROOST__MEET_ROLE__HOST, OUT);
    CHECK(met(&r, 10, ROOST__MEET_ACTION__LEAVE, &ann) == 0);
    CHECK(roll_find(&r, 1));
    CHECK(met(&r, 11, ROOST__MEET_ACTION__LEAVE, &ann) == 0);
    CHECK(!roll_find(&r, 1));
    roll_fini(&r);
}

static void all_muted_is_not_listed(void)
{
    static const Roost__MeetAction actions[] = { ROOST__MEET_ACTION__MUTE_ALL,
                                                 ROOST__MEET_ACTION__LOCK_MICS };

    for (size_t i = 0; i < 2; i++) {
        struct roll r;
        begin(&r);
        CHECK(met(&r, 11, actions[i], NULL) == 0);
        CHECK(!roll_find(&r, 1)->muted); /* hosts and co-hosts are not */
        CHECK(roll_find(&r, 2)->muted && roll_find(&r, 3)->muted && roll_you(&r)->muted);
        CHECK(!roll_find(&r, 4)->muted); /* nor who waits */
        roll_fini(&r);
    }
}

static void lobby_and_presence(void)
{
    struct roll r;
    Roost__MeetLobby lobby = ROOST__MEET_LOBBY__INIT;
    Roost__MeetHere here = ROOST__MEET_HERE__INIT;

    begin(&r);
    Roost__Attendee emil = somebody(5, "Emil", ROOST__MEET_ROLE__PARTICIPANT, WAITING);
    Roost__Attendee dora = somebody(4, "Dora", ROOST__MEET_ROLE__PARTICIPANT, OUT);
    Roost__Attendee ann = somebody(1, "Ann", ROOST__MEET_ROLE__HOST, IN);
    Roost__Attendee *rows[] = { &emil, &dora, &ann };
    lobby.waiting = rows;
    lobby.n_waiting = 3;
    CHECK(roll_lobby(&r, &lobby) == 0);
    CHECK(roll_find(&r, 5) && !roll_find(&r, 4));
    CHECK(roll_find(&r, 1)); /* who is in is not the lobby's business */

    ann.here = false;
    Roost__Attendee *gone[] = { &ann };
    here.attendees = gone;
    here.n_attendees = 1;
    roll_here(&r, &here);
    CHECK(!roll_find(&r, 1)->here && roll_find(&r, 2)->here);
    roll_fini(&r);
}

static void a_list_without_end_is_refused(void)
{
    struct roll r;
    int err = 0;

    begin(&r);
    for (uint64_t i = 0; !err && i < ROLL_MAX; i++) {
        Roost__Attendee a = somebody(100 + i, "x", ROOST__MEET_ROLE__PARTICIPANT, IN);
        err = met(&r, 11 + i, ROOST__MEET_ACTION__CAME, &a);
    }
    CHECK(err == -ROOST_LIMIT && r.n == ROLL_MAX);
    roll_fini(&r);
}

/* What was told is gone when it has been told. */
static void rows_keep_words_of_their_own(void)
{
    char name[] = "Annie", login[] = "anna", note[] = "a minute";
    Roost__Attendee a = somebody(1, name, ROOST__MEET_ROLE__HOST, IN);
    struct roll r;

    begin(&r);
    a.login = login;
    a.note = note;
    CHECK(met(&r, 11, ROOST__MEET_ACTION__RENAME, &a) == 0);
    memset(name, 'x', sizeof name - 1);
    memset(login, 'x', sizeof login - 1);
    memset(note, 'x', sizeof note - 1);
    const Roost__Attendee *row = roll_find(&r, 1);
    CHECK(row && !strcmp(row->name, "Annie") && !strcmp(row->login, "anna") &&
          !strcmp(row->note, "a minute"));
    roll_fini(&r);
}

TEST_MAIN({ "rows_keep_words_of_their_own", rows_keep_words_of_their_own },
          { "a_ticket_is_copied_and_replaces_all", a_ticket_is_copied_and_replaces_all },
          { "events_change_the_rows_they_list", events_change_the_rows_they_list },
          { "what_the_ticket_knew_is_passed_over", what_the_ticket_knew_is_passed_over },
          { "all_muted_is_not_listed", all_muted_is_not_listed },
          { "lobby_and_presence", lobby_and_presence },
          { "a_list_without_end_is_refused", a_list_without_end_is_refused })
