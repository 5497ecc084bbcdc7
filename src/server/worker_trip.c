#include "server/worker_trip.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "server/depot.h"
#include "share/receiver.h"
#include "share/sender.h"

/* Who is there gets a parcel as it comes, from when some of it is synced. */
#define SYNC_FIRST (1ULL << 20)

enum trip_state {
    TRIP_BEGINS, /* BEGIN is to come */
    TRIP_ASKS,   /* whose token is it? what is there? */
    TRIP_RUNS,
    TRIP_ENDS, /* nothing is heard or said any more; jobs may be under way */
};

struct trip {
    struct worker *w;
    struct carried *c; /* NULL: its session is gone */
    uint64_t stream;
    enum trip_state state;
    enum talk_role role; /* of the client */
    struct receiver *receiver;
    struct sender *sender;
    struct opened *opened;
    struct depot_job *closing; /* what will close it */
    struct depot_job *leaving; /* of what is still coming: what will end its waiting */
    uint64_t file;
    unsigned jobs; /* that the depot has */
    bool got;      /* all of it was given */
    bool doubted;  /* what was read is not what it should be */
    bool waits;    /* among worker.unclosed */
    struct trip *next;
};

/* --- the end ------------------------------------------------------------------------------ */

/* What was opened has a place that others wait for: it is closed for certain. So the job is there
 * from the beginning, and waits when the depot is full: that has something to answer then. */
static bool close_opened(struct trip *t)
{
    struct depot_job *j = t->closing;

    if (!j)
        return true;
    depot_job_free(t->leaving);
    t->leaving = NULL;
    j->got = t->got;
    j->doubted = t->doubted;
    if (!depot_ask(t->w->all->settings.depot, j))
        return false;
    t->opened = NULL;
    t->closing = NULL;
    return true;
}

static void unlink_trip(struct trip *t)
{
    struct carried *c = t->c;

    if (!c)
        return;
    for (struct trip **at = &c->trips; *at; at = &(*at)->next)
        if (*at == t) {
            *at = t->next;
            c->n_trips--;
            t->w->n_trips--;
            break;
        }
    t->c = NULL;
}

/* What waits for bytes to come would wait for ever. */
static bool leave_opened(struct trip *t)
{
    if (!depot_ask(t->w->all->settings.depot, t->leaving))
        return false;
    t->leaving = NULL;
    return true;
}

static bool let_go(struct trip *t)
{
    return t->jobs ? leave_opened(t) : close_opened(t);
}

/* When nothing is under way any more. */
static void free_if_over(struct trip *t)
{
    if (t->state != TRIP_ENDS || t->waits || (t->jobs && !t->leaving))
        return;
    unlink_trip(t);
    if (!let_go(t)) {
        t->waits = true;
        t->next = t->w->unclosed;
        t->w->unclosed = t;
        return;
    }
    if (t->jobs)
        return;
    receiver_free(t->receiver);
    sender_free(t->sender);
    free(t);
}

/* --- jobs ----------------------------------------------------------------------------------- */

static struct depot_job *job_new(struct trip *t, int what)
{
    struct depot_job *j = calloc(1, sizeof *j);

    if (!j)
        return NULL;
    j->what = what;
    j->asker = t->w->index;
    j->owner = t;
    j->opened = t->opened;
    return j;
}

static int ask(struct trip *t, struct depot_job *j)
{
    if (!j)
        return -ROOST_NOMEM;
    if (!depot_ask(t->w->all->settings.depot, j)) {
        depot_job_free(j);
        return -ROOST_BUSY;
    }
    t->jobs++;
    return 0;
}

static void answer(struct trip *t, const struct wish *w, int64_t result)
{
    if (t->receiver)
        receiver_answer(t->receiver, t->w->now_us, w->id, result);
    else
        sender_answer(t->sender, w->id, result);
}

