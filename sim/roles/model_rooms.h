/* model_rooms.h - rooms and the server, by the page. */
#pragma once

#include "sim/roles/model.h"

enum m_what {
    DO_READ,
    DO_SPEAK,
    DO_PIN,
    DO_EARLIER, /* reads what a text was before it was edited */
    DO_REACT,
    DO_TOPIC,
    DO_MODERATED,
    DO_CLOSE,
    DO_JOIN,
    DO_LEAVE,
    DO_INVITE,
    DO_REMOVE,
    DO_BAN,
    DO_LIFT,
    DO_ROLE,
};
enum { DO_WHATS = DO_ROLE + 1 };

struct m_deed {
    enum m_what what;
    struct m_room *room;
    uint64_t by, whom;
    Roost__RoomRole role; /* DO_ROLE */
    bool on;              /* DO_MODERATED */
};

no m_may_do(struct model *m, const struct m_deed *d);
void m_do(struct model *m, const struct m_deed *d); /* after a yes */
void m_room_new(struct model *m, uint64_t id, uint64_t owner, bool private);
no m_may_everyone(struct model *m, uint64_t by); /* say to everyone */
no m_may_user(struct model *m, uint64_t by);     /* what every account may */
no m_may_admin(struct model *m, uint64_t by);
