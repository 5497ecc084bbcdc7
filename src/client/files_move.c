/* files_move.c - the stream of a mover, between the session that carries it and the machine. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/files.h"

enum {
    PRIORITY = 4,               /* of the stream: whatever talk uses goes before it */
    AHEAD_BYTES = 1 << 20,      /* written, and not yet sent for the first time */
    FLUSH_US = 3 * 1000 * 1000, /* for the last words */
    PROGRESS_US = 2 * 1000 * 1000,
    MANY = 4,             /* that move side by side: each tells the server less often */
    PURSE_US = 20 * 1000, /* --limit: so much may go at once */
    PURSE_LEAST = 16 * 1024,
    WISHES_A_TURN = 64,
    TELL_US = 100 * 1000, /* how it goes, at most so often */
};

/* --- its beginning and its end --- */

static int machine_again(struct mover *m)
{
    if (m->sender)
        return sender_again(m->sender);
    return receiver_again(m->receiver);
}

unsigned move_due(const struct mover *m)
{
    return m->sender ? sender_wishes(m->sender) : m->receiver ? receiver_wishes(m->receiver) : 0;
}

static void look(const struct mover *m, struct share_view *v)
{
    if (m->sender)
        sender_look(m->sender, v);
    else
        receiver_look(m->receiver, v);
}

void move_count(const struct mover *m, uint64_t *ret_lost, uint64_t *ret_wire)
{
    struct flow_view v;

    *ret_lost = m->lost;
    *ret_wire = m->wire;
    if (!m->flow)
        return;
    flow_look(m->flow, &v);
    *ret_lost += v.sent->stats.lost_bytes - m->lost_base;
    *ret_wire += v.sent->stats.bytes - m->wire_base;
}

void move_leave(struct mover *m)
{
    uint64_t lost, wire;

    move_count(m, &lost, &wire);
    m->lost = lost;
    m->wire = wire;
    m->flow = NULL;
    m->fetch_wanted = UINT64_MAX; /* a next stream is told what is wanted first */
}

static int begin(struct mover *m, struct flow *flow, uint64_t stream, int64_t now_us)
{
    int err = m->tries ? machine_again(m) : 0;

    if (err) {
        flow_reset(flow, stream, FLOW_WHY_APP);
        mover_end(m, ROOST_FILE_FAILED, err, NULL);
        return err;
    }
    m->flow = flow;
    m->stream_id = stream;
    m->begun = 0;
    m->in_over = m->out_over = false;
    m->tries++;
    m->purse_us = now_us;
    struct flow_view v;
    flow_look(flow, &v);
    m->lost_base = v.sent->stats.lost_bytes;
    m->wire_base = v.sent->stats.bytes;
    m->step = STEP_MOVE;
    if (m->stage != ROOST_FILE_PAUSED)
        mover_stage(m, ROOST_FILE_GOING);
    return 0;
}

void move_open(struct mover *m, struct flow *flow, int64_t now_us)
{
    if (move_due(m)) /* of the stream before: they come back first */
        return;
    int64_t stream = flow_open(flow, PRIORITY);
    if (stream >= 0)
        begin(m, flow, (uint64_t)stream, now_us);
    else if (stream != -ROOST_LIMIT)
        mover_again(m, now_us);
}

void move_join(struct mover *m, struct flow *flow, uint64_t stream, int64_t now_us)
{
    if (!begin(m, flow, stream, now_us))
        m->begun = TALK_BEGIN_BYTES;
}

static void leave_stream(struct mover *m, bool gently)
{
    if (!m->flow)
        return;
    if (!gently) {
        flow_reset(m->flow, m->stream_id, FLOW_WHY_APP);
        flow_stop(m->flow, m->stream_id, FLOW_WHY_APP);
    }
    move_leave(m);
}

void move_lost(struct mover *m, int64_t now_us)
{
    struct share_view v;

    move_leave(m);
    if (m->step != STEP_MOVE)
        return;
    look(m, &v);
    if (v.state == SHARE_DONE) { /* who reads along is not done yet */
        m->step = STEP_FLUSH;
        m->flush_us = now_us;
    } else {
        mover_again(m, now_us);
    }
}

