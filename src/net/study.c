#include "net/study.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

enum {
    LINK_RAW = 101, /* packets begin with the IP header */
    HEADERS_MAX = 48,
    IP_UDP = 17,
};

static FILE *open_file(const char *name, const char *mode, int flags)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, mode) : NULL;

    if (!f && fd >= 0)
        close(fd);
    return f;
}

static bool begin_pcap(FILE *f)
{
    const uint32_t head[] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, LINK_RAW };

    return fwrite(head, sizeof head, 1, f) == 1 && !fflush(f);
}

/* So one hears at once, and not when keys are missing, of a place that takes nothing. */
static bool begin_keys(FILE *f)
{
    if (lseek(fileno(f), 0, SEEK_END) > 0)
        return true;
    return fputs("# keys of Roost: who has them reads along\n", f) >= 0 && !fflush(f);
}

int study_open(struct study *s, const char *pcap, const char *keys, const char **ret_name)
{
    *s = (struct study){ 0 };
    *ret_name = pcap;
    if (pcap && (!(s->pcap = open_file(pcap, "w", O_TRUNC)) || !begin_pcap(s->pcap)))
        goto failed;
    *ret_name = keys;
    if (keys && (!(s->keys = open_file(keys, "a", O_APPEND)) || !begin_keys(s->keys)))
        goto failed;
    return 0;
failed:;
    int error = errno;
    study_close(s);
    errno = error;
    return -ROOST_IO;
}

int study_close(struct study *s)
{
    bool failed = s->failed;

    if (s->pcap && fclose(s->pcap))
        failed = true;
    if (s->keys && fclose(s->keys))
        failed = true;
    *s = (struct study){ 0 };
    return failed ? -ROOST_IO : 0;
}

/* --- keys ---------------------------------------------------------------------------- */

void study_keys(struct study *s, uint32_t session, const uint8_t secret[static 32])
{
    if (!s->keys)
        return;
    fprintf(s->keys, "ROOST_DATAGRAMS %08" PRIx32 " ", session);
    for (int i = 0; i < 32; i++)
        fprintf(s->keys, "%02x", secret[i]);
    fputc('\n', s->keys);
    s->failed = fflush(s->keys) || s->failed;
}

void study_line(struct study *s, const char *line)
{
    if (!s->keys)
        return;
    fprintf(s->keys, "%s\n", line);
    s->failed = fflush(s->keys) || s->failed;
}

/* --- headers, as they will have been --------------------------------------------------- */

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

static uint16_t port_of(const union address *a)
{
    return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

static size_t ip4_head(uint8_t *h, const union address *from, const union address *to, int ecn,
                       size_t len)
{
    h[0] = 0x45;
    h[1] = (uint8_t)ecn;
    put16(h + 2, (uint16_t)(28 + len));
    put16(h + 6, 0x4000); /* do not fragment */
    h[8] = 64;
    h[9] = IP_UDP;
    memcpy(h + 12, &from->v4.sin_addr, 4);
    memcpy(h + 16, &to->v4.sin_addr, 4);
    put16(h + 10, folded(sum16(0, h, 20)));
    return 20;
}

static size_t ip6_head(uint8_t *h, const union address *from, const union address *to, int ecn,
                       size_t len)
{
    h[0] = 0x60;
    h[1] = (uint8_t)(ecn << 4);
    put16(h + 4, (uint16_t)(8 + len));
    h[6] = IP_UDP;
    h[7] = 64;
    memcpy(h + 8, &from->v6.sin6_addr, 16);
    memcpy(h + 24, &to->v6.sin6_addr, 16);
    return 40;
}

static size_t heads(uint8_t h[static HEADERS_MAX], const union address *from,
                    const union address *to, int ecn, const uint8_t *bytes, size_t len)
{
    bool six = to->any.sa_family == AF_INET6;

    memset(h, 0, HEADERS_MAX);
    size_t n = six ? ip6_head(h, from, to, ecn, len) : ip4_head(h, from, to, ecn, len);
    uint8_t *udp = h + n;
    put16(udp, port_of(from));
    put16(udp + 2, port_of(to));
    put16(udp + 4, (uint16_t)(8 + len));
    uint32_t sum = IP_UDP + 8 + (uint32_t)len;
    sum = sum16(sum, six ? h + 8 : h + 12, six ? 32 : 8);
    uint16_t check = folded(sum16(sum16(sum, udp, 8), bytes, len));
    put16(udp + 6, check ? check : 0xffff);
    return n + 8;
}

/* --- datagrams ----------------------------------------------------------------------------- */

/* Both of one family: who sits on every address is shown with that of the other's family. */
static void match(union address *mine, const union address *peer, const struct udp_local *local)
{
    uint16_t port = port_of(mine);

    address_plain(mine);
    if (mine->any.sa_family != peer->any.sa_family) {
        *mine = (union address){ .any.sa_family = peer->any.sa_family };
        if (peer->any.sa_family == AF_INET6)
            mine->v6.sin6_port = htons(port);
        else
            mine->v4.sin_port = htons(port);
    }
    if (local && local->len == 4 && mine->any.sa_family == AF_INET)
        memcpy(&mine->v4.sin_addr, local->ip, 4);
    else if (local && local->len == 16 && mine->any.sa_family == AF_INET6)
        memcpy(&mine->v6.sin6_addr, local->ip, 16);
}

static void on_datagram(void *ctx, const struct udp_seen *seen)
{
    struct study *s = ctx;
    uint8_t h[HEADERS_MAX];
    union address mine = s->mine, peer = *seen->peer;
    struct timespec now;

    if (!s->pcap || s->failed || seen->len > UDP_RUN_BYTES)
        return;
    address_plain(&peer);
    match(&mine, &peer, seen->mine);
    size_t n = seen->out ? heads(h, &mine, &peer, seen->ecn, seen->bytes, seen->len)
                         : heads(h, &peer, &mine, seen->ecn, seen->bytes, seen->len);
    clock_gettime(CLOCK_REALTIME, &now);
    const uint32_t record[] = { (uint32_t)now.tv_sec, (uint32_t)(now.tv_nsec / 1000),
                                (uint32_t)(n + seen->len), (uint32_t)(n + seen->len) };
    s->failed = fwrite(record, sizeof record, 1, s->pcap) != 1 || fwrite(h, n, 1, s->pcap) != 1 ||
                fwrite(seen->bytes, seen->len, 1, s->pcap) != 1;
}

void study_socket(struct study *s, struct udp *u)
{
    if (!s->pcap || udp_where(u, &s->mine))
        return;
    udp_tap(u, on_datagram, s);
}
