/* tell.c - what a handler has to say to other shards goes through the bus. */
#include "hub/internal.h"

void tell_lost(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->conns, &i));)
        hub_condemn(h, s->value);
}

static void publish(struct hub *h, struct shard to, Roost__ToNode *note)
{
    size_t len = roost__to_node__get_packed_size(note);
    struct blob *b = blob_new(len);

    if (b)
        roost__to_node__pack(note, b->bytes);
    if (!b || h->bus->ops->publish(h->bus, to, b) < 0)
        tell_lost(h);
    blob_unref(b);
}

static void publish_frame(struct hub *h, struct shard to, struct blob *frame, uint64_t seq,
                          uint64_t except)
{
    Roost__ToNode note;

    roost__to_node__init(&note);
    if (!frame) {
        tell_lost(h);
        return;
    }
    note.body_case = ROOST__TO_NODE__BODY_FRAME;
    note.frame = (ProtobufCBinaryData){ frame->len, frame->bytes };
    note.seq = seq;
    note.except = except;
    publish(h, to, &note);
    blob_unref(frame);
}

void tell_room_event(struct hub *h, const struct event *e)
{
    publish_frame(h, (struct shard){ SHARD_ROOM, e->room }, event_encode(e), e->seq, 0);
}

void tell_room_frame(struct hub *h, uint64_t room, Roost__ToClient *frame, uint64_t except)
{
    publish_frame(h, (struct shard){ SHARD_ROOM, room }, msg_encode(&frame->base), 0, except);
}

void tell_account_frame(struct hub *h, uint64_t account, Roost__ToClient *frame, uint64_t except)
{
    publish_frame(h, (struct shard){ SHARD_ACCOUNT, account }, msg_encode(&frame->base), 0, except);
}

void tell_session_frame(struct hub *h, uint64_t account, uint64_t session, Roost__ToClient *frame)
{
    struct blob *b = msg_encode(&frame->base);
    Roost__ToNode note;

    roost__to_node__init(&note);
    if (!b) {
        tell_lost(h);
        return;
    }
    note.body_case = ROOST__TO_NODE__BODY_FRAME;
    note.frame = (ProtobufCBinaryData){ b->len, b->bytes };
    note.only = session;
    publish(h, (struct shard){ SHARD_ACCOUNT, account }, &note);
    blob_unref(b);
}

void tell_room_place(struct hub *h, uint64_t account, Roost__RoomInfo *info, bool gone)
{
    Roost__RoomChanged changed = ROOST__ROOM_CHANGED__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    changed.room = info;
    changed.gone = gone;
    frame.body_case = ROOST__TO_CLIENT__BODY_ROOM_CHANGED;
    frame.room_changed = &changed;
    tell_account_frame(h, account, &frame, 0);
}

void tell_detach(struct hub *h, uint64_t room, uint64_t account)
{
    Roost__ToNode note;
    Roost__Detach detach = ROOST__DETACH__INIT;

    roost__to_node__init(&note);
    detach.account = account;
    note.body_case = ROOST__TO_NODE__BODY_DETACH;
    note.detach = &detach;
    publish(h, (struct shard){ SHARD_ROOM, room }, &note);
    files_bar(h, account, room, false); /* the room's files are kept where its owner is */
}

void tell_sessions_end(struct hub *h, uint64_t account, uint64_t only, uint64_t except, int err)
{
    Roost__ToNode note;
    Roost__EndSessions end = ROOST__END_SESSIONS__INIT;

    roost__to_node__init(&note);
    end.only = only;
    end.except = except;
    end.error = (uint32_t)(err < 0 ? -err : err);
    note.body_case = ROOST__TO_NODE__BODY_END;
    note.end = &end;
    publish(h, (struct shard){ SHARD_ACCOUNT, account }, &note);
    files_bar_sessions(h, account, only, except);
}

void tell_role(struct hub *h, uint64_t account, uint32_t role)
{
    Roost__ToNode note;
    Roost__RoleNow now = ROOST__ROLE_NOW__INIT;

    roost__to_node__init(&note);
    now.role = role;
    note.body_case = ROOST__TO_NODE__BODY_ROLE;
    note.role = &now;
    publish(h, (struct shard){ SHARD_ACCOUNT, account }, &note);
}

void tell_ignored(struct hub *h, uint64_t account, uint64_t whom, bool on)
{
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    Roost__IgnoreChanged changed = ROOST__IGNORE_CHANGED__INIT;

    changed.account = whom;
    changed.on = on;
    frame.body_case = ROOST__TO_CLIENT__BODY_IGNORE_CHANGED;
    frame.ignore_changed = &changed;
    tell_account_frame(h, account, &frame, 0);
}

void tell_account_gone(struct hub *h, uint64_t account)
{
    Roost__ToNode note;
    Roost__Detach detach = ROOST__DETACH__INIT;

    roost__to_node__init(&note);
    detach.account = account;
    note.body_case = ROOST__TO_NODE__BODY_DETACH;
    note.detach = &detach;
    publish(h, (struct shard){ SHARD_EVERYONE, 0 }, &note);
    tell_sessions_end(h, account, 0, 0, ROOST_ACCOUNT_GONE);
}

void tell_attached(struct hub *h, uint64_t meeting, uint64_t account, bool on)
{
    Roost__ToNode note;
    Roost__Attached attached = ROOST__ATTACHED__INIT;

    roost__to_node__init(&note);
    attached.room = meeting;
    attached.account = account;
    attached.on = on;
    note.body_case = ROOST__TO_NODE__BODY_ATTACHED;
    note.attached = &attached;
    publish(h, (struct shard){ SHARD_EVERYONE, 0 }, &note);
}

void tell_stale(struct hub *h, uint64_t room)
{
    Roost__ToNode note;

    roost__to_node__init(&note);
    note.body_case = ROOST__TO_NODE__BODY_STALE;
    note.stale = room;
    publish(h, (struct shard){ SHARD_EVERYONE, 0 }, &note);
}
