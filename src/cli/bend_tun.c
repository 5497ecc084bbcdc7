/* bend_tun.c - two TUN devices, one in each network namespace: packets of anybody. */
#include "cli/bend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/err.h"

/* TUN_QUEUE: packets that the kernel keeps for us between two turns; our own queue is the one
 * that counts, so this one is to be long enough. */
enum { MTU = 1500, TUN_QUEUE = 5000 };

struct bend_tun {
    int fd[2];
    struct blob *spare; /* to be read into; each packet is one */
};

static int say_errno(char *wrong, const char *what, const char *name)
{
    snprintf(wrong, BEND_WRONG_MAX, "%s %s: %s", what, name, strerror(errno));
    return -ROOST_IO;
}

/* --- making a device --- */

static int set_number(int s, struct ifreq *r, unsigned long request)
{
    return ioctl(s, request, r) < 0 ? -ROOST_IO : 0;
}

static int set_address(int s, struct ifreq *r, const char *address)
{
    struct sockaddr_in a = { .sin_family = AF_INET };

    if (inet_pton(AF_INET, address, &a.sin_addr) != 1) {
        errno = EINVAL;
        return -ROOST_INVALID;
    }
    memcpy(&r->ifr_addr, &a, sizeof a);
    if (ioctl(s, SIOCSIFADDR, r) < 0)
        return -ROOST_IO;
    a.sin_addr.s_addr = htonl(0xffffff00);
    memcpy(&r->ifr_netmask, &a, sizeof a);
    return ioctl(s, SIOCSIFNETMASK, r) < 0 ? -ROOST_IO : 0;
}

/* The kernel would speak IPv6 by itself on a new device, and be counted. */
static void no_ipv6(const char *device)
{
    char path[96];

    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%.32s/disable_ipv6", device);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (write(fd, "1", 1) < 0)
            errno = 0; /* then it is counted */
        close(fd);
    }
}

static int bring_up(const char *device, const char *address)
{
    struct ifreq r = { 0 };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (s < 0)
        return -ROOST_IO;
    no_ipv6(device);
    snprintf(r.ifr_name, sizeof r.ifr_name, "%.15s", device);
    int err = set_address(s, &r, address);
    r.ifr_mtu = MTU;
    err = err ? err : set_number(s, &r, SIOCSIFMTU);
    r.ifr_qlen = TUN_QUEUE;
    err = err ? err : set_number(s, &r, SIOCSIFTXQLEN);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    err = err ? err : set_number(s, &r, SIOCSIFFLAGS);
    int saved = errno;
    close(s);
    errno = saved;
    return err;
}

static int make_device(const char *address, int *ret_fd)
{
    struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -ROOST_IO;
    snprintf(r.ifr_name, sizeof r.ifr_name, "roost%%d");
    int err = ioctl(fd, TUNSETIFF, &r) < 0 ? -ROOST_IO : bring_up(r.ifr_name, address);
    if (err) {
        int saved = errno;
        close(fd);
        errno = saved;
        return err;
    }
    *ret_fd = fd;
    return 0;
}

/* --- in which namespace --- */

static int open_space(const char *name)
{
    char path[256];

    if (!strcmp(name, "-"))
        name = "/proc/self/ns/net";
    snprintf(path, sizeof path, "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int make_device_in(const char *space, const char *address, int *ret_fd, char *wrong)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    int there = open_space(space);
    int err = 0;

    if (home < 0 || there < 0)
        err = say_errno(wrong, "network namespace", space);
    else if (setns(there, CLONE_NEWNET) < 0)
        err = say_errno(wrong, "entering network namespace", space);
    else if (make_device(address, ret_fd) < 0)
        err = say_errno(wrong, "a TUN device with address", address);
    if (home >= 0 && setns(home, CLONE_NEWNET) < 0 && !err)
        err = say_errno(wrong, "leaving network namespace", space);
    if (home >= 0)
        close(home);
    if (there >= 0)
        close(there);
    return err;
}

int bend_tun_open(struct bend *b, const char *const spaces[2], const char *const addresses[2],
                  char wrong[static BEND_WRONG_MAX])
{
    int err = 0;

    b->tun = calloc(1, sizeof *b->tun);
    if (!b->tun) {
        snprintf(wrong, BEND_WRONG_MAX, "out of memory");
        return -ROOST_NOMEM;
    }
    b->tun->fd[0] = b->tun->fd[1] = -1;
    for (int i = 0; i < 2 && !err; i++) {
        err = make_device_in(spaces[i], addresses[i], &b->tun->fd[i], wrong);
        if (!err && sleep_add(&b->sleep, b->tun->fd[i], SLEEP_READ, bend_id(BEND_TUN, (size_t)i)))
            err = say_errno(wrong, "waiting for", "the device");
    }
    return err;
}

void bend_tun_close(struct bend *b)
{
    if (!b->tun)
        return;
    for (int i = 0; i < 2; i++)
        if (b->tun->fd[i] >= 0)
            close(b->tun->fd[i]);
    blob_unref(b->tun->spare);
    free(b->tun);
    b->tun = NULL;
}

/* --- packets --- */

void bend_tun_on_ready(struct bend *b, size_t index, int64_t now_us)
{
    struct bend_tun *t = b->tun;

    for (int i = 0; i < BEND_AT_ONCE; i++) {
        if (!t->spare && !(t->spare = blob_new(MTU)))
            return;
        ssize_t n = read(t->fd[index], t->spare->bytes, MTU);
        if (n <= 0)
            return;
        t->spare->len = (uint32_t)n;
        if (link_push(&b->link[index == 0 ? BEND_UP : BEND_DOWN], now_us, t->spare) < 0)
            b->unsent++;
        t->spare = blob_unref(t->spare);
    }
}

void bend_tun_deliver(struct bend *b, int64_t now_us)
{
    for (int way = 0; way < 2; way++)
        for (struct blob *p; (p = link_next(&b->link[way], now_us)); blob_unref(p))
            if (write(b->tun->fd[way == BEND_UP ? 1 : 0], p->bytes, p->len) < 0)
                b->unsent++;
}
