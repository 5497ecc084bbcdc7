/* json_in.h - one JSON object from one line, as programs write them to `meet join`. Pure.
 *
 * Flat: values are strings, numbers, true, false or null; an object or array within
 * is refused. Strings come decoded and end in a zero byte, so \u0000 is refused; all
 * lives in the arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum { JSON_IN_MEMBERS_MAX = 16 };

struct json_member {
    const char *key;
    const char *text; /* a string's characters; else the word as it was written */
    bool is_string;
};

struct json_in {
    struct json_member members[JSON_IN_MEMBERS_MAX];
    size_t n;
};

/* 0, -ROOST_INVALID with what is wrong (a constant), or -ROOST_NOMEM. */
int json_in_parse(struct arena *a, const char *line, struct json_in *ret, const char **ret_wrong);
const struct json_member *json_in_get(const struct json_in *j, const char *key); /* or NULL */
/* The text of a string, or of a number; NULL: not there, or null. */
const char *json_in_text(const struct json_in *j, const char *key);
