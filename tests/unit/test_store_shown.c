/* What store.h promises of the names that meetings show, told to both stores; and of a file of the
 * version before there were any. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/sqlite.h"
#include "store_story.h"
#include "test.h"

/* --- people in meetings ----------------------------------------------------------------- */

static uint64_t guest(const char *name, uint64_t meeting)
{
    struct store_op *op = new_op(STORE_GUEST_NEW, T0);

    op->account.name = op->skeleton = name;
    op->account.guest_of = meeting;
    memset(op->session.token, (int)meeting, 32);
    CHECK(go(op)->err == 0);
    return last->account;
}

static uint64_t meeting(uint64_t host, const char *code)
{
    struct store_op *op = new_op(STORE_MEET_NEW, T0);
    struct member_row member = { .account = host };

    op->account.id = host;
    op->room.name = "about tea";
    op->meet.code = code;
    op->event = (struct event){ .kind = EVENT_MEET, .from = host };
    op->members = arena_dup(&op->mem, &member, sizeof member);
    op->n_members = op->members != NULL;
    CHECK(go(op)->err == 0);
    return last->room;
}

static struct store_op *change_op(uint64_t room, bool live)
{
    struct store_op *op = new_op(STORE_MEET_CHANGE, T0);

    op->room.id = room;
    op->meet.live = live;
    return op;
}

/* An account and a guest, with the name that each has there now; NULL: nothing is said of it. */
static struct store_op *called_op(uint64_t room, uint64_t ann, const char *a, uint64_t gus,
                                  const char *b)
{
    struct store_op *op = change_op(room, true);
    struct attendee_row rows[2] = { { .account = ann, .skeleton = "ann", .name = a },
                                    { .account = gus, .skeleton = b ? b : "gus", .name = b } };
    struct member_row members[2] = { { .account = ann }, { .account = gus } };

    op->attendees = arena_dup(&op->mem, rows, sizeof rows);
    op->members = arena_dup(&op->mem, members, sizeof members);
    CHECK(op->attendees && op->members);
    op->n_attendees = op->n_members = 2;
    return op;
}

static void note(uint64_t from, uint64_t to, const char *text)
{
    struct store_op *op = new_op(STORE_MEET_NOTE, T0);

    op->account.id = from;
    op->peer = to;
    op->event = (struct event){ .kind = EVENT_TEXT, .from = from, .text = text };
    CHECK(go(op)->err == 0);
}

/* --- stories ---------------------------------------------------------------------------- */

static struct store_op *shown_as(struct store_op *op, const char *shown)
{
    op->event.shown = shown;
    return op;
}

static void told_what_a_meeting_called_somebody_is_kept(void)
{
    uint64_t ann = person("ann"), room = meeting(ann, "123456"), gus = guest("gus", room);

    CHECK(go(called_op(room, ann, NULL, gus, NULL))->err == 0);
    CHECK(go(shown_as(event_op(room, gus, EVENT_TEXT, 0, "tea"), "gus 2"))->err == 0);
    CHECK(go(shown_as(event_op(room, gus, EVENT_EDIT, 2, "tea!"), "gustav"))->err == 0);
    CHECK(go(event_op(room, gus, EVENT_TEXT, 0, "milk"))->err == 0);
    CHECK(go(shown_as(event_op(room, ann, EVENT_TEXT, 0, "sugar"), "anna"))->err == 0);
    struct store_op *op = shown_as(change_op(room, true), "anna");
    op->event.kind = EVENT_MEET;
    op->event.from = ann;
    CHECK(go(op)->err == 0);
    CHECK(read_all(room, ann)->n_events == 6);
    static const char *const names[] = { "ann", "gus 2", "gustav", "gus", "anna", "anna" };
    for (size_t i = 0; i < 6; i++)
        CHECK(strcmp(last->events[i].from_name, names[i]) == 0 && !last->events[i].shown);
    CHECK(found(ann, "tea") == 1 && strcmp(last->events[0].from_name, "gus 2") == 0);
    op = new_op(STORE_EARLIER, T0);
    op->room.id = room;
    op->seq = 2;
    CHECK(go(op)->n_events == 2 && strcmp(last->events[1].from_name, "gustav") == 0);

    op = new_op(STORE_MEET_NOTE, T0);
    op->account.id = gus;
    op->peer = ann;
    op->event = (struct event){ .kind = EVENT_TEXT, .from = gus, .text = "psst" };
    CHECK(go(shown_as(op, "gustav"))->err == 0);
    CHECK(strcmp(read_all(room + 1, ann)->events[0].from_name, "gustav") == 0);

    person("admin"); /* the last one stays */
    op = new_op(STORE_ACCOUNT_DELETE, T0);
    op->account.id = ann;
    CHECK(go(op)->err == 0);
    read_all(room, gus);
    CHECK(*last->events[4].from_name == '#' && *last->events[5].from_name == '#');
    CHECK(strcmp(last->events[1].from_name, "gus 2") == 0);
}

