/* calc.h - a calculation with two integers of any sign and up to 1,000 digits.
 *
 *     calc("7 % 3", text, sizeof text)  ->  "1"
 *     calc("-7 / 2", …)                 ->  "-3 remainder -1"
 *
 * Division goes toward zero and the remainder has the sign of the dividend, as
 * in C. Numbers are bounded, so a product has at most 2,000 digits.
 */
#pragma once

#include <stddef.h>

enum { CALC_DIGITS_MAX = 1000, CALC_RESULT_BYTES = 2 * (CALC_DIGITS_MAX + 16) };

/* 0, -ROOST_BAD_NUMBER, -ROOST_NUMBER_TOO_LONG or -ROOST_DIVISION_BY_ZERO. */
int calc(const char *expression, char ret[static CALC_RESULT_BYTES]);
