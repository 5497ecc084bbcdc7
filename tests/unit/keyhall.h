/* keyhall.h - a meeting whose devices have keys, and the hub between them, for stories. */
#pragma once

#include "seal/keyring.h"

enum { PEOPLE_MAX = 60, ON_THE_WAY_MAX = 20000, MEETING = 77, FRAME = 40 };
#define MS 1000LL

struct letter {
    int64_t due_us;
    uint32_t from, to;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct hall {
    struct keyring *k[PEOPLE_MAX + 1]; /* by number, from 1 on */
    bool in[PEOPLE_MAX + 1];
    uint32_t epoch, n_letters, carried;
    int64_t now_us, delay_us;
    struct letter *letters;
    uint64_t frame[PEOPLE_MAX + 1];
};

struct sealed {
    struct media m;
    uint8_t bytes[FRAME], tag[KEYRING_TAG];
};

void hall_init(struct hall *h);
void hall_fini(struct hall *h);
struct keyring *device(uint32_t number, uint8_t life);
void come(struct hall *h, uint32_t number);
void tell(struct hall *h); /* everybody who is in hears who is in */
void turn(struct hall *h, int64_t for_us);
struct sealed say(struct hall *h, uint32_t who);
size_t list_of(const struct hall *h, struct roster_member ret[static PEOPLE_MAX]); /* who is in */
int hear(struct hall *h, uint32_t who, uint32_t from, const struct sealed *s);
void three(struct hall *h); /* are in, and two of them speak */
/* Whether this came; all others are forgotten. */
bool told(struct keyring *k, enum keyring_what what);
