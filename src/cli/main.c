/* main.c - roost: takes the command line apart, connects, runs one row of the table. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/chat.h"
#include "cli/cmd.h"

static const char *env(const char *name)
{
    const char *s = getenv(name);
    return s && *s ? s : NULL;
}

static void look_at_terminal(struct cli *c)
{
    struct winsize size;
    const char *term = env("TERM");

    if (!isatty(STDOUT_FILENO))
        return;
    c->columns = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
    c->colour = !c->json && !env("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

/* It waits for a lost connection, however long. */
static bool stays(int (*run)(struct cli *, const struct cli_args *))
{
    return run == chat_main || run == cmd_send || run == cmd_receive || run == cmd_get ||
           run == cmd_accept;
}

static int run(struct cli *c, const struct cli_args *a)
{
    const struct cli_command *k = a->command;

    c->patient = stays(k->run) || args_has(a, "follow") || args_has(a, "watch");
    bool by_phrase = args_has(a, "code") || (k->run == cmd_receive && a->n_words);
    if (args_has(a, "nearby"))
        return k->run(c, a); /* opens what it needs */
    if (k->needs == CLI_LOGIN && !by_phrase) {
        int status = cli_open(c, CLI_RESUME, NULL);
        if (status)
            return status;
    } else if (k->run == cmd_ping || by_phrase) {
        int status = cli_open(c, CLI_ANY, NULL);
        if (status)
            return status;
    }
    return k->run(c, a);
}

static int start(struct cli *c, int argc, char **argv, const char **words)
{
    struct cli_args a;
    struct buf wrong = { 0 }, advice = { 0 };
    int err = cli_parse(cli_commands, cli_n_commands, argc - 1, (const char *const *)argv + 1, &a,
                        words, &wrong, &advice);
    int status = CLI_OK;

    c->json = a.json;
    c->server = a.server ? a.server : env("ROOST_SERVER");
    c->user = a.user ? a.user : env("ROOST_USER");
    c->home = a.home ? a.home : env("ROOST_HOME");
    c->password_file = a.password_file;
    c->accept = a.accept;
    c->pcap = a.pcap;
    c->link = a.link;
    c->key_log = a.key_log ? a.key_log : env("ROOST_KEY_LOG");
    look_at_terminal(c);
    if (c->key_log)
        fprintf(stderr, "roost: the keys of what passes are written to %s\n", c->key_log);
    if (err) {
        status = cli_usage(c, buf_str(&wrong), buf_str(&advice));
    } else if (a.version) {
        puts("roost " ROOST_RELEASE);
    } else if (a.help) {
        cmd_print_help(c, &a);
    } else {
        status = run(c, &a);
    }
    buf_fini(&wrong);
    buf_fini(&advice);
    return status;
}

int main(int argc, char **argv)
{
    const char **words = calloc((size_t)argc + 1, sizeof *words);
    struct cli c = { 0 };

    setlocale(LC_CTYPE, "");
    int status = words ? start(&c, argc, argv, words) : CLI_REFUSED;
    cli_fini(&c);
    free(words);
    if (fflush(stdout) || ferror(stdout)) {
        fputs("roost: the output could not be written\n", stderr);
        status = status ? status : CLI_REFUSED;
    }
    return status;
}
