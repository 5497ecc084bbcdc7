#include "server/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { GAUGE, COUNTER, SECONDS, SECONDS_TOTAL };

struct row {
    const char *name;
    enum kind kind;
    size_t at;
    const char *help;
};

#define AT(member) offsetof(struct metrics, member)

static const struct row rows[] = {
    { "process_start_time_seconds", SECONDS, AT(started_us), "When it started, since 1970." },
    { "process_cpu_seconds_total", SECONDS_TOTAL, AT(cpu_us), "Time on the processors." },
    { "process_resident_memory_bytes", GAUGE, AT(resident_bytes), "Memory in use." },
    { "roost_uptime_seconds", SECONDS, AT(uptime_us), "Time since the start." },
    { "roost_hub_memory_bytes", GAUGE, AT(hub_bytes), "Memory of accounts, rooms and people." },

    { "roost_connections", GAUGE, AT(conns), "Connections of all kinds." },
    { "roost_connections_limit", GAUGE, AT(conns_max), "How many there may be (conns.max)." },
    { "roost_handshakes", GAUGE, AT(handshakes), "Connections that have not finished TLS." },
    { "roost_handshakes_limit", GAUGE, AT(handshakes_max),
      "How many there may be (handshake.max)." },
    { "roost_http_connections", GAUGE, AT(https), "Connections that speak HTTP." },
    { "roost_http_connections_limit", GAUGE, AT(https_max), "How many there may be (http.max)." },
    { "roost_connections_accepted_total", COUNTER, AT(accepted), "Connections taken." },
    { "roost_connections_refused_total", COUNTER, AT(refused_conns),
      "Connections refused, because a limit was reached." },
    { "roost_handshakes_failed_total", COUNTER, AT(handshakes_failed),
      "TLS that came to nothing." },
    { "roost_connections_slow_total", COUNTER, AT(slow),
      "Connections closed because they did not read (conn.queue)." },
    { "roost_connections_malformed_total", COUNTER, AT(malformed),
      "Connections closed because they sent nonsense." },
    { "roost_connections_timed_out_total", COUNTER, AT(timed_out),
      "Connections closed because they took too long." },

    { "roost_clients", GAUGE, AT(clients), "Connections that speak Roost." },
    { "roost_sessions", GAUGE, AT(sessions), "Sessions that are logged in." },
    { "roost_rooms", GAUGE, AT(rooms), "Rooms in memory." },
    { "roost_requests_total", COUNTER, AT(requests), "Requests of clients." },
    { "roost_refusals_total", COUNTER, AT(refusals), "Requests that were refused." },
    { "roost_repeats_total", COUNTER, AT(repeats), "Requests that had been done before." },

    { "roost_store_batches_total", COUNTER, AT(batches), "Transactions." },
    { "roost_store_operations_total", COUNTER, AT(ops), "Operations in them." },
    { "roost_store_failures_total", COUNTER, AT(ops_failed), "Operations that were not stored." },
    { "roost_store_busy_total", COUNTER, AT(ops_busy),
      "Operations refused because too many waited." },
    { "roost_store_waiting", GAUGE, AT(ops_waiting), "Operations that wait for the disk." },
    { "roost_store_waiting_limit", GAUGE, AT(ops_waiting_max),
      "How many may wait (store.waiting)." },
    { "roost_store_probed", GAUGE, AT(store_known), "1: /healthz was asked since the start." },
    { "roost_store_writable", GAUGE, AT(store_writable), "1: and its last write succeeded." },
    { "roost_hashes_waiting", GAUGE, AT(hashes_waiting), "Passwords that wait to be hashed." },
    { "roost_hashes_waiting_limit", GAUGE, AT(hashes_waiting_max),
      "How many may wait (hash.waiting)." },

    { "roost_received_bytes_total", COUNTER, AT(bytes_in), "Bytes from the network." },
    { "roost_sent_bytes_total", COUNTER, AT(bytes_out), "Bytes to the network." },
    { "roost_frames_queued_total", COUNTER, AT(frames), "Frames and answers for connections." },
    { "roost_records_sent_total", COUNTER, AT(records), "TLS records." },
    { "roost_writes_total", COUNTER, AT(writes), "System calls that wrote to the network." },
    { "roost_queue_limit_bytes", GAUGE, AT(queue_max),
      "Bytes that may wait for one connection (conn.queue)." },

    { "roost_media_devices", GAUGE, AT(media_devices), "Devices that take part in meetings." },
    { "roost_media_parts_total", COUNTER, AT(media_in), "Parts of voices and pictures that came." },
    { "roost_media_forwarded_total", COUNTER, AT(media_forwarded),
      "Parts that were forwarded, one for each receiver." },
    { "roost_media_datagrams_total", COUNTER, AT(media_datagrams), "Datagrams that they left in." },
    { "roost_media_muted_total", COUNTER, AT(media_muted),
      "Parts of who is muted, and of streams that are nobody's: not forwarded." },
    { "roost_media_unheard_total", COUNTER, AT(media_unheard),
      "Parts of voices that are not among the last speakers: not forwarded." },
    { "roost_media_dropped_total", COUNTER, AT(media_dropped),
      "Parts that were too old when their receiver could take them." },
    { "roost_media_again_total", COUNTER, AT(media_again),
      "Parts that were sent again, because they were lost." },
    { "roost_media_refused_total", COUNTER, AT(media_refused),
      "Devices and streams that a worker had no room for." },

    { "roost_files_open", GAUGE, AT(files_open), "Kept files that are being sent or fetched." },
    { "roost_files_taken_total", COUNTER, AT(files_taken), "Times that one was sent, or went on." },
    { "roost_files_given_total", COUNTER, AT(files_given), "Times that one was fetched." },
    { "roost_files_kept_total", COUNTER, AT(files_kept), "Files that came whole and are kept." },
    { "roost_files_failed_total", COUNTER, AT(files_failed),
      "Files that came whole and were refused." },
    { "roost_files_dropped_total", COUNTER, AT(files_dropped),
      "Contents deleted, because nobody refers to them." },
    { "roost_files_crowded_total", COUNTER, AT(files_crowded),
      "Times that one had to wait: as many as may were on their way." },
    { "roost_files_lost_total", COUNTER, AT(files_lost),
      "Times that what was kept was found damaged, or gone." },
    { "roost_files_received_bytes_total", COUNTER, AT(files_bytes_in), "Bytes of files written." },
    { "roost_files_sent_bytes_total", COUNTER, AT(files_bytes_out), "Bytes of files read." },
    { "roost_files_room_bytes", GAUGE, AT(files_room), "Bytes that may still be kept." },
};

