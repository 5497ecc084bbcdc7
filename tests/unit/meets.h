/* meets.h - what visitors do in meetings, for stories: each returns reply_code. */
#pragma once

#include "asking.h"

/* Somebody in a story: an account, or a guest when `guest` is set. */
struct meets {
    struct stage *stage;
    struct visitor *host; /* the account "host", who made the meeting and is in */
    uint64_t meeting;
    char code[12], secret[40];
};

struct stage *meet_stage(void);  /* nobody is taken for dead */
void unhurried(struct stage *s); /* as much as one likes may be said and done */
void meets_begin(struct meets *m, struct stage *s, bool open);
void meets_end(struct meets *m);
void meets_crash(struct meets *m); /* the hub knows what the store knows; the host is back */

int meet_new(struct visitor *v, struct meets *m, bool open);
/* Becomes a guest with a number, at the door; code "": to host. device: which one. */
int guest(struct visitor *v, const char *name, const char *code, const char *secret,
          uint8_t device);
int join_by(struct visitor *v, const char *code, const char *secret, uint64_t meeting);
int join_link(struct visitor *v, const struct meets *m);
int join_code(struct visitor *v, const struct meets *m);
int act_on(struct visitor *v, const struct meets *m, Roost__MeetAction action, uint64_t whom,
           const char *text);
int act_named(struct visitor *v, const struct meets *m, Roost__MeetAction action, const char *whom);
/* The row of whom, as the host's list of attendance has it; NULL: none. It holds until
 * visitor_forget of the host. */
const Roost__Attendee *row_of(struct meets *m, uint64_t whom);
const Roost__Meeting *head_of(struct meets *m);