static void finish_pages(const struct trip *t, struct depot_job *j)
{
    uint32_t n;
    const uint8_t *pages = receiver_pages(t->receiver, &n);

    if (!pages || !n || !(j->pages = malloc((size_t)n * TREE_HASH)))
        return; /* they are made again when somebody wants them */
    memcpy(j->pages, pages, (size_t)n * TREE_HASH);
    j->n_pages = n;
}

static bool next_wish(struct trip *t, struct wish *w)
{
    return t->receiver ? receiver_wish(t->receiver, w) : sender_wish(t->sender, w);
}

static void ask_wishes(struct trip *t)
{
    struct wish w;

    while ((t->receiver || t->sender) && next_wish(t, &w)) {
        struct depot_job *j = job_new(t, JOB_WISH);
        if (j) {
            j->wish = w;
            if (w.kind == WISH_FINISH)
                finish_pages(t, j);
        }
        int err = ask(t, j);
        if (err)
            answer(t, &w, err);
    }
}

/* --- refusals ----------------------------------------------------------------------------------
 */

/* Whatever is still there of the stream is given up; the code says why. */
static void give_up(struct trip *t, int err)
{
    uint64_t code = FLOW_WHY_APP + (uint64_t)(err < 0 ? -err : err);

    if (t->c && t->state != TRIP_ENDS) {
        flow_stop(t->c->flow, t->stream, code);
        flow_reset(t->c->flow, t->stream, code);
    }
    t->state = TRIP_ENDS;
    if (t->receiver)
        receiver_flush(t->receiver);
    ask_wishes(t);
}

/* --- running -------------------------------------------------------------------------------------
 */

static int begin(struct trip *t)
{
    struct depot_job *j;
    size_t len;
    bool over;
    uint8_t token[TALK_TOKEN];
    const uint8_t *bytes = flow_read(t->c->flow, t->stream, &len, &over);
    int n = talk_read_begin(bytes, bytes ? len : 0, &t->role, token);

    if (n <= 0)
        return n < 0 || over ? -ROOST_MALFORMED : 0;
    flow_take(t->c->flow, t->stream, (size_t)n, t->w->now_us);
    t->state = TRIP_ASKS;
    j = job_new(t, JOB_LOOK);
    if (j)
        memcpy(j->token, token, sizeof j->token);
    return ask(t, j);
}

static int take_in(struct trip *t)
{
    struct flow *f = t->c->flow;
    size_t len;
    bool over;
    const uint8_t *bytes;

    while ((bytes = flow_read(f, t->stream, &len, &over)) && len) {
        int64_t n = t->receiver ? receiver_in(t->receiver, t->w->now_us, bytes, len)
                                : sender_in(t->sender, bytes, len);
        if (n < 0)
            return (int)n;
        n = t->receiver ? n : (int64_t)len;
        if (!n)
            return 0;
        flow_take(f, t->stream, (size_t)n, t->w->now_us);
        ask_wishes(t);
    }
    return 0;
}

static void put_out(struct trip *t)
{
    struct flow *f = t->c->flow;
    const uint8_t *bytes;
    size_t len;

    while (flow_waiting(f, t->stream) < TRIP_AHEAD &&
           (bytes = t->receiver ? receiver_out(t->receiver, &len) : sender_out(t->sender, &len))) {
        int64_t n = flow_write(f, t->stream, bytes, len);
        if (n <= 0)
            return;
        if (t->receiver)
            receiver_sent(t->receiver, (size_t)n);
        else
            sender_sent(t->sender, (size_t)n);
        ask_wishes(t);
        if ((size_t)n < len)
            return;
    }
}

static bool has_out(const struct trip *t)
{
    size_t len;

    return t->receiver ? receiver_out(t->receiver, &len) : sender_out(t->sender, &len);
}

