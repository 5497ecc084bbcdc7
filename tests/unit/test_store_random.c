/* The same random operations on both stores: every result must be the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/batch.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "store_same.h"
#include "test.h"

enum { SEEDS = 12, BATCHES = 500, BATCH_MAX = 6 };

struct dice {
    uint64_t x;
};

static uint64_t roll(struct dice *d, uint64_t n)
{
    d->x ^= d->x << 13;
    d->x ^= d->x >> 7;
    d->x ^= d->x << 17;
    return d->x % n;
}

struct world {
    struct dice dice;
    int64_t now_ms;
    uint64_t secrets;
};

static void bytes_of(uint8_t *out, size_t len, uint64_t n)
{
    memset(out, (int)(n >> 8), len);
    out[len - 1] = (uint8_t)n;
}

static const char *random_text(struct world *w, struct store_op *op)
{
    static const char *const words[] = { "apple", "Apple-pie", "pear", "applet", "\"odd\"",
                                         "x*y",   "plum tree", "42",   "...",    "AND OR" };
    char text[200] = "";

    for (uint64_t n = 1 + roll(&w->dice, 4); n-- > 0;) {
        strcat(text, words[roll(&w->dice, 10)]);
        strcat(text, " ");
    }
    return arena_str(&op->mem, text);
}

static const char *random_name(struct world *w, struct store_op *op)
{
    char name[8];

    snprintf(name, sizeof name, "n%d", (int)roll(&w->dice, 14));
    return arena_str(&op->mem, name);
}

static void random_event(struct world *w, struct store_op *op)
{
    static const enum event_kind kinds[] = { EVENT_TEXT,  EVENT_TEXT, EVENT_TEXT,   EVENT_TEXT,
                                             EVENT_EDIT,  EVENT_EDIT, EVENT_DELETE, EVENT_REACT,
                                             EVENT_REACT, EVENT_PIN,  EVENT_MEMBER, EVENT_ROOM };
    struct event *e = &op->event;
    uint64_t *mentions = arena_get(&op->mem, 2 * sizeof *mentions);

    e->room = 1 + roll(&w->dice, 8);
    e->from = 1 + roll(&w->dice, 8);
    e->kind = kinds[roll(&w->dice, 12)];
    e->ref = roll(&w->dice, 60);
    e->shown = roll(&w->dice, 3) ? NULL : "shown";
    op->own = roll(&w->dice, 3) == 0;
    op->owner_epoch = roll(&w->dice, 40) != 0;
    e->flag = roll(&w->dice, 4) == 0;
    if (e->kind == EVENT_REACT) {
        e->text = roll(&w->dice, 2) ? "+1" : "heart";
    } else if (e->kind != EVENT_DELETE && e->kind != EVENT_PIN && e->kind != EVENT_MEMBER) {
        e->text = random_text(w, op);
    }
    if ((e->kind == EVENT_TEXT || e->kind == EVENT_EDIT) && mentions && roll(&w->dice, 3) == 0) {
        e->n_mentions = 1 + roll(&w->dice, 2);
        e->mentions = mentions;
        mentions[0] = 1 + roll(&w->dice, 8);
        mentions[1] = 1 + roll(&w->dice, 8);
    }
    if (e->kind == EVENT_MEMBER) {
        e->who = 1 + roll(&w->dice, 9);
        e->change = (uint32_t)roll(&w->dice, 8);
        e->role = (uint32_t)roll(&w->dice, 3);
        e->ref = 0;
        e->flag = false;
    } else if (e->kind == EVENT_ROOM) {
        e->ref = 0;
        e->flag = false;
        e->private = roll(&w->dice, 2);
        e->moderated = roll(&w->dice, 2);
        e->closed = roll(&w->dice, 12) == 0 && e->room != EVERYONE_ROOM;
        e->retention_days = (uint32_t)roll(&w->dice, 9);
        e->room_name = "room";
    }
}

static void random_people(struct world *w, struct store_op *op)
{
    struct member_row *members = arena_get(&op->mem, 3 * sizeof *members);
    struct guard_row *guards = arena_get(&op->mem, 2 * sizeof *guards);

    CHECK(members && guards);
    op->members = members;
    op->n_members = roll(&w->dice, 4);
    op->guards = guards;
    op->n_guards = 2;
    for (size_t i = 0; i < 3; i++)
        members[i] = (struct member_row){ .account = 1 + roll(&w->dice, 8),
                                          .role = (uint32_t)roll(&w->dice, 3) };
    for (size_t i = 0; i < 2; i++) {
        guards[i] = (struct guard_row){ .kind = 1, .name = "g", .n = (uint32_t)roll(&w->dice, 3) };
        guards[i].since_ms = w->now_ms;
        guards[i].until_ms = w->now_ms + (int64_t)roll(&w->dice, 90000);
        bytes_of(guards[i].key, 32, roll(&w->dice, 6));
    }
    op->n_keys = roll(&w->dice, 3);
    for (size_t i = 0; i < op->n_keys; i++)
        bytes_of(op->keys[i], 32, roll(&w->dice, 6));
}

static const char *random_code(struct world *w, struct store_op *op)
{
    char code[8];

    snprintf(code, sizeof code, "10000%d", (int)roll(&w->dice, 5));
    return roll(&w->dice, 6) ? arena_str(&op->mem, code) : NULL;
}

static const uint8_t *random_data(struct world *w, struct store_op *op, size_t *ret_n)
{
    *ret_n = roll(&w->dice, 20);
    uint8_t *data = arena_get(&op->mem, *ret_n + 1);
    CHECK(data);
    memset(data, (int)roll(&w->dice, 256), *ret_n);
    return data;
}

static void random_attendees(struct world *w, struct store_op *op)
{
    struct attendee_row *rows = arena_get(&op->mem, 3 * sizeof *rows);

    CHECK(rows);
    op->attendees = rows;
    op->n_attendees = roll(&w->dice, 4);
    for (size_t i = 0; i < op->n_attendees; i++) {
        rows[i].account = 1 + roll(&w->dice, 12);
        rows[i].skeleton = roll(&w->dice, 4) ? random_name(w, op) : NULL;
        rows[i].data = random_data(w, op, &rows[i].n_data);
        rows[i].gone = roll(&w->dice, 8) == 0;
    }
}

static void random_counts(struct world *w, struct store_op *op)
{
    op->n_counts = roll(&w->dice, STORE_COUNTS_MAX + 1);
    for (size_t i = 0; i < op->n_counts; i++) {
        struct store_count *c = &op->counts[i];
        *c = (struct store_count){ .kind = 6 + (uint32_t)i, .source = i ? NULL : "192.0.2.1" };
        c->limit = (uint32_t)roll(&w->dice, 20);
        c->window_ms = 1 + (int64_t)roll(&w->dice, 900000);
        bytes_of(c->key, 32, roll(&w->dice, 8));
    }
}

static void random_meeting(struct world *w, struct store_op *op)
{
    struct member_row *members = (struct member_row *)op->members;
    struct event *e = &op->event;

    op->room.id = roll(&w->dice, 24);
    op->room.name = roll(&w->dice, 3) ? NULL : "title";
    op->account.id = roll(&w->dice, 12);
    op->account.guest_of = roll(&w->dice, 2) ? 0 : roll(&w->dice, 9);
    op->owner_epoch = roll(&w->dice, 40) != 0;
    op->words = random_code(w, op);
    op->meet = (struct meet_row){ .code = random_code(w, op), .bound_room = roll(&w->dice, 6) };
    op->meet.until_ms = roll(&w->dice, 3) ? 0 : w->now_ms + (int64_t)roll(&w->dice, 900000);
    op->meet.live = roll(&w->dice, 10) != 0;
    op->meet.forget = roll(&w->dice, 2);
    op->meet.data = random_data(w, op, &op->meet.n_data);
    for (size_t i = 0; i < op->n_members; i++) {
        members[i].account = 1 + roll(&w->dice, 12);
        members[i].banned = roll(&w->dice, 4) == 0;
    }
    random_attendees(w, op);
    random_counts(w, op);
    *e = (struct event){ .from = roll(&w->dice, 12), .kind = EVENT_MEET };
    e->shown = roll(&w->dice, 3) ? NULL : "shown";
    if (op->kind == STORE_MEET_NOTE) {
        e->kind = EVENT_TEXT;
        e->text = random_text(w, op);
    } else if (op->kind == STORE_MEET_CHANGE && roll(&w->dice, 2)) {
        e->kind = 0;
    } else {
        e->who = roll(&w->dice, 12);
        e->change = (uint32_t)roll(&w->dice, 100);
        e->data = random_data(w, op, &e->n_data);
    }
}

/* Few names, sizes and roots: often the same parcel, or the same contents. */
static void random_parcel(struct world *w, struct store_op *op)
{
    static const char *const names[] = { "a", "b.txt" };
    struct file_row *f = &op->file;

    *f = (struct file_row){ .id = roll(&w->dice, 30),
                            .room = roll(&w->dice, 9),
                            .sender = roll(&w->dice, 9),
                            .peer = roll(&w->dice, 3) ? 0 : roll(&w->dice, 9),
                            .name = names[roll(&w->dice, 2)],
                            .kind = (uint32_t)roll(&w->dice, 3),
                            .files = 1,
                            .size = 100 * roll(&w->dice, 3),
                            .stage = (uint32_t)roll(&w->dice, 7),
                            .has_list = roll(&w->dice, 4) == 0,
                            .open_size = roll(&w->dice, 6) == 0,
                            .kept = roll(&w->dice, 3) != 0,
                            .shown = roll(&w->dice, 3) ? NULL : "shown" };
    f->has_root = op->kind == STORE_FILE_KEEP || roll(&w->dice, 2);
    f->list_size = f->has_list ? 10 : 0;
    f->until_ms = roll(&w->dice, 3) ? 0 : w->now_ms + (int64_t)roll(&w->dice, 900000);
    if (f->has_root)
        bytes_of(f->root, 32, roll(&w->dice, 3));
    if (f->has_list)
        bytes_of(f->list_root, 32, roll(&w->dice, 2));
    op->owner_epoch = roll(&w->dice, 40) != 0;
    op->quota_user = roll(&w->dice, 2) ? 0 : 1000;
    op->quota_room = roll(&w->dice, 2) ? 0 : 900;
    op->mine = roll(&w->dice, 4) == 0;
    op->before_ms = w->now_ms - (int64_t)roll(&w->dice, 9000000);
    if (op->kind == STORE_FILE_LIST && roll(&w->dice, 2))
        op->room.id = 0;
    op->event = (struct event){ .from = f->sender, .kind = EVENT_FILE };
    op->event.shown = roll(&w->dice, 3) ? NULL : "shown";
    op->event.data = random_data(w, op, &op->event.n_data);
}

