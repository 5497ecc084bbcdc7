/* wish.h - what sender and receiver want from a disk.
 *
 * A machine hands out wishes; whoever has the disk does them, in any order and on any thread, and
 * answers each once by its number. `bytes` and `leaf` are the machine's memory, lent until the
 * answer: a machine is not freed while one of its wishes is being done. disk_do (disk/disk.h) does
 * them all.
 *
 * An answer is a number of bytes (READ, READ_LIST), 0, or an error. Who reads a block hashes it,
 * who writes one compares: so the hashing is done where the disk work is done, on threads that may
 * wait.
 */
#pragma once

#include <stdint.h>

/* READ_LIST   len bytes of the list at `at`
 * READ        a block, len bytes of the body at `at`, fewer only where a stream ends; its leaf ->
 * leaf LEAVES      hashes of len blocks from block number `at` on, of a body of `size` bytes ->
 * bytes WRITE_LIST  len bytes of the list at `at` LAY_OUT     the list is whole, `at` bytes: is its
 * root `bytes`, is the sum of its sizes `size`? Make room for them. Without a list (at 0) only
 * that. -ROOST_MALFORMED: it is not that list, which is forgotten; -ROOST_DISK_FULL WRITE       a
 * block, len bytes of the body at `at`; first: is this its leaf? -ROOST_MALFORMED SYNC        all
 * that was written and answered; then the map, len bytes, synced too FINISH      all is there,
 * `size` bytes, of root `leaf`: what is not synced yet is; it gets its name, synced ROOT        the
 * root of what was still coming while it was read -> leaf; answered when that is whole and kept */
enum wish_kind {
    WISH_READ_LIST, /* of a sender */
    WISH_READ,
    WISH_ROOT,
    WISH_LEAVES,     /* of both */
    WISH_WRITE_LIST, /* of a receiver */
    WISH_LAY_OUT,
    WISH_WRITE,
    WISH_SYNC,
    WISH_FINISH,
};

struct wish {
    enum wish_kind kind;
    uint32_t id;
    uint64_t at;
    uint64_t size;   /* of the body; TREE_UNKNOWN */
    uint64_t filled; /* LAY_OUT: so much of it takes room, as the sender says; fewer than size: it
                        has holes */
    uint32_t len;
    uint8_t *bytes;
    uint8_t *leaf;
};
