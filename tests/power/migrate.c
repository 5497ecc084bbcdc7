/* The power goes at each call of the disk in turn while a file is brought up: what is there
 * afterwards is of the version before or of the one after, with all that was in it, and
 * the next start brings it up. A first version's file by the real steps; a file of this
 * version by steps that exist only here. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "faultvfs.h"
#include "schema_v1.h"
#include "store/batch.h"
#include "store/sqlite.h"
#include "store/sqlite_migrate.h"

enum { EVENTS = 120 };

static const char *wrong;

static bool fail(const char *what)
{
    if (!wrong)
        wrong = what;
    return false;
}

/* --- files to start from ------------------------------------------------------------ */

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *sql = NULL;

    if (sqlite3_open_v2(path, &sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, FAULTVFS_NAME))
        abort();
    sqlite3_exec(sql, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
    return sql;
}

static void fill(sqlite3 *sql)
{
    char text[600];

    sqlite3_exec(sql,
                 "INSERT INTO accounts(name, skeleton, password, role, created_ms)"
                 " VALUES('ann', 'ann', 'x', 0, 1)",
                 NULL, NULL, NULL);
    for (int i = 1; i <= EVENTS; i++) {
        snprintf(text, sizeof text,
                 "INSERT INTO events(id, at_ms, kind, sender, text) VALUES(%lld, %d, 1, 1,"
                 " printf('text %d %%.400c', 'x'))",
                 (1LL << 40) + i, i, i);
        if (sqlite3_exec(sql, text, NULL, NULL, NULL))
            abort();
    }
    snprintf(text, sizeof text, "UPDATE rooms SET head = %d, last_ms = %d WHERE id = 1", EVENTS,
             EVENTS);
    sqlite3_exec(sql, text, NULL, NULL, NULL);
}

static void make_v1(uint64_t seed)
{
    faultvfs_reset(seed);
    sqlite3 *sql = open_raw("m.db");
    if (sqlite3_exec(sql, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) ||
        sqlite3_exec(sql, schema_v1, NULL, NULL, NULL))
        abort();
    fill(sql);
    sqlite3_close(sql);
}

static void make_now(uint64_t seed)
{
    struct store *s = NULL;
    char why[200];

    faultvfs_reset(seed);
    if (sqlite_store_open(&s, &(struct sqlite_options){ .path = "m.db", .vfs = FAULTVFS_NAME },
                          why))
        abort();
    s->ops->free(s);
    sqlite3 *sql = open_raw("m.db");
    fill(sql);
    sqlite3_close(sql);
}

/* --- steps of a time to come ----------------------------------------------------------- */

static int add_a_column(sqlite3 *sql)
{
    return sqlite3_exec(sql, "ALTER TABLE accounts ADD COLUMN shoe_size INTEGER", NULL, NULL, NULL);
}

/* Writes every event anew: much more than a page, so much can go wrong. */
static int turn_texts_around(sqlite3 *sql)
{
    return sqlite3_exec(sql,
                        "CREATE TABLE turned(id INTEGER PRIMARY KEY, text TEXT);"
                        "INSERT INTO turned SELECT id, text FROM events;"
                        "UPDATE events SET text = 'turned ' || text WHERE kind = 1;"
                        "DROP TABLE turned",
                        NULL, NULL, NULL);
}

static const struct migration later[] = { { 5, add_a_column }, { 6, turn_texts_around } };

/* --- looking ---------------------------------------------------------------------------- */

static int raw_int(sqlite3 *sql, const char *text)
{
    sqlite3_stmt *st = NULL;
    int n = -1;

    if (!sqlite3_prepare_v2(sql, text, -1, &st, NULL) && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    return n;
}

/* Whole, and of one version only. */
static int version_of(const char *path)
{
    sqlite3 *sql = open_raw(path);
    sqlite3_stmt *st = NULL;
    int version = raw_int(sql, "PRAGMA user_version");

    if (sqlite3_prepare_v2(sql, "PRAGMA integrity_check", -1, &st, NULL) ||
        sqlite3_step(st) != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(st, 0), "ok"))
        fail("the file is damaged");
    sqlite3_finalize(st);
    if (raw_int(sql, "SELECT count(*) FROM events WHERE kind = 1 AND sender = 1") != EVENTS)
        fail("events are missing");
    int meets = raw_int(sql, "SELECT count(*) FROM sqlite_schema WHERE name = 'meets'");
    int files = raw_int(sql, "SELECT count(*) FROM sqlite_schema WHERE name = 'files'");
    int shown = raw_int(sql,
                        "SELECT count(*) FROM pragma_table_info('events') WHERE name = 'shown'");
    int shoes = raw_int(
        sql, "SELECT count(*) FROM pragma_table_info('accounts') WHERE name = 'shoe_size'");
    int turned = raw_int(sql, "SELECT count(*) FROM events WHERE text LIKE 'turned %'");
    sqlite3_close(sql);
    if (meets != (version >= 2) || files != (version >= 3) || shown != (version >= 4) ||
        shoes != (version >= 5) || turned != (version >= 6 ? EVENTS : 0))
        fail("it is between two versions");
    return version;
}

