/* home.h - what a client keeps on disk: pins, the device's secret, resume tokens.
 *
 *   HOME/device                  32 random bytes, made once
 *   HOME/identity                32 random bytes, made once: the seed of the device's Ed25519 key
 *   HOME/servers                 "HOST:PORT FINGERPRINT" a line
 *   HOME/people                  whose identities are known, people.h
 *   HOME/accepts                 whose files are taken unasked, people.h
 *   HOME/last                    the server of the last login
 *   HOME/sessions/HOST:PORT/last       the user of the last login there
 *   HOME/sessions/HOST:PORT/NAME.token the newest resume token
 *   HOME/sessions/HOST:PORT/NAME.lock  held (flock) by who resumes
 *                    NAME of a guest is guest:CODE:NAME: its sessions of several
 *                    meetings do not meet (no account's name has a colon)
 *   HOME/lock                    held while one of the files above is written
 *
 * Directories are 0700, files 0600; each is written beside itself, synced and
 * renamed, so a reader sees the old or the new one. A resume token is good once:
 * programs of one user that run side by side take turns. Who resumes holds the
 * lock from reading the token until the next one is on disk, one round trip; who
 * comes meanwhile waits and then reads the new one. All of them then are
 * connections of the same session. The lock falls with the process. Not
 * thread-safe; each handle has its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOME_PATH_MAX = 1024, HOME_PRINT_LEN = 95 /* "ab:cd:..." of SHA-256 */ };

struct home {
    char path[HOME_PATH_MAX];
    char server[300]; /* "host:port" */
    int lock_fd;      /* -1: not held */
};

/* dir NULL: the usual one. Makes it. 0, -ROOST_IO, -ROOST_INVALID. */
int home_open(struct home *h, const char *dir);
void home_close(struct home *h);
int home_device(struct home *h, uint8_t ret[static 32]);
int home_identity(struct home *h, uint8_t ret[static 32]); /* the caller wipes it */

/* In the place of a name, for a guest; code "": one who is to start a meeting. */
void home_guest_key(char *ret, size_t cap, const char *code, const char *name);

/* false: none. */
bool home_last_server(const struct home *h, char *ret, size_t cap);
bool home_last_user(const struct home *h, char *ret, size_t cap);

bool home_pin_get(const struct home *h, char ret[static HOME_PRINT_LEN + 1]);
int home_pin_set(struct home *h, const char *fingerprint); /* replaces */
void home_pin_path(const struct home *h, char *ret, size_t cap);

/* A small text in the home. NULL: it cannot be read; "" if there is none. The caller frees. */
char *home_text(const struct home *h, const char *name);
/* Nobody else changes it meanwhile. `change` gives what it is to become (malloc), or NULL and why
 * not in *ret_err; 0 there: it is right as it is. */
typedef char *home_change_fn(void *ctx, const char *old, int *ret_err);
int home_change(struct home *h, const char *name, home_change_fn *change, void *ctx);

/* 1: held; 0: somebody else holds it; or an error. user "" takes none (1). */
int home_lock(struct home *h, const char *user);
void home_unlock(struct home *h);
/* Bytes, 0 = there is none, or an error. */
int home_token_load(const struct home *h, const char *user, uint8_t *ret, size_t cap);
int home_token_save(struct home *h, const char *user, const uint8_t *token, size_t len);
int home_last_save(struct home *h, const char *user); /* who, and where, logged in last */
/* Only if it is still this one. */
void home_token_forget(struct home *h, const char *user, const uint8_t *token, size_t len);
