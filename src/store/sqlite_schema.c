#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite_db.h"

/* Nothing of the size of the cache is in the file: it is memory of a server that
 * must stay small. 1 MB holds the tops of all trees and the rooms in use. */
static const char pragmas[] = "PRAGMA page_size = 4096;"
                              "PRAGMA locking_mode = EXCLUSIVE;"
                              "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA wal_autocheckpoint = 0;"
                              "PRAGMA journal_size_limit = 8388608;"
                              "PRAGMA cache_size = -1024;"
                              "PRAGMA mmap_size = 0;"
                              "PRAGMA temp_store = MEMORY;"
                              "PRAGMA secure_delete = FAST;"
                              "PRAGMA trusted_schema = OFF;";

/* Tables that came with version 2. */
#define LOOKS                                                                                      \
    "CREATE TABLE looks(kind INTEGER, look BLOB, owner INTEGER NOT NULL, PRIMARY KEY(kind, look))" \
    "  WITHOUT ROWID;"

/* What a batch did, one row: on its way into `requests` (sqlite_requests.h). */
#define RECENT                                                                                     \
    "CREATE TABLE IF NOT EXISTS recent0(n INTEGER PRIMARY KEY, rows BLOB NOT NULL);"               \
    "CREATE TABLE IF NOT EXISTS recent1(n INTEGER PRIMARY KEY, rows BLOB NOT NULL);"

#define MEETS                                                                                      \
    "CREATE INDEX accounts_guest ON accounts(guest_of) WHERE guest <> 0;"                          \
    "CREATE INDEX direct_high ON direct(high);"                                                    \
    "CREATE TABLE meets(room INTEGER PRIMARY KEY, bound_room INTEGER NOT NULL, code TEXT,"         \
    "  until_ms INTEGER NOT NULL, live INTEGER NOT NULL, forget INTEGER NOT NULL,"                 \
    "  guests_until_ms INTEGER, data BLOB);"                                                       \
    "CREATE UNIQUE INDEX meets_code ON meets(code) WHERE live = 1;"                                \
    "CREATE INDEX meets_live ON meets(room) WHERE live = 1;"                                       \
    "CREATE INDEX meets_guests ON meets(guests_until_ms) WHERE guests_until_ms IS NOT NULL;"       \
    "CREATE TABLE attendees(meeting INTEGER, account INTEGER, skeleton TEXT, data BLOB,"           \
    "  PRIMARY KEY(meeting, account)) WITHOUT ROWID;"                                              \
    "CREATE UNIQUE INDEX attendees_name ON attendees(meeting, skeleton) WHERE skeleton IS NOT "    \
    "NULL;"

/* Came with version 3. Stages: 0 offered, 1 accepted, 5 done (Roost__FileStage). */
#define FILES                                                                                      \
    "CREATE TABLE files(id INTEGER PRIMARY KEY AUTOINCREMENT, room INTEGER NOT NULL,"              \
    "  sender INTEGER NOT NULL, peer INTEGER NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL," \
    "  files INTEGER NOT NULL, size INTEGER NOT NULL, open_size INTEGER NOT NULL,"                 \
    "  list_size INTEGER NOT NULL, root BLOB, list_root BLOB, kept INTEGER NOT NULL,"              \
    "  stage INTEGER NOT NULL, got INTEGER NOT NULL DEFAULT 0, made_ms INTEGER NOT NULL,"          \
    "  done_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, seq INTEGER NOT NULL);"                \
    "CREATE INDEX files_room ON files(room) WHERE kept = 1 AND stage IN (0, 1, 5);"                \
    "CREATE INDEX files_sender ON files(sender) WHERE kept = 1 AND stage IN (0, 1, 5);"            \
    "CREATE INDEX files_open ON files(sender) WHERE stage IN (0, 1);"                              \
    "CREATE INDEX files_peer ON files(peer) WHERE got = 0 AND stage IN (0, 1, 5);"                 \
    "CREATE INDEX files_made ON files(made_ms) WHERE stage IN (0, 1);"                             \
    "CREATE INDEX files_until ON files(until_ms) WHERE kept = 1 AND stage = 5 AND until_ms > 0;"   \
    "CREATE INDEX files_root ON files(root) WHERE kept = 1 AND stage = 5;"

