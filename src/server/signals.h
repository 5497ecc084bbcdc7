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
/* Between these two a server begins to listen: what came before is sent again, what
 * comes meanwhile waits, so that each is heard once. */
void signals_hold(void);
void signals_repeat(void);
