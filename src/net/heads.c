#include "net/heads.h"

#include <arpa/inet.h>
#include <string.h>

enum { IP_TCP = 6, IP_UDP = 17, UDP_HEAD = 8, TCP_HEAD = 20, TCP_WINDOW = 65535 };

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t n)
{
    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

static void put32(uint8_t *at, uint32_t n)
{
    put16(at, (uint16_t)(n >> 16));
    put16(at + 2, (uint16_t)n);
}

uint16_t heads_port(const union address *a)
{
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

/* What is inside the packet of IP: a protocol, and so many bytes. */
struct inside {
    uint8_t protocol;
    size_t len;
};

static size_t ip4_head(uint8_t *h, const union address *from, const union address *to, int ecn,
                       const struct inside *in)
{
    h[0] = 0x45;
    h[1] = (uint8_t)ecn;
    put16(h + 2, (uint16_t)(20 + in->len));
    put16(h + 6, 0x4000); /* do not fragment */
    h[8] = 64;
    h[9] = in->protocol;
    memcpy(h + 12, &from->v4.sin_addr, 4);
    memcpy(h + 16, &to->v4.sin_addr, 4);
    put16(h + 10, folded(sum16(0, h, 20)));
    return 20;
}

static size_t ip6_head(uint8_t *h, const union address *from, const union address *to, int ecn,
                       const struct inside *in)
{
    h[0] = 0x60;
    h[1] = (uint8_t)(ecn << 4);
    put16(h + 4, (uint16_t)in->len);
    h[6] = in->protocol;
    h[7] = 64;
    memcpy(h + 8, &from->v6.sin6_addr, 16);
    memcpy(h + 24, &to->v6.sin6_addr, 16);
    return 40;
}

static size_t ip_head(uint8_t *h, const union address *from, const union address *to, int ecn,
                      const struct inside *in)
{
    memset(h, 0, HEADS_MAX);
    return to->any.sa_family == AF_INET6 ? ip6_head(h, from, to, ecn, in)
                                         : ip4_head(h, from, to, ecn, in);
}

/* Over the addresses, the header of n bytes behind that of IP, and what follows. */
static uint16_t checksum(const uint8_t *h, size_t ip, size_t n, const struct inside *in,
                         const uint8_t *bytes, size_t len)
{
    uint32_t sum = in->protocol + (uint32_t)in->len;

    sum = sum16(sum, ip == 40 ? h + 8 : h + 12, ip == 40 ? 32 : 8);
    return folded(sum16(sum16(sum, h + ip, n), bytes, len));
}

size_t heads_udp(uint8_t ret[static HEADS_MAX], const union address *from, const union address *to,
                 int ecn, const uint8_t *bytes, size_t len)
{
    const struct inside in = { IP_UDP, UDP_HEAD + len };
    size_t ip = ip_head(ret, from, to, ecn, &in);
    uint8_t *udp = ret + ip;

    put16(udp, heads_port(from));
    put16(udp + 2, heads_port(to));
    put16(udp + 4, (uint16_t)in.len);
    uint16_t check = checksum(ret, ip, UDP_HEAD, &in, bytes, len);
    put16(udp + 6, check ? check : 0xffff);
    return ip + UDP_HEAD;
}

size_t heads_tcp(uint8_t ret[static HEADS_MAX], const union address *from, const union address *to,
                 const struct heads_segment *g, const uint8_t *bytes, size_t len)
{
    const struct inside in = { IP_TCP, TCP_HEAD + len };
    size_t ip = ip_head(ret, from, to, 0, &in);
    uint8_t *tcp = ret + ip;

    put16(tcp, heads_port(from));
    put16(tcp + 2, heads_port(to));
    put32(tcp + 4, g->seq);
    put32(tcp + 8, g->flags & HEADS_ACK ? g->ack : 0);
    tcp[12] = TCP_HEAD / 4 << 4;
    tcp[13] = (uint8_t)g->flags;
    put16(tcp + 14, TCP_WINDOW);
    put16(tcp + 16, checksum(ret, ip, TCP_HEAD, &in, bytes, len));
    return ip + TCP_HEAD;
}
