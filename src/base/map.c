#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { CAP_MIN = 8 };

static uint64_t mix(uint64_t x)
{
    /* The finaliser of splitmix64: every input bit reaches every output bit. */
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t hash_bytes(uint64_t seed, const uint8_t *p, size_t len)
{
    uint64_t h = mix(seed ^ len), word;

    for (; len >= 8; p += 8, len -= 8) {
        memcpy(&word, p, 8);
        h = mix(h ^ word) + seed;
    }
    word = 0;
    memcpy(&word, p, len);
    return mix(h ^ word);
}

void map_init(struct map *m, uint64_t seed)
{
    *m = (struct map){ .seed = mix(seed + 1) };
}

void map_fini(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].bytes);
    free(m->slots);
    *m = (struct map){ 0 };
}

static size_t home_of(const struct map *m, uint64_t key)
{
    return mix(key ^ m->seed) & (m->cap - 1);
}

static bool same(const struct map_slot *s, uint64_t key, const void *bytes, size_t len)
{
    return s->key == key && s->len == len && (s->bytes != NULL) == (bytes != NULL) &&
           (!bytes || memcmp(s->bytes, bytes, len) == 0);
}

static struct map_slot *find(const struct map *m, uint64_t key, const void *bytes, size_t len)
{
    if (!m->cap)
        return NULL;
    for (size_t i = home_of(m, key); m->slots[i].value; i = (i + 1) & (m->cap - 1))
        if (same(&m->slots[i], key, bytes, len))
            return &m->slots[i];
    return NULL;
}

static void place(struct map *m, struct map_slot slot)
{
    size_t i = home_of(m, slot.key);

    while (m->slots[i].value)
        i = (i + 1) & (m->cap - 1);
    m->slots[i] = slot;
}

static int grow(struct map *m)
{
    /* At most three quarters full: probes stay short. */
    if (m->n + 1 <= m->cap / 4 * 3)
        return 0;

    struct map old = *m;
    size_t cap = m->cap ? m->cap * 2 : CAP_MIN;
    struct map_slot *slots = calloc(cap, sizeof *slots);
    if (!slots)
        return -ROOST_NOMEM;
    m->slots = slots;
    m->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value)
            place(m, old.slots[i]);
    free(old.slots);
    return 0;
}

static int put(struct map *m, uint64_t key, const void *bytes, size_t len, void *value)
{
    struct map_slot *s = find(m, key, bytes, len);

    if (s) {
        s->value = value;
        return 0;
    }
    int err = grow(m);
    if (err)
        return err;
    struct map_slot fresh = { .key = key, .value = value, .len = (uint32_t)len };
    if (bytes) {
        fresh.bytes = malloc(len ? len : 1);
        if (!fresh.bytes)
            return -ROOST_NOMEM;
        memcpy(fresh.bytes, bytes, len);
    }
    place(m, fresh);
    m->n++;
    return 0;
}

static void *take(struct map *m, uint64_t key, const void *bytes, size_t len)
{
    struct map_slot *s = find(m, key, bytes, len);

    if (!s)
        return NULL;
    void *value = s->value;
    free(s->bytes);
    s->value = NULL;
    m->n--;

    /* Close the hole: move back whatever probed past it. */
    size_t hole = (size_t)(s - m->slots), mask = m->cap - 1;
    for (size_t i = (hole + 1) & mask; m->slots[i].value; i = (i + 1) & mask) {
        size_t home = home_of(m, m->slots[i].key);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            m->slots[i].value = NULL;
            hole = i;
        }
    }
    m->slots[hole].bytes = NULL;
    return value;
}

void *map_get(const struct map *m, uint64_t key)
{
    struct map_slot *s = find(m, key, NULL, 0);
    return s ? s->value : NULL;
}

int map_put(struct map *m, uint64_t key, void *value)
{
    return put(m, key, NULL, 0, value);
}

void *map_take(struct map *m, uint64_t key)
{
    return take(m, key, NULL, 0);
}

void *map_get_bytes(const struct map *m, const void *key, size_t len)
{
    struct map_slot *s = find(m, hash_bytes(m->seed, key, len), key, len);
    return s ? s->value : NULL;
}

int map_put_bytes(struct map *m, const void *key, size_t len, void *value)
{
    return put(m, hash_bytes(m->seed, key, len), key, len, value);
}

void *map_take_bytes(struct map *m, const void *key, size_t len)
{
    return take(m, hash_bytes(m->seed, key, len), key, len);
}

struct map_slot *map_next(const struct map *m, size_t *i)
{
    for (; *i < m->cap; (*i)++)
        if (m->slots[*i].value)
            return &m->slots[(*i)++];
    return NULL;
}
