/* file.c - parcels: offering them, getting them, lists of them.
 *
 * What is sent to a room, a meeting or everyone the server keeps; what is sent to one person
 * travels between the two, unless that person is away or the sender wants it kept.
 */
#include "hub/file.h"

#include <string.h>

#include "base/utf8.h"
#include "hub/handlers_talk.h"

#define SIZE_MAX_EVER  (1ULL << 40)   /* as share/tree.h */
#define LIST_SIZE_MOST (256ULL << 20) /* as share/list.h */

/* --- an offer -------------------------------------------------------------------------- */

static int name_ok(const char *name)
{
    size_t len = strlen(name);

    if (!len || len > FILE_NAME_MAX || strchr(name, '/') || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return -ROOST_NAME_BAD;
    for (const char *p = name, *end = p + len; p < end;)
        if (utf8_is_control(utf8_next(&p, end)))
            return -ROOST_NAME_BAD;
    return 0;
}

static int shape_ok(const Roost__FileOffer *b)
{
    bool tree = b->kind == ROOST__PARCEL_KIND__PARCEL_TREE;

    if ((unsigned)b->kind > ROOST__PARCEL_KIND__PARCEL_TEXT || (b->root.len && b->root.len != 32))
        return -ROOST_INVALID;
    if (tree ? b->list_root.len != 32 || !b->list_size || b->list_size > LIST_SIZE_MOST ||
                   b->open_size
             : b->list_root.len || b->list_size || b->files != 1)
        return -ROOST_INVALID;
    if (b->mode > 0777 || b->mtime_s >= 1ULL << 40 ||
        (b->kind != ROOST__PARCEL_KIND__PARCEL_FILE && (b->mode || b->mtime_s)))
        return -ROOST_INVALID;
    if (b->holes > b->size || (b->open_size && (b->size || b->root.len)))
        return -ROOST_INVALID;
    return b->size > SIZE_MAX_EVER ? -ROOST_FILE_TOO_BIG : name_ok(b->name);
}

static const struct member *other_of(const struct request *q)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&q->room->members, &i));)
        if (((const struct member *)s->value)->account != q->account)
            return s->value;
    return NULL;
}

/* Who gets it, and whether the server keeps it. */
static int way_of(struct hub *h, const struct request *q, struct file_row *f)
{
    const struct member *peer = NULL;

    f->kept = true;
    if (q->room->kind == ROOST__ROOM_KIND__DIRECT) {
        peer = other_of(q);
        if (!peer)
            return -ROOST_NO_SUCH_USER;
        const struct user *u = user_of(h, peer->account);
        bool on = u && u->n_conns;
        f->peer = peer->account;
        f->peer_name = peer->name;
        f->kept = q->msg->file_offer->keep || !on;
        if (f->kept && !(h->config.files && h->config.files_away))
            return on ? -ROOST_FILES_OFF : -ROOST_AWAY;
    } else if (!h->config.files) {
        return -ROOST_FILES_OFF;
    }
    if (!f->kept)
        return 0;
    if (h->config.file_max && f->size > h->config.file_max)
        return -ROOST_FILE_TOO_BIG;
    uint64_t room = f->size - q->msg->file_offer->holes;
    return room > h->depot_room ? -ROOST_FILE_RESERVE : 0;
}

static void row_of(const struct request *q, struct file_row *f)
{
    const Roost__FileOffer *b = q->msg->file_offer;
    const char *shown = meeting_shown(q->room ? q->room->meeting : NULL, q->account, q->name);

    *f = (struct file_row){ .room = q->room_id,
                            .sender = q->account,
                            .sender_name = shown ? shown : q->name,
                            .shown = shown,
                            .peer_name = "",
                            .name = b->name,
                            .kind = (uint32_t)b->kind,
                            .files = b->files,
                            .size = b->size,
                            .open_size = b->open_size,
                            .list_size = b->list_size,
                            .mode = b->mode,
                            .mtime_s = b->mtime_s,
                            .has_root = b->root.len == 32,
                            .has_list = b->list_root.len == 32 };
    if (f->has_root)
        memcpy(f->root, b->root.data, 32);
    if (f->has_list)
        memcpy(f->list_root, b->list_root.data, 32);
}

