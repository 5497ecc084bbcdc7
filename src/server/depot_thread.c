/* depot_thread.c - a thread of the depot: takes jobs, one after the other, and knows the
 * tokens.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/depot_in.h"

enum { MEASURE_MS = 5000 };
#define LOOK_ABOUT_US (3600 * 1000000LL)
#define LOOK_FIRST_US (2 * 1000000LL)

int64_t depot_now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

/* Once it is put, it is the asker's: it may be freed already. */
static void put_out(struct depot_thread *t, struct depot_job *j)
{
    struct depot *d = t->all;
    unsigned asker = j->asker;
    uint64_t one = 1;

    while (!passage_put(&t->out[asker], j)) {
        if (d->stopping) {
            depot_job_free(j);
            return;
        }
        uv_sleep(1);
    }
    if (asker == DEPOT_LOOP)
        wake_send(&d->wake);
    else if (write(d->events[asker], &one, sizeof one) < 0)
        return; /* it is awake */
}

void depot_reply(struct depot_thread *t, struct depot_job *j)
{
    put_out(t, j);
}

void depot_say(struct depot_thread *t, const struct hub_depot_word *word)
{
    struct depot_job *j = calloc(1, sizeof *j);

    if (!j)
        return; /* what matters is asked for again */
    j->what = JOB_WORD;
    j->asker = DEPOT_LOOP;
    j->word = *word;
    put_out(t, j);
}

/* --- tokens ------------------------------------------------------------------------------ */

static void grant_free(struct hub_depot *g)
{
    if (!g)
        return;
    hub_depot_fini(g);
    free(g);
}

static void grant_put(struct depot_thread *t, struct hub_depot *g)
{
    struct hub_depot *kept = t->grants.n < GRANTS_MAX ? malloc(sizeof *kept) : NULL;

    grant_free(map_take_bytes(&t->grants, g->token, FILE_TOKEN)); /* the same, said again */
    if (!kept)
        return; /* the ticket is good for nothing, and is asked for again */
    *kept = *g;
    g->name = NULL;
    if (map_put_bytes(&t->grants, kept->token, FILE_TOKEN, kept))
        grant_free(kept);
}

static int grant_find(struct depot_thread *t, struct depot_job *j)
{
    const struct hub_depot *g = map_get_bytes(&t->grants, j->token, FILE_TOKEN);

    if (!g || g->until_us < depot_now_us())
        return -ROOST_NO_SUCH_FILE;
    j->grant = *g;
    j->grant.name = NULL;
    if (j->asker == DEPOT_LOOP && g->name && !(j->grant.name = strdup(g->name)))
        return -ROOST_NOMEM;
    return 0;
}

/* Those of a parcel (takes: only those to send it), or (0) those whose time is over. */
static void grants_drop(struct depot_thread *t, uint64_t file, bool takes)
{
    struct map_slot *s;
    int64_t now_us = depot_now_us();

    for (size_t i = 0; (s = map_next(&t->grants, &i));) {
        struct hub_depot *g = s->value;
        if (file ? g->file != file || (takes && g->what != DEPOT_TAKE) : g->until_us >= now_us)
            continue;
        map_take_bytes(&t->grants, g->token, FILE_TOKEN);
        grant_free(g);
        i = 0;
    }
}

static void grants_bar(struct depot_thread *t, const struct hub_depot *bar)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&t->grants, &i));) {
        struct hub_depot *g = s->value;
        if (!hub_depot_bars(bar, g))
            continue;
        map_take_bytes(&t->grants, g->token, FILE_TOKEN);
        grant_free(g);
        i = 0;
    }
}

static bool is_barred(const struct depot_thread *t, const struct hub_depot *g)
{
    for (unsigned i = 0; i < t->n_bars && i < BARS_KEPT; i++)
        if (t->bars[i].born > g->born && hub_depot_bars(&t->bars[i], g))
            return true;
    return false;
}

static int open_job(struct depot_thread *t, struct depot_job *j)
{
    if (is_barred(t, &j->grant))
        return -ROOST_NO_SUCH_FILE;
    if (j->grant.what == DEPOT_TAKE)
        return depot_open_take(t, j);
    return j->grant.arrives ? depot_open_arriving(t, j) : depot_open_give(t, j);
}

/* --- jobs ------------------------------------------------------------------------------------ */

