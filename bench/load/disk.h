/* disk.h - the time of a write of 64 to 4,096 bytes and an fdatasync.
 *
 * What a server that stores before it acknowledges cannot go below; measured
 * beside it, in the directory that the server uses.
 */
#pragma once

#include "histogram.h"

/* The file has no name and is gone afterwards. */
void disk_measure(const char *dir, double seconds, struct histogram *h);
