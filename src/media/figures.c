#include "media/figures.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US 1000000

void figures_init(struct figures *f, int64_t now_us)
{
    *f = (struct figures){ .second_us = now_us, .heard_us = now_us };
}

static struct figures_second *running(struct figures *f)
{
    return &f->seconds[f->n % (FIGURES_SECONDS + 1)];
}

static void go_on(struct figures *f, int64_t now_us)
{
    if (now_us - f->second_us > 2 * FIGURES_SECONDS * SECOND_US) /* nothing is left of before */
        f->second_us = now_us - FIGURES_SECONDS * SECOND_US;
    while (now_us - f->second_us >= SECOND_US) {
        f->second_us += SECOND_US;
        f->n++;
        *running(f) = (struct figures_second){ 0 };
    }
}

void figures_on_packet(struct figures *f, int64_t now_us, int64_t sent_us, uint32_t bytes)
{
    int64_t delay_us = now_us - sent_us;
    bool first = !f->n && !running(f)->received;

    go_on(f, now_us);
    struct figures_second *s = running(f);
    s->received++;
    s->bytes += bytes;
    if (!first) {
        s->jitter_sum_us += (uint64_t)llabs(delay_us - f->delay_us);
        s->jitter_n++;
    }
    f->delay_us = delay_us;
    f->heard_us = now_us;
}

void figures_on_loss(struct figures *f, int64_t now_us, uint32_t lost, uint32_t repaired)
{
    go_on(f, now_us);
    running(f)->lost += lost;
    running(f)->repaired += repaired;
}

void figures_on_rtt(struct figures *f, int64_t rtt_us)
{
    f->rtt_us = rtt_us;
}

static bool is_worth_telling(const struct figures *f, enum figures_why why, uint32_t value)
{
    static const uint32_t least[FIGURES_WHY_MAX] = { [FIGURES_LOSS] = 20, [FIGURES_DELAY] = 20 };
    uint32_t before = f->told[why], apart = value > before ? value - before : before - value;

    if (!least[why]) /* something that happened */
        return f->why != why || apart * 4 > before;
    return apart >= least[why] && apart * 4 >= before; /* else two would take turns */
}

void figures_on_why(struct figures *f, int64_t now_us, enum figures_why why, uint32_t value)
{
    if (!is_worth_telling(f, why, value))
        return;
    f->why = why;
    f->why_value = f->told[why] = value;
    f->why_us = now_us;
}

static uint32_t ppm(uint64_t part, uint64_t whole)
{
    return whole ? (uint32_t)(part * 1000000 / whole) : 0;
}

/* Of whole seconds, or of what there is while there is none. */
void figures_look(struct figures *f, int64_t now_us, struct figures_view *ret)
{
    struct figures_second sum = { 0 };

    go_on(f, now_us);
    uint32_t n = f->n < FIGURES_SECONDS ? f->n : FIGURES_SECONDS;
    for (uint32_t i = n ? 1 : 0; i <= n; i++) {
        const struct figures_second *s = &f->seconds[(f->n - i) % (FIGURES_SECONDS + 1)];
        sum.bytes += s->bytes;
        sum.lost += s->lost;
        sum.repaired += s->repaired;
        sum.received += s->received;
        sum.jitter_sum_us += s->jitter_sum_us;
        sum.jitter_n += s->jitter_n;
    }
    int64_t for_us = n ? n * (int64_t)SECOND_US : now_us - f->second_us + 1;
    uint64_t never = sum.lost > sum.repaired ? sum.lost - sum.repaired : 0;
    uint64_t all = sum.received + (f->sent ? 0 : sum.lost);
    *ret = (struct figures_view){
        .rtt_us = f->rtt_us,
        .jitter_us = sum.jitter_n ? (int64_t)(sum.jitter_sum_us / sum.jitter_n) : 0,
        .bits = sum.bytes * 8 * SECOND_US / (uint64_t)for_us,
        .loss_ppm = ppm(sum.lost, all),
        .loss_after_ppm = ppm(never, all),
        .why = f->why,
        .why_value = f->why_value,
    };
}

void figures_sentence(enum figures_why why, uint32_t value, char *ret, size_t cap)
{
    switch (why) {
    case FIGURES_LOSS:
        snprintf(ret, cap, "%u.%u %% of the packets are lost on the way", value / 10, value % 10);
        break;
    case FIGURES_DELAY:
        snprintf(ret, cap, "packets come unevenly: sound is held for %u ms so that it has no gaps",
                 value);
        break;
    case FIGURES_NARROW:
        snprintf(ret, cap, "the path carries less than before: about %u kbit/s", value);
        break;
    case FIGURES_WIDE:
        snprintf(ret, cap, "the path carries more again: about %u kbit/s", value);
        break;
    case FIGURES_OUTAGE:
        snprintf(ret, cap, "nothing came for %u.%u s", value / 1000, value / 100 % 10);
        break;
    case FIGURES_MOVED:
        snprintf(ret, cap,
                 value ? "UDP does not get through: all goes by a connection of TLS"
                       : "all goes by UDP, on another path than before");
        break;
    case FIGURES_MACHINE:
        snprintf(ret, cap, "this machine is too slow: it dropped %u.%u %% of what came", value / 10,
                 value % 10);
        break;
    case FIGURES_STEADY:
    case FIGURES_WHY_MAX:
        snprintf(ret, cap, "nothing has changed");
        break;
    }
}
