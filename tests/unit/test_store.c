/* The promises of store.h as stories, told to both stores. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/batch.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "store_story.h"
#include "test.h"

/* --- stories --- */

static void told_a_request_is_done_once(void)
{
    uint64_t ann = person("ann"), room = room_of(ann, 0), seq = 0;

    for (int i = 0; i < 3; i++) {
        struct store_op *op = event_op(room, ann, EVENT_TEXT, 0, "hello");
        op->req = (struct store_request){ .has_id = true, .scope = ann, .id = { 7 } };
        op->log = (struct store_log){ .kind = "say", .account = ann };
        go(op);
        CHECK(last->err == 0 && last->dup == (i > 0));
        CHECK(i == 0 || last->seq == seq);
        seq = last->seq;
    }
    struct store_op *other = event_op(room, ann, EVENT_TEXT, 0, "something else");
    other->req =
        (struct store_request){ .has_id = true, .scope = ann, .id = { 7 }, .digest = { 1 } };
    other->log = (struct store_log){ .kind = "say", .account = ann };
    CHECK(go(other)->err == -ROOST_CONFLICT);
    CHECK(read_all(room, ann)->head == seq);

    /* a line for every time it was asked, also for what was refused */
    CHECK(go(new_op(STORE_LOG_READ, T0))->n_lines == 4);
    CHECK(last->lines[2].outcome == 0 && last->lines[3].outcome == -ROOST_CONFLICT);

    /* after a week it is forgotten */
    struct store_op *late = event_op(room, ann, EVENT_TEXT, 0, "hello");
    late->now_ms = T0 + REQUEST_KEEP_MS + 1;
    late->req = (struct store_request){ .has_id = true, .scope = ann, .id = { 7 } };
    CHECK(go(late)->err == 0 && !last->dup && last->seq == seq + 1);
}

static void told_numbers_have_no_holes_and_time_does_not_go_back(void)
{
    uint64_t ann = person("ann"), room = room_of(ann, 0);

    CHECK(say(room, ann, "one") == 3); /* the room was made, ann came in */
    struct store_op *late = event_op(room, ann, EVENT_TEXT, 0, "two");
    late->now_ms = T0 + 5000;
    CHECK(go(late)->seq == 4 && last->at_ms == T0 + 5000);
    struct store_op *refused = event_op(room, ann, EVENT_EDIT, 99, "no such text");
    CHECK(go(refused)->err == -ROOST_NO_SUCH_MESSAGE);
    struct store_op *early = event_op(room, ann, EVENT_TEXT, 0, "three");
    CHECK(go(early)->seq == 5 && last->at_ms == T0 + 5000);

    struct store_op *stale = event_op(room, ann, EVENT_TEXT, 0, "four");
    stale->owner_epoch = 0;
    CHECK(go(stale)->err == -ROOST_STALE_OWNER);
}

static void told_a_name_is_free_again_when_the_room_is_closed(void)
{
    uint64_t ann = person("ann"), room = room_of(ann, 0);
    struct store_op *again = new_op(STORE_ROOM_NEW, T0);
    struct member_row owner = { .account = ann };

    again->room.name = again->room.skeleton = "room";
    again->members = arena_dup(&again->mem, &owner, sizeof owner);
    CHECK(again->members);
    again->n_members = 1;
    store_op_ref(again);
    CHECK(go(again)->err == -ROOST_NAME_TAKEN);
    struct store_op *close = event_op(room, ann, EVENT_ROOM, 0, "");
    close->event.closed = true;
    CHECK(go(close)->err == 0);
    CHECK(go(event_op(room, ann, EVENT_TEXT, 0, "too late"))->err == -ROOST_ROOM_CLOSED);
    CHECK(go(again)->err == 0 && last->room != room);

    struct store_op *twin = new_op(STORE_ACCOUNT_NEW, T0);
    twin->account.name = twin->account.skeleton = "ann";
    CHECK(go(twin)->err == -ROOST_NAME_TAKEN);
}

static int person_alike(const char *name, const char *looks)
{
    struct store_op *op = new_op(STORE_ACCOUNT_NEW, T0);

    op->account.name = op->account.skeleton = name;
    op->account.looks = looks;
    return go(op)->err;
}

