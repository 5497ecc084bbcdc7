/* password.h - argon2id hashes of passwords, in the usual encoded form.
 *
 * Slow and memory-hungry on purpose: the edge calls these on a small pool of
 * threads, never on the loop. No state; safe on any thread. The parameters are
 * part of the encoded text, so old hashes are verified after a change of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct password_params {
    uint32_t memory_kib, passes, lanes;
};

/* 19 MiB, 2 passes, 1 lane: OWASP's first choice; some 20 ms on a core of 2024. */
#define PASSWORD_PARAMS_DEFAULT ((struct password_params){ 19456, 2, 1 })

enum {
    PASSWORD_ENCODED_MAX = 128, /* bytes with the zero */
    PASSWORD_MEMORY_KIB_MAX = 1024 * 1024,
    PASSWORD_PASSES_MAX = 64,
    PASSWORD_LANES_MAX = 8,
};

bool password_params_valid(const struct password_params *p);

/* 0, -ROOST_INVALID (parameters, or cap too small) or -ROOST_NOMEM. */
int password_make(const char *password, const uint8_t salt[static 16],
                  const struct password_params *params, char *encoded, size_t cap);

/* *ok is set when 0 is returned. -ROOST_INVALID: encoded is no argon2id hash, or
 * asks for more than the limits above. */
int password_verify(const char *password, const char *encoded, bool *ok);

/* What an encoded hash was made with; -ROOST_INVALID. */
int password_params_of(const char *encoded, struct password_params *ret);
