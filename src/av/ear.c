#include "av/ear.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "av/codec.h"
#include "av/sound.h"
#include "base/err.h"
#include "media/conceal.h"
#include "media/level.h"
#include "media/mix.h"
#include "media/stretch.h"

enum {
    EACH = 1 + CODEC_BYTES_MAX, /* of a frame that waits: its codec goes before it */
    TOGETHER = 960,             /* shorter frames are stretched by so many ticks at once */
    LONGER = MEDIA_HZ / 100,    /* a frame at most, by stretching */
    READY = CODEC_TICKS_MAX + LONGER + TOGETHER + CONCEAL_PERIOD_MAX,
    COMFORT = MEDIA_HZ,         /* the noise of silence is made up for so long without a frame, */
    COMFORT_STEP = 240,         /* in such pieces, */
    COMFORT_END = MEDIA_HZ / 5, /* and ends in the last of it */
    LEAD_SHARE = 256,           /* of it is forgotten with each turn: half in two seconds or so */
};

struct ear {
    struct jitter jitter;
    struct decoder *opus, *pcm;
    enum media_codec codec; /* of what was heard last */
    int16_t ready[READY];   /* decoded, not pulled yet */
    uint32_t from, to;
    bool sounds;        /* any of it is more than quiet */
    uint32_t comforted; /* ticks of silence since the last frame */
    int64_t now_us;     /* of the pull */
    int64_t lead_us;    /* so long before it is heard, sound is asked for */
    float volume;
    uint8_t level;
    ear_played *played;
    void *ctx;
    uint8_t waiting[JITTER_FRAMES * EACH];
};

int ear_new(struct ear **ret)
{
    int err = -ROOST_NOMEM;
    struct ear *e = calloc(1, sizeof *e);

    if (!e)
        goto out;
    err = decoder_new(&e->opus, MEDIA_OPUS);
    if (!err)
        err = decoder_new(&e->pcm, MEDIA_PCM);
    if (err)
        goto out;
    jitter_init(&e->jitter, e->waiting, EACH, false);
    e->codec = MEDIA_OPUS;
    e->volume = 1;
    *ret = e;
    e = NULL;
out:
    ear_free(e);
    return err;
}

void ear_free(struct ear *e)
{
    if (!e)
        return;
    decoder_free(e->opus);
    decoder_free(e->pcm);
    free(e);
}

void ear_set_volume(struct ear *e, float volume)
{
    e->volume = volume < 0 ? 0 : volume > 4 ? 4 : volume;
}

void ear_set_played(struct ear *e, ear_played *played, void *ctx)
{
    e->played = played;
    e->ctx = ctx;
}

const struct jitter *ear_jitter(const struct ear *e)
{
    return &e->jitter;
}

uint8_t ear_level(const struct ear *e)
{
    return e->level;
}

int ear_put(struct ear *e, int64_t now_us, const struct media *m, const uint8_t *bytes, size_t len)
{
    uint8_t frame[EACH];
    uint32_t ticks = codec_ticks(m->codec, bytes, len);

    if (ticks == 0)
        return -ROOST_MALFORMED;
    frame[0] = m->codec;
    memcpy(frame + 1, bytes, len);
    return jitter_put(&e->jitter, now_us, m, frame, len + 1, ticks);
}

/* --- from turns to samples --------------------------------------------------------- */

static struct decoder *decoder_of(struct ear *e, enum media_codec codec)
{
    struct decoder *d = codec == MEDIA_PCM ? e->pcm : e->opus;

    if (codec != e->codec)
        decoder_reset(d);
    e->codec = codec;
    return d;
}

/* Whether the frame behind a missing one carries it: each frame says so for itself. */
static void look_ahead(struct ear *e)
{
    struct jitter *j = &e->jitter;
    uint32_t i = (j->next + 1) % JITTER_FRAMES;
    const uint8_t *bytes = e->waiting + (size_t)i * EACH;

    j->recovers = j->slots[i].here && j->slots[i].frame == j->next + 1 &&
                  codec_recovers(bytes[0], bytes + 1, j->slots[i].len - 1);
}

/* The noise of the other's room goes on while frames come now and then that say how it sounds. */
static int quiet(struct ear *e, uint32_t ticks, int16_t *ret)
{
    if (e->codec != MEDIA_OPUS || !e->jitter.silence || e->comforted >= COMFORT) {
        memset(ret, 0, ticks * sizeof *ret);
        return (int)ticks;
    }
    int n = decoder_conceal(e->opus, COMFORT_STEP, ret);
    n = n > (int)ticks ? (int)ticks : n;
    for (int i = 0; i < n; i++) {
        uint32_t left = COMFORT - e->comforted - (uint32_t)i;
        if (e->comforted + (uint32_t)i >= COMFORT)
            ret[i] = 0;
        else if (left < COMFORT_END)
            ret[i] = (int16_t)(ret[i] * (int32_t)left / COMFORT_END);
    }
    e->comforted += n > 0 ? (uint32_t)n : COMFORT;
    return n;
}

