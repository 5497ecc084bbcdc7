#include "cli/json_in.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

struct reading {
    struct arena *a;
    const char *p;
    const char *wrong;
    bool nomem;
};

static void spaces(struct reading *r)
{
    r->p += strspn(r->p, " \t\r\n");
}

static bool take(struct reading *r, char c)
{
    spaces(r);
    if (*r->p != c)
        return false;
    r->p++;
    return true;
}

static bool wrong(struct reading *r, const char *what)
{
    if (!r->wrong)
        r->wrong = what;
    return false;
}

static bool hex4(struct reading *r, uint32_t *ret)
{
    uint32_t n = 0;

    for (int i = 0; i < 4; i++) {
        char c = r->p[i];
        if (!isxdigit((unsigned char)c))
            return wrong(r, "after \\u come four hexadecimal digits");
        n = n << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    r->p += 4;
    *ret = n;
    return true;
}

/* After "\u"; two of them may make one character. */
static bool escaped_character(struct reading *r, uint32_t *ret)
{
    uint32_t low;

    if (!hex4(r, ret))
        return false;
    if (*ret >= 0xd800 && *ret < 0xdc00) {
        if (r->p[0] != '\\' || r->p[1] != 'u')
            return wrong(r, "half of a character");
        r->p += 2;
        if (!hex4(r, &low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return wrong(r, "half of a character");
        *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
    }
    if (!*ret || (*ret >= 0xdc00 && *ret <= 0xdfff))
        return wrong(r, "a character that cannot be");
    return true;
}

static bool escape(struct reading *r, char **to)
{
    static const char from[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
    const char *at = *r->p ? strchr(from, *r->p) : NULL;
    uint32_t c;

    if (at) {
        *(*to)++ = means[at - from];
        r->p++;
        return true;
    }
    if (*r->p != 'u')
        return wrong(r, "an escape that JSON does not have");
    r->p++;
    if (!escaped_character(r, &c))
        return false;
    *to += utf8_put(*to, c);
    return true;
}

/* Decoded it is never longer than written. */
static const char *string(struct reading *r)
{
    char *text, *to;

    if (!take(r, '"')) {
        wrong(r, "a string is missing");
        return NULL;
    }
    text = to = arena_get(r->a, strlen(r->p) + 1);
    if (!text) {
        r->nomem = true;
        return NULL;
    }
    while (*r->p && *r->p != '"') {
        if (*r->p != '\\') {
            *to++ = *r->p++;
            continue;
        }
        r->p++;
        if (!escape(r, &to))
            return NULL;
    }
    *to = 0;
    if (*r->p != '"') {
        wrong(r, "a string has no end");
        return NULL;
    }
    r->p++;
    return text;
}

static bool value(struct reading *r, struct json_member *m)
{
    spaces(r);
    m->is_string = *r->p == '"';
    if (m->is_string)
        return (m->text = string(r)) != NULL;
    if (*r->p == '{' || *r->p == '[')
        return wrong(r, "a value is a string, a number, true, false or null");
    size_t n = strspn(r->p, "abcdefghijklmnopqrstuvwxyzE0123456789+-.");
    char *text = arena_get(r->a, n + 1);
    if (!text) {
        r->nomem = true;
        return false;
    }
    memcpy(text, r->p, n);
    r->p += n;
    m->text = text;
    bool number = isdigit((unsigned char)*text) || *text == '-';
    for (const char *p = text; number && *p; p++)
        number = !!strchr("0123456789+-.eE", *p);
    if (!number && strcmp(text, "true") != 0 && strcmp(text, "false") != 0 &&
        strcmp(text, "null") != 0)
        return wrong(r, "a value is a string, a number, true, false or null");
    return true;
}

static bool object(struct reading *r, struct json_in *ret)
{
    if (!take(r, '{'))
        return wrong(r, "this is no JSON object");
    if (take(r, '}'))
        return true;
    do {
        struct json_member *m = &ret->members[ret->n];
        if (ret->n == JSON_IN_MEMBERS_MAX)
            return wrong(r, "the object has too many members");
        m->key = string(r);
        if (!m->key)
            return false;
        if (!take(r, ':'))
            return wrong(r, "a colon is missing");
        if (!value(r, m))
            return false;
        ret->n++;
    } while (take(r, ','));
    return take(r, '}') || wrong(r, "the object has no end");
}

int json_in_parse(struct arena *a, const char *line, struct json_in *ret, const char **ret_wrong)
{
    struct reading r = { .a = a, .p = line };

    *ret = (struct json_in){ .n = 0 };
    bool ok = utf8_valid(line, strlen(line)) ? object(&r, ret) : wrong(&r, "this is not UTF-8");
    spaces(&r);
    if (ok && *r.p)
        ok = wrong(&r, "something stands behind the object");
    if (ok)
        return 0;
    *ret_wrong = r.wrong ? r.wrong : "out of memory";
    return r.nomem ? -ROOST_NOMEM : -ROOST_INVALID;
}

const struct json_member *json_in_get(const struct json_in *j, const char *key)
{
    for (size_t i = 0; i < j->n; i++)
        if (!strcmp(j->members[i].key, key))
            return &j->members[i];
    return NULL;
}

const char *json_in_text(const struct json_in *j, const char *key)
{
    const struct json_member *m = json_in_get(j, key);

    return m && (m->is_string || strcmp(m->text, "null") != 0) ? m->text : NULL;
}
