#include "cli/live.h"

#include <string.h>

#include "cli/json.h"
#include "cli/text.h"
#include "cli/when.h"

static bool wanted(struct cli *c, uint64_t room, const char *only)
{
    const struct room_entry *e = only ? rooms_find(&c->rooms, only) : NULL;
    return !only || (e && e->room == room);
}

int live_follow(struct cli *c, const char *only, bool from_head)
{
    for (size_t i = 0; i < c->rooms.n; i++) {
        const struct room_entry *e = &c->rooms.list[i];
        if (!wanted(c, e->room, only))
            continue;
        /* read may be above head: it was read after the list was made */
        int64_t request = roost_room_follow(c->r, e->room, from_head ? e->head : e->read);
        if (request < 0) {
            struct roost_error error = roost_error_get((int)request);
            return cli_fail_error(c, &error, NULL);
        }
    }
    return CLI_OK;
}

void live_on_room(struct cli *c, const struct roost_event *e, const char *only)
{
    uint64_t room = e->room.room;
    const struct room_entry *old = rooms_get(&c->rooms, room);
    bool known = old != NULL;

    if (e->gone) {
        roost_room_unfollow(c->r, room);
        rooms_drop(&c->rooms, room);
        return;
    }
    rooms_put(&c->rooms, &e->room);
    if (known || !wanted(c, room, only))
        return;
    /* A talk between two that was not there is new from its first word; of a room
     * that one comes into, what led here is enough. */
    uint64_t head = e->room.head;
    roost_room_follow(c->r, room, e->room.kind == ROOST_DIRECT || !head ? 0 : head - 1);
}

static void line(struct cli *c, const char *text)
{
    buf_puts(&c->out, cli_style(c, STYLE_DIM));
    buf_puts(&c->out, "- ");
    text_clean(&c->out, text, TEXT_ONE_LINE);
    buf_puts(&c->out, cli_style(c, STYLE_OFF));
    buf_putc(&c->out, '\n');
}

static const char *const state_names[] = {
    "connecting", "asking", "login", "ready", "lost", "over"
};

static void json_status(struct cli *c, const struct roost_status *s)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "status");
    json_str(&j, "state", (size_t)s->state < 6 ? state_names[s->state] : "unknown");
    json_str(&j, "text", s->error.code ? s->error.text : NULL);
    json_str(&j, "detail", *s->detail ? s->detail : NULL);
    json_end(&j);
}

int live_on_status(struct cli *c, const struct roost_status *s)
{
    if (c->json && s->state != ROOST_CONNECTING)
        json_status(c, s);
    switch (s->state) {
    case ROOST_READY:
        cli_on_status(c, s);
        if (!c->json)
            line(c, "connected again");
        return 0;
    case ROOST_LOST:
        if (!c->json)
            line(c, "the connection is lost; trying again");
        return 0;
    case ROOST_LOGIN: {
        struct roost_error e = roost_error_get(ROOST_E_SESSION_OVER);
        return cli_fail_error(c, &e, s->detail) + 1;
    }
    case ROOST_OVER:
        return s->error.code ? cli_fail_error(c, &s->error, s->detail) + 1 : 1;
    default:
        return 0;
    }
}

void live_on_notice(struct cli *c, const struct roost_event *e)
{
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "notice");
        json_str(&j, "text", e->notice.text);
        json_bool(&j, "going_down", e->notice.going_down);
        json_end(&j);
        return;
    }
    struct buf b = { 0 };
    if (*e->notice.text)
        buf_printf(&b, "the server says: %s", e->notice.text);
    else
        buf_puts(&b, e->notice.going_down ? "the server is going down"
                                          : "the server has something to say");
    line(c, buf_str(&b));
    buf_fini(&b);
}
