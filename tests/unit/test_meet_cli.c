/* Meetings on the command line: links, what is typed, calendar entries, JSON that comes in. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/ics.h"
#include "cli/json_in.h"
#include "cli/meet_explain.h"
#include "cli/meet_link.h"
#include "cli/meet_slash.h"
#include "test.h"

/* --- links ------------------------------------------------------------------------ */

static bool link_is(const char *s, const char *server, const char *code, const char *secret)
{
    struct meet_link l;
    const char *wrong;

    return meet_link_parse(s, &l, &wrong) == 0 && !strcmp(l.server, server) &&
           !strcmp(l.code, code) && !strcmp(l.secret, secret);
}

static void links_and_codes(void)
{
    CHECK(link_is("204816", "", "204816", ""));
    CHECK(link_is("204 816", "", "204816", ""));
    CHECK(link_is("204-816-333", "", "204816333", ""));
    CHECK(
        link_is("https://hall.example:5000/j/204816#abc2", "hall.example:5000", "204816", "abc2"));
    CHECK(link_is("HTTPS://hall.example/j/204816#abc2", "hall.example:443", "204816", "abc2"));
    CHECK(link_is("https://[::1]:5001/j/204816", "[::1]:5001", "204816", ""));
    CHECK(link_is("https://[::1]/j/204816", "[::1]:443", "204816", ""));
    CHECK(
        link_is("roost://hall.example:5000/j/204816#abc2", "hall.example:5000", "204816", "abc2"));
    /* without a port: that of Roost */
    CHECK(link_is("roost:hall.example/j/204816#abc2", "hall.example", "204816", "abc2"));
}

static void what_is_no_link(void)
{
    static const char *const bad[] = { "",
                                       "ann",
                                       "12",
                                       "12345",
                                       "1234567890",
                                       "12a456",
                                       "http://hall/j/204816#abc",
                                       "https:///j/204816",
                                       "https://ann@hall/j/204816",
                                       "https://hall/204816",
                                       "https://hall/j/",
                                       "https://hall/j/x#abc",
                                       "https://hall/j/204816#",
                                       "https://hall/j/204816#ab%20",
                                       "https://hall/j/204816?x#abc" };
    struct meet_link l;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *wrong = NULL;
        CHECK(meet_link_parse(bad[i], &l, &wrong) == -ROOST_INVALID && wrong);
        CHECK(!strstr(wrong, "abc")); /* a secret is never repeated */
    }
}

static size_t first(const char *a, const char *b, const char *c)
{
    const char *words[] = { a, b, c };

    return meet_link_words(words, c ? 3 : b ? 2 : 1);
}

static void a_code_as_it_is_printed_is_several_words(void)
{
    struct meet_link l;
    const char *wrong = "";

    CHECK(first("664110", NULL, NULL) == 1 && first("664", "110", NULL) == 2);
    CHECK(first("664", "110", "204") == 3 && first("664", "110", "lock") == 2);
    CHECK(first("664110", "204", NULL) == 1 && first("664", "1104", NULL) == 1);
    CHECK(first("664", "x", NULL) == 1 && first("https://h/j/664", "110", NULL) == 1);
    CHECK(meet_link_parse("12345", &l, &wrong) < 0 && strstr(wrong, "six to nine digits"));
}

static void a_link_comes_back(void)
{
    struct buf b = { 0 };

    meet_link_put(&b, "[::1]:5000", "204816", "abc2");
    CHECK(!strcmp(buf_str(&b), "https://[::1]:5000/j/204816#abc2"));
    CHECK(link_is(buf_str(&b), "[::1]:5000", "204816", "abc2"));
    buf_fini(&b);
}

/* --- what is typed ------------------------------------------------------------------ */

static const struct roost_attendee in[] = { { .name = "Ann" },
                                            { .name = "Ann 2" },
                                            { .name = "Bea" } };
static const struct roost_attendee waiting[] = { { .name = "Carl von Linden" } };

