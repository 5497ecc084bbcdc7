/* requests.c - the request functions of roost.h: each fills one message. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "client/requests.h"

/* Text that a server would not take never leaves. */
static bool ok(const char *s)
{
    return s && utf8_valid(s, strlen(s));
}

/* "#room", "@user", "*", or the number of a room. */
bool edge_target(Roost__Target *t, const char *s)
{
    char *end = NULL;

    roost__target__init(t);
    if (!ok(s) || !*s)
        return false;
    if (*s >= '0' && *s <= '9') {
        t->room = strtoull(s, &end, 10);
        return !*end && t->room;
    }
    t->name = (char *)s;
    return strcmp(s, "*") == 0 || ((*s == '#' || *s == '@') && s[1]);
}

#define TEXT(member, s)                                                                            \
    do {                                                                                           \
        if (!ok(s))                                                                                \
            return -ROOST_INVALID;                                                                 \
        b.member = (char *)(s);                                                                    \
    } while (0)
#define OPTIONAL(member, s)                                                                        \
    do {                                                                                           \
        if (s)                                                                                     \
            TEXT(member, s);                                                                       \
    } while (0)
#define TARGET(s)                                                                                  \
    Roost__Target to;                                                                              \
    if (!edge_target(&to, s))                                                                      \
        return -ROOST_INVALID;                                                                     \
    b.target = &to

/* --- account and sessions --- */

int64_t roost_account_register(struct roost *r, const char *name, const char *password,
                               const char *invite)
{
    BEGIN(SignUp, SIGN_UP, sign_up);
    TEXT(name, name);
    TEXT(password, password);
    OPTIONAL(invite, invite);
    return ask(r, &m);
}

int64_t roost_session_login(struct roost *r, const char *name, const char *password)
{
    if (!ok(name) || !ok(password))
        return -ROOST_INVALID;
    return core_login(r->core, name, password, edge_now_us());
}

int64_t roost_session_logout(struct roost *r)
{
    BEGIN(Logout, LOGOUT, logout);
    return ask(r, &m);
}

int64_t roost_session_list(struct roost *r)
{
    BEGIN(ListSessions, LIST_SESSIONS, list_sessions);
    return ask(r, &m);
}

int64_t roost_session_end(struct roost *r, uint64_t session)
{
    BEGIN(EndSession, END_SESSION, end_session);
    b.session = session;
    return ask(r, &m);
}

int64_t roost_account_whoami(struct roost *r)
{
    BEGIN(Whoami, WHOAMI, whoami);
    return ask(r, &m);
}

int64_t roost_account_passwd(struct roost *r, const char *old_password, const char *new_password)
{
    BEGIN(Passwd, PASSWD, passwd);
    TEXT(old_password, old_password);
    TEXT(new_password, new_password);
    return ask(r, &m);
}

int64_t roost_account_delete(struct roost *r, const char *password)
{
    BEGIN(DeleteAccount, DELETE_ACCOUNT, delete_account);
    TEXT(password, password);
    return ask(r, &m);
}

int64_t roost_account_reset(struct roost *r, const char *name, const char *reset,
                            const char *new_password)
{
    BEGIN(ResetPassword, RESET_PASSWORD, reset_password);
    TEXT(name, name);
    TEXT(reset, reset);
    TEXT(new_password, new_password);
    return ask(r, &m);
}

/* --- people --- */

int64_t roost_people_who(struct roost *r, uint64_t after_account)
{
    BEGIN(Who, WHO, who);
    b.after = after_account;
    return ask(r, &m);
}

int64_t roost_people_watch(struct roost *r, bool on)
{
    BEGIN(WatchPeople, WATCH_PEOPLE, watch_people);
    b.on = on;
    return ask(r, &m);
}

int64_t roost_people_ignore(struct roost *r, const char *user, bool on)
{
    BEGIN(Ignore, IGNORE, ignore);
    TEXT(user, user);
    b.on = on;
    return ask(r, &m);
}

int64_t roost_people_away(struct roost *r, const char *text)
{
    BEGIN(Away, AWAY, away);
    TEXT(text, text);
    return ask(r, &m);
}

