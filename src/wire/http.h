/* http.h - HTTP/1.x requests out of bytes that come in pieces (RFC 9112).
 *
 * llhttp knows the grammar; this keeps what was said, holds the limits, and says
 * what to answer when a request cannot be taken. Pure. A reader belongs to one
 * connection; it holds the memory of one request, and a request that it gave out
 * borrows from it until the next call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_TARGET_MAX = 2048,    /* bytes; longer: 414 */
    HTTP_HEADERS_MAX = 8192,   /* bytes of names and values together; more: 431 */
    HTTP_HEADERS_NR_MAX = 64,  /* more: 431 */
    HTTP_HEAD_MAX = 12 * 1024, /* all bytes up to the body, blanks too; more: 431 */
};

enum http_method { HTTP_IS_GET, HTTP_IS_HEAD, HTTP_IS_OTHER };

struct http_header {
    const char *name, *value;
};

struct http_request {
    enum http_method method;
    bool keep_alive; /* the client wants it, and nothing forbids it */
    bool too_large;  /* its body is: it was not read, and nothing is read any more */
    const char *path;
    const char *query; /* without the "?"; NULL: none */
    const struct http_header *headers;
    size_t n_headers;
    const uint8_t *body;
    size_t body_len;
};

struct http_reader;

/* body_max: bytes; 0: no body is taken. NULL: out of memory. */
struct http_reader *http_reader_new(size_t body_max);
void http_reader_free(struct http_reader *r); /* NULL is fine */

/* Takes bytes from *p on and moves it. 1: *ret is a whole request. 0: all is taken,
 * more is needed. -ROOST_MALFORMED, -ROOST_LIMIT, -ROOST_NOMEM: nothing can be read
 * any more; http_reader_status is what to answer before closing. */
int http_next(struct http_reader *r, const uint8_t **p, const uint8_t *end,
              struct http_request *ret);
unsigned http_reader_status(const struct http_reader *r);
/* No byte of a request has come since the last one was given out. */
bool http_reader_is_idle(const struct http_reader *r);

/* The first header of that name, in any case; NULL: none. */
const char *http_header(const struct http_request *q, const char *name);
