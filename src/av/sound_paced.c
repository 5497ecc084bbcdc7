#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "av/sound_inside.h"
#include "av/track.h"
#include "base/err.h"
#include "media/wav.h"

/* --- microphones ----------------------------------------------------------------------- */

struct paced_in {
    struct sound_in in;
    int64_t start_us;
    uint64_t next; /* the sample that is read next */
    uint64_t lost, gaps;
    double hz; /* of a tone; 0: silence */
    struct track *track;
    bool again, over;
    char name[SOUND_NAME];
};

static void in_free(struct sound_in *s)
{
    struct paced_in *p = (struct paced_in *)s;

    track_free(p->track);
    free(p);
}

/* At -12 dB. A period need not be whole samples: the phase is that of the sample. */
static void make_tone(const struct paced_in *p, int16_t *pcm, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        pcm[i] = (int16_t)lrint(
            8231 * sin(2 * M_PI * fmod(p->hz * (double)(p->next + i), SOUND_HZ) / SOUND_HZ));
}

/* At the end from the beginning, if it is to; a file that gives nothing twice is over. */
static void make_file(struct paced_in *p, int16_t *pcm, uint32_t n)
{
    uint32_t have = 0;
    bool rewound = false;

    while (have < n && !p->over) {
        uint32_t some = track_read(p->track, pcm + have, n - have);
        have += some;
        if (have == n)
            break;
        p->over = !p->again || (some == 0 && rewound);
        rewound = true;
        if (!p->over)
            track_rewind(p->track);
    }
    memset(pcm + have, 0, (n - have) * sizeof *pcm);
    p->gaps += n - have;
}

static void make(struct paced_in *p, int16_t *pcm, uint32_t n)
{
    if (p->track)
        make_file(p, pcm, n);
    else if (p->hz > 0)
        make_tone(p, pcm, n);
    else
        memset(pcm, 0, n * sizeof *pcm);
    p->next += n;
}

static int64_t in_due_us(struct sound_in *s, int64_t now_us, uint32_t n)
{
    struct paced_in *p = (struct paced_in *)s;
    int64_t due = p->start_us + sound_us_of((int64_t)(p->next + n)) + 1;

    return due > now_us ? due : now_us;
}

static bool in_read(struct sound_in *s, int64_t now_us, int16_t *pcm, uint32_t n,
                    int64_t *ret_at_us)
{
    struct paced_in *p = (struct paced_in *)s;
    int64_t here = sound_samples_of(now_us - p->start_us) - (int64_t)p->next;

    if (here < (int64_t)n)
        return false;
    if (here > sound_samples_of(SOUND_LATE_US) + (int64_t)n) {
        p->lost += (uint64_t)here - n;
        p->start_us += sound_us_of(here - n); /* a file goes on where it was */
    }
    *ret_at_us = p->start_us + sound_us_of((int64_t)p->next);
    make(p, pcm, n);
    return true;
}

static void in_look(struct sound_in *s, struct sound_look *ret)
{
    struct paced_in *p = (struct paced_in *)s;

    *ret = (struct sound_look){ .state = p->over ? SOUND_GONE : SOUND_GOES,
                                .samples = p->next,
                                .lost = p->lost,
                                .gaps = p->gaps,
                                .began_us = p->start_us,
                                .changes = 1 + p->over };
    snprintf(ret->name, sizeof ret->name, "%s", p->name);
    snprintf(ret->text, sizeof ret->text, "%s", p->name);
}

static const struct sound_in_kind in_kind = { in_free, in_read, in_due_us, in_look };

static struct paced_in *in_new(int64_t now_us, const char *name)
{
    struct paced_in *p = calloc(1, sizeof *p);

    if (p) {
        p->in.kind = &in_kind;
        p->start_us = now_us;
        snprintf(p->name, sizeof p->name, "%s", name);
    }
    return p;
}

int sound_tone_new(struct sound_in **ret, double hz, int64_t now_us)
{
    struct paced_in *p = in_new(now_us, hz > 0 ? "tone" : "none");

    if (!p)
        return -ROOST_NOMEM;
    p->hz = hz;
    *ret = &p->in;
    return 0;
}

int sound_file_in_new(struct sound_in **ret, const char *path, bool again, int64_t now_us,
                      char why[static SOUND_WHY])
{
    struct paced_in *p = in_new(now_us, path);

    if (!p)
        return -ROOST_NOMEM;
    p->again = again;
    int err = track_open(&p->track, path);
    if (err) {
        if (err == -ROOST_MALFORMED)
            snprintf(why, SOUND_WHY, "%.120s is no WAV, and no Opus in WebM or Ogg", path);
        else
            snprintf(why, SOUND_WHY, "%.120s cannot be read: %s", path, err_text(err));
        in_free(&p->in);
        return err == -ROOST_NOMEM ? err : -ROOST_IO;
    }
    *ret = &p->in;
    return 0;
}

