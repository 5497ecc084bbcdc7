/* Stories about rooms and talk: what is said reaches those who may hear it, once. */
#include <stdio.h>
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "test.h"
#include "visitor.h"

/* A request about a room by name, with an optional person. */
#define ROOM_REQUEST(fn, CASE, field, type, ...)                                                   \
    static int fn(struct visitor *v, const char *room, const char *user)                           \
    {                                                                                              \
        Roost__ToServer m = ROOST__TO_SERVER__INIT;                                                \
        Roost__Target to = ROOST__TARGET__INIT;                                                    \
        type b;                                                                                    \
        __VA_ARGS__;                                                                               \
        (void)user;                                                                                \
        to.name = (char *)room;                                                                    \
        b.target = &to;                                                                            \
        m.body_case = ROOST__TO_SERVER__BODY_##CASE;                                               \
        m.field = &b;                                                                              \
        return reply_code(visitor_ask(v, &m));                                                     \
    }
ROOM_REQUEST(join, JOIN, join, Roost__Join, roost__join__init(&b))
ROOM_REQUEST(leave, LEAVE, leave, Roost__Leave, roost__leave__init(&b))
ROOM_REQUEST(close_room, CLOSE_ROOM, close_room, Roost__CloseRoom, roost__close_room__init(&b))
ROOM_REQUEST(invite, INVITE, invite, Roost__Invite, roost__invite__init(&b); b.user = (char *)user)
ROOM_REQUEST(remove_user, REMOVE, remove, Roost__Remove, roost__remove__init(&b);
             b.user = (char *)user)
ROOM_REQUEST(ban, BAN, ban, Roost__Ban, roost__ban__init(&b); b.user = (char *)user)
ROOM_REQUEST(make_owner, SET_ROLE, set_role, Roost__SetRole, roost__set_role__init(&b);
             b.user = (char *)user; b.role = ROOST__ROOM_ROLE__OWNER)
ROOM_REQUEST(make_private, SET_ROOM, set_room, Roost__SetRoom, roost__set_room__init(&b);
             b.private_ = ROOST__SWITCH__ON)
ROOM_REQUEST(moderate, SET_ROOM, set_room, Roost__SetRoom, roost__set_room__init(&b);
             b.moderated = ROOST__SWITCH__ON)
ROOM_REQUEST(typing, TYPING, typing, Roost__Typing, roost__typing__init(&b))

static int edit(struct visitor *v, uint64_t room, uint64_t seq, const char *text)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Edit b = ROOST__EDIT__INIT;

    b.room = room;
    b.seq = seq;
    b.text = (char *)text;
    m.body_case = ROOST__TO_SERVER__BODY_EDIT;
    m.edit = &b;
    return reply_code(visitor_ask(v, &m));
}

static int delete (struct visitor *v, uint64_t room, uint64_t seq)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Delete b = ROOST__DELETE__INIT;

    b.room = room;
    b.seq = seq;
    m.body_case = ROOST__TO_SERVER__BODY_DELETE;
    m.delete_ = &b;
    return reply_code(visitor_ask(v, &m));
}

static Roost__Page *read_page(struct visitor *v, const char *target)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Read b = ROOST__READ__INIT;
    Roost__Target to = ROOST__TARGET__INIT;

    to.name = (char *)target;
    b.target = &to;
    m.body_case = ROOST__TO_SERVER__BODY_READ;
    m.read = &b;
    Roost__Reply *r = visitor_ask(v, &m);
    return r && r->result_case == ROOST__REPLY__RESULT_PAGE ? r->page : NULL;
}

static const char *text_of(const Roost__Event *e)
{
    return e && e->what_case == ROOST__EVENT__WHAT_TEXT ? e->text->text : "";
}

struct cast {
    struct stage *stage;
    struct visitor *ann, *bea, *carl;
};

static struct cast *cast_new(void)
{
    static struct cast c;

