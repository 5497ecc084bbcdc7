/* files_peer.c - a mover's way to the other person's program, and the stream on it.
 *
 * Both ends have an accepted offer. Each asks for a relay, which also tells it how the server sees
 * it; then the receiver calls and the sender answers (reach_edge.h), by FileSignal. When there is
 * a path the sender opens a stream. An end that began anew calls anew, and the other one's edge
 * makes room.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/files.h"
#include "client/reach_edge.h"
#include "seal/digest.h"

enum { PEER_IDS = 1000 /* in the sleep's list: above those of datagrams and chores */ };

/* --- its beginning --- */

static void send_signals(struct mover *m)
{
    uint8_t bytes[REACH_SIGNAL_MAX];
    int n;

    while ((n = reach_edge_next_signal(m->edge, bytes)) > 0)
        if (!m->by_near)
            query_signal(m, bytes, (size_t)n);
        else if (m->near)
            nearby_send(m->near, bytes, (size_t)n);
}

/* Both know the file's number, or the code's, and at which server. */
static void make_offer(const struct mover *m, uint8_t ret[REACH_OFFER])
{
    uint64_t number = m->by_code ? m->code : m->file;

    if (m->by_near) {
        memcpy(ret, nearby_offer(m->near), REACH_OFFER);
        return;
    }
    for (int i = 0; i < 8; i++)
        ret[i] = (uint8_t)(number >> (56 - 8 * i));
    memcpy(ret + 8, core_server(m->all->r->core)->id, REACH_OFFER - 8);
}

static const char *where_control_goes(const struct roost *r, char ret[ADDRESS_TEXT_MAX])
{
    union address to = { 0 };
    socklen_t len = sizeof to;

    if (r->tls.fd < 0 || getpeername(r->tls.fd, &to.any, &len))
        return NULL;
    address_plain(&to);
    inet_ntop(to.any.sa_family,
              to.any.sa_family == AF_INET6 ? (void *)&to.v6.sin6_addr : (void *)&to.v4.sin_addr,
              ret, ADDRESS_TEXT_MAX);
    return ret;
}

static int new_edge(struct mover *m, int64_t now_us)
{
    struct roost *r = m->all->r;
    uint8_t seed[32];
    uint8_t known[STRANGER_EXPECTS];
    char secret[PHRASE_TEXT_MAX], address[ADDRESS_TEXT_MAX];
    size_t n_known = stranger_expects(m, known);
    struct reach_edge_settings s = {
        .caller = !m->sends,
        .identity_seed = m->by_code ? NULL : seed,
        .phrase = m->by_code && !m->by_near ? secret : NULL,
        .nearby = m->by_near,
        .nearby_link = m->near ? nearby_link(m->near) : 0,
        .expects = n_known ? known : NULL,
        .n_expects = n_known,
        .relay = m->has_relay ? &m->relay : NULL,
        .no_direct = m->via == ROOST_VIA_RELAY,
        .no_relay = m->via == ROOST_VIA_DIRECT,
        .cc = m->cc ? cc_find(m->cc) : NULL,
        .link = r->bends ? &r->link : NULL,
        .study = &r->study,
    };

    make_offer(m, s.offer);
    m->relay.address = where_control_goes(r, address);
    m->relay.host = r->host;
    m->relay.port = r->port;
    m->relay.fingerprint = r->tls.fingerprint;
    phrase_secret(&m->phrase, secret);
    int err = m->by_code ? 0 : home_identity(&r->home, seed);
    if (!err)
        err = reach_edge_new(&m->edge, &s, now_us);
    seal_wipe(seed, sizeof seed);
    seal_wipe(secret, sizeof secret);
    m->told_what = m->has_pending = false;
    if (!err)
        err = sleep_add(&r->datagrams.sleep, reach_edge_fd(m->edge), SLEEP_READ,
                        PEER_IDS + (uint64_t)m->number);
    return err;
}

void peer_drop(struct mover *m)
{
    if (!m->edge)
        return;
    if (reach_edge_owns(m->edge, m->flow))
        move_leave(m);
    sleep_remove(&m->all->r->datagrams.sleep, reach_edge_fd(m->edge));
    reach_edge_free(m->edge);
    m->edge = NULL;
}

static void begin(struct mover *m, int64_t now_us)
{
    int err = m->relay_asked ? new_edge(m, now_us) : 0;

    if (!m->relay_asked) {
        query_relay(m);
    } else if (err) {
        peer_drop(m);
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
    } else {
        send_signals(m);
    }
}

/* The first word of who calls anew: too early, it is kept. */
static void hold(struct mover *m, const uint8_t *bytes, size_t len)
{
    free(m->held);
    m->held = malloc(len + 1);
    m->n_held = m->held ? len : 0;
    if (m->held)
        memcpy(m->held, bytes, len);
}

