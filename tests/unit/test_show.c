#include "cli/show.h"
#include "test.h"

#include <string.h>

/* 15:30 at +1 on Wednesday, 4 March 2026 */
#define AT UINT64_C(1772634620500)

static struct rooms rooms;
static struct buf out;

static void put_room(uint64_t number, enum roost_room_kind kind, const char *name)
{
    struct roost_room r = { .room = number, .kind = kind, .name = name, .topic = "" };
    rooms_put(&rooms, &r);
}

static struct show begin(bool json)
{
    buf_fini(&out);
    rooms_fini(&rooms);
    put_room(12, ROOST_ROOM, "maths");
    put_room(13, ROOST_DIRECT, "bob");
    put_room(1, ROOST_EVERYONE, "");
    return (struct show){ .rooms = &rooms,
                          .json = json,
                          .room_labels = true,
                          .ids = true,
                          .zone_s = 3600,
                          .me = "anna" };
}

static void end(void)
{
    buf_fini(&out);
    rooms_fini(&rooms);
}

static struct roost_message message(const char *text)
{
    return (struct roost_message){ .room = 12,
                                   .seq = 345,
                                   .at_ms = AT,
                                   .sender = 7,
                                   .sender_name = "bob",
                                   .text = text,
                                   .who_name = "",
                                   .room_name = "" };
}

static void a_message_is_a_line(void)
{
    struct show s = begin(false);
    struct roost_message m = message("hello\033[2J");

    show_message(&s, &m, &out);
    CHECK(!strcmp(buf_str(&out), "15:30 12:345 #maths bob: hello␛[2J\n"));
    buf_clear(&out);
    m.action = true;
    m.text = "waves";
    m.reply_to = 3;
    s.room_labels = false;
    show_message(&s, &m, &out);
    CHECK(!strcmp(buf_str(&out), "15:30 12:345 * bob (to 12:3) waves\n"));
    end();
}

static void several_lines_cannot_look_like_messages(void)
{
    struct show s = begin(false);
    struct roost_message m = message("one\n15:31 12:346 #maths eve: two");

    show_message(&s, &m, &out);
    CHECK(strstr(buf_str(&out), "\n        15:31") != NULL);
    end();
}

static void long_ones_are_broken(void)
{
    struct show s = begin(false);
    struct roost_message m = message("the quick brown fox jumps over the lazy dog and goes on");
    size_t column = 0;

    s.columns = 40;
    show_message(&s, &m, &out);
    for (const char *p = buf_str(&out); *p; p++) {
        column = *p == '\n' ? 0 : column + 1;
        CHECK(column <= 40);
    }
    end();
}

static void a_day_is_named_once(void)
{
    struct show s = begin(false);
    int64_t last = 0;

    show_day(&s, AT, &last, &out);
    show_day(&s, AT + 1000, &last, &out);
    CHECK(!strcmp(buf_str(&out), "--- Wednesday, 4 March 2026 ---\n"));
    end();
}

static void json_has_the_keys_that_were_promised(void)
{
    struct show s = begin(true);
    struct roost_message m = message("hello \"you\"");

    m.reply_to = 3;
    show_message(&s, &m, &out);
    static const char want[] =
        "{\"event\": \"message\", \"id\": \"12:345\", \"seq\": 345, \"room\": 12, "
        "\"from\": \"bob\", \"to\": \"#maths\", \"text\": \"hello \\\"you\\\"\", "
        "\"at\": \"2026-03-04T14:30:20.500Z\", \"reply_to\": \"12:3\"";
    CHECK(!strncmp(buf_str(&out), want, sizeof want - 1));
    CHECK(out.len && out.p[out.len - 1] == '\n' && strchr(out.p, '\n') == out.p + out.len - 1);
    end();
}

static const struct roost_attendee in[] = { { .account = 7, .name = "Gus", .guest = true },
                                            { .account = 8, .name = "Ann" } };

/* As it is said in a meeting by this account. */
static const char *says(struct show s, uint64_t account, const char *name)
{
    static const struct roost_ticket there = { .you = { .account = 9, .name = "Eva" },
                                               .attendees = in,
                                               .n_attendees = 2 };
    struct roost_message m = message("hi");

    s.there = &there;
    m.sender = account;
    m.sender_name = name;
    buf_clear(&out);
    show_message(&s, &m, &out);
    return buf_str(&out);
}

static void guests_are_marked_in_a_meeting(void)
{
    struct show s = begin(false);

    CHECK(strstr(says(s, 7, "Gus"), " Gus (guest): hi\n"));
    CHECK(strstr(says(s, 8, "Ann"), " Ann: hi\n") && strstr(says(s, 9, "Eva"), " Eva: hi\n"));
    s = begin(true);
    CHECK(strstr(says(s, 7, "Gus"), "\"guest\": true,"));
    CHECK(strstr(says(s, 8, "Ann"), "\"guest\": false,"));
    CHECK(strstr(says(s, 9, "Eva"), "\"guest\": false,"));
    CHECK(strstr(says(s, 10, "Bob"), "\"guest\": null,")); /* who is not there */
    CHECK(strstr(says(s, 7, "Gus"), "\"account\": 7,"));
    CHECK(strstr(says(s, 0, ""), "\"account\": null,")); /* the server */
    end();
}

