#include "server/cert.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "server/log.h"

enum { YEARS = 30, HOST_MAX = 64 /* X.509's limit of a common name */ };

/* The host's name if it is one that can stand in a certificate, else "roost". */
static void host_name(char out[static HOST_MAX])
{
    char name[256] = "";

    gethostname(name, sizeof name - 1);
    bool good = *name && strlen(name) < HOST_MAX;
    for (const char *p = name; *p; p++)
        good &= isalnum((unsigned char)*p) || *p == '-' || *p == '.';
    snprintf(out, HOST_MAX, "%.63s", good ? name : "roost");
}

static int add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    int ok = e && X509_add_ext(cert, e, -1);

    X509_EXTENSION_free(e);
    return ok;
}

static int set_serial(X509 *cert)
{
    uint8_t serial[16];
    BIGNUM *n = NULL;
    int ok = RAND_bytes(serial, sizeof serial) == 1;

    serial[0] &= 0x7f;
    serial[0] |= 0x40; /* positive, and never short */
    ok = ok && (n = BN_bin2bn(serial, sizeof serial, NULL)) &&
         BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return ok;
}

static int fill(X509 *cert, EVP_PKEY *key)
{
    char host[HOST_MAX], names[256];

    host_name(host);
    snprintf(names, sizeof names, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", host);
    X509_NAME *name = X509_get_subject_name(cert);
    return X509_set_version(cert, X509_VERSION_3) && set_serial(cert) &&
           X509_time_adj_ex(X509_getm_notBefore(cert), -1, 0, NULL) &&
           X509_time_adj_ex(X509_getm_notAfter(cert), YEARS * 365, 0, NULL) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1,
                                      0) &&
           X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
           add_extension(cert, NID_subject_alt_name, names) &&
           add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, NID_ext_key_usage, "serverAuth") &&
           X509_sign(cert, key, EVP_sha256()) > 0;
}

static int save(const struct datadir *d, const char *name, BIO *pem)
{
    char *bytes;
    long len = BIO_get_mem_data(pem, &bytes);

    return len > 0 ? datadir_write(d, name, bytes, (size_t)len) : -ROOST_NOMEM;
}

int cert_make(const struct datadir *d)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    BIO *cert_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_secmem());
    int err = -ROOST_NOMEM;

    if (!key || !cert || !cert_pem || !key_pem || !fill(cert, key) ||
        !PEM_write_bio_X509(cert_pem, cert) ||
        !PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL)) {
        log_error("cannot make a certificate");
        goto out;
    }
    /* the key first: a certificate without its key would be pinned in vain */
    err = save(d, "tls-key.pem", key_pem);
    if (!err)
        err = save(d, "tls-cert.pem", cert_pem);
out:
    BIO_free(cert_pem);
    BIO_free(key_pem);
    X509_free(cert);
    EVP_PKEY_free(key);
    return err;
}