    c.stage = stage_new();
    c.ann = visitor_named(c.stage, "ann");
    c.bea = visitor_named(c.stage, "bea");
    c.carl = visitor_named(c.stage, "carl");
    return &c;
}

static void cast_free(struct cast *c)
{
    visitor_free(c->ann);
    visitor_free(c->bea);
    visitor_free(c->carl);
    stage_free(c->stage);
}

static void a_room_hears_what_is_said(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");

    CHECK(room > 0);
    CHECK(visitor_sync(c->bea, room, 0) == 0);
    visitor_forget(c->bea);
    CHECK(visitor_say(c->ann, "#maths", "hello") == 0);
    CHECK(visitor_events(c->bea, room) == 1);
    CHECK(strcmp(text_of(visitor_event(c->bea, room, 0)), "hello") == 0);
    CHECK(visitor_event(c->bea, room, 0)->sender == c->ann->account);

    /* those outside neither say nor hear */
    CHECK(visitor_say(c->carl, "#maths", "psst") == ROOST_NOT_MEMBER);
    CHECK(visitor_sync(c->carl, room, 0) == ROOST_NOT_MEMBER);
    CHECK(!read_page(c->carl, "#maths"));
    cast_free(c);
}

static void the_same_request_is_done_once(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__Say say = ROOST__SAY__INIT;
    Roost__Target to = ROOST__TARGET__INIT;

    visitor_sync(c->bea, room, 0);
    visitor_forget(c->bea);
    to.room = room;
    say.target = &to;
    say.text = "once";
    m.body_case = ROOST__TO_SERVER__BODY_SAY;
    m.say = &say;
    Roost__Reply *first = visitor_ask(c->ann, &m);
    Roost__Reply *second = visitor_ask_again(c->ann, &m);
    CHECK(reply_code(first) == 0 && reply_code(second) == 0);
    CHECK(first->done->seq == second->done->seq && first->done->at_ms == second->done->at_ms);
    CHECK(visitor_events(c->bea, room) == 1);

    /* also when the right has gone since */
    CHECK(make_owner(c->ann, "#maths", "bea") == 0);
    c->ann->n_requests--; /* the id of the say again */
    CHECK(remove_user(c->bea, "#maths", "ann") == 0);
    Roost__Reply *third = visitor_ask_again(c->ann, &m);
    CHECK(reply_code(third) == 0 && third->done->seq == first->done->seq);

    /* with other content it is a mistake */
    say.text = "twice";
    CHECK(reply_code(visitor_ask_again(c->ann, &m)) == ROOST_CONFLICT);
    cast_free(c);
}

static void private_words_stay_private(void)
{
    struct cast *c = cast_new();

    CHECK(visitor_say(c->ann, "@bea", "for you") == 0);
    Roost__Page *page = read_page(c->bea, "@ann");
    CHECK(page && page->n_events == 1 && strcmp(text_of(page->events[0]), "for you") == 0);
    uint64_t room = page->events[0]->room;
    CHECK(visitor_sync(c->carl, room, 0) == ROOST_NO_SUCH_ROOM);
    CHECK(visitor_say(c->ann, "@ann", "me") == ROOST_SELF);
    CHECK(visitor_say(c->ann, "@nobody", "x") == ROOST_NO_SUCH_USER);

    uint64_t secret = visitor_room(c->ann, "secret", NULL);
    CHECK(make_private(c->ann, "#secret", NULL) == 0);
    CHECK(join(c->carl, "#secret", NULL) == ROOST_NO_SUCH_ROOM);
    CHECK(visitor_sync(c->carl, secret, 0) == ROOST_NO_SUCH_ROOM);
    CHECK(invite(c->ann, "#secret", "carl") == 0);
    CHECK(visitor_sync(c->carl, secret, 0) == 0);
    cast_free(c);
}