/* Came with version 4, as did events' own; in accounts, what the meeting of a guest calls it. */
#define VERSION_4                                                                                  \
    "ALTER TABLE files ADD COLUMN shown TEXT;"                                                     \
    "ALTER TABLE files ADD COLUMN mode INTEGER NOT NULL DEFAULT 0;"                                \
    "ALTER TABLE files ADD COLUMN mtime_s INTEGER NOT NULL DEFAULT 0;"                             \
    "ALTER TABLE accounts ADD COLUMN shown TEXT;"

/* Notes of a guest, in a meeting that has ended: nobody answers there any more. */
#define NOTES_CLOSE                                                                                \
    "UPDATE rooms SET closed = 1 WHERE kind = 1 AND closed = 0 AND EXISTS (SELECT 1 FROM direct d" \
    " JOIN accounts a ON a.id IN (d.low, d.high) JOIN meets m ON m.room = a.guest_of"              \
    " WHERE d.room = rooms.id AND a.guest <> 0 AND m.live = 0);"

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE accounts(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,"
    "  skeleton TEXT NOT NULL UNIQUE, password TEXT NOT NULL, role INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL, deleted INTEGER NOT NULL DEFAULT 0,"
    "  guest INTEGER NOT NULL DEFAULT 0, guest_of INTEGER NOT NULL DEFAULT 0);" LOOKS
    "CREATE TABLE invites(secret BLOB PRIMARY KEY, account INTEGER NOT NULL, role INTEGER NOT NULL,"
    "  until_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE ignores(account INTEGER, peer INTEGER, PRIMARY KEY(account, peer)) WITHOUT ROWID;"
    "CREATE TABLE devices(account INTEGER, device BLOB, used_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(account, device)) WITHOUT ROWID;"
    "CREATE TABLE sessions(id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER NOT NULL,"
    "  device BLOB NOT NULL, token BLOB NOT NULL, previous BLOB, rotated_ms INTEGER,"
    "  device_name TEXT, address TEXT, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL);"
    "CREATE INDEX sessions_account ON sessions(account);"
    "CREATE INDEX sessions_token ON sessions(token);"
    "CREATE INDEX sessions_previous ON sessions(previous) WHERE previous IS NOT NULL;"
    "CREATE TABLE guards(key BLOB PRIMARY KEY, kind INTEGER, name TEXT, source TEXT, n INTEGER,"
    "  strikes INTEGER, since_ms INTEGER, until_ms INTEGER) WITHOUT ROWID;"
    "CREATE TABLE rooms(id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    "  name TEXT NOT NULL, skeleton TEXT, topic TEXT NOT NULL DEFAULT '',"
    "  private INTEGER NOT NULL DEFAULT 0, moderated INTEGER NOT NULL DEFAULT 0,"
    "  closed INTEGER NOT NULL DEFAULT 0, retention_days INTEGER NOT NULL DEFAULT 0,"
    "  head INTEGER NOT NULL DEFAULT 0, first INTEGER NOT NULL DEFAULT 1,"
    "  last_ms INTEGER NOT NULL DEFAULT 0, owner_epoch INTEGER NOT NULL DEFAULT 1,"
    "  indexed INTEGER NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX rooms_name ON rooms(skeleton) WHERE closed = 0;"
    "CREATE TABLE direct(low INTEGER, high INTEGER, room INTEGER NOT NULL, PRIMARY KEY(low, high))"
    "  WITHOUT ROWID;"
    "CREATE INDEX direct_room ON direct(room);"
    "CREATE TABLE members(room INTEGER, account INTEGER, role INTEGER NOT NULL DEFAULT 0,"
    "  banned INTEGER NOT NULL DEFAULT 0, muted INTEGER NOT NULL DEFAULT 0,"
    "  delivered INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0,"
    "  PRIMARY KEY(room, account)) WITHOUT ROWID;"
    "CREATE INDEX members_account ON members(account, room);"
    "CREATE TABLE events(id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  sender INTEGER NOT NULL, edit_seq INTEGER, deleted INTEGER, ref INTEGER, bits INTEGER,"
    "  text TEXT, mentions BLOB, who INTEGER, change INTEGER, role INTEGER, days INTEGER,"
    "  room_name TEXT, data BLOB, shown TEXT);"
    "CREATE TABLE reactions(event INTEGER, emoji TEXT, account INTEGER,"
    "  PRIMARY KEY(event, emoji, account)) WITHOUT ROWID;"
    "CREATE TABLE pins(room INTEGER, seq INTEGER, PRIMARY KEY(room, seq)) WITHOUT ROWID;"
    "CREATE TABLE requests(scope INTEGER, id BLOB, digest BLOB NOT NULL, made_ms INTEGER NOT NULL,"
    "  room INTEGER, seq INTEGER, at_ms INTEGER, account INTEGER, PRIMARY KEY(scope, id))"
    "  WITHOUT ROWID;" RECENT MEETS FILES VERSION_4
    "CREATE TABLE log(n INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, account INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, target TEXT, address TEXT, outcome INTEGER NOT NULL);"
    /* It holds no texts of its own and no lengths of them: we ask for order, not rank. */
    "CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0,"
    "  tokenize='unicode61 remove_diacritics 2');"
    "INSERT INTO words(words, rank) VALUES('hashsize', 262144);"
    "INSERT INTO rooms(id, kind, name, skeleton) VALUES(1, 2, '', NULL);"
    "PRAGMA application_id = 1383035764;"
    "PRAGMA user_version = 4;"
    "COMMIT;";

_Static_assert(SCHEMA_VERSION == 4 && SCHEMA_APPLICATION == 1383035764 && EVERYONE_ROOM == 1 &&
                   ROOST__ROOM_KIND__EVERYONE == 2,
               "these numbers are in the text above");

static const char looks_bring[] = LOOKS
    "INSERT INTO looks SELECT 0, CAST(skeleton AS BLOB), id FROM accounts WHERE deleted = 0;"
    "INSERT INTO looks SELECT 1, CAST(skeleton AS BLOB), id FROM rooms"
    "  WHERE closed = 0 AND skeleton IS NOT NULL;";

static const char meets_bring[] =
    "ALTER TABLE accounts ADD COLUMN guest INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE accounts ADD COLUMN guest_of INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE events ADD COLUMN data BLOB;" MEETS;

static int code_of(sqlite3 *sql)
{
    switch (sqlite3_errcode(sql)) {
    case SQLITE_NOMEM:
        return -ROOST_NOMEM;
    case SQLITE_FULL:
        return -ROOST_FULL;
    case SQLITE_NOTADB:
        return -ROOST_INVALID;
    default:
        return -ROOST_IO;
    }
}

static int pragma_int(sqlite3 *sql, const char *text, int *ret)
{
    sqlite3_stmt *st = NULL;

    if (sqlite3_prepare_v2(sql, text, -1, &st, NULL) || sqlite3_step(st) != SQLITE_ROW) {
        sqlite3_finalize(st);
        return code_of(sql);
    }
    *ret = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return 0;
}

static int run(sqlite3 *sql, const char *text)
{
    return sqlite3_exec(sql, text, NULL, NULL, NULL) ? code_of(sql) : 0;
}

/* The first version knew no meetings, no guests and no looks of names. */
static int to_version_2(sqlite3 *sql)
{
    int rc = sqlite3_exec(sql, looks_bring, NULL, NULL, NULL);

    if (!rc)
        rc = sqlite3_exec(sql, meets_bring, NULL, NULL, NULL);
    return rc ? rc : sqlite3_exec(sql, RECENT, NULL, NULL, NULL);
}

static int to_version_3(sqlite3 *sql)
{
    return sqlite3_exec(sql, FILES, NULL, NULL, NULL);
}

/* Who was called otherwise in a meeting: of what was said before, only the account is known.
 * Meetings close the rooms of their guests' notes now: those that had ended did not. */
static int to_version_4(sqlite3 *sql)
{
    return sqlite3_exec(sql, "ALTER TABLE events ADD COLUMN shown TEXT;" VERSION_4 NOTES_CLOSE,
                        NULL, NULL, NULL);
}

static const struct migration steps[] = { { 2, to_version_2 },
                                          { 3, to_version_3 },
                                          { 4, to_version_4 } };

_Static_assert(sizeof steps / sizeof *steps == SCHEMA_VERSION - 1, "a step for each version");

static int known_version(const struct db *d)
{
    return d->n_steps ? d->steps[d->n_steps - 1].to : SCHEMA_VERSION;
}

/* Before anything is written into a file that may not be ours. */
static int whose(const struct db *d, int *ret_version, char why[static 200])
{
    sqlite3 *sql = d->sql;
    const char *path = d->path;
    int known = known_version(d), version = 0, application = 0, tables = 0;
    int err = pragma_int(sql, "SELECT count(*) FROM sqlite_schema", &tables);

    if (!err)
        err = pragma_int(sql, "PRAGMA application_id", &application);
    if (!err)
        err = pragma_int(sql, "PRAGMA user_version", &version);
    if (err) {
        snprintf(why, 200, "cannot read %.100s: %.60s", path, sqlite3_errmsg(sql));
        return err;
    }
    *ret_version = tables == 0 && application == 0 ? 0 : version;
    if (tables == 0 && application == 0)
        return 0; /* a new file */
    if (application != SCHEMA_APPLICATION) {
        snprintf(why, 200, "%.100s is not a database of this program", path);
        return -ROOST_INVALID;
    }
    if (version > known) {
        snprintf(why, 200,
                 "%.60s was written by a newer program (version %d, known is %d): "
                 "update this one",
                 path, version, known);
        return -ROOST_VERSION;
    }
    return 0;
}

static int file_rewrite(sqlite3_file *f)
{
    static const int chunk = 65536;
    sqlite3_int64 size = 0;
    int rc = f->pMethods->xFileSize(f, &size);
    uint8_t *bytes = malloc((size_t)chunk);

    for (sqlite3_int64 at = 0; bytes && !rc && at < size; at += chunk) {
        int len = size - at < chunk ? (int)(size - at) : chunk;
        rc = f->pMethods->xRead(f, bytes, len, at);
        if (!rc)
            rc = f->pMethods->xWrite(f, bytes, len, at);
    }
    if (!rc && bytes)
        rc = f->pMethods->xSync(f, SQLITE_SYNC_NORMAL);
    free(bytes);
    return !bytes ? -ROOST_NOMEM : rc == SQLITE_FULL ? -ROOST_FULL : rc ? -ROOST_IO : 0;
}

/* After a sync that failed, the log file may hold what is in the system's memory only
 * and is taken for written. To copy that into the database, page by page, would leave
 * half of a batch if the power went meanwhile. So all of it is first written again. */
static int log_rewrite(struct db *d)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(d->vfs);
    char *wal = sqlite3_mprintf("%s-wal", d->path);
    const char *name = wal ? sqlite3_create_filename(d->path, "", wal, 0, NULL) : NULL;
    sqlite3_file *f = vfs ? calloc(1, (size_t)vfs->szOsFile) : NULL;
    int there = 0, err = -ROOST_NOMEM;

    if (!name || !f)
        goto out;
    err = 0;
    if (vfs->xAccess(vfs, wal, SQLITE_ACCESS_EXISTS, &there))
        err = -ROOST_IO;
    if (err || !there)
        goto out;
    err = -ROOST_IO;
    if (!vfs->xOpen(vfs, sqlite3_filename_wal(name), f, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL,
                    NULL))
        err = file_rewrite(f);
    if (f->pMethods)
        f->pMethods->xClose(f);
out:
    free(f);
    if (name)
        sqlite3_free_filename((char *)name);
    sqlite3_free(wal);
    return err;
}

