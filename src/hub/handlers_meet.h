/* handlers_meet.h - the handlers of meetings and guests, for the table in rules.c, and what
 * they share.
 */
#pragma once

#include "hub/internal.h"

enum { MEET_SECRET_BYTES = 27 }; /* 128 bits in base 32, and the zero byte */

#define HANDLER(name)                                                                              \
    int name##_on_message(struct hub *h, struct request *q);                                       \
    int name##_on_stored(struct hub *h, struct request *q, struct store_result *r)

HANDLER(guest);
HANDLER(meet_new);
HANDLER(meet_join);
HANDLER(meet_act);
HANDLER(meet_list);
HANDLER(meet_note);
HANDLER(meet_tick);
HANDLER(admin_meetings);
#undef HANDLER
int meet_who_on_message(struct hub *h, struct request *q);
int meet_react_on_message(struct hub *h, struct request *q);

/* --- names (meet_name.c) ------------------------------------------------------------ */

/* A name in a meeting: as an account's, and words may be parted by single spaces. */
int meet_name_check(struct hub *h, const char *name, char norm[static NAME_BYTES],
                    char skeleton[static SKELETON_BYTES]);
/* Not for guests, nor to be renamed to: "the server muted everybody" is to mean what it says. */
/* "#12", as no name can be: somebody by number; else 0. */
uint64_t meet_name_number(const char *user);
bool meet_name_reserved(struct hub *h, const char *skeleton);
/* The name as it is, or with the first free number behind it, in q->mem. but: who may keep
 * the name that it has. */
int meet_name_free(struct hub *h, struct request *q, const struct meeting *m, uint64_t but,
                   const char *name, const char **ret_name, const char **ret_skeleton);

/* --- links and codes (meet_code.c) ----------------------------------------------------- */

/* The secret of the link: derived, never kept. */
int meet_secret(const struct hub *h, uint64_t meeting, char ret[static MEET_SECRET_BYTES]);
bool meet_secret_is(const struct hub *h, uint64_t meeting, const char *typed);
void meet_code_draw(struct hub *h, char ret[static MEET_CODE_MAX + 1]);
/* What a wrong code of this asker counts against. */
int meet_counts(struct hub *h, const struct request *q, struct store_op *op);
/* What is made counts against its maker: an account, or where a guest comes from. */
int meet_count_made(const struct request *q, uint32_t kind, uint32_t limit, int64_t window_ms,
                    struct store_op *op);

/* --- changes (meet_change.c) --------------------------------------------------------------- */

/* Emits the change; c is in q->mem, and is kept for meet_changed. */
int meet_store(struct hub *h, struct request *q, struct meet_change *c);
/* It was stored: takes effect, and everybody concerned hears of it. */
void meet_changed(struct hub *h, struct request *q, const struct store_result *r);
/* The request's connection is in the meeting (or its lobby) from now on. */
void meet_attach(struct hub *h, struct request *q);

/* --- answers (meet_look.c) --- */

int meet_reply_ticket(struct hub *h, struct request *q, const struct meeting *m);
