#include "server/tunnel_conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "server/gate.h"

enum { NOTSENT_BYTES = 16 << 10 };
#define RATE_EACH_US   500000
#define MEDIA_WAITS_US 200000 /* a voice that waited longer is heard by nobody */

/* The kernel holds little: what waits here can still be chosen. */
void tunnel_conn_open(struct peer *p, uint32_t session, bool relays)
{
    int low = NOTSENT_BYTES;

    if (!(p->gate = gate_new())) {
        peer_lose(p, HUB_CLOSE_GONE);
        return;
    }
    setsockopt(p->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low, sizeof low);
    p->state = PEER_TUNNEL;
    p->session = session;
    p->relays = relays;
}

/* Streams of a tunnel are not sent twice, so nothing is dropped: it is not read from until its
 * worker has taken what came before. */
bool tunnel_conn_is_shut(struct peer *p)
{
    if (p->state != PEER_TUNNEL || !gate_is_shut(p->gate))
        return false;
    workers_await(p->edge->workers);
    if (!gate_is_shut(p->gate))
        return false; /* taken just now */
    edge_shut(p->edge, p);
    return true;
}

/* What TCP would let pass: the window a round trip. It says nothing yet of a path that was not
 * used, and that is as much as anybody knows. */
static void tell_rate(struct peer *p, int64_t now_us)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    if (now_us - p->rate_us < RATE_EACH_US)
        return;
    p->rate_us = now_us;
    if (!getsockopt(p->fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_rtt)
        workers_rate(p->edge->workers, p->session, p->number,
                     (uint64_t)info.tcpi_snd_cwnd * info.tcpi_snd_mss * 8 * 1000000 /
                         info.tcpi_rtt);
}

void tunnel_conn_media(struct peer *p, struct blob *bytes)
{
    int64_t now_us = edge_now().mono_us;

    tell_rate(p, now_us);
    queue_drop_late(&p->queue, now_us);
    peer_send_until(p, bytes, now_us + MEDIA_WAITS_US);
}

static struct blob *room_for(size_t len)
{
    struct blob *b = blob_new(len);

    if (b)
        b->len = 0;
    return b;
}

/* All frames of one read are one word: a flood of small ones costs no more than one large. What
 * follows the first lies whole in what was read, so that there is room for all. */
int tunnel_conn_feed(struct peer *p, const uint8_t *in, const uint8_t *end)
{
    struct blob *all = NULL;
    const uint8_t *body;
    size_t len;
    int r;

    while ((r = frame_next(&p->frames, &in, end, &body, &len)) > 0) {
        if (!all && !(all = room_for(FRAME_HEAD + len + (size_t)(end - in))))
            return -ROOST_NOMEM;
        frame_head_encode(all->bytes + all->len, len);
        memcpy(all->bytes + all->len + FRAME_HEAD, body, len);
        all->len += FRAME_HEAD + (uint32_t)len;
    }
    if (all && !workers_frames(p->edge->workers, p->session, p->number, p->gate, all))
        return -ROOST_NOMEM;
    return r;
}