enum { ROWS_NR = sizeof rows / sizeof *rows, ROW_TEXT_MAX = 320 };

static const char *type_of(enum kind kind)
{
    return kind == COUNTER || kind == SECONDS_TOTAL ? "counter" : "gauge";
}

static int row_text(const struct metrics *m, const struct row *r, char *out, size_t cap)
{
    uint64_t n = *(const uint64_t *)((const char *)m + r->at); /* int64_t is as large */
    int len = snprintf(out, cap, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64, r->name, r->help,
                       r->name, type_of(r->kind), r->name, r->kind >= SECONDS ? n / 1000000 : n);

    if (r->kind >= SECONDS)
        len += snprintf(out + len, cap - (size_t)len, ".%06u", (unsigned)(n % 1000000));
    return len + snprintf(out + len, cap - (size_t)len, "\n");
}

static int answers_text(const struct metrics *m, char *out, size_t cap)
{
    static const unsigned statuses[] = {
#define X(number, name, sentence) number,
        HTTP_STATUSES(X)
#undef X
    };
    int len = snprintf(out, cap,
                       "# HELP roost_http_answers_total Answers to HTTP requests.\n"
                       "# TYPE roost_http_answers_total counter\n");

    for (unsigned i = 0; i < METRIC_STATUS_NR; i++)
        len += snprintf(out + len, cap - (size_t)len,
                        "roost_http_answers_total{code=\"%u\"} %" PRIu64 "\n", statuses[i],
                        m->answers[i]);
    return len;
}

unsigned metrics_status(unsigned status)
{
    switch (status) {
#define X(number, name, sentence)                                                                  \
    case number:                                                                                   \
        return METRIC_STATUS_##number;
        HTTP_STATUSES(X)
#undef X
    }
    return METRIC_STATUS_503;
}

char *metrics_text(const struct metrics *m, size_t *ret_len)
{
    size_t cap = ROW_TEXT_MAX * (ROWS_NR + METRIC_STATUS_NR + 2), len;
    char *out = malloc(cap);

    if (!out)
        return NULL;
    len = (size_t)snprintf(out, cap,
                           "# HELP roost_build_info Which version this is.\n"
                           "# TYPE roost_build_info gauge\n"
                           "roost_build_info{version=\"" ROOST_RELEASE "\"} 1\n");
    for (size_t i = 0; i < ROWS_NR; i++)
        len += (size_t)row_text(m, &rows[i], out + len, cap - len);
    len += (size_t)answers_text(m, out + len, cap - len);
    *ret_len = len;
    return out;
}
