#include "seal/pact.h"

#include <assert.h>
#include <string.h>

#include <sodium/crypto_scalarmult.h>
#include <sodium/crypto_sign.h>

#include "base/err.h"
#include "seal/cpace.h"

enum { VERSION = 1, SIGNATURE = 64, TAG = 16 };

static const char NAME[] = "roost p2p 1";

static int me(const struct pact *p)
{
    return p->caller ? 0 : 1;
}

static int they(const struct pact *p)
{
    return p->caller ? 1 : 0;
}

/* --- keys ------------------------------------------------------------------------------ */

static struct cpace_input input_of(const struct pact *p)
{
    return (struct cpace_input){ { p->phrase, strlen(p->phrase) },
                                 { NAME, strlen(NAME) },
                                 { p->offer, sizeof p->offer } };
}

static int make_key(struct pact *p, const uint8_t random[static 64])
{
    uint8_t point[CPACE_BYTES];

    if (!p->phrased) {
        memcpy(p->private, random, sizeof p->private);
        crypto_scalarmult_base(p->key[me(p)], p->private);
        return 0;
    }
    struct cpace_input in = input_of(p);
    int err = cpace_generator(point, &in);
    cpace_scalar(p->private, random);
    if (!err)
        err = cpace_times(p->key[me(p)], p->private, point);
    seal_wipe(point, sizeof point);
    return err;
}

static int commit_to(uint8_t ret[static 32], const uint8_t *identity, const uint8_t *key)
{
    struct seal_part parts[] = { { "roost p2p commit 1", 19 },
                                 { identity, PACT_KEY },
                                 { key, PACT_KEY } };

    return seal_sha256(ret, parts, 3);
}

/* What both have in their hands; *ret is 64 bytes. */
static int shared(struct pact *p, uint8_t ret[static 64])
{
    uint8_t point[32];
    int err;

    memset(ret, 0, 64);
    if (!p->phrased)
        return crypto_scalarmult(ret, p->private, p->key[they(p)]) ? -ROOST_MALFORMED : 0;
    err = cpace_times(point, p->private, p->key[they(p)]);
    if (!err) {
        struct cpace_input in = input_of(p);
        struct cpace_side sides[2];
        for (int i = 0; i < 2; i++) {
            memcpy(sides[i].share, p->key[i], PACT_KEY);
            sides[i].also = (struct seal_part){ p->identity[i], PACT_KEY };
        }
        cpace_key(ret, &in, point, &sides[0], &sides[1]);
    }
    seal_wipe(point, sizeof point);
    return err;
}

int pact_derive(const struct pact *p, const char *purpose, uint8_t *ret, size_t len)
{
    struct seal_part secret = { p->secret, sizeof p->secret },
                     salt = { p->transcript, sizeof p->transcript },
                     what = { purpose, strlen(purpose) };

    return seal_hkdf(ret, len, &secret, &salt, &what);
}

static int box_key(const struct pact *p, const char *purpose, struct aead *ret, bool seals)
{
    uint8_t bytes[AEAD_KEY + AEAD_IV];
    int err = pact_derive(p, purpose, bytes, sizeof bytes);

    if (!err)
        err = aead_init(ret, bytes, bytes + AEAD_KEY, seals);
    seal_wipe(bytes, sizeof bytes);
    return err;
}

/* Both keys are known: what follows from them. */
static int agree(struct pact *p)
{
    struct seal_part parts[] = {
        { NAME, sizeof NAME },        { p->offer, sizeof p->offer }, { p->identity[0], PACT_KEY },
        { p->identity[1], PACT_KEY }, { p->key[0], PACT_KEY },       { p->key[1], PACT_KEY },
    };
    uint8_t both[64];
    int err = seal_sha256(p->transcript, parts, 6);

    if (!err)
        err = shared(p, both);
    if (!err) {
        struct seal_part secret = { both, sizeof both },
                         salt = { p->transcript, sizeof p->transcript },
                         what = { NAME, strlen(NAME) };
        err = seal_hkdf(p->secret, sizeof p->secret, &secret, &salt, &what);
    }
    seal_wipe(both, sizeof both);
    if (!err)
        err = box_key(p, p->caller ? "box caller" : "box answerer", &p->out, true);
    if (!err)
        err = box_key(p, p->caller ? "box answerer" : "box caller", &p->in, false);
    return err;
}

/* --- proofs ---------------------------------------------------------------------------- */

