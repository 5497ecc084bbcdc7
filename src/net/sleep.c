#include "net/sleep.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

#define TIMER_ID UINT64_MAX

int64_t sleep_now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t sleep_day_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int control(struct sleep *s, int op, int fd, unsigned what, uint64_t id)
{
    struct epoll_event e = {
        .events = (what & SLEEP_READ ? EPOLLIN : 0u) | (what & SLEEP_WRITE ? EPOLLOUT : 0u),
        .data.u64 = id,
    };

    return epoll_ctl(s->epoll, op, fd, &e) ? -ROOST_IO : 0;
}

/* The kernel reports what is broken whatever was asked for: so nothing is not asked at all. */
int sleep_add(struct sleep *s, int fd, unsigned what, uint64_t id)
{
    int err = control(s, EPOLL_CTL_ADD, fd, what, id);

    return err || what ? err : control(s, EPOLL_CTL_DEL, fd, 0, 0);
}

int sleep_set(struct sleep *s, int fd, unsigned what, uint64_t id)
{
    if (!what)
        return sleep_remove(s, fd);
    if (!control(s, EPOLL_CTL_MOD, fd, what, id))
        return 0;
    return errno == ENOENT ? control(s, EPOLL_CTL_ADD, fd, what, id) : -ROOST_IO;
}

int sleep_remove(struct sleep *s, int fd)
{
    int err = control(s, EPOLL_CTL_DEL, fd, 0, 0);

    return err && errno == ENOENT ? 0 : err;
}

int sleep_add_signals(struct sleep *s, uint64_t id)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -ROOST_IO;
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd >= 0 && sleep_add(s, fd, SLEEP_READ, id) < 0) {
        close(fd);
        return -ROOST_IO;
    }
    return fd < 0 ? -ROOST_IO : fd;
}

bool sleep_signalled(int signals)
{
    struct signalfd_siginfo info;

    return read(signals, &info, sizeof info) == sizeof info;
}

static int add_timer(struct sleep *s)
{
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return s->timer < 0 ? -ROOST_IO : sleep_add(s, s->timer, SLEEP_READ, TIMER_ID);
}

void sleep_sharpen(void)
{
    prctl(PR_SET_TIMERSLACK, 1);
}

int sleep_init(struct sleep *s, bool plain)
{
    s->timer = -1;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0)
        return -ROOST_IO;
    sleep_sharpen();
    int err = plain ? add_timer(s) : 0;
    if (err)
        sleep_fini(s);
    return err;
}

void sleep_fini(struct sleep *s)
{
    if (s->timer >= 0)
        close(s->timer);
    if (s->epoll >= 0)
        close(s->epoll);
    s->timer = s->epoll = -1;
}

static struct timespec time_of(int64_t us)
{
    return (struct timespec){ us / 1000000, us % 1000000 * 1000 };
}

static int wait_by_timer(struct sleep *s, int64_t until_us, struct epoll_event *e)
{
    struct itimerspec t = { .it_value = time_of(until_us > 1 ? until_us : 1) };
    int64_t left_us = until_us == INT64_MAX ? INT64_MAX : until_us - sleep_now_us();

    if (until_us == INT64_MAX)
        t = (struct itimerspec){ 0 }; /* disarmed */
    if (left_us > 0)
        timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &t, NULL);
    return epoll_wait(s->epoll, e, SLEEP_AT_ONCE, left_us > 0 ? -1 : 0);
}

static int wait_for(struct sleep *s, int64_t until_us, struct epoll_event *e)
{
    if (s->timer >= 0)
        return wait_by_timer(s, until_us, e);
    struct timespec t = { 0 };
    if (until_us != INT64_MAX) {
        int64_t left_us = until_us - sleep_now_us();
        t = time_of(left_us > 0 ? left_us : 0);
    }
    int n = epoll_pwait2(s->epoll, e, SLEEP_AT_ONCE, until_us == INT64_MAX ? NULL : &t, NULL);
    if (n >= 0 || (errno != ENOSYS && errno != EPERM))
        return n;
    return add_timer(s) ? -1 : wait_by_timer(s, until_us, e);
}

void sleep_nap(int64_t until_us)
{
    struct timespec until = { .tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

int sleep_until(struct sleep *s, int64_t until_us, struct sleep_ready ret[static SLEEP_AT_ONCE])
{
    struct epoll_event e[SLEEP_AT_ONCE];
    int n = wait_for(s, until_us, e), ready = 0;

    if (n < 0)
        return errno == EINTR ? 0 : -ROOST_IO;
    for (int i = 0; i < n; i++) {
        if (e[i].data.u64 == TIMER_ID) {
            uint64_t fired;
            (void)!read(s->timer, &fired, sizeof fired);
            continue;
        }
        bool broken = e[i].events & (EPOLLERR | EPOLLHUP);
        ret[ready++] = (struct sleep_ready){
            .id = e[i].data.u64,
            .what = (e[i].events & EPOLLIN || broken ? SLEEP_READ : 0u) |
                    (e[i].events & EPOLLOUT || broken ? SLEEP_WRITE : 0u),
        };
    }
    return ready;
}
