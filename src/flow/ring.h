/* ring.h - the bytes of a stream between two offsets, in memory that grows with them.
 *
 * Byte n of the stream lies at n modulo the capacity, a power of two; so nothing moves
 * while the window goes on. Pure; the owner says which bytes mean something.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *bytes;
    uint64_t cap;
};

void ring_fini(struct ring *r);
/* So that [from, to) fits, of which [from, kept) holds something. -ROOST_NOMEM. */
int ring_fit(struct ring *r, uint64_t from, uint64_t kept, uint64_t to);
void ring_put(struct ring *r, uint64_t at, const void *bytes, size_t len);
void ring_get(const struct ring *r, uint64_t at, void *bytes, size_t len);
/* Where byte `at` lies, and how many lie behind it without a break, at most len. */
const uint8_t *ring_at(const struct ring *r, uint64_t at, size_t len, size_t *ret_len);
