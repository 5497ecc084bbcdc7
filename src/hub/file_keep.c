/* file_keep.c - parcels that the server keeps: tokens for whoever keeps them, what they
 * say of it, and what is kept no longer.
 *
 * Contents are shared by all parcels with the same roots: they go when a look into the store
 * says that nobody refers to them any more.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/file.h"

#define DAY_MS     86400000LL
#define OFFER_DAYS 14 /* an offer that nobody takes, or that nobody goes on with */

/* --- tokens ---------------------------------------------------------------------------- */

void file_grant_fill(const struct hub *h, const struct request *q, const struct file_row *f,
                     bool sends, struct hub_depot *ret)
{
    struct hub_depot d = { .what = sends ? DEPOT_TAKE : DEPOT_GIVE,
                           .file = f->id,
                           .account = q->account,
                           .session = q->session,
                           .room = f->room,
                           .sender = f->sender,
                           .size = f->size,
                           .size_max = h->config.file_max,
                           .list_size = f->list_size,
                           .open_size = f->open_size,
                           .has_root = f->has_root,
                           .has_list = f->has_list,
                           .made_ms = f->made_ms,
                           .arrives = !sends && f->stage != ROOST__FILE_STAGE__FILE_DONE,
                           .until_us = h->now.mono_us + TICKET_US };

    memcpy(d.root, f->root, sizeof d.root);
    memcpy(d.list_root, f->list_root, sizeof d.list_root);
    *ret = d;
}

int file_grant(struct hub *h, const struct request *q, const struct file_row *f, bool sends,
               struct hub_depot *ret)
{
    struct hub_depot d;

    file_grant_fill(h, q, f, sends, &d);
    rng_fill(&h->rng, d.token, sizeof d.token);
    *ret = d; /* without the name, which is the depot's */
    if (!sends && !(d.name = strdup(f->name)))
        return -ROOST_NOMEM;
    int err = outbox_depot(h->out, &d);
    if (err)
        free(d.name);
    return err;
}

static void depot_say(struct hub *h, const struct hub_depot *d)
{
    outbox_depot(h->out, d); /* without memory: the next walk says it again */
}

bool hub_depot_bars(const struct hub_depot *bar, const struct hub_depot *g)
{
    bool whose = !bar->account || g->account == bar->account ||
                 (!bar->room && g->sender == bar->account);

    if (bar->of_sessions)
        return g->account == bar->account && g->session != bar->but &&
               (!bar->session || g->session == bar->session);
    return whose && (!bar->room || g->room == bar->room) && (!bar->takes || g->what == DEPOT_TAKE);
}

void files_bar(struct hub *h, uint64_t account, uint64_t room, bool takes)
{
    if (h->config.files)
        depot_say(h, &(struct hub_depot){
                         .what = DEPOT_BAR, .account = account, .room = room, .takes = takes });
}

void files_bar_sessions(struct hub *h, uint64_t account, uint64_t only, uint64_t except)
{
    if (h->config.files)
        depot_say(h, &(struct hub_depot){ .what = DEPOT_BAR,
                                          .of_sessions = true,
                                          .account = account,
                                          .session = only,
                                          .but = except });
}

void files_account_gone(struct hub *h, uint64_t account)
{
    struct map_slot *s;

    files_bar(h, account, 0, false);
    for (size_t i = 0; (s = map_next(&h->parcels, &i));) {
        const struct parcel *p = s->value;
        if (p->account[SENDER] != account && p->account[RECEIVER] != account)
            continue;
        parcel_over(h, p->file);
        i = 0;
    }
}

void file_drop_parts(struct hub *h, uint64_t file)
{
    depot_say(h, &(struct hub_depot){ .what = DEPOT_OVER, .file = file });
}

/* What came of it has its place: only who sends it is cut off. */
static void drop_sending(struct hub *h, uint64_t file)
{
    depot_say(h, &(struct hub_depot){ .what = DEPOT_OVER, .file = file, .takes = true });
}

void file_drop_contents(struct hub *h, const struct file_row *f)
{
    struct hub_depot d = { .what = DEPOT_DROP, .has_root = true, .has_list = f->has_list };

    memcpy(d.root, f->root, sizeof d.root);
    memcpy(d.list_root, f->list_root, sizeof d.list_root);
    depot_say(h, &d);
}

void file_limits(const struct hub *h, struct store_op *op)
{
    op->quota_user = h->config.file_quota_user;
    op->quota_room = h->config.file_quota_room;
    op->file.until_ms = h->config.file_days ? h->now.wall_ms + h->config.file_days * DAY_MS : 0;
}

static void say_stored(struct hub *h, uint64_t file, int err)
{
    depot_say(h, &(struct hub_depot){ .what = DEPOT_STORED, .file = file, .err = err });
}

