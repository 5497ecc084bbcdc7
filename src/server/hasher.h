/* hasher.h - a small pool of threads for argon2id.
 *
 * Hashing takes tens of milliseconds and tens of megabytes, so never on the
 * loop. The hub bounds how many wait. When the pool falls idle the memory goes
 * back to the system.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "hub/hub.h"
#include "seal/password.h"

struct hasher;

struct hasher_settings {
    struct password_params params;
    unsigned threads; /* 0: one fewer than processors, 1 to 4 */
    /* On the loop. encoded is NULL for a verification, or when making failed. */
    void (*on_hashed)(void *ctx, uint64_t token, bool ok, const char *encoded);
    void *ctx;
};

int hasher_new(struct hasher **ret, uv_loop_t *loop, const struct hasher_settings *settings);
/* Takes the strings over. */
void hasher_put(struct hasher *h, const struct hub_hash *job);
/* Put, and not yet handed back. */
unsigned hasher_waiting(const struct hasher *h);
void hasher_set_params(struct hasher *h, const struct password_params *params);

/* Drops what waits, ends the threads, closes the handle: run the loop once
 * more, then free. */
void hasher_stop(struct hasher *h);
void hasher_free(struct hasher *h);
