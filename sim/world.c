#include "sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { MS = 1000, SECOND = 1000000 };

static const struct link_config lan = { .rate_bps = 20000000,
                                        .delay_us = 2 * MS,
                                        .jitter_us = 3 * MS,
                                        .loss_ppm = 5000,
                                        .queue_bytes = 64 << 10 };

void world_count(struct world *w, enum happening what)
{
    w->counts[what]++;
}

void world_break(struct world *w, const char *format, ...)
{
    va_list ap;

    printf("seed %llu, %.3f s: ", (unsigned long long)w->seed, (double)w->now_us / SECOND);
    va_start(ap, format);
    vprintf(format, ap);
    va_end(ap);
    putchar('\n');
    w->broken++;
}

struct room_seen *world_room(struct world *w, uint64_t room)
{
    for (size_t i = 0; i < w->n_rooms; i++)
        if (w->rooms[i]->room == room)
            return w->rooms[i];
    assert(w->n_rooms < ROOMS_MAX);
    struct room_seen *r = calloc(1, sizeof *r);
    assert(r);
    r->room = room;
    w->rooms[w->n_rooms++] = r;
    return r;
}

/* Some words are said before the client knows its account. */
uint64_t world_author(const struct world *w, const struct word *x)
{
    return x->account ? x->account : w->people[x->person].account;
}

/* --- wires --- */

static struct wire *wire_of(struct world *w, uint64_t conn)
{
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used && w->wires[i].conn == conn)
            return &w->wires[i];
    return NULL;
}

static void close_server_end(struct world *w, struct wire *x, enum hub_close why)
{
    x->server_open = false;
    hall_disconnect(&w->hall, x->conn, why);
}

static void on_send(void *arg, uint64_t conn, struct blob *bytes)
{
    struct world *w = arg;
    struct wire *x = wire_of(w, conn);

    if (!x || !x->server_open || x->too_slow)
        return;
    if (!wire_send_down(x, bytes, w->now_us))
        x->too_slow = true; /* told in sweep(), outside of the hub */
}

/* After HUB_CLOSE the hub is not told any more. */
static void on_close(void *arg, uint64_t conn)
{
    struct world *w = arg;
    struct wire *x = wire_of(w, conn);

    if (x && x->server_open) {
        x->server_open = false;
        x->ending = true;
    }
}

static void tell_slow(struct world *w, struct wire *x)
{
    x->too_slow = false;
    if (!x->server_open)
        return;
    world_count(w, SIM_SLOW);
    close_server_end(w, x, HUB_CLOSE_SLOW);
    wire_reset(x, w->now_us);
}

static void client_lost(struct world *w, struct wire *x)
{
    struct actor *a = &w->actors[x->actor];

    x->rst_us = INT64_MAX;
    if (!x->client_open)
        return;
    x->client_open = false;
    if (a->wire >= 0 && &w->wires[a->wire] == x) {
        a->wire = -1;
        core_on_closed(a->core, ROOST_CLOSED, false, w->now_us);
        actor_pull(w, a);
    }
}

static void accept_wire(struct world *w, struct wire *x)
{
    struct actor *a = &w->actors[x->actor];
    struct hub_peer peer = { .local = true };

    actor_address(w, a, peer.address);
    actor_address(w, a, peer.source);

    x->syn_us = INT64_MAX;
    if (!w->hall_is_up) {
        x->rst_us = w->now_us;
        return;
    }
    if (!x->client_open)
        return;
    x->server_open = true;
    hall_connect(&w->hall, x->conn, &peer);
    core_on_connected(a->core, w->now_us);
    actor_pull(w, a);
}

static void carry_up(struct world *w, struct wire *x)
{
    const uint8_t *body;
    size_t len;

    if (!x->server_open && x->syn_us == INT64_MAX) /* likewise, by the server's */
        link_reset(&x->up);
    for (struct blob *b; x->server_open && (b = link_next(&x->up, w->now_us)); blob_unref(b)) {
        const uint8_t *p = b->bytes, *end = p + b->len;
        while (x->server_open && frame_next(&x->reader, &p, end, &body, &len) > 0)
            hall_frame(&w->hall, x->conn, body, len);
    }
}

