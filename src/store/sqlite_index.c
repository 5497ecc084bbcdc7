/* Full-text search. The index holds words only (no texts): to take a text out, the
 * words that were put in are named again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/sqlite_db.h"
#include "store/words.h"

void index_add(struct db *d, int64_t id, const char *text)
{
    db_run(d, "INSERT INTO words(rowid, text) VALUES(?1, ?2)", "it", id, text);
}

void index_drop(struct db *d, int64_t id, const char *text)
{
    db_run(d, "INSERT INTO words(words, rowid, text) VALUES('delete', ?1, ?2)", "it", id, text);
}

static void index_room(struct db *d, int64_t room, int64_t indexed, int64_t head)
{
    sqlite3_stmt *st = db_query(
        d,
        "SELECT e.id, coalesce(n.text, e.text) FROM events e LEFT JOIN events n ON"
        " e.edit_seq <> 0 AND n.id = (e.id >> 40 << 40 | e.edit_seq)"
        " WHERE e.id > ?1 AND e.id <= ?2 AND e.kind = 1 AND e.deleted IS NOT 1",
        "ii", event_id((uint64_t)room, (uint64_t)indexed),
        event_id((uint64_t)room, (uint64_t)head));

    while (db_row(d, st))
        index_add(d, sqlite3_column_int64(st, 0), (const char *)sqlite3_column_text(st, 1));
    db_run(d, "UPDATE rooms SET indexed = ?2 WHERE id = ?1", "ii", room, head);
}

void index_all(struct db *d)
{
    int64_t room = 0;

    while (!d->failed && !d->reading) { /* then the newest are not found */
        sqlite3_stmt *st = db_query(d,
                                    "SELECT id, indexed, head FROM rooms WHERE id > ?1"
                                    " AND indexed < head ORDER BY id LIMIT 1",
                                    "i", room);
        if (!db_row(d, st))
            break;
        room = sqlite3_column_int64(st, 0);
        int64_t indexed = sqlite3_column_int64(st, 1), head = sqlite3_column_int64(st, 2);
        db_done(st);
        index_room(d, room, indexed, head);
    }
    d->unindexed = 0;
}

/* Each term becomes a quoted string, in which nothing means anything. */
static void match_write(char *out, const struct words_term *terms, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *out++ = '"';
        memcpy(out, terms[i].text, terms[i].len); /* a term holds no quote */
        out += terms[i].len;
        *out++ = '"';
        if (terms[i].prefix)
            *out++ = '*';
        *out++ = ' ';
    }
    *out = 0;
}

struct hit {
    int64_t id, at_ms;
};

struct hits {
    struct hit *list; /* room for 2 * limit */
    size_t n, limit;
};

static int newer_first(const void *pa, const void *pb)
{
    const struct hit *a = pa, *b = pb;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? 1 : -1;
    return a->id < b->id ? 1 : a->id > b->id ? -1 : 0;
}

/* The newest of one room join those found so far. */
static void search_room(struct db *d, const struct store_op *op, const char *match, uint64_t room,
                        struct hits *hits)
{
    struct room_head h;

    if (room_head_get(d, room, &h))
        return;
    uint64_t from = op->since_ms > 0 ? seq_since(d, room, h.head, op->since_ms) : 1;
    sqlite3_stmt *st = db_query(d,
                                "SELECT w.rowid, (SELECT at_ms FROM events e WHERE e.id = w.rowid)"
                                " FROM words w WHERE words MATCH ?1 AND w.rowid >= ?2"
                                " AND w.rowid <= ?3 ORDER BY w.rowid DESC LIMIT ?4",
                                "tiii", match, event_id(room, from), event_id(room, h.head),
                                (int64_t)hits->limit);
    size_t had = hits->n;

    while (db_row(d, st))
        hits->list[hits->n++] = (struct hit){ sqlite3_column_int64(st, 0),
                                              sqlite3_column_int64(st, 1) };
    if (hits->n > had)
        qsort(hits->list, hits->n, sizeof *hits->list, newer_first);
    if (hits->n > hits->limit)
        hits->n = hits->limit;
}

static void search_rooms(struct db *d, const struct store_op *op, const char *match,
                         struct hits *hits)
{
    int64_t room = 0;

    if (op->room.id) {
        search_room(d, op, match, op->room.id, hits);
        return;
    }
    while ((room = db_int(d, 0,
                          "SELECT min(room) FROM members WHERE account = ?1 AND room > ?2"
                          " AND banned = 0",
                          "ii", (int64_t)op->account.id, room)))
        search_room(d, op, match, (uint64_t)room, hits);
}

int do_search(struct db *d, const struct store_op *op, struct store_result *r)
{
    struct words_term terms[WORDS_TERMS_MAX];
    size_t n = words_parse(op->words, terms);
    struct hits hits = { .limit = store_page(op, READ_PAGE) };

    if (n == 0)
        return 0;
    char *match = arena_get(&r->mem, WORDS_BYTES_MAX + n * 4 + 1);
    hits.list = arena_get(&r->mem, 2 * hits.limit * sizeof *hits.list);
    if (!match || !hits.list) {
        d->nomem = true;
        return 0;
    }
    match_write(match, terms, n);
    index_all(d);
    search_rooms(d, op, match, &hits);

    size_t bytes = 0, first = 0;
    for (first = 0; first < hits.n && bytes <= READ_BYTES_MAX; first++) /* newest first */
        bytes += (size_t)db_int(d, 0, "SELECT length(CAST(text AS BLOB)) FROM events WHERE id = ?1",
                                "i", hits.list[first].id);
    while (first-- > 0)
        event_load(d, r, hits.list[first].id, op->account.id);
    return 0;
}
