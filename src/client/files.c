/* files.c - the list of transfers: their beginning, their turns, their end; roost_file.h. */
#include "client/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"
#include "client/edge.h"

enum {
    AGAIN_FIRST_US = 250 * 1000,
    AGAIN_MOST_US = 5 * 1000 * 1000,
    CHORES_ID = 100,
    ROUNDS_MAX = 8,
    NAME_BYTES = 255, /* of what is offered */
    PIPE_BYTES = 1 << 20,
};

/* --- movers --- */

/* For a call from outside. */
struct mover *files_stir(struct files *f, int64_t number)
{
    f->stirred = true;
    return files_find(f, number);
}

struct mover *files_find(const struct files *f, int64_t number)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i]->number == number)
            return f->list[i];
    return NULL;
}

static void free_mover(struct mover *m)
{
    peer_drop(m);
    near_drop(m);
    sender_free(m->sender);
    receiver_free(m->receiver);
    if (m->fd >= 0)
        close(m->fd);
    if (m->dir_fd >= 0)
        close(m->dir_fd);
    if (m->lock_fd >= 0)
        close(m->lock_fd);
    for (size_t i = 0; i < m->n_paths; i++)
        free(m->paths[i]);
    free(m->paths);
    free(m->pages);
    free(m->out);
    free(m->held);
    free(m->target);
    free(m->name);
    free(m->cc);
    free(m->dir);
    free(m->where);
    free(m->finished);
    free(m->text);
    free(m->left);
    free(m);
}

static bool copy(char **to, const char *from)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

static struct mover *new_mover(struct files *f, bool sends)
{
    struct mover *m = calloc(1, sizeof *m);

    if (!m)
        return NULL;
    m->all = f;
    m->sends = sends;
    m->fd = m->dir_fd = m->lock_fd = -1;
    m->size = ROOST_SIZE_UNKNOWN;
    m->number = f->next_number + 1;
    return m;
}

static int64_t add(struct files *f, struct mover *m)
{
    f->next_number = m->number;
    f->list[f->n++] = m;
    m->news = f->stirred = true;
    return m->number;
}

void mover_stage(struct mover *m, enum roost_file_stage stage)
{
    if (m->stage == stage)
        return;
    m->stage = stage;
    m->news = true;
}

void mover_end(struct mover *m, enum roost_file_stage stage, int err, const char *detail)
{
    if (m->step == STEP_CLOSE || m->step == STEP_OVER)
        return;
    if (detail && detail != m->detail)
        snprintf(m->detail, sizeof m->detail, "%s", detail);
    m->error = err < 0 ? -err : err;
    if (m->flow && stage != ROOST_FILE_DONE) {
        flow_reset(m->flow, m->stream_id, FLOW_WHY_APP);
        flow_stop(m->flow, m->stream_id, FLOW_WHY_APP);
    }
    move_leave(m);
    if (stage == ROOST_FILE_DONE && m->shown && m->fd >= 0)
        m->text = text_read(m->fd);
    if (stage == ROOST_FILE_DONE && !m->sends && !m->by_code)
        query_done(m);
    if (m->by_code && m->sends)
        query_code_end(m);
    if (stage != ROOST_FILE_DONE)
        peer_drop(m);
    near_drop(m);
    __atomic_store_n(&m->stop, true, __ATOMIC_RELAXED);
    m->step = STEP_CLOSE;
    mover_stage(m, stage);
}

void mover_again(struct mover *m, int64_t now_us)
{
    int64_t wait = AGAIN_FIRST_US << (m->tries < 5 ? m->tries : 5);

    if (m->step == STEP_CLOSE || m->step == STEP_OVER)
        return;
    move_leave(m);
    if (m->by_near) {
        near_lost(m, false);
        return;
    }
    if (m->receiver)
        receiver_flush(m->receiver);
    m->relay_asked = false; /* a server that began anew has another one */
    m->error = 0;
    m->again_us = now_us + (wait < AGAIN_MOST_US ? wait : AGAIN_MOST_US);
    m->step = STEP_AGAIN;
    mover_stage(m, ROOST_FILE_WAITING);
}

/* --- life --- */

static void on_stream(void *ctx, const struct flow_event *e)
{
    struct files *f = ctx;
    struct flow *flow = f->r->datagrams.flow;

    for (size_t i = 0; i < f->n; i++)
        if (f->list[i]->flow == flow && f->list[i]->stream_id == e->stream)
            move_on_event(f->list[i], e, edge_now_us());
}

static void on_gone(void *ctx)
{
    struct files *f = ctx;
    const struct flow *flow = f->r->datagrams.flow;

    for (size_t i = 0; flow && i < f->n; i++)
        if (f->list[i]->flow == flow)
            move_lost(f->list[i], edge_now_us());
}

