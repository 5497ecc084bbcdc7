/* moments.c - real programs that die at a moment of one's choice, and whose clock others set.
 *
 * Linked into roost-moments and roostd-moments in front of the system's calls.
 *
 *     ROOST_DIES=before:N   gone, as by kill -9, when something is given a name for the Nth time
 *     ROOST_DIES=after:N    the same when it has it, and nobody was told
 *     ROOST_CLOCK=FILE      milliseconds (8 bytes, of this machine's order) that are added to the
 *                           time of day, at each look: whoever writes the file sets the clock
 *
 * The clock that only counts is the system's, as it is when somebody sets the time of day. All
 * threads.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "disk/os.h"

enum { KILLED = 137 };

extern const struct disk_os __real_disk_os_real;
int __real_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
time_t __wrap_time(time_t *ret);

static unsigned renames, dies_at;
static bool dies_after;
static const int64_t *set_by_ms;

/* --- names --- */

static bool is_the_moment(void)
{
    return __atomic_add_fetch(&renames, 1, __ATOMIC_SEQ_CST) == dies_at;
}

static int renamed(bool dies, int result)
{
    if (dies)
        _exit(KILLED);
    return result;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    bool dies = is_the_moment();

    renamed(dies && !dies_after, 0);
    return renamed(dies, __real_renameat(from_dir, from, to_dir, to));
}

static int rename_below(void *ctx, int from_dir, const char *from, int to_dir, const char *to)
{
    bool dies = is_the_moment();

    renamed(dies && !dies_after, 0);
    return renamed(dies, __real_disk_os_real.rename_below(ctx, from_dir, from, to_dir, to));
}

/* --- the clock --- */

static int64_t set_by(void)
{
    return set_by_ms ? __atomic_load_n(set_by_ms, __ATOMIC_RELAXED) : 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int err = __real_clock_gettime(clock, ret);

    if (!err && clock == CLOCK_REALTIME)
        ret->tv_sec += set_by() / 1000;
    return err;
}

time_t __wrap_time(time_t *ret)
{
    struct timespec now = { 0 };

    __wrap_clock_gettime(CLOCK_REALTIME, &now);
    if (ret)
        *ret = now.tv_sec;
    return now.tv_sec;
}

/* --- what was asked for --- */

static void look_at_clock(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *set_by_ms, PROT_READ, MAP_SHARED, fd, 0);

    if (p != MAP_FAILED)
        set_by_ms = p;
    if (fd >= 0)
        close(fd);
}

extern struct disk_os __wrap_disk_os_real;
struct disk_os __wrap_disk_os_real;

__attribute__((constructor)) static void begin(void)
{
    const char *dies = getenv("ROOST_DIES"), *clock = getenv("ROOST_CLOCK");

    __wrap_disk_os_real = __real_disk_os_real;
    __wrap_disk_os_real.rename_below = rename_below;
    dies_after = dies && !strncmp(dies, "after:", 6);
    if (dies && strchr(dies, ':'))
        dies_at = (unsigned)strtoul(strchr(dies, ':') + 1, NULL, 10);
    if (clock)
        look_at_clock(clock);
}
