/* pump.h - what every story of two ends and the links between them does, in virtual time.
 *
 * Datagrams that come out of a link are heard by an end, what it has to say goes into the other;
 * time goes on to whatever is due next. The stories keep what they look at. Microseconds.
 */
#pragma once

#include "flow/flow.h"
#include "flow/flow_media.h"
#include "lab/link.h"

/* All that came out of the link by now is heard. */
void pump_in(struct flow *f, struct link *from, int64_t now_us);
/* All that may leave goes in. False: out of memory. */
bool pump_out(struct flow *f, struct link *to, int64_t now_us);
bool pump_push(struct link *to, const uint8_t *bytes, size_t len, int64_t now_us);
/* Frames and words that an end sends, as one datagram of cap bytes at most; its length, 0: it
 * takes none. */
size_t pump_media(struct flow *f, int64_t now_us, const struct media_part *parts, size_t n_parts,
                  const struct dgram *words, size_t n_words, uint8_t *bytes, size_t cap);
/* When the next of two ends and their links is due; INT64_MAX: never. */
int64_t pump_due_us(struct flow *const end[static 2], const struct link link[static 2],
                    int64_t now_us);

/* One turn of everything, and when there is to be another; INT64_MAX: none any more. */
typedef int64_t pump_turn(void *story, int64_t now_us);
/* For so long. False: time stands still. */
bool pump_run(pump_turn *turn, void *story, int64_t *now_us, int64_t for_us);
