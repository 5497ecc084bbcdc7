/* media.c - devices come into the media of a meeting, are lost, come back, and go. */
#include "hub/media.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "hub/handlers_media.h"
#include "seal/digest.h"

/* --- finding ------------------------------------------------------------------------------ */

struct call *media_of(const struct hub *h, uint64_t meeting)
{
    return map_get(&h->media, meeting);
}

struct device *media_device(const struct hub *h, const struct request *q, uint64_t meeting)
{
    struct device *d = map_get(&h->devices, q->session);

    return d && d->conn == q->conn && d->call->meeting == meeting ? d : NULL;
}

struct device *media_numbered(const struct call *m, uint32_t number)
{
    return map_get(&m->numbers, number);
}

int media_worker(const struct hub *h, const struct request *q)
{
    const struct device *d = map_get(&h->devices, q->session);

    return d && d->conn == q->conn ? (int)d->call->worker : -1;
}

/* --- telling -------------------------------------------------------------------------------- */

void media_tell(struct hub *h, const struct call *m, struct blob *frame)
{
    for (const struct device *d = m->devices; d; d = d->next) {
        struct conn *c = d->over || !d->conn ? NULL : conn_of(h, d->conn);
        if (c && frame)
            send_blob(h, c, frame);
        else if (c)
            hub_condemn(h, c);
    }
    blob_unref(frame);
}

void media_tell_one(struct hub *h, const struct device *d, Roost__ToClient *frame)
{
    struct conn *c = d->conn ? conn_of(h, d->conn) : NULL;

    if (c)
        send_frame(h, c, frame);
}

static void tell_over(struct hub *h, const struct device *d, int why)
{
    Roost__Error error = ROOST__ERROR__INIT;
    Roost__MediaOver over = ROOST__MEDIA_OVER__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    error.code = (uint32_t)(why < 0 ? -why : why);
    error.name = (char *)err_name(why);
    error.text = (char *)err_text(why);
    error.advice = (char *)err_advice(why);
    over.meeting = d->call->meeting;
    over.error = &error;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEDIA_OVER;
    frame.media_over = &over;
    media_tell_one(h, d, &frame);
}

/* --- meetings --------------------------------------------------------------------------------- */

/* The worker with the fewest devices. */
static unsigned choose_worker(const struct hub *h)
{
    enum { WORKERS_MAX = 64 };
    uint32_t load[WORKERS_MAX] = { 0 }, n = h->config.workers;
    unsigned best = 0;
    struct map_slot *s;

    n = n < WORKERS_MAX ? n : WORKERS_MAX;
    for (size_t i = 0; (s = map_next(&h->media, &i));) {
        const struct call *m = s->value;
        load[m->worker % n] += m->n_devices;
    }
    for (unsigned i = 1; i < n; i++)
        if (load[i] < load[best])
            best = i;
    return best;
}

static struct call *media_get(struct hub *h, const struct room *r)
{
    struct call *m = media_of(h, r->id);

    if (m)
        return m;
    m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->meeting = r->id;
    m->worker = choose_worker(h);
    m->sealed = !r->meeting->head.unsealed;
    m->next_stream = 1;
    m->roster_us = INT64_MAX;
    rng_fill(&h->rng, m->key, sizeof m->key);
    map_init(&m->numbers, rng_u64(&h->rng));
    map_init(&m->streams, rng_u64(&h->rng));
    if (map_put(&h->media, r->id, m)) {
        free(m);
        return NULL;
    }
    return m;
}

static void media_free(struct call *m)
{
    map_fini(&m->numbers);
    map_fini(&m->streams);
    seal_wipe(m, sizeof *m);
    free(m);
}

/* --- the end of a device ------------------------------------------------------------------------
 */

static void device_free(struct device *d)
{
    media_keys_free(d);
    media_stats_free(d);
    free(d->person);
    free(d);
}

/* Out of the list, once who forwards knows; else the next sweep tries again. */
static void device_drop(struct hub *h, struct device *d)
{
    struct hub_leg leave = { .what = LEG_LEAVE };

    if (media_leg(h, d, &leave))
        return;
    for (struct device **at = &d->call->devices; *at; at = &(*at)->next)
        if (*at == d) {
            *at = d->next;
            break;
        }
    device_free(d);
}

