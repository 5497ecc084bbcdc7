/* filed.h - a file that is offered or kept, in words and as JSON. Pure. */
#pragma once

#include "cli/buf.h"
#include "cli/json.h"
#include "roost.h"

/* Appends "notes.pdf, 4.2 MB" or "photos, 12 files, 40 MB", cleaned (text.h). */
void filed_what(struct buf *b, const struct roost_file *f);
/* All about it, as members of an object that is open. */
void filed_json(struct json *j, const struct roost_file *f);
const char *filed_stage(enum roost_file_stage stage); /* "paused" */
const char *filed_way(enum roost_file_way way);       /* "direct"; "" */
