#include "sim/course.h"

#include "wire/dgram.h"

/* Somebody else's transfer beside an enemy who has the keys of his own session: at least nine
 * tenths of what it has beside an honest one. */
#define MBIT  1000000ULL
#define MB    1000000ULL
#define WATCH (20 * ROAD_SECOND)

static struct road road;
static const struct link_config plain = { .rate_bps = 20 * MBIT,
                                          .delay_us = 20000,
                                          .queue_bytes = 200000 };

/* What the first lane got in 20 s, in Mbit/s. */
static double first_of(const struct road_lane *first, const struct road_lane *second,
                       struct flow_view *ret)
{
    road_init(&road, &plain, &plain, 1);
    struct road_lane *l = road_add(&road, first);
    struct road_lane *other = second ? road_add(&road, second) : NULL;
    road_run(&road, WATCH);
    if (other && other->end[0])
        flow_look(other->end[0], ret);
    return (double)l->got * 8 / (double)WATCH;
}

static const struct road_lane honest = { .bytes = ROAD_ENDLESS, .receives = true };

static double beside_an_honest_one(void)
{
    struct flow_view v;
    double mbit = first_of(&honest, &honest, &v);

    road_fini(&road);
    return mbit;
}

/* --- who receives ---------------------------------------------------------------------------- */

/* An acknowledgement, if one is due. */
static bool hears(struct road_foe *e, struct ack *ret)
{
    e->due_us = e->heard.due_us;
    if (e->due_us > e->now_us || !seen_ack(&e->heard, e->now_us, 0, ret))
        return false;
    seen_on_ack_sent(&e->heard);
    return true;
}

/* All came, and so did what is on its way: so it is sent more than the path carries. */
static bool says_it_came(struct road_foe *e, struct writer *w)
{
    struct ack a;

    if (!hears(e, &a))
        return false;
    a.ranges[0].last += 20;
    a.ranges[0].first = 0;
    a.n_ranges = 1;
    a.n_times = 0;
    return dgram_write_ack(w, &a);
}

static void false_acknowledgements(void)
{
    struct road_foe foe = { .end = 1, .say = says_it_came };
    struct road_lane enemy = { .bytes = ROAD_ENDLESS, .receives = true, .foe = &foe };
    struct flow_view v;
    double fair = beside_an_honest_one(), mbit = first_of(&honest, &enemy, &v);

    verdict(mbit >= 0.9 * fair && course_is_sound(&road) && road.lanes[1].closed == FLOW_BROKEN &&
                v.sent->stats.packets < 1000,
            "beside false acknowledgements",
            "%.2f Mbit/s, %.2f beside an honest one; found after %llu packets", mbit, fair,
            (unsigned long long)v.sent->stats.packets);
    road_fini(&road);
}

/* Honest acknowledgements, and limits that go up, or nothing would be sent, and down again. */
static bool says_less(struct road_foe *e, struct writer *w)
{
    struct dgram d = { .kind = DGRAM_MAX_DATA };
    struct ack a;

    if (!hears(e, &a) || !dgram_write_ack(w, &a))
        return false;
    d.max.value = e->said % 2 ? 100 * MB : e->said;
    dgram_write(w, &d);
    d.kind = DGRAM_MAX_STREAM;
    d.max.id = 1;
    return dgram_write(w, &d);
}

static void windows_that_shrink(void)
{
    struct road_foe foe = { .end = 1, .say = says_less };
    struct road_lane enemy = { .bytes = ROAD_ENDLESS, .receives = true, .foe = &foe };
    struct flow_view v;
    double fair = beside_an_honest_one(), mbit = first_of(&honest, &enemy, &v);

    verdict(mbit >= 0.9 * fair && course_is_sound(&road) && !road.lanes[1].closed &&
                v.sent->stats.bytes > 10 * MB,
            "beside windows that shrink",
            "%.2f Mbit/s, %.2f beside an honest one; shrunk %llu times", mbit, fair,
            (unsigned long long)foe.said / 2);
    road_fini(&road);
}

/* --- who sends -------------------------------------------------------------------------------- */

enum { STREAMS_EACH = 100, STREAMS_EACH_US = 2000 };
static uint64_t opened;

/* A hundred more, 500 times a second, whatever the other side says: a million in the end. */
static bool opens_streams(struct road_foe *e, struct writer *w)
{
    struct dgram d = { .kind = DGRAM_STREAM };

    if (e->due_us > e->now_us)
        return false;
    e->due_us = e->now_us + STREAMS_EACH_US;
    for (int i = 0; i < STREAMS_EACH; i++, opened++) {
        d.stream =
            (struct dgram_stream){ .id = 2 * opened, .bytes = (const uint8_t *)"x", .len = 1 };
        if (!dgram_write(w, &d))
            break;
    }
    return true;
}

static void a_million_streams(void)
{
    const struct road_lane sender = { .bytes = ROAD_ENDLESS };
    struct road_foe foe = { .end = 0, .say = opens_streams };
    struct road_lane enemy = { .bytes = ROAD_ENDLESS, .foe = &foe };
    struct flow_view v;

    opened = 0;
    double alone = first_of(&sender, NULL, &v);
    road_fini(&road);
    double mbit = first_of(&sender, &enemy, &v);
    double theirs = (double)foe.said_bytes * 8 / (double)WATCH;
    verdict(mbit >= 0.9 * (alone - theirs) && course_is_sound(&road) && opened >= 900000 &&
                road.lanes[1].closed == FLOW_LIMITS,
            "beside a million streams", "%.2f Mbit/s, %.2f alone, of which %llu streams take %.2f",
            mbit, alone, (unsigned long long)opened, theirs);
    road_fini(&road);
}

/* Somebody on the way sends again what passed, from another address: it changes nothing at all. */
static void replays(void)
{
    struct road_lane lane = { .bytes = 15 * MB, .port = 1 };
    struct flow_view v;
    int64_t done_us[2];
    uint64_t again = 0;
    bool sound = true;

    for (int i = 0; i < 2; i++) {
        lane.replayed = i;
        road_init(&road, &plain, &plain, 1);
        const struct road_lane *l = road_add(&road, &lane);
        road_run(&road, 600 * ROAD_SECOND);
        flow_look(l->end[1], &v);
        done_us[i] = l->done_us;
        again = v.bad_in;
        sound = sound && course_is_sound(&road) && v.paths->proven == 1 && !v.paths->n_tried;
        road_fini(&road);
    }
    verdict(sound && done_us[0] && done_us[0] == done_us[1] && again > 15000, "beside replays",
            "15 MB take %.3f s, %.3f without; %llu came again", (double)done_us[1] / 1e6,
            (double)done_us[0] / 1e6, (unsigned long long)again);
}

void course_enemies(void)
{
    if (course_wants("beside false acknowledgements"))
        false_acknowledgements();
    if (course_wants("beside windows that shrink"))
        windows_that_shrink();
    if (course_wants("beside a million streams"))
        a_million_streams();
    if (course_wants("beside replays"))
        replays();
}
