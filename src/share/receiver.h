/* receiver.h - one end of a transfer: what is to be received.
 *
 * A state machine as sender.h's, with a deadline: what was written is synced after so many bytes
 * or so long, and told VERIFIED then. A block is taken when its hash is a leaf that the root
 * vouches for, or, as long as no root is known, the leaf that came with it; then the root at the
 * end decides over all, and what was held from before is read again for it. Verified blocks are
 * never asked for again, and never deleted.
 *
 * Nothing that comes is believed: sizes against the offer, list and blocks against their roots,
 * blocks that nobody can want are an end with -ROOST_MALFORMED. Back-pressure: receiver_in takes
 * only what there is room for; what it leaves stays in the stream. Memory: RECEIVER_SLOTS blocks,
 * four pages of leaves, page hashes, runs.
 */
#pragma once

#include "share/sender.h"

enum { RECEIVER_SLOTS = 16 /* blocks that wait for the disk */ };
#define RECEIVER_SYNC_BYTES (64ULL << 20)
#define RECEIVER_SYNC_US    1000000
/* All blocks are there, and END is late: then it is synced meanwhile. */
#define RECEIVER_COME_US 10000

struct receiver_settings {
    /* What was offered, and accepted. */
    uint64_t size;     /* TREE_UNKNOWN: then at most size_max */
    uint64_t size_max; /* 0: TREE_SIZE_MAX */
    bool has_root, has_list_root;
    uint8_t root[TREE_HASH], list_root[TREE_HASH];
    /* What is there already: the newest map (disk_part_map), copied; NULL: nothing. */
    const uint8_t *map;
    size_t map_len;
    uint64_t list_held;  /* bytes of the list that are there */
    uint64_t sync_bytes; /* 0: RECEIVER_SYNC_BYTES */
    uint64_t sync_first; /* as long as nothing is synced; 0: as sync_bytes */
    int64_t sync_us;     /* 0: RECEIVER_SYNC_US */
};

struct receiver;

/* -ROOST_NOMEM. A map that cannot be read is taken for none. */
int receiver_new(struct receiver **ret, const struct receiver_settings *settings);
void receiver_free(struct receiver *r); /* no wish may be under way */
/* On a new stream. No wish may be under way. */
int receiver_again(struct receiver *r);

/* Bytes that were taken, perhaps fewer than len: call again after answers. -ROOST_MALFORMED,
 * -ROOST_SOURCE_CHANGED (it is not what the held blocks are of), ... are the end of it, too. */
int64_t receiver_in(struct receiver *r, int64_t now_us, const uint8_t *bytes, size_t len);
const uint8_t *receiver_out(struct receiver *r, size_t *ret_len);
void receiver_sent(struct receiver *r, size_t len);

bool receiver_wish(struct receiver *r, struct wish *ret);
void receiver_answer(struct receiver *r, int64_t now_us, uint32_t id, int64_t result);
uint32_t receiver_wishes(const struct receiver *r);
/* Time for a sync; to be called when the deadline has come. */
void receiver_expire(struct receiver *r, int64_t now_us);
/* A sync now: for who will not come back to it soon (the stream is lost, the program ends). Then
 * wishes until there are none. A receiver that is over asks for it by itself. */
void receiver_flush(struct receiver *r);
int64_t receiver_deadline_us(const struct receiver *r); /* INT64_MAX: none */

/* A reader (a player) needs these blocks first. -ROOST_INVALID: not now, or past the end. */
int receiver_want(struct receiver *r, uint64_t from, uint64_t count);
/* Whether these bytes were verified and written, so that they can be read; not that they are
 * synced. */
bool receiver_has(const struct receiver *r, uint64_t at, uint64_t len);

void receiver_pause(struct receiver *r, bool on);
void receiver_cancel(struct receiver *r, int why);
void receiver_look(const struct receiver *r, struct share_view *ret);
/* With has_root and all pages known: their hashes, for who keeps them. NULL: not yet. */
const uint8_t *receiver_pages(const struct receiver *r, uint32_t *ret_n);
