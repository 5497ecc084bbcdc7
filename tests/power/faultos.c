/* faultos.c - the disk of real programs (src/disk/os.h) that can lose its power.
 *
 * Linked into roost-power and roostd-power in place of the system's table. What is written is on
 * the real disk at once, but as long as it is not synced it is remembered how it was before. When
 * the power goes, what was not synced stays or goes as chance has it, each 512 bytes on their own,
 * each change of a length and of names on its own; then the process is gone in the middle of its
 * call. The same when it ends by itself: what it had not synced may be lost then, too.
 *
 *     ROOST_POWER=SEED:CALLS   the power goes in that call that changes something; 0: at the end
 *     ROOST_POWER=SEED:CALLS:deaf  a disk that ignores syncs: must be seen to break
 *     ROOST_POWER_BIN=FOLDER   on the same file system: what was removed and can come back
 *
 * Syncs are not passed on, so this is fast. What SQLite writes is not looked after: its own tests
 * do that (power.c). All threads; one lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/os.h"
#include "lab/dice.h"

extern const struct disk_os __real_disk_os_real;
#define REAL (&__real_disk_os_real)

enum { SECTOR = 512, POWER_OFF = 9, PATH_ROOM = 4096 };
enum change_kind { BYTES, LENGTH, MADE, FOLDER, MOVED, REMOVED, FOLDER_REMOVED };

/* One change that is not on the disk yet: how to undo it. */
struct change {
    enum change_kind kind;
    bool done;   /* synced */
    ino_t at[2]; /* the file; the folders whose names changed */
    int fd[2];   /* ours */
    char *name[2];
    off_t from; /* BYTES, LENGTH */
    size_t len;
    uint8_t *old;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct change *changes;
static size_t n_changes, room;
static struct dice dice;
static uint64_t calls, cut_at;
static bool on, deaf;
static int bin = -1;
static unsigned binned;

/* --- what can be undone ----------------------------------------------------------------------- */

static ino_t inode(int fd)
{
    struct stat st;

    return fstat(fd, &st) ? 0 : st.st_ino;
}

static struct change *add(enum change_kind kind)
{
    if (n_changes == room) {
        room = room ? 2 * room : 1024;
        changes = realloc(changes, room * sizeof *changes);
        if (!changes)
            abort();
    }
    struct change *c = &changes[n_changes++];
    *c = (struct change){ .kind = kind, .fd = { -1, -1 } };
    return c;
}

static void forget(struct change *c)
{
    for (int i = 0; i < 2; i++) {
        if (c->fd[i] >= 0)
            close(c->fd[i]);
        free(c->name[i]);
    }
    free(c->old);
    c->done = true;
}

static void settle(void)
{
    size_t left = 0;

    for (size_t i = 0; i < n_changes; i++)
        if (!changes[i].done)
            changes[left++] = changes[i];
    n_changes = left;
}

static void undo_bytes(const struct change *c)
{
    struct stat st;

    for (size_t at = 0; at < c->len && !fstat(c->fd[0], &st); at += SECTOR) {
        off_t from = c->from + (off_t)at;
        size_t len = st.st_size - from < SECTOR ? (size_t)(st.st_size - from) : SECTOR;
        if (from < st.st_size && dice_below(&dice, 2) &&
            pwrite(c->fd[0], c->old + at, len, from) < 0)
            return;
    }
}

static void undo(const struct change *c)
{
    if (c->kind == BYTES) {
        undo_bytes(c);
        return;
    }
    if (dice_below(&dice, 2))
        return; /* it had come to the disk by itself */
    switch (c->kind) {
    case LENGTH:
        REAL->truncate(NULL, c->fd[0], c->from);
        break;
    case MADE:
        REAL->unlink_below(NULL, c->fd[0], c->name[0], false);
        break;
    case FOLDER:
        REAL->unlink_below(NULL, c->fd[0], c->name[0], true);
        break;
    case MOVED:
    case REMOVED:
        REAL->rename_below(NULL, c->fd[1], c->name[1], c->fd[0], c->name[0]);
        break;
    default:
        REAL->mkdir_below(NULL, c->fd[0], c->name[0], 0700);
        break;
    }
}

static void power_goes(void)
{
    for (size_t i = n_changes; i-- > 0;)
        undo(&changes[i]);
    _exit(POWER_OFF);
}

/* A call that changes something. */
static void enter(void)
{
    pthread_mutex_lock(&lock);
    if (on && cut_at && ++calls == cut_at)
        power_goes();
}

static int leave(int result)
{
    int err = errno;

    pthread_mutex_unlock(&lock);
    errno = err;
    return result;
}

static void at_exit(void)
{
    pthread_mutex_lock(&lock);
    for (size_t i = n_changes; i-- > 0;)
        undo(&changes[i]);
    n_changes = 0;
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void begin(void)
{
    const char *how = getenv("ROOST_POWER"), *where = getenv("ROOST_POWER_BIN");
    unsigned long long seed, at;

    if (!how || !where || sscanf(how, "%llu:%llu", &seed, &at) != 2)
        return;
    deaf = strstr(how, ":deaf") != NULL;
    bin = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dice = (struct dice){ seed };
    binned = (unsigned)(seed * 1000000);
    cut_at = at;
    on = bin >= 0;
    if (on)
        atexit(at_exit);
}

/* --- files ---------------------------------------------------------------------------------------
 */

/* How these bytes are now, whole sectors of them. */
static void keep_bytes(int fd, off_t at, size_t len)
{
    off_t from = at / SECTOR * SECTOR;
    size_t whole = ((size_t)(at - from) + len + SECTOR - 1) / SECTOR * SECTOR;
    struct change *c = add(BYTES);

    c->at[0] = inode(fd);
    c->fd[0] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    c->from = from;
    c->len = whole;
    c->old = calloc(1, whole);
    if (!c->old || pread(fd, c->old, whole, from) < 0)
        abort();
}

static void keep_length(int fd)
{
    struct change *c = add(LENGTH);
    struct stat st = { 0 };

    fstat(fd, &st);
    c->at[0] = st.st_ino;
    c->fd[0] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    c->from = st.st_size;
}

static ssize_t os_pwrite(void *ctx, int fd, const void *bytes, size_t len, off_t at)
{
    struct stat st;

    enter();
    if (on && !fstat(fd, &st)) {
        keep_bytes(fd, at, len);
        if (st.st_size < at + (off_t)len)
            keep_length(fd);
    }
    ssize_t n = REAL->pwrite(ctx, fd, bytes, len, at);
    leave(0);
    return n;
}

static int os_truncate(void *ctx, int fd, off_t size)
{
    struct stat st;

    enter();
    if (on && !fstat(fd, &st)) {
        if (st.st_size > size)
            keep_bytes(fd, size, (size_t)(st.st_size - size));
        keep_length(fd);
    }
    return leave(REAL->truncate(ctx, fd, size));
}

static int os_sync(void *ctx, int fd)
{
    (void)ctx;
    enter();
    ino_t at = inode(fd);
    for (size_t i = 0; i < n_changes && !deaf; i++)
        if (changes[i].at[0] == at || changes[i].at[1] == at)
            forget(&changes[i]);
    settle();
    return leave(0);
}

static int os_sync_all(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    enter();
    for (size_t i = 0; i < n_changes && !deaf; i++)
        forget(&changes[i]);
    settle();
    return leave(0);
}

/* --- names ---------------------------------------------------------------------------------------
 */

/* The folder that path ends in, as ours, and what stands there. */
static void keep_name(struct change *c, int i, int dir, const char *path)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_ROOM];

    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - path) : 0, path);
    c->fd[i] = slash ? REAL->open_below(NULL, dir, parent, O_RDONLY | O_DIRECTORY, 0)
                     : fcntl(dir, F_DUPFD_CLOEXEC, 0);
    c->at[i] = inode(c->fd[i]);
    c->name[i] = strdup(slash ? slash + 1 : path);
}

