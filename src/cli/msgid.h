/* msgid.h - how a message is named on the command line: "ROOM:SEQ", "12:345". Pure. */
#pragma once

#include <stdint.h>

#include "cli/buf.h"

/* 0 or -ROOST_INVALID; both numbers are above 0. */
int msgid_parse(const char *s, uint64_t *ret_room, uint64_t *ret_seq);
void msgid_put(struct buf *b, uint64_t room, uint64_t seq);
