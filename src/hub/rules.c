/* rules.c - the one table from message to handler, with the right that each
 * needs and the word under which it stands in the log. A message without a row
 * cannot be handled; tests/unit/test_rules.c fails when the schema has one.
 */
#include "hub/file.h"
#include "hub/handlers_account.h"
#include "hub/handlers_media.h"
#include "hub/handlers_meet.h"
#include "hub/handlers_talk.h"

/* Which names in a message must become numbers. */
#define WANTS(name, ...)                                                                           \
    static struct want want_##name(const Roost__ToServer *m)                                       \
    {                                                                                              \
        return (struct want){ __VA_ARGS__ };                                                       \
    }

WANTS(say, .target = m->say->target)
WANTS(typing, .target = m->typing->target)
WANTS(read, .target = m->read->target)
WANTS(search, .target = m->search->target)
WANTS(join, .target = m->join->target)
WANTS(leave, .target = m->leave->target)
WANTS(close_room, .target = m->close_room->target)
WANTS(invite, .target = m->invite->target, .user = m->invite->user)
WANTS(remove, .target = m->remove->target, .user = m->remove->user)
WANTS(ban, .target = m->ban->target, .user = m->ban->user)
WANTS(set_role, .target = m->set_role->target, .user = m->set_role->user)
WANTS(members, .target = m->members->target)
WANTS(set_topic, .target = m->set_topic->target)
WANTS(set_room, .target = m->set_room->target)
WANTS(mute_room, .target = m->mute_room->target)
WANTS(edit, .room = m->edit->room, .seq = m->edit->seq)
WANTS(delete, .room = m->delete_->room, .seq = m->delete_->seq)
WANTS(react, .room = m->react->room, .seq = m->react->seq)
WANTS(sync, .room = m->sync->room)
WANTS(mark, .room = m->mark->room)
WANTS(earlier, .room = m->earlier->room, .seq = m->earlier->seq)
WANTS(pin, .room = m->pin->room, .seq = m->pin->seq)
WANTS(ignore, .user = m->ignore->user)

WANTS(guest, .code = *m->guest->code ? m->guest->code : NULL, .secret = m->guest->secret)
WANTS(meet_new, .target = m->meet_new->room)
WANTS(meet_join, .meeting = m->meet_join->meeting, .code = m->meet_join->code,
      .secret = m->meet_join->secret)
WANTS(meet_act, .room = m->meet_act->meeting, .code = m->meet_act->code)
WANTS(meet_who, .meeting = m->meet_who->meeting, .code = m->meet_who->code)
WANTS(meet_note, .room = m->meet_note->meeting)
WANTS(meet_react, .room = m->meet_react->meeting)

WANTS(media_enter, .room = m->media_enter->meeting)
WANTS(media_publish, .room = m->media_publish->meeting)
WANTS(meet_stats, .meeting = m->meet_stats->meeting, .code = m->meet_stats->code)

WANTS(file_offer, .target = m->file_offer->target)
WANTS(file_list, .target = m->file_list->target)

#define CHANGES RULE_CHANGES
#define BARRIER RULE_CHANGES | RULE_BARRIER

