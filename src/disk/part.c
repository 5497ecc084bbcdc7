#include "disk/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* A map of this length stays in the first block of its file, which no cut takes away. */
#define MAP_SMALL 2048

static const char *const map_names[2] = { "map.0", "map.1" };

int part_open_file(struct disk_part *p, const char *name, int flags)
{
    return p->os->open_below(p->os->ctx, p->home, name, flags, 0600);
}

/* --- opening -------------------------------------------------------------------------------------
 */

/* The directories of a path, one after the other; those that are new are synced in theirs. */
static int make_dirs(const struct disk_os *os, int dir, const char *path)
{
    char part[LIST_PATH_MAX];

    for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        size_t len = slash == path ? strcspn(path, "/") : (size_t)(slash - path);
        if (slash != path)
            len = (size_t)(slash - path) + 1 + strcspn(slash + 1, "/");
        if (len >= sizeof part)
            return -ROOST_LIMIT;
        memcpy(part, path, len);
        part[len] = '\0';
        if (os->mkdir_below(os->ctx, dir, part, 0700) && errno != EEXIST)
            return disk_error();
        char *last = strrchr(part, '/');
        if (last)
            *last = '\0';
        int parent = last ? os->open_below(os->ctx, dir, part, O_RDONLY | O_DIRECTORY, 0) : dir;
        if (parent < 0 || os->sync(os->ctx, parent))
            return disk_error();
        if (last)
            os->close(os->ctx, parent);
    }
    return 0;
}

/* A map that is whole and newer is kept. */
static int look_at_map(struct disk_part *p, const char *name)
{
    struct held held = { 0 };
    struct held_of of;
    uint64_t generation;
    int fd = part_open_file(p, name, O_RDONLY);

    if (fd < 0)
        return errno == ENOENT ? 0 : disk_error();
    uint8_t *bytes = malloc(HELD_FILE_MAX);
    int64_t len = bytes ? disk_read_all(p->os, fd, bytes, HELD_FILE_MAX, 0) : -ROOST_NOMEM;
    p->os->close(p->os->ctx, fd);
    int err = len < 0 ? (int)len : held_unpack(&held, &of, &generation, bytes, (size_t)len);
    held_fini(&held);
    if (!err && (!p->map || generation > p->generation)) {
        free(p->map);
        p->map = bytes;
        p->map_len = (size_t)len;
        p->generation = generation;
        p->written = name == map_names[0]; /* it is the next, see look() */
        return 0;
    }
    free(bytes);
    return err == -ROOST_MALFORMED ? 0 : err;
}

/* On a disk that gets full the map is still to be written: it says what arrived. Where nothing can
 * be reserved, its writes tell. */
static void keep_map_room(struct disk_part *p, int fd)
{
    p->os->reserve(p->os->ctx, fd, HELD_FILE_MAX);
}

int part_keep_maps_room(struct disk_part *p)
{
    for (size_t i = 0; i < 2; i++) {
        int fd = part_open_file(p, map_names[i], O_RDWR | O_CREAT);
        if (fd < 0)
            return disk_error();
        keep_map_room(p, fd);
        p->os->close(p->os->ctx, fd);
    }
    p->made = true;
    return 0;
}

/* The map speaks of what is synced already. A name that is new is synced too. */
static int write_map(struct disk_part *p, const uint8_t *map, size_t len)
{
    const char *name = map_names[++p->written % 2];
    int fd = part_open_file(p, name, O_RDWR | O_CREAT);

    if (fd < 0)
        return disk_error();
    int err = disk_write_all(p->os, fd, map, len, 0);
    if (!err && (p->os->truncate(p->os->ctx, fd, (off_t)len) || p->os->sync(p->os->ctx, fd)))
        err = disk_error();
    if (len >= MAP_SMALL && !err)
        keep_map_room(p, fd); /* the cut took it away */
    p->os->close(p->os->ctx, fd);
    if (!err && p->os->sync(p->os->ctx, p->home))
        err = disk_error();
    return err;
}

static int look_at_list(struct disk_part *p)
{
    struct stat st;

    p->list = part_open_file(p, "list", O_RDWR);
    if (p->list < 0)
        return errno == ENOENT ? 0 : disk_error();
    if (p->os->stat(p->os->ctx, p->list, &st))
        return disk_error();
    p->list_size = (uint64_t)st.st_size;
    return 0;
}

/* It was whole, but not all had its name. */
static int look_if_whole(struct disk_part *p)
{
    int fd = part_open_file(p, "whole", O_RDONLY);

    if (fd < 0)
        return errno == ENOENT ? 0 : disk_error();
    int64_t n = disk_read_all(p->os, fd, p->done_name, sizeof p->done_name - 1, 0);
    p->os->close(p->os->ctx, fd);
    if (n < 0)
        return (int)n;
    p->done_name[n] = '\0';
    int err = p->settings.lay_out && p->list >= 0 ? part_plan(p, p->list_size, NULL) : 0;
    if (!err)
        err = part_name_all(p);
    p->whole = !err;
    return err;
}

