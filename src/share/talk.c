#include "share/talk.h"

#include <string.h>

#include "base/err.h"

/* --- writing ------------------------------------------------------------------------------- */

void talk_write_head(struct writer *w, enum talk_kind kind, uint32_t len)
{
    write_u8(w, kind);
    write_number(w, len, 3);
}

enum {
    ABOUT_SIZE = 1,
    ABOUT_ROOT = 2,
    ABOUT_STREAM = 4,
    ABOUT_LIST = 8,
    ABOUT_SPARSE = 16,
    ABOUT_ALL = 31
};

static void write_about(struct writer *w, const struct about *a)
{
    bool sized = a->size != TREE_UNKNOWN;

    write_u8(w, (uint8_t)((sized ? ABOUT_SIZE : 0) | (a->has_root ? ABOUT_ROOT : 0) |
                          (a->stream ? ABOUT_STREAM : 0) | (a->list_size ? ABOUT_LIST : 0) |
                          (a->sparse ? ABOUT_SPARSE : 0)));
    write_number(w, (uint64_t)a->mtime_ns, 8);
    if (sized)
        write_var(w, a->size);
    if (a->has_root)
        write_bytes(w, a->root, TREE_HASH);
    if (a->list_size) {
        write_var(w, a->list_size);
        write_bytes(w, a->list_root, TREE_HASH);
    }
    if (a->sparse)
        write_var(w, a->filled);
}

static void write_block(struct writer *w, const struct talk *t)
{
    write_var(w, t->block.index);
    if (t->block.leaf)
        write_bytes(w, t->block.leaf, TREE_HASH);
    write_bytes(w, t->block.bytes, t->block.len);
}

static void write_body(struct writer *w, const struct talk *t)
{
    switch (t->kind) {
    case TALK_BEGIN:
        write_u8(w, TALK_VERSION);
        write_u8(w, (uint8_t)t->begin.role);
        write_bytes(w, t->begin.token, TALK_TOKEN);
        break;
    case TALK_ABOUT:
        write_about(w, &t->about);
        break;
    case TALK_LIST:
        write_bytes(w, t->list.bytes, t->list.len);
        break;
    case TALK_PAGES:
    case TALK_PAGE:
        write_var(w, t->pages.first);
        write_bytes(w, t->pages.hashes, (size_t)t->pages.n * TREE_HASH);
        break;
    case TALK_BLOCK:
    case TALK_LEAFED:
        write_block(w, t);
        break;
    case TALK_END:
        write_var(w, t->end.size);
        write_bytes(w, t->end.root, TREE_HASH);
        break;
    case TALK_HAVE:
    case TALK_VERIFIED:
        write_bytes(w, t->runs.bytes, t->runs.len);
        break;
    case TALK_LIST_WANT:
        write_var(w, t->list_from);
        break;
    case TALK_WANT:
        write_var(w, t->want.from);
        write_var(w, t->want.count);
        break;
    case TALK_DONE:
        write_bytes(w, t->end.root, TREE_HASH);
        break;
    case TALK_CANCEL:
        write_var(w, t->why);
        break;
    case TALK_PAUSE:
    case TALK_GO:
        break;
    }
}

void talk_write(struct writer *w, const struct talk *t)
{
    uint8_t *head = write_room(w, TALK_HEAD), *body = w->p;

    write_body(w, t);
    if (w->full)
        return;
    struct writer h = writer_of(head, TALK_HEAD);
    talk_write_head(&h, t->kind, (uint32_t)(w->p - body));
}

/* --- reading -------------------------------------------------------------------------------- */

/* The longest body of each kind; -1: there is no such kind. */
static int32_t most_of(uint8_t kind)
{
    switch (kind) {
    case TALK_BEGIN:
        return 2 + TALK_TOKEN;
    case TALK_ABOUT:
        return 1 + 8 + 8 + TREE_HASH + 8 + TREE_HASH + 8;
    case TALK_LIST:
        return TREE_BLOCK;
    case TALK_PAGES:
        return 8 + TALK_PAGES_EACH * TREE_HASH;
    case TALK_PAGE:
        return 8 + TREE_PAGE * TREE_HASH;
    case TALK_BLOCK:
        return 8 + TREE_BLOCK;
    case TALK_LEAFED:
        return 8 + TREE_HASH + TREE_BLOCK;
    case TALK_END:
        return 8 + TREE_HASH;
    case TALK_HAVE:
    case TALK_VERIFIED:
        return HELD_PACKED_MAX;
    case TALK_LIST_WANT:
    case TALK_CANCEL:
        return 8;
    case TALK_WANT:
        return 16;
    case TALK_DONE:
        return TREE_HASH;
    case TALK_PAUSE:
    case TALK_GO:
        return 0;
    default:
        return -1;
    }
}

int talk_read_head(const uint8_t *bytes, size_t len, enum talk_kind *kind, uint32_t *ret_len)
{
    struct reader r = reader_of(bytes, len);
    uint8_t k = read_u8(&r);
    uint32_t n = (uint32_t)read_number(&r, 3);

    if (len && most_of(bytes[0]) < 0)
        return -ROOST_MALFORMED;
    if (r.bad)
        return 0;
    if ((int32_t)n > most_of(k))
        return -ROOST_MALFORMED;
    *kind = (enum talk_kind)k;
    *ret_len = n;
    return 1;
}

