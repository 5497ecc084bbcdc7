#include "client/datagrams.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "seal/digest.h"
#include "seal/session.h"

enum {
    PACKETS_A_TURN = 256,
    SILENT_ASKS = 3,
    SILENT_ASKS_MEDIA = 2, /* nobody is to be without a voice for 0.8 s */
};

/* --- what there is to tell ------------------------------------------------------------ */

static struct roost_event *news(struct datagrams *d, enum roost_event_kind kind)
{
    if (d->n_news == NEWS_MAX) /* nobody pulls: the oldest goes */
        memmove(d->news, d->news + 1, --d->n_news * sizeof *d->news);
    struct roost_event *e = &d->news[d->n_news++];
    *e = (struct roost_event){ .kind = kind };
    return e;
}

bool datagrams_next(struct datagrams *d, struct roost_event *ret)
{
    if (!d->n_news)
        return false;
    *ret = d->news[0];
    memmove(d->news, d->news + 1, --d->n_news * sizeof *d->news);
    return true;
}

static void set_way(struct datagrams *d, enum roost_way way)
{
    if (d->way == way)
        return;
    d->way = d->path.way = way;
    d->path.changes++;
    news(d, ROOST_PATH)->path = d->path;
}

/* --- life --------------------------------------------------------------------------------- */

static void on_message(void *ctx, const uint8_t *body, size_t len)
{
    struct datagrams *d = ctx;

    if (d->flow && d->bent)
        bent_hear_message(d->bent, body, len, sleep_now_us());
    else if (d->flow)
        flow_on_frames(d->flow, sleep_now_us(), body, len);
}

void datagrams_init(struct datagrams *d, struct core *core, const struct tls *control,
                    const char *host, const char *port, struct study *study)
{
    *d = (struct datagrams){ .core = core,
                             .study = study,
                             .control = control,
                             .host = host,
                             .port = port,
                             .tunnel.tls.fd = -1,
                             .tunnel.tls.dial.fd = -1,
                             .interfaces = -1,
                             .wake = -1,
                             .decide_us = INT64_MAX,
                             .probe_us = INT64_MAX,
                             .sleep = { -1, -1 } };
}

static void send_frames(struct datagrams *d, int64_t now_us)
{
    uint8_t bytes[TUNNEL_MESSAGE_MAX];
    int n = 0, err = 0;

    if (d->bent && d->tunnel.state == TUNNEL_UP)
        err = bent_send_messages(d->bent, d->flow, &d->tunnel, now_us);
    while (!err && !d->bent && d->tunnel.state == TUNNEL_UP &&
           (n = flow_next_frames(d->flow, now_us, bytes, sizeof bytes)) > 0)
        err = tunnel_send(&d->tunnel, bytes, (size_t)n);
    if (err)
        tunnel_close(&d->tunnel);
    else
        tunnel_flush(&d->tunnel);
}

static void send_all(struct datagrams *d, int64_t now_us)
{
    if (d->udp && d->bent)
        detour_send(&d->bent->way, &d->carry, now_us);
    else if (d->udp)
        carry_out(&d->carry, now_us);
    send_frames(d, now_us);
}

static void drop_session(struct datagrams *d)
{
    if (d->streams.gone && d->flow)
        d->streams.gone(d->streams.ctx);
    flow_free(d->flow);
    d->flow = NULL;
    carry_fini(&d->carry);
    udp_close(d->udp);
    d->udp = NULL;
    d->id = 0;
    tunnel_close(&d->tunnel);
    d->wants_tunnel = false;
    d->decide_us = d->probe_us = INT64_MAX;
    memset(d->pings, 0, sizeof d->pings);
    set_way(d, ROOST_WAY_NONE);
}

void datagrams_fini(struct datagrams *d)
{
    if (d->flow) {
        flow_close(d->flow, FLOW_DONE, "the client goes");
        send_all(d, sleep_now_us());
    }
    drop_session(d);
    bent_free(d->bent);
    d->bent = NULL;
    if (!d->wanted)
        return;
    tunnel_fini(&d->tunnel);
    if (d->interfaces >= 0)
        close(d->interfaces);
    sleep_fini(&d->sleep);
}

/* What the kernel says of addresses and routes. Without it silence has to do. */
static int hear_interfaces(void)
{
    struct sockaddr_nl at = { .nl_family = AF_NETLINK,
                              .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
                                           RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at)) {
        close(fd);
        return -1;
    }
    return fd;
}

int datagrams_bend(struct datagrams *d, const struct link_pair *how)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof seed, 0) == sizeof seed)
        d->bent = bent_new(how, seed);
    return d->bent ? 0 : -ROOST_NOMEM;
}

