/* ask.h - what is asked of the person at the terminal: passwords, certificates.
 *
 * A password never comes from argv. What is returned belongs to the caller, who
 * gives it to ask_forget. A password typed is not echoed; Ctrl+C is "none".
 */
#pragma once

#include "cli/cli.h"

enum { ASK_PASSWORD_MAX = 1024 };

/* From --password-file, ROOST_PASSWORD, or a prompt on the terminal; NULL when
 * there is none, with the error printed. */
char *ask_password(struct cli *c, const char *prompt);
/* Likewise for a new one: from `file` (may be NULL), the environment variable
 * `variable`, or a prompt, twice. */
char *ask_new_password(struct cli *c, const char *file, const char *variable, const char *prompt);
/* Of a transfer between two programs; from the terminal. */
char *ask_word(struct cli *c, const char *prompt);
/* Is a password there without asking? */
bool ask_has_password(const struct cli *c);
/* Is the line a yes or a no (an empty one is)? Else it is to be asked again. */
bool ask_answer(const char *line, bool *ret_yes);
/* y/N on the terminal; false without one. */
bool ask_yes(struct cli *c, const char *question);
void ask_forget(char *password); /* wipes and frees; NULL is fine */

/* For roost_options.trust: asks on a terminal; without one it accepts and says so. */
enum roost_trust_answer ask_trust(void *arg, const struct roost_trust *q);
