#include "store_same.h"

#include <stdio.h>
#include <string.h>

static bool differs(const char *what)
{
    printf("differs: %s\n", what);
    return false;
}

#define SAME(x)                                                                                    \
    do {                                                                                           \
        if (a->x != b->x)                                                                          \
            return differs(#x);                                                                    \
    } while (0)
#define SAME_TEXT(x)                                                                               \
    do {                                                                                           \
        if (strcmp(a->x ? a->x : "", b->x ? b->x : "") != 0)                                       \
            return differs(#x);                                                                    \
    } while (0)
#define SAME_BYTES(x)                                                                              \
    do {                                                                                           \
        if (memcmp(a->x, b->x, sizeof a->x) != 0)                                                  \
            return differs(#x);                                                                    \
    } while (0)
#define SAME_LIST(list, n, same)                                                                   \
    do {                                                                                           \
        if (a->n != b->n)                                                                          \
            return differs(#n);                                                                    \
        for (size_t i = 0; i < a->n; i++)                                                          \
            if (!same(&a->list[i], &b->list[i]))                                                   \
                return false;                                                                      \
    } while (0)

static bool same_account(const struct account_row *a, const struct account_row *b)
{
    SAME(id);
    SAME_TEXT(name);
    SAME_TEXT(skeleton);
    SAME_TEXT(password);
    SAME(role);
    SAME(created_ms);
    SAME(sessions);
    SAME(deleted);
    SAME(guest);
    SAME(guest_of);
    return true;
}

static bool same_session(const struct session_row *a, const struct session_row *b)
{
    SAME(id);
    SAME(account);
    SAME_BYTES(device);
    SAME_BYTES(token);
    SAME_TEXT(device_name);
    SAME_TEXT(address);
    SAME_TEXT(account_name);
    SAME(created_ms);
    SAME(used_ms);
    return true;
}

static bool same_guard(const struct guard_row *a, const struct guard_row *b)
{
    SAME_BYTES(key);
    SAME(kind);
    SAME_TEXT(name);
    SAME_TEXT(source);
    SAME(n);
    SAME(strikes);
    SAME(since_ms);
    SAME(until_ms);
    return true;
}

static bool same_room(const struct room_row *a, const struct room_row *b)
{
    SAME(id);
    SAME(kind);
    SAME_TEXT(name);
    SAME_TEXT(skeleton);
    SAME_TEXT(topic);
    SAME(private);
    SAME(moderated);
    SAME(closed);
    SAME(retention_days);
    SAME(head);
    SAME(first);
    SAME(last_ms);
    return true;
}

static bool same_member(const struct member_row *a, const struct member_row *b)
{
    SAME(account);
    SAME_TEXT(name);
    SAME(role);
    SAME(banned);
    SAME(guest);
    SAME(muted);
    SAME(delivered);
    SAME(read);
    return true;
}

static bool same_data(const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b)
{
    return (n_a == n_b && (n_a == 0 || memcmp(a, b, n_a) == 0)) || differs("data");
}

static bool same_meet(const struct meet_row *a, const struct meet_row *b)
{
    SAME(room);
    SAME(bound_room);
    SAME_TEXT(code);
    SAME(until_ms);
    SAME(live);
    SAME(forget);
    return same_data(a->data, a->n_data, b->data, b->n_data);
}

static bool same_attendee(const struct attendee_row *a, const struct attendee_row *b)
{
    SAME(account);
    SAME_TEXT(skeleton);
    if (!a->skeleton != !b->skeleton)
        return differs("present");
    return same_data(a->data, a->n_data, b->data, b->n_data);
}

static bool same_id(const uint64_t *a, const uint64_t *b)
{
    return *a == *b || differs("id");
}

static bool same_place(const struct room_place *a, const struct room_place *b)
{
    if (!same_room(&a->room, &b->room))
        return false;
    SAME(member);
    SAME(muted);
    SAME(role);
    SAME(members);
    SAME(unread);
    SAME(mentions);
    SAME(read);
    SAME(peer);
    SAME_TEXT(peer_name);
    SAME_LIST(pins, n_pins, same_id);
    return true;
}

static bool same_reaction(const struct event_reaction *a, const struct event_reaction *b)
{
    SAME_TEXT(emoji);
    SAME(count);
    SAME(mine);
    return true;
}

static bool same_event(const struct event *a, const struct event *b)
{
    SAME(room);
    SAME(seq);
    SAME(at_ms);
    SAME(from);
    SAME_TEXT(from_name);
    SAME(kind);
    SAME(ref);
    SAME(who);
    SAME_TEXT(who_name);
    SAME(change);
    SAME(role);
    SAME(flag);
    SAME_TEXT(text);
    SAME_LIST(mentions, n_mentions, same_id);
    SAME(private);
    SAME(moderated);
    SAME(closed);
    SAME(created);
    SAME(retention_days);
    SAME_TEXT(room_name);
    SAME(edit_seq);
    SAME(deleted);
    SAME_LIST(reactions, n_reactions, same_reaction);
    return same_data(a->data, a->n_data, b->data, b->n_data);
}

static bool same_line(const struct log_line *a, const struct log_line *b)
{
    SAME(n);
    SAME(account);
    SAME(at_ms);
    SAME_TEXT(name);
    SAME_TEXT(kind);
    SAME_TEXT(target);
    SAME_TEXT(address);
    SAME(outcome);
    return true;
}

static bool same_file(const struct file_row *a, const struct file_row *b)
{
    SAME(id);
    SAME(room);
    SAME(sender);
    SAME(peer);
    SAME(size);
    SAME(list_size);
    SAME(seq);
    SAME(kind);
    SAME(files);
    SAME(stage);
    SAME(open_size);
    SAME(kept);
    SAME(has_root);
    SAME(has_list);
    SAME(got);
    SAME_BYTES(root);
    SAME_BYTES(list_root);
    SAME(made_ms);
    SAME(done_ms);
    SAME(until_ms);
    SAME_TEXT(name);
    SAME_TEXT(sender_name);
    SAME_TEXT(shown);
    SAME_TEXT(peer_name);
    return true;
}

bool store_same(const struct store_result *a, const struct store_result *b)
{
    SAME(kind);
    SAME(token);
    SAME(err);
    SAME(dup);
    SAME(room);
    SAME(seq);
    SAME(account);
    SAME(head);
    SAME(at_ms);
    SAME(known_device);
    SAME(delivered);
    SAME(read);
    SAME(more);
    if (!same_account(&a->account_row, &b->account_row) ||
        !same_session(&a->session, &b->session) || !same_room(&a->room_row, &b->room_row) ||
        !same_meet(&a->meet, &b->meet) || !same_file(&a->file, &b->file))
        return false;
    SAME(on);
    SAME(used);
    SAME_LIST(files, n_files, same_file);
    SAME(meet_role);
    SAME(retry_ms);
    SAME_LIST(meets, n_meets, same_meet);
    SAME_LIST(attendees, n_attendees, same_attendee);
    SAME_LIST(accounts, n_accounts, same_account);
    SAME_LIST(sessions, n_sessions, same_session);
    SAME_LIST(guards, n_guards, same_guard);
    SAME_LIST(members, n_members, same_member);
    SAME_LIST(places, n_places, same_place);
    SAME_LIST(events, n_events, same_event);
    SAME_LIST(lines, n_lines, same_line);
    SAME_LIST(ids, n_ids, same_id);
    return true;
}
