/* process.h - a microphone's sound made fit to be sent: without what the speaker said, without
 * noise, as loud as others.
 *
 * Told what is heard when (what was written to sound_out, at sound_out_heard_us), and given what
 * was recorded when, in blocks of 10 ms. The times find what belongs together; the rest of the way,
 * the room's, it finds by itself, up to PROCESS_DELAY_US. One thread; after _new nothing takes
 * memory of ours.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { PROCESS_BLOCK = 480 };
#define PROCESS_DELAY_US 200000

struct process;
struct process_wish {
    bool echo, noise, gain;
};

int process_new(struct process **ret, const struct process_wish *wish); /* -ROOST_NOMEM */
void process_free(struct process *p);
void process_on_heard(struct process *p, const int16_t far[static PROCESS_BLOCK], int64_t heard_us);
/* In place. */
void process_said(struct process *p, int16_t near[static PROCESS_BLOCK], int64_t said_us);
