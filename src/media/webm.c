#include "media/webm.h"

#include <assert.h>
#include <string.h>

#include "media/ogg.h"
#include "media/webm_ids.h"
#include "wire/cursor.h"

/* Where things lie in the head. */
enum {
    SEGMENT_AT = 64, /* its contents: places are counted from here */
    SEEK_AT = SEGMENT_AT,
    SEEK_ROOM = 48,
    INFO_AT = SEEK_AT + SEEK_ROOM,
    DURATION_AT = INFO_AT + 12, /* first in it */
    DURATION_ROOM = 11,
    TRACKS_HEAD_AT = WEBM_TRACKS_AT - 12,
};
#define UNKNOWN   0x01ffffffffffffffULL /* a size that is not known */
#define SIZE_OF_8 (1ULL << 56)
/* Dates are counted from 2001. */
#define DATE_ZERO_US 978307200000000LL

static unsigned bytes_of(uint64_t n)
{
    unsigned bytes = 1;

    while (bytes < 8 && n >> (8 * bytes))
        bytes++;
    return bytes;
}

static void write_id(struct writer *w, uint32_t id)
{
    write_number(w, id, bytes_of(id));
}

static void write_size(struct writer *w, uint64_t size)
{
    if (size < 0x7f)
        write_number(w, size | 0x80, 1);
    else if (size < 0x3fff)
        write_number(w, size | 0x4000, 2);
    else
        write_number(w, size | SIZE_OF_8, 8);
}

static void write_uint(struct writer *w, uint32_t id, uint64_t n)
{
    write_id(w, id);
    write_size(w, bytes_of(n));
    write_number(w, n, bytes_of(n));
}

static void write_blob(struct writer *w, uint32_t id, const void *bytes, size_t len)
{
    write_id(w, id);
    write_size(w, len);
    write_bytes(w, bytes, len);
}

/* Cut where a character ends. */
static size_t cut(const char *text)
{
    size_t n = strlen(text);

    if (n <= WEBM_TITLE)
        return n;
    n = WEBM_TITLE;
    while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
        n--;
    return n;
}

static void write_text(struct writer *w, uint32_t id, const char *text)
{
    write_blob(w, id, text, cut(text));
}

static void write_double(struct writer *w, uint32_t id, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    write_id(w, id);
    write_size(w, 8);
    write_number(w, bits, 8);
}

/* Nothing, of so many bytes with its own head: 2, or at least 9. */
static void write_void(struct writer *w, size_t bytes)
{
    write_id(w, ID_VOID);
    if (bytes < 9)
        write_size(w, bytes - 2);
    else
        write_number(w, SIZE_OF_8 | (bytes - 9), 8);
    uint8_t *room = write_room(w, bytes < 9 ? bytes - 2 : bytes - 9);
    assert(room);
    memset(room, 0, bytes < 9 ? bytes - 2 : bytes - 9);
}

static void fill_until(struct writer *w, const uint8_t *begin, size_t at)
{
    write_void(w, at - (size_t)(w->p - begin));
}

/* An element whose contents are known only when they are written: 8 bytes for its size. */
static uint8_t *begin_element(struct writer *w, uint32_t id)
{
    write_id(w, id);
    return write_room(w, 8);
}

static void end_element(struct writer *w, uint8_t *size)
{
    struct writer at = writer_of(size, 8);

    write_number(&at, SIZE_OF_8 | (uint64_t)(w->p - size - 8), 8);
}

/* --- the head ------------------------------------------------------------------------- */

/* Filled up inside: some readers want the segment right behind it. */
static void write_ebml(struct writer *w, const uint8_t *begin)
{
    uint8_t *size = begin_element(w, ID_EBML);

    write_uint(w, ID_EBML_VERSION, 1);
    write_uint(w, ID_EBML_READ_VERSION, 1);
    write_uint(w, ID_EBML_ID_MAX, 4);
    write_uint(w, ID_EBML_SIZE_MAX, 8);
    write_text(w, ID_DOC_TYPE, "webm");
    write_uint(w, ID_DOC_VERSION, 4);
    write_uint(w, ID_DOC_READ_VERSION, 2);
    fill_until(w, begin, SEGMENT_AT - 12);
    end_element(w, size);
}

static void write_info(struct writer *w, int64_t date_us, const char *title)
{
    uint8_t *size = begin_element(w, ID_INFO);

    write_void(w, DURATION_ROOM);
    write_uint(w, ID_SCALE, 1000000);
    write_id(w, ID_DATE);
    write_size(w, 8);
    write_number(w, (uint64_t)((date_us - DATE_ZERO_US) * 1000), 8);
    write_text(w, ID_TITLE, title);
    write_text(w, ID_MUXER, "roost");
    write_text(w, ID_WRITER, "roost");
    end_element(w, size);
}

void webm_begin(struct webm_out *w, int64_t date_us, const char *title,
                uint8_t ret[static WEBM_HEAD])
{
    struct writer o = writer_of(ret, WEBM_HEAD);

    w->cluster_ms = -1;
    w->at = WEBM_HEAD;
    w->end_ms = 0;
    w->n_cues = w->clusters = 0;
    w->every = 1;
    write_ebml(&o, ret);
    write_id(&o, ID_SEGMENT);
    write_number(&o, UNKNOWN, 8);
    write_void(&o, SEEK_ROOM);
    write_info(&o, date_us, title);
    fill_until(&o, ret, TRACKS_HEAD_AT);
    write_id(&o, ID_TRACKS);
    write_number(&o, SIZE_OF_8 | (WEBM_TRACKS_MAX * WEBM_SLOT), 8);
    for (int i = 0; i < WEBM_TRACKS_MAX; i++)
        write_void(&o, WEBM_SLOT);
    assert(!o.full && o.p == o.end);
}

