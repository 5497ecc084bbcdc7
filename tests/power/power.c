/* The power goes at a random moment, again and again, and nothing that was
 * acknowledged may be missing, doubled or out of order.
 *
 * A round: batches of texts, and of changes of a meeting, through the real SQLite store
 * over faultvfs. A change is three rows that must agree: the meeting, somebody's place in
 * it, and the event.
 * Errors and a full disk come in between; what was not stored is sent again under the
 * same request id, as clients do. Then the power is cut at a random call, the store is
 * opened on what survived, and everything is checked; three lives a round.
 *
 *     power [--rounds N] [--seconds S] [--seed N] [--no-sync]
 *
 * With --no-sync the disk ignores syncs, and the loss must be seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "faultvfs.h"
#include "store/batch.h"
#include "store/sqlite.h"

enum { TEXTS_MAX = 400, BATCH_MAX = 8, LIVES = 3, BATCHES_MAX = 2000 };

/* One text that the round says, or one change, and what became of it. */
struct said {
    bool acknowledged;
    uint64_t seq;
};

static struct {
    uint64_t x;
    uint64_t account, room, meet;
    struct said said[TEXTS_MAX];
    size_t n, waiting; /* texts below `waiting` are acknowledged */
    int64_t now_ms;
    const char *wrong;
} round_;

static struct {
    uint64_t rounds, lives, batches, failed, acknowledged, dups, phantoms, reopened, full, reads,
        unread, changes;
} sum;

static uint64_t roll(uint64_t n)
{
    round_.x ^= round_.x << 13;
    round_.x ^= round_.x >> 7;
    round_.x ^= round_.x << 17;
    return round_.x % n;
}

static bool wrong(const char *what)
{
    if (!round_.wrong)
        round_.wrong = what;
    return false;
}

/* --- what is said --- */

static struct store_op *setup_op(void)
{
    static const struct member_row nobody;
    enum store_kind kind = !round_.account ? STORE_ACCOUNT_NEW
                           : !round_.room  ? STORE_ROOM_NEW
                                           : STORE_MEET_NEW;
    struct store_op *op = store_op_new(kind, 1000);
    struct member_row *owner = arena_dup(&op->mem, &nobody, sizeof nobody);

    owner->account = op->account.id = round_.account;
    op->event.kind = EVENT_MEET;
    op->meet.code = "123456";
    op->account.name = op->account.skeleton = "ann";
    op->room.name = op->room.skeleton = "room";
    op->members = owner;
    op->n_members = 1;
    op->req = (struct store_request){ .has_id = true, .id = { (uint8_t)op->kind } };
    return op;
}

static struct store_op *text_op(size_t i)
{
    struct store_op *op = store_op_new(STORE_APPEND, ++round_.now_ms);
    char text[900];
    int len = snprintf(text, sizeof text, "text %zu ", i);

    memset(text + len, 'a' + (int)(i % 26), i * 37 % 800);
    text[(size_t)len + i * 37 % 800] = 0;
    op->event = (struct event){ .room = round_.room, .from = round_.account, .kind = EVENT_TEXT };
    op->event.text = arena_str(&op->mem, text);
    op->req = (struct store_request){ .has_id = true, .scope = 1 };
    memcpy(op->req.id, &i, sizeof i);
    op->log = (struct store_log){ .kind = "say", .account = round_.account, .target = "#room" };
    op->token = i;
    return op;
}

/* Every fourth is no text. */
static bool is_change(size_t i)
{
    return i % 4 == 3;
}

static struct store_op *change_op(size_t i)
{
    struct store_op *op = text_op(i);
    struct attendee_row row = { .account = round_.account, .skeleton = "ann" };

    op->kind = STORE_MEET_CHANGE;
    row.data = (const uint8_t *)op->event.text;
    row.n_data = strlen(op->event.text);
    op->room.id = round_.meet;
    op->meet = (struct meet_row){ .live = true, .data = row.data, .n_data = row.n_data };
    op->attendees = arena_dup(&op->mem, &row, sizeof row);
    op->n_attendees = 1;
    op->event = (struct event){ .kind = EVENT_MEET, .from = round_.account };
    op->event.data = row.data;
    op->event.n_data = row.n_data;
    return op;
}

static struct store_op *job_op(size_t i)
{
    return is_change(i) ? change_op(i) : text_op(i);
}

static bool is_not_stored(int err)
{
    return err == -ROOST_FULL || err == -ROOST_NOT_STORED || err == -ROOST_IO;
}

