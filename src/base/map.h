/* map.h - hash tables: from 64-bit numbers, and from byte strings, to pointers.
 *
 * Open addressing with linear probing. The map owns copies of its byte-string
 * keys and never the values. An iteration is valid while nothing is put or
 * taken. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot {
    uint64_t key; /* the number, or the hash of the bytes */
    void *value;  /* NULL = empty */
    uint8_t *bytes;
    uint32_t len;
};

struct map {
    struct map_slot *slots;
    size_t cap; /* 0 or a power of two */
    size_t n;
    uint64_t seed; /* so that a peer cannot choose colliding keys */
};

void map_init(struct map *m, uint64_t seed);
void map_fini(struct map *m);

void *map_get(const struct map *m, uint64_t key);
int map_put(struct map *m, uint64_t key, void *value); /* replaces; value is not NULL */
void *map_take(struct map *m, uint64_t key);           /* removed, or NULL */

void *map_get_bytes(const struct map *m, const void *key, size_t len);
int map_put_bytes(struct map *m, const void *key, size_t len, void *value);
void *map_take_bytes(struct map *m, const void *key, size_t len);

/* The next used slot at or after *i, or NULL; start with *i = 0. */
struct map_slot *map_next(const struct map *m, size_t *i);
