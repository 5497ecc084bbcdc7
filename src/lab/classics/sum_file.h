/* sum_file.h - the SHA-256 of a file from its beginning to its end, piece by piece. */
#pragma once

#include <stdint.h>

/* 0; -ROOST_IO, -ROOST_NOMEM. Where the file is read next does not change. */
int sum_file(int fd, uint8_t ret[static 32]);