static void carry_down(struct world *w, struct wire *x)
{
    struct actor *a = &w->actors[x->actor];

    wire_pump(x, w->now_us);
    if (!x->client_open) /* what still comes is thrown away by the client's machine */
        link_reset(&x->down);
    for (struct blob *b; x->client_open && (b = link_next(&x->down, w->now_us)); blob_unref(b)) {
        core_on_bytes(a->core, b->bytes, b->len, w->now_us);
        actor_pull(w, a);
    }
    if (x->ending && x->client_open && wire_is_drained(x)) {
        x->ending = false;
        client_lost(w, x);
    }
}

static void run_wire(struct world *w, struct wire *x)
{
    if (x->up.down)
        return;
    if (x->syn_us <= w->now_us)
        accept_wire(w, x);
    carry_up(w, x);
    carry_down(w, x);
    if (x->fin_us <= w->now_us) {
        x->fin_us = INT64_MAX;
        if (x->server_open)
            close_server_end(w, x, HUB_CLOSE_GONE);
        x->ending = false;
    }
    if (x->rst_us <= w->now_us)
        client_lost(w, x);
}

static void sweep(struct world *w)
{
    for (int i = 0; i < WIRES_MAX; i++) {
        struct wire *x = &w->wires[i];
        if (!x->used)
            continue;
        if (x->too_slow)
            tell_slow(w, x);
        if (!x->client_open && !x->server_open && x->syn_us == INT64_MAX)
            wire_free(x);
    }
}

/* --- time --- */

static int64_t min_us(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t deadline(const struct world *w)
{
    int64_t at = w->hall_is_up ? hall_deadline_us(&w->hall) : w->restart_us;

    at = min_us(at, w->calm_us);
    for (int i = 0; i < w->n_actors; i++) {
        if (w->actors[i].core)
            at = min_us(at, core_deadline_us(w->actors[i].core));
        at = min_us(at, w->actors[i].heals_us);
    }
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used)
            at = min_us(at, wire_deadline_us(&w->wires[i]));
    return at;
}

static void heal(struct world *w, struct actor *a)
{
    a->partitioned = false;
    a->heals_us = INT64_MAX;
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used && &w->actors[w->wires[i].actor] == a)
            wire_set_down(&w->wires[i], false, w->now_us);
}

static void note_hub(struct world *w)
{
    struct hub_stats stats;

    hub_stats(w->hall.hub, &stats);
    if (stats.bytes > w->most_bytes)
        w->most_bytes = stats.bytes;
}

static void turn(struct world *w)
{
    if (w->calm_us <= w->now_us) {
        w->calm_us = INT64_MAX;
        w->hall.fail_ppm = 0;
    }
    if (!w->hall_is_up && w->restart_us <= w->now_us) {
        w->hall_is_up = true;
        w->hall.now_us = w->now_us;
    }
    if (w->hall_is_up)
        hall_run(&w->hall, w->now_us);
    for (int i = 0; i < w->n_actors; i++) {
        struct actor *a = &w->actors[i];
        if (a->heals_us <= w->now_us)
            heal(w, a);
        if (a->core && core_deadline_us(a->core) <= w->now_us) {
            core_expire(a->core, w->now_us);
            actor_pull(w, a);
        }
    }
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used)
            run_wire(w, &w->wires[i]);
    sweep(w);
}

/* Somebody's deadline does not pass when it has come. */
static void tell_stuck(struct world *w)
{
    world_break(w, "time stands still: hall %d",
                w->hall_is_up && hall_deadline_us(&w->hall) <= w->now_us);
    for (int i = 0; i < w->n_actors; i++)
        if (core_deadline_us(w->actors[i].core) <= w->now_us)
            world_break(w, "... because of client %d in state %d", i,
                        (int)core_state(w->actors[i].core));
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used && wire_deadline_us(&w->wires[i]) <= w->now_us)
            world_break(w, "... because of wire %d of client %d (%d%d%d)", i, w->wires[i].actor,
                        w->wires[i].client_open, w->wires[i].server_open, w->wires[i].ending);
}

void world_run(struct world *w, int64_t until_us)
{
    for (uint64_t idle = 0;;) {
        int64_t at = deadline(w);
        if (at > until_us)
            break;
        idle = at > w->now_us ? 0 : idle + 1;
        if (idle > 100000) {
            tell_stuck(w);
            abort();
        }
        if (at > w->now_us)
            w->now_us = at;
        turn(w);
    }
    w->now_us = until_us;
    if (w->hall_is_up) {
        hall_run(&w->hall, until_us);
        note_hub(w);
    }
}

