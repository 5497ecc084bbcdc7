#include "av/compose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "av/codec.h"
#include "av/composed.h"
#include "av/window.h"
#include "base/err.h"
#include "media/mix.h"
#include "media/webm.h"

enum {
    BLOCK = 480,
    WINDOW = 48000 * 4, /* of sound in memory; a multiple of BLOCK */
    BEHIND = 48000 * 2, /* blocks of different tracks may be so far out of order */
    APART = 1920,       /* what is nearer to the last frame's end than 40 ms follows it at once */
};

struct line { /* a track that is read */
    uint32_t number;
    struct decoder *opus;
    uint64_t next; /* the sample that comes next; 0: nothing came */
};

struct composer {
    struct window window; /* of the recording */
    struct composed *to;
    struct compose_report *report;
    struct webm_in webm;
    struct line lines[COMPOSE_TRACKS_MAX];
    float sums[WINDOW];
    uint64_t done, end; /* samples that were given on; until here there is some */
    bool has_end;       /* the recording says how long it is */
    struct mix mix;
};

/* --- the mix ------------------------------------------------------------------------------ */

static int give_block(struct composer *c)
{
    int16_t pcm[BLOCK];
    float *from = c->sums + c->done % WINDOW;

    mix_begin(&c->mix, BLOCK);
    memcpy(c->mix.sum, from, sizeof pcm / sizeof *pcm * sizeof *from);
    mix_end(&c->mix, pcm);
    memset(from, 0, BLOCK * sizeof *from);
    c->done += BLOCK;
    return composed_write(c->to, pcm, BLOCK);
}

static int give_until(struct composer *c, uint64_t sample)
{
    int err = 0;

    while (!err && c->done + BLOCK <= sample)
        err = give_block(c);
    return err;
}

/* Where a frame goes: behind the last one, unless it is another time altogether. */
static uint64_t place_of(const struct line *l, uint64_t want)
{
    if (l->next == 0 || want > l->next + APART || want + APART < l->next)
        return want;
    return l->next;
}

static int add_frame(struct composer *c, uint32_t i, const struct webm_item *item)
{
    struct line *l = &c->lines[i];
    struct compose_track *t = &c->report->tracks[i];
    int16_t pcm[CODEC_TICKS_MAX];
    uint64_t at = place_of(l, (uint64_t)item->at_us * 6 / 125);
    int n = decoder_frame(l->opus, item->bytes, item->len, pcm), err = 0;

    if (n < 0) {
        t->bad++;
        n = decoder_conceal(l->opus, MEDIA_HZ / 50, pcm);
    }
    if (n <= 0)
        return 0;
    if (at + (uint64_t)n > BEHIND)
        err = give_until(c, at + (uint64_t)n - BEHIND);
    if (t->frames++ == 0)
        t->first_us = item->at_us;
    t->heard_us += n * 125LL / 6;
    for (int k = 0; k < n; k++)
        if (at + (uint64_t)k >= c->done)
            c->sums[(at + (uint64_t)k) % WINDOW] += pcm[k];
    l->next = at + (uint64_t)n;
    c->end = l->next > c->end ? l->next : c->end;
    return err;
}

/* --- the recording -------------------------------------------------------------------------- */

static int add_track(struct composer *c, const struct webm_item *item)
{
    struct compose_report *r = c->report;

    if (!item->opus || r->n == COMPOSE_TRACKS_MAX)
        return 0;
    int err = decoder_new(&c->lines[r->n].opus, MEDIA_OPUS);
    if (err)
        return err;
    c->lines[r->n].number = item->track;
    struct compose_track *t = &r->tracks[r->n++];
    snprintf(t->name, sizeof t->name, "%.*s", RECORD_NAME - 1, item->name);
    t->partly = strstr(item->name, RECORD_MARK) != NULL;
    return 0;
}

static int on_item(struct composer *c, const struct webm_item *item)
{
    if (item->what == WEBM_TRACK)
        return add_track(c, item);
    if (item->what == WEBM_DURATION) {
        c->has_end = true;
        return 0;
    }
    if (item->at_us > COMPOSE_MOST_US) /* who wrote this wants us to write silence */
        return -ROOST_MALFORMED;
    for (uint32_t i = 0; i < c->report->n; i++)
        if (c->lines[i].number == item->track)
            return add_frame(c, i, item);
    return 0;
}

/* Reads all. An end in the middle of an element is where it was cut off. */
static int read_items(struct composer *c)
{
    struct webm_item item;
    size_t used;
    int got, err = 0;

    do {
        got = webm_next(&c->webm, window_at(&c->window), window_left(&c->window), &used, &item);
        if (got == 1)
            err = on_item(c, &item);
        c->window.used += used;
    } while (!err && (got == 1 || (got == 0 && window_more(&c->window))));
    if (err || !c->report->n)
        return err ? err : -ROOST_MALFORMED;
    c->report->cut = got < 0 || window_left(&c->window) > 0 || !c->has_end;
    return 0;
}

static void finish_report(struct composer *c)
{
    c->report->us = (int64_t)c->end * 125 / 6;
    for (uint32_t i = 0; i < c->report->n; i++)
        c->report->tracks[i].empty = c->report->tracks[i].frames == 0;
}

static void composer_free(struct composer *c)
{
    if (!c)
        return;
    if (c->window.file)
        fclose(c->window.file);
    for (uint32_t i = 0; i < COMPOSE_TRACKS_MAX; i++)
        decoder_free(c->lines[i].opus);
    free(c);
}

int compose(const char *from, const char *to, struct compose_report *ret)
{
    int err = -ROOST_NOMEM;
    struct composer *c = calloc(1, sizeof *c);

    memset(ret, 0, sizeof *ret);
    if (!c)
        goto out;
    c->report = ret;
    mix_init(&c->mix);
    webm_open(&c->webm);
    c->window.file = fopen(from, "rbe");
    err = c->window.file ? composed_new(&c->to, to) : -ROOST_NO_SUCH_FILE;
    if (err)
        goto out;
    err = read_items(c);
    if (!err)
        err = give_until(c, c->end + BLOCK - 1);
    finish_report(c);
    int end_err = composed_end(c->to, err == 0);
    err = err ? err : end_err;
out:
    composer_free(c);
    return err;
}
