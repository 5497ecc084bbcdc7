/* HTTP requests out of pieces, their limits, and the bytes of an answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "test.h"
#include "wire/http.h"
#include "wire/http_answer.h"

/* A reader that was fed `text` in pieces of `step` bytes, and what came of it. */
struct reading {
    struct http_reader *reader;
    struct http_request last; /* borrows from reader */
    int requests, err;
    unsigned status;
};

static struct reading feed(const char *text, size_t len, size_t step, size_t body_max)
{
    struct reading g = { .reader = http_reader_new(body_max) };
    const uint8_t *all = (const uint8_t *)text, *end = all + len;

    CHECK(g.reader != NULL);
    for (const uint8_t *at = all; g.reader && at < end && g.err >= 0; at += step) {
        const uint8_t *p = at, *stop = (size_t)(end - at) < step ? end : at + step;

        while ((g.err = http_next(g.reader, &p, stop, &g.last)) > 0)
            g.requests++;
        CHECK(p == stop);
    }
    g.status = g.reader ? http_reader_status(g.reader) : 0;
    return g;
}

static struct reading read_text(const char *text)
{
    return feed(text, strlen(text), strlen(text), 0);
}

/* Refused with this status, however it is cut. */
static bool refused(const char *text, unsigned status)
{
    bool ok = true;

    for (size_t step = 1; step <= strlen(text); step = step < 4 ? step + 1 : step * 4) {
        struct reading g = feed(text, strlen(text), step, 0);
        ok = ok && g.err < 0 && g.status == status;
        http_reader_free(g.reader);
    }
    return ok;
}

static void a_request_is_whole_at_its_empty_line(void)
{
    struct http_reader *r = http_reader_new(0);
    const char *text = "GET /healthz?full=1 HTTP/1.1\r\nHost: a\r\nX-Long:  two words \r\n\r\n";
    const uint8_t *p = (const uint8_t *)text, *end = p + strlen(text) - 1;
    struct http_request q;

    CHECK(r);
    CHECK(http_reader_is_idle(r));
    CHECK(http_next(r, &p, end, &q) == 0 && p == end);
    CHECK(!http_reader_is_idle(r));
    CHECK(http_next(r, &p, end + 1, &q) == 1 && p == end + 1);
    CHECK(http_reader_is_idle(r));
    CHECK(q.method == HTTP_IS_GET && q.keep_alive && !q.too_large);
    CHECK(!strcmp(q.path, "/healthz") && !strcmp(q.query, "full=1"));
    CHECK(q.n_headers == 2 && !strcmp(http_header(&q, "HOST"), "a"));
    CHECK(!strcmp(http_header(&q, "x-long"), "two words"));
    CHECK(!http_header(&q, "none"));
    http_reader_free(r);
}

static void one_byte_at_a_time_is_the_same(void)
{
    static const char text[] =
        "HEAD / HTTP/1.1\r\nHost: a\r\nAccept: b\r\n\r\n"
        "GET /j/123456 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n"
        "\r\nGET / HTTP/1.0\r\n\r\nGET /never HTTP/1.1\r\n";

    for (size_t step = 1; step < sizeof text; step++) {
        struct reading g = feed(text, sizeof text - 1, step, 0);

        /* HTTP/1.0 closes: what comes behind it is not read */
        CHECK(g.requests == 3 && g.err == 0);
        CHECK(!strcmp(g.last.path, "/") && !g.last.keep_alive);
        CHECK(http_reader_is_idle(g.reader));
        http_reader_free(g.reader);
    }
}

static void who_wants_to_stay_may(void)
{
    static const struct {
        const char *text;
        bool stays;
    } cases[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reading g = read_text(cases[i].text);
        CHECK(g.requests == 1 && g.last.keep_alive == cases[i].stays);
        http_reader_free(g.reader);
    }
}

static bool has_path(const char *text, const char *path)
{
    struct reading g = read_text(text);
    bool ok = g.requests == 1 && !strcmp(g.last.path, path);

    http_reader_free(g.reader);
    return ok;
}