static void random_secrets(struct world *w, struct store_op *op)
{
    op->has_secret = op->kind != STORE_ACCOUNT_NEW ? roll(&w->dice, 2) : roll(&w->dice, 4) == 0;
    uint64_t recent = w->secrets > 12 ? w->secrets - 12 : 0;
    bytes_of(op->secret, 32, recent + roll(&w->dice, 13));
    bytes_of(op->next_secret, 32, ++w->secrets);
    bytes_of(op->session.token, 32, ++w->secrets);
    if (op->kind == STORE_INVITE_NEW)
        bytes_of(op->secret, 32, ++w->secrets);
    bytes_of(op->device, 32, roll(&w->dice, 2));
    bytes_of(op->session.device, 32, roll(&w->dice, 2));
    if (roll(&w->dice, 2)) {
        op->req.has_id = true;
        op->req.scope = roll(&w->dice, 3);
        bytes_of(op->req.id, 16, roll(&w->dice, 3) ? 1000 + w->secrets : roll(&w->dice, 40));
        bytes_of(op->req.digest, 16, roll(&w->dice, 2));
    }
}

static struct store_op *random_op(struct world *w)
{
    static const enum store_kind rare[] = { STORE_ACCOUNT_DELETE, STORE_RETAIN };
    enum store_kind kind = (enum store_kind)(1 + roll(&w->dice, STORE_FILE_LOOSE));

