#include "seal/chain.h"

#include <string.h>

#include "base/err.h"
#include "wire/cursor.h"

static int derive(const struct chain *c, const char *purpose, uint64_t stream, uint8_t encoding,
                  uint8_t ret[static 32])
{
    uint8_t info[48];
    struct writer w = writer_of(info, sizeof info);

    write_bytes(&w, purpose, strlen(purpose));
    write_number(&w, stream, 8);
    write_u8(&w, encoding);
    struct seal_part secret = { c->secret, CHAIN_SECRET }, none = { "", 0 },
                     what = { info, (size_t)(w.p - info) };
    return seal_hkdf(ret, 32, &secret, &none, &what);
}

int chain_step(struct chain *c)
{
    uint8_t next[CHAIN_SECRET];
    int err = derive(c, "roost key next", 0, 0, next);

    if (!err) {
        memcpy(c->secret, next, sizeof next);
        c->step++;
    }
    seal_wipe(next, sizeof next);
    return err;
}

int chain_of_hub(struct chain *ret, const uint8_t secret[static CHAIN_SECRET], uint32_t number)
{
    struct chain c = { .generation = 1 };

    memcpy(c.secret, secret, CHAIN_SECRET);
    int err = derive(&c, "roost key of the hub", number, 0, c.secret);
    if (!err)
        *ret = c;
    seal_wipe(&c, sizeof c);
    return err;
}

int chain_stream(const struct chain *c, uint64_t stream, uint8_t encoding, bool seals,
                 struct sframe *ret, uint8_t ret_mark[static CHAIN_MARK_KEY])
{
    uint8_t base[32];
    struct seal_part part = { base, sizeof base };
    int err = derive(c, "roost key stream", stream, encoding, base);

    if (!err)
        err = derive(c, "roost key mark", stream, encoding, ret_mark);
    if (!err)
        err = sframe_init(ret, &part, chain_key_id(c), seals);
    seal_wipe(base, sizeof base);
    return err;
}
