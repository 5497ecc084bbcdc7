/* cheat_control.c - what a hub could tell, and whom: frames of control are changed on their way to
 * a client. */
#include <stdlib.h>
#include <string.h>

#include "server/cheat.h"
#include "server/peer.h"
#include "wire/frame.h"
#include "wire/msg.h"

enum {
    SEEN_MAX = 64, /* connections */
    OLD_MAX = 16,  /* messages that are kept for each */
    EVE = 666,     /* who is in no meeting */
    SAYS_HELLO = 1,
    SAYS_KEY,
};

/* What a connection was told. */
struct seen {
    uint64_t conn;
    struct blob *list; /* the first */
    struct blob *keys[OLD_MAX];
    uint32_t n_lists, n_keys;
    uint32_t self;     /* its device */
    uint32_t other[2]; /* two more of the last list */
};

static struct seen all[SEEN_MAX];

/* enters: it takes part from now on. NULL: it does not. */
static struct seen *seen_of(uint64_t conn, bool enters)
{
    for (int i = 0; i < SEEN_MAX && (all[i].conn || enters); i++)
        if (all[i].conn == conn || !all[i].conn) {
            all[i].conn = conn;
            return &all[i];
        }
    return NULL;
}

static void send_copy(struct peer *p, const struct blob *b)
{
    struct blob *copy = b ? blob_copy(b->bytes, b->len) : NULL;

    if (copy)
        peer_send_part(p, copy, 0, copy->len);
}

static void send_message(struct peer *p, const Roost__ToClient *m)
{
    struct blob *b = msg_encode(&m->base);

    if (b)
        peer_send_part(p, b, 0, b->len);
}

/* --- lists ----------------------------------------------------------------------------------- */

/* Somebody more, with keys that nobody has. */
static void send_with_eve(struct peer *p, Roost__ToClient *m, bool as_device)
{
    Roost__MediaRoster *r = m->media_roster;
    Roost__MediaMember eve = ROOST__MEDIA_MEMBER__INIT;
    Roost__MediaMember **list = calloc(r->n_members + 1, sizeof *list);
    uint8_t identity[32];

    if (!list)
        return;
    memset(identity, 0x3e, sizeof identity);
    eve.number = EVE;
    eve.account = as_device && r->n_members ? r->members[0]->account : 1 << 30;
    eve.name = as_device && r->n_members ? r->members[0]->name : (char *)"Eve";
    eve.guest = !as_device;
    eve.identity = (ProtobufCBinaryData){ sizeof identity, identity };
    eve.device_name = (char *)"box";
    memcpy(list, r->members, r->n_members * sizeof *list);
    list[r->n_members] = &eve;
    Roost__MediaRoster more = *r;
    more.members = list;
    more.n_members++;
    m->media_roster = &more;
    send_message(p, m);
    m->media_roster = r;
    free(list);
}

static bool on_list(struct peer *p, struct seen *s, Roost__ToClient *m, struct blob *whole)
{
    const Roost__MediaRoster *r = m->media_roster;
    bool first = s == &all[0];

    s->n_lists++;
    s->other[0] = s->other[1] = 0;
    for (size_t i = 0, n = 0; i < r->n_members && n < 2; i++)
        if (r->members[i]->number != s->self)
            s->other[n++] = r->members[i]->number;
    switch (cheat_now) {
    case CHEAT_MEMBER_INSERTED:
    case CHEAT_DEVICE_INSERTED:
        send_with_eve(p, m, cheat_now == CHEAT_DEVICE_INSERTED);
        return true;
    case CHEAT_LIST_DIFFERS:
        if (first)
            send_with_eve(p, m, false);
        return first;
    case CHEAT_LIST_OLD:
        send_copy(p, whole);
        send_copy(p, s->list);
        if (!s->list)
            s->list = blob_copy(whole->bytes, whole->len);
        return true;
    default:
        return false;
    }
}

/* --- keys --------------------------------------------------------------------------------------
 */

