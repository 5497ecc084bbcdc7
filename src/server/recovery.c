#include "server/recovery.h"

bool recovery_on_health(struct recovery *r, enum store_health health, int64_t now_us)
{
    enum store_health was = r->health;

    if (health == was)
        return false;
    r->health = health;
    if (health == STORE_FINE) {
        r->fine_us = now_us;
    } else if (was == STORE_FINE) {
        if (!r->wait_us || now_us - r->fine_us > RECOVERY_RELAPSE_US)
            r->wait_us = RECOVERY_FIRST_US;
        r->probe_us = now_us + r->wait_us;
    }
    return true;
}

int64_t recovery_due_us(const struct recovery *r)
{
    return r->health == STORE_FINE || r->health == STORE_DAMAGED ? INT64_MAX : r->probe_us;
}

void recovery_on_probed(struct recovery *r, int64_t now_us)
{
    r->wait_us = r->wait_us * 2 < RECOVERY_MAX_US ? r->wait_us * 2 : RECOVERY_MAX_US;
    r->probe_us = now_us + r->wait_us;
}
