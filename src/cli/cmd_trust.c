/* trust: whose identities are known, and which are taken from now on */
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"

static const char *bare(const char *user)
{
    return *user == '@' ? user + 1 : user;
}

static void put_json(struct cli *c, const char *event, const char *user, const char *print)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", event);
    json_str(&j, "user", user);
    json_str(&j, "fingerprint", print);
    json_end(&j);
}

static int list(struct cli *c)
{
    const char *own = roost_fingerprint(c->r);
    struct roost_known k;

    if (!own)
        return cli_fail(c, CLI_REFUSED, "the identity of this device cannot be read",
                        "check the folder ROOST_HOME");
    if (c->json)
        put_json(c, "identity", c->name, own);
    else
        buf_printf(&c->out, "This device of %s:\n  %s\n", c->name, own);
    for (size_t i = 0; roost_known_at(c->r, i, &k); i++) {
        if (c->json)
            put_json(c, "known", k.name, k.fingerprint);
        else
            buf_printf(&c->out, "%s%s:\n  %s\n",
                       i ? "" : "\nKnown, and nobody else is taken for:\n", k.name, k.fingerprint);
    }
    cli_flush(c);
    return CLI_OK;
}

static int fail(struct cli *c, int err, bool forgets)
{
    struct roost_error e = roost_error_get(err);

    if (err == -ROOST_E_ALREADY)
        return cli_fail(c, CLI_REFUSED,
                        forgets ? "nothing is known of that person here" : "this is known already",
                        "roost trust lists what is");
    if (err == -ROOST_E_INVALID)
        return cli_usage(c, "this is no name and fingerprint",
                         "roost trust @anna ab:cd:… with all 32 pairs");
    if (err == -ROOST_E_LIMIT)
        return cli_fail(c, CLI_REFUSED, "eight devices of one person are known",
                        "roost trust --forget @USER FINGERPRINT of one that is not used");
    return cli_fail_error(c, &e, NULL);
}

static int done(struct cli *c)
{
    struct json j;

    if (!c->json)
        return CLI_OK;
    json_begin(&j, &c->out);
    json_str(&j, "event", "done");
    json_str(&j, "command", "trust");
    json_end(&j);
    cli_flush(c);
    return CLI_OK;
}

CLI_RUN(cmd_trust)
{
    bool forgets = args_has(a, "forget");

    if (!a->n_words && !forgets)
        return list(c);
    const char *user = a->n_words ? bare(a->words[0]) : "";
    const char *print = a->n_words > 1 ? a->words[1] : NULL;
    if (!*user || (!print && !forgets))
        return cli_usage(c, forgets ? "forget whom?" : "the fingerprint is missing",
                         "roost trust @anna FINGERPRINT, roost trust --forget @anna");
    int err = forgets ? roost_forget_person(c->r, user, print)
                      : roost_trust_person(c->r, user, print);
    if (err)
        return fail(c, err, forgets);
    cli_say(c,
            forgets ? "%s is not known here any more: who comes next under that name is."
                    : "This device is taken for %s from now on.",
            user);
    return done(c);
}
