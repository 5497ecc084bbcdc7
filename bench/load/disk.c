/* disk.c - what the disk alone takes: appends and fdatasync, timed. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

enum { APPEND_MIN = 64, APPEND_MAX = 4096 };

void disk_measure(const char *dir, double seconds, struct histogram *h)
{
    static uint8_t page[APPEND_MAX];
    char path[4096];
    snprintf(path, sizeof path, "%s/append.%d", dir, (int)getpid());
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        die("%s: %s", path, strerror(errno));
    unlink(path);
    memset(page, 'r', sizeof page);
    histogram_init(h);
    int64_t end = clock_ns() + (int64_t)(seconds * 1e9);
    for (size_t len = APPEND_MIN; clock_ns() < end;
         len = len * 2 > APPEND_MAX ? APPEND_MIN : len * 2) {
        int64_t at = clock_ns();
        if (write(fd, page, len) != (ssize_t)len || fdatasync(fd))
            die("writing to %s: %s", dir, strerror(errno));
        histogram_add(h, clock_ns() - at);
    }
    close(fd);
}
