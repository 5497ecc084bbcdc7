#include "wire/media.h"

enum { LEVEL = 0x08, MARK = 0x10, UNUSED = 0x20, DEPENDS_SHIFT = 6 };

/* --- reading ------------------------------------------------------------------------- */

static uint16_t read_below(struct reader *r, uint64_t least, uint64_t most)
{
    uint64_t n = read_var(r);

    if (n < least || n > most)
        r->bad = true;
    return r->bad ? 0 : (uint16_t)n;
}

static void read_frame(struct reader *r, struct media *m)
{
    uint8_t layers;

    m->stream = read_var(r);
    layers = read_u8(r);
    m->encoding = layers >> 4;
    m->temporal = layers & 15;
    m->codec = read_u8(r);
    uint64_t key_id = read_var(r);
    m->key_id = (uint32_t)key_id;
    m->frame = read_var(r);
    m->timestamp = (uint32_t)read_number(r, 4);
    if (m->encoding >= MEDIA_ENCODINGS || m->temporal >= MEDIA_TEMPORALS || !m->codec ||
        m->codec >= MEDIA_CODECS || key_id > UINT32_MAX)
        r->bad = true;
}

/* A key frame needs none, and none is before the first. */
static void read_depends(struct reader *r, struct media *m)
{
    for (int i = 0; i < m->n_depends; i++) {
        m->depends[i] = read_below(r, 1, UINT16_MAX);
        if (m->key || m->depends[i] > m->frame)
            r->bad = true;
    }
}

bool media_read(struct reader *r, struct media *ret)
{
    uint8_t flags = read_u8(r);
    struct media m = { .key = flags & MEDIA_KEY,
                       .last = flags & MEDIA_LAST,
                       .silence = flags & MEDIA_SILENCE,
                       .has_level = flags & LEVEL,
                       .has_mark = flags & MARK,
                       .n_depends = flags >> DEPENDS_SHIFT };

    read_frame(r, &m);
    m.part = read_below(r, 0, MEDIA_PARTS_MAX - 1);
    read_depends(r, &m);
    m.count = (uint16_t)read_number(r, 2);
    m.level = m.has_level ? read_u8(r) : 0;
    const uint8_t *mark = m.has_mark ? read_bytes(r, MEDIA_MARK) : NULL;
    if (mark)
        memcpy(m.mark, mark, MEDIA_MARK);
    m.len = read_below(r, 1, MEDIA_PART_MAX);
    bool many = m.part || !m.last;
    if (r->bad || flags & UNUSED || m.level > 127 || (many && !m.has_mark))
        return false;
    *ret = m;
    return true;
}

bool nack_read(struct reader *r, struct nack *ret)
{
    struct nack n = { .stream = read_var(r) };

    n.n = 1 + read_below(r, 0, NACK_GAPS_MAX - 1);
    for (uint32_t i = 0; i < n.n; i++) {
        n.gaps[i].first = (uint16_t)read_number(r, 2);
        n.gaps[i].more = (uint16_t)read_number(r, 2);
    }
    if (!r->bad)
        *ret = n;
    return !r->bad;
}

bool media_ask_read(struct reader *r, struct media_ask *ret)
{
    struct media_ask a = { .stream = read_var(r) };

    a.encoding = read_u8(r);
    if (r->bad || a.encoding >= MEDIA_ENCODINGS)
        return false;
    *ret = a;
    return true;
}

bool feedback_read(struct reader *r, struct feedback *ret)
{
    struct feedback f = { .stream = read_var(r) };

    f.received = read_var(r);
    f.lost = read_var(r);
    f.repaired = read_var(r);
    f.concealed_ms = read_var(r);
    f.jitter_us = read_var(r);
    f.held_us = read_var(r);
    f.why = read_u8(r);
    if (!r->bad)
        *ret = f;
    return !r->bad;
}

/* --- writing ---------------------------------------------------------------------------- */

static uint8_t frame_flags(const struct media *m)
{
    return (uint8_t)((m->key ? MEDIA_KEY : 0) | (m->silence ? MEDIA_SILENCE : 0) |
                     m->n_depends << DEPENDS_SHIFT);
}

static void write_frame(struct writer *w, const struct media *m)
{
    write_var(w, m->stream);
    write_u8(w, (uint8_t)(m->encoding << 4 | m->temporal));
    write_u8(w, m->codec);
    write_var(w, m->key_id);
    write_var(w, m->frame);
    write_number(w, m->timestamp, 4);
}

static void write_depends(struct writer *w, const struct media *m)
{
    for (int i = 0; i < m->n_depends; i++)
        write_var(w, m->depends[i]);
}

void media_write(struct writer *w, const struct media *m)
{
    write_u8(w, (uint8_t)(frame_flags(m) | (m->last ? MEDIA_LAST : 0) | (m->has_level ? LEVEL : 0) |
                          (m->has_mark ? MARK : 0)));
    write_frame(w, m);
    write_var(w, m->part);
    write_depends(w, m);
    write_number(w, m->count, 2);
    if (m->has_level)
        write_u8(w, m->level);
    if (m->has_mark)
        write_bytes(w, m->mark, MEDIA_MARK);
    write_var(w, m->len);
}

size_t media_bytes(const struct media *m)
{
    size_t n = 1 + 1 + 1 + 1 + 4 + 2 + (m->has_level ? 1 : 0) + (m->has_mark ? MEDIA_MARK : 0);

    for (int i = 0; i < m->n_depends; i++)
        n += var_bytes(m->depends[i]);
    return n + var_bytes(m->stream) + var_bytes(m->key_id) + var_bytes(m->frame) +
           var_bytes(m->part) + var_bytes(m->len);
}

void nack_write(struct writer *w, const struct nack *n)
{
    write_var(w, n->stream);
    write_var(w, n->n - 1);
    for (uint32_t i = 0; i < n->n; i++) {
        write_number(w, n->gaps[i].first, 2);
        write_number(w, n->gaps[i].more, 2);
    }
}

void media_ask_write(struct writer *w, const struct media_ask *a)
{
    write_var(w, a->stream);
    write_u8(w, a->encoding);
}

void feedback_write(struct writer *w, const struct feedback *f)
{
    write_var(w, f->stream);
    write_var(w, f->received);
    write_var(w, f->lost);
    write_var(w, f->repaired);
    write_var(w, f->concealed_ms);
    write_var(w, f->jitter_us);
    write_var(w, f->held_us);
    write_u8(w, f->why);
}

size_t media_also(const struct media *m, uint64_t meeting, uint32_t epoch, uint32_t sender,
                  uint8_t ret[static MEDIA_ALSO_MAX])
{
    struct writer w = writer_of(ret, MEDIA_ALSO_MAX);

    write_number(&w, meeting, 8);
    write_number(&w, epoch, 4);
    write_number(&w, sender, 4);
    write_u8(&w, frame_flags(m));
    write_frame(&w, m);
    write_depends(&w, m);
    return (size_t)(w.p - ret);
}
