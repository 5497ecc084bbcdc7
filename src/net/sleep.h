/* sleep.h - waiting for sockets, or until a moment, in nanoseconds.
 *
 * epoll_pwait2; where the kernel lacks it, a timerfd beside the sockets. The slack that the
 * kernel allows itself for this thread's timers (50 us) is set to the least. What is waited
 * for is told by the number that it was added with. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SLEEP_READ = 1, SLEEP_WRITE = 2, SLEEP_AT_ONCE = 64 };

struct sleep {
    int epoll, timer; /* timer -1: epoll_pwait2 works */
};

struct sleep_ready {
    uint64_t id;
    unsigned what; /* SLEEP_READ, SLEEP_WRITE; both when it is broken or at its end */
};

/* The steady clock of all deadlines. */
int64_t sleep_now_us(void);

/* 0 or -ROOST_IO. plain: without epoll_pwait2, for tests. What 0: nothing wakes up for it now,
 * not even when it breaks; -ROOST_IO also for what cannot be slept for, as a regular file. */
int sleep_init(struct sleep *s, bool plain);
/* The least slack for the timers of this thread: sleep_init does it for its own. */
void sleep_sharpen(void);
void sleep_fini(struct sleep *s);
int sleep_add(struct sleep *s, int fd, unsigned what, uint64_t id);
int sleep_set(struct sleep *s, int fd, unsigned what, uint64_t id);
int sleep_remove(struct sleep *s, int fd);
/* Ctrl+C, TERM and HUP wake it up instead of ending the program. Returns what to close in the
 * end, or -ROOST_IO; sleep_signalled takes what came. */
int sleep_add_signals(struct sleep *s, uint64_t id);
bool sleep_signalled(int signals);
/* Until then, whatever comes meanwhile: for who would rather be woken seldom. */
void sleep_nap(int64_t until_us);
int64_t sleep_day_us(void); /* the time of the day */
/* How many of `ret` are ready; 0: it is until_us (INT64_MAX: never by itself), or a signal
 * came. A moment that has passed only looks. -ROOST_IO. */
int sleep_until(struct sleep *s, int64_t until_us, struct sleep_ready ret[static SLEEP_AT_ONCE]);
