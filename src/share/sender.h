/* sender.h - one end of a transfer: what is to be sent.
 *
 * A state machine. Bytes of the stream come in (sender_in) and go out (sender_out, sender_sent); it
 * wants blocks from a disk (sender_wish, sender_answer). Nothing else happens: no clock, no thread.
 * Who has the stream does, after anything that happened:
 *
 *     sender_in(s, bytes, len);
 *     do {
 *         while (sender_wish(s, &w)) hand w to a thread that does disk_do and then sender_answer
 *         if ((p = sender_out(s, &len))) sender_sent(s, n = what the stream takes of it)
 *     } while (p && n)
 *
 * Back-pressure: it reads only as much as SENDER_AHEAD blocks wait to leave. Memory: those blocks,
 * four pages of leaves and the page hashes (at most 512 KiB); nothing grows with the size but
 * those.
 *
 * It goes on after a lost stream with sender_again: what it has learned of the source stays.
 * After a crash a new one is made: the receiver's HAVE says what is missing. A source that changed
 * is noticed where a block is not what was told of it before, and by the edge (size, time): then it
 * ends with -ROOST_SOURCE_CHANGED, and says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/talk.h"
#include "share/wish.h"

enum { SENDER_AHEAD = 8 /* blocks */ };

enum share_state {
    SHARE_BEGINS, /* nothing agreed yet */
    SHARE_LIST,   /* the list is on its way */
    SHARE_BLOCKS, /* blocks are */
    SHARE_CHECKS, /* all is there; is it what was promised? */
    SHARE_DONE,   /* both sides know that it is whole and synced */
    SHARE_OVER,   /* cancelled or failed: `err` says why */
};

/* For people and tests. Bytes of the body. */
struct share_view {
    enum share_state state;
    int err;     /* 0; negative, once OVER */
    bool theirs; /* the other side said so */
    bool paused_here, paused_there;
    uint64_t size;     /* TREE_UNKNOWN */
    uint64_t verified; /* on the receiver's disk, and both know it */
    uint64_t here;     /* sender: sent by now; receiver: come by now; what was held included */
    uint64_t again;    /* what was held when this stream began */
    bool has_root;     /* known, by now */
    uint8_t root[TREE_HASH];
};

struct sender_settings {
    struct about about;
    const uint8_t *pages; /* with about.has_root: all page hashes, which are copied */
    /* Its source is still coming itself: reads may be answered late, and nothing is said to be the
     * end before WISH_ROOT has confirmed what was read. */
    bool arrives;
};

struct sender;

/* -ROOST_NOMEM; -ROOST_INVALID: sizes past the limits, or pages that do not make that root. */
int sender_new(struct sender **ret, const struct sender_settings *settings);
/* No wish may be under way. NULL is fine. */
void sender_free(struct sender *s);
/* On a new stream, from ABOUT on. No wish may be under way. -ROOST_INVALID: it is over. */
int sender_again(struct sender *s);

/* Takes all. An error is the end of it, too: -ROOST_MALFORMED ... */
int sender_in(struct sender *s, const uint8_t *bytes, size_t len);
/* What is to be written next; NULL: nothing now. Stays where it is until sender_sent says it left.
 */
const uint8_t *sender_out(struct sender *s, size_t *ret_len);
void sender_sent(struct sender *s, size_t len);

/* The next thing to be done, once each; false: none. */
bool sender_wish(struct sender *s, struct wish *ret);
void sender_answer(struct sender *s, uint32_t id, int64_t result);
uint32_t sender_wishes(const struct sender *s); /* handed out, not answered */

void sender_pause(struct sender *s, bool on);
/* Ends it, and tells the other side. why: -ROOST_CANCELLED ... */
void sender_cancel(struct sender *s, int why);
void sender_look(const struct sender *s, struct share_view *ret);
/* Blocks below are on the receiver's disk: a stream's source need not keep them. */
uint64_t sender_settled(const struct sender *s);
