/* test_meet_names.c - what people may be called in a meeting, and what they are called then. */
#include <string.h>

#include "base/err.h"
#include "meets.h"
#include "test.h"

#define ACT(name) ROOST__MEET_ACTION__##name

/* Comes as a guest, by link; the error, or 0 and what it is called. */
static int come(struct meets *m, const char *name, struct visitor **ret, char called[static 140])
{
    static uint8_t device;
    struct visitor *v = *ret = visitor_new(m->stage);
    int code = guest(v, name, m->code, m->secret, ++device);

    *called = '\0';
    if (!code)
        code = join_link(v, m);
    if (!code)
        strncpy(called, row_of(m, v->account)->name, 139);
    return code;
}

/* In this order, while all before are still in. */
static const struct {
    const char *name, *called;
    int code;
} arrivals[] = {
    { "Zoe", "Zoe", 0 },
    { "Zoe", "Zoe 2", 0 },
    { "Zoe", "Zoe 3", 0 },
    { "Zoe 2", "Zoe 2 2", 0 },
    { "zoe", "", ROOST_NAME_TAKEN }, /* merely looks like somebody present */
    { "Z0e", "", ROOST_NAME_TAKEN },
    { "Zoe 4", "Zoe 4", 0 },
    { "Zoe", "Zoe 5", 0 }, /* 4 is somebody's own name */
    { "Corn", "Corn", 0 },
    { "Com", "", ROOST_NAME_TAKEN },  /* "rn" and "m" */
    { "host", "", ROOST_NAME_TAKEN }, /* an account's */
    { "Host", "", ROOST_NAME_TAKEN },
    { "h0st", "", ROOST_NAME_TAKEN },
    { "Anna Maria", "Anna Maria", 0 },
    { "Anna  Maria", "", ROOST_NAME_BAD },
    { " Anna", "", ROOST_NAME_BAD },
    { "Anna ", "", ROOST_NAME_BAD },
    { "", "", ROOST_NAME_BAD },
    { "a/b", "", ROOST_NAME_BAD },
    { "12345", "", ROOST_NAME_BAD },
    { "abcdefghabcdefghabcdefghabcdefgh", "abcdefghabcdefghabcdefghabcdefgh", 0 },
    { "abcdefghabcdefghabcdefghabcdefgh", "abcdefghabcdefghabcdefghabcdef 2", 0 },
    { "abcdefghabcdefghabcdefghabcdefghi", "", ROOST_NAME_BAD },
};
enum { ARRIVALS = sizeof arrivals / sizeof *arrivals };

static void second_names_get_a_number(void)
{
    struct meets m;
    struct visitor *v[ARRIVALS];
    char called[140];

    meets_begin(&m, meet_stage(), true);
    for (size_t i = 0; i < ARRIVALS; i++) {
        CHECK(come(&m, arrivals[i].name, &v[i], called) == arrivals[i].code);
        CHECK(strcmp(called, arrivals[i].called) == 0);
    }
    for (size_t i = 0; i < ARRIVALS; i++)
        visitor_free(v[i]);
    meets_end(&m);
}