static struct roost_ticket there(enum roost_meet_role role)
{
    return (struct roost_ticket){ .you = { .role = role },
                                  .attendees = in,
                                  .n_attendees = 3,
                                  .waiting = waiting,
                                  .n_waiting = 1 };
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool acts_as(enum roost_meet_role role, const char *line, enum roost_meet_action action,
                    const char *user, const char *text)
{
    struct roost_ticket t = there(role);
    struct meet_cmd c;
    struct arena a;

    arena_init(&a, 0);
    bool is = meet_slash_parse(&a, line, &t, &c) == 0 && c.what == MEET_DO_ACT &&
              c.action == action && same(c.user, user) && same(c.text, text);
    arena_fini(&a);
    return is;
}

static bool acts(const char *line, enum roost_meet_action action, const char *user,
                 const char *text)
{
    return acts_as(ROOST_HOST, line, action, user, text);
}

static enum meet_do does(const char *line, const char *user, const char *text)
{
    struct roost_ticket t = there(ROOST_HOST);
    struct meet_cmd c;
    struct arena a;

    arena_init(&a, 0);
    int err = meet_slash_parse(&a, line, &t, &c);
    bool fits = !err && same(c.user, user) && same(c.text, text);
    bool advised = c.what != MEET_DO_WRONG || (c.wrong && c.advice);
    arena_fini(&a);
    return fits && advised ? c.what : MEET_DO_NOTHING;
}

static void for_oneself(void)
{
    CHECK(acts("/hand", ROOST_ACT_HAND_UP, NULL, NULL));
    CHECK(acts("/hand down", ROOST_ACT_HAND_DOWN, NULL, NULL));
    CHECK(acts("/hand-up", ROOST_ACT_HAND_UP, NULL, NULL));
    CHECK(acts("/mute", ROOST_ACT_SELF_MUTE, NULL, NULL));
    CHECK(acts("/unmute", ROOST_ACT_SELF_UNMUTE, NULL, NULL));
    CHECK(acts("/video on", ROOST_ACT_VIDEO_ON, NULL, NULL));
    CHECK(acts("/video off ", ROOST_ACT_VIDEO_OFF, NULL, NULL));
    CHECK(does("/video", NULL, NULL) == MEET_DO_WRONG);
    CHECK(acts("/away", ROOST_ACT_GO_AWAY, NULL, NULL));
    CHECK(acts("/leave", ROOST_ACT_LEAVE, NULL, NULL));
    CHECK(acts("/leave Ann 2", ROOST_ACT_LEAVE, "Ann 2", NULL));
    CHECK(acts("/record off", ROOST_ACT_STOP_RECORD, NULL, NULL));
    CHECK(does("/who", NULL, NULL) == MEET_DO_WHO && does("/help", NULL, NULL) == MEET_DO_HELP);
    CHECK(does("/react 👍", NULL, "👍") == MEET_DO_REACT);
}

static void for_hosts(void)
{
    CHECK(acts("/admit Carl von Linden", ROOST_ACT_ADMIT, "Carl von Linden", NULL));
    CHECK(acts("/admit \"Carl von Linden\"", ROOST_ACT_ADMIT, "Carl von Linden", NULL));
    CHECK(acts("/mute Ann 2 ", ROOST_ACT_MUTE, "Ann 2", NULL));
    CHECK(acts("/mute @Bea", ROOST_ACT_MUTE, "Bea", NULL));
    CHECK(acts("/unban Somebody Gone", ROOST_ACT_UNBAN, "Somebody Gone", NULL));
    CHECK(acts("/title A new title", ROOST_ACT_TITLE, NULL, "A new title"));
    CHECK(acts("/message We begin soon", ROOST_ACT_MESSAGE, NULL, "We begin soon"));
    CHECK(acts("/message #12 a minute", ROOST_ACT_MESSAGE, "#12", "a minute"));
    CHECK(acts("/message # 12 to go", ROOST_ACT_MESSAGE, NULL, "# 12 to go"));
    CHECK(acts("/message Carl von Linden a minute", ROOST_ACT_MESSAGE, "Carl von Linden",
               "a minute"));
    CHECK(acts("/lock", ROOST_ACT_LOCK, NULL, NULL));
    CHECK(does("/lock now", NULL, NULL) == MEET_DO_WRONG);
    CHECK(does("/admit", NULL, NULL) == MEET_DO_WRONG);
    CHECK(does("/title  ", NULL, NULL) == MEET_DO_WRONG);
}

static void names_with_spaces(void)
{
    CHECK(does("/note Ann 2 hello you", "Ann 2", "hello you") == MEET_DO_NOTE);
    CHECK(does("/note Ann hello you", "Ann", "hello you") == MEET_DO_NOTE);
    CHECK(does("/note \"Ann\" 2 o'clock?", "Ann", "2 o'clock?") == MEET_DO_NOTE);
    CHECK(does("/note Nobody hello", "Nobody", "hello") == MEET_DO_NOTE);
    CHECK(does("/note Ann 2", "Ann 2", NULL) == MEET_DO_WRONG);

    CHECK(acts("/rename Ann 2 Anna", ROOST_ACT_RENAME, "Ann 2", "Anna"));
    CHECK(acts("/rename Anna Lee", ROOST_ACT_RENAME, NULL, "Anna Lee"));
    CHECK(acts("/rename #5 Anna Lee", ROOST_ACT_RENAME, "#5", "Anna Lee"));
    CHECK(acts("/rename @#5 Anna", ROOST_ACT_RENAME, "#5", "Anna"));
    CHECK(acts("/rename #5a Anna", ROOST_ACT_RENAME, NULL, "#5a Anna"));
    CHECK(acts("/rename \"Ann Lee\"", ROOST_ACT_RENAME, NULL, "Ann Lee"));
    CHECK(acts_as(ROOST_PARTICIPANT, "/rename Ann Lee", ROOST_ACT_RENAME, NULL, "Ann Lee"));
}

static void words_are_said(void)
{
    CHECK(does("hello", NULL, "hello") == MEET_DO_SAY);
    CHECK(does("//hello", NULL, "/hello") == MEET_DO_SAY);
    CHECK(does("/say hello you", NULL, "hello you") == MEET_DO_SAY);
    CHECK(does("/", NULL, NULL) == MEET_DO_WRONG && does("/nonsense", NULL, NULL) == MEET_DO_WRONG);
}

static bool json_acts(const char *line, enum meet_do what, enum roost_meet_action action,
                      const char *user, const char *text, const char *id)
{
    struct roost_ticket t = there(ROOST_HOST);
    struct meet_cmd c;
    struct arena a;

    arena_init(&a, 0);
    bool is = meet_slash_json(&a, line, &t, &c) == 0 && c.what == what && c.action == action &&
              same(c.user, user) && same(c.text, text) && same(c.id, id);
    arena_fini(&a);
    return is;
}

static void programs_write_objects(void)
{
    CHECK(json_acts("{\"cmd\": \"admit\", \"user\": \"Ann 2\", \"id\": 7}", MEET_DO_ACT,
                    ROOST_ACT_ADMIT, "Ann 2", NULL, "7"));
    CHECK(json_acts("{\"id\":\"x\",\"cmd\":\"/mute Ann 2\"}", MEET_DO_ACT, ROOST_ACT_MUTE, "Ann 2",
                    NULL, "x"));
    CHECK(json_acts("{\"cmd\":\"mute\"}", MEET_DO_ACT, ROOST_ACT_SELF_MUTE, NULL, NULL, NULL));
    CHECK(json_acts("{\"cmd\":\"mute\",\"user\":\"Bea\"}", MEET_DO_ACT, ROOST_ACT_MUTE, "Bea", NULL,
                    NULL));
    CHECK(json_acts("{\"cmd\":\"say\",\"text\":\"/not a command\"}", MEET_DO_SAY, ROOST_ACT_NOTHING,
                    NULL, "/not a command", NULL));
    CHECK(json_acts("{\"cmd\":\"rename\",\"text\":\"Anna\"}", MEET_DO_ACT, ROOST_ACT_RENAME, NULL,
                    "Anna", NULL));
    CHECK(json_acts("{\"cmd\":\"note\",\"text\":\"x\",\"id\":1}", MEET_DO_WRONG, ROOST_ACT_NOTHING,
                    NULL, "x", "1"));
    CHECK(json_acts("{\"cmd\":\"nonsense\",\"id\":1}", MEET_DO_WRONG, ROOST_ACT_NOTHING, NULL, NULL,
                    "1"));
    CHECK(json_acts("{\"cmd\":", MEET_DO_WRONG, ROOST_ACT_NOTHING, NULL, NULL, NULL));
}

/* What is missing, or of another kind, is never taken for something else. */
static const char *wrong_in(const char *line)
{
    struct roost_ticket t = there(ROOST_HOST);
    struct meet_cmd c;
    struct arena a;

    arena_init(&a, 0);
    bool is = meet_slash_json(&a, line, &t, &c) == 0 && c.what == MEET_DO_WRONG;
    arena_fini(&a);
    return is ? c.wrong : "";
}

static void a_null_is_no_name(void)
{
    CHECK(same(wrong_in("{\"cmd\":\"mute\",\"user\":null}"), "\"user\" is not a string"));
    CHECK(same(wrong_in("{\"cmd\":\"mute\",\"user\":true}"), "\"user\" is not a string"));
    CHECK(same(wrong_in("{\"cmd\":\"mute\",\"user\":\"\"}"), "\"user\" is empty"));
    CHECK(same(wrong_in("{\"cmd\":\"leave\",\"user\":null}"), "\"user\" is not a string"));
    CHECK(same(wrong_in("{\"cmd\":\"say\",\"text\":null}"), "\"text\" is not a string"));
    CHECK(same(wrong_in("{\"cmd\":\"react\",\"emoji\":false}"), "\"emoji\" is not a string"));
    CHECK(same(wrong_in("{\"cmd\":\"say\",\"text\":\"\"}"), "\"text\" is missing"));
    CHECK(strstr(wrong_in("{\"cmd\":\"mute-all\",\"user\":\"Bea\"}"), "no \"user\""));
    CHECK(strstr(wrong_in("{\"cmd\":\"hand-up\",\"text\":\"I SHOUT\"}"), "no \"text\""));
    CHECK(strstr(wrong_in("{\"cmd\":\"mute\",\"text\":\"x\"}"), "no \"text\""));
    CHECK(*wrong_in("{\"cmd\":\"away\",\"user\":\"Bea\"}"));
    CHECK(json_acts("{\"cmd\":\"leave\",\"user\":\"Bea\"}", MEET_DO_ACT, ROOST_ACT_LEAVE, "Bea",
                    NULL, NULL));
    CHECK(json_acts("{\"cmd\":\"say\",\"text\":42}", MEET_DO_SAY, ROOST_ACT_NOTHING, NULL, "42",
                    NULL));
    CHECK(json_acts("{\"cmd\":\"message\",\"user\":\"Ann\",\"text\":\"x\"}", MEET_DO_ACT,
                    ROOST_ACT_MESSAGE, "Ann", "x", NULL));
    CHECK(json_acts("{\"cmd\":\"who\",\"id\":null}", MEET_DO_WHO, ROOST_ACT_NOTHING, NULL, NULL,
                    "null"));
}

static void objects_are_read_with_care(void)
{
    static const char *const bad[] = { "{",
                                       "{}x",
                                       "[1]",
                                       "{\"a\":{}}",
                                       "{\"a\":[1]}",
                                       "{\"a\":nul}",
                                       "{\"a\":\"\\u0000\"}",
                                       "{\"a\":\"\\ud800\"}",
                                       "{\"a\" 1}",
                                       "{\"a\":\"\\x\"}",
                                       "{\"a\":\"b}",
                                       "{\"a\":\"\xff\"}",
                                       "{1:2}" };
    struct json_in j;
    struct arena a;
    const char *wrong;

    arena_init(&a, 0);
    CHECK(json_in_parse(&a, "{ \"a\" : \"x\\n\\u00e9\\ud83d\\ude00\" , \"b\":-1.5e3,\"c\":null }",
                        &j, &wrong) == 0);
    CHECK(j.n == 3 && same(json_in_text(&j, "a"), "x\né😀") &&
          same(json_in_text(&j, "b"), "-1.5e3"));
    CHECK(!json_in_text(&j, "c") && !json_in_get(&j, "d"));
    CHECK(json_in_parse(&a, "{}", &j, &wrong) == 0 && !j.n);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(json_in_parse(&a, bad[i], &j, &wrong) == -ROOST_INVALID && wrong);
    arena_fini(&a);
}

/* --- why not --------------------------------------------------------------------------- */

static char said[512];

/* What is told of a refusal to somebody of this role, in a meeting as it stands. */
static const char *told(int code, enum roost_meet_role role, struct meet_tried t,
                        struct roost_meeting meeting)
{
    struct buf text = { 0 }, advice = { 0 };
    struct roost_ticket now = there(role);

