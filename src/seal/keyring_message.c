#include "seal/keyring_inside.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "wire/cursor.h"

enum {
    SIGNATURE = 64,
    KEY_HEAD = 1 + 8 + 4 + 32 + 32 + 32 + 4 + 4 + 4, /* is authenticated with the sealed key */
    GOT_HEAD = 1 + 8 + 4 + 4,
};
static const char signs[] = "roost sender key 1";

/* What is signed: all of the message but the signature. */
enum { SIGNED = sizeof signs + KEY_MESSAGE - SIGNATURE };

static void signed_bytes(const uint8_t *message, uint8_t ret[static SIGNED])
{
    memcpy(ret, signs, sizeof signs);
    memcpy(ret + sizeof signs, message, KEY_MESSAGE - SIGNATURE);
}

static int lie(struct keyring *k, enum keyring_what what, uint32_t who)
{
    keyring_tell(k, what, who, 0);
    return -ROOST_UNTRUSTED;
}

/* --- HELLO ------------------------------------------------------------------------------- */

static bool was_replaced(const struct member *m, const uint8_t *key)
{
    for (uint32_t i = 0; i < m->n_replaced; i++)
        if (!memcmp(m->replaced[i], key, TIE_KEY))
            return true;
    return m->n_replaced == KEYRING_RESTARTS_MAX;
}

/* The device has begun, or begun anew: what it had is gone. It may not have heard from us yet. */
static void begin_anew(struct member *m, const struct tie_hello *h, struct tie *tie)
{
    if (h->epoch > m->hello_epoch)
        m->n_replaced = 0;
    else if (m->tied)
        memcpy(m->replaced[m->n_replaced++], m->key, TIE_KEY);
    tie_fini(&m->tie);
    m->tie = *tie;
    m->tied = m->owes_key = true;
    m->owes_back = !h->back;
    memcpy(m->key, h->key, TIE_KEY);
    m->hello_epoch = h->epoch;
    m->confirmed = m->newest = 0;
    for (int i = 0; i < 2; i++) /* its keys begin with the same ids again */
        if (m->chains[i].now.generation)
            keyring_drop(m, &m->chains[i]);
}

/* A key that was replaced does not come back: under it numbers would begin again. */
static int on_hello(struct keyring *k, struct member *m, const uint8_t *bytes, size_t len)
{
    struct tie_hello h;
    struct tie tie;
    int err = tie_hello_read(bytes, len, k->self.meeting, &h);

    if (err == -ROOST_MALFORMED)
        return err;
    if (err || memcmp(h.identity, m->is.identity, TIE_KEY) != 0)
        return lie(k, KEYRING_FORGED, m->is.number);
    if (m->tied && !memcmp(h.key, m->key, TIE_KEY))
        return 0;
    if (m->tied &&
        (h.epoch < m->hello_epoch || (h.epoch == m->hello_epoch && was_replaced(m, h.key))))
        return -ROOST_ALREADY;
    err = tie_init(&tie, &k->self, h.identity, h.key);
    if (!err)
        begin_anew(m, &h, &tie);
    return err;
}

/* --- KEY ----------------------------------------------------------------------------------- */

struct key_message {
    uint64_t meeting;
    uint32_t epoch, made, key_id, number;
    const uint8_t *hash, *sender, *receiver, *sealed, *signature;
};

static bool read_key(const uint8_t *bytes, size_t len, struct key_message *ret)
{
    struct reader r = reader_of(bytes, len);

    read_u8(&r);
    ret->meeting = read_number(&r, 8);
    ret->epoch = (uint32_t)read_number(&r, 4);
    ret->hash = read_bytes(&r, 32);
    ret->sender = read_bytes(&r, TIE_KEY);
    ret->receiver = read_bytes(&r, TIE_KEY);
    ret->made = (uint32_t)read_number(&r, 4);
    ret->key_id = (uint32_t)read_number(&r, 4);
    ret->number = (uint32_t)read_number(&r, 4);
    ret->sealed = read_bytes(&r, CHAIN_SECRET + AEAD_TAG);
    ret->signature = read_bytes(&r, SIGNATURE);
    return !r.bad && r.p == r.end && ret->key_id >= CHAIN_STEPS && ret->made <= ret->epoch;
}

