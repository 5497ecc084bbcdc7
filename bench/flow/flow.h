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
const uint8_t *flow_chunk(void); /* FLOW_CHUNK bytes that do not compress */
/* A line of progress, if it is time; `all` always. */
void flow_tell(uint64_t bytes, bool all);

int tcp_receive(const char *port, uint64_t bytes);
int tcp_send(const char *ip, const char *port, uint64_t bytes, const char *cc);
int srt_receive(const char *port, uint64_t bytes);
int srt_send_all(const char *ip, const char *port, uint64_t bytes);
int ping_answer(const char *port);
int ping_ask(const char *ip, const char *port, int64_t every_ms);