static void on_turn(void *ctx, int64_t now_us)
{
    files_process(ctx, now_us);
}

void files_init(struct files *f, struct roost *r)
{
    *f = (struct files){ .r = r, .chores.fd = -1 };
}

int files_begin(struct files *f)
{
    struct datagrams *d = &f->r->datagrams;

    if (f->begun)
        return 0;
    int err = chores_init(&f->chores);
    if (err)
        return err;
    if (getrandom(&f->seed, sizeof f->seed, 0) != sizeof f->seed)
        f->seed = (uint64_t)edge_now_us();
    d->streams = (struct datagrams_streams){ f, on_stream, on_gone, on_turn };
    datagrams_want(d, true);
    if (!d->wanted || sleep_add(&d->sleep, chores_fd(&f->chores), SLEEP_READ, CHORES_ID)) {
        chores_fini(&f->chores);
        return -ROOST_NOMEM;
    }
    f->begun = true;
    return 0;
}

void files_fini(struct files *f)
{
    struct chore *chore;

    if (!f->begun)
        return;
    for (size_t i = 0; i < f->n; i++) {
        struct mover *m = f->list[i];
        __atomic_store_n(&m->stop, true, __ATOMIC_RELAXED);
        if (m->receiver && m->step != STEP_CLOSE && m->step != STEP_OVER)
            receiver_flush(m->receiver); /* what came is not to come again */
    }
    do {
        for (size_t i = 0; i < f->n; i++)
            if (f->list[i]->receiver && !f->list[i]->closing)
                move_wishes(f->list[i]);
        chore = chores_wait(&f->chores);
        if (chore)
            job_back((struct job *)chore, edge_now_us());
    } while (chore);
    for (size_t i = 0; i < f->n; i++)
        mover_job(f->list[i], JOB_CLOSE, NULL);
    while (chores_wait(&f->chores))
        continue;
    sleep_remove(&f->r->datagrams.sleep, chores_fd(&f->chores));
    chores_fini(&f->chores);
    f->r->datagrams.streams = (struct datagrams_streams){ 0 };
    for (size_t i = 0; i < f->n; i++)
        free_mover(f->list[i]);
    near_expire(f, INT64_MAX);
    *f = (struct files){ .r = f->r, .chores.fd = -1 };
}

/* --- turns --- */

static void open_stream(struct mover *m, int64_t now_us)
{
    struct datagrams *d = &m->all->r->datagrams;

    if (!m->kept || !m->has_token || !d->flow || d->way == ROOST_WAY_NONE)
        return;
    m->way = ROOST_FILE_SERVER;
    move_open(m, d->flow, now_us);
}

static bool can_ask(const struct mover *m)
{
    enum core_state at = core_state(m->all->r->core);

    return !m->request && (at == CORE_AT_READY || (m->by_code && at == CORE_AT_LOGIN));
}

/* After a lost connection: what was said meanwhile was not heard. Who has no answer yet gets one
 * from the server as it is now. */
static void on_back(struct mover *m, int64_t now_us)
{
    bool answered = m->step > STEP_ASK;

    m->renew = m->renew || (answered && !m->kept && !m->by_code);
    if (m->step == STEP_ANSWER && can_ask(m))
        query_ticket(m, now_us);
}

static void turn(struct mover *m, int64_t now_us)
{
    bool ready = can_ask(m);

    switch (m->step) {
    case STEP_FIND:
        if (m->by_near)
            near_begin(m, now_us);
        else if (ready && m->by_code)
            query_ticket(m, now_us);
        else if (ready)
            query_find(m);
        break;
    case STEP_ASK:
        if (m->by_near)
            near_begin(m, now_us);
        else if (ready)
            query_ticket(m, now_us);
        break;
    case STEP_SESSION:
        open_stream(m, now_us);
        break;
    case STEP_AGAIN:
        move_wishes(m);
        if (ready && now_us >= m->again_us && !move_due(m))
            query_ticket(m, now_us);
        break;
    case STEP_MOVE:
    case STEP_FLUSH:
    case STEP_STAY:
        move_turn(m, now_us);
        break;
    case STEP_CLOSE:
        if (!m->n_jobs && !m->closing)
            m->closing = mover_job(m, JOB_CLOSE, NULL);
        break;
    default:
        break;
    }
    mover_fetch(m);
}

/* What one step changes the next may have waited for: nothing else might wake us for it. */
static void take_turn(struct mover *m, int64_t now_us)
{
    enum step step;
    int64_t request;
    int rounds = ROUNDS_MAX;
    bool asked;

    query_expire(m, now_us); /* what was answered is gone on with in this turn */
    do {
        step = m->step;
        request = m->request;
        asked = m->relay_asked;
        peer_before(m, now_us);
        turn(m, now_us);
    } while (--rounds && (m->step != step || m->request != request || m->relay_asked != asked));
    peer_after(m, now_us);
}