int64_t roost_people_typing(struct roost *r, const char *target)
{
    BEGIN(Typing, TYPING, typing);
    TARGET(target);
    return ask(r, &m);
}

/* --- talk --- */

int64_t roost_message_say(struct roost *r, const char *target, const char *text, uint64_t reply_to,
                          bool action)
{
    BEGIN(Say, SAY, say);
    TARGET(target);
    TEXT(text, text);
    b.reply_to = reply_to;
    b.action = action;
    return ask(r, &m);
}

int64_t roost_message_edit(struct roost *r, uint64_t room, uint64_t seq, const char *text)
{
    BEGIN(Edit, EDIT, edit);
    b.room = room;
    b.seq = seq;
    TEXT(text, text);
    return ask(r, &m);
}

int64_t roost_message_delete(struct roost *r, uint64_t room, uint64_t seq)
{
    BEGIN(Delete, DELETE, delete_);
    b.room = room;
    b.seq = seq;
    return ask(r, &m);
}

int64_t roost_message_react(struct roost *r, uint64_t room, uint64_t seq, const char *emoji,
                            bool remove)
{
    BEGIN(React, REACT, react);
    b.room = room;
    b.seq = seq;
    TEXT(emoji, emoji);
    b.remove = remove;
    return ask(r, &m);
}

int64_t roost_message_earlier(struct roost *r, uint64_t room, uint64_t seq)
{
    BEGIN(Earlier, EARLIER, earlier);
    b.room = room;
    b.seq = seq;
    return ask(r, &m);
}

int64_t roost_message_read(struct roost *r, const struct roost_read *what)
{
    BEGIN(Read, READ, read);
    TARGET(what->target);
    b.since_ms = what->since_ms;
    b.after = what->after;
    b.before = what->before;
    b.around = what->around;
    b.limit = what->limit;
    b.last = what->last;
    b.unread = what->unread;
    return ask(r, &m);
}

int64_t roost_message_search(struct roost *r, const char *words, const char *target,
                             uint64_t since_ms, uint32_t limit)
{
    BEGIN(Search, SEARCH, search);
    Roost__Target to;
    if (target && !edge_target(&to, target))
        return -ROOST_INVALID;
    if (target)
        b.target = &to;
    TEXT(words, words);
    b.since_ms = since_ms;
    b.limit = limit;
    return ask(r, &m);
}

int64_t roost_room_follow(struct roost *r, uint64_t room, uint64_t after)
{
    return core_follow(r->core, room, after, edge_now_us());
}

void roost_room_unfollow(struct roost *r, uint64_t room)
{
    core_unfollow(r->core, room);
}

int64_t roost_room_mark(struct roost *r, uint64_t room, uint64_t delivered, uint64_t read)
{
    BEGIN(Mark, MARK, mark);
    b.room = room;
    b.delivered = delivered;
    b.read = read;
    return ask(r, &m);
}

/* --- rooms --- */

int64_t roost_room_list(struct roost *r, bool mine, uint64_t after_room)
{
    BEGIN(ListRooms, LIST_ROOMS, list_rooms);
    b.mine = mine;
    b.after = after_room;
    return ask(r, &m);
}

int64_t roost_room_new(struct roost *r, const struct roost_room_new *what)
{
    BEGIN(NewRoom, NEW_ROOM, new_room);
    TEXT(name, what->name);
    OPTIONAL(topic, what->topic);
    for (size_t i = 0; i < what->n_users; i++)
        if (!ok(what->users[i]))
            return -ROOST_INVALID;
    b.users = (char **)what->users;
    b.n_users = what->n_users;
    b.private_ = what->private_;
    b.moderated = what->moderated;
    return ask(r, &m);
}

int64_t roost_room_join(struct roost *r, const char *target)
{
    BEGIN(Join, JOIN, join);
    TARGET(target);
    return ask(r, &m);
}

int64_t roost_room_leave(struct roost *r, const char *target)
{
    BEGIN(Leave, LEAVE, leave);
    TARGET(target);
    return ask(r, &m);
}

