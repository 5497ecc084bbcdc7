#include "hub/token.h"

#include <string.h>

#include "seal/digest.h"

static const char *kind_text(enum token_kind kind)
{
    return kind == TOKEN_INVITE ? "roost invite 1" : "roost reset 1";
}

int token_derive(const struct hub *h, const struct request *q, enum token_kind kind,
                 uint64_t account, char ret[static TOKEN_TEXT_BYTES])
{
    uint8_t sum[32], numbers[16];
    const char *text = kind_text(kind);

    for (int i = 0; i < 8; i++) {
        numbers[i] = (uint8_t)(q->account >> 8 * i);
        numbers[8 + i] = (uint8_t)(account >> 8 * i);
    }
    const struct seal_part parts[] = { { text, strlen(text) + 1 },
                                       { numbers, sizeof numbers },
                                       { q->id, sizeof q->id } };
    int err = seal_hmac(sum, h->config.server_secret, parts, 3);
    if (!err)
        err = seal_base32(ret, TOKEN_TEXT_BYTES, sum, TOKEN_RAW_BYTES);
    seal_wipe(sum, sizeof sum);
    return err;
}

int token_hash(uint8_t ret[static 32], enum token_kind kind, const char *typed)
{
    char canon[TOKEN_TEXT_BYTES];
    const char *text = kind_text(kind);

    if (seal_base32_canon(canon, sizeof canon, typed) < 0)
        return -ROOST_INVITE_BAD;
    return seal_sha256(
        ret, (struct seal_part[]){ { text, strlen(text) + 1 }, { canon, strlen(canon) } }, 2);
}

int token_session_hash(uint8_t ret[static 32], const uint8_t token[static 32])
{
    return seal_sha256(ret, (struct seal_part[]){ { "session", 8 }, { token, 32 } }, 2);
}

int token_device_hash(uint8_t ret[static 32], const uint8_t device[static 32])
{
    return seal_sha256(ret, (struct seal_part[]){ { "device", 7 }, { device, 32 } }, 2);
}
