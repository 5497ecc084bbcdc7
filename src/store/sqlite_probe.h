/* sqlite_probe.h - can the database be written to, now? */
#pragma once

#include "store/store.h"

/* Writes what stands there already, in a transaction of its own with its sync: 0,
 * -ROOST_FULL, -ROOST_NOT_STORED or what a batch would end with now. Not within a batch;
 * on the store's thread. s is one of sqlite_store_open. */
int sqlite_store_probe(struct store *s);