int64_t roost_room_close(struct roost *r, const char *target)
{
    BEGIN(CloseRoom, CLOSE_ROOM, close_room);
    TARGET(target);
    return ask(r, &m);
}

int64_t roost_room_invite(struct roost *r, const char *target, const char *user)
{
    BEGIN(Invite, INVITE, invite);
    TARGET(target);
    TEXT(user, user);
    return ask(r, &m);
}

int64_t roost_room_remove(struct roost *r, const char *target, const char *user)
{
    BEGIN(Remove, REMOVE, remove);
    TARGET(target);
    TEXT(user, user);
    return ask(r, &m);
}

int64_t roost_room_ban(struct roost *r, const char *target, const char *user, bool lift)
{
    BEGIN(Ban, BAN, ban);
    TARGET(target);
    TEXT(user, user);
    b.lift = lift;
    return ask(r, &m);
}

int64_t roost_room_role(struct roost *r, const char *target, const char *user,
                        enum roost_room_role role)
{
    BEGIN(SetRole, SET_ROLE, set_role);
    TARGET(target);
    TEXT(user, user);
    b.role = (Roost__RoomRole)role;
    return ask(r, &m);
}

int64_t roost_room_members(struct roost *r, const char *target, uint64_t after_account)
{
    BEGIN(Members, MEMBERS, members);
    TARGET(target);
    b.after = after_account;
    return ask(r, &m);
}

int64_t roost_room_topic(struct roost *r, const char *target, const char *topic)
{
    BEGIN(SetTopic, SET_TOPIC, set_topic);
    TARGET(target);
    TEXT(topic, topic);
    return ask(r, &m);
}

int64_t roost_room_pin(struct roost *r, uint64_t room, uint64_t seq, bool off)
{
    BEGIN(Pin, PIN, pin);
    b.room = room;
    b.seq = seq;
    b.off = off;
    return ask(r, &m);
}

static Roost__Switch switch_of(int on)
{
    return on < 0 ? ROOST__SWITCH__AS_IT_IS : on ? ROOST__SWITCH__ON : ROOST__SWITCH__OFF;
}

int64_t roost_room_set(struct roost *r, const char *target, int private_, int moderated,
                       int64_t retention_days)
{
    BEGIN(SetRoom, SET_ROOM, set_room);
    TARGET(target);
    if (retention_days > UINT32_MAX)
        return -ROOST_INVALID;
    b.private_ = switch_of(private_);
    b.moderated = switch_of(moderated);
    b.set_retention = retention_days >= 0;
    b.retention_days = retention_days > 0 ? (uint32_t)retention_days : 0;
    return ask(r, &m);
}

int64_t roost_room_mute(struct roost *r, const char *target, bool on)
{
    BEGIN(MuteRoom, MUTE_ROOM, mute_room);
    TARGET(target);
    b.on = on;
    return ask(r, &m);
}

/* --- tools --- */

int64_t roost_calc(struct roost *r, const char *expression)
{
    BEGIN(Calc, CALC, calc);
    TEXT(expression, expression);
    return ask(r, &m);
}

int64_t roost_ping(struct roost *r)
{
    BEGIN(Ping, PING, ping);
    return ask(r, &m);
}

/* --- administration --- */

int64_t roost_admin_users(struct roost *r, uint64_t after_account)
{
    BEGIN(AdminUsers, ADMIN_USERS, admin_users);
    b.after = after_account;
    return ask(r, &m);
}

int64_t roost_admin_user_new(struct roost *r, const char *name, const char *password,
                             enum roost_role role)
{
    BEGIN(AdminUserNew, ADMIN_USER_NEW, admin_user_new);
    TEXT(name, name);
    TEXT(password, password);
    b.role = (Roost__Role)role;
    return ask(r, &m);
}

int64_t roost_admin_reset(struct roost *r, const char *user)
{
    BEGIN(AdminReset, ADMIN_RESET, admin_reset);
    TEXT(user, user);
    return ask(r, &m);
}

int64_t roost_admin_role(struct roost *r, const char *user, enum roost_role role)
{
    BEGIN(AdminRole, ADMIN_ROLE, admin_role);
    TEXT(user, user);
    b.role = (Roost__Role)role;
    return ask(r, &m);
}

