#include "av/composed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "av/codec.h"
#include "base/err.h"
#include "media/ogg.h"
#include "media/wav.h"
#include "media/webm.h"

enum {
    FRAME = 960,
    BITS = 64000,
    AHEAD = 312,      /* samples by which Opus is late: the file says so */
    PAGE_FRAMES = 50, /* a page of Ogg for each second */
};

_Static_assert((int)WEBM_HEAD >= (int)OGG_PAGE_MAX, "a page fits");

enum kind { WAV, OGG, WEBM };

struct composed {
    enum kind kind;
    char *path;
    FILE *file;
    int err;
    uint64_t samples, frames;
    int16_t pcm[FRAME];
    uint32_t n;
    struct encoder *opus;
    struct ogg_out ogg;
    struct webm_out webm;
    uint8_t page[WEBM_HEAD];
};

static int io_error(void)
{
    return errno == ENOSPC || errno == EDQUOT ? -ROOST_FULL : -ROOST_IO;
}

static void put(struct composed *c, const void *bytes, size_t len)
{
    if (!c->err && len > 0 && fwrite(bytes, len, 1, c->file) != 1)
        c->err = io_error();
}

static void put_at(struct composed *c, uint64_t at, const void *bytes, size_t len)
{
    if (!c->err && fseeko(c->file, (off_t)at, SEEK_SET) != 0)
        c->err = io_error();
    put(c, bytes, len);
}

/* --- frames ---------------------------------------------------------------------------- */

static void put_page(struct composed *c, bool last)
{
    put(c, c->page, ogg_page(&c->ogg, last, c->page));
}

static void put_frame(struct composed *c)
{
    uint8_t bytes[CODEC_BYTES_MAX], head[WEBM_MORE_MAX];
    bool silence;
    int len = encoder_frame(c->opus, c->pcm, FRAME, bytes, &silence);

    c->n = 0;
    if (len <= 0)
        return;
    int64_t at_us = (int64_t)c->frames++ * 20000;
    if (c->kind == WEBM) {
        put(c, head, webm_block(&c->webm, 1, at_us, (size_t)len, head));
        put(c, bytes, (size_t)len);
        return;
    }
    if (c->frames % PAGE_FRAMES == 1 && c->frames > 1)
        put_page(c, false);
    if (!ogg_put(&c->ogg, bytes, (size_t)len, c->frames * FRAME)) {
        put_page(c, false);
        ogg_put(&c->ogg, bytes, (size_t)len, c->frames * FRAME);
    }
}

int composed_write(struct composed *c, const int16_t *pcm, uint32_t n)
{
    c->samples += n;
    if (c->kind == WAV) {
        put(c, pcm, n * sizeof *pcm);
        return c->err;
    }
    while (n > 0) {
        uint32_t some = FRAME - c->n < n ? FRAME - c->n : n;
        memcpy(c->pcm + c->n, pcm, some * sizeof *pcm);
        c->n += some;
        pcm += some;
        n -= some;
        if (c->n == FRAME)
            put_frame(c);
    }
    return c->err;
}

/* --- beginning and end -------------------------------------------------------------------- */

static bool ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), k = strlen(end);

    return n > k && strcmp(path + n - k, end) == 0;
}

static int kind_of(const char *path)
{
    return ends_in(path, ".wav")                             ? WAV
           : ends_in(path, ".opus") || ends_in(path, ".ogg") ? OGG
           : ends_in(path, ".webm") || ends_in(path, ".mka") ? WEBM
                                                             : -1;
}

static void put_head(struct composed *c)
{
    uint8_t bytes[64];

    if (c->kind == WAV) {
        wav_write_head(bytes, MEDIA_HZ, 0);
        put(c, bytes, WAV_HEAD);
    } else if (c->kind == OGG) {
        ogg_init(&c->ogg, 1);
        ogg_put(&c->ogg, bytes, ogg_opus_head(bytes, AHEAD), 0);
        put_page(c, false);
        ogg_put(&c->ogg, bytes, ogg_opus_tags(bytes, sizeof bytes, "roost"), 0);
        put_page(c, false);
    } else {
        webm_begin(&c->webm, 0, "", c->page);
        webm_slot(1, "all", c->page + webm_slot_at(1));
        put(c, c->page, WEBM_HEAD);
    }
}

static void composed_free(struct composed *c)
{
    if (!c)
        return;
    if (c->file)
        fclose(c->file);
    encoder_free(c->opus);
    free(c->path);
    free(c);
}

int composed_new(struct composed **ret, const char *path)
{
    struct encoder_wish wish = { .codec = MEDIA_OPUS, .music = true, .bits = BITS };
    int kind = kind_of(path), err = -ROOST_NOMEM;
    struct composed *c = calloc(1, sizeof *c);

    if (!c)
        goto out;
    err = -ROOST_INVALID;
    if (kind < 0)
        goto out;
    c->kind = (enum kind)kind;
    err = -ROOST_NOMEM;
    c->path = strdup(path);
    if (!c->path)
        goto out;
    err = encoder_new(&c->opus, &wish);
    if (err)
        goto out;
    c->file = fopen(path, "wbxe");
    err = c->file ? 0 : errno == EEXIST ? -ROOST_ALREADY : io_error();
    if (err)
        goto out;
    put_head(c);
    *ret = c;
    c = NULL;
out:
    composed_free(c);
    return err;
}

static void put_end(struct composed *c)
{
    uint8_t patch[WEBM_PATCH_MAX], *cues;
    uint64_t at;

    if (c->kind == WAV) {
        wav_write_head(patch, MEDIA_HZ, c->samples);
        put_at(c, 0, patch, WAV_HEAD);
        return;
    }
    if (c->n > 0) {
        memset(c->pcm + c->n, 0, (FRAME - c->n) * sizeof *c->pcm);
        put_frame(c);
    }
    if (c->kind == OGG) {
        put_page(c, true);
        return;
    }
    cues = malloc((size_t)c->webm.n_cues * WEBM_CUE_BYTES + 16);
    if (cues) {
        put_at(c, c->webm.at, cues, webm_cues(&c->webm, cues));
        size_t n = webm_patch_seek(&c->webm, &at, patch);
        put_at(c, at, patch, n);
        free(cues);
    }
    size_t n = webm_patch_duration(&c->webm, &at, patch);
    put_at(c, at, patch, n);
}

int composed_end(struct composed *c, bool keep)
{
    if (keep)
        put_end(c);
    if (!c->err && fflush(c->file) != 0)
        c->err = io_error();
    int err = c->err;
    if (!keep || err)
        unlink(c->path);
    composed_free(c);
    return err;
}
