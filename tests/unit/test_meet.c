/* test_meet.c - the states of those who come to a meeting: every change, and every one that
 * is refused. docs/ROLES.md is what the tables say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "meets.h"
#include "test.h"

enum { NEVER = 6, STATES = 7 };

#define ACT(name)   ROOST__MEET_ACTION__##name
#define STATE(name) ROOST__MEET_STATE__##name

/* A meeting with a lobby, and an account "ann" brought into that state. */
static struct visitor *ann_in_state(struct meets *m, int state)
{
    struct visitor *ann;

    meets_begin(m, meet_stage(), false);
    ann = visitor_named(m->stage, "ann");
    if (state == NEVER)
        return ann;
    CHECK(join_link(ann, m) == 0);
    if (state == STATE(DENIED))
        CHECK(act_on(m->host, m, ACT(DENY), ann->account, "") == 0);
    if (state != STATE(WAITING) && state != STATE(DENIED))
        CHECK(act_on(m->host, m, ACT(ADMIT), ann->account, "") == 0);
    if (state == STATE(OUT))
        CHECK(act_on(ann, m, ACT(LEAVE), 0, "") == 0);
    if (state == STATE(REMOVED))
        CHECK(act_on(m->host, m, ACT(REMOVE), ann->account, "") == 0);
    if (state == STATE(EXCLUDED))
        CHECK(act_on(m->host, m, ACT(BAN), ann->account, "") == 0);
    CHECK((int)row_of(m, ann->account)->state == state);
    return ann;
}

/* The states in the order OUT IN WAITING DENIED REMOVED EXCLUDED NEVER: what becomes of
 * it, or the error. */
#define TO(name)  (int)STATE(name)
#define NO(error) (-ROOST_##error)
static const struct {
    const char *what;
    Roost__MeetAction action; /* 0: comes by link; by the host, but LEAVE */
    int becomes[STATES];
} changes[] = {
    { "comes",
      0,
      { TO(IN), TO(IN), TO(WAITING), NO(DENIED), TO(WAITING), NO(MEET_BANNED), TO(WAITING) } },
    { "admit",
      ACT(ADMIT),
      { NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), TO(IN), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), NO(NOT_IN_MEETING) } },
    { "admit all",
      ACT(ADMIT_ALL),
      { NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), TO(IN), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), NO(NOT_IN_MEETING) } },
    { "deny",
      ACT(DENY),
      { NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), TO(DENIED), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), NO(NOT_IN_MEETING) } },
    { "deny all",
      ACT(DENY_ALL),
      { NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), TO(DENIED), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), NO(NOT_IN_MEETING) } },
    { "remove",
      ACT(REMOVE),
      { NO(NOT_IN_MEETING), TO(REMOVED), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), NO(NOT_IN_MEETING) } },
    { "ban",
      ACT(BAN),
      { TO(EXCLUDED), TO(EXCLUDED), TO(EXCLUDED), TO(EXCLUDED), TO(EXCLUDED), NO(ALREADY),
        NO(NOT_IN_MEETING) } },
    { "unban",
      ACT(UNBAN),
      { NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), TO(REMOVED), NO(NOT_IN_MEETING) } },
    { "leave",
      ACT(LEAVE),
      { NO(NOT_IN_MEETING), TO(OUT), TO(OUT), NO(NOT_IN_MEETING), NO(NOT_IN_MEETING),
        NO(NOT_IN_MEETING), NO(NO_SUCH_MEETING) } },
};

static void change_once(size_t i, int from)
{
    struct meets m;
    struct visitor *ann = ann_in_state(&m, from);
    Roost__MeetAction action = changes[i].action;
    int becomes = changes[i].becomes[from];
    int code = !action                ? join_link(ann, &m)
               : action == ACT(LEAVE) ? act_on(ann, &m, action, 0, "")
                                      : act_on(m.host, &m, action, ann->account, "");
    const Roost__Attendee *row = row_of(&m, ann->account);

    CHECK(code == (becomes < 0 ? -becomes : 0));
    if (becomes >= 0)
        CHECK(row && (int)row->state == becomes);
    else
        CHECK(from == NEVER ? !row : (int)row->state == from);
    visitor_free(ann);
    meets_end(&m);
}

static void states_change_as_the_table_says(void)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        for (int from = 0; from < STATES; from++)
            change_once(i, from);
}

