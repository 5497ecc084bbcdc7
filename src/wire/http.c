#include "wire/http.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

enum { TEXT_FIRST = 512 };

/* Where a name and its value begin in the text. */
struct mark {
    uint32_t name, value;
};

struct http_reader {
    llhttp_t parser;
    size_t body_max;
    size_t taken; /* bytes of this request so far */
    bool whole;   /* a request was given out; the next byte begins another */
    bool closed;  /* nothing that comes counts any more */
    bool too_large, in_head;
    uint8_t first; /* byte of the request */
    int err;
    unsigned status;

    char *text; /* the target, then names and values, then the body */
    uint32_t len, cap, target_len, headers_len, body_at;
    uint32_t n_marks, n_headers;
    struct mark marks[HTTP_HEADERS_NR_MAX];
    struct http_header headers[HTTP_HEADERS_NR_MAX];
};

static int stop(struct http_reader *r, int err, unsigned status)
{
    r->err = err;
    r->status = status;
    return HPE_USER;
}

static int add(struct http_reader *r, const char *at, size_t n)
{
    uint32_t cap = r->cap ? r->cap : TEXT_FIRST;

    while (cap < r->len + n)
        cap *= 2;
    if (cap != r->cap) {
        char *text = realloc(r->text, cap);
        if (!text)
            return stop(r, -ROOST_NOMEM, 503);
        r->text = text;
        r->cap = cap;
    }
    memcpy(r->text + r->len, at, n);
    r->len += (uint32_t)n;
    return 0;
}

/* --- what llhttp calls ------------------------------------------------------------- */

static struct http_reader *reader_of(llhttp_t *parser)
{
    return parser->data;
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
    struct http_reader *r = reader_of(parser);

    r->target_len += (uint32_t)n;
    return r->target_len > HTTP_TARGET_MAX ? stop(r, -ROOST_LIMIT, 414) : add(r, at, n);
}

static int on_url_end(llhttp_t *parser)
{
    return add(reader_of(parser), "", 1);
}

/* A piece of a name or a value. Those behind a body (trailers) count, and are not kept. */
static int add_header(struct http_reader *r, const char *at, size_t n)
{
    r->headers_len += (uint32_t)n;
    if (r->headers_len > HTTP_HEADERS_MAX)
        return stop(r, -ROOST_LIMIT, 431);
    return r->in_head ? add(r, at, n) : 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t n)
{
    struct http_reader *r = reader_of(parser);

    if (r->in_head && r->n_marks == r->n_headers) { /* the first piece of it */
        if (r->n_marks == HTTP_HEADERS_NR_MAX)
            return stop(r, -ROOST_LIMIT, 431);
        r->marks[r->n_marks++].name = r->len;
    }
    return add_header(r, at, n);
}

static int on_name_end(llhttp_t *parser)
{
    struct http_reader *r = reader_of(parser);
    int err = r->in_head ? add(r, "", 1) : 0;

    if (r->in_head)
        r->marks[r->n_marks - 1].value = r->len;
    return err;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    return add_header(reader_of(parser), at, n);
}

static int on_value_end(llhttp_t *parser)
{
    struct http_reader *r = reader_of(parser);

    if (!r->in_head)
        return 0;
    uint32_t value = r->marks[r->n_headers].value;
    while (r->len > value && strchr(" \t", r->text[r->len - 1]))
        r->len--;
    r->n_headers = r->n_marks;
    return add(r, "", 1);
}

static unsigned count(const struct http_reader *r, const char *name)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < r->n_headers; i++)
        n += !strcasecmp(r->text + r->marks[i].name, name);
    return n;
}

/* The rest would be a body that nobody wants: given out without it. */
static int leave_body(struct http_reader *r)
{
    r->too_large = r->whole = r->closed = true;
    return HPE_PAUSED;
}

static int on_head_end(llhttp_t *parser)
{
    struct http_reader *r = reader_of(parser);
    unsigned hosts = count(r, "host");

    if (parser->http_major != 1)
        return stop(r, -ROOST_MALFORMED, 505);
    if (hosts > 1 || (!hosts && parser->http_minor))
        return stop(r, -ROOST_MALFORMED, 400); /* RFC 9112 section 3.2 */
    parser->upgrade = 0;                       /* what follows is HTTP, whatever was asked for */
    r->in_head = false;
    r->body_at = r->len;
    return parser->content_length > r->body_max ? leave_body(r) : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
    struct http_reader *r = reader_of(parser);

    if (r->len - r->body_at + n <= r->body_max)
        return add(r, at, n);
    leave_body(r);
    return HPE_USER; /* a span cannot pause */
}

static int on_chunk(llhttp_t *parser)
{
    struct http_reader *r = reader_of(parser);

    return parser->content_length > r->body_max ? leave_body(r) : 0;
}

