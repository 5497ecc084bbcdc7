#include "sim/faultdisk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, NAME = 256, FIRST_FD = 1000 };
enum sector { CLEAN, DIRTY, FORGOTTEN };

/* A file or folder, with the one name that it has. */
struct disk_node {
    bool folder, used;
    /* names: as seen, and as on the disk. parent 0: none */
    int parent, disk_parent;
    char name[NAME], disk_name[NAME];
    uint32_t op; /* the change of names that is not on the disk; 0: it is */
    uint8_t *seen, *disk, *sectors;
    uint64_t len, disk_len, cap;
    bool len_dirty;
};

/* --- finding -----------------------------------------------------------------------------------
 */

static struct disk_node *node(struct faultdisk *d, int i)
{
    return &d->nodes[i];
}

static int child(const struct faultdisk *d, int parent, const char *name, size_t len)
{
    for (int i = 1; i < d->n_nodes; i++) {
        const struct disk_node *n = &d->nodes[i];
        if (n->used && n->parent == parent && strlen(n->name) == len && !memcmp(n->name, name, len))
            return i;
    }
    return 0;
}

/* The folder that path ends in -> *parent; what it ends in, or 0; -1: no such folder. */
static int walk(const struct faultdisk *d, int dir, const char *path, int *parent,
                const char **last)
{
    int at = dir;

    for (;;) {
        size_t len = strcspn(path, "/");
        assert(len && len < NAME && strcmp(path, "..") && "nobody asks for what is outside");
        int next = child(d, at, path, len);
        if (!path[len]) {
            *parent = at;
            *last = path;
            return next;
        }
        if (!next || !d->nodes[next].folder)
            return -1;
        at = next;
        path += len + 1;
    }
}

static int dir_of(const struct faultdisk *d, int fd)
{
    if (fd == DISK_ROOT)
        return DISK_ROOT;
    int i = fd - d->first_fd;
    return fd >= d->first_fd && i < d->n_fds ? d->fds[i] : 0;
}

/* Each call: does the power go, does it fail? */
static bool goes_wrong(struct faultdisk *d, bool writes)
{
    d->counts.calls++;
    if (!d->cut && d->cut_in && --d->cut_in == 0) {
        d->cut = true;
        d->counts.cuts++;
    }
    bool fails = !d->cut && writes && dice_ppm(&d->dice, d->fail_ppm);
    d->counts.errors += fails;
    errno = EIO;
    return d->cut || fails;
}

/* --- the calls -----------------------------------------------------------------------------------
 */

static int add_node(struct faultdisk *d, int parent, const char *name, bool folder)
{
    int i = 1;

    while (i < d->n_nodes && d->nodes[i].used)
        i++;
    if (i == DISK_NODES_MAX) {
        errno = ENOSPC;
        return 0;
    }
    d->n_nodes = i == d->n_nodes ? i + 1 : d->n_nodes;
    d->nodes[i] =
        (struct disk_node){ .used = true, .folder = folder, .parent = parent, .op = ++d->op };
    strcpy(d->nodes[i].name, name);
    return i;
}

static int add_fd(struct faultdisk *d, int n)
{
    if (d->n_fds % 64 == 0)
        d->fds = realloc(d->fds, (size_t)(d->n_fds + 64) * sizeof *d->fds);
    assert(d->fds);
    d->fds[d->n_fds] = n;
    return d->first_fd + d->n_fds++;
}

static int open_below(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    struct faultdisk *d = ctx;
    const char *last;
    int parent;

    (void)mode;
    if (goes_wrong(d, flags & O_CREAT))
        return -1;
    int n = walk(d, dir_of(d, dir), path, &parent, &last);
    if (n <= 0 && (n < 0 || !(flags & O_CREAT))) {
        errno = ENOENT;
        return -1;
    }
    if (!n && !(n = add_node(d, parent, last, false)))
        return -1;
    if (flags & O_TRUNC)
        d->nodes[n].len = 0;
    return add_fd(d, n);
}

static int os_close(void *ctx, int fd)
{
    struct faultdisk *d = ctx;

    if (dir_of(d, fd) > DISK_ROOT)
        d->fds[fd - d->first_fd] = 0;
    return 0;
}

