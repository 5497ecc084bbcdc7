/* sframe.h - frames sealed end to end: SFrame (RFC 9605), AES_256_GCM_SHA512_128.
 *
 * Of a base key and a key id follow a key and a salt; the nonce is the salt with the frame's
 * counter added (xor), and no counter may be used twice, which is for the caller to see to. What is
 * authenticated beside the frame is the SFrame header and whatever metadata is given. The header
 * says key id and counter only: who has both from elsewhere need not send it (docs/PROTOCOL.md).
 *
 * One cipher context a key and direction. Not thread-safe.
 */
#pragma once

#include "seal/aead.h"

enum {
    SFRAME_SUITE = 5,
    SFRAME_TAG = AEAD_TAG,
    SFRAME_HEAD_MAX = 17,
    SFRAME_META_MAX = 4, /* parts */
};

struct sframe {
    struct aead aead;
    uint64_t kid;
};

/* 0 or -ROOST_NOMEM. The caller wipes the base key. */
int sframe_init(struct sframe *s, const struct seal_part *base, uint64_t kid, bool seals);
void sframe_fini(struct sframe *s);

/* In place, as aead_seal and aead_open. */
int sframe_seal(struct sframe *s, uint64_t counter, const struct seal_part *meta, size_t n_meta,
                uint8_t *bytes, size_t len, uint8_t tag[static SFRAME_TAG]);
int sframe_open(struct sframe *s, uint64_t counter, const struct seal_part *meta, size_t n_meta,
                uint8_t *bytes, size_t len, const uint8_t tag[static SFRAME_TAG]);

/* Returns its length. */
size_t sframe_head_encode(uint8_t ret[static SFRAME_HEAD_MAX], uint64_t kid, uint64_t counter);
/* Its length, or -ROOST_MALFORMED: cut off, or longer than needed. */
int sframe_head_decode(const uint8_t *bytes, size_t len, uint64_t *ret_kid, uint64_t *ret_counter);
