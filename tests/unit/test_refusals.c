/* test_refusals.c - what the hub refuses, each once: what other stories do not come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hub/guard.h"
#include "hub/internal.h"
#include "meets.h"
#include "refusing.h"
#include "test.h"
#include "wire/frame.h"

static void texts_and_names(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    uint64_t room = visitor_room(ann, "maths", NULL);
    char *strange[] = { "a/b" };
    char *many[51];

    for (int i = 0; i < 51; i++)
        many[i] = "bob";
    CHECK(TRY(ann, SAY, say, Roost__Say, roost__say, TO("#maths"), .text = "hi", .reply_to = 99) ==
          ROOST_NO_SUCH_MESSAGE);
    CHECK(TRY(ann, SAY, say, Roost__Say, roost__say, TO("#maths"), .text = of_length(17000)) ==
          ROOST_TOO_LONG);
    CHECK(TRY(ann, REACT, react, Roost__React, roost__react, .room = room, .seq = 1, .emoji = "") ==
          ROOST_NO_SUCH_EMOJI);
    CHECK(TRY(ann, REACT, react, Roost__React, roost__react, .room = room, .seq = 1,
              .emoji = "a b") == ROOST_NO_SUCH_EMOJI);
    CHECK(TRY(ann, REACT, react, Roost__React, roost__react, .room = room, .seq = 1,
              .emoji = "a\x7f") == ROOST_NO_SUCH_EMOJI);
    CHECK(TRY(ann, NEW_ROOM, new_room, Roost__NewRoom, roost__new_room, .name = "x",
              .users = strange, .n_users = 1) == ROOST_NO_SUCH_USER);
    CHECK(TRY(ann, NEW_ROOM, new_room, Roost__NewRoom, roost__new_room, .name = "x", .users = many,
              .n_users = 51) == ROOST_LIMIT);
    CHECK(TRY(ann, NEW_ROOM, new_room, Roost__NewRoom, roost__new_room, .name = "x",
              .topic = of_length(1025)) == ROOST_TOO_LONG);
    CHECK(TRY(ann, SET_TOPIC, set_topic, Roost__SetTopic, roost__set_topic, TO("#maths"),
              .topic = of_length(1025)) == ROOST_TOO_LONG);
    CHECK(TRY(ann, AWAY, away, Roost__Away, roost__away, .text = of_length(257)) == ROOST_TOO_LONG);
    CHECK(TRY(ann, SEARCH, search, Roost__Search, roost__search, .words = "") == ROOST_BAD_TEXT);
    CHECK(TRY(ann, SEARCH, search, Roost__Search, roost__search, .words = of_length(300)) ==
          ROOST_TOO_LONG);
    CHECK(TRY(bob, SEARCH, search, Roost__Search, roost__search, TO("#maths"), .words = "a") ==
          ROOST_NOT_MEMBER);
    CHECK(sign_up(bob, "Everyone", PASSWORD, "") == ROOST_NAME_TAKEN);
    /* one character that is 18 when it is written out, 32 times */
    char *p = of_length(96);
    for (int i = 0; i < 32; i++)
        memcpy(p + 3 * i, "\xef\xb7\xba", 3);
    CHECK(sign_up(bob, p, PASSWORD, "") == ROOST_NAME_BAD);
    visitor_free(bob);
    visitor_free(ann);
    stage_free(s);
}