/* Runs the operations; false when the power is gone or something is wrong. */
static bool run(struct store *s, struct store_op **ops, size_t n, struct store_result **results)
{
    if (roll(4))
        s->ops->probe(s, round_.now_ms);
    int err = store_run_batch(s, ops, n, results);

    sum.batches++;
    sum.failed += err != 0 || results[0]->err == -ROOST_NOT_STORED || results[0]->err == -ROOST_IO;
    sum.full += results[0]->err == -ROOST_FULL;
    for (size_t i = 0; i < n; i++)
        store_op_unref(ops[i]);
    if (err == 0 || is_not_stored(err))
        return !faultvfs_is_cut();
    return wrong("a batch failed in a way that it should not");
}

static bool set_up(struct store *s)
{
    while (!round_.meet) {
        struct store_op *op = setup_op();
        struct store_result *r = NULL;
        enum store_kind kind = op->kind;
        bool on = run(s, &op, 1, &r);
        if (r->err == 0 && kind == STORE_ACCOUNT_NEW)
            round_.account = r->account;
        else if (r->err == 0)
            *(kind == STORE_ROOM_NEW ? &round_.room : &round_.meet) = r->room;
        else if (!is_not_stored(r->err))
            on = wrong("the account is gone, or a room cannot be made");
        store_result_free(r);
        if (!on)
            return false;
    }
    return true;
}

static bool take(struct store_result *r)
{
    struct said *t = &round_.said[r->token];

    if (is_not_stored(r->err))
        return true;
    if (r->err)
        return wrong("a text was refused");
    if (t->acknowledged && t->seq != r->seq)
        return wrong("a text was acknowledged under two numbers");
    sum.acknowledged++;
    sum.dups += r->dup;
    t->acknowledged = true;
    t->seq = r->seq;
    return true;
}

/* --- checking --- */

static bool same_event(const struct event *a, const struct event *b)
{
    if (a->kind != b->kind || a->n_data != b->n_data)
        return false;
    return a->n_data ? memcmp(a->data, b->data, a->n_data) == 0 : strcmp(a->text, b->text) == 0;
}

/* Which job made it; TEXTS_MAX: none that there is. */
static size_t job_of(const struct event *e)
{
    const char *text = e->n_data ? (const char *)e->data : e->text;
    size_t i = 0;

    if (strncmp(text, "text ", 5) != 0 || (i = strtoul(text + 5, NULL, 10)) >= TEXTS_MAX)
        return TEXTS_MAX;
    struct store_op *op = job_op(i);
    bool same = same_event(&op->event, e);
    store_op_unref(op);
    return same ? i : TEXTS_MAX;
}

static bool check_event(const struct event *e, uint64_t expected_seq, bool *seen)
{
    if (e->seq != expected_seq)
        return wrong("numbers have a hole");
    if (e->kind != EVENT_TEXT && !(e->kind == EVENT_MEET && e->n_data))
        return true;
    size_t i = job_of(e);
    if (i == TEXTS_MAX)
        return wrong("a text is damaged");
    if (seen[i])
        return wrong("a text is there twice");
    seen[i] = true;
    if (round_.said[i].acknowledged && round_.said[i].seq != e->seq)
        return wrong("a text has another number than was acknowledged");
    sum.phantoms += !round_.said[i].acknowledged;
    return true;
}

/* Errors of reading are forgiven while the disk fails. */
static bool check_room(struct store *s, uint64_t room, bool *seen, bool forgiving)
{
    uint64_t after = 0;

    for (bool more = true; more;) {
        struct store_op *op = store_op_new(STORE_READ, round_.now_ms);
        struct store_result *r = NULL;
        op->room.id = room;
        op->after = after;
        op->limit = STORE_PAGE_MAX;
        int err = store_run_batch(s, &op, 1, &r);
        store_op_unref(op);
        bool ok = err == 0 && (r->err == 0 || !room || !round_.waiting);
        if (forgiving && r->err) {
            store_result_free(r);
            return false;
        }
        for (size_t i = 0; ok && i < r->n_events; i++)
            ok = check_event(&r->events[i], ++after, seen);
        more = ok && r->more;
        store_result_free(r);
        if (!ok)
            return wrong("the room cannot be read");
    }
    return true;
}

static bool check_pages(struct store *s, bool *seen, bool forgiving)
{
    return check_room(s, round_.room, seen, forgiving) &&
           check_room(s, round_.meet, seen, forgiving);
}