/* The account is called otherwise there. */
static void a_room_of_two_is_called_as_in_the_meeting(void)
{
    struct roost_ticket there = { .you = { .account = 9, .name = "Eva" }, .attendees = in };
    struct roost_room room = { .room = 14, .kind = ROOST_DIRECT, .name = "gus", .topic = "" };
    struct roost_message m = message("psst");

    room.peer = 7;
    there.n_attendees = 2;
    m.room = 14;
    for (int own = 0; own < 2; own++) {
        struct show s = begin(false);
        CHECK(rooms_put(&rooms, &room));
        m.own = own;
        s.there = &there;
        show_message(&s, &m, &out);
        CHECK(strstr(buf_str(&out), " @Gus "));
        s.json = true;
        buf_clear(&out);
        show_message(&s, &m, &out);
        CHECK(strstr(buf_str(&out), own ? "\"to\": \"@Gus\"" : "\"to\": \"@Eva\""));
        end();
    }
}

static bool goes_to(uint64_t room, bool own, const char *want)
{
    struct show s = begin(true);
    struct roost_message m = message("x");
    char text[64] = "\"to\": \"";

    strcat(strcat(text, want), "\"");
    m.room = room;
    m.own = own;
    show_message(&s, &m, &out);
    bool found = strstr(buf_str(&out), text) != NULL;
    end();
    return found;
}

static void to_is_who_gets_it(void)
{
    CHECK(goes_to(12, false, "#maths"));
    CHECK(goes_to(13, true, "@bob"));
    CHECK(goes_to(13, false, "@anna"));
    CHECK(goes_to(1, false, "*"));
    CHECK(goes_to(99, false, "99")); /* a room that one is not in */
}

static void every_kind_has_words(void)
{
    static const enum roost_what kinds[] = { ROOST_EDITED,     ROOST_DELETED,  ROOST_REACTED,
                                             ROOST_MEMBERSHIP, ROOST_ROOM_SET, ROOST_PINNED,
                                             ROOST_UNKNOWN };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int json = 0; json < 2; json++) {
            struct show s = begin(json);
            struct roost_message m = message("x");
            m.what = kinds[i];
            m.ref = 3;
            m.who_name = "carl";
            for (int change = 0; change <= ROOST_CHANGE_ROLE + 1; change++) {
                m.change = (enum roost_change)change;
                show_message(&s, &m, &out);
            }
            CHECK(out.len > 0 && !out.bad);
            end();
        }
}

static void rooms_are_found_as_people_write_them(void)
{
    begin(false);
    CHECK(rooms_find(&rooms, "#Maths") && rooms_find(&rooms, "#Maths")->room == 12);
    CHECK(rooms_find(&rooms, "@bob") && rooms_find(&rooms, "@bob")->room == 13);
    CHECK(rooms_find(&rooms, "*") && rooms_find(&rooms, "*")->room == 1);
    CHECK(rooms_find(&rooms, "12") && !rooms_find(&rooms, "#bob") && !rooms_find(&rooms, "@maths"));
    CHECK(!rooms_find(&rooms, "") && !rooms_find(&rooms, "#"));
    /* a name is free again when its room is closed */
    rooms_put(&rooms, &(struct roost_room){ .room = 12, .name = "maths", .closed = true });
    CHECK(rooms_find(&rooms, "#maths") && rooms_find(&rooms, "#maths")->room == 12);
    put_room(20, ROOST_ROOM, "maths");
    CHECK(rooms_find(&rooms, "#maths") && rooms_find(&rooms, "#maths")->room == 20);
    rooms_drop(&rooms, 20);
    rooms_drop(&rooms, 12);
    CHECK(!rooms_find(&rooms, "#maths") && rooms.n == 2);
    end();
}

TEST_MAIN({ "a_message_is_a_line", a_message_is_a_line },
          { "several_lines_cannot_look_like_messages", several_lines_cannot_look_like_messages },
          { "long_ones_are_broken", long_ones_are_broken },
          { "a_day_is_named_once", a_day_is_named_once },
          { "json_has_the_keys_that_were_promised", json_has_the_keys_that_were_promised },
          { "guests_are_marked_in_a_meeting", guests_are_marked_in_a_meeting },
          { "a_room_of_two_is_called_as_in_the_meeting",
            a_room_of_two_is_called_as_in_the_meeting },
          { "to_is_who_gets_it", to_is_who_gets_it },
          { "every_kind_has_words", every_kind_has_words },
          { "rooms_are_found_as_people_write_them", rooms_are_found_as_people_write_them })
