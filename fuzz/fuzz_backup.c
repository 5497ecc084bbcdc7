/* Backup files. The input changes a good one: a byte of flags, then edits (offset 3 bytes,
 * length 1, bytes). So the small inputs of a fuzzer reach into pages, tables and the head;
 * with the flag RAW the input is the file. What passes all checks must be a database that a
 * server can start with.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "seal/digest.h"
#include "server/backup.h"
#include "server/log.h"
#include "store/batch.h"
#include "store/sqlite.h"

enum { RAW = 1, SUMS = 2, CUT = 4, EDITS_MAX = 64, FILE_MAX = 1 << 20 };

static char path[64], wal[72];
static uint8_t *base;
static size_t base_len;

static void drop(void)
{
    unlink(path);
    unlink(wal);
}

static void put_file(const uint8_t *bytes, size_t len)
{
    FILE *f = fopen(path, "wb");

    assert(f && fwrite(bytes, 1, len, f) == len);
    fclose(f);
}

static void say(struct store *s, uint64_t i)
{
    struct store_op *op = store_op_new(STORE_APPEND, (int64_t)(1000 + i));
    struct store_result *r = NULL;

    assert(op);
    op->event = (struct event){ .room = EVERYONE_ROOM, .from = 1, .kind = EVENT_TEXT };
    op->event.text = arena_str(&op->mem, "a text that is said and can be found again");
    op->log = (struct store_log){ .kind = "say", .account = 1 };
    store_run_batch(s, &op, 1, &r);
    store_op_unref(op);
    store_result_free(r);
}

/* A small good backup, once. */
static void make_base(void)
{
    struct store *s = NULL;
    struct backup_head h = { .made_ms = 1000 };
    struct sqlite_info info;
    uint8_t head[BACKUP_HEAD_BYTES], sum[32];
    char why[200];

    log_set_level(LOG_ERROR);
    snprintf(path, sizeof path, "/dev/shm/roost-fuzz-%d", (int)getpid());
    snprintf(wal, sizeof wal, "%s-wal", path);
    atexit(drop);
    drop();
    assert(!sqlite_store_open(&s, &(struct sqlite_options){ .path = path }, why));
    for (uint64_t i = 0; i < 20; i++)
        say(s, i);
    s->ops->free(s);
    assert(!sqlite_file_check(path, true, &info, why));
    h.version = (uint32_t)info.version;
    assert(!backup_head_make(head, &h, path, sum));

    FILE *f = fopen(path, "rb");
    base = malloc(FILE_MAX);
    assert(f && base);
    memcpy(base, head, sizeof head);
    base_len = sizeof head + fread(base + sizeof head, 1, FILE_MAX - sizeof head, f);
    fclose(f);
    assert(base_len < FILE_MAX);
}

static size_t edit(uint8_t *file, const uint8_t *data, size_t len, unsigned flags)
{
    size_t size = base_len;

    if ((flags & CUT) && len >= 2) {
        size = (size_t)(data[0] << 8 | data[1]) * 64 % (base_len + 1);
        data += 2;
        len -= 2;
    }
    for (int i = 0; i < EDITS_MAX && len >= 4 && size; i++) {
        size_t at = (size_t)(data[0] << 16 | data[1] << 8 | data[2]) % size, n = data[3];
        data += 4;
        len -= 4;
        n = n < len ? n : len;
        n = n < size - at ? n : size - at;
        memcpy(file + at, data, n);
        data += n;
        len -= n;
    }
    return size;
}

/* As who made the file on purpose would do. */
static void mend_sums(uint8_t *file, size_t len)
{
    size_t n = len - BACKUP_HEAD_BYTES;

    for (int i = 0; i < 8; i++)
        file[16 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
    seal_sha256(file + 56, &(struct seal_part){ file + BACKUP_HEAD_BYTES, n }, 1);
    seal_sha256(file + BACKUP_SUMMED, &(struct seal_part){ file, BACKUP_SUMMED }, 1);
}

static void look(const uint8_t *file, size_t len)
{
    struct backup_head h;
    struct sqlite_info info;
    char why[200] = "";

    if (backup_head_check(&h, file, len, why)) {
        assert(*why);
        return;
    }
    drop();
    put_file(file + BACKUP_HEAD_BYTES, len - BACKUP_HEAD_BYTES);
    if (backup_verify(path, &h, &info, why)) {
        assert(*why);
        return;
    }
    struct store *s = NULL;
    if (sqlite_file_prepare(path, 2000, "a fuzzer", why)) {
        assert(*why);
        return;
    }
    assert(!sqlite_store_open(&s, &(struct sqlite_options){ .path = path }, why));
    s->ops->free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t *file;

    if (!base) {
        make_base();
        file = malloc(FILE_MAX);
        assert(file);
    }
    if (len < 1)
        return 0;
    unsigned flags = *data++;
    len--;
    if (flags & RAW) {
        look(data, len);
        return 0;
    }
    memcpy(file, base, base_len);
    size_t size = edit(file, data, len, flags);
    if ((flags & SUMS) && size > BACKUP_HEAD_BYTES)
        mend_sums(file, size);
    look(file, size);
    return 0;
}
