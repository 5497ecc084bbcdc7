/* token.h - secrets that are handed out, and the hashes of them that are kept.
 *
 * Invitations and resets are 32 letters and digits to be typed. Those that an
 * admin asks for are derived from the server's secret and the request: a request
 * that is sent again gets the same token, and the store holds its hash only.
 */
#pragma once

#include "hub/internal.h"

enum token_kind { TOKEN_INVITE, TOKEN_RESET };
enum { TOKEN_TEXT_BYTES = 33, TOKEN_RAW_BYTES = 20 };

#define INVITE_MS (7 * 86400000LL)
#define RESET_MS  86400000LL

int token_derive(const struct hub *h, const struct request *q, enum token_kind kind,
                 uint64_t account, char ret[static TOKEN_TEXT_BYTES]);
/* Of what was typed. -ROOST_INVITE_BAD: this is no token. */
int token_hash(uint8_t ret[static 32], enum token_kind kind, const char *typed);

/* What a session or a device shows is 32 random bytes; the store knows their hash. */
int token_session_hash(uint8_t ret[static 32], const uint8_t token[static 32]);
int token_device_hash(uint8_t ret[static 32], const uint8_t device[static 32]);
