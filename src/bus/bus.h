/* bus.h - carries bytes between shards, in this node and, later, between nodes.
 *
 * A shard is a room, an account, or everyone; its number says which. What is
 * published for a shard reaches every hub that subscribed to it, once, in the
 * order of publishing; a hub drains its bus before it takes the next input.
 * The bytes are protobuf or an encoded frame, never structs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"

enum shard_kind { SHARD_NONE, SHARD_EVERYONE, SHARD_ROOM, SHARD_ACCOUNT, SHARD_MEETING };

struct shard {
    enum shard_kind kind;
    uint64_t id;
};

struct bus {
    const struct bus_ops *ops;
};

struct bus_ops {
    /* Takes a reference of its own. -ROOST_NOMEM: nothing was published. */
    int (*publish)(struct bus *b, struct shard to, struct blob *bytes);
    int (*subscribe)(struct bus *b, struct shard to);
    void (*unsubscribe)(struct bus *b, struct shard to);
    /* The next message for this hub; the caller unrefs *ret_bytes. */
    bool (*next)(struct bus *b, struct shard *ret_to, struct blob **ret_bytes);
    void (*free)(struct bus *b);
};
