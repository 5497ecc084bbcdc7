/* sqlite_migrate.h - how a file of an older version becomes one of this version.
 *
 * A table of steps, each in a transaction of its own together with the number of the
 * version that it leads to: whatever happens, the file is of one version or the next.
 * Before the first step the file is copied to NAME.before-vN, N the version that all
 * steps lead to; without room for that nothing is changed.
 */
#pragma once

#include <sqlite3.h>
#include <stddef.h>

struct migration {
    int to;                   /* the version afterwards; the step before leads to one less */
    int (*run)(sqlite3 *sql); /* within its transaction; 0 or what SQLite says */
};

/* Brings the open database `path`, of version `from`, up. 0, -ROOST_FULL, -ROOST_IO, ...;
 * why gets a sentence. */
int migrate(sqlite3 *sql, const char *path, const char *vfs, const struct migration *steps,
            size_t n, int from, char ret_why[static 200]);
