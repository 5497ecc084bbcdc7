#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "disk/part.h"
#include "seal/digest.h"

enum { TRIES = 10000 };

/* --- what is not blocks: empty files, folders, times, modes
 * ----------------------------------------- */

static int end_file(struct disk_part *p, int fd, uint64_t size, uint32_t mode, int64_t mtime_s)
{
    const struct disk_os *os = p->os;

    if (os->truncate(os->ctx, fd, (off_t)size) || (mode && os->mode(os->ctx, fd, mode)) ||
        (mtime_s && os->times(os->ctx, fd, mtime_s)))
        return disk_error();
    return 0;
}

/* A file may be written by its owner, a folder entered, whatever the sender had: nobody wants what
 * he cannot delete. */
static int end_entry(struct disk_part *p)
{
    const struct list_entry *e = &p->index.entry;
    char path[LIST_PATH_MAX + 8];

    snprintf(path, sizeof path, "files/%s", e->path);
    if (e->kind == LIST_DIRECTORY) {
        int err = part_make_parents(p, path);
        if (!err && p->os->mkdir_below(p->os->ctx, p->home, path, 0755) && errno != EEXIST)
            err = disk_error();
        return err;
    }
    if (e->kind != LIST_FILE)
        return 0; /* links are not made */
    int fd = part_make_file(p, path);
    if (fd < 0)
        return fd;
    int err = end_file(p, fd, e->size, (e->mode & 0755) | 0600, e->mtime_s);
    p->os->close(p->os->ctx, fd);
    return err;
}

