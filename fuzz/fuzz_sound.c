/* Files of sound that others made: WAV, Ogg and WebM. Nothing breaks, no item reaches beyond what
 * was given, and it makes no difference in which pieces the bytes come. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "media/ogg.h"
#include "media/wav.h"
#include "media/webm.h"

enum { ITEMS = 512, PIECE = 97 };

struct seen {
    uint32_t n;
    int end;
    struct {
        uint32_t what, track;
        int64_t at_us;
        size_t len;
        uint32_t sum;
    } items[ITEMS];
};

static uint32_t sum_of(const uint8_t *p, size_t len)
{
    uint32_t sum = 1;

    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + p[i];
    return sum;
}

static void note(struct seen *s, uint32_t what, uint32_t track, int64_t at_us, const uint8_t *p,
                 size_t len)
{
    if (s->n == ITEMS)
        return;
    memset(&s->items[s->n], 0, sizeof *s->items);
    s->items[s->n].what = what;
    s->items[s->n].track = track;
    s->items[s->n].at_us = at_us;
    s->items[s->n].len = len;
    s->items[s->n++].sum = sum_of(p, len);
}

/* One step at what is there; as webm_next. */
struct reading {
    bool ogg;
    struct webm_in webm;
    struct ogg_in packets;
};

static int step(struct reading *r, const uint8_t *p, size_t len, size_t *used, struct seen *s)
{
    struct webm_item item;
    const uint8_t *packet = NULL;
    size_t n = 0;
    int got = r->ogg ? ogg_next(&r->packets, p, len, used, &packet, &n)
                     : webm_next(&r->webm, p, len, used, &item);

    assert(*used <= len);
    if (got != 1)
        return got;
    if (r->ogg) {
        assert(n <= OGG_PACKET_MAX);
        note(s, 0, 0, 0, packet, n);
    } else {
        assert(item.what != WEBM_BLOCK || (item.bytes >= p && item.bytes + item.len <= p + *used));
        note(s, item.what, item.track, item.at_us, item.what == WEBM_BLOCK ? item.bytes : NULL,
             item.what == WEBM_BLOCK ? item.len : 0);
    }
    return 1;
}

/* The bytes come in pieces of so many. */
static void read_in(const uint8_t *bytes, size_t len, bool ogg, size_t piece, struct seen *s)
{
    struct reading *r = calloc(1, sizeof *r);
    size_t from = 0, to = 0, used;

    memset(s, 0, sizeof *s);
    r->ogg = ogg;
    webm_open(&r->webm);
    for (;;) {
        /* a copy of its own: who reads beyond it is seen */
        uint8_t *here = malloc(to - from ? to - from : 1);
        memcpy(here, bytes + from, to - from);
        int got = step(r, here, to - from, &used, s);
        free(here);
        from += used;
        s->end = got;
        if (got < 0 || s->n == ITEMS || (got == 0 && to == len))
            break;
        if (got == 0)
            to = len - to < piece ? len : to + piece;
    }
    free(r);
}

static void read_wav(const uint8_t *bytes, size_t len)
{
    struct wav w;
    int16_t pcm[64];
    uint8_t head[WAV_HEAD];

    if (!wav_read_head(bytes, len, &w))
        return;
    assert(w.at <= len && wav_each(&w) > 0);
    size_t n = (len - w.at) / wav_each(&w);
    wav_read(&w, bytes + w.at, n < 64 ? (uint32_t)n : 64, pcm);
    wav_write_head(head, w.hz, n);
    struct wav again;
    assert(wav_read_head(head, sizeof head, &again) && again.hz == w.hz);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct seen whole, pieces;

    if (len == 0 || len > 200000)
        return 0;
    uint8_t kind = bytes[0] % 3;
    bytes++;
    len--;
    if (kind == 0) {
        read_wav(bytes, len);
        return 0;
    }
    read_in(bytes, len, kind == 1, len ? len : 1, &whole);
    read_in(bytes, len, kind == 1, PIECE, &pieces);
    assert(whole.n == pieces.n && whole.end == pieces.end);
    assert(memcmp(whole.items, pieces.items, whole.n * sizeof *whole.items) == 0);
    return 0;
}