    if (roll(&w->dice, 3) == 0)
        kind = STORE_APPEND;
    else if (roll(&w->dice, 3) == 0)
        kind = (enum store_kind)(STORE_GUEST_NEW +
                                 roll(&w->dice, STORE_MEET_NOTE - STORE_GUEST_NEW + 1));
    else if (roll(&w->dice, 4) == 0)
        kind = (enum store_kind)(STORE_FILE_NEW +
                                 roll(&w->dice, STORE_FILE_LOOSE - STORE_FILE_NEW + 1));
    if ((kind == rare[0] || kind == rare[1]) && roll(&w->dice, 3))
        kind = STORE_READ;
    w->now_ms += (int64_t)roll(&w->dice, 20000) - 2000;
    if (roll(&w->dice, 400) == 0)
        w->now_ms += (int64_t)roll(&w->dice, 40) * 86400000;
    struct store_op *op = store_op_new(kind, w->now_ms);
    CHECK(op);
    op->token = roll(&w->dice, 1000);
    op->account.id = roll(&w->dice, 9);
    op->account.name = op->account.skeleton = random_name(w, op);
    static const char *const looks[] = { NULL, "", "n3\n", "n5\nn7\n" };
    op->account.looks = looks[roll(&w->dice, 4)];
    op->room.looks = looks[roll(&w->dice, 4)];
    op->account.password = "secret";
    op->account.role = (uint32_t)roll(&w->dice, 3);
    op->skeleton = roll(&w->dice, 3) ? random_name(w, op) : NULL;
    op->session.id = 1 + roll(&w->dice, 20);
    op->session.device_name = "phone";
    op->session.address = roll(&w->dice, 2) ? "192.0.2.1" : NULL;
    op->room.id = roll(&w->dice, 9);
    op->room.name = op->room.skeleton = random_name(w, op);
    op->room.topic = "about";
    op->room.private = roll(&w->dice, 2);
    op->peer = 1 + roll(&w->dice, 8);
    op->words = kind == STORE_LOG_READ ? (roll(&w->dice, 2) ? "say" : NULL) : random_text(w, op);
    op->after = roll(&w->dice, 3) ? 0 : roll(&w->dice, 30);
    op->before = roll(&w->dice, 3) ? 0 : roll(&w->dice, 60);
    op->around = roll(&w->dice, 3) ? 0 : roll(&w->dice, 60);
    op->seq = roll(&w->dice, 60);
    op->delivered = roll(&w->dice, 60);
    op->read = roll(&w->dice, 60);
    op->since_ms = roll(&w->dice, 3) ? 0 : w->now_ms - (int64_t)roll(&w->dice, 2000000);
    op->until_ms = w->now_ms + (int64_t)roll(&w->dice, 200000);
    op->before_ms = w->now_ms - (int64_t)roll(&w->dice, 4000000);
    op->limit = (uint32_t)roll(&w->dice, 20);
    op->on = roll(&w->dice, 2);
    op->mine = roll(&w->dice, 2);
    op->last = roll(&w->dice, 2);
    op->unread = roll(&w->dice, 4) == 0;
    op->log.kind = roll(&w->dice, 3) ? "say" : NULL;
    op->log.account = op->account.id;
    op->log.target = roll(&w->dice, 2) ? "#room" : random_name(w, op);
    op->log.outcome = -30;
    random_people(w, op);
    random_secrets(w, op);
    if (kind == STORE_ROOM_LOAD && roll(&w->dice, 2))
        op->room.id = roll(&w->dice, 24); /* meetings come later than rooms */
    if (kind == STORE_RETAIN && roll(&w->dice, 2))
        op->room.id = 0;
    if (kind == STORE_APPEND)
        random_event(w, op);
    if (kind >= STORE_FILE_NEW)
        random_parcel(w, op);
    else if (kind >= STORE_GUEST_NEW)
        random_meeting(w, op);
    return op;
}

