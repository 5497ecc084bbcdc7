/* handlers_account.h - the handlers of accounts, sessions, administration and
 * the calculator, and behind each the row that it expects in rules.c:
 *
 *     kind | right | flags | want | on_message, on_stored, on_hashed
 *
 * Files: account.c session.c admin.c admin_block.c admin_log.c calc.c.
 */
#pragma once

#include "hub/internal.h"

#define ON_MESSAGE(name) int name##_on_message(struct hub *h, struct request *q)
#define ON_STORED(name)                                                                            \
    int name##_on_stored(struct hub *h, struct request *q, struct store_result *r)
#define ON_HASHED(name)                                                                            \
    int name##_on_hashed(struct hub *h, struct request *q, bool ok, const char *encoded)
#define WANT(name) struct want name##_want(const Roost__ToServer *m)

/* "sign_up" | NONE | CHANGES | - */
ON_MESSAGE(sign_up);
ON_STORED(sign_up);
ON_HASHED(sign_up);
/* "login" | NONE | ERRORS | - */
ON_MESSAGE(login);
ON_STORED(login);
ON_HASHED(login);
/* "resume" | NONE | 0 | - */
ON_MESSAGE(resume);
ON_STORED(resume);
/* "logout" | LOGIN | CHANGES | - */
ON_MESSAGE(logout);
ON_STORED(logout);
/* "whoami" | LOGIN | 0 | - */
ON_MESSAGE(whoami);
ON_STORED(whoami);
/* "passwd" | LOGIN | CHANGES, ERRORS | - */
ON_MESSAGE(passwd);
ON_STORED(passwd);
ON_HASHED(passwd);
/* "list_sessions" | LOGIN | 0 | - */
ON_MESSAGE(list_sessions);
ON_STORED(list_sessions);
/* "end_session" | LOGIN | CHANGES | - */
ON_MESSAGE(end_session);
ON_STORED(end_session);
/* "delete_account" | LOGIN | CHANGES, ERRORS | - */
ON_MESSAGE(delete_account);
ON_STORED(delete_account);
ON_HASHED(delete_account);
/* "reset_password" | NONE | CHANGES, ERRORS | - */
ON_MESSAGE(reset_password);
ON_STORED(reset_password);
ON_HASHED(reset_password);

/* "calc" | LOGIN | 0 | - | on_message only */
ON_MESSAGE(calc);

/* "admin_users" | ADMIN | 0 | - */
ON_MESSAGE(admin_users);
ON_STORED(admin_users);
/* "admin_user_new" | ADMIN | CHANGES | - | on_stored NULL */
ON_MESSAGE(admin_user_new);
ON_HASHED(admin_user_new);
/* "admin_reset" | ADMIN | CHANGES, DUPS | admin_reset_want */
WANT(admin_reset);
ON_MESSAGE(admin_reset);
ON_STORED(admin_reset);
/* "admin_role" | ADMIN | CHANGES | admin_role_want */
WANT(admin_role);
ON_MESSAGE(admin_role);
ON_STORED(admin_role);
/* "admin_delete" | ADMIN | CHANGES | admin_delete_want */
WANT(admin_delete);
ON_MESSAGE(admin_delete);
ON_STORED(admin_delete);
/* "admin_blocks" | ADMIN | 0 | - */
ON_MESSAGE(admin_blocks);
ON_STORED(admin_blocks);
/* "admin_block" | ADMIN | CHANGES | admin_block_want */
WANT(admin_block);
ON_MESSAGE(admin_block);
ON_STORED(admin_block);
/* "admin_unblock" | ADMIN | CHANGES | - (names that do not exist are blocked too) */
ON_MESSAGE(admin_unblock);
ON_STORED(admin_unblock);
/* "admin_sessions" | ADMIN | 0 | - */
ON_MESSAGE(admin_sessions);
ON_STORED(admin_sessions);
/* "admin_end_session" | ADMIN | CHANGES | - */
ON_MESSAGE(admin_end_session);
ON_STORED(admin_end_session);
/* "admin_rooms" | ADMIN | 0 | - */
ON_MESSAGE(admin_rooms);
ON_STORED(admin_rooms);
/* "admin_invite" | ADMIN | CHANGES, DUPS | - */
ON_MESSAGE(admin_invite);
ON_STORED(admin_invite);
/* "admin_log" | ADMIN | 0 | - */
ON_MESSAGE(admin_log);
ON_STORED(admin_log);
/* "admin_export" | ADMIN | CLOSED_TOO | admin_export_want (a room by number) */
WANT(admin_export);
ON_MESSAGE(admin_export);
ON_STORED(admin_export);

/* "admin_backup", "admin_restore", "admin_stats", "admin_check" | ADMIN | 0 | - */
ON_MESSAGE(admin_backup);
ON_MESSAGE(admin_restore);
ON_MESSAGE(admin_stats);
ON_MESSAGE(admin_check);
/* The answer to one of these four; the hub calls it, as the two that follow. */
void admin_keep_on_kept(struct hub *h, struct request *q, const struct hub_kept *kept);
void admin_notice(struct hub *h, const char *text);
void admin_end_all(struct hub *h);

/* Those who follow the log. The hub calls log_follow_touch when any result came
 * from the store, log_follow_expire in hub_expire, and gives it the result of an
 * operation of kind STORE_LOG_READ that belongs to no request. */
void log_follow_touch(struct hub *h);
void log_follow_expire(struct hub *h);
int64_t log_follow_deadline_us(const struct hub *h); /* INT64_MAX: none */
void log_follow_on_stored(struct hub *h, const struct store_result *r);

/* Failed logins under way (guard.c), made with the first; hub_free calls this. */
struct guard_flights;
void guard_flights_free(struct guard_flights *f);

#undef ON_MESSAGE
#undef ON_STORED
#undef ON_HASHED
#undef WANT
