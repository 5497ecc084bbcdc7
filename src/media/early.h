/* early.h - sealed frames whose key is not here yet.
 *
 * A key and the first frames under it go different ways; frames that come first wait, EARLY_FRAMES
 * of all senders at most, the oldest gives way, for EARLY_US. When a key comes, those of its sender
 * are tried again, in the order in which they came. Memory: the caller's. Pure; microseconds.
 */
#pragma once

#include <stddef.h>

#include "wire/media.h"

enum { EARLY_FRAMES = 50 };
#define EARLY_US 2000000

struct early_frame {
    struct media media;
    uint32_t who, len; /* len 0: free */
    int64_t came_us;
};

struct early {
    struct early_frame frames[EARLY_FRAMES]; /* a ring */
    uint8_t *bytes;
    uint32_t each, next;
};

/* store: EARLY_FRAMES * each bytes. */
void early_init(struct early *e, void *store, uint32_t each);
/* False: it is too long. */
bool early_put(struct early *e, int64_t now_us, uint32_t who, const struct media *m,
               const uint8_t *bytes, size_t len);
/* The next of this sender's with this key id; its bytes are valid until the next early_put. *i
 * begins with 0. False: no more. */
bool early_take(struct early *e, int64_t now_us, uint32_t who, uint32_t key_id, uint32_t *i,
                struct early_frame *ret, uint8_t **ret_bytes);