static void drop_over(struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->list[i]->step == STEP_OVER && f->list[i]->given) {
            free_mover(f->list[i]);
            f->list[i--] = f->list[--f->n];
        }
}

void files_process(struct files *f, int64_t now_us)
{
    const Roost__ToClient *msg;
    struct chore *chore;

    if (!f->begun)
        return;
    f->stirred = false;
    while ((msg = core_peek_push(f->r->core)))
        files_on_push(f, msg, now_us);
    while ((chore = chores_next(&f->chores)))
        job_back((struct job *)chore, now_us);
    files_pass_over(f);
    bool connected = core_state(f->r->core) >= CORE_AT_LOGIN &&
                     core_state(f->r->core) <= CORE_AT_READY;
    for (size_t i = 0; i < f->n; i++) {
        if (connected && !f->was_connected)
            on_back(f->list[i], now_us);
        take_turn(f->list[i], now_us);
    }
    f->was_connected = connected;
    drop_over(f);
    near_expire(f, now_us);
}

/* Who may not ask yet is woken by what it waits for: a server that is there again, an answer, the
 * disk. */
static int64_t turn_deadline_us(const struct mover *m)
{
    if (m->step != STEP_AGAIN)
        return move_deadline_us(m);
    return can_ask(m) && !move_due(m) ? m->again_us : INT64_MAX;
}

int64_t files_deadline_us(const struct files *f)
{
    int64_t at = f->stirred ? 0 : f->place ? f->place_until_us : INT64_MAX;

    for (size_t i = 0; i < f->n; i++) {
        const struct mover *m = f->list[i];
        int64_t due = turn_deadline_us(m), peer = peer_deadline_us(m, edge_now_us());
        due = peer < due ? peer : due;
        due = near_deadline_us(m) < due ? near_deadline_us(m) : due;
        at = due < at ? due : at;
    }
    return at;
}

/* --- roost_file.h --- */

/* As a path ends, when that says something. */
static char *last_name(const char *path)
{
    size_t len = strlen(path);

    while (len && path[len - 1] == '/')
        len--;
    size_t from = len;
    while (from && path[from - 1] != '/')
        from--;
    if (len == from || path[from] == '.' || !utf8_valid(path + from, len - from))
        return NULL;
    return strndup(path + from, len - from);
}

/* "notes.pdf", "notes.pdf and 2 more"; NULL: it ends with nothing that is a name. */
static char *name_of_all(const char *first, size_t n)
{
    char whole[NAME_BYTES + 32], *name = last_name(first);

    if (!name || n == 1)
        return name;
    snprintf(whole, sizeof whole, " and %zu more", n - 1);
    size_t len = utf8_fit(name, NAME_BYTES - strlen(whole));
    snprintf(whole, sizeof whole, "%.*s and %zu more", (int)len, name, n - 1);
    free(name);
    return strdup(whole);
}

static int copy_send(struct mover *m, const struct roost_file_send *what)
{
    bool ok = copy(&m->target, what->target) && copy(&m->cc, what->cc);

    m->limit = what->limit_bits / 8;
    m->by_code = what->code;
    if (what->nearby && near_init(m, what->nearby))
        return -ROOST_INVALID;
    if (what->code)
        snprintf(m->peer, sizeof m->peer, "%s", "who had the phrase");
    if (getrandom(m->claim, sizeof m->claim, 0) != sizeof m->claim)
        return -ROOST_IO;
    m->via = what->via;
    if (what->text) {
        m->kind = ROOST__PARCEL_KIND__PARCEL_TEXT;
        m->fd = text_open(what->text);
        ok = ok && m->fd >= 0 && copy(&m->name, what->name ? what->name : "text.txt");
    } else if (!what->n_paths) {
        m->fd = what->fd;
        m->stream = true;
    }
    ok = ok && (m->name || copy(&m->name, what->name));
    if (ok && !m->name && what->n_paths) /* else what the disk says */
        m->name = name_of_all(what->paths[0], what->n_paths);
    m->paths = what->n_paths ? calloc(what->n_paths, sizeof *m->paths) : NULL;
    ok = ok && (m->paths || !what->n_paths);
    for (; ok && m->n_paths < what->n_paths; m->n_paths++)
        ok = copy(&m->paths[m->n_paths], what->paths[m->n_paths]);
    return ok ? 0 : -ROOST_NOMEM;
}

static bool is_fine(const char *s)
{
    return !s || (*s && utf8_valid(s, strlen(s)));
}

