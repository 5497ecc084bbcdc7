#include "server/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "seal/digest.h"
#include "seal/running.h"
#include "server/log.h"

enum { CHUNK = 64 * 1024, BESIDE_MAX = 99 };

/* --- sums ------------------------------------------------------------------------- */

/* Adds the whole file; -ROOST_IO with errno. */
static int sum_file(struct seal_running *r, const char *path, uint64_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err = fd < 0 ? -ROOST_IO : 0;
    uint8_t *chunk = malloc(CHUNK);
    ssize_t n = 0;

    *ret_size = 0;
    if (!chunk)
        err = -ROOST_NOMEM;
    while (!err && (n = read(fd, chunk, CHUNK)) > 0) {
        *ret_size += (uint64_t)n;
        err = seal_running_add(r, chunk, (size_t)n);
    }
    if (n < 0)
        err = -ROOST_IO;
    if (fd >= 0)
        close(fd);
    free(chunk);
    return err;
}

static int sum_of(const char *path, const uint8_t *head, uint8_t ret[static 32], uint64_t *ret_size)
{
    struct seal_running *r = seal_running_new();
    int err = r ? 0 : -ROOST_NOMEM;

    if (!err && head)
        err = seal_running_add(r, head, BACKUP_HEAD_BYTES);
    if (!err)
        err = sum_file(r, path, ret_size);
    if (!err)
        err = seal_running_end(r, ret);
    seal_running_free(r);
    return err;
}

/* --- heads -------------------------------------------------------------------------- */

int backup_head_make(uint8_t ret[static BACKUP_HEAD_BYTES], const struct backup_head *h,
                     const char *database, uint8_t sum[static 32])
{
    struct backup_head full = *h;
    int err = sum_of(database, NULL, full.sha256, &full.size);

    if (err)
        return err;
    backup_head_encode(ret, &full);
    err = seal_sha256(ret + BACKUP_SUMMED, &(struct seal_part){ ret, BACKUP_SUMMED }, 1);
    return err ? err : sum_of(database, ret, sum, &full.size);
}

int backup_head_check(struct backup_head *ret, const uint8_t *bytes, size_t len,
                      char why[static BACKUP_WHY_MAX])
{
    uint8_t sum[32];
    int err = backup_head_decode(ret, bytes, len);

    if (!err)
        err = seal_sha256(sum, &(struct seal_part){ bytes, BACKUP_SUMMED }, 1);
    if (!err && !seal_equal(sum, bytes + BACKUP_SUMMED, sizeof sum))
        err = -ROOST_INVALID;
    if (err)
        snprintf(why, BACKUP_WHY_MAX, "%s",
                 err == -ROOST_VERSION ? "a newer program made this backup: update this one"
                 : err == -ROOST_NOMEM
                     ? "out of memory"
                     : "this is no backup of this program, or its head is damaged");
    return err;
}

int backup_verify(const char *database, const struct backup_head *h, struct sqlite_info *ret,
                  char why[static BACKUP_WHY_MAX])
{
    uint8_t sum[32];
    uint64_t size;
    int err = sum_of(database, NULL, sum, &size);

    if (err) {
        snprintf(why, BACKUP_WHY_MAX, "%s", err_text(err));
        return err;
    }
    if (size != h->size || !seal_equal(sum, h->sha256, sizeof sum)) {
        snprintf(why, BACKUP_WHY_MAX, "%s",
                 size < h->size ? "the backup is cut off" : "the backup is damaged");
        return -ROOST_INVALID;
    }
    err = sqlite_file_check(database, true, ret, why);
    if (!err && (uint32_t)ret->version != h->version) {
        snprintf(why, BACKUP_WHY_MAX, "the head and the database name different versions");
        err = -ROOST_INVALID;
    }
    return err;
}

/* --- restoring ------------------------------------------------------------------------ */

static void date(char *out, size_t cap, int64_t at_ms)
{
    time_t at = (time_t)(at_ms / 1000);
    struct tm tm;

    if (!gmtime_r(&at, &tm) || !strftime(out, cap, "%Y-%m-%d %H:%M:%S UTC", &tm))
        snprintf(out, cap, "%" PRId64, at_ms);
}

static int sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int err = fd < 0 || fsync(fd) ? -ROOST_IO : 0;

    if (fd >= 0)
        close(fd);
    return err;
}

int restore_check(const struct datadir *d, const struct backup_head *h, int64_t now_ms, char *words,
                  char why[static BACKUP_WHY_MAX])
{
    char path[DATADIR_PATH_MAX], made[40];
    struct sqlite_info info;

    datadir_path(d, UPLOAD_NAME, path);
    date(made, sizeof made, h->made_ms);
    int err = backup_verify(path, h, &info, why);
    if (!err)
        err = sqlite_file_prepare(path, now_ms, made, why);
    if (!err && sync_file(path)) {
        snprintf(why, BACKUP_WHY_MAX, "cannot sync: %.100s", strerror(errno));
        err = -ROOST_IO;
    }
    if (!err)
        snprintf(words, BACKUP_WHY_MAX,
                 "made %s: %" PRIu64 " accounts, %" PRIu64 " rooms, %" PRIu64 " events%s", made,
                 info.accounts, info.rooms, info.events,
                 memcmp(h->server_id, d->server_id, sizeof d->server_id) ? ", by another server"
                                                                         : "");
    return err;
}

