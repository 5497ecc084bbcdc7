#include "faultvfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512, FILES_MAX = 32, NAME_MAX_BYTES = 64 };

/* A write or, with bytes NULL, a truncation that was not synced. */
struct pending {
    struct pending *next;
    uint64_t at;
    size_t len;
    uint8_t *bytes;
};

struct file {
    char name[NAME_MAX_BYTES];
    bool used, live, in_dir; /* live: seen by name; in_dir: the name is on the disk */
    bool syncs_dir;          /* its first sync writes the directory too */
    uint8_t *seen, *disk;
    size_t seen_len, disk_len;
    struct pending *first, **last;
};

struct handle {
    sqlite3_file base;
    struct file *file;
    bool temporary;
};

static struct {
    struct file files[FILES_MAX];
    uint64_t x; /* the dice */
    uint64_t cut_in, fail_in, fail_count;
    bool cut, full, ignore_sync;
    enum fault_weather weather;
    struct fault_stats stats;
} disk;

static uint64_t roll(uint64_t n)
{
    disk.x ^= disk.x << 13;
    disk.x ^= disk.x >> 7;
    disk.x ^= disk.x << 17;
    return disk.x % n;
}

/* --- bytes --- */

static void put_bytes(uint8_t **to, size_t *to_len, uint64_t at, const void *p, size_t len)
{
    if (at + len > *to_len) {
        uint8_t *bigger = realloc(*to, at + len);
        if (!bigger)
            abort(); /* a test program */
        memset(bigger + *to_len, 0, at + len - *to_len);
        *to = bigger;
        *to_len = at + len;
    }
    memcpy(*to + at, p, len);
}

static void pending_add(struct file *f, uint64_t at, const void *p, size_t len)
{
    struct pending *w = calloc(1, sizeof *w);

    if (!w || (p && !(w->bytes = malloc(len ? len : 1))))
        abort();
    w->at = at;
    w->len = len;
    if (p)
        memcpy(w->bytes, p, len);
    *f->last = w;
    f->last = &w->next;
}

static void pending_clear(struct file *f)
{
    for (struct pending *w = f->first, *next; w; w = next) {
        next = w->next;
        free(w->bytes);
        free(w);
    }
    f->first = NULL;
    f->last = &f->first;
}

static void file_fini(struct file *f)
{
    if (!f->used)
        return;
    pending_clear(f);
    free(f->seen);
    free(f->disk);
    memset(f, 0, sizeof *f);
}

static struct file *file_find(const char *name)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (disk.files[i].live && strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
    return NULL;
}

static struct file *file_new(const char *name)
{
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *f = &disk.files[i];
        if (f->used)
            continue;
        snprintf(f->name, sizeof f->name, "%s", name);
        f->used = f->live = true;
        f->last = &f->first;
        return f;
    }
    abort();
}

static void dir_sync(void)
{
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *f = &disk.files[i];
        if (f->live)
            f->in_dir = true;
        else
            file_fini(f);
    }
}

/* --- faults --- */

/* Counts a call; what it returns is the call's own answer unless it is SQLITE_OK. */
static int fault(enum fault_call call, int error)
{
    if (disk.cut)
        return error;
    disk.stats.calls[call]++;
    if (disk.cut_in && --disk.cut_in == 0) {
        disk.cut = true;
        disk.stats.cuts[call]++;
        return SQLITE_OK; /* what this call wrote may be there in part */
    }
    if (disk.fail_in && --disk.fail_in == 0) {
        disk.stats.errors[call]++;
        if (--disk.fail_count)
            disk.fail_in = 1;
        bool full = disk.full && call == FAULT_WRITE;
        disk.stats.full += full;
        return full ? SQLITE_FULL : error;
    }
    return SQLITE_OK;
}

/* What the weather refuses a write to f that ends at `end`, a sync (NULL) or a new name. */
static int refused(const struct file *f, uint64_t end)
{
    static const int errors[] = { SQLITE_OK, SQLITE_FULL, SQLITE_READONLY, SQLITE_IOERR_WRITE };
    bool longer = f && end > f->seen_len;

    if (disk.weather == FAULT_FAIR || (disk.weather == FAULT_FULL && !longer) ||
        (disk.weather == FAULT_READ_ONLY && !f))
        return SQLITE_OK;
    disk.stats.refused++;
    return errors[disk.weather];
}

/* --- a file --- */

static struct file *file_of(sqlite3_file *h)
{
    return ((struct handle *)h)->file;
}

static int on_close(sqlite3_file *h)
{
    if (((struct handle *)h)->temporary)
        file_fini(file_of(h));
    return SQLITE_OK;
}

