/* lines.h - standard input, line by line, where there is no terminal: what drives
 * programs and tests. Bounded: no more is read while lines wait.
 */
#pragma once

#include <stdbool.h>

#include "cli/buf.h"

struct lines {
    struct buf input; /* read and not yet taken */
    bool over, skips; /* skips: the rest of a line that was too long */
};

void lines_fini(struct lines *l);
void lines_read(struct lines *l);       /* more of it, when it can be read */
bool lines_want(const struct lines *l); /* may more be read? */
/* The next line; NULL: none yet. A line too long to be held is cut, and so refused as
 * too long; its rest is passed over. The caller frees it. */
char *lines_next(struct lines *l);
bool lines_over(const struct lines *l); /* all were taken, and no more come */
