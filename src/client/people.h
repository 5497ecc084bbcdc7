/* people.h - what a home keeps about people at a server: which identities are theirs, and whose
 * files are taken without a question.
 *
 *   HOME/people    "HOST:PORT NAME FINGERPRINT" a line; of a person with several devices several
 *   HOME/accepts   "HOST:PORT NAME BYTES DIR" a line; BYTES "any": of any size; DIR "-": where the
 *                  program is
 *
 * An identity is noted when somebody proves it for the first time, and from then on nobody else
 * is taken for that person: neither the server nor who has its account elsewhere. Names are what
 * people see and type, so a server cannot give a person another number unseen; capitals (ASCII) do
 * not count. A fingerprint is the identity itself, in hex.
 *
 * Errors: -ROOST_INVALID (no name, no fingerprint), -ROOST_STRANGER, -ROOST_LIMIT, -ROOST_IO,
 * -ROOST_NOMEM, -ROOST_ALREADY (nothing was to be changed). Not thread-safe.
 */
#pragma once

#include "client/home.h"

enum {
    PEOPLE_IDENTITY = 32,
    PEOPLE_DEVICES_MAX = 8, /* of one person */
    PEOPLE_PRINT = 96,      /* "ab:cd:..." and a zero */
    PEOPLE_NAME = 256,
    PEOPLE_ANY = -1, /* as a size */
};

struct people_identity {
    char name[PEOPLE_NAME];
    char print[PEOPLE_PRINT];
};

struct people_accept {
    char name[PEOPLE_NAME];
    int64_t up_to;           /* bytes; PEOPLE_ANY */
    char dir[HOME_PATH_MAX]; /* "": none in particular */
};

void people_print(const uint8_t id[static PEOPLE_IDENTITY], char ret[static PEOPLE_PRINT]);

/* How many identities of this person are known; ret has room for all. */
size_t people_known(const struct home *h, const char *name,
                    uint8_t ret[static PEOPLE_DEVICES_MAX * PEOPLE_IDENTITY]);
/* It was proven. -ROOST_STRANGER: others are known of this person, and this one is none of them. */
int people_met(struct home *h, const char *name, const uint8_t id[static PEOPLE_IDENTITY]);
int people_trust(struct home *h, const char *name, const char *print);  /* one more */
int people_forget(struct home *h, const char *name, const char *print); /* print NULL: all */
bool people_at(const struct home *h, size_t i, struct people_identity *ret);

int people_accept(struct home *h, const struct people_accept *what); /* replaces */
int people_ask_again(struct home *h, const char *name);
bool people_accept_at(const struct home *h, size_t i, struct people_accept *ret);
bool people_accepts(const struct home *h, const char *name, struct people_accept *ret);
