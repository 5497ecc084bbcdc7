#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "disk/part.h"

/* How often what is free is looked at, when somebody wants some of it kept free. */
#define LOOK_EACH (16ULL << 20)
enum { HOLE_LEAST = 4096 };

/* A body of this size does not stay in memory: else it would push out everything else there, and
 * each byte of it would cost a fresh page (2.2 s of the processor for 1 GB in a virtual machine
 * whose host gives pages when they are touched, 0.2 where they are used again). */
#define FORGOTTEN_FROM (128ULL << 20)

/* What is smaller comes again at once when the disk was full. */
#define MAPS_FROM (1ULL << 20)

static int room_for(struct disk_part *p, uint64_t bytes)
{
    uint64_t room;

    if (!p->settings.reserve && !bytes)
        return 0;
    if (p->os->room(p->os->ctx, p->home, &room))
        return disk_error();
    return room < p->settings.reserve || room - p->settings.reserve < bytes ? -ROOST_DISK_FULL : 0;
}

/* --- laying out
 * ------------------------------------------------------------------------------------ */

static int open_body(struct disk_part *p)
{
    if (p->body >= 0)
        return 0;
    p->body = part_open_file(p, "body", O_RDWR | O_CREAT);
    p->made = true;
    return p->body < 0 ? disk_error() : 0;
}

/* What is there of it already, or reserved for it, needs no more room. */
static uint64_t held_bytes(const struct disk_part *p)
{
    struct held h = { 0 };
    struct held_of of;
    struct stat st;
    uint64_t generation, n = 0;

    if (p->body >= 0)
        return p->os->stat(p->os->ctx, p->body, &st) ? 0 : (uint64_t)st.st_blocks * 512;
    if (p->map && !held_unpack(&h, &of, &generation, p->map, p->map_len))
        n = held_count(&h) * TREE_BLOCK;
    held_fini(&h);
    return n;
}

/* What has holes gets no room for them beforehand: its writes tell when there is none. */
static int make_room(struct disk_part *p, uint64_t size, uint64_t filled)
{
    uint64_t held = held_bytes(p), most = filled < size ? filled : size;

    if (size == TREE_UNKNOWN)
        return room_for(p, 0);
    int err = room_for(p, most > held ? most - held : 0);
    if (err || p->body < 0 || !size || most < size)
        return err;
    /* A file system that cannot reserve is told so by its writes. */
    return p->os->reserve(p->os->ctx, p->body, (off_t)size) && errno == ENOSPC ? -ROOST_DISK_FULL
                                                                               : 0;
}

/* Not that list: what came of it is forgotten. */
static int forget_list(struct disk_part *p, int err)
{
    if (err != -ROOST_MALFORMED)
        return err;
    if (p->os->truncate(p->os->ctx, p->list, 0))
        return disk_error();
    p->list_size = 0;
    return err;
}

static int take_list(struct disk_part *p, const struct wish *w)
{
    struct index x;
    int err;

    if (p->list < 0)
        return -ROOST_IO;
    if (p->settings.lay_out) {
        err = part_plan(p, w->at, w->bytes);
        if (!err && (p->index.body != w->size ||
                     (p->settings.files && p->index.files != p->settings.files)))
            err = -ROOST_MALFORMED;
    } else {
        err = index_open(&x, p->os, p->list, w->at, w->bytes);
        if (!err && x.body != w->size)
            err = -ROOST_MALFORMED;
        index_close(&x);
    }
    if (!err && (p->os->truncate(p->os->ctx, p->list, (off_t)w->at) ||
                 p->os->sync(p->os->ctx, p->list) || p->os->sync(p->os->ctx, p->home)))
        err = disk_error();
    return forget_list(p, err);
}

int part_lay_out(struct disk_part *p, const struct wish *w)
{
    int err = w->at ? take_list(p, w) : 0;

    if (err)
        return err;
    p->size = w->size;
    if (!w->at || !p->settings.lay_out)
        err = open_body(p);
    else if (p->os->mkdir_below(p->os->ctx, p->home, "files", 0700) && errno != EEXIST)
        err = disk_error();
    if (!err && w->size >= MAPS_FROM)
        err = part_keep_maps_room(p);
    return err ? err : make_room(p, w->size, w->filled);
}

/* --- one of many
 * ------------------------------------------------------------------------------------ */

void part_close_file(struct disk_part *p)
{
    if (p->file >= 0)
        p->os->close(p->os->ctx, p->file);
    p->file = -1;
}

/* Where the entry that the plan stands on is, or will be. */
static int path_of(char ret[LIST_PATH_MAX + 8], const char *path)
{
    return snprintf(ret, LIST_PATH_MAX + 8, "files/%s", path) < LIST_PATH_MAX + 8 ? 0
                                                                                  : -ROOST_LIMIT;
}

int part_make_parents(struct disk_part *p, const char *path)
{
    char part[LIST_PATH_MAX + 8];

    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        memcpy(part, path, (size_t)(slash - path));
        part[slash - path] = '\0';
        if (p->os->mkdir_below(p->os->ctx, p->home, part, 0700) && errno != EEXIST)
            return disk_error();
    }
    return 0;
}

