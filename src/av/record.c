#include "av/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "av/codec.h"
#include "base/err.h"
#include "media/webm.h"

enum {
    MISSED = 3,  /* frames in a second */
    FRAME = 960, /* of Opus that is made of PCM */
    APART = 480, /* samples; what is further from the last begins anew */
    PCM_BITS = 64000,
};

/* PCM on its way to Opus. */
struct remake {
    struct decoder *in;
    struct encoder *out;
    int16_t pcm[FRAME + CODEC_TICKS_MAX];
    uint32_t n;
    int64_t at_us; /* of the first */
};

struct person {
    uint32_t who;
    uint32_t track; /* 0: none yet */
    char name[RECORD_NAME];
    int missing;                               /* 0, or why */
    bool incomplete;                           /* it is in the name */
    bool told_begun, told_missing, told_again; /* what is to be said */
    int64_t missed_us, missed_last_us;
    uint32_t missed;
    struct remake *remake;
};

struct record {
    int fd;
    int64_t start_us;
    int err; /* nothing is written any more */
    bool told;
    struct person *people[RECORD_PEOPLE_MAX];
    uint32_t n_people, n_tracks;
    struct webm_out webm;
};

/* --- writing --------------------------------------------------------------------------- */

static int write_all(int fd, const struct iovec *from, int n, uint64_t at)
{
    struct iovec v[2];

    memcpy(v, from, sizeof *v * (size_t)n);
    for (int i = 0; i < n;) {
        ssize_t went = pwritev(fd, v + i, n - i, (off_t)at);
        if (went < 0 && errno == EINTR)
            continue;
        if (went <= 0)
            return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -ROOST_FULL : -ROOST_IO;
        at += (uint64_t)went;
        while (i < n && (size_t)went >= v[i].iov_len)
            went -= (ssize_t)v[i++].iov_len;
        if (i < n) {
            v[i].iov_base = (uint8_t *)v[i].iov_base + went;
            v[i].iov_len -= (size_t)went;
        }
    }
    return 0;
}

static int write_at(struct record *r, uint64_t at, const void *bytes, size_t len)
{
    if (!r->err)
        r->err = write_all(r->fd, &(struct iovec){ (void *)bytes, len }, 1, at);
    return r->err;
}

static int write_block(struct record *r, uint32_t track, int64_t at_us, const uint8_t *bytes,
                       size_t len)
{
    uint8_t head[WEBM_MORE_MAX];
    uint64_t at = r->webm.at;

    if (r->err)
        return r->err;
    size_t n = webm_block(&r->webm, track, at_us - r->start_us, len, head);
    struct iovec v[2] = { { head, n }, { (void *)bytes, len } };
    r->err = write_all(r->fd, v, 2, at);
    if (r->err)
        r->webm.at = at; /* a part of it is cut off at the end */
    return r->err;
}

/* The name of a track, with what is wrong with it. */
static int write_slot(struct record *r, const struct person *p)
{
    uint8_t slot[WEBM_SLOT];
    char name[2 * RECORD_NAME + 64], mark[RECORD_NAME];

    if (!p->track)
        return r->err;
    snprintf(mark, sizeof mark, RECORD_MARK "%.48s)", err_name(p->missing));
    /* the mark is what must not be cut off */
    snprintf(name, sizeof name, "%.*s%s",
             p->incomplete ? (int)(WEBM_TITLE - strlen(mark)) : WEBM_TITLE, p->name,
             p->incomplete ? mark : "");
    webm_slot(p->track, name, slot);
    return write_at(r, webm_slot_at(p->track), slot, sizeof slot);
}

/* --- people ------------------------------------------------------------------------------ */

static struct person *person_of(struct record *r, uint32_t who)
{
    for (uint32_t i = 0; i < r->n_people; i++)
        if (r->people[i]->who == who)
            return r->people[i];
    if (r->n_people == RECORD_PEOPLE_MAX)
        return NULL;
    struct person *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->who = who;
    snprintf(p->name, sizeof p->name, "%u", who);
    r->people[r->n_people++] = p;
    return p;
}

