/* test_meet_guards.c - what somebody in a meeting might try, and what does not come of it. */
#include <string.h>

#include "base/err.h"
#include "meets.h"
#include "test.h"

#define ACT(name)   ROOST__MEET_ACTION__##name
#define STATE(name) ROOST__MEET_STATE__##name

static struct visitor *come(struct meets *m, const char *name)
{
    struct visitor *v = visitor_named(m->stage, name);

    CHECK(join_link(v, m) == 0);
    return v;
}

static struct visitor *guest_comes(struct meets *m, const char *name, uint8_t device)
{
    struct visitor *v = visitor_new(m->stage);

    CHECK(guest(v, name, m->code, m->secret, device) == 0);
    CHECK(join_link(v, m) == 0);
    return v;
}

/* The words of the last thing that was done in the meeting, as v heard it; NULL: nothing. */
static const char *last_words(const struct visitor *v)
{
    const char *words = NULL;

    for (size_t i = 0; i < v->n_heard; i++) {
        const Roost__ToClient *f = v->heard[i].frame;
        if (f->body_case == ROOST__TO_CLIENT__BODY_EVENT &&
            f->event->what_case == ROOST__EVENT__WHAT_MET)
            words = f->event->met->text;
    }
    return words;
}

static void words_belong_to_few_acts(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    struct visitor *ann = come(&m, "ann");
    CHECK(visitor_sync(m.host, m.meeting, 0) == 0);
    CHECK(act_on(m.host, &m, ACT(FORBID_CHAT), 0, "") == 0);
    visitor_forget(m.host);
    CHECK(act_on(ann, &m, ACT(HAND_UP), 0, "I shout although the chat is off") == 0);
    CHECK(last_words(m.host) && strcmp(last_words(m.host), "") == 0);
    CHECK(act_on(m.host, &m, ACT(TITLE), 0, "Algebra") == 0);
    CHECK(strcmp(last_words(m.host), "Algebra") == 0);
    visitor_free(ann);
    meets_end(&m);
}

static void acts_and_knocks_are_limited_as_words_are(void)
{
    struct meets m;
    int done = 0, code = 0;

    meets_begin(&m, meet_stage(), true);
    struct visitor *ann = come(&m, "ann");
    for (; done < 200 && !code; done++)
        code = act_on(ann, &m, done % 2 ? ACT(HAND_DOWN) : ACT(HAND_UP), 0, "");
    CHECK(code == ROOST_TOO_FAST && done < 60);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0); /* always possible */
    CHECK(join_link(ann, &m) == ROOST_TOO_FAST);
    stage_run(m.stage, SECONDS(1));
    CHECK(join_link(ann, &m) == 0);
    CHECK(act_on(ann, &m, ACT(HAND_UP), 0, "") == 0);
    visitor_free(ann);
    meets_end(&m);
}

static void the_first_host_comes_back(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    struct visitor *bea = come(&m, "bea"), *carl = come(&m, "carl");
    CHECK(act_on(m.host, &m, ACT(LEAVE), carl->account, "") == 0);
    CHECK(act_on(carl, &m, ACT(BAN), m.host->account, "") == ROOST_SUCCESSOR);
    CHECK(act_on(carl, &m, ACT(MAKE_COHOST), bea->account, "") == 0);
    CHECK(act_on(bea, &m, ACT(BAN), m.host->account, "") == ROOST_SUCCESSOR);
    CHECK(act_on(carl, &m, ACT(LOCK), 0, "") == 0);
    CHECK(join_link(m.host, &m) == 0);
    CHECK(act_on(bea, &m, ACT(REMOVE), m.host->account, "") == 0);
    CHECK(join_link(m.host, &m) == 0);
    CHECK(act_on(m.host, &m, ACT(TAKE_BACK), 0, "") == 0);
    /* when it may not be taken back any more, a ban is one */
    CHECK(act_on(m.host, &m, ACT(LEAVE), carl->account, "") == 0);
    stage_run(m.stage, SECONDS(601));
    CHECK(act_on(carl, &m, ACT(BAN), m.host->account, "") == 0);
    CHECK(join_link(m.host, &m) == ROOST_MEET_BANNED);
    visitor_free(bea);
    visitor_free(carl);
    meets_end(&m);
}

