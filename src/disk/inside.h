/* inside.h - what sources and parts have in common: whole reads and writes, and the way from a byte
 * of a body to the file it is in.
 */
#pragma once

#include "disk/disk.h"

/* All of it, or an error; reading: fewer only at the end. -ROOST_IO ... */
int64_t disk_read_all(const struct disk_os *os, int fd, void *bytes, size_t len, uint64_t at);
int disk_write_all(const struct disk_os *os, int fd, const void *bytes, size_t len, uint64_t at);
int disk_error(void); /* errno as one of ours */

/* Of len blocks from `first` on, read by `read`. */
typedef int64_t disk_read_fn(void *ctx, uint64_t at, uint8_t *bytes, uint32_t len);
int disk_leaves(disk_read_fn *read, void *ctx, uint64_t size, uint64_t first, uint32_t n,
                uint8_t *ret);

/* A list in a file, with a mark at every LIST_STEP-th entry. */
struct index_mark {
    uint64_t offset, body; /* of the list, of the body */
    uint32_t tops;         /* entries at the top before it */
};

struct index {
    const struct disk_os *os;
    int fd; /* borrowed */
    uint64_t size;
    struct index_mark *marks;
    uint32_t n, cap;
    uint64_t body, files, directories, links;

    struct list_reader reader; /* where it stands */
    uint8_t buf[16384];
    const uint8_t *p;
    size_t left;
    uint64_t next; /* byte of the list that is to be read next */
    uint32_t tops; /* up to the entry that was read last, which counts */
    struct list_entry entry;
};

/* Reads all of it; root (or NULL): -ROOST_MALFORMED if it is not that. */
int index_open(struct index *x, const struct disk_os *os, int fd, uint64_t size,
               const uint8_t *root);
void index_close(struct index *x);
int index_rewind(struct index *x);
/* The next entry -> x->entry; 0: the end. */
int index_next(struct index *x);
/* The file with this byte of the body -> x->entry. -ROOST_INVALID: past the end. */
int index_find(struct index *x, uint64_t at);