static void who_is_removed_hears_no_more(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");

    CHECK(visitor_sync(c->bea, room, 0) == 0);
    visitor_forget(c->bea);
    CHECK(remove_user(c->ann, "#maths", "bea") == 0);
    CHECK(visitor_events(c->bea, room) == 1); /* that it was removed */
    CHECK(visitor_say(c->ann, "#maths", "alone") == 0);
    CHECK(visitor_events(c->bea, room) == 1);
    CHECK(join(c->bea, "#maths", NULL) == 0); /* the room is public */
    CHECK(ban(c->ann, "#maths", "bea") == 0);
    CHECK(join(c->bea, "#maths", NULL) == ROOST_BANNED);
    CHECK(leave(c->ann, "#maths", NULL) == ROOST_LAST_OWNER); /* also when alone */
    cast_free(c);
}

static void rank_decides(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");

    CHECK(join(c->carl, "#maths", NULL) == 0);
    CHECK(join(c->carl, "#maths", NULL) == ROOST_ALREADY);
    CHECK(remove_user(c->bea, "#maths", "carl") == ROOST_NOT_ALLOWED);
    CHECK(close_room(c->bea, "#maths", NULL) == ROOST_NOT_ALLOWED);
    CHECK(leave(c->ann, "#maths", NULL) == ROOST_LAST_OWNER);
    CHECK(moderate(c->ann, "#maths", NULL) == 0);
    CHECK(visitor_say(c->bea, "#maths", "may I") == ROOST_MODERATED);
    CHECK(make_owner(c->ann, "#maths", "bea") == 0);
    CHECK(visitor_say(c->bea, "#maths", "now I may") == 0);
    CHECK(leave(c->ann, "#maths", NULL) == 0);
    CHECK(close_room(c->bea, "#maths", NULL) == 0);
    CHECK(visitor_say(c->bea, "#maths", "late") == ROOST_NO_SUCH_ROOM); /* its name is free again */
    CHECK(visitor_sync(c->bea, room, 0) == 0);                          /* what was said stays */
    CHECK(visitor_room(c->carl, "Maths", NULL) > room);
    cast_free(c);
}

static void own_words_are_mended_by_oneself_only(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");

    visitor_say(c->bea, "#maths", "helo");
    Roost__Page *page = read_page(c->bea, "#maths");
    CHECK(page && page->n_events == 4);
    uint64_t seq = page->events[3]->seq;
    CHECK(edit(c->ann, room, seq, "mine now") == ROOST_NOT_ALLOWED);
    CHECK(edit(c->bea, room, seq, "hello") == 0);
    page = read_page(c->ann, "#maths");
    CHECK(page && strcmp(text_of(page->events[3]), "hello") == 0 &&
          page->events[3]->text->edit_seq > seq);
    CHECK(delete (c->ann, room, seq) == 0); /* the owner moderates */
    CHECK(delete (c->bea, room, seq) == ROOST_ALREADY);
    page = read_page(c->bea, "#maths");
    CHECK(page && page->events[3]->text->deleted && !*page->events[3]->text->text);
    for (size_t i = 0; i < page->n_events; i++) /* nor does the edit betray it */
        CHECK(page->events[i]->what_case != ROOST__EVENT__WHAT_EDITED ||
              !*page->events[i]->edited->text);
    cast_free(c);
}

static void limits_hold(void)
{
    struct cast *c = cast_new();
    static char longest[16386];
    int refused = 0;

    visitor_room(c->ann, "maths", NULL);
    memset(longest, 'a', 16385);
    CHECK(visitor_say(c->ann, "#maths", longest) == ROOST_TOO_LONG);
    longest[16384] = 0;
    CHECK(visitor_say(c->ann, "#maths", longest) == 0);
    CHECK(visitor_say(c->ann, "#maths", "") == ROOST_BAD_TEXT);

    /* a burst of 50, then ten a second */
    for (int i = 0; i < 60; i++)
        refused += visitor_say(c->ann, "#maths", "x") == ROOST_TOO_FAST;
    CHECK(refused == 11); /* the long one was the first of the fifty */
    stage_run(c->stage, 100000);
    CHECK(visitor_say(c->ann, "#maths", "x") == 0);
    CHECK(visitor_say(c->ann, "#maths", "x") == ROOST_TOO_FAST);
    cast_free(c);
}

