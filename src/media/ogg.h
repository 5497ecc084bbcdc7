/* ogg.h - packets of Opus in an Ogg file (RFC 3533, 7845): out of one, and into one.
 *
 * Reading wants the bytes of a whole page at a time; a page whose sum is wrong is an error. Writing
 * collects packets and gives a page when one is full. Plain data. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OGG_PAGE_MAX = 27 + 255 + 255 * 255, OGG_PACKET_MAX = 8192, OGG_OPUS_HEAD = 19 };

struct ogg_in {
    uint8_t packet[OGG_PACKET_MAX];
    uint32_t len;
    uint32_t segments, next, at; /* of the page at the front */
    bool open, too_long;
};

/* The next packet of the bytes that begin with what was not used yet. 1: *ret_packet, valid until
 * the next call; 0: more bytes are needed; -ROOST_MALFORMED. *ret_used may be dropped. */
int ogg_next(struct ogg_in *o, const uint8_t *bytes, size_t len, size_t *ret_used,
             const uint8_t **ret_packet, size_t *ret_len);

struct ogg_out {
    uint32_t serial, sequence, segments, len;
    uint64_t granule; /* samples until the end of the last packet */
    uint8_t sizes[255];
    uint8_t body[255 * 255];
};

void ogg_init(struct ogg_out *o, uint32_t serial);
/* False: it does not fit any more: take the page first. */
bool ogg_put(struct ogg_out *o, const uint8_t *packet, size_t len, uint64_t granule);
/* Returns the bytes of the page, and begins another. */
size_t ogg_page(struct ogg_out *o, bool last, uint8_t ret[static OGG_PAGE_MAX]);
/* The two packets before all sound. */
size_t ogg_opus_head(uint8_t ret[static OGG_OPUS_HEAD], uint16_t skip);
size_t ogg_opus_tags(uint8_t *ret, size_t cap, const char *writer);
