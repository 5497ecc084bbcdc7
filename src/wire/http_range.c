#include "wire/http_range.h"

#include <string.h>

/* Digits, at most 18 of them; false: none, or too many. */
static bool number(const char **p, uint64_t *ret)
{
    uint64_t n = 0;
    int digits = 0;

    for (; **p >= '0' && **p <= '9'; (*p)++) {
        if (++digits > 18)
            return false;
        n = n * 10 + (uint64_t)(**p - '0');
    }
    *ret = n;
    return digits > 0;
}

static bool parse(const char *p, uint64_t size, uint64_t *at, uint64_t *end)
{
    uint64_t last;

    if (*p == '-') {
        p++;
        if (!number(&p, &last) || *p)
            return false;
        *at = last < size ? size - last : 0;
        *end = last ? size : 0;
        return true;
    }
    if (!number(&p, at) || *p++ != '-')
        return false;
    *end = size;
    if (!*p)
        return true;
    if (!number(&p, &last) || *p || last < *at)
        return false;
    if (last < size)
        *end = last + 1;
    return true;
}

enum http_range http_range(const char *range, const char *if_range, const char *etag, uint64_t size,
                           uint64_t *at, uint64_t *end)
{
    uint64_t from = 0, to = size;

    *at = 0;
    *end = size;
    if (!range || strncmp(range, "bytes=", 6) != 0 || (if_range && strcmp(if_range, etag) != 0) ||
        !parse(range + 6, size, &from, &to))
        return HTTP_RANGE_ALL;
    if (from >= size || from >= to)
        return HTTP_RANGE_NONE;
    *at = from;
    *end = to;
    return HTTP_RANGE_PART;
}
