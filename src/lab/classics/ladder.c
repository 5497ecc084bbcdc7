#include "lab/classics/ladder.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Room at both ends of an arrow: "── " and " ─▶". */
enum { MARGIN = 8, TEXT_MOST = LADDER_WIDTH - MARGIN };

struct pen {
    char *at, *end;
    size_t columns;
};

static void put(struct pen *p, const char *s, size_t columns)
{
    size_t len = strlen(s);

    if ((size_t)(p->end - p->at) <= len)
        return;
    memcpy(p->at, s, len + 1);
    p->at += len;
    p->columns += columns;
}

static void fill(struct pen *p, const char *s, size_t columns)
{
    while (p->columns < columns)
        put(p, s, 1);
}

/* At most so many characters. What would steer a terminal, or is no text, is a dot. */
static void put_text(struct pen *p, const char *s, size_t most)
{
    const char *end = s + strlen(s);
    char one[5];

    while (s < end && most--) {
        uint32_t c = utf8_next(&s, end);
        bool plain = !utf8_is_control(c) && c != 0xfffd;
        one[plain ? utf8_put(one, c) : 1] = 0;
        put(p, plain ? one : "\302\267", 1);
    }
}

static void draw_out(struct pen *p, const struct ladder_step *s)
{
    put(p, "── ", 3);
    put_text(p, s->what, TEXT_MOST);
    put(p, " ", 1);
    if (s->lost) {
        fill(p, "─", LADDER_WIDTH / 2 - 1);
        put(p, "─✗", 2);
        fill(p, " ", LADDER_WIDTH);
        return;
    }
    fill(p, "─", LADDER_WIDTH - 1);
    put(p, "▶", 1);
}

static void draw_in(struct pen *p, const struct ladder_step *s)
{
    if (s->lost) {
        fill(p, " ", LADDER_WIDTH / 4);
        put(p, "✗─ ", 3);
        put_text(p, s->what, TEXT_MOST - LADDER_WIDTH / 4);
    } else {
        put(p, "◀─ ", 3);
        put_text(p, s->what, TEXT_MOST);
    }
    put(p, " ", 1);
    fill(p, "─", LADDER_WIDTH);
}

void ladder_draw(const struct ladder_step *s, char ret[static LADDER_BYTES])
{
    struct pen p = { ret, ret + LADDER_BYTES, 0 };
    char time[32];

    snprintf(time, sizeof time, "%10.3f ", (double)s->at_us / 1e6);
    *ret = 0;
    put(&p, time, 0);
    put(&p, "│", 0);
    (s->out ? draw_out : draw_in)(&p, s);
    put(&p, "│", 0);
    if (s->who) {
        put(&p, " ", 1);
        put_text(&p, s->who, LADDER_WHAT_MAX);
    }
}
