/* metrics.h - figures of the server as text that Prometheus reads.
 *
 * Plain data and one table; whoever has the figures fills them in. Times are in
 * microseconds here and in seconds in the text.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/http_answer.h"

enum {
#define X(number, name, sentence) METRIC_STATUS_##number,
    HTTP_STATUSES(X)
#undef X
        METRIC_STATUS_NR
};

struct metrics {
    int64_t uptime_us, started_us /* since 1970 */, cpu_us;
    uint64_t resident_bytes, hub_bytes;
    uint64_t conns, conns_max, handshakes, handshakes_max, https, https_max;
    uint64_t clients, sessions, rooms;
    uint64_t accepted, refused_conns, handshakes_failed, slow, malformed, timed_out;
    uint64_t requests, refusals, repeats;
    uint64_t batches, ops, ops_failed, ops_busy, ops_waiting, ops_waiting_max;
    uint64_t store_known, store_writable;
    uint64_t hashes_waiting, hashes_waiting_max;
    uint64_t bytes_in, bytes_out, frames, records, writes, queue_max;
    uint64_t media_devices, media_in, media_forwarded, media_datagrams, media_muted, media_unheard;
    uint64_t media_dropped, media_again, media_refused;
    uint64_t files_taken, files_given, files_kept, files_failed, files_dropped, files_open;
    uint64_t files_crowded, files_lost;
    uint64_t files_bytes_in, files_bytes_out, files_room;
    uint64_t answers[METRIC_STATUS_NR]; /* to HTTP requests, by status */
};

/* The index in answers[]; a status that is not in the list counts as 503. */
unsigned metrics_status(unsigned status);

/* The type to send it with. */
#define METRICS_TYPE "text/plain; version=0.0.4"
/* A heap string of *ret_len bytes; NULL: out of memory. */
char *metrics_text(const struct metrics *m, size_t *ret_len);
