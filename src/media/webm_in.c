#include <string.h>

#include "base/err.h"
#include "media/webm.h"
#include "media/webm_ids.h"
#include "wire/cursor.h"

#define UNKNOWN UINT64_MAX

/* 0: more bytes are needed; negative: it is none; else its length. */
static int read_id(const uint8_t *p, size_t len, uint32_t *ret)
{
    uint32_t id = 0;
    int n = 1;

    if (len == 0)
        return 0;
    while (n <= 4 && !(p[0] & (0x80 >> (n - 1))))
        n++;
    if (n > 4)
        return -ROOST_MALFORMED;
    if ((size_t)n > len)
        return 0;
    for (int i = 0; i < n; i++)
        id = id << 8 | p[i];
    *ret = id;
    return n;
}

static int read_size(const uint8_t *p, size_t len, uint64_t *ret)
{
    int n = 1;

    if (len == 0)
        return 0;
    while (n <= 8 && !(p[0] & (0x80 >> (n - 1))))
        n++;
    if (n > 8)
        return -ROOST_MALFORMED;
    if ((size_t)n > len)
        return 0;
    uint64_t size = p[0] & ((0x80 >> (n - 1)) - 1);
    for (int i = 1; i < n; i++)
        size = size << 8 | p[i];
    *ret = size == (1ULL << 7 * n) - 1 ? UNKNOWN : size;
    return n;
}

struct element {
    uint32_t id;
    uint64_t size;
    size_t head;
};

/* 1, 0 or negative, as above. */
static int read_element(const uint8_t *p, size_t len, struct element *ret)
{
    int id = read_id(p, len, &ret->id);

    if (id <= 0)
        return id;
    int size = read_size(p + id, len - (size_t)id, &ret->size);
    if (size <= 0)
        return size;
    ret->head = (size_t)id + (size_t)size;
    return 1;
}

static uint64_t number_of(const uint8_t *p, uint64_t len)
{
    struct reader r = reader_of(p, len);

    return len <= 8 ? read_number(&r, (unsigned)len) : 0;
}

/* Seconds or ms: a float of 4 or 8 bytes. */
static double real_of(const uint8_t *p, uint64_t len)
{
    uint64_t bits = number_of(p, len);
    double x = 0;

    if (len == 8) {
        memcpy(&x, &bits, sizeof x);
    } else if (len == 4) {
        uint32_t half = (uint32_t)bits;
        float f;
        memcpy(&f, &half, sizeof f);
        x = f;
    }
    return x;
}

static void read_name(const uint8_t *p, uint64_t len, char ret[static WEBM_TITLE + 1])
{
    size_t n = len < WEBM_TITLE ? (size_t)len : WEBM_TITLE;

    memcpy(ret, p, n);
    ret[n] = '\0';
}

static bool is_opus(const uint8_t *p, uint64_t len)
{
    while (len > 0 && p[len - 1] == 0)
        len--;
    return len == 6 && memcmp(p, "A_OPUS", 6) == 0;
}

static int read_track(const uint8_t *p, size_t len, struct webm_item *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->what = WEBM_TRACK;
    while (len > 0) {
        struct element e;
        if (read_element(p, len, &e) <= 0 || e.size > len - e.head)
            return -ROOST_MALFORMED;
        const uint8_t *body = p + e.head;
        if (e.id == ID_TRACK_NUMBER)
            ret->track = (uint32_t)number_of(body, e.size);
        else if (e.id == ID_TRACK_NAME)
            read_name(body, e.size, ret->name);
        else if (e.id == ID_CODEC)
            ret->opus = is_opus(body, e.size);
        else if (e.id == ID_CODEC_PRIVATE && e.size >= 12)
            ret->skip = (uint16_t)(body[10] | body[11] << 8);
        p = body + e.size;
        len -= e.head + (size_t)e.size;
    }
    return 1;
}

/* Several frames in one block are not ours, and of voices nobody's: the block is passed over. */
static int read_block(const struct webm_in *w, const uint8_t *p, size_t len, struct webm_item *ret)
{
    uint64_t track;
    int n = read_size(p, len, &track);

    if (n <= 0 || len < (size_t)n + 3)
        return -ROOST_MALFORMED;
    int16_t since = (int16_t)(uint16_t)(p[n] << 8 | p[n + 1]);
    if (p[n + 2] & 0x06)
        return 0;
    memset(ret, 0, sizeof *ret);
    ret->what = WEBM_BLOCK;
    ret->track = track <= UINT32_MAX ? (uint32_t)track : 0;
    double ns = ((double)w->cluster + since) * (double)w->scale_ns;
    ret->at_us = ns < 0 || ns > 1e18 ? 0 : (int64_t)(ns / 1000);
    ret->bytes = p + n + 3;
    ret->len = len - (size_t)n - 3;
    return 1;
}

void webm_open(struct webm_in *w)
{
    *w = (struct webm_in){ .scale_ns = 1000000 };
}

static bool is_entered(uint32_t id)
{
    return id == ID_SEGMENT || id == ID_CLUSTER || id == ID_TRACKS || id == ID_INFO ||
           id == ID_GROUP;
}

static bool is_read(uint32_t id)
{
    return id == ID_SCALE || id == ID_DURATION || id == ID_TRACK || id == ID_TIME ||
           id == ID_SIMPLE_BLOCK || id == ID_BLOCK;
}

/* An element that is all there. 1: an item. */
static int take(struct webm_in *w, const struct element *e, const uint8_t *body,
                struct webm_item *ret)
{
    switch (e->id) {
    case ID_SCALE:
        w->scale_ns = number_of(body, e->size);
        return 0;
    case ID_TIME:
        w->cluster = number_of(body, e->size);
        return 0;
    case ID_DURATION: {
        double us = real_of(body, e->size) * (double)w->scale_ns / 1000;
        *ret = (struct webm_item){ .what = WEBM_DURATION };
        ret->at_us = us >= 0 && us < 1e15 ? (int64_t)us : 0;
        return 1;
    }
    case ID_TRACK:
        return read_track(body, (size_t)e->size, ret);
    default:
        return read_block(w, body, (size_t)e->size, ret);
    }
}

/* What is passed over, as far as it is here. */
static void pass(struct webm_in *w, size_t len, size_t *used)
{
    uint64_t n = w->skip < len - *used ? w->skip : len - *used;

    w->skip -= n;
    *used += (size_t)n;
}

int webm_next(struct webm_in *w, const uint8_t *bytes, size_t len, size_t *ret_used,
              struct webm_item *ret)
{
    struct element e;

    *ret_used = 0;
    for (;;) {
        pass(w, len, ret_used);
        if (w->skip)
            return 0;
        int got = read_element(bytes + *ret_used, len - *ret_used, &e);
        if (got <= 0)
            return got;
        if (!w->begun && e.id != ID_EBML)
            return -ROOST_MALFORMED;
        w->begun = true;
        if (is_entered(e.id)) {
            *ret_used += e.head;
            continue;
        }
        if (e.size == UNKNOWN)
            return -ROOST_MALFORMED;
        if (!is_read(e.id) || e.size > WEBM_ELEMENT_MAX) {
            *ret_used += e.head;
            w->skip = e.size;
            continue;
        }
        if (e.size > len - *ret_used - e.head)
            return 0;
        const uint8_t *body = bytes + *ret_used + e.head;
        *ret_used += e.head + (size_t)e.size;
        got = take(w, &e, body, ret);
        if (got != 0)
            return got;
    }
}
