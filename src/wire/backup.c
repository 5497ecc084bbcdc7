#include "wire/backup.h"

#include <string.h>

#include "base/err.h"

static const uint8_t magic[8] = { 'R', 'O', 'O', 'S', 'T', 'b', 'a', 'k' };

static uint8_t *put(uint8_t *p, uint64_t n, int bytes)
{
    for (int i = bytes; i > 0; i--)
        *p++ = (uint8_t)(n >> (i - 1) * 8);
    return p;
}

static uint64_t get(const uint8_t **p, int bytes)
{
    uint64_t n = 0;

    while (bytes-- > 0)
        n = n << 8 | *(*p)++;
    return n;
}

void backup_head_encode(uint8_t ret[static BACKUP_HEAD_BYTES], const struct backup_head *h)
{
    uint8_t *p = ret + sizeof magic;

    memset(ret, 0, BACKUP_HEAD_BYTES);
    memcpy(ret, magic, sizeof magic);
    p = put(p, BACKUP_FORMAT, 4);
    p = put(p, BACKUP_HEAD_BYTES, 4);
    p = put(p, h->size, 8);
    p = put(p, (uint64_t)h->made_ms, 8);
    p = put(p, h->version, 4);
    p = put(p, 0, 4);
    memcpy(p, h->server_id, sizeof h->server_id);
    memcpy(p + sizeof h->server_id, h->sha256, sizeof h->sha256);
}

int backup_head_decode(struct backup_head *ret, const uint8_t *bytes, size_t len)
{
    const uint8_t *p = bytes + sizeof magic;
    struct backup_head h;

    if (len < BACKUP_HEAD_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return -ROOST_INVALID;
    uint64_t format = get(&p, 4), head = get(&p, 4);
    if (format > BACKUP_FORMAT)
        return -ROOST_VERSION;
    if (format != BACKUP_FORMAT || head != BACKUP_HEAD_BYTES)
        return -ROOST_INVALID;
    h.size = get(&p, 8);
    h.made_ms = (int64_t)get(&p, 8);
    h.version = (uint32_t)get(&p, 4);
    if (get(&p, 4) != 0 || !h.size || h.size > BACKUP_SIZE_MAX || h.made_ms < 0)
        return -ROOST_INVALID;
    memcpy(h.server_id, p, sizeof h.server_id);
    memcpy(h.sha256, p + sizeof h.server_id, sizeof h.sha256);
    static const uint8_t zero[8];
    if (memcmp(bytes + BACKUP_SUMMED + 32, zero, sizeof zero) != 0)
        return -ROOST_INVALID;
    *ret = h;
    return 0;
}
