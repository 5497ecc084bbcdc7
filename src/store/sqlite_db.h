/* sqlite_db.h - inside the SQLite store: the connection, statements, columns.
 *
 * A handler is given an operation and an empty result and returns 0 or why not.
 * It checks before it writes, so that a refusal has changed nothing. When SQLite
 * itself fails, db->failed is set and the whole batch is lost: handlers need not
 * look, every helper below then does nothing and says "no row", "refused".
 */
#pragma once

#include <sqlite3.h>

#include "base/err.h"
#include "base/map.h"
#include "store/batch.h"
#include "store/sqlite_migrate.h"
#include "store/sqlite_requests.h"
#include "store/store.h"

/* What an append must know of its room. */
struct room_head {
    uint64_t id, head, indexed, epoch;
    int64_t last_ms;
    bool closed;
};

/* Rooms whose heads are at hand while nothing but texts is added: as many as their
 * low bits tell apart. */
enum { HEADS_MAX = 32 };
struct kept_head {
    struct room_head head; /* id 0: none */
    bool ahead;            /* of its row */
};

struct sqlite_copy;

struct db {
    struct store store;
    sqlite3 *sql;          /* NULL: must be opened before the next batch */
    struct map statements; /* by the address of their text */
    int failed;            /* the batch is lost: -ROOST_FULL or -ROOST_NOT_STORED */
    bool nomem;            /* the batch is lost: a result could not be made */
    bool in_batch;
    enum store_health health;
    bool reading;      /* the connection is open for reading only */
    char why[200];     /* not fine: what SQLite said first */
    uint64_t unlogged; /* lines of the log that could not be written since */
    int wal_pages;
    uint32_t unindexed; /* texts said since the index was last brought up to date, about */
    int64_t log_ms;     /* the log's time does not go back */
    int64_t purged_ms;
    struct requests requests;
    struct kept_head heads[HEADS_MAX];
    char *path, *vfs;
    const struct migration *steps; /* of a test; n_steps 0: ours */
    size_t n_steps;
    struct sqlite_copy *copy; /* under way, or NULL */
    uint32_t checkpoint_pages;
};

typedef int handler(struct db *d, const struct store_op *op, struct store_result *r);

/* Binds by fmt: i int64_t, t const char * (NULL fine), b const uint8_t * of 32
 * bytes, h of 16, x const void * and size_t. Texts must live until the statement
 * is used again. NULL when it failed. `sql` must be a literal. */
sqlite3_stmt *db_query(struct db *d, const char *sql, const char *fmt, ...);
/* The next row; false at the end (the statement is reset then). */
bool db_row(struct db *d, sqlite3_stmt *st);
/* When a loop ends before the last row. */
void db_done(sqlite3_stmt *st);
/* Does it. -ROOST_CONFLICT: a constraint refused and nothing was changed. */
int db_run(struct db *d, const char *sql, const char *fmt, ...);
/* The first column of the first row, or `none`. */
int64_t db_int(struct db *d, int64_t none, const char *sql, const char *fmt, ...);
int64_t db_last_id(struct db *d);
int db_changed(struct db *d); /* rows, by the last db_run */

static inline uint64_t col_u64(sqlite3_stmt *st, int i)
{
    return (uint64_t)sqlite3_column_int64(st, i);
}

static inline uint32_t col_u32(sqlite3_stmt *st, int i)
{
    return (uint32_t)sqlite3_column_int64(st, i);
}

/* Copies into the result; NULL columns give "". */
const char *col_text(struct db *d, struct store_result *r, sqlite3_stmt *st, int i);
void col_bytes(sqlite3_stmt *st, int i, uint8_t *out, size_t len);
/* Empty columns give NULL and 0. */
const uint8_t *col_blob(struct db *d, struct store_result *r, sqlite3_stmt *st, int i,
                        size_t *ret_len);
/* store_grow that notes when memory is out: then false. */
bool db_grow(struct db *d, struct store_result *r, void *array_ptr, size_t n, size_t size);

/* --- schema --- */
int schema_open(struct db *d, char ret_why[static 200]);
/* A file that is there, without writing a byte of it. */
int schema_open_reading(struct db *d, char ret_why[static 200]);

/* The tables of this version, in an empty database. */
int schema_make(sqlite3 *sql);
enum { SCHEMA_VERSION = 4, SCHEMA_APPLICATION = 0x526f7374 /* "Rost" */ };

/* --- health --- */
/* The call that just failed: notes what it means for the disk; what the batch fails with. */
int health_on_failure(struct db *d);
/* Opening failed with err; the connection, if any, still knows why. */
void health_on_open_failure(struct db *d, int err, const char *why);
/* A disk that was full is written to again once it has HEALTH_ROOM bytes: what a refused
 * batch gave back is room for a line or two, and would make it full and fine by turns. */
enum { HEALTH_ROOM = 1 << 20 };
bool health_has_room(const struct db *d);
/* What a change is refused with. */
int health_refusal(const struct db *d);

/* --- looks of names: each is somebody's alone --- */
enum look_kind { LOOK_ACCOUNT, LOOK_ROOM };
/* skeleton and looks as in store.h; either may be NULL. Taken: by anybody. */
bool db_looks_taken(struct db *d, enum look_kind kind, const char *skeleton, const char *looks);
void db_looks_put(struct db *d, enum look_kind kind, uint64_t owner, const char *skeleton,
                  const char *looks);
