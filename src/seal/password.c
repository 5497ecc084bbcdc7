#include "seal/password.h"

#include <string.h>

#include <argon2.h>

#include "base/err.h"

enum { HASH_BYTES = 32, SALT_BYTES = 16 };

bool password_params_valid(const struct password_params *p)
{
    return p->lanes >= 1 && p->lanes <= PASSWORD_LANES_MAX && p->passes >= 1 &&
           p->passes <= PASSWORD_PASSES_MAX && p->memory_kib >= 8 * p->lanes &&
           p->memory_kib <= PASSWORD_MEMORY_KIB_MAX;
}

static int err_of(int argon2)
{
    return argon2 == ARGON2_MEMORY_ALLOCATION_ERROR || argon2 == ARGON2_THREAD_FAIL
               ? -ROOST_NOMEM
               : -ROOST_INVALID;
}

int password_make(const char *password, const uint8_t salt[static 16],
                  const struct password_params *params, char *encoded, size_t cap)
{
    if (!password_params_valid(params))
        return -ROOST_INVALID;
    int r = argon2id_hash_encoded(params->passes, params->memory_kib, params->lanes, password,
                                  strlen(password), salt, SALT_BYTES, HASH_BYTES, encoded, cap);
    return r == ARGON2_OK ? 0 : err_of(r);
}

/* Reads "NAME=" and a number of at most 9 digits; advances *p. */
static bool number_at(const char **p, const char *name, uint32_t *ret)
{
    size_t len = strlen(name);
    uint32_t v = 0;
    int digits = 0;

    if (strncmp(*p, name, len) != 0)
        return false;
    *p += len;
    for (; **p >= '0' && **p <= '9' && digits < 9; digits++)
        v = v * 10 + (uint32_t)(*(*p)++ - '0');
    *ret = v;
    return digits > 0;
}

int password_params_of(const char *encoded, struct password_params *ret)
{
    static const char start[] = "$argon2id$v=19$";
    struct password_params p;
    const char *at = encoded + sizeof start - 1;

    if (strncmp(encoded, start, sizeof start - 1) != 0)
        return -ROOST_INVALID;
    if (!number_at(&at, "m=", &p.memory_kib) || !number_at(&at, ",t=", &p.passes) ||
        !number_at(&at, ",p=", &p.lanes) || *at != '$' || !password_params_valid(&p))
        return -ROOST_INVALID;
    *ret = p;
    return 0;
}

int password_verify(const char *password, const char *encoded, bool *ok)
{
    struct password_params p;
    int err = password_params_of(encoded, &p);

    if (err)
        return err;
    int r = argon2id_verify(encoded, password, strlen(password));
    if (r != ARGON2_OK && r != ARGON2_VERIFY_MISMATCH)
        return err_of(r);
    *ok = r == ARGON2_OK;
    return 0;
}
