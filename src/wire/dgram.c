#include "wire/dgram.h"

#include "base/err.h"

/* --- reading ----------------------------------------------------------------------- */

/* Below zero is odd: small differences of either sign are short. */
static uint64_t fold(int64_t n)
{
    return n < 0 ? ((uint64_t)-n << 1) - 1 : (uint64_t)n << 1;
}

static int64_t unfold(uint64_t n)
{
    return n & 1 ? -(int64_t)(n >> 1) - 1 : (int64_t)(n >> 1);
}

static bool read_ranges(struct reader *r, struct ack *a)
{
    uint64_t largest = read_var(r);

    a->delay_us = read_var(r);
    uint64_t more = read_var(r), length = read_var(r);
    if (r->bad || more >= ACK_RANGES_MAX || length > largest)
        return false;
    a->ranges[0] = (struct ack_range){ largest - length, largest };
    for (a->n_ranges = 1; a->n_ranges <= more; a->n_ranges++) {
        uint64_t below = a->ranges[a->n_ranges - 1].first, gap = read_var(r);
        length = read_var(r);
        if (r->bad || gap + 2 > below || length > below - gap - 2)
            return false;
        uint64_t last = below - gap - 2;
        a->ranges[a->n_ranges] = (struct ack_range){ last - length, last };
    }
    return true;
}

static uint64_t acked(const struct ack *a)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < a->n_ranges; i++)
        n += a->ranges[i].last - a->ranges[i].first + 1;
    return n;
}

static bool read_times(struct reader *r, struct ack *a)
{
    uint64_t n = read_var(r);

    if (n > ACK_TIMES_MAX || n > acked(a))
        return false;
    for (a->n_times = 0; a->n_times < n; a->n_times++) {
        uint64_t raw = read_var(r);
        if (raw > CURSOR_VAR_MAX / ACK_TIMES_MAX) /* no sum of so few overflows */
            return false;
        a->times_us[a->n_times] = a->n_times ? a->times_us[a->n_times - 1] - unfold(raw)
                                             : (int64_t)raw;
    }
    return true;
}

static bool read_ack(struct reader *r, struct ack *a, bool ecn)
{
    *a = (struct ack){ .ecn = ecn };
    if (!read_ranges(r, a) || !read_times(r, a))
        return false;
    if (ecn) {
        a->ect0 = read_var(r);
        a->ect1 = read_var(r);
        a->ce = read_var(r);
    }
    return true;
}

static bool read_stream(struct reader *r, struct dgram_stream *s, bool end)
{
    s->id = read_var(r);
    s->offset = read_var(r);
    s->len = (size_t)read_var(r);
    s->bytes = read_bytes(r, s->len);
    s->end = end;
    return !r->bad && s->offset + s->len <= CURSOR_VAR_MAX && (s->len || end);
}

static bool read_observed(struct reader *r, struct dgram_address *a)
{
    const uint8_t *bytes;

    a->len = read_u8(r);
    if (a->len != 4 && a->len != 16)
        return false;
    bytes = read_bytes(r, a->len);
    if (bytes)
        memcpy(a->address, bytes, a->len);
    a->port = (uint16_t)read_number(r, 2);
    return true;
}

static bool read_close(struct reader *r, struct dgram_close *c)
{
    c->code = read_var(r);
    c->len = (size_t)read_var(r);
    c->text = (const char *)read_bytes(r, c->len);
    return c->len <= CLOSE_TEXT_MAX;
}

/* Zeros to the end, and nothing else. */
static bool read_padding(struct reader *r)
{
    while (reader_left(r))
        if (read_u8(r))
            return false;
    return true;
}

static bool read_body(struct reader *r, struct dgram *f, struct ack *ack)
{
    switch (f->kind) {
    case DGRAM_PAD:
        return read_padding(r);
    case DGRAM_PING:
        return true;
    case DGRAM_ACK:
    case DGRAM_ACK_ECN:
        return read_ack(r, ack, f->kind == DGRAM_ACK_ECN);
    case DGRAM_STREAM:
    case DGRAM_STREAM_END:
        return read_stream(r, &f->stream, f->kind == DGRAM_STREAM_END);
    case DGRAM_MAX_STREAM:
        f->max.id = read_var(r);
        f->max.value = read_var(r);
        return true;
    case DGRAM_MAX_DATA:
    case DGRAM_MAX_STREAMS:
    case DGRAM_MAX_RATE:
        f->max.value = read_var(r);
        return true;
    case DGRAM_RESET:
    case DGRAM_STOP:
        f->reset.id = read_var(r);
        f->reset.code = read_var(r);
        f->reset.length = f->kind == DGRAM_RESET ? read_var(r) : 0;
        return true;
    case DGRAM_PATH:
    case DGRAM_PATH_BACK:
        f->path = read_bytes(r, PATH_BYTES);
        return true;
    case DGRAM_OBSERVED:
        return read_observed(r, &f->observed);
    case DGRAM_CLOSE:
        return read_close(r, &f->close);
    case DGRAM_MEDIA:
        return media_read(r, &f->media);
    case DGRAM_NACK:
        return nack_read(r, &f->nack);
    case DGRAM_KEYFRAME:
        return media_ask_read(r, &f->keyframe);
    case DGRAM_FEEDBACK:
        return feedback_read(r, &f->feedback);
    case DGRAM_KINDS:
        break;
    }
    return false;
}

