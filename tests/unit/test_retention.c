/* A story about a room that keeps texts for a day, and about days that go by. */
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "test.h"
#include "visitor.h"

#define HOURS(n) SECONDS((n)*3600LL)

static int keep_days(struct visitor *v, uint64_t room, uint32_t days)
{
    Roost__SetRoom b = ROOST__SET_ROOM__INIT;
    Roost__Target to = ROOST__TARGET__INIT;

    to.room = room;
    b.target = &to;
    b.set_retention = true;
    b.retention_days = days;
    return reply_code(ASK(v, SET_ROOM, set_room, &b));
}

/* Texts that can be read there. */
static size_t texts(struct visitor *v, uint64_t room)
{
    Roost__Read b = ROOST__READ__INIT;
    Roost__Target to = ROOST__TARGET__INIT;
    size_t n = 0;

    to.room = room;
    b.target = &to;
    Roost__Reply *r = ASK(v, READ, read, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_PAGE);
    for (size_t i = 0; r && i < r->page->n_events; i++)
        n += r->page->events[i]->what_case == ROOST__EVENT__WHAT_TEXT;
    return n;
}

static size_t found(struct visitor *v, const char *words)
{
    Roost__Search b = ROOST__SEARCH__INIT;

    b.words = (char *)words;
    Roost__Reply *r = ASK(v, SEARCH, search, &b);
    CHECK(r && r->result_case == ROOST__REPLY__RESULT_PAGE);
    return r ? r->page->n_events : 0;
}

static int edit(struct visitor *v, uint64_t room, uint64_t seq)
{
    Roost__Edit b = ROOST__EDIT__INIT;

    b.room = room;
    b.seq = seq;
    b.text = "ours, edited";
    return reply_code(ASK(v, EDIT, edit, &b));
}

/* Whoever is silent that long is not connected any more. */
static void later(struct stage *s, struct visitor *v, int64_t us)
{
    stage_run(s, us);
    move_to(v, "192.0.2.9");
    CHECK(login(v, "ann", PASSWORD, 1) == 0);
}

struct place {
    struct stage *stage;
    struct visitor *ann;
    uint64_t brief, lasting; /* rooms that keep texts for a day, and for good */
};

static struct place place_new(void)
{
    struct place p = { .stage = stage_new() };

    p.ann = visitor_new(p.stage);
    CHECK(sign_up(p.ann, "ann", PASSWORD, "") == 0 && login(p.ann, "ann", PASSWORD, 1) == 0);
    p.brief = visitor_room(p.ann, "brief", NULL);
    p.lasting = visitor_room(p.ann, "lasting", NULL);
    CHECK(keep_days(p.ann, p.brief, 1) == 0);
    CHECK(visitor_say(p.ann, "#brief", "ours for a day") == 0);
    CHECK(visitor_say(p.ann, "#lasting", "ours for good") == 0);
    return p;
}

static void place_free(struct place *p)
{
    visitor_free(p->ann);
    stage_free(p->stage);
}

static void a_day_is_a_day(void)
{
    struct place p = place_new();

    later(p.stage, p.ann, HOURS(23));
    CHECK(visitor_say(p.ann, "#brief", "ours of today") == 0);
    CHECK(texts(p.ann, p.brief) == 2 && found(p.ann, "ours") == 3);
    later(p.stage, p.ann, HOURS(3)); /* once an hour it is looked */
    CHECK(texts(p.ann, p.brief) == 1 && texts(p.ann, p.lasting) == 1 && found(p.ann, "ours") == 2);
    later(p.stage, p.ann, HOURS(24));
    CHECK(texts(p.ann, p.brief) == 0 && texts(p.ann, p.lasting) == 1 && found(p.ann, "ours") == 1);

    /* kept longer from now on: what is gone stays gone */
    CHECK(keep_days(p.ann, p.brief, 0) == 0 && texts(p.ann, p.brief) == 0);
    CHECK(visitor_say(p.ann, "#brief", "ours again") == 0);
    later(p.stage, p.ann, HOURS(24 * 40));
    CHECK(texts(p.ann, p.brief) == 1);
    place_free(&p);
}

static void what_is_gone_cannot_be_changed(void)
{
    struct place p = place_new();
    uint64_t seq = 0;

    CHECK(visitor_sync(p.ann, p.brief, 0) == 0);
    for (size_t i = 0; i < visitor_events(p.ann, p.brief); i++)
        if (visitor_event(p.ann, p.brief, i)->what_case == ROOST__EVENT__WHAT_TEXT)
            seq = visitor_event(p.ann, p.brief, i)->seq;
    CHECK(seq > 0 && edit(p.ann, p.brief, seq) == 0);
    later(p.stage, p.ann, HOURS(26));
    CHECK(edit(p.ann, p.brief, seq) == ROOST_NO_SUCH_MESSAGE);

    /* a client that comes back late gets a hole, and goes on behind it */
    CHECK(visitor_say(p.ann, "#brief", "after it") == 0);
    visitor_forget(p.ann);
    CHECK(visitor_sync(p.ann, p.brief, seq - 1) == 0);
    bool heard = false;
    for (size_t i = 0; i < visitor_events(p.ann, p.brief); i++) {
        const Roost__Event *e = visitor_event(p.ann, p.brief, i);
        CHECK(e->seq > seq);
        heard = heard ||
                (e->what_case == ROOST__EVENT__WHAT_TEXT && strcmp(e->text->text, "after it") == 0);
    }
    CHECK(heard);
    place_free(&p);
}

/* A school's server may be off at night, and never run for an hour without a break. */
static void it_is_looked_soon_after_a_start(void)
{
    struct place p = place_new();

    p.stage->hall.wall_offset_ms += 25 * 3600000LL; /* switched off meanwhile */
    CHECK(hall_crash(&p.stage->hall) == 0);
    visitor_connect(p.ann);
    later(p.stage, p.ann, SECONDS(600));
    CHECK(texts(p.ann, p.brief) == 0 && texts(p.ann, p.lasting) == 1);
    place_free(&p);
}

TEST_MAIN({ "a_day_is_a_day", a_day_is_a_day },
          { "what_is_gone_cannot_be_changed", what_is_gone_cannot_be_changed },
          { "it_is_looked_soon_after_a_start", it_is_looked_soon_after_a_start })