static ssize_t os_pread(void *ctx, int fd, void *bytes, size_t len, off_t at)
{
    struct faultdisk *d = ctx;
    int i = dir_of(d, fd);

    if (!i || goes_wrong(d, false))
        return -1;
    struct disk_node *n = node(d, i);
    uint64_t from = (uint64_t)at;
    if (from >= n->len)
        return 0;
    len = len < n->len - from ? len : (size_t)(n->len - from);
    memcpy(bytes, n->seen + from, len);
    return (ssize_t)len;
}

static void grow(struct disk_node *n, uint64_t len)
{
    uint64_t cap = n->cap ? n->cap : 4096;

    if (len <= n->cap)
        return;
    while (cap < len)
        cap *= 2;
    n->seen = realloc(n->seen, cap);
    n->disk = realloc(n->disk, cap);
    n->sectors = realloc(n->sectors, cap / SECTOR);
    assert(n->seen && n->disk && n->sectors);
    memset(n->seen + n->cap, 0, cap - n->cap);
    memset(n->disk + n->cap, 0, cap - n->cap);
    memset(n->sectors + n->cap / SECTOR, CLEAN, (cap - n->cap) / SECTOR);
    n->cap = cap;
}

static bool is_full(struct faultdisk *d, const struct disk_node *n, uint64_t len)
{
    uint64_t all = 0;

    if (!d->room || len <= n->len)
        return false;
    for (int i = 1; i < d->n_nodes; i++)
        all += d->nodes[i].used ? d->nodes[i].len : 0;
    if (all + len - n->len <= d->room)
        return false;
    d->counts.full++;
    errno = ENOSPC;
    return true;
}

static ssize_t os_pwrite(void *ctx, int fd, const void *bytes, size_t len, off_t at)
{
    struct faultdisk *d = ctx;
    int i = dir_of(d, fd);
    uint64_t from = (uint64_t)at, to = from + len;

    if (!i || goes_wrong(d, true) || is_full(d, node(d, i), to))
        return -1;
    struct disk_node *n = node(d, i);
    grow(n, to);
    memcpy(n->seen + from, bytes, len);
    memset(n->sectors + from / SECTOR, DIRTY, (to + SECTOR - 1) / SECTOR - from / SECTOR);
    n->len_dirty = n->len_dirty || to > n->len;
    n->len = to > n->len ? to : n->len;
    return (ssize_t)len;
}

static int os_truncate(void *ctx, int fd, off_t size)
{
    struct faultdisk *d = ctx;
    int i = dir_of(d, fd);

    if (!i || goes_wrong(d, true) || is_full(d, node(d, i), (uint64_t)size))
        return -1;
    struct disk_node *n = node(d, i);
    grow(n, (uint64_t)size);
    if ((uint64_t)size < n->len)
        memset(n->seen + size, 0, n->len - (uint64_t)size);
    n->len_dirty = n->len_dirty || n->len != (uint64_t)size;
    n->len = (uint64_t)size;
    return 0;
}

static int os_reserve(void *ctx, int fd, off_t size)
{
    struct faultdisk *d = ctx;

    return is_full(d, node(d, dir_of(d, fd)), (uint64_t)size) ? -1 : 0;
}

static void commit(struct faultdisk *d, uint32_t op)
{
    for (int i = 1; i < d->n_nodes; i++) {
        struct disk_node *n = node(d, i);
        if (n->op != op)
            continue;
        n->disk_parent = n->parent;
        strcpy(n->disk_name, n->name);
        n->op = 0;
    }
}

static void sync_file(struct disk_node *n, bool fails)
{
    for (uint64_t s = 0; s < n->cap / SECTOR; s++) {
        if (n->sectors[s] != DIRTY)
            continue;
        n->sectors[s] = fails ? FORGOTTEN : CLEAN;
        if (!fails)
            memcpy(n->disk + s * SECTOR, n->seen + s * SECTOR, SECTOR);
    }
    if (!fails) {
        n->disk_len = n->len;
        n->len_dirty = false;
    }
}

