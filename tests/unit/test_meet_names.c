/* test_meet_names.c - what people may be called in a meeting, and what they are called then. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "meets.h"
#include "test.h"

#define ACT(name) ROOST__MEET_ACTION__##name

/* Comes as a guest, by link; the error, or 0 and what it is called. */
static int come(struct meets *m, const char *name, struct visitor **ret, char called[static 140])
{
    static uint8_t device;
    struct visitor *v = *ret = visitor_new(m->stage);
    int code = guest(v, name, m->code, m->secret, ++device);

    *called = '\0';
    if (!code)
        code = join_link(v, m);
    if (!code)
        strncpy(called, row_of(m, v->account)->name, 139);
    return code;
}

/* In this order, while all before are still in. */
static const struct {
    const char *name, *called;
    int code;
} arrivals[] = {
    { "Zoe", "Zoe", 0 },
    { "Zoe", "Zoe 2", 0 },
    { "Zoe", "Zoe 3", 0 },
    { "Zoe 2", "Zoe 2 2", 0 },
    { "zoe", "", ROOST_NAME_TAKEN }, /* merely looks like somebody present */
    { "Z0e", "", ROOST_NAME_TAKEN },
    { "Gus", "Gus", 0 },
    { "Gvs", "Gvs", 0 }, /* other letters: Unicode's list has them apart */
    { "Zoe 4", "Zoe 4", 0 },
    { "Zoe", "Zoe 5", 0 }, /* 4 is somebody's own name */
    { "Corn", "Corn", 0 },
    { "Com", "", ROOST_NAME_TAKEN },  /* "rn" and "m" */
    { "host", "", ROOST_NAME_TAKEN }, /* an account's */
    { "Host", "", ROOST_NAME_TAKEN },
    { "h0st", "", ROOST_NAME_TAKEN },
    { "Anna Maria", "Anna Maria", 0 },
    { "Anna  Maria", "", ROOST_NAME_BAD },
    { " Anna", "", ROOST_NAME_BAD },
    { "Anna ", "", ROOST_NAME_BAD },
    { "", "", ROOST_NAME_BAD },
    { "a/b", "", ROOST_NAME_BAD },
    { "12345", "", ROOST_NAME_BAD },
    { "abcdefghabcdefghabcdefghabcdefgh", "abcdefghabcdefghabcdefghabcdefgh", 0 },
    { "abcdefghabcdefghabcdefghabcdefgh", "abcdefghabcdefghabcdefghabcdef 2", 0 },
    { "abcdefghabcdefghabcdefghabcdefghi", "", ROOST_NAME_BAD },
};
enum { ARRIVALS = sizeof arrivals / sizeof *arrivals };

static void second_names_get_a_number(void)
{
    struct meets m;
    struct visitor *v[ARRIVALS];
    char called[140];

    meets_begin(&m, meet_stage(), true);
    for (size_t i = 0; i < ARRIVALS; i++) {
        CHECK(come(&m, arrivals[i].name, &v[i], called) == arrivals[i].code);
        CHECK(strcmp(called, arrivals[i].called) == 0);
    }
    for (size_t i = 0; i < ARRIVALS; i++)
        visitor_free(v[i]);
    meets_end(&m);
}

