/* lines.c - what is said: 64 bytes with the time and a number in them.
 *
 *     RB | time, 16 letters | number, 8 letters | dots
 *
 * A letter is four bits, 'a' is 0: quicker to read than digits, and both ends
 * of the measuring are in this file.
 */
#include <string.h>

#include "load.h"

enum { TIME_AT = 2, TIME_LETTERS = 16, NUMBER_AT = TIME_AT + TIME_LETTERS, NUMBER_LETTERS = 8 };

static void put(char *p, uint64_t v, int letters)
{
    while (letters-- > 0) {
        p[letters] = (char)('a' + (v & 15));
        v >>= 4;
    }
}

static uint64_t get(const uint8_t *p, int letters)
{
    uint64_t v = 0;
    for (int i = 0; i < letters; i++)
        v = v << 4 | ((unsigned)(p[i] - 'a') & 15);
    return v;
}

bool line_delivered(struct load *l, const uint8_t p[static LINE_BYTES])
{
    if (p[0] != 'R' || p[1] != 'B' || p[LINE_BYTES - 1] != '.')
        return false;
    int64_t sent = (int64_t)get(p + TIME_AT, TIME_LETTERS);
    uint32_t number = (uint32_t)get(p + NUMBER_AT, NUMBER_LETTERS);
    l->delivered++;
    if (++l->arrived[number % LINES_RING] == l->fanout)
        l->complete++;
    if (l->timing && sent >= l->from_ns)
        histogram_add(&l->latency, l->arrived_ns - sent);
    return true;
}

void line_say(struct load *l, struct conn *c)
{
    char line[LINE_BYTES];
    memset(line, '.', sizeof line);
    line[0] = 'R';
    line[1] = 'B';
    l->arrived[l->lines % LINES_RING] = 0;
    put(line + NUMBER_AT, l->lines++, NUMBER_LETTERS);
    put(line + TIME_AT, (uint64_t)clock_ns(), TIME_LETTERS);
    l->opt.proto->say(l, c, line);
}
