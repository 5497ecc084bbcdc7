#include "disk/inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "seal/running.h"

int disk_error(void)
{
    switch (errno) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return -ROOST_DISK_FULL;
    case ENOMEM:
        return -ROOST_NOMEM;
    case EMFILE:
    case ENFILE:
    case ENAMETOOLONG:
        return -ROOST_LIMIT;
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case EXDEV:
        return -ROOST_NOT_ALLOWED;
    default:
        return -ROOST_IO;
    }
}

int64_t disk_read_all(const struct disk_os *os, int fd, void *bytes, size_t len, uint64_t at)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = os->pread(os->ctx, fd, (uint8_t *)bytes + got, len - got, (off_t)(at + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return disk_error();
        if (n == 0)
            break;
        got += (size_t)n;
    }
    return (int64_t)got;
}

int disk_write_all(const struct disk_os *os, int fd, const void *bytes, size_t len, uint64_t at)
{
    size_t put = 0;

    while (put < len) {
        ssize_t n = os->pwrite(os->ctx, fd, (const uint8_t *)bytes + put, len - put,
                               (off_t)(at + put));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? disk_error() : -ROOST_IO;
        put += (size_t)n;
    }
    return 0;
}

int disk_leaves(disk_read_fn *read, void *ctx, uint64_t size, uint64_t first, uint32_t n,
                uint8_t *ret)
{
    uint8_t *block = malloc(TREE_BLOCK);
    int err = block ? 0 : -ROOST_NOMEM;

    for (uint32_t i = 0; !err && i < n; i++) {
        uint32_t len = tree_block_len(size, first + i);
        int64_t got = read(ctx, (first + i) * TREE_BLOCK, block, len);
        if (got < 0)
            err = (int)got;
        else if (got < len)
            err = -ROOST_SOURCE_CHANGED;
        else
            err = tree_leaf(ret + (size_t)i * TREE_HASH, first + i, block, len);
    }
    free(block);
    return err;
}

/* --- the list
 * ------------------------------------------------------------------------------------- */

static int mark(struct index *x, uint64_t offset)
{
    if (x->n == x->cap) {
        uint32_t cap = x->cap ? 2 * x->cap : 16;
        struct index_mark *marks = realloc(x->marks, cap * sizeof *marks);
        if (!marks)
            return -ROOST_NOMEM;
        x->marks = marks;
        x->cap = cap;
    }
    x->marks[x->n++] = (struct index_mark){ offset, x->reader.body, x->tops };
    return 0;
}

/* The next bytes of it, when there are none left. */
static int refill(struct index *x)
{
    uint64_t left = x->size - x->next;
    size_t len = left < sizeof x->buf ? (size_t)left : sizeof x->buf;

    if (!len)
        return -ROOST_MALFORMED; /* it has no end */
    int64_t got = disk_read_all(x->os, x->fd, x->buf, len, x->next);
    if (got < 0)
        return (int)got;
    if ((size_t)got < len)
        return -ROOST_IO;
    x->next += len;
    x->p = x->buf;
    x->left = len;
    return 0;
}

/* Where the entry that comes next begins in the list. */
static uint64_t offset_of(const struct index *x)
{
    uint64_t at = x->next - x->left - x->reader.piece_len;

    return at < 4 ? 4 : at; /* behind the head */
}

int index_next(struct index *x)
{
    for (;;) {
        if (x->left || x->reader.piece_len) {
            int got = list_read(&x->reader, &x->p, &x->left, &x->entry);
            if (got < 0)
                return got;
            if (got && x->entry.kind == LIST_END)
                return 0;
            if (got) {
                x->tops += !strchr(x->entry.path, '/');
                return 1;
            }
        }
        int err = refill(x);
        if (err)
            return err;
    }
}

static void count(struct index *x)
{
    x->files += x->entry.kind == LIST_FILE;
    x->directories += x->entry.kind == LIST_DIRECTORY;
    x->links += x->entry.kind == LIST_LINK;
}

static int check_root(struct index *x, const uint8_t *root)
{
    uint8_t sum[TREE_HASH];
    struct seal_running *run = seal_running_new();
    int err = run ? seal_running_add(run, list_label, sizeof list_label) : -ROOST_NOMEM;

    x->next = 0;
    while (!err && x->next < x->size) {
        err = refill(x);
        if (!err)
            err = seal_running_add(run, x->buf, x->left);
    }
    if (!err)
        err = seal_running_end(run, sum);
    seal_running_free(run);
    if (!err && memcmp(sum, root, TREE_HASH) != 0)
        err = -ROOST_MALFORMED;
    return err;
}

int index_open(struct index *x, const struct disk_os *os, int fd, uint64_t size,
               const uint8_t *root)
{
    int got = 1, err;

    *x = (struct index){ .os = os, .fd = fd, .size = size };
    err = root ? check_root(x, root) : 0;
    x->next = 0;
    x->left = 0;
    while (!err && got == 1) {
        if (x->reader.entries % LIST_STEP == 0)
            err = mark(x, offset_of(x));
        got = err ? err : index_next(x);
        if (got == 1)
            count(x);
    }
    err = err ? err : got;
    if (!err && (x->left || x->next < x->size))
        err = -ROOST_MALFORMED; /* something behind the end */
    x->body = x->reader.body;
    if (err)
        index_close(x);
    return err;
}

void index_close(struct index *x)
{
    free(x->marks);
    x->marks = NULL;
    x->n = x->cap = 0;
}

static void stand_at(struct index *x, uint32_t i)
{
    list_read_from(&x->reader, (uint64_t)i * LIST_STEP, x->marks[i].body);
    x->next = x->marks[i].offset;
    x->tops = x->marks[i].tops;
    x->left = 0;
    x->entry = (struct list_entry){ 0 };
}

int index_rewind(struct index *x)
{
    stand_at(x, 0);
    return 0;
}

static bool stands_on(const struct index *x, uint64_t at)
{
    const struct list_entry *e = &x->entry;

    return e->kind == LIST_FILE && at >= e->at && at - e->at < e->size;
}

/* The last mark before it. */
static uint32_t mark_of(const struct index *x, uint64_t at)
{
    uint32_t low = 0, high = x->n;

    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;
        if (x->marks[mid].body <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

int index_find(struct index *x, uint64_t at)
{
    uint32_t i = mark_of(x, at);

    if (stands_on(x, at))
        return 0;
    if (at >= x->body)
        return -ROOST_INVALID;
    /* On from here when it is not far, else from the mark. */
    bool near = x->entry.kind && x->reader.body <= at && !x->reader.over &&
                x->marks[i].body <= x->reader.body;
    if (!near)
        stand_at(x, i);
    do {
        int got = index_next(x);
        if (got <= 0)
            return got < 0 ? got : -ROOST_MALFORMED;
    } while (!stands_on(x, at));
    return 0;
}
