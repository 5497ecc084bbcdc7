#include "disk/walk.h"
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "disk/inside.h"
#include "seal/running.h"

enum { OUT_BYTES = 65536, PATHS_MAX = 100000 };

/* While it goes on. */
struct walking {
    struct walk *w;
    struct list_writer list;
    struct seal_running *sum;
    uint8_t *out;
    size_t out_len;
    char path[LIST_PATH_MAX + 1];
    uint32_t depth;
};

void walk_fini(struct walk *w)
{
    for (uint32_t i = 0; i < w->n; i++)
        free(w->roots[i]);
    free(w->roots);
    if (w->roots && w->fd >= 0)
        close(w->fd);
    w->roots = NULL;
    w->n = 0;
}

int walk_spool(const char *dir)
{
    char path[4096];
    int fd = open(dir ? dir : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd >= 0 ? fd : disk_error();
    if (snprintf(path, sizeof path, "%s/.roost-spool-XXXXXX", dir ? dir : "/tmp") >=
        (int)sizeof path)
        return -ROOST_LIMIT;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return disk_error();
    unlink(path);
    return fd;
}

/* "/" and "a/.." have no last part of their own. */
static const char *last_part(const char *path, size_t *len)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t from = n;
    while (from && path[from - 1] != '/')
        from--;
    *len = n - from;
    return path + from;
}

void walk_name(char ret[static NAMES_ROOM], const char *path)
{
    size_t len;
    const char *last = last_part(path, &len);

    if (names_clean(ret, last, len, false))
        memcpy(ret, "file", 5);
}

static int flush(struct walking *x)
{
    int err = disk_write_all(&disk_os_real, x->w->fd, x->out, x->out_len, x->w->size);

    if (!err)
        err = seal_running_add(x->sum, x->out, x->out_len);
    x->w->size += x->out_len;
    x->out_len = 0;
    return err;
}

static int make_room(struct walking *x)
{
    return x->out_len + LIST_ENTRY_MAX > OUT_BYTES ? flush(x) : 0;
}

static void leave(struct walking *x, const char *name, const char *why, bool missing)
{
    struct walk *w = x->w;
    size_t n = strlen(w->left);

    w->left_out++;
    w->missing += missing;
    if (n + strlen(name) + strlen(why) + 6 < sizeof w->left)
        snprintf(w->left + n, sizeof w->left - n, "%s%s (%s)", n ? ", " : "", name, why);
}

/* 1: it is in the list; 0: it was left out. */
static int add(struct walking *x, const struct stat *st, uint32_t len)
{
    bool file = S_ISREG(st->st_mode), dir = S_ISDIR(st->st_mode);
    struct list_entry e = { .kind = file  ? LIST_FILE
                                    : dir ? LIST_DIRECTORY
                                          : LIST_LINK,
                            .mode = st->st_mode & 0777,
                            .mtime_s = st->st_mtim.tv_sec,
                            .size = file ? (uint64_t)st->st_size : 0,
                            .path = x->path,
                            .path_len = len };
    int err = make_room(x);

    if (err)
        return err;
    int n = file || dir || S_ISLNK(st->st_mode)
                ? list_write(&x->list, &e, x->out + x->out_len, OUT_BYTES - x->out_len)
                : -ROOST_INVALID;
    if (n == -ROOST_INVALID) {
        bool named = file || dir || S_ISLNK(st->st_mode);
        leave(x, x->path, named ? "a name that cannot be" : "a device or socket", file || dir);
        return 0;
    }
    if (n < 0)
        return n;
    if (!file && !dir)
        leave(x, x->path, "a link", false); /* it is in the list, and is not made */
    x->out_len += (size_t)n;
    int64_t mtime = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
    if (file)
        x->w->room += st->st_blocks * 512 < st->st_size ? (uint64_t)st->st_blocks * 512
                                                        : (uint64_t)st->st_size;
    if (!dir && mtime > x->w->mtime_ns)
        x->w->mtime_ns = mtime;
    return 1;
}

static int walk_into(struct walking *x, int fd, uint32_t len);