/* The samples of one turn, as they are; negative: it was no frame after all. */
static int decode(struct ear *e, const struct jitter_turn *t, int16_t *ret)
{
    switch (t->what) {
    case JITTER_QUIET:
        return quiet(e, t->ticks, ret);
    case JITTER_CONCEAL:
        return decoder_conceal(decoder_of(e, e->codec), t->ticks, ret);
    case JITTER_RECOVER:
        return decoder_recover(decoder_of(e, t->bytes[0]), t->bytes + 1, t->len - 1, t->ticks, ret);
    default:
        e->comforted = 0;
        return decoder_frame(decoder_of(e, t->bytes[0]), t->bytes + 1, t->len - 1, ret);
    }
}

static int64_t us_of(uint32_t samples)
{
    return (int64_t)samples * 125 / 6;
}

/* Who asks in blocks asks for their ends sooner than for their beginnings. The longest of the last
 * seconds counts. */
static void note_lead(struct ear *e, int64_t lead_us)
{
    e->lead_us = lead_us > e->lead_us ? lead_us : e->lead_us - (e->lead_us - lead_us) / LEAD_SHARE;
    jitter_set_lead(&e->jitter, e->lead_us);
}

static void tell_played(struct ear *e, const struct jitter_turn *t, int64_t at_us)
{
    bool whole = t->what == JITTER_PLAY || t->what == JITTER_FASTER || t->what == JITTER_SLOWER;
    struct jitter_turn frame = *t;

    if (!whole || !e->played)
        return;
    frame.bytes++;
    frame.len--;
    e->played(e->ctx, &frame, t->bytes[0], at_us);
}

/* One more turn behind what is ready. */
static enum jitter_what take_turn(struct ear *e, int64_t at_us)
{
    struct jitter_turn t;

    look_ahead(e);
    jitter_next(&e->jitter, at_us, &t);
    tell_played(e, &t, at_us);
    int n = decode(e, &t, e->ready + e->to);
    if (n < 0) { /* it came, but is nonsense */
        n = (int)t.ticks;
        memset(e->ready + e->to, 0, t.ticks * sizeof *e->ready);
    }
    e->to += (uint32_t)n;
    e->sounds = e->sounds || t.what != JITTER_QUIET;
    return t.what;
}

static bool next_is_here(const struct ear *e)
{
    const struct jitter *j = &e->jitter;
    const struct jitter_slot *s = &j->slots[j->next % JITTER_FRAMES];

    return j->playing && s->here && s->frame == j->next;
}

/* A frame that is too short to have two periods of a voice is made longer by one that is made up;
 * to be made shorter it needs company, which is there: else it would not be late. */
static void stretch(struct ear *e, enum jitter_what what, int64_t at_us)
{
    uint32_t n = e->to - e->from;

    if (what == JITTER_SLOWER && n < TOGETHER / 2) {
        if (e->codec == MEDIA_PCM)
            e->to += (uint32_t)decoder_longer(e->pcm, e->ready + e->to);
        return;
    }
    while (what == JITTER_FASTER && e->to - e->from < TOGETHER && next_is_here(e))
        take_turn(e, at_us + us_of(e->to - e->from));
    n = e->to - e->from;
    if (n < TOGETHER / 2)
        return;
    if (what == JITTER_FASTER)
        e->to = e->from + stretch_shorter(e->ready + e->from, n, MEDIA_HZ);
    else if (what == JITTER_SLOWER)
        e->to = e->from + stretch_longer(e->ready + e->from, n, MEDIA_HZ);
}

static void refill(struct ear *e, int64_t at_us)
{
    e->from = e->to = 0;
    e->sounds = false;
    note_lead(e, at_us - e->now_us);
    enum jitter_what what = take_turn(e, at_us);
    stretch(e, what, at_us);
}

bool ear_pull(struct ear *e, int64_t now_us, int64_t at_us, int16_t *pcm, uint32_t n)
{
    bool sounds = false;

    assert(n <= SOUND_BLOCK);
    e->now_us = now_us;
    for (uint32_t have = 0; have < n;) {
        if (e->from == e->to)
            refill(e, at_us + us_of(have));
        uint32_t some = e->to - e->from < n - have ? e->to - e->from : n - have;
        memcpy(pcm + have, e->ready + e->from, some * sizeof *pcm);
        sounds = sounds || (e->sounds && some > 0);
        e->from += some;
        have += some;
    }
    e->level = level_of(pcm, n);
    if (e->volume != 1)
        mix_volume(pcm, n, e->volume);
    return sounds;
}
