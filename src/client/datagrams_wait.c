/* datagrams_wait.c - until when, and for which descriptors, a session of datagrams waits. */
#include <errno.h>
#include <poll.h>

#include "client/datagrams.h"

enum { FD_CONTROL, FD_UDP, FD_TUNNEL, FD_INTERFACES, FD_WAKE, FDS };

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Without UDP it has nothing to send at a time of its own: what a tunnel takes goes at once. */
static int64_t flow_due_us(const struct datagrams *d, int64_t now_us)
{
    if (!d->udp)
        return INT64_MAX;
    return d->bent ? flow_deadline_us(d->flow, now_us) : carry_deadline_us(&d->carry, now_us);
}

int64_t datagrams_deadline_us(const struct datagrams *d, int64_t now_us)
{
    int64_t at = INT64_MAX;

    if (!d->wanted)
        return at;
    if (d->was_ready && !d->request && !d->placed)
        at = d->ask_us;
    if (!d->flow)
        return at;
    at = least(at, flow_due_us(d, now_us));
    if (d->bent)
        at = least(at, bent_deadline_us(d->bent));
    at = least(at, least(d->probe_us, tunnel_deadline(&d->tunnel)));
    if (d->wants_tunnel && d->tunnel.state == TUNNEL_IDLE)
        at = least(at, d->tunnel_us);
    if (d->way == ROOST_WAY_NONE && d->tunnel.state == TUNNEL_UP)
        at = least(at, d->decide_us);
    for (int i = 0; i < PINGS_MAX; i++)
        if (d->pings[i].token)
            at = least(at, d->pings[i].sent_us + PING_LOST_US);
    return at;
}

/* --- waiting
 * --------------------------------------------------------------------------------------- */

/* A descriptor that was closed has left the epoll by itself. Its number may be another's by now, so
 * nothing is done about it. */
static void mind_fds(struct datagrams *d, const int fds[FDS], const unsigned wants[FDS])
{
    for (int i = 0; i < FDS; i++)
        if (fds[i] >= 0)
            sleep_set(&d->sleep, fds[i], wants[i], (uint64_t)i);
}

static unsigned wants_of(int polls)
{
    return (polls & POLLIN ? SLEEP_READ : 0u) | (polls & POLLOUT ? SLEEP_WRITE : 0u);
}

int datagrams_fd(struct datagrams *d, int control_wants)
{
    const struct tls *t = &d->tunnel.tls;

    const int fds[FDS] = { [FD_CONTROL] = tls_fd(d->control),
                           [FD_UDP] = d->udp ? udp_fd(d->udp) : -1,
                           [FD_TUNNEL] = d->tunnel.state == TUNNEL_IDLE ? -1 : tls_fd(t),
                           [FD_INTERFACES] = d->interfaces,
                           [FD_WAKE] = d->wake };
    const unsigned wants[FDS] = { [FD_CONTROL] = wants_of(control_wants),
                                  [FD_UDP] = SLEEP_READ |
                                             (d->udp && d->carry.full ? SLEEP_WRITE : 0u),
                                  [FD_TUNNEL] = wants_of(tls_wants(t)),
                                  [FD_INTERFACES] = SLEEP_READ,
                                  [FD_WAKE] = SLEEP_READ };

    mind_fds(d, fds, wants);
    return d->sleep.epoll;
}

bool datagrams_sleep(struct datagrams *d, int control_wants, int64_t until_us)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];

    datagrams_fd(d, control_wants);
    errno = 0;
    return sleep_until(&d->sleep, until_us, ready) > 0 || errno != EINTR;
}