static int room_alike(uint64_t owner, const char *name, const char *looks)
{
    struct store_op *op = new_op(STORE_ROOM_NEW, T0);
    struct member_row row = { .account = owner };

    op->room.name = op->room.skeleton = name;
    op->room.looks = looks;
    op->members = arena_dup(&op->mem, &row, sizeof row);
    op->n_members = 1;
    CHECK(op->members);
    return go(op)->err;
}

static void told_what_a_name_looks_like_is_nobody_elses(void)
{
    uint64_t bam = person("barn");

    CHECK(person_alike("BAM in Cyrillic", "barn\n") == -ROOST_NAME_TAKEN);
    CHECK(person_alike("HEH in Cyrillic", "nen\nheh\n") == 0);
    uint64_t heh = last->account;
    CHECK(person_alike("heh", NULL) == -ROOST_NAME_TAKEN && person_alike("nen", "") != 0);
    CHECK(person_alike("HEH in Greek", "xx\nheh\n") == -ROOST_NAME_TAKEN);
    CHECK(person_alike("he", NULL) == 0 && person_alike("xx", NULL) == 0);

    /* it is not found by it */
    struct store_op *find = new_op(STORE_ACCOUNT_FIND, T0);
    find->skeleton = "heh";
    CHECK(go(find)->err == -ROOST_NO_SUCH_USER);

    /* rooms are apart from accounts, and a closed one has no name any more */
    CHECK(room_alike(bam, "barn", NULL) == 0);
    CHECK(room_alike(bam, "BAM in Cyrillic", "barn\n") == -ROOST_NAME_TAKEN);
    CHECK(room_alike(bam, "HEH in Cyrillic", "heh\n") == 0);
    struct store_op *close = event_op(last->room, bam, EVENT_ROOM, 0, "");
    close->event.closed = true;
    CHECK(room_alike(bam, "heh", NULL) == -ROOST_NAME_TAKEN);
    CHECK(go(close)->err == 0 && room_alike(bam, "heh", NULL) == 0);

    struct store_op *gone = new_op(STORE_ACCOUNT_DELETE, T0);
    gone->account.id = heh;
    CHECK(go(gone)->err == 0);
    CHECK(person_alike("heh", NULL) == 0);
}

static void told_what_was_edited_or_deleted_is_masked(void)
{
    uint64_t ann = person("ann"), bob = person("bob"), room = room_of(ann, bob);
    uint64_t seq = say(room, ann, "frist");

    CHECK(go(event_op(room, ann, EVENT_EDIT, seq, "firts"))->err == 0);
    CHECK(go(event_op(room, ann, EVENT_EDIT, seq, "first"))->err == 0);
    struct store_op *foreign = event_op(room, bob, EVENT_EDIT, seq, "mine");
    foreign->own = true;
    CHECK(go(foreign)->err == -ROOST_NOT_ALLOWED);
    read_all(room, ann);
    const struct event *t = &last->events[seq - 1];
    CHECK(strcmp(t[0].text, "first") == 0 && t[0].edit_seq == seq + 2);
    CHECK(strcmp(t[1].text, "") == 0 && strcmp(t[2].text, "first") == 0);

    CHECK(go(event_op(room, bob, EVENT_REACT, seq, "+1"))->err == 0);
    CHECK(go(event_op(room, ann, EVENT_PIN, seq, NULL))->err == 0);
    CHECK(go(event_op(room, ann, EVENT_DELETE, seq, NULL))->err == 0);
    CHECK(go(event_op(room, ann, EVENT_DELETE, seq, NULL))->err == -ROOST_ALREADY);
    CHECK(go(event_op(room, bob, EVENT_REACT, seq, "+1"))->err == -ROOST_NO_SUCH_MESSAGE);
    read_all(room, ann);
    t = &last->events[seq - 1];
    CHECK(t[0].deleted && !*t[0].text && !t[0].n_reactions && !*t[2].text);

    struct store_op *earlier = new_op(STORE_EARLIER, T0);
    earlier->room.id = room;
    earlier->seq = seq;
    CHECK(go(earlier)->n_events == 3);
    CHECK(strcmp(last->events[0].text, "frist") == 0 && strcmp(last->events[2].text, "first") == 0);
}