    now.meeting = meeting;
    t.there = &now;
    said[0] = 0;
    if (meet_explain(code, &t, &text, &advice))
        snprintf(said, sizeof said, "%s; %s", buf_str(&text), buf_str(&advice));
    buf_fini(&text);
    buf_fini(&advice);
    return said;
}

static bool act_told(int code, enum roost_meet_role role, enum roost_meet_action action,
                     const char *user, const char *wanted)
{
    static const struct roost_meeting strict = {
        .mics_locked = true, .no_share = true, .no_rename = true, .no_notes = true
    };
    struct meet_tried t = { .what = MEET_DO_ACT, .action = action, .user = user };

    return strstr(told(code, role, t, strict), wanted) != NULL;
}

static void who_is_not_there_is_told_by_name(void)
{
    const int code = ROOST_NOT_IN_MEETING;

    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_LEAVE, "dorra", "“dorra” is in the meeting"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_LEAVE, "dorra", "you have not left"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_MUTE, "dorra", "nobody called “dorra”"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_MUTE, "carl von linden", "still waits"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_ADMIT, "bea", "“bea” is in the meeting already"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_ADMIT, "dorra", "waits in the lobby"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_ADMIT_ALL, NULL, "nobody waits in the lobby"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_MESSAGE, NULL, "nobody waits in the lobby"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_UNBAN, "dorra", "is banned"));
    CHECK(act_told(code, ROOST_HOST, ROOST_ACT_LOCK, NULL, "you are not in the meeting"));
}

