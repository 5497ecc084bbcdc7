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

/* "/files/7/TOKEN/name"; the name is for people. */
static struct web_choice file(const struct http_request *q, const struct web_visitor *v)
{
    struct web_choice c = { .what = WEB_FILE };
    const char *p = q->path + strlen("/files/");
    size_t n = strspn(p, "0123456789");

    (void)v;
    for (size_t i = 0; i < n && n < 19; i++)
        c.file = c.file * 10 + (uint64_t)(p[i] - '0');
    if (!c.file || p[n] != '/')
        return refuse(404, NULL, NULL);
    p += n + 1;
    for (size_t i = 0; i < 2 * sizeof c.token; i++) {
        int d = digit(p[i]);
        if (d < 0)
            return refuse(404, NULL, NULL);
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
