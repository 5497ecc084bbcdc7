/* health.h - does the store take writes? What was last known, and for how long it counts.
 *
 * A probe costs a sync, so whoever asks within HEALTH_FRESH_US of the last answer gets
 * that one, and one probe at a time serves all who ask. Plain data: the caller gives
 * the time and makes the probe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HEALTH_FRESH_US = 1000000 };

struct health {
    int err;          /* of the last probe; 0: it was written */
    int64_t known_us; /* when that was; 0: never yet */
    bool probing;
};

bool health_is_fresh(const struct health *h, int64_t now_us);
/* Somebody wants to know: should a probe be made now? */
bool health_wants_probe(struct health *h);
void health_on_probed(struct health *h, int err, int64_t now_us);