int record_person(struct record *r, uint32_t who, const char *name)
{
    struct person *p = person_of(r, who);

    if (!p)
        return -ROOST_LIMIT;
    if (strncmp(p->name, name, RECORD_NAME - 1) == 0)
        return 0;
    snprintf(p->name, sizeof p->name, "%s", name);
    return write_slot(r, p);
}

static void on_missing(struct record *r, struct person *p, int err)
{
    if (p->missing)
        return;
    p->missing = -abs(err);
    p->told_missing = true;
    if (!p->incomplete && p->track) {
        p->incomplete = true;
        write_slot(r, p);
    }
}

/* A track of their own, from the first frame on (or from the first that is missing). */
static int track_of(struct record *r, struct person *p)
{
    if (p->track)
        return 0;
    if (r->n_tracks == WEBM_TRACKS_MAX) {
        on_missing(r, p, ROOST_LIMIT);
        return -ROOST_LIMIT;
    }
    p->track = ++r->n_tracks;
    p->told_begun = true;
    return write_slot(r, p);
}

void record_on_missed(struct record *r, int64_t now_us, uint32_t who, int err)
{
    struct person *p = person_of(r, who);

    if (!p)
        return;
    if (p->missed == 0 || now_us - p->missed_us > 1000000) {
        p->missed = 0;
        p->missed_us = now_us;
    }
    if (p->missed_last_us < now_us)
        p->missed_last_us = now_us;
    if (++p->missed >= MISSED && track_of(r, p) == 0)
        on_missing(r, p, err);
}

static void on_recorded(struct person *p, int64_t now_us)
{
    if (!p->missing || now_us - p->missed_last_us < RECORD_AGAIN_US)
        return;
    p->missing = 0;
    p->missed = 0;
    p->told_again = true;
}

bool record_next_news(struct record *r, struct record_news *ret)
{
    memset(ret, 0, sizeof *ret);
    if (r->err && !r->told) {
        r->told = true;
        ret->what = RECORD_STOPPED;
        ret->err = r->err;
        return true;
    }
    for (uint32_t i = 0; i < r->n_people; i++) {
        struct person *p = r->people[i];
        bool *said = p->told_begun     ? &p->told_begun
                     : p->told_missing ? &p->told_missing
                     : p->told_again   ? &p->told_again
                                       : NULL;
        if (!said)
            continue;
        *said = false;
        ret->what = said == &p->told_begun     ? RECORD_BEGUN
                    : said == &p->told_missing ? RECORD_MISSING
                                               : RECORD_AGAIN;
        ret->who = p->who;
        ret->err = p->missing;
        memcpy(ret->name, p->name, sizeof ret->name);
        return true;
    }
    return false;
}

/* --- frames ------------------------------------------------------------------------------- */

static void remake_free(struct remake *m)
{
    if (!m)
        return;
    decoder_free(m->in);
    encoder_free(m->out);
    free(m);
}

static struct remake *remake_of(struct person *p)
{
    struct encoder_wish wish = { .codec = MEDIA_OPUS, .bits = PCM_BITS };

    if (p->remake)
        return p->remake;
    struct remake *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    if (decoder_new(&m->in, MEDIA_PCM) || encoder_new(&m->out, &wish)) {
        remake_free(m);
        return NULL;
    }
    return p->remake = m;
}

static int write_remade(struct record *r, struct person *p)
{
    struct remake *m = p->remake;
    uint8_t bytes[CODEC_BYTES_MAX];
    bool silence;
    int len = encoder_frame(m->out, m->pcm, FRAME, bytes, &silence);
    int64_t at_us = m->at_us;

    m->n = m->n > FRAME ? m->n - FRAME : 0;
    memmove(m->pcm, m->pcm + FRAME, m->n * sizeof *m->pcm);
    m->at_us += FRAME * 125 / 6;
    return len > 0 ? write_block(r, p->track, at_us, bytes, (size_t)len) : len;
}

/* What is begun is filled with silence. */
static int finish_remade(struct record *r, struct person *p)
{
    struct remake *m = p->remake;

    if (!m || m->n == 0)
        return 0;
    memset(m->pcm + m->n, 0, (FRAME - m->n) * sizeof *m->pcm);
    return write_remade(r, p);
}

