#include "server/resources.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/log.h"

enum {
    MMAP_ABOVE_BYTES = 256 * 1024, /* a hash's megabytes are mapped, and unmapped at once */
    TRIM_ABOVE_BYTES = 512 * 1024,
    ARENAS = 1, /* three threads that allocate little: an arena each costs more than the lock */
};

void resources_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, MMAP_ABOVE_BYTES);
    mallopt(M_TRIM_THRESHOLD, TRIM_ABOVE_BYTES);
    mallopt(M_ARENA_MAX, ARENAS);
}

uint32_t resources_files(uint32_t conns, uint32_t beside)
{
    static uint32_t told;
    struct rlimit r;
    rlim_t want = (rlim_t)conns + beside;

    if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur >= want) /* RLIM_INFINITY is the largest */
        return conns;
    /* above the hard limit only with the right to (CAP_SYS_RESOURCE) */
    struct rlimit more = { want, r.rlim_max > want ? r.rlim_max : want };
    if (!setrlimit(RLIMIT_NOFILE, &more))
        return conns;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) || getrlimit(RLIMIT_NOFILE, &r))
        return conns;
    uint32_t room = r.rlim_cur > beside ? (uint32_t)(r.rlim_cur - beside) : 1;
    /* The default is more than most will see; with less than half of it, somebody may. */
    if (room != told)
        log_write(
            room < conns / 2 ? LOG_WARN : LOG_DEBUG,
            "only %u of %u connections (conns.max) have room: raise the limit of open files to %u "
            "(ulimit -n, or LimitNOFILE= in the unit)",
            room, conns, conns + beside);
    told = room;
    return room;
}

/* Segments without the right to write have no page of their own: nothing is lost
 * that the file does not hold. (A debugger's breakpoints are.) */
static int drop_pages(struct dl_phdr_info *info, size_t size, void *arg)
{
    uintptr_t page = *(uintptr_t *)arg;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &info->dlpi_phdr[i];

        if (h->p_type != PT_LOAD || (h->p_flags & PF_W))
            continue;
        uintptr_t start = (info->dlpi_addr + h->p_vaddr + page - 1) & ~(page - 1);
        uintptr_t end = (info->dlpi_addr + h->p_vaddr + h->p_memsz) & ~(page - 1);
        if (start < end)
            /* the loader gives numbers. NOLINTNEXTLINE(performance-no-int-to-ptr) */
            madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void resources_trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

    malloc_trim(0);
    dl_iterate_phdr(drop_pages, &page);
}
