/* roostd - the server. */
#include <stdio.h>
#include <sys/stat.h>

#include "server/listener.h"
#include "server/log.h"
#include "server/resources.h"
#include "server/server.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* What options and settings name must be usable too. */
static int check(const struct config *c)
{
    if (listener_check(c->listen))
        return EXIT_USAGE;
    if (*c->tls_certificate && tls_check(c->tls_certificate, c->tls_key))
        return EXIT_USAGE;
    puts("ok");
    return 0;
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
    if (options.check)
        return check(&options.config);
    umask(077); /* the database too is nobody else's */
    resources_memory();
    log_set_level(options.config.log_level);
    if (server_new(&server, &options, argc, argv))
        return EXIT_FAILED;
    server_run(server);
    server_free(server);
    return 0;
}
