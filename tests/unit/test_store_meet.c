/* What store.h promises of meetings and guests, told to both stores. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "hub/guard.h"
#include "store/batch.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "store_story.h"
#include "test.h"

_Static_assert((int)STORE_GUARD_KEPT == (int)GUARD_CODES, "the counter that all guesses share");

/* --- people -------------------------------------------------------------------------- */

static struct store_op *guest_op(const char *name, uint64_t meeting, uint8_t token)
{
    struct store_op *op = new_op(STORE_GUEST_NEW, T0);

    op->account.name = op->skeleton = name;
    op->account.guest_of = meeting;
    memset(op->session.token, token, 32);
    return op;
}

static uint64_t guest(const char *name, uint64_t meeting, uint8_t token)
{
    CHECK(go(guest_op(name, meeting, token))->err == 0);
    return last->account;
}

/* 0 or why not; the token stays good. */
static int resume(uint8_t token)
{
    struct store_op *op = new_op(STORE_SESSION_RESUME, T0);

    memset(op->secret, token, 32);
    memset(op->next_secret, token, 32);
    return go(op)->err;
}

static bool is_there(uint64_t account)
{
    struct store_op *op = new_op(STORE_ACCOUNT_FIND, T0);

    op->account.id = account;
    return go(op)->err == 0;
}

/* --- meetings --------------------------------------------------------------------- */

static struct store_op *meet_op(uint64_t host, const char *code)
{
    struct store_op *op = new_op(STORE_MEET_NEW, T0);
    struct member_row member = { .account = host };
    struct attendee_row row = { .account = host, .skeleton = "host" };

    op->account.id = host;
    op->room.name = "about tea";
    op->meet = (struct meet_row){ .code = code, .data = (const uint8_t *)"made", .n_data = 4 };
    op->event = (struct event){ .kind = EVENT_MEET, .from = host, .change = 7, .n_data = 4 };
    op->event.data = (const uint8_t *)"done";
    op->members = arena_dup(&op->mem, &member, sizeof member);
    op->attendees = arena_dup(&op->mem, &row, sizeof row);
    CHECK(op->members && op->attendees);
    op->n_members = op->n_attendees = 1;
    return op;
}

static uint64_t meeting(uint64_t host, const char *code)
{
    CHECK(go(meet_op(host, code))->err == 0);
    return last->room;
}

static struct store_op *change_op(uint64_t room, const char *data)
{
    struct store_op *op = new_op(STORE_MEET_CHANGE, T0);

    op->room.id = room;
    op->meet = (struct meet_row){ .live = true, .data = (const uint8_t *)data };
    op->meet.n_data = strlen(data);
    return op;
}

static struct store_op *end_op(uint64_t room, bool forget)
{
    struct store_op *op = change_op(room, "over");

    op->meet.live = false;
    op->meet.forget = forget;
    return op;
}

/* Two rows of attendance; a skeleton of NULL: not present. Both become members. */
static struct store_op *come_op(uint64_t room, uint64_t a, const char *a_name, uint64_t b,
                                const char *b_name)
{
    struct store_op *op = change_op(room, "came");
    struct attendee_row rows[2] = { { a, a_name, (const uint8_t *)"a", 1 },
                                    { b, b_name, (const uint8_t *)"b", 1 } };
    struct member_row members[2] = { { .account = a }, { .account = b } };

    op->attendees = arena_dup(&op->mem, rows, sizeof rows);
    op->members = arena_dup(&op->mem, members, sizeof members);
    CHECK(op->attendees && op->members);
    op->n_attendees = op->n_members = b ? 2 : 1;
    return op;
}

static struct store_result *load(uint64_t room)
{
    struct store_op *op = new_op(STORE_ROOM_LOAD, T0);

    op->room.id = room;
    CHECK(go(op)->err == 0);
    return last;
}

static struct store_op *find_op(const char *code, int64_t now_ms)
{
    struct store_op *op = new_op(STORE_MEET_FIND, now_ms);

