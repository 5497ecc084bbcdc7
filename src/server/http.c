#include "server/http.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char page[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<title>Roost</title>\n"
    "<h1>Roost</h1>\n"
    "<p>This is a Roost server. Join it from a terminal, with the name and the port\n"
    "that your browser shows:</p>\n"
    "<pre>roost -s HOST:PORT register NAME\n"
    "roost -s HOST:PORT chat</pre>\n"
    "<p>The connection closes after this page.</p>\n"
    "</html>\n";

/* Length of the head with its empty line, 0 if that has not come. */
static size_t head_len(const uint8_t *in, size_t len)
{
    const uint8_t *end = memmem(in, len, "\r\n\r\n", 4);

    return end ? (size_t)(end - in) + 4 : 0;
}

static bool token_char(uint8_t c)
{
    return c > 0x20 && c < 0x7f;
}

struct line {
    const char *method, *target;
    size_t method_len, target_len;
};

/* "GET /x HTTP/1.1": three words of visible ASCII, one space between. */
static bool parse_line(const uint8_t *in, size_t len, struct line *ret)
{
    const uint8_t *end = memmem(in, len, "\r\n", 2), *p = in;
    const uint8_t *words[3];
    size_t lens[3];

    for (int i = 0; i < 3; i++) {
        words[i] = p;
        while (p < end && token_char(*p))
            p++;
        lens[i] = (size_t)(p - words[i]);
        if (!lens[i] || (i < 2 && (p >= end || *p++ != ' ')))
            return false;
    }
    *ret = (struct line){ (const char *)words[0], (const char *)words[1], lens[0], lens[1] };
    return p == end && lens[2] == 8 && !memcmp(words[2], "HTTP/1.", 7);
}

static bool is(const char *word, size_t len, const char *text)
{
    return len == strlen(text) && !memcmp(word, text, len);
}

static struct blob *answer(const char *status, const char *extra, const char *type,
                           const char *body, bool with_body)
{
    char head[512];
    size_t body_len = strlen(body);
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %s\r\n"
                     "Content-Type: %s; charset=utf-8\r\n"
                     "Content-Length: %zu\r\n"
                     "Connection: close\r\n"
                     "Cache-Control: no-store\r\n"
                     "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n"
                     "X-Content-Type-Options: nosniff\r\n"
                     "Referrer-Policy: no-referrer\r\n"
                     "%s\r\n",
                     status, type, body_len, extra);
    struct blob *b = blob_new((size_t)n + (with_body ? body_len : 0));

    if (!b)
        return NULL;
    memcpy(b->bytes, head, (size_t)n);
    if (with_body)
        memcpy(b->bytes + n, body, body_len);
    return b;
}

static struct blob *refusal(const char *status, const char *extra, bool with_body)
{
    return answer(status, extra, "text/plain", status, with_body);
}

static struct blob *choose(const uint8_t *in, size_t len)
{
    struct line line;

    if (!len)
        return refusal("431 Request Header Fields Too Large", "", true);
    if (!parse_line(in, len, &line))
        return refusal("400 Bad Request", "", true);

    bool head = is(line.method, line.method_len, "HEAD");
    if (!head && !is(line.method, line.method_len, "GET"))
        return refusal("405 Method Not Allowed", "Allow: GET, HEAD\r\n", true);
    if (!is(line.target, line.target_len, "/"))
        return refusal("404 Not Found", "", !head);
    return answer("200 OK", "", "text/html", page, !head);
}

int http_answer(const uint8_t *in, size_t len, struct blob **ret)
{
    size_t n = head_len(in, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX);

    if (!n && len < HTTP_HEAD_MAX)
        return 0;
    *ret = choose(in, n);
    return *ret ? 1 : -ROOST_NOMEM;
}