static void what_is_locked_is_said(void)
{
    const int no = ROOST_NOT_ALLOWED;

    CHECK(act_told(no, ROOST_PARTICIPANT, ROOST_ACT_SELF_UNMUTE, NULL, "locked the microphones"));
    CHECK(act_told(no, ROOST_VIEWER, ROOST_ACT_SELF_UNMUTE, NULL, "you are a viewer"));
    CHECK(act_told(no, ROOST_PARTICIPANT, ROOST_ACT_START_SHARE, NULL, "turned off presenting"));
    CHECK(act_told(no, ROOST_PARTICIPANT, ROOST_ACT_RENAME, NULL, "turned off renaming"));
    CHECK(act_told(no, ROOST_VIEWER, ROOST_ACT_RENAME, NULL, "turned off renaming"));
    CHECK(act_told(no, ROOST_PARTICIPANT, ROOST_ACT_START_RECORD, NULL, "ask the host"));
    CHECK(act_told(no, ROOST_PARTICIPANT, ROOST_ACT_TAKE_BACK, NULL, "no place of yours"));
    CHECK(act_told(no, ROOST_PARTICIPANT, ROOST_ACT_MUTE, "Bea", "only a host or co-host"));
    CHECK(act_told(no, ROOST_COHOST, ROOST_ACT_MUTE, "Bea", "a co-host cannot do this to a host"));
    CHECK(act_told(no, ROOST_COHOST, ROOST_ACT_END, NULL, "only the host can"));
    CHECK(act_told(ROOST_SUCCESSOR, ROOST_COHOST, ROOST_ACT_BAN, "Ann", "cannot be banned"));
    CHECK(!act_told(ROOST_SUCCESSOR, ROOST_HOST, ROOST_ACT_BAN, "Ann", "cannot be banned"));
    CHECK(act_told(ROOST_TOO_LONG, ROOST_HOST, ROOST_ACT_TITLE, NULL, "200 bytes"));
    CHECK(act_told(ROOST_TOO_LONG, ROOST_HOST, ROOST_ACT_MESSAGE, NULL, "1,000 bytes"));
    CHECK(act_told(ROOST_NAME_BAD, ROOST_HOST, ROOST_ACT_RENAME, NULL, "single spaces"));
    /* where the sentence that all have is as good */
    CHECK(!*told(ROOST_TOO_FAST, ROOST_HOST, (struct meet_tried){ .what = MEET_DO_SAY },
                 (struct roost_meeting){ 0 }));
}