/* What the room of the two is called for ann: in her list, and where it is loaded. */
static void room_is_called(uint64_t room, uint64_t ann, const char *name)
{
    struct store_op *op = new_op(STORE_ROOM_LIST, T0);
    const char *listed = "";

    op->account.id = ann;
    op->mine = true;
    CHECK(go(op)->err == 0);
    for (size_t i = 0; i < last->n_places; i++)
        if (last->places[i].room.id == room)
            listed = last->places[i].peer_name;
    CHECK(strcmp(listed, name) == 0);

    op = new_op(STORE_ROOM_LOAD, T0);
    op->room.id = room;
    CHECK(go(op)->err == 0 && last->n_members == 2);
    CHECK(strcmp(last->members[0].name, "ann") == 0 && strcmp(last->members[1].name, name) == 0);
}

static void told_rooms_of_notes_are_called_as_the_meeting_calls_a_guest(void)
{
    static const char *const names[] = { NULL, "gus 2", "gustav", NULL, "gus", "gus 2" };
    uint64_t ann = person("ann"), room = meeting(ann, "123456"), gus = guest("gus", room);
    const char *name = "gus";

    note(gus, ann, "psst");
    room_is_called(room + 1, ann, name);
    for (size_t i = 0; i < 6; i++) {
        name = names[i] ? names[i] : name;
        CHECK(go(called_op(room, ann, "anna", gus, names[i]))->err ==
              0); /* hers is the account's */
        room_is_called(room + 1, ann, name);
    }
    CHECK(go(called_op(room, ann, NULL, gus, "ann"))->err == -ROOST_NAME_TAKEN);
    CHECK(go(change_op(room, false))->err == 0);
    room_is_called(room + 1, ann, "gus 2"); /* also when it is over */
    CHECK(strcmp(read_all(room + 1, ann)->events[0].from_name, "gus") == 0); /* as it was then */
}

STORY(what_a_meeting_called_somebody_is_kept)
STORY(rooms_of_notes_are_called_as_the_meeting_calls_a_guest)

/* --- a file of the version before ------------------------------------------------------------ */

static bool is_closed(uint64_t room)
{
    struct store_op *op = new_op(STORE_ROOM_LOAD, T0);

    op->room.id = room;
    CHECK(go(op)->err == 0);
    return last->room_row.closed;
}

static void files_drop(const char *path)
{
    static const char *const ends[] = { "", "-wal", "-shm", ".before-v4" };
    char name[80];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

static void make_older(const char *path)
{
    sqlite3 *sql = NULL;

    CHECK(sqlite3_open(path, &sql) == SQLITE_OK);
    CHECK(
        sqlite3_exec(sql,
                     "UPDATE rooms SET closed = 0 WHERE kind = 1;"
                     "ALTER TABLE accounts DROP COLUMN shown; ALTER TABLE files DROP COLUMN shown;"
                     "ALTER TABLE files DROP COLUMN mode; ALTER TABLE files DROP COLUMN mtime_s;"
                     "ALTER TABLE events DROP COLUMN shown; PRAGMA user_version = 3",
                     NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(sql);
}

/* Of two meetings, one has ended. */
static void notes_of_meetings_that_had_ended_are_closed(void)
{
    char path[64], why[200];

    end();
    snprintf(path, sizeof path, "/tmp/roost-store-shown-%d", (int)getpid());
    struct sqlite_options options = { .path = path };
    CHECK(sqlite_store_open(&store, &options, why) == 0);
    uint64_t ann = person("ann"), over = meeting(ann, "123456"), on = meeting(ann, "654321");
    note(guest("gus", over), ann, "psst");
    note(guest("eve", on), ann, "psst");
    note(ann, person("bob"), "psst");
    CHECK(go(change_op(over, false))->err == 0);
    end();
    make_older(path);
    CHECK(sqlite_store_open(&store, &options, why) == 0);
    CHECK(is_closed(over) && is_closed(on + 1));
    CHECK(!is_closed(on) && !is_closed(on + 2) && !is_closed(on + 3));
    CHECK(strcmp(read_all(on + 1, ann)->events[0].from_name, "gus") == 0);
    end();
    files_drop(path);
}

TEST_MAIN({ "what_a_meeting_called_somebody_is_kept", what_a_meeting_called_somebody_is_kept },
          { "rooms_of_notes_are_called_as_the_meeting_calls_a_guest",
            rooms_of_notes_are_called_as_the_meeting_calls_a_guest },
          { "notes_of_meetings_that_had_ended_are_closed",
            notes_of_meetings_that_had_ended_are_closed })