/* Most files have neighbours: the folders above are made only when they are missing. */
int part_make_file(struct disk_part *p, const char *path)
{
    int fd = part_open_file(p, path, O_RDWR | O_CREAT);

    if (fd >= 0 || errno != ENOENT)
        return fd < 0 ? disk_error() : fd;
    int err = part_make_parents(p, path);
    if (err)
        return err;
    fd = part_open_file(p, path, O_RDWR | O_CREAT);
    return fd < 0 ? disk_error() : fd;
}

static int open_entry(struct disk_part *p, bool make)
{
    char path[LIST_PATH_MAX + 8];
    int err = path_of(path, p->index.entry.path);

    part_close_file(p);
    if (err)
        return err;
    p->file = part_open_file(p, path, O_RDWR);
    if (p->file < 0 && (errno != ENOENT || !make))
        return disk_error();
    if (p->file < 0) {
        int fd = part_make_file(p, path);
        if (fd < 0)
            return fd;
        p->file = fd;
        p->made = true;
    }
    p->touched += make;
    p->file_at = p->index.entry.at;
    p->file_size = p->index.entry.size;
    return 0;
}

/* The file with this byte, and how many bytes of len are in it. */
static int64_t file_at(struct disk_part *p, uint64_t at, uint64_t len, bool make)
{
    if (p->file < 0 || at < p->file_at || at - p->file_at >= p->file_size) {
        int err = p->has_index ? index_find(&p->index, at) : -ROOST_IO;
        if (!err)
            err = open_entry(p, make);
        if (err)
            return err == -ROOST_INVALID ? -ROOST_IO : err;
    }
    if (make && !p->touched)
        p->touched = 1;
    uint64_t left = p->file_size - (at - p->file_at);
    return (int64_t)(len < left ? len : left);
}

static bool is_one(const struct disk_part *p)
{
    return p->body >= 0;
}

/* What is zeros is a hole, whether the sender's was one or not. */
static int write_some(struct disk_part *p, int fd, const uint8_t *bytes, size_t len, uint64_t at)
{
    bool zeros = len >= HOLE_LEAST && !bytes[0] && !memcmp(bytes, bytes + 1, len - 1);

    if (zeros && p->os->hole && !p->os->hole(p->os->ctx, fd, (off_t)at, (off_t)len))
        return 0;
    return disk_write_all(p->os, fd, bytes, len, at);
}

int part_write(struct disk_part *p, uint64_t at, const uint8_t *bytes, uint32_t len)
{
    uint32_t done = 0;
    int err = 0;

    if (p->settings.reserve && (p->unlooked += len) >= LOOK_EACH) {
        p->unlooked = 0;
        err = room_for(p, len);
    }
    if (!err && is_one(p)) {
        p->dirty_from = at < p->dirty_from ? at : p->dirty_from;
        p->dirty_to = at + len > p->dirty_to ? at + len : p->dirty_to;
        return write_some(p, p->body, bytes, len, at);
    }
    while (!err && done < len) {
        int64_t n = file_at(p, at + done, len - done, true);
        if (n < 0)
            return (int)n;
        err = write_some(p, p->file, bytes + done, (size_t)n, at + done - p->file_at);
        done += (uint32_t)n;
    }
    return err;
}

int64_t disk_part_read(struct disk_part *p, uint64_t at, uint8_t *bytes, uint32_t len)
{
    uint32_t done = 0;

    if (is_one(p))
        return disk_read_all(p->os, p->body, bytes, len, at);
    while (done < len) {
        int64_t n = file_at(p, at + done, len - done, false);
        if (n < 0)
            return n;
        int64_t got = disk_read_all(p->os, p->file, bytes + done, (size_t)n,
                                    at + done - p->file_at);
        if (got < n)
            return got < 0 ? got : done + got;
        done += (uint32_t)n;
    }
    return done;
}

static void forget_body(struct disk_part *p)
{
    bool large = p->size != TREE_UNKNOWN && p->size >= FORGOTTEN_FROM;

    if (large && p->os->forget && p->dirty_to > p->dirty_from)
        p->os->forget(p->os->ctx, p->body, (off_t)p->dirty_from,
                      (off_t)(p->dirty_to - p->dirty_from));
    p->dirty_from = UINT64_MAX;
    p->dirty_to = 0;
}

/* One file: its data. Many, or new names: everything of the file system, in one call. */
int part_sync_data(struct disk_part *p)
{
    int err = 0;

    if (is_one(p))
        err = p->os->sync(p->os->ctx, p->body);
    else if (p->touched == 1 && !p->made && p->file >= 0)
        err = p->os->sync(p->os->ctx, p->file);
    else if (p->touched || p->made)
        err = p->os->sync_all(p->os->ctx, p->home);
    if (!err && is_one(p) && p->made)
        err = p->os->sync(p->os->ctx, p->home);
    if (err)
        return disk_error();
    forget_body(p);
    p->touched = 0;
    p->made = false;
    return 0;
}
