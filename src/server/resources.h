/* resources.h - what the system lets us have: open files, and memory that goes back. */
#pragma once

#include <stdint.h>

/* Raises the limit of open files for so many connections and so many files
 * beside them. Returns for how many connections there is room; says in the log
 * what to do when that is fewer. */
uint32_t resources_files(uint32_t conns, uint32_t beside);

/* Before the first thread: sets up the allocator so that an idle server is small. */
void resources_memory(void);

/* Gives back what only the start, or a rush of logins, needed: free memory of the
 * allocator, and the pages of programs and libraries that nothing uses now (they
 * are read again from the page cache when something does). Any thread. */
void resources_trim(void);
