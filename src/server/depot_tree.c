/* depot_tree.c - the hashes of what is kept: NAME.pages and NAME.leaves beside it, and whether what
 * is read is what they say.
 *
 * Neither is synced or believed: page hashes have to fit the root, and leaves their page hash. What
 * is not there, or wrong, is made again from the contents themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/contents.h"
#include "server/depot_in.h"
#include "server/log.h"

enum { LEAVES_BYTES = TREE_PAGE * TREE_HASH };

static int open_beside(struct depot_thread *t, const struct hub_depot *g, const char *suffix,
                       int flags)
{
    char name[CONTENTS_NAME], beside[CONTENTS_NAME + 8];

    depot_name(name, g);
    snprintf(beside, sizeof beside, "%s.%s", name, suffix);
    return openat(t->all->dir, beside, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* --- what is wrong -------------------------------------------------------------------------- */

void depot_lost(struct depot_thread *t, const struct hub_depot *g, const char *what)
{
    char name[CONTENTS_NAME], aside[CONTENTS_NAME + 16];
    struct hub_depot_word w = { .what = DEPOT_LOST, .has_list = g->has_list };

    depot_name(name, g);
    snprintf(aside, sizeof aside, "%s.damaged", name);
    if (renameat(t->all->dir, name, t->all->dir, aside) && errno != ENOENT)
        log_error("cannot set %s aside: %s", name, strerror(errno));
    memcpy(w.root, g->root, 32);
    memcpy(w.list_root, g->list_root, 32);
    t->all->counts.lost++;
    depot_say(t, &w);
    log_error("file %llu: its contents, %s/files/%s, are %s; copy them from a backup, or have them"
              " sent again",
              (unsigned long long)g->file, t->all->settings.data, name, what);
}

void depot_doubt(struct depot_thread *t, const struct hub_depot *g)
{
    struct sqlite_content c = {
        .file = g->file, .size = g->size, .list_size = g->list_size, .has_list = g->has_list
    };

    memcpy(c.root, g->root, sizeof c.root);
    memcpy(c.list_root, g->list_root, sizeof c.list_root);
    int err = contents_verify(t->all->dir, &c, NULL);
    if (err == -ROOST_UNREADABLE) /* else it was set aside already */
        depot_lost(t, g, "damaged");
}

void depot_wrong(struct depot_thread *t, const struct hub_depot *g, uint64_t inode)
{
    char name[CONTENTS_NAME];

    depot_name(name, g);
    if (contents_inode(t->all->dir, name) == inode) /* else it was mended meanwhile */
        depot_lost(t, g, inode ? "damaged" : "missing");
}

/* --- page hashes ------------------------------------------------------------------------------ */

void depot_pages_write(struct depot_thread *t, const struct hub_depot *g, const uint8_t *pages,
                       uint32_t n)
{
    int fd = open_beside(t, g, "pages", O_WRONLY | O_CREAT | O_TRUNC);

    if (fd < 0)
        return;
    if (write(fd, pages, (size_t)n * TREE_HASH) != (ssize_t)n * TREE_HASH && ftruncate(fd, 0))
        log_warn("cannot shorten the hashes of file %llu", (unsigned long long)g->file);
    close(fd);
}

static uint8_t *pages_read(struct depot_thread *t, const struct hub_depot *g)
{
    uint8_t root[TREE_HASH];
    uint32_t n = tree_pages(g->size);
    size_t len = (size_t)n * TREE_HASH;
    int fd = open_beside(t, g, "pages", O_RDONLY);
    uint8_t *pages = fd >= 0 ? malloc(len + 1) : NULL;
    bool ok = pages && read(fd, pages, len) == (ssize_t)len &&
              tree_root(root, g->size, pages, n) == 0 && memcmp(root, g->root, TREE_HASH) == 0;

    if (fd >= 0)
        close(fd);
    if (ok)
        return pages;
    free(pages);
    return NULL;
}

static int pages_make(struct depot_thread *t, const struct hub_depot *g, int body, uint8_t **ret)
{
    uint8_t root[TREE_HASH], *pages = NULL;
    int err = disk_tree(body, g->size, NULL, root, &pages);

    if (!err && memcmp(root, g->root, TREE_HASH) != 0) {
        depot_lost(t, g, "damaged");
        err = -ROOST_UNREADABLE;
    }
    if (err) {
        free(pages);
        return err;
    }
    depot_pages_write(t, g, pages, tree_pages(g->size));
    *ret = pages;
    return 0;
}