static void an_account_keeps_its_name_or_gets_a_number(void)
{
    struct meets m;
    struct visitor *first, *ann, *second;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    CHECK(come(&m, "Ann", &first, called) == 0 && !strcmp(called, "Ann"));
    ann = visitor_named(m.stage, "ann"); /* registered while the guest is in */
    CHECK(join_link(ann, &m) == 0);
    CHECK(strcmp(row_of(&m, ann->account)->name, "ann 2") == 0);
    CHECK(come(&m, "Ann", &second, called) == ROOST_NAME_TAKEN);

    /* the guest has left: who comes back is called as it was */
    CHECK(act_on(first, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(join_link(ann, &m) == 0);
    CHECK(strcmp(row_of(&m, ann->account)->name, "ann 2") == 0);
    CHECK(act_on(ann, &m, ACT(RENAME), 0, "ann") == 0); /* its own */
    visitor_free(second);
    visitor_free(ann);
    visitor_free(first);
    meets_end(&m);
}

static const struct {
    const char *to;
    int code;
} renames[] = {
    { "Max", 0 },
    { "Max", ROOST_ALREADY },
    { "max", 0 }, /* looks like oneself only */
    { "Kim", ROOST_NAME_TAKEN },
    { "kIm", ROOST_NAME_TAKEN },
    { "host", ROOST_NAME_TAKEN },
    { "bob", ROOST_NAME_TAKEN }, /* an account that is not in the meeting */
    { "B0b", ROOST_NAME_TAKEN },
    { "", ROOST_NAME_BAD },
    { "a\nb", ROOST_NAME_BAD },
};

static void renaming_keeps_names_apart(void)
{
    struct meets m;
    struct visitor *zoe, *kim, *bob;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    bob = visitor_named(m.stage, "bob");
    CHECK(come(&m, "Zoe", &zoe, called) == 0);
    CHECK(come(&m, "Kim", &kim, called) == 0);
    for (size_t i = 0; i < sizeof renames / sizeof *renames; i++)
        CHECK(act_on(zoe, &m, ACT(RENAME), 0, renames[i].to) == renames[i].code);
    CHECK(act_on(m.host, &m, ACT(RENAME), zoe->account, "Moritz") == 0);
    CHECK(act_on(zoe, &m, ACT(RENAME), kim->account, "Lea") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ACT(FORBID_RENAME), 0, "") == 0);
    CHECK(act_on(zoe, &m, ACT(RENAME), 0, "Zoe") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ACT(RENAME), 0, "Hanna") == 0);
    visitor_free(kim);
    visitor_free(zoe);
    visitor_free(bob);
    meets_end(&m);
}