static void a_target_may_name_its_host(void)
{
    CHECK(has_path("GET https://a:5000/metrics?x HTTP/1.1\r\nHost: a\r\n\r\n", "/metrics"));
    CHECK(has_path("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "/"));
    CHECK(has_path("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "*"));
    CHECK(has_path("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "a:443"));
}

static void what_is_no_request_is_refused(void)
{
    CHECK(refused("hello\r\n\r\n", 400));
    CHECK(refused("GET / HTTP/1.1\r\n\r\n", 400));                       /* no host */
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)); /* two */
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", 400));
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400));
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n",
                  400));
    CHECK(refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400));
    CHECK(refused("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 405));
    CHECK(refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505));
    CHECK(refused("GET / HTTP/1.7\r\nHost: a\r\n\r\n", 505));
    CHECK(refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505));
    CHECK(refused("GET /\r\n\r\n", 505));
}

/* "GET /aaa… HTTP/1.1", or headers of that size */
static char *long_request(size_t target, size_t headers, size_t header_len, size_t blanks)
{
    char *text = malloc(target + headers * (header_len + 16) + blanks + 64), *p = text;

    if (!text)
        return NULL;
    p += sprintf(p, "GET /");
    memset(p, 'a', target);
    p += target;
    p += sprintf(p, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < headers; i++) {
        p += sprintf(p, "h%zu: ", i);
        memset(p, 'v', header_len);
        p += header_len;
        p += sprintf(p, "\r\n");
    }
    if (blanks) {
        p += sprintf(p, "b:");
        memset(p, ' ', blanks);
        p += blanks;
        p += sprintf(p, "x\r\n");
    }
    sprintf(p, "\r\n");
    return text;
}

static unsigned status_of_long(size_t target, size_t headers, size_t header_len, size_t blanks)
{
    char *text = long_request(target, headers, header_len, blanks);

    CHECK(text);
    if (!text)
        return 0;
    struct reading g = read_text(text);
    unsigned status = g.requests ? 200 : g.status;
    http_reader_free(g.reader);
    free(text);
    return status;
}

static void every_limit_is_reached_and_held(void)
{
    CHECK(status_of_long(HTTP_TARGET_MAX - 1, 0, 0, 0) == 200);
    CHECK(status_of_long(HTTP_TARGET_MAX, 0, 0, 0) == 414);
    CHECK(status_of_long(1000000, 0, 0, 0) == 414);
    CHECK(status_of_long(0, HTTP_HEADERS_NR_MAX - 1, 10, 0) == 200);
    CHECK(status_of_long(0, HTTP_HEADERS_NR_MAX, 10, 0) == 431);
    CHECK(status_of_long(0, 1, HTTP_HEADERS_MAX - 10, 0) == 200);
    CHECK(status_of_long(0, 1, HTTP_HEADERS_MAX, 0) == 431);
    CHECK(status_of_long(0, 20, 1000, 0) == 431);
    CHECK(status_of_long(0, 0, 0, HTTP_HEAD_MAX) == 431); /* blanks are bytes too */
    CHECK(status_of_long(0, 0, 0, 5000000) == 431);
}

static void a_body_that_nobody_wants_is_left(void)
{
    static const char *const texts[] = {
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t step = 1; step < 100; step *= 3) {
            struct reading g = feed(texts[i], strlen(texts[i]), step, 0);
            CHECK(g.requests == 1 && g.last.too_large && !g.last.keep_alive && !g.last.body_len);
            CHECK(g.last.method == HTTP_IS_OTHER);
            http_reader_free(g.reader);
        }
}