/* --- faults --- */

void world_crash(struct world *w)
{
    struct hub_stats stats;

    if (!w->hall_is_up)
        return;
    hub_stats(w->hall.hub, &stats);
    w->counts[SIM_DUP] += stats.dups;
    if (hall_crash(&w->hall) < 0)
        abort();
    w->hall_is_up = false;
    w->restart_us = w->now_us + dice_between(&w->dice, 0, 3 * SECOND);
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used)
            wire_reset(&w->wires[i], w->now_us);
    world_count(w, SIM_CRASH);
}

void world_partition(struct world *w, struct actor *a, int64_t for_us)
{
    a->partitioned = true;
    a->heals_us = w->now_us + for_us;
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used && &w->actors[w->wires[i].actor] == a)
            wire_set_down(&w->wires[i], true, w->now_us);
    world_count(w, SIM_PARTITION);
}

void world_reset_wire(struct world *w, struct actor *a)
{
    struct wire *x = a->wire >= 0 ? &w->wires[a->wire] : NULL;

    if (!x || !x->server_open)
        return;
    close_server_end(w, x, HUB_CLOSE_GONE);
    wire_reset(x, w->now_us);
    world_count(w, SIM_RESET);
}

void world_slow(struct world *w, struct actor *a, bool slow)
{
    struct link_config c = lan;

    a->slow = slow;
    if (slow)
        c.rate_bps = 4000;
    if (a->wire >= 0)
        link_set(&w->wires[a->wire].down, &c);
}

void world_heal(struct world *w)
{
    w->calm_us = w->now_us;
    for (int i = 0; i < w->n_actors; i++) {
        if (w->actors[i].slow) { /* what is inside a slow link would take minutes yet */
            world_slow(w, &w->actors[i], false);
            world_reset_wire(w, &w->actors[i]);
        }
        heal(w, &w->actors[i]);
    }
}

void world_reboot_client(struct world *w, struct actor *a)
{
    if (a->wire >= 0) {
        struct wire *x = &w->wires[a->wire];
        x->client_open = false;
        x->fin_us = w->now_us + x->up.config.delay_us;
        a->wire = -1;
    }
    w->resent += core_stats(a->core)->resent;
    core_free(a->core);
    a->core = NULL;
    actor_start(w, a);
    world_count(w, SIM_CLIENT_CRASH);
}

/* --- life --- */

void world_init(struct world *w, uint64_t seed, bool verbose)
{
    struct hall_sink sink = { on_send, on_close, w };
    struct hub_config config;

    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->verbose = verbose;
    w->dice.state = seed * 0x9e3779b97f4a7c15u + 1;
    w->now_us = SECOND;
    w->calm_us = INT64_MAX;
    w->hall_is_up = true;
    hub_config_default(&config);
    config.registration = REGISTRATION_OPEN;
    config.datagrams = true;
    if (hall_open(&w->hall, &config, &sink, dice_next(&w->dice), w->now_us) < 0)
        abort();
    w->hall.store_delay_us = 8 * MS;
    w->n_people = (int)dice_between(&w->dice, 3, PEOPLE_MAX);
    int accounts = w->n_people + (int)dice_between(&w->dice, 0, 2);
    w->n_actors = accounts + (int)dice_between(&w->dice, 1, VISITORS_MAX);
    for (int i = 0; i < w->n_people; i++)
        snprintf(w->people[i].name, sizeof w->people[i].name, "person%d", i);
    for (int i = 0; i < w->n_actors; i++) {
        bool guest = i >= accounts;
        actor_init(w, &w->actors[i], guest ? w->n_people + i - accounts : i % w->n_people);
        w->actors[i].guest = guest;
        if (guest)
            strcpy(w->people[w->actors[i].person].name, "Visitor"); /* all of them */
    }
    for (int i = 0; i < w->n_actors; i++)
        actor_start(w, &w->actors[i]);
}

void world_fini(struct world *w)
{
    for (int i = 0; i < w->n_actors; i++)
        core_free(w->actors[i].core);
    for (int i = 0; i < WIRES_MAX; i++)
        if (w->wires[i].used)
            wire_free(&w->wires[i]);
    for (size_t i = 0; i < w->n_rooms; i++)
        free(w->rooms[i]);
    for (struct receipt *r = w->receipts, *next; r; r = next) {
        next = r->next;
        free(r);
    }
    hall_close(&w->hall);
}
