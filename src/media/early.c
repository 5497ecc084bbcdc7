#include "media/early.h"

void early_init(struct early *e, void *store, uint32_t each)
{
    *e = (struct early){ .bytes = store, .each = each };
}

bool early_put(struct early *e, int64_t now_us, uint32_t who, const struct media *m,
               const uint8_t *bytes, size_t len)
{
    uint32_t at = e->next % EARLY_FRAMES;

    if (!len || len > e->each)
        return false;
    e->frames[at] = (struct early_frame){ *m, who, (uint32_t)len, now_us };
    memcpy(e->bytes + (size_t)at * e->each, bytes, len);
    e->next++;
    return true;
}

/* Taken or too old: its place is free afterwards. */
bool early_take(struct early *e, int64_t now_us, uint32_t who, uint32_t key_id, uint32_t *i,
                struct early_frame *ret, uint8_t **ret_bytes)
{
    while (*i < EARLY_FRAMES) {
        uint32_t at = (e->next + (*i)++) % EARLY_FRAMES;
        struct early_frame *f = &e->frames[at];
        if (!f->len || f->who != who || f->media.key_id != key_id)
            continue;
        *ret = *f;
        f->len = 0;
        if (now_us - ret->came_us > EARLY_US)
            continue;
        *ret_bytes = e->bytes + (size_t)at * e->each;
        return true;
    }
    return false;
}
