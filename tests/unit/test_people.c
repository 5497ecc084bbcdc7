/* test_people.c - who is on, and what is told to all who watch; admins' own requests. */
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "meets.h"
#include "test.h"

#define TRY(v, CASE, field, Type, name, ...)                                                       \
    reply_code(                                                                                    \
        ASK(v, CASE, field,                                                                        \
            (&(Type){ .base = PROTOBUF_C_MESSAGE_INIT(&name##__descriptor), __VA_ARGS__ })))

static const Roost__ToClient *last_of(const struct visitor *v, Roost__ToClient__BodyCase what)
{
    for (size_t i = v->n_heard; i > 0; i--)
        if (v->heard[i - 1].frame->body_case == what)
            return v->heard[i - 1].frame;
    return NULL;
}

static int away(struct visitor *v, const char *text)
{
    return TRY(v, AWAY, away, Roost__Away, roost__away, .text = (char *)text);
}

static void watchers_hear_who_changed(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    CHECK(TRY(ann, WATCH_PEOPLE, watch_people, Roost__WatchPeople, roost__watch_people,
              .on = true) == 0);
    stage_run(s, SECONDS(2));
    visitor_forget(ann);
    CHECK(away(bob, "at lunch") == 0);
    stage_run(s, SECONDS(2));
    const Roost__ToClient *f = last_of(ann, ROOST__TO_CLIENT__BODY_PEOPLE_CHANGED);
    CHECK(f && f->people_changed->n_people == 1);
    CHECK(strcmp(f->people_changed->people[0]->name, "bob") == 0);
    CHECK(strcmp(f->people_changed->people[0]->away, "at lunch") == 0);

    /* twice the same, then back; and off */
    CHECK(away(bob, "at lunch") == 0);
    CHECK(away(bob, "") == 0);
    stage_run(s, SECONDS(2));
    hall_disconnect(&s->hall, bob->conn, HUB_CLOSE_GONE);
    stage_run(s, SECONDS(2));
    f = last_of(ann, ROOST__TO_CLIENT__BODY_PEOPLE_CHANGED);
    CHECK(f && f->people_changed->people[0]->sessions == 0);
    CHECK(TRY(ann, WATCH_PEOPLE, watch_people, Roost__WatchPeople, roost__watch_people,
              .on = false) == 0);
    visitor_free(bob);
    visitor_free(ann);
    stage_free(s);
}

static void many_are_told_in_parts(void)
{
    struct stage *s = meet_stage();
    struct visitor *root = admin_new(s), *some[150];
    char name[8];
    size_t told = 0;

    CHECK(TRY(root, WATCH_PEOPLE, watch_people, Roost__WatchPeople, roost__watch_people,
              .on = true) == 0);
    stage_run(s, SECONDS(2));
    visitor_forget(root);
    for (int i = 0; i < 150; i++) {
        /* letters that look like no other */
        memcpy(name, "pabc", 5);
        name[1] = (char)('a' + i / 64), name[2] = (char)('a' + i / 8 % 8);
        name[3] = (char)('a' + i % 8);
        some[i] = visitor_named(s, name);
    }
    stage_run(s, SECONDS(3));
    for (size_t i = 0; i < root->n_heard; i++)
        if (root->heard[i].frame->body_case == ROOST__TO_CLIENT__BODY_PEOPLE_CHANGED)
            told += root->heard[i].frame->people_changed->n_people;
    CHECK(told >= 150);

    /* and listed in pages; addresses are for admins, each once */
    struct visitor *again = visitor_new(s);
    CHECK(login(again, "paaa", PASSWORD, 7) == 0);
    CHECK(TRY(root, WHO, who, Roost__Who, roost__who) == 0);
    const Roost__People *people = root->heard[root->n_heard - 1].frame->reply->people;
    CHECK(people->n_people > 100);
    CHECK(people->people[people->n_people - 1]->n_addresses == 1);
    for (int i = 0; i < 150; i++)
        visitor_free(some[i]);
    visitor_free(again);
    visitor_free(root);
    stage_free(s);
}

static void nobody_ignores_oneself(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    CHECK(TRY(ann, IGNORE, ignore, Roost__Ignore, roost__ignore, .user = "ann", .on = true) ==
          ROOST_SELF);
    CHECK(TRY(ann, IGNORE, ignore, Roost__Ignore, roost__ignore, .user = "bob", .on = true) == 0);
    CHECK(TRY(ann, IGNORE, ignore, Roost__Ignore, roost__ignore, .user = "bob", .on = false) == 0);
    visitor_free(bob);
    visitor_free(ann);
    stage_free(s);
}

/* --- what admins ask of the edge --- */

static void keeps(const struct hub_keep *k, struct hub_kept *ret)
{
    static const struct hub_stat stats[] = { { "rooms", 3, NULL }, { "version", 0, "0.1" } };
    static const uint8_t sum[32] = { 1 };

    if (k->what == KEEP_STATS) {
        ret->err = 0;
        ret->stats = stats;
        ret->n_stats = 2;
        return;
    }
    ret->err = k->what == KEEP_CHECK ? -ROOST_BUSY : 0;
    ret->work = 7;
    ret->data = (const uint8_t *)"abc";
    ret->n_data = 3;
    ret->sha256 = sum;
    ret->text = "well";
}

static void admins_keep_the_server(void)
{
    struct stage *s = meet_stage();
    struct visitor *root = admin_new(s), *ann = visitor_named(s, "ann");
    static uint8_t piece[60000];

    s->hall.keeper = keeps;
    CHECK(TRY(root, ADMIN_STATS, admin_stats, Roost__AdminStats, roost__admin_stats) == 0);
    const Roost__Reply *r = root->heard[root->n_heard - 1].frame->reply;
    CHECK(r->stats->n_stats == 2 && r->stats->stats[0]->value == 3);
    CHECK(TRY(root, ADMIN_BACKUP, admin_backup, Roost__AdminBackup, roost__admin_backup) == 0);
    CHECK(TRY(root, ADMIN_BACKUP, admin_backup, Roost__AdminBackup, roost__admin_backup,
              .work = 7) == 0);
    r = root->heard[root->n_heard - 1].frame->reply;
    CHECK(r->work->data.len == 3 && r->work->sha256.len == 32);
    CHECK(TRY(root, ADMIN_CHECK, admin_check, Roost__AdminCheck, roost__admin_check) == ROOST_BUSY);
    CHECK(TRY(root, ADMIN_RESTORE, admin_restore, Roost__AdminRestore, roost__admin_restore,
              .size = 3, .data = { 3, piece }) == 0);
    CHECK(TRY(root, ADMIN_RESTORE, admin_restore, Roost__AdminRestore, roost__admin_restore,
              .work = 7, .go = true) == 0);
    CHECK(TRY(ann, ADMIN_STATS, admin_stats, Roost__AdminStats, roost__admin_stats) ==
          ROOST_NOT_ALLOWED);

    hub_tell_admins(s->hall.hub, "the disk is nearly full", hall_now(&s->hall));
    CHECK(whoami(root) == 0 && whoami(ann) == 0);
    const Roost__ToClient *notice = last_of(root, ROOST__TO_CLIENT__BODY_NOTICE);
    CHECK(notice && strcmp(notice->notice->text, "the disk is nearly full") == 0);
    CHECK(!last_of(ann, ROOST__TO_CLIENT__BODY_NOTICE));

    struct visitor *nobody = visitor_new(s);
    hub_end_sessions(s->hall.hub, hall_now(&s->hall));
    stage_run(s, SECONDS(2));
    CHECK(over_code(ann) == ROOST_SESSION_OVER && over_code(root) == ROOST_SESSION_OVER);
    CHECK(!nobody->closed);
    visitor_free(nobody);
    visitor_free(ann);
    visitor_free(root);
    stage_free(s);
}

static void a_page_is_told_the_title(void)
{
    struct meets m;
    struct hub_peer peer = { .address = "198.51.100.7", .source = "198.51.100.7" };
    struct hall *hall;

    meets_begin(&m, meet_stage(), false);
    hall = &m.stage->hall;
    CHECK(hub_ask_title(hall->hub, 5, m.code, &peer, hall_now(hall)) == 0);
    CHECK(whoami(m.host) == 0); /* what waits is pulled */
    CHECK(hall->title_err == 0 && strcmp(hall->title, "host's meeting") == 0);
    for (int i = 0; i < 11; i++) { /* its guesses are counted as others */
        CHECK(hub_ask_title(hall->hub, 5, "000000", &peer, hall_now(hall)) == 0);
        CHECK(whoami(m.host) == 0);
        CHECK(hall->title_err == (i < 10 ? -ROOST_NO_SUCH_MEETING : -ROOST_GUESSES));
    }
    meets_end(&m);
}

TEST_MAIN({ "watchers_hear_who_changed", watchers_hear_who_changed },
          { "many_are_told_in_parts", many_are_told_in_parts },
          { "nobody_ignores_oneself", nobody_ignores_oneself },
          { "admins_keep_the_server", admins_keep_the_server },
          { "a_page_is_told_the_title", a_page_is_told_the_title })
