/* sender_inside.h - what a sender is made of: sender.c (life, what comes), sender_plan.c (what goes
 * next, and what is wanted of the disk for it), sender_out.c (what is said). */
#pragma once

#include "share/sender.h"

/* What leaves, in this order: each thing has a place in a ring, is filled by the disk or at
 * once, and goes when all before it has gone. */
enum cargo {
    CARGO_LIST,
    CARGO_PAGES,
    CARGO_PAGE,
    CARGO_BLOCK,
    CARGO_CHECK, /* leaves, for us alone */
    CARGO_ROOT   /* is it what was promised? For us alone, too */
};

struct place {
    enum cargo cargo;
    enum { WANTED, ASKED, FILLED } state;
    uint64_t at; /* byte of the list, page, or block */
    uint32_t len, asked;
    uint8_t leaf[TREE_HASH];
    uint8_t bytes[TALK_ROOM + TREE_BLOCK]; /* what it is told by stands before it */
};

struct sender {
    struct about about;
    uint64_t size;        /* as far as known */
    struct gather gather; /* page hashes; all there, or growing */
    struct told told;
    uint32_t planned[TREE_OPEN], n_planned; /* pages, as `told` will have them */

    enum share_state state;
    int err;
    bool theirs, paused_here, paused_there, told_paused;
    bool say_about, say_cancel, said_end, has_root, arrives;
    uint8_t root[TREE_HASH];

    uint64_t list_at, pages_at; /* the next to be planned */
    struct held there;          /* the receiver has it, or it is planned */
    struct held verified;
    uint64_t again, cursor;
    uint64_t back_at, back_to; /* a seek of some blocks: where it ends, and goes on */
    uint32_t check_page;

    struct place *ring[SENDER_AHEAD];
    uint32_t first, n;

    uint8_t word[160]; /* small things to say */
    const uint8_t *out;
    size_t out_len;
    bool out_is_place;

    uint8_t in[TALK_HEAD + HELD_PACKED_MAX];
    size_t in_len;
};

void sender_fail(struct sender *s, int err);
uint64_t sender_blocks(const struct sender *s);
/* The next block that the receiver does not have; false: none is missing. */
bool sender_next_block(struct sender *s, uint64_t *ret);
/* The first of the ring goes. */
void sender_drop_first(struct sender *s);
/* What was filled, and is not for the stream. */
void sender_drop_ours(struct sender *s);
