/* options.h - the command line, taken apart. Pure: a fuzzer calls cli_parse.
 *
 * A command is a row: its name (one to three words), what it takes, what it
 * needs, its help. Global options stand before or after the command; "--" ends
 * options; a word such as "-7" is no option. Everything is borrowed from argv
 * and from the table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/buf.h"

enum { CLI_OPTIONS_MAX = 16, CLI_NAME_MAX = 64 };

struct cli;
struct cli_args;

struct cli_option {
    const char *name;  /* without "--"; NULL ends a list */
    char letter;       /* 0: none */
    const char *value; /* "TIME"; NULL: takes none */
    const char *help;
};

enum cli_needs {
    CLI_LOGIN,   /* a session */
    CLI_SERVER,  /* a connection; logs in by itself if at all */
    CLI_NOTHING, /* no connection */
};

struct cli_command {
    const char *name;  /* "room join" */
    const char *group; /* heading in the help; NULL: not listed */
    const char *words; /* "NAME USER" */
    int min, max;      /* words; max -1: any number */
    int raw;           /* in chat, from this word on the rest of the line is one; -1: none */
    enum cli_needs needs;
    bool no_chat; /* not from within chat */
    int (*run)(struct cli *cli, const struct cli_args *args);
    const char *summary;
    const char *more;                 /* explanation and examples, whole lines */
    const struct cli_option *options; /* at most CLI_OPTIONS_MAX; NULL: none */
};

struct cli_args {
    const struct cli_command *command; /* NULL: only help or version was asked for */
    char family[CLI_NAME_MAX];         /* help for "room …"; "" for all */
    const char *server, *user, *home, *password_file, *accept, *pcap, *key_log, *link;
    bool json, help, version;
    const char **words; /* the caller's */
    size_t n_words;
    const char *values[CLI_OPTIONS_MAX]; /* of command->options; "" for one without a value */
};

extern const struct cli_option cli_globals[];

/* words: room for argc pointers. 0, or -ROOST_INVALID with what is wrong and
 * what to do. args->json is right even then, as far as it was read. */
int cli_parse(const struct cli_command *table, size_t n, int argc, const char *const *argv,
              struct cli_args *args, const char **words, struct buf *wrong, struct buf *advice);

const char *args_value(const struct cli_args *a, const char *option); /* NULL: not given */
bool args_has(const struct cli_args *a, const char *option);
/* A number of at least `least` in an option or word. */
bool args_number(const char *s, unsigned long long least, unsigned long long most,
                 unsigned long long *ret);

/* The next word of a line, ended with a zero in place and passed over; words are
 * parted by spaces, and "double quotes" hold one together. NULL at the end. */
char *cli_word(char **line);
