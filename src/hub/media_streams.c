/* media_streams.c - what devices send: published, muted by the meeting's rules, wanted. */
#include <string.h>

#include "hub/handlers_media.h"
#include "hub/media.h"

int media_leg(struct hub *h, const struct device *d, const struct hub_leg *leg)
{
    struct hub_leg whole = *leg;

    whole.id = d->datagrams;
    whole.meeting = d->call->meeting;
    return outbox_leg(h->out, &whole);
}

/* --- telling --------------------------------------------------------------------------------- */

static void row_fill(Roost__MediaStream *row, const struct device *d, const struct media_stream *s)
{
    roost__media_stream__init(row);
    row->stream = s->number;
    row->number = d->number;
    row->kind = s->kind;
    row->codec = s->codec;
    row->muted = s->muted;
}

static struct blob *encode(const struct call *m, Roost__MediaStreams *list)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    list->meeting = m->meeting;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEDIA_STREAMS;
    frame.media_streams = list;
    return msg_encode(&frame.base);
}

static void tell_changed(struct hub *h, const struct device *d, const struct media_stream *s)
{
    Roost__MediaStreams list = ROOST__MEDIA_STREAMS__INIT;
    Roost__MediaStream row, *rows[] = { &row };

    row_fill(&row, d, s);
    list.streams = rows;
    list.n_streams = 1;
    media_tell(h, d->call, encode(d->call, &list));
}

static void tell_gone(struct hub *h, const struct call *m, uint64_t stream)
{
    Roost__MediaStreams list = ROOST__MEDIA_STREAMS__INIT;

    list.gone = &stream;
    list.n_gone = 1;
    media_tell(h, m, encode(m, &list));
}

void media_streams_tell_all(struct hub *h, const struct device *to)
{
    const struct call *m = to->call;
    Roost__MediaStreams list = ROOST__MEDIA_STREAMS__INIT;
    struct arena mem;
    struct conn *c = conn_of(h, to->conn);

    arena_init(&mem, 0);
    Roost__MediaStream *rows = arena_get(&mem, (m->streams.n + 1) * sizeof *rows);
    list.streams = arena_get(&mem, (m->streams.n + 1) * sizeof *list.streams);
    list.whole = true;
    for (const struct device *d = m->devices; d && rows && list.streams; d = d->next)
        for (uint32_t i = 0; i < d->n_streams; i++) {
            list.streams[list.n_streams] = &rows[list.n_streams];
            row_fill(&rows[list.n_streams++], d, &d->streams[i]);
        }
    struct blob *b = rows && list.streams ? encode(m, &list) : NULL;
    if (c && b)
        send_blob(h, c, b);
    else if (c)
        hub_condemn(h, c);
    blob_unref(b);
    arena_fini(&mem);
}

/* --- muting ------------------------------------------------------------------------------------
 */

static bool is_muted(const struct device *d, uint32_t kind, const struct meeting *m)
{
    const struct attendee *a = meeting_attendee(m, d->account);

    switch (kind) {
    case ROOST__MEDIA_KIND__MEDIA_VOICE:
        return a->row.muted;
    case ROOST__MEDIA_KIND__MEDIA_CAMERA:
        return a->row.video_off;
    default:
        return m->head.presenter != d->account;
    }
}

/* Who forwards hears it before anybody else; what it could not be told it is told by the next
 * sweep. */
static void enforce(struct hub *h, const struct device *d, struct media_stream *s)
{
    struct hub_leg mute = { .what = LEG_MUTE, .stream = s->number, .muted = s->muted };

    if (s->mute_told != s->muted && !media_leg(h, d, &mute))
        s->mute_told = s->muted;
}

void media_streams_retry(struct hub *h, struct device *d)
{
    for (uint32_t i = 0; i < d->n_streams; i++)
        enforce(h, d, &d->streams[i]);
}

static void stream_end(struct hub *h, struct device *d, uint32_t at)
{
    uint64_t number = d->streams[at].number;
    struct hub_leg end = { .what = LEG_UNPUBLISH, .stream = number };

    if (!d->over && media_leg(h, d, &end))
        return; /* who becomes a viewer is looked at again */
    map_take(&d->call->streams, number);
    d->streams[at] = d->streams[--d->n_streams];
    tell_gone(h, d->call, number);
}

void media_streams_end(struct hub *h, struct device *d)
{
    while (d->n_streams)
        stream_end(h, d, d->n_streams - 1);
}

void media_streams_review(struct hub *h, struct device *d, const struct meeting *m)
{
    for (uint32_t i = d->n_streams; d->viewer && i-- > 0;)
        stream_end(h, d, i);
    for (uint32_t i = 0; i < d->n_streams; i++) {
        struct media_stream *s = &d->streams[i];
        bool muted = is_muted(d, s->kind, m);
        if (muted == s->muted)
            continue;
        s->muted = muted;
        enforce(h, d, s);
        tell_changed(h, d, s);
    }
}

/* --- requests ------------------------------------------------------------------------------------
 */

