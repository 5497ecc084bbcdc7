/* test_files_rooms.c - files of meetings and rooms: who has them, and how long. */
#include <string.h>

#include "base/err.h"
#include "parcels.h"
#include "test.h"

static const Roost__FileListing *list_in(struct visitor *v, uint64_t room)
{
    Roost__FileList b = ROOST__FILE_LIST__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.room = room;
    t.name = "";
    b.target = &t;
    const Roost__Reply *r = ASK(v, FILE_LIST, file_list, &b);
    CHECK(reply_code(r) == 0);
    return r->file_listing;
}

static Roost__Reply *offer_in(struct visitor *v, uint64_t room, const uint8_t *root)
{
    Roost__FileOffer b = parcel(NULL, 500);
    Roost__Target t = ROOST__TARGET__INIT;

    t.room = room;
    t.name = "";
    b.target = &t;
    b.root = (ProtobufCBinaryData){ root ? 32 : 0, (uint8_t *)root };
    return ASK(v, FILE_OFFER, file_offer, &b);
}

static uint64_t kept_in(struct stage *s, struct visitor *v, uint64_t room)
{
    uint64_t file = ticket(offer_in(v, room, NULL))->file->file;

    whole(s, file, 500);
    return file;
}

static void a_guest_has_the_files_that_came_while_it_was_in(void)
{
    struct stage *s = stage();
    struct meets m;

    meets_begin(&m, s, true);
    uint64_t before = kept_in(s, m.host, m.meeting);
    struct visitor *gus = visitor_new(s), *ann = visitor_named(s, "ann");
    CHECK(guest(gus, "Gus", m.code, m.secret, 7) == 0 && join_link(gus, &m) == 0);
    CHECK(join_link(ann, &m) == 0);
    uint64_t after = kept_in(s, m.host, m.meeting);

    CHECK(list_in(ann, m.meeting)->n_files == 2 && CODE_OF(get(ann, before, false)) == 0);
    const Roost__FileListing *l = list_in(gus, m.meeting);
    CHECK(l->n_files == 1 && l->files[0]->file == after && !l->more);
    CHECK(CODE_OF(get(gus, after, false)) == 0 && CODE_OF(get(gus, after, true)) == 0);
    CHECK(CODE_OF(get(gus, before, false)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(gus, before, true)) == ROOST_NO_SUCH_FILE);
    CHECK(forget(gus, before) == ROOST_NO_SUCH_FILE && forget(gus, after) == ROOST_NOT_ALLOWED);
    /* who names the contents does not get them by that */
    CHECK(!ticket(offer_in(gus, m.meeting, root_of_7))->have);
    CHECK(ticket(offer_in(ann, m.meeting, root_of_7))->have);
    uint64_t own = kept_in(s, gus, m.meeting);
    CHECK(CODE_OF(get(gus, own, false)) == 0);

    /* and after another coming only what came since */
    CHECK(act_on(gus, &m, ROOST__MEET_ACTION__LEAVE, 0, "") == 0);
    CHECK(CODE_OF(get(gus, after, false)) == ROOST_NO_SUCH_FILE);
    CHECK(join_link(gus, &m) == 0 && list_in(gus, m.meeting)->n_files == 0);
    CHECK(CODE_OF(get(gus, after, false)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(gus, own, false)) == 0);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__END, 0, "") == 0);
    CHECK(barred(s, gus->account, m.meeting) && barred(s, 0, m.meeting)->takes);
    meets_end(&m);
}

static int removed(struct visitor *v, const char *room, const char *whom)
{
    Roost__Remove b = ROOST__REMOVE__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = (char *)room;
    b.target = &t;
    b.user = (char *)whom;
    return reply_code(ASK(v, REMOVE, remove, &b));
}

/* What it was given ends, and nothing is given any more. */
static void who_was_removed_has_its_files_no_more(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    uint64_t room = visitor_room(ann, "maths", "bob"), file = kept(s, ann, "#maths");
    uint64_t half = ticket(offer(bob, "#maths", 9))->file->file;
    CHECK(CODE_OF(get(bob, file, true)) == 0 && CODE_OF(get(ann, file, false)) == 0);
    CHECK(!barred(s, bob->account, room));
    const struct hub_depot hers = *told(s, DEPOT_GIVE, file), his = *told(s, DEPOT_TAKE, half);
    CHECK(removed(ann, "#maths", "bob") == 0);
    const struct hub_depot *bar = barred(s, bob->account, room);
    CHECK(bar);
    CHECK(hub_depot_bars(bar, &his));
    CHECK(!hub_depot_bars(bar, &hers));
    CHECK(CODE_OF(get(bob, file, true)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(bob, half, false)) == ROOST_NO_SUCH_FILE); /* nor does he send there */

    /* of an account that is gone also what others get from it */
    uint64_t direct = ticket(offer(eve, "@ann", 5))->file->file;
    CHECK(CODE_OF(answer(ann, direct, true)) == 0 && CODE_OF(relay(eve, direct, 0)) == 0);
    CHECK(s->hall.hub->relays.n == 1);
    Roost__DeleteAccount b = ROOST__DELETE_ACCOUNT__INIT;
    b.password = PASSWORD;
    CHECK(reply_code(ASK(eve, DELETE_ACCOUNT, delete_account, &b)) == 0);
    bar = barred(s, eve->account, 0);
    CHECK(bar && !hub_depot_bars(bar, &hers) && s->hall.hub->relays.n == 0);
    struct hub_depot from_eve = hers;
    from_eve.sender = eve->account;
    CHECK(hub_depot_bars(bar, &from_eve));
    stage_free(s);
}

static void a_closed_room_can_be_read(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    Roost__CloseRoom b = ROOST__CLOSE_ROOM__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = "#maths";
    b.target = &t;
    uint64_t room = visitor_room(ann, "maths", "bob"), file = kept(s, ann, "#maths");
    CHECK(reply_code(ASK(ann, CLOSE_ROOM, close_room, &b)) == 0);
    CHECK(list_in(bob, room)->n_files == 1 && CODE_OF(get(bob, file, false)) == 0);
    CHECK(CODE_OF(offer_in(ann, room, NULL)) == ROOST_ROOM_CLOSED);
    CHECK(barred(s, 0, room) && barred(s, 0, room)->takes);
    stage_free(s);
}

TEST_MAIN({ "a_guest_has_the_files_that_came_while_it_was_in",
            a_guest_has_the_files_that_came_while_it_was_in },
          { "who_was_removed_has_its_files_no_more", who_was_removed_has_its_files_no_more },
          { "a_closed_room_can_be_read", a_closed_room_can_be_read })
