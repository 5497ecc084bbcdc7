#include "server/web.h"

#include <string.h>
#include <strings.h>

#include "seal/digest.h"

static struct web_choice refuse(unsigned status, const char *extra, const char *sentence)
{
    return (struct web_choice){
        .what = WEB_REFUSED, .status = status, .extra = extra, .sentence = sentence
    };
}

/* --- each route's own question ----------------------------------------------------- */

static struct web_choice home(const struct http_request *q, const struct web_visitor *v)
{
    (void)q, (void)v;
    return (struct web_choice){ .what = WEB_HOME };
}

static struct web_choice health(const struct http_request *q, const struct web_visitor *v)
{
    (void)q, (void)v;
    return (struct web_choice){ .what = WEB_HEALTH };
}

/* In a time that does not tell how much of it was right. */
static bool token_is(const char *given, const char *token)
{
    uint8_t a[32], b[32];

    return !seal_sha256(a, &(struct seal_part){ given, strlen(given) }, 1) &&
           !seal_sha256(b, &(struct seal_part){ token, strlen(token) }, 1) &&
           seal_equal(a, b, sizeof a);
}

/* A proxy on this machine speaks for others. */
static bool is_forwarded(const struct http_request *q)
{
    return http_header(q, "Forwarded") || http_header(q, "X-Forwarded-For") ||
           http_header(q, "Via");
}

static struct web_choice metrics(const struct http_request *q, const struct web_visitor *v)
{
    const char *given = http_header(q, "Authorization");
    bool bearer = given && !strncasecmp(given, "Bearer ", 7);

    if (*v->metrics_token && bearer && token_is(given + 7, v->metrics_token))
        return (struct web_choice){ .what = WEB_METRICS };
    if (v->loopback && !is_forwarded(q) && (!given || !*v->metrics_token))
        return (struct web_choice){ .what = WEB_METRICS };
    if (*v->metrics_token)
        return refuse(401, "WWW-Authenticate: Bearer realm=\"metrics\"\r\n", NULL);
    return refuse(403, NULL,
                  "The figures are for this machine only; the setting metrics.token lets others"
                  " in.\n");
}

static struct web_choice meeting(const struct http_request *q, const struct web_visitor *v)
{
    struct web_choice c = { .what = WEB_MEETING };
    const char *code = q->path + strlen("/j/");
    size_t n = strspn(code, "0123456789");

    (void)v;
    if (code[n] || n < WEB_CODE_MIN || n > WEB_CODE_MAX)
        return refuse(404, NULL, NULL);
    memcpy(c.code, code, n + 1);
    return c;
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four letters of base 64 are three bytes. -1: it is none, or too long. */
static int base64_read(char *ret, size_t cap, const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, n_bits = 0;
    size_t n = 0;

    for (; *text && *text != '='; text++) {
        const char *at = strchr(letters, *text);
        if (!at || n + 1 >= cap)
            return -1;
        bits = (bits << 6 | (unsigned)(at - letters)) & 0xffffff;
        n_bits += 6;
        if (n_bits >= 8)
            ret[n++] = (char)(bits >> (n_bits -= 8));
    }
    ret[n] = 0;
    return text[strspn(text, "=")] ? -1 : (int)n;
}

/* "Bearer WORD", or "Basic": any name, and the word as its password. */
static bool bearer_of(const char *given, char ret[static WEB_BEARER_MAX + 1])
{
    char pair[3 * WEB_BEARER_MAX];
    const char *word = NULL;

    if (!strncasecmp(given, "Bearer ", 7))
        word = given + 7;
    else if (!strncasecmp(given, "Basic ", 6) && base64_read(pair, sizeof pair, given + 6) >= 0)
        word = strchr(pair, ':') ? strchr(pair, ':') + 1 : NULL;
    if (!word || strlen(word) > WEB_BEARER_MAX)
        return false;
    strcpy(ret, word);
    return true;
}

/* "/files/7" and perhaps "/name", for who shows a word of a session: nothing secret is in it. */
static struct web_choice file_of(struct web_choice c, const char *given)
{
    c.what = WEB_FILE_OF;
    return given && bearer_of(given, c.bearer) ? c : refuse(401, WEB_FILES_LOGIN, NULL);
}

/* "/files/7/TOKEN/name"; the name is for people. */
static struct web_choice file(const struct http_request *q, const struct web_visitor *v)
{
    struct web_choice c = { .what = WEB_FILE };
    const char *given = http_header(q, "Authorization"), *p = q->path + strlen("/files/");
    size_t n = strspn(p, "0123456789");

    (void)v;
    for (size_t i = 0; i < n && n < 19; i++)
        c.file = c.file * 10 + (uint64_t)(p[i] - '0');
    if (!c.file || (p[n] && p[n] != '/'))
        return refuse(404, NULL, NULL);
    if (given || !p[n] || !p[n + 1])
        return file_of(c, given);
    p += n + 1;
    for (size_t i = 0; i < 2 * sizeof c.token; i++) {
        int d = digit(p[i]);
        if (d < 0)
            return file_of(c, given);
        c.token[i / 2] = (uint8_t)(c.token[i / 2] << 4 | d);
    }
    p += 2 * sizeof c.token;
    return *p && *p != '/' ? refuse(404, NULL, NULL) : c;
}

/* --- the table ------------------------------------------------------------------------ */

struct route {
    const char *path; /* a "/" at its end (but for the first): what begins so */
    struct web_choice (*choose)(const struct http_request *q, const struct web_visitor *v);
};

static const struct route routes[] = {
    { "/", home },      { "/healthz", health }, { "/metrics", metrics },
    { "/j/", meeting }, { "/files/", file },
};

static bool leads_to(const struct route *r, const char *path)
{
    size_t n = strlen(r->path);

    return n > 1 && r->path[n - 1] == '/' ? !strncmp(path, r->path, n) : !strcmp(path, r->path);
}

struct web_choice web_choose(const struct http_request *q, const struct web_visitor *v)
{
    if (q->method == HTTP_IS_OTHER)
        return refuse(405, "Allow: GET, HEAD\r\n", NULL);
    if (q->too_large)
        return refuse(413, NULL, NULL);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (leads_to(&routes[i], q->path))
            return routes[i].choose(q, v);
    return refuse(404, NULL, NULL);
}
