/* admin users, user new/passwd/role/delete, blocks, block, unblock, invite */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/when.h"

static const char *bare(const char *user)
{
    return *user == '@' ? user + 1 : user;
}

/* --- accounts --- */

static void json_user(struct cli *c, const struct roost_account *u)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "user");
    json_u64(&j, "account", u->account);
    json_str(&j, "name", u->name);
    json_str(&j, "role", cmd_role(u->role));
    json_u64(&j, "sessions", u->sessions);
    json_bool(&j, "deleted", u->deleted);
    json_time(&j, "created_at", (int64_t)u->created_ms);
    json_end(&j);
}

static void user_row(struct table *t, const struct roost_account *u, int64_t now)
{
    struct buf cell = { 0 };

    table_add_u64(t, u->account);
    table_add(t, u->name);
    table_add(t, u->deleted ? "deleted" : cmd_role(u->role));
    table_add_u64(t, u->sessions);
    when_short(&cell, (int64_t)u->created_ms, now, cli_zone_s(now));
    table_add_buf(t, &cell);
    buf_fini(&cell);
}

CLI_RUN(cmd_admin_users)
{
    static const char *const heads[] = { "ID", "NAME", "ROLE", "SESSIONS", "MADE" };
    struct roost_event e;
    struct table t;
    uint64_t after = 0;
    int64_t now = cli_now_ms();
    int status;

    (void)a;
    table_init(&t, heads, sizeof heads / sizeof *heads);
    do {
        status = cli_call(c, roost_admin_users(c->r, after), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.users[i].account;
            if (c->json)
                json_user(c, &e.reply.users[i]);
            else
                user_row(&t, &e.reply.users[i], now);
        }
    } while (e.reply.more && e.reply.n);
    if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    return status;
}

static int role_of(struct cli *c, const char *word, enum roost_role *ret)
{
    if (!word || cmd_parse_role(word, ret))
        return CLI_OK;
    return cli_usage(c, "there is no such role", "the roles are user, moderator and admin");
}

CLI_RUN(cmd_admin_user_new)
{
    enum roost_role role = ROOST_USER;
    const char *name = bare(a->words[0]);
    int status = role_of(c, args_value(a, "role"), &role);

    if (status)
        return status;
    char *password = ask_new_password(c, args_value(a, "new-password-file"), "ROOST_NEW_PASSWORD",
                                      "Password of the new account: ");
    if (!password)
        return CLI_USAGE;
    status = cli_do(c, roost_admin_user_new(c->r, name, password, role), "admin user new",
                    "The account %s is made.", name);
    ask_forget(password);
    return status;
}

static int put_token(struct cli *c, int64_t request, const char *event, const char *sentence)
{
    struct roost_event e;
    int status = cli_call(c, request, &e);

    if (status)
        return status;
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", event);
        json_str(&j, "token", e.reply.text);
        json_time(&j, "until", (int64_t)e.reply.until_ms);
        json_end(&j);
        cli_flush(c);
        return CLI_OK;
    }
    struct buf until = { 0 };
    int64_t now = cli_now_ms();
    if (e.reply.until_ms) {
        buf_puts(&until, ", until ");
        when_short(&until, (int64_t)e.reply.until_ms, now, cli_zone_s(now));
    }
    cli_say(c, "%s", e.reply.text);
    if (sentence)
        cli_say(c, "It is good once%s: %s", buf_str(&until), sentence);
    buf_fini(&until);
    return CLI_OK;
}

CLI_RUN(cmd_admin_user_passwd)
{
    const char *name = bare(a->words[0]);
    struct buf sentence = { 0 };

    buf_printf(&sentence, "roost passwd %s --reset WORD", name);
    int status = put_token(c, roost_admin_reset(c->r, name), "reset", buf_str(&sentence));
    buf_fini(&sentence);
    return status;
}

CLI_RUN(cmd_admin_invite)
{
    enum roost_role role = ROOST_USER;
    int status = role_of(c, args_value(a, "role"), &role);
    return status ? status
                  : put_token(c, roost_admin_invite(c->r, role), "invite",
                              "roost register NAME --invite WORD");
}

CLI_RUN(cmd_admin_user_role)
{
    enum roost_role role = ROOST_USER;
    const char *name = bare(a->words[0]);
    int status = role_of(c, a->words[1], &role);
    return status ? status
                  : cli_do(c, roost_admin_role(c->r, name, role), "admin user role",
                           "%s is now %s.", name, cmd_role(role));
}