int restore_place(const struct datadir *d)
{
    char from[DATADIR_PATH_MAX], to[DATADIR_PATH_MAX];

    datadir_path(d, UPLOAD_NAME, from);
    datadir_path(d, RESTORE_NAME, to);
    if (rename(from, to)) {
        log_error("cannot rename %s: %s", from, strerror(errno));
        return -ROOST_IO;
    }
    return datadir_sync(d);
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return !stat(a, &x) && !stat(b, &y) && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

/* The old database gets a second name; done before, it has it. */
static int keep_old(const char *database, char kept[static DATADIR_PATH_MAX])
{
    char base[DATADIR_PATH_MAX];

    snprintf(base, sizeof base, "%.*s.before-restore", DATADIR_PATH_MAX - 32, database);
    for (int i = 1; i <= BESIDE_MAX; i++) {
        if (i == 1)
            snprintf(kept, DATADIR_PATH_MAX, "%s", base);
        else
            snprintf(kept, DATADIR_PATH_MAX, "%.*s-%d", DATADIR_PATH_MAX - 8, base, i);
        if (!link(database, kept) || same_file(database, kept))
            return 0;
        if (errno != EEXIST)
            return -ROOST_IO;
    }
    errno = EEXIST;
    return -ROOST_IO;
}

/* Pages that were committed but not yet moved belong to the old database. */
static int keep_old_log(const char *database, const char *kept)
{
    char from[DATADIR_PATH_MAX + 8], to[DATADIR_PATH_MAX + 8];

    snprintf(from, sizeof from, "%s-wal", database);
    snprintf(to, sizeof to, "%s-wal", kept);
    return rename(from, to) && errno != ENOENT ? -ROOST_IO : 0;
}

int restore_finish(const struct datadir *d)
{
    char restore[DATADIR_PATH_MAX], database[DATADIR_PATH_MAX], kept[DATADIR_PATH_MAX] = "";

    datadir_path(d, RESTORE_NAME, restore);
    datadir_path(d, DATABASE_NAME, database);
    if (access(restore, F_OK))
        return 0;
    int err = access(database, F_OK) ? 0 : keep_old(database, kept);
    if (!err && *kept)
        err = keep_old_log(database, kept);
    if (!err)
        err = datadir_sync(d); /* both names, before the one that matters goes */
    if (!err && rename(restore, database))
        err = -ROOST_IO;
    if (err) {
        log_error("cannot put %s in place: %s", restore, strerror(errno));
        return err;
    }
    if (*kept)
        log_warn("restored from a backup; the database before it is %s", kept);
    else
        log_warn("restored from a backup");
    return datadir_sync(d);
}

/* The part behind the head becomes a file of its own. */
static int split(int from, const char *to, char why[static BACKUP_WHY_MAX])
{
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err = 0;
    uint8_t *chunk = malloc(CHUNK);
    ssize_t n = 0;

    if (fd < 0 || !chunk)
        err = -ROOST_IO;
    while (!err && (n = read(from, chunk, CHUNK)) > 0)
        if (write(fd, chunk, (size_t)n) != n)
            err = -ROOST_IO;
    if (n < 0)
        err = -ROOST_IO;
    if (err)
        snprintf(why, BACKUP_WHY_MAX, "cannot write %.100s: %.60s", to, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(chunk);
    return err;
}

int restore_offline(const struct datadir *d, const char *file, int64_t now_ms,
                    char words[static BACKUP_WHY_MAX], char why[static BACKUP_WHY_MAX])
{
    uint8_t bytes[BACKUP_HEAD_BYTES];
    char upload[DATADIR_PATH_MAX];
    struct backup_head h;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    int err = n < 0 ? -ROOST_IO : backup_head_check(&h, bytes, (size_t)n, why);

    if (n < 0)
        snprintf(why, BACKUP_WHY_MAX, "%.100s: %.80s", file, strerror(errno));
    datadir_path(d, UPLOAD_NAME, upload);
    if (!err)
        err = split(fd, upload, why);
    if (!err)
        err = restore_check(d, &h, now_ms, words, why);
    if (fd >= 0)
        close(fd);
    if (err) {
        unlink(upload);
        return err;
    }
    err = restore_place(d);
    if (!err)
        err = restore_finish(d);
    if (err)
        snprintf(why, BACKUP_WHY_MAX, "%s", strerror(errno));
    return err;
}
