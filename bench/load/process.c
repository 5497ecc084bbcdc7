#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static void slurp(int pid, const char *name, char *buf, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    FILE *f = fopen(path, "r");
    if (!f)
        die("the server (process %d) is gone", pid);
    buf[fread(buf, 1, cap - 1, f)] = 0;
    fclose(f);
}

double process_cpu(int pid)
{
    char buf[1024];
    slurp(pid, "stat", buf, sizeof buf);
    char *p = strrchr(buf, ')'); /* the name may hold anything */
    unsigned long user = 0, sys = 0;
    if (!p ||
        sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        die("cannot read the CPU time of process %d", pid);
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static long kb_after(const char *status, const char *key)
{
    const char *p = strstr(status, key);
    if (!p)
        die("the kernel does not tell %s", key);
    return strtol(p + strlen(key), NULL, 10);
}

/* A server's children are the server, too. Pages that they share count for each of them. */
struct process_memory process_memory(int pid)
{
    char buf[4096], path[64];
    slurp(pid, "status", buf, sizeof buf);
    struct process_memory m = { kb_after(buf, "VmRSS:"), kb_after(buf, "RssAnon:") };

    snprintf(path, sizeof path, "task/%d/children", pid);
    slurp(pid, path, buf, sizeof buf);
    char *save = NULL;
    for (char *p = strtok_r(buf, " \n", &save); p; p = strtok_r(NULL, " \n", &save)) {
        struct process_memory child = process_memory(atoi(p));
        m.rss_kb += child.rss_kb;
        m.anon_kb += child.anon_kb;
    }
    return m;
}

double machine_cpu(void)
{
    unsigned long user = 0, nice = 0, sys = 0, idle, wait, irq = 0, soft = 0, steal = 0;
    FILE *f = fopen("/proc/stat", "r");
    if (!f || fscanf(f, "cpu %lu %lu %lu %lu %lu %lu %lu %lu", &user, &nice, &sys, &idle, &wait,
                     &irq, &soft, &steal) != 8)
        die("cannot read /proc/stat");
    fclose(f);
    return (double)(user + nice + sys + irq + soft + steal) / (double)sysconf(_SC_CLK_TCK);
}