void media_device_end(struct hub *h, struct device *d, int why)
{
    struct call *m = d->call;

    if (why)
        tell_over(h, d, why);
    map_take(&h->devices, d->session);
    map_take(&m->numbers, d->number);
    m->n_devices--;
    d->over = true;
    d->conn = 0;
    media_streams_end(h, d);
    media_stats_end(h, d);
    media_roster_changed(h, m);
    device_drop(h, d);
}

/* --- coming
 * --------------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    size_t len = strlen(name);

    if (len > DEVICE_NAME_MAX)
        return false;
    for (const char *p = name, *end = name + len; p < end;)
        if (utf8_is_control(utf8_next(&p, end)))
            return false;
    return true;
}

static int check(struct hub *h, struct request *q)
{
    const Roost__MediaEnter *b = q->msg->media_enter;
    const struct meeting *m = q->room->meeting;
    const struct conn *c = request_conn(h, q);

    if (!meeting_attendee(m, q->account))
        return -ROOST_NO_SUCH_MEETING;
    if (meeting_role(m, q->account) < 0 || !c || c->meeting != q->room_id)
        return -ROOST_NOT_IN_MEETING;
    if (b->identity.len != ROSTER_IDENTITY)
        return -ROOST_INVALID;
    if (!is_name(b->device_name))
        return -ROOST_NAME_BAD;
    return h->config.datagrams ? speed_check(h, q) : -ROOST_UNSUPPORTED;
}

/* Who has this identity already is the same device, if it is the same person; it begins anew. */
static int make_room(struct hub *h, const struct request *q, struct call *m)
{
    unsigned of_account = 0;
    const uint8_t *identity = q->msg->media_enter->identity.data;

    for (struct device *d = m->devices, *next; d; d = next) {
        next = d->next;
        if (d->over)
            continue;
        bool same = !memcmp(d->identity, identity, ROSTER_IDENTITY);
        if (same && d->account != q->account)
            return -ROOST_ALREADY;
        if (same)
            media_device_end(h, d, ROOST_ALREADY);
        else
            of_account += d->account == q->account;
    }
    return of_account >= MEDIA_DEVICES_ACCOUNT || m->n_devices >= MEDIA_DEVICES_MAX ? -ROOST_LIMIT
                                                                                    : 0;
}

static uint32_t draw_number(struct hub *h, const struct call *m, uint32_t wanted)
{
    while (!wanted || media_numbered(m, wanted))
        wanted = (uint32_t)rng_below(&h->rng, 1u << 31);
    return wanted;
}

static int know_person(struct device *d, const struct attendee *a)
{
    char *name = strdup(a->row.name);

    if (!name)
        return -ROOST_NOMEM;
    free(d->person);
    d->person = name;
    d->guest = a->row.guest;
    d->viewer = a->row.role == ROOST__MEET_ROLE__VIEWER;
    return 0;
}

static int device_new(struct hub *h, struct request *q, struct call *m, struct device **ret)
{
    const Roost__MediaEnter *b = q->msg->media_enter;
    struct device *d = calloc(1, sizeof *d), **end = &m->devices;

    if (!d)
        return -ROOST_NOMEM;
    *d = (struct device){ .call = m, .account = q->account, .session = q->session };
    d->number = draw_number(h, m, b->number);
    memcpy(d->identity, b->identity.data, ROSTER_IDENTITY);
    strcpy(d->name, b->device_name);
    int err = know_person(d, meeting_attendee(q->room->meeting, q->account));
    if (!err)
        err = map_put(&h->devices, d->session, d);
    if (!err && (err = map_put(&m->numbers, d->number, d)))
        map_take(&h->devices, d->session);
    if (err) {
        device_free(d);
        return err;
    }
    while (*end)
        end = &(*end)->next;
    *end = d;
    m->n_devices++;
    *ret = d;
    return 0;
}

static int enter_worker(struct hub *h, struct device *d, uint32_t datagrams)
{
    struct hub_leg enter = { .what = LEG_ENTER, .number = d->number };

    d->datagrams = datagrams;
    return media_leg(h, d, &enter);
}

