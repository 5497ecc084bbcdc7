#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "bus/local.h"
#include "server/addr.h"
#include "server/backup.h"
#include "server/edge.h"
#include "server/figures.h"
#include "server/first.h"
#include "server/keeper.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/mdns.h"
#include "server/notify.h"
#include "server/peer.h"
#include "server/resources.h"
#include "server/sandbox.h"
#include "server/signals.h"
#include "server/turns.h"
#include "server/web_conn.h"
#include "store/sqlite.h"
#include "store/sqlite_probe.h"

enum {
    DRAIN_TICK_MS = 10,
    DRAIN_STORE_MS = 30000, /* a disk that hangs for longer is given up */
    /* Peers that have everything may still have to answer our goodbye. */
    DRAIN_LINGER_MS = 300,
    SECOND_WISH_US = 1000000,
    FILES_BESIDE_PEERS = 64, /* database, sockets, logs */
};

enum phase { RUNNING, STORING, SENDING, LEAVING, OVER };

struct server {
    struct options options;
    int argc;
    char **argv;
    struct datadir dir;
    struct tls tls;
    struct store *store;
    struct bus *bus;
    struct hub *hub;
    struct storer *storer;
    struct hash_process *hashing;
    struct hasher *hasher;
    struct keeper *keeper;
    struct workers *workers;
    struct depot *depot;
    struct edge edge;
    struct listener listener;
    struct first first;
    struct mdns *mdns;
    uv_loop_t loop;
    bool has_loop;
    uv_signal_t signals[3];
    uv_timer_t drain, watchdog;
    enum phase phase;
    int64_t phase_us; /* when it began */
    int64_t told_us;  /* when the end was asked for */
    bool forgot_signals;
    bool again; /* it is to begin anew, with another database */
};

/* --- the end --------------------------------------------------------------------- */

static void enter(struct server *s, enum phase phase)
{
    s->phase = phase;
    s->phase_us = edge_now().mono_us;
}

static void close_handles(struct server *s)
{
    edge_stop(&s->edge);
    hasher_stop(s->hasher);
    keeper_stop(s->keeper);
    depot_stop(s->depot); /* before those whom it answers */
    workers_stop(s->workers);
    storer_stop(s->storer);
    for (size_t i = 0; i < sizeof s->signals / sizeof *s->signals; i++)
        uv_close((uv_handle_t *)&s->signals[i], NULL);
    uv_close((uv_handle_t *)&s->drain, NULL);
    uv_close((uv_handle_t *)&s->watchdog, NULL);
    s->phase = OVER;
}

static void on_drain(uv_timer_t *timer)
{
    struct server *s = timer->data;
    int64_t waited_ms = (edge_now().mono_us - s->phase_us) / 1000;

    if (s->phase == STORING && (!storer_waiting(s->storer) || waited_ms > DRAIN_STORE_MS)) {
        edge_finish(&s->edge);
        enter(s, SENDING);
    } else if (s->phase == SENDING && !edge_sending(&s->edge)) {
        enter(s, LEAVING);
    } else if (s->phase == LEAVING && (!s->edge.peers.n || waited_ms > DRAIN_LINGER_MS)) {
        if (s->again && !s->forgot_signals) {
            s->forgot_signals = true; /* what came already is heard before the next tick */
            signals_forget();
            return;
        }
        close_handles(s);
    }
}

static void drain(struct server *s)
{
    log_info("going down: %u connections are told", s->edge.peers.n);
    notify(s->again ? "RELOADING=1" : "STOPPING=1");
    enter(s, STORING);
    s->told_us = s->phase_us;
    listener_stop(&s->listener);
    edge_drain(&s->edge);
    uv_timer_start(&s->drain, on_drain, 0, DRAIN_TICK_MS);
}

/* --- signals ------------------------------------------------------------------------ */

static struct edge_settings edge_settings_of(const struct config *c)
{
    return (struct edge_settings){
        .conns_max = resources_files(c->hub.conns_max, FILES_BESIDE_PEERS),
        .handshakes_max = c->handshakes_max,
        .handshakes_source = c->handshakes_source,
        .http_max = c->http_max,
        .store_waiting = c->store_waiting,
        .hashes_max = c->hub.hashes_max,
        .metrics_token = c->metrics_token,
        .queue_max = c->queue_bytes,
        .wait_us = { [TIMED_HANDSHAKE] = c->handshake_ms * 1000,
                     [TIMED_HTTP] = c->http_ms * 1000,
                     [TIMED_ANSWER] = WEB_ANSWER_MS * 1000,
                     [TIMED_CLOSING] = c->close_ms * 1000 },
    };
}

