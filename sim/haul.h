/* haul.h - one transfer in the simulator: its source, both ends, their disks, and the link between
 * them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/disk.h"
#include "lab/link.h"
#include "share/receiver.h"
#include "sim/faultdisk.h"
#include "sim/pump.h"

enum { PENDING = 64, FILES = 40, PIECE = 16384 };
#define SECOND       1000000LL
#define SIZE_MAX_SIM (40 * TREE_BLOCK)
#define PAGE_BYTES   ((uint64_t)TREE_PAGE * TREE_BLOCK)

#define HAPPENINGS(X)                                                                              \
    X(BLOCK, "blocks sent")                                                                        \
    X(AGAIN, "blocks held when a stream began")                                                    \
    X(LOST, "streams lost")                                                                        \
    X(SENDER, "senders killed")                                                                    \
    X(RECEIVER, "receivers killed")                                                                \
    X(POWER, "power cuts")                                                                         \
    X(SECTOR, "sectors lost")                                                                      \
    X(NAME, "names lost")                                                                          \
    X(FULL, "full disks")                                                                          \
    X(ERROR, "calls of the disk that failed")                                                      \
    X(PAUSE, "pauses")                                                                             \
    X(SEEK, "seeks")                                                                               \
    X(CHANGED, "sources that changed")                                                             \
    X(CANCEL, "cancelled, and taken up again")                                                     \
    X(FOLDER, "folders")                                                                           \
    X(STREAM, "sizes that nobody knew")                                                            \
    X(SESSION, "whole sessions of datagrams")                                                      \
    X(PACKET, "packets found lost")                                                                \
    X(PAGES, "bodies of several pages")                                                            \
    X(TAKING, "servers that die while they take")                                                  \
    X(GIVING, "servers that die while they give")

enum happening {
#define X(name, words) NAME_##name,
    HAPPENINGS(X)
#undef X
        KINDS
};

/* A wish on its way through somebody's disk. */
struct pending {
    bool used, receivers;
    struct wish wish;
    int64_t due_us;
};

/* Messages as they go by. */
struct scan {
    uint8_t bytes[TALK_HEAD + TALK_BODY_MAX];
    size_t n;
};

/* What the server keeps of a folder, until its root is known. */
#define KEPT_NAME "in-1"

struct haul {
    uint64_t seed;
    struct dice dice;
    int64_t now_us;
    struct link link[2]; /* there, back */
    /* With sessions the links carry datagrams, and these are the ends of one; else a stream. */
    bool sessions, large;
    struct flow *end[2];
    uint64_t stream_id, n_sessions;
    struct scan scan[2];
    struct faultdisk disk;
    bool ignores_sync;

    uint8_t *body;
    uint64_t size;
    uint8_t list[65536];
    uint32_t list_len;
    struct {
        char path[64];
        uint64_t at, size;
        bool folder;
    } files[FILES];
    uint32_t n_files;
    bool stream, hashed, changed;
    int64_t mtime_ns;
    uint8_t list_root[TREE_HASH];

    struct sender *s;
    struct receiver *r;
    struct disk_part *part;
    struct pending pending[PENDING];
    uint8_t *inbox; /* that the receiver did not take yet */
    size_t inbox_n, inbox_cap;
    struct held acked;
    uint64_t counts[KINDS];
    bool whole, broken, peace, tells;
    /* By way of a server. Who receives is one, and keeps it under its root; then another haul
     * brings it from there, from its disk, to a person: `server` is the one before. */
    bool kept;
    struct haul *server;
};

/* Something is not as it has to be. */
void haul_broke(struct haul *w, const char *what);
void haul_tell(const struct haul *w, const char *what, int64_t n);

void haul_make_source(struct haul *w);
void haul_same_source(struct haul *w, const struct haul *server); /* what was kept there */
/* What the server has it under; "": no memory. */
void haul_kept_name(struct haul *w, char ret[static 2 * TREE_HASH + 1]);
void haul_fill(struct haul *w); /* with other bytes */
/* Both ends, from nothing but what is on the disk. */
void haul_new_sender(struct haul *w);
void haul_open_part(struct haul *w);
void haul_new_receiver(struct haul *w);

/* The stream, and with it its session, is lost, and there is another. */
void haul_new_stream(struct haul *w);
bool haul_is_quiet(const struct haul *w); /* nothing more comes to who receives */
int64_t haul_link_due_us(const struct haul *w);
void haul_end_session(struct haul *w);

/* A wish comes to its end; not really: it never happened. */
void haul_do_pending(struct haul *w, struct pending *p, bool really);
void haul_do_all(struct haul *w, bool receivers, bool really);
/* All that was written is synced, as by who ends in good order. */
void haul_flush(struct haul *w);
/* Everything that can move now. */
void haul_turn(struct haul *w);
