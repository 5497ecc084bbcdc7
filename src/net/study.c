#include "net/study.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "net/heads.h"

enum { LINK_RAW = 101 /* packets begin with the IP header */ };

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

/* --- datagrams ----------------------------------------------------------------------------- */

/* Both of one family: who sits on every address is shown with that of the other's family. */
static void match(union address *mine, const union address *peer, const struct udp_local *local)
{
    uint16_t port = heads_port(mine);

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

static bool is_anywhere(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr)
                                        : !a->v4.sin_addr.s_addr;
}

/* What the system puts into packets of a socket that sits on all addresses. */
static void find_source(struct study *s, union address *mine, const union address *peer)
{
    struct timespec now;
    uint16_t port = heads_port(mine);

    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!address_equal(peer, &s->last_peer) || now.tv_sec != s->source_s) {
        s->last_peer = *peer;
        s->source_s = now.tv_sec;
        if (udp_source(peer, &s->source))
            s->source = *mine;
    }
    if (s->source.any.sa_family != mine->any.sa_family)
        return;
    *mine = s->source;
    if (mine->any.sa_family == AF_INET6)
        mine->v6.sin6_port = htons(port);
    else
        mine->v4.sin_port = htons(port);
}

static void write_packet(struct study *s, const uint8_t *head, size_t n, const uint8_t *bytes,
                         size_t len)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    const uint32_t record[] = { (uint32_t)now.tv_sec, (uint32_t)(now.tv_nsec / 1000),
                                (uint32_t)(n + len), (uint32_t)(n + len) };
    s->failed = fwrite(record, sizeof record, 1, s->pcap) != 1 ||
                fwrite(head, n, 1, s->pcap) != 1 || (len && fwrite(bytes, len, 1, s->pcap) != 1);
}

static void on_datagram(void *ctx, const struct udp_seen *seen)
{
    struct study *s = ctx;
    uint8_t h[HEADS_MAX];
    union address mine = s->mine, peer = *seen->peer;

    if (!s->pcap || s->failed || seen->len > UDP_RUN_BYTES)
        return;
    address_plain(&peer);
    match(&mine, &peer, seen->mine);
    if (is_anywhere(&mine))
        find_source(s, &mine, &peer);
    size_t n = seen->out ? heads_udp(h, &mine, &peer, seen->ecn, seen->bytes, seen->len)
                         : heads_udp(h, &peer, &mine, seen->ecn, seen->bytes, seen->len);
    write_packet(s, h, n, seen->bytes, seen->len);
}

void study_socket(struct study *s, struct udp *u)
{
    if (!s->pcap || udp_where(u, &s->mine))
        return;
    udp_tap(u, on_datagram, s);
}

/* --- connections ----------------------------------------------------------------------------- */

static void write_segment(struct study *s, struct study_stream *t, bool out, unsigned flags,
                          const uint8_t *bytes, size_t len)
{
    uint8_t h[HEADS_MAX];
    uint32_t *seq = out ? &t->sent : &t->heard;

    if (!t->known || s->failed)
        return;
    struct heads_segment g = { *seq, out ? t->heard : t->sent, flags };
    size_t n = out ? heads_tcp(h, &t->mine, &t->peer, &g, bytes, len)
                   : heads_tcp(h, &t->peer, &t->mine, &g, bytes, len);
    write_packet(s, h, n, bytes, len);
    *seq += (uint32_t)len + !!(flags & (HEADS_SYN | HEADS_FIN));
}

void study_opened(struct study *s, struct study_stream *t, int fd, bool from_here)
{
    socklen_t mine = sizeof t->mine, peer = sizeof t->peer;

    *t = (struct study_stream){ .sent = 1000, .heard = 5000 };
    if (!s->pcap || getsockname(fd, &t->mine.any, &mine) || getpeername(fd, &t->peer.any, &peer))
        return;
    address_plain(&t->mine);
    address_plain(&t->peer);
    t->known = true;
    write_segment(s, t, from_here, HEADS_SYN, NULL, 0);
    write_segment(s, t, !from_here, HEADS_SYN | HEADS_ACK, NULL, 0);
    write_segment(s, t, from_here, HEADS_ACK, NULL, 0);
}

void study_bytes(struct study *s, struct study_stream *t, bool out, const uint8_t *bytes,
                 size_t len)
{
    while (len) {
        size_t n = len < STUDY_SEGMENT ? len : STUDY_SEGMENT;
        write_segment(s, t, out, HEADS_PSH | HEADS_ACK, bytes, n);
        bytes += n;
        len -= n;
    }
}

void study_closed(struct study *s, struct study_stream *t, bool out)
{
    write_segment(s, t, out, HEADS_FIN | HEADS_ACK, NULL, 0);
}
