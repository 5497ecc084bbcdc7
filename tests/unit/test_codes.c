/* test_codes.c - codes: how two without an account meet. */
#include <string.h>

#include "base/err.h"
#include "parcels.h"
#include "test.h"

static Roost__Reply *code_new(struct visitor *v, uint32_t number, uint8_t claim)
{
    uint8_t bytes[16] = { claim };
    Roost__CodeNew b = ROOST__CODE_NEW__INIT;

    b.number = number;
    b.claim = (ProtobufCBinaryData){ 16, bytes };
    return ASK(v, CODE_NEW, code_new, &b);
}

static int code_join(struct visitor *v, uint32_t number)
{
    Roost__CodeJoin b = ROOST__CODE_JOIN__INIT;

    b.number = number;
    return reply_code(ASK(v, CODE_JOIN, code_join, &b));
}

static int code_end(struct visitor *v, uint32_t number)
{
    Roost__CodeEnd b = ROOST__CODE_END__INIT;

    b.number = number;
    return reply_code(ASK(v, CODE_END, code_end, &b));
}

static bool met(const struct visitor *v, bool gone)
{
    const Roost__ToClient *f = heard_of(v, ROOST__TO_CLIENT__BODY_CODE_MET);

    return f && f->code_met->gone == gone;
}

static void two_without_an_account_meet(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_new(s), *bob = visitor_new(s), *eve = visitor_new(s);

    const Roost__Reply *r = code_new(ann, 0, 1);
    CHECK(CODE_OF(r) == 0);
    uint32_t n = r->code->number;
    CHECK(n >= 1000 && n <= 9999);
    CHECK(signal_to(ann, 0, n, 1) == ROOST_NOBODY_THERE && code_join(ann, n) == ROOST_SELF);
    CHECK(code_join(bob, n) == 0 && met(ann, false));
    CHECK(code_join(eve, n) == ROOST_CODE_BUSY);
    CHECK(signal_to(bob, 0, n, 100) == 0 && signal_to(ann, 0, n, 100) == 0);
    CHECK(signal_to(eve, 0, n, 100) == ROOST_NO_SUCH_CODE);
    const Roost__Reply *a = relay(ann, 0, n), *b = relay(bob, 0, n);
    CHECK(CODE_OF(a) == 0 && CODE_OF(b) == 0 && a->relay->number == b->relay->number);
    CHECK(CODE_OF(relay(eve, 0, n)) == ROOST_NO_SUCH_CODE);

    CHECK(code_end(bob, n) == 0 && met(ann, true));
    CHECK(code_join(eve, n) == 0);
    CHECK(code_end(ann, n) == 0 && met(eve, true)); /* burnt */
    CHECK(code_join(bob, n) == ROOST_NO_SUCH_CODE && s->hall.hub->relays.n == 0);
    CHECK(code_end(ann, n) == ROOST_NO_SUCH_CODE);
    stage_free(s);
}

static void a_code_outlives_a_lost_connection(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_new(s), *bob = visitor_new(s);

    const Roost__Reply *made = code_new(ann, 0, 1);
    CHECK(CODE_OF(made) == 0);
    uint32_t n = made->code->number;
    CHECK(code_join(bob, n) == 0);
    hall_disconnect(&s->hall, ann->conn, HUB_CLOSE_GONE);
    CHECK(met(bob, true));
    visitor_connect(ann);
    CHECK(CODE_OF(code_new(ann, n, 2)) == ROOST_NO_SUCH_CODE); /* not its maker's */
    CHECK(CODE_OF(code_new(ann, n, 1)) == 0 && met(bob, false));
    CHECK(signal_to(bob, 0, n, 1) == 0);
    hall_disconnect(&s->hall, ann->conn, HUB_CLOSE_GONE);
    stage_run(s, SECONDS(62));
    visitor_connect(ann);
    CHECK(CODE_OF(code_new(ann, n, 1)) == ROOST_NO_SUCH_CODE);
    stage_free(s);
}

static void numbers_cannot_be_tried(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_new(s), *eve = visitor_at(s, "198.51.100.7");
    int wrong = 0;

    const Roost__Reply *made = code_new(ann, 0, 1);
    CHECK(CODE_OF(made) == 0);
    uint32_t n = made->code->number;
    for (uint32_t i = 1000; i < 1100 && wrong != ROOST_GUESSES; i++)
        wrong = i == n ? 0 : code_join(eve, i);
    CHECK(wrong == ROOST_GUESSES && visitor_errors(eve, ROOST_NO_SUCH_CODE) == 10);
    CHECK(code_join(eve, n) == ROOST_GUESSES); /* the right one too */
    CHECK(code_join(visitor_at(s, "198.51.100.8"), n) == 0);

    for (int i = 1; i < 20; i++)
        CHECK(CODE_OF(code_new(ann, 0, 1)) == 0);
    CHECK(CODE_OF(code_new(ann, 0, 1)) == ROOST_LIMIT);
    s->hall.config.codes = false;
    hub_set_config(s->hall.hub, &s->hall.config);
    CHECK(CODE_OF(code_new(ann, 0, 1)) == ROOST_FILES_OFF && code_join(ann, n) == ROOST_FILES_OFF);
    stage_free(s);
}

TEST_MAIN({ "two_without_an_account_meet", two_without_an_account_meet },
          { "a_code_outlives_a_lost_connection", a_code_outlives_a_lost_connection },
          { "numbers_cannot_be_tried", numbers_cannot_be_tried })
