/* sqlite_copy.h - a copy of a store that goes on working, made piece by piece.
 *
 * The copy is of one moment: what is committed between two pieces is in it. Each piece
 * is called between batches, on the store's thread. When the store had to close its
 * file meanwhile the copy is lost and must be begun again.
 */
#pragma once

#include "store/store.h"

struct sqlite_copy;

/* To a new file, in the same directory or elsewhere; what lies there is written over. s is
 * one of sqlite_store_open. -ROOST_BUSY: one is under way. */
int sqlite_copy_begin(struct sqlite_copy **ret, struct store *s, const char *path,
                      char ret_why[static 200]);
/* So many pages of 4 KiB more. 1: there is more, 0: that was all; -ROOST_FULL, -ROOST_IO,
 * -ROOST_NOT_STORED: lost. In *ret_done and *ret_total bytes. */
int sqlite_copy_step(struct sqlite_copy *c, int pages, uint64_t *ret_done, uint64_t *ret_total);
/* Closes the file, whole or not. 0 only if it is whole. NULL is fine. */
int sqlite_copy_end(struct sqlite_copy *c);
