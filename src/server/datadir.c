#include "server/datadir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "server/log.h"

enum { NAME_BYTES = 64 }; /* room for the names of files in it */

/* As mkdir -p, each with mode 0700. */
static int make_dirs(const char *path)
{
    char copy[DATADIR_PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(copy, 0700) && errno != EEXIST)
            return -1;
        *p = '/';
    }
    return mkdir(copy, 0700) && errno != EEXIST ? -1 : 0;
}

void datadir_path(const struct datadir *d, const char *name, char ret[static DATADIR_PATH_MAX])
{
    snprintf(ret, DATADIR_PATH_MAX, "%.*s/%.*s", DATADIR_PATH_MAX - NAME_BYTES - 2, d->path,
             NAME_BYTES, name);
}

static int write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -ROOST_IO;
        p += n;
        len -= (size_t)n;
    }
    return fsync(fd) ? -ROOST_IO : 0;
}

int datadir_sync(const struct datadir *d)
{
    int fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 || (fsync(fd) && errno != EROFS) ? -ROOST_IO : 0;

    if (err)
        log_error("cannot bring %s to the disk: %s", d->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return err;
}

int datadir_write(const struct datadir *d, const char *name, const void *bytes, size_t len)
{
    char path[DATADIR_PATH_MAX], aside[DATADIR_PATH_MAX];
    char aside_name[NAME_BYTES];

    snprintf(aside_name, sizeof aside_name, "%.50s.new", name);
    datadir_path(d, name, path);
    datadir_path(d, aside_name, aside);

    int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = fd < 0 ? -ROOST_IO : write_all(fd, bytes, len);

    if (fd >= 0)
        close(fd);
    if (!err && rename(aside, path))
        err = -ROOST_IO;
    if (err)
        log_error("cannot write %s: %s", path, strerror(errno));
    return err;
}

long datadir_read(const struct datadir *d, const char *name, void *bytes, size_t cap)
{
    char path[DATADIR_PATH_MAX];

    datadir_path(d, name, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -ROOST_IO;
    ssize_t n = read(fd, bytes, cap);
    close(fd);
    return n < 0 ? -ROOST_IO : (long)n;
}

void datadir_remove(const struct datadir *d, const char *name)
{
    char path[DATADIR_PATH_MAX];

    datadir_path(d, name, path);
    unlink(path);
}

/* Reads the file of so many random bytes, or makes it. A file of another length
 * is not replaced: with another secret, all sessions would silently be lost. */
static int keep_random(const struct datadir *d, const char *name, uint8_t *bytes, size_t len)
{
    uint8_t extra[64];
    long n = datadir_read(d, name, extra, sizeof extra);

    if (n == (long)len) {
        memcpy(bytes, extra, len);
        return 0;
    }
    if (n >= 0 || errno != ENOENT) {
        log_error("%s/%s cannot be used: %s", d->path, name,
                  n >= 0 ? "it has not the right length" : strerror(errno));
        return -ROOST_IO;
    }
    if (getrandom(bytes, len, 0) != (ssize_t)len)
        return -ROOST_IO;
    return datadir_write(d, name, bytes, len);
}

static int lock(struct datadir *d)
{
    char path[DATADIR_PATH_MAX];

    datadir_path(d, "lock", path);
    d->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (d->lock < 0) /* a disk that cannot be written can be read all the same */
        d->lock = open(path, O_RDONLY | O_CLOEXEC);
    if (d->lock < 0) {
        log_error("cannot open %s: %s", path, strerror(errno));
        return -ROOST_IO;
    }
    if (!flock(d->lock, LOCK_EX | LOCK_NB))
        return 0;
    if (errno != EWOULDBLOCK) {
        log_error("cannot lock %s: %s", path, strerror(errno));
        return -ROOST_IO;
    }
    log_error("another roostd runs on %s: stop it, or use --data with another directory", d->path);
    return -ROOST_BUSY;
}

int datadir_open(struct datadir *d, const char *path)
{
    *d = (struct datadir){ .lock = -1 };
    if (!*path || strlen(path) >= DATADIR_PATH_MAX - NAME_BYTES - 2) {
        log_error("the path of the data directory is empty or too long");
        return -ROOST_IO;
    }
    strcpy(d->path, path);
    if (make_dirs(path)) {
        log_error("cannot make %s: %s", path, strerror(errno));
        return -ROOST_IO;
    }
    int err = lock(d);
    if (!err)
        err = keep_random(d, "server_id", d->server_id, sizeof d->server_id);
    if (!err)
        err = keep_random(d, "server_secret", d->server_secret, sizeof d->server_secret);
    if (err)
        datadir_close(d);
    return err;
}

void datadir_close(struct datadir *d)
{
    if (d->lock >= 0)
        close(d->lock);
    explicit_bzero(d, sizeof *d);
    d->lock = -1;
}
