/* speech_control.c - what goes over control: entering, who is there, what is sent, keys. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/people.h"
#include "client/speech.h"
#include "seal/digest.h"
#include "seal/pact.h"

enum { KEYS_AT_ONCE = 128 };
#define GRACE_US 20000000 /* a server lets nobody go sooner: less than its 30 s */
#define AGAIN_US 250000   /* after a refusal that passes: a place that is not taken again yet */

/* --- requests -------------------------------------------------------------------------- */

/* Its answer is looked at by nobody. */
int64_t speech_ask(struct speech *s, Roost__ToServer *m, int64_t now_us)
{
    int64_t request = core_request(s->r->core, m, now_us);

    if (request > 0 && s->n_own < SPEECH_OWN_MAX)
        s->own[s->n_own++] = request;
    return request;
}

static void drop_answers(struct speech *s)
{
    for (size_t i = 0; i < s->n_own;)
        if (core_take_answer(s->r->core, s->own[i]) || !core_knows(s->r->core, s->own[i]))
            s->own[i] = s->own[--s->n_own];
        else
            i++;
}

static void ask_enter(struct speech *s, int64_t now_us)
{
    Roost__MediaEnter b = ROOST__MEDIA_ENTER__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    uint8_t identity[PACT_KEY];
    char machine[40] = "";

    pact_identity(s->seed, identity);
    gethostname(machine, sizeof machine - 1);
    m.body_case = ROOST__TO_SERVER__BODY_MEDIA_ENTER;
    m.media_enter = &b;
    b.meeting = s->meeting;
    b.identity = (ProtobufCBinaryData){ sizeof identity, identity };
    b.device_name = machine;
    b.number = s->before;
    b.keep = s->r->datagrams.id;
    s->enter = core_request(s->r->core, &m, now_us);
    if (s->enter < 0) {
        s->enter = 0;
        s->enter_us = now_us + AGAIN_US;
    }
}

static void ask_publish(struct speech *s, int64_t now_us)
{
    Roost__MediaPublish b = ROOST__MEDIA_PUBLISH__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    m.body_case = ROOST__TO_SERVER__BODY_MEDIA_PUBLISH;
    m.media_publish = &b;
    b.meeting = s->meeting;
    b.kind = ROOST__MEDIA_KIND__MEDIA_VOICE;
    b.codec = s->codec == ROOST_PCM ? ROOST__MEDIA_CODEC__CODEC_PCM
                                    : ROOST__MEDIA_CODEC__CODEC_OPUS;
    b.stream = s->stream;
    s->publish = core_request(s->r->core, &m, now_us);
    if (s->publish < 0) {
        s->publish = 0;
        s->publish_us = now_us + AGAIN_US;
    }
}

/* --- entering ------------------------------------------------------------------------------ */

static const char sealed_otherwise[] =
    "the server wants this meeting to be sealed otherwise than it was: your voice is not sent";

/* What was sealed end to end once is never less. */
static bool is_as_sealed(struct speech *s, const Roost__MediaPlace *p)
{
    const struct roll *roll = core_roll(s->r->core, s->meeting);
    const Roost__Meeting *m = roll ? roll_meeting(roll) : NULL;
    bool has_key = p->hub_key.len == KEYRING_SECRET;

    if (p->end_to_end == has_key || (p->end_to_end && s->unsealed) || (!p->end_to_end && s->sealed))
        return false;
    if (m && m->unsealed == p->end_to_end)
        return false;
    s->sealed = p->end_to_end;
    s->unsealed = !p->end_to_end;
    return true;
}

/* What a meeting says of itself is what people see: it stays as one came in. */
static void mind_sealing(struct speech *s)
{
    const struct roll *roll = core_roll(s->r->core, s->meeting);
    const Roost__Meeting *m = roll ? roll_meeting(roll) : NULL;

    if (m && s->state == ROOST_VOICE_IN && m->unsealed == s->sealed)
        speech_off(s, ROOST_VOICE_OVER, sealed_otherwise);
}

static void on_heard(void *ctx, int64_t now_us, uint32_t who, const struct media *m,
                     const uint8_t *bytes, size_t len)
{
    struct speech *s = ctx;

    if (s->studio)
        studio_heard(s->studio, now_us, who, m, bytes, len);
}

/* Whether nobody can have seen it go: then all keys are good. Else it says HELLO to all once more.
 */
static bool was_there(const struct speech *s, const Roost__MediaPlace *p, int64_t now_us)
{
    const Roost__DatagramSession *d = p->datagrams;

    return s->voice && s->number == p->number && d && d->session == s->r->datagrams.id &&
           !d->secret.len && (!s->lost_us || now_us - s->lost_us < GRACE_US) &&
           (p->end_to_end || !memcmp(s->hub, p->hub_key.data, sizeof s->hub));
}