static void a_sync_leaves_no_gap(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");
    char text[16];

    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "%d", i);
        CHECK(visitor_say(c->ann, "#maths", text) == 0);
    }
    CHECK(visitor_sync(c->bea, room, 0) == 0);
    CHECK(visitor_say(c->ann, "#maths", "live") == 0);
    for (size_t i = 0; i < visitor_events(c->bea, room); i++)
        CHECK(visitor_event(c->bea, room, i)->seq == i + 1);
    CHECK(strcmp(text_of(visitor_event(c->bea, room, visitor_events(c->bea, room) - 1)), "live") ==
          0);
    cast_free(c);
}

static void a_reader_too_slow_gets_marks(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");
    size_t marks = 0;

    for (int i = 0; i < 3; i++) {
        Roost__ToServer m = ROOST__TO_SERVER__INIT;
        Roost__Login in = ROOST__LOGIN__INIT;
        uint8_t device[32] = { 1, 'b', 'e', 'a' };
        hall_disconnect(&c->stage->hall, c->bea->conn, HUB_CLOSE_SLOW);
        visitor_connect(c->bea);
        in.name = "bea";
        in.password = "correct horse";
        in.device = (ProtobufCBinaryData){ sizeof device, device };
        m.body_case = ROOST__TO_SERVER__BODY_LOGIN;
        m.login = &in;
        CHECK(reply_code(visitor_ask(c->bea, &m)) == 0);
    }
    CHECK(visitor_sync(c->bea, room, 0) == 0);
    visitor_forget(c->bea);
    for (int i = 0; i < 5; i++)
        visitor_say(c->ann, "#maths", "fast");
    for (size_t i = 0; i < c->bea->n_heard; i++)
        marks += c->bea->heard[i].frame->body_case == ROOST__TO_CLIENT__BODY_BEHIND;
    CHECK(marks == 1 && visitor_events(c->bea, room) == 0);
    CHECK(visitor_sync(c->bea, room, 3) == 0); /* it fetches, and is marked again */
    CHECK(visitor_events(c->bea, room) == 5);
    cast_free(c);
}

static void typing_passes_to_others_only(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");

    visitor_sync(c->ann, room, 0);
    visitor_sync(c->bea, room, 0);
    visitor_forget(c->ann);
    visitor_forget(c->bea);
    CHECK(typing(c->ann, "#maths", NULL) == 0);
    CHECK(c->bea->n_heard == 1 &&
          c->bea->heard[0].frame->body_case == ROOST__TO_CLIENT__BODY_TYPING_NOW);
    CHECK(c->ann->n_heard == 1); /* only its reply */
    cast_free(c);
}

/* The last frame of this kind that a visitor heard. */
static const Roost__ToClient *last_heard(const struct visitor *v, int body_case)
{
    for (size_t i = v->n_heard; i-- > 0;)
        if ((int)v->heard[i].frame->body_case == body_case)
            return v->heard[i].frame;
    return NULL;
}

static const Roost__RoomInfo *place(const struct visitor *v)
{
    const Roost__ToClient *m = last_heard(v, ROOST__TO_CLIENT__BODY_ROOM_CHANGED);

    return m ? m->room_changed->room : NULL;
}