static void rooms(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    uint64_t room = visitor_room(ann, "maths", "bob");

    CHECK(TRY(ann, SET_ROLE, set_role, Roost__SetRole, roost__set_role, TO("#maths"), .user = "bob",
              .role = (Roost__RoomRole)7) == ROOST_INVALID);
    CHECK(TRY(ann, BAN, ban, Roost__Ban, roost__ban, TO("#maths"), .user = "ann") ==
          ROOST_NOT_ALLOWED);
    CHECK(TRY(ann, SET_ROOM, set_room, Roost__SetRoom, roost__set_room, TO("@bob"),
              .moderated = ROOST__SWITCH__ON) != 0);
    CHECK(TRY(ann, SYNC, sync, Roost__Sync, roost__sync, .room = 4711) == ROOST_NO_SUCH_ROOM);
    CHECK(TRY(ann, MEMBERS, members, Roost__Members, roost__members, .target = NULL) ==
          ROOST_NO_SUCH_ROOM);
    /* fifty pins, and no more */
    for (int i = 0; i < 51; i++) {
        stage_run(s, SECONDS(1));
        CHECK(visitor_say(ann, "#maths", "a text") == 0);
        uint64_t seq = ann->heard[ann->n_heard - 1].frame->reply->done->seq;
        int code = TRY(ann, PIN, pin, Roost__Pin, roost__pin, .room = room, .seq = seq);
        CHECK(code == (i < 50 ? 0 : ROOST_LIMIT));
        if (i == 0) {
            CHECK(TRY(ann, PIN, pin, Roost__Pin, roost__pin, .room = room, .seq = seq) ==
                  ROOST_ALREADY);
            CHECK(TRY(ann, PIN, pin, Roost__Pin, roost__pin, .room = room, .seq = seq,
                      .off = true) == 0);
            CHECK(TRY(ann, PIN, pin, Roost__Pin, roost__pin, .room = room, .seq = seq) == 0);
        }
    }
    /* who is banned is asked in again by a moderator only */
    CHECK(TRY(ann, INVITE, invite, Roost__Invite, roost__invite, TO("#maths"), .user = "bob") ==
          ROOST_ALREADY);
    struct visitor *cia = visitor_named(s, "cia");
    CHECK(TRY(ann, BAN, ban, Roost__Ban, roost__ban, TO("#maths"), .user = "cia") == 0);
    CHECK(TRY(bob, INVITE, invite, Roost__Invite, roost__invite, TO("#maths"), .user = "cia") ==
          ROOST_NOT_ALLOWED);
    CHECK(TRY(ann, CLOSE_ROOM, close_room, Roost__CloseRoom, roost__close_room, TO("#maths")) == 0);
    CHECK(TRY(ann, CLOSE_ROOM, close_room, Roost__CloseRoom, roost__close_room, AT(room)) ==
          ROOST_ALREADY);
    CHECK(TRY(cia, JOIN, join, Roost__Join, roost__join, AT(room)) == ROOST_BANNED);
    struct visitor *dan = visitor_named(s, "dan");
    CHECK(TRY(dan, JOIN, join, Roost__Join, roost__join, AT(room)) == ROOST_ROOM_CLOSED);
    CHECK(visitor_sync(dan, UINT64_C(1) << 63 | room, 0) == ROOST_NO_SUCH_ROOM);
    visitor_free(dan);
    CHECK(TRY(bob, LEAVE, leave, Roost__Leave, roost__leave, AT(room)) == 0);
    visitor_free(cia);
    visitor_free(bob);
    visitor_free(ann);
    stage_free(s);
}

static void administration(void)
{
    struct stage *s = meet_stage();
    struct visitor *root = admin_new(s), *ann = visitor_named(s, "ann");
    uint8_t key[32] = { 1 };

    CHECK(TRY(root, SET_ROOM, set_room, Roost__SetRoom, roost__set_room, TO("*"),
              .moderated = ROOST__SWITCH__ON) == ROOST_NOT_ALLOWED);
    CHECK(TRY(root, ADMIN_ROLE, admin_role, Roost__AdminRole, roost__admin_role, .user = "ann",
              .role = (Roost__Role)9) == ROOST_INVALID);
    CHECK(TRY(root, ADMIN_USER_NEW, admin_user_new, Roost__AdminUserNew, roost__admin_user_new,
              .name = "new", .password = PASSWORD, .role = (Roost__Role)7) == ROOST_INVALID);
    CHECK(TRY(root, ADMIN_INVITE, admin_invite, Roost__AdminInvite, roost__admin_invite,
              .role = (Roost__Role)9) == ROOST_INVALID);
    CHECK(TRY(root, ADMIN_EXPORT, admin_export, Roost__AdminExport, roost__admin_export,
              .room = 4711) == ROOST_NO_SUCH_ROOM);
    CHECK(block(root, "ann", 0) == ROOST_INVALID);
    CHECK(block(root, "ann", UINT64_MAX) == 0);
    CHECK(TRY(root, ADMIN_UNBLOCK, admin_unblock, Roost__AdminUnblock, roost__admin_unblock,
              .key = { 3, key }) == ROOST_INVALID);
    CHECK(TRY(root, ADMIN_UNBLOCK, admin_unblock, Roost__AdminUnblock, roost__admin_unblock,
              .key = { 32, key }) == 0);
    CHECK(unblock(root, "ann") == 0);
    CHECK(TRY(root, ADMIN_LOG, admin_log, Roost__AdminLog, roost__admin_log, .user = "a/b") ==
          ROOST_NO_SUCH_USER);
    CHECK(TRY(root, ADMIN_LOG, admin_log, Roost__AdminLog, roost__admin_log, .user = "@ann") == 0);
    CHECK(TRY(root, ADMIN_RESTORE, admin_restore, Roost__AdminRestore, roost__admin_restore,
              .size = 1, .data = { 60000, (uint8_t *)of_length(60000) }) != 0);
    CHECK(TRY(root, ADMIN_STATS, admin_stats, Roost__AdminStats, roost__admin_stats) != 0);
    CHECK(TRY(root, ADMIN_BACKUP, admin_backup, Roost__AdminBackup, roost__admin_backup) != 0);
    CHECK(TRY(root, ADMIN_CHECK, admin_check, Roost__AdminCheck, roost__admin_check) != 0);
    visitor_free(ann);
    visitor_free(root);
    stage_free(s);
}

