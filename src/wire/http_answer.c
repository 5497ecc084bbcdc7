#include "wire/http_answer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HEAD_TEXT_MAX = 2048, DATE_MAX = 32, SENTENCE_MAX = 256 };

struct status {
    unsigned number;
    const char *name, *sentence;
};

static const struct status *status_of(unsigned number)
{
    static const struct status list[] = {
#define X(number, name, sentence) { number, name, sentence },
        HTTP_STATUSES(X)
#undef X
    };
    const struct status *busy = list;

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (list[i].number == number)
            return &list[i];
        if (list[i].number == 503)
            busy = &list[i];
    }
    return busy;
}

const char *http_sentence(unsigned status)
{
    return status_of(status)->sentence;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", in no language but this (RFC 9110 section 5.6.7) */
static void date(int64_t wall_ms, char out[static DATE_MAX])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t at = (time_t)(wall_ms / 1000);
    struct tm t = { 0 };

    gmtime_r(&at, &t);
    snprintf(out, DATE_MAX, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * t.tm_wday,
             (unsigned)t.tm_mday % 100, months + 3 * t.tm_mon, ((unsigned)t.tm_year + 1900) % 10000,
             (unsigned)t.tm_hour % 100, (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
}

struct blob *http_answer_encode(const struct http_answer *a)
{
    const struct status *s = status_of(a->status);
    char head[HEAD_TEXT_MAX], when[DATE_MAX], sentence[SENTENCE_MAX];
    const char *body = a->body;
    size_t len = a->len;

    if (!body) {
        len = (size_t)snprintf(sentence, sizeof sentence, "%s\n", s->sentence);
        body = sentence;
    }
    date(a->wall_ms, when);
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %u %s\r\n"
                     "Date: %s\r\n"
                     "Server: roostd\r\n"
                     "Content-Type: %s%s\r\n"
                     "Content-Length: %llu\r\n"
                     "Connection: %s\r\n"
                     "Cache-Control: no-store\r\n"
                     "Content-Security-Policy: default-src 'none'; base-uri 'none'; "
                     "form-action 'none'; frame-ancestors 'none'%s%s\r\n"
                     "Cross-Origin-Resource-Policy: same-origin\r\n"
                     "Referrer-Policy: no-referrer\r\n"
                     "X-Content-Type-Options: nosniff\r\n"
                     "%s\r\n",
                     s->number, s->name, when, a->type ? a->type : "text/plain",
                     a->is_bytes ? "" : "; charset=utf-8", (unsigned long long)(len + a->later),
                     a->keep_alive ? "keep-alive" : "close", a->policy ? "; " : "",
                     a->policy ? a->policy : "", a->extra ? a->extra : "");
    if (n < 0 || (size_t)n >= sizeof head)
        return NULL; /* extra or policy of kilobytes: none of ours is */
    struct blob *b = blob_new((size_t)n + (a->head_only ? 0 : len));
    if (!b)
        return NULL;
    memcpy(b->bytes, head, (size_t)n);
    if (!a->head_only)
        memcpy(b->bytes + n, body, len);
    return b;
}