static void people_are_meant_by_their_name_there(void)
{
    struct meets m;
    struct visitor *zoe, *other;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    CHECK(come(&m, "Zoe", &zoe, called) == 0);
    CHECK(come(&m, "Zoe", &other, called) == 0);
    CHECK(act_named(m.host, &m, ACT(MUTE), "zoe 2") == 0);
    CHECK(row_of(&m, other->account)->muted && !row_of(&m, zoe->account)->muted);
    CHECK(act_named(m.host, &m, ACT(MUTE), "@Zoe") == 0);
    CHECK(act_named(m.host, &m, ACT(MUTE), "Kim") == ROOST_NOT_IN_MEETING);
    CHECK(act_named(m.host, &m, ACT(MUTE), "a/b") == ROOST_NOT_IN_MEETING);
    char number[24] = "#";
    snprintf(number + 1, sizeof number - 1, "%llu", (unsigned long long)zoe->account);
    CHECK(act_named(m.host, &m, ACT(ASK_UNMUTE), number) == 0);
    CHECK(row_of(&m, zoe->account)->asked_unmute);
    static const char *const nobody[] = { "#", "#0", "#99", "#1x", "#184467440737095516161" };
    for (size_t i = 0; i < 5; i++)
        CHECK(act_named(m.host, &m, ACT(MUTE), nobody[i]) == ROOST_NOT_IN_MEETING);

    /* of two with one name, the one who is there; of those who left, the last */
    CHECK(act_on(zoe, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(act_on(other, &m, ACT(RENAME), 0, "Zoe") == 0);
    CHECK(act_named(m.host, &m, ACT(REMOVE), "Zoe") == 0);
    CHECK(row_of(&m, other->account)->state == ROOST__MEET_STATE__REMOVED);
    CHECK(act_named(m.host, &m, ACT(BAN), "Zoe") == 0);
    CHECK(row_of(&m, other->account)->state == ROOST__MEET_STATE__EXCLUDED);
    visitor_free(other);
    visitor_free(zoe);
    meets_end(&m);
}

/* --- which name is told ------------------------------------------------------------------ */

static int say(struct visitor *v, uint64_t room, const char *text)
{
    Roost__Target to = ROOST__TARGET__INIT;
    Roost__Say b = ROOST__SAY__INIT;

    to.room = room;
    b.target = &to;
    b.text = (char *)text;
    return reply_code(ASK(v, SAY, say, &b));
}

static const Roost__Page *read_page(struct visitor *v, uint64_t room)
{
    Roost__Target to = ROOST__TARGET__INIT;
    Roost__Read b = ROOST__READ__INIT;

    to.room = room;
    b.target = &to;
    b.limit = 200;
    Roost__Reply *r = ASK(v, READ, read, &b);
    CHECK(reply_code(r) == 0);
    return r->page;
}

static const Roost__Page *search(struct visitor *v, const char *words)
{
    Roost__Search b = ROOST__SEARCH__INIT;

    b.words = (char *)words;
    Roost__Reply *r = ASK(v, SEARCH, search, &b);
    CHECK(reply_code(r) == 0);
    return r->page;
}

/* Under which name these words are in the page; NULL: they are not. */
static const char *said_by(const Roost__Page *page, const char *text)
{
    for (size_t i = 0; i < page->n_events; i++) {
        const Roost__Event *e = page->events[i];
        if (e->what_case == ROOST__EVENT__WHAT_TEXT && !strcmp(e->text->text, text))
            return e->sender_name;
    }
    return NULL;
}

static const char *heard_by(struct visitor *v, uint64_t room, const char *text)
{
    for (size_t i = 0; i < visitor_events(v, room); i++) {
        const Roost__Event *e = visitor_event(v, room, i);
        if (e->what_case == ROOST__EVENT__WHAT_TEXT && !strcmp(e->text->text, text))
            return e->sender_name;
    }
    return NULL;
}

static const Roost__Event *met(const Roost__Page *page, Roost__MeetAction action)
{
    for (size_t i = page->n_events; i-- > 0;)
        if (page->events[i]->what_case == ROOST__EVENT__WHAT_MET &&
            page->events[i]->met->action == action)
            return page->events[i];
    return NULL;
}

static bool is(const char *name, const char *expected)
{
    return name && !strcmp(name, expected);
}

/* Two of one name and a renamed account: heard at once, by who comes back, and read later. */
static void words_carry_the_name_that_the_meeting_shows(void)
{
    struct meets m;
    struct visitor *gus, *other, *ann;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    unhurried(m.stage);
    ann = visitor_named(m.stage, "ann");
    CHECK(come(&m, "Gus", &gus, called) == 0);
    CHECK(come(&m, "Gus", &other, called) == 0);
    CHECK(join_link(ann, &m) == 0 && visitor_sync(m.host, m.meeting, 0) == 0);
    CHECK(say(gus, m.meeting, "first") == 0 && say(other, m.meeting, "second") == 0);
    CHECK(say(ann, m.meeting, "third") == 0);
    CHECK(is(heard_by(m.host, m.meeting, "first"), "Gus"));
    CHECK(is(heard_by(m.host, m.meeting, "second"), "Gus 2"));
    CHECK(is(heard_by(m.host, m.meeting, "third"), "ann"));

    CHECK(act_on(m.host, &m, ACT(RENAME), ann->account, "Anna") == 0);
    CHECK(act_on(other, &m, ACT(RENAME), 0, "Gustav") == 0);
    visitor_forget(m.host);
    CHECK(visitor_sync(m.host, m.meeting, 0) == 0);
    CHECK(say(ann, m.meeting, "fourth") == 0 && say(other, m.meeting, "fifth") == 0);
    CHECK(is(heard_by(m.host, m.meeting, "second"), "Gus 2")); /* as it was when it was said */
    CHECK(is(heard_by(m.host, m.meeting, "third"), "ann"));
    CHECK(is(heard_by(m.host, m.meeting, "fourth"), "Anna"));
    CHECK(is(heard_by(m.host, m.meeting, "fifth"), "Gustav"));

    meets_crash(&m);
    CHECK(act_on(m.host, &m, ACT(END), 0, "") == 0);
    const Roost__Page *page = read_page(m.host, m.meeting);
    CHECK(is(said_by(page, "first"), "Gus") && is(said_by(page, "second"), "Gus 2"));
    CHECK(is(said_by(page, "third"), "ann") && is(said_by(page, "fourth"), "Anna"));
    CHECK(is(said_by(search(m.host, "fifth"), "fifth"), "Gustav"));
    CHECK(is(said_by(search(m.host, "second"), "second"), "Gus 2"));
    visitor_free(ann);
    visitor_free(other);
    visitor_free(gus);
    meets_end(&m);
}

static void a_new_name_is_told_with_the_old_one(void)
{
    struct meets m;
    struct visitor *gus, *other;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    unhurried(m.stage);
    CHECK(come(&m, "Gus", &gus, called) == 0);
    CHECK(come(&m, "Gus", &other, called) == 0);
    const Roost__Event *e = met(read_page(m.host, m.meeting), ACT(CAME));
    CHECK(e && is(e->sender_name, "Gus 2") && is(e->met->old_name, ""));
    CHECK(act_on(other, &m, ACT(RENAME), 0, "Gustav") == 0);
    e = met(read_page(m.host, m.meeting), ACT(RENAME));
    CHECK(e && is(e->met->old_name, "Gus 2") && is(e->met->attendees[0]->name, "Gustav"));
    CHECK(e && e->sender == other->account && is(e->sender_name, "Gus 2"));
    CHECK(act_on(other, &m, ACT(HAND_UP), 0, "") == 0);
    e = met(read_page(m.host, m.meeting), ACT(HAND_UP));
    CHECK(e && is(e->sender_name, "Gustav") && is(e->met->old_name, ""));
    CHECK(act_on(m.host, &m, ACT(RENAME), other->account, "Augustus") == 0);
    e = met(read_page(m.host, m.meeting), ACT(RENAME));
    CHECK(e && is(e->met->old_name, "Gustav") && is(e->sender_name, "host"));
    visitor_free(other);
    visitor_free(gus);
    meets_end(&m);
}

static int note_to(struct visitor *v, const struct meets *m, uint64_t whom, const char *text)
{
    Roost__MeetNote b = ROOST__MEET_NOTE__INIT;

    b.meeting = m->meeting;
    b.account = whom;
    b.text = (char *)text;
    return reply_code(ASK(v, MEET_NOTE, meet_note, &b));
}

static const Roost__RoomInfo *told_room(const struct visitor *v)
{
    for (size_t i = v->n_heard; i-- > 0;) {
        const Roost__ToClient *f = v->heard[i].frame;
        if (f->body_case == ROOST__TO_CLIENT__BODY_ROOM_CHANGED &&
            f->room_changed->room->kind == ROOST__ROOM_KIND__DIRECT)
            return f->room_changed->room;
    }
    return NULL;
}

static void notes_carry_it_too(void)
{
    struct meets m;
    struct visitor *gus, *other;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    unhurried(m.stage);
    CHECK(come(&m, "Gus", &gus, called) == 0);
    CHECK(come(&m, "Gus", &other, called) == 0);
    CHECK(act_on(m.host, &m, ACT(RENAME), 0, "Boss") == 0);
    visitor_forget(m.host);
    CHECK(note_to(other, &m, m.host->account, "psst") == 0);
    const Roost__RoomInfo *room = told_room(m.host);
    CHECK(room && is(room->name, "Gus 2"));
    const Roost__RoomInfo *theirs = told_room(other);
    CHECK(theirs && is(theirs->name, "host")); /* an account's rooms are called after it */
    uint64_t number = room ? room->room : 0;
    CHECK(note_to(m.host, &m, other->account, "what") == 0);
    CHECK(is(said_by(read_page(m.host, number), "psst"), "Gus 2"));
    CHECK(is(said_by(read_page(m.host, number), "what"), "Boss"));
    CHECK(is(said_by(search(m.host, "psst"), "psst"), "Gus 2"));
    visitor_free(other);
    visitor_free(gus);
    meets_end(&m);
}

static bool mentions(struct visitor *by, const struct meets *m, const char *text, uint64_t whom)
{
    CHECK(say(by, m->meeting, text) == 0);
    const Roost__Page *page = read_page(m->host, m->meeting);
    const Roost__Text *t = page->events[page->n_events - 1]->text;
    return t->n_mentions == 1 && t->mentions[0] == whom;
}

static void mentions_mean_who_is_called_so_there(void)
{
    struct meets m;
    struct visitor *gus, *other;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    unhurried(m.stage);
    CHECK(come(&m, "Gus", &gus, called) == 0);
    CHECK(come(&m, "Gus", &other, called) == 0);
    CHECK(mentions(m.host, &m, "@Gus 2, and you?", other->account));
    CHECK(mentions(m.host, &m, "@Gus: and you?", gus->account));
    CHECK(act_on(m.host, &m, ACT(RENAME), gus->account, "Moritz") == 0);
    CHECK(mentions(m.host, &m, "@Moritz hello", gus->account));
    meets_crash(&m);
    CHECK(mentions(m.host, &m, "@Moritz hello", gus->account));
    CHECK(mentions(m.host, &m, "@Gus 2 hello", other->account));
    visitor_free(other);
    visitor_free(gus);
    meets_end(&m);
}

TEST_MAIN({ "second_names_get_a_number", second_names_get_a_number },
          { "an_account_keeps_its_name_or_gets_a_number",
            an_account_keeps_its_name_or_gets_a_number },
          { "renaming_keeps_names_apart", renaming_keeps_names_apart },
          { "people_are_meant_by_their_name_there", people_are_meant_by_their_name_there },
          { "words_carry_the_name_that_the_meeting_shows",
            words_carry_the_name_that_the_meeting_shows },
          { "a_new_name_is_told_with_the_old_one", a_new_name_is_told_with_the_old_one },
          { "notes_carry_it_too", notes_carry_it_too },
          { "mentions_mean_who_is_called_so_there", mentions_mean_who_is_called_so_there })
