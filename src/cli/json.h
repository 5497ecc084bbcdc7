/* json.h - writes one JSON object a line.
 *
 *     struct json j;
 *     json_begin(&j, out);
 *     json_str(&j, "event", "message");
 *     json_end(&j);                      // the object and its line end
 *
 * A key of NULL stands for an element of an array. Strings may hold anything:
 * what is not UTF-8 comes out as U+FFFD, so a line is always valid JSON. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/buf.h"

struct json {
    struct buf *out;
    bool comma; /* something stands before in this object or array */
};

void json_begin(struct json *j, struct buf *out);
void json_end(struct json *j);

void json_str(struct json *j, const char *key, const char *s);              /* NULL gives null */
void json_id(struct json *j, const char *key, uint64_t room, uint64_t seq); /* "ROOM:SEQ" */
void json_u64(struct json *j, const char *key, uint64_t n);
void json_fixed(struct json *j, const char *key, double x); /* three decimals */
void json_bool(struct json *j, const char *key, bool b);
void json_null(struct json *j, const char *key);
void json_raw(struct json *j, const char *key, const char *value); /* is JSON already */
/* RFC 3339, UTC, with milliseconds; null for 0. */
void json_time(struct json *j, const char *key, int64_t ms);

void json_open(struct json *j, const char *key, char bracket); /* '[' or '{' */
void json_close(struct json *j, char bracket);                 /* ']' or '}' */
