/* keyring.h - the keys of a meeting, as one device has them: its own, and the others'.
 *
 * The hub says who is there (an epoch and a list) and carries messages between devices; it is
 * believed in neither. What goes between two devices is signed, sealed, and bound to the list that
 * its sender was shown:
 *
 *     HELLO, BACK  see seal/tie.h: who comes says HELLO to all who are there
 *     KEY    2, meeting 8, epoch 4, hash of the list 32, sender 32, receiver 32, key id 4, number
 * 4, sealed key 32 + 16, signature 64 GOT    3, meeting 8, key id 4, number 4, tag 16
 *
 * Only who sends has a key (keyring_speak). Somebody joins: the key goes on by one step, and the
 * new one is told. Somebody leaves: a new key for all who are left; it is used when all of them
 * have confirmed it, and after KEYRING_PATIENCE_US whoever has not. Keys from before are then
 * opened with for KEYRING_LATE_US more; who left is heard no more at once.
 *
 * Where a meeting is not sealed end to end, the hub's key stands for everybody's, under the same
 * frames. Which of the two it is, is settled when a keyring is made, and does not change.
 *
 * Pure: time and randomness are given. Memory: what follows from a key when it is used first; none
 * for a frame. Not thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "seal/roster.h"
#include "wire/media.h"

enum {
    KEYRING_MESSAGE_MAX = 240,
    KEYRING_TAG = 16,
    KEYRING_SECRET = 32,
    KEYRING_STREAMS_MAX = 32, /* keys of one sender that are in use: streams times encodings */
    KEYRING_EARLY_MAX = 512,  /* messages of an epoch that we do not know yet */
    KEYRING_EPOCHS = 16,      /* that are remembered */
    KEYRING_RESTARTS_MAX = 4, /* of a device in one epoch */
    KEYRING_UNKNOWN = 1,      /* keyring_open: the key may be on its way */
};
#define KEYRING_PATIENCE_US 1000000
#define KEYRING_LATE_US     2000000

enum keyring_what {
    KEYRING_NEW_KEY,   /* ours, from now on; value: its id */
    KEYRING_HAS_KEY,   /* who sent us theirs */
    KEYRING_DIFFERS,   /* who was shown another list than we: somebody lies */
    KEYRING_FORGED,    /* a message in their name that they did not write */
    KEYRING_WENT_BACK, /* the hub showed an old list, or two of one epoch */
    KEYRING_ALTERED,   /* not by the keyring, but by who opens frames with it: frames in their name
                          do not open */
};

struct keyring_event {
    enum keyring_what what;
    uint32_t who, value;
};

struct keyring_settings {
    uint64_t meeting;
    uint32_t number;       /* of this device, as in the roster */
    const uint8_t *seed;   /* 32 bytes, of the device's identity */
    const uint8_t *random; /* 32 fresh ones */
    const uint8_t *hub;    /* KEYRING_SECRET: not end to end, the hub's key; or NULL */
};

struct keyring;

int keyring_new(struct keyring **ret, const struct keyring_settings *s);
void keyring_free(struct keyring *k);
bool keyring_is_end_to_end(const struct keyring *k);
const uint8_t *keyring_identity(const struct keyring *k);

/* Who is there now, this device included; each identity and number once. -ROOST_INVALID: it is no
 * such list; -ROOST_UNTRUSTED: the hub goes back (an event says so too), nothing changed. */
int keyring_on_roster(struct keyring *k, int64_t now_us, uint32_t epoch,
                      const struct roster_member *members, size_t n);
/* `who` is what the hub says. What is not taken is refused with -ROOST_MALFORMED,
 * -ROOST_UNTRUSTED (and an event), -ROOST_ALREADY or -ROOST_NOT_IN_MEETING; 0: taken, or kept until
 * its epoch comes; -ROOST_LIMIT: too many are. */
int keyring_on_message(struct keyring *k, int64_t now_us, uint32_t who, const uint8_t *bytes,
                       size_t len);
/* The next message to be sent, and to whom; 0: none. */
size_t keyring_next(struct keyring *k, uint32_t *ret_to, uint8_t ret[static KEYRING_MESSAGE_MAX]);
void keyring_expire(struct keyring *k, int64_t now_us);
int64_t keyring_deadline_us(const struct keyring *k); /* INT64_MAX: none */
bool keyring_event(struct keyring *k, struct keyring_event *ret);

/* This device is going to send. */
int keyring_speak(struct keyring *k, int64_t now_us);
/* The id of the key that frames are sealed under; 0: none yet. */
uint32_t keyring_key_id(const struct keyring *k);

/* In place; m->key_id is set. -ROOST_INVALID: the frame's number is not higher than those before,
 * or there is no key; -ROOST_LIMIT; -ROOST_NOMEM. */
int keyring_seal(struct keyring *k, struct media *m, uint8_t *bytes, size_t len,
                 uint8_t tag[static KEYRING_TAG]);
/* In place. 0; KEYRING_UNKNOWN; -ROOST_MALFORMED: not what was sealed; -ROOST_ALREADY: opened
 * before, or too old; -ROOST_NOT_IN_MEETING; -ROOST_LIMIT; -ROOST_NOMEM. */
int keyring_open(struct keyring *k, int64_t now_us, uint32_t who, const struct media *m,
                 uint8_t *bytes, size_t len, const uint8_t tag[static KEYRING_TAG]);
/* Of a part, by its sender and for who checks it, under the key of m->key_id. Results as above. */
int keyring_mark(struct keyring *k, int64_t now_us, uint32_t who, const struct media *m,
                 const uint8_t *bytes, size_t len, uint8_t ret[static MEDIA_MARK]);
