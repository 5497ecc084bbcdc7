/* test_estimate.c - how much a path carries: over modelled links, in virtual time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "lab/link.h"
#include "media/estimate.h"
#include "test.h"

#define MS 1000LL
enum { PACKET = 1000, SENT_MAX = 65536, OURS = 1, THEIRS = 2 };

struct path {
    struct link link;
    struct estimate e;
    int64_t now_us, next_us, seen_us, back_us, expire_us;
    struct {
        int64_t sent_us, arrived_us, told_us;
    } sent[SENT_MAX]; /* by number, a ring */
    uint64_t n_sent, n_told, n_came;
    uint64_t came_bytes;
    int64_t queue_sum_us, queue_most_us, queue_n;
    /* somebody else: fills the queue as Reno would, or sends at a rate */
    bool reno;
    double window;
    uint64_t flight, theirs_bytes, theirs_lost;
    uint64_t fixed_bps;
    int64_t fixed_us;
    bool held;        /* comes later */
    int64_t clock_us; /* of the other side, ahead of ours */
};

static struct path *path_on(const struct link_config *c, uint64_t seed)
{
    struct path *p = calloc(1, sizeof *p);

    if (!p)
        CHECK(!"memory");
    link_init(&p->link, LINK_DATAGRAMS, c, seed);
    p->now_us = 10000000;
    p->next_us = p->expire_us = p->fixed_us = p->now_us;
    p->back_us = 25 * MS;
    p->clock_us = 123456789;
    p->window = 10;
    estimate_init(&p->e, p->now_us, 300000, 50000, 20000000);
    estimate_on_rtt(&p->e, 50 * MS);
    return p;
}

static void path_free(struct path *p)
{
    link_fini(&p->link);
    free(p);
}

static void push(struct path *p, uint64_t number, uint32_t tag)
{
    uint8_t bytes[PACKET] = { 0 };
    struct blob *b;

    memcpy(bytes, &number, sizeof number);
    b = blob_copy(bytes, sizeof bytes);
    CHECK(b && link_push_tagged(&p->link, p->now_us, b, tag) == 0);
    blob_unref(b);
}

static void send(struct path *p)
{
    uint64_t n = p->n_sent++;

    p->sent[n % SENT_MAX].sent_us = p->now_us;
    p->sent[n % SENT_MAX].arrived_us = 0;
    push(p, n, OURS);
    p->next_us += PACKET * 8 * 1000000LL / (int64_t)p->e.rate;
    if (p->next_us < p->now_us)
        p->next_us = p->now_us;
}

static void others(struct path *p)
{
    while (p->reno && p->flight < (uint64_t)p->window) {
        uint64_t lost = p->link.counts.dropped;
        push(p, 0, THEIRS);
        if (p->link.counts.dropped > lost) { /* it will notice in time */
            p->window = p->window > 4 ? p->window / 2 : 2;
            return;
        }
        p->flight++;
    }
    while (p->fixed_bps && p->now_us >= p->fixed_us) {
        push(p, 0, THEIRS);
        p->fixed_us += PACKET * 8 * 1000000LL / (int64_t)p->fixed_bps;
    }
}

static void arrive(struct path *p)
{
    struct blob *b;
    uint32_t tag;
    uint64_t n;

    if (p->held)
        return;
    while ((b = link_next_tagged(&p->link, p->now_us, &tag))) {
        memcpy(&n, b->bytes, sizeof n);
        blob_unref(b);
        if (tag == THEIRS) {
            p->flight -= p->reno && p->flight;
            p->window += 1 / p->window;
            p->theirs_bytes += PACKET;
            continue;
        }
        int64_t queue = p->now_us - p->sent[n % SENT_MAX].sent_us - p->link.config.delay_us;
        p->sent[n % SENT_MAX].arrived_us = p->now_us;
        p->came_bytes += PACKET;
        p->queue_sum_us += queue;
        p->queue_n++;
        p->queue_most_us = queue > p->queue_most_us ? queue : p->queue_most_us;
        p->n_came = n + 1;
    }
}

/* Acknowledgements take back_us; a packet with a later one acknowledged is lost. */
static void tell(struct path *p)
{
    for (; p->n_told < p->n_came; p->n_told++) {
        uint64_t n = p->n_told;
        if (!p->sent[n % SENT_MAX].arrived_us) {
            estimate_on_lost(&p->e, p->now_us, 1);
            continue;
        }
        if (p->now_us < p->sent[n % SENT_MAX].arrived_us + p->back_us)
            break;
        estimate_on_acked(&p->e, p->now_us, p->sent[n % SENT_MAX].sent_us,
                          p->sent[n % SENT_MAX].arrived_us + p->clock_us, PACKET);
    }
}

