/* webm.h - voices in a WebM file: tracks of Opus that can be added at any time.
 *
 * Written so that the file is whole after each write: the segment and its clusters have no size, a
 * block is written once, and every track that there may be has a place of its own in the head (an
 * empty element of 512 bytes, at a multiple of 512), which one write turns into a track. So nothing
 * moves, and what was written before a kill plays. At the end the duration, the places to seek to
 * and where they are go into room that was left for them.
 *
 * Read piece by piece: tracks and blocks, everything else is passed over; foreign files too.
 *
 * The caller writes and reads. Plain data. Pure; microseconds from the beginning of the file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WEBM_TRACKS_MAX = 256,
    WEBM_SLOT = 512,
    WEBM_TRACKS_AT = 1024,
    WEBM_HEAD = WEBM_TRACKS_AT + WEBM_TRACKS_MAX * WEBM_SLOT,
    WEBM_TITLE = 128,   /* longer ones are cut, and names too */
    WEBM_MORE_MAX = 48, /* of a block: besides its bytes */
    WEBM_CUES_MAX = 8192,
    WEBM_CUE_BYTES = 32,
    WEBM_PATCH_MAX = 80,
    WEBM_ELEMENT_MAX = 65536, /* of what is read: larger ones are passed over */
};
#define WEBM_CLUSTER_US 5000000

struct webm_out {
    int64_t cluster_ms; /* -1: none yet */
    uint64_t at;        /* where the next block goes */
    int64_t end_ms;
    uint32_t n_cues, every; /* one cue for so many clusters: they are thinned when there are many */
    uint32_t clusters;
    struct {
        uint64_t at, ms;
        uint32_t track;
    } cues[WEBM_CUES_MAX];
};

/* --- writing ----------------------------------------------------------------------- */

/* The head: WEBM_HEAD bytes at 0. date_us: since 1970. */
void webm_begin(struct webm_out *w, int64_t date_us, const char *title,
                uint8_t ret[static WEBM_HEAD]);
/* Track n, from 1, at webm_slot_at(n); again to change its name. */
void webm_slot(uint32_t n, const char *name, uint8_t ret[static WEBM_SLOT]);
static inline uint64_t webm_slot_at(uint32_t n)
{
    return WEBM_TRACKS_AT + (uint64_t)(n - 1) * WEBM_SLOT;
}
/* What goes before a block of so many bytes, which follow it, at w->at (then at more). Returns its
 * length. */
size_t webm_block(struct webm_out *w, uint32_t track, int64_t at_us, size_t len,
                  uint8_t ret[static WEBM_MORE_MAX]);
/* The end: what goes at w->at (n_cues * WEBM_CUE_BYTES + 16 at most), */
size_t webm_cues(const struct webm_out *w, uint8_t *ret);
/* and then two patches of the head: *ret_at, their length. */
size_t webm_patch_seek(const struct webm_out *w, uint64_t *ret_at,
                       uint8_t ret[static WEBM_PATCH_MAX]);
size_t webm_patch_duration(const struct webm_out *w, uint64_t *ret_at,
                           uint8_t ret[static WEBM_PATCH_MAX]);

/* --- reading ----------------------------------------------------------------------- */

struct webm_in {
    uint64_t scale_ns, cluster, skip;
    bool begun;
};
enum webm_what { WEBM_TRACK, WEBM_BLOCK, WEBM_DURATION };
struct webm_item {
    enum webm_what what;
    uint32_t track;
    char name[WEBM_TITLE + 1];
    bool opus;
    uint16_t skip;        /* samples before the beginning of a track */
    int64_t at_us;        /* of a block; how long all is */
    const uint8_t *bytes; /* of a block, in what was given */
    size_t len;
};

void webm_open(struct webm_in *w);
/* The next item of the bytes that begin with what was not used yet. 1; 0: more are needed;
 * -ROOST_MALFORMED. *ret_used may be dropped when the item was used. */
int webm_next(struct webm_in *w, const uint8_t *bytes, size_t len, size_t *ret_used,
              struct webm_item *ret);
