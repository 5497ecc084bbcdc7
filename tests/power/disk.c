/* A disk that is full, read-only, broken or damaged, story by story: what is refused, what
 * is still answered, what is there afterwards. Over faultvfs, so it needs no rights. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "faultvfs.h"
#include "store/batch.h"
#include "store/sqlite.h"

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            printf("%s:%d: %s\n", __FILE__, __LINE__, #x);                                         \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)

enum { TEXTS = 40 };

static int failures;
static struct store *s;
static uint64_t account, room;
static int64_t now_ms = 1000;

static struct store_op *op_new(enum store_kind kind, uint8_t id)
{
    struct store_op *op = store_op_new(kind, ++now_ms);

    op->log = (struct store_log){ .kind = "test", .address = "192.0.2.1", .target = "" };
    if (id)
        op->req = (struct store_request){ .has_id = true, .id = { id, (uint8_t)kind } };
    return op;
}

/* Runs one; the caller frees the result. */
static struct store_result *run(struct store_op *op)
{
    struct store_result *r = NULL;

    store_run_batch(s, &op, 1, &r);
    store_op_unref(op);
    return r;
}

static int run_err(struct store_op *op)
{
    struct store_result *r = run(op);
    int err = r->err;

    store_result_free(r);
    return err;
}

static struct store_op *say_op(uint8_t id, const char *text)
{
    struct store_op *op = op_new(STORE_APPEND, id);

    op->event = (struct event){ .room = room, .from = account, .kind = EVENT_TEXT };
    op->event.text = arena_str(&op->mem, text);
    return op;
}

static struct store_op *read_op(void)
{
    struct store_op *op = op_new(STORE_READ, 0);

    op->room.id = room;
    op->limit = STORE_PAGE_MAX;
    return op;
}

/* How many events can be read; -1: none, for an error. */
static int read_n(void)
{
    struct store_result *r = run(read_op());
    int n = r->err ? -1 : (int)r->n_events;

    store_result_free(r);
    return n;
}

static bool open_store(void)
{
    char why[200];
    int err = sqlite_store_open(
        &s, &(struct sqlite_options){ .path = "d.db", .vfs = FAULTVFS_NAME }, why);

    if (err)
        printf("%s\n", why);
    return !err;
}

static void close_store(void)
{
    s->ops->free(s);
    s = NULL;
}

static enum store_health health(void)
{
    return s->ops->health(s, NULL);
}

/* A room with one text; its making is two events. */
static void begin(void)
{
    struct store_op *op;
    struct store_result *r;

    faultvfs_reset(1);
    CHECK(open_store());
    op = op_new(STORE_ACCOUNT_NEW, 1);
    op->account.name = op->account.skeleton = "ann";
    r = run(op);
    account = r->account;
    store_result_free(r);
    static struct member_row owner;
    owner.account = account;
    op = op_new(STORE_ROOM_NEW, 2);
    op->room.name = op->room.skeleton = "room";
    op->members = &owner;
    op->n_members = 1;
    r = run(op);
    room = r->room;
    store_result_free(r);
    CHECK(run_err(say_op(3, "before")) == 0);
    CHECK(read_n() == 3);
}

static void long_text(char *out, size_t len)
{
    memset(out, 'x', len);
    out[len] = 0;
}

static void full_in_the_middle_of_a_batch(void)
{
    struct store_op *ops[TEXTS];
    struct store_result *results[TEXTS];
    char text[6001];

    begin();
    long_text(text, 6000);
    for (uint8_t i = 0; i < TEXTS; i++)
        ops[i] = i == 7 ? read_op() : say_op((uint8_t)(10 + i), text);
    faultvfs_weather(FAULT_FULL);
    CHECK(store_run_batch(s, ops, TEXTS, results) == 0);
    for (int i = 0; i < TEXTS; i++) {
        CHECK(results[i]->err == (i == 7 ? 0 : -ROOST_FULL));
        CHECK(i != 7 || results[i]->n_events == 3);
        store_result_free(results[i]);
    }
    CHECK(health() == STORE_NO_ROOM);

    /* reading goes on; a probe may find room for a line, not for all of this */
    CHECK(run_err(say_op(60, "no")) == -ROOST_FULL);
    CHECK(read_n() == 3);
    s->ops->probe(s, now_ms);
    CHECK(store_run_batch(s, ops, TEXTS, results) == 0);
    for (int i = 0; i < TEXTS; i++) {
        CHECK(results[i]->err == (i == 7 ? 0 : -ROOST_FULL));
        store_result_free(results[i]);
    }
    CHECK(health() == STORE_NO_ROOM);
    CHECK(read_n() == 3);

    /* there is room again: the same requests are done, once */
    faultvfs_weather(FAULT_FAIR);
    CHECK(run_err(say_op(60, "no")) == -ROOST_FULL);
    s->ops->probe(s, now_ms);
    CHECK(health() == STORE_FINE);
    CHECK(store_run_batch(s, ops, TEXTS, results) == 0);
    for (int i = 0; i < TEXTS; i++) {
        CHECK(results[i]->err == 0);
        store_result_free(results[i]);
        store_op_unref(ops[i]);
    }
    CHECK(read_n() == 3 + TEXTS - 1);
    close_store();
}

static void the_log_says_what_it_does_not_hold(void)
{
    struct store_op *op;
    struct store_result *r;

    begin();
    faultvfs_weather(FAULT_FULL);
    for (uint8_t i = 0; i < 5; i++)
        CHECK(run_err(say_op((uint8_t)(10 + i), "lost")) == -ROOST_FULL || i == 0);
    read_n();
    faultvfs_weather(FAULT_FAIR);
    s->ops->probe(s, now_ms);
    op = op_new(STORE_LOG_READ, 0);
    op->words = "store-writes-again";
    r = run(op);
    CHECK(r->n_lines == 1 && strstr(r->lines[0].target, "lines not written"));
    store_result_free(r);
    close_store();
}

