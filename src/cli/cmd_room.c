/* room new, join, leave, close, invite, remove, ban, role, members, topic, pin, mute, set */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/msgid.h"
#include "cli/table.h"

/* Without the mark: "#maths" is maths, "@anna" anna. */
static const char *bare(const char *word, char mark)
{
    return *word == mark ? word + 1 : word;
}

CLI_RUN(cmd_room_new)
{
    const char *name = bare(a->words[0], '#');
    const char **users = a->words + 1;
    size_t n = a->n_words - 1;

    for (size_t i = 0; i < n; i++)
        users[i] = bare(users[i], '@');
    struct roost_room_new what = {
        .name = name,
        .topic = args_value(a, "topic"),
        .users = users,
        .n_users = n,
        .private_ = args_has(a, "private"),
        .moderated = args_has(a, "moderated"),
    };
    struct roost_event e;
    int status = cli_call(c, roost_room_new(c->r, &what), &e);
    if (status)
        return status;
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "done");
        json_str(&j, "command", "room new");
        json_null(&j, "id");
        json_u64(&j, "room", e.reply.done.room);
        json_null(&j, "account");
        json_time(&j, "at", (int64_t)e.reply.done.at_ms);
        json_end(&j);
        cli_flush(c);
    } else {
        cli_say(c, "Room #%s is made; its number is %" PRIu64 ".", name, e.reply.done.room);
    }
    return CLI_OK;
}

/* The commands that take a room alone. */
static int on_room(struct cli *c, const struct cli_args *a,
                   int64_t (*request)(struct roost *, const char *), const char *sentence)
{
    char *target = cli_room_target(a->words[0]);
    int status = CLI_REFUSED;

    if (target) {
        struct buf text = { 0 };
        buf_printf(&text, sentence[0] ? "%s %s." : "%s%s", sentence, target);
        status = cli_do(c, request(c->r, target), a->command->name, "%s", buf_str(&text));
        buf_fini(&text);
    }
    free(target);
    return status;
}

CLI_RUN(cmd_room_join)
{
    return on_room(c, a, roost_room_join, "You are now in");
}

CLI_RUN(cmd_room_leave)
{
    return on_room(c, a, roost_room_leave, "You left");
}

CLI_RUN(cmd_room_close)
{
    return on_room(c, a, roost_room_close, "Nobody can speak any more in");
}

CLI_RUN(cmd_room_invite)
{
    char *target = cli_room_target(a->words[0]);
    const char *user = bare(a->words[1], '@');
    int status = target ? cli_do(c, roost_room_invite(c->r, target, user), "room invite",
                                 "%s is now in %s.", user, target)
                        : CLI_REFUSED;
    free(target);
    return status;
}

CLI_RUN(cmd_room_remove)
{
    char *target = cli_room_target(a->words[0]);
    const char *user = bare(a->words[1], '@');
    int status = target ? cli_do(c, roost_room_remove(c->r, target, user), "room remove",
                                 "%s is no longer in %s.", user, target)
                        : CLI_REFUSED;
    free(target);
    return status;
}

CLI_RUN(cmd_room_ban)
{
    char *target = cli_room_target(a->words[0]);
    const char *user = bare(a->words[1], '@');
    bool lift = args_has(a, "lift");
    int status = target ? cli_do(c, roost_room_ban(c->r, target, user, lift), "room ban",
                                 lift ? "%s may come to %s again." : "%s is banned from %s.", user,
                                 target)
                        : CLI_REFUSED;
    free(target);
    return status;
}

CLI_RUN(cmd_room_role)
{
    enum roost_room_role role = ROOST_MEMBER;
    const char *user = bare(a->words[1], '@');

    if (!strcmp(a->words[2], "owner"))
        role = ROOST_OWNER;
    else if (!strcmp(a->words[2], "moderator"))
        role = ROOST_ROOM_MODERATOR;
    else if (strcmp(a->words[2], "member") != 0)
        return cli_usage(c, "there is no such role in a room",
                         "the roles are member, moderator and owner");
    char *target = cli_room_target(a->words[0]);
    int status = target ? cli_do(c, roost_room_role(c->r, target, user, role), "room role",
                                 "%s is now %s of %s.", user, a->words[2], target)
                        : CLI_REFUSED;
    free(target);
    return status;
}

