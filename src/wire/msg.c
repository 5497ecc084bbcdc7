#include "wire/msg.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/frame.h"

enum { BUDGET_FACTOR = 8, BUDGET_MIN = 4096, BUDGET_MAX = 1 << 20 };

/* Each piece is preceded by its size: protobuf-c forgets how long a string was,
 * and one with a zero byte inside would silently be cut there. */
union piece {
    size_t bytes;
    max_align_t align;
};

static void *budget_alloc(void *arena, size_t bytes)
{
    union piece *p = bytes <= BUDGET_MAX ? arena_get(arena, sizeof *p + bytes) : NULL;

    if (!p)
        return NULL;
    p->bytes = bytes;
    return p + 1;
}

static void budget_free(void *arena, void *p)
{
    (void)arena; /* the arena frees all at once */
    (void)p;
}

static bool string_ok(const char *s)
{
    if (!s || s == protobuf_c_empty_string)
        return true;
    size_t len = strlen(s);
    return len + 1 == ((const union piece *)s)[-1].bytes && utf8_valid(s, len);
}

static bool strings_ok(const ProtobufCMessage *m);

static bool field_ok(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    const uint8_t *at = (const uint8_t *)m + f->offset;
    bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
    size_t n = 1;

    if (f->type != PROTOBUF_C_TYPE_STRING && f->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t which;
        memcpy(&which, (const uint8_t *)m + f->quantifier_offset, sizeof which);
        if (which != f->id)
            return true;
    }
    void *const *items = (void *const *)at;
    if (repeated) {
        memcpy(&n, (const uint8_t *)m + f->quantifier_offset, sizeof n);
        memcpy(&items, at, sizeof items);
    }
    for (size_t i = 0; i < n; i++)
        if (f->type == PROTOBUF_C_TYPE_STRING ? !string_ok(items[i])
                                              : items[i] && !strings_ok(items[i]))
            return false;
    return true;
}

/* The schema has no message inside itself, so this ends. */
static bool strings_ok(const ProtobufCMessage *m)
{
    for (unsigned i = 0; i < m->descriptor->n_fields; i++)
        if (!field_ok(m, &m->descriptor->fields[i]))
            return false;
    return true;
}

static void *decode(struct arena *a, const ProtobufCMessageDescriptor *d, const uint8_t *p,
                    size_t len, size_t budget, int *ret_err)
{
    a->limit_bytes = budget < BUDGET_MAX ? budget : BUDGET_MAX;
    ProtobufCAllocator budgeted = { budget_alloc, budget_free, a };
    ProtobufCMessage *m = protobuf_c_message_unpack(d, &budgeted, len, p);
    a->limit_bytes = 0; /* the handler may go on drawing on it */
    if (m && strings_ok(m))
        return m;
    *ret_err = -ROOST_MALFORMED;
    return NULL;
}

void *msg_decode(struct arena *a, const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t len,
                 int *ret_err)
{
    return decode(a, d, p, len, len * BUDGET_FACTOR + BUDGET_MIN, ret_err);
}

Roost__ToServer *msg_to_server_decode(struct arena *a, const uint8_t *p, size_t len, int *ret_err)
{
    return msg_decode(a, &roost__to_server__descriptor, p, len, ret_err);
}

/* A page of short lines grows more than eightfold (60 events of 55 bytes did), and a
 * client has one server, not ten thousand strangers: it allows the most at once. */
Roost__ToClient *msg_to_client_decode(struct arena *a, const uint8_t *p, size_t len, int *ret_err)
{
    return decode(a, &roost__to_client__descriptor, p, len, BUDGET_MAX, ret_err);
}

void *msg_unpack(struct arena *a, const ProtobufCMessageDescriptor *d, const uint8_t *p, size_t len)
{
    ProtobufCAllocator from = { budget_alloc, budget_free, a };

    return protobuf_c_message_unpack(d, &from, len, p);
}

int msg_pack(struct arena *a, const ProtobufCMessage *m, const uint8_t **ret, size_t *ret_len)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    uint8_t *bytes = arena_get(a, len + 1);

    if (!bytes)
        return -ROOST_NOMEM;
    *ret_len = protobuf_c_message_pack(m, bytes);
    *ret = bytes;
    return 0;
}

struct blob *msg_encode(const ProtobufCMessage *m)
{
    size_t len = protobuf_c_message_get_packed_size(m);
    struct blob *b = len <= FRAME_BODY_MAX ? blob_new(FRAME_HEAD + len) : NULL;

    if (!b)
        return NULL;
    frame_head_encode(b->bytes, len);
    protobuf_c_message_pack(m, b->bytes + FRAME_HEAD);
    return b;
}
