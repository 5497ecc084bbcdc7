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

enum wish_kind {
    /* of a sender */
    WISH_READ_LIST, /* len bytes of the list at `at` */
    WISH_READ, /* a block: len bytes of the body at `at`, fewer only where a stream ends; its leaf
                  -> leaf */
    /* of both */
    WISH_LEAVES, /* hashes of len blocks from block number `at` on, of a body of `size` bytes ->
                    bytes */
    /* of a receiver */
    WISH_WRITE_LIST, /* len bytes of the list at `at` */
    WISH_LAY_OUT,    /* the list is whole, `at` bytes: is its root `bytes`, is the sum of its sizes
                        `size`?    Make room for them. Without a list (at 0) only that. -ROOST_MALFORMED:
                        it is not    that list, which is forgotten; -ROOST_DISK_FULL */
    WISH_WRITE, /* a block: len bytes of the body at `at`; first: is this its leaf? -ROOST_MALFORMED
                 */
    WISH_SYNC,  /* all that was written and answered; then len bytes are the map, synced too */
    WISH_FINISH, /* all is there and synced, `size` bytes: it gets its name, synced */
};

struct wish {
    enum wish_kind kind;
    uint32_t id;
    uint64_t at;
    uint64_t size; /* of the body; TREE_UNKNOWN */
    uint32_t len;
    uint8_t *bytes;
    uint8_t *leaf;
};
