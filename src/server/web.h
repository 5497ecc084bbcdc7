/* web.h - what the control port has for who speaks HTTP: one table of routes.
 *
 * Decides what a request gets, from the request and who sends it; the figures and
 * titles that the answer needs are fetched by web_conn.c. No memory of its own.
 */
#pragma once

#include <stdbool.h>

#include "wire/http.h"

enum {
    WEB_CODE_MIN = 6, /* digits of a meeting's code */
    WEB_CODE_MAX = 9,
    WEB_BEARER_MAX = 100
};

/* What stands in a 401 about files: browsers ask for name and password then. */
#define WEB_FILES_LOGIN                                                                            \
    "WWW-Authenticate: Bearer realm=\"files\"\r\n"                                                 \
    "WWW-Authenticate: Basic realm=\"files\", charset=\"UTF-8\"\r\n"

enum web_what {
    WEB_REFUSED,
    WEB_HOME,
    WEB_HEALTH,
    WEB_METRICS,
    WEB_MEETING,
    WEB_FILE,
    WEB_FILE_OF
};

struct web_visitor {
    bool loopback;
    const char *metrics_token; /* "": there is none */
};

struct web_choice {
    enum web_what what;
    unsigned status;      /* WEB_REFUSED */
    const char *extra;    /* header lines; NULL: none */
    const char *sentence; /* with its line end; NULL: that of the status */
    char code[WEB_CODE_MAX + 1];
    uint64_t file; /* WEB_FILE: by a token; WEB_FILE_OF: by the word of a session */
    uint8_t token[16];
    char bearer[WEB_BEARER_MAX + 1];
};

struct web_choice web_choose(const struct http_request *q, const struct web_visitor *v);