static void an_account_keeps_its_name_or_gets_a_number(void)
{
    struct meets m;
    struct visitor *first, *ann, *second;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    CHECK(come(&m, "Ann", &first, called) == 0 && !strcmp(called, "Ann"));
    ann = visitor_named(m.stage, "ann"); /* registered while the guest is in */
    CHECK(join_link(ann, &m) == 0);
    CHECK(strcmp(row_of(&m, ann->account)->name, "ann 2") == 0);
    CHECK(come(&m, "Ann", &second, called) == ROOST_NAME_TAKEN);

    /* the guest has left: who comes back is called as it was */
    CHECK(act_on(first, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(join_link(ann, &m) == 0);
    CHECK(strcmp(row_of(&m, ann->account)->name, "ann 2") == 0);
    CHECK(act_on(ann, &m, ACT(RENAME), 0, "ann") == 0); /* its own */
    visitor_free(second);
    visitor_free(ann);
    visitor_free(first);
    meets_end(&m);
}

static const struct {
    const char *to;
    int code;
} renames[] = {
    { "Max", 0 },
    { "Max", ROOST_ALREADY },
    { "max", 0 }, /* looks like oneself only */
    { "Kim", ROOST_NAME_TAKEN },
    { "kIm", ROOST_NAME_TAKEN },
    { "host", ROOST_NAME_TAKEN },
    { "bob", ROOST_NAME_TAKEN }, /* an account that is not in the meeting */
    { "B0b", ROOST_NAME_TAKEN },
    { "", ROOST_NAME_BAD },
    { "a\nb", ROOST_NAME_BAD },
};

static void renaming_keeps_names_apart(void)
{
    struct meets m;
    struct visitor *zoe, *kim, *bob;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    bob = visitor_named(m.stage, "bob");
    CHECK(come(&m, "Zoe", &zoe, called) == 0);
    CHECK(come(&m, "Kim", &kim, called) == 0);
    for (size_t i = 0; i < sizeof renames / sizeof *renames; i++)
        CHECK(act_on(zoe, &m, ACT(RENAME), 0, renames[i].to) == renames[i].code);
    CHECK(act_on(m.host, &m, ACT(RENAME), zoe->account, "Moritz") == 0);
    CHECK(act_on(zoe, &m, ACT(RENAME), kim->account, "Lea") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ACT(FORBID_RENAME), 0, "") == 0);
    CHECK(act_on(zoe, &m, ACT(RENAME), 0, "Zoe") == ROOST_NOT_ALLOWED);
    CHECK(act_on(m.host, &m, ACT(RENAME), 0, "Hanna") == 0);
    visitor_free(kim);
    visitor_free(zoe);
    visitor_free(bob);
    meets_end(&m);
}

static void people_are_meant_by_their_name_there(void)
{
    struct meets m;
    struct visitor *zoe, *other;
    char called[140];

    meets_begin(&m, meet_stage(), true);
    CHECK(come(&m, "Zoe", &zoe, called) == 0);
    CHECK(come(&m, "Zoe", &other, called) == 0);
    CHECK(act_named(m.host, &m, ACT(MUTE), "zoe 2") == 0);
    CHECK(row_of(&m, other->account)->muted && !row_of(&m, zoe->account)->muted);
    CHECK(act_named(m.host, &m, ACT(MUTE), "@Zoe") == 0);
    CHECK(act_named(m.host, &m, ACT(MUTE), "Kim") == ROOST_NOT_IN_MEETING);
    CHECK(act_named(m.host, &m, ACT(MUTE), "a/b") == ROOST_NOT_IN_MEETING);

    /* of two with one name, the one who is there; of those who left, the last */
    CHECK(act_on(zoe, &m, ACT(LEAVE), 0, "") == 0);
    CHECK(act_on(other, &m, ACT(RENAME), 0, "Zoe") == 0);
    CHECK(act_named(m.host, &m, ACT(REMOVE), "Zoe") == 0);
    CHECK(row_of(&m, other->account)->state == ROOST__MEET_STATE__REMOVED);
    CHECK(act_named(m.host, &m, ACT(BAN), "Zoe") == 0);
    CHECK(row_of(&m, other->account)->state == ROOST__MEET_STATE__EXCLUDED);
    visitor_free(other);
    visitor_free(zoe);
    meets_end(&m);
}

TEST_MAIN({ "second_names_get_a_number", second_names_get_a_number },
          { "an_account_keeps_its_name_or_gets_a_number",
            an_account_keeps_its_name_or_gets_a_number },
          { "renaming_keeps_names_apart", renaming_keeps_names_apart },
          { "people_are_meant_by_their_name_there", people_are_meant_by_their_name_there })
