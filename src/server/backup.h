/* backup.h - backup files, and how a database takes the place of another.
 *
 * A restore is first a file beside the database, NAME.upload; checked and made ready it
 * becomes NAME.restore by a rename: from then on it is the database that counts, and
 * restore_finish, which every start calls, puts it in its place however often it is cut
 * off. The one before is kept as NAME.before-restore (-2, -3, ...).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/datadir.h"
#include "store/sqlite_check.h"
#include "wire/backup.h"

#define DATABASE_NAME "roost.db"
#define UPLOAD_NAME   DATABASE_NAME ".upload"
#define COPY_NAME     DATABASE_NAME ".copy"
#define RESTORE_NAME  DATABASE_NAME ".restore"

enum { BACKUP_WHY_MAX = 200 };

/* The head for the database in the file, which it reads whole. Sum: of head and database. */
int backup_head_make(uint8_t ret[static BACKUP_HEAD_BYTES], const struct backup_head *h,
                     const char *database, uint8_t ret_sum[static 32]);
/* A head with its own sum. */
int backup_head_check(struct backup_head *ret, const uint8_t *bytes, size_t len,
                      char ret_why[static BACKUP_WHY_MAX]);
/* Is the file the database that the head promises, and whole? */
int backup_verify(const char *database, const struct backup_head *h, struct sqlite_info *ret,
                  char ret_why[static BACKUP_WHY_MAX]);
/* Verifies NAME.upload and makes it ready to be started with. ret_words (BACKUP_WHY_MAX) says
 * what is in it. */
int restore_check(const struct datadir *d, const struct backup_head *h, int64_t now_ms,
                  char *ret_words, char ret_why[static BACKUP_WHY_MAX]);
/* From now on it counts, even if the power goes. */
int restore_place(const struct datadir *d);
/* Puts it in its place, if there is one; logs it. */
int restore_finish(const struct datadir *d);
/* All of it, from a backup file, on a server that is not running. */
int restore_offline(const struct datadir *d, const char *file, int64_t now_ms,
                    char ret_words[static BACKUP_WHY_MAX], char ret_why[static BACKUP_WHY_MAX]);