static void store_file_op(struct hub *h, enum store_kind kind, const struct hub_depot_word *w)
{
    struct store_op *op = store_op_new(kind, h->now.wall_ms);

    if (op) {
        op->file.id = w->file;
        op->account.id = w->account;
        op->file.has_root = true;
        op->file.has_list = w->has_list;
        memcpy(op->file.root, w->root, 32);
        memcpy(op->file.list_root, w->list_root, 32);
        op->file.stage = ROOST__FILE_STAGE__FILE_CANCELLED;
        op->mine = w->what == DEPOT_GOT;
    }
    hub_store(h, op);
}

static void look_loose(struct hub *h, const struct file_row *f)
{
    struct hub_depot_word w = { .what = DEPOT_FOUND, .has_list = f->has_list };

    if (!f->has_root)
        return;
    memcpy(w.root, f->root, 32);
    memcpy(w.list_root, f->list_root, 32);
    store_file_op(h, STORE_FILE_LOOSE, &w);
}

/* --- it is whole ---------------------------------------------------------------------------- */

/* A request of the hub's own: nobody is answered; the line of the log names the sender. */
struct keeping {
    struct hub_depot_word word;
    struct file_row row;
    struct event event;
};

static void keep_failed(struct hub *h, const struct file_row *f, int err)
{
    struct store_op *op = store_op_new(STORE_FILE_SET, h->now.wall_ms);

    if (op) {
        op->file.id = f->id;
        op->file.stage = ROOST__FILE_STAGE__FILE_CANCELLED;
        op->log.kind = "file_failed";
        op->log.account = f->sender;
        op->log.target = err_name(err);
    }
    hub_store(h, op);
    file_drop_parts(h, f->id);
    struct file_row over = *f;
    over.stage = ROOST__FILE_STAGE__FILE_CANCELLED;
    file_tell_failed(h, &over, err);
    parcel_over(h, f->id);
}

static int keep_store(struct hub *h, struct request *q)
{
    struct keeping *k = q->state;
    struct store_op *op = request_look(h, q, STORE_FILE_KEEP);
    const struct hub_depot_word *w = &k->word;

    if (!op)
        return -ROOST_NOMEM;
    op->file.id = w->file;
    op->file.size = k->row.size = w->size;
    op->file.has_root = k->row.has_root = true;
    op->file.has_list = k->row.has_list = w->has_list;
    k->row.open_size = false;
    memcpy(op->file.root, w->root, 32);
    memcpy(k->row.root, w->root, 32);
    memcpy(op->file.list_root, w->list_root, 32);
    memcpy(k->row.list_root, w->list_root, 32);
    file_limits(h, op);
    k->row.until_ms = op->file.until_ms;
    op->log.kind = "file_kept";
    op->log.account = k->row.sender;
    op->log.target = arena_str(&op->mem, k->row.name);
    int err = file_event(&q->mem, &k->row, &k->event);
    op->event = k->event;
    op->event.data = arena_dup(&op->mem, k->event.data, k->event.n_data);
    op->event.from_name = arena_str(&op->mem, k->event.from_name);
    op->event.shown = k->event.shown ? op->event.from_name : NULL;
    if (err || !op->event.data || !op->event.from_name || !op->log.target) {
        store_op_unref(op);
        return -ROOST_NOMEM;
    }
    q->step = 1;
    return request_store(h, q, op);
}

static int row_keep(struct request *q, struct file_row *to, const struct file_row *from)
{
    *to = *from;
    to->name = arena_str(&q->mem, from->name);
    to->sender_name = arena_str(&q->mem, from->sender_name);
    to->shown = from->shown && *from->shown ? to->sender_name : NULL;
    to->peer_name = arena_str(&q->mem, from->peer_name);
    return to->name && to->sender_name && to->peer_name ? 0 : -ROOST_NOMEM;
}

/* What has it: another look at a parcel that was kept already is a yes. */
static int keep_begin(struct hub *h, struct request *q, const struct store_result *r)
{
    struct keeping *k = q->state;
    int err = r->err ? r->err : row_keep(q, &k->row, &r->file);

    if (!err && r->file.stage == ROOST__FILE_STAGE__FILE_DONE) {
        say_stored(h, k->word.file, 0);
        drop_sending(h, k->word.file);
        return HUB_DONE;
    }
    if (!err)
        err = keep_store(h, q);
    if (err < 0)
        say_stored(h, k->word.file, err);
    return err;
}