static void told_searching_takes_anything_that_is_typed(void)
{
    static const char *const odd[] = { "\"",     "*",  "AND",     "NOT \"", "a OR", "(",
                                       "text:x", "^y", "'; DROP", "\"\" *", "-",    "NEAR(a b)" };
    uint64_t ann = person("ann"), bob = person("bob"), room = room_of(ann, 0);
    uint64_t seq = say(room, ann, "the power was cut at noon");

    say(room, ann, "cut the power");
    CHECK(found(ann, "power cut") == 2 && found(ann, "\"the power\"") == 2);
    CHECK(found(ann, "\"power was") == 1 && found(ann, "NOO*") == 1 && found(ann, "noo") == 0);
    CHECK(found(bob, "power") == 0); /* not his room */
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        found(ann, odd[i]);
    CHECK(go(event_op(room, ann, EVENT_EDIT, seq, "nothing happened"))->err == 0);
    CHECK(found(ann, "power") == 1 && found(ann, "happened") == 1);
    CHECK(last->events[0].seq == seq && strcmp(last->events[0].text, "nothing happened") == 0);
    CHECK(go(event_op(room, ann, EVENT_DELETE, seq, NULL))->err == 0);
    CHECK(found(ann, "happened") == 0);
}

static void told_a_token_is_good_for_a_minute_after_the_next(void)
{
    uint64_t ann = person("ann");
    struct store_op *login = new_op(STORE_SESSION_NEW, T0);

    login->account.id = ann;
    memset(login->session.token, 1, 32);
    CHECK(go(login)->err == 0);
    for (int i = 0; i < 3; i++) { /* shown again and again it does not live longer */
        struct store_op *op = new_op(STORE_SESSION_RESUME, T0 + i * 40000);
        memset(op->secret, 1, 32);
        memset(op->next_secret, 2 + i, 32);
        CHECK(go(op)->err == (i < 2 ? 0 : -ROOST_SESSION_OVER));
        CHECK(i == 2 || last->account == ann);
    }
    struct store_op *op = new_op(STORE_SESSION_RESUME, T0 + 90000);
    memset(op->secret, 3, 32);
    CHECK(go(op)->err == 0);
}

static void told_an_account_that_goes_leaves_a_number(void)
{
    uint64_t ann = person("ann"), bob = person("bob"), room = room_of(ann, bob);
    uint64_t seq = say(room, bob, "secret plans");
    struct store_op *op = new_op(STORE_ACCOUNT_DELETE, T0);

    op->account.id = bob;
    CHECK(go(op)->err == 0);
    read_all(room, ann);
    CHECK(last->n_events == seq && last->events[seq - 1].deleted && !*last->events[seq - 1].text);
    CHECK(strcmp(last->events[seq - 1].from_name, "#2") == 0);
    CHECK(found(ann, "plans") == 0);
    op = new_op(STORE_ACCOUNT_ROLE, T0);
    op->account.id = bob;
    CHECK(go(op)->err == -ROOST_NO_SUCH_USER);
    CHECK(person("bob") == 3); /* the name is free, the number is not */
}

static int invitation(enum store_kind kind, int which, uint64_t account, int64_t now_ms)
{
    struct store_op *op = new_op(kind, now_ms);

    memset(op->secret, which, sizeof op->secret);
    op->has_secret = true;
    op->until_ms = T0 + 1000;
    if (kind == STORE_INVITE_FIND)
        op->skeleton = account ? "ann" : NULL;
    else
        op->account.id = account;
    if (kind == STORE_ACCOUNT_NEW)
        op->account.name = op->account.skeleton = "carl";
    return go(op)->err;
}

static void told_an_invitation_is_looked_at_before_it_is_used(void)
{
    uint64_t ann = person("ann");

    CHECK(invitation(STORE_INVITE_NEW, 1, 0, T0) == 0);
    CHECK(invitation(STORE_INVITE_NEW, 2, ann, T0) == 0);
    for (int i = 0; i < 2; i++) /* looking uses nothing up */
        CHECK(invitation(STORE_INVITE_FIND, 1, 0, T0) == 0 && last->account == 0);
    CHECK(invitation(STORE_INVITE_FIND, 2, ann, T0 + 1000) == 0 && last->account == ann);
    CHECK(invitation(STORE_INVITE_FIND, 3, 0, T0) == -ROOST_INVITE_BAD);
    CHECK(invitation(STORE_INVITE_FIND, 1, 0, T0 + 1001) == -ROOST_INVITE_BAD);
    /* one is not the other */
    CHECK(invitation(STORE_INVITE_FIND, 1, ann, T0) == -ROOST_INVITE_BAD);
    CHECK(invitation(STORE_INVITE_FIND, 2, 0, T0) == -ROOST_INVITE_BAD);
    CHECK(invitation(STORE_ACCOUNT_NEW, 1, 0, T0) == 0);
    CHECK(invitation(STORE_INVITE_FIND, 1, 0, T0) == -ROOST_INVITE_BAD);
}