int64_t roost_file_send(struct roost *r, const struct roost_file_send *what)
{
    struct files *f = &r->files;
    Roost__Target to;

    if ((what->code || what->nearby ? what->target != NULL
                                    : !what->target || !edge_target(&to, what->target)) ||
        !is_fine(what->name) ||
        (what->text && (!is_fine(what->text) || strlen(what->text) > ROOST_FILE_TEXT_MAX)) ||
        (!what->text && !what->n_paths && what->fd < 0))
        return -ROOST_INVALID;
    if (f->n == ROOST_TRANSFERS_MAX || what->n_paths > ROOST_FILE_PATHS_MAX)
        return -ROOST_LIMIT;
    for (size_t i = 0; i < what->n_paths; i++)
        if (access(what->paths[i], R_OK))
            return -ROOST_IO;
    if (what->cc && !cc_find(what->cc))
        return -ROOST_INVALID;
    if (what->cc) /* of the session too, if it is not there yet */
        r->datagrams.cc = cc_find(what->cc);
    int err = files_begin(f);
    struct mover *m = err ? NULL : new_mover(f, true);
    if (!m)
        return err ? err : -ROOST_NOMEM;
    err = copy_send(m, what);
    if (!err && !mover_job(m, JOB_OPEN, NULL))
        err = -ROOST_NOMEM;
    if (err) {
        m->fd = m->stream ? -1 : m->fd; /* still the caller's */
        free_mover(m);
        return err;
    }
    return add(f, m);
}

int64_t roost_file_get(struct roost *r, const struct roost_file_get *what)
{
    struct files *f = &r->files;

    if ((what->file != 0) + (what->phrase != NULL) + (what->nearby != NULL) != 1 ||
        !is_fine(what->dir) || !is_fine(what->name) || (what->stream && what->fd < 0))
        return -ROOST_INVALID;
    if (f->n == ROOST_TRANSFERS_MAX)
        return -ROOST_LIMIT;
    int err = files_begin(f);
    struct mover *m = err ? NULL : new_mover(f, false);
    if (!m)
        return err ? err : -ROOST_NOMEM;
    bool passes = what->stream || what->fetched; /* and nothing of it stays */
    m->out = passes ? malloc(MOVER_OUT_BYTES) : NULL;
    if (!copy(&m->name, what->name) || (passes && !m->out) ||
        !copy(&m->dir, what->dir ? what->dir
                       : passes  ? r->home.path
                                 : ".")) {
        free_mover(m);
        return -ROOST_NOMEM;
    }
    if (what->stream) {
        m->fd = what->fd;
        /* who reads is waited for less often; it may be no pipe, or not to be made larger */
        fcntl(m->fd, F_SETPIPE_SZ, PIPE_BYTES);
    }
    m->by_code = what->phrase != NULL;
    if (what->nearby && near_init(m, what->nearby)) {
        m->fd = -1;
        free_mover(m);
        return -ROOST_INVALID;
    }
    if (what->phrase)
        snprintf(m->peer, sizeof m->peer, "%s", "who gave the phrase");
    if (what->phrase && code_read(m, what->phrase)) {
        edge_complain(m->detail);
        m->fd = -1;
        free_mover(m);
        return -ROOST_INVALID;
    }
    m->fetched = what->fetched;
    m->shown = what->shown && !passes;
    m->fetch_at = m->fetch_wanted = UINT64_MAX;
    m->file = what->file;
    m->limit = what->limit_bits / 8;
    m->step = STEP_ASK;
    return add(f, m);
}

int roost_transfer_cancel(struct roost *r, int64_t number)
{
    struct mover *m = files_stir(&r->files, number);

    if (!m || roost_transfer_over(m->stage))
        return -ROOST_INVALID;
    if (m->step == STEP_STAY) { /* all came: who sent it may know */
        mover_end(m, ROOST_FILE_DONE, 0, NULL);
        return 0;
    }
    if (m->fetched && m->receiver && m->step == STEP_MOVE) {
        struct share_view v;
        receiver_look(m->receiver, &v);
        m->leaving = v.size != TREE_UNKNOWN && v.here >= v.size;
        if (m->leaving) /* all came, and is only to be written: who sent it waits to hear so */
            return 0;
    }
    if (m->sends || !m->kept)
        query_cancel(m);
    mover_end(m, ROOST_FILE_CANCELLED, 0, NULL);
    return 0;
}

int roost_transfer_pause(struct roost *r, int64_t number, bool on)
{
    struct mover *m = files_stir(&r->files, number);

    if (!m || roost_transfer_over(m->stage) || !m->file)
        return -ROOST_INVALID;
    query_pause(m, on);
    return 0;
}
