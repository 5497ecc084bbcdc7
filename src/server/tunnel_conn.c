#include "server/tunnel_conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "server/gate.h"

enum { NOTSENT_BYTES = 16 << 10 };

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
