/* meet_name.c - what people are called in a meeting. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "hub/handlers_meet.h"

static size_t count(const char *s, char what)
{
    size_t n = 0;

    for (; *s; s++)
        n += *s == what;
    return n;
}

/* name.h knows no spaces: they travel as '_' and come back as what they were. */
int meet_name_check(struct hub *h, const char *name, char norm[static NAME_BYTES],
                    char skeleton[static SKELETON_BYTES])
{
    char joined[NAME_BYTES] = "";
    size_t len = strnlen(name, NAME_BYTES);

    if (!len || len == NAME_BYTES || name[len - 1] == ' ' || strstr(name, "  "))
        return -ROOST_NAME_BAD;
    for (size_t i = 0; i <= len; i++)
        joined[i] = name[i] == ' ' ? '_' : name[i];
    int err = name_check(&h->names, joined, norm, NAME_BYTES, skeleton, SKELETON_BYTES);
    if (err)
        return err;
    if (count(norm, '_') != count(joined, '_'))
        return -ROOST_NAME_BAD; /* another sign became one */
    for (char *n = norm; (n = strchr(n, '_')); n++) {
        name += strcspn(name, " _");
        *n = *name++;
    }
    return 0;
}

/* As the program calls people, or itself. */
static const char *const reserved[] = {
    "you",       "the server", "server",    "somebody", "someone", "everybody", "everyone",
    "nobody",    "host",       "the host",  "cohost",   "co-host", "admin",     "administrator",
    "moderator", "guest",      "the lobby", "lobby",    "roost",   "roostd",    "system",
};

uint64_t meet_name_number(const char *user)
{
    char *end = "";

    if (*user != '#' || user[1] < '1' || user[1] > '9' || strlen(user) > 19)
        return 0;
    unsigned long long n = strtoull(user + 1, &end, 10);
    return *end ? 0 : n;
}

bool meet_name_reserved(struct hub *h, const char *skeleton)
{
    char norm[NAME_BYTES], other[SKELETON_BYTES];

    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (!meet_name_check(h, reserved[i], norm, other) && strcmp(other, skeleton) == 0)
            return true;
    return false;
}

static void number(char *text, unsigned n)
{
    char digits[8];
    size_t at = sizeof digits;

    digits[--at] = 0;
    for (; n; n /= 10)
        digits[--at] = (char)('0' + n % 10);
    strcat(strcat(text, " "), digits + at);
}

/* The bytes of its first characters, without a space behind them. */
static size_t fit(const char *name, size_t chars)
{
    const char *p = name, *end = name + strlen(name);

    while (p < end && chars--)
        utf8_next(&p, end);
    while (p > name && p[-1] == ' ')
        p--;
    return (size_t)(p - name);
}

/* The name, or with the number behind it: as much of it as leaves room for that. */
static void nth_name(char tried[static NAME_BYTES + 8], const char *name, unsigned n)
{
    size_t len = fit(name, n == 1    ? NAME_MAX_CHARS
                           : n < 10  ? NAME_MAX_CHARS - 2
                           : n < 100 ? NAME_MAX_CHARS - 3
                                     : NAME_MAX_CHARS - 4);

    memcpy(tried, name, len);
    tried[len] = 0;
    if (n > 1)
        number(tried, n);
}

/* Of a name that an account has already: always some skeleton. */
static int skeleton_of(struct hub *h, const char *name, char norm[static NAME_BYTES],
                       char skeleton[static SKELETON_BYTES])
{
    return meet_name_check(h, name, norm, skeleton);
}

int meet_name_free(struct hub *h, struct request *q, const struct meeting *m, uint64_t but,
                   const char *name, const char **ret_name, const char **ret_skeleton)
{
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES], tried[NAME_BYTES + 8] = "";

    for (unsigned n = 1;; n++) { /* ends: fewer than a thousand are present */
        nth_name(tried, name, n);
        int err = skeleton_of(h, tried, norm, skeleton);
        if (err)
            return err;
        const struct attendee *other = meeting_named(m, skeleton);
        if (other && other->row.account != but)
            continue;
        *ret_name = arena_str(&q->mem, norm);
        *ret_skeleton = arena_str(&q->mem, skeleton);
        return *ret_name && *ret_skeleton ? 0 : -ROOST_NOMEM;
    }
}