static void read_hash(struct reader *r, uint8_t ret[TREE_HASH])
{
    const uint8_t *p = read_bytes(r, TREE_HASH);

    if (p)
        memcpy(ret, p, TREE_HASH);
}

static bool read_about(struct reader *r, struct about *a)
{
    uint8_t flags = read_u8(r);

    *a = (struct about){ .size = TREE_UNKNOWN };
    a->mtime_ns = (int64_t)read_number(r, 8);
    a->stream = flags & ABOUT_STREAM;
    a->has_root = flags & ABOUT_ROOT;
    if (flags & ABOUT_SIZE)
        a->size = read_var(r);
    if (a->has_root)
        read_hash(r, a->root);
    if (flags & ABOUT_LIST) {
        a->list_size = read_var(r);
        read_hash(r, a->list_root);
    }
    a->sparse = flags & ABOUT_SPARSE;
    if (a->sparse)
        a->filled = read_var(r);
    bool sized = flags & ABOUT_SIZE;
    return flags <= ABOUT_ALL && (!sized || a->size <= TREE_SIZE_MAX) &&
           !(flags & ABOUT_LIST && (!a->list_size || !sized)) && (!a->has_root || sized) &&
           (!a->sparse || (sized && a->filled < a->size));
}

static bool read_pages(struct reader *r, struct talk *t, uint64_t most)
{
    uint64_t first = read_var(r);

    if (r->bad || first >= TREE_PAGES_MAX || reader_left(r) % TREE_HASH)
        return false;
    t->pages.first = (uint32_t)first;
    t->pages.n = (uint32_t)(reader_left(r) / TREE_HASH);
    t->pages.hashes = read_bytes(r, reader_left(r));
    return t->pages.n && t->pages.n <= most && first + t->pages.n <= TREE_PAGES_MAX;
}

static bool read_block(struct reader *r, struct talk *t)
{
    t->block.index = read_var(r);
    t->block.leaf = t->kind == TALK_LEAFED ? read_bytes(r, TREE_HASH) : NULL;
    t->block.len = (uint32_t)reader_left(r);
    t->block.bytes = read_bytes(r, t->block.len);
    return !r->bad && t->block.len <= TREE_BLOCK && t->block.index < TREE_SIZE_MAX / TREE_BLOCK;
}

static bool read_begin(struct reader *r, struct talk *t)
{
    read_u8(r); /* the version: talk_read_begin looks at it */
    uint8_t role = read_u8(r);
    t->begin.role = (enum talk_role)role;
    t->begin.token = read_bytes(r, TALK_TOKEN);
    return role == TALK_SENDS || role == TALK_RECEIVES;
}

static bool read_rest(struct reader *r, struct talk *t)
{
    switch (t->kind) {
    case TALK_BEGIN:
        return read_begin(r, t);
    case TALK_ABOUT:
        return read_about(r, &t->about);
    case TALK_LIST:
    case TALK_HAVE:
    case TALK_VERIFIED:
        t->list.len = (uint32_t)reader_left(r);
        t->list.bytes = read_bytes(r, t->list.len);
        return t->list.len || t->kind == TALK_HAVE;
    case TALK_PAGES:
        return read_pages(r, t, TALK_PAGES_EACH);
    case TALK_PAGE:
        return read_pages(r, t, TREE_PAGE);
    case TALK_BLOCK:
    case TALK_LEAFED:
        return read_block(r, t);
    case TALK_END:
        t->end.size = read_var(r);
        t->end.root = read_bytes(r, TREE_HASH);
        return t->end.size <= TREE_SIZE_MAX;
    case TALK_LIST_WANT:
        t->list_from = read_var(r);
        return true;
    case TALK_WANT:
        t->want.from = read_var(r);
        t->want.count = read_var(r);
        return true;
    case TALK_DONE:
        t->end.root = read_bytes(r, TREE_HASH);
        return true;
    case TALK_CANCEL:
        t->why = (uint32_t)read_var(r);
        return t->why > 0 && t->why < 1 << 14;
    case TALK_PAUSE:
    case TALK_GO:
        return true;
    }
    return false;
}

int talk_read(struct talk *ret, enum talk_kind kind, const uint8_t *body, uint32_t len)
{
    struct reader r = reader_of(body, len);
    struct talk t = { .kind = kind };

    if (!read_rest(&r, &t) || r.bad || reader_left(&r))
        return -ROOST_MALFORMED;
    *ret = t;
    return 0;
}

int talk_read_begin(const uint8_t *bytes, size_t len, enum talk_role *role,
                    uint8_t token[static TALK_TOKEN])
{
    enum talk_kind kind;
    uint32_t body;
    struct talk t;
    int got = talk_read_head(bytes, len, &kind, &body);

    if (got < 0 || (len && bytes[0] != TALK_BEGIN))
        return -ROOST_MALFORMED;
    if (got == 0 || len < (size_t)TALK_HEAD + body)
        return 0;
    if (body && bytes[TALK_HEAD] != TALK_VERSION)
        return -ROOST_VERSION;
    if (talk_read(&t, kind, bytes + TALK_HEAD, body))
        return -ROOST_MALFORMED;
    *role = t.begin.role;
    memcpy(token, t.begin.token, TALK_TOKEN);
    return (int)(TALK_HEAD + body);
}
