#include "store_story.h"

#include "store/batch.h"
#include "store/memory.h"
#include "store/sqlite.h"
#include "test.h"

struct store *store; /* the one that is told */
struct store_result *last;

/* Does it as a batch of its own; the result lives until the next. */
struct store_result *go(struct store_op *op)
{
    store_result_free(last);
    last = NULL;
    store_run_batch(store, &op, 1, &last);
    store_op_unref(op);
    CHECK(last);
    return last;
}

struct store_op *new_op(enum store_kind kind, int64_t now_ms)
{
    struct store_op *op = store_op_new(kind, now_ms);

    CHECK(op);
    return op;
}

uint64_t person(const char *name)
{
    struct store_op *op = new_op(STORE_ACCOUNT_NEW, T0);

    op->account.name = op->account.skeleton = name;
    op->account.password = "hash";
    CHECK(go(op)->err == 0);
    return last->account;
}

uint64_t room_of(uint64_t a, uint64_t b)
{
    struct store_op *op = new_op(STORE_ROOM_NEW, T0);
    struct member_row members[2] = { { .account = a }, { .account = b } };

    op->room.name = op->room.skeleton = "room";
    op->members = arena_dup(&op->mem, members, sizeof members);
    op->n_members = b ? 2 : 1;
    CHECK(op->members);
    CHECK(go(op)->err == 0);
    return last->room;
}

struct store_op *event_op(uint64_t room, uint64_t from, enum event_kind kind, uint64_t ref,
                          const char *text)
{
    struct store_op *op = new_op(STORE_APPEND, T0);

    op->event =
        (struct event){ .room = room, .from = from, .kind = kind, .ref = ref, .text = text };
    return op;
}

uint64_t say(uint64_t room, uint64_t from, const char *text)
{
    CHECK(go(event_op(room, from, EVENT_TEXT, 0, text))->err == 0);
    return last->seq;
}

struct store_result *read_all(uint64_t room, uint64_t account)
{
    struct store_op *op = new_op(STORE_READ, T0);

    op->room.id = room;
    op->account.id = account;
    op->limit = STORE_PAGE_MAX;
    CHECK(go(op)->err == 0);
    return last;
}

size_t found(uint64_t account, const char *words)
{
    struct store_op *op = new_op(STORE_SEARCH, T0);

    op->account.id = account;
    op->words = words;
    CHECK(go(op)->err == 0);
    return last->n_events;
}

void end(void)
{
    store_result_free(last);
    last = NULL;
    if (store)
        store->ops->free(store);
    store = NULL;
}

void tell(void (*story)(void))
{
    char why[200];

    end();
    store = memory_store_new();
    CHECK(store);
    story();
    end();
    CHECK(sqlite_store_open(&store, &(struct sqlite_options){ .path = ":memory:" }, why) == 0);
    story();
    CHECK(sqlite_store_check(store, why));
    end();
}