void datagrams_want(struct datagrams *d, bool on)
{
    if (on && !d->wanted && !sleep_init(&d->sleep, false)) {
        if (tunnel_init(&d->tunnel, on_message, d)) {
            sleep_fini(&d->sleep);
            return;
        }
        tls_study(&d->tunnel.tls, d->study);
        d->interfaces = hear_interfaces();
        getrandom(&d->next_token, sizeof d->next_token, 0);
        d->wanted = true;
    } else if (!on && d->wanted) {
        datagrams_fini(d);
        datagrams_init(d, d->core, d->control, d->host, d->port, d->study);
    }
}

/* --- keys ------------------------------------------------------------------------------------ */

static void ask_for_keys(struct datagrams *d, int64_t now_us)
{
    Roost__Datagrams b = ROOST__DATAGRAMS__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    b.keep = d->id;
    m.body_case = ROOST__TO_SERVER__BODY_DATAGRAMS;
    m.datagrams = &b;
    d->request = core_request(d->core, &m, now_us);
    d->ask_us = now_us + RETRY_US;
    if (d->request < 0)
        d->request = 0;
}

/* From where the system would send to the server now; zeros: from nowhere. */
static union address source_of(const struct datagrams *d)
{
    union address at = { 0 };

    udp_source(&d->carry.to, &at);
    return at;
}

/* UDP goes where control goes. */
static int open_udp(struct datagrams *d, uint32_t port)
{
    struct udp_settings s = { 0 };
    union address to = { 0 };
    socklen_t len = sizeof to;

    if (getpeername(d->control->fd, &to.any, &len))
        return -ROOST_IO;
    address_plain(&to);
    if (to.any.sa_family == AF_INET6)
        to.v6.sin6_port = htons((uint16_t)port);
    else
        to.v4.sin_port = htons((uint16_t)port);
    s.at.any.sa_family = to.any.sa_family;
    int err = udp_open(&d->udp, &s);
    if (!err)
        study_socket(d->study, d->udp);
    if (!err)
        err = carry_init(&d->carry, d->udp, d->flow, &to);
    if (!err)
        d->from = source_of(d);
    return err;
}

static void take_media(struct datagrams *d, int64_t now_us)
{
    const struct flow_media_settings s = { .take = d->media.take, .ctx = d->media.ctx };

    if (d->flow && (d->media.take || d->placed))
        flow_take_media(d->flow, &s, now_us); /* without memory the session ends when some comes */
}

static void begin_probes(struct datagrams *d, int64_t now_us)
{
    d->probes = 0;
    d->probe_us = d->udp ? now_us : INT64_MAX;
}

static void open_session(struct datagrams *d, const Roost__DatagramSession *s, int64_t now_us)
{
    uint8_t seed[32];
    const struct flow_settings settings = { .client = true,
                                            .session = s->session,
                                            .secret = s->secret.data,
                                            .seed = seed,
                                            .cc = d->cc,
                                            .mtu_most = PACKET_MTU_MAX,
                                            .ecn = true,
                                            .keeps = true };

    drop_session(d);
    if (getrandom(seed, sizeof seed, 0) != sizeof seed || flow_new(&d->flow, &settings, now_us))
        return;
    seal_wipe(seed, sizeof seed);
    take_media(d, now_us);
    study_keys(d->study, s->session, s->secret.data);
    d->id = s->session;
    memcpy(d->token, s->token.data, sizeof d->token);
    if (s->port && open_udp(d, s->port)) {
        udp_close(d->udp);
        d->udp = NULL;
    }
    d->wants_tunnel = true;
    d->tunnel_us = now_us;
    d->decide_us = d->udp ? now_us + UDP_PATIENCE_US : now_us;
    begin_probes(d, now_us);
}

static void use_keys(struct datagrams *d, const Roost__DatagramSession *s, int64_t now_us)
{
    d->ask_us = INT64_MAX;
    if (s->token.len != TUNNEL_TOKEN)
        return;
    if (s->secret.len == SESSION_SECRET) {
        open_session(d, s, now_us);
        seal_wipe(s->secret.data, s->secret.len);
    } else if (s->session == d->id) {
        memcpy(d->token, s->token.data, sizeof d->token);
    }
}

static void on_keys(struct datagrams *d, const struct core_event *e, int64_t now_us)
{
    const Roost__DatagramSession *s = e->kind == CORE_REPLY && e->msg->reply->result_case ==
                                                                   ROOST__REPLY__RESULT_DATAGRAMS
                                          ? e->msg->reply->datagrams
                                          : NULL;

    d->request = 0;
    if (!s) { /* this server, or this guest, has none */
        d->path.refused = true;
        d->ask_us = e->error && e->error->retry_after_ms ? now_us + RETRY_US : INT64_MAX;
        news(d, ROOST_PATH)->path = d->path;
        return;
    }
    use_keys(d, s, now_us);
}

