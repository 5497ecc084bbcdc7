#include "cli/amount.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void amount_bytes(struct buf *b, double bytes)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
    size_t i = 0;

    while (bytes >= 999.5 && i + 1 < sizeof units / sizeof *units) {
        bytes /= 1000;
        i++;
    }
    buf_printf(b, "%.*f %s", i && bytes < 99.95 ? 1 : 0, bytes, units[i]);
}

void amount_span(struct buf *b, int64_t seconds)
{
    if (seconds < 0)
        seconds = 0;
    if (seconds >= 100 * 3600)
        buf_printf(b, "%" PRId64 " days", seconds / 86400);
    else if (seconds >= 3600)
        buf_printf(b, "%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60,
                   seconds % 60);
    else
        buf_printf(b, "%" PRId64 ":%02" PRId64, seconds / 60, seconds % 60);
}

/* Digits with a point, then k M G T or nothing; *s is moved behind it. Locale plays no part. */
static bool number(const char **s, double *ret)
{
    static const char units[] = "kMGT";
    double x = 0, part = 1;
    const char *p = *s;
    bool digits = false;

    for (; isdigit((unsigned char)*p); p++, digits = true)
        x = x * 10 + (*p - '0');
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++, digits = true)
            x += (*p - '0') * (part /= 10);
    if (!digits)
        return false;
    char letter = *p == 'K' || *p == 'm' || *p == 'g' || *p == 't' ? (char)(*p ^ 32) : *p;
    const char *unit = letter ? strchr(units, letter) : NULL;
    if (unit) {
        for (const char *u = units; u <= unit; u++)
            x *= 1000;
        p++;
    }
    *s = p;
    *ret = x;
    return true;
}

static bool is_one_of(const char *s, const char *a, const char *b, const char *c)
{
    return !strcmp(s, a) || !strcmp(s, b) || !strcmp(s, c);
}

static bool whole(double x, uint64_t *ret)
{
    if (x < 1 || x >= 1e18)
        return false;
    *ret = (uint64_t)(x + 0.5);
    return true;
}

bool amount_rate(const char *s, uint64_t *ret_bits)
{
    double x;

    if (!number(&s, &x))
        return false;
    if (is_one_of(s, "B", "B/s", "Bps"))
        x *= 8;
    else if (*s && !is_one_of(s, "bit", "bit/s", "b/s"))
        return false;
    return whole(x, ret_bits);
}

bool amount_size(const char *s, uint64_t *ret_bytes)
{
    double x;

    return number(&s, &x) && is_one_of(s, "", "B", "b") && whole(x, ret_bytes);
}