static int offer_store(struct hub *h, struct request *q, const struct file_row *f)
{
    struct store_op *op = request_do(h, q, STORE_FILE_NEW);

    if (!op)
        return -ROOST_NOMEM;
    op->file = *f;
    op->file.name = arena_str(&op->mem, f->name);
    op->file.shown = arena_str(&op->mem, f->shown);
    op->room.id = q->room_id;
    op->account.id = q->account;
    op->unread = file_is_lost(h, f);
    op->mine =
        q->guest; /* what it reads begins with its coming: no word of what was there before */
    file_limits(h, op);
    struct file_row shown = *f;
    shown.until_ms = op->file.until_ms;
    int err = file_event(&op->mem, &shown, &op->event);
    if (err || !op->file.name || (f->shown && !op->file.shown)) {
        store_op_unref(op);
        return -ROOST_NOMEM;
    }
    q->about = f->name;
    return request_store(h, q, op);
}

int file_offer_on_message(struct hub *h, struct request *q)
{
    struct file_row f;
    int err = shape_ok(q->msg->file_offer);

    if (!err)
        err = speed_check(h, q);
    if (err)
        return err;
    row_of(q, &f);
    err = way_of(h, q, &f);
    return err ? err : offer_store(h, q, &f);
}

/* Those with the same roots were there: it is an event already. */
static int offer_have(struct hub *h, struct request *q, const struct store_result *r)
{
    struct event e;
    int err = file_event(&q->mem, &r->file, &e);

    if (err)
        return err;
    e.seq = r->seq;
    e.at_ms = r->at_ms;
    room_on_event(q->room, r->seq, r->at_ms);
    tell_room_event(h, &e);
    file_tell_offer(h, &r->file);
    file_drop_parts(h, r->file.id);
    return file_reply_ticket(h, q, &r->file, NULL, true, true, 0);
}

static int ticket_to_send(struct hub *h, struct request *q, const struct file_row *f)
{
    struct hub_depot grant;
    int err = file_grant(h, q, f, true, &grant);
    struct parcel *p = err ? NULL : parcel_get(h, f);

    if (p) /* without one nobody sees how far it is */
        p->session[SENDER] = q->session;
    return err ? err : file_reply_ticket(h, q, f, &grant, false, true, 0);
}

/* The asker is the end that sends it from person to person. */
static int sender_here(struct hub *h, struct request *q, const struct file_row *f)
{
    struct parcel *p = parcel_get(h, f);

    if (!p)
        return -ROOST_BUSY;
    p->session[SENDER] = q->session;
    if (f->stage == ROOST__FILE_STAGE__FILE_OFFERED)
        file_tell_offer(h, f);
    else
        file_tell_state(h, q, f, f->stage);
    return file_reply_ticket(h, q, f, NULL, false, true, p->session[RECEIVER]);
}

/* Asked again: the reply is of what it is by now. */
static int offer_again(struct hub *h, struct request *q, uint64_t file)
{
    struct store_op *op = request_look(h, q, STORE_FILE_FIND);

    if (op) {
        op->file.id = file;
        op->account.id = q->account;
    }
    q->step = 1;
    return request_store(h, q, op);
}

int file_offer_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    if (!q->step && r->dup)
        return offer_again(h, q, r->account);
    if (r->on && !q->step)
        return offer_have(h, q, r);
    if (r->file.kept && r->file.stage == ROOST__FILE_STAGE__FILE_DONE)
        return file_reply_ticket(h, q, &r->file, NULL, true, true, 0);
    if (!q->step)
        h->stats.offers++;
    if (!r->file.kept)
        return sender_here(h, q, &r->file);
    if (!q->step && !r->file.open_size) /* who is there may have it as it comes */
        file_tell_offer(h, &r->file);
    return ticket_to_send(h, q, &r->file);
}

/* --- getting ------------------------------------------------------------------------------- */

int file_get_on_message(struct hub *h, struct request *q)
{
    struct store_op *op = NULL;
    int err = speed_check(h, q);

    if (err)
        return err;
    if ((op = request_look(h, q, STORE_FILE_FIND))) {
        op->file.id = q->msg->file_get->file;
        op->account.id = q->account;
    }
    return request_store(h, q, op);
}

/* The bound of files is that of what is said: see reading_from. */
bool file_is_read(const struct request *q, const struct store_result *r)
{
    const struct file_row *f = &r->file;

    if (!r->on || !q->guest)
        return r->on;
    return q->room && q->room->id == f->room && f->seq >= reading_from(q);
}

/* Its root is told when the server has seen that it is true. */
static int ticket_while_it_comes(struct hub *h, struct request *q, const struct file_row *f)
{
    struct file_row row = *f;
    struct hub_depot grant;
    int err = file_grant(h, q, f, false, &grant);

    row.has_root = false;
    grant.name = NULL;
    return err ? err : file_reply_ticket(h, q, &row, &grant, false, false, 0);
}

