/* parley_main.c - how a voice arrives over each kind of link, exactly.
 *
 *     parley [WORD]      those with WORD in their names; ROOST_SHARE below 50: one seed each
 *
 * A line each, of all seeds together the worst: mouth to ear on the mean and for 99 of 100 frames,
 * what was made up of all that was heard; "ok", or FAIL with what was wanted.
 */
#include <stdio.h>
#include <string.h>

#include "sim/parley.h"
#include "sim/tier.h"

#define MS     1000LL
#define SECOND 1000000LL
#define HOP    .delay_us = 25 * MS
#define WIFI   .jitter_us = 4 * MS, .loss_ppm = 5000, .loss_burst = 2
#define MOBILE .jitter_us = 15 * MS, .loss_ppm = 3000, .loss_burst = 3

struct course {
    const char *name;
    uint32_t frame_ms;
    struct link_config first, up, down;
    enum parley_beside beside;
    double most_ms, most_concealed; /* percent */
};

#define LINE .rate_bps = 5000000, .delay_us = 20 * MS, .queue_bytes = 65536
static const struct course courses[] = {
    { "lan", 20, { .delay_us = 200 }, { .delay_us = 200 }, { .delay_us = 200 }, 0, 60, 0 },
    { "lan-10", 10, { .delay_us = 200 }, { .delay_us = 200 }, { .delay_us = 200 }, 0, 40, 0 },
    { "clean", 20, { HOP }, { HOP }, { HOP }, 0, 110, 0 },
    { "wifi", 20, { HOP }, { HOP, WIFI }, { HOP, WIFI }, 0, 250, 0.3 },
    { "loss-2", 20, { HOP }, { HOP }, { HOP, .loss_ppm = 20000 }, 0, 250, 0.5 },
    { "loss-5", 20, { HOP }, { HOP }, { HOP, .loss_ppm = 50000 }, 0, 250, 0.5 },
    { "loss-10", 20, { HOP }, { HOP }, { HOP, .loss_ppm = 100000 }, 0, 250, 1 },
    { "loss-20", 20, { HOP }, { HOP }, { HOP, .loss_ppm = 200000 }, 0, 250, 2 },
    { "both-5", 20, { HOP }, { HOP, .loss_ppm = 50000 }, { HOP, .loss_ppm = 50000 }, 0, 250, 0.5 },
    { "both-20", 20, { HOP }, { HOP, .loss_ppm = 200000 }, { HOP, .loss_ppm = 200000 }, 0, 250, 2 },
    { "mobile", 20, { HOP }, { HOP, MOBILE }, { HOP, MOBILE }, 0, 250, 0.5 },
    { "line", 20, { HOP }, { LINE }, { LINE }, PARLEY_ALONE, 120, 0 },
    { "line-file", 20, { HOP }, { LINE }, { LINE }, PARLEY_FILE, 150, 0.5 },
    { "line-others", 20, { HOP }, { LINE }, { LINE }, PARLEY_OTHERS, 250, 2 },
    { "line-cubic", 20, { HOP }, { LINE }, { LINE }, PARLEY_CUBIC, 300, 2 },
};

static void worse(struct parley *worst, const struct parley *p)
{
    worst->mean_us = p->mean_us > worst->mean_us ? p->mean_us : worst->mean_us;
    worst->p99_us = p->p99_us > worst->p99_us ? p->p99_us : worst->p99_us;
    worst->most_us = p->most_us > worst->most_us ? p->most_us : worst->most_us;
    worst->concealed = p->concealed > worst->concealed ? p->concealed : worst->concealed;
    worst->frames += p->frames;
    worst->recovered += p->recovered;
    worst->stretched += p->stretched;
    worst->sent_twice = p->sent_twice > worst->sent_twice ? p->sent_twice : worst->sent_twice;
    worst->other_mbit = p->other_mbit;
    worst->held_us = p->held_us;
}

static bool run(const struct course *c)
{
    struct parley worst = { 0 }, p;
    bool ok = true;

    for (uint64_t seed = 1; seed <= (tier_share() < 50 ? 1 : 3); seed++) {
        const struct parley_wish w = { .first = c->first,
                                       .up = c->up,
                                       .down = c->down,
                                       .frame_ms = c->frame_ms,
                                       .after_us = 10 * SECOND,
                                       .for_us = 120 * SECOND,
                                       .beside = c->beside,
                                       .seed = seed };
        ok = parley_hold(&w, &p) && ok;
        worse(&worst, &p);
    }
    ok = ok && (double)worst.mean_us <= c->most_ms * MS && worst.concealed <= c->most_concealed;
    printf("%s parley %s: %.1f ms (99 %%: %.1f, most %.1f; at most %.0f), %.2f %% made up (at most "
           "%.1f), held %.0f ms; %.0f %% stretched, %.2f sent more than once",
           ok ? "ok" : "FAIL", c->name, (double)worst.mean_us / MS, (double)worst.p99_us / MS,
           (double)worst.most_us / MS, c->most_ms, worst.concealed, c->most_concealed,
           (double)worst.held_us / MS, 100.0 * (double)worst.stretched / (double)(worst.frames + 1),
           worst.sent_twice);
    if (c->beside)
        printf("; %.1f Mbit/s beside", worst.other_mbit);
    printf("\n");
    return ok;
}

int main(int argc, char **argv)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof courses / sizeof *courses; i++)
        if (argc < 2 || strstr(courses[i].name, argv[1]))
            failed += !run(&courses[i]);
    return failed != 0;
}