int depot_pages(struct depot_thread *t, const struct hub_depot *g, int body, uint8_t **ret)
{
    uint8_t *pages = pages_read(t, g);

    if (!pages)
        return pages_make(t, g, body, ret);
    *ret = pages;
    return 0;
}

/* --- leaves -------------------------------------------------------------------------------------
 */

/* Are these the leaves of the page? */
static bool leaves_fit(const struct opened *o, uint32_t page, const uint8_t *leaves, uint32_t n)
{
    uint8_t hash[TREE_HASH];

    return tree_page(hash, page, leaves, n) == 0 &&
           memcmp(hash, o->pages + (size_t)page * TREE_HASH, TREE_HASH) == 0;
}

static bool leaves_read(struct depot_thread *t, const struct opened *o, uint32_t page,
                        uint8_t *leaves, uint32_t n)
{
    int fd = open_beside(t, &o->grant, "leaves", O_RDONLY);
    ssize_t len = (ssize_t)n * TREE_HASH;
    bool ok = fd >= 0 && pread(fd, leaves, (size_t)len, (off_t)page * LEAVES_BYTES) == len &&
              leaves_fit(o, page, leaves, n);

    if (fd >= 0)
        close(fd);
    return ok;
}

/* What could not be written is made again the next time. */
static void leaves_write(struct depot_thread *t, const struct opened *o, uint32_t page,
                         const uint8_t *leaves, uint32_t n)
{
    int fd = open_beside(t, &o->grant, "leaves", O_WRONLY | O_CREAT);

    if (fd < 0)
        return;
    if (pwrite(fd, leaves, (size_t)n * TREE_HASH, (off_t)page * LEAVES_BYTES) < 0)
        log_debug("cannot keep hashes of file %llu", (unsigned long long)o->grant.file);
    close(fd);
}

int depot_leaves(struct depot_thread *t, struct opened *o, uint32_t page, uint8_t *leaves)
{
    uint32_t n = tree_page_len(o->grant.size, page);
    const struct wish w = { .kind = WISH_LEAVES,
                            .at = (uint64_t)page * TREE_PAGE,
                            .len = n,
                            .size = o->grant.size,
                            .bytes = leaves };

    if (!n || leaves_read(t, o, page, leaves, n))
        return n ? 0 : -ROOST_INVALID;
    int64_t err = disk_source_do(o->source, &w);
    if (err < 0)
        return (int)err;
    if (!leaves_fit(o, page, leaves, n)) {
        depot_lost(t, &o->grant, "damaged");
        return -ROOST_UNREADABLE;
    }
    leaves_write(t, o, page, leaves, n);
    return 0;
}

/* --- bytes that are what they should be ----------------------------------------------------------
 */

static const uint8_t *leaf_of(struct depot_thread *t, struct opened *o, uint64_t block, int *err)
{
    uint32_t page = (uint32_t)(block / TREE_PAGE);

    if (!o->leaves && !(o->leaves = malloc(LEAVES_BYTES + TREE_BLOCK))) {
        *err = -ROOST_NOMEM;
        return NULL;
    }
    if (o->leaves_of != page + 1) {
        o->leaves_of = 0;
        *err = depot_leaves(t, o, page, o->leaves);
        if (*err)
            return NULL;
        o->leaves_of = page + 1;
    }
    return o->leaves + block % TREE_PAGE * TREE_HASH;
}

int64_t depot_read(struct depot_thread *t, struct opened *o, const struct wish *w)
{
    uint8_t leaf[TREE_HASH], *bytes;
    uint64_t block = w->at / TREE_BLOCK, from = w->at % TREE_BLOCK;
    uint32_t len = tree_block_len(o->grant.size, block);
    int err = from + w->len > len ? -ROOST_INVALID : 0;
    const uint8_t *want = err ? NULL : leaf_of(t, o, block, &err);

    if (err)
        return err;
    bytes = o->leaves + LEAVES_BYTES;
    int64_t got = disk_source_read(o->source, block * TREE_BLOCK, bytes, len);
    if (got != len) { /* perhaps somebody only touched it */
        depot_doubt(t, &o->grant);
        return -ROOST_UNREADABLE;
    }
    err = tree_leaf(leaf, block, bytes, len);
    if (err)
        return err;
    if (memcmp(leaf, want, TREE_HASH) != 0) {
        depot_lost(t, &o->grant, "damaged");
        return -ROOST_UNREADABLE;
    }
    memcpy(w->bytes, bytes + from, w->len);
    return w->len;
}
