/* hold.h - decides whether output may wait a moment for company.
 *
 * A write costs a system call and a TLS record, some 5 us of the 7 that a line
 * costs each receiver. Under load, while the next lines are being stored already,
 * what goes to the same receivers is held for them, 2 ms at most, and leaves
 * together. Nothing waits for lines that nobody has said yet: at 20,000 deliveries
 * a second to 100 members that saved 5 % of the processor and made each 2 ms later.
 * Plain arithmetic; times in microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    HOLD_US = 2000,
    HOLD_WINDOW_US = 100000,
    HOLD_SENDS = 1500, /* in a window: below, 5 us each are not worth 2 ms to anybody */
    HOLD_TURNS = 10,   /* in a window: below, waiting would rarely meet company */
    /* Bytes for each receiver: half a record, more would gain nothing. */
    HOLD_PLENTY = 8192,
};

struct hold {
    int64_t window_us; /* when the window began */
    uint32_t sends, turns;
    bool on;
    int64_t since_us; /* the oldest output that waits; 0: none */
    uint64_t waiting; /* bytes that wait */
};

/* In this turn of the loop so many (> 0) things were queued, and so many bytes. */
void hold_on_output(struct hold *h, int64_t now_us, uint32_t sends, uint64_t bytes);
/* When what waits is to be written, now that so many receivers have some. coming:
 * lines are being stored, and may join within a commit's time. */
int64_t hold_until(const struct hold *h, int64_t now_us, uint32_t receivers, bool coming);
/* It was. */
void hold_on_written(struct hold *h);
