/* test_meet_codes.c - codes, links, and how little guessing brings. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "meets.h"
#include "test.h"

enum { MANY = 200 };
#define DAY SECONDS(86400)

static void digits(struct stage *s, uint32_t n)
{
    s->hall.config.code_digits = n;
    CHECK(hub_set_config(s->hall.hub, &s->hall.config) == 0);
}

static void codes_are_drawn_evenly(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann");
    static char codes[MANY][12];
    int often[10] = { 0 };
    struct meets m = { .stage = s };

    for (int i = 0; i < MANY; i++) {
        CHECK(meet_new(ann, &m, false) == 0);
        visitor_forget(ann);
        CHECK(strlen(m.code) == 6 && strspn(m.code, "0123456789") == 6);
        for (int j = 0; j < i; j++)
            CHECK(strcmp(codes[j], m.code) != 0);
        strcpy(codes[i], m.code);
        for (int j = 0; j < 6; j++)
            often[m.code[j] - '0']++;
    }
    /* 1,200 digits, 120 of each, deviation 10.4: five of those are one in a million */
    for (int i = 0; i < 10; i++)
        CHECK(often[i] > 120 - 52 && often[i] < 120 + 52);
    /* more than 200 a day of one account are too many */
    CHECK(meet_new(ann, &m, false) == ROOST_LIMIT);
    visitor_free(ann);
    stage_free(s);
}

static void a_taken_code_is_drawn_again(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann");
    struct meets m = { .stage = s };
    bool seen[10] = { false };
    int code = 0, n = 0;

    digits(s, 1);
    for (; n < 11 && !code; n++) {
        code = meet_new(ann, &m, false);
        if (!code) {
            CHECK(strlen(m.code) == 1 && !seen[m.code[0] - '0']);
            seen[m.code[0] - '0'] = true;
        }
    }
    CHECK(code == ROOST_CODE_TAKEN && n > 6);
    digits(s, 9);
    memset(m.code, 0, sizeof m.code);
    CHECK(meet_new(ann, &m, false) == 0 && strlen(m.code) == 9);
    visitor_free(ann);
    stage_free(s);
}

static void a_link_opens_one_meeting(void)
{
    struct meets one, other;
    struct visitor *ann;
    char spoilt[40];

    meets_begin(&one, meet_stage(), false);
    other = one;
    CHECK(meet_new(one.host, &other, false) == 0);
    ann = visitor_named(one.stage, "ann");
    CHECK(strlen(one.secret) == 26); /* 128 bits, five in each */
    CHECK(strcmp(one.secret, other.secret) != 0);
    CHECK(join_by(ann, one.code, other.secret, 0) == ROOST_NO_SUCH_MEETING);
    strcpy(spoilt, one.secret);
    spoilt[0] = spoilt[0] == 'a' || spoilt[0] == 'A' ? 'B' : 'A';
    CHECK(join_by(ann, one.code, spoilt, 0) == ROOST_NO_SUCH_MEETING);
    strcpy(spoilt, one.secret);
    spoilt[25] = '\0';
    CHECK(join_by(ann, one.code, spoilt, 0) == ROOST_NO_SUCH_MEETING);
    CHECK(join_by(ann, "000000", one.secret, 0) == ROOST_NO_SUCH_MEETING);
    for (char *p = strcpy(spoilt, one.secret); *p; p++)
        *p ^= (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z' ? 0x20 : 0; /* read out in capitals */
    CHECK(join_by(ann, one.code, spoilt, 0) == 0);

    /* it is derived: the same after a restart */
    CHECK(hall_crash(&one.stage->hall) == 0);
    visitor_connect(one.host);
    CHECK(guest(one.host, "Zoe", one.code, one.secret, 1) == 0);
    visitor_free(ann);
    meets_end(&one);
}

static void by_its_number_a_meeting_is_not_there(void)
{
    struct meets m;
    struct visitor *ann;

    meets_begin(&m, meet_stage(), true);
    ann = visitor_named(m.stage, "ann");
    CHECK(join_by(ann, "", "", m.meeting) == ROOST_NO_SUCH_MEETING);
    CHECK(join_by(ann, "", "", 4711) == ROOST_NO_SUCH_MEETING);
    CHECK(join_by(ann, "", "", 0) == ROOST_NO_SUCH_MEETING);
    CHECK(join_by(ann, m.code, "", 0) == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__LEAVE, 0, "") == 0);
    CHECK(join_by(ann, "", "", m.meeting) == 0);
    visitor_free(ann);
    meets_end(&m);
}

/* --- guessing --- */

