#include "server/workers.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/addr.h"
#include "server/depot.h"
#include "server/log.h"
#include "server/worker.h"
#include "server/worker_media.h"
#include "server/worker_trip.h"

enum {
    SOCKET_QUEUE = 4 << 20, /* asked for: a burst of all sessions of a worker */
    SESSION_LOW_BYTE = 4,   /* of a packet: flags, session in network order */
};

void word_free(struct word *w)
{
    if (!w)
        return;
    blob_unref(w->bytes);
    gate_drop(w->gate);
    seal_wipe(w, sizeof *w);
    free(w);
}

void worker_wake(struct worker *w)
{
    uint64_t one = 1;

    while (write(w->event, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* --- sockets ----------------------------------------------------------------------- */

/* The low bits of the session are the place of the socket in the order of opening. */
static void steer(int fd, unsigned n)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, SESSION_LOW_BYTE),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, n - 1),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = { .len = sizeof code / sizeof *code, .filter = code };

    if (n > 1 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program))
        log_info("this kernel does not steer datagrams: workers hand them over");
}

/* Somebody else's group at this port would be joined without a word. */
static int check_free(const struct udp_settings *s)
{
    struct udp_settings alone = *s;
    struct udp *u;

    alone.reuse_port = false;
    int err = udp_open(&u, &alone);
    if (!err)
        udp_close(u);
    return err;
}

static int open_at(struct workers *w, const struct sockaddr_storage *at)
{
    struct udp_settings s = {
        .reuse_port = true, .v6_only = true, .queue_bytes = SOCKET_QUEUE, .stamps = true
    };

    memcpy(&s.at, at, at->ss_family == AF_INET6 ? sizeof s.at.v6 : sizeof s.at.v4);
    int err = check_free(&s);
    for (unsigned i = 0; !err && i < w->n; i++) {
        struct worker *worker = w->each[i];
        err = udp_open(&worker->udp[worker->n_udp], &s);
        if (err)
            return err;
        if (!i && !w->settings.unsteered)
            steer(udp_fd(worker->udp[worker->n_udp]), w->n);
        worker->n_udp++;
    }
    return err;
}

static void close_sockets(struct workers *w)
{
    for (unsigned i = 0; i < w->n; i++)
        while (w->each[i] && w->each[i]->n_udp)
            udp_close(w->each[i]->udp[--w->each[i]->n_udp]);
}

static int open_sockets(struct workers *w)
{
    const char *list = w->settings.listen;
    int err = 0;

    while (*list && !err) {
        char address[ADDR_TEXT_MAX];
        struct sockaddr_storage at;
        socklen_t at_len;

        addr_next(&list, address);
        if (w->each[0]->n_udp == WORKER_SOCKETS_MAX ||
            addr_parse(address, w->settings.port, &at, &at_len))
            return -ROOST_INVALID;
        err = open_at(w, &at);
        if (err == -ROOST_IO && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            err = 0; /* as the listener has it, which said so */
    }
    return err ? err : w->each[0]->n_udp ? 0 : -ROOST_IO;
}

/* --- starting ------------------------------------------------------------------------ */

static int open_worker(struct workers *w, unsigned i)
{
    struct worker *worker = calloc(1, sizeof *worker);
    int err = 0;

    if (!worker)
        return -ROOST_NOMEM;
    w->each[i] = worker;
    worker->all = w;
    worker->index = i;
    worker->sleep = (struct sleep){ -1, -1 };
    worker->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    worker->out = malloc(OUT_BYTES);
    map_init(&worker->sessions, uv_hrtime());
    map_init(&worker->relays, uv_hrtime());
    if (worker->event < 0 || !worker->out)
        return -ROOST_NOMEM;
    err = passage_init(&worker->inbox, WORDS_MAX);
    if (!err)
        err = passage_init(&worker->outbox, WORDS_MAX);
    for (unsigned k = 0; !err && k < w->n; k++)
        err = passage_init(&worker->handed[k], HANDED_MAX);
    if (!err)
        err = worker_media_init(worker);
    if (!err && w->settings.depot)
        err = depot_attach(w->settings.depot, i, worker->event);
    return err;
}

static unsigned processors(void)
{
    unsigned n = 1, cpus = uv_available_parallelism();

    while (n * 2 <= cpus && n * 2 <= WORKERS_MAX)
        n *= 2;
    return n;
}

static void put_late(struct workers *w);

/* On the loop: what workers tell it. */
static void on_wake(void *ctx)
{
    struct workers *w = ctx;
    struct word *word;

    for (unsigned i = 0; i < w->n; i++)
        while ((word = passage_take(&w->each[i]->outbox))) {
            if (word->what == WORD_FRAMES && !w->stopped) {
                w->settings.on_frames(w->settings.ctx, word->conn, word->bytes, word->soon);
                word->bytes = NULL;
            } else if (word->what == WORD_HEARD && !w->stopped) {
                struct hub_leg_word heard;
                memcpy(&heard, word->bytes->bytes, sizeof heard);
                w->settings.on_leg(w->settings.ctx, &heard);
            } else if (!w->stopped) {
                w->settings.on_over(w->settings.ctx, word->conn);
            }
            word_free(word);
        }
    if (w->stopped)
        return;
    put_late(w);
    w->settings.on_taken(w->settings.ctx);
}

static int start(struct workers *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        int err = worker_begin(w->each[i]);
        if (err)
            return err;
        if (uv_thread_create(&w->each[i]->thread, worker_main, w->each[i]))
            return -ROOST_NOMEM;
        w->each[i]->started = true;
    }
    return 0;
}

