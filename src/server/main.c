/* roostd - the server. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "server/backup.h"
#include "server/cheat.h"
#include "server/check.h"
#include "server/edge.h"
#include "server/hash_process.h"
#include "server/log.h"
#include "server/resources.h"
#include "server/server.h"
#include "server/signals.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* For a server that is down. */
static int restore(const struct options *o)
{
    char words[BACKUP_WHY_MAX], why[BACKUP_WHY_MAX] = "";
    struct datadir dir;

    if (datadir_open(&dir, o->data))
        return EXIT_FAILED;
    int err = restore_offline(&dir, o->restore, edge_now().wall_ms, words, why);
    datadir_close(&dir);
    if (err)
        fprintf(stderr, "roostd: %s: %s\n", o->restore, why);
    else
        printf("restored: %s\n", words);
    return err ? EXIT_FAILED : 0;
}

int main(int argc, char **argv)
{
    static struct options options;
    char error[CONFIG_ERROR_MAX];
    struct server *server;

    if (options_parse(&options, argc, argv, error)) {
        fprintf(stderr, "roostd: %s\n", error);
        return EXIT_USAGE;
    }
    if (options.help) {
        options_print_help();
        return 0;
    }
    if (options.version) {
        puts("roostd " ROOST_RELEASE);
        return 0;
    }
    if (options.print_config) {
        char *text = config_print();
        fputs(text ? text : "", stdout);
        free(text);
        return 0;
    }
    if (options.check) {
        int status = check_start(&options);
        if (!status)
            puts("ok");
        return status;
    }
    umask(077); /* the database too is nobody else's */
    resources_memory();
    log_set_level(options.config.log_level);
    log_set_format((enum log_format)options.config.log_format);
    log_find_journal();
    cheat_begin();
    if (options.restore[0])
        return restore(&options);
    struct hash_process hashing;
    bool again = true;

    /* before there is a secret, a file or a thread that it could share */
    if (hash_process_start(&hashing, options.config.hash_threads,
                           (enum sandbox)options.config.sandbox))
        return EXIT_FAILED;
    if (signals_listen())
        return EXIT_FAILED;
    while (again) {
        uint16_t port;

        int err = server_new(&server, &options, argc, argv, &hashing);
        if (err)
            return EXIT_FAILED;
        server_run(server);
        again = server_begins_anew(server, &port);
        server_free(server);
        options.config.port = port; /* clients come back to the one that they know */
    }
    hash_process_end(&hashing);
    return 0;
}
