/* accept ID: take what is offered; accept --always @USER: from now on without a question */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/amount.h"
#include "cli/filing.h"
#include "cli/json.h"

static const char *bare(const char *user)
{
    return *user == '@' ? user + 1 : user;
}

static void put_json(struct cli *c, const struct roost_standing *s)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "standing");
    json_str(&j, "from", s->name);
    if (s->up_to == ROOST_SIZE_UNKNOWN)
        json_null(&j, "up_to");
    else
        json_u64(&j, "up_to", s->up_to);
    json_str(&j, "dir", s->dir);
    json_end(&j);
}

static int list(struct cli *c)
{
    static const char *const heads[] = { "FROM", "UP TO", "WHERE TO" };
    struct roost_standing s;
    struct table t;
    size_t n = 0;

    table_init(&t, heads, 3);
    for (; roost_standing_at(c->r, n, &s); n++) {
        struct buf b = { 0 };
        if (c->json) {
            put_json(c, &s);
            continue;
        }
        if (s.up_to == ROOST_SIZE_UNKNOWN)
            buf_puts(&b, "any size");
        else
            amount_bytes(&b, (double)s.up_to);
        table_add(&t, s.name);
        table_add_buf(&t, &b);
        table_add(&t, s.dir ? s.dir : "where roost runs");
        buf_fini(&b);
    }
    if (!c->json && n)
        table_print(&t, &c->out, c->columns, c->colour);
    else if (!n)
        cli_say(c, "You are asked about everything. roost accept --always @USER changes that.");
    table_fini(&t);
    cli_flush(c);
    return CLI_OK;
}

static int refused(struct cli *c, int err, const char *user)
{
    struct roost_error e = roost_error_get(err);

    if (err == -ROOST_E_ALREADY)
        return cli_fail(c, CLI_REFUSED, "nothing stands about that person", "roost accept --list");
    if (err == -ROOST_E_INVALID)
        return cli_usage(c, "this is no name of a person", "write it as in @anna");
    return cli_fail_error(c, &e, user);
}

static int always(struct cli *c, const struct cli_args *a)
{
    struct roost_standing s = { bare(args_value(a, "always")), ROOST_SIZE_UNKNOWN, NULL };
    const char *up_to = args_value(a, "up-to"), *dir = args_value(a, "dir");
    char whole[PATH_MAX];
    struct buf b = { 0 };

    if (up_to && !amount_size(up_to, &s.up_to))
        return cli_usage(c, "this is no size", "--up-to 100MB");
    if (dir && !realpath(dir, whole))
        return cli_fail(c, CLI_REFUSED, "there is no such folder", "make it first");
    s.dir = dir ? whole : NULL;
    int err = roost_accept_always(c->r, &s);
    if (err)
        return refused(c, err, s.name);
    if (c->json) {
        put_json(c, &s);
        cli_flush(c);
    }
    buf_printf(&b, "Files of %s", s.name);
    if (up_to) {
        buf_puts(&b, " of up to ");
        amount_bytes(&b, (double)s.up_to);
    }
    cli_say(c, "%s are taken without a question by roost receive and in roost chat.", buf_str(&b));
    buf_fini(&b);
    return CLI_OK;
}

static int ask_again(struct cli *c, const char *user)
{
    struct json j;
    int err = roost_accept_no_more(c->r, user);

    if (err)
        return refused(c, err, user);
    if (c->json) {
        json_begin(&j, &c->out);
        json_str(&j, "event", "done");
        json_str(&j, "command", "accept");
        json_end(&j);
        cli_flush(c);
    }
    cli_say(c, "You are asked about files of %s again.", user);
    return CLI_OK;
}

bool cmd_accept_stands(const struct cli_args *a)
{
    return args_has(a, "always") || args_has(a, "ask") || args_has(a, "list");
}

int cmd_accept_standing(struct cli *c, const struct cli_args *a)
{
    if (a->n_words || args_has(a, "output") || args_has(a, "limit") ||
        args_has(a, "always") + args_has(a, "ask") + args_has(a, "list") != 1)
        return cli_usage(c, "one thing at a time",
                         "accept ID, --always @USER, --ask @USER or --list");
    if (!args_has(a, "always") && (args_has(a, "up-to") || args_has(a, "dir")))
        return cli_usage(c, "--up-to and --dir go with --always",
                         "roost accept --always @USER --up-to 100MB");
    if (args_has(a, "list"))
        return list(c);
    return args_has(a, "ask") ? ask_again(c, bare(args_value(a, "ask"))) : always(c, a);
}

CLI_RUN(cmd_accept)
{
    if (cmd_accept_stands(a))
        return cmd_accept_standing(c, a);
    if (args_has(a, "up-to"))
        return cli_usage(c, "--up-to goes with --always", "leave it out");
    return filing_get(c, a);
}
