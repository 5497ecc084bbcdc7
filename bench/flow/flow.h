/* flow.h - the neighbours' ends of `bench/run flow`: kernel TCP, SRT, and a ping beside them.
 *
 * Each prints JSON objects, one a line, with times of the steady clock in nanoseconds, which
 * all processes of one machine share. A receiver tells its progress and, when it has all,
 * {"all": true}. SIGTERM ends any of them.
 */
#pragma once

#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOW_CHUNK = 65536, FLOW_TELL_MS = 200 };

extern volatile sig_atomic_t flow_over;

int64_t flow_now_ns(void);
_Noreturn void flow_die(const char *what);
struct sockaddr_in flow_address(const char *ip, const char *port);

/* A file from memory, and one into it, as a program that sends files has them; "-": bytes without
 * end, and nowhere. */
int flow_source(const char *file);
int flow_target(const char *file);
/* The next of the source, at most FLOW_CHUNK; what is not taken is given back by the caller. */
size_t flow_read(int fd, uint8_t bytes[static FLOW_CHUNK]);
void flow_write(int fd, const uint8_t *bytes, size_t n);

/* A line of progress, if it is time; `all` always. */
void flow_tell(uint64_t bytes, bool all);

int tcp_receive(const char *port, uint64_t bytes, const char *file);
int tcp_send(const char *ip, const char *port, const char *file, const char *cc);
int srt_receive(const char *port, uint64_t bytes, const char *file);
int srt_send_all(const char *ip, const char *port, const char *file);
int ping_answer(const char *port);
int ping_ask(const char *ip, const char *port, int64_t every_ms);
