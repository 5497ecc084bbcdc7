/* mumble.h - many people on a mumble-server, for `bench/run voice`: after its public protocol
 * description.
 *
 * Each has a TLS connection of its own (Version, Authenticate, Ping) and a socket of its own for
 * datagrams, whose keys come with CryptSetup; all stay in the one room that is there. A frame
 * carries when it was said. Whoever hears counts it; one in a hundred is opened, and says how long
 * it took: from just before the call that sent it to the moment at which the kernel took it from
 * the server, which is within the server's own call.
 *
 *     main.c     what is wanted, the loop, and what came of it
 *     control.c  one person's TLS connection
 *     speech.c   one person's datagrams
 *     ocb.c      their cipher
 */
#pragma once

#include <openssl/ssl.h>
#include <stdint.h>

#include "../load/histogram.h"
#include "ocb.h"

enum { FRAME_MAX = 500, MESSAGE_MAX = 1 << 16 };

struct person {
    unsigned index, session;
    int tcp, udp;
    SSL *tls;
    struct ocb ocb;
    bool keys, in, mapped; /* keys have come; all is told; the server knows its address */
    uint8_t in_bytes[4096];
    size_t have;
    uint64_t said, heard, damaged;
    int64_t say_ns;
};

struct crowd {
    unsigned people, speakers, frame_ms, bytes, seconds, port;
    bool counts; /* what is said and heard now */
    uint64_t sent, received, damaged;
    struct histogram delays;
};

_Noreturn void give_up(const char *what, unsigned person);
int64_t now_ns(void);

/* --- control.c: blocking until it is in, then not --- */
void control_open(struct person *p, const struct crowd *c, SSL_CTX *ctx);
void control_read(struct person *p);
void control_ping(struct person *p);

/* --- speech.c --- */
void speech_open(struct person *p, const struct crowd *c);
void speech_ping(struct person *p);
void speech_say(struct person *p, struct crowd *c);
void speech_hear(struct person *p, struct crowd *c);
