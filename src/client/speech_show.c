/* speech_show.c - figures: what is shown, what is reported, and the words to compare. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/speech.h"
#include "flow/flow_media.h"

enum { REPORT_MOST = 64 };
#define REPORT_US 2000000
#define CODE_US   20000 /* the words are asked for so often while they are made */

/* --- what the ears did ---------------------------------------------------------------------- */

void speech_look(struct speech *s, int64_t now_us)
{
    s->look_us = now_us;
    studio_look(s->studio, &s->look);
    for (uint32_t i = 0; i < s->look.n; i++) {
        const struct studio_ear *e = &s->look.ears[i];
        struct voice_ear ear = { e->played_ticks, e->concealed_ticks, e->held_us };
        voice_on_ear(s->voice, now_us, e->stream, &ear);
    }
}

/* --- what is shown --------------------------------------------------------------------------- */

static void sentence(const struct figures_view *v, char ret[static FIGURES_SENTENCE])
{
    *ret = 0;
    if (v->why != FIGURES_STEADY)
        figures_sentence(v->why, v->why_value, ret, FIGURES_SENTENCE);
}

static struct roost_voice_figures plain(const struct figures_view *v, const char *why)
{
    return (struct roost_voice_figures){ .rtt_us = v->rtt_us,
                                         .jitter_us = v->jitter_us,
                                         .bits = v->bits,
                                         .loss_ppm = v->loss_ppm,
                                         .left_ppm = v->loss_after_ppm,
                                         .why = why };
}

static uint8_t level_of_ear(const struct speech *s, uint32_t who)
{
    uint8_t most = 0;

    for (uint32_t i = 0; i < s->look.n; i++)
        if (s->look.ears[i].who == who && s->look.ears[i].level > most)
            most = s->look.ears[i].level;
    return most;
}

static void show_person(struct speech *s, size_t i, int64_t now_us)
{
    const struct speech_member *m = &s->members[i];
    struct roost_voice_person *p = &s->people[i];
    struct voice_figures f;

    *p = (struct roost_voice_person){ .number = m->is.number,
                                      .account = m->account,
                                      .name = m->name,
                                      .device_name = m->device_name,
                                      .self = m->is.number == s->number,
                                      .guest = m->guest,
                                      .trust = m->trust,
                                      .figures.why = "" };
    if (p->self) {
        p->sends = s->published;
        p->muted = s->silenced;
        p->level = s->look.level;
        p->heard = s->look.speaks && !studio_is_muted(s->studio) && !s->silenced;
        return;
    }
    p->level = level_of_ear(s, p->number);
    for (uint32_t k = 0; voice_look(s->voice, now_us, k, &f); k++) {
        if (f.who != p->number)
            continue;
        sentence(&f.view, s->sentences[1 + i]);
        p->sends = true;
        p->muted = f.muted;
        p->heard = f.heard;
        p->figures = plain(&f.view, s->sentences[1 + i]);
        p->figures.held_us = f.held_us;
        p->figures.concealed_ppm = f.concealed_ppm;
        p->figures.played_us = f.ear.played_ticks * 125 / 6;
        p->figures.made_up_us = f.ear.concealed_ticks * 125 / 6;
        p->unopened += f.unopened;
    }
}

static void show_path(struct speech *s, int64_t now_us)
{
    struct flow_media_view v;
    struct figures_view f;

    s->shown.path.why = "";
    if (!s->r->datagrams.flow || !flow_look_media(s->r->datagrams.flow, &v) ||
        !flow_media_figures(s->r->datagrams.flow, now_us, &f))
        return;
    sentence(&f, s->sentences[0]);
    s->shown.path = plain(&f, s->sentences[0]);
    s->shown.estimate = v.rate;
}

static bool make_room(struct speech *s)
{
    struct roost_voice_person *people = realloc(s->people, (s->n_members + 1) * sizeof *people);

    if (people)
        s->people = people;
    void *sentences = people ? realloc(s->sentences, (s->n_members + 1) * sizeof *s->sentences)
                             : NULL;
    if (sentences)
        s->sentences = sentences;
    return people && sentences;
}

const struct roost_voice *roost_voice_get(struct roost *r)
{
    struct speech *s = &r->speech;
    int64_t now_us = edge_now_us();

    if (s->state == ROOST_VOICE_OFF || !make_room(s))
        return NULL;
    if (s->voice)
        speech_look(s, now_us);
    else
        studio_look(s->studio, &s->look);
    s->shown = (struct roost_voice){ .state = s->state,
                                     .meeting = s->meeting,
                                     .number = s->number,
                                     .end_to_end = s->sealed,
                                     .silenced = s->silenced,
                                     .muted = studio_is_muted(s->studio),
                                     .level = s->look.level,
                                     .speaks = s->look.speaks,
                                     .mic = s->look.mic.text,
                                     .speaker = s->look.speaker.text,
                                     .codec = s->codec,
                                     .frame_ms = s->frame_ms,
                                     .codec_bits = s->bits_now,
                                     .speaker_number = s->speaker,
                                     .epoch = s->epoch,
                                     .frames_sent = s->frames,
                                     .frames_lost = s->look.lost,
                                     .mic_began_us = s->look.mic.began_us,
                                     .speaker_began_us = s->look.speaker.began_us,
                                     .people = s->people,
                                     .n_people = s->voice ? s->n_members : 0 };
    show_path(s, now_us);
    for (size_t i = 0; i < s->shown.n_people; i++)
        show_person(s, i, now_us);
    return &s->shown;
}