/* --- out --- */

static void fill_purse(struct mover *m, int64_t now_us)
{
    double most = (double)m->limit * PURSE_US / 1e6;

    if (most < PURSE_LEAST)
        most = PURSE_LEAST;
    m->purse += (double)m->limit * (double)(now_us - m->purse_us) / 1e6;
    if (m->purse > most)
        m->purse = most;
    m->purse_us = now_us;
}

static size_t allowed(struct mover *m)
{
    uint64_t waiting = flow_waiting(m->flow, m->stream_id);
    size_t room = waiting < AHEAD_BYTES ? (size_t)(AHEAD_BYTES - waiting) : 0;

    if (m->limit && m->sends && m->purse < (double)room)
        room = m->purse > 0 ? (size_t)m->purse : 0;
    return room;
}

/* How much of it was taken; below 0: the stream is no more. */
static int64_t put(struct mover *m, const uint8_t *bytes, size_t len)
{
    size_t room = allowed(m);
    int64_t n = len && room ? flow_write(m->flow, m->stream_id, bytes, len < room ? len : room) : 0;

    if (n > 0 && m->limit && m->sends)
        m->purse -= (double)n;
    return n;
}

/* 0: no more now; below 0: the stream is no more. */
static int put_begin(struct mover *m)
{
    uint8_t bytes[TALK_BEGIN_BYTES];
    struct writer w = writer_of(bytes, sizeof bytes);
    struct talk t = { .kind = TALK_BEGIN,
                      .begin = { m->sends ? TALK_SENDS : TALK_RECEIVES, m->token } };

    if (m->begun == sizeof bytes)
        return 1;
    talk_write(&w, &t);
    int64_t n = put(m, bytes + m->begun, sizeof bytes - m->begun);
    if (n < 0)
        return (int)n;
    m->begun += (size_t)n;
    return m->begun == sizeof bytes;
}

static int put_all(struct mover *m)
{
    size_t len;
    const uint8_t *bytes;
    int err = put_begin(m);

    while (err > 0 &&
           (bytes = m->sender ? sender_out(m->sender, &len) : receiver_out(m->receiver, &len))) {
        int64_t n = put(m, bytes, len);
        if (n <= 0)
            return (int)n;
        if (m->sender)
            sender_sent(m->sender, (size_t)n);
        else
            receiver_sent(m->receiver, (size_t)n);
    }
    return err < 0 ? err : 0;
}

/* --- in --- */

/* With --limit, who receives leaves the rest in the stream: its window makes the sender wait. */
static size_t may_take(struct mover *m, size_t len)
{
    if (!m->receiver || !m->limit || m->purse >= (double)len)
        return len;
    m->in_over = false; /* not to its end, now */
    return m->purse > 0 ? (size_t)m->purse : 0;
}

static void take_in(struct mover *m, int64_t now_us)
{
    size_t len;
    const uint8_t *bytes;

    while (!m->in_over && m->flow &&
           (bytes = flow_read(m->flow, m->stream_id, &len, &m->in_over)) && len &&
           (len = may_take(m, len))) {
        int64_t n = m->sender ? sender_in(m->sender, bytes, len)
                              : receiver_in(m->receiver, now_us, bytes, len);
        if (m->sender && n == 0)
            n = (int64_t)len;
        if (n <= 0)
            return; /* full; or it is over, and the state says why */
        flow_take(m->flow, m->stream_id, (size_t)n, now_us);
        if (m->receiver && m->limit)
            m->purse -= (double)n;
        if ((size_t)n < len) {
            m->in_over = false;
            return;
        }
    }
}

static bool take_wish(struct mover *m)
{
    struct wish w;

    if (m->n_jobs + 1 >= MOVER_JOBS) /* one stays for reading along */
        return false;
    if (m->sender ? !sender_wish(m->sender, &w) : !receiver_wish(m->receiver, &w))
        return false;
    return mover_job(m, JOB_WISH, &w);
}

void move_wishes(struct mover *m)
{
    while ((m->sender || m->receiver) && take_wish(m))
        continue;
}

/* --- a turn --- */