static int wrong(struct visitor *v, const struct meets *m)
{
    char code[12];

    strcpy(code, m->code);
    code[5] = code[5] == '9' ? '0' : (char)(code[5] + 1);
    return v->account ? join_by(v, code, "", 0) : guest(v, "Mallory", code, "", 1);
}

static void from_net(struct visitor *v, const char *source, int i)
{
    char address[40];

    snprintf(address, sizeof address, "2001:db8:%x::1", (unsigned)i);
    move_within(v, address, *source ? source : address);
}

static int look_by_code(struct visitor *v, const char *code)
{
    Roost__MeetWho b = ROOST__MEET_WHO__INIT;

    b.code = (char *)code;
    return reply_code(ASK(v, MEET_WHO, meet_who, &b));
}

static void eleven_wrong_codes_are_too_many(void)
{
    struct meets m;
    struct visitor *mallory, *ann, *zoe;

    meets_begin(&m, meet_stage(), true);
    mallory = visitor_at(m.stage, "198.51.100.7");
    for (int i = 0; i < 10; i++)
        CHECK(wrong(mallory, &m) == ROOST_NO_SUCH_MEETING);
    CHECK(wrong(mallory, &m) == ROOST_GUESSES);
    CHECK(guest(mallory, "Mallory", m.code, "", 1) == ROOST_GUESSES); /* the right one too */
    Roost__Reply *r = mallory->heard[mallory->n_heard - 1].frame->reply;
    CHECK(strstr(r->error->advice, "link") && r->error->retry_after_ms > 0);

    /* behind the same address: the link opens, and so does an account */
    zoe = visitor_at(m.stage, "198.51.100.7");
    CHECK(guest(zoe, "Zoe", m.code, m.secret, 2) == 0 && join_link(zoe, &m) == 0);
    ann = visitor_named(m.stage, "ann");
    move_to(ann, "198.51.100.7");
    CHECK(login(ann, "ann", PASSWORD, 3) == 0);
    CHECK(join_code(ann, &m) == 0);

    /* an account has ten of its own */
    for (int i = 0; i < 10; i++)
        CHECK(wrong(ann, &m) == ROOST_NO_SUCH_MEETING);
    CHECK(wrong(ann, &m) == ROOST_GUESSES);
    struct visitor *bob = visitor_named(m.stage, "bob");
    for (int i = 0; i < 10; i++)
        CHECK(wrong(bob, &m) == ROOST_NO_SUCH_MEETING);
    CHECK(join_code(bob, &m) == ROOST_GUESSES && look_by_code(bob, m.code) == ROOST_GUESSES);
    visitor_free(bob);

    /* after an hour it is forgiven */
    stage_run(m.stage, SECONDS(3601));
    CHECK(guest(mallory, "Mallory", m.code, "", 1) == 0);
    visitor_free(ann);
    visitor_free(zoe);
    visitor_free(mallory);
    meets_end(&m);
}

static int lock_by_code(struct visitor *v, const char *code, bool on)
{
    Roost__MeetAct b = ROOST__MEET_ACT__INIT;

    b.code = (char *)code;
    b.action = on ? ROOST__MEET_ACTION__LOCK : ROOST__MEET_ACTION__UNLOCK;
    return reply_code(ASK(v, MEET_ACT, meet_act, &b));
}

/* Where guessing was stopped, who has a place there is still known: a guest, its first host,
 * who left it. */
static void the_code_of_ones_meeting_is_no_guess(void)
{
    struct stage *s = meet_stage();
    struct visitor *gus = visitor_at(s, "198.51.100.7"), *mallory = visitor_at(s, "198.51.100.7");
    struct meets m = { .stage = s };

    CHECK(guest(gus, "Gus", "", "", 1) == 0 && meet_new(gus, &m, false) == 0);
    for (int i = 0; i < 10; i++)
        CHECK(wrong(mallory, &m) == ROOST_NO_SUCH_MEETING);
    CHECK(guest(mallory, "Mallory", m.code, "", 1) == ROOST_GUESSES);
    CHECK(join_code(gus, &m) == 0);
    CHECK(look_by_code(gus, m.code) == 0 && lock_by_code(gus, m.code, true) == 0);
    CHECK(wrong(gus, &m) == ROOST_GUESSES); /* another code is a guess */

    struct visitor *ann = visitor_named(s, "ann");
    struct meets own = { .stage = s };
    CHECK(meet_new(ann, &own, false) == 0);
    CHECK(lock_by_code(gus, m.code, false) == 0 && join_code(ann, &m) == 0);
    CHECK(act_on(ann, &m, ROOST__MEET_ACTION__LEAVE, 0, "") == 0);
    for (int i = 0; i < 10; i++)
        CHECK(wrong(ann, &m) == ROOST_NO_SUCH_MEETING);
    CHECK(wrong(ann, &m) == ROOST_GUESSES);
    CHECK(look_by_code(ann, own.code) == 0 && join_code(ann, &own) == 0);
    CHECK(lock_by_code(ann, own.code, true) == 0 && join_code(ann, &m) == 0);
    struct visitor *bob = visitor_named(s, "bob");
    struct meets others = { .stage = s };
    CHECK(meet_new(bob, &others, true) == 0);
    CHECK(join_code(ann, &others) == ROOST_GUESSES); /* a right guess is one too */
    CHECK(look_by_code(ann, others.code) == ROOST_GUESSES);
    visitor_free(bob);
    visitor_free(ann);
    visitor_free(mallory);
    visitor_free(gus);
    stage_free(s);
}

