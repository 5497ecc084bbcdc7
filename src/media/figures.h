/* figures.h - what is measured of a stream, and why it changed last: in numbers and a sentence.
 *
 * Jitter is the mean absolute difference of successive one-way delays over 10 s; the two clocks
 * need not agree. Rates are over the last whole seconds. Loss before repair is what was missing
 * when later parts came, after repair what never came. The reason is that of the last change worth
 * telling.
 *
 * Plain data. Pure; microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIGURES_SECONDS = 10, FIGURES_SENTENCE = 160 };

enum figures_why {
    FIGURES_STEADY,
    FIGURES_LOSS,    /* the path loses; value: permille */
    FIGURES_DELAY,   /* frames come unevenly; value: ms held */
    FIGURES_NARROW,  /* the path carries less; value: kbit/s */
    FIGURES_WIDE,    /* more; value: kbit/s */
    FIGURES_OUTAGE,  /* nothing came; value: ms */
    FIGURES_MOVED,   /* on another path; value: 0 UDP, 1 the tunnel */
    FIGURES_MACHINE, /* this machine is too slow; value: permille of packets dropped by our own
                        socket */
    FIGURES_WHY_MAX
};

struct figures_second {
    uint64_t bytes, lost, repaired, received;
    uint64_t jitter_sum_us;
    uint32_t jitter_n;
};

struct figures {
    struct figures_second
        seconds[FIGURES_SECONDS + 1]; /* a ring: the one that runs, and whole ones */
    uint32_t n;                       /* whole ones so far */
    int64_t second_us;
    int64_t delay_us; /* of the last packet */
    int64_t heard_us;
    int64_t rtt_us;
    enum figures_why why;
    uint32_t why_value;
    int64_t why_us;
    uint32_t told[FIGURES_WHY_MAX]; /* the value that was told last, of each */
    bool sent; /* of what we send: what was lost, and asked for, was counted when it left */
};

struct figures_view {
    int64_t rtt_us, jitter_us;
    uint64_t bits; /* a second */
    uint32_t loss_ppm, loss_after_ppm;
    enum figures_why why;
    uint32_t why_value;
};

void figures_init(struct figures *f, int64_t now_us);
/* A packet or part came first now. */
void figures_on_packet(struct figures *f, int64_t now_us, int64_t sent_us, uint32_t bytes);
/* That many more were missing; that many of them came after all. */
void figures_on_loss(struct figures *f, int64_t now_us, uint32_t lost, uint32_t repaired);
void figures_on_rtt(struct figures *f, int64_t rtt_us);
/* Something changed: it becomes the reason if it is worth telling (by a quarter, and 20 permille of
 * loss, 20 ms of delay). */
void figures_on_why(struct figures *f, int64_t now_us, enum figures_why why, uint32_t value);
void figures_look(struct figures *f, int64_t now_us, struct figures_view *ret);
/* "5.2 % of the packets are lost on the way; ..." */
void figures_sentence(enum figures_why why, uint32_t value, char *ret, size_t cap);