/* What is signed; 171 bytes. */
static size_t signed_bytes(const struct pact *p, int role, uint8_t ret[static 256])
{
    size_t n = sizeof NAME;

    memcpy(ret, NAME, n);
    memcpy(ret + n, p->offer, PACT_OFFER);
    n += PACT_OFFER;
    ret[n++] = (uint8_t)role;
    for (int i = 0; i < 2; i++, n += PACT_KEY)
        memcpy(ret + n, p->identity[i], PACT_KEY);
    for (int i = 0; i < 2; i++, n += PACT_KEY)
        memcpy(ret + n, p->key[i], PACT_KEY);
    return n;
}

static int tag_of(const struct pact *p, int role, uint8_t ret[static TAG])
{
    return pact_derive(p, role ? "tag answerer" : "tag caller", ret, TAG);
}

static int prove(const struct pact *p, uint8_t ret[static SIGNATURE + TAG])
{
    uint8_t bytes[256];
    size_t n = signed_bytes(p, me(p), bytes);

    if (crypto_sign_detached(ret, NULL, bytes, n, p->signer))
        return -ROOST_NOMEM;
    return tag_of(p, me(p), ret + SIGNATURE);
}

static bool is_expected(const struct pact *p, const uint8_t *identity)
{
    for (size_t i = 0; i < p->n_expects; i++)
        if (!memcmp(identity, p->expects[i], PACT_KEY))
            return true;
    return !p->expecting;
}

static int check(struct pact *p, const uint8_t proof[static SIGNATURE + TAG])
{
    uint8_t bytes[256], tag[TAG];
    const uint8_t *identity = p->identity[they(p)];
    size_t n = signed_bytes(p, they(p), bytes);
    int err = tag_of(p, they(p), tag);

    if (err)
        return err;
    bool fits = seal_equal(tag, proof + SIGNATURE, TAG) &&
                !crypto_sign_verify_detached(proof, bytes, n, identity);
    p->strange = fits && !is_expected(p, identity);
    return fits && !p->strange ? 0 : -ROOST_UNTRUSTED;
}

/* --- life -------------------------------------------------------------------------------- */

void pact_identity(const uint8_t seed[static 32], uint8_t ret[static PACT_KEY])
{
    uint8_t signer[64];

    crypto_sign_seed_keypair(ret, signer, seed);
    seal_wipe(signer, sizeof signer);
}

int pact_init(struct pact *p, const struct pact_settings *s)
{
    *p = (struct pact){ .caller = s->caller, .phrased = s->phrase, .expecting = s->expects };
    if ((s->phrase && strlen(s->phrase) >= sizeof p->phrase) || s->n_expects > PACT_EXPECTS_MAX)
        return -ROOST_INVALID;
    memcpy(p->offer, s->offer, sizeof p->offer);
    if (s->phrase)
        memcpy(p->phrase, s->phrase, strlen(s->phrase));
    if (s->expects)
        memcpy(p->expects, s->expects, s->n_expects * PACT_KEY);
    p->n_expects = s->n_expects;
    crypto_sign_seed_keypair(p->identity[me(p)], p->signer, s->seed ? s->seed : s->random + 64);
    int err = make_key(p, s->random);
    if (err || !p->caller)
        return err;
    p->message[0] = PACT_COMMIT;
    p->message[1] = VERSION;
    p->message[2] = p->phrased;
    p->n_message = 3 + 32;
    return commit_to(p->message + 3, p->identity[0], p->key[0]);
}

void pact_fini(struct pact *p)
{
    aead_fini(&p->out);
    aead_fini(&p->in);
    seal_wipe(p, sizeof *p);
}

size_t pact_next(struct pact *p, uint8_t ret[static PACT_MESSAGE_MAX])
{
    size_t n = p->n_message;

    memcpy(ret, p->message, n);
    p->n_message = 0;
    if (n && p->caller && p->state == PACT_BEGUN)
        p->state = PACT_SHOWN;
    return n;
}

bool pact_is_first(const uint8_t *bytes, size_t len)
{
    return len == 35 && bytes[0] == PACT_COMMIT;
}

/* --- what comes ---------------------------------------------------------------------------- */

/* Identity and key, as this end shows them. */
static size_t put_key(struct pact *p, enum pact_kind kind)
{
    p->message[0] = (uint8_t)kind;
    memcpy(p->message + 1, p->identity[me(p)], PACT_KEY);
    memcpy(p->message + 33, p->key[me(p)], PACT_KEY);
    return 65;
}

static void take_key(struct pact *p, const uint8_t *at)
{
    memcpy(p->identity[they(p)], at, PACT_KEY);
    memcpy(p->key[they(p)], at + PACT_KEY, PACT_KEY);
}