/* --- speakers --------------------------------------------------------------------------- */

struct paced_out {
    struct sound_out out;
    int64_t start_us, buffer_us;
    uint64_t written; /* samples, silence that nobody wrote included */
    uint64_t gaps, lost;
    FILE *file; /* or NULL: nobody hears it */
    bool failed;
    char name[SOUND_NAME];
};

static void put(struct paced_out *p, const int16_t *pcm, uint64_t n)
{
    static const int16_t silence[480];

    p->written += n;
    while (p->file && !p->failed && n > 0) {
        uint64_t some = pcm ? n : n < 480 ? n : 480;
        p->failed = fwrite(pcm ? pcm : silence, sizeof *pcm, (size_t)some, p->file) != some;
        n -= some;
    }
}

/* What was not written in time was silence. */
static int64_t fill_of(struct paced_out *p, int64_t now_us)
{
    int64_t heard = sound_samples_of(now_us - p->start_us), fill = (int64_t)p->written - heard;

    if (fill >= 0)
        return fill;
    if (p->written)
        p->gaps += (uint64_t)-fill;
    put(p, NULL, (uint64_t)-fill);
    return 0;
}

static void write_head(struct paced_out *p)
{
    uint8_t head[WAV_HEAD];

    wav_write_head(head, SOUND_HZ, p->written);
    p->failed = fseek(p->file, 0, SEEK_SET) != 0 || fwrite(head, sizeof head, 1, p->file) != 1 ||
                p->failed;
}

static void out_free(struct sound_out *s)
{
    struct paced_out *p = (struct paced_out *)s;

    if (p->file) {
        write_head(p);
        fclose(p->file);
    }
    free(p);
}

static uint32_t out_wants(struct sound_out *s, int64_t now_us)
{
    struct paced_out *p = (struct paced_out *)s;
    int64_t wants = sound_samples_of(p->buffer_us) - fill_of(p, now_us);

    return wants > 0 ? (uint32_t)wants : 0;
}

static int64_t out_due_us(struct sound_out *s, int64_t now_us, uint32_t n)
{
    struct paced_out *p = (struct paced_out *)s;
    int64_t due = p->start_us + sound_us_of((int64_t)p->written + n) - p->buffer_us + 1;

    return due > now_us ? due : now_us;
}

static int64_t out_heard_us(struct sound_out *s, int64_t now_us)
{
    struct paced_out *p = (struct paced_out *)s;

    fill_of(p, now_us);
    return p->start_us + sound_us_of((int64_t)p->written);
}

static void out_write(struct sound_out *s, int64_t now_us, const int16_t *pcm, uint32_t n)
{
    struct paced_out *p = (struct paced_out *)s;
    int64_t room = sound_samples_of(p->buffer_us + SOUND_LATE_US) - fill_of(p, now_us);

    if (room < (int64_t)n) { /* nobody asked for so much */
        p->lost += n - (uint64_t)(room > 0 ? room : 0);
        n = room > 0 ? (uint32_t)room : 0;
    }
    put(p, pcm, n);
}

static void out_look(struct sound_out *s, struct sound_look *ret)
{
    struct paced_out *p = (struct paced_out *)s;

    *ret = (struct sound_look){ .state = p->failed ? SOUND_GONE : SOUND_GOES,
                                .samples = p->written,
                                .lost = p->lost,
                                .gaps = p->gaps,
                                .began_us = p->start_us,
                                .changes = 1 + p->failed };
    snprintf(ret->name, sizeof ret->name, "%s", p->name);
    snprintf(ret->text, sizeof ret->text, "%s", p->name);
}

static const struct sound_out_kind out_kind = { out_free,     out_wants, out_due_us,
                                                out_heard_us, out_write, out_look };

int sound_null_new(struct sound_out **ret, const char *path, int64_t now_us, int64_t buffer_us,
                   char why[static SOUND_WHY])
{
    struct paced_out *p = calloc(1, sizeof *p);

    if (!p)
        return -ROOST_NOMEM;
    p->out.kind = &out_kind;
    p->start_us = now_us;
    p->buffer_us = buffer_us;
    snprintf(p->name, sizeof p->name, "%s", path ? path : "null");
    if (path) {
        p->file = fopen(path, "wbe");
        if (!p->file) {
            snprintf(why, SOUND_WHY, "%.120s cannot be written: %s", path, strerror(errno));
            free(p);
            return -ROOST_IO;
        }
        write_head(p);
    }
    *ret = &p->out;
    return 0;
}
