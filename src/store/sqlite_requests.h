/* sqlite_requests.h - which requests were done, and what each was answered.
 *
 * Their ids are random: as rows of one tree each touches a page of its own, and a
 * batch of 256 would write 256 pages. So what a batch did is one row at the end of
 * a table, `recent0` or `recent1`, and is known from memory. When a generation is
 * full the other table is filled, and with every batch a piece of the full one is
 * settled into the tree `requests`, in the tree's order, several to a page. A
 * request that is asked for is in memory, in the tree, or was not done.
 *
 * Nearly all that are asked for were not done, and to learn that from the tree would
 * read a page for each. A filter says so, when it knows all of the tree: from an old
 * one it learns a piece with every batch.
 *
 * Memory: two generations of 80 bytes a request, no more than are in the tables, and
 * the filter's 256 KiB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/filter.h"

struct db;
struct store_op;
struct store_result;

struct request_row {
    uint64_t scope;
    uint8_t id[16], digest[16];
    int64_t made_ms, at_ms;
    uint64_t room, seq, account;
};

struct requests {
    /* the generation that fills: as it came, the first `kept` are in its table */
    struct request_row *rows;
    size_t n, cap, kept;
    uint32_t *index; /* position + 1 by hash, 0: none; NULL until there is a row */
    size_t index_cap;
    int table; /* 0 or 1: where it is kept; the other has the full one */
    int64_t next_n;
    /* the full one: in the tree's order, the first `settled` are in the tree */
    struct request_row *full;
    size_t n_full, settled;
    size_t most;          /* of a generation */
    struct filter filter; /* of the tree */
    bool filter_whole;
    struct request_row learnt; /* the filter knows the tree up to this one */
};

/* Empty; sets only the size of a generation (0: the usual). */
void requests_init(struct requests *q, size_t most);
void requests_fini(struct requests *q);
/* Reads both tables. Sets d->failed or d->nomem when it cannot. */
void requests_load(struct db *d);

/* True: r is filled from the first time, or is the conflict with it. */
bool requests_known(struct db *d, const struct store_op *op, struct store_result *r);
/* It is done with this transaction. */
void requests_remember(struct db *d, const struct store_op *op, const struct store_result *r);
/* Writes what was remembered since the last commit; the caller commits. */
void requests_keep(struct db *d);
/* What was remembered since the last commit was not done. */
void requests_forget(struct db *d);
