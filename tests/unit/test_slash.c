#include "cli/chat_slash.h"
#include "test.h"

#include <string.h>

static const struct cli_option say_options[] = { { "everyone", 'e', NULL, "" },
                                                 { "reply", 'r', "ID", "" },
                                                 { NULL } };
static const struct cli_option send_options[] = {
    { "limit", 'l', "RATE", "" }, { "text", 't', "TEXT", "" }, { "code", 'c', NULL, "" }, { NULL }
};
static const struct cli_command table[] = {
    { "say", "Talk", "TARGET TEXT…", 0, -1, 1, .options = say_options },
    { "room join", "Rooms", "NAME", 1, 1, -1 },
    { "room topic", "Rooms", "NAME TEXT…", 1, -1, 1 },
    { "calc", "Tools", "EXPR…", 1, -1, 0 },
    { "send", "Files", "FILE… TARGET", 0, -1, -1, .options = send_options },
    { "who", "People", "", 0, 0, -1 },
};

static struct arena arena;
static struct slash s;

static int parse(const char *line, const char *target, bool classic)
{
    struct slash_place place = { table, sizeof table / sizeof *table, target, "room-1", classic };
    arena_fini(&arena);
    arena_init(&arena, 0);
    return slash_parse(&arena, &place, line, &s);
}

/* The line means these words, parted by bars. */
static bool means(const char *line, const char *want)
{
    char all[256] = "";

    if (parse(line, "#maths", true) || s.kind != SLASH_COMMAND)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        strcat(all, i ? "|" : "");
        strcat(all, s.argv[i]);
    }
    return !strcmp(all, want);
}

static void words_are_said(void)
{
    CHECK(!parse("hello there", "#maths", false) && s.kind == SLASH_SAY);
    CHECK(!strcmp(s.text, "hello there"));
    CHECK(!parse("//etc/passwd", "#maths", false) && s.kind == SLASH_SAY);
    CHECK(!strcmp(s.text, "/etc/passwd"));
    CHECK(!parse("  ", "#maths", false) && s.kind == SLASH_NOTHING);
}

static void rows_of_the_table_work(void)
{
    CHECK(means("/who", "who"));
    CHECK(means("/say #physics don't \"quote\" -s me", "say|#physics|--|don't \"quote\" -s me"));
    CHECK(means("/say --reply 1:2 #physics yes  two", "say|--reply|1:2|#physics|--|yes  two"));
    CHECK(means("/say --everyone", "say|--everyone"));
    CHECK(means("/room topic maths exercise 4", "room|topic|maths|--|exercise 4"));
    CHECK(means("/calc -7 / 2", "calc|--|-7 / 2"));
    CHECK(means("/room join \"my room\"", "room|join|my room"));
}

static void short_forms_fill_in_where_one_is(void)
{
    CHECK(means("/topic exercise 4", "room|topic|#maths|--|exercise 4"));
    CHECK(means("/kick bob", "room|remove|#maths|@bob"));
    CHECK(means("/leave", "room|leave|#maths"));
    CHECK(means("/leave physics", "room|leave|physics"));
    CHECK(means("/msg bob hi there", "say|@bob|--|hi there"));
    CHECK(means("/send notes.pdf", "send|notes.pdf|#maths"));
    CHECK(means("/send \"my notes.pdf\" b.pdf @bob", "send|my notes.pdf|b.pdf|@bob"));
    CHECK(means("/send film.mkv --limit 20M", "send|film.mkv|--limit|20M|#maths"));
    CHECK(means("/send -l 20M film.mkv @bob", "send|-l|20M|film.mkv|@bob"));
    CHECK(means("/send --text \"the code\"", "send|--text|the code|#maths"));
    CHECK(means("/send --code notes.pdf", "send|--code|notes.pdf"));
    CHECK(!parse("/send --limit 20M", "#maths", false) && s.kind == SLASH_WRONG);
    CHECK(!parse("/send", "#maths", false) && s.kind == SLASH_WRONG);
    CHECK(!parse("/send notes.pdf", "", false) && s.kind == SLASH_WRONG);
    CHECK(means("/files", "files|#maths"));
    CHECK(means("/files @bob", "files|@bob"));
    CHECK(means("/me waves", "say|--me|#maths|--|waves"));
    CHECK(!parse("/topic x", "", false) && s.kind == SLASH_WRONG);
    CHECK(!parse("/me", "#maths", false) && s.kind == SLASH_WRONG);
}

static void the_classic_ones_are_known(void)
{
    CHECK(means("/BCM the door is open", "say|--everyone|--|the door is open"));
    CHECK(means("BCM the door is open", "say|--everyone|--|the door is open"));
    CHECK(means("/atu", "who"));
    CHECK(means("SRB a b c", "room|new|--private|room-1|a|b|c"));
    CHECK(means("SRM 17 hello you", "say|17|--|hello you"));
    CHECK(means("RDM b yesterday 14:00", "read|--everyone|--since|yesterday 14:00"));
    CHECK(means("RDM s 2h", "read|--rooms|--since|2h"));
    CHECK(!parse("OUT", "", true) && s.kind == SLASH_OUT);
    CHECK(means("UPD bea my notes.pdf", "send|--|my notes.pdf|@bea"));
    CHECK(!parse("/UPD x", "", true) && s.kind == SLASH_WRONG);
    CHECK(!parse("RDM x 2h", "", true) && s.kind == SLASH_WRONG);

    /* words that only look like them are said */
    CHECK(!parse("OUT of time", "#maths", true) && s.kind == SLASH_SAY);
    CHECK(!parse("out", "#maths", true) && s.kind == SLASH_SAY);
    CHECK(!parse("OUT", "#maths", false) && s.kind == SLASH_SAY);
    CHECK(!parse("BCMs", "#maths", true) && s.kind == SLASH_SAY);
}

static void the_chat_has_some_of_its_own(void)
{
    CHECK(!parse("/go @bob", "", false) && s.kind == SLASH_GO && !strcmp(s.text, "@bob"));
    CHECK(!parse("/go", "", false) && s.kind == SLASH_WRONG);
    CHECK(!parse("/quit", "", false) && s.kind == SLASH_QUIT);
    CHECK(!parse("/help room join", "", false) && s.kind == SLASH_HELP &&
          !strcmp(s.text, "room join"));
    CHECK(!parse("/", "", false) && s.kind == SLASH_WRONG);
}

static void too_many_words_are_refused(void)
{
    char line[1024] = "/who";
    for (int i = 0; i < 200; i++)
        strcat(line, " x");
    CHECK(!parse(line, "", false) && s.kind == SLASH_WRONG);
    arena_fini(&arena);
}

TEST_MAIN({ "words_are_said", words_are_said },
          { "rows_of_the_table_work", rows_of_the_table_work },
          { "short_forms_fill_in_where_one_is", short_forms_fill_in_where_one_is },
          { "the_classic_ones_are_known", the_classic_ones_are_known },
          { "the_chat_has_some_of_its_own", the_chat_has_some_of_its_own },
          { "too_many_words_are_refused", too_many_words_are_refused })
