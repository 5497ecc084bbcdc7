/* local.h - a bus inside one process: a bounded queue in memory.
 *
 * What is published for a shard that nobody subscribed to is dropped, and so is
 * what waits for one that was left meanwhile. At most BUS_QUEUE_MAX messages
 * wait; publishing past that is -ROOST_LIMIT. Not thread-safe: it belongs to
 * the loop of its hub.
 */
#pragma once

#include "bus/bus.h"

enum { BUS_QUEUE_MAX = 65536 };

struct bus *bus_local_new(void); /* NULL when out of memory; bus->ops->free frees it */