    op->words = code;
    return op;
}

static size_t listed(uint64_t account)
{
    struct store_op *op = new_op(STORE_MEET_LIST, T0);

    op->account.id = account;
    CHECK(go(op)->err == 0);
    return last->n_meets;
}

static void retain(int64_t now_ms)
{
    CHECK(go(new_op(STORE_RETAIN, now_ms))->err == 0);
}

/* --- stories: made and found ------------------------------------------------------------ */

static void told_a_meeting_is_found_by_its_code_until_that_expires(void)
{
    uint64_t ann = person("ann"), bob = person("bob"), carl = person("carl");
    uint64_t bound = room_of(ann, bob);
    struct store_op *op = meet_op(ann, "123456");

    op->meet.until_ms = T0 + 1000;
    op->meet.bound_room = bound;
    CHECK(go(op)->err == 0 && last->seq == 1 && last->at_ms == T0);
    CHECK(last->room_row.kind == ROOST__ROOM_KIND__MEETING && last->room_row.private);
    uint64_t room = last->room;
    CHECK(go(meet_op(bob, "123456"))->err == -ROOST_CODE_TAKEN);

    op = find_op("123456", T0);
    op->account.id = bob;
    CHECK(go(op)->err == 0 && last->room == room && last->head == 1 && last->meet_role == 1);
    CHECK(last->meet.live && last->meet.bound_room == bound && last->meet.n_data == 4);
    CHECK(memcmp(last->meet.data, "made", 4) == 0 && strcmp(last->meet.code, "123456") == 0);
    CHECK(go(find_op("123457", T0))->err == -ROOST_NO_SUCH_MEETING);
    CHECK(go(find_op("123456", T0 + 1001))->err == -ROOST_NO_SUCH_MEETING);
    op = find_op(NULL, T0 + 1001);
    op->room.id = room;
    CHECK(go(op)->err == 0 && last->meet_role == 0);
    op = find_op(NULL, T0);
    op->room.id = bound;
    CHECK(go(op)->err == -ROOST_NO_SUCH_MEETING);

    CHECK(listed(ann) == 1 && listed(bob) == 1 && listed(carl) == 0 && listed(0) == 1);
    CHECK(read_all(room, ann)->n_events == 1 && last->events[0].change == 7);
    CHECK(last->events[0].n_data == 4 && memcmp(last->events[0].data, "done", 4) == 0);
}

static void told_lists_of_meetings_come_in_pages(void)
{
    uint64_t ann = person("ann"), second = 0;
    char code[5][8];

    for (int i = 0; i < 5; i++) {
        snprintf(code[i], sizeof code[i], "10000%d", i);
        uint64_t room = meeting(ann, code[i]);
        second = i == 1 ? room : second;
    }
    struct store_op *op = new_op(STORE_MEET_LIST, T0);
    op->account.id = ann;
    op->limit = 2;
    CHECK(go(op)->n_meets == 2 && last->more && last->meets[1].room == second);
    op = new_op(STORE_MEET_LIST, T0);
    op->after = second;
    CHECK(go(op)->n_meets == 3 && !last->more && strcmp(last->meets[0].code, "100002") == 0);
}

static struct store_op *guess_op(const char *code, int64_t now_ms)
{
    struct store_op *op = find_op(code, now_ms);

    op->counts[0] = (struct store_count){ .key = { 1 }, .kind = GUARD_CODE, .limit = 3 };
    op->counts[1] = (struct store_count){ .key = { 2 }, .kind = GUARD_CODES, .limit = 5 };
    op->counts[0].window_ms = 1000;
    op->counts[1].window_ms = 5000;
    op->counts[0].source = "192.0.2.7";
    op->n_counts = 2;
    return op;
}

