/* What names look like: each look belongs to one account, or to one open room. */
#include "store/looks.h"
#include "store/sqlite_db.h"

bool db_looks_taken(struct db *d, enum look_kind kind, const char *skeleton, const char *looks)
{
    struct looks l = { skeleton, looks };
    const char *look;
    size_t len;

    while (looks_next(&l, &look, &len))
        if (db_int(d, 0, "SELECT 1 FROM looks WHERE kind = ?1 AND look = ?2", "ix", (int64_t)kind,
                   (const void *)look, len))
            return true;
    return false;
}

void db_looks_put(struct db *d, enum look_kind kind, uint64_t owner, const char *skeleton,
                  const char *looks)
{
    struct looks l = { skeleton, looks };
    const char *look;
    size_t len;

    while (looks_next(&l, &look, &len))
        db_run(d, "INSERT INTO looks(kind, look, owner) VALUES(?1, ?2, ?3)", "ixi", (int64_t)kind,
               (const void *)look, len, (int64_t)owner);
}

void db_looks_drop(struct db *d, enum look_kind kind, uint64_t owner)
{
    db_run(d, "DELETE FROM looks WHERE kind = ?1 AND owner = ?2", "ii", (int64_t)kind,
           (int64_t)owner);
}