static int answer(struct hub *h, struct request *q, struct device *d, struct datagrams_given *given)
{
    Roost__MediaCodec codecs[] = { ROOST__MEDIA_CODEC__CODEC_OPUS, ROOST__MEDIA_CODEC__CODEC_PCM,
                                   ROOST__MEDIA_CODEC__CODEC_VP8, ROOST__MEDIA_CODEC__CODEC_VP9 };
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__MediaPlace place = ROOST__MEDIA_PLACE__INIT;

    place.meeting = d->call->meeting;
    place.number = d->number;
    place.end_to_end = d->call->sealed;
    if (!d->call->sealed)
        place.hub_key = (ProtobufCBinaryData){ sizeof d->call->key, d->call->key };
    place.datagrams = &given->session;
    place.speakers = h->config.speakers;
    place.codecs = codecs;
    place.n_codecs = sizeof codecs / sizeof *codecs;
    place.streams = MEDIA_STREAMS_DEVICE;
    reply.result_case = ROOST__REPLY__RESULT_MEDIA_PLACE;
    reply.media_place = &place;
    int err = reply_with(h, q, &reply);
    seal_wipe(given, sizeof *given);
    return err;
}

/* The same device, over another connection, or asking twice. */
static int come_back(struct hub *h, struct request *q, struct device *d)
{
    struct datagrams_given given;
    uint64_t was = d->conn;

    d->conn = q->conn;
    int err = datagrams_give(h, q, q->msg->media_enter->keep, (int)d->call->worker, &given);
    if (!err && given.session.session != d->datagrams)
        media_on_renewed(h, d->session, d->datagrams, given.session.session);
    if (err) {
        d->conn = was;
        return err;
    }
    answer(h, q, d, &given);
    media_streams_tell_all(h, d);
    media_roster_tell(h, d);
    media_keys_release(h, d);
    return HUB_DONE;
}

static bool is_the_same(const struct device *d, const struct request *q)
{
    const Roost__MediaEnter *b = q->msg->media_enter;

    return d && d->call->meeting == q->room_id && d->number == b->number &&
           !memcmp(d->identity, b->identity.data, ROSTER_IDENTITY);
}

static int come(struct hub *h, struct request *q, struct call *m)
{
    struct datagrams_given given;
    struct device *d = NULL;
    int err = make_room(h, q, m);

    if (!err)
        err = device_new(h, q, m, &d);
    if (err)
        return err;
    err = datagrams_give(h, q, q->msg->media_enter->keep, (int)m->worker, &given);
    if (!err)
        err = enter_worker(h, d, given.session.session);
    if (err) {
        media_device_end(h, d, 0);
        return err;
    }
    d->conn = q->conn;
    answer(h, q, d, &given);
    media_streams_tell_all(h, d);
    media_roster_changed(h, m);
    return HUB_DONE;
}

int media_enter_on_message(struct hub *h, struct request *q)
{
    struct device *d = map_get(&h->devices, q->session);
    int err = check(h, q);

    if (err)
        return err;
    if (is_the_same(d, q))
        return come_back(h, q, d);
    if (d) /* another meeting, another window, or a program that began anew */
        media_device_end(h, d, d->conn == q->conn ? 0 : ROOST_ALREADY);
    struct call *m = media_get(h, q->room);
    return m ? come(h, q, m) : -ROOST_NOMEM;
}

int media_leave_on_message(struct hub *h, struct request *q)
{
    struct device *d = media_device(h, q, q->msg->media_leave->meeting);

    if (!d)
        return -ROOST_NOT_IN_MEETING;
    media_device_end(h, d, 0);
    return reply_done(h, q, NULL);
}

/* --- what happens to devices
 * ------------------------------------------------------------------------ */

void media_on_gone(struct hub *h, const struct conn *c)
{
    struct device *d = c->session ? map_get(&h->devices, c->session) : NULL;

    if (!d || d->conn != c->id)
        return;
    d->conn = 0;
    d->lost_us = h->now.mono_us;
}

