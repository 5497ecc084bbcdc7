/* edge.h - what the files behind roost.h share: a core, its connection, its home. */
#pragma once

#include "client/core.h"
#include "client/datagrams.h"
#include "client/files.h"
#include "client/home.h"
#include "client/speech.h"
#include "client/tls.h"
#include "roost.h"

struct roost {
    struct core *core;
    struct tls tls;
    struct home home;
    char host[256], port[8], server[300];
    char user[CORE_NAME_MAX]; /* whose token is used; "" = none */
    bool guest;               /* user is a guest's key, home.h */
    char accept[HOME_PRINT_LEN + 1];
    struct roost_options options; /* only the callback and the flags; strings are above */
    char detail[2048];
    bool asking, refused; /* a certificate waits for an answer, or was refused */
    char shown[HOME_PRINT_LEN + 1], pinned[HOME_PRINT_LEN + 1], pin_file[HOME_PATH_MAX + 16];
    struct roost_trust trust;
    bool want_token; /* CORE_LOAD waits for the lock */
    int64_t lock_at_us, lock_until_us;
    bool tell_asking;         /* an event of ROOST_ASKING waits */
    struct roost_ticket roll; /* what roost_meet_get gave last */
    struct arena roll_mem;
    struct datagrams datagrams;
    struct files files;
    struct speech speech;
    struct study study;
    bool bends; /* datagrams go through such a link */
    struct link_pair link;
};

int64_t edge_now_us(void);
void edge_complain(const char *text); /* what roost_problem() says; handle.c */
/* "#room", "@user", "*", or the number of a room; borrows. False: it is none. */
bool edge_target(Roost__Target *t, const char *s);
/* The trust question, checked against pins: 1 trusted, 0 asked later, or an error. */
int edge_trust(struct roost *r);
int edge_guest_keep(struct roost *r, const char *code);

/* plain.c: what the core tells, as plain structs in the event's own arena. */
int plain_event(struct roost *r, struct core_event *from, struct roost_event *to);
/* plain_meet.c; NULL gives nobody, or no meeting. */
void plain_attendee(const Roost__Attendee *m, struct roost_attendee *p);
void plain_meeting(const Roost__Meeting *m, struct roost_meeting *p);
int plain_ticket(struct arena *a, const Roost__Ticket *m, struct roost_ticket *p);
int plain_met(struct arena *a, const Roost__Met *m, struct roost_met *p);
/* plain_voice.c */
int plain_figures(struct arena *a, const Roost__MeetFigures *m, struct roost_reply *to);
/* plain_file.c */
void plain_file(const struct roost *r, const Roost__FileInfo *m, struct roost_file *p);
enum roost_file_stage plain_file_stage(Roost__FileStage stage);
int plain_file_push(struct roost *r, const Roost__ToClient *m, struct roost_event *to);
int plain_meet_push(struct arena *a, const Roost__ToClient *m, struct roost_event *to);
