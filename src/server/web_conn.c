#include "server/web_conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/addr.h"
#include "server/measure.h"
#include "server/peer.h"
#include "server/web.h"
#include "server/web_file.h"
#include "wire/http_answer.h"

enum waits { WAITS_NOT, WAITS_HEALTH, WAITS_TITLE, WAITS_FILE };

struct web_conn {
    struct http_reader *reader;
    uint8_t *rest; /* came behind a request that is being answered */
    size_t rest_len;
    bool held;             /* it was busy when there was more to read */
    uint8_t waits;         /* for what the answer needs */
    bool head_only, stays; /* of the request that is being answered */
    uint32_t requests;
    char code[WEB_CODE_MAX + 1];
    struct web_file *file; /* WAITS_FILE */
};

/* --- answering -------------------------------------------------------------------- */

/* The end of a request, or of the connection. */
static void send_answer(struct peer *p, struct http_answer *a)
{
    struct web_conn *w = p->web;
    struct edge *e = p->edge;

    a->head_only = w->head_only;
    a->keep_alive = w->stays;
    a->wall_ms = edge_now().wall_ms;
    struct blob *b = http_answer_encode(a);
    w->waits = WAITS_NOT;
    if (!b) {
        peer_kill(p);
        return;
    }
    e->stats.answers[metrics_status(a->status)]++;
    edge_time(e, p, TIMED_HTTP);
    bool stays = w->stays;
    peer_send(p, b);
    if (!stays && p->state == PEER_HTTP)
        peer_finish(p);
}

static void send_text(struct peer *p, unsigned status, const char *extra, const char *text)
{
    struct http_answer a = {
        .status = status, .extra = extra, .body = text, .len = text ? strlen(text) : 0
    };

    send_answer(p, &a);
}

/* Takes the page over. */
static void send_page(struct peer *p, unsigned status, char *page)
{
    struct http_answer a = {
        .status = status, .type = "text/html", .policy = p->edge->web_policy, .body = page
    };

    if (!page) {
        send_text(p, 503, NULL, NULL);
        return;
    }
    a.len = strlen(page);
    send_answer(p, &a);
    free(page);
}

static void send_metrics(struct peer *p)
{
    struct http_answer a = { .status = 200, .type = METRICS_TYPE };
    struct metrics m;

    measure(p->edge, &m);
    char *text = metrics_text(&m, &a.len);
    if (!text) {
        send_text(p, 503, NULL, NULL);
        return;
    }
    a.body = text;
    send_answer(p, &a);
    free(text);
}

static void send_health(struct peer *p, int err)
{
    char text[160];

    snprintf(text, sizeof text, "Nothing can be stored: %s.\n", err_text(err));
    send_text(p, err ? 503 : 200, NULL, err ? text : "ok\n");
}

static void wait_for(struct peer *p, enum waits what)
{
    p->web->waits = (uint8_t)what;
    edge_time(p->edge, p, TIMED_ANSWER);
}

static void ask_health(struct peer *p)
{
    if (edge_knows_health(p->edge))
        send_health(p, p->edge->health.err);
    else
        wait_for(p, WAITS_HEALTH);
}

static void ask_title(struct peer *p, const struct web_choice *c)
{
    struct hub_peer who;

    memcpy(p->web->code, c->code, sizeof c->code);
    peer_who(p, &who);
    wait_for(p, WAITS_TITLE);
    int err = hub_ask_title(p->edge->hub, p->number, c->code, &who, edge_now());
    edge_pull(p->edge);
    if (err)
        web_conn_on_title(p, MEETING_UNSAID, NULL);
}

void web_conn_on_health(struct peer *p, int err)
{
    if (p->state == PEER_HTTP && p->web->waits == WAITS_HEALTH)
        send_health(p, err);
}

void web_conn_on_title(struct peer *p, enum meeting_shown what, const char *title)
{
    if (p->state == PEER_HTTP && p->web->waits == WAITS_TITLE)
        send_page(p, what == MEETING_UNKNOWN ? 404 : 200, page_meeting(p->web->code, what, title));
}

