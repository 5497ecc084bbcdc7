/* meet_acts.h - one action in a meeting while it is decided: what the table (meet_rules.c) and
 * the functions that say what changes (meet_acts_*.c) share.
 */
#pragma once

#include "hub/meeting.h"

typedef struct attendee person;

struct act {
    const struct meeting *m;
    const struct meet_ask *ask;
    struct meet_change *c;
    const person *by;  /* as it is */
    const person *who; /* as it is; NULL: nobody */
    person *edit;      /* who, as it will be; NULL: nothing of it changes yet */
};

/* -ROOST_ALREADY if it is so. */
int act_turn(protobuf_c_boolean *what, bool to);
person *act_edit(struct act *a);
/* Nobody's change is listed in the event. */
/* The host is a successor who may not do everything yet. */
bool act_is_fresh(const struct act *a);
void act_quiet(struct act *a);
/* f for each who is in that state, in the order of coming. */
void act_each(struct act *a, uint32_t state, void (*f)(struct act *a, person *p));

/* What changes: 0, or why it cannot be. */
#define ACT(name) int act_##name(struct act *a)
ACT(admit);
ACT(admit_all);
ACT(deny);
ACT(deny_all);
ACT(message);
ACT(mute);
ACT(mute_all);
ACT(mute_on_entry);
ACT(no_mute_on_entry);
ACT(lock_mics);
ACT(unlock_mics);
ACT(ask_unmute);
ACT(ask_video);
ACT(stop_video);
ACT(self_mute);
ACT(self_unmute);
ACT(video_on);
ACT(video_off);
ACT(allow_share);
ACT(forbid_share);
ACT(give_share);
ACT(take_share);
ACT(want_share);
ACT(start_share);
ACT(stop_share);
ACT(spotlight);
ACT(spotlight_off);
ACT(allow_record);
ACT(forbid_record);
ACT(start_record);
ACT(stop_record);
ACT(rename_one);
ACT(remove_one);
ACT(ban);
ACT(unban);
ACT(make_cohost);
ACT(drop_cohost);
ACT(make_viewer);
ACT(make_participant);
ACT(make_host);
ACT(take_back);
ACT(lower_hand);
ACT(hand_up);
ACT(go_away);
ACT(come_back);
ACT(title);
ACT(end);
ACT(leave);
ACT(allow_chat);
ACT(forbid_chat);
ACT(allow_notes);
ACT(forbid_notes);
ACT(allow_rename);
ACT(forbid_rename);
ACT(lock);
ACT(unlock);
ACT(open_door);
ACT(close_door);
ACT(keep_chat);
ACT(forget_chat);
#undef ACT
