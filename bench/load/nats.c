/* nats.c - a plain NATS client, for nats-server.
 *
 * "echo":false, so that, as in IRC, one does not get back what one said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

static void on_open(struct load *l, struct conn *c)
{
    (void)l;
    (void)c; /* the server speaks first */
}

static void on_info(struct load *l, struct conn *c)
{
    char s[256];
    int n = snprintf(s, sizeof s,
                     "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,\"lang\":\"c\","
                     "\"version\":\"1\",\"protocol\":1,\"name\":\"m%u\"}\r\n%sPING\r\n",
                     c->index, l->opt.room ? "SUB bench 1\r\n" : "");
    conn_send(l, c, s, (size_t)n);
}

static void on_control(struct load *l, struct conn *c, const char *p, size_t len)
{
    if (len >= 4 && memcmp(p, "PING", 4) == 0)
        conn_send(l, c, "PONG\r\n", 6);
    else if (len >= 4 && memcmp(p, "PONG", 4) == 0 && !c->ready)
        conn_ready(l, c);
    else if (len >= 4 && memcmp(p, "INFO", 4) == 0 && !c->ready && c->step++ == 0)
        on_info(l, c);
    else if (len >= 4 && memcmp(p, "-ERR", 4) == 0)
        die("the server said: %.*s", (int)len, p);
}

/* "MSG bench 1 64": the last number is the payload's length. */
static size_t payload_of(const char *p, size_t len)
{
    size_t n = 0, i = len;
    while (i && p[i - 1] != ' ')
        i--;
    while (i < len)
        n = n * 10 + (size_t)(p[i++] - '0');
    return n;
}

static size_t on_bytes(struct load *l, struct conn *c, const uint8_t *p, size_t len)
{
    const uint8_t *at = p, *end = p + len, *lf;
    while ((lf = memchr(at, '\n', (size_t)(end - at)))) {
        size_t n = (size_t)(lf - at);
        if (n && at[n - 1] == '\r')
            n--;
        const uint8_t *next = lf + 1;
        if (n > 4 && memcmp(at, "MSG ", 4) == 0) {
            size_t payload = payload_of((const char *)at, n);
            if ((size_t)(end - next) < payload + 2)
                break;
            if (payload == LINE_BYTES)
                line_delivered(l, next);
            next += payload + 2;
        } else {
            on_control(l, c, (const char *)at, n);
        }
        at = next;
    }
    return (size_t)(at - p);
}

static void say(struct load *l, struct conn *c, const char line[static LINE_BYTES])
{
    char s[128];
    int n = snprintf(s, sizeof s, "PUB bench %d\r\n%.*s\r\n", LINE_BYTES, LINE_BYTES, line);
    conn_send(l, c, s, (size_t)n);
}

const struct proto proto_nats = {
    .name = "nats", .on_open = on_open, .on_bytes = on_bytes, .say = say
};
