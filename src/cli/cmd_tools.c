/* calc ping */
#include <stdlib.h>

#include "cli/cmd.h"
#include "cli/json.h"

CLI_RUN(cmd_calc)
{
    char *expression = cmd_join(a->words, a->n_words);
    struct roost_event e;
    int status = expression ? cli_call(c, roost_calc(c->r, expression), &e) : CLI_REFUSED;

    if (!status && c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "answer");
        json_str(&j, "expression", expression);
        json_str(&j, "text", e.reply.text);
        json_end(&j);
        cli_flush(c);
    } else if (!status) {
        cli_say(c, "%s", e.reply.text);
    }
    free(expression);
    return status;
}

CLI_RUN(cmd_ping)
{
    unsigned long long n = 4;
    int status = CLI_OK;

    if (args_has(a, "count") && !args_number(args_value(a, "count"), 1, 1000, &n))
        return cli_usage(c, "--count takes a number from 1 to 1000", "for example --count 10");
    for (unsigned long long i = 1; i <= n && !status; i++) {
        struct roost_event e;
        int64_t before = cli_now_us();
        status = cli_call(c, roost_ping(c->r), &e);
        double took_ms = (double)(cli_now_us() - before) / 1000;
        if (status)
            break;
        if (c->json) {
            struct json j;
            json_begin(&j, &c->out);
            json_str(&j, "event", "pong");
            json_u64(&j, "n", i);
            json_str(&j, "server", roost_server(c->r));
            json_fixed(&j, "ms", took_ms);
            json_end(&j);
            cli_flush(c);
        } else {
            cli_say(c, "%s answered in %.3f ms", roost_server(c->r), took_ms);
        }
        if (i < n)
            cli_pause_ms(c, 250);
    }
    return status;
}