static bool is_theirs(const struct keyring *k, const struct member *m, const struct key_message *x,
                      const uint8_t *bytes)
{
    uint8_t what[SIGNED];

    signed_bytes(bytes, what);
    return x->meeting == k->self.meeting && !memcmp(x->sender, m->is.identity, TIE_KEY) &&
           !memcmp(x->receiver, k->self.identity, TIE_KEY) &&
           !crypto_sign_verify_detached(x->signature, what, sizeof what, x->sender);
}

/* The one before opens what is late, and what is sealed until all have the new one. */
static void take_chain(struct member *m, const struct chain *c, int64_t now_us)
{
    int64_t until_us = now_us + KEYRING_PATIENCE_US + KEYRING_LATE_US;

    if (m->chains[1].now.generation)
        keyring_drop(m, &m->chains[1]);
    m->chains[1] = m->chains[0];
    if (m->chains[1].until_us > until_us)
        m->chains[1].until_us = until_us;
    m->chains[0] = (struct known_chain){ .now = *c, .until_us = INT64_MAX };
    m->newest = c->generation;
    m->owes_got = true;
    m->got_key_id = chain_key_id(c);
}

static int on_key(struct keyring *k, struct member *m, const uint8_t *bytes, size_t len,
                  int64_t now_us)
{
    struct key_message x;
    uint8_t secret[CHAIN_SECRET];

    if (!read_key(bytes, len, &x))
        return -ROOST_MALFORMED;
    if (!is_theirs(k, m, &x, bytes))
        return lie(k, KEYRING_FORGED, m->is.number);
    if (x.made < k->left_epoch) /* who left knows it: there will be another */
        return -ROOST_ALREADY;
    if (!keyring_knows(k, x.epoch, x.hash))
        return lie(k, KEYRING_DIFFERS, m->is.number);
    if (!m->tied)
        return -ROOST_MALFORMED;
    memcpy(secret, x.sealed, sizeof secret);
    struct seal_part also = { bytes, KEY_HEAD };
    int err = tie_open(&m->tie, x.number, &also, secret, sizeof secret, x.sealed + CHAIN_SECRET);
    if (!err && x.key_id / CHAIN_STEPS <= m->newest)
        err = -ROOST_ALREADY;
    if (!err) {
        struct chain c = { .generation = x.key_id / CHAIN_STEPS,
                           .step = x.key_id % CHAIN_STEPS,
                           .epoch = x.made };
        memcpy(c.secret, secret, sizeof secret);
        take_chain(m, &c, now_us);
        keyring_tell(k, KEYRING_HAS_KEY, m->is.number, x.key_id);
        seal_wipe(&c, sizeof c);
    }
    seal_wipe(secret, sizeof secret);
    return err;
}

/* --- GOT -------------------------------------------------------------------------------- */

static int on_got(struct keyring *k, struct member *m, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct seal_part also = { bytes, GOT_HEAD };
    uint8_t nothing[1];

    read_u8(&r);
    uint64_t meeting = read_number(&r, 8);
    uint32_t key_id = (uint32_t)read_number(&r, 4), number = (uint32_t)read_number(&r, 4);
    const uint8_t *tag = read_bytes(&r, AEAD_TAG);
    if (r.bad || r.p != r.end || meeting != k->self.meeting || !m->tied)
        return -ROOST_MALFORMED;
    int err = tie_open(&m->tie, number, &also, nothing, 0, tag);
    if (err)
        return err;
    if (key_id / CHAIN_STEPS > k->generation)
        return -ROOST_MALFORMED;
    if (key_id / CHAIN_STEPS > m->confirmed)
        m->confirmed = key_id / CHAIN_STEPS;
    keyring_adopt_if_all(k);
    return 0;
}

/* --- in ------------------------------------------------------------------------------------ */

/* The epoch that a message is of; 0: of any. */
static uint32_t epoch_of(const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);

    if (read_u8(&r) == SAYS_GOT)
        return 0;
    read_number(&r, 8);
    return (uint32_t)read_number(&r, 4);
}

/* Its sender has heard of a change before we have. */
static int keep(struct keyring *k, uint32_t who, const uint8_t *bytes, size_t len)
{
    struct early *e;

    if (k->n_early == KEYRING_EARLY_MAX || len > KEYRING_MESSAGE_MAX)
        return -ROOST_LIMIT;
    e = calloc(1, sizeof *e);
    if (!e)
        return -ROOST_NOMEM;
    e->who = who;
    e->len = len;
    memcpy(e->bytes, bytes, len);
    *k->early_end = e;
    k->early_end = &e->after;
    k->n_early++;
    return 0;
}

