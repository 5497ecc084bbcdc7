/* test_files_kept.c - files that the server keeps: quotas, time, and what is there already. */
#include <string.h>

#include "base/err.h"
#include "parcels.h"
#include "test.h"

static void a_room_gets_an_event_when_it_is_whole(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");
    uint64_t room = visitor_room(ann, "maths", "bob");

    CHECK(visitor_sync(bob, room, 0) == 0);
    const Roost__Reply *r = offer(ann, "#maths", 500);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->token.len == 16 && r->file_ticket->file->kept);
    uint64_t file = r->file_ticket->file->file;
    const struct hub_depot *d = told(s, DEPOT_TAKE, file);
    CHECK(d && memcmp(d->token, r->file_ticket->token.data, 16) == 0 && d->size == 500);
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_NO_SUCH_FILE); /* not whole */
    CHECK(listed(bob, "#maths") == 0);

    visitor_forget(bob);
    whole(s, file, 500);
    CHECK(told(s, DEPOT_STORED, file) && told(s, DEPOT_STORED, file)->err == 0);
    CHECK(visitor_events(bob, room) == 1);
    const Roost__Event *e = visitor_event(bob, room, 0);
    CHECK(e->what_case == ROOST__EVENT__WHAT_FILED && e->filed->file->file == file);
    CHECK(e->filed->file->seq == e->seq && e->filed->file->root.len == 32);
    CHECK(e->filed->file->stage == ROOST__FILE_STAGE__FILE_DONE && e->filed->file->until_ms);

    /* said twice: it is there */
    whole(s, file, 500);
    CHECK(visitor_events(bob, room) == 1);

    r = get(bob, file, true);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->token.len == 16 && !r->file_ticket->sends);
    CHECK(strncmp(r->file_ticket->path, "/files/", 7) == 0);
    CHECK(told(s, DEPOT_GIVE, file));
    CHECK(CODE_OF(get(eve, file, false)) == ROOST_NO_SUCH_FILE);
    CHECK(listed(bob, "#maths") == 1 && used(ann, "#maths") == 500);
    CHECK(!list(eve, "#maths", false));

    CHECK(forget(eve, file) == ROOST_NO_SUCH_FILE && forget(bob, file) == ROOST_NOT_ALLOWED);
    CHECK(forget(ann, file) == 0 && forget(ann, file) == ROOST_FILE_OVER);
    CHECK(told(s, DEPOT_DROP, 0));
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_NO_SUCH_FILE);
    CHECK(listed(bob, "#maths") == 0 && used(ann, NULL) == 0);
    stage_free(s);
}

/* Who it is for, and is there, may have it before it is whole; nobody else. */
static void it_is_given_on_while_it_comes(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");
    Roost__FileOffer b = parcel(NULL, 500);

    b.keep = true;
    b.root = (ProtobufCBinaryData){ 32, root_of_7 };
    uint64_t file = ticket(offer_as(ann, "@bob", &b))->file->file;
    const Roost__ToClient *f = heard(bob, ROOST__TO_CLIENT__BODY_FILE_OFFERED);
    CHECK(f->file_offered->file->file == file && f->file_offered->file->kept);
    CHECK(f->file_offered->file->stage == ROOST__FILE_STAGE__FILE_OFFERED);
    const Roost__FileTicket *t = ticket(get(bob, file, false));
    CHECK(t->token.len == 16 && !t->sends && !t->file->root.len); /* nobody has seen it yet */
    const struct hub_depot *d = told(s, DEPOT_GIVE, file);
    CHECK(d && d->arrives && d->account && d->made_ms == (int64_t)t->file->made_ms);
    CHECK(!told(s, DEPOT_TAKE, file)->arrives && ticket(get(ann, file, false))->sends);
    CHECK(CODE_OF(get(bob, file, true)) == ROOST_NO_SUCH_FILE); /* not as a page */
    CHECK(CODE_OF(get(eve, file, false)) == ROOST_NO_SUCH_FILE);
    whole(s, file, 500);
    CHECK(told(s, DEPOT_OVER, file) && told(s, DEPOT_OVER, file)->takes); /* who gets it goes on */
    CHECK(ticket(get(bob, file, false))->file->root.len == 32);
    CHECK(told(s, DEPOT_GIVE, file) && !told(s, DEPOT_GIVE, file)->arrives);
    /* of what nobody knows the end, there is nothing before it */
    b.open_size = true;
    b.size = 0;
    b.root.len = 0;
    visitor_forget(bob);
    file = ticket(offer_as(ann, "@bob", &b))->file->file;
    CHECK(!heard_of(bob, ROOST__TO_CLIENT__BODY_FILE_OFFERED));
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_NO_SUCH_FILE);
    stage_free(s);
}

