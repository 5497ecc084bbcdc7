/* faultdisk.h - a disk in memory for src/disk that can lose power, be full, and fail.
 *
 * What was written is seen at once, but survives a power cut for certain only when its file was
 * synced; a name that was made, moved or removed, only when its folder was. What was not survives
 * in part: each 512 bytes on their own, each change of names on its own (a move is one change). A
 * sync that fails forgets, as Linux does: what it should have written is still seen, and never
 * reaches the disk unless it is written again. The root folder is DISK_ROOT. One thread.
 */
#pragma once

#include "disk/os.h"
#include "lab/dice.h"

enum { DISK_ROOT = 1, DISK_NODES_MAX = 4096 };

struct faultdisk_counts {
    uint64_t calls, cuts, errors, full, kept, lost, names_lost;
};

struct disk_node;

struct faultdisk {
    struct disk_os os; /* for disk_part_settings.os */
    struct dice dice;
    struct disk_node *nodes;
    int n_nodes;
    int *fds; /* fd - first_fd -> node */
    int n_fds, first_fd;
    uint32_t op;       /* the last change of names */
    uint64_t cut_in;   /* calls until the power goes; 0: not */
    bool cut;          /* nothing works any more */
    uint32_t fail_ppm; /* of writes and syncs */
    uint64_t room;     /* bytes that all files together may have; 0: no limit */
    bool ignores_sync; /* what depends on syncs must be seen to break */
    struct faultdisk_counts counts;
};

void faultdisk_init(struct faultdisk *d, uint64_t seed);
void faultdisk_fini(struct faultdisk *d);
/* What was not on the disk is gone, or not, as chance has it; all that was open is closed. */
void faultdisk_power_up(struct faultdisk *d);
/* The process is gone, the system is not. */
void faultdisk_close_all(struct faultdisk *d);
/* A file that is seen; NULL: there is none. */
const uint8_t *faultdisk_look(const struct faultdisk *d, const char *path, uint64_t *ret_len);
bool faultdisk_has(const struct faultdisk *d, const char *path);
