/* web.h - what the control port has for who speaks HTTP: one table of routes.
 *
 * Decides what a request gets, from the request and who sends it; the figures and
 * titles that the answer needs are fetched by web_conn.c. No memory of its own.
 */
#pragma once

#include <stdbool.h>

#include "wire/http.h"

enum { WEB_CODE_MIN = 6, WEB_CODE_MAX = 9 }; /* digits of a meeting's code */

enum web_what { WEB_REFUSED, WEB_HOME, WEB_HEALTH, WEB_METRICS, WEB_MEETING, WEB_FILE };

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
    uint64_t file; /* WEB_FILE */
    uint8_t token[16];
};

struct web_choice web_choose(const struct http_request *q, const struct web_visitor *v);