/* --- connections --- */

static void beginnings(void)
{
    struct stage *s = meet_stage();
    struct visitor *v = visitor_new(s), *ann = visitor_named(s, "ann");
    uint8_t token[32] = { 0 }, device[32] = { 0 };
    struct hub_peer peer = { .address = "192.0.2.9", .source = "192.0.2.9" };
    Roost__ToServer ping = ROOST__TO_SERVER__INIT;
    Roost__Ping p = ROOST__PING__INIT;

    CHECK(TRY(v, HELLO, hello, Roost__Hello, roost__hello, .version_min = 7, .version_max = 9) ==
          ROOST_VERSION);
    CHECK(TRY(v, LOGIN, login, Roost__Login, roost__login, .name = "ann", .password = PASSWORD,
              .device = { 3, device }) == ROOST_INVALID);
    CHECK(login(v, "ann", of_length(300), 7) == ROOST_LOGIN_WRONG);
    CHECK(TRY(ann, END_SESSION, end_session, Roost__EndSession, roost__end_session) ==
          ROOST_NO_SUCH_SESSION);
    CHECK(TRY(v, RESUME, resume, Roost__Resume, roost__resume, .token = { 3, token },
              .device = { 32, device }) == ROOST_INVALID);
    CHECK(TRY(ann, RESUME, resume, Roost__Resume, roost__resume, .token = { 32, token },
              .device = { 32, device }) == ROOST_ALREADY);

    Roost__ToServer nothing = ROOST__TO_SERVER__INIT;
    CHECK(reply_code(visitor_ask(ann, &nothing)) == ROOST_UNSUPPORTED);

    /* nothing is asked before Hello, nothing is changed without an id */
    v->conn = ++s->n_conns;
    s->by_conn[v->conn] = v;
    hall_connect(&s->hall, v->conn, &peer);
    CHECK(TRY(v, PING, ping, Roost__Ping, roost__ping) == ROOST_VERSION);
    ping.body_case = ROOST__TO_SERVER__BODY_LOGOUT;
    ping.logout = &(Roost__Logout){ .base = PROTOBUF_C_MESSAGE_INIT(&roost__logout__descriptor) };
    struct blob *frame = msg_encode(&ping.base);
    CHECK(frame);
    hall_frame(&s->hall, ann->conn, frame->bytes + FRAME_HEAD, frame->len - FRAME_HEAD);
    blob_unref(frame);
    hall_settle(&s->hall);
    CHECK(visitor_errors(ann, ROOST_INVALID) == 1);

    /* too many connections */
    s->hall.config.conns_max = 2;
    CHECK(hub_set_config(s->hall.hub, &s->hall.config) == 0);
    uint64_t before = v->conn;
    v->closed = false;
    v->conn = ++s->n_conns;
    s->by_conn[v->conn] = v;
    hall_connect(&s->hall, v->conn, &peer);
    CHECK(v->closed);
    v->conn = before;

    /* and when it goes down */
    ping.body_case = ROOST__TO_SERVER__BODY_PING;
    ping.ping = &p;
    hub_drain(s->hall.hub, hall_now(&s->hall));
    CHECK(reply_code(visitor_ask(ann, &ping)) == ROOST_SHUTTING_DOWN);
    visitor_free(ann);
    visitor_free(v);
    stage_free(s);
}

