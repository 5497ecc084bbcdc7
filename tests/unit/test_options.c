#include "cli/options.h"
#include "test.h"

#include <stdint.h>
#include <string.h>

static const struct cli_option say_options[] = { { "everyone", 'e', NULL, "" },
                                                 { "reply", 'r', "ID", "" },
                                                 { NULL } };
static const struct cli_command table[] = {
    { "say", "Talk", "TARGET TEXT…", 0, -1, 1, .options = say_options },
    { "sessions", "Account", "", 0, 0, -1 },
    { "sessions end", "Account", "ID", 1, 1, -1 },
    { "room join", "Rooms", "NAME", 1, 1, -1 },
    { "admin user new", "Admin", "NAME", 1, 1, -1 },
};

struct parsed {
    struct cli_args a;
    const char *words[16];
    struct buf wrong, advice;
    int err;
};

static void parse(struct parsed *p, const char *line)
{
    static char copy[256];
    const char *argv[16];
    int argc = 0;
    char *rest = copy, *word;

    strcpy(copy, line);
    *p = (struct parsed){ 0 };
    while ((word = cli_word(&rest)))
        argv[argc++] = word;
    p->err = cli_parse(table, sizeof table / sizeof *table, argc, argv, &p->a, p->words, &p->wrong,
                       &p->advice);
}

static void done(struct parsed *p)
{
    buf_fini(&p->wrong);
    buf_fini(&p->advice);
}

static void globals_stand_anywhere(void)
{
    struct parsed p;

    parse(&p, "-s hall:5001 say --json #maths hello --user=anna there");
    CHECK(!p.err && !strcmp(p.a.command->name, "say") && p.a.json);
    CHECK(!strcmp(p.a.server, "hall:5001") && !strcmp(p.a.user, "anna"));
    CHECK(p.a.n_words == 3 && !strcmp(p.a.words[0], "#maths") && !strcmp(p.a.words[2], "there"));
    parse(&p, "-shall say x");
    CHECK(!p.err && !strcmp(p.a.server, "hall"));
}

static void a_command_has_its_own(void)
{
    struct parsed p;

    parse(&p, "say --reply 1:2 -e hello");
    CHECK(!p.err && !strcmp(args_value(&p.a, "reply"), "1:2") && args_has(&p.a, "everyone"));
    CHECK(p.a.n_words == 1);
    parse(&p, "say hello");
    CHECK(!args_has(&p.a, "everyone") && !args_value(&p.a, "reply"));
}

static void two_dashes_end_them(void)
{
    struct parsed p;

    parse(&p, "say -- #maths -s --json");
    CHECK(!p.err && !p.a.json && p.a.n_words == 3);
    parse(&p, "say -7 - 3");
    CHECK(!p.err && p.a.n_words == 3 && !strcmp(p.a.words[0], "-7"));
}

static void names_have_up_to_three_words(void)
{
    struct parsed p;

    parse(&p, "sessions");
    CHECK(!p.err && !strcmp(p.a.command->name, "sessions"));
    parse(&p, "sessions --json end 5");
    CHECK(!p.err && !strcmp(p.a.command->name, "sessions end") && p.a.n_words == 1);
    parse(&p, "admin user new carl");
    CHECK(!p.err && !strcmp(p.a.command->name, "admin user new"));
    parse(&p, "room --help");
    CHECK(!p.err && !p.a.command && !strcmp(p.a.family, "room"));
    parse(&p, "room join --help");
    CHECK(!p.err && p.a.command && p.a.help);
}

static bool is_refused(const char *line, const char *wrong, const char *advice)
{
    struct parsed p;
    parse(&p, line);
    bool ok = p.err < 0 && strstr(buf_str(&p.wrong), wrong) && strstr(buf_str(&p.advice), advice);
    done(&p);
    return ok;
}

static void what_is_wrong_is_said(void)
{
    CHECK(is_refused("", "what is to be done", "roost --help"));
    CHECK(is_refused("sya hello", "\"sya\"", "did you mean \"say\""));
    CHECK(is_refused("room", "beginning of a command", "join"));
    CHECK(is_refused("room jion x", "\"room jion\"", "room join"));
    CHECK(is_refused("room join", "missing", "roost room join NAME"));
    CHECK(is_refused("room join a b", "too much", "roost room join NAME"));
    CHECK(is_refused("sessions end --wat 5", "--wat", "--help"));
    CHECK(is_refused("say --reply", "value is missing", ""));
    CHECK(is_refused("say --everyone=1", "takes no value", ""));
    CHECK(is_refused("say -s", "value is missing", ""));
}

static void json_is_known_even_then(void)
{
    struct parsed p;
    parse(&p, "--json nonsense");
    CHECK(p.err < 0 && p.a.json);
    done(&p);
}

static void words_and_numbers(void)
{
    char line[] = "  one \"two three\" four";
    char *p = line;
    unsigned long long n = 0;

    CHECK(!strcmp(cli_word(&p), "one") && !strcmp(cli_word(&p), "two three") &&
          !strcmp(cli_word(&p), "four") && !cli_word(&p));
    CHECK(args_number("20", 1, 100, &n) && n == 20);
    CHECK(!args_number("0", 1, 100, &n) && !args_number("101", 1, 100, &n));
    CHECK(!args_number("1x", 1, 100, &n) && !args_number("", 0, 100, &n));
    CHECK(!args_number("99999999999999999999", 0, UINT64_MAX, &n) && n == 20);
}

TEST_MAIN({ "globals_stand_anywhere", globals_stand_anywhere },
          { "a_command_has_its_own", a_command_has_its_own },
          { "two_dashes_end_them", two_dashes_end_them },
          { "names_have_up_to_three_words", names_have_up_to_three_words },
          { "what_is_wrong_is_said", what_is_wrong_is_said },
          { "json_is_known_even_then", json_is_known_even_then },
          { "words_and_numbers", words_and_numbers })
