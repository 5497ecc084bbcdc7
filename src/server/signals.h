/* signals.h - no signal is lost between two servers in one process.
 *
 * Each server listens on a loop of its own, and nobody does while one is closed and the
 * next is opened. Here another loop listens all the time, and is looked at then.
 */
#pragma once

/* Once, before the first server. 0 or -ROOST_NOMEM. */
int signals_listen(void);
/* What came until now was heard by the server that runs. */
void signals_forget(void);
/* What came since then is sent again: the server that runs now hears it. */
void signals_repeat(void);
