/* peers.h - the peers of an edge: a table that finds them by number, and lists where they wait.
 *
 * The low bits of a number are a place in the table, which is given again when its peer is gone;
 * the rest counts up, so that no number is ever used twice. Whoever is in a list knows it himself
 * (peer.h): he is in each kind at most once. Peers belong to themselves; only places are owned
 * here. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct peer;

enum peers_kind { PEERS_TIMED, PEERS_SHAKES, PEERS_SHUT, PEERS_KINDS };

/* Of a peer, in the list of one kind. */
struct peers_link {
    struct peer *next, *prev;
};

/* The oldest first. */
struct peers_list {
    struct peer *first, *last;
    uint32_t n;
};

void peers_add(struct peers_list *l, enum peers_kind kind, struct peer *p);
void peers_remove(struct peers_list *l, enum peers_kind kind, struct peer *p);

struct peers {
    struct peer **slots; /* by the low bits of a peer's number */
    uint32_t *unused;    /* slots, as a stack */
    uint32_t n_slots, n_unused, n;
    uint64_t next_number;
};

void peers_init(struct peers *t);
void peers_fini(struct peers *t);

/* Makes sure that there is a place for one more. 0 or -ROOST_NOMEM. */
int peers_reserve(struct peers *t);
/* A number for the place that is reserved; it is taken when a peer of that number is put. */
uint64_t peers_number(struct peers *t);
void peers_put(struct peers *t, struct peer *p);
/* false: it was never there. */
bool peers_drop(struct peers *t, struct peer *p);

struct peer *peers_find(const struct peers *t, uint64_t number);
/* fn may drop the one that it is given. */
void peers_each(const struct peers *t, void (*fn)(struct peer *));