void db_looks_drop(struct db *d, enum look_kind kind, uint64_t owner);

/* --- what several files need --- */
enum { SEQ_BITS = 40 }; /* an event's row is room << SEQ_BITS | seq: one tree holds all */

static inline int64_t event_id(uint64_t room, uint64_t seq)
{
    return (int64_t)(room << SEQ_BITS | seq);
}

static inline uint64_t seq_of(int64_t id)
{
    return (uint64_t)id & ((1ULL << SEQ_BITS) - 1);
}

#define ACCOUNT_COLS "id, name, skeleton, password, role, created_ms, deleted, guest, guest_of"
enum { ACCOUNT_COLS_N = 9 };
void account_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct account_row *a);
bool account_is(struct db *d, uint64_t id);  /* exists, not deleted; a guest too */
bool account_own(struct db *d, uint64_t id); /* is no guest */
int account_get(struct db *d, struct store_result *r, uint64_t id);
void accounts_end_sessions(struct db *d, uint64_t account, uint64_t but);

#define ROOM_COLS                                                                                  \
    "id, kind, name, skeleton, topic, private, moderated, closed, retention_days, head, first, "   \
    "last_ms"
enum { ROOM_COLS_N = 12 };
void room_col(struct db *d, struct store_result *r, sqlite3_stmt *st, struct room_row *room);
void room_pins(struct db *d, struct store_result *r, uint64_t room, uint64_t **ret_ids,
               size_t *ret_n);

int room_get(struct db *d, struct store_result *r, uint64_t id);
/* Another room would have no number. */
bool rooms_are_full(struct db *d);
/* The direct room of two who are there, made if there is none; 0 when there can be no
 * more rooms. */
uint64_t room_direct(struct db *d, uint64_t a, uint64_t b);

/* The column `bits` of an event. */
enum { BIT_FLAG = 1, BIT_PRIVATE = 2, BIT_MODERATED = 4, BIT_CLOSED = 8, BIT_CREATED = 16 };

int room_head_get(struct db *d, uint64_t id, struct room_head *ret);
/* Writes one event under the next number and advances h; effects are the caller's. */
int event_put(struct db *d, struct room_head *h, const struct event *e, int64_t now_ms,
              uint64_t edit_seq);
int room_head_put(struct db *d, const struct room_head *h);
/* The rows of rooms say again what is known of them; whoever is not a text asks for
 * that first. */
void heads_write(struct db *d);
void heads_drop(struct db *d);
/* Texts below `first` go, and what was done to them; the head stays. */
void texts_drop(struct db *d, const struct room_head *h, uint64_t first);
/* Empties and marks a text, its reactions, its pin, its words in the index. */
void text_delete(struct db *d, uint64_t room, uint64_t seq, uint64_t indexed);

/* The first number in the room whose time is at least at_ms; head + 1 if none. */
uint64_t seq_since(struct db *d, uint64_t room, uint64_t head, int64_t at_ms);
/* Reads the event `id` as it is now into r->events; false when there is none. */
bool event_load(struct db *d, struct store_result *r, int64_t id, uint64_t account);

/* A session as op->session says; r->session, r->account and r->seq name it. */
void session_add(struct db *d, const struct store_op *op, uint64_t account, struct store_result *r);

/* --- meetings --- */
/* Into r->meet and r->attendees. */
void meet_load(struct db *d, struct store_result *r, uint64_t room);
/* Guests whom nobody will miss. */
void guests_clear(struct db *d, int64_t now_ms);
/* -ROOST_GUESSES with r->retry_ms when one of op->counts[] is at its limit. */
int counts_check(struct db *d, const struct store_op *op, struct store_result *r);
void counts_add(struct db *d, const struct store_op *op); /* each is one more */

/* What it sent is over, and its names are gone. */
void files_forget_account(struct db *d, uint64_t account);
void files_forget_room(struct db *d, uint64_t room);

void index_add(struct db *d, int64_t id, const char *text);
void index_drop(struct db *d, int64_t id, const char *text);
/* Everything said so far can be found. */
void index_all(struct db *d);

/* The connection is about to be closed: a copy of it cannot go on. */
void copy_lose(struct db *d);

/* --- handlers, one a kind --- */
handler do_account_new, do_account_find, do_account_password, do_account_role, do_account_delete,
    do_account_list, do_invite_new, do_invite_find, do_ignore;
handler do_login_find, do_session_new, do_session_resume, do_session_end, do_session_list,
    do_guard_put, do_guard_list;
handler do_room_new, do_room_find, do_room_direct, do_room_load, do_room_list, do_mark,
    do_room_mute;
handler do_append;
handler do_guest_new, do_meet_new, do_meet_find, do_meet_change, do_meet_list, do_meet_note;
handler do_file_new, do_file_find, do_file_set, do_file_keep, do_file_list, do_file_expire,
    do_file_loose;
handler do_read, do_earlier, do_search, do_log_read, do_retain;
void log_put(struct db *d, const struct store_op *op, uint64_t account, int outcome);
/* A file that nobody writes: it needs neither locks nor a log. Close *ret, also after an error.
 * (sqlite_check.c) */
int db_open_still(const char *path, sqlite3 **ret);
/* Where the log named this account there is its number; looks at all of it. Before the
 * account itself is renamed. */
void log_forget(struct db *d, uint64_t account, const char *number);