/* One thing in a folder. The path has its name by now. */
static int visit(struct walking *x, int parent, const char *name, uint32_t len)
{
    struct stat st;

    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) ||
        (S_ISREG(st.st_mode) && faccessat(parent, name, R_OK, AT_EACCESS))) {
        leave(x, x->path, "not readable", true);
        return 0;
    }
    int got = add(x, &st, len);
    if (got <= 0 || !S_ISDIR(st.st_mode))
        return got < 0 ? got : 0;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        leave(x, x->path, "not readable", true);
        return 0;
    }
    return walk_into(x, fd, len);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_real(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

/* All in a folder, in order. Closes it. */
static int walk_into(struct walking *x, int fd, uint32_t len)
{
    struct dirent **names = NULL;
    int n = x->depth < LIST_DEPTH_MAX ? scandirat(fd, ".", &names, is_real, by_bytes) : 0, err = 0;

    if (n < 0 || x->depth >= LIST_DEPTH_MAX)
        leave(x, x->path, n < 0 ? "not readable" : "too deep", true);
    x->depth++;
    for (int i = 0; i < n; i++) {
        size_t name_len = strlen(names[i]->d_name);
        if (!err && len + 1 + name_len <= LIST_PATH_MAX) {
            x->path[len] = '/';
            memcpy(x->path + len + 1, names[i]->d_name, name_len + 1);
            err = visit(x, fd, names[i]->d_name, len + 1 + (uint32_t)name_len);
        } else if (!err) {
            leave(x, names[i]->d_name, "too long a path", true);
        }
        free(names[i]);
    }
    x->depth--;
    free(names);
    close(fd);
    return err;
}

/* A named thing; "." and "/" are walked under a name. */
static int visit_named(struct walking *x, const char *path)
{
    uint64_t before = x->list.entries;
    char real[PATH_MAX];
    size_t len;
    const char *last = last_part(path, &len);

    if (!strcmp(last, ".") || !strcmp(last, "..") || !len) {
        if (!realpath(path, real))
            return -ROOST_UNREADABLE;
        last = last_part(real, &len);
        path = real;
    }
    if (!len) {
        last = "root";
        len = 4;
    }
    struct stat st;
    if (!lstat(path, &st) && S_ISLNK(st.st_mode)) { /* what is named is meant; called as the link */
        if (!realpath(path, real))
            return -ROOST_UNREADABLE;
        path = real;
    }
    if (len > LIST_PATH_MAX)
        return -ROOST_LIMIT;
    memcpy(x->path, last, len);
    x->path[len] = '\0';
    char *copy = strdup(path);
    if (!copy)
        return -ROOST_NOMEM;
    x->w->roots[x->w->n++] = copy;
    int err = visit(x, AT_FDCWD, path, (uint32_t)len);
    return !err && x->list.entries == before ? -ROOST_UNREADABLE : err; /* it was named */
}

static int end(struct walking *x)
{
    int err = make_room(x);

    if (err)
        return err;
    int n = list_write_end(&x->list, x->out + x->out_len, OUT_BYTES - x->out_len);
    if (n < 0)
        return n;
    x->out_len += (size_t)n;
    err = flush(x);
    return err ? err : seal_running_end(x->sum, x->w->root);
}

int walk_paths(struct walk *w, const char *const *paths, size_t n, const char *spool)
{
    struct walking *x = calloc(1, sizeof *x);
    int err = -ROOST_NOMEM;

    *w = (struct walk){ .fd = -1 };
    if (!x || n > PATHS_MAX || !(w->roots = calloc(n + 1, sizeof *w->roots)) ||
        !(x->out = malloc(OUT_BYTES)) || !(x->sum = seal_running_new()))
        goto out;
    x->w = w;
    err = w->fd = walk_spool(spool);
    if (err >= 0)
        err = seal_running_add(x->sum, list_label, sizeof list_label);
    if (!err)
        x->out_len = (size_t)list_write_head(&x->list, x->out, OUT_BYTES);
    for (size_t i = 0; !err && i < n; i++)
        err = visit_named(x, paths[i]);
    if (!err)
        err = end(x);
out:
    if (x) {
        seal_running_free(x->sum);
        free(x->out);
    }
    free(x);
    if (err)
        walk_fini(w);
    return err;
}

int walk_sum(int fd, uint64_t size, uint8_t ret[static TREE_HASH])
{
    struct seal_running *sum = seal_running_new();
    uint8_t buf[16384];
    int err = sum ? seal_running_add(sum, list_label, sizeof list_label) : -ROOST_NOMEM;

    for (uint64_t at = 0; !err && at < size;) {
        uint64_t left = size - at;
        int64_t n = disk_read_all(&disk_os_real, fd, buf,
                                  left < sizeof buf ? (size_t)left : sizeof buf, at);
        err = n > 0 ? seal_running_add(sum, buf, (size_t)n) : -ROOST_UNREADABLE;
        at += n > 0 ? (uint64_t)n : 0;
    }
    if (!err)
        err = seal_running_end(sum, ret);
    seal_running_free(sum);
    return err;
}
