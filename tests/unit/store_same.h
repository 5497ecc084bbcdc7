/* store_same.h - are two results the same? Every field, so that the stores can be
 * held against each other. */
#pragma once

#include <stdbool.h>

#include "store/store.h"

/* Prints the first field that differs. */
bool store_same(const struct store_result *a, const struct store_result *b);
