/* admin_log.c - the log, read by page and followed.
 *
 * Lines are written by the store together with what they tell of; the hub does
 * not see their numbers. So those who follow are served by a look at what is new
 * since the last one: at most four times a second, and only after something was
 * stored. All followers are at the same place; a line may come twice, its number
 * says so.
 */
#include <string.h>

#include "base/utf8.h"
#include "hub/handlers_account.h"

enum { LOOK_EVERY_US = 250000 };

/* The text of a line as protobuf can carry it: a cut in the middle of a character
 * (or anything else that is no UTF-8) ends it. */
static char *clean(struct arena *a, const char *s)
{
    size_t len = s ? strlen(s) : 0;

    while (len > 0 && !utf8_valid(s, len))
        len--;
    char *copy = arena_get(a, len + 1);
    return copy && len ? memcpy(copy, s, len) : copy;
}

static int line_fill(struct arena *a, Roost__LogLine *to, const struct log_line *l)
{
    roost__log_line__init(to);
    to->n = l->n;
    to->at_ms = (uint64_t)l->at_ms;
    to->account = l->account;
    to->name = clean(a, l->name);
    to->kind = clean(a, l->kind);
    to->target = clean(a, l->target);
    to->address = clean(a, l->address);
    to->outcome = l->outcome ? (char *)err_name(l->outcome) : "ok";
    return to->name && to->kind && to->target && to->address ? 0 : -ROOST_NOMEM;
}

/* --- pages --------------------------------------------------------------------------------- */

int admin_log_on_message(struct hub *h, struct request *q)
{
    const Roost__AdminLog *b = q->msg->admin_log;
    char norm[NAME_BYTES], skeleton[SKELETON_BYTES];
    const char *user = *b->user == '@' ? b->user + 1 : b->user;
    struct store_op *op;

    /* An account that is gone has the name "#12", which is its skeleton too. */
    if (*user && *user != '#') {
        int err = name_check(&h->names, user, norm, sizeof norm, skeleton, sizeof skeleton);
        if (err)
            return err == -ROOST_NAME_BAD ? -ROOST_NO_SUCH_USER : err;
        user = skeleton;
    }
    op = request_do(h, q, STORE_LOG_READ);
    if (op) {
        op->after = b->after;
        op->since_ms = (int64_t)b->since_ms;
        op->skeleton = *user ? arena_str(&op->mem, user) : NULL;
        op->words = *b->kind ? arena_str(&op->mem, b->kind) : NULL;
        op->limit = b->limit ? b->limit : STORE_PAGE_MAX;
        q->state = arena_dup(&q->mem, &op->now_ms, sizeof op->now_ms);
        if ((*user && !op->skeleton) || (*b->kind && !op->words) || !q->state)
            op = store_op_unref(op);
    }
    return request_store(h, q, op);
}

/* Everything up to this page was read: what comes now is sent as it comes. */
static void follow_start(struct hub *h, struct request *q, const struct store_result *r)
{
    const Roost__AdminLog *b = q->msg->admin_log;
    struct log_follow *f = &h->log_follow;
    struct conn *c = request_conn(h, q);
    bool all = !*b->user && !*b->kind;

    if (!c || c->follows_log)
        return;
    c->follows_log = true;
    if (h->n_log_followers++ > 0)
        return;
    /* What was read with a filter does not say how far the log goes: from the
     * moment of the question then. */
    f->after = !all ? 0 : r->n_lines ? r->lines[r->n_lines - 1].n : b->after;
    f->since_ms = *(const int64_t *)q->state;
    f->due_us = h->now.mono_us + LOOK_EVERY_US;
    f->looking = false;
}

int admin_log_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__LogPage page = ROOST__LOG_PAGE__INIT;
    Roost__LogLine *lines = arena_get(&q->mem, (r->n_lines + 1) * sizeof *lines);
    size_t bytes = 0;

    page.lines = arena_get(&q->mem, (r->n_lines + 1) * sizeof *page.lines);
    if (!lines || !page.lines)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < r->n_lines; i++) {
        int err = line_fill(&q->mem, &lines[i], &r->lines[i]);
        if (err)
            return err;
        bytes += roost__log_line__get_packed_size(&lines[i]) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        page.lines[page.n_lines++] = &lines[i];
    }
    page.more = r->more || page.n_lines < r->n_lines;
    if (q->msg->admin_log->follow && !page.more)
        follow_start(h, q, r);
    reply.result_case = ROOST__REPLY__RESULT_LOG;
    reply.log = &page;
    return reply_with(h, q, &reply);
}

/* --- those who follow --- */

void log_follow_touch(struct hub *h)
{
    struct log_follow *f = &h->log_follow;

    if (f->own)
        f->own = false;
    else if (h->n_log_followers && !f->due_us)
        f->due_us = h->now.mono_us + LOOK_EVERY_US;
}

int64_t log_follow_deadline_us(const struct hub *h)
{
    const struct log_follow *f = &h->log_follow;

    return h->n_log_followers && f->due_us && !f->looking ? f->due_us : INT64_MAX;
}

void log_follow_expire(struct hub *h)
{
    struct log_follow *f = &h->log_follow;
    struct store_op *op;

    if (log_follow_deadline_us(h) > h->now.mono_us)
        return;
    f->due_us = h->now.mono_us + LOOK_EVERY_US; /* without memory: again then */
    op = store_op_new(STORE_LOG_READ, h->now.wall_ms);
    if (!op)
        return;
    op->owner_epoch = 1;
    op->after = f->after;
    op->since_ms = f->after ? 0 : f->since_ms;
    op->limit = STORE_PAGE_MAX;
    f->looking = true;
    f->due_us = 0;
    hub_store(h, op);
}

static void line_send(struct hub *h, Roost__LogLine *line)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct map_slot *s;

    frame.body_case = ROOST__TO_CLIENT__BODY_LOG_LINE;
    frame.log_line = line;
    struct blob *b = msg_encode(&frame.base);
    for (size_t i = 0; (s = map_next(&h->conns, &i));) {
        struct conn *c = s->value;
        if (!c->follows_log || !c->user || c->user->role != ROOST__ROLE__ADMIN)
            continue;
        if (b)
            send_blob(h, c, b);
        else
            hub_condemn(h, c); /* it reads the log again when it comes back */
    }
    blob_unref(b);
}

void log_follow_on_stored(struct hub *h, const struct store_result *r)
{
    struct log_follow *f = &h->log_follow;
    struct arena mem;

    f->looking = false;
    f->own = true;
    if (r->err || r->more)
        f->due_us = h->now.mono_us + (r->err ? LOOK_EVERY_US : 0);
    arena_init(&mem, 0);
    for (size_t i = 0; !r->err && i < r->n_lines; i++) {
        Roost__LogLine line;
        if (line_fill(&mem, &line, &r->lines[i]) < 0) {
            f->due_us = h->now.mono_us + LOOK_EVERY_US;
            break;
        }
        line_send(h, &line);
        f->after = r->lines[i].n;
    }
    arena_fini(&mem);
}
