/* hasher.h - what waits for argon2id, on the loop.
 *
 * Hashing takes tens of milliseconds and tens of megabytes, so it is done by a process of its own
 * (hash_process.h), which has as many jobs at once as it has threads; the others wait here. The
 * hub bounds how many. A job that was lost with that process is given to the next, once.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "hub/hub.h"
#include "seal/password.h"
#include "server/hash_process.h"

struct hasher;

struct hasher_settings {
    struct password_params params;
    struct hash_process *process; /* outlives the hasher */
    /* On the loop. err: nothing is known of it, not even that it is wrong. encoded is NULL for a
     * verification, or with err. */
    void (*on_hashed)(void *ctx, uint64_t token, int err, bool ok, const char *encoded);
    void *ctx;
};

int hasher_new(struct hasher **ret, uv_loop_t *loop, const struct hasher_settings *settings);
/* Takes the strings over. */
void hasher_put(struct hasher *h, const struct hub_hash *job);
/* Put, and not yet handed back. */
unsigned hasher_waiting(const struct hasher *h);
void hasher_set_params(struct hasher *h, const struct password_params *params);

/* Drops what waits, forgets what is under way, closes the handle: run the loop once more, then
 * free. */
void hasher_stop(struct hasher *h);
void hasher_free(struct hasher *h);