static void told_wrong_codes_are_counted(void)
{
    struct guard_row clear = { .key = { 2 } };

    meeting(person("ann"), "123456");
    for (int i = 0; i < 3; i++) {
        CHECK(go(guess_op("123456", T0))->err == 0); /* the right one does not count */
        CHECK(go(guess_op("000000", T0 + i))->err == -ROOST_NO_SUCH_MEETING);
    }
    CHECK(go(guess_op("123456", T0 + 400))->err == -ROOST_GUESSES && last->retry_ms == 600);
    CHECK(last->room == 0);
    CHECK(go(guess_op("123456", T0 + 1000))->err == 0); /* its window is over */
    CHECK(go(guess_op("000000", T0 + 1000))->err == -ROOST_NO_SUCH_MEETING);
    CHECK(go(guess_op("000000", T0 + 1000))->err == -ROOST_NO_SUCH_MEETING);
    CHECK(go(guess_op("000000", T0 + 1000))->err == -ROOST_GUESSES && last->retry_ms == 4000);

    CHECK(go(new_op(STORE_GUARD_LIST, T0))->n_guards == 2);
    CHECK(last->guards[0].kind == GUARD_CODES && last->guards[0].n == 5);
    CHECK(last->guards[1].n == 2 && strcmp(last->guards[1].source, "192.0.2.7") == 0);
    CHECK(last->guards[1].until_ms == T0 + 2000);
    struct store_op *op = new_op(STORE_GUARD_PUT, T0);
    op->guards = &clear;
    op->n_guards = 1;
    CHECK(go(op)->err == 0);
    CHECK(go(guess_op("123456", T0 + 1000))->err == 0);
    /* a clock that was set back does not block for as long as it was wrong */
    CHECK(go(guess_op("000000", T0 - 90000))->err == -ROOST_NO_SUCH_MEETING);
}

/* --- stories: changes ------------------------------------------------------------------ */

static void told_a_change_is_done_once_and_may_be_silent(void)
{
    uint64_t ann = person("ann"), room = meeting(ann, "123456");

    for (int i = 0; i < 2; i++) {
        struct store_op *op = change_op(room, "locked");
        op->req = (struct store_request){ .has_id = true, .scope = ann, .id = { 3 } };
        op->event = (struct event){ .kind = EVENT_MEET, .from = ann, .change = 60 };
        CHECK(go(op)->err == 0 && last->dup == (i == 1));
        CHECK(last->room == room && last->seq == 2 && last->at_ms == T0);
    }
    struct store_op *op = change_op(room, "quiet");
    op->now_ms = T0 + 50;
    op->room.name = "about coffee";
    CHECK(go(op)->err == 0 && last->seq == 0 && last->head == 2 && last->at_ms == T0 + 50);
    CHECK(load(room)->head == 2 && strcmp(last->room_row.name, "about coffee") == 0);
    CHECK(last->meet.n_data == 5 && memcmp(last->meet.data, "quiet", 5) == 0);
    CHECK(strcmp(last->meet.code, "123456") == 0);

    op = change_op(room, "stale");
    op->owner_epoch = 0;
    CHECK(go(op)->err == -ROOST_STALE_OWNER);
    CHECK(go(change_op(99, "nowhere"))->err == -ROOST_NO_SUCH_ROOM);
    CHECK(go(change_op(EVERYONE_ROOM, "no"))->err == -ROOST_NO_SUCH_MEETING);
    meeting(ann, "654321");
    op = change_op(room, "another code");
    op->meet.code = "654321";
    CHECK(go(op)->err == -ROOST_CODE_TAKEN);
    op = change_op(room, "another code");
    op->meet.code = "777777";
    CHECK(go(op)->err == 0 && go(find_op("123456", T0))->err == -ROOST_NO_SUCH_MEETING);
}

