#include "client/speech.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "client/edge.h"
#include "flow/flow_media.h"
#include "seal/digest.h"

#define LOOK_US 200000

/* --- what there is to tell ---------------------------------------------------------------- */

void speech_tell(struct speech *s, enum roost_voice_what what, const struct speech_member *of,
                 const char *text)
{
    if (s->n_news == SPEECH_NEWS_MAX) /* nobody pulls: the oldest goes */
        memmove(s->news, s->news + 1, --s->n_news * sizeof *s->news);
    struct speech_news *n = &s->news[s->n_news++];
    *n = (struct speech_news){ .what = what };
    if (of) {
        n->number = of->is.number;
        n->account = of->account;
        snprintf(n->name, sizeof n->name, "%s", of->name);
    }
    snprintf(n->text, sizeof n->text, "%s", text ? text : "");
}

bool speech_has_news(const struct speech *s)
{
    return s->n_news > 0;
}

bool speech_next(struct speech *s, struct roost_event *ret)
{
    if (!s->n_news)
        return false;
    s->given = s->news[0];
    memmove(s->news, s->news + 1, --s->n_news * sizeof *s->news);
    *ret = (struct roost_event){ .kind = ROOST_VOICE };
    ret->voice = (struct roost_voice_event){ .what = s->given.what,
                                             .meeting = s->meeting,
                                             .account = s->given.account,
                                             .number = s->given.number,
                                             .name = s->given.name,
                                             .text = s->given.text };
    return true;
}

/* --- life --------------------------------------------------------------------------------------
 */

void speech_init(struct speech *s, struct roost *r)
{
    *s = (struct speech){ .r = r };
}

static void drop(struct speech *s)
{
    const struct datagrams_media none = { .take = NULL };

    if (s->r)
        datagrams_media(&s->r->datagrams, &none, -1);
    studio_free(s->studio);
    voice_free(s->voice);
    s->studio = NULL;
    s->voice = NULL;
    s->number = s->before = 0;
    s->stream = 0;
    s->published = s->silenced = false;
    s->n_members = 0;
    s->state = ROOST_VOICE_OFF;
    seal_wipe(s->hub, sizeof s->hub);
}

void speech_fini(struct speech *s)
{
    if (!s->r)
        return;
    drop(s);
    if (s->has_chores)
        chores_fini(&s->chores);
    seal_wipe(s->seed, sizeof s->seed);
    free(s->code);
    free(s->members);
    free(s->people);
    free(s->sentences);
}

void speech_off(struct speech *s, enum roost_voice_what what, const char *text)
{
    drop(s);
    speech_tell(s, what, NULL, text);
}

/* --- datagrams ------------------------------------------------------------------------------- */

static void on_dgram(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct speech *s = ctx;

    if (s->voice)
        voice_on_dgram(s->voice, edge_now_us(), d, payload);
}

static void take_frames(struct speech *s, int64_t now_us)
{
    struct studio_frame f;

    while (studio_next(s->studio, &f)) {
        struct voice_said said = { .codec = f.codec,
                                   .timestamp = f.timestamp,
                                   .level = f.level,
                                   .silence = f.silence,
                                   .bytes = f.bytes,
                                   .len = f.len };
        if (!s->voice || !s->published || s->silenced)
            continue;
        if (!voice_say(s->voice, now_us, 0, &said))
            s->frames++;
    }
}

static void follow_path(struct speech *s)
{
    struct flow_media_view v;
    uint32_t ticks = s->frame_ms * (MEDIA_HZ / 1000);

    if (!s->r->datagrams.flow || !flow_look_media(s->r->datagrams.flow, &v))
        return;
    voice_on_path(s->voice, v.rate, v.loss, v.rtt_us);
    s->bits_now = voice_bits(s->voice, s->bits, ticks);
    studio_rate(s->studio, s->bits_now, v.loss);
}

/* In each turn of the session's, before it sends. */
static void turn(void *ctx, int64_t now_us)
{
    struct speech *s = ctx;
    struct voice_out o;

    if (!s->studio)
        return;
    take_frames(s, now_us);
    if (!s->voice)
        return;
    follow_path(s);
    voice_expire(s->voice, now_us);
    while (voice_next(s->voice, now_us, &o))
        datagrams_send_media(&s->r->datagrams, o.parts, o.n_parts, o.words, o.n_words, now_us);
}

/* --- beginning and end ------------------------------------------------------------------------ */

static int check(const struct roost_voice_options *o, uint32_t *ret_ms)
{
    bool pcm = o->codec == ROOST_PCM;
    uint32_t ms = o->frame_ms ? o->frame_ms : 20;
    bool fits = pcm ? ms == 5 || ms == 20 : ms == 10 || ms == 20 || ms == 60;

    if (o->codec > ROOST_PCM || !fits)
        return -ROOST_INVALID;
    if (o->bits && (o->bits < CODEC_BITS_LEAST || o->bits > CODEC_BITS_MOST))
        return -ROOST_INVALID;
    *ret_ms = ms;
    return 0;
}

