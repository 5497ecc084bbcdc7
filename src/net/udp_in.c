/* udp_in.c - receiving: a batch a call, cut into datagrams. */
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "net/udp_inside.h"

enum { REFUSALS_MAX = 64 }; /* words of "nobody is there" that are skipped in one call */

/* --- asking the kernel -------------------------------------------------------------- */

static void make_room(struct udp *u, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        u->in_parts[i] = (struct iovec){ u->in_bytes[i], IN_BYTES };
        u->in[i].msg_hdr = (struct msghdr){
            .msg_name = &u->in_from[i],
            .msg_namelen = sizeof u->in_from[i],
            .msg_iov = &u->in_parts[i],
            .msg_iovlen = 1,
            .msg_control = u->in_control[i],
            .msg_controllen = IN_CONTROL,
        };
    }
}

static int ask(struct udp *u)
{
    u->counts.in_calls++;
    if (!udp_lacks(u, UDP_LACKS_MANY)) {
        make_room(u, UDP_BATCH);
        int n = recvmmsg(u->fd, u->in, UDP_BATCH, 0, NULL);
        if (n >= 0 || errno != ENOSYS)
            return n;
        u->counts.lacks |= UDP_LACKS_MANY;
    }
    make_room(u, 1);
    ssize_t n = recvmsg(u->fd, &u->in[0].msg_hdr, 0);
    if (n < 0)
        return -1;
    u->in[0].msg_len = (unsigned)n;
    return 1;
}

/* Words about what was sent (nobody at that port, no way, too long) are not ours to hear. */
static bool is_about_sending(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EMSGSIZE || error == EPROTO || error == EHOSTDOWN || error == ENETDOWN ||
           error == ENOPROTOOPT || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

static int fetch(struct udp *u)
{
    u->n_in = u->at_in = 0;
    if (u->drained) { /* it is asked again when the socket is readable again */
        u->drained = false;
        return 0;
    }
    for (int i = 0; i < REFUSALS_MAX; i++) {
        int n = ask(u);
        if (n >= 0) {
            u->n_in = (unsigned)n;
            u->drained = n < (udp_lacks(u, UDP_LACKS_MANY) ? 1 : UDP_BATCH);
            return n;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        if (!is_about_sending(errno))
            return -ROOST_IO;
        u->counts.refused += errno == ECONNREFUSED;
    }
    return 0;
}

/* --- taking a message apart ----------------------------------------------------------- */

static void note_overflow(struct udp *u, uint32_t seen)
{
    u->counts.overflowed += seen - u->overflow_seen;
    u->overflow_seen = seen;
}

static void note_local(struct udp_local *to, const struct cmsghdr *c)
{
    if (c->cmsg_level == IPPROTO_IP) {
        struct in_pktinfo i;
        memcpy(&i, CMSG_DATA(c), sizeof i);
        to->len = 4;
        memcpy(to->ip, &i.ipi_spec_dst, 4);
        to->interface = (uint32_t)i.ipi_ifindex;
        return;
    }
    struct in6_pktinfo i;
    memcpy(&i, CMSG_DATA(c), sizeof i);
    if (IN6_IS_ADDR_V4MAPPED(&i.ipi6_addr))
        return; /* the other kind of message says it */
    to->len = 16;
    memcpy(to->ip, &i.ipi6_addr, 16);
    to->interface = i.ipi6_ifindex;
}

static void note_stamp(struct udp *u, const struct cmsghdr *c)
{
    struct timespec t;

    memcpy(&t, CMSG_DATA(c), sizeof t);
    u->current.stamp_ns = t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void read_control(struct udp *u, const struct cmsghdr *c)
{
    int number = 0;
    size_t len = c->cmsg_len - CMSG_LEN(0);

    memcpy(&number, CMSG_DATA(c), len < sizeof number ? len : sizeof number);
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
        u->segment = (size_t)number;
    else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
        note_overflow(u, (uint32_t)number);
    else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
        note_stamp(u, c);
    else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
             (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
        u->current.ecn = number & 3;
    else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) ||
             (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO))
        note_local(&u->current.to, c);
}

static void open_message(struct udp *u, unsigned i)
{
    struct msghdr *m = &u->in[i].msg_hdr;

    u->current = (struct udp_in){ .from = u->in_from[i], .bytes = u->in_bytes[i] };
    address_plain(&u->current.from);
    u->at_bytes = 0;
    u->of_bytes = u->segment = u->in[i].msg_len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        read_control(u, c);
    if (m->msg_flags & MSG_TRUNC) {
        u->counts.cut++;
        u->of_bytes = 0;
    }
    if (udp_lacks(u, UDP_LACKS_ECN))
        u->current.ecn = 0;
}

int udp_receive(struct udp *u, struct udp_in *ret)
{
    if (u->at_bytes >= u->of_bytes) {
        int n = u->at_in < u->n_in ? 1 : fetch(u);
        if (n <= 0)
            return n;
        open_message(u, u->at_in++);
    }
    size_t left = u->of_bytes - u->at_bytes;
    u->current.bytes = u->in_bytes[u->at_in - 1] + u->at_bytes;
    u->current.len = left < u->segment ? left : u->segment;
    u->at_bytes += u->current.len;
    u->counts.in++;
    u->counts.in_bytes += u->current.len;
    *ret = u->current;
    if (u->tap && ret->len)
        u->tap(u->tap_ctx, &(struct udp_seen){ .peer = &ret->from,
                                               .mine = &ret->to,
                                               .bytes = ret->bytes,
                                               .len = ret->len,
                                               .ecn = ret->ecn });
    return 1;
}
