/* register login logout whoami passwd account delete */
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/when.h"

static int put_me(struct cli *c, const char *event)
{
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", event);
        json_str(&j, "name", c->name);
        json_u64(&j, "account", c->account);
        json_str(&j, "role", cmd_role(c->role));
        json_u64(&j, "session", c->session);
        json_str(&j, "server", roost_server(c->r));
        json_end(&j);
        cli_flush(c);
    } else {
        cli_say(c, "You are %s on %s%s%s.", c->name, roost_server(c->r), c->role ? ", as " : "",
                c->role ? cmd_role(c->role) : "");
    }
    return CLI_OK;
}

CLI_RUN(cmd_register)
{
    struct roost_event e;
    const char *name = a->words[0];
    int status = cli_open(c, CLI_FRESH, name);

    if (status)
        return status;
    char *password = c->password_file
                         ? ask_password(c, "")
                         : ask_new_password(c, NULL, "ROOST_PASSWORD", "Choose a password: ");
    if (!password)
        return CLI_USAGE;
    status = cli_call(c, roost_account_register(c->r, name, password, args_value(a, "invite")), &e);
    if (!status)
        status = cli_login(c, name, password);
    ask_forget(password);
    return status ? status : put_me(c, "logged-in");
}

CLI_RUN(cmd_login)
{
    const char *name = a->n_words ? a->words[0] : c->user;

    if (!name)
        return cli_usage(c, "who is logging in?", "write: roost login NAME");
    int status = cli_open(c, CLI_FRESH, name);
    if (status)
        return status;
    char *password = ask_password(c, "Password: ");
    if (!password)
        return CLI_USAGE;
    status = cli_login(c, name, password);
    ask_forget(password);
    return status ? status : put_me(c, "logged-in");
}

CLI_RUN(cmd_logout)
{
    (void)a;
    return cli_do(c, roost_session_logout(c->r), "logout", "Logged out.");
}

CLI_RUN(cmd_whoami)
{
    struct roost_event e;
    int status = cli_call(c, roost_account_whoami(c->r), &e);

    (void)a;
    if (status)
        return status;
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "me");
        json_str(&j, "name", e.reply.me.name);
        json_u64(&j, "account", e.reply.me.account);
        json_str(&j, "role", cmd_role(e.reply.me.role));
        json_u64(&j, "session", e.reply.me.session);
        json_str(&j, "server", roost_server(c->r));
        json_str(&j, "address", e.reply.me.address);
        json_time(&j, "created_at", (int64_t)e.reply.me.created_ms);
        json_end(&j);
        cli_flush(c);
        return CLI_OK;
    }
    struct buf since = { 0 };
    int64_t now = cli_now_ms();
    when_short(&since, (int64_t)e.reply.me.created_ms, now, cli_zone_s(now));
    cli_say(c, "You are %s (%s) on %s; the account was made %s, this is session %llu from %s.",
            e.reply.me.name, cmd_role(e.reply.me.role), roost_server(c->r), buf_str(&since),
            (unsigned long long)e.reply.me.session, e.reply.me.address);
    buf_fini(&since);
    return CLI_OK;
}

/* With the word that an admin gave, without the old password. */
static int reset(struct cli *c, const struct cli_args *a)
{
    const char *name = a->n_words ? a->words[0] : c->user;

    if (!name)
        return cli_usage(c, "whose password is it?", "write: roost passwd NAME --reset WORD");
    int status = c->r ? CLI_OK : cli_open(c, CLI_FRESH, name);
    if (status)
        return status;
    char *new_password = ask_new_password(c, args_value(a, "new-password-file"),
                                          "ROOST_NEW_PASSWORD", "New password: ");
    if (!new_password)
        return CLI_USAGE;
    status = cli_do(c, roost_account_reset(c->r, name, args_value(a, "reset"), new_password),
                    "passwd", "The password is changed; log in with: roost login %s", name);
    ask_forget(new_password);
    return status;
}

CLI_RUN(cmd_passwd)
{
    if (args_has(a, "reset"))
        return reset(c, a);
    if (a->n_words)
        return cli_usage(c, "a name goes with --reset only",
                         "roost -u NAME passwd changes the password of another session");
    int status = c->r ? CLI_OK : cli_open(c, CLI_RESUME, NULL);
    if (status)
        return status;
    char *old_password = ask_password(c, "Old password: ");
    char *new_password = old_password ? ask_new_password(c, args_value(a, "new-password-file"),
                                                         "ROOST_NEW_PASSWORD", "New password: ")
                                      : NULL;
    status = CLI_USAGE;
    if (new_password)
        status = cli_do(c, roost_account_passwd(c->r, old_password, new_password), "passwd",
                        "The password is changed; your other sessions have ended.");
    ask_forget(old_password);
    ask_forget(new_password);
    return status;
}

CLI_RUN(cmd_account_delete)
{
    if (!args_has(a, "yes") &&
        !ask_yes(c, "Your account goes, and all that you wrote. Is that what you want?"))
        return cli_usage(c, "nothing was deleted", "answer y, or give --yes");
    char *password = ask_password(c, "Password: ");
    if (!password)
        return CLI_USAGE;
    int status = cli_do(c, roost_account_delete(c->r, password), "account delete",
                        "The account is deleted.");
    ask_forget(password);
    return status;
}