static int on_commit(struct pact *p, const uint8_t *bytes, size_t len)
{
    if (p->caller || p->state != PACT_BEGUN || len != 35 || bytes[1] != VERSION ||
        bytes[2] != p->phrased)
        return -ROOST_MALFORMED;
    memcpy(p->commit, bytes + 3, sizeof p->commit);
    p->n_message = put_key(p, PACT_SHOW);
    p->state = PACT_SHOWN;
    return 0;
}

static int on_show(struct pact *p, const uint8_t *bytes, size_t len)
{
    if (!p->caller || p->state != PACT_SHOWN || len != 65)
        return -ROOST_MALFORMED;
    take_key(p, bytes + 1);
    int err = agree(p);
    size_t n = put_key(p, PACT_PROOF);
    if (!err)
        err = prove(p, p->message + n);
    if (err)
        return err == -ROOST_MALFORMED ? -ROOST_UNTRUSTED : err;
    p->n_message = n + SIGNATURE + TAG;
    p->state = PACT_PROVING;
    return 0;
}

static int on_proof(struct pact *p, const uint8_t *bytes, size_t len)
{
    uint8_t commit[32];

    if (p->caller || p->state != PACT_SHOWN || len != 65 + SIGNATURE + TAG)
        return -ROOST_MALFORMED;
    take_key(p, bytes + 1);
    int err = commit_to(commit, p->identity[0], p->key[0]);
    if (!err && !seal_equal(commit, p->commit, sizeof commit))
        err = -ROOST_UNTRUSTED;
    if (!err)
        err = agree(p);
    if (!err)
        err = check(p, bytes + 65);
    p->message[0] = PACT_PROVED;
    if (!err)
        err = prove(p, p->message + 1);
    if (err)
        return err == -ROOST_MALFORMED ? -ROOST_UNTRUSTED : err;
    p->n_message = 1 + SIGNATURE + TAG;
    p->state = PACT_DONE;
    return 0;
}

static int on_proved(struct pact *p, const uint8_t *bytes, size_t len)
{
    if (!p->caller || p->state != PACT_PROVING || len != 1 + SIGNATURE + TAG)
        return -ROOST_MALFORMED;
    int err = check(p, bytes + 1);
    if (!err)
        p->state = PACT_DONE;
    return err;
}

static uint32_t number_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int on_box(struct pact *p, uint8_t *bytes, size_t len, const uint8_t **ret_body,
                  size_t *ret_len)
{
    if (p->state != PACT_DONE || len < PACT_SEALED)
        return -ROOST_MALFORMED;
    uint32_t number = number_at(bytes + 1);
    size_t n = len - PACT_SEALED;
    if (number < p->got) /* in order, and none twice */
        return -ROOST_MALFORMED;
    int err = aead_open(&p->in, number, NULL, 0, bytes + 5, n, bytes + 5 + n);
    if (err)
        return err;
    p->got = number + 1;
    *ret_body = bytes + 5;
    *ret_len = n;
    return 0;
}

int pact_on_message(struct pact *p, uint8_t *bytes, size_t len, const uint8_t **ret_body,
                    size_t *ret_len)
{
    int err = -ROOST_MALFORMED;

    *ret_body = NULL;
    *ret_len = 0;
    switch (len ? bytes[0] : 0) {
    case PACT_COMMIT:
        err = on_commit(p, bytes, len);
        break;
    case PACT_SHOW:
        err = on_show(p, bytes, len);
        break;
    case PACT_PROOF:
        err = on_proof(p, bytes, len);
        break;
    case PACT_PROVED:
        err = on_proved(p, bytes, len);
        break;
    case PACT_BOX:
        err = on_box(p, bytes, len, ret_body, ret_len);
        break;
    }
    if (err == -ROOST_UNTRUSTED) {
        p->state = PACT_WRONG;
        p->n_message = 0;
    }
    return err;
}

int64_t pact_seal(struct pact *p, uint8_t *bytes, size_t len)
{
    assert(p->state == PACT_DONE && "nothing is sealed for somebody unknown");
    uint32_t n = p->sent++;

    bytes[0] = PACT_BOX;
    for (int i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(n >> (24 - 8 * i));
    int err = aead_seal(&p->out, n, NULL, 0, bytes + 5, len, bytes + 5 + len);
    return err ? err : (int64_t)(len + PACT_SEALED);
}

const uint8_t *pact_peer(const struct pact *p)
{
    return p->state == PACT_DONE ? p->identity[they(p)] : NULL;
}

const uint8_t *pact_stranger(const struct pact *p)
{
    return p->state == PACT_WRONG && p->strange ? p->identity[they(p)] : NULL;
}
