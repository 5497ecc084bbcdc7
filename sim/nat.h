/* nat.h - address translators, as they stand in people's homes and in networks of providers.
 *
 *   NONE       addresses are public
 *   FULL       a port outside for each address inside; anybody may send to it ("full cone")
 *   ADDRESS    the same, but only who was sent to may answer, from any port
 *   PORT       only from the very port that was sent to
 *   SYMMETRIC  a port outside for each pair of addresses, for that pair alone
 *
 * hairpin: what is sent from inside to an address outside of its own comes back in. Plain data.
 */
#pragma once

#include "flow/path.h"

enum nat_kind { NAT_NONE, NAT_FULL, NAT_ADDRESS, NAT_PORT, NAT_SYMMETRIC, NAT_KINDS };

enum { NAT_HOLES_MAX = 128 };

struct nat_hole {
    struct path_address inside, to;
    uint16_t port; /* outside */
};

struct nat {
    enum nat_kind kind;
    bool hairpin;
    struct path_address outside; /* port 0 */
    uint16_t next_port;
    struct nat_hole holes[NAT_HOLES_MAX];
    unsigned n, at; /* a ring when full */
};

void nat_init(struct nat *n, enum nat_kind kind, bool hairpin, const struct path_address *outside);
/* As it leaves. */
struct path_address nat_out(struct nat *n, const struct path_address *inside,
                            const struct path_address *to);
/* Who gets it, inside; false: nobody. */
bool nat_in(const struct nat *n, const struct path_address *from, const struct path_address *to,
            struct path_address *ret_inside);
void nat_forget(struct nat *n); /* it was switched off and on */
