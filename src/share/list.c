#include "share/list.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/cursor.h"

const char list_label[13] = "roost list 1";
static const char head[4] = "RLS1";
enum { MODE_MAX = 0777 };
#define MTIME_MAX (1LL << 40)

/* Parts with "/" between them; none empty, "." or "..". */
static bool is_path(const char *path, uint32_t len)
{
    uint32_t begun = 0, depth = 1;

    if (!len || len > LIST_PATH_MAX || !utf8_valid(path, len))
        return false;
    for (uint32_t i = 0; i <= len; i++) {
        if (i < len && path[i] != '/')
            continue;
        uint32_t n = i - begun;
        if (!n || (n == 1 && path[begun] == '.') || (n == 2 && !memcmp(path + begun, "..", 2)))
            return false;
        begun = i + 1;
        depth += i < len;
    }
    return depth <= LIST_DEPTH_MAX;
}

static uint32_t parent_len(const char *path, uint32_t len)
{
    while (len && path[len - 1] != '/')
        len--;
    return len ? len - 1 : 0;
}

/* Depth first: its folder is the one that stands open, or around it. */
static bool is_in(const char *path, uint32_t len, const char *folder, uint32_t folder_len)
{
    uint32_t n = parent_len(path, len);

    return n <= folder_len && !memcmp(path, folder, n) &&
           (!n || n == folder_len || folder[n] == '/');
}

/* --- writing ----------------------------------------------------------------------------- */

int list_write_head(struct list_writer *w, uint8_t *bytes, size_t cap)
{
    if (cap < sizeof head)
        return -ROOST_LIMIT;
    *w = (struct list_writer){ 0 };
    memcpy(bytes, head, sizeof head);
    return sizeof head;
}

static uint32_t shared(const struct list_writer *w, const char *path, uint32_t len)
{
    uint32_t n = 0, most = len < w->last_len ? len : w->last_len;

    if (w->entries % LIST_STEP == 0)
        return 0;
    while (n < most && path[n] == w->last[n])
        n++;
    return n;
}

int list_write(struct list_writer *w, struct list_entry *e, uint8_t *bytes, size_t cap)
{
    struct writer out = writer_of(bytes, cap);

    if (!is_path(e->path, e->path_len) || e->mode > MODE_MAX || e->kind < LIST_FILE ||
        e->kind > LIST_LINK)
        return -ROOST_INVALID;
    if (w->entries >= LIST_ENTRIES_MAX || e->size > TREE_SIZE_MAX - w->body)
        return -ROOST_LIMIT;
    uint32_t same = shared(w, e->path, e->path_len);
    write_u8(&out, (uint8_t)e->kind);
    write_var(&out, e->mode);
    write_var(&out, e->mtime_s < 0 ? 0 : e->mtime_s > MTIME_MAX ? MTIME_MAX : (uint64_t)e->mtime_s);
    if (e->kind == LIST_FILE)
        write_var(&out, e->size);
    write_var(&out, same);
    write_var(&out, e->path_len - same);
    write_bytes(&out, e->path + same, e->path_len - same);
    if (out.full)
        return -ROOST_LIMIT;
    memcpy(w->last, e->path, e->path_len);
    w->last_len = e->path_len;
    w->entries++;
    e->at = w->body;
    w->body += e->kind == LIST_FILE ? e->size : 0;
    return (int)(out.p - bytes);
}

int list_write_end(struct list_writer *w, uint8_t *bytes, size_t cap)
{
    struct writer out = writer_of(bytes, cap);

    write_u8(&out, LIST_END);
    write_var(&out, w->entries);
    write_var(&out, w->body);
    return out.full ? -ROOST_LIMIT : (int)(out.p - bytes);
}

/* --- reading ----------------------------------------------------------------------------- */

void list_read_from(struct list_reader *r, uint64_t entry, uint64_t body)
{
    *r = (struct list_reader){ .entries = entry, .body = body, .begun = true, .middle = true };
}

