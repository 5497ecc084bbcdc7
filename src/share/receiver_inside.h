/* receiver_inside.h - what a receiver is made of: receiver.c (life, disk), receiver_in.c (what
 * comes), receiver_out.c (what is said). */
#pragma once

#include "share/list.h"
#include "share/receiver.h"

/* Where a message's body is, on its way in and then to the disk. */
struct slot {
    enum { SLOT_FREE, SLOT_FILLING, SLOT_WANTED, SLOT_ASKED } state;
    enum wish_kind kind;
    uint64_t at; /* byte of the list, or block */
    uint32_t len;
    uint8_t *bytes; /* within `room` */
    uint8_t leaf[TREE_HASH];
    uint8_t room[TALK_BODY_MAX];
};

struct receiver {
    struct receiver_settings settings; /* without its map */
    struct about about;                /* of this stream */
    bool has_about, has_root;
    struct held_of of; /* what the blocks are of; with the root as soon as ... */
    bool proven;       /* ... all that was ever written was vouched for by it */
    bool has_of;
    uint64_t size; /* as far as known */
    uint8_t root[TREE_HASH];
    uint64_t generation;

    enum share_state state;
    int err;
    bool theirs, paused_here, paused_there, told_paused;
    bool say_cancel, say_have, say_list, say_want, say_done, has_end;
    bool laid_out, whole; /* whole: it has its name */

    uint64_t list_at, list_held; /* come; on the disk */
    bool list_is_old;            /* some of it was there before this stream */
    uint32_t pages_n;            /* PAGES that came */
    uint64_t told_n, blocks_n;   /* PAGE and blocks that came, in this stream */
    uint8_t *pages;              /* hashes, when the root is known */
    struct told told;
    struct gather gather;
    uint32_t check_page;

    struct held come;    /* held, written, or on its way to the disk */
    struct held written; /* ... or written */
    struct held old;     /* from before this stream */
    struct held synced;  /* on the disk for certain, and in the map */
    struct held fresh;   /* written since the last sync began */
    struct held syncing; /* the sync that is under way is of these */
    struct held untold;  /* synced, and not told yet */
    uint64_t again;
    uint64_t dirty_bytes;
    int64_t dirty_us; /* since when */
    int64_t come_us;  /* the last block was written, by now */
    bool flush;       /* sync now */
    bool unsyncable;  /* a sync failed: no map is to speak of what it was for */
    uint64_t want_from, want_count;

    struct slot *slots[RECEIVER_SLOTS];
    enum { STEP_NONE, STEP_WANTED, STEP_ASKED } lay_out, sync, check, finish;
    uint8_t *map; /* HELD_FILE_MAX, when there was a sync */
    uint32_t map_len;
    uint8_t *leaves; /* of a page that is read again */
    uint32_t checking;
    uint32_t asked; /* wishes under way */

    uint8_t head[TALK_HEAD];
    uint32_t head_len;
    enum talk_kind kind;
    uint32_t body_len, body_at; /* of the message that comes */
    struct slot *filling;

    uint8_t out[TALK_HEAD + HELD_PACKED_MAX];
    size_t out_len, out_at;
};

enum { ID_LAY_OUT = RECEIVER_SLOTS, ID_SYNC, ID_CHECK, ID_FINISH };

void receiver_fail(struct receiver *r, int err);
/* Everything that is to come before the end: what follows from what happened. */
void receiver_step(struct receiver *r);
uint64_t receiver_blocks(const struct receiver *r);
/* A message whose body is whole; the slot is kept if a disk is to have it. */
int receiver_on_message(struct receiver *r, enum talk_kind kind, struct slot *slot, uint32_t len);
struct slot *receiver_slot(struct receiver *r); /* a free one; NULL: none, or no memory (r->err) */