static int os_sync(void *ctx, int fd)
{
    struct faultdisk *d = ctx;
    int i = dir_of(d, fd);

    if (d->ignores_sync)
        return 0;
    bool wrong = !i || goes_wrong(d, true);
    if (wrong && (!i || d->cut))
        return -1;
    struct disk_node *n = node(d, i);
    if (!n->folder)
        sync_file(n, wrong);
    for (int k = 1; n->folder && !wrong && k < d->n_nodes; k++)
        if (d->nodes[k].op && (d->nodes[k].parent == i || d->nodes[k].disk_parent == i))
            commit(d, d->nodes[k].op);
    return wrong ? -1 : 0;
}

static int os_sync_all(void *ctx, int fd)
{
    struct faultdisk *d = ctx;

    (void)fd;
    if (d->ignores_sync)
        return 0;
    bool wrong = goes_wrong(d, true);
    if (d->cut)
        return -1;
    for (int i = 1; i < d->n_nodes; i++) {
        if (d->nodes[i].used && !d->nodes[i].folder)
            sync_file(node(d, i), wrong);
        if (!wrong && d->nodes[i].op)
            commit(d, d->nodes[i].op);
    }
    return wrong ? -1 : 0;
}

static int os_stat(void *ctx, int fd, struct stat *st)
{
    struct faultdisk *d = ctx;
    int i = dir_of(d, fd);

    if (!i || goes_wrong(d, false))
        return -1;
    memset(st, 0, sizeof *st);
    st->st_mode = d->nodes[i].folder ? S_IFDIR : S_IFREG;
    st->st_size = (off_t)d->nodes[i].len;
    st->st_blocks = (blkcnt_t)(d->nodes[i].len / SECTOR);
    return 0;
}

static int mkdir_below(void *ctx, int dir, const char *path, mode_t mode)
{
    struct faultdisk *d = ctx;
    const char *last;
    int parent;

    (void)mode;
    if (goes_wrong(d, true))
        return -1;
    int n = walk(d, dir_of(d, dir), path, &parent, &last);
    errno = n < 0 ? ENOENT : EEXIST;
    return n ? -1 : add_node(d, parent, last, true) ? 0 : -1;
}

static int rename_below(void *ctx, int from_dir, const char *from, int to_dir, const char *to)
{
    struct faultdisk *d = ctx;
    const char *last;
    int parent;

    if (goes_wrong(d, true))
        return -1;
    int n = walk(d, dir_of(d, from_dir), from, &parent, &last);
    int there = walk(d, dir_of(d, to_dir), to, &parent, &last);
    if (n <= 0 || there) {
        errno = there > 0 && n > 0 ? EEXIST : ENOENT;
        return -1;
    }
    d->nodes[n].parent = parent;
    strcpy(d->nodes[n].name, last);
    d->nodes[n].op = ++d->op;
    return 0;
}

static void unname(struct faultdisk *d, int i)
{
    for (int k = 1; k < d->n_nodes; k++)
        if (d->nodes[k].used && d->nodes[k].parent == i)
            unname(d, k);
    d->nodes[i].parent = 0;
    d->nodes[i].name[0] = '\0';
    d->nodes[i].op = ++d->op;
}

static int remove_below(void *ctx, int dir, const char *path)
{
    struct faultdisk *d = ctx;
    const char *last;
    int parent;

    if (goes_wrong(d, true))
        return -1;
    int n = walk(d, dir_of(d, dir), path, &parent, &last);
    if (n <= 0) {
        errno = ENOENT;
        return -1;
    }
    unname(d, n);
    return 0;
}

static int unlink_below(void *ctx, int dir, const char *path, bool directory)
{
    (void)directory;
    return remove_below(ctx, dir, path);
}

static int os_times(void *ctx, int fd, int64_t mtime_s)
{
    (void)fd;
    (void)mtime_s;
    return goes_wrong(ctx, true) ? -1 : 0;
}

static int os_mode(void *ctx, int fd, mode_t mode)
{
    (void)fd;
    (void)mode;
    return goes_wrong(ctx, true) ? -1 : 0;
}

static int os_room(void *ctx, int fd, uint64_t *ret_bytes)
{
    struct faultdisk *d = ctx;
    uint64_t all = 0;

    (void)fd;
    for (int i = 1; i < d->n_nodes; i++)
        all += d->nodes[i].used ? d->nodes[i].len : 0;
    *ret_bytes = !d->room ? UINT64_MAX / 2 : d->room > all ? d->room - all : 0;
    return 0;
}

