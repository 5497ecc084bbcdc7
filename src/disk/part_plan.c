#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "disk/part.h"

/* The list becomes a plan: the same entries under names that are safe and differ from each other.
 */

enum { OUT_BYTES = 65536 };

struct planning {
    struct disk_part *p;
    struct index in;
    struct list_writer list;
    struct names_taken taken;
    uint8_t *out;
    size_t out_len;
    /* The folder that stands open, as it is called here; ends[i]: bytes of its first i parts. */
    char here[LIST_PATH_MAX + 1];
    uint32_t ends[LIST_DEPTH_MAX + 1], depth;
    uint64_t folders[LIST_DEPTH_MAX + 1]; /* numbers, for names_take */
    uint64_t n_folders;
};

static int flush(struct planning *x)
{
    int err = disk_write_all(x->p->os, x->p->plan, x->out, x->out_len, x->p->plan_size);

    x->p->plan_size += x->out_len;
    x->out_len = 0;
    return err;
}

static uint32_t depth_of(const char *path)
{
    uint32_t n = 0;

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* Its name here, behind the folder that it is in. Depth first: that one stands open. */
static int name_it(struct planning *x, const struct list_entry *e)
{
    const char *slash = strrchr(e->path, '/'), *last = slash ? slash + 1 : e->path;
    char name[NAMES_ROOM];
    uint32_t at;

    x->depth = depth_of(e->path);
    at = x->ends[x->depth];
    int err = names_take(&x->taken, x->folders[x->depth], name, last, strlen(last), !x->depth);
    if (err)
        return err;
    size_t len = strlen(name);
    if (at + 1 + len > LIST_PATH_MAX)
        return -ROOST_LIMIT;
    if (at)
        x->here[at++] = '/';
    memcpy(x->here + at, name, len + 1);
    if (e->kind != LIST_DIRECTORY)
        return (int)(at + len);
    x->ends[x->depth + 1] = at + (uint32_t)len;
    x->folders[x->depth + 1] = ++x->n_folders;
    return (int)(at + len);
}

static int plan_one(struct planning *x)
{
    struct list_entry e = x->in.entry;
    int len = name_it(x, &e);

    if (len < 0)
        return len;
    e.path = x->here;
    e.path_len = (uint32_t)len;
    if (x->out_len + LIST_ENTRY_MAX > OUT_BYTES) {
        int err = flush(x);
        if (err)
            return err;
    }
    int n = list_write(&x->list, &e, x->out + x->out_len, OUT_BYTES - x->out_len);
    x->out_len += n > 0 ? (size_t)n : 0;
    return n < 0 ? n : 0;
}

static int plan_all(struct planning *x)
{
    int got, err = 0;

    x->out_len = (size_t)list_write_head(&x->list, x->out, OUT_BYTES);
    index_rewind(&x->in);
    while (!err && (got = index_next(&x->in)) > 0)
        err = plan_one(x);
    if (!err)
        err = got;
    if (!err && x->out_len + LIST_ENTRY_MAX > OUT_BYTES)
        err = flush(x);
    if (err)
        return err;
    int n = list_write_end(&x->list, x->out + x->out_len, OUT_BYTES - x->out_len);
    x->out_len += n > 0 ? (size_t)n : 0;
    return n < 0 ? n : flush(x);
}

static int open_plan(struct disk_part *p)
{
    if (p->plan < 0)
        p->plan = part_open_file(p, "plan", O_RDWR | O_CREAT);
    if (p->plan < 0 || p->os->truncate(p->os->ctx, p->plan, 0))
        return disk_error();
    p->plan_size = 0;
    if (p->has_index)
        index_close(&p->index);
    p->has_index = false;
    return 0;
}

int part_plan(struct disk_part *p, uint64_t list_size, const uint8_t *root)
{
    struct planning *x = calloc(1, sizeof *x);
    int err = -ROOST_NOMEM;

    if (!x || !(x->out = malloc(OUT_BYTES)))
        goto out;
    x->p = p;
    x->taken.seed = p->settings.seed;
    err = index_open(&x->in, p->os, p->list, list_size, root);
    if (!err)
        err = open_plan(p);
    if (!err)
        err = plan_all(x);
    if (!err)
        err = index_open(&p->index, p->os, p->plan, p->plan_size, NULL);
    p->has_index = !err;
out:
    if (x) {
        index_close(&x->in);
        names_taken_fini(&x->taken);
        free(x->out);
    }
    free(x);
    return err;
}