/* The other side is to hear why, or it would wait for this one to come back. */
static void say_why(struct mover *m, int err, int64_t now_us)
{
    m->failing = err;
    m->step = STEP_FLUSH;
    m->flush_us = now_us + FLUSH_US;
}

/* A source that changed or cannot be read, a disk that is full: asking again would not help. What
 * came from the wire and made no sense may be another program's fault: it is the end as well. */
static void on_over(struct mover *m, const struct share_view *v, int64_t now_us)
{
    if (v->err == -ROOST_CANCELLED) {
        mover_end(m, ROOST_FILE_CANCELLED, 0, NULL);
    } else if (v->theirs && (v->err == -ROOST_IO || v->err == -ROOST_SHUTTING_DOWN ||
                             v->err == -ROOST_TRANSFERS)) {
        mover_again(m, now_us);
    } else if (!v->theirs && m->flow) {
        say_why(m, v->err, now_us);
    } else {
        mover_end(m, ROOST_FILE_FAILED, v->err, NULL);
    }
}

static bool has_out(struct mover *m)
{
    size_t len;

    return m->begun < TALK_BEGIN_BYTES ||
           (m->sender ? sender_out(m->sender, &len) : receiver_out(m->receiver, &len)) != NULL;
}

/* Its last words were heard, or nobody is there to hear them. */
static void end_flush(struct mover *m)
{
    leave_stream(m, true);
    if (m->failing)
        mover_end(m, ROOST_FILE_FAILED, m->failing, NULL);
    else
        mover_end(m, ROOST_FILE_DONE, 0, NULL);
}

static void flush_on(struct mover *m, int64_t now_us)
{
    if (!m->out_over && m->flow && !has_out(m)) {
        flow_end(m->flow, m->stream_id);
        m->out_over = true;
    }
    if (!m->flow || now_us >= m->flush_us)
        end_flush(m);
}

/* The last words of who receives are to be heard, so that is waited for a little. */
static void flush(struct mover *m, int64_t now_us)
{
    if (m->sends) {
        flow_end(m->flow, m->stream_id);
        leave_stream(m, true);
        mover_end(m, ROOST_FILE_DONE, 0, NULL);
        return;
    }
    if (m->step == STEP_MOVE) {
        m->step = STEP_FLUSH;
        m->flush_us = now_us + FLUSH_US;
    }
    flush_on(m, now_us);
}

static bool read_along_over(const struct mover *m, const struct share_view *v)
{
    return m->fd < 0 || m->sends || m->out_failed || m->out_at >= v->size;
}

static void mind_state(struct mover *m, int64_t now_us)
{
    struct share_view v;

    if (m->step == STEP_STAY)
        return;
    look(m, &v);
    if (!m->has_had && v.state >= SHARE_BLOCKS && v.state != SHARE_OVER) {
        m->had = v.again;
        m->has_had = true;
    }
    if (m->sends && m->about.stream)
        m->size = v.size;
    if (m->step == STEP_MOVE)
        mover_stage(m, v.paused_here || v.paused_there ? ROOST_FILE_PAUSED : ROOST_FILE_GOING);
    if (m->failing)
        flush_on(m, now_us);
    else if (v.state == SHARE_OVER)
        on_over(m, &v, now_us);
    else if (v.state == SHARE_DONE && m->fetched && !m->leaving)
        m->step = STEP_STAY;
    else if (v.state == SHARE_DONE && read_along_over(m, &v))
        flush(m, now_us);
    else if (m->flow && m->in_over && !move_due(m) && v.state != SHARE_DONE &&
             m->step == STEP_MOVE) {
        leave_stream(m, false);
        mover_again(m, now_us);
    }
}

/* For lists that other programs show. */
static void tell_progress(struct mover *m, int64_t now_us)
{
    int64_t every_us = (int64_t)(1 + m->all->n / MANY) * PROGRESS_US;
    struct share_view v;

    if (!m->sends || !m->file || m->step != STEP_MOVE || now_us - m->progress_us < every_us ||
        core_state(m->all->r->core) != CORE_AT_READY)
        return;
    look(m, &v);
    if (v.verified == m->progress)
        return;
    m->progress = v.verified;
    m->progress_us = now_us;
    query_progress(m, v.verified);
}

