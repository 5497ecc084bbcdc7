/* recovery.h - when a store that cannot be written is tried again.
 *
 * After a short moment first, then ever more seldom. A store that fails again soon
 * after it was found fine has only found room for a little: the waiting goes on where
 * it was. Plain data; times are in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/store.h"

enum {
    RECOVERY_FIRST_US = 50000,
    RECOVERY_MAX_US = 10000000,
    RECOVERY_RELAPSE_US = 15000000, /* longer than the longest wait */
};

struct recovery {
    enum store_health health; /* as it was last seen */
    int64_t wait_us, probe_us;
    int64_t fine_us; /* since when; 0: it was never otherwise */
};

/* How it is now. True: that is news. */
bool recovery_on_health(struct recovery *r, enum store_health health, int64_t now_us);
/* When to try; INT64_MAX: there is nothing to try. */
int64_t recovery_due_us(const struct recovery *r);
/* It was tried; recovery_on_health tells with what success. */
void recovery_on_probed(struct recovery *r, int64_t now_us);