static void set_identity(struct server *s)
{
    struct hub_config *h = &s->options.config.hub;

    memcpy(h->server_id, s->dir.server_id, sizeof h->server_id);
    memcpy(h->server_secret, s->dir.server_secret, sizeof h->server_secret);
    h->datagrams = s->workers != NULL;
    h->media_port = s->workers ? workers_port(s->workers) : 0;
    h->workers = s->workers ? workers_n(s->workers) : 1;
}

static void reload_tls(struct server *s)
{
    const struct config *c = &s->options.config;
    struct tls fresh;

    if (tls_init(&fresh, &s->dir, c->tls_certificate, c->tls_key)) {
        log_warn("the certificate stays as it was");
        return;
    }
    if (strcmp(fresh.fingerprint, s->tls.fingerprint) != 0)
        log_info("new certificate, fingerprint %s", fresh.fingerprint);
    datadir_sync(&s->dir); /* one may have been made anew */
    tls_fini(&s->tls);     /* connections hold a reference of their own */
    s->tls = fresh;
}

/* A setting that only a start can take over is not passed over in silence. */
static void tell_what_waits(const struct config *was, const struct config *is)
{
    if (strcmp(is->listen, was->listen) != 0 || is->port != was->port)
        log_warn("listen and port take effect at the next start");
    if (is->sandbox != was->sandbox)
        log_warn("sandbox takes effect at the next start");
    if (is->media_port != was->media_port || is->mdns != was->mdns ||
        is->hash_threads != was->hash_threads || is->store_waiting != was->store_waiting ||
        is->store_batch != was->store_batch || is->hub.speakers != was->hub.speakers)
        log_warn(
            "media_port, speakers, mdns, hash.threads and store.* take effect at the next start");
}

static void reload(struct server *s)
{
    char error[CONFIG_ERROR_MAX];
    struct options fresh;

    notify("RELOADING=1");
    if (options_parse(&fresh, s->argc, s->argv, error)) {
        log_error("the settings stay as they were: %s", error);
    } else {
        tell_what_waits(&s->options.config, &fresh.config);
        s->options.config = fresh.config;
        set_identity(s);
        log_set_level(fresh.config.log_level);
        log_set_format((enum log_format)fresh.config.log_format);
        s->edge.settings = edge_settings_of(&s->options.config);
        hasher_set_params(s->hasher, &fresh.config.hash);
        if (hub_set_config(s->hub, &s->options.config.hub))
            log_error("not all settings could be taken over");
        reload_tls(s);
        log_info("settings and certificate read again");
    }
    notify("READY=1");
}

/* Ctrl+C reaches a script and its server, and the script may tell it again. */
static bool is_second_wish(const struct server *s)
{
    return edge_now().mono_us - s->told_us > SECOND_WISH_US;
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct server *s = signal->data;

    if (number != SIGHUP)
        s->again = false; /* a restore that waits is done by the next start */
    if (number == SIGHUP && s->phase == RUNNING)
        reload(s);
    else if (number != SIGHUP && s->phase == RUNNING)
        drain(s);
    else if (number != SIGHUP && s->phase != OVER && is_second_wish(s))
        close_handles(s); /* what waits is still committed */
}

/* --- the beginning --------------------------------------------------------------------- */

static int open_store(struct server *s)
{
    char path[DATADIR_PATH_MAX], why[200];
    int err = restore_finish(&s->dir); /* a restore that was cut off */

    if (err)
        return err;
    datadir_path(&s->dir, DATABASE_NAME, path);
    err = sqlite_store_open(&s->store, &(struct sqlite_options){ .path = path }, why);
    if (err)
        log_error("cannot open %s: %s", path, why);
    return err;
}

static int open_hub(struct server *s)
{
    uint8_t seed[32];

    set_identity(s);
    if (getrandom(seed, sizeof seed, 0) != sizeof seed || !(s->bus = bus_local_new()))
        return -ROOST_NOMEM;
    s->hub = hub_new(&s->options.config.hub, s->bus, seed, edge_now());
    return s->hub ? 0 : -ROOST_NOMEM;
}

/* The loop goes round: whoever waits for that is told. */
static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    notify("WATCHDOG=1");
}

static void hear_signals(struct server *s)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

    signals_hold();
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    signals_repeat();
}

static int open_loop(struct server *s)
{
    const struct edge_settings settings = edge_settings_of(&s->options.config);

    signal(SIGPIPE, SIG_IGN);
    if (uv_loop_init(&s->loop))
        return -ROOST_NOMEM;
    s->has_loop = true;
    hear_signals(s);
    uv_timer_init(&s->loop, &s->drain);
    s->drain.data = s;
    uv_timer_init(&s->loop, &s->watchdog);
    if (notify_watchdog_ms())
        uv_timer_start(&s->watchdog, on_watchdog, 0, notify_watchdog_ms());
    return edge_init(&s->edge, &s->loop, &settings);
}