static struct store_result *read_one(struct store *s, enum store_kind kind, uint64_t room)
{
    struct store_op *op = store_op_new(kind, round_.now_ms);
    struct store_result *r = NULL;

    op->room.id = room;
    op->last = true;
    op->limit = 1;
    store_run_batch(s, &op, 1, &r);
    store_op_unref(op);
    return r;
}

static bool same_data(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b)
{
    return n_a == n_b && (n_a == 0 || memcmp(a, b, n_a) == 0);
}

/* The meeting and the place in it are as the last event says. */
static bool check_meeting(struct store *s)
{
    struct store_result *last = read_one(s, STORE_READ, round_.meet);
    struct store_result *is = read_one(s, STORE_ROOM_LOAD, round_.meet);
    const struct event *e = last->n_events ? last->events : NULL;
    bool changed = e && e->seq > 1;
    bool fine = !changed ||
                (is->n_attendees == 1 &&
                 same_data(is->attendees[0].data, is->attendees[0].n_data, e->data, e->n_data) &&
                 same_data(is->meet.data, is->meet.n_data, e->data, e->n_data));

    sum.changes += changed;
    store_result_free(last);
    store_result_free(is);
    return fine || wrong("half of a change of the meeting is there");
}

static bool check_seen(const bool *seen)
{
    for (size_t i = 0; i < TEXTS_MAX; i++)
        if (round_.said[i].acknowledged && !seen[i])
            return wrong("an acknowledged text is gone");
    return true;
}

static bool check(struct store *s)
{
    bool seen[TEXTS_MAX] = { 0 };
    static char why[200];

    if (!sqlite_store_check(s, why))
        return wrong(why);
    return check_pages(s, seen, false) && check_meeting(s) && check_seen(seen);
}

/* What is acknowledged can be read, whatever the disk refuses. */
static void check_reading(struct store *s)
{
    bool seen[TEXTS_MAX] = { 0 };

    if (s->ops->health(s, NULL) == STORE_FINE || !round_.meet || faultvfs_is_cut())
        return;
    if (!check_pages(s, seen, true))
        sum.unread++;
    else if (check_seen(seen))
        sum.reads++;
}

/* Now and then the disk is full, read-only or broken for a while. */
static void change_weather(void)
{
    static enum fault_weather weather;

    if (weather == FAULT_FAIR && roll(25) == 0)
        weather = 1 + (enum fault_weather)roll(3);
    else if (weather != FAULT_FAIR && roll(4) == 0)
        weather = FAULT_FAIR;
    faultvfs_weather(weather);
}

/* A batch: what waits, in order, and now and then one that was done long ago. */
static bool one_batch(struct store *s)
{
    struct store_op *ops[BATCH_MAX + 1];
    struct store_result *results[BATCH_MAX + 1];
    size_t n = 0, want = 1 + roll(BATCH_MAX);

    for (size_t i = round_.waiting; i < TEXTS_MAX && n < want; i++)
        ops[n++] = job_op(i);
    if (round_.waiting && roll(5) == 0)
        ops[n++] = job_op(roll(round_.waiting));
    if (n == 0)
        return false; /* all is said */
    change_weather();
    bool on = run(s, ops, n, results);
    for (size_t i = 0; i < n; i++) {
        take(results[i]);
        store_result_free(results[i]);
    }
    while (round_.waiting < TEXTS_MAX && round_.said[round_.waiting].acknowledged)
        round_.waiting++;
    check_reading(s);
    return on && !round_.wrong;
}

static bool search_now(struct store *s)
{
    struct store_op *op = store_op_new(STORE_SEARCH, round_.now_ms);
    struct store_result *r = NULL;

    op->account.id = round_.account;
    op->words = "text";
    bool on = run(s, &op, 1, &r);
    store_result_free(r);
    return on;
}

/* --- lives --- */

static struct store *open_store(void)
{
    struct sqlite_options o = {
        .path = "store.db",
        .vfs = FAULTVFS_NAME,
        .checkpoint_pages = (uint32_t)(5 + roll(60)),
        .requests_most = (uint32_t)(1 + roll(30)),
    };
    struct store *s = NULL;
    char why[200];

    for (int tries = 0; tries < 20 && !faultvfs_is_cut(); tries++) {
        if (sqlite_store_open(&s, &o, why) == 0)
            return s;
        sum.reopened++; /* an injected error: once more */
    }
    if (!faultvfs_is_cut()) {
        static char text[240];
        snprintf(text, sizeof text, "cannot be opened: %s", why);
        wrong(text);
    }
    return NULL;
}

