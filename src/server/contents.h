/* contents.h - the files that the server keeps: what they are called, and whether they are what
 * they should be.
 *
 * Contents lie in DATA/files under the root of their hash tree (depot.h): so whether they are whole
 * can be said of each by itself. All calls block; what is looked at may be used meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/sqlite_contents.h"

enum { CONTENTS_NAME = 160 }; /* with ".damaged" behind it */

/* list_root NULL: without a list. */
void contents_name(char ret[static CONTENTS_NAME], const uint8_t root[static 32],
                   const uint8_t *list_root);
/* False: no contents are called that. */
bool contents_name_read(const char *name, uint8_t ret_root[static 32], bool *ret_has_list,
                        uint8_t ret_list_root[static 32]);

/* Is what is below dir all there, with the bytes that its name says? 0; -ROOST_NO_SUCH_FILE:
 * something is missing; -ROOST_UNREADABLE: it is damaged; -ROOST_CANCELLED, -ROOST_NOMEM. stop (or
 * NULL) is read atomically. */
int contents_verify(int dir, const struct sqlite_content *c, const bool *stop);
/* Of the body; 0: it is missing. */
uint64_t contents_inode(int dir, const char *name);
/* The list alone, in an open file. */
int contents_list_verify(int fd, uint64_t size, const uint8_t root[static 32]);

struct contents_found {
    uint64_t files, bytes; /* that should be there */
    uint64_t missing, damaged;
    uint64_t loose; /* that nobody refers to */
};

struct contents_look {
    const char *data;     /* the data directory */
    const char *database; /* that says what should be there; nobody writes it */
    int64_t
        since_s; /* wall clock: what changed later the database may not know; INT64_MAX: it does */
    const bool *stop;
    /* Each may be NULL. inode: of the body that was looked at; 0: it is missing. */
    void (*on_wrong)(void *ctx, const struct sqlite_content *c, uint64_t inode);
    void (*on_loose)(void *ctx, const char *name);
    void *ctx;
};

/* 0, whatever it finds; else it could not look: -ROOST_IO (errno), -ROOST_INVALID (the database),
 * -ROOST_NOMEM, -ROOST_CANCELLED. */
int contents_look(const struct contents_look *l, struct contents_found *ret);
