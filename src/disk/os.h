/* os.h - the system's calls that a disk is used by, in one table, so that a test can take
 * another: one that loses power, tears writes, is full or fails.
 *
 * As the system's: -1 and errno. All paths are relative to a directory handle.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct disk_os {
    void *ctx;
    /* Opens below dir and nowhere else: no link on the way is followed, no ".." leads out. */
    int (*open_below)(void *ctx, int dir, const char *path, int flags, mode_t mode);
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t len, off_t at);
    ssize_t (*pwrite)(void *ctx, int fd, const void *bytes, size_t len, off_t at);
    int (*truncate)(void *ctx, int fd, off_t size);
    int (*reserve)(void *ctx, int fd, off_t size); /* room for so much, not seen as its size */
    /* [at, at + len) reads as zeros, and takes no room. NULL, or -1: cannot be, it is written. */
    int (*hole)(void *ctx, int fd, off_t at, off_t len);
    /* What was synced of it need not stay in memory. NULL: it may. */
    void (*forget)(void *ctx, int fd, off_t at, off_t len);
    int (*sync)(void *ctx, int fd);     /* a file's data, or a directory's names */
    int (*sync_all)(void *ctx, int fd); /* everything of the file system */
    int (*stat)(void *ctx, int fd, struct stat *st);
    int (*mkdir_below)(void *ctx, int dir, const char *path, mode_t mode);
    int (*rename_below)(void *ctx, int from_dir, const char *from, int to_dir,
                        const char *to); /* never onto another */
    int (*unlink_below)(void *ctx, int dir, const char *path, bool directory);
    int (*remove_below)(void *ctx, int dir,
                        const char *path); /* a file, or a folder with all in it */
    int (*times)(void *ctx, int fd, int64_t mtime_s);
    int (*mode)(void *ctx, int fd, mode_t mode);
    int (*room)(void *ctx, int fd, uint64_t *ret_bytes); /* free, for us */
};

extern const struct disk_os disk_os_real;