static void dry_run(struct store *s, struct store_op **ops, size_t n)
{
    CHECK(s->ops->begin(s) == 0);
    for (size_t i = 0; i < n; i++)
        store_result_free(s->ops->apply(s, ops[i]));
    s->ops->rollback(s);
}

static size_t one_batch(struct world *w, struct store *memory, struct store *sqlite)
{
    struct store_op *ops[BATCH_MAX];
    struct store_result *a[BATCH_MAX], *b[BATCH_MAX];
    size_t n = 1 + roll(&w->dice, BATCH_MAX), done = 0;

    for (size_t i = 0; i < n; i++)
        ops[i] = random_op(w);
    if (roll(&w->dice, 20) == 0) {
        dry_run(memory, ops, n);
        dry_run(sqlite, ops, n);
    }
    CHECK(store_run_batch(memory, ops, n, a) == 0);
    CHECK(store_run_batch(sqlite, ops, n, b) == 0);
    for (size_t i = 0; i < n; i++) {
        bool same = store_same(a[i], b[i]);
        if (!same) /* the seed and this say enough to look closer */
            printf(
                "operation %d of a batch, kind %d: memory says %d (dup %d), sqlite %d (dup %d)\n",
                (int)i, (int)ops[i]->kind, a[i]->err, a[i]->dup, b[i]->err, b[i]->dup);
        if (!same && ops[i]->words)
            printf("words: %s\n", ops[i]->words);
        CHECK(same);
        done += a[i]->err == 0;
        store_result_free(a[i]);
        store_result_free(b[i]);
        store_op_unref(ops[i]);
    }
    return done;
}

static void one_seed(uint64_t seed)
{
    struct world w = { { seed * 0x9e3779b97f4a7c15u + 1 }, 1700000000000, 0 };
    struct store *memory = memory_store_new(), *sqlite = NULL;
    char why[200];
    size_t done = 0;

    CHECK(memory);
    CHECK(sqlite_store_open(&sqlite,
                            &(struct sqlite_options){ .path = ":memory:", .requests_most = 5 },
                            why) == 0);
    for (int i = 0; i < BATCHES; i++)
        done += one_batch(&w, memory, sqlite);
    CHECK(sqlite_store_check(sqlite, why));
    printf("seed %d: %zu operations done, %d rooms, digest %016llx\n", (int)seed, done,
           (int)memory_rooms(memory), (unsigned long long)memory_digest(memory));
    memory->ops->free(memory);
    sqlite->ops->free(sqlite);
}

static void both_stores_say_the_same(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        one_seed(seed);
}

TEST_MAIN({ "both_stores_say_the_same", both_stores_say_the_same })