static void on_health(void *ctx, enum store_health health, const char *why)
{
    struct server *s = ctx;
    const char *text = figures_health_text(health);
    char status[400];

    if (health == STORE_FINE)
        log_info("%s", text);
    else
        log_error("%s (%s)", text, why);
    snprintf(status, sizeof status, "STATUS=%s", health == STORE_FINE ? "" : text);
    notify(status);
    hub_tell_admins(s->hub, text, edge_now());
    edge_pull(&s->edge);
}

static void on_kept(void *ctx, uint64_t token, const struct hub_kept *kept)
{
    struct server *s = ctx;

    edge_on_kept(&s->edge, token, kept);
}

static size_t on_stats(void *ctx, struct hub_stat *ret)
{
    struct server *s = ctx;

    return figures(&s->edge, s->dir.path, ret);
}

static void on_checking(void *ctx, bool checking)
{
    struct server *s = ctx;

    depot_spare(s->depot, checking);
}

static void on_wrong(void *ctx, const struct sqlite_content *c, uint64_t inode)
{
    struct server *s = ctx;
    struct hub_depot d = {
        .file = c->file, .size = c->size, .list_size = c->list_size, .has_list = c->has_list
    };

    memcpy(d.root, c->root, sizeof d.root);
    memcpy(d.list_root, c->list_root, sizeof d.list_root);
    depot_found_wrong(s->depot, &d, inode);
}

static void on_restore(void *ctx)
{
    struct server *s = ctx;

    if (s->phase != RUNNING)
        return; /* the next start does it */
    log_warn("an admin restores a backup: all sessions end, the server begins anew");
    s->again = true;
    hub_end_sessions(s->hub, edge_now());
    edge_pull(&s->edge);
    drain(s);
}

static int open_depot(struct server *s)
{
    const struct config *c = &s->options.config;
    const struct depot_settings keeping = { .data = s->dir.path,
                                            .reserve = c->files_reserve,
                                            .threads = c->files_threads,
                                            .transfers = c->files_transfers,
                                            .transfers_account = c->files_transfers_user,
                                            .on_word = edge_on_depot,
                                            .on_job = edge_on_depot_job,
                                            .ctx = &s->edge };
    int err = depot_new(&s->depot, &s->loop, &keeping);

    s->edge.depot = s->depot;
    return err;
}

/* Before the hub is asked for anything: it is to know whether there are any. */
static int open_workers(struct server *s)
{
    struct config *c = &s->options.config;
    uint32_t port = c->media_port ? c->media_port : s->listener.port + 1u;
    const struct workers_settings working = { .listen = c->listen,
                                              .port = (uint16_t)(port <= 65535 ? port : 0),
                                              .must = c->media_port != 0,
                                              .depot = s->depot,
                                              .speakers = c->hub.speakers,
                                              .on_frames = edge_on_frames,
                                              .on_over = edge_on_over,
                                              .on_taken = edge_on_taken,
                                              .on_leg = edge_on_leg,
                                              .ctx = &s->edge };
    int err = workers_new(&s->workers, &s->loop, &working);

    s->edge.workers = s->workers;
    if (err)
        return err;
    set_identity(s);
    return hub_set_config(s->hub, &c->hub);
}

static int open_threads(struct server *s)
{
    const struct config *c = &s->options.config;
    const struct storer_settings storing = { .waiting_max = c->store_waiting,
                                             .batch_max = c->store_batch,
                                             .on_result = edge_on_stored,
                                             .probe = sqlite_store_probe,
                                             .on_probed = edge_on_probed,
                                             .on_health = on_health,
                                             .ctx = &s->edge,
                                             .health_ctx = s };
    const struct keeper_settings keeping = { .on_kept = on_kept,
                                             .stats = on_stats,
                                             .on_checking = on_checking,
                                             .on_wrong = on_wrong,
                                             .on_restore = on_restore,
                                             .ctx = s };
    const struct hasher_settings hashing = {
        .params = c->hash, .process = s->hashing, .on_hashed = edge_on_hashed, .ctx = &s->edge
    };
    int err = storer_new(&s->storer, &s->loop, s->store, &storing);

    if (!err)
        err = hasher_new(&s->hasher, &s->loop, &hashing);
    if (!err)
        err = keeper_new(&s->keeper, &s->loop, s->storer, &s->dir, &keeping);
    s->edge.keeper = s->keeper;
    if (!err)
        err = open_depot(s);
    if (!err)
        err = open_workers(s);
    if (!err)
        err = depot_start(s->depot);
    if (!err)
        edge_attach(&s->edge, s->hub, s->storer, s->hasher, &s->tls);
    return err;
}

