/* record.h - a meeting's voices in one WebM file: a track of Opus for each person.
 *
 * Whoever is heard first later gets a track later; the file is whole at every moment, so what was
 * written before a kill -9 plays (media/webm.h). Opus goes in as it came; PCM is made Opus of. A
 * track that cannot be written is said at once (record_next_news), and in the file.
 *
 * Writes at once, with plain write calls; the caller's thread waits for the disk's cache only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/media.h"

enum { RECORD_NAME = 128, RECORD_PEOPLE_MAX = 1024 };
/* Behind the name of a track of which something is missing; then why. */
#define RECORD_MARK " (incomplete: "
/* So long nothing may be missing, until somebody counts as recorded again. */
#define RECORD_AGAIN_US 3000000

struct record;

enum record_what {
    RECORD_BEGUN,   /* a person has a track now */
    RECORD_MISSING, /* a person is not recorded; err: why */
    RECORD_AGAIN,   /* is recorded again */
    RECORD_STOPPED, /* nobody is: the disk; err */
};
struct record_news {
    enum record_what what;
    uint32_t who;
    char name[RECORD_NAME];
    int err;
};

/* Makes the file, which must not be there (-ROOST_ALREADY). wall_us: the date, since 1970. */
int record_new(struct record **ret, const char *path, int64_t now_us, int64_t wall_us,
               const char *title);
/* Under which name; again: it changed. A track is made when somebody is heard first. */
int record_person(struct record *r, uint32_t who, const char *name);
/* A frame that is heard at heard_us (of ear_played, or one's own). 0; -ROOST_LIMIT: there is no
 * track for them; -ROOST_MALFORMED: it is no frame; -ROOST_FULL, -ROOST_IO: nothing is recorded any
 * more. What is to be said of it is news. */
int record_frame(struct record *r, int64_t heard_us, uint32_t who, enum media_codec codec,
                 const uint8_t *bytes, size_t len);
/* A frame of theirs came that cannot be recorded: not opened, not understood. The third in a second
 * is news, and is written into the name of the track. */
void record_on_missed(struct record *r, int64_t now_us, uint32_t who, int err);
/* False: no more. */
bool record_next_news(struct record *r, struct record_news *ret);
/* Writes the end (how long it is, where to seek to) and closes. 0 or the first error there was. */
int record_end(struct record *r, int64_t now_us);