static void who_may_not_talk_is_told_why(void)
{
    const struct meet_tried say = { .what = MEET_DO_SAY }, note = { .what = MEET_DO_NOTE };
    const struct meet_tried waits = { .what = MEET_DO_SAY, .waits = true };
    const struct roost_meeting open = { .no_chat = true }, strict = { .no_notes = true };

    CHECK(
        strstr(told(ROOST_MODERATED, ROOST_PARTICIPANT, say, open), "turned the chat off; /note"));
    CHECK(strstr(told(ROOST_MODERATED, ROOST_PARTICIPANT, say, strict), "/note HOST"));
    CHECK(
        strstr(told(ROOST_MODERATED, ROOST_PARTICIPANT, note, strict), "turned off private notes"));
    CHECK(
        strstr(told(ROOST_NO_SUCH_ROOM, ROOST_PARTICIPANT, waits, open), "you wait in the lobby"));
    CHECK(strstr(told(ROOST_NOT_IN_MEETING, ROOST_PARTICIPANT, waits, open), "/leave gives up"));
}

static void from_outside_one_may_not_be_in_oneself(void)
{
    struct meet_tried t = { .what = MEET_DO_WHO };
    struct buf text = { 0 }, advice = { 0 };

    CHECK(meet_explain(ROOST_NOT_IN_MEETING, &t, &text, &advice));
    CHECK(strstr(buf_str(&text), "wait in its lobby") && strstr(buf_str(&advice), "meet join"));
    buf_clear(&text);
    t = (struct meet_tried){ .what = MEET_DO_ACT, .action = ROOST_ACT_MUTE, .user = "Bea" };
    CHECK(meet_explain(ROOST_NOT_IN_MEETING, &t, &text, &advice));
    CHECK(strstr(buf_str(&text), "“Bea”"));
    CHECK(!meet_explain(ROOST_NOT_ALLOWED, &t, &text, &advice));
    buf_fini(&text);
    buf_fini(&advice);
}

