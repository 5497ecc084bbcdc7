/* test_queue.c - what waits for a connection: order, bounds, and what is of no use any more. */
#include "server/queue.h"

#include <string.h>

#include "base/err.h"
#include "test.h"

/* Four of a letter, of use until then; 0: for ever. */
static int put(struct queue *q, char c, int64_t until_us)
{
    struct blob *b = blob_copy((char[]){ c, c, c, c }, 4);

    if (!b)
        return -ROOST_NOMEM;
    return until_us ? queue_put_until(q, b, until_us) : queue_put(q, b, 0, 4);
}

/* What would be sent, at most so much at once. */
static void take(struct queue *q, size_t cap, char *ret)
{
    uint8_t room[64];
    size_t len = 0;
    const uint8_t *at = queue_peek(q, room, cap, &len);

    memcpy(ret, at, len);
    ret[len] = 0;
    queue_drop(q, len);
}

static void late_voices_go_and_all_else_stays(void)
{
    struct queue q;
    char got[65] = "";

    queue_init(&q);
    int err = put(&q, 'a', 100);
    for (char c = 'b'; c <= 'k' && !err; c++) /* longer than it has places */
        err = put(&q, c, c % 2 ? 100 * (c - 'a') : 0);
    if (!err) {
        take(&q, 2, got);
        CHECK(!strcmp(got, "aa"));
        CHECK(queue_drop_late(&q, 400) == 2); /* c and e; a was begun */
        take(&q, 64, got);
        CHECK(!strcmp(got, "aabbbbddddffffgggghhhhiiiijjjjkkkk"));
        CHECK(q.bytes == 0 && q.n == 0);
    }
    queue_fini(&q);
}

static void nothing_is_left_of_one_that_was_all_late(void)
{
    struct queue q;

    queue_init(&q);
    if (!put(&q, 'a', 5)) {
        CHECK(queue_drop_late(&q, 4) == 0 && queue_drop_late(&q, 5) == 1);
        CHECK(q.n == 0 && q.bytes == 0);
    }
    queue_fini(&q);
}

TEST_MAIN({ "late_voices_go_and_all_else_stays", late_voices_go_and_all_else_stays },
          { "nothing_is_left_of_one_that_was_all_late", nothing_is_left_of_one_that_was_all_late })