/* --- what each role may, on whom --- */

static const Roost__MeetAction by_managers[] = {
    ACT(ADMIT),        ACT(ADMIT_ALL),     ACT(DENY),
    ACT(DENY_ALL),     ACT(MESSAGE),       ACT(MUTE),
    ACT(MUTE_ALL),     ACT(MUTE_ON_ENTRY), ACT(LOCK_MICS),
    ACT(UNLOCK_MICS),  ACT(ASK_UNMUTE),    ACT(ASK_VIDEO),
    ACT(STOP_VIDEO),   ACT(ALLOW_SHARE),   ACT(FORBID_SHARE),
    ACT(GIVE_SHARE),   ACT(TAKE_SHARE),    ACT(SPOTLIGHT),
    ACT(ALLOW_CHAT),   ACT(FORBID_CHAT),   ACT(ALLOW_NOTES),
    ACT(FORBID_NOTES), ACT(ALLOW_RENAME),  ACT(FORBID_RENAME),
    ACT(REMOVE),       ACT(BAN),           ACT(UNBAN),
    ACT(MAKE_VIEWER),  ACT(LOWER_HAND),    ACT(MAKE_PARTICIPANT),
    ACT(LOCK),         ACT(UNLOCK),        ACT(OPEN),
    ACT(CLOSE),        ACT(SPOTLIGHT_OFF), ACT(NO_MUTE_ON_ENTRY),
};
static const Roost__MeetAction by_host_only[] = {
    ACT(ALLOW_RECORD), ACT(FORBID_RECORD), ACT(MAKE_COHOST), ACT(DROP_COHOST), ACT(MAKE_HOST),
    ACT(TITLE),        ACT(KEEP_CHAT),     ACT(FORGET_CHAT), ACT(END),
};

static void only_roles_with_the_right_may(void)
{
    struct meets m;
    struct visitor *ann = ann_in_state(&m, STATE(IN));
    struct visitor *bob = visitor_named(m.stage, "bob");

    unhurried(m.stage);
    CHECK(act_on(m.host, &m, ACT(OPEN), 0, "") == 0);
    CHECK(join_link(bob, &m) == 0);
    for (size_t i = 0; i < sizeof by_managers / sizeof *by_managers; i++)
        CHECK(act_on(ann, &m, by_managers[i], bob->account, "x") == ROOST_NOT_ALLOWED);
    for (size_t i = 0; i < sizeof by_host_only / sizeof *by_host_only; i++)
        CHECK(act_on(ann, &m, by_host_only[i], bob->account, "x") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ACT(MAKE_COHOST), ann->account, "") == 0);
    for (size_t i = 0; i < sizeof by_host_only / sizeof *by_host_only; i++)
        CHECK(act_on(ann, &m, by_host_only[i], bob->account, "x") == ROOST_NOT_ALLOWED);
    for (size_t i = 0; i < sizeof by_managers / sizeof *by_managers; i++)
        CHECK(act_on(ann, &m, by_managers[i], bob->account, "x") != ROOST_NOT_ALLOWED);
    visitor_free(bob);
    visitor_free(ann);
    meets_end(&m);
}

static void nobody_acts_on_the_host_or_on_equals(void)
{
    static const Roost__MeetAction acts[] = { ACT(MUTE), ACT(REMOVE), ACT(BAN), ACT(STOP_VIDEO),
                                              ACT(MAKE_VIEWER) };
    struct meets m;
    struct visitor *ann = ann_in_state(&m, STATE(IN));
    struct visitor *bob = visitor_named(m.stage, "bob");

    CHECK(join_link(bob, &m) == 0);
    CHECK(act_on(m.host, &m, ACT(ADMIT), bob->account, "") == 0);
    CHECK(act_on(m.host, &m, ACT(MAKE_COHOST), ann->account, "") == 0);
    CHECK(act_on(m.host, &m, ACT(MAKE_COHOST), bob->account, "") == 0);
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        CHECK(act_on(ann, &m, acts[i], m.host->account, "") == ROOST_NOT_ALLOWED);
        CHECK(act_on(ann, &m, acts[i], bob->account, "") == ROOST_NOT_ALLOWED);
        CHECK(act_on(m.host, &m, acts[i], m.host->account, "") == ROOST_NOT_ALLOWED);
    }
    visitor_free(bob);
    visitor_free(ann);
    meets_end(&m);
}

