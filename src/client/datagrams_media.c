/* datagrams_media.c - media in a client's session of datagrams: who takes it, where it goes. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "client/datagrams.h"

enum { WAITING_MOST = 24 }; /* messages before a tunnel: behind more a voice is too late */
#define RATE_EACH_US 500000

void datagrams_media(struct datagrams *d, const struct datagrams_media *m, int wake)
{
    const struct flow_media_settings s = { .take = m->take, .ctx = m->ctx };

    d->media = *m;
    d->wake = wake;
    d->placed = d->placed || m->take;
    if (d->flow && (m->take || d->placed))
        flow_take_media(d->flow, &s, sleep_now_us());
}

void datagrams_unplace(struct datagrams *d)
{
    d->placed = false;
    if (!d->flow)
        d->ask_us = 0;
}

/* What the connection carries, as the kernel has measured it. */
static void ask_rate(struct datagrams *d, int64_t now_us)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (now_us - d->rate_us < RATE_EACH_US)
        return;
    d->rate_us = now_us;
    if (!getsockopt(tls_fd(&d->tunnel.tls), IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_rtt)
        flow_on_tunnel_rate(d->flow, (uint64_t)info.tcpi_snd_cwnd * info.tcpi_snd_mss * 8 *
                                         1000000 / info.tcpi_rtt);
}

static bool send_message(struct datagrams *d, const uint8_t *bytes, size_t len, int64_t now_us)
{
    if (d->tunnel.state != TUNNEL_UP)
        return false;
    ask_rate(d, now_us);
    if (d->bent) {
        bent_put_message(d->bent, bytes, len, now_us);
        return true;
    }
    return d->tunnel.tls.n_out < WAITING_MOST && !tunnel_send(&d->tunnel, bytes, len);
}

static bool send_datagram(struct datagrams *d, const uint8_t *bytes, size_t len,
                          const struct flow_to *to, int64_t now_us)
{
    struct iovec part = { (void *)bytes, len };
    struct udp_out o = { .to = &d->carry.to, .parts = &part, .n_parts = 1 };

    if (!d->udp)
        return false;
    if (d->bent) {
        detour_put(&d->bent->way, bytes, len, to->ect, now_us);
        return true;
    }
    return udp_send(d->udp, &o) > 0; /* what the socket does not take now is lost */
}

bool datagrams_send_media(struct datagrams *d, const struct media_part *parts, size_t n_parts,
                          const struct dgram *words, size_t n_words, int64_t now_us)
{
    uint8_t bytes[PACKET_MTU_MAX];
    struct flow_to to;

    if (!d->flow)
        return false;
    int n = flow_send_media(d->flow, now_us, bytes, sizeof bytes, parts, n_parts, words, n_words,
                            &to);
    size_t len = n > 0 ? (size_t)n : 0;
    for (size_t i = 0; len && i < n_parts; len += parts[i++].head.len) {
        if (len + parts[i].head.len > sizeof bytes)
            return false;
        memcpy(bytes + len, parts[i].payload, parts[i].head.len);
    }
    if (!len)
        return false;
    return flow_is_tunnelled(d->flow) ? send_message(d, bytes, len, now_us)
                                      : send_datagram(d, bytes, len, &to, now_us);
}