CLI_RUN(cmd_admin_user_delete)
{
    const char *name = bare(a->words[0]);

    if (!args_has(a, "yes") &&
        !ask_yes(c, "The account goes, and all that it wrote. Is that what you want?"))
        return cli_usage(c, "nothing was deleted", "answer y, or give --yes");
    return cli_do(c, roost_admin_delete(c->r, name), "admin user delete",
                  "The account %s is deleted.", name);
}

/* --- blocks --- */

static void hex(struct buf *b, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(b, "%02x", p[i]);
}

static void json_block(struct cli *c, const struct roost_block *k, const char *key)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "block");
    json_str(&j, "key", key);
    json_str(&j, "kind", k->kind);
    json_str(&j, "name", k->name);
    json_str(&j, "source", k->source);
    json_u64(&j, "failures", k->failures);
    json_time(&j, "until", (int64_t)k->until_ms);
    json_end(&j);
}

CLI_RUN(cmd_admin_blocks)
{
    static const char *const heads[] = { "KIND", "NAME", "FROM", "FAILED", "BLOCKED FOR", "KEY" };
    struct roost_event e;
    struct table t;
    struct buf cell = { 0 };
    int status = cli_call(c, roost_admin_blocks(c->r), &e);

    (void)a;
    if (status)
        return status;
    table_init(&t, heads, sizeof heads / sizeof *heads);
    int64_t now = cli_now_ms();
    for (size_t i = 0; i < e.reply.n; i++) {
        const struct roost_block *k = &e.reply.blocks[i];
        struct buf key = { 0 };
        hex(&key, k->key, k->key_len);
        if (c->json) {
            json_block(c, k, buf_str(&key));
        } else {
            table_add(&t, k->kind);
            table_add(&t, k->name);
            table_add(&t, k->source);
            table_add_u64(&t, k->failures);
            if ((int64_t)k->until_ms > now)
                when_span(&cell, (int64_t)k->until_ms - now);
            table_add_buf(&t, &cell);
            table_add_buf(&t, &key);
        }
        buf_fini(&key);
    }
    if (!c->json && e.reply.n)
        table_print(&t, &c->out, 0, c->colour);
    else if (!c->json)
        cli_say(c, "Nothing is blocked or counted.");
    table_fini(&t);
    buf_fini(&cell);
    cli_flush(c);
    return CLI_OK;
}

/* "90", "10m", "2h", "7d" in seconds. */
static bool seconds_of(const char *s, uint64_t *ret)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = { { 0, 1 }, { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
    char number[12];
    size_t digits = strspn(s, "0123456789");
    unsigned long long n;

    if (!digits || digits >= sizeof number || (s[digits] && s[digits + 1]))
        return false;
    memcpy(number, s, digits);
    number[digits] = 0;
    if (!args_number(number, 1, 1000000000, &n))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == s[digits]) {
            *ret = n * units[i].seconds;
            return true;
        }
    return false;
}

CLI_RUN(cmd_admin_block)
{
    uint64_t seconds = 0;

    if (!a->n_words)
        return cmd_admin_blocks(c, a);
    const char *name = bare(a->words[0]), *time = a->n_words > 1 ? a->words[1] : "1h";
    if (!seconds_of(time, &seconds))
        return cli_usage(c, "this is no length of time", "write for example 90s, 10m, 2h or 7d");
    return cli_do(c, roost_admin_block(c->r, name, seconds), "admin block",
                  "Nobody logs in as %s for %s.", name, time);
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t unhex(const char *s, uint8_t *out, size_t max)
{
    size_t n = 0;
    for (; s[0] && s[1] && n < max; s += 2, n++) {
        int high = nibble(s[0]), low = nibble(s[1]);
        if (high < 0 || low < 0)
            return 0;
        out[n] = (uint8_t)(high << 4 | low);
    }
    return *s ? 0 : n;
}

CLI_RUN(cmd_admin_unblock)
{
    uint8_t key[256];
    const char *hex_key = args_value(a, "key");
    size_t len = hex_key ? unhex(hex_key, key, sizeof key) : 0;

    if ((hex_key != NULL) == (a->n_words == 1) || (hex_key && !len))
        return cli_usage(c, "whose block is to be lifted?",
                         "give a name, or --key KEY as admin blocks shows it");
    if (hex_key)
        return cli_do(c, roost_admin_unblock(c->r, key, len, NULL), "admin unblock",
                      "The block is lifted.");
    return cli_do(c, roost_admin_unblock(c->r, NULL, 0, bare(a->words[0])), "admin unblock",
                  "%s may log in again.", bare(a->words[0]));
}