static void a_body_within_the_limit_comes_whole(void)
{
    static const char text[] = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                               "POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nTrailer: x\r\n\r\n"
                               "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                               "chunked\r\n\r\n4\r\nhell\r\n4\r\no wo\r\n";

    for (size_t step = 1; step < sizeof text; step += 7) {
        struct http_reader *r = http_reader_new(5);
        struct http_request q;
        int n = 0;

        CHECK(r);
        for (size_t at = 0; r && at < sizeof text - 1; at += step) {
            const uint8_t *p = (const uint8_t *)text + at;
            const uint8_t *end = at + step < sizeof text - 1
                                     ? p + step
                                     : (const uint8_t *)text + sizeof text - 1;
            while (http_next(r, &p, end, &q) > 0) {
                n++;
                if (n < 3)
                    CHECK(!q.too_large && q.body_len == 5 && !memcmp(q.body, "hello", 5));
                else
                    CHECK(q.too_large && !q.body_len);
            }
        }
        CHECK(n == 3);
        http_reader_free(r);
    }
}

static void chunks_cannot_be_dressed_up_for_ever(void)
{
    struct http_reader *r = http_reader_new(100);
    const char *head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    const uint8_t *p = (const uint8_t *)head, *end = p + strlen(head);
    struct http_request q;
    int err = 0;

    CHECK(r);
    CHECK(http_next(r, &p, end, &q) == 0);
    for (int i = 0; i < 20000 && !err; i++) {
        const uint8_t one[] = { 'x' }, *x = one;
        err = http_next(r, &x, one + 1, &q);
    }
    CHECK(err == -ROOST_LIMIT && http_reader_status(r) == 413);
    http_reader_free(r);
}

static bool holds(const struct blob *b, const char *text)
{
    return b && memmem(b->bytes, b->len, text, strlen(text));
}

static void an_answer_is_careful(void)
{
    /* the example of RFC 9110 */
    struct http_answer a = { .status = 200, .body = "hi", .len = 2, .wall_ms = 784111777000 };
    struct blob *b = http_answer_encode(&a);

    CHECK(holds(b, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: roostd\r\n"));
    CHECK(holds(b, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"));
    CHECK(holds(b, "Connection: close\r\n"));
    CHECK(holds(b, "Cache-Control: no-store\r\n"));
    CHECK(holds(b, "X-Content-Type-Options: nosniff\r\n"));
    CHECK(holds(b, "Referrer-Policy: no-referrer\r\n"));
    CHECK(holds(b, "default-src 'none'") && holds(b, "frame-ancestors 'none'"));
    CHECK(holds(b, "\r\n\r\nhi"));
    blob_unref(b);

    a.head_only = a.keep_alive = true;
    b = http_answer_encode(&a);
    CHECK(holds(b, "Content-Length: 2\r\n") && holds(b, "Connection: keep-alive\r\n"));
    CHECK(!memcmp(b->bytes + b->len - 4, "\r\n\r\n", 4));
    blob_unref(b);
}

static void a_refusal_is_a_sentence(void)
{
    struct http_answer a = { .status = 414, .extra = "X-More: 1\r\n" };
    struct blob *b = http_answer_encode(&a);

    CHECK(holds(b, "HTTP/1.1 414 URI Too Long\r\n") && holds(b, "X-More: 1\r\n\r\n"));
    CHECK(holds(b, "\r\n\r\nThe address is too long.\n"));
    blob_unref(b);

    a.status = 999; /* no such thing */
    b = http_answer_encode(&a);
    CHECK(holds(b, "HTTP/1.1 503 "));
    blob_unref(b);
}

TEST_MAIN({ "a_request_is_whole_at_its_empty_line", a_request_is_whole_at_its_empty_line },
          { "one_byte_at_a_time_is_the_same", one_byte_at_a_time_is_the_same },
          { "who_wants_to_stay_may", who_wants_to_stay_may },
          { "a_target_may_name_its_host", a_target_may_name_its_host },
          { "what_is_no_request_is_refused", what_is_no_request_is_refused },
          { "every_limit_is_reached_and_held", every_limit_is_reached_and_held },
          { "a_body_that_nobody_wants_is_left", a_body_that_nobody_wants_is_left },
          { "a_body_within_the_limit_comes_whole", a_body_within_the_limit_comes_whole },
          { "chunks_cannot_be_dressed_up_for_ever", chunks_cannot_be_dressed_up_for_ever },
          { "an_answer_is_careful", an_answer_is_careful },
          { "a_refusal_is_a_sentence", a_refusal_is_a_sentence })