/* --- what is reported ------------------------------------------------------------------------- */

static void fill(Roost__MediaFigures *m, const struct figures_view *v)
{
    roost__media_figures__init(m);
    m->rtt_us = (uint32_t)v->rtt_us;
    m->jitter_us = (uint32_t)v->jitter_us;
    m->bits = v->bits;
    m->loss_ppm = v->loss_ppm;
    m->left_ppm = v->loss_after_ppm;
    m->why = v->why;
    m->why_value = v->why_value;
}

static size_t fill_path(struct speech *s, int64_t now_us, Roost__MediaFigures *m)
{
    struct flow_media_view v;
    struct figures_view f;

    if (!s->r->datagrams.flow || !flow_look_media(s->r->datagrams.flow, &v) ||
        !flow_media_figures(s->r->datagrams.flow, now_us, &f))
        return 0;
    fill(m, &f);
    m->sent = true;
    m->estimate = v.rate;
    m->tunnel = s->r->datagrams.way == ROOST_WAY_TUNNEL;
    return 1;
}

static void fill_stream(const struct speech *s, const struct voice_figures *f,
                        Roost__MediaFigures *m, char codec[static 40])
{
    fill(m, &f->view);
    m->stream = f->stream;
    m->sent = !f->who;
    m->held_us = (uint32_t)f->held_us;
    m->concealed_ppm = f->concealed_ppm;
    if (f->codec == MEDIA_OPUS && m->sent)
        snprintf(codec, 40, "opus %u kbit/s", s->bits_now / 1000);
    else
        snprintf(codec, 40, "%s", f->codec == MEDIA_PCM ? "pcm" : "opus");
    m->codec = codec;
}

void speech_report(struct speech *s, int64_t now_us)
{
    Roost__MediaFigures figures[REPORT_MOST], *list[REPORT_MOST];
    Roost__MediaReport b = ROOST__MEDIA_REPORT__INIT;
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    char codecs[REPORT_MOST][40];
    struct voice_figures f;

    if (now_us - s->report_us < REPORT_US || s->state != ROOST_VOICE_IN || !s->was_ready ||
        s->n_own >= SPEECH_OWN_MAX)
        return;
    s->report_us = now_us;
    size_t n = fill_path(s, now_us, &figures[0]);
    for (uint32_t i = 0; n < REPORT_MOST && voice_look(s->voice, now_us, i, &f); i++, n++)
        fill_stream(s, &f, &figures[n], codecs[n]);
    for (size_t i = 0; i < n; i++)
        list[i] = &figures[i];
    m.body_case = ROOST__TO_SERVER__BODY_MEDIA_REPORT;
    m.media_report = &b;
    b.meeting = s->meeting;
    b.n_figures = n;
    b.figures = list;
    if (n)
        speech_ask(s, &m, now_us);
}

/* --- the words to compare ------------------------------------------------------------------------
 */

static void make_code(struct chore *chore)
{
    struct speech_code *c = (struct speech_code *)chore;

    c->err = roster_code(c->meeting, c->list, c->n, c->words);
}

static void begin_code(struct speech *s)
{
    struct speech_code *c = s->code;

    c->chore.run = make_code;
    c->busy = true;
    c->again = false;
    c->meeting = s->meeting;
    c->n = s->n_members < ROSTER_MAX ? s->n_members : ROSTER_MAX;
    for (size_t i = 0; i < c->n; i++) {
        memcpy(c->names[i], s->members[i].name, sizeof c->names[i]);
        memcpy(c->list[i].identity, s->members[i].is.identity, ROSTER_IDENTITY);
        c->list[i].name = c->names[i];
    }
    chores_add(&s->chores, &c->chore);
}

int roost_voice_code(struct roost *r)
{
    struct speech *s = &r->speech;

    if (s->state == ROOST_VOICE_OFF || !s->n_members)
        return -ROOST_NOT_IN_MEETING;
    if (!s->has_chores) {
        int err = chores_init(&s->chores);
        if (err)
            return err;
        s->has_chores = true;
    }
    if (!s->code && !(s->code = calloc(1, sizeof *s->code)))
        return -ROOST_NOMEM;
    if (s->code->busy)
        s->code->again = true; /* of the list as it is now */
    else
        begin_code(s);
    return 0;
}

void speech_mind_code(struct speech *s)
{
    if (!s->code || !s->code->busy || !chores_next(&s->chores))
        return;
    s->code->busy = false;
    if (s->code->again && s->n_members)
        begin_code(s);
    else
        speech_tell(s, ROOST_VOICE_CODE, NULL,
                    s->code->err ? err_text(s->code->err) : s->code->words);
}

int64_t speech_code_due_us(const struct speech *s, int64_t now_us)
{
    return s->code && s->code->busy ? now_us + CODE_US : INT64_MAX;
}
