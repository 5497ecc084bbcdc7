/* rooms: which there are, and what is unread in them */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/when.h"

static const char *kind_name(enum roost_room_kind kind)
{
    static const char *const names[] = { "room", "direct", "everyone", "meeting" };
    return (size_t)kind < 4 ? names[kind] : "room";
}

static void json_room(struct cli *c, const struct roost_room *r)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "room");
    json_u64(&j, "room", r->room);
    json_str(&j, "kind", kind_name(r->kind));
    json_str(&j, "name", r->name);
    json_str(&j, "topic", r->topic);
    json_bool(&j, "private", r->private_);
    json_bool(&j, "moderated", r->moderated);
    json_bool(&j, "closed", r->closed);
    json_bool(&j, "member", r->member);
    json_bool(&j, "muted", r->muted);
    json_str(&j, "role", r->member ? cmd_room_role_name(r->role) : NULL);
    json_u64(&j, "members", r->members);
    json_u64(&j, "unread", r->unread);
    json_u64(&j, "mentions", r->mentions);
    json_u64(&j, "head", r->head);
    json_u64(&j, "read", r->read);
    json_u64(&j, "retention_days", r->retention_days);
    json_open(&j, "pins", '[');
    for (size_t i = 0; i < r->n_pins; i++)
        json_id(&j, NULL, r->room, r->pins[i]);
    json_close(&j, ']');
    json_time(&j, "last_at", (int64_t)r->last_ms);
    json_end(&j);
}

static void add_flag(struct buf *b, bool on, const char *word)
{
    if (on)
        buf_printf(b, "%s%s", b->len ? ", " : "", word);
}

static void row(struct table *t, const struct roost_room *r, int64_t now)
{
    struct buf cell = { 0 };

    table_add_u64(t, r->room);
    if (r->kind == ROOST_EVERYONE)
        buf_puts(&cell, "everyone");
    else if (!*r->name)
        buf_puts(&cell, "(private)"); /* between two others: for admins */
    else
        buf_printf(&cell, "%s%s",
                   r->kind == ROOST_DIRECT    ? "@"
                   : r->kind == ROOST_MEETING ? "meeting: "
                                              : "#",
                   r->name);
    table_add_buf(t, &cell);
    if (r->unread)
        buf_printf(&cell, "%u%s", (unsigned)r->unread, r->unread >= 1000 ? "+" : "");
    table_add_buf(t, &cell);
    if (r->members && r->kind == ROOST_ROOM)
        buf_printf(&cell, "%u", (unsigned)r->members);
    table_add_buf(t, &cell);
    if (r->last_ms)
        when_short(&cell, (int64_t)r->last_ms, now, cli_zone_s(now));
    table_add_buf(t, &cell);
    if (r->member && r->kind == ROOST_ROOM)
        add_flag(&cell, true, cmd_room_role_name(r->role));
    add_flag(&cell, r->private_ && r->kind == ROOST_ROOM, "private");
    add_flag(&cell, r->moderated, "moderated");
    add_flag(&cell, r->closed, "closed");
    add_flag(&cell, r->muted, "muted");
    table_add_buf(t, &cell);
    table_add(t, r->topic);
    buf_fini(&cell);
}

/* All pages, gathered in one table or printed as objects. */
static int list_rooms(struct cli *c, bool admin, bool mine)
{
    static const char *const heads[] = {
        "ID", "ROOM", "UNREAD", "MEMBERS", "LAST", "YOU", "TOPIC"
    };
    int64_t now = cli_now_ms();
    uint64_t after = 0;
    struct roost_event e;
    struct table t;
    int status;

    table_init(&t, heads, sizeof heads / sizeof *heads);
    do {
        status = cli_call(
            c, admin ? roost_admin_rooms(c->r, after) : roost_room_list(c->r, mine, after), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.rooms[i].room;
            if (c->json)
                json_room(c, &e.reply.rooms[i]);
            else
                row(&t, &e.reply.rooms[i], now);
        }
    } while (e.reply.more && e.reply.n);
    if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    return status;
}

CLI_RUN(cmd_rooms)
{
    return list_rooms(c, false, args_has(a, "mine"));
}

CLI_RUN(cmd_admin_rooms)
{
    (void)a;
    return list_rooms(c, true, false);
}