/* All addresses of a customer's net count as one; the next customer's do not. */
static void a_net_of_addresses_has_ten_tries_in_all(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    for (int i = 0; i < 11; i++) {
        struct visitor *v = visitor_new(m.stage);
        from_net(v, "2001:db8:1:200::/56", i);
        CHECK(wrong(v, &m) == (i < 10 ? ROOST_NO_SUCH_MEETING : ROOST_GUESSES));
        visitor_free(v);
    }
    struct visitor *neighbour = visitor_new(m.stage);
    from_net(neighbour, "2001:db8:1:300::/56", 1);
    CHECK(guest(neighbour, "Zoe", m.code, "", 1) == 0);
    visitor_free(neighbour);
    meets_end(&m);
}

/* However many addresses there are: so many a day, over restarts too. */
static void all_guesses_of_a_day_are_counted_together(void)
{
    enum { A_DAY = 25 };
    struct meets m;
    struct visitor *ann;

    meets_begin(&m, meet_stage(), true);
    m.stage->hall.config.code_tries_all = A_DAY;
    CHECK(hub_set_config(m.stage->hall.hub, &m.stage->hall.config) == 0);
    for (int i = 0; i < A_DAY + 3; i++) {
        if (i == A_DAY / 2 || i == A_DAY + 1)
            meets_crash(&m);
        struct visitor *v = visitor_new(m.stage);
        from_net(v, "", i);
        CHECK(wrong(v, &m) == (i < A_DAY ? ROOST_NO_SUCH_MEETING : ROOST_GUESSES));
        visitor_free(v);
    }
    struct visitor *v = visitor_new(m.stage);
    from_net(v, "", 100);
    CHECK(guest(v, "Zoe", m.code, "", 1) == ROOST_GUESSES);
    CHECK(guest(v, "Zoe", m.code, m.secret, 1) == 0); /* a link is no guess */
    ann = visitor_named(m.stage, "ann");
    CHECK(wrong(ann, &m) == ROOST_NO_SUCH_MEETING && join_code(ann, &m) == 0);
    stage_run(m.stage, DAY);
    visitor_free(v);
    v = visitor_new(m.stage);
    from_net(v, "", 101);
    CHECK(guest(v, "Gus", m.code, "", 1) == 0);
    visitor_free(v);
    visitor_free(ann);
    meets_end(&m);
}

/* So many from one address are no guesses, and are told what it is. */
static void guests_of_one_address_are_limited(void)
{
    enum { AN_HOUR = 200 };
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    for (int i = 0; i < AN_HOUR + 1; i++) {
        struct visitor *v = visitor_at(m.stage, "198.51.100.7");
        int code = guest(v, "Zoe", m.code, m.secret, (uint8_t)i);
        CHECK(code == (i < AN_HOUR ? 0 : ROOST_LIMIT));
        const Roost__Reply *r = v->heard[v->n_heard - 1].frame->reply;
        CHECK(!code || r->error->retry_after_ms > 3500000);
        visitor_free(v);
    }
    struct visitor *other = visitor_at(m.stage, "198.51.100.8");
    CHECK(guest(other, "Zoe", m.code, m.secret, 1) == 0);
    visitor_free(other);
    meets_end(&m);
}

/* --- time --- */

/* Nobody is in: a day later the code is good for nothing, whether the server was up meanwhile or
 * not. Who only knocks does not lengthen that, who was in does. */