static void on_order(struct depot_thread *t, struct hub_depot *o)
{
    switch (o->what) {
    case DEPOT_TAKE:
    case DEPOT_GIVE:
        grant_put(t, o);
        break;
    case DEPOT_STORED:
        depot_on_stored(t, o->file, o->err);
        break;
    case DEPOT_OVER:
        grants_drop(t, o->file, o->takes);
        depot_on_over(t, o->file, o->takes);
        break;
    case DEPOT_BAR:
        t->bars[t->n_bars++ % BARS_KEPT] = *o;
        if (!o->room && !o->of_sessions) /* an account is gone: so are its parts */
            t->looked_us = depot_now_us() + LOOK_FIRST_US;
        grants_bar(t, o);
        depot_on_bar(t, o);
        break;
    case DEPOT_DROP:
        if (o->file)
            grants_drop(t, o->file, o->takes);
        else
            depot_drop(t, o);
        break;
    }
}

static void do_job(struct depot_thread *t, struct depot_job *j);

static void take_orders(struct depot_thread *t)
{
    struct depot_job *j;

    while ((j = passage_take(&t->in[DEPOT_LOOP])))
        do_job(t, j);
}

static void do_job(struct depot_thread *t, struct depot_job *j)
{
    switch (j->what) {
    case JOB_LOOK:
        if (j->asker != DEPOT_LOOP)
            take_orders(t); /* the token may stand there, and was put before */
        j->err = grant_find(t, j);
        depot_reply(t, j);
        break;
    case JOB_OPEN:
        j->err = open_job(t, j);
        depot_reply(t, j);
        break;
    case JOB_WISH:
    case JOB_WAIT:
        if (depot_do_wish(t, j))
            depot_reply(t, j);
        break;
    case JOB_READ:
        j->result = !place_use(&j->opened->place, depot_now_us()) ? -ROOST_TRANSFERS
                    : j->opened->dead                             ? -ROOST_CANCELLED
                                      : depot_read(t, j->opened, &j->wish);
        if (j->result > 0)
            t->all->counts.bytes_out += (uint64_t)j->result;
        depot_reply(t, j);
        break;
    case JOB_LEAVE:
        depot_kill(t, j->opened, -ROOST_CANCELLED);
        depot_job_free(j);
        break;
    case JOB_CLOSE:
        if (j->got)
            depot_say(t, &(struct hub_depot_word){ .what = DEPOT_GOT,
                                                   .file = j->opened->file,
                                                   .account = j->opened->grant.account });
        depot_close(t, j->opened, j->doubted);
        depot_job_free(j);
        break;
    case JOB_WRONG:
        depot_wrong(t, &j->grant, j->wish.at);
        depot_job_free(j);
        break;
    default:
        on_order(t, &j->grant);
        depot_job_free(j);
        break;
    }
}

static bool take_jobs(struct depot_thread *t)
{
    struct depot_job *j;
    bool any = false;

    for (unsigned i = 0; i < DEPOT_ASKERS; i++)
        for (int n = 0; n < 64 && t->in[i].slots && (j = passage_take(&t->in[i])); n++) {
            do_job(t, j);
            any = true;
        }
    return any;
}

static void look_after(struct depot_thread *t)
{
    int64_t now_us = depot_now_us();

    if (t->index)
        return;
    depot_measure(t);
    grants_drop(t, 0, false);
    if (now_us < t->looked_us)
        return;
    t->looked_us = now_us + LOOK_ABOUT_US;
    depot_look_about(t);
}

void depot_thread_main(void *thread)
{
    struct depot_thread *t = thread;
    struct pollfd fd = { .fd = t->event, .events = POLLIN };
    int64_t look_us = 0;
    uint64_t n;

    t->looked_us = depot_now_us() + LOOK_FIRST_US;
    while (!t->all->stopping) {
        if (depot_now_us() >= look_us) {
            look_after(t);
            look_us = depot_now_us() + MEASURE_MS * 1000LL;
        }
        if (poll(&fd, 1, MEASURE_MS) > 0 && read(t->event, &n, sizeof n) < 0)
            continue;
        while (take_jobs(t) && !t->all->stopping)
            ;
    }
    while (take_jobs(t)) /* what was asked before the end */
        ;
    for (struct opened *o = t->opened; o; o = o->next)
        depot_unpark(t, o, -ROOST_SHUTTING_DOWN);
}