int dgram_read(struct reader *r, struct dgram *ret, struct ack *ack)
{
    if (r->p == r->end)
        return 0;
    *ret = (struct dgram){ .kind = read_u8(r) };
    return read_body(r, ret, ack) && !r->bad ? 1 : -ROOST_MALFORMED;
}

/* --- writing ------------------------------------------------------------------------ */

static void write_stream(struct writer *w, const struct dgram_stream *s)
{
    write_var(w, s->id);
    write_var(w, s->offset);
    write_var(w, s->len);
    write_bytes(w, s->bytes, s->len);
}

static void write_body(struct writer *w, const struct dgram *f)
{
    switch (f->kind) {
    case DGRAM_STREAM:
    case DGRAM_STREAM_END:
        write_stream(w, &f->stream);
        break;
    case DGRAM_MAX_STREAM:
        write_var(w, f->max.id);
        write_var(w, f->max.value);
        break;
    case DGRAM_MAX_DATA:
    case DGRAM_MAX_STREAMS:
    case DGRAM_MAX_RATE:
        write_var(w, f->max.value);
        break;
    case DGRAM_RESET:
    case DGRAM_STOP:
        write_var(w, f->reset.id);
        write_var(w, f->reset.code);
        if (f->kind == DGRAM_RESET)
            write_var(w, f->reset.length);
        break;
    case DGRAM_PATH:
    case DGRAM_PATH_BACK:
        write_bytes(w, f->path, PATH_BYTES);
        break;
    case DGRAM_OBSERVED:
        write_u8(w, f->observed.len);
        write_bytes(w, f->observed.address, f->observed.len);
        write_number(w, f->observed.port, 2);
        break;
    case DGRAM_CLOSE:
        write_var(w, f->close.code);
        write_var(w, f->close.len);
        write_bytes(w, f->close.text, f->close.len);
        break;
    case DGRAM_MEDIA:
        media_write(w, &f->media);
        break;
    case DGRAM_NACK:
        nack_write(w, &f->nack);
        break;
    case DGRAM_KEYFRAME:
        media_ask_write(w, &f->keyframe);
        break;
    case DGRAM_FEEDBACK:
        feedback_write(w, &f->feedback);
        break;
    case DGRAM_PAD: /* to the end */
        while (writer_left(w))
            write_u8(w, 0);
        break;
    case DGRAM_PING:
    case DGRAM_ACK: /* dgram_write_ack */
    case DGRAM_ACK_ECN:
    case DGRAM_KINDS:
        break;
    }
}

/* What did not fit was never begun. */
static bool end_write(struct writer *w, struct writer begun)
{
    if (!w->full)
        return true;
    *w = begun;
    return false;
}

bool dgram_write(struct writer *w, const struct dgram *f)
{
    struct writer begun = *w;
    bool is_end = f->kind == DGRAM_STREAM && f->stream.end;

    write_u8(w, is_end ? DGRAM_STREAM_END : (uint8_t)f->kind);
    write_body(w, f);
    return end_write(w, begun);
}

static void write_ack(struct writer *w, const struct ack *a, uint32_t n_ranges, uint32_t n_times)
{
    const struct ack_range *r = a->ranges;

    write_u8(w, a->ecn ? DGRAM_ACK_ECN : DGRAM_ACK);
    write_var(w, r->last);
    write_var(w, a->delay_us);
    write_var(w, n_ranges - 1);
    write_var(w, r->last - r->first);
    for (uint32_t i = 1; i < n_ranges; i++) {
        write_var(w, r[i - 1].first - r[i].last - 2);
        write_var(w, r[i].last - r[i].first);
    }
    write_var(w, n_times);
    for (uint32_t i = 0; i < n_times; i++)
        write_var(w, i ? fold(a->times_us[i - 1] - a->times_us[i]) : (uint64_t)a->times_us[0]);
    if (a->ecn) {
        write_var(w, a->ect0);
        write_var(w, a->ect1);
        write_var(w, a->ce);
    }
}

bool dgram_write_ack(struct writer *w, const struct ack *a)
{
    uint32_t ranges = a->n_ranges, times = a->n_times;

    for (;;) {
        struct writer begun = *w;
        write_ack(w, a, ranges, times);
        if (end_write(w, begun))
            return true;
        if (times) /* they help to estimate; ranges say what is to be sent again */
            times /= 2;
        else if (ranges > 1)
            ranges = (ranges + 1) / 2;
        else
            return false;
    }
}
