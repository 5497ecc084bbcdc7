/* process.h - what a process costs, read from /proc. */
#pragma once

/* Seconds of CPU (user and system) of all its threads, also those that ended. */
double process_cpu(int pid);
/* KiB resident. */
long process_rss_kb(int pid);
/* Seconds that all cores together were busy since the machine started. */
double machine_cpu(void);