static int on_end(llhttp_t *parser)
{
    struct http_reader *r = reader_of(parser);

    r->whole = true;
    r->closed = !llhttp_should_keep_alive(parser);
    return HPE_PAUSED;
}

static const llhttp_settings_t calls = {
    .on_url = on_url,
    .on_url_complete = on_url_end,
    .on_header_field = on_name,
    .on_header_field_complete = on_name_end,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_end,
    .on_headers_complete = on_head_end,
    .on_body = on_body,
    .on_chunk_header = on_chunk,
    .on_message_complete = on_end,
};

/* --- a request ------------------------------------------------------------------------ */

/* "https://host/path" is asked of proxies; a server understands it all the same. */
static char *after_authority(char *target)
{
    char *rest = target;

    if (!strncasecmp(target, "http://", 7))
        rest = target + 7;
    else if (!strncasecmp(target, "https://", 8))
        rest = target + 8;
    if (rest == target)
        return target;
    rest += strcspn(rest, "/?");
    return *rest == '/' ? rest : (char *)"/";
}

static int give(struct http_reader *r, struct http_request *ret)
{
    char *path = after_authority(r->text), *query = strchr(path, '?');

    if (query)
        *query++ = 0;
    for (uint32_t i = 0; i < r->n_headers; i++)
        r->headers[i] = (struct http_header){ r->text + r->marks[i].name,
                                              r->text + r->marks[i].value };
    *ret = (struct http_request){
        .method = r->parser.method == HTTP_GET    ? HTTP_IS_GET
                  : r->parser.method == HTTP_HEAD ? HTTP_IS_HEAD
                                                  : HTTP_IS_OTHER,
        .keep_alive = !r->closed,
        .too_large = r->too_large,
        .path = path,
        .query = query,
        .headers = r->headers,
        .n_headers = r->n_headers,
        .body = (const uint8_t *)r->text + r->body_at,
        .body_len = r->too_large ? 0 : r->len - r->body_at,
    };
    return 1;
}

static void begin(struct http_reader *r)
{
    llhttp_resume(&r->parser);
    r->whole = false;
    r->in_head = true;
    r->taken = 0;
    r->len = r->target_len = r->headers_len = r->body_at = 0;
    r->n_marks = r->n_headers = 0;
}

/* Words of a language that nobody here speaks, or only a method that is not known? */
static unsigned status_of(llhttp_errno_t why, uint8_t first)
{
    switch (why) {
    case HPE_INVALID_METHOD:
        return first >= 'A' && first <= 'Z' ? 405 : 400;
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
        return 505;
    default:
        return 400;
    }
}

static size_t room(const struct http_reader *r)
{
    size_t most = HTTP_HEAD_MAX + (r->in_head ? 0 : r->body_max);

    return most > r->taken ? most - r->taken : 0;
}

/* One piece, as much as the limits let through. */
static int take(struct http_reader *r, const uint8_t **p, const uint8_t *end)
{
    size_t n = (size_t)(end - *p) < room(r) ? (size_t)(end - *p) : room(r);

    if (!n)
        return stop(r, -ROOST_LIMIT, r->in_head ? 431 : 413);
    if (!r->taken)
        r->first = **p;
    llhttp_errno_t why = llhttp_execute(&r->parser, (const char *)*p, n);
    if (r->whole && !r->closed)
        n = (size_t)((const uint8_t *)llhttp_get_error_pos(&r->parser) - *p);
    *p += n;
    r->taken += n;
    if (why != HPE_OK && !r->whole && !r->err)
        stop(r, -ROOST_MALFORMED, status_of(why, r->first));
    return why;
}

int http_next(struct http_reader *r, const uint8_t **p, const uint8_t *end,
              struct http_request *ret)
{
    if (r->whole && !r->closed)
        begin(r);
    while (*p < end && !r->err && !r->closed) {
        take(r, p, end);
        if (r->whole && !r->err)
            return give(r, ret);
    }
    *p = end;
    return r->err;
}

unsigned http_reader_status(const struct http_reader *r)
{
    return r->status;
}

bool http_reader_is_idle(const struct http_reader *r)
{
    return r->whole || !r->taken;
}

const char *http_header(const struct http_request *q, const char *name)
{
    for (size_t i = 0; i < q->n_headers; i++)
        if (!strcasecmp(q->headers[i].name, name))
            return q->headers[i].value;
    return NULL;
}

struct http_reader *http_reader_new(size_t body_max)
{
    struct http_reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    llhttp_init(&r->parser, HTTP_REQUEST, &calls);
    r->parser.data = r;
    r->body_max = body_max;
    r->in_head = true;
    return r;
}

void http_reader_free(struct http_reader *r)
{
    if (!r)
        return;
    free(r->text);
    free(r);
}
