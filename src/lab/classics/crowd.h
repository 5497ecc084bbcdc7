/* crowd.h - many talk in one room: what a line does.
 *
 * The first line of who comes is the name; the next are for all others. "/who" asks who is
 * there, "/bye" goes. What the server says itself begins with "* ":
 *
 *     * your name?                     ann
 *     * welcome, ann; here: ben        hello        (ben reads "ann: hello")
 *
 * Lines are text (UTF-8) without control characters, at most CROWD_TEXT_MAX bytes; others are
 * refused with a sentence. Pure; places are numbers of the caller's, below CROWD_MOST.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CROWD_MOST = 256, CROWD_NAME_MAX = 32, CROWD_TEXT_MAX = 2000, CROWD_SAID_BYTES = 4096 };

struct crowd_member {
    bool there;
    char name[CROWD_NAME_MAX * 4 + 1]; /* "": not said yet */
};

struct crowd {
    struct crowd_member members[CROWD_MOST];
    size_t named;
};

struct crowd_said {
    char to_one[CROWD_SAID_BYTES]; /* to who said it; "": nothing */
    char to_all[CROWD_SAID_BYTES]; /* to all others with a name; "": nothing */
    bool bye;                      /* it goes: say the words, and crowd_goes */
};

void crowd_came(struct crowd *c, size_t who, struct crowd_said *ret);
void crowd_hear(struct crowd *c, size_t who, const uint8_t *line, size_t len,
                struct crowd_said *ret);
/* For whatever reason; the place is free then. */
void crowd_goes(struct crowd *c, size_t who, struct crowd_said *ret);
bool crowd_listens(const struct crowd *c, size_t who); /* it has a name */