int keyring_on_message(struct keyring *k, int64_t now_us, uint32_t who, const uint8_t *bytes,
                       size_t len)
{
    struct member *m = keyring_member(k, who);

    if (!len || k->hub_key)
        return -ROOST_MALFORMED;
    if (epoch_of(bytes, len) > k->epoch)
        return keep(k, who, bytes, len);
    if (!m)
        return -ROOST_NOT_IN_MEETING;
    switch (bytes[0]) {
    case SAYS_HELLO:
    case SAYS_BACK:
        return on_hello(k, m, bytes, len);
    case SAYS_KEY:
        return on_key(k, m, bytes, len, now_us);
    case SAYS_GOT:
        return on_got(k, m, bytes, len);
    default:
        return -ROOST_MALFORMED;
    }
}

/* --- out ----------------------------------------------------------------------------------- */

static size_t write_key(struct keyring *k, struct member *m, const struct chain *c,
                        uint8_t ret[static KEY_MESSAGE])
{
    struct writer w = writer_of(ret, KEY_MESSAGE);
    uint8_t what[SIGNED];
    uint32_t number = (uint32_t)k->sealed++;
    struct seal_part also = { ret, KEY_HEAD };

    write_u8(&w, SAYS_KEY);
    write_number(&w, k->self.meeting, 8);
    write_number(&w, k->epoch, 4);
    write_bytes(&w, k->hash, 32);
    write_bytes(&w, k->self.identity, TIE_KEY);
    write_bytes(&w, m->is.identity, TIE_KEY);
    write_number(&w, c->epoch, 4);
    write_number(&w, chain_key_id(c), 4);
    write_number(&w, number, 4);
    uint8_t *sealed = w.p;
    write_bytes(&w, c->secret, CHAIN_SECRET);
    if (tie_seal(&m->tie, number, &also, sealed, CHAIN_SECRET, sealed + CHAIN_SECRET)) {
        seal_wipe(ret, KEY_MESSAGE);
        return 0;
    }
    signed_bytes(ret, what);
    crypto_sign_detached(sealed + CHAIN_SECRET + AEAD_TAG, NULL, what, sizeof what, k->self.signer);
    return KEY_MESSAGE;
}

static size_t write_got(struct keyring *k, struct member *m, uint8_t ret[static GOT_MESSAGE])
{
    struct writer w = writer_of(ret, GOT_MESSAGE);
    uint32_t number = (uint32_t)k->sealed++;
    struct seal_part also = { ret, GOT_HEAD };
    uint8_t nothing[1];

    write_u8(&w, SAYS_GOT);
    write_number(&w, k->self.meeting, 8);
    write_number(&w, m->got_key_id, 4);
    write_number(&w, number, 4);
    return tie_seal(&m->tie, number, &also, nothing, 0, w.p) ? 0 : GOT_MESSAGE;
}

/* The one thing that is owed first. */
static size_t owed(struct keyring *k, struct member *m, uint8_t ret[static KEYRING_MESSAGE_MAX])
{
    const struct chain *c = k->coming.generation ? &k->coming : &k->now;
    size_t n;

    if (m->owes_hello || m->owes_back) {
        tie_hello(&k->self, k->epoch, !m->owes_hello, ret);
        m->owes_hello = m->owes_back = false; /* a HELLO is an answer too */
        return TIE_HELLO;
    }
    if (!m->tied || k->sealed >= UINT32_MAX)
        return 0;
    if (m->owes_key && c->generation) {
        n = write_key(k, m, c, ret);
        m->owes_key = !n;
        return n;
    }
    if (m->owes_got) {
        n = write_got(k, m, ret);
        m->owes_got = !n;
        return n;
    }
    return 0;
}

size_t keyring_next(struct keyring *k, uint32_t *ret_to, uint8_t ret[static KEYRING_MESSAGE_MAX])
{
    for (size_t i = 0; !k->hub_key && i < k->n_members; i++) {
        struct member *m = k->members[(k->cursor + i) % k->n_members];
        size_t n = owed(k, m, ret);
        if (n) {
            *ret_to = m->is.number;
            k->cursor = (k->cursor + i) % k->n_members;
            return n;
        }
    }
    return 0;
}
