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

int cmd_ping_count(struct cli *c, const struct cli_args *a, unsigned long long *ret_count)
{
    *ret_count = 4;
    if (args_has(a, "count") && !args_number(args_value(a, "count"), 1, 1000, ret_count))
        return cli_usage(c, "--count takes a number from 1 to 1000", "for example --count 10");
    return CLI_OK;
}

void cmd_pong(struct cli *c, uint64_t n, int64_t took_us)
{
    struct json j;

    if (!c->json) {
        cli_say(c, "%s answered in %.3f ms", roost_server(c->r), (double)took_us / 1000);
        return;
    }
    json_begin(&j, &c->out);
    json_str(&j, "event", "pong");
    json_u64(&j, "n", n);
    json_str(&j, "server", roost_server(c->r));
    json_fixed(&j, "ms", (double)took_us / 1000);
    json_end(&j);
    cli_flush(c);
}

CLI_RUN(cmd_ping)
{
    unsigned long long n;
    int status = cmd_ping_count(c, a, &n);

    for (unsigned long long i = 1; i <= n && !status; i++) {
        struct roost_event e;
        int64_t before = cli_now_us();
        status = cli_call(c, roost_ping(c->r), &e);
        if (status)
            break;
        cmd_pong(c, i, cli_now_us() - before);
        if (i < n)
            cli_pause_ms(c, 250);
    }
    return status;
}
