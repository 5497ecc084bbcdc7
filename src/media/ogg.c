#include "media/ogg.h"

#include <string.h>

#include "base/err.h"

enum { PAGE_HEAD = 27, CONTINUED = 1, FIRST = 2, LAST = 4 };

static uint32_t sum_of(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++) {
        sum ^= (uint32_t)p[i] << 24;
        for (int k = 0; k < 8; k++)
            sum = sum << 1 ^ (sum & 0x80000000 ? 0x04c11db7 : 0);
    }
    return sum;
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(uint8_t *p, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(x >> (8 * i));
}

/* The sum of a page, its own place taken for zeros. */
static uint32_t page_sum(const uint8_t *page, size_t len)
{
    static const uint8_t zeros[4] = { 0 };

    return sum_of(page + 26, len - 26, sum_of(zeros, 4, sum_of(page, 22, 0)));
}

/* --- reading ------------------------------------------------------------------------ */

/* Bytes of the page at the front; 0: not all are here; negative: it is none. */
static int64_t page_size(const uint8_t *p, size_t len)
{
    size_t size = PAGE_HEAD;

    if (len < PAGE_HEAD)
        return 0;
    if (memcmp(p, "OggS", 5) != 0)
        return -ROOST_MALFORMED;
    if (len < size + p[26])
        return 0;
    size += p[26];
    for (int i = 0; i < p[26]; i++)
        size += p[PAGE_HEAD + i];
    return len < size ? 0 : (int64_t)size;
}

static int open_page(struct ogg_in *o, const uint8_t *p, size_t len)
{
    int64_t size = page_size(p, len);

    if (size <= 0)
        return (int)size;
    if (page_sum(p, (size_t)size) != get32(p + 22))
        return -ROOST_MALFORMED;
    if (!(p[5] & CONTINUED)) {
        o->len = 0;
        o->too_long = false;
    }
    o->open = true;
    o->segments = p[26];
    o->next = 0;
    o->at = PAGE_HEAD + p[26];
    return 1;
}

static void take_segment(struct ogg_in *o, const uint8_t *page)
{
    uint32_t n = page[PAGE_HEAD + o->next++];

    if (o->len + n > OGG_PACKET_MAX)
        o->too_long = true;
    else
        memcpy(o->packet + o->len, page + o->at, n);
    o->len += o->too_long ? 0 : n;
    o->at += n;
}

int ogg_next(struct ogg_in *o, const uint8_t *bytes, size_t len, size_t *ret_used,
             const uint8_t **ret_packet, size_t *ret_len)
{
    *ret_used = 0;
    for (;;) {
        int err = o->open ? 1 : open_page(o, bytes + *ret_used, len - *ret_used);
        if (err <= 0)
            return err;
        const uint8_t *page = bytes + *ret_used;
        while (o->next < o->segments) {
            bool ends = page[PAGE_HEAD + o->next] < 255;
            take_segment(o, page);
            if (!ends)
                continue;
            *ret_packet = o->packet;
            *ret_len = o->len;
            bool whole = !o->too_long;
            o->len = 0;
            o->too_long = false;
            if (whole)
                return 1;
        }
        o->open = false;
        *ret_used += o->at;
    }
}

/* --- writing ------------------------------------------------------------------------ */

void ogg_init(struct ogg_out *o, uint32_t serial)
{
    memset(o, 0, sizeof *o);
    o->serial = serial;
}

bool ogg_put(struct ogg_out *o, const uint8_t *packet, size_t len, uint64_t granule)
{
    uint32_t segments = (uint32_t)(len / 255) + 1;

    if (o->segments + segments > 255)
        return false;
    for (uint32_t i = 0; i < segments; i++)
        o->sizes[o->segments++] = i + 1 < segments ? 255 : (uint8_t)(len % 255);
    memcpy(o->body + o->len, packet, len);
    o->len += (uint32_t)len;
    o->granule = granule;
    return true;
}

size_t ogg_page(struct ogg_out *o, bool last, uint8_t ret[static OGG_PAGE_MAX])
{
    size_t len = PAGE_HEAD + o->segments + o->len;

    memset(ret, 0, PAGE_HEAD);
    memcpy(ret, "OggS", 4);
    ret[5] = (o->sequence == 0 ? FIRST : 0) | (last ? LAST : 0);
    put32(ret + 6, (uint32_t)o->granule);
    put32(ret + 10, (uint32_t)(o->granule >> 32));
    put32(ret + 14, o->serial);
    put32(ret + 18, o->sequence++);
    ret[26] = (uint8_t)o->segments;
    memcpy(ret + PAGE_HEAD, o->sizes, o->segments);
    memcpy(ret + PAGE_HEAD + o->segments, o->body, o->len);
    put32(ret + 22, page_sum(ret, len));
    o->segments = o->len = 0;
    return len;
}

size_t ogg_opus_head(uint8_t ret[static OGG_OPUS_HEAD], uint16_t skip)
{
    memset(ret, 0, OGG_OPUS_HEAD);
    memcpy(ret, "OpusHead", 8);
    ret[8] = 1; /* version */
    ret[9] = 1; /* channel */
    ret[10] = (uint8_t)skip;
    ret[11] = (uint8_t)(skip >> 8);
    put32(ret + 12, 48000);
    return OGG_OPUS_HEAD;
}

size_t ogg_opus_tags(uint8_t *ret, size_t cap, const char *writer)
{
    size_t n = strlen(writer);

    if (cap < 16 + n)
        return 0;
    memcpy(ret, "OpusTags", 8);
    put32(ret + 8, (uint32_t)n);
    memcpy(ret + 12, writer, n);
    put32(ret + 12 + n, 0);
    return 16 + n;
}
