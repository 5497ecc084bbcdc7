/* faultvfs.h - files for SQLite that can lose power.
 *
 * All in memory. What a program wrote is seen at once, but survives a power cut for
 * certain only when it was synced; a name that was made or removed, only when the
 * directory was synced (as on Linux: with the first sync of a log or journal file).
 * What was not synced survives in part: each 512 bytes of each write on its own, so
 * writes are torn and come in another order. A sync that fails forgets, as Linux does:
 * what it should have written is still seen, and never reaches the disk unless it is
 * written again. One instance a process, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FAULTVFS_NAME "fault"

enum fault_call {
    FAULT_OPEN,
    FAULT_READ,
    FAULT_WRITE,
    FAULT_TRUNCATE,
    FAULT_SYNC,
    FAULT_DELETE,
    FAULT_CALLS,
};

struct fault_stats {
    uint64_t calls[FAULT_CALLS], cuts[FAULT_CALLS], errors[FAULT_CALLS];
    uint64_t full;       /* "no space left" */
    uint64_t refused;    /* by the weather */
    uint64_t kept;       /* pieces of 512 bytes, not synced, that survived */
    uint64_t lost;       /* that did not */
    uint64_t torn;       /* writes that survived in part */
    uint64_t names_lost; /* files made and gone again, or removed and back */
};

int faultvfs_register(void);
/* No files, power on. */
void faultvfs_reset(uint64_t seed);
/* Syncs do nothing from now on: what depends on them must be seen to break. */
void faultvfs_ignore_sync(bool on);
/* The power goes at the n-th call from now; 0 = not. */
void faultvfs_cut_after(uint64_t calls);
/* From the n-th call that writes, syncs or reads from now, `count` such calls fail. */
void faultvfs_fail_after(uint64_t calls, uint64_t count, bool full);
/* How the disk is until it is set anew: FULL refuses what makes a file longer, READ_ONLY
 * what writes or makes one, BROKEN each write and sync. */
enum fault_weather { FAULT_FAIR, FAULT_FULL, FAULT_READ_ONLY, FAULT_BROKEN };
void faultvfs_weather(enum fault_weather weather);
/* Other bytes stand there from now on; false: the file is not so long. */
bool faultvfs_damage(const char *name, uint64_t at, uint64_t len);
uint64_t faultvfs_size(const char *name);
bool faultvfs_is_cut(void);
/* What is on the disk now; all files must be closed. */
void faultvfs_power_up(void);
struct fault_stats *faultvfs_stats(void);