static void read_only(void)
{
    begin();
    faultvfs_weather(FAULT_READ_ONLY);
    run_err(say_op(10, "first"));
    CHECK(health() == STORE_READ_ONLY || health() == STORE_BROKEN);
    CHECK(read_n() == 3);
    int err = run_err(say_op(11, "second"));
    CHECK(err == -ROOST_IO || err == -ROOST_NOT_STORED);
    faultvfs_weather(FAULT_FAIR);
    s->ops->probe(s, now_ms);
    CHECK(health() == STORE_FINE);
    CHECK(run_err(say_op(11, "second")) == 0);
    CHECK(read_n() == 4);
    close_store();
}

static void a_start_on_a_disk_that_takes_nothing(void)
{
    static const enum fault_weather weathers[] = { FAULT_FULL, FAULT_READ_ONLY, FAULT_BROKEN };

    for (int i = 0; i < 3; i++) {
        begin();
        close_store();
        faultvfs_weather(weathers[i]);
        CHECK(open_store());
        if (!s)
            return;
        int n = read_n();
        if (n != 3)
            printf("weather %d: %d events\n", weathers[i], n);
        CHECK(n == 3);
        CHECK(run_err(say_op(10, "no")) < 0);
        CHECK(health() != STORE_FINE);
        faultvfs_weather(FAULT_FAIR);
        s->ops->probe(s, now_ms);
        CHECK(health() == STORE_FINE);
        CHECK(run_err(say_op(10, "yes")) == 0);
        close_store();
    }
}

static void broken(void)
{
    begin();
    faultvfs_weather(FAULT_BROKEN);
    CHECK(run_err(say_op(10, "x")) == -ROOST_NOT_STORED);
    CHECK(health() == STORE_BROKEN);
    CHECK(read_n() >= 3);
    faultvfs_weather(FAULT_FAIR);
    s->ops->probe(s, now_ms);
    CHECK(health() == STORE_FINE);
    CHECK(run_err(say_op(10, "x")) == 0);
    CHECK(read_n() == 4);
    close_store();
}

static struct store_op *resume_op(uint8_t shown, uint8_t next)
{
    struct store_op *op = op_new(STORE_SESSION_RESUME, 0);

    memset(op->secret, shown, sizeof op->secret);
    memset(op->next_secret, next, sizeof op->next_secret);
    return op;
}

static void a_session_is_resumed_with_the_token_that_it_has(void)
{
    struct store_op *op;
    struct store_result *r;

    begin();
    op = op_new(STORE_SESSION_NEW, 20);
    op->account.id = account;
    memset(op->session.token, 7, 32);
    CHECK(run_err(op) == 0);
    faultvfs_weather(FAULT_FULL);
    char text[8001];
    long_text(text, 8000);
    run_err(say_op(21, text));
    CHECK(health() == STORE_NO_ROOM);
    for (int i = 0; i < 2; i++) {
        r = run(resume_op(7, 8));
        CHECK(r->err == 0 && r->token_stays && r->account == account);
        store_result_free(r);
    }
    CHECK(run_err(resume_op(9, 8)) == -ROOST_SESSION_OVER);
    faultvfs_weather(FAULT_FAIR);
    s->ops->probe(s, now_ms);
    r = run(resume_op(7, 8));
    CHECK(r->err == 0 && !r->token_stays);
    store_result_free(r);
    close_store();
}

static void damaged_pages(void)
{
    char text[4001];
    int lost = 0, kept = 0;

    begin();
    long_text(text, 4000);
    for (int i = 0; i < 200; i++)
        CHECK(run_err(say_op((uint8_t)(30 + i % 200), text)) == 0);
    close_store();
    CHECK(open_store()); /* all of it is in the database now */
    uint64_t pages = faultvfs_size("d.db") / 4096;
    for (uint64_t i = pages / 2; i < pages; i++)
        faultvfs_damage("d.db", i * 4096, 4096);
    for (uint64_t after = 0; after < 200; after += 10) {
        struct store_op *op = read_op();
        op->after = after;
        op->limit = 10;
        int err = run_err(op);
        CHECK(err == 0 || err == -ROOST_IO);
        *(err ? &lost : &kept) += 1;
    }
    CHECK(lost > 0 && kept > 0);
    CHECK(health() == STORE_DAMAGED);
    CHECK(run_err(say_op(5, "no")) == -ROOST_IO);
    s->ops->probe(s, now_ms);
    CHECK(health() == STORE_DAMAGED);
    close_store();

    /* the first page: it is not a database any more */
    faultvfs_damage("d.db", 0, 100);
    char why[200];
    CHECK(sqlite_store_open(&s, &(struct sqlite_options){ .path = "d.db", .vfs = FAULTVFS_NAME },
                            why) == -ROOST_INVALID);
}

int main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } stories[] = {
        { "full_in_the_middle_of_a_batch", full_in_the_middle_of_a_batch },
        { "the_log_says_what_it_does_not_hold", the_log_says_what_it_does_not_hold },
        { "read_only", read_only },
        { "broken", broken },
        { "a_start_on_a_disk_that_takes_nothing", a_start_on_a_disk_that_takes_nothing },
        { "a_session_is_resumed_with_the_token_that_it_has",
          a_session_is_resumed_with_the_token_that_it_has },
        { "damaged_pages", damaged_pages },
    };
    int bad = 0;

    if (faultvfs_register())
        return 2;
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++) {
        failures = 0;
        stories[i].run();
        printf("%s %s\n", failures ? "FAIL" : "ok", stories[i].name);
        bad += failures;
    }
    faultvfs_reset(0);
    return bad > 0;
}
