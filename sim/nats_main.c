/* nats_main.c - two ends behind random translators, whose network breaks and mends: what is sent
 * arrives, and by the best way there is.
 *
 *     paths [FIRST [COUNT]]       less of it: tier.h; a seed replays by number
 *
 * 220 steps: more is sent, straight packets are lost for a while, the server is, an end
 * moves, a translator forgets. What breaks is mended before 15 s are over, so the ends must never
 * give up. Then all is well for a minute: everything has arrived, and the way is the best that
 * these translators allow.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nats.h"
#include "sim/tier.h"

enum { STEPS = 220 };
#define SECOND 1000000LL

enum happening { DIRECT, LAN, RELAY, BROKEN, SERVERLESS, MOVED, FORGOT, CHANGED, LOSSY, KINDS };
static const char *const words_of[] = { "straight",
                                        "in one network",
                                        "by the relay",
                                        "outages",
                                        "servers away",
                                        "ends that moved",
                                        "translators that forgot",
                                        "ways that changed",
                                        "links that lose" };
static uint64_t lives_with[KINDS], happened[KINDS];

static enum reach_way best_of(const struct nats_settings *s)
{
    enum nat_kind a = s->kind[0], b = s->kind[s->same_nat ? 0 : 1];

    if (s->same_lan)
        return REACH_WAY_LAN;
    if (s->same_nat && a != NAT_NONE && !s->hairpin)
        return REACH_WAY_RELAY;
    if ((a == NAT_SYMMETRIC && b >= NAT_PORT) || (b == NAT_SYMMETRIC && a >= NAT_PORT))
        return REACH_WAY_RELAY;
    return REACH_WAY_DIRECT;
}

static void draw(struct nats_settings *s, struct dice *d)
{
    s->kind[0] = (enum nat_kind)dice_below(d, NAT_KINDS);
    s->kind[1] = (enum nat_kind)dice_below(d, NAT_KINDS);
    s->hairpin = dice_below(d, 2);
    s->same_nat = s->kind[0] != NAT_NONE && dice_below(d, 3) == 0;
    s->same_lan = s->same_nat && dice_below(d, 2);
    s->loss_ppm = dice_below(d, 2) ? 0 : (uint32_t)dice_below(d, 50000);
    s->delay_us = dice_between(d, 2000, 150000);
}

/* A second that something is broken; in all less than what ends a session. */
static void break_something(struct nats *n, struct dice *d, uint64_t *count)
{
    switch (dice_below(d, 4)) {
    case 0:
        n->no_direct = true;
        count[BROKEN]++;
        break;
    case 1:
        n->no_server = true;
        count[SERVERLESS]++;
        break;
    case 2:
        nats_move(n, (int)dice_below(d, 2));
        count[MOVED]++;
        break;
    default:
        nat_forget(&n->nat[dice_below(d, 2)]);
        count[FORGOT]++;
    }
    nats_run(n, n->now_us + dice_between(d, 1, 4) * SECOND);
    n->no_direct = n->no_server = false;
    nats_run(n, n->now_us + 8 * SECOND);
}

static const char *judge(const struct nats *n, const struct nats_settings *s, uint64_t sum)
{
    enum reach_way best = best_of(s);

    for (int i = 0; i < 2; i++) {
        if (n->end[i].lost)
            return "given up";
        if (nats_way(n, i) > best)
            return "not the best way";
        if (n->end[i].found_us - SECOND >= 3 * SECOND)
            return "found too late";
    }
    return n->end[0].read == sum ? NULL : "not all has arrived";
}

static bool live(uint64_t seed)
{
    struct nats_settings s = { .seed = seed };
    struct dice d = { seed };
    struct nats n;
    uint64_t sum = 0, count[KINDS] = { 0 };

    draw(&s, &d);
    if (nats_init(&n, &s))
        return false;
    nats_run(&n, 4 * SECOND);
    for (int step = 0; step < STEPS; step++) {
        uint64_t more = dice_below(&d, 3000);
        nats_send(&n, 1, more);
        sum += more;
        if (dice_below(&d, 40) == 0)
            break_something(&n, &d, count);
        else
            nats_run(&n, n.now_us + (int64_t)dice_below(&d, SECOND / 4));
    }
    n.loss_ppm = 0;
    nats_run(&n, n.now_us + 60 * SECOND);
    const char *wrong = judge(&n, &s, sum);
    count[LAN] = nats_way(&n, 0) == REACH_WAY_LAN;
    count[DIRECT] = nats_way(&n, 0) == REACH_WAY_DIRECT;
    count[RELAY] = nats_way(&n, 0) == REACH_WAY_RELAY;
    count[CHANGED] = n.end[0].changes - 1;
    count[LOSSY] = s.loss_ppm > 0;
    for (int i = 0; i < KINDS; i++) {
        lives_with[i] += count[i] > 0;
        happened[i] += count[i];
    }
    if (wrong)
        printf("seed %llu: %s (translators %d and %d%s%s%s, loss %u ppm, %lld us; ways %d %d; %llu "
               "of %llu bytes)\n",
               (unsigned long long)seed, wrong, s.kind[0], s.kind[1],
               s.same_nat ? ", the same" : "", s.same_lan ? ", one network" : "",
               s.hairpin ? ", hairpin" : "", s.loss_ppm, (long long)s.delay_us, nats_way(&n, 0),
               nats_way(&n, 1), (unsigned long long)n.end[0].read, (unsigned long long)sum);
    nats_fini(&n);
    return !wrong;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1, lives = 0, failed = 0;
    long count = argc > 2 ? atol(argv[2]) : argc > 1 ? 1 : tier_lives(400);
    time_t end = time(NULL) + tier_seconds();

    for (; lives < (uint64_t)count && time(NULL) < end; lives++)
        failed += !live(first + lives);
    for (int i = 0; i < KINDS; i++) {
        printf("%10llu %s, in %llu of %llu lives\n", (unsigned long long)happened[i], words_of[i],
               (unsigned long long)lives_with[i], (unsigned long long)lives);
        failed += lives >= 300 && lives_with[i] * 100 < lives;
    }
    printf("%llu lives of %d steps, %llu failed\n", (unsigned long long)lives, STEPS,
           (unsigned long long)failed);
    return failed > 0;
}