/* The path of the entry whose last numbers come now; false: it is none. */
static bool read_path(struct list_reader *r, struct reader *in)
{
    uint64_t same = read_var(in), rest = read_var(in);

    if (in->bad)
        return true; /* not there yet */
    if (same > r->path_len || rest > LIST_PATH_MAX - same || (same && r->entries % LIST_STEP == 0))
        return false;
    const uint8_t *p = read_bytes(in, (size_t)rest);
    if (!p)
        return true;
    memcpy(r->path + same, p, (size_t)rest);
    r->path_len = (uint32_t)(same + rest);
    r->path[r->path_len] = '\0';
    return is_path(r->path, r->path_len) &&
           (r->middle || is_in(r->path, r->path_len, r->folder, r->folder_len));
}

static int read_end(struct list_reader *r, struct reader *in, struct list_entry *e)
{
    uint64_t entries = read_var(in), body = read_var(in);

    if (in->bad)
        return 0;
    if (entries != r->entries || body != r->body)
        return -ROOST_MALFORMED;
    r->over = true;
    *e = (struct list_entry){ .kind = LIST_END, .at = r->body, .path = "" };
    return 1;
}

/* 1: an entry; 0: it is not all there, nothing was changed. */
static int read_entry(struct list_reader *r, struct reader *in, struct list_entry *e)
{
    struct list_entry n = { .kind = (enum list_kind)read_u8(in), .at = r->body };

    if (in->bad)
        return 0;
    if (n.kind == LIST_END)
        return read_end(r, in, e);
    if (n.kind > LIST_LINK)
        return -ROOST_MALFORMED;
    uint64_t mode = read_var(in), mtime = read_var(in);
    n.size = n.kind == LIST_FILE ? read_var(in) : 0;
    if (mode > MODE_MAX || mtime > MTIME_MAX)
        return -ROOST_MALFORMED;
    if (n.size > TREE_SIZE_MAX - r->body)
        return -ROOST_LIMIT;
    if (!read_path(r, in))
        return -ROOST_MALFORMED;
    if (in->bad)
        return 0;
    if (r->entries >= LIST_ENTRIES_MAX)
        return -ROOST_LIMIT;
    n.mode = (uint32_t)mode;
    n.mtime_s = (int64_t)mtime;
    n.path = r->path;
    n.path_len = r->path_len;
    r->entries++;
    r->body += n.size;
    r->folder_len = n.kind == LIST_DIRECTORY ? n.path_len : parent_len(n.path, n.path_len);
    memcpy(r->folder, n.path, r->folder_len);
    r->folder[r->folder_len] = '\0';
    *e = n;
    return 1;
}

static int read_head(struct list_reader *r, struct reader *in)
{
    const uint8_t *p = read_bytes(in, sizeof head);

    if (!p)
        return 0;
    r->begun = true;
    return memcmp(p, head, sizeof head) ? -ROOST_MALFORMED : 1;
}

/* The next entry out of len bytes; how many of them were used, the head included. */
static int parse(struct list_reader *r, const uint8_t *bytes, size_t len, size_t *used,
                 struct list_entry *e)
{
    struct reader in = reader_of(bytes, len);
    int got = 1;

    *used = 0;
    if (!r->begun) { /* by itself, so that it is not read twice */
        got = read_head(r, &in);
        *used = got == 1 ? sizeof head : 0;
    }
    if (got == 1)
        got = read_entry(r, &in, e);
    if (got == 1)
        *used = (size_t)(in.p - bytes);
    return got;
}

/* What is not all there is kept until more comes. No entry is so long that it does not fit. */
static int keep(struct list_reader *r, const uint8_t *bytes, size_t len)
{
    if (len > LIST_ENTRY_MAX - sizeof head)
        return -ROOST_MALFORMED;
    memmove(r->piece, bytes, len);
    r->piece_len = (uint32_t)len;
    return 0;
}

int list_read(struct list_reader *r, const uint8_t **bytes, size_t *len, struct list_entry *e)
{
    uint32_t had = r->piece_len;
    size_t more = LIST_ENTRY_MAX - had, used;

    if (r->over)
        return -ROOST_MALFORMED;
    more = *len < more ? *len : more;
    if (had && more)
        memcpy(r->piece + had, *bytes, more);
    const uint8_t *all = had ? r->piece : *bytes;
    size_t n = had ? had + more : *len;
    int got = parse(r, all, n, &used, e);
    if (got < 0)
        return got;
    if (got == 0)
        got = keep(r, all + used, n - used);
    else
        r->piece_len = 0;
    size_t took = got == 1 ? used - had : *len;
    *bytes += took;
    *len -= took;
    return got;
}
