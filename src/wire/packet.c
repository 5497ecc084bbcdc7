#include "wire/packet.h"

#include "base/err.h"
#include "wire/cursor.h"

enum {
    FLAG_OURS = 0x40,
    FLAG_TAIL = 0x20,
    FLAG_PHASE = 0x10,
    FLAG_CLIENT = 0x08,
    FLAGS = FLAG_TAIL | FLAG_PHASE | FLAG_CLIENT
};

static void read_rest(struct packet *ret, struct reader *r, uint8_t *bytes)
{
    size_t left = reader_left(r);

    if (ret->has_tail) {
        ret->frames_len = (size_t)read_number(r, 2);
        left = reader_left(r);
        if (left <= ret->frames_len + PACKET_TAG)
            r->bad = true;
    } else {
        ret->frames_len = left > PACKET_TAG ? left - PACKET_TAG : 0;
    }
    if (!ret->frames_len)
        r->bad = true;
    if (r->bad)
        return;
    ret->head_len = (size_t)(r->p - bytes);
    ret->frames = bytes + ret->head_len;
    ret->tail = ret->frames + ret->frames_len + PACKET_TAG;
    ret->tail_len = left - ret->frames_len - PACKET_TAG;
}

int packet_read(struct packet *ret, uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    uint8_t flags = read_u8(&r);

    if ((flags & ~FLAGS) != FLAG_OURS)
        return -ROOST_MALFORMED;
    *ret = (struct packet){
        .from_client = flags & FLAG_CLIENT,
        .phase = flags & FLAG_PHASE,
        .has_tail = flags & FLAG_TAIL,
    };
    ret->session = (uint32_t)read_number(&r, 4);
    ret->number = (uint32_t)read_number(&r, 4);
    read_rest(ret, &r, bytes);
    return r.bad ? -ROOST_MALFORMED : 0;
}

size_t packet_write_head(uint8_t bytes[static PACKET_HEAD_TAIL], const struct packet *p)
{
    struct writer w = writer_of(bytes, PACKET_HEAD_TAIL);

    write_u8(&w, (uint8_t)(FLAG_OURS | (p->has_tail ? FLAG_TAIL : 0) | (p->phase ? FLAG_PHASE : 0) |
                           (p->from_client ? FLAG_CLIENT : 0)));
    write_number(&w, p->session, 4);
    write_number(&w, p->number, 4);
    if (p->has_tail)
        write_number(&w, p->frames_len, 2);
    return (size_t)(w.p - bytes);
}

uint64_t packet_number(uint64_t next, uint32_t low)
{
    static const uint64_t window = 1ULL << 32;
    uint64_t near = (next & ~(window - 1)) | low;

    if (near + window / 2 <= next && near < UINT64_MAX - window)
        return near + window;
    if (near > next + window / 2 && near >= window)
        return near - window;
    return near;
}
