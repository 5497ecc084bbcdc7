#include "lab/classics/sum_file.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/err.h"

enum { PIECE_BYTES = 65536 };

int sum_file(int fd, uint8_t ret[static 32])
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    uint8_t piece[PIECE_BYTES];
    off_t at = 0;
    ssize_t n = -1;
    bool ok = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL);

    while (ok && (n = pread(fd, piece, sizeof piece, at)) > 0) {
        ok = EVP_DigestUpdate(sum, piece, (size_t)n);
        at += n;
    }
    ok = ok && n == 0 && EVP_DigestFinal_ex(sum, ret, NULL);
    EVP_MD_CTX_free(sum);
    return ok ? 0 : n < 0 && sum ? -ROOST_IO : -ROOST_NOMEM;
}