static int begin_voice(struct speech *s, const Roost__MediaPlace *p, int64_t now_us)
{
    struct voice *before = s->voice;
    uint8_t random[32];
    struct voice_settings v = { .heard = on_heard, .ctx = s };

    if (was_there(s, p, now_us))
        return 0;
    if (!p->end_to_end)
        memcpy(s->hub, p->hub_key.data, sizeof s->hub);
    if (getrandom(random, sizeof random, 0) != sizeof random ||
        getrandom(&v.seed, sizeof v.seed, 0) != sizeof v.seed)
        return -ROOST_IO;
    v.keys = (struct keyring_settings){ .meeting = s->meeting,
                                        .number = p->number,
                                        .seed = s->seed,
                                        .random = random,
                                        .hub = p->end_to_end ? NULL : s->hub };
    s->voice = NULL;
    int err = voice_new(&s->voice, &v, now_us);
    seal_wipe(random, sizeof random);
    if (!err && before)
        voice_go_on(s->voice, before);
    voice_free(before);
    s->number = s->before = p->number;
    s->published = false;
    return err;
}

static void on_place(struct speech *s, const Roost__MediaPlace *p, int64_t now_us)
{
    if (!is_as_sealed(s, p)) {
        speech_off(s, ROOST_VOICE_OVER, sealed_otherwise);
        return;
    }
    if (begin_voice(s, p, now_us)) {
        speech_off(s, ROOST_VOICE_OVER, "out of memory");
        return;
    }
    if (p->datagrams)
        datagrams_place(&s->r->datagrams, p->datagrams, now_us);
    s->state = ROOST_VOICE_IN;
    s->lost_us = 0;
    s->publish_us = now_us;
    speech_tell(s, ROOST_VOICE_ENTERED, NULL, "");
}

static bool passes(const struct core_error *e)
{
    return e && (e->retry_after_ms || e->code == ROOST_NOT_IN_MEETING || e->code == ROOST_BUSY);
}

static void mind_enter(struct speech *s, int64_t now_us)
{
    bool ready = core_state(s->r->core) == CORE_AT_READY;
    struct core_event *e = s->enter ? core_take_answer(s->r->core, s->enter) : NULL;

    if (e) {
        s->enter = 0;
        if (e->kind == CORE_REPLY && e->msg->reply->result_case == ROOST__REPLY__RESULT_MEDIA_PLACE)
            on_place(s, e->msg->reply->media_place, now_us);
        else if (passes(e->error) || e->kind == CORE_REPLY)
            s->enter_us = now_us + AGAIN_US;
        else
            speech_off(s, ROOST_VOICE_REFUSED, e->error ? e->error->text : "");
    } else if (s->enter && !core_knows(s->r->core, s->enter)) {
        s->enter = 0;
    }
    if (s->state == ROOST_VOICE_OFF)
        return;
    bool lost = s->state == ROOST_VOICE_IN && !s->r->datagrams.flow; /* the session is over */
    if ((ready && !s->was_ready) || (lost && !s->enter)) {
        s->state = ROOST_VOICE_ENTERING; /* control is a new one */
        s->enter_us = lost ? now_us + AGAIN_US : now_us;
        s->publish = 0;
        s->published = false;
    }
    if (s->was_ready && !ready)
        s->lost_us = now_us;
    s->was_ready = ready;
    if (ready && s->state == ROOST_VOICE_ENTERING && !s->enter && s->enter_us <= now_us)
        ask_enter(s, now_us);
}

static void begin_stream(struct speech *s, uint64_t stream, bool muted, int64_t now_us)
{
    if (voice_publish(s->voice, now_us, 0, stream, s->codec == ROOST_PCM ? MEDIA_PCM : MEDIA_OPUS))
        return; /* without memory: it is asked for again */
    s->stream = stream;
    s->published = true;
    s->silenced = muted;
}

static void mind_publish(struct speech *s, int64_t now_us)
{
    struct core_event *e = s->publish ? core_take_answer(s->r->core, s->publish) : NULL;

    if (e) {
        const Roost__MediaStream *m = e->kind == CORE_REPLY && e->msg->reply->result_case ==
                                                                   ROOST__REPLY__RESULT_MEDIA_STREAM
                                          ? e->msg->reply->media_stream
                                          : NULL;
        s->publish = 0;
        s->publish_us = now_us + 4 * AGAIN_US;
        bool has = e->error && e->error->code == ROOST_ALREADY; /* it was kept: streams tell */
        if (m) {
            begin_stream(s, m->stream, m->muted, now_us);
        } else if (has && s->stream) {
            begin_stream(s, s->stream, s->silenced, now_us);
        } else if (!has && !passes(e->error)) {
            s->publish_us = INT64_MAX; /* who only listens */
            speech_tell(s, ROOST_VOICE_SILENCED, speech_member(s, s->number),
                        e->error ? e->error->text : "");
        }
    } else if (s->publish && !core_knows(s->r->core, s->publish)) {
        s->publish = 0;
    }
    if (s->state == ROOST_VOICE_IN && s->was_ready && !s->published && !s->publish &&
        s->publish_us <= now_us)
        ask_publish(s, now_us);
}

