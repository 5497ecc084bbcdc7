#include "seal/running.h"

#include <openssl/evp.h>

#include "base/err.h"

struct seal_running *seal_running_new(void)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
        return (struct seal_running *)ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

void seal_running_free(struct seal_running *r)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)r);
}

int seal_running_add(struct seal_running *r, const void *bytes, size_t len)
{
    return EVP_DigestUpdate((EVP_MD_CTX *)r, bytes, len) == 1 ? 0 : -ROOST_NOMEM;
}

int seal_running_end(struct seal_running *r, uint8_t ret[static 32])
{
    return EVP_DigestFinal_ex((EVP_MD_CTX *)r, ret, NULL) == 1 ? 0 : -ROOST_NOMEM;
}
