/* media_keys.c - messages of keys, carried from device to device in order and not looked at.
 *
 * To a device whose connection is lost they wait. One that has too many of them takes part no
 * more: without them it could neither hear nor be heard, and entering again mends that.
 */
#include <stdlib.h>

#include "hub/handlers_media.h"
#include "hub/media.h"
#include "seal/keyring.h"

/* A bucket: room for MEDIA_KEYS_BURST, a second fills MEDIA_KEYS_SECOND. */
static bool take_tokens(struct hub *h, struct request *q, struct device *d, size_t n)
{
    int64_t each = 1000000 / MEDIA_KEYS_SECOND, now = h->now.mono_us;

    if (d->keys_us < now)
        d->keys_us = now;
    int64_t full_us = d->keys_us + each * (int64_t)n - now;
    if (full_us > each * MEDIA_KEYS_BURST) {
        q->retry_after_ms = (uint64_t)((full_us - each * MEDIA_KEYS_BURST) / 1000 + 1);
        return false;
    }
    d->keys_us += each * (int64_t)n;
    return true;
}

static struct blob *encode(const struct device *from, const ProtobufCBinaryData *data)
{
    Roost__MediaKeys keys = ROOST__MEDIA_KEYS__INIT;
    Roost__MediaKey key = ROOST__MEDIA_KEY__INIT, *list[] = { &key };
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;

    key.number = from->number;
    key.data = *data;
    keys.meeting = from->call->meeting;
    keys.keys = list;
    keys.n_keys = 1;
    frame.body_case = ROOST__TO_CLIENT__BODY_MEDIA_KEYS;
    frame.media_keys = &keys;
    return msg_encode(&frame.base);
}

static void wait_for(struct hub *h, struct device *to, struct blob *frame)
{
    if (!to->waiting)
        to->waiting = calloc(MEDIA_KEYS_WAITING, sizeof *to->waiting);
    if (!to->waiting || !frame || to->n_waiting == MEDIA_KEYS_WAITING)
        media_device_end(h, to, 0);
    else
        to->waiting[to->n_waiting++] = blob_ref(frame);
}

static void carry(struct hub *h, const struct device *from, const Roost__MediaKey *key)
{
    struct device *to = media_numbered(from->call, key->number);
    struct conn *c = to && to->conn ? conn_of(h, to->conn) : NULL;

    if (!to || to == from)
        return;
    struct blob *frame = encode(from, &key->data);
    if (!c)
        wait_for(h, to, frame);
    else if (frame)
        send_blob(h, c, frame);
    else
        hub_condemn(h, c);
    blob_unref(frame);
}

int media_keys_on_message(struct hub *h, struct request *q)
{
    const Roost__MediaKeys *b = q->msg->media_keys;
    struct device *d = media_device(h, q, b->meeting);

    if (!d)
        return -ROOST_NOT_IN_MEETING;
    if (b->n_keys > MEDIA_KEYS_MAX)
        return -ROOST_LIMIT;
    for (size_t i = 0; i < b->n_keys; i++)
        if (!b->keys[i]->data.len || b->keys[i]->data.len > KEYRING_MESSAGE_MAX)
            return -ROOST_INVALID;
    if (!take_tokens(h, q, d, b->n_keys))
        return -ROOST_TOO_FAST;
    for (size_t i = 0; i < b->n_keys; i++)
        carry(h, d, b->keys[i]);
    return reply_done(h, q, NULL);
}

void media_keys_release(struct hub *h, struct device *d)
{
    struct conn *c = conn_of(h, d->conn);

    for (uint32_t i = 0; c && i < d->n_waiting; i++)
        send_blob(h, c, d->waiting[i]);
    media_keys_free(d);
}

void media_keys_free(struct device *d)
{
    while (d->n_waiting)
        blob_unref(d->waiting[--d->n_waiting]);
    free(d->waiting);
    d->waiting = NULL;
}
