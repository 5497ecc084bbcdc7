/* admin_keep.c - backup, restore, check and figures of the server: the hub checks who
 * asks and hands it to whoever keeps the data (the edge), and the answer back. What an
 * admin of the server must be told comes through here too.
 */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_account.h"

enum { PIECE_MAX = 48 * 1024 };

void hub_keep_fini(struct hub_keep *k)
{
    free(k->data);
    *k = (struct hub_keep){ 0 };
}

/* Only where it begins and where it takes effect it is worth a line of the log. */
static bool is_piece(const struct request *q)
{
    switch (q->msg->body_case) {
    case ROOST__TO_SERVER__BODY_ADMIN_BACKUP:
        return q->msg->admin_backup->work != 0;
    case ROOST__TO_SERVER__BODY_ADMIN_CHECK:
        return q->msg->admin_check->work != 0;
    case ROOST__TO_SERVER__BODY_ADMIN_RESTORE:
        return q->msg->admin_restore->work != 0 && !q->msg->admin_restore->go;
    default:
        return false;
    }
}

static int keep(struct hub *h, struct request *q, struct hub_keep *k)
{
    struct conn *c = request_conn(h, q);

    k->token = q->token;
    k->conn = q->conn;
    k->account = q->account;
    int err = outbox_keep(h->out, k);
    if (err)
        hub_keep_fini(k);
    else if (c && k->what != KEEP_STATS)
        c->keeps = true;
    return err ? err : HUB_WAIT;
}

/* If there is no memory to say so, a minute of silence says it too. */
void admin_keep_left(struct hub *h, struct conn *c)
{
    c->keeps = false;
    outbox_keep(h->out, &(struct hub_keep){ .what = KEEP_LEFT, .conn = c->id });
}

int admin_backup_on_message(struct hub *h, struct request *q)
{
    const Roost__AdminBackup *b = q->msg->admin_backup;

    return keep(h, q,
                &(struct hub_keep){ .what = KEEP_BACKUP, .work = b->work, .offset = b->offset });
}

int admin_check_on_message(struct hub *h, struct request *q)
{
    return keep(h, q, &(struct hub_keep){ .what = KEEP_CHECK, .work = q->msg->admin_check->work });
}

int admin_stats_on_message(struct hub *h, struct request *q)
{
    return keep(h, q, &(struct hub_keep){ .what = KEEP_STATS });
}

int admin_restore_on_message(struct hub *h, struct request *q)
{
    const Roost__AdminRestore *b = q->msg->admin_restore;
    struct hub_keep k = { .what = KEEP_RESTORE,
                          .work = b->work,
                          .size = b->size,
                          .offset = b->offset,
                          .all = b->all,
                          .go = b->go };

    if (b->data.len > PIECE_MAX)
        return -ROOST_TOO_LONG;
    if (b->go)
        q->about = "go";
    if (b->data.len) {
        k.data = malloc(b->data.len);
        if (!k.data)
            return -ROOST_NOMEM;
        memcpy(k.data, b->data.data, b->data.len);
        k.n_data = b->data.len;
    }
    return keep(h, q, &k);
}

/* --- the answer ----------------------------------------------------------------------------- */

static int reply_stats(struct hub *h, struct request *q, const struct hub_kept *kept)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Stats stats = ROOST__STATS__INIT;
    Roost__Stat *rows = arena_get(&q->mem, (kept->n_stats + 1) * sizeof *rows);

    stats.stats = arena_get(&q->mem, (kept->n_stats + 1) * sizeof *stats.stats);
    if (!rows || !stats.stats)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < kept->n_stats; i++) {
        roost__stat__init(&rows[i]);
        rows[i].name = (char *)kept->stats[i].name;
        rows[i].value = kept->stats[i].value;
        rows[i].text = (char *)(kept->stats[i].text ? kept->stats[i].text : "");
        stats.stats[stats.n_stats++] = &rows[i];
    }
    reply.result_case = ROOST__REPLY__RESULT_STATS;
    reply.stats = &stats;
    return reply_with(h, q, &reply);
}

static int reply_work(struct hub *h, struct request *q, const struct hub_kept *kept)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Work work = ROOST__WORK__INIT;

    work.work = kept->work;
    work.stage = (Roost__WorkStage)kept->stage;
    work.done = kept->done;
    work.total = kept->total;
    work.offset = kept->offset;
    work.data = (ProtobufCBinaryData){ kept->n_data, (uint8_t *)kept->data };
    work.sha256 = (ProtobufCBinaryData){ kept->sha256 ? 32 : 0, (uint8_t *)kept->sha256 };
    work.text = (char *)(kept->text ? kept->text : "");
    reply.result_case = ROOST__REPLY__RESULT_WORK;
    reply.work = &work;
    return reply_with(h, q, &reply);
}

void admin_keep_on_kept(struct hub *h, struct request *q, const struct hub_kept *kept)
{
    int outcome = kept->err ? kept->err
                  : q->msg->body_case == ROOST__TO_SERVER__BODY_ADMIN_STATS
                      ? reply_stats(h, q, kept)
                      : reply_work(h, q, kept);

    if (kept->err == -ROOST_BUSY || kept->err == -ROOST_WORK_GOING)
        q->retry_after_ms = 1000;
    q->logged = q->logged || (!kept->err && is_piece(q));
    request_settle(h, q, outcome);
}

/* --- words ------------------------------------------------------------------------------------ */

void admin_notice(struct hub *h, const char *text)
{
    Roost__Notice notice = ROOST__NOTICE__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct map_slot *s;

    notice.text = (char *)text;
    frame.body_case = ROOST__TO_CLIENT__BODY_NOTICE;
    frame.notice = &notice;
    for (size_t i = 0; (s = map_next(&h->conns, &i));) {
        struct conn *c = s->value;
        if (c->user && c->user->role == ROOST__ROLE__ADMIN)
            send_frame(h, c, &frame);
    }
}

/* The connections are closed by the sweep that follows: it may take them off the map. */
void admin_end_all(struct hub *h)
{
    Roost__Error error = ROOST__ERROR__INIT;
    Roost__SessionOver over = ROOST__SESSION_OVER__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct map_slot *s;

    error.code = ROOST_SESSION_OVER;
    error.name = (char *)err_name(ROOST_SESSION_OVER);
    error.text = "the server was restored from a backup, and all sessions have ended";
    error.advice = (char *)err_advice(ROOST_SESSION_OVER);
    over.error = &error;
    frame.body_case = ROOST__TO_CLIENT__BODY_SESSION_OVER;
    frame.session_over = &over;
    for (size_t i = 0; (s = map_next(&h->conns, &i));) {
        struct conn *c = s->value;
        if (!c->user)
            continue;
        send_frame(h, c, &frame);
        hub_condemn(h, c);
    }
}