/* --- what happened ------------------------------------------------------------------- */

static bool says(struct roost_message m, uint64_t me, const char *wanted)
{
    struct buf b = { 0 };

    m.what = ROOST_MET;
    m.text = m.text ? m.text : "";
    m.sender_name = m.sender_name ? m.sender_name : "";
    meet_say(&b, &m, NULL, me);
    bool is = !strcmp(buf_str(&b), wanted);
    buf_fini(&b);
    return is;
}

static void told_in_words(void)
{
    struct roost_attendee ann = { .account = 1, .name = "Ann" },
                          bea = { .account = 2, .name = "Bea" };
    struct roost_attendee both[] = { ann, bea };
    struct roost_message m = { .sender = 1, .sender_name = "ann" };

    m.met = (struct roost_met){ .action = ROOST_ACT_MUTE, .attendees = &bea, .n_attendees = 1 };
    CHECK(says(m, 0, "ann muted Bea") && says(m, 2, "ann muted you") &&
          says(m, 1, "you muted Bea"));
    m.met = (struct roost_met){ .action = ROOST_ACT_HAND_UP, .attendees = &ann, .n_attendees = 1 };
    CHECK(says(m, 2, "Ann raised the hand"));
    m.met =
        (struct roost_met){ .action = ROOST_ACT_ADMIT_ALL, .attendees = both, .n_attendees = 2 };
    CHECK(says(m, 0, "Ann let everybody in"));
    both[0].state = ROOST_IS_OUT;
    both[1].state = ROOST_IS_IN;
    both[1].role = ROOST_HOST;
    m.met = (struct roost_met){ .action = ROOST_ACT_LEAVE, .attendees = both, .n_attendees = 2 };
    CHECK(says(m, 2, "Ann left; host now: you"));
    m.met.action = ROOST_ACT_LOST;
    m.sender = 0;
    CHECK(says(m, 1, "you did not come back; host now: Bea"));
    bea.guest = true;
    m.sender = 1;
    m.met = (struct roost_met){ .action = ROOST_ACT_MUTE, .attendees = &bea, .n_attendees = 1 };
    CHECK(says(m, 0, "ann muted Bea (guest)"));
    struct roost_attendee *gus = &ann;
    *gus = (struct roost_attendee){ .account = 3, .name = "Gustav", .guest = true };
    m = (struct roost_message){ .sender = 3, .sender_name = "Gus" };
    m.met = (struct roost_met){ ROOST_ACT_RENAME, "Gus", NULL, gus, 1 };
    CHECK(says(m, 0, "Gus is called Gustav (guest) now"));
    CHECK(says(m, 3, "you are called Gustav (guest) now"));
    m.sender = 1;
    m.sender_name = "Ann";
    CHECK(says(m, 0, "Ann gave Gus a new name: Gustav (guest)"));
    CHECK(says(m, 3, "Ann gave you a new name: Gustav (guest)"));
    m.met = (struct roost_met){ .action = (enum roost_meet_action)999 };
    CHECK(says(m, 0, "something that only a newer roost understands"));
    for (size_t i = 0; meet_word_at(i); i++) /* every word finds itself */
        CHECK(meet_word_find(meet_word_at(i)->name) == meet_word_at(i) &&
              !strcmp(meet_word_of(meet_word_at(i)->action), meet_word_at(i)->name));
}

