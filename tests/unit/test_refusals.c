/* test_refusals.c - what the hub refuses, each once: what other stories do not come to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "hub/guard.h"
#include "hub/internal.h"
#include "meets.h"
#include "test.h"
#include "wire/frame.h"

/* One request, written out; its error. */
#define TRY(v, CASE, field, Type, name, ...)                                                       \
    reply_code(                                                                                    \
        ASK(v, CASE, field,                                                                        \
            (&(Type){ .base = PROTOBUF_C_MESSAGE_INIT(&name##__descriptor), __VA_ARGS__ })))
#define TO(room_name)                                                                              \
    .target = &(Roost__Target)                                                                     \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&roost__target__descriptor), .name = room_name             \
    }
#define AT(number)                                                                                 \
    .target = &(Roost__Target)                                                                     \
    {                                                                                              \
        .base = PROTOBUF_C_MESSAGE_INIT(&roost__target__descriptor), .room = number                \
    }

static char *of_length(size_t n)
{
    static char text[70000];

    memset(text, 'a', n);
    text[n] = '\0';
    return text;
}

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
    CHECK(TRY(cia, JOIN, join, Roost__Join, roost__join, AT(room)) != 0);
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
    CHECK(TRY(v, RESUME, resume, Roost__Resume, roost__resume, .token = { 3, token },
              .device = { 32, device }) == ROOST_INVALID);
    CHECK(TRY(ann, RESUME, resume, Roost__Resume, roost__resume, .token = { 32, token },
              .device = { 32, device }) == ROOST_ALREADY);

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

/* Two that would log in the same connection: one of them does. */
static void twice_at_once(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *v = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Resume resume = ROOST__RESUME__INIT;
    Roost__Guest guest = ROOST__GUEST__INIT;
    uint8_t device[32] = { 1, 'a', 'n', 'n' };

    s->hall.store_delay_us = 1000;
    resume.token = (ProtobufCBinaryData){ 32, ann->token };
    resume.device = (ProtobufCBinaryData){ 32, device };
    m.body_case = ROOST__TO_SERVER__BODY_RESUME;
    m.resume = &resume;
    visitor_send(v, &m);
    visitor_send(v, &m);
    hall_settle(&s->hall);
    CHECK(visitor_errors(v, ROOST_ALREADY) == 1);
    visitor_free(v);

    v = visitor_new(s);
    guest.name = "Zoe";
    guest.host = true;
    guest.device = (ProtobufCBinaryData){ 32, device };
    m.body_case = ROOST__TO_SERVER__BODY_GUEST;
    m.guest = &guest;
    visitor_send(v, &m);
    visitor_send(v, &m);
    hall_settle(&s->hall);
    CHECK(visitor_errors(v, ROOST_ALREADY) == 1);
    CHECK(reply_code(visitor_ask(v, &m)) == ROOST_ALREADY);
    visitor_free(v);
    visitor_free(ann);
    stage_free(s);
}

/* A login that is being hashed: meanwhile an admin blocks the account, or it is deleted. */
static bool races(struct stage *s, struct visitor *root, const char *name, bool deleted,
                  int64_t head_start_us)
{
    struct visitor *ann = visitor_named(s, name), *v = visitor_new(s);
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;
    Roost__AdminBlock b = ROOST__ADMIN_BLOCK__INIT;
    Roost__AdminDelete d = ROOST__ADMIN_DELETE__INIT;
    uint8_t device[32] = { 9 };

    in.name = b.user = d.user = (char *)name;
    in.password = PASSWORD;
    in.device = (ProtobufCBinaryData){ 32, device };
    b.seconds = 60;
    m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
    m.login = &in;
    visitor_send(v, &m);
    s->now_us = s->hall.now_us + head_start_us;
    hall_run(&s->hall, s->now_us);
    m.body_case = deleted ? ROOST__TO_SERVER__BODY_ADMIN_DELETE
                          : ROOST__TO_SERVER__BODY_ADMIN_BLOCK;
    if (deleted)
        m.admin_delete = &d;
    else
        m.admin_block = &b;
    visitor_send(root, &m);
    hall_settle(&s->hall);
    s->now_us = s->hall.now_us;
    bool seen = visitor_errors(v, deleted ? ROOST_LOGIN_WRONG : ROOST_BLOCKED) > 0;
    visitor_free(v);
    visitor_free(ann);
    visitor_forget(root);
    return seen;
}

static void a_login_that_is_overtaken(void)
{
    struct stage *s = meet_stage();
    struct visitor *root = admin_new(s);
    char name[] = "paaa";
    int blocked = 0, gone = 0;

    s->hall.store_delay_us = 1000;
    for (int i = 0; i < 120; i++) {
        name[1] = (char)('a' + i / 64), name[2] = (char)('a' + i / 8 % 8);
        name[3] = (char)('a' + i % 8);
        bool deleted = i % 2;
        bool seen = races(s, root, name, deleted, i * 250);
        blocked += seen && !deleted;
        gone += seen && deleted;
    }
    CHECK(blocked > 0 && gone > 0);
    visitor_free(root);
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

/* --- meetings --- */

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

    /* only one presents; a co-host takes nothing from the host */
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__START_SHARE, 0, "") == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__START_SHARE, 0, "") == ROOST_BUSY);
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

TEST_MAIN({ "texts_and_names", texts_and_names }, { "rooms", rooms },
          { "administration", administration }, { "beginnings", beginnings },
          { "too_much_at_once", too_much_at_once }, { "twice_at_once", twice_at_once },
          { "guests", guests }, { "in_a_meeting", in_a_meeting },
          { "a_login_that_is_overtaken", a_login_that_is_overtaken },
          { "rooms_that_one_follows", rooms_that_one_follows }, { "a_full_room", a_full_room },
          { "logins_under_way", logins_under_way },
          { "a_row_that_was_never_kept", a_row_that_was_never_kept })