static void note(const char *target)
{
    struct store_op *op = new_op(STORE_LOG, T0);

    op->log.kind = "say";
    op->log.target = target;
    CHECK(go(op)->err == 0);
}

static void told_the_log_forgets_the_name_and_keeps_the_line(void)
{
    static const char *const targets[] = { "bob", "@Bob", "#maths bob", "#bob", "rebob", "#maths" };
    static const char *const after[] = {
        "#2", "@#2", "#maths #2", "#bob", "rebob", "#maths", "bob"
    };
    struct store_op *op = new_op(STORE_ACCOUNT_DELETE, T0);

    person("ann");
    op->account.id = person("bob");
    for (size_t i = 0; i < 6; i++)
        note(targets[i]);
    CHECK(go(op)->err == 0 && person("bob") == 3);
    note("bob"); /* another one */
    op = new_op(STORE_LOG_READ, T0);
    op->words = "say";
    op->limit = 50;
    CHECK(go(op)->err == 0 && last->n_lines == 7);
    for (size_t i = 0; i < 7; i++)
        CHECK(strcmp(last->lines[i].target, after[i]) == 0);
}

static void told_what_is_old_goes_and_numbers_stay(void)
{
    uint64_t ann = person("ann"), room = room_of(ann, 0), old = say(room, ann, "old words");
    struct store_op *op = event_op(room, ann, EVENT_TEXT, 0, "new words");

    go(event_op(room, ann, EVENT_EDIT, old, "old words, edited"));
    op->now_ms = T0 + 1000;
    uint64_t new = go(op)->seq;
    op = new_op(STORE_RETAIN, T0 + 2000);
    op->room.id = room;
    op->before_ms = T0 + 500;
    CHECK(go(op)->err == 0);
    CHECK(found(ann, "words") == 1 && read_all(room, ann)->n_events == 3 && last->head == new);
    op = new_op(STORE_ROOM_LOAD, T0);
    op->room.id = room;
    CHECK(go(op)->room_row.first == new);
}

static void told_of_a_page_that_is_asked_for(void)
{
    uint64_t ann = person("ann"), bob = person("bob"), room = room_of(ann, bob);

    for (int i = 0; i < 20; i++)
        say(room, ann, "line"); /* 4 to 23 */
    struct store_op *op = new_op(STORE_READ, T0);
    op->room.id = room;
    op->limit = 5;
    op->last = true;
    CHECK(go(op)->n_events == 5 && last->more && last->events[0].seq == 19);
    op = new_op(STORE_READ, T0);
    op->room.id = room;
    op->limit = 5;
    op->around = 10;
    CHECK(go(op)->n_events == 5 && last->events[0].seq == 8 && last->events[4].seq == 12);
    op = new_op(STORE_MARK, T0);
    op->room.id = room;
    op->account.id = bob;
    op->read = 20;
    CHECK(go(op)->read == 20 && last->delivered == 20);
    op = new_op(STORE_READ, T0);
    op->room.id = room;
    op->account.id = bob;
    op->unread = true;
    CHECK(go(op)->n_events == 3 && !last->more);
    op = new_op(STORE_ROOM_LIST, T0);
    op->account.id = bob;
    op->mine = true;
    CHECK(go(op)->n_places == 2 && last->places[1].unread == 3 && last->places[1].members == 2);
}

static void told_a_batch_that_is_rolled_back_never_was(void)
{
    uint64_t ann = person("ann"), room = room_of(ann, 0), seq = say(room, ann, "kept");
    struct store_op *op = event_op(room, ann, EVENT_TEXT, 0, "lost");

    CHECK(store->ops->begin(store) == 0);
    store_result_free(store->ops->apply(store, op));
    store_op_unref(op);
    store->ops->rollback(store);
    CHECK(read_all(room, ann)->head == seq && found(ann, "lost") == 0);
    CHECK(say(room, ann, "next") == seq + 1);
}

/* --- who is told --- */

