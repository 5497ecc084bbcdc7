#include "share/names.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include "base/err.h"
#include "base/utf8.h"

enum {
    READ_MAX = 1024,             /* bytes of a name that are looked at */
    WIDE_MAX = 3 * READ_MAX + 1, /* NFC makes three of one at most */
    EXTENSION_MAX = 32,
    TRIES = 16,
};

/* --- cleaning ------------------------------------------------------------------------------ */

static bool is_refused(uint32_t c)
{
    return utf8_is_control(c) || c == 0xfffd || c == 0x2028 || c == 0x2029 ||
           (c < 0x80 && (c < ' ' || c == 0x7f || strchr("<>:\"/\\|?*", (int)c)));
}

/* Character by character; returns the length, and whether all of it is ASCII. */
static size_t replace(char *ret, size_t cap, const char *name, size_t len, bool *ascii)
{
    const char *p = name, *end = name + len;
    size_t n = 0;

    *ascii = true;
    while (p < end && n + 4 < cap) {
        uint32_t c = (unsigned char)*p;
        if (c < 0x80)
            p++;
        else
            c = utf8_next(&p, end);
        c = is_refused(c) ? '_' : c;
        *ascii = *ascii && c < 0x80;
        n += utf8_put(ret + n, c);
    }
    ret[n] = '\0';
    return n;
}

/* In place, through UTF-16. What cannot be composed stays as it is. */
static int compose(char *name, size_t cap)
{
    static_assert(WIDE_MAX > READ_MAX, "composing may lengthen");
    UChar wide[READ_MAX + 1], composed[WIDE_MAX];
    UErrorCode err = U_ZERO_ERROR;
    int32_t n = 0;

    u_strFromUTF8(wide, READ_MAX + 1, &n, name, -1, &err);
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&err);
    if (U_FAILURE(err))
        return err == U_MEMORY_ALLOCATION_ERROR ? -ROOST_NOMEM : 0;
    n = unorm2_normalize(nfc, wide, n, composed, WIDE_MAX, &err);
    u_strToUTF8(name, (int32_t)cap, NULL, composed, n, &err);
    return err == U_MEMORY_ALLOCATION_ERROR ? -ROOST_NOMEM : 0;
}

/* Where the extension begins; the end if there is none. */
static size_t extension(const char *name, size_t len)
{
    const char *dot = strrchr(name, '.');

    return dot && dot > name && len - (size_t)(dot - name) <= EXTENSION_MAX ? (size_t)(dot - name)
                                                                            : len;
}

static size_t trim_end(char *name, size_t len)
{
    while (len && (name[len - 1] == '.' || name[len - 1] == ' '))
        len--;
    name[len] = '\0';
    return len;
}

/* The middle goes, the extension stays. */
static size_t shorten(char *name, size_t len, size_t most)
{
    size_t ext = extension(name, len), tail = len - ext;

    if (len <= most)
        return len;
    size_t stem = utf8_fit(name, most - tail < ext ? most - tail : ext);
    memmove(name + stem, name + ext, tail + 1);
    return stem + tail;
}

