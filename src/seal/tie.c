#include "seal/tie.h"

#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "wire/cursor.h"

enum { SIGNATURE = 64, HELLO = 1, BACK = 4 };

int tie_self_init(struct tie_self *s, uint64_t meeting, const uint8_t seed[static 32],
                  const uint8_t random[static 32])
{
    *s = (struct tie_self){ .meeting = meeting };
    crypto_sign_seed_keypair(s->identity, s->signer, seed);
    memcpy(s->private, random, sizeof s->private);
    return crypto_scalarmult_base(s->key, s->private) ? -ROOST_INVALID : 0;
}

void tie_self_fini(struct tie_self *s)
{
    seal_wipe(s, sizeof *s);
}

/* --- showing a key ---------------------------------------------------------------------- */

static const char signs[] = "roost meeting key 1";
enum { SIGNED = sizeof signs + TIE_HELLO - SIGNATURE };

static void signed_bytes(const uint8_t *hello, uint8_t ret[static SIGNED])
{
    memcpy(ret, signs, sizeof signs);
    memcpy(ret + sizeof signs, hello, TIE_HELLO - SIGNATURE);
}

void tie_hello(const struct tie_self *s, uint32_t epoch, bool back, uint8_t ret[static TIE_HELLO])
{
    struct writer w = writer_of(ret, TIE_HELLO);
    uint8_t bytes[SIGNED];

    write_u8(&w, back ? BACK : HELLO);
    write_number(&w, s->meeting, 8);
    write_number(&w, epoch, 4);
    write_bytes(&w, s->identity, TIE_KEY);
    write_bytes(&w, s->key, TIE_KEY);
    signed_bytes(ret, bytes);
    crypto_sign_detached(w.p, NULL, bytes, sizeof bytes, s->signer);
}

int tie_hello_read(const uint8_t *bytes, size_t len, uint64_t meeting, struct tie_hello *ret)
{
    struct reader r = reader_of(bytes, len);
    uint8_t what[SIGNED], kind = read_u8(&r);
    uint64_t where = read_number(&r, 8);
    struct tie_hello h = { .epoch = (uint32_t)read_number(&r, 4) };

    h.back = kind == BACK;
    h.identity = read_bytes(&r, TIE_KEY);
    h.key = read_bytes(&r, TIE_KEY);
    const uint8_t *signature = read_bytes(&r, SIGNATURE);
    if (r.bad || r.p != r.end || (kind != HELLO && kind != BACK))
        return -ROOST_MALFORMED;
    signed_bytes(bytes, what);
    if (where != meeting || crypto_sign_verify_detached(signature, what, sizeof what, h.identity))
        return -ROOST_UNTRUSTED;
    *ret = h;
    return 0;
}

/* --- what two have ------------------------------------------------------------------------ */

/* Both write the lower identity first. */
static size_t purpose(const struct tie_self *s, const uint8_t *identity, const uint8_t *key,
                      bool lower, uint8_t *ret, size_t cap)
{
    static const char name[] = "roost tie 1";
    struct writer w = writer_of(ret, cap);

    write_bytes(&w, name, sizeof name);
    write_number(&w, s->meeting, 8);
    write_bytes(&w, lower ? s->identity : identity, TIE_KEY);
    write_bytes(&w, lower ? s->key : key, TIE_KEY);
    write_bytes(&w, lower ? identity : s->identity, TIE_KEY);
    write_bytes(&w, lower ? key : s->key, TIE_KEY);
    return (size_t)(w.p - ret);
}

int tie_init(struct tie *t, const struct tie_self *s, const uint8_t identity[static TIE_KEY],
             const uint8_t key[static TIE_KEY])
{
    enum { ONE = AEAD_KEY_256 + AEAD_IV };
    uint8_t both[32], info[160], keys[2 * ONE];
    bool lower = memcmp(s->identity, identity, TIE_KEY) < 0;

    *t = (struct tie){ 0 };
    if (crypto_scalarmult(both, s->private, key))
        return -ROOST_MALFORMED;
    struct seal_part secret = { both, sizeof both }, none = { "", 0 },
                     what = { info, purpose(s, identity, key, lower, info, sizeof info) };
    const uint8_t *out = lower ? keys : keys + ONE, *in = lower ? keys + ONE : keys;
    int err = seal_hkdf(keys, sizeof keys, &secret, &none, &what);
    if (!err)
        err = aead_init_256(&t->out, out, out + AEAD_KEY_256, true);
    if (!err)
        err = aead_init_256(&t->in, in, in + AEAD_KEY_256, false);
    seal_wipe(both, sizeof both);
    seal_wipe(keys, sizeof keys);
    if (err)
        tie_fini(t);
    return err;
}

void tie_fini(struct tie *t)
{
    aead_fini(&t->out);
    aead_fini(&t->in);
    *t = (struct tie){ 0 };
}

int tie_seal(struct tie *t, uint64_t number, const struct seal_part *also, uint8_t *bytes,
             size_t len, uint8_t tag[static AEAD_TAG])
{
    return aead_seal(&t->out, number, also, 1, bytes, len, tag);
}

int tie_open(struct tie *t, uint64_t number, const struct seal_part *also, uint8_t *bytes,
             size_t len, const uint8_t tag[static AEAD_TAG])
{
    if (number < t->next)
        return -ROOST_ALREADY;
    int err = aead_open(&t->in, number, also, 1, bytes, len, tag);
    if (!err)
        t->next = number + 1;
    return err;
}
