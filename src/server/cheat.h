/* cheat.h - a server that cheats: for tests, and only in a build with -Dcheat=true.
 *
 * The environment variable ROOST_CHEAT names what it does (cheat.c lists them); tests/e2e/cheats.py
 * tells of each what the clients make of it. In every other build there is nothing of it: what
 * stands here then is what would be called anyway. One cheat a process, settled before there are
 * threads.
 */
#pragma once

#include <stdint.h>

#include "wire/media.h"

struct blob;
struct leg_at;
struct peer;

typedef void cheat_give_fn(struct peer *p, struct blob *bytes, uint32_t at, uint32_t len);
typedef void cheat_forward_fn(struct leg_at *l, const struct media *m, const uint8_t *payload);

#ifdef ROOST_CHEAT

enum cheat {
    CHEAT_NONE,
    /* who forwards (cheat_media.c) */
    CHEAT_FRAME_SWAPPED,
    CHEAT_SENDER_SWAPPED,
    CHEAT_PARTS_SWAPPED,
    CHEAT_FRAME_REPLAYED,
    CHEAT_FRAME_TRUNCATED,
    CHEAT_FRAME_DELAYED,
    CHEAT_KEY_FLAG,
    /* who tells (cheat_control.c) */
    CHEAT_MEMBER_INSERTED,
    CHEAT_DEVICE_INSERTED,
    CHEAT_LIST_DIFFERS,
    CHEAT_LIST_OLD,
    CHEAT_KEYS_OLD,
    CHEAT_KEYS_FORGED,
    CHEAT_KEYS_RENAMED,
    CHEAT_UNSEALED,
    CHEAT_UNSEALED_LATER,
    CHEATS
};

extern enum cheat cheat_now;

void cheat_begin(void);
void cheat_media(struct leg_at *l, const struct media *m, const uint8_t *payload,
                 cheat_forward_fn *forward);
void cheat_send(struct peer *p, struct blob *bytes, uint32_t at, uint32_t len, cheat_give_fn *give);

#else

static inline void cheat_begin(void)
{
}

static inline void cheat_media(struct leg_at *l, const struct media *m, const uint8_t *payload,
                               cheat_forward_fn *forward)
{
    forward(l, m, payload);
}

static inline void cheat_send(struct peer *p, struct blob *bytes, uint32_t at, uint32_t len,
                              cheat_give_fn *give)
{
    give(p, bytes, at, len);
}

#endif
