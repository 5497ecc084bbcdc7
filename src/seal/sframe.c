#include "seal/sframe.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "wire/cursor.h"

/* --- the header ------------------------------------------------------------------------ */

static unsigned bytes_of(uint64_t n)
{
    unsigned bytes = 1;

    while (bytes < 8 && n >> 8 * bytes)
        bytes++;
    return bytes;
}

/* Below 8 the number itself, else 8 and the number of its bytes less one. */
static uint8_t nibble(uint64_t n)
{
    return (uint8_t)(n < 8 ? n : 8 | (bytes_of(n) - 1));
}

static void put(struct writer *w, uint64_t n)
{
    if (n >= 8)
        write_number(w, n, bytes_of(n));
}

size_t sframe_head_encode(uint8_t ret[static SFRAME_HEAD_MAX], uint64_t kid, uint64_t counter)
{
    struct writer w = writer_of(ret, SFRAME_HEAD_MAX);

    write_u8(&w, (uint8_t)(nibble(kid) << 4 | nibble(counter)));
    put(&w, kid);
    put(&w, counter);
    return (size_t)(w.p - ret);
}

static uint64_t take(struct reader *r, unsigned said)
{
    uint64_t n = said < 8 ? said : read_number(r, said - 7);

    if (nibble(n) != said)
        r->bad = true;
    return n;
}

int sframe_head_decode(const uint8_t *bytes, size_t len, uint64_t *ret_kid, uint64_t *ret_counter)
{
    struct reader r = reader_of(bytes, len);
    uint8_t config = read_u8(&r);
    uint64_t kid = take(&r, config >> 4), counter = take(&r, config & 15);

    if (r.bad)
        return -ROOST_MALFORMED;
    *ret_kid = kid;
    *ret_counter = counter;
    return (int)(r.p - bytes);
}

/* --- keys ------------------------------------------------------------------------------- */

/* "SFrame 1.0 Secret key " and "... salt ", then the key id and the suite. */
static int expand(uint8_t *ret, size_t len, const struct seal_part *base, const char *what,
                  uint64_t kid)
{
    uint8_t label[48];
    struct writer w = writer_of(label, sizeof label);

    write_bytes(&w, what, strlen(what));
    write_number(&w, kid, 8);
    write_number(&w, SFRAME_SUITE, 2);
    struct seal_part info = { label, (size_t)(w.p - label) }, none = { "", 0 };
    return seal_hkdf_sha512(ret, len, base, &none, &info);
}

int sframe_init(struct sframe *s, const struct seal_part *base, uint64_t kid, bool seals)
{
    uint8_t key[AEAD_KEY_256], salt[AEAD_IV];

    *s = (struct sframe){ .kid = kid };
    int err = expand(key, sizeof key, base, "SFrame 1.0 Secret key ", kid);
    if (!err)
        err = expand(salt, sizeof salt, base, "SFrame 1.0 Secret salt ", kid);
    if (!err)
        err = aead_init_256(&s->aead, key, salt, seals);
    seal_wipe(key, sizeof key);
    seal_wipe(salt, sizeof salt);
    return err;
}

void sframe_fini(struct sframe *s)
{
    aead_fini(&s->aead);
    *s = (struct sframe){ 0 };
}

/* --- frames ----------------------------------------------------------------------------- */

static size_t also(const struct sframe *s, uint64_t counter, const struct seal_part *meta,
                   size_t n_meta, uint8_t head[static SFRAME_HEAD_MAX],
                   struct seal_part ret[static 1 + SFRAME_META_MAX])
{
    assert(n_meta <= SFRAME_META_MAX);
    ret[0] = (struct seal_part){ head, sframe_head_encode(head, s->kid, counter) };
    for (size_t i = 0; i < n_meta; i++)
        ret[1 + i] = meta[i];
    return 1 + n_meta;
}

int sframe_seal(struct sframe *s, uint64_t counter, const struct seal_part *meta, size_t n_meta,
                uint8_t *bytes, size_t len, uint8_t tag[static SFRAME_TAG])
{
    struct seal_part parts[1 + SFRAME_META_MAX];
    uint8_t head[SFRAME_HEAD_MAX];
    size_t n = also(s, counter, meta, n_meta, head, parts);

    return aead_seal(&s->aead, counter, parts, n, bytes, len, tag);
}

int sframe_open(struct sframe *s, uint64_t counter, const struct seal_part *meta, size_t n_meta,
                uint8_t *bytes, size_t len, const uint8_t tag[static SFRAME_TAG])
{
    struct seal_part parts[1 + SFRAME_META_MAX];
    uint8_t head[SFRAME_HEAD_MAX];
    size_t n = also(s, counter, meta, n_meta, head, parts);

    return aead_open(&s->aead, counter, parts, n, bytes, len, tag);
}
