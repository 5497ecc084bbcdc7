/* sqlite_contents.h - which contents of files a database refers to.
 *
 * The database is a file that nobody writes: of a server that is down, or a copy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sqlite_contents;

/* What one or several kept parcels refer to. */
struct sqlite_content {
    uint64_t file; /* the newest of these parcels ... */
    uint64_t parcels;
    const char *name; /* ... and what it is called; until the next one */
    uint64_t size, list_size;
    bool has_list;
    uint8_t root[32], list_root[32];
};

/* -ROOST_INVALID, -ROOST_IO, -ROOST_NOMEM. A database of an older version that knows no files has
 * none. */
int sqlite_contents_open(struct sqlite_contents **ret, const char *path);
void sqlite_contents_close(struct sqlite_contents *c); /* NULL is fine */
/* How many, and their bytes, lists too. */
int sqlite_contents_count(struct sqlite_contents *c, uint64_t *ret_n, uint64_t *ret_bytes);
/* 1: *ret is the next one; 0: those were all. */
int sqlite_contents_next(struct sqlite_contents *c, struct sqlite_content *ret);
/* 1 or 0: does anybody refer to this? list_root NULL: without a list. */
int sqlite_contents_has(struct sqlite_contents *c, const uint8_t root[static 32],
                        const uint8_t *list_root);