/* Off, on, on again; each is refused when it is so. */
static const struct {
    Roost__MeetAction on, off;
} switches[] = {
    { ACT(MUTE_ON_ENTRY), ACT(NO_MUTE_ON_ENTRY) },
    { ACT(LOCK_MICS), ACT(UNLOCK_MICS) },
    { ACT(FORBID_SHARE), ACT(ALLOW_SHARE) },
    { ACT(FORBID_CHAT), ACT(ALLOW_CHAT) },
    { ACT(FORBID_NOTES), ACT(ALLOW_NOTES) },
    { ACT(FORBID_RENAME), ACT(ALLOW_RENAME) },
    { ACT(LOCK), ACT(UNLOCK) },
    { ACT(OPEN), ACT(CLOSE) },
    { ACT(FORGET_CHAT), ACT(KEEP_CHAT) },
    { ACT(HAND_UP), ACT(HAND_DOWN) },
    { ACT(SELF_MUTE), ACT(SELF_UNMUTE) },
    { ACT(VIDEO_OFF), ACT(VIDEO_ON) },
    { ACT(GO_AWAY), ACT(COME_BACK) },
    { ACT(START_RECORD), ACT(STOP_RECORD) },
    { ACT(START_SHARE), ACT(STOP_SHARE) },
    { ACT(WANT_SHARE), ACT(STOP_SHARE) },
};

static void switches_are_refused_when_it_is_so(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), false);
    unhurried(m.stage);
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        CHECK(act_on(m.host, &m, switches[i].off, 0, "") == ROOST_ALREADY);
        CHECK(act_on(m.host, &m, switches[i].on, 0, "") == 0);
        CHECK(act_on(m.host, &m, switches[i].on, 0, "") == ROOST_ALREADY);
        CHECK(act_on(m.host, &m, switches[i].off, 0, "") == 0);
    }
    CHECK(act_on(m.host, &m, 0, 0, "") == ROOST_INVALID);
    CHECK(act_on(m.host, &m, ACT(CAME), 0, "") == ROOST_INVALID);
    meets_end(&m);
}

/* --- time --- */

static void a_lost_place_is_kept_for_a_while(void)
{
    struct meets m;
    struct visitor *ann = ann_in_state(&m, STATE(IN));

    hall_disconnect(&m.stage->hall, ann->conn, HUB_CLOSE_GONE);
    stage_run(m.stage, SECONDS(29));
    CHECK(row_of(&m, ann->account)->state == STATE(IN));
    CHECK(!row_of(&m, ann->account)->here);
    stage_run(m.stage, SECONDS(3));
    CHECK(row_of(&m, ann->account)->state == STATE(OUT));
    CHECK(row_of(&m, ann->account)->left_ms > 0);
    visitor_free(ann);
    meets_end(&m);
}

static void a_lost_host_is_succeeded(void)
{
    struct meets m;
    struct visitor *ann = ann_in_state(&m, STATE(IN));
    uint64_t host = m.host->account;
    uint8_t token[32];

    memcpy(token, m.host->token, sizeof token);
    hall_disconnect(&m.stage->hall, m.host->conn, HUB_CLOSE_GONE);
    m.host->conn = 0;
    stage_run(m.stage, SECONDS(58));
    CHECK(act_on(ann, &m, ACT(OPEN), 0, "") == ROOST_NOT_ALLOWED);
    stage_run(m.stage, SECONDS(4));
    CHECK(act_on(ann, &m, ACT(OPEN), 0, "") == 0);
    CHECK(act_on(ann, &m, ACT(BAN), host, "") == ROOST_SUCCESSOR);
    CHECK(act_on(ann, &m, ACT(END), 0, "") == ROOST_SUCCESSOR);
    CHECK(act_on(ann, &m, ACT(TAKE_BACK), 0, "") == ROOST_NOT_ALLOWED);
    stage_run(m.stage, SECONDS(601));
    CHECK(act_on(ann, &m, ACT(BAN), host, "") == 0);
    CHECK(act_on(ann, &m, ACT(END), 0, "") == 0);
    visitor_free(ann);
    meets_end(&m);
}