/* --- who is there -------------------------------------------------------------------------------
 */

struct speech_member *speech_member(const struct speech *s, uint32_t number)
{
    for (size_t i = 0; i < s->n_members; i++)
        if (s->members[i].is.number == number)
            return &s->members[i];
    return NULL;
}

static const char *login_of(const struct speech *s, uint64_t account)
{
    const struct roll *roll = core_roll(s->r->core, s->meeting);
    const Roost__Attendee *a = roll ? roll_find(roll, account) : NULL;

    return a && a->login ? a->login : "";
}

/* Once somebody has proven the identity that the list shows. */
static void judge(struct speech *s, struct speech_member *m)
{
    const char *login = login_of(s, m->account);
    uint8_t known[PEOPLE_DEVICES_MAX * PEOPLE_IDENTITY];

    if (m->guest || !*login) {
        m->trust = ROOST_TRUST_GUEST;
        return;
    }
    bool first = !people_known(&s->r->home, login, known);
    int err = people_met(&s->r->home, login, m->is.identity);
    m->trust = err == -ROOST_STRANGER ? ROOST_TRUST_STRANGER
               : first                ? ROOST_TRUST_NEW
                                      : ROOST_TRUST_KNOWN;
    if (m->trust == ROOST_TRUST_STRANGER)
        speech_tell(s, ROOST_VOICE_ALARM, m,
                    "a device that was never seen under this name: compare the words of "
                    "/verify before you trust it");
}

static bool read_member(const struct speech *s, const Roost__MediaMember *m,
                        struct speech_member *ret)
{
    const struct speech_member *before = speech_member(s, m->number);

    *ret = (struct speech_member){ .is.number = m->number,
                                   .account = m->account,
                                   .guest = m->guest,
                                   .trust = ROOST_TRUST_NOT_YET };
    if (m->identity.len != ROSTER_IDENTITY)
        return false;
    memcpy(ret->is.identity, m->identity.data, ROSTER_IDENTITY);
    snprintf(ret->name, sizeof ret->name, "%s", m->name ? m->name : "");
    snprintf(ret->device_name, sizeof ret->device_name, "%s", m->device_name ? m->device_name : "");
    if (before && !memcmp(before->is.identity, ret->is.identity, ROSTER_IDENTITY))
        ret->trust = before->trust;
    else if (m->guest)
        ret->trust = ROOST_TRUST_GUEST;
    return true;
}

static void on_roster(struct speech *s, const Roost__MediaRoster *r, int64_t now_us)
{
    size_t n = r->n_members;
    struct speech_member *list = calloc(n + 1, sizeof *list);
    struct roster_member plain[ROSTER_MAX];
    bool ok = list && n <= ROSTER_MAX;

    for (size_t i = 0; ok && i < n; i++) {
        ok = read_member(s, r->members[i], &list[i]);
        plain[i] = list[i].is;
    }
    int err = ok ? voice_on_roster(s->voice, now_us, r->epoch, plain, n) : -ROOST_INVALID;
    if (err) {
        free(list);
        speech_tell(s, ROOST_VOICE_ALARM, NULL,
                    "the server showed a list of people that cannot be");
        return;
    }
    free(s->members);
    s->members = list;
    s->n_members = n;
    s->epoch = r->epoch;
    for (size_t i = 0; i < n; i++)
        if (list[i].is.number != s->number)
            studio_person(s->studio, list[i].is.number, list[i].name);
    speech_tell(s, ROOST_VOICE_PEOPLE, NULL, "");
}

static void on_own(struct speech *s, bool muted)
{
    if (muted != s->silenced)
        speech_tell(s, muted ? ROOST_VOICE_SILENCED : ROOST_VOICE_HEARD,
                    speech_member(s, s->number), "");
    s->silenced = muted;
}

/* Streams of a whole list are the only ones. */
static void on_streams(struct speech *s, const Roost__MediaStreams *m, int64_t now_us)
{
    if (m->whole)
        voice_on_none(s->voice);
    for (size_t i = 0; i < m->n_streams; i++) {
        const Roost__MediaStream *x = m->streams[i];
        if (x->number == s->number && x->kind == ROOST__MEDIA_KIND__MEDIA_VOICE) {
            if (!s->published) /* from before the connection was lost */
                begin_stream(s, x->stream, x->muted, now_us);
            on_own(s, x->muted);
        }
        if (x->number != s->number && (x->kind == ROOST__MEDIA_KIND__MEDIA_VOICE ||
                                       x->kind == ROOST__MEDIA_KIND__MEDIA_SCREEN_SOUND))
            voice_on_stream(s->voice, now_us, x->stream, x->number, (enum media_codec)x->codec,
                            x->muted);
    }
    for (size_t i = 0; i < m->n_gone; i++) {
        voice_on_gone(s->voice, m->gone[i]);
        studio_gone(s->studio, m->gone[i]);
    }
}

