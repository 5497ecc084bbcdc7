/* compose.h - one sound out of a recording's tracks.
 *
 * Reads what record.h wrote, cut off or not, and mixes all tracks at their times into one file:
 * .wav, .opus (Ogg) or .webm, by its name. Takes the memory of a few seconds, however long the
 * recording is. Blocks: for programs of their own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "av/record.h"

enum { COMPOSE_TRACKS_MAX = 256 };
#define COMPOSE_MOST_US (7 * 86400 * 1000000LL)

struct compose_track {
    char name[RECORD_NAME];     /* with what the recording said of it, if it is not whole */
    int64_t first_us, heard_us; /* from the beginning; how much of it is sound */
    uint64_t frames, bad;       /* bad: not to be decoded; made up for */
    bool empty, partly;         /* no sound at all; the recording says that some is missing */
};
struct compose_report {
    struct compose_track tracks[COMPOSE_TRACKS_MAX];
    uint32_t n;
    int64_t us;
    bool cut; /* the recording ends in the middle */
};

/* 0; -ROOST_NO_SUCH_FILE, -ROOST_MALFORMED (no recording), -ROOST_INVALID (the name of `to`),
 * -ROOST_ALREADY (it is there), -ROOST_IO, -ROOST_FULL. *ret is filled as far as it was read. */
int compose(const char *from, const char *to, struct compose_report *ret);
