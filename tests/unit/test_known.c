/* What a home keeps about people: identities, and whose files are taken unasked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "client/people.h"
#include "test.h"

static char dir[] = "/tmp/roost-known-XXXXXX";
static struct home home;

static void clean_files(void)
{
    char path[sizeof dir + 20];
    static const char *const files[] = { "people", "accepts", "lock" };

    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
}

static void clean(void)
{
    clean_files();
    rmdir(dir);
}

static bool begin(const char *server)
{
    static bool made;

    if (!made && (!mkdtemp(dir) || atexit(clean)))
        return false;
    made = true;
    clean_files();
    if (home_open(&home, dir))
        return false;
    snprintf(home.server, sizeof home.server, "%s", server);
    return true;
}

static void id_of(uint8_t ret[static PEOPLE_IDENTITY], uint8_t n)
{
    memset(ret, n, PEOPLE_IDENTITY);
}

static void the_first_one_is_noted(void)
{
    uint8_t a[PEOPLE_IDENTITY], b[PEOPLE_IDENTITY], all[PEOPLE_DEVICES_MAX * PEOPLE_IDENTITY];
    char print[PEOPLE_PRINT];

    if (!begin("one:5000"))
        return;
    id_of(a, 0xab);
    id_of(b, 7);
    people_print(b, print);
    CHECK(strlen(print) == PEOPLE_PRINT - 1 && !strncmp(print, "07:07:", 6));
    int err = people_met(&home, "Bea", a);
    if (err == -ROOST_NOMEM || err == -ROOST_IO) /* an allocation failed */
        return;
    CHECK(err == 0 && people_met(&home, "bea", a) == 0);
    CHECK(people_met(&home, "bea", b) == -ROOST_STRANGER);
    CHECK(people_met(&home, "beat", b) == 0); /* a longer name is another one */
    CHECK(people_known(&home, "BEA", all) == 1 && !memcmp(all, a, sizeof a));
    CHECK(people_trust(&home, "@bea", print) == 0);
    CHECK(people_trust(&home, "bea", print) == -ROOST_ALREADY);
    CHECK(people_met(&home, "bea", b) == 0);
    CHECK(people_known(&home, "bea", all) == 2);
    strcpy(home.server, "two:5000"); /* nor is one elsewhere */
    CHECK(people_known(&home, "bea", all) == 0);
    strcpy(home.server, "one:5000");
    CHECK(people_forget(&home, "bea", print) == 0);
    CHECK(people_met(&home, "bea", b) == -ROOST_STRANGER);
    CHECK(people_forget(&home, "bea", NULL) == 0);
    CHECK(people_forget(&home, "bea", NULL) == -ROOST_ALREADY);
    CHECK(people_forget(&home, "beat", NULL) == 0);
}

/* A server says what people are called. */
static void names_write_no_lines_of_their_own(void)
{
    static const char *const bad[] = { "", "@", "a b", "a\nb", "x one:5000 bea", "a\x7f" };
    uint8_t a[PEOPLE_IDENTITY], all[PEOPLE_DEVICES_MAX * PEOPLE_IDENTITY];
    struct people_identity p;

    if (!begin("one:5000"))
        return;
    id_of(a, 1);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(people_met(&home, bad[i], a) == -ROOST_INVALID);
        CHECK(people_known(&home, bad[i], all) == 0);
    }
    CHECK(!people_at(&home, 0, &p));
    CHECK(people_trust(&home, "bea", "ab:cd") == -ROOST_INVALID);
}

static void what_stands_is_replaced_and_ends(void)
{
    struct people_accept a = { "Bob", 100, "/home/me/a b" }, got;

    if (!begin("one:5000"))
        return;
    int err = people_accept(&home, &a);
    if (err == -ROOST_NOMEM || err == -ROOST_IO)
        return;
    CHECK(err == 0 && people_accepts(&home, "bob", &got));
    CHECK(got.up_to == 100 && !strcmp(got.dir, "/home/me/a b"));
    a.up_to = PEOPLE_ANY;
    *a.dir = 0;
    CHECK(people_accept(&home, &a) == 0 && people_accept_at(&home, 0, &got));
    CHECK(got.up_to == PEOPLE_ANY && !*got.dir && !people_accept_at(&home, 1, &got));
    strcpy(a.dir, "/a\none:5000 carl any -");
    CHECK(people_accept(&home, &a) == -ROOST_INVALID);
    CHECK(!people_accepts(&home, "bo", &got));
    CHECK(people_ask_again(&home, "bob") == 0 && !people_accepts(&home, "bob", &got));
    CHECK(people_ask_again(&home, "bob") == -ROOST_ALREADY);
}

TEST_MAIN({ "the_first_one_is_noted", the_first_one_is_noted },
          { "names_write_no_lines_of_their_own", names_write_no_lines_of_their_own },
          { "what_stands_is_replaced_and_ends", what_stands_is_replaced_and_ends })
