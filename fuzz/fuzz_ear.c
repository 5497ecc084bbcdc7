/* One person's voice out of frames and times as they never come: nothing breaks, whatever the codec
 * is given, and as many samples come as were asked for. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <string.h>

#include "av/codec.h"
#include "av/ear.h"
#include "av/sound.h"

struct input {
    const uint8_t *p;
    size_t left;
};

static uint32_t take(struct input *x, int bytes)
{
    uint32_t n = 0;

    for (int i = 0; i < bytes && x->left; i++, x->left--)
        n = n << 8 | *x->p++;
    return n;
}

static void put(struct ear *e, struct input *x, int64_t now_us)
{
    static uint8_t bytes[2 * CODEC_BYTES_MAX];
    struct media m = { .codec = (uint8_t)(take(x, 1) % MEDIA_CODECS),
                       .frame = take(x, 1),
                       .timestamp = take(x, 2) * 120,
                       .silence = take(x, 1) & 1 };
    static const size_t lengths[] = { 480, 640, 3, 40 };
    size_t want = take(x, 1), len = want < 4 ? lengths[want] : want * 4;

    for (size_t i = 0; i < len; i++) /* what is missing is made of what there was */
        bytes[i] = x->left ? (uint8_t)take(x, 1) : (uint8_t)(i * 7 + len);
    ear_put(e, now_us, &m, bytes, len);
}

static void on_played(void *ctx, const struct jitter_turn *t, enum media_codec codec, int64_t at_us)
{
    (void)ctx, (void)at_us;
    assert(codec_ticks(codec, t->bytes, t->len) == t->ticks);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct input x = { bytes, len };
    struct ear *e = NULL;
    int64_t now_us = 0, at_us = 0;
    int16_t pcm[SOUND_BLOCK + 1];

    if (len > 4000 || ear_new(&e))
        return 0;
    ear_set_played(e, on_played, NULL);
    for (int steps = 0; x.left && steps < 300; steps++) {
        uint32_t what = take(&x, 1);
        now_us += (what >> 2) * 500;
        if (what & 1) {
            put(e, &x, now_us);
        } else {
            uint32_t n = what & 2 ? SOUND_BLOCK : 1 + take(&x, 1);
            pcm[n] = 12345;
            at_us = at_us > now_us ? at_us : now_us;
            ear_pull(e, now_us, at_us, pcm, n);
            at_us += n * 125 / 6;
            assert(pcm[n] == 12345);
        }
        ear_set_volume(e, (float)(what % 8) / 2);
    }
    const struct jitter_counts *c = &ear_jitter(e)->counts;
    assert(c->concealed_ticks <= 1ULL << 40 && c->played <= 300);
    ear_free(e);
    return 0;
}