#define ROW(CASE, name, right, flags, ...)                                                         \
    [ROOST__TO_SERVER__BODY_##CASE] = { #name, RIGHT_##right, flags, __VA_ARGS__ }

/* message, log kind, right, flags, wants, on_message, on_stored, on_hashed */
static const struct rule rules[] = {
    ROW(HELLO, hello, NONE, RULE_QUIET, NULL, hello_on_message),
    ROW(PING, ping, NONE, RULE_QUIET, NULL, ping_on_message),
    ROW(SIGN_UP, sign_up, NONE, CHANGES, NULL, sign_up_on_message, sign_up_on_stored,
        sign_up_on_hashed),
    ROW(LOGIN, login, NONE, RULE_ERRORS, NULL, login_on_message, login_on_stored, login_on_hashed),
    ROW(RESUME, resume, NONE, 0, NULL, resume_on_message, resume_on_stored),
    ROW(LOGOUT, logout, LOGIN, CHANGES | RULE_GUESTS, NULL, logout_on_message, logout_on_stored),
    ROW(WHOAMI, whoami, LOGIN, RULE_GUESTS, NULL, whoami_on_message, whoami_on_stored),
    ROW(PASSWD, passwd, LOGIN, CHANGES | RULE_ERRORS, NULL, passwd_on_message, passwd_on_stored,
        passwd_on_hashed),
    ROW(LIST_SESSIONS, list_sessions, LOGIN, 0, NULL, list_sessions_on_message,
        list_sessions_on_stored),
    ROW(END_SESSION, end_session, LOGIN, CHANGES, NULL, end_session_on_message,
        end_session_on_stored),
    ROW(DELETE_ACCOUNT, delete_account, LOGIN, CHANGES | RULE_ERRORS, NULL,
        delete_account_on_message, delete_account_on_stored, delete_account_on_hashed),
    ROW(RESET_PASSWORD, reset_password, NONE, CHANGES | RULE_ERRORS, NULL,
        reset_password_on_message, reset_password_on_stored, reset_password_on_hashed),

    ROW(WHO, who, LOGIN, 0, NULL, who_on_message),
    ROW(WATCH_PEOPLE, watch_people, LOGIN, 0, NULL, watch_people_on_message),
    ROW(AWAY, away, LOGIN, 0, NULL, away_on_message),
    ROW(IGNORE, ignore, LOGIN, CHANGES, want_ignore, ignore_on_message, ignore_on_stored),
    ROW(TYPING, typing, SPEAK, RULE_QUIET | RULE_GUESTS, want_typing, typing_on_message),

    ROW(DATAGRAMS, datagrams, LOGIN, RULE_GUESTS, NULL, datagrams_on_message),
    ROW(TUNNEL, tunnel, NONE, RULE_QUIET, NULL, tunnel_on_message),

    ROW(SAY, say, SPEAK, CHANGES | RULE_GUESTS, want_say, say_on_message, say_on_stored),
    ROW(EDIT, edit, SPEAK, CHANGES | RULE_GUESTS, want_edit, edit_on_message, chat_on_appended),
    ROW(DELETE, delete, MEMBER, CHANGES | RULE_GUESTS, want_delete, delete_on_message,
        chat_on_appended),
    ROW(REACT, react, MEMBER, CHANGES | RULE_GUESTS, want_react, react_on_message,
        chat_on_appended),
    ROW(PIN, pin, MEMBER, BARRIER, want_pin, pin_on_message, pin_on_stored),
    ROW(SYNC, sync, MEMBER, RULE_CLOSED_TOO | RULE_GUESTS, want_sync, sync_on_message,
        sync_on_stored),
    ROW(READ, read, MEMBER, RULE_CLOSED_TOO | RULE_GUESTS, want_read, read_on_message,
        read_on_stored),
    ROW(MARK, mark, MEMBER, RULE_CLOSED_TOO | RULE_GUESTS, want_mark, mark_on_message,
        mark_on_stored),
    ROW(SEARCH, search, LOGIN, RULE_CLOSED_TOO, want_search, search_on_message, search_on_stored),
    ROW(EARLIER, earlier, MODERATE, RULE_CLOSED_TOO, want_earlier, earlier_on_message,
        earlier_on_stored),

    ROW(LIST_ROOMS, list_rooms, LOGIN, RULE_GUESTS, NULL, list_rooms_on_message,
        list_rooms_on_stored),
    ROW(NEW_ROOM, new_room, LOGIN, CHANGES, NULL, new_room_on_message, new_room_on_stored),
    ROW(JOIN, join, SEE, BARRIER, want_join, join_on_message, rooms_on_member),
    ROW(LEAVE, leave, MEMBER, BARRIER | RULE_CLOSED_TOO, want_leave, leave_on_message,
        rooms_on_member),
    ROW(INVITE, invite, MEMBER, BARRIER, want_invite, invite_on_message, rooms_on_member),
    ROW(REMOVE, remove, MODERATE, BARRIER, want_remove, remove_on_message, rooms_on_member),
    ROW(BAN, ban, MODERATE, BARRIER, want_ban, ban_on_message, rooms_on_member),
    ROW(SET_ROLE, set_role, OWN, BARRIER, want_set_role, set_role_on_message, rooms_on_member),
    ROW(CLOSE_ROOM, close_room, OWN, BARRIER | RULE_CLOSED_TOO, want_close_room,
        close_room_on_message, rooms_on_set),
    ROW(SET_TOPIC, set_topic, MODERATE, BARRIER, want_set_topic, set_topic_on_message,
        rooms_on_set),
    ROW(SET_ROOM, set_room, OWN, BARRIER, want_set_room, set_room_on_message, rooms_on_set),
    ROW(MEMBERS, members, MEMBER, RULE_CLOSED_TOO, want_members, members_on_message),
    ROW(MUTE_ROOM, mute_room, MEMBER, CHANGES | RULE_CLOSED_TOO, want_mute_room,
        mute_room_on_message, mute_room_on_stored),

    ROW(GUEST, guest, NONE, RULE_ERRORS, want_guest, guest_on_message, guest_on_stored),
    ROW(MEET_NEW, meet_new, LOGIN, CHANGES | RULE_DUPS | RULE_ERRORS | RULE_GUESTS, want_meet_new,
        meet_new_on_message, meet_new_on_stored),
    ROW(MEET_JOIN, meet_join, MEET, BARRIER | RULE_DUPS | RULE_GUESTS | RULE_CLOSED_TOO,
        want_meet_join, meet_join_on_message, meet_join_on_stored),
    ROW(MEET_ACT, meet_act, MEET, BARRIER | RULE_ERRORS | RULE_DUPS | RULE_GUESTS, want_meet_act,
        meet_act_on_message, meet_act_on_stored),
    ROW(MEET_WHO, meet_who, MEET, RULE_GUESTS, want_meet_who, meet_who_on_message),
    ROW(MEET_LIST, meet_list, LOGIN, RULE_GUESTS, NULL, meet_list_on_message, meet_list_on_stored),
    ROW(MEET_NOTE, meet_note, MEET, CHANGES | RULE_GUESTS, want_meet_note, meet_note_on_message,
        meet_note_on_stored),
    ROW(MEET_REACT, meet_react, MEET, RULE_QUIET | RULE_GUESTS, want_meet_react,
        meet_react_on_message),

    ROW(MEDIA_ENTER, media_enter, MEET, RULE_GUESTS, want_media_enter, media_enter_on_message),
    ROW(MEDIA_LEAVE, media_leave, LOGIN, RULE_GUESTS, NULL, media_leave_on_message),
    ROW(MEDIA_PUBLISH, media_publish, MEET, RULE_GUESTS, want_media_publish,
        media_publish_on_message),
    ROW(MEDIA_UNPUBLISH, media_unpublish, LOGIN, RULE_GUESTS, NULL, media_unpublish_on_message),
    ROW(MEDIA_WANT, media_want, LOGIN, RULE_QUIET | RULE_GUESTS, NULL, media_want_on_message),
    ROW(MEDIA_KEYS, media_keys, LOGIN, RULE_QUIET | RULE_GUESTS, NULL, media_keys_on_message),
    ROW(MEDIA_REPORT, media_report, LOGIN, RULE_QUIET | RULE_GUESTS, NULL, media_report_on_message),
    ROW(MEET_STATS, meet_stats, MEET, RULE_GUESTS, want_meet_stats, meet_stats_on_message),

    ROW(FILE_OFFER, file_offer, SPEAK, CHANGES | RULE_DUPS | RULE_GUESTS, want_file_offer,
        file_offer_on_message, file_offer_on_stored),
    ROW(FILE_ANSWER, file_answer, LOGIN, CHANGES | RULE_DUPS, NULL, file_answer_on_message,
        file_answer_on_stored),
    ROW(FILE_STATE, file_state, LOGIN, 0, NULL, file_state_on_message, file_state_on_stored),
    ROW(FILE_GET, file_get, LOGIN, RULE_GUESTS | RULE_HOME, NULL, file_get_on_message,
        file_get_on_stored),
    ROW(FILE_LIST, file_list, LOGIN, RULE_GUESTS | RULE_CLOSED_TOO, want_file_list,
        file_list_on_message, file_list_on_stored),
    ROW(FILE_CANCEL, file_cancel, LOGIN, CHANGES | RULE_GUESTS, NULL, file_cancel_on_message,
        file_cancel_on_stored),
    ROW(FILE_FORGET, file_forget, LOGIN, CHANGES | RULE_GUESTS | RULE_HOME, NULL,
        file_forget_on_message, file_forget_on_stored),
    ROW(FILE_SIGNAL, file_signal, NONE, RULE_QUIET, NULL, file_signal_on_message),
    ROW(FILE_RELAY, file_relay, NONE, 0, NULL, file_relay_on_message),
    ROW(FILE_PROGRESS, file_progress, LOGIN, RULE_QUIET | RULE_GUESTS, NULL,
        file_progress_on_message),
    ROW(CODE_NEW, code_new, NONE, 0, NULL, code_new_on_message),
    ROW(CODE_JOIN, code_join, NONE, 0, NULL, code_join_on_message),
    ROW(CODE_END, code_end, NONE, 0, NULL, code_end_on_message),

    ROW(CALC, calc, LOGIN, 0, NULL, calc_on_message),

    ROW(ADMIN_USERS, admin_users, ADMIN, 0, NULL, admin_users_on_message, admin_users_on_stored),
    ROW(ADMIN_USER_NEW, admin_user_new, ADMIN, CHANGES, NULL, admin_user_new_on_message, NULL,
        admin_user_new_on_hashed),
    ROW(ADMIN_RESET, admin_reset, ADMIN, CHANGES | RULE_DUPS, admin_reset_want,
        admin_reset_on_message, admin_reset_on_stored),
    ROW(ADMIN_ROLE, admin_role, ADMIN, CHANGES, admin_role_want, admin_role_on_message,
        admin_role_on_stored),
    ROW(ADMIN_DELETE, admin_delete, ADMIN, CHANGES, admin_delete_want, admin_delete_on_message,
        admin_delete_on_stored),
    ROW(ADMIN_BLOCKS, admin_blocks, ADMIN, 0, NULL, admin_blocks_on_message,
        admin_blocks_on_stored),
    ROW(ADMIN_BLOCK, admin_block, ADMIN, CHANGES, admin_block_want, admin_block_on_message,
        admin_block_on_stored),
    ROW(ADMIN_UNBLOCK, admin_unblock, ADMIN, CHANGES, NULL, admin_unblock_on_message,
        admin_unblock_on_stored),
    ROW(ADMIN_SESSIONS, admin_sessions, ADMIN, 0, NULL, admin_sessions_on_message,
        admin_sessions_on_stored),
    ROW(ADMIN_END_SESSION, admin_end_session, ADMIN, CHANGES, NULL, admin_end_session_on_message,
        admin_end_session_on_stored),
    ROW(ADMIN_ROOMS, admin_rooms, ADMIN, 0, NULL, admin_rooms_on_message, admin_rooms_on_stored),
    ROW(ADMIN_INVITE, admin_invite, ADMIN, CHANGES | RULE_DUPS, NULL, admin_invite_on_message,
        admin_invite_on_stored),
    ROW(ADMIN_LOG, admin_log, ADMIN, 0, NULL, admin_log_on_message, admin_log_on_stored),
    ROW(ADMIN_MEETINGS, admin_meetings, ADMIN, 0, NULL, admin_meetings_on_message,
        admin_meetings_on_stored),
    ROW(ADMIN_EXPORT, admin_export, ADMIN, RULE_CLOSED_TOO, admin_export_want,
        admin_export_on_message, admin_export_on_stored),
    ROW(ADMIN_BACKUP, admin_backup, ADMIN, 0, NULL, admin_backup_on_message),
    ROW(ADMIN_RESTORE, admin_restore, ADMIN, 0, NULL, admin_restore_on_message),
    ROW(ADMIN_STATS, admin_stats, ADMIN, 0, NULL, admin_stats_on_message),
    ROW(ADMIN_CHECK, admin_check, ADMIN, 0, NULL, admin_check_on_message),
};

const struct rule *rule_of(const Roost__ToServer *m)
{
    /* For a refusal that waits for the store: no handler of its own. */
    static const struct rule refused = { "refused", RIGHT_NONE, RULE_ERRORS };
    size_t n = sizeof rules / sizeof *rules;

    if (!m)
        return &refused;
    return (size_t)m->body_case < n && rules[m->body_case].on_message ? &rules[m->body_case] : NULL;
}
