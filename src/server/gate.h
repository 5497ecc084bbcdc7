/* gate.h - how many words of one tunnel are under way to its worker.
 *
 * The peer holds its gate, and so does each word until the worker has done with it; whoever is
 * last frees it. From any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one read each: enough that a worker does not wait for the loop, little enough that
 * others' words find room, and come soon. */
enum { GATE_WORDS_MAX = 4 };

struct gate {
    _Atomic uint32_t holders;
};

struct gate *gate_new(void); /* held by the caller; NULL: out of memory */
struct gate *gate_hold(struct gate *g);
void gate_drop(struct gate *g); /* NULL is fine */
bool gate_is_shut(const struct gate *g);
