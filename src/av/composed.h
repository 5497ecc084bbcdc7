/* composed.h - a file of sound that is written: WAV, Opus in Ogg, Opus in WebM, by its name. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct composed;

/* -ROOST_INVALID: no such name; -ROOST_ALREADY, -ROOST_IO, -ROOST_FULL, -ROOST_NOMEM. */
int composed_new(struct composed **ret, const char *path);
int composed_write(struct composed *c, const int16_t *pcm, uint32_t n);
/* Frees it; keep: else the file is taken away. */
int composed_end(struct composed *c, bool keep);
