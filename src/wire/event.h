/* event.h - one event of a room, as the hub makes it and the store keeps it.
 *
 * Flat on purpose: each member is a column, and each kind uses a few. Strings
 * and arrays borrow from whoever made the event (an arena, a message).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/msg.h"

/* Numbers are stored: never reuse one. */
enum event_kind {
    EVENT_TEXT = 1,
    EVENT_EDIT = 2,   /* ref = the text, text = the new words */
    EVENT_DELETE = 3, /* ref = the text */
    EVENT_REACT = 4,  /* ref = the text, text = the emoji, flag = taken back */
    EVENT_MEMBER = 5, /* who, change, role */
    EVENT_ROOM = 6,   /* all of what a room is set to */
    EVENT_PIN = 7,    /* ref = the text, flag = taken down */
    EVENT_MEET = 8,   /* change = Roost__MeetAction, who, data = a packed Roost__Met */
    EVENT_FILE = 9,   /* ref = the file, text = its name, data = a packed Roost__Filed */
};

struct event_reaction {
    const char *emoji;
    uint32_t count;
    bool mine;
};

struct event {
    uint64_t room, seq;
    int64_t at_ms;
    uint64_t from; /* account, 0 = the server */
    const char *from_name;
    const char *shown; /* kept in from_name's place: what a meeting calls it; NULL: its own name */
    enum event_kind kind;
    uint64_t ref; /* the message concerned; for EVENT_TEXT what it replies to */
    uint64_t who; /* EVENT_MEMBER: whose place changed */
    const char *who_name;
    uint32_t change;  /* Roost__MemberChanged__Change */
    uint32_t role;    /* Roost__RoomRole */
    bool flag;        /* EVENT_TEXT: an action; EVENT_REACT, EVENT_PIN: off */
    const char *text; /* the words, the emoji, or the room's topic */
    const uint64_t *mentions;
    size_t n_mentions;
    const uint8_t *data; /* EVENT_MEET, EVENT_FILE */
    size_t n_data;

    /* EVENT_ROOM */
    bool private, moderated, closed, created;
    uint32_t retention_days;
    const char *room_name;

    /* EVENT_TEXT, read later: what became of it. The store fills these. */
    uint64_t edit_seq; /* text is that edit's */
    bool deleted;      /* text is "" */
    const struct event_reaction *reactions;
    size_t n_reactions;
};

/* The frame that carries it to a client; NULL when out of memory. */
struct blob *event_encode(const struct event *e);

/* As a message in the arena (for pages); NULL when out of memory. */
Roost__Event *event_to_msg(struct arena *a, const struct event *e);
