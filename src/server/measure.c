#include "server/measure.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/depot.h"

/* The second number of /proc/self/statm is in pages. Where that cannot be read (a
 * sandbox), the most that there ever was is all that is known. */
static uint64_t resident_bytes(const struct rusage *used)
{
    char text[128] = "", *at;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (n <= 0 || !(at = strchr(text, ' ')))
        return (uint64_t)used->ru_maxrss * 1024;
    return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int64_t us_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static void of_process(const struct edge *e, struct metrics *m)
{
    struct rusage used = { 0 };
    struct now now = edge_now();

    getrusage(RUSAGE_SELF, &used);
    m->cpu_us = us_of(used.ru_utime) + us_of(used.ru_stime);
    m->resident_bytes = resident_bytes(&used);
    m->uptime_us = now.mono_us - e->started.mono_us;
    m->started_us = e->started.wall_ms * 1000;
}

static void of_edge(const struct edge *e, struct metrics *m)
{
    const struct edge_stats *s = &e->stats;

    m->conns = e->peers.n;
    m->conns_max = e->settings.conns_max;
    m->handshakes = e->timed[TIMED_HANDSHAKE].n;
    m->handshakes_max = e->settings.handshakes_max;
    m->https = e->timed[TIMED_HTTP].n + e->timed[TIMED_ANSWER].n;
    m->https_max = e->settings.http_max;
    m->queue_max = e->settings.queue_max;
    m->accepted = s->accepted;
    m->refused_conns = s->refused;
    m->handshakes_failed = s->handshakes_failed;
    m->slow = s->slow;
    m->malformed = s->malformed;
    m->timed_out = s->timed_out;
    m->bytes_in = s->bytes_in;
    m->bytes_out = s->bytes_out;
    m->records = s->records;
    m->frames = s->sends;
    m->writes = s->writes;
    m->store_known = e->health.known_us != 0;
    m->store_writable = m->store_known && !e->health.err;
    memcpy(m->answers, s->answers, sizeof m->answers);
}

static void of_hub(const struct edge *e, struct metrics *m)
{
    struct hub_stats s;

    hub_stats(e->hub, &s);
    m->clients = s.conns;
    m->sessions = s.sessions;
    m->rooms = s.rooms_loaded;
    m->requests = s.requests;
    m->refusals = s.refusals;
    m->repeats = s.dups;
    m->hub_bytes = s.bytes;
}

static void of_threads(const struct edge *e, struct metrics *m)
{
    struct storer_stats s;

    storer_stats(e->storer, &s);
    m->batches = s.batches;
    m->ops = s.ops;
    m->ops_failed = s.failed;
    m->ops_busy = s.busy;
    m->ops_waiting = storer_waiting(e->storer);
    m->ops_waiting_max = e->settings.store_waiting;
    m->hashes_waiting = hasher_waiting(e->hasher);
    m->hashes_waiting_max = e->settings.hashes_max;
}

static void of_media(const struct edge *e, struct metrics *m)
{
    struct workers_stats w = { 0 };
    struct hub_stats h;

    if (e->workers)
        workers_stats(e->workers, &w);
    hub_stats(e->hub, &h);
    m->media_devices = h.media_devices;
    m->media_in = w.media_in;
    m->media_forwarded = w.media_forwarded;
    m->media_datagrams = w.media_datagrams;
    m->media_muted = w.media_muted;
    m->media_unheard = w.media_unheard;
    m->media_dropped = w.media_dropped;
    m->media_again = w.media_again;
    m->media_refused = w.media_refused;
}

static void of_files(const struct edge *e, struct metrics *m)
{
    struct depot_stats s = { 0 };

    if (e->depot)
        depot_stats(e->depot, &s);
    m->files_open = s.open;
    m->files_taken = s.taken;
    m->files_given = s.given;
    m->files_kept = s.kept;
    m->files_failed = s.failed;
    m->files_dropped = s.dropped;
    m->files_crowded = s.crowded;
    m->files_lost = s.lost;
    m->files_bytes_in = s.bytes_in;
    m->files_bytes_out = s.bytes_out;
    m->files_room = s.room;
}

void measure(const struct edge *e, struct metrics *ret)
{
    *ret = (struct metrics){ 0 };
    of_process(e, ret);
    of_edge(e, ret);
    of_hub(e, ret);
    of_threads(e, ret);
    of_media(e, ret);
    of_files(e, ret);
}