static void on_push(struct speech *s, const Roost__ToClient *m, int64_t now_us)
{
    switch (m->body_case) {
    case ROOST__TO_CLIENT__BODY_MEDIA_ROSTER:
        if (m->media_roster->meeting == s->meeting)
            on_roster(s, m->media_roster, now_us);
        break;
    case ROOST__TO_CLIENT__BODY_MEDIA_STREAMS:
        if (m->media_streams->meeting == s->meeting)
            on_streams(s, m->media_streams, now_us);
        break;
    case ROOST__TO_CLIENT__BODY_MEDIA_SPEAKER:
        s->speaker = m->media_speaker->number;
        speech_tell(s, ROOST_VOICE_SPEAKER, speech_member(s, s->speaker), "");
        break;
    case ROOST__TO_CLIENT__BODY_MEDIA_KEYS:
        for (size_t i = 0; i < m->media_keys->n_keys; i++)
            voice_on_keys(s->voice, now_us, m->media_keys->keys[i]->number,
                          m->media_keys->keys[i]->data.data, m->media_keys->keys[i]->data.len);
        break;
    case ROOST__TO_CLIENT__BODY_MEDIA_OVER:
        if (m->media_over->meeting == s->meeting)
            speech_off(s, ROOST_VOICE_OVER,
                       m->media_over->error && m->media_over->error->text
                           ? m->media_over->error->text
                           : "");
        break;
    default:
        break;
    }
}

/* --- keys ----------------------------------------------------------------------------------------
 */

static void mind_events(struct speech *s)
{
    static const char *const alarms[] = {
        [KEYRING_DIFFERS] =
            "was shown another list of people than you: somebody lies. Their key is "
            "not taken",
        [KEYRING_FORGED] = "did not write a message of keys that came in their name: somebody "
                           "tried to take their place",
        [KEYRING_WENT_BACK] = "the server showed an old list of people again",
        [KEYRING_ALTERED] = "did not seal what comes in their name: it was changed on the way, and "
                            "is not played",
    };

    for (struct keyring_event e; voice_event(s->voice, &e);) {
        struct speech_member *m = speech_member(s, e.who);
        if (e.what == KEYRING_HAS_KEY && m && m->trust == ROOST_TRUST_NOT_YET)
            judge(s, m);
        else if (e.what == KEYRING_DIFFERS || e.what == KEYRING_FORGED ||
                 e.what == KEYRING_WENT_BACK || e.what == KEYRING_ALTERED)
            speech_tell(s, ROOST_VOICE_ALARM, m, alarms[e.what]);
    }
}

void speech_send_keys(struct speech *s, int64_t now_us)
{
    uint8_t bytes[KEYS_AT_ONCE][KEYRING_MESSAGE_MAX];
    Roost__MediaKey keys[KEYS_AT_ONCE], *list[KEYS_AT_ONCE];
    Roost__MediaKeys b = ROOST__MEDIA_KEYS__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    mind_events(s);
    /* what cannot be sent now waits in the keyring */
    while (s->was_ready && s->state == ROOST_VOICE_IN && s->n_own < SPEECH_OWN_MAX) {
        size_t n = 0, len;
        uint32_t to;
        for (; n < KEYS_AT_ONCE && (len = voice_next_keys(s->voice, &to, bytes[n])); n++) {
            roost__media_key__init(&keys[n]);
            keys[n].number = to;
            keys[n].data = (ProtobufCBinaryData){ len, bytes[n] };
            list[n] = &keys[n];
        }
        if (!n)
            return;
        m.body_case = ROOST__TO_SERVER__BODY_MEDIA_KEYS;
        m.media_keys = &b;
        b.meeting = s->meeting;
        b.n_keys = n;
        b.keys = list;
        if (speech_ask(s, &m, now_us) < 0)
            return;
    }
}

void speech_control(struct speech *s, int64_t now_us)
{
    const Roost__ToClient *m;

    drop_answers(s);
    if (s->state != ROOST_VOICE_OFF)
        mind_enter(s, now_us);
    while ((m = core_take_media(s->r->core)))
        if (s->voice)
            on_push(s, m, now_us);
    if (s->voice)
        mind_publish(s, now_us);
    mind_sealing(s);
}
