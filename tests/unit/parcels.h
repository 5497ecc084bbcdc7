/* parcels.h - what visitors do with files, for stories, and what the depot says. */
#pragma once

#include "hub/internal.h"
#include "meets.h"

#define CODE_OF(reply) reply_code(reply)

extern uint8_t root_of_7[32]; /* of all that the depot has */

struct stage *stage(void); /* files are carried and kept */
/* One plain file; more is the story's to fill in. */
Roost__FileOffer parcel(Roost__Target *to, uint64_t size);
Roost__Reply *offer_as(struct visitor *v, const char *to, Roost__FileOffer *b);
Roost__Reply *offer(struct visitor *v, const char *to, uint64_t size);
const Roost__FileTicket *ticket(const Roost__Reply *r); /* of a reply that must be one */
Roost__Reply *get(struct visitor *v, uint64_t file, bool web);
Roost__Reply *answer(struct visitor *v, uint64_t file, bool accept);
int state(struct visitor *v, uint64_t file, int stage_now);
int cancel(struct visitor *v, uint64_t file);
int forget(struct visitor *v, uint64_t file);
/* where NULL: one's own; NULL: refused */
const Roost__FileListing *list(struct visitor *v, const char *where, bool all);
size_t listed(struct visitor *v, const char *where);
uint64_t used(struct visitor *v, const char *where);
int signal_to(struct visitor *v, uint64_t file, uint32_t code, size_t len);
int progress(struct visitor *v, uint64_t file, uint64_t moved);
Roost__Reply *relay(struct visitor *v, uint64_t file, uint32_t code);
/* The last that was heard of this kind; `heard`: there must be one. */
const Roost__ToClient *heard_of(const struct visitor *v, int what);
const Roost__ToClient *heard(const struct visitor *v, int what);
/* What the depot was told last of this kind. */
const struct hub_depot *told(const struct stage *s, int what, uint64_t file);
const struct hub_depot *barred(const struct stage *s, uint64_t account, uint64_t room);
void whole(struct stage *s, uint64_t file, uint64_t size); /* the depot has all of it */
/* Offered, and whole: its number. */
uint64_t kept(struct stage *s, struct visitor *v, const char *where);