/* --- life and power ----------------------------------------------------------------------------
 */

void faultdisk_init(struct faultdisk *d, uint64_t seed)
{
    *d = (struct faultdisk){ .dice = { seed }, .first_fd = FIRST_FD, .n_nodes = 2 };
    d->os = (struct disk_os){ .ctx = d,
                              .open_below = open_below,
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
                              .room = os_room };
    d->nodes = calloc(DISK_NODES_MAX, sizeof *d->nodes);
    assert(d->nodes);
    d->nodes[DISK_ROOT] = (struct disk_node){ .folder = true, .used = true };
}

static void forget(struct disk_node *n)
{
    free(n->seen);
    free(n->disk);
    free(n->sectors);
    *n = (struct disk_node){ 0 };
}

void faultdisk_fini(struct faultdisk *d)
{
    for (int i = 1; i < d->n_nodes; i++)
        forget(node(d, i));
    free(d->nodes);
    free(d->fds);
    *d = (struct faultdisk){ 0 };
}

void faultdisk_close_all(struct faultdisk *d)
{
    d->first_fd += d->n_fds;
    d->n_fds = 0;
    free(d->fds);
    d->fds = NULL;
    for (int i = 2; i < d->n_nodes; i++)
        if (d->nodes[i].used && !d->nodes[i].parent && !d->nodes[i].disk_parent)
            forget(node(d, i));
}

static void settle_bytes(struct faultdisk *d, struct disk_node *n)
{
    for (uint64_t s = 0; s < n->cap / SECTOR; s++) {
        bool kept = n->sectors[s] == DIRTY && dice_below(&d->dice, 2);
        if (n->sectors[s] == CLEAN)
            continue;
        d->counts.kept += kept;
        d->counts.lost += !kept;
        memcpy(kept ? n->disk + s * SECTOR : n->seen + s * SECTOR,
               kept ? n->seen + s * SECTOR : n->disk + s * SECTOR, SECTOR);
        n->sectors[s] = CLEAN;
    }
    if (n->len_dirty && dice_below(&d->dice, 2))
        n->len = n->disk_len;
    n->disk_len = n->len;
    n->len_dirty = false;
    if (n->cap > n->len)
        memset(n->seen + n->len, 0, n->cap - n->len);
}

/* Is it below the root, by names on the disk? */
static bool is_reachable(const struct faultdisk *d, int i)
{
    for (int hops = 0; hops < 100; hops++) {
        if (i == DISK_ROOT)
            return true;
        if (!i || !d->nodes[i].used)
            return false;
        i = d->nodes[i].disk_parent;
    }
    return false;
}

void faultdisk_power_up(struct faultdisk *d)
{
    for (int i = 2; i < d->n_nodes; i++) {
        struct disk_node *n = node(d, i);
        if (n->used && n->op && dice_below(&d->dice, 2)) {
            commit(d, n->op);
        } else if (n->used && n->op) {
            d->counts.names_lost++;
            n->op = 0; /* a move is one node: it is back, whole */
        }
    }
    for (int i = 2; i < d->n_nodes; i++) {
        struct disk_node *n = node(d, i);
        n->parent = n->disk_parent;
        strcpy(n->name, n->disk_name);
        if (n->used && !n->folder)
            settle_bytes(d, n);
    }
    for (int i = 2; i < d->n_nodes; i++)
        if (d->nodes[i].used && !is_reachable(d, i))
            d->nodes[i].parent = d->nodes[i].disk_parent = 0;
    d->cut = false;
    d->cut_in = 0;
    faultdisk_close_all(d);
}

static int find(const struct faultdisk *d, const char *path)
{
    const char *last;
    int parent;

    return walk(d, DISK_ROOT, path, &parent, &last);
}

const uint8_t *faultdisk_look(const struct faultdisk *d, const char *path, uint64_t *ret_len)
{
    static const uint8_t nothing[1];
    int n = find(d, path);

    if (n <= 0 || d->nodes[n].folder)
        return NULL;
    *ret_len = d->nodes[n].len;
    return d->nodes[n].seen ? d->nodes[n].seen : nothing;
}

bool faultdisk_has(const struct faultdisk *d, const char *path)
{
    return find(d, path) > 0;
}
