/* path.h - where the other side is, and what may be sent to where it may be.
 *
 * An address is proven when it sends back the 8 bytes of a challenge. Until then, the first
 * address included, it is sent challenges and answers to challenges only, at most three times
 * the bytes that came from there: who writes somebody else's address on a packet makes us
 * no weapon against it. Meanwhile all else goes on to the proven one.
 *
 * Only a packet with the highest number yet makes an address a candidate, so late ones from
 * where the other side was change nothing. At most three candidates are kept, and three
 * challenges a second are sent, to all of them together.
 *
 * Plain data of the caller's, no memory of its own. Pure: time and randomness are given.
 * Microseconds, bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/dgram.h"

enum {
    PATHS_CANDIDATES_MAX = 3,
    PATHS_TIMES = 3,    /* so many bytes for each that came */
    PATHS_A_SECOND = 3, /* challenges */
};
#define PATHS_AGAIN_US    250000  /* an unanswered challenge is repeated */
#define PATHS_TRIED_US    1000000 /* tried so long, a candidate makes room for another */
#define PATHS_PATIENCE_US 5000000 /* then it is forgotten */

/* What is compared is all of it; zeros where nothing is known. */
struct path_address {
    uint8_t ip[16];
    uint8_t len; /* 4 or 16; 0: none */
    uint16_t port;
    uint32_t scope; /* of a link-local address */
};

struct path_candidate {
    struct path_address at;
    uint64_t received, sent;
    uint8_t challenge[PATH_BYTES], back[PATH_BYTES];
    int64_t since_us, asked_us;
    uint32_t asked;
    bool owes_back; /* an answer to its challenge */
};

struct paths {
    struct path_address now; /* proven; len 0: none is yet */
    struct path_candidate tried[PATHS_CANDIDATES_MAX];
    uint32_t n_tried;
    int64_t asked_us[PATHS_A_SECOND]; /* the last challenges, a ring */
    uint32_t asked_at;
    uint64_t proven, refused; /* counted: addresses; those there was no room for */
};

bool path_same(const struct path_address *a, const struct path_address *b);

void paths_init(struct paths *p, int64_t now_us);

/* A genuine packet came from there. challenge: random, used if a candidate is made of it. */
void paths_on_packet(struct paths *p, const struct path_address *from, size_t len, bool newest,
                     const uint8_t challenge[static PATH_BYTES], int64_t now_us);
/* It held a challenge. True: it came from the proven address, and is answered as all else;
 * false: it is answered from here, or not at all. */
bool paths_on_path(struct paths *p, const struct path_address *from,
                   const uint8_t bytes[static PATH_BYTES]);
/* It held the answer to one. True: that proved the address, which is `now` from now on;
 * *ret_took_us: the round trip, 0 if that cannot be told. */
bool paths_on_back(struct paths *p, const struct path_address *from,
                   const uint8_t bytes[static PATH_BYTES], int64_t now_us, int64_t *ret_took_us);

/* What is to be sent to a candidate now, and to which. */
struct path_words {
    const struct path_address *to;
    const uint8_t *challenge, *back; /* NULL: not */
};
/* overhead: bytes of a packet besides its frames. False: nothing. It counts as sent. */
bool paths_next(struct paths *p, size_t overhead, int64_t now_us, struct path_words *ret);
/* When paths_next is to be asked again; INT64_MAX: not. */
int64_t paths_deadline_us(const struct paths *p, size_t overhead, int64_t now_us);