static bool is_sound(uint32_t kind)
{
    return kind == ROOST__MEDIA_KIND__MEDIA_VOICE || kind == ROOST__MEDIA_KIND__MEDIA_SCREEN_SOUND;
}

static bool is_shared(uint32_t kind)
{
    return kind == ROOST__MEDIA_KIND__MEDIA_SCREEN || kind == ROOST__MEDIA_KIND__MEDIA_SCREEN_SOUND;
}

static int check(const struct request *q, const struct device *d)
{
    const Roost__MediaPublish *b = q->msg->media_publish;
    const struct meeting *m = q->room->meeting;
    bool sound = b->codec == ROOST__MEDIA_CODEC__CODEC_OPUS ||
                 b->codec == ROOST__MEDIA_CODEC__CODEC_PCM;

    if (b->kind < ROOST__MEDIA_KIND__MEDIA_VOICE ||
        b->kind > ROOST__MEDIA_KIND__MEDIA_SCREEN_SOUND ||
        b->codec < ROOST__MEDIA_CODEC__CODEC_OPUS || b->codec > ROOST__MEDIA_CODEC__CODEC_VP9 ||
        is_sound(b->kind) != sound)
        return -ROOST_INVALID;
    if (meeting_role(m, q->account) == ROOST__MEET_ROLE__VIEWER ||
        (is_shared(b->kind) && m->head.presenter != q->account))
        return -ROOST_NOT_ALLOWED;
    for (uint32_t i = 0; i < d->n_streams; i++)
        if (d->streams[i].kind == (uint32_t)b->kind)
            return -ROOST_ALREADY;
    return d->n_streams < MEDIA_STREAMS_DEVICE ? 0 : -ROOST_LIMIT;
}

static uint64_t draw(struct call *m, uint64_t wanted)
{
    if (wanted && wanted < MEDIA_NUMBER_MAX && !map_get(&m->streams, wanted))
        return wanted;
    while (map_get(&m->streams, m->next_stream)) /* there are few, so this ends */
        m->next_stream = m->next_stream % (MEDIA_NUMBER_MAX - 1) + 1;
    uint64_t drawn = m->next_stream;
    m->next_stream = m->next_stream % (MEDIA_NUMBER_MAX - 1) + 1;
    return drawn;
}

static int publish(struct hub *h, struct request *q, struct device *d, struct media_stream *s)
{
    struct hub_leg leg = { .what = LEG_PUBLISH, .stream = s->number };

    leg.kind = s->kind == ROOST__MEDIA_KIND__MEDIA_VOICE ? LEG_VOICE
               : is_sound(s->kind)                       ? LEG_SOUND
                                                         : LEG_PICTURE;
    leg.muted = s->muted = s->mute_told = is_muted(d, s->kind, q->room->meeting);
    int err = map_put(&d->call->streams, s->number, d);
    if (!err && (err = media_leg(h, d, &leg)))
        map_take(&d->call->streams, s->number);
    return err;
}

int media_publish_on_message(struct hub *h, struct request *q)
{
    const Roost__MediaPublish *b = q->msg->media_publish;
    struct device *d = media_device(h, q, q->room_id);
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__MediaStream row;

    if (!d)
        return -ROOST_NOT_IN_MEETING;
    int err = check(q, d);
    if (!err)
        err = speed_check(h, q);
    if (err)
        return err;
    struct media_stream s = { .number = draw(d->call, b->stream),
                              .kind = (uint32_t)b->kind,
                              .codec = (uint32_t)b->codec };
    err = publish(h, q, d, &s);
    if (err)
        return err;
    d->streams[d->n_streams++] = s;
    row_fill(&row, d, &s);
    reply.result_case = ROOST__REPLY__RESULT_MEDIA_STREAM;
    reply.media_stream = &row;
    reply_with(h, q, &reply);
    tell_changed(h, d, &s);
    return HUB_DONE;
}

int media_unpublish_on_message(struct hub *h, struct request *q)
{
    const Roost__MediaUnpublish *b = q->msg->media_unpublish;
    struct device *d = media_device(h, q, b->meeting);

    if (!d)
        return -ROOST_NOT_IN_MEETING;
    for (uint32_t i = 0; i < d->n_streams; i++)
        if (d->streams[i].number == b->stream) {
            uint32_t n = d->n_streams;
            stream_end(h, d, i);
            return d->n_streams < n ? reply_done(h, q, NULL) : -ROOST_NOMEM;
        }
    return -ROOST_INVALID;
}

int media_want_on_message(struct hub *h, struct request *q)
{
    const Roost__MediaWant *b = q->msg->media_want;
    struct device *d = media_device(h, q, b->meeting);
    struct hub_leg want = { .what = LEG_WANT, .stream = b->stream };

    if (!d)
        return -ROOST_NOT_IN_MEETING;
    if (b->encoding >= 4 || b->temporal < -1 || b->temporal > 7 ||
        !map_get(&d->call->streams, b->stream))
        return -ROOST_INVALID;
    want.encoding = (uint8_t)b->encoding;
    want.temporal = b->temporal;
    int err = media_leg(h, d, &want);
    return err ? err : reply_done(h, q, NULL);
}
