#include "server/turns.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHORT_NS 100000 /* the least that the kernel takes */
#define NICE     10     /* a tenth of what others have, when they want all of it */

/* The C library of Debian 12 has no name for it. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void turns_short(void)
{
    struct attributes a = { .size = sizeof a };

    if (syscall(SYS_sched_getattr, 0, &a, sizeof a, 0))
        return;
    a.runtime_ns = SHORT_NS; /* all else stays as who started us wants it */
    syscall(SYS_sched_setattr, 0, &a, 0);
}

void turns_last(void)
{
    setpriority(PRIO_PROCESS, 0, NICE);
    sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }); /* of this thread */
}

void turns_session_last(void)
{
    char nice[8];
    int n = snprintf(nice, sizeof nice, "%d", NICE),
        fd = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, nice, (size_t)n) != n) {
        /* asked for too often, or not allowed: equal shares then */
    }
    close(fd);
}
