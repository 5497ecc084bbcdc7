/* http.h - the few words that a browser gets: how to join from a terminal.
 *
 * Pure: bytes in, bytes out. One request a connection, its head at most
 * HTTP_HEAD_MAX bytes; a body is not read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"

enum { HTTP_HEAD_MAX = 8192 };

/* 0: the head is not complete yet. 1: *ret is the whole answer, to be sent before
 * closing. -ROOST_NOMEM. Above HTTP_HEAD_MAX bytes it always answers. */
int http_answer(const uint8_t *in, size_t len, struct blob **ret);