/* Whom one ignores and what one mutes is so on all of one's devices. */
static void other_devices_are_told(void)
{
    struct cast *c = cast_new();
    struct visitor *phone = visitor_new(c->stage);
    Roost__Ignore ignore = ROOST__IGNORE__INIT;
    Roost__MuteRoom mute = ROOST__MUTE_ROOM__INIT;
    Roost__SetTopic topic = ROOST__SET_TOPIC__INIT;
    Roost__Target maths = ROOST__TARGET__INIT;

    CHECK(login(phone, "ann", PASSWORD, 9) == 0);
    uint64_t room = visitor_room(c->ann, "maths", "bea");
    visitor_forget(phone);
    ignore.user = "bea";
    for (int on = 1; on >= 0; on--) {
        ignore.on = on;
        CHECK(reply_code(ASK(c->ann, IGNORE, ignore, &ignore)) == 0);
        const Roost__ToClient *m = last_heard(phone, ROOST__TO_CLIENT__BODY_IGNORE_CHANGED);
        CHECK(m && m->ignore_changed->account == c->bea->account && m->ignore_changed->on == on);
    }
    CHECK(!last_heard(c->bea, ROOST__TO_CLIENT__BODY_IGNORE_CHANGED));

    maths.name = "#maths";
    mute.target = topic.target = &maths;
    mute.on = true;
    visitor_forget(c->bea);
    CHECK(reply_code(ASK(c->ann, MUTE_ROOM, mute_room, &mute)) == 0);
    CHECK(place(phone) && place(phone)->room == room && place(phone)->muted);
    CHECK(!place(c->bea)); /* nobody else's business */
    visitor_forget(phone);
    topic.topic = "sums"; /* what else changes in the room does not take it back */
    CHECK(reply_code(ASK(c->ann, SET_TOPIC, set_topic, &topic)) == 0);
    CHECK(place(phone) && place(phone)->muted && place(c->bea) && !place(c->bea)->muted);
    mute.on = false;
    CHECK(reply_code(ASK(phone, MUTE_ROOM, mute_room, &mute)) == 0);
    CHECK(place(c->ann) && !place(c->ann)->muted);
    visitor_free(phone);
    cast_free(c);
}

static void a_broadcast_reaches_who_is_on(void)
{
    struct cast *c = cast_new();

    CHECK(visitor_sync(c->bea, EVERYONE_ROOM, 0) == 0);
    visitor_forget(c->bea);
    CHECK(visitor_say(c->ann, "*", "all ears") == 0);
    CHECK(visitor_events(c->bea, EVERYONE_ROOM) == 1);
    Roost__Page *page = read_page(c->carl, "*");
    CHECK(page && page->n_events == 1);
    c->stage->hall.config.broadcast = BROADCAST_ADMINS;
    hub_set_config(c->stage->hall.hub, &c->stage->hall.config);
    CHECK(visitor_say(c->bea, "*", "me too") == ROOST_NOT_ALLOWED);
    cast_free(c);
}

static void nothing_survives_that_was_not_stored(void)
{
    struct cast *c = cast_new();
    uint64_t room = visitor_room(c->ann, "maths", "bea");

    visitor_sync(c->bea, room, 0);
    visitor_forget(c->bea);
    c->stage->hall.fail_ppm = 1000000;
    CHECK(visitor_say(c->ann, "#maths", "lost") == ROOST_NOT_STORED);
    c->stage->hall.fail_ppm = 0;
    CHECK(visitor_events(c->bea, room) == 0);
    CHECK(visitor_say(c->ann, "#maths", "kept") == 0);
    CHECK(visitor_events(c->bea, room) == 1);
    CHECK(visitor_event(c->bea, room, 0)->seq == 4);
    cast_free(c);
}

TEST_MAIN({ "a_room_hears_what_is_said", a_room_hears_what_is_said },
          { "the_same_request_is_done_once", the_same_request_is_done_once },
          { "private_words_stay_private", private_words_stay_private },
          { "who_is_removed_hears_no_more", who_is_removed_hears_no_more },
          { "rank_decides", rank_decides },
          { "own_words_are_mended_by_oneself_only", own_words_are_mended_by_oneself_only },
          { "limits_hold", limits_hold }, { "a_sync_leaves_no_gap", a_sync_leaves_no_gap },
          { "a_reader_too_slow_gets_marks", a_reader_too_slow_gets_marks },
          { "typing_passes_to_others_only", typing_passes_to_others_only },
          { "other_devices_are_told", other_devices_are_told },
          { "a_broadcast_reaches_who_is_on", a_broadcast_reaches_who_is_on },
          { "nothing_survives_that_was_not_stored", nothing_survives_that_was_not_stored })