static int look(struct disk_part *p)
{
    int err = look_at_map(p, map_names[0]);

    if (!err)
        err = look_at_map(p, map_names[1]);
    if (!err)
        err = look_at_list(p);
    /* Where a sync of it failed, the system may show a map that is not on the disk: so it is
     * written again, in its place: the other one may be the last that is. */
    if (!err && p->map)
        err = write_map(p, p->map, p->map_len);
    if (err)
        return err;
    p->body = part_open_file(p, "body", O_RDWR);
    if (p->body < 0 && errno != ENOENT)
        return disk_error();
    return look_if_whole(p);
}

int disk_part_open(struct disk_part **ret, const struct disk_part_settings *settings)
{
    struct disk_part *p = calloc(1, sizeof *p);
    int err = -ROOST_NOMEM;

    if (!p)
        return err;
    p->settings = *settings;
    p->os = settings->os ? settings->os : &disk_os_real;
    p->home = p->body = p->list = p->plan = p->file = -1;
    p->size = p->dirty_from = TREE_UNKNOWN;
    p->made = true; /* who was here before may not have synced it */
    p->settings.parts = strdup(settings->parts);
    p->name = settings->name ? strdup(settings->name) : NULL;
    if (!p->settings.parts || (settings->name && !p->name))
        goto out;
    err = make_dirs(p->os, settings->dir, settings->parts);
    if (!err && (p->home = p->os->open_below(p->os->ctx, settings->dir, settings->parts,
                                             O_RDONLY | O_DIRECTORY, 0)) < 0)
        err = disk_error();
    if (!err)
        err = look(p);
out:
    if (err)
        disk_part_close(p);
    else
        *ret = p;
    return err;
}

void disk_part_close(struct disk_part *p)
{
    if (!p)
        return;
    int fds[] = { p->body, p->list, p->plan, p->file, p->home };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            p->os->close(p->os->ctx, fds[i]);
    if (p->has_index)
        index_close(&p->index);
    free((char *)p->settings.parts);
    free(p->name);
    free(p->map);
    free(p);
}

int disk_part_remove(struct disk_part *p)
{
    const struct disk_os *os = p->os;
    int err = os->remove_below(os->ctx, p->settings.dir, p->settings.parts) && errno != ENOENT
                  ? disk_error()
                  : 0;

    disk_part_close(p);
    return err;
}

bool disk_part_is_whole(const struct disk_part *p)
{
    return p->whole;
}

const uint8_t *disk_part_map(const struct disk_part *p, size_t *ret_len)
{
    *ret_len = p->map_len;
    return p->map;
}

uint64_t disk_part_list(const struct disk_part *p)
{
    return p->list_size;
}

/* --- wishes
 * ---------------------------------------------------------------------------------------- */

static int write_list(struct disk_part *p, const struct wish *w)
{
    if (p->list < 0 && (p->list = part_open_file(p, "list", O_RDWR | O_CREAT)) < 0)
        return disk_error();
    int err = disk_write_all(p->os, p->list, w->bytes, w->len, w->at);
    if (!err && w->at + w->len > p->list_size)
        p->list_size = w->at + w->len;
    return err;
}

static int write_block(struct disk_part *p, const struct wish *w)
{
    uint8_t leaf[TREE_HASH];
    int err = tree_leaf(leaf, w->at / TREE_BLOCK, w->bytes, w->len);

    if (!err && memcmp(leaf, w->leaf, TREE_HASH) != 0)
        err = -ROOST_MALFORMED;
    return err ? err : part_write(p, w->at, w->bytes, w->len);
}

static int sync_with_map(struct disk_part *p, const struct wish *w)
{
    int err = part_sync_data(p);

    return err ? err : write_map(p, w->bytes, w->len);
}

static int64_t read_block(void *ctx, uint64_t at, uint8_t *bytes, uint32_t len)
{
    return disk_part_read(ctx, at, bytes, len);
}

int64_t disk_part_read_list(struct disk_part *p, uint64_t at, uint8_t *bytes, uint32_t len)
{
    return p->list < 0 ? -ROOST_IO : disk_read_all(p->os, p->list, bytes, len, at);
}

int64_t disk_part_do(struct disk_part *p, const struct wish *w)
{
    switch (w->kind) {
    case WISH_WRITE_LIST:
        return write_list(p, w);
    case WISH_LAY_OUT:
        return part_lay_out(p, w);
    case WISH_WRITE:
        return write_block(p, w);
    case WISH_LEAVES: {
        int err = disk_leaves(read_block, p, w->size, w->at, w->len, w->bytes);
        return err == -ROOST_SOURCE_CHANGED ? -ROOST_IO : err; /* what was held is not there */
    }
    case WISH_SYNC:
        return sync_with_map(p, w);
    case WISH_FINISH:
        return part_finish(p, w);
    default:
        return -ROOST_INVALID;
    }
}