static void other_names_from_a_banned_device_go_too(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    struct visitor *first = guest_comes(&m, "First", 1), *second = guest_comes(&m, "Second", 1);
    struct visitor *other = guest_comes(&m, "Other", 2);
    uint64_t first_account = first->account, other_account = other->account;
    CHECK(act_on(m.host, &m, ACT(BAN), second->account, "") == 0);
    CHECK(row_of(&m, second->account)->state == STATE(EXCLUDED));
    CHECK(row_of(&m, first_account)->state == STATE(REMOVED));
    CHECK(row_of(&m, other_account)->state == STATE(IN));
    CHECK(join_link(first, &m) == ROOST_MEET_BANNED); /* as long as the device is */
    CHECK(act_on(m.host, &m, ACT(UNBAN), second->account, "") == 0);
    CHECK(join_link(first, &m) == 0); /* and waits */
    CHECK(row_of(&m, first_account)->state == STATE(WAITING));
    visitor_free(first);
    visitor_free(second);
    visitor_free(other);
    meets_end(&m);
}

static void nobody_is_called_as_the_program(void)
{
    static const char *const names[] = { "the server", "You", "HOST", "everyone", "Adm1n" };
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    struct visitor *v = visitor_new(m.stage), *ann = come(&m, "ann");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(guest(v, names[i], m.code, m.secret, 7) == ROOST_NAME_TAKEN);
        CHECK(act_on(ann, &m, ACT(RENAME), 0, names[i]) == ROOST_NAME_TAKEN);
    }
    CHECK(act_on(ann, &m, ACT(RENAME), 0, "Hostess") == 0);
    const Roost__Attendee *row = row_of(&m, ann->account); /* attendance knows who it is */
    CHECK(strcmp(row->name, "Hostess") == 0 && strcmp(row->login, "ann") == 0);
    visitor_free(v);
    visitor_free(ann);
    meets_end(&m);
}

static size_t times_told_of_leaving(const struct visitor *v)
{
    size_t told = 0;

    for (size_t i = 0; i < v->n_heard; i++) {
        const Roost__ToClient *f = v->heard[i].frame;
        told += f->body_case == ROOST__TO_CLIENT__BODY_MEET_NOW &&
                f->meet_now->you->state == STATE(OUT) && f->meet_now->action == ACT(LEAVE);
    }
    return told;
}

/* Who leaves on one device is told so on the other. */
static void leaving_is_heard_on_all_devices(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), true);
    struct visitor *ann = come(&m, "ann"), *again = visitor_new(m.stage);
    CHECK(login(again, "ann", PASSWORD, 9) == 0);
    again->account = ann->account;
    CHECK(join_link(again, &m) == 0);
    visitor_forget(ann);
    visitor_forget(again);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(times_told_of_leaving(again) == 1);
    for (size_t i = 0; i < ann->n_heard; i++)
        CHECK(ann->heard[i].frame->body_case != ROOST__TO_CLIENT__BODY_MEET_NOW);
    visitor_free(again);
    visitor_free(ann);
    meets_end(&m);
}

/* So is a second window, which is of the same session: also of who only waited. */
static void leaving_is_heard_in_all_windows(void)
{
    struct meets m;

    meets_begin(&m, meet_stage(), false);
    visitor_free(visitor_named(m.stage, "ann"));
    struct visitor *ann = visitor_new(m.stage), *window = visitor_new(m.stage);
    const Roost__Reply *in = login_reply(ann, "ann", PASSWORD, 1);
    CHECK(reply_code(in) == 0);
    CHECK(resume(window, in->session->token.data, 1) == 0);
    ann->account = window->account;
    CHECK(join_code(ann, &m) == 0 && join_code(window, &m) == 0);
    visitor_forget(ann);
    visitor_forget(window);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(times_told_of_leaving(window) == 1 && times_told_of_leaving(ann) == 0);
    visitor_free(window);
    visitor_free(ann);
    meets_end(&m);
}

TEST_MAIN({ "words_belong_to_few_acts", words_belong_to_few_acts },
          { "acts_and_knocks_are_limited_as_words_are", acts_and_knocks_are_limited_as_words_are },
          { "the_first_host_comes_back", the_first_host_comes_back },
          { "other_names_from_a_banned_device_go_too", other_names_from_a_banned_device_go_too },
          { "nobody_is_called_as_the_program", nobody_is_called_as_the_program },
          { "leaving_is_heard_on_all_devices", leaving_is_heard_on_all_devices },
          { "leaving_is_heard_in_all_windows", leaving_is_heard_in_all_windows })