static void who_was_denied_waits_a_minute(void)
{
    struct meets m;
    struct visitor *ann = ann_in_state(&m, STATE(DENIED));

    CHECK(act_on(m.host, &m, ACT(OPEN), 0, "") == 0);
    stage_run(m.stage, SECONDS(59));
    CHECK(join_link(ann, &m) == ROOST_DENIED);
    stage_run(m.stage, SECONDS(1));
    CHECK(join_link(ann, &m) == 0);
    CHECK(row_of(&m, ann->account)->state == STATE(WAITING)); /* although it is open */
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(join_link(ann, &m) == 0);
    CHECK(row_of(&m, ann->account)->state == STATE(WAITING));
    visitor_free(ann);
    meets_end(&m);
}

/* --- limits --- */

enum { IN_MAX = 250, WAITING_MAX = 200 };

static struct visitor *one_of_many(struct meets *m, int i, int *ret_code)
{
    char name[16], address[20];

    /* letters that look like no other */
    snprintf(name, sizeof name, "guest-%c%c%c", 'a' + i / 64, 'a' + i / 8 % 8, 'a' + i % 8);
    snprintf(address, sizeof address, "10.0.0.%d", i / 100);
    struct visitor *v = visitor_at(m->stage, address);
    *ret_code = guest(v, name, m->code, m->secret, (uint8_t)(i % 250 + 1));
    if (!*ret_code)
        *ret_code = join_link(v, m);
    return v;
}

static void a_full_meeting_takes_nobody_more(void)
{
    struct meets m;
    struct visitor *some[IN_MAX + 1], *ann;
    int code = 0, n = 0;

    meets_begin(&m, meet_stage(), true);
    ann = visitor_named(m.stage, "ann");
    CHECK(join_link(ann, &m) == 0);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    while (n < IN_MAX && !code) /* the host is in too */
    {
        some[n] = one_of_many(&m, n, &code);
        n++;
    }
    CHECK(code == ROOST_MEET_FULL && n == IN_MAX);
    CHECK(join_link(ann, &m) == ROOST_MEET_FULL);
    CHECK(act_on(m.host, &m, ACT(CLOSE), 0, "") == 0);
    struct visitor *late = visitor_named(m.stage, "late");
    CHECK(join_link(late, &m) == 0);
    CHECK(act_on(m.host, &m, ACT(ADMIT), late->account, "") == ROOST_MEET_FULL);
    CHECK(act_on(m.host, &m, ACT(ADMIT_ALL), 0, "") == ROOST_MEET_FULL);
    visitor_free(late);
    CHECK(act_on(some[0], &m, ACT(LEAVE), 0, "") == 0);
    CHECK(join_link(ann, &m) == 0);
    while (n)
        visitor_free(some[--n]);
    visitor_free(ann);
    meets_end(&m);
}

static void a_full_lobby_takes_nobody_more(void)
{
    struct meets m;
    struct visitor *some[WAITING_MAX + 1];
    int code = 0, n = 0;

    meets_begin(&m, meet_stage(), false);
    while (n <= WAITING_MAX && !code) {
        some[n] = one_of_many(&m, n, &code);
        n++;
    }
    CHECK(code == ROOST_MEET_FULL && n == WAITING_MAX + 1);
    CHECK(head_of(&m)->waiting == WAITING_MAX);
    CHECK(act_on(m.host, &m, ACT(ADMIT_ALL), 0, "") == 0);
    CHECK(head_of(&m)->present == WAITING_MAX + 1 && head_of(&m)->waiting == 0);
    while (n)
        visitor_free(some[--n]);
    meets_end(&m);
}

TEST_MAIN({ "states_change_as_the_table_says", states_change_as_the_table_says },
          { "only_roles_with_the_right_may", only_roles_with_the_right_may },
          { "nobody_acts_on_the_host_or_on_equals", nobody_acts_on_the_host_or_on_equals },
          { "switches_are_refused_when_it_is_so", switches_are_refused_when_it_is_so },
          { "a_lost_place_is_kept_for_a_while", a_lost_place_is_kept_for_a_while },
          { "a_lost_host_is_succeeded", a_lost_host_is_succeeded },
          { "who_was_denied_waits_a_minute", who_was_denied_waits_a_minute },
          { "a_full_meeting_takes_nobody_more", a_full_meeting_takes_nobody_more },
          { "a_full_lobby_takes_nobody_more", a_full_lobby_takes_nobody_more })