int64_t roost_admin_delete(struct roost *r, const char *user)
{
    BEGIN(AdminDelete, ADMIN_DELETE, admin_delete);
    TEXT(user, user);
    return ask(r, &m);
}

int64_t roost_admin_blocks(struct roost *r)
{
    BEGIN(AdminBlocks, ADMIN_BLOCKS, admin_blocks);
    return ask(r, &m);
}

int64_t roost_admin_block(struct roost *r, const char *user, uint64_t seconds)
{
    BEGIN(AdminBlock, ADMIN_BLOCK, admin_block);
    TEXT(user, user);
    b.seconds = seconds;
    return ask(r, &m);
}

int64_t roost_admin_unblock(struct roost *r, const uint8_t *key, size_t key_len, const char *user)
{
    BEGIN(AdminUnblock, ADMIN_UNBLOCK, admin_unblock);
    OPTIONAL(user, user);
    b.key.data = (uint8_t *)key;
    b.key.len = key ? key_len : 0;
    return ask(r, &m);
}

int64_t roost_admin_sessions(struct roost *r, uint64_t after_session)
{
    BEGIN(AdminSessions, ADMIN_SESSIONS, admin_sessions);
    b.after = after_session;
    return ask(r, &m);
}

int64_t roost_admin_end_session(struct roost *r, uint64_t session)
{
    BEGIN(AdminEndSession, ADMIN_END_SESSION, admin_end_session);
    b.session = session;
    return ask(r, &m);
}

int64_t roost_admin_rooms(struct roost *r, uint64_t after_room)
{
    BEGIN(AdminRooms, ADMIN_ROOMS, admin_rooms);
    b.after = after_room;
    return ask(r, &m);
}

int64_t roost_admin_invite(struct roost *r, enum roost_role role)
{
    BEGIN(AdminInvite, ADMIN_INVITE, admin_invite);
    b.role = (Roost__Role)role;
    return ask(r, &m);
}

int64_t roost_admin_log(struct roost *r, const struct roost_log_read *what)
{
    BEGIN(AdminLog, ADMIN_LOG, admin_log);
    b.after = what->after;
    b.since_ms = what->since_ms;
    OPTIONAL(user, what->user);
    OPTIONAL(kind, what->kind);
    b.limit = what->limit;
    b.follow = what->follow;
    return ask(r, &m);
}

int64_t roost_admin_export(struct roost *r, uint64_t room, uint64_t after)
{
    BEGIN(AdminExport, ADMIN_EXPORT, admin_export);
    b.room = room;
    b.after = after;
    return ask(r, &m);
}

int64_t roost_admin_backup(struct roost *r, uint64_t work, uint64_t offset)
{
    BEGIN(AdminBackup, ADMIN_BACKUP, admin_backup);
    b.work = work;
    b.offset = offset;
    return ask(r, &m);
}

int64_t roost_admin_check(struct roost *r, uint64_t work)
{
    BEGIN(AdminCheck, ADMIN_CHECK, admin_check);
    b.work = work;
    return ask(r, &m);
}

int64_t roost_admin_restore(struct roost *r, uint64_t work, uint64_t size_or_offset,
                            const void *data, size_t n, bool all)
{
    BEGIN(AdminRestore, ADMIN_RESTORE, admin_restore);
    if (n > ROOST_PIECE)
        return -ROOST_INVALID;
    b.work = work;
    *(work ? &b.offset : &b.size) = size_or_offset;
    b.data = (ProtobufCBinaryData){ n, (uint8_t *)data };
    b.all = all;
    return ask(r, &m);
}

int64_t roost_admin_restore_go(struct roost *r, uint64_t work)
{
    BEGIN(AdminRestore, ADMIN_RESTORE, admin_restore);
    b.work = work;
    b.go = true;
    return ask(r, &m);
}

int64_t roost_admin_stats(struct roost *r)
{
    BEGIN(AdminStats, ADMIN_STATS, admin_stats);
    return ask(r, &m);
}
