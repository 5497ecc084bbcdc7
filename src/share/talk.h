/* talk.h - the messages of a transfer's stream (docs/PROTOCOL.md, "The stream of a transfer").
 *
 * One stream with two directions. A message: kind 1, length of the body 3, body. Who opened the
 * stream says BEGIN; then
 *
 *     sender    ABOUT  [LIST ...]  [PAGES ...]  (PAGE, BLOCK | LEAFED) ...  END
 *     receiver  [LIST_WANT]  HAVE  (VERIFIED | WANT) ...  DONE
 *     both      PAUSE, GO, CANCEL
 *
 * ABOUT first; the receiver may ask for the list; with HAVE it says what it holds already, and then
 * blocks come. A sender that knows the root says all PAGES first, and of each page its leaves
 * (PAGE) before its blocks: a PAGE counts until TREE_OPEN others came. One that does not know it
 * sends each leaf with its block (LEAFED), and PAGES when the blocks are over.
 *
 * Pure. What is read borrows from the bytes. One encoding only: what was read can be
 * written again and is the same.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/held.h"
#include "share/tree.h"
#include "wire/cursor.h"

enum {
    TALK_VERSION = 1,
    TALK_HEAD = 4,
    TALK_TOKEN = 16,
    TALK_ROOM = 64, /* head and what stands before the bytes of a BLOCK or LEAFED, at most */
    TALK_BODY_MAX = TREE_BLOCK + TALK_ROOM,
    TALK_BEGIN_BYTES = TALK_HEAD + 2 + TALK_TOKEN,
    TALK_PAGES_EACH = 1024, /* page hashes in one message */
};

enum talk_kind {
    TALK_BEGIN = 1,
    TALK_ABOUT = 2,
    TALK_LIST = 3,
    TALK_PAGES = 4,
    TALK_PAGE = 5,
    TALK_BLOCK = 6,
    TALK_LEAFED = 7,
    TALK_END = 8,
    TALK_HAVE = 16,
    TALK_LIST_WANT = 17,
    TALK_WANT = 18,
    TALK_VERIFIED = 19,
    TALK_DONE = 20,
    TALK_PAUSE = 24,
    TALK_GO = 25,
    TALK_CANCEL = 26,
};

enum talk_role { TALK_SENDS = 1, TALK_RECEIVES = 2 }; /* what who opened the stream does */

/* What is sent. */
struct about {
    uint64_t size; /* TREE_UNKNOWN */
    bool stream;   /* cannot be read a second time, or from the middle: no WANT */
    bool has_root;
    uint64_t list_size; /* 0: there is no list; one file, of which the offer says all */
    uint8_t list_root[TREE_HASH];
    uint8_t root[TREE_HASH];
    int64_t mtime_ns; /* of the newest file: another one is another content */
    bool sparse;      /* it has holes: about `filled` bytes of it take room on a disk */
    uint64_t filled;
};

struct talk {
    enum talk_kind kind;
    union {
        struct {
            enum talk_role role;
            const uint8_t *token; /* TALK_TOKEN */
        } begin;
        struct about about;
        struct { /* LIST */
            const uint8_t *bytes;
            uint32_t len;
        } list;
        struct {            /* PAGES: hashes; PAGE: leaves */
            uint32_t first; /* page */
            uint32_t n;
            const uint8_t *hashes;
        } pages;
        struct { /* BLOCK, LEAFED; len 0: zeros, as many as a block has there */
            uint64_t index;
            const uint8_t *leaf; /* NULL: BLOCK */
            const uint8_t *bytes;
            uint32_t len;
        } block;
        struct { /* END; DONE has the root only */
            uint64_t size;
            const uint8_t *root;
        } end;
        struct { /* HAVE, VERIFIED: for held_read */
            const uint8_t *bytes;
            uint32_t len;
        } runs;
        uint64_t list_from; /* LIST_WANT: bytes of it that are held */
        struct {            /* WANT: these first; count 0: to the end */
            uint64_t from, count;
        } want;
        uint32_t why; /* CANCEL: a code of base/err.h */
    };
};

/* Head and body; the writer is full when it does not fit. HAVE and VERIFIED are written from
 * runs.bytes.
 */
void talk_write(struct writer *w, const struct talk *t);
/* The first bytes of a message alone, of a body of so many bytes. */
void talk_write_head(struct writer *w, enum talk_kind kind, uint32_t len);

/* The head of a message: 1, 0 (more is needed), -ROOST_MALFORMED: no such kind, or a body that is
 * too long for it. */
int talk_read_head(const uint8_t *bytes, size_t len, enum talk_kind *kind, uint32_t *ret_len);
/* A body. -ROOST_MALFORMED. */
int talk_read(struct talk *ret, enum talk_kind kind, const uint8_t *body, uint32_t len);
/* BEGIN, from the beginning of a stream: bytes that it took, 0 (more is needed), -ROOST_MALFORMED,
 * -ROOST_VERSION. What is behind goes to sender_in or receiver_in. */
int talk_read_begin(const uint8_t *bytes, size_t len, enum talk_role *role,
                    uint8_t token[static TALK_TOKEN]);
