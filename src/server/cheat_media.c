/* cheat_media.c - what a relay could do to frames. One sender suffers: the first that comes; of
 * sender-swapped all do. */
#include <string.h>

#include "server/cheat.h"
#include "server/worker_media_in.h"

enum {
    KEPT = 128,       /* frames of one sender */
    REPLAYED = 25,    /* frames later: half a second */
    DELAYED = 100,    /* two seconds */
    DELAYED_OF = 10,  /* one of so many */
    BYTES_MAX = 1280, /* of a payload */
};

struct kept {
    struct media head;
    uint8_t bytes[BYTES_MAX];
    bool is;
};

/* Of this worker. */
static _Thread_local struct {
    uint64_t victim;
    bool has_victim;
    struct kept frames[KEPT]; /* of the victim, by number */
    struct kept others[2];    /* the last of two senders */
} seen;

static void keep(struct kept *k, const struct media *m, const uint8_t *payload)
{
    k->is = m->len <= BYTES_MAX;
    if (!k->is)
        return;
    k->head = *m;
    memcpy(k->bytes, payload, m->len);
}

/* Behind the back of who looks whether it came before. */
static void send_again(struct leg_at *l, const struct kept *k)
{
    struct relay *r = l->w->media->relay;
    uint32_t buffer;

    memcpy(relay_buffer(r, &buffer), k->bytes, k->head.len);
    relay_on_media(r, l->w->now_us, l->w->now_us, l->leg, &k->head, buffer, 0);
}

static struct kept *kept_of(uint64_t frame)
{
    return &seen.frames[frame % KEPT];
}

/* Two frames are kept until both are there; each goes with the other's tail. */
static void swap_frames(struct leg_at *l, const struct media *m, const uint8_t *payload,
                        cheat_forward_fn *forward)
{
    struct kept *before = kept_of(m->frame - 1);
    struct media a = before->head, b = *m;

    keep(kept_of(m->frame), m, payload);
    if (m->frame % 2 == 0 || !before->is || before->head.frame + 1 != m->frame)
        return;
    a.len = m->len;
    b.len = before->head.len;
    forward(l, &a, payload);
    forward(l, &b, before->bytes);
}

static void swap_senders(struct leg_at *l, const struct media *m, const uint8_t *payload,
                         cheat_forward_fn *forward)
{
    struct kept *mine = seen.others[1].is && seen.others[1].head.stream == m->stream
                            ? &seen.others[1]
                            : &seen.others[0];
    struct kept *other = mine == &seen.others[0] ? &seen.others[1] : &seen.others[0];
    struct media changed = *m;

    if (mine->is && mine->head.stream != m->stream)
        mine = other;
    keep(mine, m, payload);
    other = mine == &seen.others[0] ? &seen.others[1] : &seen.others[0];
    if (!other->is) {
        forward(l, m, payload);
        return;
    }
    changed.len = other->head.len;
    forward(l, &changed, other->bytes);
}

static void swap_parts(struct leg_at *l, const struct media *m, const uint8_t *payload,
                       cheat_forward_fn *forward)
{
    uint8_t bytes[BYTES_MAX];
    size_t half = m->len / 2;

    if (m->len > sizeof bytes)
        return;
    memcpy(bytes, payload + half, m->len - half);
    memcpy(bytes + m->len - half, payload, half);
    forward(l, m, bytes);
}

static void replay(struct leg_at *l, const struct media *m, const uint8_t *payload,
                   cheat_forward_fn *forward)
{
    const struct kept *old = kept_of(m->frame - REPLAYED);

    forward(l, m, payload);
    keep(kept_of(m->frame), m, payload);
    if (old->is && old->head.frame + REPLAYED == m->frame)
        send_again(l, old);
}

static void delay(struct leg_at *l, const struct media *m, const uint8_t *payload,
                  cheat_forward_fn *forward)
{
    const struct kept *old = kept_of(m->frame - DELAYED);

    if (m->frame % DELAYED_OF == 0)
        keep(kept_of(m->frame), m, payload);
    else
        forward(l, m, payload);
    if (old->is && old->head.frame + DELAYED == m->frame)
        send_again(l, old);
}

void cheat_media(struct leg_at *l, const struct media *m, const uint8_t *payload,
                 cheat_forward_fn *forward)
{
    struct media changed = *m;

    if (!seen.has_victim) {
        seen.has_victim = true;
        seen.victim = m->stream;
    }
    if (cheat_now == CHEAT_SENDER_SWAPPED) {
        swap_senders(l, m, payload, forward);
        return;
    }
    if (m->stream != seen.victim) {
        forward(l, m, payload);
        return;
    }
    switch (cheat_now) {
    case CHEAT_FRAME_SWAPPED:
        swap_frames(l, m, payload, forward);
        break;
    case CHEAT_PARTS_SWAPPED:
        swap_parts(l, m, payload, forward);
        break;
    case CHEAT_FRAME_REPLAYED:
        replay(l, m, payload, forward);
        break;
    case CHEAT_FRAME_TRUNCATED:
        changed.len--;
        forward(l, &changed, payload);
        break;
    case CHEAT_FRAME_DELAYED:
        delay(l, m, payload, forward);
        break;
    case CHEAT_KEY_FLAG:
        changed.key = !changed.key;
        forward(l, &changed, payload);
        break;
    default:
        forward(l, m, payload);
    }
}