static void told_names_in_a_meeting_are_unique(void)
{
    uint64_t ann = person("ann"), bob = person("bob"), room = meeting(ann, "123456");
    uint64_t gus = guest("gus", room, 1);

    CHECK(go(come_op(room, bob, "bob", gus, "bob"))->err == -ROOST_NAME_TAKEN);
    CHECK(load(room)->n_attendees == 1 && last->n_members == 1); /* nothing of it happened */
    CHECK(last->meet.n_data == 4 && memcmp(last->meet.data, "made", 4) == 0);
    CHECK(go(come_op(room, bob, "bob", gus, "gus"))->err == 0);
    CHECK(go(come_op(room, bob, "gus", gus, "bob"))->err == 0); /* they change names */
    CHECK(go(come_op(room, bob, "host", 0, NULL))->err == -ROOST_NAME_TAKEN);
    CHECK(go(come_op(room, bob, NULL, gus, "gus"))->err == 0); /* bob left, his name is free */

    CHECK(load(room)->n_attendees == 3 && last->n_members == 3);
    CHECK(last->attendees[0].account == ann && !last->attendees[1].skeleton);
    CHECK(strcmp(last->attendees[2].skeleton, "gus") == 0 && last->attendees[2].data[0] == 'b');
    CHECK(!last->members[0].guest && last->members[2].guest);
    CHECK(strcmp(last->members[2].name, "gus") == 0 && last->members[2].read == 1);

    /* one who is told to go, and one who is not there at all */
    struct store_op *op = come_op(room, gus, NULL, 99, "nobody");
    ((struct member_row *)op->members)[0].banned = true;
    CHECK(go(op)->err == 0);
    CHECK(load(room)->n_attendees == 3 && last->n_members == 2);
}

static void one_for_another(uint64_t room, uint64_t gone, uint64_t comes)
{
    struct store_op *op = change_op(room, "still full");
    struct attendee_row rows[2] = { { .account = comes }, { .account = gone, .gone = true } };

    op->attendees = arena_dup(&op->mem, rows, sizeof rows);
    op->n_attendees = 2;
    CHECK(op->attendees && go(op)->err == 0);
    CHECK(load(room)->n_attendees == MEET_ATTENDEES_MAX);
    for (size_t i = 0; i < last->n_attendees; i++)
        CHECK(last->attendees[i].account != gone);
}

/* Who only passed is not counted any more, and goes. */
static void a_day_later(uint64_t room, uint64_t listed, uint64_t passing)
{
    struct store_op *op = guest_op("gus", room, 1);

    op->now_ms += 86400000;
    CHECK(go(op)->err == -ROOST_MEET_FULL);
    op = guest_op("gus", room, 1);
    op->now_ms += 86400001;
    CHECK(go(op)->err == 0);
    uint64_t fresh = last->account;
    CHECK(is_there(passing));
    retain(T0 + 86400002);
    CHECK(is_there(listed) && !is_there(passing) && is_there(passing - 1) && is_there(fresh));
}

static void told_a_meeting_has_room_for_two_thousand(void)
{
    uint64_t ann = person("ann"), room = meeting(ann, "123456");
    struct store_op *op = change_op(room, "full");
    struct attendee_row *rows = arena_get(&op->mem, MEET_ATTENDEES_MAX * sizeof *rows);

    CHECK(rows);
    for (size_t i = 0; i < MEET_ATTENDEES_MAX; i++)
        rows[i].account = guest("gus", room, 1);
    op->attendees = rows;
    op->n_attendees = MEET_ATTENDEES_MAX - 1;
    CHECK(go(store_op_ref(op))->err == 0);
    op->n_attendees = MEET_ATTENDEES_MAX;
    uint64_t listed = rows[0].account, left = rows[1].account;
    CHECK(go(op)->err == -ROOST_MEET_FULL);
    CHECK(load(room)->n_attendees == MEET_ATTENDEES_MAX);
    for (size_t i = MEET_ATTENDEES_MAX; i < GUESTS_MAX; i++)
        guest("gus", room, 1);
    uint64_t passing = last->account;
    CHECK(go(guest_op("gus", room, 1))->err == -ROOST_MEET_FULL);
    one_for_another(room, left, passing - 1);
    a_day_later(room, listed, passing);
    uint64_t first = guest("gus", 0, 7);
    for (size_t i = 1; i < GUESTS_MAX; i++)
        guest("gus", 0, 1);
    CHECK(resume(7) == 0);
    guest("gus", 0, 1); /* who made no meeting meanwhile makes place for the next */
    CHECK(resume(7) == -ROOST_SESSION_OVER && !is_there(first) && is_there(first + 1));
}

