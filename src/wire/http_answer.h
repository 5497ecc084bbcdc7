/* http_answer.h - what an HTTP server says back, as bytes.
 *
 * Pure: the time is given. Every answer carries the headers that a careful server
 * sends: nothing is kept by caches, guessed at, framed, or told to other sites, and
 * no script or style runs but those whose digests are named.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

/* X(status, "its name", "a sentence for who meets it") */
#define HTTP_STATUSES(X)                                                                           \
    X(200, "OK", "All is well.")                                                                   \
    X(206, "Partial Content", "This is a part.")                                                   \
    X(400, "Bad Request", "This is not a request that this server understands.")                   \
    X(401, "Unauthorized",                                                                         \
      "This needs the header 'Authorization: Bearer TOKEN' with the right "                        \
      "token.")                                                                                    \
    X(403, "Forbidden", "This is not for you.")                                                    \
    X(404, "Not Found", "There is nothing here.")                                                  \
    X(405, "Method Not Allowed", "Only GET and HEAD are understood here.")                         \
    X(408, "Request Timeout", "The request took too long to come.")                                \
    X(413, "Content Too Large", "Nothing of this size can be sent here.")                          \
    X(414, "URI Too Long", "The address is too long.")                                             \
    X(416, "Range Not Satisfiable", "It is not that long.")                                        \
    X(429, "Too Many Requests", "As many files as you may have at one time are on their way.")     \
    X(431, "Request Header Fields Too Large", "The headers are too many, or too long.")            \
    X(503, "Service Unavailable", "The server is busy: try again in a moment.")                    \
    X(505, "HTTP Version Not Supported", "Speak HTTP/1.1 or HTTP/1.0 here.")

struct http_answer {
    unsigned status;    /* of the list; else 503 is said */
    const char *type;   /* NULL: text/plain; "; charset=utf-8" is added */
    const char *extra;  /* whole header lines, each with its "\r\n"; NULL: none */
    const char *policy; /* Content-Security-Policy beside default-src 'none'; NULL: none */
    const char *body;   /* NULL: the sentence of the status */
    size_t len;
    uint64_t later; /* bytes of the body that its sender sends behind this */
    bool is_bytes;  /* the type is not text: no charset */
    bool head_only; /* the answer to HEAD: all but the body */
    bool keep_alive;
    int64_t wall_ms; /* for the header Date */
};

/* One reference; NULL: out of memory. */
struct blob *http_answer_encode(const struct http_answer *a);

const char *http_sentence(unsigned status);
