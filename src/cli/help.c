/* help.c - help, --help, completion: the table, printed */
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/text.h"

enum { LEFT = 30 };

static void left(struct cli *c, const char *a, const char *b)
{
    struct buf cell = { 0 };

    buf_printf(&cell, "%s%s%s", a, *b ? " " : "", b);
    buf_puts(&c->out, "  ");
    size_t width = text_columns(buf_str(&cell));
    buf_puts(&c->out, buf_str(&cell));
    if (width >= LEFT) {
        buf_puts(&c->out, "\n  ");
        width = 0;
    }
    buf_fill(&c->out, ' ', LEFT - width);
    buf_fini(&cell);
}

static void options(struct cli *c, const struct cli_option *o)
{
    for (; o && o->name; o++) {
        struct buf cell = { 0 };
        if (o->letter)
            buf_printf(&cell, "-%c, --%s", o->letter, o->name);
        else
            buf_printf(&cell, "    --%s", o->name);
        left(c, buf_str(&cell), o->value ? o->value : "");
        buf_printf(&c->out, "%s\n", o->help);
        buf_fini(&cell);
    }
}

static void heading(struct cli *c, const char *text)
{
    buf_printf(&c->out, "\n%s%s%s\n", cli_style(c, STYLE_BOLD), text, cli_style(c, STYLE_OFF));
}

static void one(struct cli *c, const struct cli_command *k)
{
    buf_printf(&c->out, "roost %s%s%s - %s\n", k->name, *k->words ? " " : "", k->words, k->summary);
    if (*k->more)
        buf_printf(&c->out, "\n%s", k->more);
    if (k->options) {
        heading(c, "Options");
        options(c, k->options);
    }
    buf_puts(&c->out, "\nroost --help shows the options that all commands have.\n");
}

/* Rows whose names begin with the words of a family; all with "". */
static void list(struct cli *c, const char *family)
{
    const char *group = NULL;
    size_t len = strlen(family);

    for (size_t i = 0; i < cli_n_commands; i++) {
        const struct cli_command *k = &cli_commands[i];
        if (!k->group || (len && (strncmp(k->name, family, len) != 0 || k->name[len] != ' ')))
            continue;
        if (!len && (!group || strcmp(group, k->group) != 0))
            heading(c, k->group);
        group = k->group;
        left(c, k->name, k->words);
        buf_printf(&c->out, "%s\n", k->summary);
    }
}

static void overview(struct cli *c)
{
    buf_puts(&c->out, "roost [-s HOST[:PORT]] [-u USER] [--home DIR] [--json] COMMAND\n");
    list(c, "");
    heading(c, "Options of all commands");
    options(c, cli_globals);
    buf_puts(&c->out,
             "\nExit status: 0 done, 1 refused, 2 usage, 3 cannot reach the server, 4 login\n"
             "needed or wrong, 5 blocked for now. roost COMMAND --help shows examples.\n");
}

void cmd_flush_help(struct cli *c)
{
    struct buf text = c->out;
    struct json j;

    if (c->json) {
        c->out = (struct buf){ 0 };
        json_begin(&j, &c->out);
        json_str(&j, "event", "help");
        json_str(&j, "text", buf_str(&text));
        json_end(&j);
        buf_fini(&text);
    }
    cli_flush(c);
}

void cmd_print_help(struct cli *c, const struct cli_args *a)
{
    cli_flush(c);
    if (a->command)
        one(c, a->command);
    else if (*a->family)
        list(c, a->family);
    else
        overview(c);
    cmd_flush_help(c);
}

CLI_RUN(cmd_help)
{
    struct cli_args about;
    const char *argv[4], *words[4];
    struct buf wrong = { 0 }, advice = { 0 };

    for (size_t i = 0; i < a->n_words; i++)
        argv[i] = a->words[i];
    argv[a->n_words] = "--help";
    int err = cli_parse(cli_commands, cli_n_commands, (int)a->n_words + 1, argv, &about, words,
                        &wrong, &advice);
    int status = err ? cli_usage(c, buf_str(&wrong), buf_str(&advice)) : CLI_OK;
    if (!err)
        cmd_print_help(c, &about);
    buf_fini(&wrong);
    buf_fini(&advice);
    return status;
}

CLI_RUN(cmd_completion)
{
    (void)a;
    for (size_t i = 0; i < cli_n_commands; i++) {
        const struct cli_command *k = &cli_commands[i];
        if (!k->group)
            continue;
        buf_printf(&c->out, "%s\t%s\t", k->name, k->words);
        for (const struct cli_option *o = k->options; o && o->name; o++)
            buf_printf(&c->out, "--%s%s ", o->name, o->value ? "=" : "");
        buf_putc(&c->out, '\n');
    }
    buf_puts(&c->out, "\t\t");
    for (const struct cli_option *o = cli_globals; o->name; o++)
        buf_printf(&c->out, "--%s%s ", o->name, o->value ? "=" : "");
    buf_putc(&c->out, '\n');
    cli_flush(c);
    return CLI_OK;
}
