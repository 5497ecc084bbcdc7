/* name.h - may an account or a room be called this, and what does it look like.
 *
 * A name is 1 to 32 letters, digits, '-', '_' or '.', in one script or a usual
 * mixture (Latin and Japanese), begins with a letter or digit and is not only
 * digits. It is kept in NFKC as written; two names with one skeleton look alike
 * (case, "rn" and "m", "O" and "0", "I" "l" "i" and "1", Cyrillic and Latin), and
 * the store lets only one of them exist. Names in ASCII never load ICU's data.
 *
 * What a name looks like may depend on how it is written: "н" is its own letter, its
 * capital looks like "H"; the Greek "ν" looks like "v", its capital like "N". No one
 * skeleton can say both, so a name has further looks, by which it is not found, but
 * which nobody else may have either.
 */
#pragma once

#include <stddef.h>

enum {
    NAME_BYTES = 32 * 4 + 1,              /* normalised, with the zero byte */
    SKELETON_BYTES = 32 * 4 * 4 + 1,      /* a character's prototype may be several */
    LOOKS_BYTES = 2 * SKELETON_BYTES + 1, /* as it is written, and in capitals */
};

/* ICU's checker, opened when the first name that needs it comes. All zero is ready. */
struct names {
    void *spoof;
};
void names_fini(struct names *n);

/* 0, -ROOST_NAME_BAD or -ROOST_NOMEM. Either result may be NULL (cap 0). */
int name_check(struct names *n, const char *name, char *ret_norm, size_t norm_cap,
               char *ret_skeleton, size_t skeleton_cap);

/* What a name that was found good looks like besides its skeleton: each look and then
 * '\n', mostly none. Errors as above. */
int name_looks(struct names *n, const char *name, char ret[static LOOKS_BYTES]);
