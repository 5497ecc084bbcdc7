/* irc.c - a plain IRC client (RFC 2812), for ngircd. */
#include <stdio.h>
#include <string.h>

#include "load.h"

enum { REGISTERING, JOINING, IN };

/* ":m1!~u@h PRIVMSG #bench :" and the line end: what is around a line at least. */
enum { AROUND_MIN = 20 };

static void on_open(struct load *l, struct conn *c)
{
    char s[128];
    int n = snprintf(s, sizeof s, "NICK m%u\r\nUSER u%u 0 * :bench\r\n", c->index, c->index);
    conn_send(l, c, s, (size_t)n);
}

/* A line that is not one of ours; len without the line end. */
static void on_other(struct load *l, struct conn *c, const char *p, size_t len)
{
    if (len > 5 && memcmp(p, "PING ", 5) == 0) {
        char s[600];
        int n = snprintf(s, sizeof s, "PONG %.*s\r\n", (int)(len - 5 > 512 ? 512 : len - 5), p + 5);
        conn_send(l, c, s, (size_t)n);
        return;
    }
    if (len > 6 && memcmp(p, "ERROR ", 6) == 0)
        die("the server said: %.*s", (int)len, p);
    const char *space = p[0] == ':' ? memchr(p, ' ', len) : NULL;
    if (!space || (size_t)(p + len - space) < 5 || space[4] != ' ')
        return;
    const char *code = space + 1;
    if (c->step == REGISTERING && memcmp(code, "001", 3) == 0) {
        c->step = JOINING;
        if (l->opt.room)
            conn_send(l, c, "JOIN #bench\r\n", 13);
    }
    /* The end of the message of the day, or none; the end of the names. */
    bool greeted = memcmp(code, "376", 3) == 0 || memcmp(code, "422", 3) == 0;
    bool joined = memcmp(code, "366", 3) == 0;
    if (c->step == JOINING && (l->opt.room ? joined : greeted)) {
        c->step = IN;
        conn_ready(l, c);
    }
    if (!c->ready && !greeted && (code[0] == '4' || code[0] == '5'))
        die("the server said: %.*s", (int)len, p);
}

static size_t on_bytes(struct load *l, struct conn *c, const uint8_t *p, size_t len)
{
    const uint8_t *at = p, *end = p + len, *lf;
    while ((lf = memchr(at, '\n', (size_t)(end - at)))) {
        size_t n = (size_t)(lf - at);
        if (n && at[n - 1] == '\r')
            n--;
        if (n < LINE_BYTES + AROUND_MIN || !line_delivered(l, at + n - LINE_BYTES))
            on_other(l, c, (const char *)at, n);
        at = lf + 1;
    }
    return (size_t)(at - p);
}

static void say(struct load *l, struct conn *c, const char line[static LINE_BYTES])
{
    char s[128];
    int n = snprintf(s, sizeof s, "PRIVMSG #bench :%.*s\r\n", LINE_BYTES, line);
    conn_send(l, c, s, (size_t)n);
}

const struct proto proto_irc = {
    .name = "irc", .on_open = on_open, .on_bytes = on_bytes, .say = say
};
