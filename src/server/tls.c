#include "server/tls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/cert.h"
#include "server/log.h"

static const unsigned char alpn_known[] = "\x07roost/1\x08http/1.1";

/* Our order of preference; a client that offers neither is refused (RFC 7301). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    int r = SSL_select_next_proto((unsigned char **)out, out_len, alpn_known, sizeof alpn_known - 1,
                                  in, in_len);
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool tls_is_roost(const SSL *ssl)
{
    const unsigned char *name;
    unsigned len;

    SSL_get0_alpn_selected(ssl, &name, &len);
    return len == 7 && !memcmp(name, "roost/1", 7);
}

static const char *reason(void)
{
    /* the first: later ones say that the file was no good because of it */
    unsigned long e = ERR_peek_error();
    const char *text = ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e))
                                           : ERR_reason_error_string(ERR_peek_last_error());

    return text ? text : "not readable";
}

static int load_pair(SSL_CTX *ctx, const char *certificate, const char *key)
{
    const char *wrong = NULL;

    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        wrong = certificate;
    else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        wrong = key;
    else if (SSL_CTX_check_private_key(ctx) != 1)
        wrong = key;
    if (!wrong)
        return 0;
    log_error("cannot use %s: %s", wrong, reason());
    ERR_clear_error();
    return -ROOST_INVALID;
}

static int load_self_made(SSL_CTX *ctx, const struct datadir *d)
{
    char certificate[DATADIR_PATH_MAX], key[DATADIR_PATH_MAX];

    datadir_path(d, "tls-cert.pem", certificate);
    datadir_path(d, "tls-key.pem", key);
    if (access(certificate, F_OK)) {
        int err = cert_make(d);
        if (err)
            return err;
    }
    return load_pair(ctx, certificate, key);
}

static int fingerprint(struct tls *t)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    X509 *cert = SSL_CTX_get0_certificate(t->ctx);

    if (!cert || !X509_digest(cert, EVP_sha256(), digest, &len) || len != 32)
        return -ROOST_INVALID;
    for (unsigned i = 0; i < len; i++) {
        t->fingerprint[i * 3] = "0123456789abcdef"[digest[i] >> 4];
        t->fingerprint[i * 3 + 1] = "0123456789abcdef"[digest[i] & 15];
        t->fingerprint[i * 3 + 2] = i + 1 < len ? ':' : 0;
    }
    return 0;
}

/* RELEASE_BUFFERS and the small numbers below keep an idle connection under
 * 32 KB; read-ahead halves the system calls for each record that is read. */
static void tune(SSL_CTX *ctx)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:"
                                  "TLS_AES_256_GCM_SHA384");
    SSL_CTX_set_max_early_data(ctx, 0);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
}

int tls_init(struct tls *t, const struct datadir *d, const char *certificate, const char *key)
{
    int err = -ROOST_NOMEM;

    *t = (struct tls){ .self_made = !*certificate };
    t->ctx = SSL_CTX_new(TLS_server_method());
    if (!t->ctx)
        goto out;
    tune(t->ctx);
    err = t->self_made ? load_self_made(t->ctx, d) : load_pair(t->ctx, certificate, key);
    if (!err)
        err = fingerprint(t);
out:
    if (err)
        tls_fini(t);
    return err;
}

int tls_check(const char *certificate, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int err = ctx ? load_pair(ctx, certificate, key) : -ROOST_NOMEM;

    SSL_CTX_free(ctx);
    return err;
}

void tls_fini(struct tls *t)
{
    SSL_CTX_free(t->ctx);
    *t = (struct tls){ 0 };
}
