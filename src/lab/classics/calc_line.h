/* calc_line.h - the remote calculator: a line is asked, a line is answered.
 *
 *     7 % 3              1
 *     -7 / 2             -3 remainder -1
 *     7 / 0              error: division by zero has no result
 *     #12 7 % 3          #12 1
 *
 * Over UDP a line is a datagram, so answers may be lost or come twice: who wants to know which
 * question an answer is for puts a mark before it, and the answer has the same. Asking again is
 * no harm, since 7 % 3 stays what it is. The evaluator is base/calc.h, as in `roost calc`. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/calc.h"

enum {
    CALC_MARK_MAX = 12,                       /* "#" and digits */
    CALC_LINE_MAX = 2 * CALC_DIGITS_MAX + 64, /* longer ones have too many digits */
    CALC_ANSWER_BYTES = CALC_RESULT_BYTES + CALC_MARK_MAX + 64,
};

/* The answer to a line (without its end, any bytes), a string. */
void calc_line(const uint8_t *line, size_t len, char ret[static CALC_ANSWER_BYTES]);
/* How long the mark at the beginning is, with the space behind; 0: none. */
size_t calc_mark(const uint8_t *line, size_t len);
bool calc_is_error(const char *answer); /* behind its mark */
