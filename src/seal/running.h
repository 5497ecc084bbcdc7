/* running.h - SHA-256 of what comes in pieces. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct seal_running;

struct seal_running *seal_running_new(void); /* NULL: out of memory */
void seal_running_free(struct seal_running *r);
int seal_running_add(struct seal_running *r, const void *bytes, size_t len);
/* Of everything so far; nothing can be added then. */
int seal_running_end(struct seal_running *r, uint8_t ret[static 32]);
