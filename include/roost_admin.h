/* roost_admin.h - accounts, blocks, the log, backups: what admins do. Part of roost.h, whose
 * rules hold here too.
 *
 *     roost_admin_role(r, "anna", ROOST_MODERATOR);
 *     roost_admin_users(r, 0);         // ROOST_USERS: users, n, more
 *     roost_admin_backup(r, 0, 0);     // ROOST_WORK: work; ask again with work.work
 *
 * docs/ROLES.md says who may do what.
 */
#ifndef ROOST_ADMIN_H
#define ROOST_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct roost;

/* ---- what events hold ----------------------------------------------------------- */

enum roost_role { ROOST_USER = 0, ROOST_MODERATOR = 1, ROOST_ADMIN = 2 };

struct roost_account {
    uint64_t account;
    const char *name;
    enum roost_role role;
    uint64_t created_ms;
    uint32_t sessions;
    bool deleted;
};

struct roost_block {
    const uint8_t *key; /* for roost_admin_unblock */
    size_t key_len;
    const char *kind; /* "pair", "device", "source", "account" */
    const char *name, *source;
    uint32_t failures;
    uint64_t until_ms; /* 0: counted, not blocked */
};

struct roost_log_line {
    uint64_t n, at_ms, account;
    const char *name, *kind, *target, *address;
    const char *outcome; /* "ok", or the name of the error */
};

struct roost_stat {
    const char *name;
    uint64_t value;
    const char *text; /* instead of the value, if not empty */
};

/* How a backup, a check or a restore stands. */
enum roost_work_stage {
    ROOST_WORK_COPYING,
    ROOST_WORK_RECEIVING,
    ROOST_WORK_CHECKING,
    ROOST_WORK_READY,
    ROOST_WORK_FAILED, /* text says why */
    ROOST_WORK_GONE,   /* restored: the server begins anew */
};
struct roost_work {
    uint64_t work;
    enum roost_work_stage stage;
    uint64_t done, total; /* bytes */
    uint64_t offset;      /* of data */
    const uint8_t *data;
    size_t n_data;
    const uint8_t *sha256; /* 32 bytes, of the whole file, when a backup is ready; or NULL */
    const char *text;      /* what was found */
};

/* ---- requests ---------------------------------------------------------------------- */

int64_t roost_admin_users(struct roost *r, uint64_t after_account); /* USERS */
int64_t roost_admin_user_new(struct roost *r, const char *name, const char *password,
                             enum roost_role role);
int64_t roost_admin_reset(struct roost *r, const char *user); /* TOKEN for roost_account_reset */
int64_t roost_admin_role(struct roost *r, const char *user, enum roost_role role);
int64_t roost_admin_delete(struct roost *r, const char *user);
int64_t roost_admin_blocks(struct roost *r); /* BLOCKS */
int64_t roost_admin_block(struct roost *r, const char *user, uint64_t seconds);
/* A key of a block, or (key NULL) all blocks of a name. */
int64_t roost_admin_unblock(struct roost *r, const uint8_t *key, size_t key_len, const char *user);
int64_t roost_admin_sessions(struct roost *r, uint64_t after_session); /* SESSIONS */
int64_t roost_admin_end_session(struct roost *r, uint64_t session);
int64_t roost_admin_rooms(struct roost *r, uint64_t after_room);   /* ROOMS */
int64_t roost_admin_invite(struct roost *r, enum roost_role role); /* TOKEN */
struct roost_log_read {
    uint64_t after;          /* line number */
    uint64_t since_ms;       /* 0: from the start */
    const char *user, *kind; /* NULL: all */
    uint32_t limit;
    bool follow; /* ROOST_LOG_LINE for each new line from now on, over this connection: after
                    the next ROOST_READY ask again, after the last line */
};
int64_t roost_admin_log(struct roost *r, const struct roost_log_read *what); /* LOG */
int64_t roost_admin_export(struct roost *r, uint64_t room, uint64_t after);  /* PAGE */

/* Work 0 begins; asking again tells how it stands. A backup that is ready is fetched piece
 * by piece: `data` is what lies at that offset of the file. */
int64_t roost_admin_backup(struct roost *r, uint64_t work, uint64_t offset); /* WORK */
int64_t roost_admin_check(struct roost *r, uint64_t work);                   /* WORK */
enum { ROOST_PIECE = 48 * 1024 }; /* at most, of a file */
/* Work 0 and the size begin; then the file in order, `all` after the last piece; when it is
 * ready, roost_admin_restore_go puts it in the place of all that the server has. */
int64_t roost_admin_restore(struct roost *r, uint64_t work, uint64_t size_or_offset,
                            const void *data, size_t n, bool all); /* WORK */
int64_t roost_admin_restore_go(struct roost *r, uint64_t work);    /* WORK */
int64_t roost_admin_stats(struct roost *r);                        /* STATS */

#ifdef __cplusplus
}
#endif

#endif