/* Said all that there was to say: the stream ends, and the trip. */
static void look_if_over(struct trip *t)
{
    struct share_view v;

    if (t->receiver)
        receiver_look(t->receiver, &v);
    else
        sender_look(t->sender, &v);
    t->got = t->got || (t->sender && v.state == SHARE_DONE);
    t->doubted = t->doubted || (t->sender && v.state == SHARE_OVER && !v.theirs &&
                                (v.err == -ROOST_SOURCE_CHANGED || v.err == -ROOST_UNREADABLE));
    if ((v.state != SHARE_DONE && v.state != SHARE_OVER) || has_out(t))
        return;
    flow_end(t->c->flow, t->stream);
    flow_stop(t->c->flow, t->stream, 0);
    t->state = TRIP_ENDS;
    if (t->receiver)
        receiver_flush(t->receiver);
    ask_wishes(t);
}

static void run(struct trip *t)
{
    int err = 0;

    if (t->state == TRIP_BEGINS)
        err = begin(t);
    if (t->state == TRIP_RUNS) {
        if (t->receiver && receiver_deadline_us(t->receiver) <= t->w->now_us)
            receiver_expire(t->receiver, t->w->now_us);
        err = take_in(t);
        ask_wishes(t);
        put_out(t); /* an error is said to the other side too */
        if (!err || t->receiver || t->sender)
            look_if_over(t);
        if (err && t->state != TRIP_RUNS)
            err = 0;
    }
    if (err)
        give_up(t, err);
}

/* --- answers
 * -------------------------------------------------------------------------------------- */

static int begin_taking(struct trip *t, const struct depot_job *j)
{
    const struct hub_depot *g = &j->grant;
    struct receiver_settings s = { .size = g->open_size ? TREE_UNKNOWN : g->size,
                                   .size_max = g->size_max,
                                   .has_root = g->has_root,
                                   .has_list_root = g->has_list,
                                   .sync_first = SYNC_FIRST,
                                   .map = j->map,
                                   .map_len = j->map_len,
                                   .list_held = j->list_held };

    memcpy(s.root, g->root, TREE_HASH);
    memcpy(s.list_root, g->list_root, TREE_HASH);
    return receiver_new(&t->receiver, &s);
}

static int on_looked(struct trip *t, struct depot_job *j)
{
    bool takes = j->grant.what == DEPOT_TAKE;
    struct depot_job *open;

    if (takes != (t->role == TALK_SENDS))
        return -ROOST_NO_SUCH_FILE;
    t->file = j->grant.file;
    open = job_new(t, JOB_OPEN);
    if (open)
        open->grant = j->grant;
    return ask(t, open);
}

static int begin_giving(struct trip *t, const struct depot_job *j)
{
    const struct sender_settings s = { .about = j->about,
                                       .pages = j->pages,
                                       .arrives = j->what == JOB_WAIT };
    int err = sender_new(&t->sender, &s);

    if (!err)
        t->state = TRIP_RUNS;
    return err;
}

static int on_opened(struct trip *t, struct depot_job *j)
{
    t->opened = j->opened;
    if (j->grant.arrives) {
        t->leaving = job_new(t, JOB_LEAVE);
        return t->leaving ? ask(t, job_new(t, JOB_WAIT)) : -ROOST_NOMEM;
    }
    if (j->grant.what != DEPOT_TAKE)
        return begin_giving(t, j);
    int err = begin_taking(t, j);
    if (!err)
        t->state = TRIP_RUNS;
    return err;
}

static int on_found(struct trip *t, struct depot_job *j)
{
    switch (j->what) {
    case JOB_LOOK:
        return on_looked(t, j);
    case JOB_OPEN:
        return on_opened(t, j);
    default:
        return begin_giving(t, j);
    }
}

static void keep_to_close(struct trip *t, struct depot_job *j)
{
    t->opened = j->opened;
    t->closing = j;
    free(j->map);
    free(j->pages);
    j->map = j->pages = NULL;
    j->what = JOB_CLOSE;
}

