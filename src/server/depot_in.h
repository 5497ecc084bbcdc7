/* depot_in.h - inside the depot: its threads. */
#pragma once

#include <stdatomic.h>

#include "base/map.h"
#include "server/contents.h"
#include "server/depot.h"
#include "server/depot_places.h"
#include "server/passage.h"
#include "server/wake.h"
#include "share/held.h"

enum { GRANTS_MAX = 50000, BARS_KEPT = 64, KEPT_KEPT = 64, LEAVES_TOLD = 256, DEPOT_ASKERS = 17 };

struct opened {
    uint64_t file;
    struct hub_depot grant;
    struct disk_part *part;
    struct disk_source *source;
    bool dead; /* somebody else has it, or it is over */
    struct place place;
    struct depot_job *finish; /* waits for the hub's word */
    struct opened *next;      /* of its thread */
    uint8_t *pages;           /* contents: the hashes of the tree's pages */
    uint8_t *leaves;          /* of the page leaves_of - 1 (0: none), and room for a block */
    uint32_t leaves_of;
    /* A part that somebody may get while it comes (depot_arrive.c). */
    struct held written; /* verified, and to be read */
    uint64_t filled;
    uint8_t *told; /* leaves of the last blocks, LEAVES_TOLD; of block n at n % LEAVES_TOLD */
    uint64_t told_of[LEAVES_TOLD]; /* block + 1 */
    bool laid_out, synced;         /* some of it */
    /* Who gets it so: no source until it is whole. */
    bool arrives;
    struct depot_job *parked, **parked_end;
};

struct depot_thread {
    struct depot *all;
    unsigned index;
    uv_thread_t thread;
    bool started;
    int event;
    struct passage in[DEPOT_ASKERS], out[DEPOT_ASKERS];
    struct map takes;  /* by file: struct opened, of parts */
    struct map grants; /* by token; thread 0's */
    int64_t looked_us; /* thread 0: what lay about */
    struct opened *opened;
    /* The last ones, a ring: a token may have been looked up before one came, and be opened behind
     * it. */
    struct hub_depot bars[BARS_KEPT];
    unsigned n_bars;
    /* What was kept last, a ring: a token of what comes may be shown when it is whole. */
    struct hub_depot kept[KEPT_KEPT];
    unsigned n_kept, n_arrive; /* n_arrive: opened ones */
};

struct depot_counts {
    _Atomic uint64_t taken, given, bytes_in, bytes_out, kept, failed, dropped, open, crowded, lost,
        room;
};

struct depot {
    struct depot_settings settings;
    struct depot_thread each[DEPOT_THREADS_MAX];
    unsigned n;
    int dir; /* DATA/files */
    int events[DEPOT_ASKERS];
    struct wake wake;
    bool waking, stopped;
    uint64_t orders; /* so many came */
    _Atomic bool stopping, spare;
    struct depot_job *late, **late_end; /* orders that found no room: they go first */
    struct depot_counts counts;
    struct places places;
};

/* --- depot_thread.c --- */
void depot_thread_main(void *thread);
void depot_reply(struct depot_thread *t, struct depot_job *j);
void depot_say(struct depot_thread *t, const struct hub_depot_word *word);
int64_t depot_now_us(void);

/* --- depot_tree.c --- */
/* Set aside under another name, so that whoever has them can send them again. */
void depot_lost(struct depot_thread *t, const struct hub_depot *g, const char *what);
/* Somebody found them not to be what they should be: all is read. */
void depot_doubt(struct depot_thread *t, const struct hub_depot *g);
/* All was read, of this inode, and is damaged; 0: it was missing. */
void depot_wrong(struct depot_thread *t, const struct hub_depot *g, uint64_t inode);
/* Of contents in an open file; the caller frees them. -ROOST_UNREADABLE: they are lost. */
int depot_pages(struct depot_thread *t, const struct hub_depot *g, int body, uint8_t **ret);
void depot_pages_write(struct depot_thread *t, const struct hub_depot *g, const uint8_t *pages,
                       uint32_t n);
/* The leaves of a page, compared with its hash; as above. */
int depot_leaves(struct depot_thread *t, struct opened *o, uint32_t page, uint8_t *ret);
/* A piece within one block, compared with its leaf; as above. */
int64_t depot_read(struct depot_thread *t, struct opened *o, const struct wish *w);

/* --- depot_disk.c: what is done --- */
void depot_name(char ret[static CONTENTS_NAME], const struct hub_depot *g);
int depot_open_take(struct depot_thread *t, struct depot_job *j);
int depot_open_give(struct depot_thread *t, struct depot_job *j);
/* The contents of o's grant. */
int depot_source_open(struct depot_thread *t, struct opened *o);
int64_t depot_time(const struct hub_depot *g);
void depot_read_wish(struct depot_thread *t, struct opened *o, struct depot_job *j);
/* Whoever is at it hears that it is over with the next thing that it asks, or waits for. */
void depot_kill(struct depot_thread *t, struct opened *o, int err);
int depot_opened_new(struct depot_thread *t, const struct depot_job *j, struct opened **ret);
void depot_opened_put(struct depot_thread *t, struct depot_job *j, struct opened *o);
void depot_opened_free(struct depot_thread *t, struct opened *o);
/* False: the answer comes later. */
bool depot_do_wish(struct depot_thread *t, struct depot_job *j);
/* doubted: what was given is not what it should be. */
void depot_close(struct depot_thread *t, struct opened *o, bool doubted);
void depot_on_stored(struct depot_thread *t, uint64_t file, int err);
/* takes: only what is sent of it; who gets it goes on. */
void depot_on_over(struct depot_thread *t, uint64_t file, bool takes);
void depot_on_bar(struct depot_thread *t, const struct hub_depot *bar);
void depot_drop(struct depot_thread *t, const struct hub_depot *order);
void depot_look_about(struct depot_thread *t);
void depot_measure(struct depot_thread *t);

/* --- depot_arrive.c --- */
int depot_part_new(struct opened *o, const struct depot_job *j);
/* A wish of a part was done. */
int depot_part_did(struct depot_thread *t, struct opened *o, const struct wish *w);
int depot_open_arriving(struct depot_thread *t, struct depot_job *j);
/* False: it is parked. */
bool depot_do_early(struct depot_thread *t, struct opened *o, struct depot_job *j);
/* All that waits is answered so. */
void depot_unpark(struct depot_thread *t, struct opened *o, int err);
/* There is more of it. */
void depot_arrived(struct depot_thread *t, uint64_t file);
void depot_arrive_kept(struct depot_thread *t, const struct hub_depot *kept);