void datagrams_place(struct datagrams *d, const Roost__DatagramSession *s, int64_t now_us)
{
    d->placed = true;
    d->request = 0; /* what it may bring is not for this meeting */
    use_keys(d, s, now_us);
    take_media(d, now_us);
}

/* Each connection of control asks once: for keys, or that those it has go on. */
static void mind_keys(struct datagrams *d, int64_t now_us)
{
    bool ready = core_state(d->core) == CORE_AT_READY;
    struct core_event *e = d->request ? core_take_answer(d->core, d->request) : NULL;

    if (e)
        on_keys(d, e, now_us);
    else if (d->request && !core_knows(d->core, d->request))
        d->request = 0;
    if (ready && !d->was_ready)
        d->ask_us = now_us;
    d->was_ready = ready;
    if (ready && !d->placed && !d->request && d->ask_us <= now_us)
        ask_for_keys(d, now_us);
}

/* --- ways --------------------------------------------------------------------------------------
 */

static void probe(struct datagrams *d, int64_t now_us)
{
    uint64_t token = ++d->next_token;

    d->probe_tokens[d->probes % PROBES_MAX] = token;
    flow_ask_datagram(d->flow, token);
    d->probes++;
    if (d->probes < PROBES_MAX)
        d->probe_us = now_us + UDP_PROBE_US;
    else
        d->probe_us = now_us + UDP_AGAIN_US;
    if (d->probes == PROBES_MAX)
        d->probes = 0;
}

static void take_udp(struct datagrams *d, int64_t now_us)
{
    d->probe_us = d->decide_us = INT64_MAX;
    d->wants_tunnel = false;
    flow_tunnel(d->flow, false, now_us);
    tunnel_close(&d->tunnel);
    set_way(d, ROOST_WAY_UDP);
}

static void take_tunnel(struct datagrams *d, int64_t now_us)
{
    flow_tunnel(d->flow, true, now_us);
    if (d->udp && d->probe_us == INT64_MAX)
        d->probe_us = now_us + UDP_AGAIN_US;
    set_way(d, ROOST_WAY_TUNNEL);
}

static bool is_udp_silent(const struct datagrams *d)
{
    struct flow_view v;

    flow_look(d->flow, &v);
    return v.asked >= (d->media.take ? SILENT_ASKS_MEDIA : SILENT_ASKS);
}

static void choose_way(struct datagrams *d, int64_t now_us)
{
    bool up = d->tunnel.state == TUNNEL_UP;

    if (d->way == ROOST_WAY_UDP && is_udp_silent(d)) {
        if (up)
            take_tunnel(d, now_us);
        else if (!d->wants_tunnel) {
            d->wants_tunnel = true;
            d->tunnel_us = now_us;
        }
    } else if (d->way == ROOST_WAY_UDP && d->wants_tunnel) {
        d->wants_tunnel = false; /* it speaks again */
        tunnel_close(&d->tunnel);
    } else if (d->way == ROOST_WAY_NONE && up && now_us >= d->decide_us) {
        take_tunnel(d, now_us);
    }
}

static void mind_tunnel(struct datagrams *d, int64_t now_us)
{
    bool failed = tunnel_step(&d->tunnel, now_us) < 0;

    if (failed || (d->wants_tunnel && d->tunnel.state == TUNNEL_IDLE && d->tunnel_us <= now_us)) {
        d->tunnel_us = now_us + RETRY_US;
        if (d->bent)
            bent_reset_stream(d->bent);
        if (!failed)
            tunnel_open(&d->tunnel, d->host, d->port, d->control->fingerprint, d->id, d->token,
                        now_us);
    }
    if (d->way == ROOST_WAY_TUNNEL && d->tunnel.state != TUNNEL_UP) {
        flow_tunnel(d->flow, false, now_us); /* until it stands again, UDP may */
        set_way(d, ROOST_WAY_NONE);
        begin_probes(d, now_us);
        d->decide_us = now_us;
    }
}

/* --- pings --------------------------------------------------------------------------------------
 */

int64_t datagrams_ping(struct datagrams *d, int64_t now_us)
{
    if (!d->flow || d->way == ROOST_WAY_NONE)
        return -ROOST_CLOSED;
    for (int i = 0; i < PINGS_MAX; i++)
        if (!d->pings[i].token) {
            uint64_t token = ++d->next_token;
            int err = flow_ask(d->flow, token);
            if (err)
                return err;
            d->pings[i] = (struct ping){ token, ++d->next_ping, now_us };
            d->path.asked++;
            return d->next_ping;
        }
    return -ROOST_LIMIT;
}

