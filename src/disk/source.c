#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "disk/inside.h"
#include "disk/walk.h"

/* Fewer are not worth a word: a disk that packs has such, too. */
#define HOLES_LEAST (1ULL << 20)

/* One file that is open, and what it was when it was opened. */
struct open_file {
    int fd;
    uint64_t size;
    int64_t mtime_ns;
    uint64_t room; /* on the disk; fewer than size: it has holes */
    uint32_t mode; /* 0: not a plain file */
};

struct disk_source {
    struct walk walk; /* of many: what was named */
    bool many;
    struct index index; /* over the list's file */
    int list_fd;
    struct open_file file; /* the one, or the one of many that is being read */
    uint64_t file_at;      /* of the body: where it begins */
    int root_fd;           /* of many: the named folder that file is in */
    uint32_t root;         /* which, from 1 on */
    bool sized;

    bool stream; /* what was read is in `spool`, as far as it was not let go */
    int spool;
    uint64_t spooled;
    bool at_end;

    int leaves; /* a file of all leaves, when it was hashed; -1 */
    char name[NAMES_ROOM];
};

static int64_t mtime_of(const struct stat *st)
{
    return st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

static int watch(struct open_file *f, int fd)
{
    struct stat st;

    if (fstat(fd, &st))
        return -ROOST_UNREADABLE;
    *f = (struct open_file){ fd, (uint64_t)st.st_size, mtime_of(&st), (uint64_t)st.st_blocks * 512,
                             S_ISREG(st.st_mode) ? st.st_mode & 0777 : 0 };
    return 0;
}

static bool is_changed(const struct open_file *f)
{
    struct stat st;

    return fstat(f->fd, &st) || (uint64_t)st.st_size != f->size || mtime_of(&st) != f->mtime_ns;
}

/* --- opening ------------------------------------------------------------------------------------
 */

static struct disk_source *make(void)
{
    struct disk_source *s = calloc(1, sizeof *s);

    if (s)
        s->list_fd = s->root_fd = s->spool = s->leaves = s->file.fd = -1;
    return s;
}

void disk_source_free(struct disk_source *s)
{
    if (!s)
        return;
    int fds[] = { s->list_fd, s->root_fd, s->spool, s->leaves, s->file.fd };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    index_close(&s->index);
    walk_fini(&s->walk);
    free(s);
}

int disk_source_file(struct disk_source **ret, int fd, bool stream, const char *spool)
{
    struct disk_source *s = make();
    int err = s ? 0 : -ROOST_NOMEM;

    if (!err && stream && (s->spool = walk_spool(spool)) < 0)
        err = s->spool;
    if (!err)
        err = watch(&s->file, fd);
    if (err) {
        disk_source_free(s);
        return err;
    }
    s->stream = stream;
    s->sized = !stream;
    *ret = s;
    return 0;
}

int disk_source_kept(struct disk_source **ret, int body_fd, int list_fd, uint64_t list_size)
{
    int err = disk_source_file(ret, body_fd, false, NULL);

    if (err || list_fd < 0)
        return err;
    (*ret)->list_fd = list_fd;
    err = index_open(&(*ret)->index, &disk_os_real, list_fd, list_size, NULL);
    if (!err)
        err = walk_sum(list_fd, list_size, (*ret)->walk.root);
    if (err) {
        (*ret)->file.fd = (*ret)->list_fd = -1; /* the caller's, still */
        disk_source_free(*ret);
    }
    return err;
}

static int open_one(struct disk_source *s, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -ROOST_UNREADABLE;
    s->sized = true;
    walk_name(s->name, path);
    return watch(&s->file, fd);
}

int disk_source_open(struct disk_source **ret, const char *const *paths, size_t n,
                     const char *spool)
{
    struct disk_source *s = make();
    struct stat st;
    int err = 0;

    if (!s)
        return -ROOST_NOMEM;
    s->many = n != 1 || (!stat(paths[0], &st) && !S_ISREG(st.st_mode));
    if (!s->many)
        err = open_one(s, paths[0]);
    else if (!(err = walk_paths(&s->walk, paths, n, spool))) {
        s->list_fd = s->walk.fd;
        s->walk.fd = -1;
        walk_name(s->name, s->walk.n ? s->walk.roots[0] : "");
        err = index_open(&s->index, &disk_os_real, s->list_fd, s->walk.size, NULL);
    }
    if (err) {
        disk_source_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

void disk_source_look(const struct disk_source *s, struct disk_source_view *ret)
{
    bool list = s->index.size, one = !s->many && !s->stream && s->file.mode;

    *ret = (struct disk_source_view){
        .files = list ? s->index.files : 1,
        .directories = s->index.directories,
        .links = s->index.links,
        .left_out = s->walk.left_out,
        .missing = s->walk.missing,
        .left = s->walk.left,
        .size = s->many    ? s->index.body
                : s->sized ? s->file.size
                           : TREE_UNKNOWN,
        .name = s->name,
        .mode = one ? s->file.mode : 0,
        .mtime_s = one && s->file.mtime_ns > 0 ? s->file.mtime_ns / 1000000000 : 0,
    };
}

void disk_source_about(const struct disk_source *s, struct about *ret)
{
    struct disk_source_view v;

    disk_source_look(s, &v);
    *ret = (struct about){ .size = v.size, .stream = s->stream, .list_size = s->index.size };
    memcpy(ret->list_root, s->walk.root, TREE_HASH);
    ret->filled = s->many ? s->walk.room : s->file.room;
    ret->sparse = v.size != TREE_UNKNOWN && ret->filled < v.size &&
                  v.size - ret->filled >= HOLES_LEAST;
    ret->filled = ret->sparse ? ret->filled : 0;
    ret->mtime_ns = s->many ? s->walk.mtime_ns : s->stream ? 0 : s->file.mtime_ns;
}

/* --- reading
 * -------------------------------------------------------------------------------------- */

static int64_t read_from(const struct open_file *f, uint64_t at, uint8_t *bytes, uint64_t len)
{
    int64_t got = disk_read_all(&disk_os_real, f->fd, bytes, (size_t)len, at);

    if (got < 0)
        return -ROOST_UNREADABLE;
    return (uint64_t)got < len || is_changed(f) ? -ROOST_SOURCE_CHANGED : got;
}

static void close_file(struct disk_source *s)
{
    if (s->file.fd >= 0)
        close(s->file.fd);
    s->file.fd = -1;
}

/* The named thing that the entry is, or is in. */
static int open_root(struct disk_source *s)
{
    if (s->root == s->index.tops && s->root_fd >= 0)
        return 0;
    if (s->root_fd >= 0)
        close(s->root_fd);
    s->root = s->index.tops;
    s->root_fd = open(s->walk.roots[s->root - 1], O_PATH | O_CLOEXEC);
    return s->root_fd < 0 ? -ROOST_UNREADABLE : 0;
}

/* Opens the file that the index stands on. */
static int open_entry(struct disk_source *s)
{
    const struct list_entry *e = &s->index.entry;
    const char *below = strchr(e->path, '/');
    int err = below ? open_root(s) : 0;

    close_file(s);
    if (err)
        return err;
    int fd = below ? disk_os_real.open_below(NULL, s->root_fd, below + 1, O_RDONLY | O_NONBLOCK, 0)
                   : open(s->walk.roots[s->index.tops - 1], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENOTDIR ? -ROOST_SOURCE_CHANGED
                                                                     : -ROOST_UNREADABLE;
    err = watch(&s->file, fd);
    if (!err && (s->file.size != e->size || s->file.mtime_ns / 1000000000 != e->mtime_s) &&
        (s->file.mtime_ns >= 0 || s->file.size != e->size))
        err = -ROOST_SOURCE_CHANGED;
    s->file_at = e->at;
    if (err)
        close(fd);
    if (err)
        s->file.fd = -1;
    return err;
}

static int64_t read_many(struct disk_source *s, uint64_t at, uint8_t *bytes, uint32_t len)
{
    uint32_t done = 0;

    while (done < len) {
        uint64_t here = at + done;
        if (s->file.fd < 0 || here < s->file_at || here - s->file_at >= s->file.size) {
            int err = index_find(&s->index, here);
            if (err == -ROOST_INVALID)
                break;
            if (!err)
                err = open_entry(s);
            if (err)
                return err;
        }
        uint64_t left = s->file.size - (here - s->file_at), n = len - done;
        int64_t got = read_from(&s->file, here - s->file_at, bytes + done, n < left ? n : left);
        if (got < 0)
            return got;
        done += (uint32_t)got;
    }
    return done;
}

/* So much of the stream as makes up to `to`. */
static int spool_up_to(struct disk_source *s, uint64_t to)
{
    uint8_t buf[16384];

    while (!s->at_end && s->spooled < to) {
        uint64_t want = to - s->spooled;
        ssize_t n = read(s->file.fd, buf, want < sizeof buf ? (size_t)want : sizeof buf);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -ROOST_UNREADABLE;
        s->at_end = n == 0;
        int err = n ? disk_write_all(&disk_os_real, s->spool, buf, (size_t)n, s->spooled) : 0;
        if (err)
            return err;
        s->spooled += (uint64_t)n;
    }
    return 0;
}

static int64_t read_stream(struct disk_source *s, uint64_t at, uint8_t *bytes, uint32_t len)
{
    int err = spool_up_to(s, at + len);

    return err ? err : disk_read_all(&disk_os_real, s->spool, bytes, len, at);
}

int64_t disk_source_read(struct disk_source *s, uint64_t at, uint8_t *bytes, uint32_t len)
{
    if (s->stream)
        return read_stream(s, at, bytes, len);
    if (s->many)
        return read_many(s, at, bytes, len);
    return read_from(&s->file, at, bytes, len);
}

void disk_source_settle(struct disk_source *s, uint64_t at)
{
    if (s->stream && at)
        fallocate(s->spool, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)at);
}

/* --- hashing
 * --------------------------------------------------------------------------------------- */

static int hash_page(struct disk_source *s, uint64_t size, uint32_t page, uint8_t *leaves,
                     uint8_t *block, struct gather *g, const bool *stop)
{
    uint64_t first = (uint64_t)page * TREE_PAGE;
    uint32_t n = tree_page_len(size, page);

    for (uint32_t i = 0; i < n; i++) {
        if (stop && __atomic_load_n(stop, __ATOMIC_RELAXED))
            return -ROOST_CANCELLED;
        uint32_t len = tree_block_len(size, first + i);
        int64_t got = disk_source_read(s, (first + i) * TREE_BLOCK, block, len);
        if (got < len)
            return got < 0 ? (int)got : -ROOST_SOURCE_CHANGED;
        int err = tree_leaf(leaves + (size_t)i * TREE_HASH, first + i, block, len);
        if (err)
            return err;
    }
    int err = gather_page(g, page, leaves, n);
    return err ? err
               : disk_write_all(&disk_os_real, s->leaves, leaves, (size_t)n * TREE_HASH,
                                first * TREE_HASH);
}

int disk_source_hash(struct disk_source *s, struct about *about, uint8_t **ret_pages,
                     const bool *stop)
{
    struct gather g = { 0 };
    uint8_t *leaves = malloc((size_t)TREE_PAGE * TREE_HASH), *block = malloc(TREE_BLOCK);
    int err = leaves && block ? 0 : -ROOST_NOMEM;

    disk_source_about(s, about);
    if (!err && s->stream)
        err = -ROOST_INVALID;
    if (!err && s->leaves < 0 && (s->leaves = walk_spool(NULL)) < 0)
        err = s->leaves;
    for (uint32_t i = 0; !err && i < tree_pages(about->size); i++)
        err = hash_page(s, about->size, i, leaves, block, &g, stop);
    if (!err)
        err = gather_root(&g, about->size, about->root);
    free(leaves);
    free(block);
    about->has_root = !err;
    if (!err) {
        *ret_pages = g.pages ? g.pages : calloc(1, 1);
        g.pages = NULL;
    }
    gather_fini(&g);
    if (err && s->leaves >= 0) {
        close(s->leaves);
        s->leaves = -1;
    }
    return err;
}

static int64_t read_block(void *ctx, uint64_t at, uint8_t *bytes, uint32_t len)
{
    return disk_source_read(ctx, at, bytes, len);
}

static int leaves(struct disk_source *s, const struct wish *w)
{
    size_t len = (size_t)w->len * TREE_HASH;

    if (s->leaves >= 0 &&
        disk_read_all(&disk_os_real, s->leaves, w->bytes, len, w->at * TREE_HASH) == (int64_t)len)
        return 0;
    return disk_leaves(read_block, s, w->size, w->at, w->len, w->bytes);
}

int64_t disk_source_do(struct disk_source *s, const struct wish *w)
{
    int64_t got;

    switch (w->kind) {
    case WISH_READ_LIST:
        got = disk_read_all(&disk_os_real, s->list_fd, w->bytes, w->len, w->at);
        return got < 0 ? -ROOST_UNREADABLE : got;
    case WISH_READ:
        got = disk_source_read(s, w->at, w->bytes, w->len);
        if (got > 0) {
            int err = tree_leaf(w->leaf, w->at / TREE_BLOCK, w->bytes, (uint32_t)got);
            return err ? err : got;
        }
        return got;
    case WISH_LEAVES:
        return leaves(s, w);
    default:
        return -ROOST_INVALID;
    }
}

int disk_tree(int fd, uint64_t size, const bool *stop, uint8_t root[static TREE_HASH],
              uint8_t **ret_pages)
{
    struct disk_source *s;
    struct about about;
    int err = disk_source_file(&s, fd, false, NULL);

    if (err)
        return err;
    err = s->file.size == size ? disk_source_hash(s, &about, ret_pages, stop)
                               : -ROOST_SOURCE_CHANGED;
    s->file.fd = -1; /* the caller's */
    disk_source_free(s);
    if (!err)
        memcpy(root, about.root, TREE_HASH);
    return err;
}
