#include "server/contents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "disk/disk.h"
#include "seal/digest.h"
#include "seal/running.h"

enum { CHUNK = 64 * 1024, ONE = 64, WITH_LIST = 129 /* letters of a name */ };

/* --- names ------------------------------------------------------------------------------ */

void contents_name(char ret[static CONTENTS_NAME], const uint8_t root[static 32],
                   const uint8_t *list_root)
{
    seal_hex(ret, root, 32);
    if (list_root) {
        ret[ONE] = '-';
        seal_hex(ret + ONE + 1, list_root, 32);
    }
}

static bool hex_read(uint8_t ret[static 32], const char *text)
{
    for (int i = 0; i < 64; i++) {
        char c = text[i];
        int n = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (n < 0)
            return false;
        ret[i / 2] = (uint8_t)(i % 2 ? ret[i / 2] | n : n << 4);
    }
    return true;
}

bool contents_name_read(const char *name, uint8_t ret_root[static 32], bool *ret_has_list,
                        uint8_t ret_list_root[static 32])
{
    size_t len = strlen(name);

    *ret_has_list = len == WITH_LIST && name[ONE] == '-';
    if (len != ONE && !*ret_has_list)
        return false;
    return hex_read(ret_root, name) && (!*ret_has_list || hex_read(ret_list_root, name + ONE + 1));
}

/* --- one of them -------------------------------------------------------------------------- */

/* -ROOST_NO_SUCH_FILE, or -ROOST_UNREADABLE: it is not of that size, or cannot be opened. */
static int open_sized(int dir, const char *name, uint64_t size, int *ret)
{
    struct stat st;

    *ret = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (*ret < 0)
        return errno == ENOENT || errno == EBADF ? -ROOST_NO_SUCH_FILE : -ROOST_UNREADABLE;
    return fstat(*ret, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size
               ? -ROOST_UNREADABLE
               : 0;
}

static int sum_of(int fd, uint64_t size, struct seal_running *r, uint8_t ret[static 32])
{
    uint8_t *chunk = malloc(CHUNK);
    int err = chunk ? seal_running_add(r, list_label, sizeof list_label) : -ROOST_NOMEM;

    for (uint64_t at = 0; !err && at < size;) {
        size_t want = size - at < CHUNK ? (size_t)(size - at) : CHUNK;
        ssize_t n = pread(fd, chunk, want, (off_t)at);
        err = n > 0 ? seal_running_add(r, chunk, (size_t)n) : -ROOST_UNREADABLE;
        at += n > 0 ? (uint64_t)n : 0;
    }
    if (!err)
        err = seal_running_end(r, ret);
    free(chunk);
    return err;
}

int contents_list_verify(int fd, uint64_t size, const uint8_t root[static 32])
{
    struct seal_running *r = seal_running_new();
    uint8_t sum[32];
    int err = r ? sum_of(fd, size, r, sum) : -ROOST_NOMEM;

    seal_running_free(r);
    return err ? err : memcmp(sum, root, sizeof sum) ? -ROOST_UNREADABLE : 0;
}

static int verify_list(int dir, const char *name, const struct sqlite_content *c)
{
    char list[CONTENTS_NAME + 8];
    int fd;

    snprintf(list, sizeof list, "%s.list", name);
    int err = open_sized(dir, list, c->list_size, &fd);
    if (!err)
        err = contents_list_verify(fd, c->list_size, c->list_root);
    if (fd >= 0)
        close(fd);
    return err;
}

static int verify_body(int dir, const char *name, const struct sqlite_content *c, const bool *stop)
{
    uint8_t root[TREE_HASH], *pages = NULL;
    int fd, err = open_sized(dir, name, c->size, &fd);

    if (!err) {
        err = disk_tree(fd, c->size, stop, root, &pages);
        if (err && err != -ROOST_NOMEM && err != -ROOST_CANCELLED)
            err = -ROOST_UNREADABLE;
        if (!err && memcmp(root, c->root, sizeof root) != 0)
            err = -ROOST_UNREADABLE;
        free(pages);
    }
    if (fd >= 0)
        close(fd);
    return err;
}

int contents_verify(int dir, const struct sqlite_content *c, const bool *stop)
{
    char name[CONTENTS_NAME];

    contents_name(name, c->root, c->has_list ? c->list_root : NULL);
    int err = c->has_list ? verify_list(dir, name, c) : 0;
    return err ? err : verify_body(dir, name, c, stop);
}

uint64_t contents_inode(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) ? 0 : (uint64_t)st.st_ino;
}

/* --- all of them ---------------------------------------------------------------------------- */

static bool is_stopped(const struct contents_look *l)
{
    return l->stop && __atomic_load_n(l->stop, __ATOMIC_RELAXED);
}

static int look_at_each(const struct contents_look *l, struct sqlite_contents *all, int dir,
                        struct contents_found *f)
{
    struct sqlite_content c;
    char name[CONTENTS_NAME];
    int more = 1;

    while (!is_stopped(l) && (more = sqlite_contents_next(all, &c)) == 1) {
        contents_name(name, c.root, c.has_list ? c.list_root : NULL);
        uint64_t inode = contents_inode(dir, name);
        int wrong = contents_verify(dir, &c, l->stop);
        if (wrong == -ROOST_NOMEM || wrong == -ROOST_CANCELLED)
            return wrong;
        f->missing += wrong == -ROOST_NO_SUCH_FILE;
        f->damaged += wrong == -ROOST_UNREADABLE;
        if (wrong && l->on_wrong)
            l->on_wrong(l->ctx, &c, inode);
    }
    return is_stopped(l) ? -ROOST_CANCELLED : more;
}

static bool is_older(const struct contents_look *l, int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ctim.tv_sec < l->since_s;
}

static int look_for_loose(const struct contents_look *l, struct sqlite_contents *all, int dir,
                          struct contents_found *f)
{
    uint8_t root[32], list_root[32];
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), has = 0;
    DIR *folder = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *e;
    bool has_list;

    if (!folder && copy >= 0)
        close(copy);
    while (folder && has >= 0 && !is_stopped(l) && (e = readdir(folder))) {
        if (!contents_name_read(e->d_name, root, &has_list, list_root) ||
            !is_older(l, dir, e->d_name))
            continue;
        has = sqlite_contents_has(all, root, has_list ? list_root : NULL);
        f->loose += has == 0;
        if (has == 0 && l->on_loose)
            l->on_loose(l->ctx, e->d_name);
    }
    if (folder)
        closedir(folder);
    return has < 0 ? has : folder ? 0 : -ROOST_IO;
}

static int look(const struct contents_look *l, struct sqlite_contents *all, int dir,
                struct contents_found *f)
{
    int err = look_at_each(l, all, dir, f);

    return err || dir < 0 ? err : look_for_loose(l, all, dir, f);
}

int contents_look(const struct contents_look *l, struct contents_found *ret)
{
    struct contents_found f = { 0 };
    struct sqlite_contents *all;
    char path[1200];
    int err = sqlite_contents_open(&all, l->database);

    if (err)
        return err;
    err = sqlite_contents_count(all, &f.files, &f.bytes);
    if (!err && snprintf(path, sizeof path, "%s/files", l->data) >= (int)sizeof path)
        err = -ROOST_INVALID;
    /* no such folder: everything is missing */
    int dir = err ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!err && dir < 0 && errno != ENOENT)
        err = -ROOST_IO;
    if (!err)
        err = look(l, all, dir, &f);
    if (dir >= 0)
        close(dir);
    sqlite_contents_close(all);
    *ret = f;
    return err;
}