static void tell_ping(struct datagrams *d, struct ping *p, int64_t took_us)
{
    struct roost_event *e = news(d, ROOST_PONG);

    e->request = p->number;
    e->pong.way = d->way;
    e->pong.took_us = took_us;
    if (took_us >= 0) {
        d->path.answered++;
        d->path.least_us = !d->path.least_us || took_us < d->path.least_us ? took_us
                                                                           : d->path.least_us;
        d->path.most_us = took_us > d->path.most_us ? took_us : d->path.most_us;
        d->path.sum_us += took_us;
    }
    p->token = 0;
}

static void on_back(struct datagrams *d, uint64_t token, int64_t now_us)
{
    for (int i = 0; i < PINGS_MAX; i++)
        if (d->pings[i].token == token)
            tell_ping(d, &d->pings[i], now_us - d->pings[i].sent_us);
    for (int i = 0; i < PROBES_MAX; i++)
        if (d->probe_tokens[i] == token && d->way != ROOST_WAY_UDP)
            take_udp(d, now_us);
}

static void expire_pings(struct datagrams *d, int64_t now_us)
{
    for (int i = 0; i < PINGS_MAX; i++)
        if (d->pings[i].token && now_us - d->pings[i].sent_us >= PING_LOST_US)
            tell_ping(d, &d->pings[i], -1);
}

/* --- all of it, once
 * ------------------------------------------------------------------------------ */

static void hear_flow(struct datagrams *d, int64_t now_us)
{
    struct flow_event e;
    struct flow_view v;
    bool over = false;

    while (flow_event(d->flow, &e)) {
        if (e.what == FLOW_BACK)
            on_back(d, e.code, now_us);
        else if (d->streams.event && e.what <= FLOW_SENT)
            d->streams.event(d->streams.ctx, &e);
        over = over || e.what == FLOW_CLOSED;
    }
    flow_look(d->flow, &v);
    d->path.observed_len = v.observed->len;
    d->path.observed_port = v.observed->port;
    memcpy(d->path.observed, v.observed->ip, sizeof d->path.observed);
    d->path.mtu = v.mtu;
    if (!over)
        return;
    drop_session(d);
    d->ask_us = now_us + RETRY_US;
}

static void read_udp(struct datagrams *d, int64_t now_us)
{
    struct udp_in in;

    for (int i = 0; i < PACKETS_A_TURN && udp_receive(d->udp, &in) > 0; i++)
        if (d->bent)
            detour_hear(&d->bent->way, &in, now_us);
        else
            carry_hear(&d->carry, &in, now_us);
    if (d->bent)
        detour_deliver(&d->bent->way, &d->carry, now_us);
}

static void read_interfaces(struct datagrams *d, int64_t now_us)
{
    uint8_t bytes[4096];
    bool changed = false;

    for (int i = 0; i < PACKETS_A_TURN && d->interfaces >= 0; i++) {
        ssize_t n = recv(d->interfaces, bytes, sizeof bytes, 0);
        if (n <= 0 && (n == 0 || errno != ENOBUFS)) /* which is: more than it could hold */
            break;
        changed = true;
    }
    if (!changed || !d->udp)
        return;
    union address from = source_of(d);
    if (!address_equal(&from, &d->from)) /* else it is the same way, or none is left */
        flow_on_change(d->flow, now_us);
    d->from = from;
}

static void drive(struct datagrams *d, int64_t now_us)
{
    if (d->udp)
        read_udp(d, now_us);
    mind_tunnel(d, now_us);
    if (d->bent)
        bent_deliver_messages(d->bent, d->flow, now_us);
    flow_expire(d->flow, now_us);
    if (d->probe_us <= now_us)
        probe(d, now_us);
    expire_pings(d, now_us);
    hear_flow(d, now_us);
    if (!d->flow)
        return;
    choose_way(d, now_us);
    if (d->streams.turn)
        d->streams.turn(d->streams.ctx, now_us);
    if (d->media.turn)
        d->media.turn(d->media.ctx, now_us);
    send_all(d, now_us);
}

void datagrams_process(struct datagrams *d, int64_t now_us)
{
    if (!d->wanted)
        return;
    mind_keys(d, now_us);
    read_interfaces(d, now_us);
    if (d->flow)
        drive(d, now_us);
    else if (d->streams.turn)
        d->streams.turn(d->streams.ctx, now_us);
}