static int get_kept(struct hub *h, struct request *q, const struct store_result *r)
{
    const struct file_row *f = &r->file;
    struct hub_depot grant;
    bool web = q->msg->file_get->web;

    if (!h->config.files || (web && (!h->config.file_paths || f->has_list)))
        return -ROOST_FILES_OFF; /* a folder is no one file that could be had by a path */
    if (!file_is_read(q, r) && f->sender != q->account)
        return -ROOST_NO_SUCH_FILE;
    if (f->stage == ROOST__FILE_STAGE__FILE_DONE) {
        int err = file_grant(h, q, f, false, &grant);
        grant.name = web ? (char *)f->name : NULL;
        return err ? err : file_reply_ticket(h, q, f, &grant, false, false, 0);
    }
    if (f->peer == q->account && r->on && !f->open_size && !web)
        return ticket_while_it_comes(h, q, f);
    if (f->sender != q->account || !r->on)
        return -ROOST_NO_SUCH_FILE; /* who is no longer there sends nothing there */
    if (r->room_row.closed)
        return -ROOST_ROOM_CLOSED;
    return ticket_to_send(h, q, f);
}

static int get_direct(struct hub *h, struct request *q, const struct file_row *f)
{
    if (f->sender == q->account)
        return sender_here(h, q, f);
    if (f->stage == ROOST__FILE_STAGE__FILE_OFFERED)
        return file_reply_ticket(h, q, f, NULL, false, false, 0);
    struct parcel *p = parcel_get(h, f);
    if (!p)
        return -ROOST_BUSY;
    p->session[RECEIVER] = q->session;
    file_tell_state(h, q, f, f->stage);
    return file_reply_ticket(h, q, f, NULL, false, false, p->session[SENDER]);
}

int file_get_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const struct file_row *f = &r->file;
    bool is_end = f->sender == q->account || f->peer == q->account;
    bool over = f->stage != ROOST__FILE_STAGE__FILE_OFFERED &&
                f->stage != ROOST__FILE_STAGE__FILE_ACCEPTED;

    q->about = f->name ? arena_str(&q->mem, f->name) : NULL; /* for the log */

    if (!is_end && !(f->kept && file_is_read(q, r)))
        return -ROOST_NO_SUCH_FILE;
    if (over && !(f->kept && f->stage == ROOST__FILE_STAGE__FILE_DONE))
        return f->stage == ROOST__FILE_STAGE__FILE_FORGOTTEN ? -ROOST_NO_SUCH_FILE
                                                             : -ROOST_FILE_OVER;
    return f->kept ? get_kept(h, q, r) : get_direct(h, q, f);
}

/* --- lists ------------------------------------------------------------------------------------ */

enum { LIST_PAGE = 100 };

int file_list_on_message(struct hub *h, struct request *q)
{
    const Roost__FileList *b = q->msg->file_list;
    struct store_op *op = NULL;

    if (b->all && q->role != ROOST__ROLE__ADMIN)
        return -ROOST_NOT_ALLOWED;
    if (b->target && (b->target->room || (b->target->name && *b->target->name))) {
        int err = right_check(h, q, RIGHT_MEMBER);
        if (err)
            return err;
    }
    if ((op = request_look(h, q, STORE_FILE_LIST))) {
        op->after = b->after;
        op->limit = LIST_PAGE;
        op->room.id = b->all ? 0 : q->room_id;
        op->account.id = b->all || q->room_id ? 0 : q->account;
        op->seq = q->room ? reading_from(q) : 0;
    }
    return request_store(h, q, op);
}

int file_list_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__FileListing list = ROOST__FILE_LISTING__INIT;
    Roost__FileInfo *rows = arena_get(&q->mem, (r->n_files + 1) * sizeof *rows);
    size_t bytes = 0;

    list.files = arena_get(&q->mem, (r->n_files + 1) * sizeof *list.files);
    if (!rows || !list.files)
        return -ROOST_NOMEM;
    list.more = r->more;
    for (size_t i = 0; i < r->n_files; i++) {
        file_info(&rows[i], &r->files[i]);
        parcel_tell(h, &rows[i]);
        bytes += roost__file_info__get_packed_size(&rows[i]) + 8;
        if (bytes > REPLY_BYTES_MAX) {
            list.more = true;
            break;
        }
        list.files[list.n_files++] = &rows[i];
    }
    list.used = r->used;
    list.quota = q->room_id ? h->config.file_quota_room : h->config.file_quota_user;
    reply.result_case = ROOST__REPLY__RESULT_FILE_LISTING;
    reply.file_listing = &list;
    return reply_with(h, q, &reply);
}
