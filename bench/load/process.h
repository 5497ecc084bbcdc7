/* process.h - what a process costs, read from /proc. */
#pragma once

/* Seconds of CPU (user and system) of all its threads, also those that ended. */
double process_cpu(int pid);
/* KiB. anon is what the process made itself: heap and stacks. The rest of rss is
 * pages of its program and libraries, which the kernel shares and takes back as it
 * likes, and which a program can drop itself and get again with the next call. */
struct process_memory {
    long rss_kb, anon_kb;
};
struct process_memory process_memory(int pid);
/* Seconds that all cores together were busy since the machine started. */
double machine_cpu(void);
