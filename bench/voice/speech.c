#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "mumble.h"

/* A datagram says what it is in its first byte; numbers are in a form of their own. */
enum { IS_PING = 1 << 5, IS_OPUS = 4 << 5, BATCH = 32, PACKET = 1024, OPENS = 100, PING_MOST = 32 };

void speech_open(struct person *p, const struct crowd *c)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port) };
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (p->udp < 0 || connect(p->udp, (struct sockaddr *)&at, sizeof at) ||
        setsockopt(p->udp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        give_up("no socket", p->index);
}

static uint8_t *put_varint(uint8_t *at, uint64_t n)
{
    if (n < 0x80) {
        *at++ = (uint8_t)n;
    } else if (n < 0x4000) {
        *at++ = (uint8_t)(n >> 8 | 0x80);
        *at++ = (uint8_t)n;
    } else {
        *at++ = 0xf0;
        for (int shift = 24; shift >= 0; shift -= 8)
            *at++ = (uint8_t)(n >> shift);
    }
    return at;
}

static size_t varint_bytes(uint8_t first)
{
    return first < 0x80 ? 1 : first < 0xc0 ? 2 : first < 0xe0 ? 3 : first < 0xf0 ? 4 : 5;
}

static void send_it(struct person *p, const uint8_t *plain, const uint8_t *end)
{
    uint8_t sealed[PACKET];
    size_t len = ocb_seal(&p->ocb, plain, (size_t)(end - plain), sealed);

    if (send(p->udp, sealed, len, 0) < 0 && errno != EAGAIN)
        give_up("its socket is broken", p->index);
}

void speech_ping(struct person *p)
{
    uint8_t plain[16] = { IS_PING };

    send_it(p, plain, put_varint(plain + 1, p->index));
}

void speech_say(struct person *p, struct crowd *c)
{
    uint8_t plain[FRAME_MAX + 32] = { IS_OPUS };
    uint8_t *at = put_varint(plain + 1, p->said++ * c->frame_ms / 10);

    at = put_varint(at, c->bytes);
    memset(at, (int)p->said, c->bytes);
    int64_t now = now_ns();
    memcpy(at, &now, sizeof now);
    send_it(p, plain, at + c->bytes);
    c->sent += c->counts;
}

/* --- hearing ---------------------------------------------------------------------------------- */

static int64_t ns_of(const struct timespec *t)
{
    return t->tv_sec * 1000000000LL + t->tv_nsec;
}

/* The kernel stamps with the time of the day. */
static int64_t stamp_of(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    struct timespec stamp, day;

    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
        return now_ns();
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    clock_gettime(CLOCK_REALTIME, &day);
    return now_ns() - (ns_of(&day) - ns_of(&stamp));
}

static void open_it(struct person *p, struct crowd *c, const uint8_t *bytes, size_t len,
                    struct msghdr *m)
{
    uint8_t plain[PACKET];
    size_t at = 1;
    int64_t said_ns;

    if (!ocb_open(&p->ocb, bytes, len, plain)) {
        c->damaged++;
        return;
    }
    for (int i = 0; i < 3; i++) /* whose, which, how long */
        at += varint_bytes(plain[at]);
    memcpy(&said_ns, plain + at, sizeof said_ns);
    if (c->counts)
        histogram_add(&c->delays, stamp_of(m) - said_ns);
}

static void hear(struct person *p, struct crowd *c, const uint8_t *bytes, size_t len,
                 struct msghdr *m)
{
    if (len <= OCB_HEAD)
        return;
    ocb_come(&p->ocb, bytes);
    if (len < PING_MOST) {
        p->mapped = true;
        return;
    }
    c->received += c->counts;
    if (p->heard++ % OPENS == p->index % OPENS)
        open_it(p, c, bytes, len, m);
}

void speech_hear(struct person *p, struct crowd *c)
{
    static uint8_t bytes[BATCH][PACKET], control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    struct mmsghdr in[BATCH];
    struct iovec parts[BATCH];
    int n;

    do {
        for (int i = 0; i < BATCH; i++) {
            parts[i] = (struct iovec){ bytes[i], PACKET };
            in[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i],
                                             .msg_iovlen = 1,
                                             .msg_control = control[i],
                                             .msg_controllen = sizeof control[i] };
        }
        n = recvmmsg(p->udp, in, BATCH, 0, NULL);
        for (int i = 0; i < n; i++)
            hear(p, c, bytes[i], in[i].msg_len, &in[i].msg_hdr);
    } while (n == BATCH);
}
