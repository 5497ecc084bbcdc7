/* handlers_talk.h - the handlers of rooms, talk and people, for the table in rules.c. */
#pragma once

#include "hub/internal.h"

#define HANDLER(name)                                                                              \
    int name##_on_message(struct hub *h, struct request *q);                                       \
    int name##_on_stored(struct hub *h, struct request *q, struct store_result *r)

HANDLER(say);
HANDLER(pin);
HANDLER(sync);
HANDLER(read);
HANDLER(search);
HANDLER(earlier);
HANDLER(mark);
HANDLER(list_rooms);
HANDLER(new_room);
HANDLER(ignore);
#undef HANDLER

/* These end as every event does: chat_on_appended, or rooms_on_member. */
int edit_on_message(struct hub *h, struct request *q);
int delete_on_message(struct hub *h, struct request *q);
int react_on_message(struct hub *h, struct request *q);
int typing_on_message(struct hub *h, struct request *q);
int join_on_message(struct hub *h, struct request *q);
int leave_on_message(struct hub *h, struct request *q);
int invite_on_message(struct hub *h, struct request *q);
int remove_on_message(struct hub *h, struct request *q);
int ban_on_message(struct hub *h, struct request *q);
int set_role_on_message(struct hub *h, struct request *q);
int rooms_on_member(struct hub *h, struct request *q, struct store_result *r);
int close_room_on_message(struct hub *h, struct request *q);
int set_topic_on_message(struct hub *h, struct request *q);
int set_room_on_message(struct hub *h, struct request *q);
int rooms_on_set(struct hub *h, struct request *q, struct store_result *r);
int members_on_message(struct hub *h, struct request *q);
int mute_room_on_message(struct hub *h, struct request *q);
int mute_room_on_stored(struct hub *h, struct request *q, struct store_result *r);
int hello_on_message(struct hub *h, struct request *q);
int ping_on_message(struct hub *h, struct request *q);
int who_on_message(struct hub *h, struct request *q);
int watch_people_on_message(struct hub *h, struct request *q);
int away_on_message(struct hub *h, struct request *q);
int datagrams_on_message(struct hub *h, struct request *q);
int tunnel_on_message(struct hub *h, struct request *q);

/* The account hears what place the room has for it, or that it has none any more. */
void rooms_tell_place(struct hub *h, const struct room *r, uint64_t account, bool gone);
/* 0 for a room of many; direct rooms and the room of all have no members to manage. */
int rooms_of_many(const struct request *q);
/* Every member hears what place the room has for them. */
void rooms_tell_place_all(struct hub *h, const struct room *r);
/* The first number that q may read in its room: a guest reads what came while it was in. */
uint64_t reading_from(const struct request *q);
/* Answers with as many events as fit a frame: from the old end, or from the new one. */
int reading_reply_page(struct hub *h, struct request *q, const struct store_result *r, bool newest);
