/* names.h - what a file that somebody sends may be called here.
 *
 * A sender's name becomes one that is safe on this and other systems: one part of a path, UTF-8
 * in NFC; control characters, those that reorder text and < > : " / \ | ? * become "_"; no "."
 * or "..", no dots and spaces at the end, nothing hidden by a dot at the beginning of the first
 * part, none of the reserved names of other systems (CON, NUL, COM1 ...); at most 240 bytes, the
 * extension kept. A name that is fine stays as it is. Where two of one folder are the same to a
 * system that folds case, the second gets a number: "a (2).txt". Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAMES_BYTES_MAX = 240,
    NAMES_ROOM = 256, /* with a number, and the zero byte */
    NAMES_TAKEN_MAX = 1 << 20,
};

/* One name; what is not UTF-8 becomes "_". Never fails but for -ROOST_NOMEM. `first`: not hidden by
 * a dot. "" and what nothing is left of become "file". */
int names_clean(char ret[static NAMES_ROOM], const char *name, size_t len, bool first);
/* The n-th of that name: n of 2 gives "a (2).txt". */
void names_number(char ret[static NAMES_ROOM], const char *name, uint32_t n);

/* Names of many folders, as 64-bit sums of folder and folded name; a chance hit costs a number. All
 * zero is empty; seed is random, or 0. */
struct names_taken {
    uint64_t *all;
    uint32_t n, cap;
    uint64_t seed;
};
void names_taken_fini(struct names_taken *t);
/* Cleans, numbers where needed, and takes it. folder: a number of its own for each folder.
 * -ROOST_NOMEM, -ROOST_LIMIT. */
int names_take(struct names_taken *t, uint64_t folder, char ret[static NAMES_ROOM],
               const char *name, size_t len, bool first);
