/* tls.h - the server's side of TLS 1.3: context, certificate, fingerprint.
 *
 * One context serves all connections until it is replaced (SIGHUP); running
 * connections keep the one that they began with. No session tickets: a client
 * resumes with the token of the control protocol, and a ticket would cost
 * memory and a key to guard.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>

#include "server/datadir.h"

enum { TLS_FINGERPRINT_MAX = 32 * 3 }; /* "ab:cd:...", with the zero */

struct tls {
    SSL_CTX *ctx;
    char fingerprint[TLS_FINGERPRINT_MAX]; /* SHA-256 of the certificate */
    bool self_made;
};

/* certificate, key: PEM files, or "" for the self-made one in the directory,
 * which is made if it is not there. Logs what is wrong. */
int tls_init(struct tls *t, const struct datadir *d, const char *certificate, const char *key);
/* Can this pair of files be used? Logs what is wrong. */
int tls_check(const char *certificate, const char *key);
void tls_fini(struct tls *t);

/* Was roost/1 negotiated? Anything else is http/1.1. */
bool tls_is_roost(const SSL *ssl);
