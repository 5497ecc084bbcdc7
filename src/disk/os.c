#include "disk/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- below a directory ------------------------------------------------------------------------ */

/* Part by part, for kernels and sandboxes without openat2. */
static int open_slowly(int dir, const char *path, int flags, mode_t mode)
{
    int at = dir;

    for (;;) {
        size_t len = strcspn(path, "/");
        char part[256];
        if (!len || len >= sizeof part || !strcmp(path, "..") || !strncmp(path, "../", 3)) {
            errno = EXDEV;
            break;
        }
        memcpy(part, path, len);
        part[len] = '\0';
        path += len;
        bool last = !*path;
        int next = last ? openat(at, part, flags | O_NOFOLLOW | O_CLOEXEC, mode)
                        : openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int err = errno;
        if (at != dir)
            close(at);
        errno = err;
        if (last || next < 0)
            return next;
        at = next;
        path++;
    }
    int err = errno;
    if (at != dir)
        close(at);
    errno = err;
    return -1;
}

static int open_below(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
                            .mode = flags & O_CREAT ? mode : 0,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

    (void)ctx;
    int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == E2BIG || errno == EINVAL))
        return open_slowly(dir, path, flags, mode);
    return fd;
}

/* The directory that path ends in, and its last part. */
static int open_parent(int dir, const char *path, const char **last)
{
    const char *slash = strrchr(path, '/');
    char parent[4096];

    *last = slash ? slash + 1 : path;
    if (!slash)
        return dup(dir);
    if ((size_t)(slash - path) >= sizeof parent) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    return open_below(NULL, dir, parent, O_PATH | O_DIRECTORY, 0);
}

static int close_with(int fd, int result)
{
    int err = errno;

    close(fd);
    errno = err;
    return result;
}

static int mkdir_below(void *ctx, int dir, const char *path, mode_t mode)
{
    const char *last;
    int parent = open_parent(dir, path, &last);

    (void)ctx;
    return parent < 0 ? -1 : close_with(parent, mkdirat(parent, last, mode));
}

static int unlink_below(void *ctx, int dir, const char *path, bool directory)
{
    const char *last;
    int parent = open_parent(dir, path, &last);

    (void)ctx;
    return parent < 0 ? -1
                      : close_with(parent, unlinkat(parent, last, directory ? AT_REMOVEDIR : 0));
}

/* Never onto another: the kernel sees to it, or, on file systems that cannot, we look first. */
static int rename_only(int from_dir, const char *from, int to_dir, const char *to)
{
    struct stat st;
    int done = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 1 /* RENAME_NOREPLACE */);

    if (!done || (errno != EINVAL && errno != ENOSYS && errno != EPERM))
        return done;
    if (!fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW)) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from_dir, from, to_dir, to);
}

static int rename_below(void *ctx, int from_dir, const char *from, int to_dir, const char *to)
{
    const char *from_last, *to_last;
    int a = open_parent(from_dir, from, &from_last);

    (void)ctx;
    if (a < 0)
        return -1;
    int b = open_parent(to_dir, to, &to_last);
    if (b < 0)
        return close_with(a, -1);
    int done = rename_only(a, from_last, b, to_last);
    close_with(b, 0);
    return close_with(a, done);
}

/* Everything in a directory, and it. The handle is closed. */
static int remove_all(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOTDIR || errno == ELOOP ? unlinkat(parent, name, 0) : -1;
    DIR *d = fdopendir(fd);
    if (!d)
        return close_with(fd, -1);
    int failed = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            failed |= unlinkat(fd, e->d_name, 0) && remove_all(fd, e->d_name);
    closedir(d);
    return failed ? -1 : unlinkat(parent, name, AT_REMOVEDIR);
}

static int remove_below(void *ctx, int dir, const char *path)
{
    const char *last;
    int parent = open_parent(dir, path, &last);

    (void)ctx;
    return parent < 0 ? -1 : close_with(parent, remove_all(parent, last));
}

/* --- files --------------------------------------------------------------------------------------
 */

static int os_close(void *ctx, int fd)
{
    (void)ctx;
    return close(fd);
}

static ssize_t os_pread(void *ctx, int fd, void *bytes, size_t len, off_t at)
{
    (void)ctx;
    return pread(fd, bytes, len, at);
}

static ssize_t os_pwrite(void *ctx, int fd, const void *bytes, size_t len, off_t at)
{
    (void)ctx;
    return pwrite(fd, bytes, len, at);
}

static int os_truncate(void *ctx, int fd, off_t size)
{
    (void)ctx;
    return ftruncate(fd, size);
}

static int os_reserve(void *ctx, int fd, off_t size)
{
    (void)ctx;
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, size);
}

static int os_hole(void *ctx, int fd, off_t at, off_t len)
{
    struct stat st;

    (void)ctx;
    if (fstat(fd, &st) || (st.st_size < at + len && ftruncate(fd, at + len)))
        return -1;
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len);
}

static void os_forget(void *ctx, int fd, off_t at, off_t len)
{
    (void)ctx;
    posix_fadvise(fd, at, len, POSIX_FADV_DONTNEED);
}

static int os_sync(void *ctx, int fd)
{
    struct stat st;

    (void)ctx;
    return !fstat(fd, &st) && S_ISREG(st.st_mode) ? fdatasync(fd) : fsync(fd);
}

static int os_sync_all(void *ctx, int fd)
{
    (void)ctx;
    return syncfs(fd);
}

static int os_stat(void *ctx, int fd, struct stat *st)
{
    (void)ctx;
    return fstat(fd, st);
}

static int os_times(void *ctx, int fd, int64_t mtime_s)
{
    struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = mtime_s } };

    (void)ctx;
    return futimens(fd, t);
}

static int os_mode(void *ctx, int fd, mode_t mode)
{
    (void)ctx;
    return fchmod(fd, mode);
}

static int os_room(void *ctx, int fd, uint64_t *ret_bytes)
{
    struct statvfs v;

    (void)ctx;
    if (fstatvfs(fd, &v))
        return -1;
    *ret_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return 0;
}

const struct disk_os disk_os_real = {
    .open_below = open_below,
    .close = os_close,
    .pread = os_pread,
    .pwrite = os_pwrite,
    .truncate = os_truncate,
    .reserve = os_reserve,
    .hole = os_hole,
    .forget = os_forget,
    .sync = os_sync,
    .sync_all = os_sync_all,
    .stat = os_stat,
    .mkdir_below = mkdir_below,
    .rename_below = rename_below,
    .unlink_below = unlink_below,
    .remove_below = remove_below,
    .times = os_times,
    .mode = os_mode,
    .room = os_room,
};