void media_on_renewed(struct hub *h, uint64_t session, uint32_t was, uint32_t is)
{
    struct device *d = map_get(&h->devices, session);
    struct hub_leg move = { .what = LEG_MOVE, .to = is };

    if (!d || d->datagrams != was || media_leg(h, d, &move))
        return;
    d->datagrams = is;
}

void media_on_sessions_end(struct hub *h, uint64_t account, uint64_t only, uint64_t except)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->devices, &i));) {
        struct device *d = s->value;
        if (d->account != account || (only && d->session != only) ||
            (except && d->session == except))
            continue;
        media_device_end(h, d, ROOST_SESSION_OVER);
        i = 0;
    }
}

/* False: it is gone. */
static bool review(struct hub *h, struct device *d, const struct meeting *m)
{
    const struct attendee *a = meeting_attendee(m, d->account);

    if (!a || a->row.state != ROOST__MEET_STATE__IN) {
        media_device_end(h, d, m->head.ended ? ROOST_MEET_ENDED : ROOST_NOT_IN_MEETING);
        return false;
    }
    bool renamed = strcmp(a->row.name, d->person) != 0 || a->row.guest != d->guest;
    if (know_person(d, a) == 0 && renamed)
        media_roster_changed(h, d->call);
    media_streams_review(h, d, m);
    return true;
}

void media_on_meeting(struct hub *h, const struct room *r)
{
    struct call *m = r->meeting ? media_of(h, r->id) : NULL;

    for (struct device *d = m ? m->devices : NULL, *next; d; d = next) {
        next = d->next;
        if (!d->over)
            review(h, d, r->meeting);
    }
}

void media_on_word(struct hub *h, const struct hub_leg_word *word)
{
    struct call *m = media_of(h, word->meeting);
    Roost__MediaSpeaker speaker = ROOST__MEDIA_SPEAKER__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    if (m && word->what == LEG_FIGURES)
        media_stats_on_word(media_numbered(m, word->number), word);
    if (!m || word->what != LEG_SPEAKER || m->speaker == word->number)
        return;
    m->speaker = word->number;
    speaker.meeting = m->meeting;
    speaker.number = m->speaker;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEDIA_SPEAKER;
    frame.media_speaker = &speaker;
    media_tell(h, m, msg_encode(&frame.base));
}

/* --- time
 * --------------------------------------------------------------------------------------------- */

void media_expire(struct hub *h)
{
    struct map_slot *s;
    int64_t due_us = INT64_MAX;

    if (h->media_due_us > h->now.mono_us)
        return;
    for (size_t i = 0; (s = map_next(&h->media, &i));) {
        struct call *m = s->value;
        media_roster_expire(h, m);
        due_us = m->roster_us < due_us ? m->roster_us : due_us;
    }
    h->media_due_us = due_us;
}

/* What could not be said for want of memory is said now; who was away for too long is over. */
static void sweep_device(struct hub *h, struct device *d)
{
    if (d->over)
        device_drop(h, d);
    else if (!d->conn && h->now.mono_us - d->lost_us >= MEDIA_GRACE_US)
        media_device_end(h, d, 0);
    else
        media_streams_retry(h, d);
}

static void sweep_meeting(struct hub *h, struct room *r)
{
    media_stats_note(h, r);
    media_on_meeting(h, r);
}

void media_sweep(struct hub *h)
{
    struct map_slot *s;

    if (!h->media.n)
        return;
    shard_each_meeting(h, sweep_meeting);
    for (size_t i = 0; (s = map_next(&h->media, &i));) {
        struct call *m = s->value;
        for (struct device *d = m->devices, *next; d; d = next) {
            next = d->next;
            sweep_device(h, d);
        }
        if (m->devices || m->past)
            continue;
        map_take(&h->media, m->meeting);
        media_free(m);
        i = 0;
    }
}

void media_free_all(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->media, &i));) {
        struct call *m = s->value;
        for (struct device *d = m->devices, *next; d; d = next) {
            next = d->next;
            device_free(d);
        }
        media_past_free(m->past);
        media_free(m);
    }
    map_fini(&h->media);
    map_fini(&h->devices);
}
