/* guard.h - may this login be tried now? Counts failures, decides blocks.
 *
 * A try is counted at one of two places. A device that once logged in to the
 * account is counted by itself, so that a stranger's guessing never locks the
 * owner out. Any other try is counted three times: for the pair of name and
 * source, for the source (how many names failed there and none of them has
 * succeeded since: a class behind one address is no attack), and for the name
 * from everywhere. Names that nobody has are counted like all others.
 *
 * From the limit on, a failure within the window blocks: 10 s, then doubled each
 * time to 15 min. A try during a block is refused before anything is hashed and
 * changes nothing. Success clears the pair (or the device). How often a pair was
 * blocked is forgotten a day after its last block.
 *
 * Pure: rows come from the store and go back to it; times are wall clock in ms.
 * While a try is under way its rows live in guard_flights, so that tries at the
 * same time see each other's failures: each holds one reference to each key.
 */
#pragma once

#include "hub/hub.h"

/* Numbers are stored: never reuse one. GUARD_ADMIN replaces GUARD_ACCOUNT under
 * the same key: an admin blocked the account, for known devices too. */
enum guard_kind {
    GUARD_PAIR = 1,
    GUARD_DEVICE,
    GUARD_SOURCE,
    GUARD_ACCOUNT,
    GUARD_ADMIN,
    GUARD_CODE,
    GUARD_CODES,
    GUARD_GUESTS,
    GUARD_MEETINGS
};
enum { GUARD_PLACES = 4 }; /* pair, device, source, account: in this order */

enum { GUARD_FLIGHTS_MAX = 4 * 20000 }; /* keys under way: four for each request */

const char *guard_kind_text(uint32_t kind); /* "pair" */

/* Who tries, and where from. Everything is borrowed. */
struct guard_try {
    const char *skeleton; /* of the name that was given */
    const char *name;     /* as given, for admins */
    const char *source;
    uint8_t device[32]; /* hash of the device's secret */
};

int guard_key(uint8_t ret[static 32], enum guard_kind kind, const struct guard_try *t);

/* --- rows ---------------------------------------------------------------------- */

/* 0, or how long this row blocks from now on. A cleared row blocks nobody. */
int64_t guard_blocked_ms(const struct guard_row *row, int64_t now_ms);
/* How many failures count in it now. */
uint32_t guard_count(const struct guard_row *row, const struct hub_config *c, int64_t now_ms);
/* One more failure. limit: of this kind of row. */
void guard_fail(struct guard_row *row, const struct hub_config *c, uint32_t limit, int64_t now_ms);

/* --- tries under way --------------------------------------------------------------- */

/* One try, from before its rows are read until its outcome. All zero: not begun. */
struct guard_run {
    uint8_t keys[GUARD_PLACES][32];
    bool begun, known, admitted;
};

struct guard_flights *guard_flights_new(uint64_t seed);
void guard_flights_free(struct guard_flights *f);
size_t guard_flights_count(const struct guard_flights *f); /* keys under way */

/* Before the rows are read from the store. -ROOST_NOMEM or -ROOST_BUSY: not begun. */
int guard_begin(struct guard_flights *f, struct guard_run *run, const struct guard_try *t);
/* The rows as they were read; passed over where another try knew them already. */
void guard_on_rows(struct guard_flights *f, const struct guard_run *run,
                   const struct guard_row *rows, size_t n);
/* 0: hash now; -ROOST_BLOCKED, or -ROOST_BUSY (as many tries as are left are
 * running already), with *ret_retry_ms. known: the device is of this account. */
int guard_admit(struct guard_flights *f, struct guard_run *run, bool known,
                const struct hub_config *c, int64_t now_ms, uint64_t *ret_retry_ms);
/* How long an admin has blocked the account meanwhile: then even the right password
 * does not open it. */
int64_t guard_shut_ms(const struct guard_flights *f, const struct guard_run *run, int64_t now_ms);
/* How an admitted try ended. Fills in the rows to be stored, returns how many;
 * their texts borrow from f until guard_end. */
size_t guard_failed(struct guard_flights *f, const struct guard_run *run,
                    const struct hub_config *c, int64_t now_ms,
                    struct guard_row ret_rows[static GUARD_PLACES]);
size_t guard_succeeded(struct guard_flights *f, const struct guard_run *run,
                       const struct hub_config *c, int64_t now_ms,
                       struct guard_row ret_rows[static GUARD_PLACES]);
/* Any number of times; the first counts. */
void guard_end(struct guard_flights *f, struct guard_run *run);
/* An admin wrote this row, or cleared it (n == 0). */
void guard_override(struct guard_flights *f, const struct guard_row *row);
