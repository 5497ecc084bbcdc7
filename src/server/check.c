#include "server/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "server/backup.h"
#include "server/contents.h"
#include "server/listener.h"
#include "server/log.h"
#include "server/tls.h"

enum { WRONG_FILES = 1, WRONG_SETTINGS = 2 };

/* Larger ones are for `roost admin check`: this is to be quick. */
#define THOROUGH_BYTES (256LL * 1024 * 1024)

/* Does a server run on it? Then its database is its own. */
static bool is_running(const char *dir)
{
    char path[DATADIR_PATH_MAX + 8];

    snprintf(path, sizeof path, "%s/lock", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool running = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return running;
}

static void say_wrong(void *ctx, const struct sqlite_content *c, uint64_t inode)
{
    char name[CONTENTS_NAME], others[64] = "";

    contents_name(name, c->root, c->has_list ? c->list_root : NULL);
    if (c->parcels > 1)
        snprintf(others, sizeof others, " (and %llu more that have the same contents)",
                 (unsigned long long)c->parcels - 1);
    log_error(
        "file %llu, '%.255s'%s: its contents, %s/files/%s, are %s; copy them from a backup, or,"
        " when the server runs and roost admin check has found it too, have them sent again",
        (unsigned long long)c->file, c->name, others, (const char *)ctx, name,
        inode ? "damaged" : "missing");
}

static void say_loose(void *ctx, const char *name)
{
    log_warn("nobody refers to %s/files/%s: the server removes it within an hour of its start",
             (const char *)ctx, name);
}

static int check_contents(const char *dir, const char *database)
{
    const struct contents_look look = { .data = dir,
                                        .database = database,
                                        .since_s = INT64_MAX,
                                        .on_wrong = say_wrong,
                                        .on_loose = say_loose,
                                        .ctx = (void *)dir };
    struct contents_found f;
    int err = contents_look(&look, &f);

    if (err) {
        log_error("cannot look through %s/files: %s", dir,
                  err == -ROOST_IO ? strerror(errno) : err_text(err));
        return WRONG_FILES;
    }
    if (f.files)
        log_info("%llu files are kept in %s/files, %llu bytes: %llu missing, %llu damaged",
                 (unsigned long long)f.files, dir, (unsigned long long)f.bytes,
                 (unsigned long long)f.missing, (unsigned long long)f.damaged);
    return f.missing || f.damaged ? WRONG_FILES : 0;
}

static int check_database(const char *dir, bool quick)
{
    char path[DATADIR_PATH_MAX + 16], log[DATADIR_PATH_MAX + 24], why[200];
    struct sqlite_info info;
    struct stat st, wal;

    snprintf(path, sizeof path, "%s/%s", dir, DATABASE_NAME);
    snprintf(log, sizeof log, "%s-wal", path);
    if (stat(path, &st)) {
        if (errno == ENOENT)
            return 0; /* the first start makes it */
        log_error("cannot look at %s: %s", path, strerror(errno));
        return WRONG_FILES;
    }
    if (is_running(dir)) {
        log_info("a server runs on %s: roost admin check looks into its database", dir);
        return 0;
    }
    /* with a log beside it, it is only whole together with that */
    bool alone = stat(log, &wal) || !wal.st_size;
    int err = sqlite_file_check(path, alone && st.st_size <= THOROUGH_BYTES, &info, why);
    if (err) {
        log_error("%s: %s", path, why);
        return WRONG_FILES;
    }
    if (quick)
        return 0;
    if (!alone) {
        log_info("the server did not end cleanly: the files that it keeps are looked at when it has"
                 " run again, or by roost admin check");
        return 0;
    }
    return check_contents(dir, path);
}

static int check_data(const char *dir, bool quick)
{
    struct stat st;

    if (stat(dir, &st)) {
        if (errno == ENOENT)
            return 0; /* it is made */
        log_error("cannot look at %s: %s", dir, strerror(errno));
        return WRONG_FILES;
    }
    if (!S_ISDIR(st.st_mode) || access(dir, R_OK | W_OK | X_OK)) {
        log_error("%s is not a directory that can be written", dir);
        return WRONG_FILES;
    }
    return check_database(dir, quick);
}

int check_start(const struct options *o)
{
    const struct config *c = &o->config;

    if (listener_check(c->listen))
        return WRONG_SETTINGS;
    if (*c->tls_certificate && tls_check(c->tls_certificate, c->tls_key))
        return WRONG_SETTINGS;
    return check_data(o->data, o->quick);
}
