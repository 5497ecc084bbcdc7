/* track.h - a file of sound, read piece by piece as 48 kHz, one channel.
 *
 * WAV; Opus in Ogg; of WebM the track that is asked for. Reads with blocking calls: what it reads
 * is on a disk. Memory: a buffer and a codec.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct track;

/* -ROOST_NO_SUCH_FILE, -ROOST_MALFORMED: not a kind that is known, or without sound; -ROOST_NOMEM.
 */
int track_open(struct track **ret, const char *path);
void track_free(struct track *t);
/* The next n samples, or fewer: then it ends there, cut off or not. */
uint32_t track_read(struct track *t, int16_t *pcm, uint32_t n);
/* From the beginning again. */
void track_rewind(struct track *t);