static void on_answer(struct worker *w, struct depot_job *j)
{
    struct trip *t = j->owner;
    int err = j->err;

    t->jobs--;
    if (j->what == JOB_WISH) {
        answer(t, &j->wish, j->result);
        ask_wishes(t);
    } else if (t->state != TRIP_ENDS) {
        if (!err)
            err = on_found(t, j);
        if (err)
            give_up(t, err);
    }
    if (j->what == JOB_OPEN && !j->err) /* though perhaps nobody wants it any more */
        keep_to_close(t, j);
    else
        depot_job_free(j);
    if (t->c)
        worker_touch(w, t->c);
    free_if_over(t);
}

void trips_on_answers(struct worker *w)
{
    struct depot_job *j;

    while (w->all->settings.depot && (j = depot_answer(w->all->settings.depot, w->index)))
        on_answer(w, j);
    while (w->unclosed && let_go(w->unclosed)) {
        struct trip *t = w->unclosed;
        w->unclosed = t->next;
        t->waits = false;
        free_if_over(t);
    }
}

void trips_drain(struct worker *w)
{
    trips_on_answers(w);
    while (w->unclosed) {
        struct trip *t = w->unclosed;
        w->unclosed = t->next;
        t->waits = false;
        depot_job_free(t->closing); /* what is open ends with the depot */
        depot_job_free(t->leaving);
        t->closing = t->leaving = NULL;
        free_if_over(t);
    }
}

/* --- streams
 * ---------------------------------------------------------------------------------------- */

static struct trip *trip_of(const struct carried *c, uint64_t stream)
{
    struct trip *t = c->trips;

    while (t && t->stream != stream)
        t = t->next;
    return t;
}

static void refuse(struct carried *c, uint64_t stream, int err)
{
    uint64_t code = FLOW_WHY_APP + (uint64_t)-err;

    flow_stop(c->flow, stream, code);
    flow_reset(c->flow, stream, code);
}

static void on_readable(struct worker *w, struct carried *c, uint64_t stream)
{
    bool full = c->n_trips >= TRIPS_SESSION;

    if (trip_of(c, stream))
        return; /* it runs below */
    if (stream < c->next_stream)
        return; /* what is left of one that was given up */
    c->next_stream = stream + 1;
    struct trip *t = w->all->settings.depot && !full ? calloc(1, sizeof *t) : NULL;
    if (!t) {
        refuse(c, stream, w->all->settings.depot ? -ROOST_LIMIT : -ROOST_FILES_OFF);
        return;
    }
    *t = (struct trip){ .w = w, .c = c, .stream = stream, .next = c->trips };
    c->trips = t;
    c->n_trips++;
    w->n_trips++;
}

static void on_lost(struct carried *c, uint64_t stream)
{
    struct trip *t = trip_of(c, stream);

    if (t && t->state != TRIP_ENDS)
        give_up(t, -ROOST_CANCELLED);
}

void trips_hear(struct worker *w, struct carried *c)
{
    struct flow_event e;

    while (flow_event(c->flow, &e)) {
        if (e.what == FLOW_READABLE)
            on_readable(w, c, e.stream);
        else if (e.what == FLOW_RESET || e.what == FLOW_STOPPED)
            on_lost(c, e.stream);
        c->over = c->over || e.what == FLOW_CLOSED;
    }
    if (c->over) {
        trips_leave(w, c);
        return;
    }
    for (struct trip *t = c->trips, *next; t; t = next) {
        next = t->next;
        if (t->state != TRIP_ENDS)
            run(t);
        free_if_over(t);
    }
}

int64_t trips_deadline_us(const struct carried *c)
{
    int64_t due = INT64_MAX;

    for (const struct trip *t = c->trips; t; t = t->next) {
        int64_t at = t->state == TRIP_RUNS && t->receiver ? receiver_deadline_us(t->receiver)
                                                          : INT64_MAX;
        due = at < due ? at : due;
    }
    return due;
}

void trips_leave(struct worker *w, struct carried *c)
{
    struct trip *t = c->trips, *next;

    w->n_trips -= c->n_trips;
    c->trips = NULL;
    c->n_trips = 0;
    for (; t; t = next) {
        next = t->next;
        t->c = NULL;
        give_up(t, -ROOST_CLOSED);
        free_if_over(t);
    }
}
