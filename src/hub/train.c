/* train.c - the events of one turn travel together.
 *
 * Under load a turn of the loop stores dozens of lines of one room, and each goes
 * to the same connections. They are joined once, in the topic's train; a receiver
 * is given one part of it, not a frame at a time. The train departs when the edge
 * has pulled everything else. What one connection alone is sent meanwhile (a
 * reply) comes behind the part that it has not been given: the order of what a
 * connection gets is the order in which it was sent.
 */
#include <string.h>

#include "hub/internal.h"

enum {
    TRAIN_FIRST = 1024,
    TRAIN_MAX = 16384,  /* the contents of one TLS record; a longer frame travels alone */
    DEPARTING_MAX = 16, /* trains that are looked through for each reply */
};

void train_board(struct sub *s)
{
    s->train = s->topic->train_number;
    s->sent = s->topic->train_len;
}

void train_catch_up(struct hub *h, struct sub *s)
{
    struct topic *t = s->topic;
    uint32_t from = s->train == t->train_number ? s->sent : 0;

    if (s->state != SUB_LIVE || from == t->train_len)
        return;
    train_board(s);
    if (!s->conn->condemned &&
        outbox_send(h->out, s->conn->id, t->train, from, t->train_len - from) < 0)
        hub_condemn(h, s->conn);
}

static void depart(struct hub *h, struct topic *t)
{
    for (size_t i = 0; i < t->n; i++)
        train_catch_up(h, t->subs[i]);
    t->train = blob_unref(t->train);
    t->train_len = t->train_cap = 0;
    t->train_number++;
}

void trains_depart(struct hub *h)
{
    struct topic *t;

    while ((t = h->departing)) {
        h->departing = t->next_departing;
        h->n_departing--;
        t->departs = false;
        depart(h, t);
    }
}

void trains_catch_up(struct hub *h, struct conn *c)
{
    struct sub *s;

    if (h->n_departing > DEPARTING_MAX)
        trains_depart(h);
    for (struct topic *t = h->departing; t; t = t->next_departing)
        if ((s = sub_get(c, t->room)))
            train_catch_up(h, s);
}

void train_drop(struct hub *h, struct topic *t)
{
    struct topic **at = &h->departing;

    t->train = blob_unref(t->train);
    if (!t->departs)
        return;
    while (*at != t)
        at = &(*at)->next_departing;
    *at = t->next_departing;
    h->n_departing--;
}

/* Parts that were given out stay as they are: a longer train is another blob. */
static int grow(struct topic *t, uint32_t len)
{
    uint32_t cap = t->train_cap > TRAIN_FIRST ? t->train_cap : TRAIN_FIRST;

    while (cap < len)
        cap *= 2;
    struct blob *b = blob_new(cap);
    if (!b)
        return -ROOST_NOMEM;
    memcpy(b->bytes, t->train->bytes, t->train_len);
    blob_unref(t->train);
    t->train = b;
    t->train_cap = cap;
    return 0;
}

int train_add(struct hub *h, struct topic *t, struct blob *frame)
{
    if (t->train && t->train_len + frame->len > TRAIN_MAX)
        depart(h, t);
    if (!t->train) { /* mostly it stays alone: nothing is copied */
        t->train = blob_ref(frame);
        t->train_len = t->train_cap = frame->len;
    } else {
        if (t->train_len + frame->len > t->train_cap && grow(t, t->train_len + frame->len) < 0)
            return -ROOST_NOMEM;
        memcpy(t->train->bytes + t->train_len, frame->bytes, frame->len);
        t->train_len += frame->len;
    }
    if (!t->departs) {
        t->departs = true;
        t->next_departing = h->departing;
        h->departing = t;
        h->n_departing++;
    }
    return 0;
}
