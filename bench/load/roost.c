/* roost.c - a Roost client: frames of proto/roost.proto over TLS 1.3.
 *
 * Set-up: hello, sign up (the first connection of an account), log in, the room
 * (the first connection makes it, the others join), sync. What is delivered is
 * not decoded: the text is the end of the frame, and carries its own mark.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "load.h"
#include "proto/roost.pb-c.h"
#include "wire/frame.h"

enum { GREETING, SIGNING_UP, LOGGING_IN, ENTERING, SYNCING, IN };

/* The first byte of a ToClient frame: the field's number and "a message follows". */
enum { TAG_REPLY = 1 << 3 | 2, TAG_EVENT = 2 << 3 | 2 };

#define PASSWORD "correct horse battery"

static void send_msg(struct load *l, struct conn *c, Roost__ToServer *m)
{
    uint8_t id[16], buf[FRAME_HEAD + 1024];
    uint64_t counter = ++l->ids;
    memcpy(id, &l->id_base, 8);
    memcpy(id + 8, &counter, 8);
    m->id.data = id;
    m->id.len = sizeof id;
    size_t len = roost__to_server__get_packed_size(m);
    if (len > sizeof buf - FRAME_HEAD)
        die("a request of %zu bytes", len);
    roost__to_server__pack(m, buf + FRAME_HEAD);
    frame_head_encode(buf, len);
    conn_send(l, c, buf, FRAME_HEAD + len);
}

/* Declares `m`, a request with its body. */
#define REQUEST(Type, type, TYPE)                                                                  \
    Roost__##Type body = ROOST__##TYPE##__INIT;                                                    \
    Roost__ToServer m = ROOST__TO_SERVER__INIT;                                                    \
    m.body_case = ROOST__TO_SERVER__BODY_##TYPE;                                                   \
    m.type = &body

static uint32_t account_of(const struct load *l, const struct conn *c)
{
    return c->index % l->opt.accounts;
}

static void on_open(struct load *l, struct conn *c)
{
    REQUEST(Hello, hello, HELLO);
    body.version_min = body.version_max = 1;
    body.program = (char *)"bench";
    send_msg(l, c, &m);
}

static void sign_up(struct load *l, struct conn *c)
{
    char name[32];
    REQUEST(SignUp, sign_up, SIGN_UP);
    snprintf(name, sizeof name, "bench-%u", account_of(l, c));
    body.name = name;
    body.password = (char *)PASSWORD;
    c->step = SIGNING_UP;
    send_msg(l, c, &m);
}

static void login(struct load *l, struct conn *c)
{
    char name[32];
    uint8_t device[32] = { 0 };
    REQUEST(Login, login, LOGIN);
    snprintf(name, sizeof name, "bench-%u", account_of(l, c));
    memcpy(device, &l->id_base, 8);
    memcpy(device + 8, &c->index, 4);
    body.name = name;
    body.password = (char *)PASSWORD;
    body.device.data = device;
    body.device.len = sizeof device;
    body.device_name = (char *)"bench";
    c->step = LOGGING_IN;
    send_msg(l, c, &m);
}

static void enter(struct load *l, struct conn *c)
{
    Roost__Target target = ROOST__TARGET__INIT;
    c->step = ENTERING;
    if (c->index == 0) {
        REQUEST(NewRoom, new_room, NEW_ROOM);
        body.name = (char *)"bench";
        send_msg(l, c, &m);
    } else {
        REQUEST(Join, join, JOIN);
        target.room = l->room;
        target.name = (char *)"#bench";
        body.target = &target;
        send_msg(l, c, &m);
    }
}

static void sync_room(struct load *l, struct conn *c, uint64_t after)
{
    REQUEST(Sync, sync, SYNC);
    body.room = l->room;
    body.after = after;
    body.limit = 200;
    c->step = SYNCING;
    send_msg(l, c, &m);
}

static void keep(struct load *l, struct conn *c)
{
    REQUEST(Ping, ping, PING);
    send_msg(l, c, &m);
}

static void say(struct load *l, struct conn *c, const char line[static LINE_BYTES])
{
    char text[LINE_BYTES + 1];
    Roost__Target target = ROOST__TARGET__INIT;
    REQUEST(Say, say, SAY);
    memcpy(text, line, LINE_BYTES);
    text[LINE_BYTES] = 0;
    target.room = l->room;
    body.target = &target;
    body.text = text;
    send_msg(l, c, &m);
}

static void on_error(struct load *l, struct conn *c, const Roost__Error *e)
{
    if (c->ready) { /* a line, or a ping */
        if (l->refused++ == 0)
            fprintf(stderr, "load: refused: %s (%s)\n", e->name, e->text);
        return;
    }
    if (c->step == SIGNING_UP && e->code == ROOST_NAME_TAKEN) {
        login(l, c); /* another of its connections was here before */
        return;
    }
    die("connection %u, step %u: the server said: %s (%s)", c->index, c->step, e->name, e->text);
}

static void on_reply(struct load *l, struct conn *c, const Roost__Reply *r)
{
    if (r->result_case == ROOST__REPLY__RESULT_ERROR) {
        on_error(l, c, r->error);
        return;
    }
    switch (c->step) {
    case GREETING:
        if (l->opt.greet_only)
            conn_ready(l, c);
        else if (c->index < l->opt.accounts)
            sign_up(l, c);
        else
            login(l, c);
        break;
    case SIGNING_UP:
        login(l, c);
        break;
    case LOGGING_IN:
        if (l->opt.room) {
            enter(l, c);
        } else {
            c->step = IN;
            conn_ready(l, c);
        }
        break;
    case ENTERING:
        if (r->result_case != ROOST__REPLY__RESULT_DONE)
            die("entering the room was answered with something else");
        if (c->index == 0)
            l->room = r->done->room;
        sync_room(l, c, r->done->seq);
        break;
    case SYNCING:
        if (r->result_case != ROOST__REPLY__RESULT_SYNCED)
            die("sync was answered with something else");
        if (r->synced->more) {
            sync_room(l, c, r->synced->upto);
            break;
        }
        c->step = IN;
        conn_ready(l, c);
        break;
    default:
        break;
    }
}

static void on_frame(struct load *l, struct conn *c, const uint8_t *p, size_t len)
{
    if (len > LINE_BYTES && p[0] == TAG_EVENT) {
        line_delivered(l, p + len - LINE_BYTES);
        return; /* ours, or a member's coming */
    }
    if (len == 0 || p[0] != TAG_REPLY)
        return;
    Roost__ToClient *m = roost__to_client__unpack(NULL, len, p);
    if (!m || m->body_case != ROOST__TO_CLIENT__BODY_REPLY)
        die("a frame that is no message");
    on_reply(l, c, m->reply);
    roost__to_client__free_unpacked(m, NULL);
}

static size_t on_bytes(struct load *l, struct conn *c, const uint8_t *p, size_t len)
{
    size_t at = 0;
    while (len - at >= FRAME_HEAD) {
        size_t body = (size_t)p[at] << 24 | (size_t)p[at + 1] << 16 | (size_t)p[at + 2] << 8 |
                      p[at + 3];
        if (body > FRAME_BODY_MAX)
            die("a frame of %zu bytes", body);
        if (len - at - FRAME_HEAD < body)
            break;
        on_frame(l, c, p + at + FRAME_HEAD, body);
        at += FRAME_HEAD + body;
    }
    return at;
}

const struct proto proto_roost = {
    .name = "roost", .tls = true, .on_open = on_open, .on_bytes = on_bytes, .say = say, .keep = keep
};
