/* notify.h - tells the service manager how it goes (sd_notify's protocol). */
#pragma once

/* "READY=1"; without NOTIFY_SOCKET in the environment it does nothing. */
void notify(const char *state);
