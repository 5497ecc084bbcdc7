/* cmd.h - the functions behind the rows of commands.c; one file a command or
 * family. Each returns an exit status, its errors already printed. */
#pragma once

#include "cli/cli.h"
#include "cli/show.h"

#define CLI_RUN(name) int name(struct cli *c, const struct cli_args *a)

CLI_RUN(cmd_register);
CLI_RUN(cmd_login);
CLI_RUN(cmd_logout);
CLI_RUN(cmd_whoami);
CLI_RUN(cmd_passwd);
CLI_RUN(cmd_account_delete);
CLI_RUN(cmd_sessions);
CLI_RUN(cmd_sessions_end);
CLI_RUN(cmd_sessions_bearer);
CLI_RUN(cmd_who);
CLI_RUN(cmd_ignore);
CLI_RUN(cmd_away);
CLI_RUN(cmd_say);
CLI_RUN(cmd_read);
CLI_RUN(cmd_edit);
CLI_RUN(cmd_delete);
CLI_RUN(cmd_react);
CLI_RUN(cmd_earlier);
CLI_RUN(cmd_rooms);
CLI_RUN(cmd_room_new);
CLI_RUN(cmd_room_join);
CLI_RUN(cmd_room_leave);
CLI_RUN(cmd_room_close);
CLI_RUN(cmd_room_invite);
CLI_RUN(cmd_room_remove);
CLI_RUN(cmd_room_ban);
CLI_RUN(cmd_room_role);
CLI_RUN(cmd_room_members);
CLI_RUN(cmd_room_topic);
CLI_RUN(cmd_room_pin);
CLI_RUN(cmd_room_mute);
CLI_RUN(cmd_room_set);
CLI_RUN(cmd_calc);
CLI_RUN(cmd_ping);
CLI_RUN(cmd_discover);
CLI_RUN(cmd_help);
CLI_RUN(cmd_completion);
CLI_RUN(cmd_admin_users);
CLI_RUN(cmd_admin_user_new);
CLI_RUN(cmd_admin_user_passwd);
CLI_RUN(cmd_admin_user_role);
CLI_RUN(cmd_admin_user_delete);
CLI_RUN(cmd_admin_blocks);
CLI_RUN(cmd_admin_block);
CLI_RUN(cmd_admin_unblock);
CLI_RUN(cmd_admin_sessions);
CLI_RUN(cmd_admin_sessions_end);
CLI_RUN(cmd_admin_rooms);
CLI_RUN(cmd_admin_invite);
CLI_RUN(cmd_admin_log);
CLI_RUN(cmd_admin_export);
CLI_RUN(cmd_admin_backup);
CLI_RUN(cmd_admin_restore);
CLI_RUN(cmd_admin_check);
CLI_RUN(cmd_admin_stats);
CLI_RUN(cmd_meet_new);
CLI_RUN(cmd_meet_list);
CLI_RUN(cmd_meet_who);
CLI_RUN(cmd_meet_stats);
CLI_RUN(cmd_meet_host);
CLI_RUN(cmd_meet_devices);
CLI_RUN(cmd_meet_compose);
CLI_RUN(cmd_admin_meetings);
CLI_RUN(cmd_lab_link);
CLI_RUN(cmd_lab_race);
CLI_RUN(cmd_lab_send);
CLI_RUN(cmd_lab_receive);
CLI_RUN(cmd_lab_transfer);
CLI_RUN(cmd_lab_files);
CLI_RUN(cmd_lab_calc);
CLI_RUN(cmd_lab_stream);
CLI_RUN(cmd_lab_pair);
CLI_RUN(cmd_lab_crowd);
CLI_RUN(cmd_send);
CLI_RUN(cmd_receive);
CLI_RUN(cmd_get);
CLI_RUN(cmd_files);
CLI_RUN(cmd_forget);
CLI_RUN(cmd_decline);
CLI_RUN(cmd_accept);
CLI_RUN(cmd_trust);
CLI_RUN(cmd_cancel);
CLI_RUN(cmd_pause);
CLI_RUN(cmd_resume);
CLI_RUN(cmd_transfers);
CLI_RUN(cmd_play);

/* Shared among them. */

bool cmd_accept_stands(const struct cli_args *a); /* it is about people, not about one file */
int cmd_accept_standing(struct cli *c, const struct cli_args *a);

struct show cmd_show(struct cli *c);
const char *cmd_role(enum roost_role role);                /* "user", "moderator", "admin" */
const char *cmd_room_role_name(enum roost_room_role role); /* "member", "moderator", "owner" */
bool cmd_parse_role(const char *s, enum roost_role *ret);
/* A message's id, or a usage error. */
int cmd_id(struct cli *c, const char *word, uint64_t *ret_room, uint64_t *ret_seq);
/* A time as --since takes it, or a usage error. */
int cmd_since(struct cli *c, const char *word, uint64_t *ret_ms);
int cmd_ping_count(struct cli *c, const struct cli_args *a, unsigned long long *ret_count);
void cmd_pong(struct cli *c, uint64_t n, int64_t took_us);
void cmd_json_person(struct cli *c, const struct roost_person *p);
void cmd_print_help(struct cli *c, const struct cli_args *a);
/* Prints what was put into c->out as help: with --json one object. */
void cmd_flush_help(struct cli *c);
/* Words joined by spaces; the caller frees. NULL when out of memory. */
/* "-" is standard output. cmd_file_free: refused where a file is and not `force`; NULL: fine. It is
 * asked before anything is done, and cmd_file_write writes over none that came meanwhile. */
int cmd_file_free(struct cli *c, const char *path, bool force);
bool cmd_file_write(const char *path, bool force, const char *bytes, size_t len);
char *cmd_join(const char **words, size_t n);
/* Text from stdin up to its end; NULL with the error printed. */
char *cmd_read_stdin(struct cli *c);
