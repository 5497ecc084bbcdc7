#include "hub/name.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "base/err.h"
#include "base/utf8.h"

enum {
    CHARS_MAX = 32,
    UNITS_MAX = 256, /* UTF-16; NFKC and prototypes lengthen */
    MARKS_MAX = 3,   /* on one letter: Vietnamese and Hebrew need two or three */
};

static int err_of(UErrorCode e)
{
    return e == U_MEMORY_ALLOCATION_ERROR || e == U_FILE_ACCESS_ERROR ? -ROOST_NOMEM
                                                                      : -ROOST_NAME_BAD;
}

void names_fini(struct names *n)
{
    if (n->spoof)
        uspoof_close(n->spoof);
    n->spoof = NULL;
}

static int put(char *ret, size_t cap, const char *text, size_t len)
{
    if (!ret)
        return 0;
    if (len >= cap)
        return -ROOST_NAME_BAD;
    memcpy(ret, text, len);
    ret[len] = '\0';
    return 0;
}

/* --- ASCII: without ICU; test_name.c compares the two ----------------------------- */

/* The last step of every skeleton: what looks like one of these in some case.
 * "I" is the capital of "i" and looks like "l", so all of them are one. */
static size_t merge_ascii(char *ret, const char *s, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char c = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] - 'A' + 'a') : s[i];
        if (c == 'm')
            ret[n++] = 'r';
        ret[n++] = c == 'm' ? 'n' : c == '0' ? 'o' : c == '1' || c == 'i' || c == '|' ? 'l' : c;
    }
    return n;
}

static bool is_ascii(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] >= 0x80)
            return false;
    return true;
}

static bool ascii_ok(const char *s, size_t len)
{
    bool other = false;

    for (size_t i = 0; i < len; i++) {
        bool digit = s[i] >= '0' && s[i] <= '9';
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');
        if (!digit && !letter && (i == 0 || !strchr("-_.", s[i])))
            return false;
        other |= !digit;
    }
    return other && len >= 1 && len <= CHARS_MAX;
}

/* --- everything else ----------------------------------------------------------------- */

struct text {
    UChar u[UNITS_MAX];
    int32_t len;
};

static int spoof_get(struct names *n, const USpoofChecker **ret)
{
    UErrorCode e = U_ZERO_ERROR;

    if (!n->spoof) {
        USpoofChecker *s = uspoof_open(&e);
        uspoof_setChecks(s, USPOOF_RESTRICTION_LEVEL | USPOOF_MIXED_NUMBERS | USPOOF_INVISIBLE, &e);
        uspoof_setRestrictionLevel(s, USPOOF_HIGHLY_RESTRICTIVE);
        if (U_FAILURE(e)) {
            uspoof_close(s);
            return -ROOST_NOMEM;
        }
        n->spoof = s;
    }
    *ret = n->spoof;
    return 0;
}

static int normalise(struct text *t, const char *name, size_t len)
{
    UErrorCode e = U_ZERO_ERROR;
    struct text raw;

    u_strFromUTF8(raw.u, UNITS_MAX, &raw.len, name, (int32_t)len, &e);
    const UNormalizer2 *nfkc = unorm2_getNFKCInstance(&e);
    if (U_SUCCESS(e))
        t->len = unorm2_normalize(nfkc, raw.u, raw.len, t->u, UNITS_MAX, &e);
    return U_FAILURE(e) ? err_of(e) : 0;
}