/* --- stories: guests -------------------------------------------------------------------- */

static void told_a_guest_is_no_account(void)
{
    uint64_t ann = person("ann"), room = meeting(ann, "123456"), gus = 0;

    CHECK(go(guest_op("ann", room, 1))->err == -ROOST_NAME_TAKEN);
    CHECK(go(guest_op("gus", room + 1, 1))->err == -ROOST_MEET_ENDED);
    gus = guest("gus", room, 1);
    CHECK(last->session.id && last->seq == last->session.id && last->account_row.guest);
    CHECK(guest("gus", room, 2) != gus); /* guests may share a name */
    CHECK(resume(1) == 0 && last->account == gus && last->account_row.guest);
    CHECK(last->account_row.guest_of == room && strcmp(last->account_row.name, "gus") == 0);

    struct store_op *op = new_op(STORE_ACCOUNT_FIND, T0);
    op->skeleton = "gus";
    CHECK(go(op)->err == -ROOST_NO_SUCH_USER);
    op = new_op(STORE_ACCOUNT_ROLE, T0);
    op->account.id = gus;
    op->account.role = ROOST__ROLE__ADMIN;
    CHECK(go(op)->err == -ROOST_NO_SUCH_USER);
    CHECK(go(new_op(STORE_ACCOUNT_LIST, T0))->n_accounts == 1);
    CHECK(load(EVERYONE_ROOM)->n_members == 1);
    CHECK(go(new_op(STORE_SESSION_LIST, T0))->n_sessions == 2);
    CHECK(strcmp(last->sessions[0].account_name, "gus") == 0);
    person("gus"); /* a guest keeps nobody from a name */
}

static void told_a_guest_hosts_one_meeting(void)
{
    struct store_op *op = guest_op("gus", 0, 1);

    op->counts[0] = (struct store_count){ .kind = GUARD_GUESTS, .limit = 2, .window_ms = 1000 };
    op->n_counts = 1;
    CHECK(go(store_op_ref(op))->err == 0);
    uint64_t gus = last->account;
    uint64_t room = meeting(gus, "123456");
    CHECK(resume(1) == 0 && last->account_row.guest_of == room);
    CHECK(go(meet_op(gus, "654321"))->err == -ROOST_ALREADY);
    CHECK(go(meet_op(99, "654321"))->err == -ROOST_NO_SUCH_USER);
    CHECK(go(store_op_ref(op))->err == 0);
    CHECK(go(op)->err == -ROOST_GUESSES && last->retry_ms == 1000);
}

static void told_a_note_goes_to_the_room_of_two(void)
{
    uint64_t ann = person("ann"), room = meeting(ann, "123456"), gus = guest("gus", room, 1);

    for (uint64_t i = 1; i <= 2; i++) {
        struct store_op *op = new_op(STORE_MEET_NOTE, T0);
        op->account.id = i == 1 ? gus : ann;
        op->peer = i == 1 ? ann : gus;
        op->event = (struct event){ .kind = EVENT_TEXT, .from = gus, .text = "psst" };
        CHECK(go(op)->err == 0 && last->seq == i && last->head == i);
        CHECK(last->room == room + 1);
    }
    CHECK(found(ann, "psst") == 2 && load(room + 1)->n_members == 2);
    struct store_op *op = new_op(STORE_MEET_NOTE, T0);
    op->account.id = gus;
    op->peer = 99;
    op->event.kind = EVENT_TEXT;
    CHECK(go(op)->err == -ROOST_NO_SUCH_USER);
}

/* --- stories: the end ------------------------------------------------------------------- */

static void note(uint64_t from, uint64_t to, const char *text)
{
    struct store_op *op = new_op(STORE_MEET_NOTE, T0);

    op->account.id = from;
    op->peer = to;
    op->event = (struct event){ .kind = EVENT_TEXT, .from = from, .text = text };
    CHECK(go(op)->err == 0);
}

