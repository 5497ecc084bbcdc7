/* lab_bent.h - a modelled link between a transfer and its socket, as --link asks for it.
 *
 * What is sent passes it in its `up`, what comes in its `down`. The exchange of keys is not
 * bent. One thread; microseconds.
 */
#pragma once

#include "lab/spec.h"
#include "net/carry.h"

struct lab_bent {
    struct link up, down; /* the tag is the mark (ECN) */
};

struct lab_bent *lab_bent_new(const struct link_pair *how, uint64_t seed); /* or NULL */
void lab_bent_free(struct lab_bent *b);                                    /* NULL is fine */
void lab_bent_hear(struct lab_bent *b, const struct udp_in *in, int64_t now_us);
/* What comes out of it is heard, and what the session has to send goes in and leaves. */
void lab_bent_carry(struct lab_bent *b, struct carry *c, int64_t now_us);
int64_t lab_bent_deadline_us(const struct lab_bent *b, const struct flow *f, int64_t now_us);
