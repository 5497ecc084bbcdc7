/* udp_inside.h - what the files of udp.h share. */
#pragma once

#include <sys/socket.h>

#include "net/udp.h"

enum {
    /* Of one message, with UDP_GRO; and a little more, so that the beginnings of all do not
     * share the same lines of the cache. */
    IN_BYTES = 65536 + 1088,
    IN_CONTROL = 160,  /* bytes of control messages that come with it */
    OUT_CONTROL = 128, /* ... that go */
};

struct udp {
    int fd, family;
    bool connected, bound; /* bound: to one address */
    struct udp_counts counts;
    uint64_t runs_again; /* of counts.out: then runs are tried once more; 0: never */
    udp_tap_fn *tap;     /* or NULL */
    void *tap_ctx;
    union address to;       /* of a connected one */
    uint32_t overflow_seen; /* the kernel's own counter, which wraps */
    /* what the last call brought, not yet handed out */
    struct mmsghdr in[UDP_BATCH];
    struct iovec in_parts[UDP_BATCH];
    union address in_from[UDP_BATCH];
    uint8_t (*in_control)[IN_CONTROL];
    uint8_t (*in_bytes)[IN_BYTES];
    unsigned n_in, at_in; /* messages */
    bool drained;         /* the last call had room for more */
    /* the message that is being cut into datagrams */
    struct udp_in current;
    size_t at_bytes, of_bytes, segment;
};

static inline bool udp_lacks(const struct udp *u, enum udp_lack what)
{
    return u->counts.lacks & what;
}