static const char *why(int err)
{
    return err == -ROOST_IO ? strerror(errno) : err_text(err);
}

int workers_new(struct workers **ret, uv_loop_t *loop, const struct workers_settings *s)
{
    struct workers *w = calloc(1, sizeof *w);
    int err = 0;

    if (!w)
        return -ROOST_NOMEM;
    w->settings = *s;
    w->n = s->n ? s->n : processors();
    for (unsigned i = 0; !err && i < w->n; i++)
        err = open_worker(w, i);
    if (!err && s->port) {
        err = open_sockets(w);
        w->port = err ? 0 : s->port;
        if (err)
            close_sockets(w);
        if (err && s->must)
            log_error("cannot use UDP port %u: %s", s->port, why(err));
        else if (err) {
            log_warn("cannot use UDP port %u (%s): datagrams travel in TCP", s->port, why(err));
            err = 0;
        }
    }
    if (!err)
        err = wake_init(&w->wake, loop, on_wake, w);
    w->waking = !err;
    if (!err)
        err = start(w);
    if (err) {
        workers_stop(w);
        uv_run(loop, UV_RUN_NOWAIT);
        workers_free(w);
        return err;
    }
    *ret = w;
    return 0;
}

/* --- words ------------------------------------------------------------------------------ */

static bool put(struct workers *w, struct word *word)
{
    struct worker *to = w->each[word->id & (w->n - 1)];

    if (!passage_put(&to->inbox, word))
        return false;
    worker_wake(to);
    return true;
}

static void put_late(struct workers *w)
{
    size_t i = 0;

    if (!w->n_late)
        return;
    while (i < w->n_late && put(w, w->late[i]))
        i++;
    w->n_late -= i;
    if (i)
        memmove(w->late, w->late + i, w->n_late * sizeof *w->late);
}

/* Nothing is forgotten, nothing overtakes: without room words wait here. There are few: those of
 * sessions that come and go, and what gates let through. False: out of memory. */
static bool put_surely(struct workers *w, struct word *word)
{
    put_late(w);
    if (!w->n_late && put(w, word))
        return true;
    if (w->n_late == w->cap_late) {
        size_t cap = w->cap_late ? w->cap_late * 2 : 64;
        struct word **late = realloc(w->late, cap * sizeof *late);
        if (!late) {
            word_free(word);
            return false;
        }
        w->late = late;
        w->cap_late = cap;
    }
    w->late[w->n_late++] = word;
    workers_await(w);
    put_late(w); /* there may be room since */
    return true;
}

void workers_put(struct workers *w, struct hub_datagrams *d)
{
    struct word *word = calloc(1, sizeof *word);

    if (word) {
        word->what = d->what == DATAGRAMS_OPEN    ? WORD_OPEN
                     : d->what == DATAGRAMS_CLOSE ? WORD_CLOSE
                     : d->what == DATAGRAMS_RELAY ? WORD_RELAY
                                                  : WORD_TUNNEL;
        word->side = d->side;
        word->passes = d->passes;
        word->id = d->id;
        word->conn = d->conn;
        memcpy(word->secret, d->secret, sizeof word->secret);
        if (getrandom(word->seed, sizeof word->seed, 0) == sizeof word->seed)
            put_surely(w, word);
        else
            word_free(word);
    }
    seal_wipe(d, sizeof *d);
}

