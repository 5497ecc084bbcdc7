/* turns.h - how long a turn on a processor the calling thread asks for.
 *
 * Who talks waits for the loop and the store, which work for moments and sleep. A thread
 * that asks for short turns has the processor sooner when it wakes up, and no more of it:
 * the shares stay equal. Linux since 6.12 heeds it; before, nothing changes.
 */
#pragma once

void turns_short(void); /* of the calling thread, and of those that it starts */

/* For what computes and can wait: it takes the processor from nobody, and has a tenth of what
 * others have when they want all of it. As far as the system lets it. Not less: who is idle by
 * policy waits for minutes beside others that are never done. */
void turns_last(void); /* of the calling thread, and of those that it starts */
/* The same for the session of the calling process: where sessions share the processors (autogroup),
 * nice counts only within one. */
void turns_session_last(void);