static void begin_anew(struct mover *m, int64_t now_us)
{
    peer_drop(m);
    if (new_edge(m, now_us))
        peer_drop(m);
}

/* Who calls anew has lost this stream: all is asked for anew, first of all the relay. */
static void lose_stream(struct mover *m, int64_t now_us)
{
    if (m->step == STEP_MOVE) {
        peer_drop(m);
        move_lost(m, now_us);
    }
    if (m->step == STEP_AGAIN)
        m->again_us = now_us;
}

void peer_on_signal(struct mover *m, const uint8_t *bytes, size_t len, int64_t now_us)
{
    bool first = m->sends && reach_signal_is_first(bytes, len);

    if (m->step >= STEP_CLOSE || m->kept)
        return;
    if (first)
        lose_stream(m, now_us);
    if (first && (!m->relay_asked || m->step < STEP_SESSION)) {
        hold(m, bytes, len);
        return;
    }
    if (first)
        begin_anew(m, now_us);
    if (!m->edge)
        return;
    reach_edge_on_signal(m->edge, bytes, len, now_us);
    send_signals(m);
}

static void take_held(struct mover *m, int64_t now_us)
{
    uint8_t *bytes = m->held;
    size_t len = m->n_held;

    m->held = NULL;
    m->n_held = 0;
    if (bytes)
        peer_on_signal(m, bytes, len, now_us);
    free(bytes);
}

/* --- doubts --- */

void peer_doubt(struct mover *m, int64_t now_us)
{
    if (m->edge && !m->sends && (m->step == STEP_SESSION || m->step == STEP_MOVE))
        reach_edge_doubt(m->edge, now_us);
}

void peer_on_relay(struct mover *m, bool another, int64_t now_us)
{
    bool relayed = m->way == ROOST_FILE_RELAY || m->way == ROOST_FILE_TUNNEL;

    if (another && m->edge && m->step == STEP_MOVE && relayed) {
        peer_drop(m);
        move_lost(m, now_us);
    }
}

/* The server is back, and may have forgotten who is at the ends. */
static void renew(struct mover *m, int64_t now_us)
{
    if (!m->renew || m->request || core_state(m->all->r->core) != CORE_AT_READY ||
        (m->step != STEP_SESSION && m->step != STEP_MOVE))
        return;
    m->renew = false;
    m->relay_asked = false;
    if (m->step == STEP_MOVE) {
        query_renew(m);
        peer_doubt(m, now_us); /* what was said of the other end meanwhile was not heard */
    } else {
        peer_drop(m);
        m->step = STEP_ASK;
        query_ticket(m, now_us);
    }
}

/* --- the stream --- */

static enum roost_file_way way_of(enum reach_way way)
{
    switch (way) {
    case REACH_WAY_LAN:
        return ROOST_FILE_LAN;
    case REACH_WAY_DIRECT:
        return ROOST_FILE_DIRECT;
    case REACH_WAY_RELAY:
        return ROOST_FILE_RELAY;
    case REACH_WAY_TUNNEL:
        return ROOST_FILE_TUNNEL;
    default:
        return ROOST_FILE_NO_WAY;
    }
}

static void on_info(struct mover *m, uint64_t stream, int64_t now_us)
{
    int n = code_hear(m, reach_edge_flow(m->edge), stream, now_us);

    if (n < 0) {
        mover_end(m, ROOST_FILE_FAILED, n, NULL);
    } else if (n > 0 && m->by_near) {
        near_told(m);
    } else if (n > 0) {
        m->step = STEP_PART;
        m->news = true;
        if (!mover_job(m, JOB_PART, NULL))
            mover_end(m, ROOST_FILE_FAILED, -ROOST_NOMEM, NULL);
    }
}

/* Who receives waits for the sender's stream and its first words. */
static void on_readable(struct mover *m, uint64_t stream, int64_t now_us)
{
    struct flow *flow = reach_edge_flow(m->edge);
    uint8_t token[TALK_TOKEN];
    enum talk_role role;
    size_t len;
    bool over;
    const uint8_t *bytes = flow_read(flow, stream, &len, &over);
    int n = bytes ? talk_read_begin(bytes, len, &role, token) : 0;

    if (n < 0 || (n > 0 && role != TALK_SENDS)) {
        mover_end(m, ROOST_FILE_FAILED, n < 0 ? n : -ROOST_MALFORMED, NULL);
    } else if (n > 0) {
        flow_take(flow, stream, (size_t)n, now_us);
        move_join(m, flow, stream, now_us);
        m->has_pending = false;
    }
}