/* A host that a client on this machine can use. */
static void local_host(const char *listen, char out[static CONFIG_TEXT_MAX])
{
    int n = (int)strcspn(listen, ",");

    if (strstr(listen, "::,") == listen || !strcmp(listen, "::") || strstr(listen, "0.0.0.0"))
        snprintf(out, CONFIG_TEXT_MAX, "localhost");
    else if (memchr(listen, ':', (size_t)n))
        snprintf(out, CONFIG_TEXT_MAX, "[%.*s]", n < 64 ? n : 64, listen);
    else
        snprintf(out, CONFIG_TEXT_MAX, "%.*s", n < 64 ? n : 64, listen);
}

static void enter_sandbox(const struct config *c)
{
    int err = sandbox_enter((enum sandbox)c->sandbox);

    if (err == -ROOST_UNSUPPORTED)
        log_debug("this build or kernel has no sandbox");
    else if (err)
        log_warn("the sandbox could not be entered");
}

static void announce(struct server *s)
{
    const struct config *c = &s->options.config;
    char host[CONFIG_TEXT_MAX];

    local_host(c->listen, host);
    printf("fingerprint %s (%s)\n", s->tls.fingerprint,
           s->tls.self_made ? "self-made certificate" : c->tls_certificate);
    if (s->first.token[0])
        first_print(&s->first, host, s->listener.port);
    for (unsigned i = 0; i < s->listener.n; i++) {
        char name[ADDR_TEXT_MAX];

        listener_name(&s->listener, i, name);
        printf("listening on %s\n", name);
    }
    fflush(stdout);
    log_info("roostd " ROOST_RELEASE " is ready, data in %s", s->dir.path);
    notify("READY=1");
}

int server_new(struct server **ret, const struct options *o, int argc, char **argv,
               struct hash_process *hashing)
{
    struct server *s = calloc(1, sizeof *s);
    int err = -ROOST_NOMEM;

    if (!s)
        return err;
    s->options = *o;
    s->argc = argc;
    s->argv = argv;
    s->hashing = hashing;
    s->dir.lock = -1;
    const struct config *c = &s->options.config;

    /* the port first: a start that fails for it leaves nothing behind */
    err = listener_open(&s->listener, c->listen, (uint16_t)c->port);
    if (!err)
        err = datadir_open(&s->dir, o->data);
    if (!err)
        err = tls_init(&s->tls, &s->dir, c->tls_certificate, c->tls_key);
    if (!err)
        err = open_store(s);
    if (!err)
        err = open_hub(s);
    if (!err)
        err = first_init(&s->first, &s->dir, s->hub, s->store, edge_now());
    if (!err)
        err = datadir_sync(&s->dir); /* before anybody sees the fingerprint */
    if (!err)
        err = open_loop(s);
    if (!err)
        err = open_threads(s);
    turns_short(); /* the loop's thread is this one */
    if (!err)
        err = listener_start(&s->listener, &s->loop, &s->edge);
    if (err) {
        server_free(s);
        return err;
    }
    resources_trim();
    announce(s);
    if (c->mdns)
        s->mdns = mdns_new(s->listener.port, s->dir.server_id, s->tls.fingerprint);
    enter_sandbox(c); /* the last: what a start needs besides is done */
    *ret = s;
    return 0;
}

int server_run(struct server *s)
{
    uv_run(&s->loop, UV_RUN_DEFAULT);
    log_info("stopped");
    return 0;
}

bool server_begins_anew(const struct server *s, uint16_t *ret_port)
{
    *ret_port = s->listener.port;
    return s->again;
}

static void close_any(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* A start that failed half-way, or the rest after server_run. */
void server_free(struct server *s)
{
    if (!s)
        return;
    mdns_free(s->mdns);
    listener_stop(&s->listener);
    if (s->has_loop && s->phase != OVER) {
        if (s->hasher)
            hasher_stop(s->hasher);
        keeper_stop(s->keeper);
        depot_stop(s->depot);
        workers_stop(s->workers);
        if (s->storer)
            storer_stop(s->storer);
        uv_walk(&s->loop, close_any, NULL);
    }
    if (s->has_loop) {
        uv_run(&s->loop, UV_RUN_DEFAULT);
        uv_loop_close(&s->loop);
    }
    edge_fini(&s->edge);
    hasher_free(s->hasher);
    storer_free(s->storer);
    keeper_free(s->keeper);
    workers_free(s->workers);
    depot_free(s->depot);
    if (s->hub)
        hub_free(s->hub);
    if (s->bus)
        s->bus->ops->free(s->bus);
    if (s->store)
        s->store->ops->free(s->store);
    tls_fini(&s->tls);
    datadir_close(&s->dir);
    free(s);
}
