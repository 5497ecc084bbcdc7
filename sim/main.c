/* main.c - the simulator: so many lives, each from its seed.
 *
 *     sim [FIRST [COUNT]]     less of it: tier.h; a seed replays by number
 *     sim -v SEED             what every client is told
 *
 * Prints "ok lives" or "FAIL ...", and what happened how often; each kind of
 * happening must be in at least one life of a hundred.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/tier.h"
#include "sim/world.h"

enum { STEPS = 220, SECOND = 1000000, SETTLE_S = 200, HUB_BYTES_MAX = 24 << 20 };

static const char *const words_of[] = {
#define X(name, words) words,
    SIM_HAPPENINGS(X)
#undef X
};

static bool is_quiet(const struct world *w)
{
    if (!w->hall_is_up || w->hall.n_ops || w->hall.n_results || w->hall.n_hashes)
        return false;
    for (int i = 0; i < w->n_actors; i++) {
        const struct actor *a = &w->actors[i];
        if (a->n_asked || a->partitioned || (!a->guest && !actor_is_ready(a)))
            return false;
        if (a->wire >= 0 && !wire_is_drained(&w->wires[a->wire]))
            return false;
    }
    return true;
}

/* Everything heals, and all that was asked is answered. */
static void settle(struct world *w)
{
    int64_t end = w->now_us + (int64_t)SETTLE_S * SECOND;

    world_heal(w);
    w->settling = true;
    for (int still = 0; w->now_us < end && still < 6;) {
        uint64_t before = w->counts[SIM_ARRIVAL];
        world_run(w, w->now_us + SECOND);
        for (int i = 0; i < w->n_actors; i++) {
            actor_log_in(w, &w->actors[i]);
            actor_pull(w, &w->actors[i]);
        }
        still = is_quiet(w) && w->counts[SIM_ARRIVAL] == before ? still + 1 : 0;
    }
    for (int i = 0; i < w->n_actors; i++) {
        const struct actor *a = &w->actors[i];
        if ((!a->guest && !actor_is_ready(a)) || a->n_asked)
            world_break(w, "client %d: state %d, %zu requests unanswered after %d s of peace", i,
                        (int)core_state(a->core), a->n_asked, SETTLE_S);
    }
}

static void count_all(struct world *w)
{
    struct hub_stats stats;

    hub_stats(w->hall.hub, &stats);
    w->counts[SIM_DUP] += stats.dups;
    w->counts[SIM_TORN] = w->hall.counts.torn;
    w->counts[SIM_UNSPOKEN] = w->hall.counts.unspoken;
    w->counts[SIM_FAILED_BATCH] = w->hall.counts.failed_batches;
    for (int i = 0; i < w->n_actors; i++)
        w->resent += core_stats(w->actors[i].core)->resent;
    w->counts[SIM_RESENT] = w->resent;
    if (w->most_bytes > HUB_BYTES_MAX)
        world_break(w, "the hub's state grew to %zu bytes", w->most_bytes);
}

static int live(uint64_t seed, bool verbose, uint64_t lives[], uint64_t total[])
{
    static struct world w;

    world_init(&w, seed, verbose);
    for (int i = 0; i < STEPS; i++) {
        act_step(&w);
        world_run(&w, w.now_us + dice_between(&w.dice, 0, 300000));
    }
    settle(&w);
    judge(&w);
    count_all(&w);
    for (int i = 0; i < SIM_HAPPENINGS_N; i++) {
        lives[i] += w.counts[i] > 0;
        total[i] += w.counts[i];
    }
    int broken = w.broken;
    world_fini(&w);
    return broken;
}

int main(int argc, char **argv)
{
    static uint64_t lives[SIM_HAPPENINGS_N], total[SIM_HAPPENINGS_N];
    bool verbose = argc > 1 && !strcmp(argv[1], "-v");
    uint64_t first = argc > 1 + verbose ? strtoull(argv[1 + verbose], NULL, 10) : 1;
    long count = argc > 2 ? atol(argv[2]) : tier_lives(2000);
    long seconds = tier_seconds(), done = 0, failed = 0;
    time_t started = time(NULL);

    if (verbose || argc == 2)
        count = 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (; done < count && (done < 1 || time(NULL) - started < seconds); done++) {
        uint64_t seed = first + (uint64_t)done;
        if (live(seed, verbose, lives, total)) {
            printf("FAIL seed %llu (sim -v %llu replays it)\n", (unsigned long long)seed,
                   (unsigned long long)seed);
            if (++failed >= 5)
                break;
        }
    }
    printf("NOTE %ld lives of %d steps\n", done, STEPS);
    for (int i = 0; i < SIM_HAPPENINGS_N; i++) {
        bool rare = done >= 100 && lives[i] * 100 < (uint64_t)done;
        printf("  %-28s %9llu in %llu lives\n", words_of[i], (unsigned long long)total[i],
               (unsigned long long)lives[i]);
        if (rare)
            printf("FAIL too rare: %s\n", words_of[i]);
        failed += rare;
    }
    if (!failed)
        printf("ok %ld lives\n", done);
    return failed > 0;
}