/* Streams of who opens: the first tells what it is, if a phrase brought us together, and is number
 * 0 of its kind; the next is the transfer's. */
static void on_stream(struct mover *m, uint64_t stream, int64_t now_us)
{
    if (m->sends || m->step == STEP_MOVE || m->step == STEP_FLUSH)
        return;
    if (m->by_code && (!m->told_what || stream < m->info_stream)) {
        m->has_pending = m->told_what; /* it was not the first after all */
        m->pending = m->info_stream;
        m->info_stream = stream;
        m->told_what = true;
    }
    if (m->by_code && stream == m->info_stream) {
        if (!m->receiver && m->step == STEP_SESSION)
            on_info(m, stream, now_us);
        return;
    }
    m->has_pending = true;
    m->pending = stream;
}

static void lose(struct mover *m, bool said_goodbye, int64_t now_us)
{
    if (reach_edge_owns(m->edge, m->flow))
        move_hear_last(m, now_us);
    if (!m->edge || m->step >= STEP_CLOSE)
        return;
    peer_drop(m);
    if (m->by_near && m->step != STEP_FLUSH) {
        near_lost(m, said_goodbye);
        return;
    }
    if (m->step == STEP_SESSION)
        mover_again(m, now_us);
    else
        move_lost(m, now_us);
}

static void on_flow(struct mover *m, int64_t now_us)
{
    struct flow *flow = reach_edge_flow(m->edge);
    struct flow_event e;
    bool closed = false;

    while (flow && m->edge && flow_event(flow, &e)) {
        closed = closed || e.what == FLOW_CLOSED;
        if (e.what == FLOW_CLOSED)
            continue;
        if (m->flow == flow && m->stream_id == e.stream)
            move_on_event(m, &e, now_us);
        else if (e.what == FLOW_READABLE)
            on_stream(m, e.stream, now_us);
    }
    if (closed && m->edge)
        lose(m, true, now_us);
}

static void on_wrong(struct mover *m)
{
    const uint8_t *stranger = reach_edge_stranger(m->edge);

    if (stranger) {
        stranger_end(m, stranger);
        return;
    }
    peer_drop(m);
    mover_end(m, ROOST_FILE_FAILED, -ROOST_UNTRUSTED,
              !m->by_code || m->by_near ? "the other end is not who it should be"
              : m->sends                ? "somebody tried another phrase: this one is burnt"
                                        : "the phrase is not right, and is burnt now");
}

static void on_event(struct mover *m, const struct reach_edge_event *e, int64_t now_us)
{
    switch (e->what) {
    case REACH_EDGE_KNOWN:
        if (m->by_near)
            near_known(m);
        else if (!stranger_met(m))
            return;
        break;
    case REACH_EDGE_FOUND:
    case REACH_EDGE_PATH:
        m->way = way_of(e->way);
        m->news = true;
        break;
    case REACH_EDGE_WRONG:
        on_wrong(m);
        break;
    case REACH_EDGE_LOST:
        lose(m, false, now_us);
        break;
    default:
        break;
    }
}

/* --- turns --- */

void peer_hear(struct mover *m, int64_t now_us)
{
    struct reach_edge_event e;

    if (!m->edge)
        return;
    reach_edge_process(m->edge, now_us);
    while (m->edge && reach_edge_event(m->edge, &e))
        on_event(m, &e, now_us);
    if (m->edge)
        on_flow(m, now_us);
    if (m->edge)
        send_signals(m);
}

static void open_stream(struct mover *m, int64_t now_us)
{
    struct flow *flow = reach_edge_flow(m->edge);

    if (!flow || m->way == ROOST_FILE_NO_WAY || (m->by_near && !m->near_yes))
        return;
    if (m->by_code && !m->told_what) {
        code_tell(m, flow);
        m->told_what = true;
    }
    move_open(m, flow, now_us);
}

void peer_before(struct mover *m, int64_t now_us)
{
    peer_hear(m, now_us);
    near_turn(m, now_us);
    renew(m, now_us);
    if (m->step != STEP_SESSION || m->kept || m->request)
        return;
    if (!m->edge && (!m->sends || !m->relay_asked))
        begin(m, now_us);
    else if (m->sends && m->held)
        take_held(m, now_us);
    else if (m->edge && m->sends)
        open_stream(m, now_us);
    else if (m->edge && m->has_pending && m->receiver)
        on_readable(m, m->pending, now_us);
}

void peer_after(struct mover *m, int64_t now_us)
{
    if (m->edge)
        reach_edge_process(m->edge, now_us); /* what was written leaves */
}

int64_t peer_deadline_us(const struct mover *m, int64_t now_us)
{
    return m->edge ? reach_edge_deadline_us(m->edge, now_us) : INT64_MAX;
}
