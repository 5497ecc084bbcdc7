/* depot.h - threads that own the files which the server keeps.
 *
 * Workers carry the streams of transfers and loop and workers never read a disk: they ask by
 * jobs, over rings, and are answered by rings. A parcel's part is one thread's (by its
 * number), so its jobs are done in the order in which they were asked; thread 0 knows the
 * tokens too, finds what lies about, and measures how much room there is.
 *
 *     DATA/files/parts/7/       what has come of parcel 7 (disk/disk.h)
 *     DATA/files/ROOT           contents, by the root of their tree in hex; with a list:
 *     DATA/files/ROOT-LIST      and .list, LIST being the list's root
 *     ...  .pages, .leaves      hashes of the tree, to begin sending at once (depot_tree.c)
 *     ...  .damaged             what was found not to be what its name says
 *
 * What is opened has a place (depot_places.h) until it is closed, or somebody else has taken it
 * over; without one an OPEN is answered -ROOST_TRANSFERS or -ROOST_TRANSFERS_OWN.
 *
 * A parcel that is still coming is given on as it comes (hub_depot.arrives, depot_arrive.c): what
 * is asked of it that is not there yet is answered when it is.
 *
 * A parcel counts when its file is synced and has its name: then the hub is told, and only when
 * the hub has stored its event the sender hears DONE.
 */
#pragma once

#include <uv.h>

#include "disk/disk.h"
#include "hub/hub.h"

enum { DEPOT_THREADS_MAX = 16, DEPOT_JOBS_MAX = 8192 /* under way between two threads */ };

struct depot;
struct depot_job;
struct opened; /* a part or source; its thread's */

struct depot_settings {
    const char *data; /* the data directory */
    uint64_t reserve; /* bytes of the disk that stay free */
    unsigned threads;
    /* opened at the same time: of all, of one account */
    uint32_t transfers, transfers_account;
    /* On the loop; the word is lent. */
    void (*on_word)(void *ctx, const struct hub_depot_word *word);
    /* A LOOK or READ of the loop's own; takes the job. */
    void (*on_job)(void *ctx, struct depot_job *job);
    void *ctx;
};

/* Who asked gets it back with `err`, but for CLOSE, LEAVE, ORDER and WRONG. */
struct depot_job {
    enum {
        JOB_LOOK,  /* token -> grant (without name but for the loop) */
        JOB_OPEN,  /* grant -> opened, and how it stands */
        JOB_WISH,  /* opened, wish -> result */
        JOB_WAIT,  /* opened, of what is still coming: answered with about when some of it is there
                    */
        JOB_LEAVE, /* opened: all that waits is answered, nothing comes any more */
        JOB_READ,  /* opened: wish.len bytes at wish.at of the body, within a block, compared with
                      its hash -> wish.bytes, result */
        JOB_CLOSE, /* opened; got: all of it was given to its account; doubted: it cannot be */
        JOB_ORDER, /* of the hub: grant */
        JOB_WRONG, /* grant: of contents that were found damaged; wish.at: their inode */
        JOB_WORD,  /* to the loop: word */
    } what;
    unsigned asker; /* a worker, or DEPOT_LOOP */
    void *owner;    /* the asker's */
    int err;
    bool got, doubted;
    uint8_t token[FILE_TOKEN];
    struct hub_depot grant;
    struct hub_depot_word word;
    struct opened *opened;
    struct depot_job *next; /* the depot's */
    struct wish wish;
    int64_t result;
    /* OPEN: of a part */
    uint8_t *map;
    size_t map_len;
    uint64_t list_held;
    /* OPEN: of contents; WISH of a FINISH: what receiver_pages gave */
    struct about about;
    uint8_t *pages;
    uint32_t n_pages;
};
void depot_job_free(struct depot_job *j);

#define DEPOT_LOOP 16u /* an asker: WORKERS_MAX */

/* Makes the folders. -ROOST_IO, -ROOST_NOMEM. */
int depot_new(struct depot **ret, uv_loop_t *loop, const struct depot_settings *settings);
/* Before depot_start: answers for this worker ring its eventfd. */
int depot_attach(struct depot *d, unsigned worker, int event);
int depot_start(struct depot *d);
/* Takes what is in it. */
void depot_put(struct depot *d, struct hub_depot *order);
/* From the asker's thread. False: no room; the job stays the caller's. */
bool depot_ask(struct depot *d, struct depot_job *job);
/* From the loop: a grant that needs no token; what is told from now on counts for it. */
void depot_admit(struct depot *d, struct hub_depot *grant);
/* From the loop: what j opened is closed, for certain; takes j. */
void depot_shut(struct depot *d, struct depot_job *j);
/* From the loop: the contents of grant (file, size, roots) were found damaged, or (inode 0)
 * missing: if they still are that, they are lost (DEPOT_LOST). */
void depot_found_wrong(struct depot *d, const struct hub_depot *grant, uint64_t inode);
/* From the loop: until it is false again, nothing goes that nobody refers to. */
void depot_spare(struct depot *d, bool spare);
struct depot_job *depot_answer(struct depot *d, unsigned worker); /* NULL: none */

struct depot_stats {
    uint64_t taken, given, bytes_in, bytes_out, kept, failed, dropped, open, crowded, lost;
    uint64_t room; /* bytes that may still be kept */
};
void depot_stats(const struct depot *d, struct depot_stats *ret);

/* What was asked is done, then the threads end. Answers still wait. Run the loop once more. */
void depot_stop(struct depot *d);
void depot_free(struct depot *d); /* NULL is fine */