static void contents_are_not_sent_twice(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    visitor_room(ann, "maths", "bob");
    visitor_room(bob, "music", NULL);
    visitor_room(eve, "elsewhere", NULL);
    uint64_t first = kept(s, ann, "#maths");
    Roost__FileOffer b = parcel(NULL, 500);
    b.root = (ProtobufCBinaryData){ 32, root_of_7 };
    const Roost__Reply *r = offer_as(bob, "#music", &b);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->have && !r->file_ticket->token.len);
    uint64_t second = r->file_ticket->file->file;
    CHECK(listed(bob, "#music") == 1);
    /* who cannot read it learns nothing, and sends it */
    r = offer_as(eve, "#elsewhere", &b);
    CHECK(CODE_OF(r) == 0 && !r->file_ticket->have && r->file_ticket->token.len == 16);
    /* another size is another content */
    b.size = 501;
    CHECK(!ticket(offer_as(bob, "#music", &b))->have);
    /* who gets one is cut off; shared contents go with the last of them */
    size_t n = s->hall.n_depot;
    CHECK(forget(ann, first) == 0 && s->hall.n_depot == n + 1 && told(s, DEPOT_OVER, first));
    CHECK(forget(bob, second) == 0 && s->hall.n_depot == n + 3 && told(s, DEPOT_OVER, second));
    CHECK(s->hall.depot[(n + 2) % HALL_CARRIED_MAX].what == DEPOT_DROP);
    stage_free(s);
}

static void half_sent_it_goes_on(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    visitor_room(ann, "maths", "bob");
    uint64_t file = ticket(offer(ann, "#maths", 500))->file->file;
    CHECK(ticket(offer(ann, "#maths", 500))->file->file == file);
    CHECK(ticket(offer(ann, "#maths", 501))->file->file != file);
    const Roost__Reply *r = get(ann, file, false);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->sends && r->file_ticket->token.len == 16);
    CHECK(listed(ann, NULL) == 2 && listed(bob, NULL) == 0);
    CHECK(cancel(bob, file) == ROOST_NO_SUCH_FILE && cancel(ann, file) == 0);
    CHECK(told(s, DEPOT_OVER, file));
    CHECK(ticket(offer(ann, "#maths", 500))->file->file != file);
    stage_free(s);
}

static void who_is_away_finds_it_later(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    hall_disconnect(&s->hall, bob->conn, HUB_CLOSE_GONE);
    const Roost__Reply *r = offer(ann, "@bob", 500);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->file->kept && r->file_ticket->token.len == 16);
    uint64_t file = r->file_ticket->file->file;
    whole(s, file, 500);
    visitor_connect(bob);
    CHECK(login(bob, "bob", PASSWORD, 2) == 0);
    CHECK(listed(bob, NULL) == 1);
    CHECK(CODE_OF(get(bob, file, false)) == 0);
    struct hub_depot_word w = { .what = DEPOT_GOT, .file = file, .account = ann->account };
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    CHECK(listed(bob, NULL) == 1); /* its sender got it, that is not the same */
    w.account = bob->account;
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(listed(bob, NULL) == 0);
    CHECK(CODE_OF(get(bob, file, false)) == 0); /* and it can be had again */

    s->hall.config.files_away = false;
    hub_set_config(s->hall.hub, &s->hall.config);
    Roost__FileOffer b = parcel(NULL, 7);
    b.keep = true;
    CHECK(CODE_OF(offer_as(ann, "@bob", &b)) == ROOST_FILES_OFF);
    hall_disconnect(&s->hall, bob->conn, HUB_CLOSE_GONE);
    CHECK(CODE_OF(offer(ann, "@bob", 500)) == ROOST_AWAY);
    stage_free(s);
}

