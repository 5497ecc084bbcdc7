#include "hub/guard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "seal/digest.h"

#define STRIKES_KEPT_MS (24 * 3600000LL)
/* Until one of the running tries has ended: a hash takes some 20 ms. */
enum { BUSY_MS = 250 };

enum { PAIR, DEVICE, SOURCE, ACCOUNT }; /* places in guard_run.keys */

const char *guard_kind_text(uint32_t kind)
{
    static const char *const texts[] = { "",      "pair", "device", "source", "account",
                                         "admin", "code", "codes",  "guests", "meetings" };

    return kind < sizeof texts / sizeof *texts ? texts[kind] : "";
}

int guard_key(uint8_t ret[static 32], enum guard_kind kind, const struct guard_try *t)
{
    uint8_t k = kind == GUARD_ADMIN ? GUARD_ACCOUNT : (uint8_t)kind;
    bool named = k != GUARD_SOURCE;
    bool sourced = k == GUARD_PAIR || k == GUARD_SOURCE;
    const struct seal_part parts[] = {
        { "guard", 6 },
        { &k, 1 },
        { t->skeleton, named ? strlen(t->skeleton) + 1 : 0 },
        { t->source, sourced ? strlen(t->source) + 1 : 0 },
        { t->device, k == GUARD_DEVICE ? sizeof t->device : 0 },
    };

    return seal_sha256(ret, parts, sizeof parts / sizeof *parts);
}

/* --- rows ------------------------------------------------------------------------- */

int64_t guard_blocked_ms(const struct guard_row *row, int64_t now_ms)
{
    /* A row from the future was written before the clock was set back: it would
     * block for as long as the clock was wrong. */
    if (row->n == 0 || row->since_ms > now_ms || row->until_ms <= now_ms)
        return 0;
    return row->until_ms - now_ms;
}

uint32_t guard_count(const struct guard_row *row, const struct hub_config *c, int64_t now_ms)
{
    int64_t age = now_ms - row->since_ms;

    return row->kind != GUARD_ADMIN && age >= 0 && age < c->login_window_ms ? row->n : 0;
}

static uint32_t strikes_of(const struct guard_row *row, int64_t now_ms)
{
    return row->kind != GUARD_ADMIN && now_ms - row->until_ms < STRIKES_KEPT_MS ? row->strikes : 0;
}

static int64_t block_ms(const struct hub_config *c, uint32_t strikes)
{
    int64_t ms = c->login_block_ms;

    while (strikes-- > 0 && ms < c->login_block_max_ms)
        ms *= 2;
    return ms < c->login_block_max_ms ? ms : c->login_block_max_ms;
}

void guard_fail(struct guard_row *row, const struct hub_config *c, uint32_t limit, int64_t now_ms)
{
    uint32_t n = guard_count(row, c, now_ms), strikes = strikes_of(row, now_ms);

    if (n == 0)
        row->since_ms = now_ms;
    row->n = n + 1;
    row->strikes = strikes;
    if (row->n < limit)
        return;
    row->until_ms = now_ms + block_ms(c, strikes);
    row->strikes = strikes + 1;
}

/* --- tries under way ------------------------------------------------------------------ */

struct flight {
    struct guard_row row; /* name and source are owned */
    bool loaded;
    uint32_t refs, running;
};

struct guard_flights {
    struct map map;
};

struct guard_flights *guard_flights_new(uint64_t seed)
{
    struct guard_flights *f = calloc(1, sizeof *f);

    if (f)
        map_init(&f->map, seed);
    return f;
}

static void flight_free(struct flight *x)
{
    if (!x)
        return;
    free((char *)x->row.name);
    free((char *)x->row.source);
    free(x);
}

void guard_flights_free(struct guard_flights *f)
{
    struct map_slot *s;

    if (!f)
        return;
    for (size_t i = 0; (s = map_next(&f->map, &i));)
        flight_free(s->value);
    map_fini(&f->map);
    free(f);
}

size_t guard_flights_count(const struct guard_flights *f)
{
    return f->map.n;
}

static struct flight *flight_of(const struct guard_flights *f, const struct guard_run *run, int at)
{
    struct flight *x = map_get_bytes(&f->map, run->keys[at], 32);

    assert(x && "a run that has begun holds its four keys");
    return x;
}

static int flight_new(struct guard_flights *f, const uint8_t key[static 32], enum guard_kind kind,
                      const struct guard_try *t)
{
    struct flight *x = calloc(1, sizeof *x);
    int err = -ROOST_NOMEM;

    if (!x)
        return err;
    memcpy(x->row.key, key, 32);
    x->row.kind = kind;
    x->row.name = strdup(kind == GUARD_SOURCE ? "" : t->name);
    x->row.source = strdup(kind == GUARD_PAIR || kind == GUARD_SOURCE ? t->source : "");
    if (x->row.name && x->row.source)
        err = map_put_bytes(&f->map, key, 32, x);
    if (err)
        flight_free(x);
    return err;
}

static void release(struct guard_flights *f, const uint8_t key[static 32])
{
    struct flight *x = map_get_bytes(&f->map, key, 32);

    if (x && --x->refs == 0)
        flight_free(map_take_bytes(&f->map, key, 32));
}

int guard_begin(struct guard_flights *f, struct guard_run *run, const struct guard_try *t)
{
    int err = 0, held = 0;

    if (f->map.n + GUARD_PLACES > GUARD_FLIGHTS_MAX)
        return -ROOST_BUSY;
    for (int i = 0; i < GUARD_PLACES && !err; i++)
        err = guard_key(run->keys[i], (enum guard_kind)(GUARD_PAIR + i), t);
    for (; held < GUARD_PLACES && !err; held++) {
        struct flight *x = map_get_bytes(&f->map, run->keys[held], 32);
        if (!x)
            err = flight_new(f, run->keys[held], (enum guard_kind)(GUARD_PAIR + held), t);
        if (err)
            break;
        x = map_get_bytes(&f->map, run->keys[held], 32);
        x->refs++;
    }
    run->begun = !err;
    while (err && held-- > 0)
        release(f, run->keys[held]);
    return err;
}

