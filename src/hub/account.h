/* account.h - what the files about accounts share. */
#pragma once

#include "hub/internal.h"

/* Deleting an account, by itself or by an admin: the operation, and what follows
 * when it is stored (the answer, the end of its sessions). */
int deletion_store(struct hub *h, struct request *q, uint64_t account);
int deletion_on_stored(struct hub *h, struct request *q, struct store_result *r, uint64_t account);
/* Every session of the account ends, in the store and on the wire; r lists them. */
void account_sessions_end(struct hub *h, struct request *q, uint64_t account,
                          const struct store_result *r, int err);
