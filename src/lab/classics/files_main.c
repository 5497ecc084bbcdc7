/* lab files: the concurrent file server, in two models, and its client.
 *
 *     loop      one thread has all connections, and does a little for each in turn
 *     threads   each connection has a thread, which does one thing after the other
 *
 * What is done for a client is the same (files_serve.h); compare how each model waits. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "lab/classics/files.h"
#include "lab/classics/files_get.h"
#include "lab/classics/files_serve.h"

enum { LOOK_US = 100000, STACK_BYTES = 256 * 1024 };

static void describe(const uint8_t *bytes, size_t len, char ret[static DESK_WHAT_MAX])
{
    snprintf(ret, DESK_WHAT_MAX, "%.*s", (int)(len < 200 ? len : 200), (const char *)bytes);
}

struct server {
    struct desk d;
    struct serve_all all;
};

static void on_event(struct serve_all *all, struct desk *d, const struct desk_event *e)
{
    struct desk_peer *p = &d->peers[e->peer];

    if (e->kind == DESK_CAME && !(p->mine = serve_new(all)))
        desk_drop(d, e->peer);
    else if (e->kind == DESK_MESSAGE)
        serve_hear(p->mine, d, e);
    else if (e->kind == DESK_GONE && !e->err)
        desk_finish(d, e->peer); /* all that it asked for is on its way */
}

static void forget(struct desk *d, size_t peer)
{
    serve_free(d->peers[peer].mine);
}

static void go_on(struct desk *d)
{
    for (size_t i = 0; i < d->n_peers; i++)
        if (d->peers[i].used && d->peers[i].mine)
            serve_go_on(d->peers[i].mine, d, i);
}

/* --- the loop: all connections at one desk -------------------------------------------------- */

static int run_loop(struct server *s)
{
    struct desk_event e;

    for (;;) {
        while (desk_next(&s->d, &e)) {
            if (e.kind == DESK_STOP)
                return CLI_OK;
            on_event(&s->all, &s->d, &e);
        }
        go_on(&s->d);
        desk_sleep(&s->d, INT64_MAX);
    }
}

/* --- threads: a desk and a thread for each connection ------------------------------------------
 */

struct worker {
    struct desk d;
    struct serve_all *all;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct serve_all *all = w->all;
    struct desk_event e;

    while (w->d.peers[0].used && !atomic_load(&all->stop)) {
        while (desk_next(&w->d, &e))
            on_event(all, &w->d, &e);
        go_on(&w->d);
        if (w->d.peers[0].used)
            desk_sleep(&w->d, sleep_now_us() + LOOK_US);
    }
    desk_close(&w->d);
    free(w);
    atomic_fetch_sub(&all->threads, 1);
    return NULL;
}

static void begin_thread(struct server *s, int fd)
{
    struct worker *w = calloc(1, sizeof *w);
    pthread_attr_t how;
    pthread_t thread;

    if (!w || atomic_load(&s->all.threads) >= DESK_PEERS_MAX) {
        close(fd);
        free(w);
        return;
    }
    w->all = &s->all;
    pthread_attr_init(&how);
    pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&how, STACK_BYTES);
    atomic_fetch_add(&s->all.threads, 1);
    if (desk_adopt(&w->d, &s->d, fd) || pthread_create(&thread, &how, work, w)) {
        atomic_fetch_sub(&s->all.threads, 1);
        desk_close(&w->d);
        free(w);
    }
    pthread_attr_destroy(&how);
}

static int run_threads(struct server *s)
{
    struct desk_event e = { 0 };
    int fd;

    while (!(desk_next(&s->d, &e) && e.kind == DESK_STOP)) {
        while ((fd = desk_accept(&s->d)) >= 0)
            begin_thread(s, fd);
        desk_sleep(&s->d, INT64_MAX);
    }
    atomic_store(&s->all.stop, true);
    while (atomic_load(&s->all.threads))
        usleep(LOOK_US / 10);
    return CLI_OK;
}

/* --- both ---------------------------------------------------------------------------------------
 */

static void tell_served(struct server *s, const char *model)
{
    struct json j;

    if (s->d.c->json) {
        desk_json(&s->d, &j, "summary");
        json_str(&j, "model", model);
        json_u64(&j, "files", atomic_load(&s->all.files));
        json_u64(&j, "bytes", atomic_load(&s->all.bytes));
        json_u64(&j, "refused", atomic_load(&s->all.refused));
        json_u64(&j, "clients_most", (uint64_t)atomic_load(&s->all.most));
        desk_json_end(&s->d, &j);
        return;
    }
    desk_note(&s->d, "%s: %llu files, %llu bytes, %llu refused, at most %d clients at once", model,
              atomic_load(&s->all.files), atomic_load(&s->all.bytes), atomic_load(&s->all.refused),
              atomic_load(&s->all.most));
}

static int serve(struct server *s, struct cli *c, const struct cli_args *a, const char *model)
{
    const char *folder = args_value(a, "dir");
    struct desk_plan plan = { true,      false,    false, !strcmp(model, "threads"),
                              CUT_LINES, describe, forget };

    if (!folder || a->n_words)
        return cli_usage(c,
                         folder ? "a server is asked, and asks nothing"
                                : "it is not said which folder is served",
                         "roost lab files --serve --dir FOLDER");
    s->all.folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->all.folder < 0)
        return cli_fail(c, CLI_REFUSED, strerror(errno), "--dir takes a folder that is there");
    int status = desk_open(&s->d, c, a, &plan);
    if (!status) {
        status = plan.by_hand ? run_threads(s) : run_loop(s);
        tell_served(s, model);
    }
    desk_close(&s->d);
    close(s->all.folder);
    return status;
}

CLI_RUN(cmd_lab_files)
{
    static const struct desk_plan asking = { true, false, false, false, CUT_LINES, describe, NULL };
    const char *model = args_value(a, "model") ? args_value(a, "model") : "loop";
    struct server *s = calloc(1, sizeof *s);
    int status = CLI_REFUSED;

    if (!s)
        return status;
    if (strcmp(model, "loop") != 0 && strcmp(model, "threads") != 0) {
        status = cli_usage(c, "there is no such model", "--model loop or --model threads");
    } else if (args_has(a, "serve")) {
        status = serve(s, c, a, model);
    } else {
        status = desk_open(&s->d, c, a, &asking);
        if (!status)
            status = files_get(&s->d);
        desk_close(&s->d);
    }
    free(s);
    return status;
}