/* --- files ------------------------------------------------------------------------------- */

static void ask_file(struct peer *p, const struct http_request *q, const struct web_choice *c)
{
    p->web->file = web_file_new(p, q, c->file, c->token);
    if (p->web->file)
        wait_for(p, WAITS_FILE);
    else
        send_text(p, 503, NULL, NULL);
}

/* The hub is asked whether this session may have it. */
static void ask_file_of(struct peer *p, const struct http_request *q, const struct web_choice *c)
{
    struct hub_peer who;

    p->web->file = web_file_new(p, q, c->file, NULL);
    if (!p->web->file) {
        send_text(p, 503, NULL, NULL);
        return;
    }
    peer_who(p, &who);
    wait_for(p, WAITS_FILE);
    int err = hub_ask_file(p->edge->hub, p->number, c->file, c->bearer, &who, edge_now());
    edge_pull(p->edge);
    if (err)
        web_conn_on_grant(p, err, NULL);
}

static void end_file(struct peer *p)
{
    struct web_conn *w = p->web;

    web_file_free(w->file);
    w->file = NULL;
    w->waits = WAITS_NOT;
    edge_time(p->edge, p, TIMED_HTTP);
    if (!w->stays)
        peer_finish(p);
}

static void refuse_file(struct peer *p, unsigned status, const char *extra)
{
    struct web_conn *w = p->web;
    char lines[256];

    if (web_file_is_begun(w->file)) {
        peer_kill(p); /* what came so far is all there is: the length says so */
        return;
    }
    snprintf(lines, sizeof lines, "%s", extra ? extra : "");
    web_file_free(w->file);
    w->file = NULL;
    send_text(p, status, *lines ? lines : NULL, NULL);
}

void web_conn_on_grant(struct peer *p, int err, struct hub_depot *grant)
{
    if (p->state != PEER_HTTP || !p->web->file)
        return; /* it waited too long */
    if (!err && web_file_granted(p->web->file, grant))
        return;
    bool login = err == -ROOST_LOGIN_NEEDED;
    bool none = err == -ROOST_NO_SUCH_FILE || err == -ROOST_FILES_OFF;
    refuse_file(p, login ? 401 : none ? 404 : 503, login ? WEB_FILES_LOGIN : NULL);
}

/* The piece before has left for the socket. */
static void go_on_with_file(struct peer *p)
{
    if (web_file_is_over(p->web->file))
        end_file(p);
    else if (web_file_next(p->web->file))
        peer_kill(p);
    else
        wait_for(p, WAITS_FILE);
}

void web_conn_on_depot(struct peer *p, struct depot_job *j)
{
    struct web_conn *w = p->web;
    struct blob *b = NULL;
    const char *extra = NULL;
    bool opens = j->what == JOB_OPEN;

    if (p->state != PEER_HTTP || !w->file) {
        web_file_on_stray(p->edge->depot, j);
        return;
    }
    unsigned status = web_file_on_job(w->file, j, &b, &extra);
    if (status) {
        refuse_file(p, status, extra);
        return;
    }
    if (!b)
        return;
    if (opens)
        p->edge->stats.answers[metrics_status(200)]++;
    edge_time(p->edge, p, TIMED_HTTP); /* to take this piece */
    peer_send(p, b);
}

/* --- requests --------------------------------------------------------------------------- */

static void on_request(struct peer *p, const struct http_request *q)
{
    struct web_conn *w = p->web;
    struct hub_peer who;

    peer_who(p, &who);
    w->head_only = q->method == HTTP_IS_HEAD;
    w->stays = q->keep_alive && ++w->requests < WEB_REQUESTS_MAX;
    const struct web_visitor v = { .loopback = addr_is_loopback(who.address),
                                   .metrics_token = p->edge->settings.metrics_token };
    const struct web_choice c = web_choose(q, &v);

    switch (c.what) {
    case WEB_REFUSED:
        send_text(p, c.status, c.extra, c.sentence);
        break;
    case WEB_HOME:
        send_page(p, 200, page_home());
        break;
    case WEB_HEALTH:
        ask_health(p);
        break;
    case WEB_METRICS:
        send_metrics(p);
        break;
    case WEB_MEETING:
        ask_title(p, &c);
        break;
    case WEB_FILE:
        ask_file(p, q, &c);
        break;
    case WEB_FILE_OF:
        ask_file_of(p, q, &c);
        break;
    }
}