/* What other systems keep for devices, with any extension. */
static bool is_reserved(const char *name)
{
    static const char *const whole[] = {
        "con", "prn", "aux", "nul", "conin$", "conout$", "clock$"
    };
    size_t len = strcspn(name, ".");

    while (len && name[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (len == strlen(whole[i]) && !strncasecmp(name, whole[i], len))
            return true;
    bool port = len >= 4 && (!strncasecmp(name, "com", 3) || !strncasecmp(name, "lpt", 3));
    if (port && len == 4 && isdigit((unsigned char)name[3]))
        return true;
    /* superscript 1, 2 and 3 are digits there */
    return port && len == 5 && name[3] == '\xc2' && strchr("\xb9\xb2\xb3", name[4]);
}

int names_clean(char ret[static NAMES_ROOM], const char *name, size_t len, bool first)
{
    char work[3 * READ_MAX * 3 + 8];
    bool ascii;
    size_t n = replace(work, READ_MAX, name, len, &ascii);

    if (!ascii) {
        int err = compose(work, sizeof work);
        if (err)
            return err;
        n = strlen(work);
    }
    n = trim_end(work, n);
    n = shorten(work, n, NAMES_BYTES_MAX - 1); /* and a "_" that may come before it */
    n = trim_end(work, n);
    if (first && work[0] == '.')
        work[0] = '_';
    if (!n)
        memcpy(work, "file", 5);
    snprintf(ret, NAMES_ROOM, "%s%s", is_reserved(work) ? "_" : "", work);
    return 0;
}

void names_number(char ret[static NAMES_ROOM], const char *name, uint32_t n)
{
    size_t len = strlen(name), ext = extension(name, len);

    snprintf(ret, NAMES_ROOM, "%.*s (%u)%s", (int)ext, name, n, name + ext);
}

/* --- which are taken ---------------------------------------------------------------------- */

void names_taken_fini(struct names_taken *t)
{
    free(t->all);
    *t = (struct names_taken){ 0 };
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* As a system sees it that does not tell capitals from small letters. 0 is nobody's. */
static uint64_t sum_of(const struct names_taken *t, uint64_t folder, const char *name)
{
    uint64_t sum = mix(t->seed ^ mix(folder + 0x9e3779b97f4a7c15u));
    bool ascii = true;

    for (const char *p = name; *p && ascii; p++)
        ascii = (unsigned char)*p < 0x80;
    if (ascii) {
        for (const char *p = name; *p; p++)
            sum = mix(sum + (unsigned char)tolower((unsigned char)*p) + 1);
    } else {
        UChar wide[NAMES_ROOM], folded[3 * NAMES_ROOM];
        UErrorCode err = U_ZERO_ERROR;
        int32_t n = 0;
        u_strFromUTF8(wide, NAMES_ROOM, &n, name, -1, &err);
        n = u_strFoldCase(folded, 3 * NAMES_ROOM, wide, n, U_FOLD_CASE_DEFAULT, &err);
        for (int32_t i = 0; !U_FAILURE(err) && i < n; i++)
            sum = mix(sum + folded[i] + 1);
    }
    return sum ? sum : 1;
}

static uint64_t *slot_of(uint64_t *all, uint32_t cap, uint64_t sum)
{
    uint32_t i = (uint32_t)sum & (cap - 1);

    while (all[i] && all[i] != sum)
        i = (i + 1) & (cap - 1);
    return &all[i];
}

static int grow(struct names_taken *t)
{
    uint32_t cap = t->cap ? 2 * t->cap : 256;

    if (t->n >= NAMES_TAKEN_MAX)
        return -ROOST_LIMIT;
    if (t->n < t->cap / 2)
        return 0;
    uint64_t *all = calloc(cap, sizeof *all);
    if (!all)
        return -ROOST_NOMEM;
    for (uint32_t i = 0; i < t->cap; i++)
        if (t->all[i])
            *slot_of(all, cap, t->all[i]) = t->all[i];
    free(t->all);
    t->all = all;
    t->cap = cap;
    return 0;
}

static bool take(struct names_taken *t, uint64_t folder, const char *name)
{
    uint64_t sum = sum_of(t, folder, name), *slot = slot_of(t->all, t->cap, sum);

    if (*slot)
        return false;
    *slot = sum;
    t->n++;
    return true;
}

int names_take(struct names_taken *t, uint64_t folder, char ret[static NAMES_ROOM],
               const char *name, size_t len, bool first)
{
    char clean[NAMES_ROOM];
    int err = names_clean(clean, name, len, first);

    if (!err)
        err = grow(t);
    if (err)
        return err;
    memcpy(ret, clean, sizeof clean);
    /* Who sends a million of one name: after a few, numbers that nobody has had. */
    for (uint32_t n = 2; !take(t, folder, ret); n++)
        names_number(ret, clean, n < TRIES ? n : t->n + n);
    return 0;
}