static int on_read(sqlite3_file *h, void *out, int len, sqlite3_int64 at)
{
    struct file *f = file_of(h);
    size_t want = (size_t)len, from = (size_t)at;
    int rc = fault(FAULT_READ, SQLITE_IOERR_READ);

    if (rc || disk.cut)
        return SQLITE_IOERR_READ;
    size_t have = from < f->seen_len ? f->seen_len - from : 0;
    if (have >= want) {
        memcpy(out, f->seen + from, want);
        return SQLITE_OK;
    }
    memset(out, 0, want);
    if (have)
        memcpy(out, f->seen + from, have);
    return SQLITE_IOERR_SHORT_READ;
}

static int on_write(sqlite3_file *h, const void *p, int len, sqlite3_int64 at)
{
    struct file *f = file_of(h);
    int rc = fault(FAULT_WRITE, SQLITE_IOERR_WRITE);

    if (!rc && !disk.cut)
        rc = refused(f, (uint64_t)at + (uint64_t)len);
    if (rc)
        return rc;
    put_bytes(&f->seen, &f->seen_len, (uint64_t)at, p, (size_t)len);
    pending_add(f, (uint64_t)at, p, (size_t)len);
    return disk.cut ? SQLITE_IOERR_WRITE : SQLITE_OK;
}

/* What is cut off reads as zeroes when the file grows again: put_bytes sees to it. */
static void set_len(size_t *have, size_t len)
{
    if (len < *have)
        *have = len;
}

static int on_truncate(sqlite3_file *h, sqlite3_int64 len)
{
    struct file *f = file_of(h);
    int rc = fault(FAULT_TRUNCATE, SQLITE_IOERR_TRUNCATE);

    if (!rc && !disk.cut)
        rc = refused(f, 0);
    if (rc)
        return rc;
    set_len(&f->seen_len, (size_t)len);
    pending_add(f, (uint64_t)len, NULL, 0);
    return disk.cut ? SQLITE_IOERR_TRUNCATE : SQLITE_OK;
}

static void apply(struct file *f, const struct pending *w)
{
    if (w->bytes)
        put_bytes(&f->disk, &f->disk_len, w->at, w->bytes, w->len);
    else
        set_len(&f->disk_len, w->at);
}

static int on_sync(sqlite3_file *h, int flags)
{
    struct file *f = file_of(h);
    bool was_cut = disk.cut;
    int rc = fault(FAULT_SYNC, SQLITE_IOERR_FSYNC);

    (void)flags;
    if (!rc && !disk.cut && refused(NULL, 0))
        rc = SQLITE_IOERR_FSYNC;
    if (rc && !was_cut)
        pending_clear(f); /* the system gave up on these pages and thinks them clean */
    if (rc || disk.cut)
        return SQLITE_IOERR_FSYNC;
    if (disk.ignore_sync)
        return SQLITE_OK;
    for (const struct pending *w = f->first; w; w = w->next)
        apply(f, w);
    pending_clear(f);
    if (f->syncs_dir) {
        f->syncs_dir = false;
        dir_sync();
    }
    return SQLITE_OK;
}

static int on_size(sqlite3_file *h, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)file_of(h)->seen_len;
    return disk.cut ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int on_lock(sqlite3_file *h, int kind)
{
    (void)h, (void)kind;
    return SQLITE_OK;
}

static int on_reserved(sqlite3_file *h, int *ret)
{
    (void)h;
    *ret = 0;
    return SQLITE_OK;
}

static int on_control(sqlite3_file *h, int op, void *arg)
{
    (void)h, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *h)
{
    (void)h;
    return 4096; /* what Linux says; we tear finer */
}

static int on_device(sqlite3_file *h)
{
    (void)h;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite takes every Linux disk to be */
}

/* Version 1: no shared memory, so the store must be in exclusive mode. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_lock,
    .xCheckReservedLock = on_reserved,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_device,
};

/* --- the directory --- */

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *h, int flags, int *ret_flags)
{
    struct handle *out = (struct handle *)h;
    int rc = fault(FAULT_OPEN, SQLITE_CANTOPEN);

    (void)vfs;
    out->base.pMethods = NULL;
    if (rc || disk.cut)
        return SQLITE_CANTOPEN;
    struct file *f = name ? file_find(name) : NULL;
    if (!f && (!(flags & SQLITE_OPEN_CREATE) || disk.weather > FAULT_FULL))
        return SQLITE_CANTOPEN;
    if (!f) {
        f = file_new(name ? name : "(temporary)");
        f->syncs_dir = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL);
    }
    out->file = f;
    out->temporary = !name;
    out->base.pMethods = &methods;
    if (ret_flags)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct file *f = file_find(name);
    int rc = fault(FAULT_DELETE, SQLITE_IOERR_DELETE);

    (void)vfs;
    if (!rc && !disk.cut && disk.weather > FAULT_FULL)
        rc = SQLITE_IOERR_DELETE;
    if (rc)
        return rc;
    if (!f)
        return SQLITE_IOERR_DELETE_NOENT;
    f->live = false;
    if (disk.cut)
        return SQLITE_IOERR_DELETE;
    if (sync && !disk.ignore_sync)
        dir_sync();
    return SQLITE_OK;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    (void)vfs, (void)flags;
    *ret = file_find(name) != NULL;
    return disk.cut ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