/* Most cuts come in the middle of work, some while the file is being made. */
static void live(void)
{
    uint64_t span = roll(4) ? 600 : 60;
    struct store *s = NULL;

    faultvfs_cut_after(1 + roll(span));
    if (roll(2))
        faultvfs_fail_after(1 + roll(span), 1 + roll(3), roll(2));
    sum.lives++;
    s = open_store();
    if (s && set_up(s)) {
        int batches = 0;
        while (batches++ < BATCHES_MAX && one_batch(s) && (roll(12) || search_now(s)))
            ;
        if (batches > BATCHES_MAX)
            wrong("it does not recover from an error");
    }
    if (s)
        s->ops->free(s);
    faultvfs_weather(FAULT_FAIR);
    faultvfs_power_up();
    faultvfs_fail_after(0, 0, false);
    if (!round_.wrong && (s = open_store())) {
        check(s);
        s->ops->free(s);
    }
}

static bool one_round(uint64_t seed)
{
    memset(&round_, 0, sizeof round_);
    round_.x = seed * 0x9e3779b97f4a7c15u + 77;
    round_.now_ms = 1000;
    faultvfs_reset(seed);
    for (int i = 0; i < LIVES && !round_.wrong; i++)
        live();
    sum.rounds++;
    if (round_.wrong)
        printf("round with seed %llu: %s\n", (unsigned long long)seed, round_.wrong);
    return !round_.wrong;
}

static void print_sum(void)
{
    static const char *const names[] = { "open", "read", "write", "truncate", "sync", "delete" };
    const struct fault_stats *f = faultvfs_stats();

    printf("%llu rounds, %llu lives, %llu batches (%llu not stored, %llu for a full disk)\n",
           (unsigned long long)sum.rounds, (unsigned long long)sum.lives,
           (unsigned long long)sum.batches, (unsigned long long)sum.failed,
           (unsigned long long)sum.full);
    printf("%llu times the meeting was found as its last event says\n",
           (unsigned long long)sum.changes);
    printf("%llu acknowledged (%llu of them asked again), %llu there though not acknowledged, "
           "%llu failed openings\n",
           (unsigned long long)sum.acknowledged, (unsigned long long)sum.dups,
           (unsigned long long)sum.phantoms, (unsigned long long)sum.reopened);
    for (int i = 0; i < FAULT_CALLS; i++)
        printf("  %-8s %9llu calls, %5llu power cuts, %5llu errors\n", names[i],
               (unsigned long long)f->calls[i], (unsigned long long)f->cuts[i],
               (unsigned long long)f->errors[i]);
    printf("weather: %llu calls refused; meanwhile everything acknowledged was read %llu times, "
           "reading failed %llu times\n",
           (unsigned long long)f->refused, (unsigned long long)sum.reads,
           (unsigned long long)sum.unread);
    printf("unsynced sectors: %llu kept, %llu lost; %llu writes torn; %llu names lost or back\n",
           (unsigned long long)f->kept, (unsigned long long)f->lost, (unsigned long long)f->torn,
           (unsigned long long)f->names_lost);
}

int main(int argc, char **argv)
{
    uint64_t rounds = 2000, seconds = 0, seed = 1;
    bool fine = true, no_sync = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--no-sync") == 0)
            no_sync = true;
        else if (i + 1 < argc && strcmp(argv[i], "--rounds") == 0)
            rounds = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0)
            seconds = strtoull(argv[++i], NULL, 10);
        else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[++i], NULL, 10);
        else
            return printf("usage: power [--rounds N] [--seconds S] [--seed N] [--no-sync]\n"), 2;
    }
    if (faultvfs_register())
        return 2;
    faultvfs_ignore_sync(no_sync);
    time_t end = time(NULL) + (time_t)seconds;
    for (uint64_t i = 0; i < rounds && fine && (!seconds || time(NULL) < end); i++)
        fine = one_round(seed + i);
    print_sum();
    faultvfs_reset(0);
    if (no_sync) {
        printf("%s\n",
               fine ? "FAIL without_syncs_the_loss_is_seen" : "ok without_syncs_the_loss_is_seen");
        return fine;
    }
    printf("%s acknowledged_is_there_once_in_order\n", fine ? "ok" : "FAIL");
    return !fine;
}
