/* edit delete react earlier: what is done to a message */
#include <stdlib.h>

#include "cli/cmd.h"

CLI_RUN(cmd_edit)
{
    uint64_t room, seq;
    int status = cmd_id(c, a->words[0], &room, &seq);

    if (status)
        return status;
    char *text = a->n_words > 1 ? cmd_join(a->words + 1, a->n_words - 1) : cmd_read_stdin(c);
    if (!text)
        return CLI_USAGE;
    status = cli_do(c, roost_message_edit(c->r, room, seq, text), "edit", "Changed.");
    free(text);
    return status;
}

CLI_RUN(cmd_delete)
{
    uint64_t room, seq;
    int status = cmd_id(c, a->words[0], &room, &seq);
    return status ? status : cli_do(c, roost_message_delete(c->r, room, seq), "delete", "Deleted.");
}

CLI_RUN(cmd_react)
{
    uint64_t room, seq;
    bool off = args_has(a, "off");
    int status = cmd_id(c, a->words[0], &room, &seq);
    return status ? status
                  : cli_do(c, roost_message_react(c->r, room, seq, a->words[1], off), "react",
                           off ? "%s taken back." : "%s put on it.", a->words[1]);
}

CLI_RUN(cmd_earlier)
{
    struct roost_event e;
    uint64_t room, seq;
    int status = cmd_id(c, a->words[0], &room, &seq);

    if (!status && !c->have_rooms)
        status = cli_rooms(c);
    if (!status)
        status = cli_call(c, roost_message_earlier(c->r, room, seq), &e);
    if (status)
        return status;
    struct show s = cmd_show(c);
    for (size_t i = 0; i < e.reply.n; i++)
        show_message(&s, &e.reply.messages[i], &c->out);
    cli_flush(c);
    return CLI_OK;
}