static void json_member(struct cli *c, uint64_t room, const struct roost_member *m)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "member");
    json_u64(&j, "room", room);
    json_str(&j, "name", m->name);
    json_u64(&j, "account", m->account);
    json_str(&j, "role", cmd_room_role_name(m->role));
    json_bool(&j, "on", m->on);
    json_bool(&j, "banned", m->banned);
    json_u64(&j, "delivered", m->delivered);
    json_u64(&j, "read", m->read);
    json_end(&j);
}

static void member_row(struct table *t, uint64_t room, const struct roost_member *m)
{
    struct buf id = { 0 };

    table_add(t, m->name);
    table_add(t, m->banned ? "banned" : cmd_room_role_name(m->role));
    table_add(t, m->on ? "on" : "");
    if (m->read)
        msgid_put(&id, room, m->read);
    table_add_buf(t, &id);
    buf_fini(&id);
}

static int list_members(struct cli *c, const char *target)
{
    static const char *const heads[] = { "NAME", "ROLE", "NOW", "HAS READ UP TO" };
    uint64_t after = 0;
    struct roost_event e;
    struct table t;
    int status;

    table_init(&t, heads, sizeof heads / sizeof *heads);
    do {
        status = cli_call(c, roost_room_members(c->r, target, after), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.members[i].account;
            if (c->json)
                json_member(c, e.reply.done.room, &e.reply.members[i]);
            else
                member_row(&t, e.reply.done.room, &e.reply.members[i]);
        }
    } while (e.reply.more && e.reply.n);
    if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    return status;
}

CLI_RUN(cmd_room_members)
{
    char *target = cli_room_target(a->words[0]);
    int status = target ? list_members(c, target) : CLI_REFUSED;

    free(target);
    return status;
}

CLI_RUN(cmd_room_topic)
{
    char *target = cli_room_target(a->words[0]);
    char *topic = cmd_join(a->words + 1, a->n_words - 1);
    int status = target && topic ? cli_do(c, roost_room_topic(c->r, target, topic), "room topic",
                                          "The topic of %s is set.", target)
                                 : CLI_REFUSED;
    free(target);
    free(topic);
    return status;
}

CLI_RUN(cmd_room_pin)
{
    uint64_t room, seq;
    bool off = args_has(a, "off");
    int status = cmd_id(c, a->words[0], &room, &seq);
    return status ? status
                  : cli_do(c, roost_room_pin(c->r, room, seq, off), "room pin",
                           off ? "Taken down." : "Pinned.");
}

CLI_RUN(cmd_room_mute)
{
    char *target = cli_target(a->words[0], false);
    bool off = args_has(a, "off");
    int status = target ? cli_do(c, roost_room_mute(c->r, target, !off), "room mute",
                                 off ? "%s may ring again." : "%s rings no more.", target)
                        : CLI_REFUSED;
    struct room_entry *known = target ? rooms_find(&c->rooms, target) : NULL;
    if (known && !status)
        known->muted = !off;
    free(target);
    return status;
}

/* -1: as it is; false: neither on nor off. */
static bool read_switch(const char *s, int *ret)
{
    if (!s)
        *ret = -1;
    else if (!strcmp(s, "on"))
        *ret = 1;
    else if (!strcmp(s, "off"))
        *ret = 0;
    else
        return false;
    return true;
}

CLI_RUN(cmd_room_set)
{
    const char *keep = args_value(a, "keep");
    unsigned long long days = 0;
    int private, moderated;

    if (!read_switch(args_value(a, "private"), &private) ||
        !read_switch(args_value(a, "moderated"), &moderated))
        return cli_usage(c, "a switch is on or off", "for example --private on");
    if (keep && strcmp(keep, "forever") != 0 && !args_number(keep, 1, 36500, &days))
        return cli_usage(c, "--keep takes a number of days, or forever", "for example --keep 30");
    if (!keep && private < 0 && moderated < 0)
        return cli_usage(c, "what is to be set?", "give --private, --moderated or --keep");
    char *target = cli_room_target(a->words[0]);
    int status =
        target
            ? cli_do(c, roost_room_set(c->r, target, private, moderated, keep ? (int64_t)days : -1),
                     "room set", "%s is set.", target)
            : CLI_REFUSED;
    free(target);
    return status;
}
