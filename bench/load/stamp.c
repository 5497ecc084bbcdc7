#include "stamp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "load.h"

void stamp_on(int fd)
{
    int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        die("this kernel stamps nothing: %s", strerror(errno));
}

static int64_t ns_of(const struct timespec *t)
{
    return t->tv_sec * SEC_NS + t->tv_nsec;
}

/* The kernel stamps with the time of the day. */
static int64_t monotonic(const struct timespec *stamp)
{
    struct timespec day;
    clock_gettime(CLOCK_REALTIME, &day);
    return clock_ns() - (ns_of(&day) - ns_of(stamp));
}

ssize_t stamp_recv(int fd, void *p, size_t len, int64_t *ret_ns)
{
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec v = { p, len };
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
    };
    ssize_t n = recvmsg(fd, &m, 0);
    if (n <= 0)
        return n;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        *ret_ns = monotonic(&stamp);
    } else {
        *ret_ns = clock_ns();
    }
    return n;
}