STORY(a_request_is_done_once)
STORY(numbers_have_no_holes_and_time_does_not_go_back)
STORY(a_name_is_free_again_when_the_room_is_closed)
STORY(what_a_name_looks_like_is_nobody_elses)
STORY(what_was_edited_or_deleted_is_masked)
STORY(searching_takes_anything_that_is_typed)
STORY(a_token_is_good_for_a_minute_after_the_next)
STORY(an_account_that_goes_leaves_a_number)
STORY(an_invitation_is_looked_at_before_it_is_used)
STORY(the_log_forgets_the_name_and_keeps_the_line)
STORY(what_is_old_goes_and_numbers_stay)
STORY(of_a_page_that_is_asked_for)
STORY(a_batch_that_is_rolled_back_never_was)

static void accents_and_case_do_not_matter(void)
{
    char why[200];

    end();
    CHECK(sqlite_store_open(&store, &(struct sqlite_options){ .path = ":memory:" }, why) == 0);
    uint64_t ann = person("ann"), room = room_of(ann, 0);
    say(room, ann, "Ein Café in der Straße nach Übersee");
    CHECK(found(ann, "cafe") == 1 && found(ann, "ÜBERSEE") == 1 && found(ann, "uber*") == 1);
    end();
}

/* Where a request that was done is kept moves from memory to the tree; nobody notices,
 * and its time runs on. */
static void a_request_is_known_wherever_it_has_settled(void)
{
    enum { REQUESTS = 100 };
    char why[200];

    end();
    CHECK(sqlite_store_open(&store,
                            &(struct sqlite_options){ .path = ":memory:", .requests_most = 20 },
                            why) == 0);
    uint64_t ann = person("ann"), room = room_of(ann, 0), seqs[REQUESTS];
    for (int again = 0; again < 4; again++) {
        int64_t now_ms = T0 + (again == 3 ? REQUEST_KEEP_MS + 1 : again);
        for (int i = 0; i < REQUESTS; i++) {
            struct store_op *op = event_op(room, ann, EVENT_TEXT, 0, "hello");
            op->now_ms = now_ms;
            op->req = (struct store_request){
                .has_id = true, .scope = ann, .id = { (uint8_t)(i * 37) }, .digest = { again == 2 }
            };
            go(op);
            CHECK(last->err == (again == 2 ? -ROOST_CONFLICT : 0));
            CHECK(last->dup == (again == 1));
            CHECK(again != 1 || last->seq == seqs[i]);
            seqs[i] = again ? seqs[i] : last->seq;
        }
    }
    CHECK(read_all(room, ann)->head == seqs[REQUESTS - 1] + REQUESTS);
    CHECK(sqlite_store_check(store, why));
    end();
}

/* Whatever fails, nothing is left. */
static char path[40], wal[48], before[56];

static void files_drop(void)
{
    unlink(path);
    unlink(wal);
    unlink(before);
}

static void file_begin(void)
{
    end();
    if (!*path)
        atexit(files_drop);
    snprintf(path, sizeof path, "/tmp/roost-store-%d", (int)getpid());
    snprintf(wal, sizeof wal, "%s-wal", path);
    snprintf(before, sizeof before, "%s.before-v4", path);
    files_drop();
}

/* A file of the time before some tables. */
static void an_older_file_is_brought_up(void)
{
    struct sqlite_options options = { .path = path };
    sqlite3 *sql = NULL;
    char why[200];

    file_begin();
    CHECK(sqlite_store_open(&store, &options, why) == 0);
    uint64_t ann = person("ann"), room = room_of(ann, 0);
    end();
    CHECK(sqlite3_open(path, &sql) == SQLITE_OK);
    int rc = sqlite3_exec(
        sql,
        "DROP TABLE files; DROP TABLE looks; DROP TABLE recent0; DROP TABLE recent1;"
        "DROP TABLE meets; DROP TABLE attendees; DROP INDEX direct_high;"
        "DROP INDEX accounts_guest; ALTER TABLE accounts DROP COLUMN guest;"
        "ALTER TABLE accounts DROP COLUMN guest_of;"
        "ALTER TABLE accounts DROP COLUMN shown;"
        "ALTER TABLE events DROP COLUMN data; ALTER TABLE events DROP COLUMN shown; PRAGMA "
        "user_version = 1",
        NULL, NULL, NULL);
    sqlite3_close(sql);
    CHECK(rc == SQLITE_OK);
    CHECK(sqlite_store_open(&store, &options, why) == 0);
    CHECK(access(before, F_OK) == 0);
    CHECK(person_alike("ANN in Greek", "ann\n") == -ROOST_NAME_TAKEN);
    CHECK(room_alike(ann, "ROOM in Greek", "room\n") == -ROOST_NAME_TAKEN);
    CHECK(read_all(room, ann)->n_events == 2 && last->events[0].n_data == 0);
    CHECK(strcmp(last->events[0].from_name, "ann") == 0);
    struct store_op *said = event_op(room, ann, EVENT_TEXT, 0, "as shown");
    said->event.shown = "anna";
    CHECK(go(said)->err == 0 && !strcmp(read_all(room, ann)->events[2].from_name, "anna"));
    struct store_op *op = new_op(STORE_GUEST_NEW, T0);
    op->account.name = op->skeleton = "gus";
    CHECK(go(op)->err == 0 && go(new_op(STORE_MEET_LIST, T0))->err == 0);
    end();
}