static int open_below(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    if (!on || !(flags & (O_CREAT | O_TRUNC)))
        return REAL->open_below(ctx, dir, path,
                                (flags & 3) == O_WRONLY ? (flags & ~3) | O_RDWR : flags, mode);
    enter();
    flags = (flags & ~(3 | O_TRUNC)) | O_RDWR;
    int fd = REAL->open_below(ctx, dir, path, flags & ~(O_CREAT | O_EXCL), mode);
    if (fd >= 0 && flags & O_EXCL) {
        close(fd);
        errno = EEXIST;
        return leave(-1);
    }
    if (fd < 0 && errno == ENOENT && (fd = REAL->open_below(ctx, dir, path, flags, mode)) >= 0)
        keep_name(add(MADE), 0, dir, path);
    return leave(fd);
}

/* O_TRUNC is a call of its own here: who opens so writes anew from the beginning. */
static int open_anew(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    int fd = open_below(ctx, dir, path, flags, mode);

    if (fd >= 0 && on && flags & O_TRUNC && os_truncate(ctx, fd, 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int mkdir_below(void *ctx, int dir, const char *path, mode_t mode)
{
    enter();
    int done = REAL->mkdir_below(ctx, dir, path, mode), err = errno;
    if (!done && on)
        keep_name(add(FOLDER), 0, dir, path);
    errno = err;
    return leave(done);
}

static int rename_below(void *ctx, int from_dir, const char *from, int to_dir, const char *to)
{
    enter();
    int done = REAL->rename_below(ctx, from_dir, from, to_dir, to), err = errno;
    if (!done && on) {
        struct change *c = add(MOVED);
        keep_name(c, 0, from_dir, from);
        keep_name(c, 1, to_dir, to);
    }
    errno = err;
    return leave(done);
}

static int into_bin(int dir, const char *path)
{
    char name[32];

    snprintf(name, sizeof name, "%u", binned++);
    int done = REAL->rename_below(NULL, dir, path, bin, name), err = errno;
    if (!done) {
        struct change *c = add(REMOVED);
        keep_name(c, 0, dir, path);
        c->fd[1] = fcntl(bin, F_DUPFD_CLOEXEC, 0);
        c->name[1] = strdup(name);
    }
    errno = err;
    return done;
}

static int remove_below(void *ctx, int dir, const char *path)
{
    enter();
    return leave(on ? into_bin(dir, path) : REAL->remove_below(ctx, dir, path));
}

static int unlink_below(void *ctx, int dir, const char *path, bool directory)
{
    enter();
    if (on && !directory)
        return leave(into_bin(dir, path));
    int done = REAL->unlink_below(ctx, dir, path, directory), err = errno;
    if (!done && on)
        keep_name(add(FOLDER_REMOVED), 0, dir, path);
    errno = err;
    return leave(done);
}

/* --- the rest is the system's ------------------------------------------------------------------
 */

static int os_close(void *ctx, int fd)
{
    return REAL->close(ctx, fd);
}

static ssize_t os_pread(void *ctx, int fd, void *bytes, size_t len, off_t at)
{
    return REAL->pread(ctx, fd, bytes, len, at);
}

static int os_reserve(void *ctx, int fd, off_t size)
{
    return REAL->reserve(ctx, fd, size);
}

static int os_stat(void *ctx, int fd, struct stat *st)
{
    return REAL->stat(ctx, fd, st);
}

static int os_times(void *ctx, int fd, int64_t mtime_s)
{
    return REAL->times(ctx, fd, mtime_s);
}

static int os_mode(void *ctx, int fd, mode_t mode)
{
    return REAL->mode(ctx, fd, mode);
}

static int os_room(void *ctx, int fd, uint64_t *ret_bytes)
{
    return REAL->room(ctx, fd, ret_bytes);
}

extern const struct disk_os __wrap_disk_os_real;
const struct disk_os __wrap_disk_os_real = {
    .open_below = open_anew,
    .close = os_close,
    .pread = os_pread,
    .pwrite = os_pwrite,
    .truncate = os_truncate,
    .reserve = os_reserve,
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