static bool chars_ok(const struct text *t)
{
    int chars = 0, marks = 0;
    bool other = false;

    for (int32_t i = 0; i < t->len;) {
        UChar32 c;
        U16_NEXT(t->u, i, t->len, c);
        uint32_t kind = U_MASK(u_charType(c));
        bool mark = kind & (U_GC_MN_MASK | U_GC_MC_MASK);
        bool letter = kind & U_GC_L_MASK, digit = kind & U_GC_ND_MASK;
        bool joins = c == '-' || c == '_' || c == '.';

        marks = mark ? marks + 1 : 0;
        if ((!letter && !digit && !mark && !joins) || (chars == 0 && (mark || joins)) ||
            marks > MARKS_MAX || u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
            return false;
        other |= !digit;
        chars++;
    }
    return other && chars <= CHARS_MAX;
}

static void fold(struct text *t, UErrorCode *e)
{
    struct text from = *t;

    t->len = u_strFoldCase(t->u, UNITS_MAX, from.u, from.len, U_FOLD_CASE_DEFAULT, e);
}

/* Of the text in the case it is in. Twice: a prototype may be a capital ("0" gives
 * "O"), whose small letter has a prototype of its own. */
static int look(const USpoofChecker *s, struct text *t, char *ret, size_t cap)
{
    UErrorCode e = U_ZERO_ERROR;
    char utf8[UNITS_MAX * 3], merged[UNITS_MAX * 6];
    int32_t len = 0;

    for (int i = 0; i < 2 && U_SUCCESS(e); i++) {
        struct text from = *t;
        t->len = uspoof_getSkeleton(s, 0, from.u, from.len, t->u, UNITS_MAX, &e);
        if (U_SUCCESS(e))
            fold(t, &e);
    }
    if (U_SUCCESS(e))
        u_strToUTF8(utf8, sizeof utf8, &len, t->u, t->len, &e);
    if (U_FAILURE(e))
        return err_of(e);
    return put(ret, cap, merged, merge_ascii(merged, utf8, (size_t)len));
}

static int skeleton(const USpoofChecker *s, struct text *t, char *ret, size_t cap)
{
    UErrorCode e = U_ZERO_ERROR;

    fold(t, &e);
    return U_FAILURE(e) ? err_of(e) : look(s, t, ret, cap);
}

static int check_unicode(struct names *n, const char *name, size_t len, char *ret_norm,
                         size_t norm_cap, char *ret_skeleton, size_t skeleton_cap)
{
    const USpoofChecker *spoof;
    UErrorCode e = U_ZERO_ERROR;
    struct text t;
    char norm[NAME_BYTES], skel[SKELETON_BYTES];
    int32_t norm_len;

    int err = spoof_get(n, &spoof);
    if (!err)
        err = normalise(&t, name, len);
    if (err)
        return err;
    if (!chars_ok(&t))
        return -ROOST_NAME_BAD;
    if (uspoof_check(spoof, t.u, t.len, NULL, &e) != 0 || U_FAILURE(e))
        return U_FAILURE(e) ? err_of(e) : -ROOST_NAME_BAD;
    u_strToUTF8(norm, sizeof norm, &norm_len, t.u, t.len, &e);
    if (U_FAILURE(e))
        return err_of(e);
    err = skeleton(spoof, &t, skel, sizeof skel);
    if (!err)
        err = put(ret_norm, norm_cap, norm, (size_t)norm_len);
    return err ? err : put(ret_skeleton, skeleton_cap, skel, strlen(skel));
}

int name_check(struct names *n, const char *name, char *ret_norm, size_t norm_cap,
               char *ret_skeleton, size_t skeleton_cap)
{
    size_t len = strnlen(name, NAME_BYTES);
    char skel[2 * CHARS_MAX];

    if (len == NAME_BYTES || !utf8_valid(name, len))
        return -ROOST_NAME_BAD;
    if (!is_ascii(name, len))
        return check_unicode(n, name, len, ret_norm, norm_cap, ret_skeleton, skeleton_cap);
    if (!ascii_ok(name, len))
        return -ROOST_NAME_BAD;
    int err = put(ret_norm, norm_cap, name, len);
    return err ? err : put(ret_skeleton, skeleton_cap, skel, merge_ascii(skel, name, len));
}

/* --- further looks ------------------------------------------------------------------- */

static bool look_known(const char *skeleton, const char *looks, const char *one)
{
    size_t len = strlen(one);

    if (strcmp(skeleton, one) == 0)
        return true;
    for (const char *s = looks; *s; s = strchr(s, '\n') + 1)
        if (strncmp(s, one, len) == 0 && s[len] == '\n')
            return true;
    return false;
}

static void look_add(const char *skeleton, char *looks, const char *one)
{
    size_t at = strlen(looks), len = strlen(one);

    if (look_known(skeleton, looks, one))
        return;
    memcpy(looks + at, one, len);
    memcpy(looks + at + len, "\n", 2);
}

int name_looks(struct names *n, const char *name, char ret[static LOOKS_BYTES])
{
    const USpoofChecker *spoof;
    UErrorCode e = U_ZERO_ERROR;
    struct text written, capitals;
    char first[SKELETON_BYTES], one[SKELETON_BYTES];

    ret[0] = '\0';
    if (is_ascii(name, strlen(name)))
        return 0; /* its skeleton says it all */
    int err = name_check(n, name, NULL, 0, first, sizeof first);
    if (!err)
        err = spoof_get(n, &spoof);
    if (!err)
        err = normalise(&written, name, strlen(name));
    if (err)
        return err;
    capitals.len = u_strToUpper(capitals.u, UNITS_MAX, written.u, written.len, "", &e);
    if (U_FAILURE(e))
        return err_of(e);
    err = look(spoof, &written, one, sizeof one);
    if (!err)
        look_add(first, ret, one);
    if (!err)
        err = look(spoof, &capitals, one, sizeof one);
    if (!err)
        look_add(first, ret, one);
    return err;
}