static void path_run(struct path *p, int64_t for_us)
{
    for (int64_t until = p->now_us + for_us; p->now_us < until; p->now_us += MS) {
        while (p->now_us >= p->next_us)
            send(p);
        others(p);
        arrive(p);
        tell(p);
        estimate_expire(&p->e, p->now_us);
    }
}

/* From here on is looked at. */
static void begin(struct path *p)
{
    p->came_bytes = p->theirs_bytes = 0;
    p->queue_sum_us = p->queue_most_us = p->queue_n = 0;
}

static uint64_t kbit(uint64_t bytes, int64_t for_us)
{
    return bytes * 8 * 1000 / (uint64_t)for_us;
}

static void say(const char *what, const struct path *p, int64_t for_us)
{
    if (getenv("ROOST_SAY"))
        printf("%s: %llu kbit/s came, queue %lld us (most %lld), rate %llu, theirs %llu\n", what,
               (unsigned long long)kbit(p->came_bytes, for_us),
               (long long)(p->queue_sum_us / (p->queue_n ? p->queue_n : 1)),
               (long long)p->queue_most_us, (unsigned long long)p->e.rate,
               (unsigned long long)kbit(p->theirs_bytes, for_us));
}

static struct link_config line(uint64_t kbits, int64_t delay_us, uint32_t queue)
{
    return (
        struct link_config){ .rate_bps = kbits * 1000, .delay_us = delay_us, .queue_bytes = queue };
}

static void finds_and_holds_a_rate(void)
{
    for (uint64_t kbits = 250; kbits <= 8000; kbits *= 2) {
        struct link_config c = line(kbits, 25 * MS, 256000);
        struct path *p = path_on(&c, kbits);
        path_run(p, 15000 * MS);
        begin(p);
        path_run(p, 60000 * MS);
        say("steady", p, 60000 * MS);
        CHECK(kbit(p->came_bytes, 60000 * MS) > kbits * 75 / 100);
        CHECK(p->queue_sum_us / p->queue_n < 40 * MS && p->queue_most_us < 200 * MS);
        CHECK(p->link.counts.dropped == 0);
        path_free(p);
    }
}

/* 2 Mbit/s, then a quarter of it, then 2 again. */
static void follows_a_step_down_and_up(void)
{
    struct link_config wide = line(2000, 25 * MS, 256000), narrow = line(500, 25 * MS, 256000);
    struct path *p = path_on(&wide, 1);

    path_run(p, 20000 * MS);
    CHECK(p->e.rate > 1500000);
    link_set(&p->link, &narrow);
    path_run(p, 1000 * MS);
    CHECK(p->e.rate < 600000); /* within a second */
    begin(p);
    path_run(p, 4000 * MS);
    say("narrow, first", p, 4000 * MS);
    begin(p);
    path_run(p, 10000 * MS);
    say("narrow", p, 10000 * MS);
    CHECK(kbit(p->came_bytes, 10000 * MS) > 350 && p->queue_sum_us / p->queue_n < 60 * MS);
    link_set(&p->link, &wide);
    path_run(p, 5000 * MS);
    say("wide again", p, 5000 * MS);
    CHECK(p->e.rate > 1600000);
    path_free(p);
}

static void follows_a_ramp(void)
{
    struct link_config c = line(3000, 25 * MS, 256000);
    struct path *p = path_on(&c, 2);
    uint64_t carried = 0;

    path_run(p, 15000 * MS);
    begin(p);
    for (int i = 0; i < 60; i++) { /* to 600 and back in a minute */
        uint64_t kbits = 3000 - 80 * (uint64_t)(i < 30 ? i : 60 - i);
        c = line(kbits, 25 * MS, 256000);
        link_set(&p->link, &c);
        path_run(p, 1000 * MS);
        carried += kbits;
    }
    say("ramp", p, 60000 * MS);
    CHECK(kbit(p->came_bytes, 60000 * MS) > carried / 60 * 65 / 100);
    CHECK(p->queue_sum_us / p->queue_n < 60 * MS && p->queue_most_us < 300 * MS);
    path_free(p);
}