static int keep_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    struct keeping *k = q->state;
    int err = r->err;

    if (!q->step)
        return keep_begin(h, q, r);
    say_stored(h, k->word.file, err);
    if (err == -ROOST_QUOTA || err == -ROOST_ROOM_CLOSED || err == -ROOST_FILE_OVER) {
        keep_failed(h, &k->row, err);
        look_loose(h, &k->row);
    }
    if (err)
        return err;
    k->event.seq = r->seq;
    k->event.at_ms = r->at_ms;
    drop_sending(h, k->word.file); /* and its tokens: a late stream finds nothing to begin */
    tell_stale(h, r->room);
    tell_room_event(h, &k->event);
    file_tell_state(h, NULL, &r->file, ROOST__FILE_STAGE__FILE_DONE);
    file_tell_offer(h, &r->file);
    parcel_over(h, k->word.file);
    h->stats.offers++;
    return HUB_DONE;
}

/* The parcel is looked up, then its event can be made. */
static void on_kept(struct hub *h, const struct hub_depot_word *w)
{
    static const struct rule rule = {
        .kind = "file_kept",
        .flags = RULE_QUIET | RULE_ERRORS,
        .on_stored = keep_on_stored,
    };
    struct request *q = request_internal(h, &rule);
    struct keeping *k = q ? arena_get(&q->mem, sizeof *k) : NULL;
    struct store_op *op = k ? request_look(h, q, STORE_FILE_FIND) : NULL;

    if (op) {
        k->word = *w;
        q->state = k;
        op->file.id = w->file;
        if (request_store(h, q, op) == HUB_WAIT)
            return;
    }
    if (q)
        request_free(h, q);
    say_stored(h, w->file, -ROOST_NOMEM);
}

/* Whoever offers them again is to send them: then all who refer to them have them again. */
static void on_lost(struct hub *h, const struct hub_depot_word *w)
{
    static char there; /* never written */

    if (h->lost.n >= LOST_MAX) {
        map_fini(&h->lost);
        map_init(&h->lost, rng_u64(&h->rng));
    }
    map_put_bytes(&h->lost, w->root, sizeof w->root, &there);
}

bool file_is_lost(const struct hub *h, const struct file_row *f)
{
    return f->has_root && map_get_bytes(&h->lost, f->root, sizeof f->root);
}

void file_keep_on_word(struct hub *h, const struct hub_depot_word *w)
{
    switch (w->what) {
    case DEPOT_KEPT:
        map_take_bytes(&h->lost, w->root, sizeof w->root);
        on_kept(h, w);
        break;
    case DEPOT_FAILED:
    case DEPOT_GOT:
        store_file_op(h, STORE_FILE_SET, w);
        break;
    case DEPOT_PART:
        store_file_op(h, STORE_FILE_FIND, w);
        break;
    case DEPOT_FOUND:
        store_file_op(h, STORE_FILE_LOOSE, w);
        break;
    case DEPOT_LOST:
        on_lost(h, w);
        break;
    case DEPOT_ROOM:
        h->depot_room = w->size;
        break;
    }
}

/* --- what the store says when nobody asked ------------------------------------------------------
 */

static void expire(struct hub *h)
{
    struct store_op *op = store_op_new(STORE_FILE_EXPIRE, h->now.wall_ms);

    if (op) {
        op->before_ms = h->now.wall_ms - OFFER_DAYS * DAY_MS;
        op->limit = STORE_PAGE_MAX;
    }
    hub_store(h, op);
}

void files_retain(struct hub *h)
{
    if (h->config.files)
        expire(h);
}

static bool is_over(const struct file_row *f)
{
    return f->stage != ROOST__FILE_STAGE__FILE_OFFERED &&
           f->stage != ROOST__FILE_STAGE__FILE_ACCEPTED;
}

static void on_expired(struct hub *h, const struct store_result *r)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const struct file_row *f = &r->files[i];
        parcel_over(h, f->id);
        if (f->kept)
            file_drop_parts(h, f->id);
        if (f->stage == ROOST__FILE_STAGE__FILE_FORGOTTEN)
            look_loose(h, f);
    }
    if (r->more)
        expire(h);
}

void files_on_stored(struct hub *h, const struct store_result *r)
{
    if (r->kind == STORE_FILE_EXPIRE && !r->err)
        on_expired(h, r);
    else if (r->kind == STORE_FILE_LOOSE && !r->err && r->on)
        file_drop_contents(h, &r->file);
    else if (r->kind == STORE_FILE_FIND && r->err == -ROOST_NO_SUCH_FILE)
        file_drop_parts(h, r->file.id);
    else if (r->kind == STORE_FILE_FIND && !r->err && r->file.stage == ROOST__FILE_STAGE__FILE_DONE)
        drop_sending(h, r->file.id); /* its part was found a moment before it was whole */
    else if (r->kind == STORE_FILE_FIND && !r->err && is_over(&r->file))
        file_drop_parts(h, r->file.id);
    else if (r->kind == STORE_FILE_SET && !r->err && !r->file.got)
        file_tell_state(h, NULL, &r->file, r->file.stage);
}
