/* What an append costs: texts of 60 bytes with request id and log line, in batches.
 * Prints, asserts nothing.    append FILE [BATCH [COUNT]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/batch.h"
#include "store/sqlite.h"

enum { BATCH_MAX = 1000 };

static double us_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct store_op *text_op(uint32_t i)
{
    struct store_op *op = store_op_new(STORE_APPEND, 1000 + i);
    char text[80];

    snprintf(text, sizeof text, "word%u is said in line %u of a talk about word%u and tea", i % 997,
             i, i % 89);
    op->event = (struct event){ .room = EVERYONE_ROOM, .from = 1, .kind = EVENT_TEXT };
    op->event.text = arena_str(&op->mem, text);
    op->req = (struct store_request){ .has_id = true, .scope = i % 100 };
    for (size_t k = 0; k < sizeof op->req.id; k++) /* spread as random ids are */
        op->req.id[k] = (uint8_t)((i * 2654435761u) >> (k % 4 * 8));
    op->log =
        (struct store_log){ .kind = "say", .account = 1, .target = "*", .address = "192.0.2.7" };
    return op;
}

int main(int argc, char **argv)
{
    static struct store_op *ops[BATCH_MAX];
    static struct store_result *results[BATCH_MAX];
    uint32_t batch = argc > 2 ? (uint32_t)atoi(argv[2]) : 100;
    uint32_t count = argc > 3 ? (uint32_t)atoi(argv[3]) : 50000;
    struct store *s = NULL;
    double wall = 0, cpu = 0;
    char why[200];

    if (argc < 2 || batch == 0 || batch > BATCH_MAX)
        return 2;
    if (sqlite_store_open(&s, &(struct sqlite_options){ .path = argv[1] }, why))
        return fprintf(stderr, "%s\n", why), 1;
    for (uint32_t i = 0; i < count; i += batch) {
        for (uint32_t k = 0; k < batch; k++)
            ops[k] = text_op(i + k);
        wall -= us_of(CLOCK_MONOTONIC);
        cpu -= us_of(CLOCK_PROCESS_CPUTIME_ID);
        if (store_run_batch(s, ops, batch, results))
            return 1;
        wall += us_of(CLOCK_MONOTONIC);
        cpu += us_of(CLOCK_PROCESS_CPUTIME_ID);
        for (uint32_t k = 0; k < batch; k++) {
            store_result_free(results[k]);
            store_op_unref(ops[k]);
        }
    }
    printf("%u appends in batches of %u: %.1f us each, %.1f us of CPU\n", count, batch,
           wall / count, cpu / count);
    s->ops->free(s);
    return 0;
}
