#include "cli/meet_link.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

enum { CODE_DIGITS_MIN = 6, CODE_DIGITS_MAX = 9, CODE_PART = 3 };

static int wrong(const char **ret_wrong, const char *what)
{
    *ret_wrong = what;
    return -ROOST_INVALID;
}

/* Digits, with spaces or dashes between them. */
static bool read_code(const char *s, size_t len, char *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (s[i] >= '0' && s[i] <= '9' && n < CODE_DIGITS_MAX)
            ret[n++] = s[i];
        else if (!(s[i] == ' ' || s[i] == '-') || !n)
            return false;
    }
    ret[n] = 0;
    return n >= CODE_DIGITS_MIN;
}

static bool read_secret(const char *s, char *ret)
{
    size_t n = strlen(s);

    if (!n || n >= MEET_LINK_SECRET_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", s[i]))
            return false;
    memcpy(ret, s, n + 1);
    return true;
}

/* After "https:" or "roost:"; NULL: no link. */
static const char *after_scheme(const char *s, bool *ret_https)
{
    *ret_https = !strncasecmp(s, "https://", 8);
    if (*ret_https)
        return s + 8;
    if (strncasecmp(s, "roost:", 6) != 0)
        return NULL;
    s += 6;
    return strncmp(s, "//", 2) == 0 ? s + 2 : s;
}

/* A link without a port means what its scheme means. */
static bool put_server(const char *s, size_t len, bool https, char *ret)
{
    if (!len || len + 5 > MEET_LINK_SERVER_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)s[i] <= ' ' || strchr("@\\\"<>|\x7f", s[i]))
            return false;
    memcpy(ret, s, len);
    ret[len] = 0;
    const char *bracket = strrchr(ret, ']'), *colon = strrchr(ret, ':');
    bool has_port = colon && (!bracket || colon > bracket);
    if (https && !has_port)
        strcat(ret, ":443");
    return true;
}

int meet_link_parse(const char *s, struct meet_link *ret, const char **ret_wrong)
{
    struct meet_link l = { 0 };
    bool https;

    s += strspn(s, " \t<");
    const char *host = after_scheme(s, &https);
    if (!host) {
        if (!read_code(s, strlen(s), l.code))
            return wrong(ret_wrong, *s && s[strspn(s, "0123456789 -")] == 0
                                        ? "a code has six to nine digits"
                                        : "this is neither a code nor a link of a meeting");
        *ret = l;
        return 0;
    }
    size_t host_len = strcspn(host, "/?#");
    const char *path = host + host_len;
    if (!put_server(host, host_len, https, l.server))
        return wrong(ret_wrong, "the link names no server");
    if (strncmp(path, "/j/", 3) != 0)
        return wrong(ret_wrong, "this is a link, but not of a meeting");
    size_t code_len = strcspn(path + 3, "#/?>");
    if (!read_code(path + 3, code_len, l.code))
        return wrong(ret_wrong, "there is no code in this link");
    const char *rest = path + 3 + code_len;
    if (*rest == '#' && !read_secret(rest + 1, l.secret))
        return wrong(ret_wrong, "the secret at the end of this link is not whole");
    if (*rest && *rest != '#')
        return wrong(ret_wrong, "this is a link, but not of a meeting");
    *ret = l;
    return 0;
}

static size_t digits(const char *s)
{
    size_t n = strspn(s, "0123456789");

    return s[n] ? 0 : n;
}

size_t meet_link_words(const char *const *words, size_t n)
{
    size_t used = 1;

    while (used < n && used * CODE_PART < CODE_DIGITS_MAX && digits(words[used - 1]) == CODE_PART &&
           digits(words[used]) && digits(words[used]) <= CODE_PART)
        used++;
    return used;
}

void meet_link_put(struct buf *b, const char *server, const char *code, const char *secret)
{
    buf_printf(b, "https://%s/j/%s%s%s", server, code, *secret ? "#" : "", secret);
}
