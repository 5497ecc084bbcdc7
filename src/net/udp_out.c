/* udp_out.c - sending: runs of equal datagrams in one call, or one by one. */
#include <errno.h>
#include <limits.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/err.h"
#include "net/udp_inside.h"
#include "wire/packet.h"

/* What one call is to send, a part of a struct udp_out. */
struct run {
    struct iovec parts[UDP_PARTS_MAX];
    size_t n_parts;
    union address to;
    _Alignas(struct cmsghdr) uint8_t control[OUT_CONTROL];
    struct msghdr head;
};

/* --- one run ------------------------------------------------------------------------ */

static size_t total_of(const struct udp_out *o)
{
    size_t n = 0;

    for (size_t i = 0; i < o->n_parts; i++)
        n += o->parts[i].iov_len;
    return n;
}

/* The bytes [at, at + len) of all parts. */
static void slice(struct run *r, const struct udp_out *o, size_t at, size_t len)
{
    r->n_parts = 0;
    for (size_t i = 0; i < o->n_parts && len; i++) {
        const struct iovec *p = &o->parts[i];
        if (at >= p->iov_len) {
            at -= p->iov_len;
            continue;
        }
        size_t n = p->iov_len - at < len ? p->iov_len - at : len;
        r->parts[r->n_parts++] = (struct iovec){ (uint8_t *)p->iov_base + at, n };
        len -= n;
        at = 0;
    }
}

static void add_control(struct run *r, int level, int type, const void *bytes, size_t len)
{
    struct cmsghdr *c = (struct cmsghdr *)(r->control + r->head.msg_controllen);

    memset(c, 0, CMSG_SPACE(len));
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), bytes, len);
    r->head.msg_controllen += CMSG_SPACE(len);
}

static void add_local(struct run *r, const struct udp_local *from)
{
    if (from->len == 4) {
        struct in_pktinfo i = { 0 };
        memcpy(&i.ipi_spec_dst, from->ip, 4);
        add_control(r, IPPROTO_IP, IP_PKTINFO, &i, sizeof i);
    } else if (from->len == 16) {
        struct in6_pktinfo i = { 0 };
        memcpy(&i.ipi6_addr, from->ip, 16);
        if (IN6_IS_ADDR_LINKLOCAL(&i.ipi6_addr))
            i.ipi6_ifindex = from->interface;
        add_control(r, IPPROTO_IPV6, IPV6_PKTINFO, &i, sizeof i);
    }
}

static bool goes_by_v4(const struct udp *u, const union address *to)
{
    if (u->family == AF_INET)
        return true;
    return to && (to->any.sa_family == AF_INET || IN6_IS_ADDR_V4MAPPED(&to->v6.sin6_addr));
}

static void make_head(struct udp *u, struct run *r, const struct udp_out *o, uint16_t segment)
{
    r->head = (struct msghdr){ .msg_iov = r->parts, .msg_iovlen = r->n_parts };
    if (o->to) {
        r->to = *o->to;
        if (u->family == AF_INET6)
            address_mapped(&r->to);
        r->head.msg_name = &r->to;
        r->head.msg_namelen = address_len(&r->to);
    }
    r->head.msg_control = r->control;
    if (segment)
        add_control(r, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment);
    if (o->ecn && !udp_lacks(u, UDP_LACKS_ECN)) {
        bool v4 = goes_by_v4(u, o->to);
        add_control(r, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &o->ecn,
                    sizeof o->ecn);
    }
    if (o->from && !u->bound)
        add_local(r, o->from);
    if (!r->head.msg_controllen)
        r->head.msg_control = NULL;
}

/* --- what the kernel says ---------------------------------------------------------------- */

enum told { TOLD_SENT, TOLD_FULL, TOLD_LATER, TOLD_LONG, TOLD_LACKING, TOLD_BROKEN };

static enum told judge(struct udp *u, int error)
{
    switch (error) {
    case EAGAIN:
        return TOLD_FULL;
    case EMSGSIZE:
        return TOLD_LONG;
    case EINVAL: /* also: the segments are larger than the interface takes */
    case EIO:    /* the device cannot add checksums */
    case ENOPROTOOPT:
    case EOPNOTSUPP:
        return TOLD_LACKING;
    case EBADF:
    case ENOTSOCK:
    case EFAULT:
        return TOLD_BROKEN;
    default: /* no route, a full device, a firewall: the network's, and it passes */
        u->counts.trouble = error;
        return TOLD_LATER;
    }
}

/* A refusal that an earlier datagram met is told to the next one, which then goes again. */
static ssize_t say(struct udp *u, const struct msghdr *m)
{
    for (int i = 0;; i++) {
        ssize_t n = sendmsg(u->fd, m, 0);
        u->counts.out_calls++;
        if (n >= 0 || (errno != ECONNREFUSED && errno != EINTR) || i == 8)
            return n;
        u->counts.refused += errno == ECONNREFUSED;
    }
}

static enum told send_run(struct udp *u, struct run *r, const struct udp_out *o, size_t at,
                          size_t len, size_t segment)
{
    bool many = segment < len;

    slice(r, o, at, len);
    make_head(u, r, o, many ? (uint16_t)segment : 0);
    if (say(u, &r->head) < 0)
        return judge(u, errno);
    if (many)
        u->counts.lacks &= ~(unsigned)UDP_LACKS_SEGMENT;
    return TOLD_SENT;
}

