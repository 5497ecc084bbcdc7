/* notify.h - tells the service manager how it goes (sd_notify's protocol). */
#pragma once

#include <stdint.h>

/* "READY=1"; without NOTIFY_SOCKET in the environment it does nothing. */
void notify(const char *state);
/* How often "WATCHDOG=1" is to be said: half of what the manager allows; 0: not at all. */
uint64_t notify_watchdog_ms(void);
