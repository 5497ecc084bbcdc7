#include "seal/rng.h"

#include <assert.h>
#include <string.h>

#include "seal/digest.h"

static uint32_t rotl(uint32_t x, int n)
{
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t *s, int a, int b, int c, int d)
{
    s[a] += s[b], s[d] = rotl(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotl(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotl(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotl(s[b] ^ s[c], 7);
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void rng_chacha20_block(uint8_t ret[static 64], const uint8_t key[static 32], uint32_t counter,
                        const uint8_t nonce[static 12])
{
    uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, s[16];

    for (int i = 0; i < 8; i++)
        in[4 + i] = le32(key + 4 * i);
    in[12] = counter;
    for (int i = 0; i < 3; i++)
        in[13 + i] = le32(nonce + 4 * i);
    memcpy(s, in, sizeof s);

    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            quarter(s, i, 4 + i, 8 + i, 12 + i);
        for (int i = 0; i < 4; i++)
            quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (int i = 0; i < 16; i++) {
        uint32_t v = s[i] + in[i];
        for (int k = 0; k < 4; k++)
            ret[4 * i + k] = (uint8_t)(v >> 8 * k);
    }
    seal_wipe(s, sizeof s);
    seal_wipe(in, sizeof in);
}

/* The nonce never changes: each key is used for one refill only. */
static void refill(struct rng *r)
{
    static const uint8_t nonce[12];
    uint8_t made[512];

    for (uint32_t i = 0; i < sizeof made / 64; i++)
        rng_chacha20_block(made + 64 * i, r->key, i, nonce);
    memcpy(r->key, made, sizeof r->key);
    memcpy(r->pool, made + sizeof r->key, sizeof r->pool);
    seal_wipe(made, sizeof made);
    r->used = 0;
}

void rng_init(struct rng *r, const uint8_t seed[static 32])
{
    memcpy(r->key, seed, sizeof r->key);
    refill(r);
}

void rng_fini(struct rng *r)
{
    seal_wipe(r, sizeof *r);
}

void rng_fill(struct rng *r, void *to, size_t len)
{
    uint8_t *out = to;

    while (len > 0) {
        if (r->used == sizeof r->pool)
            refill(r);
        size_t n = sizeof r->pool - r->used;
        if (n > len)
            n = len;
        memcpy(out, r->pool + r->used, n);
        seal_wipe(r->pool + r->used, n);
        r->used += n;
        out += n;
        len -= n;
    }
}

uint64_t rng_u64(struct rng *r)
{
    uint8_t b[8];
    uint64_t v = 0;

    rng_fill(r, b, sizeof b);
    for (int i = 0; i < 8; i++)
        v |= (uint64_t)b[i] << 8 * i;
    return v;
}

uint64_t rng_below(struct rng *r, uint64_t below)
{
    assert(below > 0);
    /* The lowest 2^64 mod below values are thrown away: the rest is even. */
    uint64_t uneven = -below % below, v;

    do
        v = rng_u64(r);
    while (v < uneven);
    return v % below;
}
