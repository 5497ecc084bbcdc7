/* handlers_file.h - the handlers of files and codes, for the table in rules.c. */
#pragma once

#include "hub/internal.h"

int files_off_on_message(struct hub *h, struct request *q);
