/* list.h - the list of a parcel: its files, directories and names of links, one after another.
 *
 * Depth first: a directory stands before what is in it. The body is the files' bytes end to
 * end, in this order. 100,000 entries take some 4 MB and are written and read a piece at a
 * time, in constant memory:
 *
 *     head   "RLS1"
 *     entry  kind 1, mode var, mtime var, [size var], shared var, rest var, rest bytes
 *     end    0, entries var, body bytes var
 *
 * `shared` bytes of a path are those of the path before; every LIST_STEP-th entry shares none, so
 * that one can begin there. Reading takes nothing for granted: lengths, kinds, UTF-8, order, sums.
 * Paths are as the sender says, parts with "/" between them, none empty, "." or ".."; what they
 * are called at the receiver is up to names.h. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/tree.h"

enum {
    LIST_PATH_MAX = 2048, /* bytes */
    LIST_DEPTH_MAX = 64,
    LIST_ENTRIES_MAX = 1000000,
    LIST_STEP = 64,
    LIST_ENTRY_MAX = LIST_PATH_MAX + 40, /* bytes, packed; the end too */
};
#define LIST_SIZE_MAX (256ULL << 20)

enum list_kind {
    LIST_END = 0,
    LIST_FILE = 1,
    LIST_DIRECTORY = 2,
    LIST_LINK = 3 /* its name only */
};

struct list_entry {
    enum list_kind kind;
    uint32_t mode;    /* 0 to 0777 */
    int64_t mtime_s;  /* 0 for what is earlier */
    uint64_t size;    /* of files */
    uint64_t at;      /* of the body: where its bytes begin; set by both sides */
    const char *path; /* ends in a zero byte; when read: until the next is read */
    uint32_t path_len;
};

/* The sum over all bytes of a list: H("roost list 1" 0, bytes) is its root. */
extern const char list_label[13];

/* --- writing --- */

struct list_writer {
    char last[LIST_PATH_MAX + 1];
    uint32_t last_len;
    uint64_t entries, body;
};

/* Each returns the length in bytes (cap is LIST_ENTRY_MAX at least). -ROOST_INVALID: a path that
 * cannot be, or out of order; -ROOST_LIMIT. Sets e->at. */
int list_write_head(struct list_writer *w, uint8_t *bytes, size_t cap);
int list_write(struct list_writer *w, struct list_entry *e, uint8_t *bytes, size_t cap);
int list_write_end(struct list_writer *w, uint8_t *bytes, size_t cap);

/* --- reading --- */

struct list_reader {
    uint8_t piece[LIST_ENTRY_MAX]; /* an entry that came in two parts */
    uint32_t piece_len;
    char path[LIST_PATH_MAX + 1];
    uint32_t path_len;
    char folder[LIST_PATH_MAX + 1]; /* the directory that stands open, "" at the top */
    uint32_t folder_len;
    uint64_t entries, body;
    bool begun, over;
    bool middle; /* what stands open is not known */
};

/* The next entry out of *bytes, which move on. 1: e is set; 0: more bytes are needed; all were
 * taken; 1 with LIST_END: it is over. -ROOST_MALFORMED, -ROOST_LIMIT. */
int list_read(struct list_reader *r, const uint8_t **bytes, size_t *len, struct list_entry *e);
/* Begins in the middle, at an entry that shares nothing: what is before it was read once. */
void list_read_from(struct list_reader *r, uint64_t entry, uint64_t body);
