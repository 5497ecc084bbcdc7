/* options.h - the command line of roostd. */
#pragma once

#include <stdbool.h>

#include "server/config.h"
#include "server/datadir.h"

struct options {
    struct config config;
    char data[DATADIR_PATH_MAX];
    bool check, version, help;
};

/* Defaults, file, --set and the other options, in this order. What is wrong is
 * in error. Used again at SIGHUP. */
int options_parse(struct options *o, int argc, char **argv, char error[static CONFIG_ERROR_MAX]);
void options_print_help(void);
