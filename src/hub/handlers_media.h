/* handlers_media.h - the handlers of media in meetings, for the table in rules.c. */
#pragma once

#include "hub/internal.h"

int media_on_message(struct hub *h, struct request *q);