static struct studio_wish wish_of(const struct speech *s, const struct roost_voice_options *o)
{
    return (struct studio_wish){ .mic = o->mic,
                                 .speaker = o->speaker,
                                 .codec = s->codec == ROOST_PCM ? MEDIA_PCM : MEDIA_OPUS,
                                 .frame_ticks = s->frame_ms * (MEDIA_HZ / 1000),
                                 .bits = s->bits,
                                 .music = o->music,
                                 .ptt = o->push_to_talk,
                                 .muted = o->muted,
                                 .echo = !o->raw_mic,
                                 .noise = !o->raw_mic && !o->music,
                                 .gain = !o->raw_mic && !o->music,
                                 .record = o->record,
                                 .title = o->title,
                                 .name = o->name };
}

int roost_voice_start(struct roost *r, uint64_t meeting, const struct roost_voice_options *o,
                      char why[ROOST_VOICE_WHY])
{
    struct speech *s = &r->speech;
    const struct datagrams_media media = { .ctx = s, .take = on_dgram, .turn = turn };
    int err = check(o, &s->frame_ms);

    snprintf(why, ROOST_VOICE_WHY, "%s", "");
    if (s->state != ROOST_VOICE_OFF)
        err = -ROOST_ALREADY;
    if (!err && r->guest) /* nobody knows guests: what nobody can recognize has no need to last */
        err = getrandom(s->seed, sizeof s->seed, 0) == sizeof s->seed ? 0 : -ROOST_IO;
    else if (!err)
        err = home_identity(&r->home, s->seed);
    if (err) {
        snprintf(why, ROOST_VOICE_WHY, "%s", err_text(err));
        return err;
    }
    s->codec = o->codec ? o->codec : ROOST_OPUS;
    s->bits = s->bits_now = o->bits ? o->bits : VOICE_BITS_USUAL;
    struct studio_wish wish = wish_of(s, o);
    err = studio_new(&s->studio, &wish, why);
    if (err)
        return err;
    if (s->meeting != meeting) /* of that one it is remembered how it was sealed */
        s->sealed = s->unsealed = false;
    s->meeting = meeting;
    s->state = ROOST_VOICE_ENTERING;
    s->enter_us = 0;
    s->was_ready = core_state(r->core) == CORE_AT_READY;
    datagrams_media(&r->datagrams, &media, studio_fd(s->studio));
    datagrams_want(&r->datagrams, true);
    return 0;
}

void roost_voice_stop(struct roost *r)
{
    struct speech *s = &r->speech;
    Roost__MediaLeave b = ROOST__MEDIA_LEAVE__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;

    if (s->state == ROOST_VOICE_OFF)
        return;
    m.body_case = ROOST__TO_SERVER__BODY_MEDIA_LEAVE;
    m.media_leave = &b;
    b.meeting = s->meeting;
    if (core_state(r->core) == CORE_AT_READY)
        speech_ask(s, &m, edge_now_us());
    drop(s);
    datagrams_unplace(&r->datagrams);
}

void roost_voice_mute(struct roost *r, bool muted)
{
    if (r->speech.studio)
        studio_mute(r->speech.studio, muted);
}

void roost_voice_talk(struct roost *r, bool pushed)
{
    if (r->speech.studio)
        studio_talk(r->speech.studio, pushed);
}

void roost_voice_volume(struct roost *r, uint32_t number, float volume)
{
    if (r->speech.studio)
        studio_volume(r->speech.studio, number, volume);
}

/* --- turns ---------------------------------------------------------------------------------------
 */

void speech_process(struct speech *s, int64_t now_us)
{
    char text[STUDIO_NEWS];

    speech_mind_code(s);
    speech_control(s, now_us);
    if (s->state == ROOST_VOICE_OFF)
        return;
    while (studio_news(s->studio, text))
        speech_tell(s, ROOST_VOICE_RECORD, NULL, text);
    if (!s->r->datagrams.flow)
        turn(s, now_us); /* frames do not wait, time goes on */
    if (!s->voice)
        return;
    speech_send_keys(s, now_us);
    if (now_us - s->look_us >= LOOK_US)
        speech_look(s, now_us);
    speech_report(s, now_us);
}

int64_t speech_deadline_us(const struct speech *s, int64_t now_us)
{
    int64_t at_us = speech_code_due_us(s, now_us);

    if (s->state == ROOST_VOICE_OFF)
        return at_us;
    int64_t voice_us = s->voice ? voice_deadline_us(s->voice, now_us) : INT64_MAX;
    int64_t look_us = s->look_us + LOOK_US;
    at_us = voice_us < at_us ? voice_us : at_us;
    at_us = s->voice && look_us < at_us ? look_us : at_us;
    if (s->state == ROOST_VOICE_ENTERING && !s->enter && s->was_ready && s->enter_us < at_us)
        at_us = s->enter_us;
    return at_us;
}
