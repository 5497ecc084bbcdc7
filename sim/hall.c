#include "sim/hall.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "bus/local.h"
#include "store/batch.h"
#include "store/memory.h"

enum { BATCH_MAX = 64, HASH_US = 20000 };
#define WALL_START_MS 1700000000000LL

struct now hall_now(const struct hall *h)
{
    return (struct now){ h->now_us, h->now_us / 1000 + WALL_START_MS + h->wall_offset_ms };
}

static int64_t soon(struct hall *h)
{
    return h->store_delay_us ? h->now_us + dice_between(&h->dice, 0, h->store_delay_us) : h->now_us;
}

/* --- what the hub asks for --- */

static void take_op(struct hall *h, struct store_op *op)
{
    assert(h->n_ops < HALL_WAITING_MAX && "the hub bounds what it has in the store");
    h->ops[h->n_ops++] = (struct hall_waiting){ .op = op };
    if (h->batch_due_us == INT64_MAX)
        h->batch_due_us = soon(h);
}

static void take_hash(struct hall *h, const struct hub_hash *hash)
{
    assert(h->n_hashes < HALL_WAITING_MAX && "the hub bounds what it lets hash");
    h->hashes[h->n_hashes++] = (struct hall_waiting){
        .due_us = h->store_delay_us ? h->now_us + dice_between(&h->dice, 0, HASH_US) : h->now_us,
        .hash = *hash,
    };
}

/* Nobody here keeps anything, unless a test does. */
static void keep(struct hall *h, struct hub_keep *k)
{
    struct hub_kept kept = { .err = -ROOST_UNSUPPORTED };

    if (h->keeper)
        h->keeper(k, &kept);
    hub_on_kept(h->hub, k->token, &kept, hall_now(h));
    hub_keep_fini(k);
}

static void send_part(struct hall *h, const struct hub_output *out)
{
    struct blob *part = blob_copy(out->bytes->bytes + out->at, out->len);

    if (part) /* starved: it does not hear of it */
        h->sink.send(h->sink.arg, out->conn, part);
    blob_unref(part);
    blob_unref(out->bytes);
}

static void pull(struct hall *h)
{
    struct hub_output out;

    while (hub_next_output(h->hub, &out)) {
        switch (out.kind) {
        case HUB_SEND:
            send_part(h, &out);
            break;
        case HUB_CLOSE:
            h->sink.close(h->sink.arg, out.conn);
            break;
        case HUB_STORE:
            take_op(h, out.op);
            break;
        case HUB_HASH:
            take_hash(h, &out.hash);
            break;
        case HUB_KEEP:
            keep(h, &out.keep);
            break;
        case HUB_DATAGRAMS:
            h->carried[h->n_carried++ % HALL_CARRIED_MAX] = out.datagrams;
            break;
        case HUB_LEG:
            h->legs[h->n_legs++ % HALL_LEGS_MAX] = out.leg;
            break;
        case HUB_FILE:
            h->file_err = out.err;
            free(out.depot.name);
            out.depot.name = NULL;
            h->file = out.depot;
            h->n_file++;
            break;
        case HUB_DEPOT:
            free(out.depot.name);
            out.depot.name = NULL;
            h->depot[h->n_depot++ % HALL_CARRIED_MAX] = out.depot;
            if (h->sink.depot)
                h->sink.depot(h->sink.arg, &out.depot);
            break;
        case HUB_TITLE:
            h->title_err = out.err;
            snprintf(h->title, sizeof h->title, "%s", out.title ? out.title : "");
            free(out.title);
            break;
        }
    }
}

/* --- the store --- */

/* A batch that fails is applied all the same, and rolled back: as a disk that is
 * full at the end of it. */
static void fail_batch(struct hall *h, size_t n)
{
    const struct store_ops *store = h->store->ops;

    h->counts.failed_batches++;
    store->begin(h->store);
    for (size_t i = 0; i < n; i++)
        store_result_free(store->apply(h->store, h->ops[i].op));
    store->rollback(h->store);
    for (size_t i = 0; i < n; i++) {
        struct store_result *r = store_result_new(h->ops[i].op);
        if (!r)
            continue; /* starved: nobody is told, as after a crash */
        store_result_fail(r, -ROOST_NOT_STORED);
        h->results[h->n_results++].result = r;
    }
}

