#include "server/turns.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHORT_NS 100000 /* the least that the kernel takes */

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