/* Chance is no congestion. */
static void loss_by_chance_costs_what_is_lost(void)
{
    for (uint32_t percent = 2; percent <= 20; percent += 9) {
        struct link_config c = line(2000, 25 * MS, 256000);
        c.loss_ppm = percent * 10000;
        struct path *p = path_on(&c, percent);
        path_run(p, 20000 * MS);
        begin(p);
        path_run(p, 40000 * MS);
        say("chance", p, 40000 * MS);
        CHECK(kbit(p->came_bytes, 40000 * MS) > 2000 * (100 - percent) / 100 * 70 / 100);
        path_free(p);
    }
}

/* A policer has no queue: what is too much is lost. */
static void a_policer_is_noticed(void)
{
    struct link_config c = { .delay_us = 25 * MS, .police_bps = 1000000, .police_bytes = 8000 };
    struct path *p = path_on(&c, 3);

    path_run(p, 20000 * MS);
    begin(p);
    uint64_t sent = p->n_sent;
    path_run(p, 40000 * MS);
    say("policer", p, 40000 * MS);
    CHECK(kbit(p->came_bytes, 40000 * MS) > 650);
    CHECK((p->n_sent - sent) * PACKET < p->came_bytes * 120 / 100);
    path_free(p);
}

/* Everything is held back for a tenth of a second, every second, and then comes at once. */
static void pauses_are_no_congestion(void)
{
    struct link_config c = line(20000, 25 * MS, 1000000);
    struct path *p = path_on(&c, 4);

    p->e.most = 2000000;
    path_run(p, 10000 * MS);
    begin(p);
    for (int i = 0; i < 40; i++) {
        path_run(p, 900 * MS);
        p->held = true;
        path_run(p, 100 * MS);
        p->held = false;
    }
    say("pauses", p, 40000 * MS);
    CHECK(kbit(p->came_bytes, 40000 * MS) > 1500);
    path_free(p);
}

static void a_part_is_taken_by_others(void)
{
    struct link_config c = line(3000, 25 * MS, 256000);
    struct path *p = path_on(&c, 5);

    path_run(p, 15000 * MS);
    p->fixed_bps = 1500000; /* somebody's film */
    p->fixed_us = p->now_us;
    path_run(p, 5000 * MS);
    begin(p);
    path_run(p, 30000 * MS);
    say("a film beside it", p, 30000 * MS);
    CHECK(kbit(p->came_bytes, 30000 * MS) > 1000 && p->queue_sum_us / p->queue_n < 80 * MS);
    p->fixed_bps = 0;
    path_run(p, 8000 * MS);
    CHECK(p->e.rate > 2200000);
    path_free(p);
}

/* Somebody who fills every queue: we do not starve. */
static void a_greedy_one_does_not_take_all(void)
{
    struct link_config c = line(5000, 20 * MS, 64000);
    struct path *p = path_on(&c, 6);

    path_run(p, 10000 * MS);
    p->reno = true;
    path_run(p, 20000 * MS);
    begin(p);
    path_run(p, 60000 * MS);
    say("greedy", p, 60000 * MS);
    CHECK(kbit(p->came_bytes, 60000 * MS) > 700);
    p->reno = false;
    path_run(p, 15000 * MS);
    begin(p);
    path_run(p, 10000 * MS);
    say("alone again", p, 10000 * MS);
    CHECK(kbit(p->came_bytes, 10000 * MS) > 3500);
    CHECK(p->queue_sum_us / p->queue_n < 60 * MS);
    path_free(p);
}

static void little_to_send_says_nothing_of_room(void)
{
    struct estimate e;

    estimate_init(&e, 0, 300000, 50000, 20000000);
    estimate_on_limited(&e, true);
    for (int64_t now = 0; now < 10000 * MS; now += 20 * MS) {
        estimate_on_acked(&e, now, now - 50 * MS, now - 25 * MS, 100);
        estimate_expire(&e, now);
    }
    CHECK(e.rate == 300000 && e.why == ESTIMATE_SAME);
    estimate_on_path(&e, 11000 * MS);
    CHECK(e.rate == 150000 && !e.begun);
}

TEST_MAIN({ "finds_and_holds_a_rate", finds_and_holds_a_rate },
          { "follows_a_step_down_and_up", follows_a_step_down_and_up },
          { "follows_a_ramp", follows_a_ramp },
          { "loss_by_chance_costs_what_is_lost", loss_by_chance_costs_what_is_lost },
          { "a_policer_is_noticed", a_policer_is_noticed },
          { "pauses_are_no_congestion", pauses_are_no_congestion },
          { "a_part_is_taken_by_others", a_part_is_taken_by_others },
          { "a_greedy_one_does_not_take_all", a_greedy_one_does_not_take_all },
          { "little_to_send_says_nothing_of_room", little_to_send_says_nothing_of_room })