static int on_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
    (void)vfs;
    sqlite3_snprintf(len, out, "%s", name);
    return SQLITE_OK;
}

static int on_random(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    for (int i = 0; i < len; i++)
        out[i] = (char)roll(256);
    return len;
}

static int on_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int on_time(sqlite3_vfs *vfs, double *ret)
{
    (void)vfs;
    *ret = 2460000.5;
    return SQLITE_OK;
}

int faultvfs_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = sizeof(struct handle),
        .mxPathname = NAME_MAX_BYTES - 1,
        .zName = FAULTVFS_NAME,
        .xOpen = on_open,
        .xDelete = on_delete,
        .xAccess = on_access,
        .xFullPathname = on_path,
        .xRandomness = on_random,
        .xSleep = on_sleep,
        .xCurrentTime = on_time,
    };

    return sqlite3_vfs_register(&vfs, 0);
}

/* --- power --- */

void faultvfs_reset(uint64_t seed)
{
    for (int i = 0; i < FILES_MAX; i++)
        file_fini(&disk.files[i]);
    disk.x = seed * 0x9e3779b97f4a7c15u + 0x1234567;
    disk.cut = false;
    disk.cut_in = disk.fail_in = 0;
    disk.weather = FAULT_FAIR;
}

void faultvfs_weather(enum fault_weather weather)
{
    disk.weather = weather;
}

bool faultvfs_damage(const char *name, uint64_t at, uint64_t len)
{
    struct file *f = file_find(name);

    if (!f || at + len > f->seen_len)
        return false;
    for (uint64_t i = at; i < at + len; i++) {
        f->seen[i] ^= 0x5a;
        if (i < f->disk_len)
            f->disk[i] ^= 0x5a;
    }
    return true;
}

uint64_t faultvfs_size(const char *name)
{
    struct file *f = file_find(name);

    return f ? f->seen_len : 0;
}

void faultvfs_ignore_sync(bool on)
{
    disk.ignore_sync = on;
}

void faultvfs_cut_after(uint64_t calls)
{
    disk.cut_in = calls;
}

void faultvfs_fail_after(uint64_t calls, uint64_t count, bool full)
{
    disk.fail_in = calls;
    disk.fail_count = count;
    disk.full = full;
}

bool faultvfs_is_cut(void)
{
    return disk.cut;
}

struct fault_stats *faultvfs_stats(void)
{
    return &disk.stats;
}

/* One write that was not synced: of each sector the old or the new, by chance. */
static void tear(struct file *f, const struct pending *w, uint64_t percent)
{
    size_t kept = 0, pieces = 0;

    if (!w->bytes) {
        if (roll(100) < percent)
            apply(f, w);
        return;
    }
    for (size_t at = 0; at < w->len; pieces++) {
        size_t len = SECTOR - (w->at + at) % SECTOR;
        len = len < w->len - at ? len : w->len - at;
        if (roll(100) < percent) {
            put_bytes(&f->disk, &f->disk_len, w->at + at, w->bytes + at, len);
            kept++;
        }
        at += len;
    }
    disk.stats.kept += kept;
    disk.stats.lost += pieces - kept;
    disk.stats.torn += kept > 0 && kept < pieces;
}

void faultvfs_power_up(void)
{
    static const uint64_t percents[] = { 0, 30, 70, 95, 100 };

    for (int i = 0; i < FILES_MAX; i++) {
        struct file *f = &disk.files[i];
        uint64_t percent = percents[roll(5)];
        if (!f->used)
            continue;
        for (const struct pending *w = f->first; w; w = w->next)
            tear(f, w, percent);
        pending_clear(f);
        bool there = f->live == f->in_dir ? f->live : roll(2);
        disk.stats.names_lost += there != f->live;
        if (there && !f->live && file_find(f->name))
            there = false; /* its successor has the name */
        f->live = there;
        if (!there) {
            file_fini(f);
            continue;
        }
        f->in_dir = true;
        f->syncs_dir = false;
        free(f->seen);
        f->seen = NULL;
        f->seen_len = 0;
        if (f->disk_len)
            put_bytes(&f->seen, &f->seen_len, 0, f->disk, f->disk_len);
    }
    disk.cut = false;
    disk.cut_in = disk.fail_in = 0;
}