/* The texts of a flight stay: they say the same. */
static void row_take(struct guard_row *to, const struct guard_row *from)
{
    to->kind = from->kind;
    to->n = from->n;
    to->strikes = from->strikes;
    to->since_ms = from->since_ms;
    to->until_ms = from->until_ms;
}

void guard_on_rows(struct guard_flights *f, const struct guard_run *run,
                   const struct guard_row *rows, size_t n)
{
    for (int at = 0; at < GUARD_PLACES; at++) {
        struct flight *x = flight_of(f, run, at);
        for (size_t i = 0; i < n && !x->loaded; i++)
            if (memcmp(rows[i].key, run->keys[at], 32) == 0)
                row_take(&x->row, &rows[i]);
        x->loaded = true;
    }
}

int64_t guard_shut_ms(const struct guard_flights *f, const struct guard_run *run, int64_t now_ms)
{
    const struct guard_row *account = &flight_of(f, run, ACCOUNT)->row;

    return account->kind == GUARD_ADMIN ? guard_blocked_ms(account, now_ms) : 0;
}

static int64_t longest_block(const struct guard_flights *f, const struct guard_run *run,
                             int64_t now_ms)
{
    int64_t device = guard_blocked_ms(&flight_of(f, run, DEVICE)->row, now_ms);
    int64_t shut = guard_shut_ms(f, run, now_ms);
    int64_t most = guard_blocked_ms(&flight_of(f, run, ACCOUNT)->row, now_ms);

    if (run->known)
        return device > shut ? device : shut;
    for (int at = PAIR; at <= SOURCE; at += SOURCE - PAIR) {
        int64_t ms = guard_blocked_ms(&flight_of(f, run, at)->row, now_ms);
        most = ms > most ? ms : most;
    }
    return most;
}

int guard_admit(struct guard_flights *f, struct guard_run *run, bool known,
                const struct hub_config *c, int64_t now_ms, uint64_t *ret_retry_ms)
{
    struct flight *x = flight_of(f, run, known ? DEVICE : PAIR);

    assert(!run->admitted);
    run->known = known;
    int64_t ms = longest_block(f, run, now_ms);
    if (ms > 0) {
        *ret_retry_ms = (uint64_t)ms;
        return -ROOST_BLOCKED;
    }
    uint32_t n = guard_count(&x->row, c, now_ms);
    if (x->running >= (n < c->login_tries ? c->login_tries - n : 1)) {
        *ret_retry_ms = BUSY_MS;
        return -ROOST_BUSY;
    }
    x->running++;
    run->admitted = true;
    return 0;
}

size_t guard_failed(struct guard_flights *f, const struct guard_run *run,
                    const struct hub_config *c, int64_t now_ms,
                    struct guard_row ret_rows[static GUARD_PLACES])
{
    size_t n = 0;

    if (run->known) {
        struct guard_row *device = &flight_of(f, run, DEVICE)->row;
        guard_fail(device, c, c->login_tries, now_ms);
        ret_rows[n++] = *device;
        return n;
    }
    struct guard_row *pair = &flight_of(f, run, PAIR)->row;
    struct guard_row *source = &flight_of(f, run, SOURCE)->row;
    struct guard_row *account = &flight_of(f, run, ACCOUNT)->row;
    if (guard_count(pair, c, now_ms) == 0) { /* one more name that failed from there */
        guard_fail(source, c, c->source_accounts, now_ms);
        ret_rows[n++] = *source;
    }
    guard_fail(pair, c, c->login_tries, now_ms);
    ret_rows[n++] = *pair;
    /* An admin's block that is over starts a fresh count; one that was set during
     * this try stays. */
    if (account->kind != GUARD_ADMIN || guard_blocked_ms(account, now_ms) == 0) {
        guard_fail(account, c, c->account_tries, now_ms);
        account->kind = GUARD_ACCOUNT;
        ret_rows[n++] = *account;
    }
    return n;
}

static void clear(struct guard_row *row)
{
    row->n = row->strikes = 0;
    row->since_ms = row->until_ms = 0;
}

size_t guard_succeeded(struct guard_flights *f, const struct guard_run *run,
                       const struct hub_config *c, int64_t now_ms,
                       struct guard_row ret_rows[static GUARD_PLACES])
{
    struct guard_row *own = &flight_of(f, run, run->known ? DEVICE : PAIR)->row;
    struct guard_row *source = &flight_of(f, run, SOURCE)->row;
    bool counted = guard_count(own, c, now_ms) > 0;
    bool stored = own->n > 0;
    size_t n = 0;

    clear(own);
    if (stored)
        ret_rows[n++] = *own;
    if (!run->known && counted && guard_count(source, c, now_ms) > 0) {
        if (--source->n == 0)
            clear(source);
        ret_rows[n++] = *source;
    }
    return n;
}

void guard_end(struct guard_flights *f, struct guard_run *run)
{
    if (!run->begun)
        return;
    if (run->admitted)
        flight_of(f, run, run->known ? DEVICE : PAIR)->running--;
    for (int at = 0; at < GUARD_PLACES; at++)
        release(f, run->keys[at]);
    run->begun = run->admitted = false;
}

void guard_override(struct guard_flights *f, const struct guard_row *row)
{
    struct flight *x = f ? map_get_bytes(&f->map, row->key, 32) : NULL;

    if (x) {
        row_take(&x->row, row);
        x->loaded = true;
    }
}
