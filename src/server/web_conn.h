/* web_conn.h - a peer that speaks HTTP: one request after the other.
 *
 * The next request is looked at when the answer to the last has left for the socket;
 * what comes before that waits, first here (one TLS record), then in the kernel. So a
 * client that sends without reading costs no more than one that reads. A request has
 * http.timeout from its first byte, and so has the time between two.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/pages.h"

enum {
    WEB_REQUESTS_MAX = 100, /* on one connection; then it is closed */
    WEB_ANSWER_MS = 3000,   /* in which store and hub have to say what an answer needs */
    WEB_BODY_MAX = 0,       /* bytes: nothing takes any yet */
};

struct peer;
struct web_conn;
struct depot_job;
struct hub_depot;

/* Sets p->web. -ROOST_NOMEM. */
int web_conn_open(struct peer *p);
void web_conn_free(struct web_conn *w);

void web_conn_feed(struct peer *p, const uint8_t *in, size_t len);
/* It speaks HTTP, and an answer is on its way: nothing more is read from it. */
bool web_conn_is_busy(const struct peer *p);
/* It was busy, and is not any more: to be resumed in the next turn. */
bool web_conn_is_ready(const struct peer *p);
/* Takes up what waits here; then the peer is read from. */
void web_conn_resume(struct peer *p);
/* Its time is over. Ends in another timed list, or with the peer gone. */
void web_conn_on_late(struct peer *p);

/* What it waited for, if it did. */
void web_conn_on_health(struct peer *p, int err);
/* Takes the job. */
void web_conn_on_depot(struct peer *p, struct depot_job *j);
/* Of hub_ask_file; the name may be taken. */
void web_conn_on_grant(struct peer *p, int err, struct hub_depot *grant);
void web_conn_on_title(struct peer *p, enum meeting_shown what, const char *title);