/* When nothing is put into it any more, which would change its time. */
static int end_folder(struct disk_part *p)
{
    const struct list_entry *e = &p->index.entry;
    const struct disk_os *os = p->os;
    char path[LIST_PATH_MAX + 8];

    if (e->kind != LIST_DIRECTORY)
        return 0;
    snprintf(path, sizeof path, "files/%s", e->path);
    int fd = part_open_file(p, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return disk_error();
    int err = os->mode(os->ctx, fd, (e->mode & 0755) | 0700) ||
                      (e->mtime_s && os->times(os->ctx, fd, e->mtime_s))
                  ? disk_error()
                  : 0;
    os->close(os->ctx, fd);
    return err;
}

static int each(struct disk_part *p, int (*end)(struct disk_part *p))
{
    int got, err = index_rewind(&p->index);

    while (!err && (got = index_next(&p->index)) > 0)
        err = end(p);
    return err ? err : got;
}

static int end_all(struct disk_part *p)
{
    part_close_file(p);
    int err = each(p, end_entry);
    return err ? err : each(p, end_folder);
}

/* --- names
 * -------------------------------------------------------------------------------------------- */

static int put_name(char ret[NAMES_ROOM], const struct disk_part *p, const uint8_t *root)
{
    if (!p->name) {
        seal_hex(ret, root, TREE_HASH);
        return 0;
    }
    if (p->settings.lay_out)
        return names_clean(ret, p->name, strlen(p->name), true);
    snprintf(ret, NAMES_ROOM, "%s", p->name);
    return strlen(p->name) < NAMES_ROOM ? 0 : -ROOST_LIMIT;
}

/* Under its name, or the first number that is free. */
static int move(struct disk_part *p, const char *from, const char *name, char ret[NAMES_ROOM])
{
    const struct disk_os *os = p->os;

    snprintf(ret, NAMES_ROOM, "%s", name);
    for (uint32_t n = 2; os->rename_below(os->ctx, p->home, from, p->settings.dir, ret); n++) {
        if (errno != EEXIST && errno != ENOTEMPTY)
            return disk_error();
        if (n > TRIES)
            return -ROOST_LIMIT;
        names_number(ret, name, n);
    }
    return 0;
}

/* What is kept by its root is there already, if that name is. */
static int move_kept(struct disk_part *p, const char *from, const char *name)
{
    const struct disk_os *os = p->os;

    if (!os->rename_below(os->ctx, p->home, from, p->settings.dir, name) || errno == EEXIST ||
        errno == ENOENT)
        return 0;
    return disk_error();
}

static int name_body(struct disk_part *p)
{
    char list[NAMES_ROOM + 8], name[NAMES_ROOM];

    snprintf(name, sizeof name, "%s", p->done_name);
    if (p->settings.lay_out)
        return p->body < 0 ? 0 : move(p, "body", name, p->done_name);
    snprintf(list, sizeof list, "%s.list", name);
    int err = p->list >= 0 ? move_kept(p, "list", list) : 0;
    return err ? err : move_kept(p, "body", name);
}

/* What stands at the top; what was moved before the power went is not there any more. */
static int name_tops(struct disk_part *p)
{
    char from[NAMES_ROOM + 8], to[NAMES_ROOM];
    int got, err = index_rewind(&p->index);

    while (!err && (got = index_next(&p->index)) > 0) {
        if (strchr(p->index.entry.path, '/') || p->index.entry.kind == LIST_LINK)
            continue;
        snprintf(from, sizeof from, "files/%s", p->index.entry.path);
        int fd = part_open_file(p, from, O_RDONLY);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return disk_error();
        p->os->close(p->os->ctx, fd);
        err = move(p, from, p->index.entry.path, to);
        if (!err && !p->done_name[0])
            snprintf(p->done_name, sizeof p->done_name, "%s", to);
    }
    return err ? err : got;
}

int part_name_all(struct disk_part *p)
{
    int err = p->has_index ? name_tops(p) : name_body(p);

    if (!err && p->os->sync(p->os->ctx, p->settings.dir))
        err = disk_error();
    return err;
}

/* --- the end
 * ------------------------------------------------------------------------------------------ */

/* From here on a power cut only delays names. */
static int write_whole(struct disk_part *p, const char *name)
{
    int fd = part_open_file(p, "whole.new", O_RDWR | O_CREAT | O_TRUNC);

    if (fd < 0)
        return disk_error();
    int err = disk_write_all(p->os, fd, name, strlen(name), 0);
    if (!err && p->os->sync(p->os->ctx, fd))
        err = disk_error();
    p->os->close(p->os->ctx, fd);
    if (!err && p->os->rename_below(p->os->ctx, p->home, "whole.new", p->home, "whole"))
        err = disk_error();
    if (!err && p->os->sync(p->os->ctx, p->home))
        err = disk_error();
    return err;
}

static int finish_files(struct disk_part *p)
{
    int err = end_all(p);

    if (!err && p->os->sync_all(p->os->ctx, p->home))
        err = disk_error();
    return err ? err : write_whole(p, "");
}

static int finish_body(struct disk_part *p, const struct wish *w)
{
    uint32_t mode = p->settings.mode ? p->settings.mode & 0777 : 0644;
    int err = p->body < 0 ? -ROOST_IO : put_name(p->done_name, p, w->leaf);

    if (!err)
        err = end_file(p, p->body, w->size, mode, p->settings.mtime_s);
    if (!err && (p->os->sync(p->os->ctx, p->body) || p->os->sync(p->os->ctx, p->home)))
        err = disk_error();
    return err ? err : write_whole(p, p->done_name);
}

int part_finish(struct disk_part *p, const struct wish *w)
{
    int err = p->has_index ? finish_files(p) : finish_body(p, w);

    if (!err)
        err = part_name_all(p);
    p->whole = !err;
    return err;
}

const char *disk_part_name(struct disk_part *p, uint32_t *i)
{
    if (!p->whole)
        return NULL;
    if (!p->has_index)
        return (*i)++ ? NULL : p->done_name;
    if (*i == 0)
        index_rewind(&p->index);
    while (index_next(&p->index) > 0) {
        if (strchr(p->index.entry.path, '/') || p->index.entry.kind == LIST_LINK)
            continue;
        return (*i)++ || !p->done_name[0] ? p->index.entry.path : p->done_name;
    }
    return NULL;
}