enum { MANY = 150 }; /* requests of one batch */

static void request_many(uint64_t room, uint64_t ann, int first, bool dup)
{
    struct store_op *ops[MANY];
    struct store_result *results[MANY];

    for (int i = 0, n = first; i < MANY; i++, n++) {
        ops[i] = event_op(room, ann, EVENT_TEXT, 0, "hello");
        ops[i]->req = (struct store_request){ .has_id = true, .scope = ann };
        memcpy(ops[i]->req.id, &n, sizeof n);
    }
    CHECK(store_run_batch(store, ops, MANY, results) == 0);
    for (int i = 0; i < MANY; i++) {
        CHECK(results[i]->err == 0 && results[i]->dup == dup);
        store_result_free(results[i]);
        store_op_unref(ops[i]);
    }
}

/* The filter of an old tree is learnt piece by piece; meanwhile the tree itself is asked. */
static void a_request_is_known_after_a_restart(void)
{
    enum { BATCHES = 12 };
    struct sqlite_options o = { .path = path, .requests_most = 20 };
    char why[200];

    file_begin();
    CHECK(sqlite_store_open(&store, &o, why) == 0);
    uint64_t ann = person("ann"), room = room_of(ann, 0);
    for (int i = 0; i < BATCHES; i++)
        request_many(room, ann, i * MANY, false);
    end();
    CHECK(sqlite_store_open(&store, &o, why) == 0);
    for (int i = 0; i < BATCHES; i++) {
        request_many(room, ann, (BATCHES + i) * MANY, false);
        request_many(room, ann, (BATCHES - 1 - i) * MANY, true);
    }
    CHECK(sqlite_store_check(store, why));
    end();
}

static void a_commit_that_fails_loses_the_batch_and_nothing_else(void)
{
    end();
    store = memory_store_new();
    CHECK(store);
    uint64_t ann = person("ann"), room = room_of(ann, 0), seq = say(room, ann, "kept");
    uint64_t digest = memory_digest(store);
    memory_fail_commit(store, -ROOST_FULL);
    CHECK(go(event_op(room, ann, EVENT_TEXT, 0, "lost"))->err == -ROOST_FULL);
    CHECK(memory_digest(store) == digest && memory_head(store, room) == seq);
    CHECK(say(room, ann, "next") == seq + 1);
    end();
}

#define T(name)                                                                                    \
    {                                                                                              \
#name, name                                                                                \
    }
TEST_MAIN(T(a_request_is_done_once), T(numbers_have_no_holes_and_time_does_not_go_back),
          T(a_name_is_free_again_when_the_room_is_closed),
          T(what_a_name_looks_like_is_nobody_elses), T(what_was_edited_or_deleted_is_masked),
          T(searching_takes_anything_that_is_typed), T(a_token_is_good_for_a_minute_after_the_next),
          T(an_invitation_is_looked_at_before_it_is_used), T(an_account_that_goes_leaves_a_number),
          T(the_log_forgets_the_name_and_keeps_the_line), T(what_is_old_goes_and_numbers_stay),
          T(of_a_page_that_is_asked_for), T(a_batch_that_is_rolled_back_never_was),
          T(accents_and_case_do_not_matter), T(a_request_is_known_wherever_it_has_settled),
          T(a_request_is_known_after_a_restart), T(an_older_file_is_brought_up),
          T(a_commit_that_fails_loses_the_batch_and_nothing_else))