/* A file that cannot even be opened for writing has no lock of ours to take: the lock
 * of the data directory is enough. Without a log file it is read as it lies there; with one
 * by the system's VFS that knows no locks, as nolock=1 leaves a log file unread. */
static int open_unlocked(struct db *d)
{
    char uri[1100], *at = uri;
    sqlite3_vfs *vfs = sqlite3_vfs_find(d->vfs);
    char *wal = sqlite3_mprintf("%s-wal", d->path);
    int there = 0;

    if (!wal || !vfs || strlen(d->path) > 300) {
        sqlite3_free(wal);
        return -ROOST_NOMEM;
    }
    vfs->xAccess(vfs, wal, SQLITE_ACCESS_EXISTS, &there);
    sqlite3_free(wal);
    at += sprintf(at, "file:");
    for (const char *p = d->path; *p; p++)
        at += sprintf(at, "%%%02x", (unsigned char)*p);
    sprintf(at, there ? "?mode=ro" : "?mode=ro&immutable=1");
    sqlite3_close(d->sql);
    d->sql = NULL;
    const char *no_locks = there && !d->vfs ? "unix-none" : d->vfs;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    return sqlite3_open_v2(uri, &d->sql, flags, no_locks) ? -ROOST_IO : 0;
}

int schema_open_reading(struct db *d, char why[static 200])
{
    int version = 0;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

    why[0] = 0;
    log_rewrite(d); /* as good as it can: what is read then is more likely to last */
    int err = sqlite3_open_v2(d->path, &d->sql, flags, d->vfs) ? -ROOST_IO : 0;
    for (int i = 0; i < 2; i++) {
        if (!err) {
            /* what the log holds and was not synced must not reach the database */
            sqlite3_db_config(d->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
            sqlite3_extended_result_codes(d->sql, 1);
            err = run(d->sql, "PRAGMA locking_mode = EXCLUSIVE");
        }
        if (!err)
            err = whose(d, &version, why);
        if (!err || i == 1 || open_unlocked(d))
            break;
        err = 0;
    }
    if (!err && version != known_version(d)) {
        snprintf(why, 200, "%.100s must first be brought up to this version", d->path);
        err = -ROOST_IO;
    }
    if (!err)
        err = run(d->sql, "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
                          "PRAGMA trusted_schema = OFF; PRAGMA query_only = 1");
    if (err && !why[0])
        snprintf(why, 200, "cannot read %.100s: %.60s", d->path,
                 d->sql ? sqlite3_errmsg(d->sql) : "out of memory");
    return err;
}

int schema_open(struct db *d, char why[static 200])
{
    int version = 0;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    why[0] = 0;
    int err = log_rewrite(d);
    if (err) {
        snprintf(why, 200, "cannot write %.100s-wal", d->path);
        return err;
    }
    if (sqlite3_open_v2(d->path, &d->sql, flags, d->vfs)) {
        snprintf(why, 200, "cannot open %.100s: %.60s", d->path,
                 d->sql ? sqlite3_errmsg(d->sql) : "out of memory");
        return d->sql ? code_of(d->sql) : -ROOST_NOMEM;
    }
    sqlite3_extended_result_codes(d->sql, 1);

    /* exclusive before the first read: no shared memory is ever made */
    err = run(d->sql, "PRAGMA locking_mode = EXCLUSIVE");
    if (!err)
        err = whose(d, &version, why);
    if (!err)
        err = run(d->sql, pragmas);
    if (!err && !version)
        err = run(d->sql, schema);
    else if (!err)
        err = migrate(d->sql, d->path, d->vfs, d->n_steps ? d->steps : steps,
                      d->n_steps ? d->n_steps : sizeof steps / sizeof *steps, version, why);
    /* Nothing is added to a log that was found: it goes into the database now. */
    if (!err)
        err = run(d->sql, "PRAGMA wal_checkpoint(TRUNCATE)");
    if (err && !why[0])
        snprintf(why, 200, "cannot use %.100s: %.60s", d->path, sqlite3_errmsg(d->sql));
    return err;
}

int schema_make(sqlite3 *sql)
{
    return run(sql, schema);
}
