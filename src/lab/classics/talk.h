/* talk.h - two talk by turns: after a message one waits for the reply.
 *
 * Over TCP a message is a line, so nc can be the other side; a line that holds only the character
 * EOT (U+0004) is goodbye, and is answered with one. Over UDP:
 *
 *     HELLO, WELCOME    from who calls, and back: a session has begun
 *     TEXT n, ACK n     a message, and that it came; without ACK it goes again
 *     BYE               goodbye, answered with one
 *     BUSY              somebody else is talking
 *
 * An ACK is not the reply: it is the machine's, and ends the repeating. The reply is a TEXT of
 * the person's, and only that gives the turn back. When both begin at once, each other's message
 * is the reply. Numbers count from 1, so what comes twice is heard once. Datagrams end in a
 * CRC-32 (pack.h).
 *
 * Pure: bytes and time in, bytes and a deadline out; the memory is the owner's; microseconds.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TALK_CHARACTERS_MAX = 1000, /* of a message over UDP */
    TALK_TEXT_MAX = 8000,       /* bytes, over TCP */
    TALK_OUT_MAX = TALK_TEXT_MAX + 64,
    TALK_TRIES = 7,
    TALK_BYE_TRIES = 6,
};
#define TALK_AGAIN_US    300000  /* doubled each time, up to eight times of it */
#define TALK_PATIENCE_US 2000000 /* over TCP, for the other goodbye */

enum talk_state {
    TALK_WAITS, /* for who calls */
    TALK_CALLS,
    TALK_TALKS,
    TALK_LEAVES, /* we said goodbye */
    TALK_OVER,
    TALK_LOST, /* the other side does not answer, or went without a word */
};

struct talk {
    enum talk_state state;
    bool udp;
    uint32_t session;
    bool turn;                    /* we may say something, as far as the reply goes */
    uint32_t said, heard;         /* numbers */
    char text[TALK_TEXT_MAX + 1]; /* that is not acknowledged yet; over TCP: that is to leave */
    bool pending;
    unsigned tries;
    int64_t sent_us;
    bool was_left; /* the other side said goodbye first */
    /* answers that are due */
    bool owes_welcome, owes_ack, owes_bye, owes_busy;
    uint32_t ack;
    uint32_t busy; /* whom it is told */
};

enum talk_news { TALK_NOTHING, TALK_BEGUN, TALK_TEXT, TALK_GOODBYE, TALK_BUSY };

void talk_init(struct talk *t, bool udp, bool calls, uint32_t session);
/* A connection is there: over TCP nothing else needs to be said. */
void talk_connected(struct talk *t);
/* 0; -ROOST_BUSY: the reply has not come; -ROOST_TOO_LONG, -ROOST_BAD_TEXT. */
int talk_say(struct talk *t, const char *text, size_t len);
bool talk_may_say(const struct talk *t);
void talk_bye(struct talk *t);
/* A line or datagram. TALK_TEXT: it is in *ret_text, and borrows from bytes. */
enum talk_news talk_hear(struct talk *t, const uint8_t *bytes, size_t len, const char **ret_text,
                         size_t *ret_len);
/* What is to be sent now: its length, or 0. */
size_t talk_next(struct talk *t, int64_t now_us, uint8_t ret[static TALK_OUT_MAX]);
int64_t talk_deadline_us(const struct talk *t);
void talk_describe(bool udp, const uint8_t *bytes, size_t len, char ret[static 256]);
