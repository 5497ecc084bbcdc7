/* keyring_inside.h - what keyring*.c share: the members, their keys, and what they are owed. */
#pragma once

#include "seal/chain.h"
#include "seal/digest.h"
#include "seal/keyring.h"
#include "seal/replay.h"
#include "seal/rng.h"
#include "seal/tie.h"

enum {
    KEY_MESSAGE = 1 + 8 + 4 + 32 + 32 + 32 + 4 + 4 + 4 + CHAIN_SECRET + AEAD_TAG + 64,
    GOT_MESSAGE = 1 + 8 + 4 + 4 + AEAD_TAG,
    SAYS_HELLO = 1,
    SAYS_KEY,
    SAYS_GOT,
    SAYS_BACK,
    EVENTS_MAX = 64,
};

/* The keys of a stream and encoding under one key id. */
struct stream_key {
    struct stream_key *after;
    uint64_t stream;
    uint32_t key_id;
    uint8_t encoding;
    struct sframe sframe;
    uint8_t mark[CHAIN_MARK_KEY];
    struct replay seen; /* of who opens */
    uint64_t least;     /* of who seals: the next frame's number, or more */
};

/* What is known of a sender's key: the newest step, and the one before for what is late. */
struct known_chain {
    struct chain now, before;
    int64_t before_until_us;
    int64_t until_us; /* INT64_MAX: as long as there is no newer one */
};

struct member {
    struct roster_member is;
    bool still; /* while a new list is gone through */
    /* their HELLO */
    bool tied;
    struct tie tie;
    uint8_t key[TIE_KEY], replaced[KEYRING_RESTARTS_MAX][TIE_KEY];
    uint32_t hello_epoch, n_replaced;
    /* what they are owed */
    bool owes_hello, owes_back, owes_key, owes_got;
    uint32_t got_key_id; /* of theirs */
    /* what they have, and we of them */
    uint32_t confirmed;           /* generation of ours */
    uint32_t newest;              /* generation of theirs */
    struct known_chain chains[2]; /* the newest first */
    struct stream_key *streams;
    uint32_t n_streams;
};

struct early {
    struct early *after;
    uint32_t who;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct keyring {
    struct tie_self self;
    uint32_t number;
    struct rng rng;
    bool hub_key, speaks;
    uint8_t hub[KEYRING_SECRET];

    uint32_t epoch, left_epoch; /* the last in which somebody left */
    uint8_t hash[32];
    struct {
        uint32_t epoch;
        uint8_t hash[32];
    } known[KEYRING_EPOCHS]; /* a ring */
    uint32_t n_known;
    struct member **members; /* sorted by identity, without this device */
    size_t n_members, cursor;

    struct chain now, coming;
    int64_t coming_since_us;
    uint32_t generation; /* drawn last */
    uint64_t sealed;     /* messages, under whatever tie */
    struct stream_key *streams;
    uint32_t n_streams;

    struct early *early, **early_end;
    uint32_t n_early;
    struct keyring_event events[EVENTS_MAX];
    uint32_t first_event, n_events;
};

struct member *keyring_member(const struct keyring *k, uint32_t number);
void keyring_tell(struct keyring *k, enum keyring_what what, uint32_t who, uint32_t value);
/* A new key for all who are there. */
void keyring_renew(struct keyring *k, int64_t now_us);
/* All have it: it is used from now on. */
void keyring_adopt_if_all(struct keyring *k);
bool keyring_knows(const struct keyring *k, uint32_t epoch, const uint8_t hash[static 32]);

/* keyring_frames.c */
void keyring_forget(struct stream_key **list, uint32_t *n, uint32_t key_id); /* 0: all */
void keyring_drop(struct member *m, struct known_chain *c); /* with what follows from it */