void move_turn(struct mover *m, int64_t now_us)
{
    if (m->limit)
        fill_purse(m, now_us);
    if (m->receiver)
        receiver_expire(m->receiver, now_us);
    for (int i = 0; i < WISHES_A_TURN; i++) {
        take_in(m, now_us);
        if (m->flow && put_all(m) < 0) {
            leave_stream(m, false);
            if (m->failing)
                end_flush(m);
            if (m->step != STEP_STAY)
                mover_again(m, now_us);
            return;
        }
        if (!take_wish(m))
            break;
    }
    if (m->sender && m->about.stream && m->n_jobs == 0)
        disk_source_settle(m->source, sender_settled(m->sender));
    if (m->receiver && m->fd >= 0)
        mover_read_along(m);
    if (m->out_failed)
        mover_end(m, ROOST_FILE_FAILED, -ROOST_IO, "what it was to be written to takes no more");
    else
        mind_state(m, now_us);
    if (now_us - m->told_us >= TELL_US) {
        m->told_us = now_us;
        m->news = true;
        tell_progress(m, now_us);
    }
}

void move_hear_last(struct mover *m, int64_t now_us)
{
    struct share_view v;

    if (m->step != STEP_MOVE || !m->flow)
        return;
    take_in(m, now_us);
    look(m, &v);
    if (v.state == SHARE_OVER || v.state == SHARE_DONE)
        mind_state(m, now_us);
}

/* The server gave the stream up and says why. What asking again would not mend is the end. */
static void on_refused(struct mover *m, uint64_t code, int64_t now_us)
{
    int why = code > FLOW_WHY_APP && code < FLOW_WHY_APP + 1000 ? (int)(code - FLOW_WHY_APP) : 0;

    leave_stream(m, false);
    switch (why) {
    case ROOST_UNREADABLE:
        mover_end(
            m, ROOST_FILE_FAILED, why,
            "what the server kept of it is damaged, or missing: its sender can send it again");
        break;
    case ROOST_DISK_FULL:
    case ROOST_FILE_TOO_BIG:
        mover_end(m, ROOST_FILE_FAILED, why, NULL);
        break;
    default:
        mover_again(m, now_us);
        if (why == ROOST_TRANSFERS || why == ROOST_TRANSFERS_OWN)
            m->error = why; /* to be shown while it waits */
    }
}

static bool is_whole(const struct mover *m)
{
    struct share_view v;

    look(m, &v);
    return v.state == SHARE_DONE;
}

void move_on_event(struct mover *m, const struct flow_event *e, int64_t now_us)
{
    switch (e->what) {
    case FLOW_SENT:
        if (m->step == STEP_FLUSH)
            end_flush(m);
        break;
    case FLOW_RESET:
    case FLOW_STOPPED:
        move_hear_last(m, now_us); /* it may have said why */
        if (m->step == STEP_MOVE && m->flow && is_whole(m)) {
            leave_stream(m, true); /* who reads along is not done yet, and needs no stream */
        } else if (m->step == STEP_MOVE && m->flow) {
            on_refused(m, e->code, now_us);
        } else if (m->step == STEP_FLUSH) {
            end_flush(m);
        }
        break;
    default:
        break; /* every turn looks at all of it */
    }
}

int64_t move_deadline_us(const struct mover *m)
{
    int64_t at = INT64_MAX;

    if (m->step == STEP_FLUSH)
        at = m->flush_us;
    if (m->receiver && m->step == STEP_MOVE)
        at = receiver_deadline_us(m->receiver) < at ? receiver_deadline_us(m->receiver) : at;
    if (m->limit && m->step == STEP_MOVE && 2 * m->purse < PURSE_LEAST) {
        int64_t due = m->purse_us + (int64_t)((PURSE_LEAST - m->purse) * 1e6 / (double)m->limit) +
                      1;
        at = due < at ? due : at;
    }
    if (m->fd >= 0 && m->out_len && m->receiver && m->purse_us >= 0) {
        int64_t due = edge_now_us() + 5000; /* the pipe was full */
        at = due < at ? due : at;
    }
    return at;
}