/* --- calendars ------------------------------------------------------------------------ */

static bool every_line_fits(const char *s)
{
    for (const char *end; *s; s = end + 2) {
        end = strstr(s, "\r\n");
        if (!end || end - s > 75 || memchr(s, '\n', (size_t)(end - s)) ||
            ((unsigned char)*s & 0xc0) == 0x80) /* never cut within a character */
            return false;
        if (*s == ' ' && ((unsigned char)s[1] & 0xc0) == 0x80)
            return false;
    }
    return true;
}

static void an_entry_for_calendars(void)
{
    struct buf b = { 0 };

    ics_put(&b,
            &(struct ics){ .uid = "meeting-3@hall",
                           .title = "Maths; \"hard\", part\\2 — ééééééééééééééééééééééééééééééééé",
                           .description = "Link: https://hall:5000/j/204816#abc\nCode 204 816",
                           .link = "https://hall:5000/j/204816#abc",
                           .now_ms = INT64_C(1767225600000),
                           .starts_ms = INT64_C(1772373600000),
                           .length_ms = 3600000 });
    const char *s = buf_str(&b);
    CHECK(every_line_fits(s));
    CHECK(!strncmp(s, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:", 37));
    CHECK(strstr(
        s, "DTSTAMP:20260101T000000Z\r\nDTSTART:20260301T140000Z\r\nDTEND:20260301T150000Z\r\n"));
    CHECK(strstr(s, "SUMMARY:Maths\\; \"hard\"\\, part\\\\2 — "));
    CHECK(strstr(s, "#abc\\nCode 204 816\r\n") && strstr(s, "\r\n "));
    CHECK(strstr(s, "UID:meeting-3@hall\r\n") && strstr(s, "END:VEVENT\r\nEND:VCALENDAR\r\n"));
    buf_fini(&b);
}

TEST_MAIN({ "links_and_codes", links_and_codes }, { "what_is_no_link", what_is_no_link },
          { "a_code_as_it_is_printed_is_several_words", a_code_as_it_is_printed_is_several_words },
          { "a_link_comes_back", a_link_comes_back }, { "for_oneself", for_oneself },
          { "for_hosts", for_hosts }, { "names_with_spaces", names_with_spaces },
          { "words_are_said", words_are_said },
          { "programs_write_objects", programs_write_objects },
          { "a_null_is_no_name", a_null_is_no_name },
          { "objects_are_read_with_care", objects_are_read_with_care },
          { "who_is_not_there_is_told_by_name", who_is_not_there_is_told_by_name },
          { "what_is_locked_is_said", what_is_locked_is_said },
          { "who_may_not_talk_is_told_why", who_may_not_talk_is_told_why },
          { "from_outside_one_may_not_be_in_oneself", from_outside_one_may_not_be_in_oneself },
          { "told_in_words", told_in_words }, { "an_entry_for_calendars", an_entry_for_calendars })