/* Nothing that comes after this is understood. */
static void refuse(struct peer *p, unsigned status)
{
    p->web->head_only = p->web->stays = false;
    send_text(p, status, status == 405 ? "Allow: GET, HEAD\r\n" : NULL, NULL);
}

bool web_conn_is_busy(const struct peer *p)
{
    return p->state == PEER_HTTP && (p->web->waits || p->queue.n || p->left_len);
}

static void keep_rest(struct peer *p, const uint8_t *in, size_t len)
{
    struct web_conn *w = p->web;

    w->held = true;
    if (!len)
        return;
    w->rest = malloc(len);
    if (!w->rest) {
        peer_kill(p);
        return;
    }
    memcpy(w->rest, in, len);
    w->rest_len = len;
}

void web_conn_feed(struct peer *p, const uint8_t *in, size_t len)
{
    const uint8_t *end = in + len;
    struct http_request q;

    while (p->state == PEER_HTTP && !web_conn_is_busy(p)) {
        if (in < end && http_reader_is_idle(p->web->reader))
            edge_time(p->edge, p, TIMED_HTTP); /* the first byte of a request */
        int r = http_next(p->web->reader, &in, end, &q);
        if (!r)
            return;
        if (r > 0)
            on_request(p, &q);
        else
            refuse(p, http_reader_status(p->web->reader));
    }
    if (p->state == PEER_HTTP)
        keep_rest(p, in, (size_t)(end - in));
}

bool web_conn_is_ready(const struct peer *p)
{
    const struct web_file *f = p->state == PEER_HTTP ? p->web->file : NULL;

    if (f)
        return web_file_is_idle(f) && !p->queue.n && !p->left_len;
    return p->state == PEER_HTTP && p->web->held && !web_conn_is_busy(p);
}

void web_conn_resume(struct peer *p)
{
    struct web_conn *w = p->web;
    uint8_t *rest = w->rest;
    size_t len = w->rest_len;

    if (w->file) {
        go_on_with_file(p);
        return;
    }
    w->held = false;
    w->rest = NULL;
    w->rest_len = 0;
    if (len)
        web_conn_feed(p, rest, len);
    free(rest);
}

void web_conn_on_late(struct peer *p)
{
    struct web_conn *w = p->web;

    w->stays = false;
    if (p->queue.n || p->left_len) {
        p->edge->stats.timed_out++; /* it does not read */
        peer_kill(p);
    } else if (w->waits == WAITS_HEALTH) {
        send_text(p, 503, NULL, "Nothing can be stored: the disk does not answer.\n");
    } else if (w->waits == WAITS_TITLE) {
        web_conn_on_title(p, MEETING_UNSAID, NULL);
    } else if (w->waits == WAITS_FILE) {
        refuse_file(p, 503, NULL); /* the disk does not answer */
    } else if (http_reader_is_idle(w->reader)) {
        peer_finish(p);
    } else {
        p->edge->stats.timed_out++;
        refuse(p, 408);
    }
}

/* --- life ------------------------------------------------------------------------------------ */

int web_conn_open(struct peer *p)
{
    struct web_conn *w = calloc(1, sizeof *w);

    if (!w || !(w->reader = http_reader_new(WEB_BODY_MAX))) {
        free(w);
        return -ROOST_NOMEM;
    }
    p->web = w;
    edge_time(p->edge, p, TIMED_HTTP);
    if (edge_has_room_for_web(p->edge))
        return 0;
    p->edge->stats.refused++;
    refuse(p, 503);
    return 0;
}

void web_conn_free(struct web_conn *w)
{
    if (!w)
        return;
    web_file_free(w->file);
    http_reader_free(w->reader);
    free(w->rest);
    free(w);
}
