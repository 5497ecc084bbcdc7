/* roster.h - who is in a meeting, as keys are bound to it and as people compare it.
 *
 * Every device has an Ed25519 identity. Keys are bound to a hash of all of them; people compare
 * eight words that follow from their names and identities, slowly (600,000 rounds of PBKDF2), so
 * that nobody finds identities with the same words. Pure; no memory of its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    ROSTER_MAX = 256, /* devices */
    ROSTER_IDENTITY = 32,
    ROSTER_WORDS = 8,
    ROSTER_CODE_MAX = 8 * ROSTER_WORDS,
    ROSTER_ROUNDS = 600000,
};

struct roster_member {
    uint32_t number; /* of the device in the meeting; not 0 */
    uint8_t identity[ROSTER_IDENTITY];
};

struct roster_named {
    const char *name;
    uint8_t identity[ROSTER_IDENTITY];
};

/* By identity. */
void roster_sort(struct roster_member *members, size_t n);
/* Of sorted ones. 0 or -ROOST_NOMEM. */
int roster_hash(const struct roster_member *members, size_t n, uint8_t ret[static 32]);
/* Sorts them. Takes a good part of a second: on a thread that may wait. */
int roster_code(uint64_t meeting, struct roster_named *members, size_t n,
                char ret[static ROSTER_CODE_MAX]);
