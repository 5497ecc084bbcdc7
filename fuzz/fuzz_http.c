/* HTTP: whatever arrives, in pieces of whatever size, gives the same requests and the
 * same end as in one piece, within the limits; and each request an answer. First
 * byte: piece size. Second: the largest body. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/pages.h"
#include "server/web.h"
#include "wire/http.h"
#include "wire/http_answer.h"

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return (h ^ len) * 0x100000001b3u;
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    return text ? mix(h, text, strlen(text)) : mix(h, "", 0);
}

static void answer(const struct http_request *q)
{
    const struct web_visitor far = { .metrics_token = "0123456789abcdef" };
    struct web_choice c = web_choose(q, &far);

    assert(c.what != WEB_METRICS ||
           (http_header(q, "authorization") && strstr(http_header(q, "authorization"), "cdef")));
    char *page = c.what == WEB_MEETING ? page_meeting(c.code, MEETING_LIVE, q->path) : NULL;
    struct http_answer a = { .status = c.what == WEB_REFUSED ? c.status : 200,
                             .extra = c.extra,
                             .body = page ? page : c.sentence,
                             .head_only = q->method == HTTP_IS_HEAD };
    a.len = a.body ? strlen(a.body) : 0;
    struct blob *b = http_answer_encode(&a);
    assert(!b || (b->len > 9 && !memcmp(b->bytes, "HTTP/1.1 ", 9)));
    blob_unref(b);
    free(page);
}

static uint64_t mix_request(uint64_t h, const struct http_request *q, size_t body_max)
{
    size_t headers = 0;

    assert(strlen(q->path) <= HTTP_TARGET_MAX && q->n_headers <= HTTP_HEADERS_NR_MAX);
    assert(q->body_len <= body_max && !(q->too_large && q->keep_alive));
    h = mix_text(mix_text(mix(h, &q->method, sizeof q->method), q->path), q->query);
    h = mix(mix(h, &q->keep_alive, 1), &q->too_large, 1);
    for (size_t i = 0; i < q->n_headers; i++) {
        h = mix_text(mix_text(h, q->headers[i].name), q->headers[i].value);
        headers += strlen(q->headers[i].name) + strlen(q->headers[i].value);
    }
    assert(headers <= HTTP_HEADERS_MAX);
    answer(q);
    return mix(h, q->body, q->body_len);
}

static uint64_t read_all(const uint8_t *data, size_t len, size_t piece, size_t body_max)
{
    struct http_reader *r = http_reader_new(body_max);
    uint64_t h = 0xcbf29ce484222325u;
    struct http_request q;
    int got = 0;

    for (size_t at = 0; r && at < len && got >= 0; at += piece) {
        const uint8_t *p = data + at, *end = data + (at + piece < len ? at + piece : len);

        while ((got = http_next(r, &p, end, &q)) > 0)
            h = mix_request(h, &q, body_max);
        assert(p == end);
    }
    /* of several things that are wrong, another may be seen first */
    if (r && got < 0)
        assert(http_reader_status(r) >= 400);
    h = mix(h, got < 0 ? "refused" : "taken", 5);
    http_reader_free(r);
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    size_t piece = 1 + data[0], body_max = data[1];
    uint64_t whole = read_all(data + 2, len - 2, len, body_max);
    uint64_t parts = read_all(data + 2, len - 2, piece, body_max);
    assert(whole == parts);
    return 0;
}
