/* srt.c - SRT in its file mode, set up as it comes. */
#include <inttypes.h>
#include <srt/srt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "flow.h"

static SRTSOCKET make(void)
{
    SRT_TRANSTYPE file = SRTT_FILE;

    srt_startup();
    srt_setloglevel(0);
    SRTSOCKET s = srt_create_socket();
    if (s == SRT_INVALID_SOCK || srt_setsockflag(s, SRTO_TRANSTYPE, &file, sizeof file))
        flow_die(srt_getlasterror_str());
    return s;
}

int srt_receive(const char *port, uint64_t bytes)
{
    static char buf[1 << 18];
    struct sockaddr_in at = flow_address(NULL, port);
    SRTSOCKET listener = make();
    uint64_t got = 0;

    if (srt_bind(listener, (struct sockaddr *)&at, sizeof at) || srt_listen(listener, 1))
        flow_die(srt_getlasterror_str());
    printf("{\"ready\": true}\n");
    fflush(stdout);
    SRTSOCKET s = srt_accept(listener, NULL, NULL);
    while (!flow_over && (bytes == 0 || got < bytes)) {
        int n = srt_recv(s, buf, sizeof buf);
        if (n <= 0)
            break;
        got += (uint64_t)n;
        flow_tell(got, false);
    }
    flow_tell(got, bytes && got >= bytes);
    srt_close(s);
    srt_close(listener);
    srt_cleanup();
    return bytes == 0 || got >= bytes ? 0 : 1;
}

int srt_send_all(const char *ip, const char *port, uint64_t bytes)
{
    struct sockaddr_in to = flow_address(ip, port);
    SRTSOCKET s = make();
    SRT_TRACEBSTATS stats;
    uint64_t sent = 0;
    int32_t waiting = 1;
    int len;

    if (srt_connect(s, (struct sockaddr *)&to, sizeof to))
        flow_die(srt_getlasterror_str());
    while (!flow_over && (bytes == 0 || sent < bytes)) {
        uint64_t left = bytes ? bytes - sent : FLOW_CHUNK;
        int n = srt_send(s, (const char *)flow_chunk(),
                         (int)(left < FLOW_CHUNK ? left : FLOW_CHUNK));
        if (n <= 0)
            break;
        sent += (uint64_t)n;
    }
    while (!flow_over && waiting > 0 && srt_getsockstate(s) == SRTS_CONNECTED) {
        len = sizeof waiting;
        if (srt_getsockflag(s, SRTO_SNDDATA, &waiting, &len))
            break;
        struct timespec pause = { .tv_nsec = 2000000 };
        nanosleep(&pause, NULL);
    }
    if (!srt_bistats(s, &stats, 0, 1))
        printf("{\"sent_bytes\": %" PRIu64 ", \"again_bytes\": %" PRIu64 "}\n",
               (uint64_t)stats.byteSentTotal, (uint64_t)stats.byteRetransTotal);
    fflush(stdout);
    srt_close(s);
    srt_cleanup();
    return 0;
}
