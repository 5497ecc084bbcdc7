/* tls.h - one TCP connection with TLS 1.3, never blocking.
 *
 * How an address is found and connected to is dial.h's. Whether the certificate can be
 * trusted is the caller's: after TLS_HANDSHAKE_DONE it looks at `fingerprint`, and asks
 * tls_vouched if it must, before it sends anything. Writes never raise SIGPIPE. Not thread-safe.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "client/dial.h"
#include "client/home.h"
#include "net/study.h"

enum { TLS_OUT_MAX = 4096 /* blobs that wait */ };

enum tls_state { TLS_IDLE, TLS_CONNECTING, TLS_HANDSHAKE, TLS_HANDSHAKE_DONE, TLS_UP };

struct tls {
    enum tls_state state;
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;
    struct dial dial; /* while connecting */
    char host[256];
    bool want_write;
    struct blob **out;
    size_t n_out, cap_out;
    char detail[200]; /* why it failed, for people */
    char fingerprint[HOME_PRINT_LEN + 1];
};

int tls_init(struct tls *t);
void tls_fini(struct tls *t);
void tls_study(struct tls *t, struct study *s); /* its keys are written down */
int tls_open(struct tls *t, const char *host, const char *port, int64_t now_us);
/* After the fd was ready or time has passed: 0, or the connection failed. */
int tls_step(struct tls *t, int64_t now_us);
/* An authority of this system vouches for this host name. Reading all authorities takes some
 * 60 ms, so it is done only where no pin decides. */
bool tls_vouched(struct tls *t);
void tls_accept(struct tls *t);                  /* HANDSHAKE_DONE -> UP */
int tls_send(struct tls *t, struct blob *bytes); /* takes it */
int tls_flush(struct tls *t);
/* Bytes, 0 = nothing now, or an error (-ROOST_CLOSED at the end). */
int tls_read(struct tls *t, void *ret, size_t cap);
void tls_close(struct tls *t);
int tls_fd(const struct tls *t);    /* to poll; -1: none */
int tls_wants(const struct tls *t); /* of POLLIN, POLLOUT */
int64_t tls_deadline(const struct tls *t);
