/* cli.h - what every command works with: the options, the connection, the output.
 *
 * A command is a function that returns the exit status. What it prints goes into
 * cli->out; cli_flush hands that to stdout, or prints it above a line
 * that is being typed (line.h): so the same commands serve both. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/buf.h"
#include "cli/options.h"
#include "cli/rooms.h"
#include "roost.h"

/* Exit statuses; part of the contract (roost(1)). */
enum {
    CLI_OK = 0,
    CLI_REFUSED = 1,
    CLI_USAGE = 2,
    CLI_UNREACHABLE = 3,
    CLI_LOGIN_WRONG = 4,
    CLI_BLOCKED = 5
};

struct line;
struct meet_tried;

struct cli {
    const char *server, *user, *home, *password_file, *accept;
    const char *pcap, *key_log; /* files to study, or NULL */
    const char *link;           /* that datagrams go through, or NULL */
    bool json;
    bool colour;    /* stdout is a terminal that wants it */
    size_t columns; /* of the terminal; 0 = no terminal, lines may be long */
    struct buf out;
    struct roost *r;    /* NULL before cli_open */
    struct line *line;  /* being typed, in a chat or a meeting; else NULL */
    struct rooms rooms; /* those one is in, once cli_rooms was called */
    bool have_rooms;
    uint64_t account; /* who one is, once logged in */
    uint64_t session;
    enum roost_role role;
    char *name;
    const char *guest; /* cli_open as a guest: the code of a meeting, or "" to start one */
    bool patient;      /* cli_open: go on trying after a lost connection, without end */
    int error;         /* the code of what was refused last; 0: nothing, or by this program */
    const struct meet_tried *tried; /* in a meeting: what errors are about; else NULL */
};

extern const struct cli_command cli_commands[];
extern const size_t cli_n_commands;

void cli_fini(struct cli *c);
int64_t cli_now_ms(void);
int64_t cli_now_us(void); /* steady, for durations */
/* The connection lives on meanwhile. */
void cli_pause_ms(struct cli *c, int64_t ms);
int32_t cli_zone_s(int64_t at_ms); /* local time ahead of UTC then */

/* --- output --- */

void cli_flush(struct cli *c);
/* A line for people; nothing with --json. */
void cli_say(struct cli *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What is wrong and what to do, on stderr or as a JSON object; returns status. */
int cli_fail(struct cli *c, int status, const char *wrong, const char *advice);
int cli_fail_error(struct cli *c, const struct roost_error *e, const char *detail);
/* The same error in the words that fit who meets it here. Borrows from the buffers. */
struct roost_error cli_fit(const struct cli *c, const struct roost_error *e, struct buf *text,
                           struct buf *advice);
int cli_usage(struct cli *c, const char *wrong, const char *advice);
const char *cli_style(const struct cli *c, const char *style); /* "" without colour */

#define STYLE_DIM  "\033[2m"
#define STYLE_BOLD "\033[1m"
#define STYLE_OFF  "\033[0m"

/* --- connection --- */

enum cli_open_how {
    CLI_RESUME, /* a saved session; else with ROOST_PASSWORD or --password-file */
    CLI_FRESH,  /* connect only: a login or a registration follows */
    CLI_ANY,    /* a saved session if there is one */
};
/* Connects. 0 or an exit status, the error already printed. */
int cli_open(struct cli *c, enum cli_open_how how, const char *user);
void cli_close(struct cli *c);
void cli_on_status(struct cli *c, const struct roost_status *s);
/* Waits for the answer of a request: 0 with a ROOST_REPLY in *ret, or an exit
 * status, the error already printed. */
int cli_call(struct cli *c, int64_t request, struct roost_event *ret);
/* Likewise; but true, with how long to wait, when the server wants it slower: then
 * nothing was done or printed, and it is to be asked again as a new request. */
bool cli_too_fast(struct cli *c, int64_t request, struct roost_event *ret, int *ret_status,
                  int64_t *ret_wait_ms);
/* Likewise; but true, and nothing printed, when it is refused for whatever reason: *ret says why.
 */
bool cli_refused(struct cli *c, int64_t request, struct roost_event *ret, int *ret_status);
/* The same where the answer holds nothing but a number; prints the sentence, or
 * {"event": "done"} with --json. */
int cli_do(struct cli *c, int64_t request, const char *command, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void cli_did(struct cli *c, const struct roost_reply *r, const char *command, const char *format,
             ...) __attribute__((format(printf, 4, 5)));
int cli_login(struct cli *c, const char *name, const char *password);

/* Fetches the rooms one is in. */
int cli_rooms(struct cli *c);
/* What a user wrote as a target, as the library takes it: "maths" and "#maths"
 * are the room, "@anna" a person, "*" everyone, "17" a number. Caller frees. */
char *cli_target(const char *word, bool everyone);
/* A room for certain: '#' may be missing. */
char *cli_room_target(const char *word);