static void too_much_at_once(void)
{
    struct stage *s = meet_stage();
    struct visitor *v[VISITORS_MAX + 1], *ann = visitor_named(s, "ann");
    uint64_t room = visitor_room(ann, "maths", NULL);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Sync sync = ROOST__SYNC__INIT;
    size_t busy = 0;

    sync.room = room;
    m.body_case = ROOST__TO_SERVER__BODY_SYNC;
    m.sync = &sync;
    CHECK(TRY(ann, PING, ping, Roost__Ping, roost__ping) == 0);
    CHECK(hall_crash(&s->hall) == 0); /* the room is not loaded now */
    for (int i = 0; i <= VISITORS_MAX; i++) {
        v[i] = visitor_new(s);
        CHECK(login(v[i], "ann", PASSWORD, (uint8_t)(i + 1)) == 0);
    }
    s->hall.store_delay_us = 1000;
    for (int i = 0; i <= VISITORS_MAX; i++)
        for (int j = 0; j < 66; j++)
            visitor_send(v[i], &m);
    hall_settle(&s->hall);
    for (int i = 0; i <= VISITORS_MAX; i++)
        busy += visitor_errors(v[i], ROOST_BUSY);
    CHECK(busy > 0);
    for (int i = 0; i <= VISITORS_MAX; i++)
        visitor_free(v[i]);
    visitor_free(ann);
    stage_free(s);
}

/* --- many --- */

static void rooms_that_one_follows(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann");
    int code = 0, n = 0;
    char name[16];

    for (; n < 1001 && !code; n++) {
        snprintf(name, sizeof name, "r%04dx", n);
        uint64_t room = visitor_room(ann, name, NULL);
        code = visitor_sync(ann, room, 0);
        visitor_forget(ann);
    }
    CHECK(code == ROOST_LIMIT && n == 1001);
    visitor_free(ann);
    stage_free(s);
}

/* Ten thousand are many for a story: the hub is told that so many are in. */
static void a_full_room(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    uint64_t id = visitor_room(ann, "maths", NULL);

    CHECK(visitor_say(ann, "#maths", "hello") == 0); /* it is loaded */
    struct room *room = map_get(&s->hall.hub->rooms, id);
    CHECK(room);
    uint32_t n_members = room->n_members;
    room->n_members = ROOM_MEMBERS_MAX;
    CHECK(TRY(bob, JOIN, join, Roost__Join, roost__join, TO("#maths")) == ROOST_LIMIT);
    CHECK(TRY(ann, INVITE, invite, Roost__Invite, roost__invite, TO("#maths"), .user = "bob") ==
          ROOST_LIMIT);
    room->n_members = n_members;
    size_t n = room->members.n;
    room->members.n = 2 * ROOM_MEMBERS_MAX;
    int code = TRY(ann, BAN, ban, Roost__Ban, roost__ban, TO("#maths"), .user = "bob");
    room->members.n = n;
    CHECK(code == ROOST_LIMIT);
    visitor_free(bob);
    visitor_free(ann);
    stage_free(s);
}

static void logins_under_way(void)
{
    struct guard_flights *f = guard_flights_new(1);
    struct guard_run *runs = calloc(GUARD_FLIGHTS_MAX, sizeof *runs);
    int err = 0, n = 0;
    char name[16], source[16];

    CHECK(f && runs);
    for (; n < GUARD_FLIGHTS_MAX && !err; n++) {
        struct guard_try t = { .skeleton = name, .name = name, .source = source };
        snprintf(name, sizeof name, "a%d", n);
        snprintf(source, sizeof source, "s%d", n);
        memcpy(t.device, &n, sizeof n);
        err = guard_begin(f, &runs[n], &t);
    }
    CHECK(err == -ROOST_BUSY && n > 1000);
    while (--n > 0)
        guard_end(f, &runs[n - 1]);
    guard_flights_free(f);
    free(runs);
}

TEST_MAIN({ "texts_and_names", texts_and_names }, { "rooms", rooms },
          { "administration", administration }, { "beginnings", beginnings },
          { "too_much_at_once", too_much_at_once },
          { "rooms_that_one_follows", rooms_that_one_follows }, { "a_full_room", a_full_room },
          { "logins_under_way", logins_under_way })