static void there_are_quotas(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    visitor_room(ann, "maths", "bob");
    visitor_room(ann, "music", NULL);
    s->hall.config.file_max = 1000;
    s->hall.config.file_quota_user = 1500;
    s->hall.config.file_quota_room = 1200;
    hub_set_config(s->hall.hub, &s->hall.config);
    CHECK(CODE_OF(offer(ann, "#maths", 1001)) == ROOST_FILE_TOO_BIG);
    CHECK(CODE_OF(offer(ann, "#maths", 1000)) == 0);
    CHECK(CODE_OF(offer(ann, "#music", 501)) == ROOST_QUOTA);
    CHECK(CODE_OF(offer(ann, "#music", 500)) == 0);
    CHECK(CODE_OF(offer(bob, "#maths", 201)) == ROOST_QUOTA); /* the room's */
    CHECK(CODE_OF(offer(bob, "#maths", 200)) == 0);
    struct hub_depot_word w = { .what = DEPOT_ROOM, .size = 50 };
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    CHECK(CODE_OF(offer(bob, "*", 51)) == ROOST_FILE_RESERVE);
    /* a stream whose size turns out too large is over */
    Roost__FileOffer b = parcel(NULL, 0);
    b.open_size = true;
    const Roost__Reply *r = offer_as(bob, "#maths", &b);
    CHECK(CODE_OF(r) == 0);
    uint64_t file = r->file_ticket->file->file;
    visitor_forget(bob);
    whole(s, file, 5000);
    CHECK(told(s, DEPOT_STORED, file) && told(s, DEPOT_STORED, file)->err == -ROOST_QUOTA);
    CHECK(heard(bob, ROOST__TO_CLIENT__BODY_FILE_STATE)->file_state->stage ==
          ROOST__FILE_STAGE__FILE_CANCELLED);
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_FILE_OVER);
    s->hall.config.files = false;
    hub_set_config(s->hall.hub, &s->hall.config);
    CHECK(CODE_OF(offer(ann, "#maths", 1)) == ROOST_FILES_OFF);
    stage_free(s);
}

static void what_is_kept_goes_in_time(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann");

    visitor_room(ann, "maths", NULL);
    s->hall.config.file_days = 1;
    s->hall.config.idle_ms = 100LL * 86400000;
    hub_set_config(s->hall.hub, &s->hall.config);
    uint64_t file = kept(s, ann, "#maths"), half = ticket(offer(ann, "#maths", 9))->file->file;
    stage_run(s, SECONDS(86400 / 2));
    CHECK(listed(ann, "#maths") == 1);
    stage_run(s, SECONDS(86400));
    CHECK(listed(ann, "#maths") == 0 && told(s, DEPOT_DROP, 0));
    CHECK(CODE_OF(get(ann, file, false)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(ann, half, false)) == 0);
    stage_run(s, SECONDS(86400 * 15LL));
    CHECK(CODE_OF(get(ann, half, false)) == ROOST_FILE_OVER && told(s, DEPOT_OVER, half));
    stage_free(s);
}

static void what_the_depot_finds_is_looked_up(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann");

    visitor_room(ann, "maths", NULL);
    uint64_t all = kept(s, ann, "#maths");
    uint64_t half = ticket(offer(ann, "#maths", 9))->file->file;
    size_t n = s->hall.n_depot;
    struct hub_depot_word found = { .what = DEPOT_FOUND },
                          part = { .what = DEPOT_PART, .file = half };
    memcpy(found.root, root_of_7, 32);
    hub_on_depot(s->hall.hub, &found, hall_now(&s->hall));
    hub_on_depot(s->hall.hub, &part, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(s->hall.n_depot == n);
    found.root[0] = 8;
    part.file = 77;
    hub_on_depot(s->hall.hub, &found, hall_now(&s->hall));
    hub_on_depot(s->hall.hub, &part, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(s->hall.n_depot == n + 2 && told(s, DEPOT_OVER, 77));
    CHECK(told(s, DEPOT_DROP, 0) && told(s, DEPOT_DROP, 0)->root[0] == 8);
    CHECK(!told(s, DEPOT_OVER, 77)->takes);
    /* what is left of a part when it is whole goes; who gets the whole is not cut off */
    part.file = all;
    hub_on_depot(s->hall.hub, &part, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(told(s, DEPOT_OVER, all) && told(s, DEPOT_OVER, all)->takes);
    stage_free(s);
}

TEST_MAIN({ "a_room_gets_an_event_when_it_is_whole", a_room_gets_an_event_when_it_is_whole },
          { "it_is_given_on_while_it_comes", it_is_given_on_while_it_comes },
          { "contents_are_not_sent_twice", contents_are_not_sent_twice },
          { "half_sent_it_goes_on", half_sent_it_goes_on },
          { "who_is_away_finds_it_later", who_is_away_finds_it_later },
          { "there_are_quotas", there_are_quotas },
          { "what_is_kept_goes_in_time", what_is_kept_goes_in_time },
          { "what_the_depot_finds_is_looked_up", what_the_depot_finds_is_looked_up })
