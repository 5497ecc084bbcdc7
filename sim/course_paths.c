#include "sim/course.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MBIT 1000000ULL
#define MB   1000000ULL

static struct road road;

struct trouble {
    const char *name;
    struct link_config there, back;
    double least;    /* of the link's rate */
    double pull;     /* most that is sent twice beyond what the link itself lost */
    int64_t step_us; /* of the sender's clock */
};

#define PLAIN .rate_bps = 20 * MBIT, .delay_us = 20000, .queue_bytes = 200000

static const struct trouble troubles[] = {
    { "reordering", { PLAIN, .reorder_ppm = 50000, .late_us = 8000 }, { PLAIN }, 0.88, 0.02, 0 },
    { "much reordering",
      { PLAIN, .reorder_ppm = 300000, .late_us = 15000 },
      { PLAIN },
      0.85,
      0.03,
      0 },
    { "duplication",
      { PLAIN, .duplicate_ppm = 100000 },
      { PLAIN, .duplicate_ppm = 100000 },
      0.8,
      0.01,
      0 },
    { "corruption",
      { PLAIN, .corrupt_ppm = 10000 },
      { PLAIN, .corrupt_ppm = 10000 },
      0.87,
      0.005,
      0 },
    { "lost acknowledgements", { PLAIN }, { PLAIN, .loss_ppm = 300000 }, 0.88, 0.01, 0 },
    { "acknowledgements in heaps", { PLAIN }, { PLAIN, .jitter_us = 30000 }, 0.84, 0.01, 0 },
    { "a way back of a fiftieth",
      { .rate_bps = 50 * MBIT, .delay_us = 20000, .queue_bytes = 250000 },
      { .rate_bps = 1 * MBIT, .delay_us = 20000, .queue_bytes = 32000 },
      0.85,
      0.03,
      0 },
    { "CoDel", { PLAIN, .codel_target_us = 5000 }, { PLAIN }, 0.88, 0.02, 0 },
    { "a clock that jumps ahead", { PLAIN }, { PLAIN }, 0.85, 0.05, 3600 * ROAD_SECOND },
    { "a clock that steps back", { PLAIN }, { PLAIN }, 0.85, 0.05, -ROAD_SECOND / 2 },
};

static void run_trouble(const struct trouble *t)
{
    struct road_lane lane = { .bytes = 15 * MB, .step_us = t->step_us };

    road_init(&road, &t->there, &t->back, 3);
    const struct road_lane *l = road_add(&road, &lane);
    road_run(&road, 600 * ROAD_SECOND);
    const struct link_counts *n = &road.link[0].counts;
    double own = (double)(n->lost + n->corrupted) / (double)(n->pushed + 1);
    double rate = road_rate_bps(l), twice = road_twice(l) - own;

    verdict(course_is_sound(&road) && rate >= t->least * (double)t->there.rate_bps &&
                twice <= t->pull,
            t->name, "%.2f Mbit/s of %.0f, %.2f %% sent twice for nothing", rate / 1e6,
            (double)t->there.rate_bps / 1e6, 100 * fmax(twice, 0));
    road_fini(&road);
}

static const struct link_config plain = { PLAIN };

/* Three seconds of nothing and up to one more, as silence is asked into each half second: a round
 * trip after the question that finds the path back it goes on. 2 MB take 0.8 s then, and 0.16 s
 * from the first four packets to the full rate: what the outage lost says nothing of it. */
static void an_outage(void)
{
    struct road_lane lane = { .bytes = 30 * MB };
    int64_t first_us = 0, took_us = 0, all_us = 0;
    bool sound = true;

    for (int64_t more_us = 0; more_us < ROAD_SECOND; more_us += 50000) {
        int64_t at_us = 6 * ROAD_SECOND + more_us, back_us = at_us;
        road_init(&road, &plain, &plain, 1);
        const struct road_lane *l = road_add(&road, &lane);
        road_run(&road, 3 * ROAD_SECOND);
        for (int i = 0; i < 2; i++)
            link_set_down(&road.link[i], true, road.now_us);
        road_run(&road, at_us);
        for (int i = 0; i < 2; i++)
            link_set_down(&road.link[i], false, road.now_us);
        uint64_t before = l->got;
        for (; l->got == before && at_us < 60 * ROAD_SECOND; at_us += 10000)
            road_run(&road, at_us);
        first_us = at_us - back_us > first_us ? at_us - back_us : first_us;
        for (; l->got - before < 2 * MB && at_us < 60 * ROAD_SECOND; at_us += 10000)
            road_run(&road, at_us);
        took_us = at_us - back_us > took_us ? at_us - back_us : took_us;
        road_run(&road, 600 * ROAD_SECOND);
        all_us = l->done_us > all_us ? l->done_us : all_us;
        sound = sound && course_is_sound(&road) && l->done_us;
        road_fini(&road);
    }
    verdict(sound && first_us <= 550000 && took_us <= 1500000, "an outage of 3 to 4 s",
            "goes on after %.2f s at most, 2 MB more after %.2f; 30 MB took %.1f s",
            (double)first_us / 1e6, (double)took_us / 1e6, (double)all_us / 1e6);
}

