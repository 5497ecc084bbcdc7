/* kernel.h - CUBIC as Linux has it, to share a road with: written from what its TCP does, so
 * that what ours takes from it is known before real sockets say so.
 *
 * Different from ours (flow/cubic.c): slow start ends for good at the first sign of HyStart
 * (acknowledgements that take longer than half a round trip, or round trips that grow);
 * Reno's part of the growth stays 0.53 of a packet a round trip for ever; a silence of a
 * retransmission timeout begins with one packet again. To be used with PACER_NONE.
 */
#pragma once

#include "flow/cc.h"

extern const struct cc_ops kernel_cubic;
