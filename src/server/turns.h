/* turns.h - how long a turn on a processor the calling thread asks for.
 *
 * Who talks waits for the loop and the store, which work for moments and sleep. A thread
 * that asks for short turns has the processor sooner when it wakes up, and no more of it:
 * the shares stay equal. Linux since 6.12 heeds it; before, nothing changes.
 */
#pragma once

void turns_short(void); /* of the calling thread, and of those that it starts */
