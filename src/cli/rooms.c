#include "cli/rooms.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void rooms_fini(struct rooms *rs)
{
    for (size_t i = 0; i < rs->n; i++)
        free(rs->list[i].name);
    free(rs->list);
    *rs = (struct rooms){ 0 };
}

struct room_entry *rooms_get(const struct rooms *rs, uint64_t room)
{
    for (size_t i = 0; i < rs->n; i++)
        if (rs->list[i].room == room)
            return &rs->list[i];
    return NULL;
}

static struct room_entry *add(struct rooms *rs)
{
    if (rs->n == rs->cap) {
        size_t cap = rs->cap ? rs->cap * 2 : 16;
        struct room_entry *list = rs->n >= ROOMS_MAX ? NULL : realloc(rs->list, cap * sizeof *list);
        if (!list)
            return NULL;
        rs->list = list;
        rs->cap = cap;
    }
    struct room_entry *e = &rs->list[rs->n++];
    *e = (struct room_entry){ 0 };
    return e;
}

bool rooms_put(struct rooms *rs, const struct roost_room *room)
{
    size_t size = strlen(room->name) + 1;
    char *name = malloc(size);
    struct room_entry *e = name ? rooms_get(rs, room->room) : NULL;

    if (name && !e)
        e = add(rs);
    if (!e) {
        free(name);
        return false;
    }
    memcpy(name, room->name, size);
    free(e->name);
    *e = (struct room_entry){
        .room = room->room,
        .head = room->head,
        .read = room->read,
        .peer = room->peer,
        .kind = room->kind,
        .unread = room->unread,
        .mentions = room->mentions,
        .muted = room->muted,
        .closed = room->closed,
        .name = name,
    };
    return true;
}

void rooms_drop(struct rooms *rs, uint64_t room)
{
    struct room_entry *e = rooms_get(rs, room);
    if (!e)
        return;
    free(e->name);
    *e = rs->list[--rs->n];
}

static bool is_number(const char *s, uint64_t *ret)
{
    if (*s < '0' || *s > '9' || strspn(s, "0123456789") != strlen(s))
        return false;
    *ret = strtoull(s, NULL, 10);
    return true;
}

struct room_entry *rooms_find(const struct rooms *rs, const char *target)
{
    struct room_entry *found = NULL;
    uint64_t number;

    if (is_number(target, &number))
        return rooms_get(rs, number);
    for (size_t i = 0; i < rs->n && (!found || found->closed); i++) {
        struct room_entry *e = &rs->list[i];
        if (*target == '*'
                ? e->kind == ROOST_EVERYONE
                : (*target == '@') == (e->kind == ROOST_DIRECT) && e->kind != ROOST_EVERYONE &&
                      e->kind != ROOST_MEETING && *target && !strcasecmp(e->name, target + 1))
            found = e;
    }
    return found;
}

void rooms_label(const struct rooms *rs, uint64_t room, struct buf *b)
{
    const struct room_entry *e = rooms_get(rs, room);

    if (!e)
        buf_printf(b, "%" PRIu64, room);
    else if (e->kind == ROOST_EVERYONE)
        buf_puts(b, "everyone");
    else if (e->kind == ROOST_MEETING) /* its title names nothing */
        buf_puts(b, e->name);
    else
        buf_printf(b, "%c%s", e->kind == ROOST_DIRECT ? '@' : '#', e->name);
}
