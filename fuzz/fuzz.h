/* fuzz.h - one target: bytes in, nothing may break.
 *
 * With -Dfuzz=true (clang) libFuzzer calls it; otherwise replay.c runs the
 * stored corpus through it, in the quick tier.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