static void a_code_expires_over_restarts(void)
{
    struct meets m;
    struct visitor *ann, *bob;

    meets_begin(&m, meet_stage(), false);
    ann = visitor_named(m.stage, "ann");
    bob = visitor_named(m.stage, "bob");
    stage_run(m.stage, DAY + DAY); /* the host is in */
    meets_crash(&m);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__LEAVE, 0, "") == 0);
    stage_run(m.stage, DAY - SECONDS(60));
    CHECK(hall_crash(&m.stage->hall) == 0);
    visitor_connect(ann);
    CHECK(login(ann, "ann", PASSWORD, 3) == 0);
    CHECK(join_code(ann, &m) == 0); /* waits */
    CHECK(hall_crash(&m.stage->hall) == 0);
    stage_run(m.stage, SECONDS(61));
    for (int i = 0; i < 2; i++) {
        visitor_connect(bob);
        CHECK(login(bob, "bob", PASSWORD, 4) == 0);
        CHECK(join_code(bob, &m) == ROOST_NO_SUCH_MEETING);
        CHECK(join_link(bob, &m) == ROOST_NO_SUCH_MEETING);
        CHECK(hall_crash(&m.stage->hall) == 0);
    }
    visitor_free(bob);
    visitor_free(ann);
    meets_end(&m);
}

static void a_start_is_at_most_two_years_ahead(void)
{
    struct meets m = { .stage = meet_stage() };
    struct visitor *ann = visitor_named(m.stage, "ann");
    const uint64_t now = (uint64_t)hall_now(&m.stage->hall).wall_ms, day = 86400000;
    const struct {
        uint64_t starts_ms;
        int code;
    } rows[] = { { now + 731 * day, 0 },
                 { now - day, 0 },
                 { now + 733 * day, ROOST_TOO_FAR },
                 { 4070908800000, ROOST_TOO_FAR }, /* 2099 */
                 { UINT64_MAX, ROOST_TOO_FAR } };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Roost__MeetNew b = ROOST__MEET_NEW__INIT;
        b.starts_ms = rows[i].starts_ms;
        CHECK(reply_code(ASK(ann, MEET_NEW, meet_new, &b)) == rows[i].code);
    }
    visitor_free(ann);
    stage_free(m.stage);
}

/* Who has a code and no secret finds out no more than who has neither. */
static void a_wrong_link_is_a_wrong_code(void)
{
    static const char guessed[] = "MFRGGZDFMZTWQ2LKMFRGGZDFMY";
    struct meets m;
    struct visitor *mallory;

    meets_begin(&m, meet_stage(), true);
    mallory = visitor_at(m.stage, "198.51.100.7");
    for (int i = 0; i < 10; i++)
        CHECK(guest(mallory, "Mallory", i % 2 ? m.code : "000000", guessed, 1) ==
              ROOST_NO_SUCH_MEETING);
    CHECK(guest(mallory, "Mallory", m.code, guessed, 1) == ROOST_GUESSES);
    CHECK(guest(mallory, "Mallory", "000000", "", 1) == ROOST_GUESSES);
    CHECK(guest(mallory, "Mallory", m.code, m.secret, 1) == 0);
    visitor_free(mallory);
    meets_end(&m);
}

/* At the limits as they are by default, and with 100 meetings going on. */
static void a_day_of_guessing_finds_less_than_one(void)
{
    struct hub_config c;
    double codes = 1;

    hub_config_default(&c);
    for (uint32_t i = 0; i < c.code_digits; i++)
        codes *= 10;
    double expected = c.code_tries_all * 100 / codes; /* however many addresses guess */
    CHECK(c.code_tries_all > 0 && c.code_tries > 0);
    CHECK(expected < 1);
    /* one address: about once in 40 days */
    CHECK(c.code_tries * 24 * 100 / codes < 1.0 / 40);
    /* nine digits: a thousand times less */
    CHECK(expected / 1000 < 0.001);
}

TEST_MAIN({ "codes_are_drawn_evenly", codes_are_drawn_evenly },
          { "a_taken_code_is_drawn_again", a_taken_code_is_drawn_again },
          { "a_link_opens_one_meeting", a_link_opens_one_meeting },
          { "by_its_number_a_meeting_is_not_there", by_its_number_a_meeting_is_not_there },
          { "eleven_wrong_codes_are_too_many", eleven_wrong_codes_are_too_many },
          { "the_code_of_ones_meeting_is_no_guess", the_code_of_ones_meeting_is_no_guess },
          { "a_net_of_addresses_has_ten_tries_in_all", a_net_of_addresses_has_ten_tries_in_all },
          { "all_guesses_of_a_day_are_counted_together",
            all_guesses_of_a_day_are_counted_together },
          { "guests_of_one_address_are_limited", guests_of_one_address_are_limited },
          { "a_code_expires_over_restarts", a_code_expires_over_restarts },
          { "a_start_is_at_most_two_years_ahead", a_start_is_at_most_two_years_ahead },
          { "a_wrong_link_is_a_wrong_code", a_wrong_link_is_a_wrong_code },
          { "a_day_of_guessing_finds_less_than_one", a_day_of_guessing_finds_less_than_one })
