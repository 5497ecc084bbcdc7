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

int srt_receive(const char *port, uint64_t bytes, const char *file)
{
    static char buf[1 << 18];
    struct sockaddr_in at = flow_address(NULL, port);
    SRTSOCKET listener = make();
    int target = flow_target(file);
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
        flow_write(target, (const uint8_t *)buf, (size_t)n);
        got += (uint64_t)n;
        flow_tell(got, false);
    }
    flow_tell(got, bytes && got >= bytes);
    srt_close(s);
    srt_close(listener);
    srt_cleanup();
    return bytes == 0 || got >= bytes ? 0 : 1;
}

int srt_send_all(const char *ip, const char *port, const char *file)
{
    struct sockaddr_in to = flow_address(ip, port);
    SRTSOCKET s = make();
    static uint8_t chunk[FLOW_CHUNK];
    SRT_TRACEBSTATS stats = { 0 };
    int source = flow_source(file);
    int32_t waiting = 1;
    size_t len, at;
    int size;

    if (srt_connect(s, (struct sockaddr *)&to, sizeof to))
        flow_die(srt_getlasterror_str());
    while (!flow_over && (len = flow_read(source, chunk)) > 0)
        for (at = 0; !flow_over && at < len;) {
            int n = srt_send(s, (const char *)chunk + at, (int)(len - at));
            if (n <= 0)
                flow_die(srt_getlasterror_str());
            at += (size_t)n;
        }
    while (!flow_over && waiting > 0 && srt_getsockstate(s) == SRTS_CONNECTED) {
        size = sizeof waiting;
        srt_bistats(s, &stats, 0, 1); /* while it can be asked */
        if (srt_getsockflag(s, SRTO_SNDDATA, &waiting, &size))
            break;
        struct timespec pause = { .tv_nsec = 2000000 };
        nanosleep(&pause, NULL);
    }
    printf("{\"sent_bytes\": %" PRIu64 ", \"again_bytes\": %" PRIu64 "}\n",
           (uint64_t)stats.byteSentTotal, (uint64_t)stats.byteRetransTotal);
    fflush(stdout);
    srt_close(s);
    srt_cleanup();
    return 0;
}
