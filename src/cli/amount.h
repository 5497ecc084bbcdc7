/* amount.h - bytes, rates and spans of time, as people read and write them. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/buf.h"

/* "4.2 MB": powers of 1,000, at most three figures or one behind the point. */
void amount_bytes(struct buf *b, double bytes);
/* "0:42", "12:05", "3:07:09"; past 99 hours "4 days". */
void amount_span(struct buf *b, int64_t seconds);

/* A rate, in bits a second: "5M" (bits, as in --link), "600KB" or "600kB" (bytes). False: it is
 * none, or 0. */
bool amount_rate(const char *s, uint64_t *ret_bits);
/* A size in bytes: "500", "20M", "1.5G". */
bool amount_size(const char *s, uint64_t *ret_bytes);