static int put_pcm(struct record *r, struct person *p, int64_t at_us, const uint8_t *bytes,
                   size_t len)
{
    struct remake *m = remake_of(p);
    int err = 0;

    if (!m)
        return -ROOST_NOMEM;
    int64_t off = at_us - (m->at_us + m->n * 125LL / 6);
    if (m->n && (off > APART * 125 / 6 || off < -APART * 125 / 6))
        err = finish_remade(r, p);
    if (m->n == 0)
        m->at_us = at_us;
    int n = decoder_frame(m->in, bytes, len, m->pcm + m->n);
    if (n < 0)
        return n;
    m->n += (uint32_t)n;
    while (!err && m->n >= FRAME)
        err = write_remade(r, p);
    return err;
}

int record_frame(struct record *r, int64_t heard_us, uint32_t who, enum media_codec codec,
                 const uint8_t *bytes, size_t len)
{
    struct person *p = person_of(r, who);

    if (!p)
        return -ROOST_LIMIT;
    if (codec_ticks(codec, bytes, len) == 0) {
        record_on_missed(r, heard_us, who, ROOST_MALFORMED);
        return -ROOST_MALFORMED;
    }
    int err = track_of(r, p);
    if (!err && codec == MEDIA_PCM) {
        err = put_pcm(r, p, heard_us, bytes, len);
    } else if (!err) {
        err = finish_remade(r, p);
        if (!err)
            err = write_block(r, p->track, heard_us, bytes, len);
    }
    if (err)
        record_on_missed(r, heard_us, who, err);
    else
        on_recorded(p, heard_us);
    return err;
}

/* --- beginning and end ------------------------------------------------------------------------ */

static void record_free(struct record *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    for (uint32_t i = 0; i < r->n_people; i++) {
        remake_free(r->people[i]->remake);
        free(r->people[i]);
    }
    free(r);
}

int record_new(struct record **ret, const char *path, int64_t now_us, int64_t wall_us,
               const char *title)
{
    int err = -ROOST_NOMEM;
    struct record *r = calloc(1, sizeof *r);
    uint8_t *head = malloc(WEBM_HEAD);

    if (r)
        r->fd = -1;
    if (!r || !head)
        goto out;
    r->start_us = now_us;
    r->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (r->fd < 0) {
        err = errno == EEXIST ? -ROOST_ALREADY : errno == ENOSPC ? -ROOST_FULL : -ROOST_IO;
        goto out;
    }
    webm_begin(&r->webm, wall_us, title, head);
    err = write_at(r, 0, head, WEBM_HEAD);
    if (err) {
        unlink(path);
        goto out;
    }
    *ret = r;
    r = NULL;
out:
    free(head);
    record_free(r);
    return err;
}

static void write_end(struct record *r)
{
    uint8_t patch[WEBM_PATCH_MAX], *cues = malloc((size_t)r->webm.n_cues * WEBM_CUE_BYTES + 16);
    uint64_t at;

    if (cues && write_at(r, r->webm.at, cues, webm_cues(&r->webm, cues)) == 0) {
        size_t n = webm_patch_seek(&r->webm, &at, patch);
        write_at(r, at, patch, n);
    }
    size_t n = webm_patch_duration(&r->webm, &at, patch);
    write_at(r, at, patch, n);
    free(cues);
    if (!r->err && fdatasync(r->fd) != 0)
        r->err = -ROOST_IO;
}

int record_end(struct record *r, int64_t now_us)
{
    int64_t ms = (now_us - r->start_us) / 1000;

    for (uint32_t i = 0; i < r->n_people; i++)
        finish_remade(r, r->people[i]);
    r->webm.end_ms = ms > r->webm.end_ms ? ms
                                         : r->webm.end_ms; /* silence at the end is a part of it */
    if (!r->err)
        write_end(r);
    else if (ftruncate(r->fd, (off_t)r->webm.at) != 0) /* half a block, perhaps */
        r->err = -ROOST_IO;
    int err = r->err;
    record_free(r);
    return err;
}
