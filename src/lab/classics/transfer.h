/* transfer.h - a file in chunks, with an acknowledgement a chunk.
 *
 *     sender                                    receiver
 *       OFFER size, chunk, name  ------------>
 *              <------------  READY (or NO, and why)
 *       CHUNK 0, CHUNK 1 ...     ------------>
 *              <------------  ACK 0, ACK 1 ...
 *       END number, SHA-256      ------------>    reads what it stored, and compares
 *              <------------  DONE
 *
 * How many chunks may be under way is the window. With a window of 1 this is stop-and-wait:
 * the next chunk waits for the acknowledgement, so a round trip carries one chunk. A larger one
 * slides: the sender may be that far ahead of the first chunk that is not acknowledged.
 *
 * Over UDP what is not acknowledged in time goes again. The time is measured (RFC 6298: smoothed
 * round trip and four times its deviation; only of what was sent once, after Karn), and is
 * doubled for a chunk each time that it goes again. Over TCP nothing is lost, so nothing is sent
 * twice.
 *
 * Every message ends in a CRC-32: what a link has damaged is dropped like what was lost. Numbers
 * are checked: a receiver keeps chunks of its window only, each at its own place, once.
 *
 * Pure: bytes and the time come in, bytes and a deadline come out. The caller has the file. The
 * memory is the owner's; microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TRANSFER_WINDOW_MAX = 256,
    TRANSFER_CHUNK_MIN = 1,
    TRANSFER_CHUNK_MAX = 1400, /* with its head a datagram that fits a path of 1500 bytes */
    TRANSFER_NAME_MAX = 255,
    TRANSFER_MESSAGE_MAX = 2048,
    TRANSFER_HASH = 32,
};
#define TRANSFER_SIZE_MAX   (1ULL << 40)
#define TRANSFER_SILENCE_US 15000000 /* no answer for so long: nobody is there any more */

enum transfer_kind {
    TRANSFER_OFFER = 1,
    TRANSFER_READY,
    TRANSFER_NO,
    TRANSFER_CHUNK,
    TRANSFER_ACK,
    TRANSFER_END,
    TRANSFER_DONE,
    TRANSFER_KINDS,
};

enum transfer_why {
    TRANSFER_NAME = 1, /* the name is none that a file may have here */
    TRANSFER_THERE,    /* a file of this name is there */
    TRANSFER_DISK,     /* it could not be stored */
    TRANSFER_DIFFERS,  /* what is stored is not what was sent */
    TRANSFER_BUSY,     /* too many at once */
    TRANSFER_STOPPED,  /* by the person there */
};

struct transfer_message {
    enum transfer_kind kind;
    uint32_t session; /* drawn by the sender, so that an old datagram is nobody's */
    uint64_t size;    /* OFFER */
    uint32_t chunk;   /* OFFER: bytes of each but the last */
    char name[TRANSFER_NAME_MAX + 1];
    uint64_t number;      /* CHUNK, ACK; END: how many there were */
    const uint8_t *bytes; /* CHUNK; borrows */
    size_t len;
    uint8_t hash[TRANSFER_HASH]; /* END */
    enum transfer_why why;       /* NO */
};

/* 0, or -ROOST_MALFORMED: damaged or nonsense. */
int transfer_decode(struct transfer_message *ret, const uint8_t *bytes, size_t len);
/* The length; 0: it is too long for one message. */
size_t transfer_encode(const struct transfer_message *m, uint8_t ret[static TRANSFER_MESSAGE_MAX]);
void transfer_describe(const uint8_t *bytes, size_t len, char ret[static 256]);
const char *transfer_text(enum transfer_why why);
/* A name of one file in one folder: no '/', no control characters, not hidden, UTF-8. */
bool transfer_name_ok(const char *name);

/* --- the sender ----------------------------------------------------------------------------- */

enum transfer_state {
    TRANSFER_OFFERS,
    TRANSFER_SENDS,
    TRANSFER_ENDS,
    TRANSFER_OVER,
    TRANSFER_FAILED
};

struct transfer_slot {
    int64_t sent_us; /* the last time */
    unsigned tries;
    bool acked;
};

struct transfer_out {
    enum transfer_state state;
    bool lossy; /* UDP */
    uint32_t session, chunk, window;
    uint64_t size, chunks;
    char name[TRANSFER_NAME_MAX + 1];
    uint8_t hash[TRANSFER_HASH];
    uint64_t base, next; /* the first that is not acknowledged; the first that was not sent */
    struct transfer_slot slots[TRANSFER_WINDOW_MAX]; /* number % TRANSFER_WINDOW_MAX */
    int64_t asked_us; /* OFFER or END went last; 0: now is the time */
    int64_t heard_us;
    int64_t smooth_us, deviation_us, patience_us; /* smooth 0: not measured yet */
    uint64_t sent, again, damaged; /* chunks; of those sent more than once; messages */
    enum transfer_why why;         /* of TRANSFER_FAILED; 0: nobody answers */
};

void transfer_out_init(struct transfer_out *t, uint32_t session, const char *name, uint64_t size,
                       uint32_t chunk, uint32_t window, bool lossy, int64_t now_us);
void transfer_out_hear(struct transfer_out *t, const uint8_t *bytes, size_t len, int64_t now_us);
/* What goes next: 1, and for a CHUNK only its number, length and place (number * chunk): the
 * caller sets its bytes; for END its hash. 0: nothing now. */
int transfer_out_next(struct transfer_out *t, int64_t now_us, struct transfer_message *ret);
int64_t transfer_out_deadline_us(const struct transfer_out *t);
uint64_t transfer_out_done(const struct transfer_out *t); /* bytes that were acknowledged */

/* --- the receiver ---------------------------------------------------------------------------- */

struct transfer_in {
    bool offered, ended, whole; /* offered: READY was said; whole: DONE */
    uint32_t session, chunk;
    uint64_t size, chunks;
    char name[TRANSFER_NAME_MAX + 1];
    uint8_t hash[TRANSFER_HASH];
    uint64_t base; /* all before are there */
    bool there[TRANSFER_WINDOW_MAX];
    uint64_t got, twice, damaged; /* bytes; chunks that came again; messages */
    enum transfer_why why;        /* one of both said NO */
};

enum transfer_wish {
    TRANSFER_NOTHING,
    TRANSFER_OPEN,  /* somebody offers t->name: transfer_in_accept or _refuse */
    TRANSFER_STORE, /* m->bytes, at m->number * t->chunk; then transfer_in_stored */
    TRANSFER_CHECK, /* all is there: transfer_in_accept if SHA-256 of it is t->hash, else _refuse */
};

/* Takes a message; what it says to that at once is in *ret_answer, if its kind is not 0. */
enum transfer_wish transfer_in_hear(struct transfer_in *t, const uint8_t *bytes, size_t len,
                                    struct transfer_message *ret,
                                    struct transfer_message *ret_answer);
void transfer_in_accept(struct transfer_in *t, struct transfer_message *ret_answer);
void transfer_in_refuse(struct transfer_in *t, enum transfer_why why,
                        struct transfer_message *ret_answer);
void transfer_in_stored(struct transfer_in *t, const struct transfer_message *m,
                        struct transfer_message *ret_answer);