/* The caller's address changes in the middle of 15 MB (a translator forgot it, a phone left the
 * house), and what is on its way to the old one is lost. */
static void a_path_that_changes_address(bool receives)
{
    struct road_lane lane = { .bytes = 15 * MB, .port = 1, .receives = receives };
    int64_t done_us[2], longest_us = 0;
    struct flow_view v;
    bool sound = true;

    for (int moves = 0; moves < 2; moves++) {
        road_init(&road, &plain, &plain, 1);
        struct road_lane *l = road_add(&road, &lane);
        road_run(&road, 2 * ROAD_SECOND);
        l->port += moves;
        road_run(&road, 600 * ROAD_SECOND);
        done_us[moves] = l->done_us;
        longest_us = l->longest_us;
        flow_look(l->end[receives ? 0 : 1], &v);
        sound = sound && course_is_sound(&road) && l->done_us &&
                v.paths->proven == 1u + (uint32_t)moves;
        road_fini(&road);
    }
    verdict(sound && longest_us <= (receives ? 100000 : 50000) && done_us[1] <= done_us[0] + 100000,
            receives ? "a receiver that changes address" : "a sender that changes address",
            "%.0f ms without a byte; 15 MB took %.2f s instead of %.2f", (double)longest_us / 1e3,
            (double)done_us[1] / 1e6, (double)done_us[0] / 1e6);
}

/* Nothing is left of what streams share: each has its own few holes, and what needs more is refused
 * and comes again. Slow, if the path loses much, but never dead, and never wrong. */
static void no_holes_to_share(void)
{
    static const uint32_t losses_ppm[] = { 20000, 100000, 300000 };
    double mbit[3];
    uint64_t refused[3];
    bool sound = true;

    for (int i = 0; i < 3; i++) {
        struct link_config lossy = { .rate_bps = 50 * MBIT,
                                     .delay_us = 25000,
                                     .loss_ppm = losses_ppm[i],
                                     .queue_bytes = 256000 };
        struct road_lane lane = { .bytes = 5 * MB, .holes_max = 1 };
        struct flow_view v;
        road_init(&road, &lossy, &lossy, 1);
        const struct road_lane *l = road_add(&road, &lane);
        road_run(&road, 600 * ROAD_SECOND);
        flow_look(l->end[1], &v);
        mbit[i] = road_rate_bps(l) / 1e6;
        refused[i] = v.refused_in;
        sound = sound && course_is_sound(&road) && l->done_us;
        road_fini(&road);
    }
    verdict(sound && refused[2], "no holes to share",
            "%.1f, %.1f, %.2f Mbit/s with a loss of 2, 10, 30 %%; %llu, %llu, %llu packets refused",
            mbit[0], mbit[1], mbit[2], (unsigned long long)refused[0],
            (unsigned long long)refused[1], (unsigned long long)refused[2]);
}

static double rate_until(const struct road_lane *l, int64_t from_us, int64_t to_us)
{
    road_run(&road, from_us);
    uint64_t before = l->got;
    road_run(&road, to_us);
    return (double)(l->got - before) * 8 / (double)(to_us - from_us);
}

static void steps_of_rate(void)
{
    struct link_config c = { .rate_bps = 50 * MBIT, .delay_us = 20000, .queue_bytes = 250000 };
    struct road_lane lane = { .bytes = ROAD_ENDLESS };

    road_init(&road, &c, &c, 1);
    const struct road_lane *l = road_add(&road, &lane);
    double fast = rate_until(l, 2 * ROAD_SECOND, 5 * ROAD_SECOND);
    c.rate_bps = 5 * MBIT;
    link_set(&road.link[0], &c);
    double slow = rate_until(l, 7 * ROAD_SECOND, 15 * ROAD_SECOND);
    uint64_t queue = link_backlog_bytes(&road.link[0], road.now_us);
    c.rate_bps = 50 * MBIT;
    link_set(&road.link[0], &c);
    double again = rate_until(l, 20 * ROAD_SECOND, 25 * ROAD_SECOND);
    verdict(course_is_sound(&road) && fast > 45 && slow > 4.4 && again > 43 && queue < 60000,
            "a rate of 50, 5, 50", "%.1f, %.2f, %.1f Mbit/s; a queue of %llu bytes at 5", fast,
            slow, again, (unsigned long long)queue);
    road_fini(&road);
}

void course_paths(void)
{
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
        if (course_wants(troubles[i].name))
            run_trouble(&troubles[i]);
    if (course_wants("outage"))
        an_outage();
    if (course_wants("changes address")) {
        a_path_that_changes_address(false);
        a_path_that_changes_address(true);
    }
    if (course_wants("no holes to share"))
        no_holes_to_share();
    if (course_wants("rate"))
        steps_of_rate();
}
