#include "server/figures.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "server/backup.h"
#include "server/measure.h"

const char *figures_health(enum store_health health)
{
    static const char *const names[] = { "fine", "no-room", "read-only", "broken", "damaged" };

    return names[health];
}

const char *figures_health_text(enum store_health health)
{
    static const char *const texts[] = {
        "the disk takes everything again",
        "the disk is full: changes are refused, reading goes on; make room",
        "the disk cannot be written: changes are refused, reading goes on; check the disk",
        "the disk fails: changes are refused, reading goes on; check the disk",
        "the database is damaged: changes are refused, what can be read is read; restore a backup",
    };

    return texts[health];
}

static uint64_t bytes_of(const char *dir, const char *name)
{
    char path[DATADIR_PATH_MAX + 64];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

size_t figures(const struct edge *e, const char *dir, struct hub_stat *ret)
{
    struct metrics m = { 0 };
    struct workers_stats w = { 0 };
    struct depot_stats f = { 0 };
    struct statvfs v = { 0 };
    size_t n = 0;

    measure(e, &m);
    if (e->workers)
        workers_stats(e->workers, &w);
    if (e->depot)
        depot_stats(e->depot, &f);
    statvfs(dir, &v);
    enum store_health health = storer_health(e->storer);
    const struct hub_stat all[] = {
        { "disk", health, figures_health(health) },
        { "disk_free_bytes", (uint64_t)v.f_bavail * v.f_frsize, NULL },
        { "database_bytes", bytes_of(dir, DATABASE_NAME), NULL },
        { "database_log_bytes", bytes_of(dir, DATABASE_NAME "-wal"), NULL },
        { "uptime_seconds", (uint64_t)m.uptime_us / 1000000, NULL },
        { "cpu_ms", (uint64_t)m.cpu_us / 1000, NULL },
        { "resident_bytes", m.resident_bytes, NULL },
        { "connections", m.conns, NULL },
        { "connections_max", m.conns_max, NULL },
        { "clients", m.clients, NULL },
        { "sessions_on", m.sessions, NULL },
        { "rooms_in_memory", m.rooms, NULL },
        { "requests", m.requests, NULL },
        { "refusals", m.refusals, NULL },
        { "frames_sent", m.frames, NULL },
        { "store_operations", m.ops, NULL },
        { "store_batches", m.batches, NULL },
        { "store_failed", m.ops_failed, NULL },
        { "store_waiting", m.ops_waiting, NULL },
        { "hashes_waiting", m.hashes_waiting, NULL },
        { "accepted", m.accepted, NULL },
        { "refused_connections", m.refused_conns, NULL },
        { "failed_handshakes", m.handshakes_failed, NULL },
        { "slow_readers_closed", m.slow, NULL },
        { "malformed", m.malformed, NULL },
        { "timed_out", m.timed_out, NULL },
        { "bytes_in", m.bytes_in, NULL },
        { "bytes_out", m.bytes_out, NULL },
        { "datagram_sessions", w.sessions, NULL },
        { "datagrams_in", w.in, NULL },
        { "datagrams_out", w.out, NULL },
        { "datagram_bytes_in", w.in_bytes, NULL },
        { "datagram_bytes_out", w.out_bytes, NULL },
        { "datagrams_strange", w.strangers, NULL },
        { "datagrams_forged", w.forged, NULL },
        { "datagrams_handed_over", w.handed_over, NULL },
        { "datagrams_overflowed", w.overflowed, NULL },
        { "unproven_bytes_in", w.unproven_in, NULL },
        { "unproven_bytes_out", w.unproven_out, NULL },
        { "relays", w.relays, NULL },
        { "relayed_bytes", w.relayed_bytes, NULL },
        { "media_devices", m.media_devices, NULL },
        { "media_in", w.media_in, NULL },
        { "media_forwarded", w.media_forwarded, NULL },
        { "media_datagrams", w.media_datagrams, NULL },
        { "media_muted", w.media_muted, NULL },
        { "media_unheard", w.media_unheard, NULL },
        { "media_dropped", w.media_dropped, NULL },
        { "media_again", w.media_again, NULL },
        { "media_refused", w.media_refused, NULL },
        { "files_room_bytes", f.room, NULL },
        { "files_open", f.open, NULL },
        { "files_kept", f.kept, NULL },
        { "files_failed", f.failed, NULL },
        { "files_dropped", f.dropped, NULL },
        { "files_crowded", f.crowded, NULL },
        { "files_lost", f.lost, NULL },
        { "files_bytes_in", f.bytes_in, NULL },
        { "files_bytes_out", f.bytes_out, NULL },
    };
    _Static_assert(sizeof all / sizeof *all <= KEEPER_STATS_MAX, "room in the answer");
    for (n = 0; n < sizeof all / sizeof *all; n++)
        ret[n] = all[n];
    return n;
}