/* The copy is whole or not there, and is there when the file is not the old one any more. */
static void check_copy(const char *path, int from, int now)
{
    if (!faultvfs_size(path)) {
        if (now != from)
            fail("the copy is missing");
        return;
    }
    sqlite3 *sql = open_raw(path);
    int tables = raw_int(sql, "SELECT count(*) FROM sqlite_schema");
    sqlite3_close(sql);
    if (tables > 0 && version_of(path) != from)
        fail("the copy is not of the version before");
    if (tables <= 0 && now != from)
        fail("the copy is empty");
}

/* --- stories -------------------------------------------------------------------------------- */

struct story {
    const char *name, *copy;
    void (*make)(uint64_t seed);
    int from, to;
    struct sqlite_options options;
};

static int try_to_open(const struct story *t)
{
    struct store *s = NULL;
    char why[200];
    int err = sqlite_store_open(&s, &t->options, why);

    if (!err)
        s->ops->free(s);
    return err;
}

/* Cut at the n-th call. False: it was over before. */
static bool cut_at(const struct story *t, uint64_t n)
{
    t->make(n);
    faultvfs_cut_after(n);
    try_to_open(t);
    bool was_cut = faultvfs_is_cut();
    faultvfs_power_up();
    int version = version_of("m.db");
    if (version < t->from || version > t->to)
        fail("it is of a version that nobody asked for");
    check_copy(t->copy, t->from, version);
    if (try_to_open(t))
        fail("it cannot be brought up after the cut");
    if (version_of("m.db") != t->to)
        fail("it was not brought up after the cut");
    return was_cut;
}

static void cut_everywhere(const struct story *t)
{
    uint64_t n = 1;

    while (!wrong && cut_at(t, n))
        n++;
    printf("%s: power cut at each of %llu calls\n", t->name, (unsigned long long)n - 1);
}

/* No room, or errors: refused, and nothing changed; later it is done. */
static void errors_everywhere(const struct story *t)
{
    for (uint64_t n = 1; !wrong && n < 400; n += 3) {
        t->make(n);
        faultvfs_fail_after(n, 1 + n % 3, n % 2);
        try_to_open(t);
        faultvfs_fail_after(0, 0, false);
        int version = version_of("m.db");
        if (version < t->from || version > t->to)
            fail("it is of a version that nobody asked for");
        if (try_to_open(t) || version_of("m.db") != t->to)
            fail("it was not brought up after the errors");
    }
    t->make(1);
    faultvfs_weather(FAULT_FULL);
    if (!try_to_open(t))
        fail("a full disk was taken for a good one");
    faultvfs_weather(FAULT_FAIR);
    if (version_of("m.db") != t->from)
        fail("a full disk left something changed");
}

static void run_all(const struct story *t, int *bad)
{
    wrong = NULL;
    cut_everywhere(t);
    errors_everywhere(t);
    if (wrong)
        printf("%s\n", wrong);
    printf("%s %s\n", wrong ? "FAIL" : "ok", t->name);
    *bad += wrong != NULL;
}

/* What the later program wrote, this one refuses, and leaves as it is. */
static void newer_is_refused(const struct story *t, int *bad)
{
    struct store *s = NULL;
    char why[200];

    wrong = NULL;
    t->make(1);
    if (try_to_open(t))
        fail("it cannot be brought up");
    if (sqlite_store_open(&s, &(struct sqlite_options){ .path = "m.db", .vfs = FAULTVFS_NAME },
                          why) != -ROOST_VERSION ||
        !strstr(why, "newer program"))
        fail("it was not refused, or not in clear words");
    if (version_of("m.db") != t->to)
        fail("it was touched");
    printf("%s a_newer_programs_file_is_refused\n", wrong ? "FAIL" : "ok");
    *bad += wrong != NULL;
}

int main(void)
{
    const struct story stories[] = {
        { "the_first_version_becomes_the_fourth",
          "m.db.before-v4",
          make_v1,
          1,
          4,
          { .path = "m.db", .vfs = FAULTVFS_NAME } },
        { "two_steps_of_a_time_to_come",
          "m.db.before-v6",
          make_now,
          4,
          6,
          { .path = "m.db", .vfs = FAULTVFS_NAME, .steps = later, .n_steps = 2 } },
    };
    int bad = 0;

    if (faultvfs_register())
        return 2;
    for (size_t i = 0; i < 2; i++)
        run_all(&stories[i], &bad);
    newer_is_refused(&stories[1], &bad);
    faultvfs_reset(0);
    return bad > 0;
}
