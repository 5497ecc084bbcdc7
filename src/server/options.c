#include "server/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum option_id {
    DATA = 1,
    LISTEN,
    PORT,
    MEDIA_PORT,
    CONFIG,
    SET,
    REGISTRATION,
    CHECK,
    QUICK,
    RESTORE,
    PRINT_CONFIG,
    VERSION,
    HELP
};

static const struct option known[] = {
    { "data", required_argument, NULL, DATA },
    { "listen", required_argument, NULL, LISTEN },
    { "port", required_argument, NULL, PORT },
    { "media-port", required_argument, NULL, MEDIA_PORT },
    { "config", required_argument, NULL, CONFIG },
    { "set", required_argument, NULL, SET },
    { "registration", required_argument, NULL, REGISTRATION },
    { "check", no_argument, NULL, CHECK },
    { "quick", no_argument, NULL, QUICK },
    { "restore", required_argument, NULL, RESTORE },
    { "print-config", no_argument, NULL, PRINT_CONFIG },
    { "version", no_argument, NULL, VERSION },
    { "help", no_argument, NULL, HELP },
    { 0 },
};

/* Root's server keeps its data where Debian's servers do, anybody else's at home. */
static void default_data(char out[static DATADIR_PATH_MAX])
{
    const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (geteuid() == 0)
        snprintf(out, DATADIR_PATH_MAX, "/var/lib/roost");
    else if (xdg && *xdg == '/')
        snprintf(out, DATADIR_PATH_MAX, "%s/roostd", xdg);
    else
        snprintf(out, DATADIR_PATH_MAX, "%s/.local/share/roostd", home ? home : ".");
}

/* Several --listen make one list; the first replaces the default. */
static int add_listen(struct config *c, bool *first, const char *address,
                      char error[static CONFIG_ERROR_MAX])
{
    char list[2 * CONFIG_TEXT_MAX];

    snprintf(list, sizeof list, "%s%s%.255s", *first ? "" : c->listen, *first ? "" : ",", address);
    *first = false;
    return config_set(c, "listen", list, error);
}

static int apply(struct options *o, int id, const char *value, bool *first_listen,
                 char error[static CONFIG_ERROR_MAX])
{
    switch (id) {
    case DATA:
        snprintf(o->data, sizeof o->data, "%s", value);
        return 0;
    case LISTEN:
        return add_listen(&o->config, first_listen, value, error);
    case PORT:
        return config_set(&o->config, "port", value, error);
    case MEDIA_PORT:
        return config_set(&o->config, "media_port", value, error);
    case SET:
        return config_set_pair(&o->config, value, error);
    case REGISTRATION:
        return config_set(&o->config, "registration", value, error);
    case CHECK:
        o->check = true;
        return 0;
    case QUICK:
        o->quick = true;
        return 0;
    case RESTORE:
        snprintf(o->restore, sizeof o->restore, "%s", value);
        return 0;
    case PRINT_CONFIG:
        o->print_config = true;
        return 0;
    case VERSION:
        o->version = true;
        return 0;
    case HELP:
        o->help = true;
        return 0;
    }
    return 0; /* CONFIG: done before */
}

/* One walk over the arguments: the file only, or all but the file. */
static int walk(struct options *o, int argc, char **argv, bool file,
                char error[static CONFIG_ERROR_MAX])
{
    bool first_listen = true;
    int id, err = 0;

    optind = 0; /* starts anew */
    opterr = 0;
    while (!err && (id = getopt_long(argc, argv, ":", known, NULL)) != -1) {
        if (id == '?' || id == ':') {
            snprintf(error, CONFIG_ERROR_MAX, "%s '%.64s' (roostd --help lists them)",
                     id == '?' ? "there is no option" : "a value is missing after",
                     argv[optind - 1]);
            return -ROOST_INVALID;
        }
        if (!file)
            err = apply(o, id, optarg, &first_listen, error);
        else if (id == CONFIG)
            err = config_load_file(&o->config, optarg, error);
    }
    if (!err && optind < argc) {
        snprintf(error, CONFIG_ERROR_MAX, "'%.64s' is not understood: roostd takes options only",
                 argv[optind]);
        return -ROOST_INVALID;
    }
    return err;
}

int options_parse(struct options *o, int argc, char **argv, char error[static CONFIG_ERROR_MAX])
{
    memset(o, 0, sizeof *o);
    config_default(&o->config);
    default_data(o->data);
    int err = walk(o, argc, argv, true, error);
    if (!err)
        err = walk(o, argc, argv, false, error);
    if (!err && o->quick && !o->check) {
        snprintf(error, CONFIG_ERROR_MAX, "--quick is for --check");
        err = -ROOST_INVALID;
    }
    if (!err && !o->help && !o->version)
        err = config_check(&o->config, error);
    return err;
}

void options_print_help(void)
{
    char data[DATADIR_PATH_MAX], *settings = config_help();

    default_data(data);
    printf(
        "roostd - a server for meetings, messages and files\n"
        "\n"
        "  --data DIR            what it keeps (%s)\n"
        "  --listen ADDRESS      may be given several times (:: and 0.0.0.0)\n"
        "  --port N              TCP (5000); 0 takes a free one and prints it\n"
        "  --media-port N        UDP (port + 1)\n"
        "  --config FILE         settings, one 'key = value' a line, # starts a comment\n"
        "  --set KEY=VALUE       one setting; may be given several times\n"
        "  --registration WHO    open, invite or admin\n"
        "  --check [--quick]     says whether all of this is right, and ends; quick: kept files\n"
        "                        are not looked at\n"
        "  --restore FILE        puts a backup in the place of what is there, and ends\n"
        "  --print-config        a configuration file with all settings, explained\n"
        "  --version, --help\n"
        "\n"
        "Examples:\n"
        "  roostd --data ~/roost --registration open\n"
        "  roostd --port 443 --set tls.certificate=chain.pem --set tls.key=key.pem\n"
        "  roostd --config /etc/roost.conf --set login.tries=3 --check\n"
        "\n"
        "SIGHUP reads the file and the certificate again; SIGTERM and SIGINT end it cleanly.\n"
        "\n"
        "Settings, with their defaults (times: 250ms 10s 15m 2h 1d; sizes: 16K 1M):\n"
        "%s",
        data, settings ? settings : "");
    free(settings);
}
