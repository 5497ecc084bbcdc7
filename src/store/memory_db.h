/* memory_db.h - inside the store in memory: all state, as arrays.
 *
 * Strings borrow from the operations, which the journal holds. Helpers that find
 * nothing return NULL. When memory runs out, mem->nomem is set and the batch is lost.
 */
#pragma once

#include "base/err.h"
#include "store/batch.h"
#include "store/store.h"

struct mem_account {
    struct account_row row;
    char made[24];       /* "#id" of one that went; a guest's skeleton */
    const char *shown;   /* a guest: what its meeting calls it; NULL: by its name */
    bool cleared;        /* a guest whose row is gone */
    uint64_t gone_after; /* the last line of the log when it went */
};

struct mem_session {
    struct session_row row;
    bool rotated;
    uint8_t previous[32];
    int64_t rotated_ms;
};

struct mem_device {
    uint64_t account;
    uint8_t device[32];
    int64_t used_ms;
};

struct mem_invite {
    uint8_t secret[32];
    uint64_t account;
    uint32_t role;
    int64_t until_ms;
};

struct mem_ignore {
    uint64_t account, peer;
};

struct mem_request {
    struct store_request req;
    int64_t made_ms, at_ms;
    uint64_t room, seq, account;
};

struct mem_reaction {
    uint64_t account;
    const char *emoji;
};

struct mem_event {
    struct event e;    /* as appended */
    uint64_t edit_seq; /* of a text: its last edit */
    bool deleted, gone;
    struct mem_reaction *reactions;
    size_t n_reactions;
};

struct mem_member {
    struct member_row row;
    bool muted;
};

struct mem_room {
    struct room_row row;
    uint64_t epoch, low, high; /* of a direct one: the two */
    struct mem_event *events;  /* number seq is at seq - 1 */
    size_t n_events;
    struct mem_member *members; /* by account, the banned too */
    size_t n_members;
    uint64_t *pins;
    size_t n_pins;
    struct meet_row meet;           /* room 0: it is no meeting */
    struct attendee_row *attendees; /* by account */
    size_t n_attendees;
    int64_t guests_until_ms; /* 0: nothing to do */
};

struct mem_state {
    struct mem_account *accounts; /* id is at id - 1; so are rooms and lines */
    struct mem_session *sessions;
    struct mem_device *devices;
    struct mem_invite *invites;
    struct mem_ignore *ignores;
    struct guard_row *guards;
    struct mem_request *requests;
    struct mem_room *rooms;
    struct log_line *lines;
    size_t n_accounts, n_sessions, n_devices, n_invites, n_ignores, n_guards, n_requests, n_rooms,
        n_lines;
    uint64_t last_session;
    struct file_row *files; /* id is at id - 1 */
    size_t n_files;
};

struct mem {
    struct store store;
    struct mem_state now;
    struct store_op **journal; /* references */
    size_t n_journal, n_committed;
    bool nomem, broken; /* broken: what was committed must be done again first */
    int fail_commit;
};

typedef int mem_handler(struct mem *m, const struct store_op *op, struct store_result *r);

/* One more element of zeroes; NULL and m->nomem when out of memory. Arrays that are
 * only added to by it grow by doubling. */
void *mem_add(struct mem *m, void *array_ptr, size_t *n, size_t size);
void mem_drop(void *array, size_t *n, size_t size, size_t i); /* keeps the order */
/* The same for arrays of a result, in its arena. */
void *mem_result_add(struct mem *m, struct store_result *r, void *array_ptr, size_t *n,
                     size_t size);
/* A copy in the result; "" for NULL. */
const char *mem_str(struct mem *m, struct store_result *r, const char *s);

struct mem_account *mem_account(struct mem *m, uint64_t id);     /* not deleted; a guest too */
struct mem_account *mem_account_own(struct mem *m, uint64_t id); /* no guest */
struct mem_account *mem_account_add(struct mem *m, const struct store_op *op);
struct mem_account *mem_by_skeleton(struct mem *m, const char *skeleton);
bool mem_looks_taken(struct mem *m, const struct account_row *by); /* by an account */
const char *mem_name(struct mem *m, uint64_t id);                  /* deleted ones too; "" */
const char *mem_called(struct mem *m, uint64_t id); /* likewise; a guest as in its meeting */
void mem_account_copy(struct mem *m, struct store_result *r, const struct mem_account *a,
                      struct account_row *out);
void mem_sessions_end(struct mem *m, uint64_t account, uint64_t but);
/* As op->session says; r->session, r->account and r->seq name it. */
void mem_session_add(struct mem *m, const struct store_op *op, uint64_t account,
                     struct store_result *r);
struct guard_row *mem_guard(struct mem *m, const uint8_t key[static 32]);
struct mem_room *mem_room(struct mem *m, uint64_t id);
struct mem_room *mem_room_add(struct mem *m);
int mem_room_show(struct mem *m, struct store_result *r, const struct mem_room *room);
/* The direct room of two who are there, made if there is none. */
struct mem_room *mem_direct(struct mem *m, uint64_t a, uint64_t b);
struct mem_member *mem_member(struct mem_room *room, uint64_t account); /* the banned too */
struct mem_member *mem_in(struct mem_room *room, uint64_t account);     /* members only */
struct mem_member *mem_member_add(struct mem *m, struct mem_room *room, uint64_t account);
struct mem_event *mem_event_at(struct mem_room *room, uint64_t seq); /* that is still kept */
struct mem_event *mem_event_put(struct mem *m, struct mem_room *room, const struct event *e,
                                int64_t now_ms);
/* Texts below `first` go, and what was done to them. */
void mem_texts_drop(struct mem_room *room, uint64_t first);
void mem_text_delete(struct mem_room *room, struct mem_event *t);
/* Adds it to r->events as it is now. */
void mem_event_show(struct mem *m, struct store_result *r, struct mem_room *room,
                    struct mem_event *e, uint64_t account);
void mem_pin_drop(struct mem_room *room, uint64_t seq);

/* --- meetings --- */
void mem_meet_load(struct mem *m, struct store_result *r, const struct mem_room *room);
void mem_guests_clear(struct mem *m, int64_t now_ms);
/* -ROOST_GUESSES with r->retry_ms when one of op->counts[] is at its limit. */
int mem_counts_check(struct mem *m, const struct store_op *op, struct store_result *r);
void mem_counts_add(struct mem *m, const struct store_op *op);

/* What it sent is over, and its names are gone. */
void mem_files_forget_account(struct mem *m, uint64_t account);
void mem_files_forget_room(struct mem *m, uint64_t room);

mem_handler mem_guest_new, mem_meet_new, mem_meet_find, mem_meet_change, mem_meet_list,
    mem_meet_note;
mem_handler mem_account_new, mem_account_find, mem_account_password, mem_account_role,
    mem_account_delete, mem_account_list, mem_invite_new, mem_invite_find, mem_ignore;
mem_handler mem_login_find, mem_session_new, mem_session_resume, mem_session_end, mem_session_list,
    mem_guard_put, mem_guard_list;
mem_handler mem_room_new, mem_room_find, mem_room_direct, mem_room_load, mem_room_list, mem_mark,
    mem_room_mute;
mem_handler mem_file_new, mem_file_find, mem_file_set, mem_file_keep, mem_file_list,
    mem_file_expire, mem_file_loose;
mem_handler mem_append, mem_read, mem_search, mem_earlier, mem_log_read, mem_retain;