static void run_batch(struct hall *h, size_t n)
{
    struct store_op *ops[BATCH_MAX];
    struct store_result *results[BATCH_MAX];

    if (dice_ppm(&h->dice, h->fail_ppm)) {
        fail_batch(h, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        ops[i] = h->ops[i].op;
    store_run_batch(h->store, ops, n, results);
    for (size_t i = 0; i < n; i++)
        if (results[i])
            h->results[h->n_results++].result = results[i];
}

static void do_batch(struct hall *h)
{
    size_t n = h->n_ops < BATCH_MAX ? h->n_ops : BATCH_MAX;
    size_t before = h->n_results;

    if (before + n > HALL_WAITING_MAX)
        return;
    h->counts.batches++;
    h->counts.operations += n;
    run_batch(h, n);
    int64_t due = soon(h);
    if (before > 0 && due < h->results[before - 1].due_us)
        due = h->results[before - 1].due_us;
    for (size_t i = before; i < h->n_results; i++)
        h->results[i].due_us = due;
    for (size_t i = 0; i < n; i++)
        store_op_unref(h->ops[i].op);
    memmove(h->ops, h->ops + n, (h->n_ops - n) * sizeof *h->ops);
    h->n_ops -= n;
    h->batch_due_us = h->n_ops ? soon(h) : INT64_MAX;
}

static void report_one(struct hall *h)
{
    struct store_result *r = h->results[0].result;

    h->n_results--;
    memmove(h->results, h->results + 1, h->n_results * sizeof *h->results);
    if (r)
        hub_on_stored(h->hub, r, hall_now(h));
}

/* What is there; as an edge does, the hub is not asked after each what is to be sent. */
static void report(struct hall *h)
{
    do {
        report_one(h);
        if (dice_ppm(&h->dice, 250000))
            pull(h);
    } while (h->n_results && h->results[0].due_us <= h->now_us);
    pull(h);
}

/* --- hashing: equal or not --- */

static void do_hash(struct hall *h, size_t i)
{
    struct hub_hash hash = h->hashes[i].hash;
    char encoded[16 + 512];

    h->counts.hashed++;
    h->hashes[i] = h->hashes[--h->n_hashes];
    strcpy(encoded, "plain:");
    strncat(encoded, hash.password, 512);
    if (h->unhashed)
        hub_on_unhashed(h->hub, hash.token, hall_now(h));
    else if (hash.verify)
        hub_on_hashed(h->hub, hash.token, strcmp(encoded, hash.encoded) == 0, NULL, hall_now(h));
    else
        hub_on_hashed(h->hub, hash.token, true, encoded, hall_now(h));
    h->unhashed -= h->unhashed > 0;
    hub_hash_fini(&hash);
    pull(h);
}

static size_t next_hash(const struct hall *h)
{
    size_t first = 0;

    for (size_t i = 1; i < h->n_hashes; i++)
        if (h->hashes[i].due_us < h->hashes[first].due_us)
            first = i;
    return first;
}

/* --- time --- */

static int64_t min_us(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t hall_deadline_us(const struct hall *h)
{
    int64_t at = min_us(hub_deadline_us(h->hub), h->batch_due_us);

    if (h->n_results)
        at = min_us(at, h->results[0].due_us);
    if (h->n_hashes)
        at = min_us(at, h->hashes[next_hash(h)].due_us);
    return at;
}

static void step(struct hall *h)
{
    if (h->n_results && h->results[0].due_us <= h->now_us) {
        report(h);
    } else if (h->batch_due_us <= h->now_us && h->n_results + BATCH_MAX <= HALL_WAITING_MAX) {
        do_batch(h);
    } else if (h->n_hashes && h->hashes[next_hash(h)].due_us <= h->now_us) {
        do_hash(h, next_hash(h));
    } else {
        hub_expire(h->hub, hall_now(h));
        pull(h);
    }
}

void hall_run(struct hall *h, int64_t now_us)
{
    for (int64_t due; (due = hall_deadline_us(h)) <= now_us;) {
        if (due > h->now_us)
            h->now_us = due;
        step(h);
    }
    if (now_us > h->now_us)
        h->now_us = now_us;
}

void hall_settle(struct hall *h)
{
    while (h->n_ops || h->n_results || h->n_hashes) {
        int64_t due = hall_deadline_us(h);
        hall_run(h, due > h->now_us ? due : h->now_us);
    }
}

/* --- connections --- */

void hall_word(struct hall *h, const struct hub_depot_word *word)
{
    hub_on_depot(h->hub, word, hall_now(h));
    pull(h);
}

void hall_connect(struct hall *h, uint64_t conn, const struct hub_peer *peer)
{
    if (hub_on_connect(h->hub, conn, peer, hall_now(h)) < 0)
        h->sink.close(h->sink.arg, conn);
    pull(h);
}

void hall_frame(struct hall *h, uint64_t conn, const uint8_t *body, size_t len)
{
    hub_on_frame(h->hub, conn, body, len, hall_now(h));
    pull(h);
}

void hall_disconnect(struct hall *h, uint64_t conn, enum hub_close why)
{
    hub_on_close(h->hub, conn, why, hall_now(h));
    pull(h);
}

/* --- life and death --- */

static int start_hub(struct hall *h)
{
    uint8_t seed[32];

    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)dice_next(&h->dice);
    h->bus = bus_local_new();
    if (h->bus)
        h->hub = hub_new(&h->config, h->bus, seed, hall_now(h));
    h->batch_due_us = INT64_MAX;
    return h->hub ? 0 : -ROOST_NOMEM;
}

static void drop_waiting(struct hall *h)
{
    for (size_t i = 0; i < h->n_ops; i++)
        store_op_unref(h->ops[i].op);
    for (size_t i = 0; i < h->n_results; i++)
        store_result_free(h->results[i].result);
    for (size_t i = 0; i < h->n_hashes; i++)
        hub_hash_fini(&h->hashes[i].hash);
    h->n_ops = h->n_results = h->n_hashes = 0;
}

static void stop_hub(struct hall *h)
{
    struct hub_output out;

    if (h->hub) {
        while (hub_next_output(h->hub, &out)) {
            blob_unref(out.kind == HUB_SEND ? out.bytes : NULL);
            store_op_unref(out.kind == HUB_STORE ? out.op : NULL);
            if (out.kind == HUB_HASH)
                hub_hash_fini(&out.hash);
            if (out.kind == HUB_KEEP)
                hub_keep_fini(&out.keep);
            free(out.title);
        }
        hub_free(h->hub);
    }
    if (h->bus)
        h->bus->ops->free(h->bus);
    h->hub = NULL;
    h->bus = NULL;
    drop_waiting(h);
}

static int invite_first_admin(struct hall *h)
{
    struct store_op *op = hub_first_admin(h->hub, h->first_admin, hall_now(h));
    struct store_result *result = NULL;

    if (!op)
        return -ROOST_NOMEM;
    int err = store_run_batch(h->store, &op, 1, &result);
    store_result_free(result);
    store_op_unref(op);
    return err;
}

int hall_open(struct hall *h, const struct hub_config *config, const struct hall_sink *sink,
              uint64_t seed, int64_t now_us)
{
    memset(h, 0, sizeof *h);
    h->config = *config;
    h->sink = *sink;
    h->dice.state = seed;
    h->now_us = now_us;
    h->store = memory_store_new();
    int err = h->store ? start_hub(h) : -ROOST_NOMEM;
    if (!err)
        err = invite_first_admin(h);
    if (err)
        hall_close(h);
    return err;
}

void hall_close(struct hall *h)
{
    stop_hub(h);
    if (h->store)
        h->store->ops->free(h->store);
    h->store = NULL;
}

int hall_crash(struct hall *h)
{
    const struct store_ops *store = h->store->ops;

    h->counts.crashes++;
    h->counts.unspoken += h->n_results > 0;
    if (h->n_ops) { /* in the middle of a batch */
        size_t n = dice_below(&h->dice, h->n_ops + 1);
        store->begin(h->store);
        for (size_t i = 0; i < n; i++)
            store_result_free(store->apply(h->store, h->ops[i].op));
        store->rollback(h->store);
        h->counts.torn += n > 0;
    }
    stop_hub(h);
    return start_hub(h);
}
