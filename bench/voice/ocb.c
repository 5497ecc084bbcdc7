#include "ocb.h"

#include <string.h>

/* --- blocks -------------------------------------------------------------------------- */

static void exclusive(uint8_t *to, const uint8_t *a, const uint8_t *b)
{
    for (int i = 0; i < OCB_BLOCK; i++)
        to[i] = a[i] ^ b[i];
}

/* Times x in the field of 2^128. */
static void twice(uint8_t *b)
{
    uint8_t carry = b[0] >> 7;

    for (int i = 0; i < OCB_BLOCK - 1; i++)
        b[i] = (uint8_t)(b[i] << 1 | b[i + 1] >> 7);
    b[OCB_BLOCK - 1] = (uint8_t)(b[OCB_BLOCK - 1] << 1 ^ (carry ? 0x87 : 0));
}

static void thrice(uint8_t *b)
{
    uint8_t once[OCB_BLOCK];

    memcpy(once, b, sizeof once);
    twice(b);
    exclusive(b, b, once);
}

static void cipher(EVP_CIPHER_CTX *ctx, const uint8_t *from, uint8_t *to, size_t len)
{
    int n;

    EVP_CipherUpdate(ctx, to, &n, from, (int)len);
}

/* --- life ------------------------------------------------------------------------------ */

static EVP_CIPHER_CTX *context(const uint8_t *key, int seals)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ctx && EVP_CipherInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL, seals) == 1 &&
        EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

bool ocb_init(struct ocb *o, const uint8_t key[static OCB_BLOCK],
              const uint8_t out_nonce[static OCB_BLOCK], const uint8_t in_nonce[static OCB_BLOCK])
{
    *o = (struct ocb){ .seal = context(key, 1), .open = context(key, 0) };
    memcpy(o->out_nonce, out_nonce, OCB_BLOCK);
    memcpy(o->in_nonce, in_nonce, OCB_BLOCK);
    return o->seal && o->open;
}

void ocb_fini(struct ocb *o)
{
    EVP_CIPHER_CTX_free(o->seal);
    EVP_CIPHER_CTX_free(o->open);
    *o = (struct ocb){ 0 };
}

/* --- nonces ------------------------------------------------------------------------------ */

static void count_on(uint8_t *nonce, int from)
{
    for (int i = from; i < OCB_BLOCK && !++nonce[i]; i++)
        ;
}

void ocb_come(struct ocb *o, const uint8_t *packet)
{
    if (packet[0] < o->in_nonce[0])
        count_on(o->in_nonce, 1);
    o->in_nonce[0] = packet[0];
}

/* --- packets ------------------------------------------------------------------------------- */

/* All but the last block at once; the last is what is left, one to sixteen bytes. */
struct pass {
    EVP_CIPHER_CTX *ctx;
    uint8_t delta[OCB_BLOCK], sum[OCB_BLOCK];
    size_t blocks;
    uint8_t deltas[OCB_BYTES_MAX], between[OCB_BYTES_MAX];
};

static void begin(struct pass *p, struct ocb *o, EVP_CIPHER_CTX *ctx, const uint8_t *nonce,
                  size_t len)
{
    p->ctx = ctx;
    p->blocks = len ? (len - 1) / OCB_BLOCK : 0;
    memset(p->sum, 0, sizeof p->sum);
    cipher(o->seal, nonce, p->delta, OCB_BLOCK);
    for (size_t i = 0; i < p->blocks; i++) {
        twice(p->delta);
        memcpy(p->deltas + i * OCB_BLOCK, p->delta, OCB_BLOCK);
    }
}

static void whole_blocks(struct pass *p, const uint8_t *from, uint8_t *to)
{
    size_t len = p->blocks * OCB_BLOCK;

    for (size_t i = 0; i < len; i++)
        p->between[i] = from[i] ^ p->deltas[i];
    cipher(p->ctx, p->between, p->between, len);
    for (size_t i = 0; i < len; i++)
        to[i] = p->between[i] ^ p->deltas[i];
}

static void add_up(struct pass *p, const uint8_t *plain)
{
    for (size_t i = 0; i < p->blocks; i++)
        exclusive(p->sum, p->sum, plain + i * OCB_BLOCK);
}

/* What is left, by a pad that its length makes; and the tag. */
static void finish(struct pass *p, struct ocb *o, const uint8_t *from, uint8_t *to, size_t left,
                   bool seals, uint8_t tag[static OCB_BLOCK])
{
    uint8_t pad[OCB_BLOCK] = { 0 }, plain[OCB_BLOCK];

    twice(p->delta);
    pad[OCB_BLOCK - 1] = (uint8_t)(left * 8);
    exclusive(pad, pad, p->delta);
    cipher(o->seal, pad, pad, OCB_BLOCK);
    memcpy(plain, pad, sizeof plain);
    for (size_t i = 0; i < left; i++) {
        plain[i] = seals ? from[i] : from[i] ^ pad[i];
        to[i] = from[i] ^ pad[i];
    }
    exclusive(p->sum, p->sum, plain);
    thrice(p->delta);
    exclusive(p->sum, p->sum, p->delta);
    cipher(o->seal, p->sum, tag, OCB_BLOCK);
}

size_t ocb_seal(struct ocb *o, const uint8_t *plain, size_t len, uint8_t *to)
{
    uint8_t tag[OCB_BLOCK];
    struct pass p;

    count_on(o->out_nonce, 0);
    begin(&p, o, o->seal, o->out_nonce, len);
    size_t whole = p.blocks * OCB_BLOCK;
    add_up(&p, plain);
    whole_blocks(&p, plain, to + OCB_HEAD);
    finish(&p, o, plain + whole, to + OCB_HEAD + whole, len - whole, true, tag);
    to[0] = o->out_nonce[0];
    memcpy(to + 1, tag, OCB_HEAD - 1);
    return len + OCB_HEAD;
}

bool ocb_open(struct ocb *o, const uint8_t *packet, size_t len, uint8_t *to)
{
    uint8_t tag[OCB_BLOCK];
    struct pass p;

    if (len <= OCB_HEAD || len > OCB_BYTES_MAX)
        return false;
    begin(&p, o, o->open, o->in_nonce, len - OCB_HEAD);
    size_t whole = p.blocks * OCB_BLOCK;
    whole_blocks(&p, packet + OCB_HEAD, to);
    add_up(&p, to);
    finish(&p, o, packet + OCB_HEAD + whole, to + whole, len - OCB_HEAD - whole, false, tag);
    return !memcmp(tag, packet + 1, OCB_HEAD - 1);
}
