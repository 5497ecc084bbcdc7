/* test_meet_full.c - a meeting that goes on for years: guests of long ago make room. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "hub/internal.h"
#include "hub/meeting.h"
#include "meets.h"
#include "store/batch.h"
#include "test.h"

enum { GUESTS = MEET_ATTENDEES_MAX - 1, BANNED = 0, SENT_AWAY = 1, IN_TURN = 2 };

static struct store_result *run(struct stage *s, struct store_op *op)
{
    struct store_result *r = NULL;

    op->owner_epoch = 1;
    CHECK(store_run_batch(s->hall.store, &op, 1, &r) == 0 && r && r->err == 0);
    store_op_unref(op);
    return r;
}

static struct store_op *op_new(const struct meets *m, enum store_kind kind)
{
    struct store_op *op = store_op_new(kind, hall_now(&m->stage->hall).wall_ms);

    CHECK(op != NULL);
    op->room.id = m->meeting;
    return op;
}

static uint64_t guest_of_old(struct meets *m, unsigned i)
{
    struct store_op *op = op_new(m, STORE_GUEST_NEW);

    op->account.name = op->skeleton = "gus";
    op->account.guest_of = m->meeting;
    memcpy(op->session.token, &i, sizeof i);
    struct store_result *r = run(m->stage, op);
    uint64_t account = r->account;
    store_result_free(r);
    return account;
}

static void row_fill(struct store_op *op, struct attendee_row *row, unsigned i)
{
    struct attendee a = { .skeleton = "gus", .source = "" };

    roost__attendee__init(&a.row);
    a.row.account = row->account;
    a.row.name = "Gus";
    a.row.guest = true;
    a.row.state = i == BANNED      ? ROOST__MEET_STATE__EXCLUDED
                  : i == SENT_AWAY ? ROOST__MEET_STATE__REMOVED
                                   : ROOST__MEET_STATE__OUT;
    a.row.left_ms = 1000 + i;
    a.sent_away_ms = i <= SENT_AWAY ? op->now_ms : 0;
    CHECK(meet_pack_attendee(&op->mem, &a, &row->data, &row->n_data) == 0);
}

static const struct meeting *meeting_of(struct meets *m)
{
    CHECK(row_of(m, m->host->account) != NULL); /* it is in memory */
    visitor_forget(m->host);
    const struct room *room = map_get(&m->stage->hall.hub->rooms, m->meeting);
    CHECK(room && room->meeting);
    return room->meeting;
}

static size_t rows(struct meets *m)
{
    return meeting_of(m)->attendees.n;
}

static bool has(struct meets *m, uint64_t account)
{
    return meeting_attendee(meeting_of(m), account) != NULL;
}

/* What years would: all rows but the host's are of guests who were here once. */
static void fill(struct meets *m, uint64_t guests[static GUESTS])
{
    struct store_result *r = run(m->stage, op_new(m, STORE_ROOM_LOAD));
    struct store_op *op = op_new(m, STORE_MEET_CHANGE);
    struct attendee_row *rows = arena_get(&op->mem, GUESTS * sizeof *rows);

    CHECK(rows != NULL);
    op->meet = (struct meet_row){ .live = true, .n_data = r->meet.n_data };
    op->meet.data = arena_dup(&op->mem, r->meet.data, r->meet.n_data);
    store_result_free(r);
    for (unsigned i = 0; i < GUESTS; i++) {
        rows[i].account = guests[i] = guest_of_old(m, i);
        row_fill(op, &rows[i], i);
    }
    op->attendees = rows;
    op->n_attendees = GUESTS;
    store_result_free(run(m->stage, op));
    meets_crash(m);
}

static void guests_of_long_ago_make_room(void)
{
    static uint64_t guests[GUESTS];
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    fill(&m, guests);
    CHECK(rows(&m) == MEET_ATTENDEES_MAX);
    struct visitor *ann = visitor_named(m.stage, "ann"), *zoe = visitor_new(m.stage);
    CHECK(join_link(ann, &m) == 0);
    CHECK(rows(&m) == MEET_ATTENDEES_MAX && has(&m, ann->account));
    CHECK(!has(&m, guests[IN_TURN]));
    CHECK(has(&m, guests[BANNED]) && has(&m, guests[SENT_AWAY]) && has(&m, guests[IN_TURN + 1]));
    /* a guest, who waits */
    CHECK(guest(zoe, "Zoe", m.code, "", 9) == 0 && join_code(zoe, &m) == 0);
    CHECK(row_of(&m, zoe->account)->state == ROOST__MEET_STATE__WAITING);
    CHECK(!has(&m, guests[IN_TURN + 1]) && has(&m, guests[IN_TURN + 2]));
    /* who comes again takes nobody's row */
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__LEAVE, 0, "") == 0 && join_link(ann, &m) == 0);
    CHECK(rows(&m) == MEET_ATTENDEES_MAX && has(&m, guests[IN_TURN + 2]));

    meets_crash(&m); /* and so it is in the store */
    CHECK(rows(&m) == MEET_ATTENDEES_MAX && has(&m, ann->account) && has(&m, zoe->account));
    CHECK(!has(&m, guests[IN_TURN]) && !has(&m, guests[IN_TURN + 1]) &&
          has(&m, guests[IN_TURN + 2]));

    /* a day later also those go who were sent away; never who is banned */
    stage_run(m.stage, SECONDS(86401));
    for (unsigned i = 0; i < 3; i++) {
        struct visitor *v = visitor_new(m.stage);
        CHECK(guest(v, "Bea", m.code, m.secret, (uint8_t)(20 + i)) == 0 && join_link(v, &m) == 0);
        visitor_free(v);
    }
    CHECK(!has(&m, guests[SENT_AWAY]) && has(&m, guests[BANNED]));
    visitor_free(zoe);
    visitor_free(ann);
    meets_end(&m);
}

TEST_MAIN({ "guests_of_long_ago_make_room", guests_of_long_ago_make_room })
