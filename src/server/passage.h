/* passage.h - pointers from one thread to one other: a ring with two indices, no lock.
 *
 * One puts, one takes; who takes is woken by means of its own (an eventfd). What is in it
 * belongs to the passage until it is taken.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct passage {
    _Atomic uint32_t head, tail; /* of putting and of taking; they only count up */
    uint32_t cap;                /* a power of two */
    void **slots;
};

int passage_init(struct passage *p, uint32_t cap); /* or -ROOST_NOMEM */
void passage_fini(struct passage *p);              /* it is empty, and nobody uses it */
bool passage_put(struct passage *p, void *thing);  /* false: it is full */
void *passage_take(struct passage *p);             /* NULL: it is empty */
