#include "wire/backup.h"

#include <string.h>

#include "base/err.h"
#include "wire/cursor.h"

static const uint8_t magic[8] = { 'R', 'O', 'O', 'S', 'T', 'b', 'a', 'k' };

void backup_head_encode(uint8_t ret[static BACKUP_HEAD_BYTES], const struct backup_head *h)
{
    struct writer w = writer_of(ret, BACKUP_HEAD_BYTES);

    memset(ret, 0, BACKUP_HEAD_BYTES);
    write_bytes(&w, magic, sizeof magic);
    write_number(&w, BACKUP_FORMAT, 4);
    write_number(&w, BACKUP_HEAD_BYTES, 4);
    write_number(&w, h->size, 8);
    write_number(&w, (uint64_t)h->made_ms, 8);
    write_number(&w, h->version, 4);
    write_number(&w, 0, 4);
    write_bytes(&w, h->server_id, sizeof h->server_id);
    write_bytes(&w, h->sha256, sizeof h->sha256);
}

int backup_head_decode(struct backup_head *ret, const uint8_t *bytes, size_t len)
{
    struct reader r = reader_of(bytes, len);
    struct backup_head h;

    if (len < BACKUP_HEAD_BYTES || memcmp(read_bytes(&r, sizeof magic), magic, sizeof magic) != 0)
        return -ROOST_INVALID;
    uint64_t format = read_number(&r, 4), head = read_number(&r, 4);
    if (format > BACKUP_FORMAT)
        return -ROOST_VERSION;
    if (format != BACKUP_FORMAT || head != BACKUP_HEAD_BYTES)
        return -ROOST_INVALID;
    h.size = read_number(&r, 8);
    h.made_ms = (int64_t)read_number(&r, 8);
    h.version = (uint32_t)read_number(&r, 4);
    if (read_number(&r, 4) != 0 || !h.size || h.size > BACKUP_SIZE_MAX || h.made_ms < 0)
        return -ROOST_INVALID;
    memcpy(h.server_id, read_bytes(&r, sizeof h.server_id), sizeof h.server_id);
    memcpy(h.sha256, read_bytes(&r, sizeof h.sha256), sizeof h.sha256);
    static const uint8_t zero[8];
    if (memcmp(bytes + BACKUP_SUMMED + 32, zero, sizeof zero) != 0)
        return -ROOST_INVALID;
    *ret = h;
    return 0;
}
