#include "store/sqlite_requests.h"

#include <stdlib.h>
#include <string.h>

#include "store/sqlite_db.h"

enum {
    GENERATION = 16000, /* 1.3 MB, and 0.2 pages of a tree of 150,000 for each that is settled */
    ROW_BYTES = 80,
    ROWS_FIRST = 64,
    SETTLE_MIN = 8,    /* with each batch: a small batch stays a small write */
    LEARN = 512,       /* with each batch: 0.1 ms */
    SETTLE_FACTOR = 2, /* of what is new: the full one is settled when the other is half full */
};

/* --- rows as bytes: ten words, the lowest byte first ------------------------------ */

static uint8_t *put_word(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        *p++ = (uint8_t)(v >> 8 * i);
    return p;
}

static const uint8_t *get_word(const uint8_t *p, uint64_t *v)
{
    *v = 0;
    for (int i = 0; i < 8; i++)
        *v |= (uint64_t)*p++ << 8 * i;
    return p;
}

static void row_encode(uint8_t *p, const struct request_row *r)
{
    p = put_word(p, r->scope);
    memcpy(p, r->id, sizeof r->id);
    memcpy(p + 16, r->digest, sizeof r->digest);
    p = put_word(p + 32, (uint64_t)r->made_ms);
    p = put_word(p, (uint64_t)r->at_ms);
    p = put_word(p, r->room);
    p = put_word(p, r->seq);
    put_word(p, r->account);
}

static void row_decode(struct request_row *r, const uint8_t *p)
{
    uint64_t made, at;

    p = get_word(p, &r->scope);
    memcpy(r->id, p, sizeof r->id);
    memcpy(r->digest, p + 16, sizeof r->digest);
    p = get_word(p + 32, &made);
    p = get_word(p, &at);
    p = get_word(p, &r->room);
    p = get_word(p, &r->seq);
    get_word(p, &r->account);
    r->made_ms = (int64_t)made;
    r->at_ms = (int64_t)at;
}

/* --- in memory ---------------------------------------------------------------------- */

void requests_init(struct requests *q, size_t most)
{
    *q = (struct requests){ .most = most ? most : GENERATION,
                            .next_n = 1,
                            .learnt.scope = UINT64_MAX /* below all: it is -1 there */ };
}

void requests_fini(struct requests *q)
{
    free(q->rows);
    free(q->index);
    free(q->full);
    filter_fini(&q->filter);
    requests_init(q, q->most);
}

static void words_of(const uint8_t *id, uint64_t *a, uint64_t *b)
{
    memcpy(a, id, 8);
    memcpy(b, id + 8, 8);
}

static bool filter_add(struct requests *q, uint64_t scope, const uint8_t *id)
{
    uint64_t a, b;

    words_of(id, &a, &b);
    return filter_put(&q->filter, a ^ scope, b);
}

static bool may_be_settled(const struct requests *q, uint64_t scope, const uint8_t *id)
{
    uint64_t a, b;

    words_of(id, &a, &b);
    return !q->filter_whole || filter_may_have(&q->filter, a ^ scope, b);
}

static size_t home_of(const struct requests *q, uint64_t scope, const uint8_t *id)
{
    uint64_t a, b;

    words_of(id, &a, &b);
    a = (a ^ b * 0x9e3779b97f4a7c15u ^ scope) * 0xbf58476d1ce4e5b9u;
    return (size_t)(a ^ a >> 32) & (q->index_cap - 1);
}

static bool same(const struct request_row *r, uint64_t scope, const uint8_t *id)
{
    return r->scope == scope && memcmp(r->id, id, sizeof r->id) == 0;
}

/* Where its position is, or would be. */
static uint32_t *position_of(const struct requests *q, uint64_t scope, const uint8_t *id)
{
    size_t i = home_of(q, scope, id);

    while (q->index[i] && !same(&q->rows[q->index[i] - 1], scope, id))
        i = (i + 1) & (q->index_cap - 1);
    return &q->index[i];
}

/* The same id again (after its time) takes the place of the first. */
static void position_add(struct requests *q, size_t at)
{
    *position_of(q, q->rows[at].scope, q->rows[at].id) = (uint32_t)at + 1;
}

static void positions_fill(struct requests *q)
{
    memset(q->index, 0, q->index_cap * sizeof *q->index);
    for (size_t i = 0; i < q->n; i++)
        position_add(q, i);
}

