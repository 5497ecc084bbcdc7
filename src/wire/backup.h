/* backup.h - the head of a backup file; behind it lies the database as it is.
 *
 *     magic 8 | format 4 | head 4 | size 8 | made_ms 8 | version 4 | 0 4
 *     | server_id 16 | sha256 of the database 32 | sha256 of the bytes before 32 | 0 8
 *
 * All numbers big-endian. Pure; whoever has a SHA-256 checks the two sums.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    BACKUP_HEAD_BYTES = 128,
    BACKUP_FORMAT = 1,
    BACKUP_SUMMED = 88, /* bytes before the sum of the head, which comes next */
};
/* A database of more is no backup of ours: what a peer names is not believed beyond it. */
#define BACKUP_SIZE_MAX (1ULL << 40)

struct backup_head {
    uint64_t size; /* of the database */
    int64_t made_ms;
    uint32_t version; /* of the database */
    uint8_t server_id[16];
    uint8_t sha256[32];
};

/* head_sum stays zero: it is the SHA-256 of the first BACKUP_SUMMED bytes, at that place. */
void backup_head_encode(uint8_t ret[static BACKUP_HEAD_BYTES], const struct backup_head *h);
/* -ROOST_INVALID: no backup, or one of a newer format (then -ROOST_VERSION). The sum of the
 * head is at bytes + BACKUP_SUMMED, unchecked. */
int backup_head_decode(struct backup_head *ret, const uint8_t *bytes, size_t len);