static bool rename_keys(struct peer *p, const struct seen *s, Roost__ToClient *m)
{
    Roost__MediaKey *k = m->media_keys->keys[0];
    uint32_t other = s->other[0] != k->number ? s->other[0] : s->other[1];

    if (k->data.data[0] != SAYS_KEY)
        return false;
    k->number = other ? other : EVE;
    send_message(p, m);
    return true;
}

static bool on_keys(struct peer *p, struct seen *s, Roost__ToClient *m, struct blob *whole)
{
    Roost__MediaKey *k = m->media_keys->n_keys ? m->media_keys->keys[0] : NULL;

    if (!k || !k->data.len)
        return false;
    switch (cheat_now) {
    case CHEAT_KEYS_OLD:
        send_copy(p, whole);
        for (uint32_t i = 0; i < s->n_keys; i++)
            send_copy(p, s->keys[i]);
        if (s->n_keys < OLD_MAX)
            s->keys[s->n_keys++] = blob_copy(whole->bytes, whole->len);
        return true;
    case CHEAT_KEYS_FORGED:
        if (k->data.data[0] != SAYS_KEY)
            return false;
        k->data.data[k->data.len / 2] ^= 1;
        send_message(p, m);
        return true;
    case CHEAT_KEYS_RENAMED:
        return rename_keys(p, s, m);
    default:
        return false;
    }
}

/* --- sealing
 * -------------------------------------------------------------------------------------- */

static bool on_place(struct peer *p, struct seen *s, Roost__ToClient *m)
{
    Roost__MediaPlace *place = m->reply->media_place;
    uint8_t key[32] = "a key that the server knows, too";

    s->self = place->number;
    if (cheat_now != CHEAT_UNSEALED)
        return false;
    place->end_to_end = false;
    place->hub_key = (ProtobufCBinaryData){ sizeof key, key };
    send_message(p, m);
    place->hub_key = (ProtobufCBinaryData){ 0 };
    return true;
}

static bool on_meeting(struct peer *p, Roost__ToClient *m)
{
    if (cheat_now != CHEAT_UNSEALED_LATER || m->event->met->action != ROOST__MEET_ACTION__TITLE ||
        !m->event->met->meeting)
        return false;
    m->event->met->meeting->unsealed = true;
    send_message(p, m);
    return true;
}

/* --- */

/* True: something else was sent instead. */
static bool change(struct peer *p, struct blob *whole)
{
    struct arena mem = { 0 };
    bool done = false;
    int err;
    Roost__ToClient *m = msg_to_client_decode(&mem, whole->bytes + FRAME_HEAD,
                                              whole->len - FRAME_HEAD, &err);

    bool enters = m && m->body_case == ROOST__TO_CLIENT__BODY_REPLY &&
                  m->reply->result_case == ROOST__REPLY__RESULT_MEDIA_PLACE;
    struct seen *s = seen_of(p->number, enters);
    if (m && s && m->body_case == ROOST__TO_CLIENT__BODY_MEDIA_ROSTER)
        done = on_list(p, s, m, whole);
    else if (m && s && m->body_case == ROOST__TO_CLIENT__BODY_MEDIA_KEYS)
        done = on_keys(p, s, m, whole);
    else if (enters && s)
        done = on_place(p, s, m);
    else if (m && m->body_case == ROOST__TO_CLIENT__BODY_EVENT &&
             m->event->what_case == ROOST__EVENT__WHAT_MET)
        done = on_meeting(p, m);
    arena_fini(&mem);
    return done;
}

/* What is sent is one frame, or several of a room's, one after the other. */
void cheat_send(struct peer *p, struct blob *bytes, uint32_t at, uint32_t len, cheat_give_fn *give)
{
    const uint8_t *from = bytes->bytes + at, *end = from + len;

    while (end - from >= FRAME_HEAD) {
        size_t n = FRAME_HEAD + ((size_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3]);
        struct blob *one = n <= (size_t)(end - from) ? blob_copy(from, n) : NULL;
        if (!one)
            break;
        from += n;
        if (change(p, one))
            blob_unref(one);
        else
            give(p, one, 0, one->len);
    }
    blob_unref(bytes);
}