/* The index is at most half full. */
static bool grow(struct requests *q)
{
    size_t cap = q->cap ? q->cap * 2 : ROWS_FIRST;
    struct request_row *rows = realloc(q->rows, cap * sizeof *rows);

    if (!rows)
        return false;
    q->rows = rows;
    uint32_t *index = realloc(q->index, 2 * cap * sizeof *index);
    if (!index)
        return false;
    q->index = index;
    q->index_cap = 2 * cap;
    q->cap = cap;
    positions_fill(q);
    return true;
}

static bool add(struct requests *q, const struct request_row *r)
{
    if (q->n == q->cap && !grow(q))
        return false;
    q->rows[q->n] = *r;
    position_add(q, q->n++);
    return true;
}

/* The tree's order; of two with one id the later is behind. */
static int in_order(const void *pa, const void *pb)
{
    const struct request_row *a = pa, *b = pb;

    if (a->scope != b->scope)
        return a->scope < b->scope ? -1 : 1;
    int by_id = memcmp(a->id, b->id, sizeof a->id);
    return by_id ? by_id : (a->made_ms > b->made_ms) - (a->made_ms < b->made_ms);
}

static const struct request_row *find_full(const struct requests *q, uint64_t scope,
                                           const uint8_t *id)
{
    struct request_row key = { .scope = scope, .made_ms = INT64_MAX };
    size_t low = 0, high = q->n_full;

    memcpy(key.id, id, sizeof key.id);
    while (low < high) { /* the first that is behind it */
        size_t mid = low + (high - low) / 2;
        if (in_order(&q->full[mid], &key) <= 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low && same(&q->full[low - 1], scope, id) ? &q->full[low - 1] : NULL;
}

static const struct request_row *find(const struct requests *q, uint64_t scope, const uint8_t *id)
{
    uint32_t at = q->n ? *position_of(q, scope, id) : 0;

    return at ? &q->rows[at - 1] : find_full(q, scope, id);
}

/* The generation is full: the other table is next. */
static void turn(struct requests *q)
{
    qsort(q->rows, q->n, sizeof *q->rows, in_order);
    free(q->full);
    q->full = q->rows;
    q->n_full = q->n;
    q->settled = 0;
    q->rows = NULL;
    free(q->index);
    q->index = NULL;
    q->n = q->cap = q->kept = q->index_cap = 0;
    q->table = !q->table;
}

/* --- from and to the tables ----------------------------------------------------------- */

static void load_table(struct db *d, const char *sql)
{
    struct requests *q = &d->requests;
    sqlite3_stmt *st = db_query(d, sql, "");

    while (db_row(d, st)) {
        const uint8_t *p = sqlite3_column_blob(st, 1);
        int len = sqlite3_column_bytes(st, 1);
        struct request_row r;

        q->next_n = sqlite3_column_int64(st, 0) + 1;
        for (; len >= ROW_BYTES; p += ROW_BYTES, len -= ROW_BYTES) {
            row_decode(&r, p);
            if (!add(q, &r)) {
                d->nomem = true;
                db_done(st);
                return;
            }
        }
    }
    q->kept = q->n;
}

/* The one whose rows are older is full, unless the other is empty. */
void requests_load(struct db *d)
{
    static const char *const all[] = { "SELECT n, rows FROM recent0 ORDER BY n",
                                       "SELECT n, rows FROM recent1 ORDER BY n" };
    struct requests *q = &d->requests;

    requests_fini(q);
    int64_t first0 = db_int(d, INT64_MAX, "SELECT min(n) FROM recent0", "");
    int64_t first1 = db_int(d, INT64_MAX, "SELECT min(n) FROM recent1", "");
    q->table = first1 < first0;
    load_table(d, all[q->table]);
    if (d->failed || d->nomem || first0 == INT64_MAX || first1 == INT64_MAX)
        return;
    turn(q);
    load_table(d, all[q->table]);
}

static void answer(const struct request_row *was, const struct store_op *op, struct store_result *r)
{
    if (memcmp(was->digest, op->req.digest, sizeof was->digest) != 0) {
        r->err = -ROOST_CONFLICT;
        return;
    }
    r->dup = true;
    r->room = was->room;
    r->seq = was->seq;
    r->at_ms = was->at_ms;
    r->account = was->account;
}

static bool find_settled(struct db *d, const struct store_op *op, struct request_row *ret)
{
    sqlite3_stmt *st = db_query(d,
                                "SELECT digest, room, seq, at_ms, account, made_ms FROM requests"
                                " WHERE scope = ?1 AND id = ?2",
                                "ih", (int64_t)op->req.scope, op->req.id);

    if (!db_row(d, st))
        return false;
    col_bytes(st, 0, ret->digest, sizeof ret->digest);
    ret->room = col_u64(st, 1);
    ret->seq = col_u64(st, 2);
    ret->at_ms = sqlite3_column_int64(st, 3);
    ret->account = col_u64(st, 4);
    ret->made_ms = sqlite3_column_int64(st, 5);
    db_done(st);
    return true;
}

bool requests_known(struct db *d, const struct store_op *op, struct store_result *r)
{
    const struct request_row *was = find(&d->requests, op->req.scope, op->req.id);
    struct request_row settled;

    if (!was && may_be_settled(&d->requests, op->req.scope, op->req.id) &&
        find_settled(d, op, &settled))
        was = &settled;
    if (!was || was->made_ms < op->now_ms - REQUEST_KEEP_MS)
        return false;
    answer(was, op, r);
    return true;
}

void requests_remember(struct db *d, const struct store_op *op, const struct store_result *r)
{
    struct request_row row = { .scope = op->req.scope,
                               .made_ms = op->now_ms,
                               .at_ms = r->at_ms,
                               .room = r->room,
                               .seq = r->seq,
                               .account = r->account };

    memcpy(row.id, op->req.id, sizeof row.id);
    memcpy(row.digest, op->req.digest, sizeof row.digest);
    if (!add(&d->requests, &row))
        d->nomem = true;
}

static void settle_one(struct db *d, const struct request_row *r)
{
    if (!filter_add(&d->requests, r->scope, r->id))
        d->nomem = true;
    db_run(d,
           "INSERT OR REPLACE INTO requests(scope, id, digest, made_ms, room, seq, at_ms, account)"
           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
           "ihhiiiii", (int64_t)r->scope, r->id, r->digest, r->made_ms, (int64_t)r->room,
           (int64_t)r->seq, r->at_ms, (int64_t)r->account);
}

static void settle(struct db *d, size_t fresh)
{
    struct requests *q = &d->requests;
    size_t piece = SETTLE_FACTOR * fresh > SETTLE_MIN ? SETTLE_FACTOR * fresh : SETTLE_MIN;

    for (; piece && q->settled < q->n_full; piece--)
        settle_one(d, &q->full[q->settled++]);
    if (q->settled < q->n_full)
        return;
    if (q->table)
        db_run(d, "DELETE FROM recent0", "");
    else
        db_run(d, "DELETE FROM recent1", "");
    free(q->full);
    q->full = NULL;
    q->n_full = q->settled = 0;
}

/* What settles meanwhile, on either side of `learnt`, is put in by settle_one. */
static void learn(struct db *d)
{
    struct requests *q = &d->requests;
    sqlite3_stmt *st = db_query(d,
                                "SELECT scope, id FROM requests WHERE (scope, id) > (?1, ?2)"
                                " ORDER BY scope, id LIMIT ?3",
                                "ihi", (int64_t)q->learnt.scope, q->learnt.id, (int64_t)LEARN);
    size_t n = 0;

    for (; db_row(d, st); n++) {
        q->learnt.scope = col_u64(st, 0);
        col_bytes(st, 1, q->learnt.id, sizeof q->learnt.id);
        if (!filter_add(q, q->learnt.scope, q->learnt.id))
            d->nomem = true;
    }
    q->filter_whole = n < LEARN && !d->failed && !d->nomem;
}

void requests_keep(struct db *d)
{
    struct requests *q = &d->requests;
    size_t fresh = q->n - q->kept, len = fresh * ROW_BYTES;
    uint8_t *bytes = fresh ? malloc(len) : NULL;

    if (!fresh)
        return;
    if (!bytes) {
        d->nomem = true;
        return;
    }
    for (size_t i = 0; i < fresh; i++)
        row_encode(bytes + i * ROW_BYTES, &q->rows[q->kept + i]);
    if (q->table)
        db_run(d, "INSERT INTO recent1(n, rows) VALUES(?1, ?2)", "ix", q->next_n, bytes, len);
    else
        db_run(d, "INSERT INTO recent0(n, rows) VALUES(?1, ?2)", "ix", q->next_n, bytes, len);
    free(bytes);
    q->next_n++;
    q->kept = q->n;
    if (!q->filter_whole)
        learn(d);
    if (q->n_full)
        settle(d, fresh);
    else if (q->n >= q->most)
        turn(q);
}

void requests_forget(struct db *d)
{
    struct requests *q = &d->requests;

    if (q->n == q->kept)
        return;
    q->n = q->kept;
    positions_fill(q);
}
