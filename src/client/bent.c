#include "client/bent.h"

#include <stdlib.h>

#include "base/err.h"

struct bent *bent_new(const struct link_pair *how, uint64_t seed)
{
    struct bent *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    detour_init(&b->way, how, seed);
    link_init(&b->stream_up, LINK_STREAM, &how->up, seed + 2);
    link_init(&b->stream_down, LINK_STREAM, &how->down, seed + 3);
    return b;
}

void bent_free(struct bent *b)
{
    if (!b)
        return;
    detour_fini(&b->way);
    link_fini(&b->stream_up);
    link_fini(&b->stream_down);
    blob_unref(b->refused);
    free(b);
}

void bent_hear_message(struct bent *b, const uint8_t *bytes, size_t len, int64_t now_us)
{
    struct blob *blob = blob_copy(bytes, len);

    if (blob) /* without memory it is lost, as links lose */
        link_push(&b->stream_down, now_us, blob);
    blob_unref(blob);
}

void bent_deliver_messages(struct bent *b, struct flow *f, int64_t now_us)
{
    struct blob *blob;

    while ((blob = link_next(&b->stream_down, now_us))) {
        flow_on_frames(f, now_us, blob->bytes, blob->len);
        blob_unref(blob);
    }
}

/* As many as the link takes: one that it refuses waits here for its next turn. */
static void take_messages(struct bent *b, struct flow *f, int64_t now_us)
{
    uint8_t bytes[TUNNEL_MESSAGE_MAX];
    int n;

    if (b->refused && link_push(&b->stream_up, now_us, b->refused))
        return;
    b->refused = blob_unref(b->refused);
    while (!b->refused && (n = flow_next_frames(f, now_us, bytes, sizeof bytes)) > 0) {
        struct blob *blob = blob_copy(bytes, (size_t)n);
        if (blob && link_push(&b->stream_up, now_us, blob))
            b->refused = blob;
        else
            blob_unref(blob);
    }
}

int bent_send_messages(struct bent *b, struct flow *f, struct tunnel *t, int64_t now_us)
{
    struct blob *blob;
    int err = 0;

    take_messages(b, f, now_us);
    while (!err && (blob = link_next(&b->stream_up, now_us))) {
        err = tunnel_send(t, blob->bytes, blob->len);
        blob_unref(blob);
    }
    return err;
}

void bent_put_message(struct bent *b, const uint8_t *bytes, size_t len, int64_t now_us)
{
    struct blob *blob = blob_copy(bytes, len);

    if (blob)
        link_push(&b->stream_up, now_us, blob);
    blob_unref(blob);
}

void bent_reset_stream(struct bent *b)
{
    link_reset(&b->stream_up);
    link_reset(&b->stream_down);
    b->refused = blob_unref(b->refused);
}

int64_t bent_deadline_us(const struct bent *b)
{
    const int64_t all[] = { detour_deadline_us(&b->way), link_deadline_us(&b->stream_up),
                            link_deadline_us(&b->stream_down),
                            b->refused ? link_idle_us(&b->stream_up) : INT64_MAX };
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        least = all[i] < least ? all[i] : least;
    return least;
}
