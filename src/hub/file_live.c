/* file_live.c - parcels that somebody is at: their two ends, signals and relays. */
#include <stdlib.h>
#include <string.h>

#include "hub/file.h"
#include "seal/digest.h"

#define SIGNAL_EACH_US (10 * 1000000LL / SIGNALS_BURST)

/* --- two ends ------------------------------------------------------------------------- */

int ends_signal(struct hub *h, struct request *q, struct ends *e, int side)
{
    int64_t now = h->now.mono_us, *full = &e->signals_us[side];

    if (*full < now)
        *full = now;
    if (*full + SIGNAL_EACH_US > now + SIGNAL_EACH_US * SIGNALS_BURST) {
        q->retry_after_ms = SIGNAL_EACH_US / 1000 + 1;
        return -ROOST_TOO_FAST;
    }
    *full += SIGNAL_EACH_US;
    return 0;
}

int ends_reply_relay(struct hub *h, struct request *q, struct ends *e, int side)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Relay relay = ROOST__RELAY__INIT;
    int err = e->relay ? 0 : relays_new(h, h->config.relays, &e->relay, e->tokens);

    if (err)
        return err;
    relay.number = e->relay;
    relay.token = (ProtobufCBinaryData){ DATAGRAMS_TOKEN, e->tokens[side] };
    relay.port = h->config.media_port;
    relay.passes = h->config.relays;
    reply.result_case = ROOST__REPLY__RESULT_RELAY;
    reply.relay = &relay;
    return reply_with(h, q, &reply);
}

void ends_over(struct hub *h, struct ends *e)
{
    relays_end(h, e->relay);
    seal_wipe(e, sizeof *e);
}

/* --- parcels ------------------------------------------------------------------------------ */

struct parcel *parcel_of(struct hub *h, uint64_t file)
{
    struct parcel *p = map_get(&h->parcels, file);

    if (p)
        p->touched_us = h->now.mono_us;
    return p;
}

struct parcel *parcel_get(struct hub *h, const struct file_row *f)
{
    struct parcel *p = parcel_of(h, f->id);

    if (!p) {
        p = h->parcels.n < PARCELS_MAX ? calloc(1, sizeof *p) : NULL;
        if (!p || map_put(&h->parcels, f->id, p)) {
            free(p);
            return NULL;
        }
        p->file = f->id;
        p->room = f->room;
        p->account[SENDER] = f->sender;
        p->account[RECEIVER] = f->peer;
        p->touched_us = h->now.mono_us;
    }
    p->accepted = f->stage == ROOST__FILE_STAGE__FILE_ACCEPTED;
    return p;
}

static void parcel_free(struct hub *h, struct parcel *p)
{
    map_take(&h->parcels, p->file);
    ends_over(h, &p->ends);
    free(p);
}

void parcel_over(struct hub *h, uint64_t file)
{
    struct parcel *p = map_get(&h->parcels, file);

    if (p)
        parcel_free(h, p);
}

void parcel_tell(const struct hub *h, Roost__FileInfo *i)
{
    const struct parcel *p = map_get(&h->parcels, i->file);

    if (!p || (i->stage != ROOST__FILE_STAGE__FILE_ACCEPTED &&
               (i->stage != ROOST__FILE_STAGE__FILE_OFFERED || !i->kept)))
        return;
    if (p->paused && i->stage == ROOST__FILE_STAGE__FILE_ACCEPTED)
        i->stage = ROOST__FILE_STAGE__FILE_PAUSED;
    i->moved = i->open_size || p->moved < i->size ? p->moved : i->size;
    i->way = p->way;
}

int parcel_side(const struct parcel *p, const struct request *q)
{
    for (int i = SENDER; i <= RECEIVER; i++)
        if (q->account && p->account[i] == q->account && p->session[i] == q->session)
            return i;
    return -1;
}

void files_expire(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->parcels, &i));) {
        struct parcel *p = s->value;
        if (h->now.mono_us - p->touched_us < PARCEL_IDLE_US)
            continue;
        parcel_free(h, p);
        i = 0;
    }
    codes_expire(h);
}

/* --- signals, relays: handlers ------------------------------------------------------------- */

/* The parcel and the end that asks; NULL: q is none of them. */
static struct parcel *parcel_at(struct hub *h, const struct request *q, uint64_t file, int *side)
{
    struct parcel *p = parcel_of(h, file);

    *side = p ? parcel_side(p, q) : -1;
    return *side < 0 || !p->accepted ? NULL : p;
}

static void signal_pass(struct hub *h, const struct request *q, const struct parcel *p, int to)
{
    Roost__FileSignal signal = *q->msg->file_signal;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    signal.session = q->session;
    frame.body_case = ROOST__TO_CLIENT__BODY_FILE_SIGNAL;
    frame.file_signal = &signal;
    tell_session_frame(h, p->account[to], p->session[to], &frame);
}

int file_signal_on_message(struct hub *h, struct request *q)
{
    const Roost__FileSignal *b = q->msg->file_signal;
    int side;

    if (b->data.len > SIGNAL_BYTES)
        return -ROOST_TOO_LONG;
    if (b->code)
        return code_signal(h, q);
    if (!q->account)
        return -ROOST_LOGIN_NEEDED;
    struct parcel *p = parcel_at(h, q, b->file, &side);
    if (!p)
        return -ROOST_NO_SUCH_FILE;
    if (!p->session[!side] || !session_is_on(h, p->session[!side]))
        return -ROOST_NOBODY_THERE;
    int err = ends_signal(h, q, &p->ends, side);
    if (err)
        return err;
    signal_pass(h, q, p, !side);
    return reply_done(h, q, NULL);
}

int file_relay_on_message(struct hub *h, struct request *q)
{
    const Roost__FileRelay *b = q->msg->file_relay;
    int side;

    if (b->code)
        return code_relay(h, q);
    if (!q->account)
        return -ROOST_LOGIN_NEEDED;
    struct parcel *p = parcel_at(h, q, b->file, &side);
    if (!p)
        return -ROOST_NO_SUCH_FILE;
    int err = ends_signal(h, q, &p->ends, side);
    return err ? err : ends_reply_relay(h, q, &p->ends, side);
}

enum { WAYS = 5 };

int file_progress_on_message(struct hub *h, struct request *q)
{
    const Roost__FileProgress *b = q->msg->file_progress;
    struct parcel *p = parcel_of(h, b->file);

    if (!p || parcel_side(p, q) != SENDER)
        return -ROOST_NO_SUCH_FILE;
    p->moved = b->moved;
    p->way = b->way <= WAYS ? b->way : 0;
    return reply_done(h, q, NULL);
}