static bool tries_runs(const struct udp *u)
{
    return !udp_lacks(u, UDP_LACKS_SEGMENT) || (u->runs_again && u->counts.out >= u->runs_again);
}

static void lack_runs(struct udp *u)
{
    u->counts.lacks |= UDP_LACKS_SEGMENT;
    u->runs_again = u->counts.out + UDP_SEGMENT_AGAIN;
}

/* Glued together for who watches: only then does it cost anything. */
static void show(struct udp *u, const struct udp_out *o, size_t at, size_t len, size_t segment)
{
    uint8_t whole[UDP_RUN_BYTES];

    for (size_t n; len && u->tap; at += n, len -= n) {
        struct run r;
        size_t to = 0;
        n = len < segment ? len : segment;
        slice(&r, o, at, n);
        for (size_t i = 0; i < r.n_parts; to += r.parts[i++].iov_len)
            memcpy(whole + to, r.parts[i].iov_base, r.parts[i].iov_len);
        u->tap(u->tap_ctx, &(struct udp_seen){ .out = true,
                                               .peer = o->to ? o->to : &u->to,
                                               .mine = o->from,
                                               .bytes = whole,
                                               .len = n,
                                               .ecn = o->ecn });
    }
}

static void count_out(struct udp *u, enum told told, size_t len, size_t segment)
{
    uint64_t n = (len + segment - 1) / segment;

    u->counts.out += n;
    u->counts.out_bytes += len;
    if (told == TOLD_LATER)
        u->counts.unsent += n;
}

/* --- without UDP_SEGMENT ------------------------------------------------------------------ */

/* One datagram. What the kernel has against it by itself passes, like a missing route. */
static enum told send_one(struct udp *u, struct run *r, const struct udp_out *o, size_t at,
                          size_t len)
{
    enum told told = send_run(u, r, o, at, len, len);

    if (told == TOLD_LACKING) {
        u->counts.trouble = errno;
        told = TOLD_LATER;
    }
    u->counts.narrow += told == TOLD_LONG && len <= PACKET_MTU_MIN;
    if (told == TOLD_SENT || told == TOLD_LATER)
        count_out(u, told, len, len);
    if (told == TOLD_SENT && u->tap)
        show(u, o, at, len, len);
    return told;
}

/* The datagrams of a run one by one; *ret_taken bytes of them were taken. If the run was refused
 * and one goes, it was the offload that was refused. */
static enum told send_each(struct udp *u, struct run *r, const struct udp_out *o, size_t at,
                           size_t len, size_t segment, bool refused, size_t *ret_taken)
{
    for (*ret_taken = 0; *ret_taken < len;) {
        size_t left = len - *ret_taken, n = left < segment ? left : segment;
        enum told told = send_one(u, r, o, at + *ret_taken, n);
        if (told != TOLD_SENT && told != TOLD_LATER)
            return told;
        if (refused && told == TOLD_SENT)
            lack_runs(u);
        *ret_taken += n;
    }
    return TOLD_SENT;
}

static enum told send_many(struct udp *u, struct run *r, const struct udp_out *o, size_t at,
                           size_t len, size_t segment, size_t *ret_taken)
{
    bool tried = tries_runs(u);
    enum told told = tried ? send_run(u, r, o, at, len, segment) : TOLD_LACKING;

    if (told == TOLD_LACKING || told == TOLD_LONG)
        return send_each(u, r, o, at, len, segment, tried, ret_taken);
    *ret_taken = told == TOLD_SENT || told == TOLD_LATER ? len : 0;
    if (*ret_taken)
        count_out(u, told, len, segment);
    if (told == TOLD_SENT && u->tap)
        show(u, o, at, len, segment);
    return told;
}

/* --- all of it ------------------------------------------------------------------------------ */

/* Bytes that one call may send. */
static size_t run_of(size_t left, size_t segment)
{
    size_t n = UDP_RUN_BYTES / segment;

    n = n < UDP_SEGMENTS_MAX ? n : UDP_SEGMENTS_MAX;
    n = n ? n * segment : segment;
    return left < n ? left : n;
}

int64_t udp_send(struct udp *u, const struct udp_out *o)
{
    size_t all = total_of(o), segment = o->segment && o->segment < all ? o->segment : all, at = 0;
    struct run r;

    if (!all || o->n_parts > UDP_PARTS_MAX || segment > UDP_RUN_BYTES || (!o->to && !u->connected))
        return -ROOST_INVALID;
    while (at < all) {
        size_t len = run_of(all - at, segment), taken = 0;
        enum told told = len > segment ? send_many(u, &r, o, at, len, segment, &taken)
                                       : send_one(u, &r, o, at, len);
        if (len <= segment && (told == TOLD_SENT || told == TOLD_LATER))
            taken = len;
        at += taken;
        if (told == TOLD_LONG)
            return -ROOST_TOO_LONG;
        if (told == TOLD_BROKEN)
            return -ROOST_IO;
        if (told == TOLD_FULL)
            break;
    }
    return (int64_t)at;
}