static void a_meeting_ends(bool forget)
{
    uint64_t ann = person("ann"), bob = person("bob"), room = meeting(ann, "123456");
    uint64_t gus = guest("gus", room, 1), eve = guest("eve", room, 2);

    CHECK(go(come_op(room, bob, "bob", gus, "gus"))->err == 0);
    uint64_t seq = say(room, gus, "tea is better");
    note(gus, ann, "what tea");
    note(gus, eve, "no tea");
    struct store_op *op = end_op(room, forget);
    op->event = (struct event){ .kind = EVENT_MEET, .from = ann, .change = 67 };
    CHECK(go(op)->err == 0 && last->seq == seq + 1);

    CHECK(go(find_op("123456", T0))->err == -ROOST_NO_SUCH_MEETING && listed(0) == 0);
    CHECK(go(end_op(room, false))->err == -ROOST_ROOM_CLOSED);
    CHECK(resume(1) == -ROOST_SESSION_OVER);
    CHECK(load(room)->room_row.closed && !last->meet.live && !*last->meet.code);
    CHECK(last->n_attendees == 3 && !last->attendees[0].skeleton && last->attendees[2].n_data);
    CHECK(last->n_members == (forget ? 0 : 3));
    CHECK(last->room_row.first == (forget ? seq + 1 : 1));
    CHECK(read_all(room, ann)->n_events == (forget ? 2 : 3)); /* what happened stays */
    CHECK(found(ann, "tea") == (forget ? 1 : 2));             /* the note to her stays too */
    CHECK(read_all(room + 2, gus)->n_events == !forget);      /* of two guests */
    CHECK(load(room + 1)->room_row.closed && load(room + 2)->room_row.closed); /* none answers */
    meeting(bob, "123456"); /* the code is free */
}

static void told_a_meeting_that_ends_keeps_its_chat(void)
{
    a_meeting_ends(false);
}

static void told_a_meeting_that_ends_may_forget(void)
{
    a_meeting_ends(true);
}

static void told_guests_whom_nobody_misses_go(void)
{
    const int64_t day = 86400000;
    uint64_t room = meeting(person("ann"), "123456");
    uint64_t idle = guest("idle", 0, 1), busy = guest("busy", 0, 2);
    uint64_t silent = guest("silent", room, 3), heard = guest("heard", room, 4);
    struct store_op *op = new_op(STORE_SESSION_RESUME, T0 + day);

    memset(op->secret, 2, 32);
    memset(op->next_secret, 2, 32);
    CHECK(go(op)->err == 0);
    CHECK(go(come_op(room, silent, NULL, 0, NULL))->err == 0);
    say(room, heard, "hello");
    retain(T0 + day);
    CHECK(is_there(idle));
    retain(T0 + day + 1);
    CHECK(!is_there(idle) && is_there(busy) && is_there(silent));

    CHECK(go(end_op(room, false))->err == 0);
    retain(T0 + 30 * day);
    CHECK(is_there(silent));
    retain(T0 + 30 * day + 1);
    CHECK(!is_there(silent) && is_there(heard) && !is_there(busy));
    CHECK(load(room)->n_members == 1 && last->n_attendees == 2); /* who came is still known */
    CHECK(read_all(room, heard)->n_events == 2);
    CHECK(strcmp(last->events[1].from_name, "heard") == 0);
    CHECK(guest("later", 0, 5) > heard); /* numbers are not given again */
}

