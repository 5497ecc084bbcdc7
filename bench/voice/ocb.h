/* ocb.h - OCB2-AES128, with which Mumble seals datagrams: after its public protocol description and
 * the paper "OCB: a block-cipher mode of operation" (Rogaway, 2004).
 *
 * A packet is four bytes (the low byte of the nonce, three of the tag) and as many as were sealed.
 * Each direction has a nonce of its own, a number with its lowest byte first, one more for each
 * packet.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OCB_BLOCK = 16, OCB_HEAD = 4, OCB_BYTES_MAX = 1024 };

struct ocb {
    EVP_CIPHER_CTX *seal, *open;
    uint8_t out_nonce[OCB_BLOCK], in_nonce[OCB_BLOCK];
};

/* False: OpenSSL could not. */
bool ocb_init(struct ocb *o, const uint8_t key[static OCB_BLOCK],
              const uint8_t out_nonce[static OCB_BLOCK], const uint8_t in_nonce[static OCB_BLOCK]);
void ocb_fini(struct ocb *o);
/* to: len + OCB_HEAD bytes. Returns how many. */
size_t ocb_seal(struct ocb *o, const uint8_t *plain, size_t len, uint8_t *to);
/* Notes that a packet came: for each, in order, whether it is opened or not. */
void ocb_come(struct ocb *o, const uint8_t *packet);
/* The packet that came last. to: len - OCB_HEAD bytes. False: it is damaged. */
bool ocb_open(struct ocb *o, const uint8_t *packet, size_t len, uint8_t *to);