void webm_slot(uint32_t n, const char *name, uint8_t ret[static WEBM_SLOT])
{
    struct writer o = writer_of(ret, WEBM_SLOT);
    uint8_t head[OGG_OPUS_HEAD], *size = begin_element(&o, ID_TRACK);

    write_uint(&o, ID_TRACK_NUMBER, n);
    write_uint(&o, ID_TRACK_UID, n);
    write_uint(&o, ID_TRACK_TYPE, 2); /* sound */
    write_uint(&o, ID_TRACK_LACING, 0);
    write_text(&o, ID_TRACK_NAME, name);
    write_text(&o, ID_CODEC, "A_OPUS");
    write_uint(&o, ID_CODEC_DELAY, 0);
    write_uint(&o, ID_SEEK_ROLL, 80000000);
    write_blob(&o, ID_CODEC_PRIVATE, head, ogg_opus_head(head, 0));
    uint8_t *audio = begin_element(&o, ID_AUDIO);
    write_double(&o, ID_AUDIO_HZ, 48000);
    write_uint(&o, ID_AUDIO_CHANNELS, 1);
    end_element(&o, audio);
    fill_until(&o, ret, WEBM_SLOT);
    end_element(&o, size);
    assert(!o.full);
}

/* --- blocks --------------------------------------------------------------------------- */

static void note_cue(struct webm_out *w, uint32_t track, int64_t ms)
{
    if (w->n_cues == WEBM_CUES_MAX) {
        w->n_cues /= 2;
        for (uint32_t i = 0; i < w->n_cues; i++)
            w->cues[i] = w->cues[2 * i];
        w->every *= 2;
    }
    if (w->clusters++ % w->every != 0)
        return;
    w->cues[w->n_cues].at = w->at - SEGMENT_AT;
    w->cues[w->n_cues].ms = (uint64_t)ms;
    w->cues[w->n_cues++].track = track;
}

static void begin_cluster(struct webm_out *w, struct writer *o, uint32_t track, int64_t ms)
{
    note_cue(w, track, ms);
    write_id(o, ID_CLUSTER);
    write_number(o, UNKNOWN, 8);
    write_uint(o, ID_TIME, (uint64_t)ms);
    w->cluster_ms = ms;
}

size_t webm_block(struct webm_out *w, uint32_t track, int64_t at_us, size_t len,
                  uint8_t ret[static WEBM_MORE_MAX])
{
    struct writer o = writer_of(ret, WEBM_MORE_MAX);
    int64_t ms = at_us < 0 ? 0 : (at_us + 500) / 1000;

    if (w->cluster_ms < 0 || ms - w->cluster_ms >= WEBM_CLUSTER_US / 1000)
        begin_cluster(w, &o, track, ms);
    int64_t since = ms - w->cluster_ms < INT16_MIN ? INT16_MIN : ms - w->cluster_ms;
    write_id(&o, ID_SIMPLE_BLOCK);
    write_number(&o, SIZE_OF_8 | (len + 5), 8);
    write_number(&o, 0x4000 | track, 2);
    write_number(&o, (uint16_t)since, 2);
    write_number(&o, 0x80, 1); /* needs no other */
    w->end_ms = ms > w->end_ms ? ms : w->end_ms;
    size_t n = (size_t)(o.p - ret);
    w->at += n + len;
    return n;
}

/* --- the end -------------------------------------------------------------------------- */

size_t webm_cues(const struct webm_out *w, uint8_t *ret)
{
    struct writer o = writer_of(ret, (size_t)w->n_cues * WEBM_CUE_BYTES + 16);
    uint8_t *all = begin_element(&o, ID_CUES);

    for (uint32_t i = 0; i < w->n_cues; i++) {
        uint8_t *cue, *place;
        write_id(&o, ID_CUE);
        cue = write_room(&o, 1);
        write_uint(&o, ID_CUE_TIME, w->cues[i].ms);
        write_id(&o, ID_CUE_PLACE);
        place = write_room(&o, 1);
        write_uint(&o, ID_CUE_TRACK, w->cues[i].track);
        write_uint(&o, ID_CUE_AT, w->cues[i].at);
        assert(!o.full);
        *place = (uint8_t)(0x80 | (o.p - place - 1));
        *cue = (uint8_t)(0x80 | (o.p - cue - 1));
    }
    end_element(&o, all);
    return (size_t)(o.p - ret);
}

size_t webm_patch_seek(const struct webm_out *w, uint64_t *ret_at,
                       uint8_t ret[static WEBM_PATCH_MAX])
{
    struct writer o = writer_of(ret, WEBM_PATCH_MAX);
    uint8_t *head = begin_element(&o, ID_SEEK_HEAD), *seek;

    write_id(&o, ID_SEEK);
    seek = write_room(&o, 1);
    write_uint(&o, ID_SEEK_ID, ID_CUES);
    write_uint(&o, ID_SEEK_AT, w->at - SEGMENT_AT);
    *seek = (uint8_t)(0x80 | (o.p - seek - 1));
    end_element(&o, head);
    fill_until(&o, ret, SEEK_ROOM);
    *ret_at = SEEK_AT;
    return SEEK_ROOM;
}

size_t webm_patch_duration(const struct webm_out *w, uint64_t *ret_at,
                           uint8_t ret[static WEBM_PATCH_MAX])
{
    struct writer o = writer_of(ret, DURATION_ROOM);

    write_double(&o, ID_DURATION, (double)w->end_ms);
    *ret_at = DURATION_AT;
    return DURATION_ROOM;
}
