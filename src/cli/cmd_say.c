/* say: one message, from the command line or from standard input */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/text.h"

static int said(struct cli *c, const char *target, const char *text, uint64_t reply_to, bool action)
{
    struct roost_event e;
    int status = CLI_OK;
    int64_t wait_ms;

    while (cli_too_fast(c, roost_message_say(c->r, target, text, reply_to, action), &e, &status,
                        &wait_ms))
        cli_pause_ms(c, wait_ms);

    if (status)
        return status;
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "said");
        json_id(&j, "id", e.reply.done.room, e.reply.done.seq);
        json_u64(&j, "seq", e.reply.done.seq);
        json_u64(&j, "room", e.reply.done.room);
        json_str(&j, "from", c->name);
        json_str(&j, "to", target);
        json_str(&j, "text", text);
        json_time(&j, "at", (int64_t)e.reply.done.at_ms);
        if (reply_to)
            json_id(&j, "reply_to", e.reply.done.room, reply_to);
        else
            json_null(&j, "reply_to");
        json_bool(&j, "action", action);
        json_end(&j);
    } else if (!c->line) {
        buf_printf(&c->out, "%" PRIu64 ":%" PRIu64 "\n", e.reply.done.room, e.reply.done.seq);
    }
    cli_flush(c);
    return CLI_OK;
}

CLI_RUN(cmd_say)
{
    bool everyone = args_has(a, "everyone");
    size_t first = everyone ? 0 : 1;
    uint64_t room = 0, reply_to = 0;

    if (a->n_words < first)
        return cli_usage(c, "to whom?",
                         "write: roost say '#ROOM' TEXT, @USER TEXT or --everyone TEXT "
                         "(a shell takes a bare # for a comment: quote it, or leave it out)");
    if (args_has(a, "reply")) {
        int status = cmd_id(c, args_value(a, "reply"), &room, &reply_to);
        if (status)
            return status;
    }
    char *target = cli_target(everyone ? "*" : a->words[0], everyone);
    char *text = a->n_words > first ? cmd_join(a->words + first, a->n_words - first)
                                    : cmd_read_stdin(c);
    int status = CLI_USAGE;
    if (target && text) {
        bool action = args_has(a, "me");
        const char *words = text;
        if (!strncmp(words, "/me ", 4)) {
            action = true;
            words += 4;
        }
        status = said(c, target, words, reply_to, action);
    }
    free(target);
    free(text);
    return status;
}
