/* file_do.c - what becomes of a parcel: accepted, paused, cancelled, forgotten.
 *
 * Each looks the parcel up first, which says who its ends are; then one operation
 * decides, so that the first answer counts.
 */
#include "hub/file.h"

#define STAGE(x) ROOST__FILE_STAGE__FILE_##x

enum { LOOKING, DOING };

static int look(struct hub *h, struct request *q, uint64_t file)
{
    struct store_op *op = request_look(h, q, STORE_FILE_FIND);

    if (op) {
        op->file.id = file;
        op->account.id = q->account;
    }
    q->step = LOOKING;
    return request_store(h, q, op);
}

static int set(struct hub *h, struct request *q, const struct file_row *f, uint32_t stage)
{
    struct store_op *op = request_do(h, q, STORE_FILE_SET);

    if (op) {
        op->file.id = f->id;
        op->file.stage = stage;
        op->log.target = arena_str(&op->mem, f->name);
    }
    q->step = DOING;
    return request_store(h, q, op);
}

static bool is_end(const struct request *q, const struct file_row *f)
{
    return f->sender == q->account || (f->peer && f->peer == q->account);
}

static bool goes_on(const struct file_row *f)
{
    return f->stage == STAGE(OFFERED) || f->stage == STAGE(ACCEPTED);
}

/* --- an answer ---------------------------------------------------------------------------- */

int file_answer_on_message(struct hub *h, struct request *q)
{
    return look(h, q, q->msg->file_answer->file);
}

static int answered(struct hub *h, struct request *q, const struct file_row *f)
{
    bool accept = q->msg->file_answer->accept;
    uint64_t sender = 0;

    if (accept) {
        struct parcel *p = parcel_get(h, f);
        if (!p)
            return -ROOST_BUSY;
        p->session[RECEIVER] = q->session;
        sender = p->session[SENDER];
    } else {
        parcel_over(h, f->id);
    }
    file_tell_state(h, q, f, f->stage);
    return file_reply_ticket(h, q, f, NULL, false, false, sender);
}

int file_answer_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const struct file_row *f = &r->file;
    bool accept = q->msg->file_answer->accept;

    if (q->step == DOING && r->dup)
        return look(h, q, q->msg->file_answer->file);
    if (q->step == DOING)
        return answered(h, q, f);
    if (f->kept || f->peer != q->account)
        return -ROOST_NO_SUCH_FILE;
    if (q->logged) { /* asked again, and it was done */
        const struct parcel *p = parcel_of(h, f->id);
        return file_reply_ticket(h, q, f, NULL, false, false, p ? p->session[SENDER] : 0);
    }
    if (f->stage != STAGE(OFFERED))
        return goes_on(f) ? -ROOST_ALREADY : -ROOST_FILE_OVER;
    return set(h, q, f, accept ? STAGE(ACCEPTED) : STAGE(DECLINED));
}

/* --- how it goes ------------------------------------------------------------------------------ */

int file_state_on_message(struct hub *h, struct request *q)
{
    uint32_t stage = (uint32_t)q->msg->file_state->stage;

    if (stage != STAGE(PAUSED) && stage != STAGE(ACCEPTED) && stage != STAGE(DONE))
        return -ROOST_INVALID;
    int err = speed_check(h, q);
    return err ? err : look(h, q, q->msg->file_state->file);
}

int file_state_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const struct file_row *f = &r->file;
    uint32_t stage = (uint32_t)q->msg->file_state->stage;

    if (q->step == LOOKING) {
        if (!is_end(q, f) || f->kept)
            return -ROOST_NO_SUCH_FILE;
        if (stage == STAGE(DONE) && f->stage == STAGE(DONE))
            return reply_done(h, q, NULL); /* said before */
        if (f->stage != STAGE(ACCEPTED))
            return -ROOST_FILE_OVER;
        if (stage == STAGE(DONE))
            return f->peer == q->account ? set(h, q, f, stage) : -ROOST_NOT_ALLOWED;
        struct parcel *p = parcel_get(h, f);
        if (p)
            p->paused = stage == STAGE(PAUSED);
    } else {
        parcel_over(h, f->id);
    }
    file_tell_state(h, q, f, stage);
    return reply_done(h, q, NULL);
}

/* --- the end of it ---------------------------------------------------------------------------- */

int file_cancel_on_message(struct hub *h, struct request *q)
{
    return look(h, q, q->msg->file_cancel->file);
}

int file_cancel_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const struct file_row *f = &r->file;

    if (q->step == LOOKING) {
        bool may = f->kept ? f->sender == q->account || q->role == ROOST__ROLE__ADMIN
                           : is_end(q, f);
        if (!may)
            return -ROOST_NO_SUCH_FILE;
        return goes_on(f) ? set(h, q, f, STAGE(CANCELLED)) : -ROOST_FILE_OVER;
    }
    if (f->kept)
        file_drop_parts(h, f->id);
    parcel_over(h, f->id);
    file_tell_state(h, q, f, f->stage);
    return reply_done(h, q, NULL);
}

int file_forget_on_message(struct hub *h, struct request *q)
{
    return look(h, q, q->msg->file_forget->file);
}

static bool may_forget(const struct request *q, const struct store_result *r)
{
    bool many = !r->file.peer;

    return r->file.sender == q->account || q->role == ROOST__ROLE__ADMIN ||
           (many && r->meet_role > ROOST__ROOM_ROLE__ROOM_MODERATOR) ||
           (r->file.room == EVERYONE_ROOM && q->role == ROOST__ROLE__MODERATOR);
}

int file_forget_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    const struct file_row *f = &r->file;

    if (q->step == LOOKING) {
        if (!file_is_read(q, r) && f->sender != q->account && q->role != ROOST__ROLE__ADMIN)
            return -ROOST_NO_SUCH_FILE;
        if (!may_forget(q, r))
            return -ROOST_NOT_ALLOWED;
        return set(h, q, f, STAGE(FORGOTTEN));
    }
    file_drop_parts(h, f->id); /* who gets it gets no more */
    if (r->on)
        file_drop_contents(h, f);
    file_tell_state(h, q, f, f->stage);
    return reply_done(h, q, NULL);
}
