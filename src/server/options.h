/* options.h - the command line of roostd. */
#pragma once

#include <stdbool.h>

#include "server/config.h"
#include "server/datadir.h"

struct options {
    struct config config;
    char data[DATADIR_PATH_MAX];
    char restore[DATADIR_PATH_MAX]; /* a backup to restore, then the end; "" */
    bool check, quick, version, help, print_config;
};

/* Defaults, file, --set and the other options, in this order. What is wrong is
 * in error. Used again at SIGHUP. */
int options_parse(struct options *o, int argc, char **argv, char error[static CONFIG_ERROR_MAX]);
void options_print_help(void);
