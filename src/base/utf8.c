#include "base/utf8.h"

#include <string.h>

/* Length of the sequence at p, 0 if none is valid there. */
static size_t sequence(const uint8_t *p, const uint8_t *end, uint32_t *ret_c)
{
    static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = *p < 0x80                 ? 1
               : *p >= 0xc2 && *p < 0xe0 ? 2
               : *p >= 0xe0 && *p < 0xf0 ? 3
               : *p >= 0xf0 && *p < 0xf5 ? 4
                                         : 0;

    if (!n || (size_t)(end - p) < n)
        return 0;
    uint32_t c = n == 1 ? *p : *p & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *ret_c = c;
    return n;
}

bool utf8_valid(const void *s, size_t len)
{
    const uint8_t *p = s, *end = p + len;
    uint32_t c;

    while (p < end) {
        size_t n = sequence(p, end, &c);
        if (!n || !c)
            return false;
        p += n;
    }
    return true;
}

uint32_t utf8_next(const char **p, const char *end)
{
    uint32_t c;
    size_t n = sequence((const uint8_t *)*p, (const uint8_t *)end, &c);

    *p += n ? n : 1;
    return n ? c : 0xfffd;
}

size_t utf8_fit(const char *s, size_t max)
{
    size_t len = strnlen(s, max + 1);

    if (len > max)
        for (len = max; len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80;)
            len--;
    return len;
}

size_t utf8_put(char out[static 4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | c);
    return n;
}

bool utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff ||
           c == 0x61c || (c >= 0xe0000 && c <= 0xe007f);
}