void workers_leg(struct workers *w, const struct hub_leg *leg)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word)
        return;
    *word = (struct word){ .what = WORD_LEG, .id = leg->id, .bytes = blob_copy(leg, sizeof *leg) };
    if (word->bytes)
        put_surely(w, word);
    else
        word_free(word);
}

bool workers_frames(struct workers *w, uint32_t session, uint64_t conn, struct gate *gate,
                    struct blob *bytes)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word) {
        blob_unref(bytes);
        return false;
    }
    *word = (struct word){
        .what = WORD_FRAMES, .id = session, .conn = conn, .bytes = bytes, .gate = gate_hold(gate)
    };
    return put_surely(w, word);
}

void workers_await(struct workers *w)
{
    atomic_exchange(&w->awaited, true);
}

void workers_rate(struct workers *w, uint32_t session, uint64_t conn, uint64_t rate)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word)
        return; /* it is measured again */
    *word = (struct word){ .what = WORD_RATE, .id = session, .conn = conn, .rate = rate };
    put_surely(w, word);
}

void workers_hung_up(struct workers *w, uint32_t session, uint64_t conn)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word)
        return;
    *word = (struct word){ .what = WORD_HUNG_UP, .id = session, .conn = conn };
    put_surely(w, word);
}

/* --- looking, ending --------------------------------------------------------------------- */

uint16_t workers_port(const struct workers *w)
{
    return w->port;
}

unsigned workers_n(const struct workers *w)
{
    return w->n;
}

void workers_stats(const struct workers *w, struct workers_stats *ret)
{
    *ret = (struct workers_stats){ 0 };
    for (unsigned i = 0; i < w->n; i++) {
        const struct worker_counts *c = &w->each[i]->counts;
        ret->sessions += c->sessions;
        ret->in += c->in;
        ret->in_bytes += c->in_bytes;
        ret->out += c->out;
        ret->out_bytes += c->out_bytes;
        ret->strangers += c->strangers;
        ret->forged += c->forged;
        ret->handed_over += c->handed_over;
        ret->overflowed += c->overflowed;
        ret->unproven_in += c->unproven_in;
        ret->unproven_out += c->unproven_out;
        ret->relays += c->relays;
        ret->relayed_bytes += c->relayed_bytes;
        ret->media_in += c->media_in;
        ret->media_forwarded += c->media_forwarded;
        ret->media_datagrams += c->media_datagrams;
        ret->media_muted += c->media_muted;
        ret->media_unheard += c->media_unheard;
        ret->media_dropped += c->media_dropped;
        ret->media_again += c->media_again;
        ret->media_refused += c->media_refused;
    }
}

static void stop_one(struct worker *worker)
{
    struct word *word;

    if (!worker->started)
        return;
    while (!(word = calloc(1, sizeof *word)) || (word->what = WORD_STOP, false))
        uv_sleep(1); /* it ends: there will be memory */
    while (!passage_put(&worker->inbox, word)) {
        worker_wake(worker);
        uv_sleep(1);
    }
    worker_wake(worker);
    uv_thread_join(&worker->thread);
    worker->started = false;
}

void workers_stop(struct workers *w)
{
    if (!w || w->stopped)
        return;
    w->stopped = true;
    put_late(w);
    for (unsigned i = 0; i < w->n && w->each[i]; i++)
        stop_one(w->each[i]);
    if (w->waking)
        wake_close(&w->wake);
}

static void free_worker(struct workers *w, struct worker *worker)
{
    trips_drain(worker);
    struct word *word;
    struct passage *boxes[] = { &worker->inbox, &worker->outbox };

    for (unsigned i = 0; i < 2; i++) {
        while (boxes[i]->slots && (word = passage_take(boxes[i])))
            word_free(word);
        passage_fini(boxes[i]);
    }
    for (unsigned k = 0; k < w->n; k++) {
        void *handed;
        while (worker->handed[k].slots && (handed = passage_take(&worker->handed[k])))
            free(handed);
        passage_fini(&worker->handed[k]);
    }
    while (worker->n_udp)
        udp_close(worker->udp[--worker->n_udp]);
    sleep_fini(&worker->sleep);
    if (worker->event >= 0)
        close(worker->event);
    map_fini(&worker->sessions);
    map_fini(&worker->relays);
    worker_media_fini(worker);
    dues_fini(&worker->dues);
    free(worker->out);
    free(worker);
}

void workers_free(struct workers *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < w->n; i++)
        if (w->each[i])
            free_worker(w, w->each[i]);
    while (w->n_late)
        word_free(w->late[--w->n_late]);
    free(w->late);
    free(w);
}
