/* check.h - does this password belong to this name? Asked under the guard.
 *
 * Used by login, by the change of a password and by deleting an account. A
 * check reads the account and its counters, hashes, and writes a failure down
 * before it is answered. Names that nobody has take the same steps: a hash of
 * the same cost is made and thrown away.
 *
 *     check_begin -> STORE_LOGIN_FIND -> check_on_found -> hash ->
 *     check_on_hashed -> proven, or STORE_GUARD_PUT -> check_on_failed
 *
 * Whoever gets anything but HUB_WAIT from one of these is done with the check:
 * nothing of it is held any more.
 */
#pragma once

#include "hub/guard.h"
#include "hub/internal.h"

struct check {
    struct guard_run run;
    bool own_session;           /* asked by a session of the account: counted by itself */
    struct account_row account; /* id 0: nobody; texts are in the request's arena */
};

/* name and skeleton of whom; device: hash of the device's secret, or of the session. */
int check_begin(struct hub *h, struct request *q, struct check *c, const char *name,
                const char *skeleton, const uint8_t device[static 32]);
int check_on_found(struct hub *h, struct request *q, struct check *c, const struct store_result *r,
                   const char *password);
/* HUB_DONE: the password is right. HUB_WAIT: it is wrong, and being written down. */
int check_on_hashed(struct hub *h, struct request *q, struct check *c, bool ok);
int check_on_failed(const struct store_result *r);
/* A check for the session that asks, by its account's name. */
int check_begin_own(struct hub *h, struct request *q, struct check *c);

/* 8 to 256 bytes, else -ROOST_PASSWORD_WEAK. */
int password_length(const char *password);
/* Requests that carry a password are compared by the rest of their content: a
 * fast hash of a password must never reach the disk. parts: up to 4, may be NULL. */
int digest_without_password(struct request *q, const char *const parts[static 4]);