static void told_an_account_that_goes_leaves_no_words_in_meetings(void)
{
    uint64_t ann = person("ann"), bob = person("bob"), room = meeting(ann, "123456");
    struct store_op *op = come_op(room, bob, "bob", 0, NULL);

    op->event = (struct event){ .kind = EVENT_MEET, .from = ann, .who = bob, .n_data = 3 };
    op->event.data = (const uint8_t *)"bob";
    CHECK(go(op)->err == 0 && read_all(room, ann)->events[1].n_data == 3);
    static const char *const others[] = { "\3ann \3bob", "\4bobo bob", "\3ann" };
    for (size_t i = 0; i < 3; i++) { /* what was done to several: who was one of them? */
        op = come_op(room, ann, "ann", 0, NULL);
        op->event = (struct event){ .kind = EVENT_MEET, .from = ann, .change = 9 };
        op->event.data = (const uint8_t *)others[i];
        op->event.n_data = strlen(others[i]);
        CHECK(go(op)->err == 0);
    }
    op = new_op(STORE_ACCOUNT_DELETE, T0);
    op->account.id = bob;
    CHECK(go(op)->err == 0);
    CHECK(load(room)->n_attendees == 1 && last->n_members == 1);
    CHECK(read_all(room, ann)->n_events == 5 && last->events[1].n_data == 0);
    CHECK(last->events[2].n_data == 0 && last->events[2].change == 9);
    CHECK(last->events[3].n_data > 0 && last->events[4].n_data > 0);
}

/* --- who is told -------------------------------------------------------------------------- */

STORY(a_meeting_is_found_by_its_code_until_that_expires)
STORY(lists_of_meetings_come_in_pages)
STORY(wrong_codes_are_counted)
STORY(a_change_is_done_once_and_may_be_silent)
STORY(names_in_a_meeting_are_unique)
STORY(a_meeting_has_room_for_two_thousand)
STORY(a_guest_is_no_account)
STORY(a_guest_hosts_one_meeting)
STORY(a_note_goes_to_the_room_of_two)
STORY(a_meeting_that_ends_keeps_its_chat)
STORY(a_meeting_that_ends_may_forget)
STORY(guests_whom_nobody_misses_go)
STORY(an_account_that_goes_leaves_no_words_in_meetings)

/* More sources than there is room for, and the counter that began before all of them. */
static void a_flood_of_sources_does_not_push_out_the_total(void)
{
    static struct guard_row rows[1000];
    char why[200];

    end();
    CHECK(sqlite_store_open(&store, &(struct sqlite_options){ .path = ":memory:" }, why) == 0);
    CHECK(go(guess_op("000000", T0))->err == -ROOST_NO_SUCH_MEETING);
    for (uint32_t i = 0; i <= GUARDS_MAX / 1000; i++) {
        struct store_op *op = new_op(STORE_GUARD_PUT, T0);
        for (uint32_t k = 0; k < 1000; k++) {
            rows[k] = (struct guard_row){ .kind = GUARD_SOURCE, .n = 1, .since_ms = T0 + 1 };
            rows[k].key[0] = 9;
            memcpy(rows[k].key + 4, &i, sizeof i);
            memcpy(rows[k].key + 8, &k, sizeof k);
        }
        op->guards = rows;
        op->n_guards = 1000;
        CHECK(go(op)->err == 0);
    }
    retain(T0 + 2);
    struct store_op *op = new_op(STORE_LOGIN_FIND, T0);
    op->keys[0][0] = 1; /* the source's */
    op->keys[1][0] = 2;
    op->n_keys = 2;
    CHECK(go(op)->n_guards == 1 && last->guards[0].kind == GUARD_CODES);
    end();
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
TEST_MAIN(T(a_meeting_is_found_by_its_code_until_that_expires), T(lists_of_meetings_come_in_pages),
          T(wrong_codes_are_counted), T(a_change_is_done_once_and_may_be_silent),
          T(names_in_a_meeting_are_unique), T(a_meeting_has_room_for_two_thousand),
          T(a_guest_is_no_account), T(a_guest_hosts_one_meeting), T(a_note_goes_to_the_room_of_two),
          T(a_meeting_that_ends_keeps_its_chat), T(a_meeting_that_ends_may_forget),
          T(guests_whom_nobody_misses_go), T(an_account_that_goes_leaves_no_words_in_meetings),
          T(a_flood_of_sources_does_not_push_out_the_total))
