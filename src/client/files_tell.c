/* files_tell.c - how transfers are, as roost_file.h tells it. */
#include "client/edge.h"
#include "client/files.h"

static void tell(const struct mover *m, struct roost_transfer *t)
{
    struct share_view v = { .size = m->size };

    if (m->sender)
        sender_look(m->sender, &v);
    else if (m->receiver)
        receiver_look(m->receiver, &v);
    *t = (struct roost_transfer){
        .number = m->number,
        .file = m->file,
        .sends = m->sends,
        .stage = m->stage,
        .way = m->way,
        .tunnelled = m->all->r->datagrams.way == ROOST_WAY_TUNNEL,
        .phrase = m->phrase_text,
        .words = m->words,
        .asks = m->asks,
        .name = m->name ? m->name : "",
        .peer = *m->peer    ? m->peer
                : m->target ? m->target
                            : "",
        .files = m->files,
        .left_out = m->left_out,
        .missing = m->missing,
        .left = m->left ? m->left : "",
        .size = v.size != TREE_UNKNOWN ? v.size : m->size,
        .done = m->sends ? v.verified : v.here,
        .had = m->had,
        .where = m->where ? m->where : "",
        .text = m->text ? m->text : "",
        .error = m->error,
        .detail = m->detail,
    };
    move_count(m, &t->lost, &t->wire);
    if (m->stage == ROOST_FILE_DONE && t->size != ROOST_SIZE_UNKNOWN)
        t->done = t->size;
}

/* The end is told when source and part are closed. */
static bool has_news(const struct mover *m)
{
    return m->fetch_news || (m->news && (!roost_transfer_over(m->stage) || m->step == STEP_OVER));
}

bool files_has_news(const struct files *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (has_news(f->list[i]))
            return true;
    return false;
}

bool files_next(struct files *f, struct roost_event *ret)
{
    for (size_t i = 0; i < f->n; i++) {
        struct mover *m = f->list[i];
        if (!has_news(m))
            continue;
        if (m->fetch_news) {
            m->fetch_news = false;
            m->fetch_at = UINT64_MAX;
            *ret = (struct roost_event){ .kind = ROOST_TRANSFER_BYTES,
                                         .bytes = { m->number, m->out_at, m->out, m->out_len } };
            return true;
        }
        m->news = false;
        *ret = (struct roost_event){ .kind = ROOST_TRANSFER };
        tell(m, &ret->transfer);
        m->given = roost_transfer_over(m->stage);
        return true;
    }
    return false;
}

/* --- roost_file.h --- */

bool roost_transfer_get(struct roost *r, int64_t number, struct roost_transfer *ret)
{
    const struct mover *m = files_find(&r->files, number);

    if (m)
        tell(m, ret);
    return m != NULL;
}

bool roost_transfer_at(struct roost *r, size_t i, struct roost_transfer *ret)
{
    if (i >= r->files.n)
        return false;
    tell(r->files.list[i], ret);
    return true;
}
