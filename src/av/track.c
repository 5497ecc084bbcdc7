#include "av/track.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "av/codec.h"
#include "av/window.h"
#include "base/err.h"
#include "media/ogg.h"
#include "media/resample.h"
#include "media/wav.h"
#include "media/webm.h"

enum {
    PIECE = 480, /* samples of a WAV that are read at once */
};
_Static_assert(WINDOW_BYTES > OGG_PAGE_MAX + 8192, "a page fits");

enum kind { KIND_WAV, KIND_OGG, KIND_WEBM };

struct track {
    struct window window; /* of its file */
    enum kind kind;
    bool ended;
    /* of each kind */
    struct wav wav;
    uint64_t left; /* bytes of samples */
    struct resample *resample;
    struct ogg_in ogg;
    uint32_t packets;
    struct webm_in webm;
    uint32_t number; /* of the track */
    struct decoder *opus;
    uint32_t skip; /* samples that are not heard at the beginning */
    /* decoded, not read yet */
    int16_t ready[12 * PIECE + CODEC_TICKS_MAX];
    uint32_t from, to;
};

/* --- WAV ------------------------------------------------------------------------------ */

static bool more_wav(struct track *t)
{
    int16_t pcm[PIECE];
    uint32_t each = wav_each(&t->wav);
    uint64_t here = window_left(&t->window) / each;

    if (here < PIECE && window_more(&t->window))
        here = t->window.have / each;
    if (here > t->left / each)
        here = t->left / each;
    uint32_t n = here < PIECE ? (uint32_t)here : PIECE;
    if (n == 0)
        return false;
    wav_read(&t->wav, window_at(&t->window), n, pcm);
    t->window.used += (size_t)n * each;
    t->left -= t->wav.bytes == UINT64_MAX ? 0 : (uint64_t)n * each;
    t->to = resample(t->resample, pcm, n, t->ready);
    return true;
}

static int open_wav(struct track *t)
{
    if (!wav_read_head(t->window.bytes, t->window.have, &t->wav))
        return -ROOST_MALFORMED;
    t->window.used = t->wav.at;
    t->left = t->wav.bytes;
    return t->resample ? 0 : resample_new(&t->resample, t->wav.hz, MEDIA_HZ);
}

/* --- Opus ------------------------------------------------------------------------------ */

static void decode(struct track *t, const uint8_t *bytes, size_t len)
{
    int n = decoder_frame(t->opus, bytes, len, t->ready);

    if (n < 0)
        n = decoder_conceal(t->opus, MEDIA_HZ / 50, t->ready);
    t->to = n > 0 ? (uint32_t)n : 0;
    t->from = t->skip < t->to ? t->skip : t->to;
    t->skip -= t->from;
}

/* One step: 1 if there is sound now, 0 if there may be after more bytes. */
static int step_ogg(struct track *t)
{
    const uint8_t *packet;
    size_t used, len;
    int got = ogg_next(&t->ogg, window_at(&t->window), window_left(&t->window), &used, &packet,
                       &len);

    t->window.used += used;
    if (got != 1)
        return got;
    if (t->packets++ == 0) {
        if (len < OGG_OPUS_HEAD || memcmp(packet, "OpusHead", 8) != 0 || packet[18] != 0)
            return -ROOST_MALFORMED;
        t->skip = packet[10] | (uint32_t)packet[11] << 8;
    } else if (t->packets > 2) {
        decode(t, packet, len);
    }
    return 1;
}

static int step_webm(struct track *t)
{
    struct webm_item item;
    size_t used;
    int got = webm_next(&t->webm, window_at(&t->window), window_left(&t->window), &used, &item);

    if (got == 1 && item.what == WEBM_TRACK && item.opus && !t->number) {
        t->number = item.track;
        t->skip = item.skip;
    }
    if (got == 1 && item.what == WEBM_BLOCK && t->number && item.track == t->number)
        decode(t, item.bytes, item.len);
    t->window.used += used;
    return got;
}

static bool more_opus(struct track *t)
{
    while (t->from == t->to) {
        int got = t->kind == KIND_OGG ? step_ogg(t) : step_webm(t);
        if (got < 0 || (got == 0 && !window_more(&t->window)))
            return false;
    }
    return true;
}

/* --- all --------------------------------------------------------------------------------- */

static int begin(struct track *t)
{
    t->from = t->to = 0;
    t->window.have = t->window.used = t->packets = t->skip = t->number = 0;
    t->ended = false;
    memset(&t->ogg, 0, sizeof t->ogg);
    webm_open(&t->webm);
    if (t->opus)
        decoder_reset(t->opus);
    if (t->resample)
        resample_reset(t->resample);
    rewind(t->window.file);
    window_more(&t->window);
    if (t->window.have >= 4 && memcmp(t->window.bytes, "RIFF", 4) == 0) {
        t->kind = KIND_WAV;
        return open_wav(t);
    }
    bool ogg = t->window.have >= 4 && memcmp(t->window.bytes, "OggS", 4) == 0;
    bool webm = t->window.have >= 4 && memcmp(t->window.bytes, "\x1a\x45\xdf\xa3", 4) == 0;
    if (!ogg && !webm)
        return -ROOST_MALFORMED;
    t->kind = ogg ? KIND_OGG : KIND_WEBM;
    return t->opus ? 0 : decoder_new(&t->opus, MEDIA_OPUS);
}

/* Something is to be heard of it: else it is not the file that was meant. */
static bool has_sound(struct track *t)
{
    return t->kind == KIND_WAV ? more_wav(t) : more_opus(t);
}

int track_open(struct track **ret, const char *path)
{
    int err = -ROOST_NOMEM;
    struct track *t = calloc(1, sizeof *t);

    if (!t)
        goto out;
    t->window.file = fopen(path, "rbe");
    err = !t->window.file ? errno == ENOMEM ? -ROOST_NOMEM : -ROOST_NO_SUCH_FILE : begin(t);
    if (err)
        goto out;
    if (!has_sound(t)) {
        err = -ROOST_MALFORMED;
        goto out;
    }
    *ret = t;
    t = NULL;
out:
    track_free(t);
    return err;
}

void track_free(struct track *t)
{
    if (!t)
        return;
    if (t->window.file)
        fclose(t->window.file);
    resample_free(t->resample);
    decoder_free(t->opus);
    free(t);
}

uint32_t track_read(struct track *t, int16_t *pcm, uint32_t n)
{
    uint32_t have = 0;

    while (have < n) {
        if (t->from == t->to) {
            t->from = t->to = 0;
            t->ended = t->ended || !has_sound(t);
        }
        if (t->ended)
            break;
        uint32_t some = t->to - t->from < n - have ? t->to - t->from : n - have;
        memcpy(pcm + have, t->ready + t->from, some * sizeof *pcm);
        t->from += some;
        have += some;
    }
    return have;
}

void track_rewind(struct track *t)
{
    t->ended = begin(t) != 0;
}
