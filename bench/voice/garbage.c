/* garbage.c - roost-garbage: datagrams of nothing, as many a second as are asked for, to a port of
 * this machine.
 *
 *     roost-garbage PORT RATE SECONDS
 *
 * They are as long as a frame of a voice; every other one begins as ours do, with a session that
 * may be there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { BYTES = 120, BATCH = 100 };

int main(int argc, char **argv)
{
    static uint8_t bytes[BATCH][BYTES];
    struct mmsghdr out[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in at = { .sin_family = AF_INET };
    struct timespec next;

    if (argc != 4 || atoi(argv[2]) < BATCH || atoi(argv[3]) < 1) {
        fputs("usage: roost-garbage PORT RATE SECONDS\n", stderr);
        return 2;
    }
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)atoi(argv[1]));
    int fd = socket(AF_INET, SOCK_DGRAM, 0), calls = atoi(argv[2]) / BATCH * atoi(argv[3]);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at)) {
        perror("roost-garbage");
        return 1;
    }
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ bytes[i], BYTES };
        out[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    uint64_t dice = 88172645463325252ULL, sent = 0;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (int k = 0; k < calls; k++) {
        for (int i = 0; i < BATCH; i++) {
            for (int b = 0; b < BYTES; b++) {
                dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
                bytes[i][b] = (uint8_t)dice;
            }
            bytes[i][0] = i % 2 ? 0x48 : bytes[i][0];
        }
        int n = sendmmsg(fd, out, BATCH, 0);
        sent += n > 0 ? (uint64_t)n : 0;
        next.tv_nsec += 1000000000L / (atoi(argv[2]) / BATCH);
        next.tv_sec += next.tv_nsec / 1000000000L;
        next.tv_nsec %= 1000000000L;
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) == EINTR)
            ;
    }
    printf("%" PRIu64 "\n", sent);
    return 0;
}
