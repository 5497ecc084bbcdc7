#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/voice_inside.h"
#include "wire/packet.h"

enum {
    OVERHEAD = 28 + PACKET_HEAD_TAIL + PACKET_TAG, /* of a datagram, with IP and UDP */
    WAITING_MAX = 8,                               /* frames that have not left */
    HEAD_ABOUT = 24,                               /* of a part */
};
#define OF_RATE 0.8 /* for sound: some is left for keys, questions and answers */

/* --- saying ----------------------------------------------------------------------------- */

int voice_publish(struct voice *v, int64_t now_us, uint32_t at, uint64_t stream,
                  enum media_codec codec)
{
    if (at >= VOICE_OWN_MAX)
        return -ROOST_LIMIT;
    struct saying *s = &v->own[at];
    if (!s->slots) {
        s->slots = malloc(HISTORY_PARTS * sizeof *s->slots);
        if (!s->slots)
            return -ROOST_NOMEM;
        figures_init(&s->figures, now_us);
        s->figures.sent = true;
    }
    if (s->stream != stream) { /* the other side knows nothing of it */
        s->history = (struct history){ .next = 0 };
        s->sent = 0;
        s->n_asked = 0;
    }
    s->used = true;
    s->stream = stream;
    s->codec = codec;
    v->speaks = true;
    int err = keyring_speak(v->keys, now_us);
    voice_drain_keys(v, now_us);
    return err == -ROOST_NOMEM ? err : 0; /* before the first list: when it comes */
}

void voice_unpublish(struct voice *v, uint32_t at)
{
    if (at >= VOICE_OWN_MAX)
        return;
    free(v->own[at].slots);
    v->own[at] = (struct saying){ .frame = v->own[at].frame }; /* a number is not used twice */
}

int voice_say(struct voice *v, int64_t now_us, uint32_t at, const struct voice_said *said)
{
    if (at >= VOICE_OWN_MAX || !v->own[at].used)
        return -ROOST_INVALID;
    if (said->len > MEDIA_PART_MAX - KEYRING_TAG)
        return -ROOST_TOO_LONG;
    struct saying *s = &v->own[at];
    uint32_t i = s->history.next % HISTORY_PARTS;
    struct saying_slot *slot = &s->slots[i];
    history_forget(&s->history, i);
    slot->head = (struct media){ .stream = s->stream,
                                 .frame = s->frame,
                                 .timestamp = said->timestamp,
                                 .codec = (uint8_t)said->codec,
                                 .key = true,
                                 .last = true,
                                 .silence = said->silence,
                                 .has_level = true,
                                 .level = said->level,
                                 .len = (uint32_t)said->len + KEYRING_TAG };
    memcpy(slot->bytes, said->bytes, said->len);
    int err = keyring_seal(v->keys, &slot->head, slot->bytes, said->len, slot->bytes + said->len);
    voice_drain_keys(v, now_us);
    if (err)
        return err;
    s->frame++;
    s->codec = said->codec;
    slot->head.count = history_on_sent(&s->history, now_us, i);
    figures_on_packet(&s->figures, now_us, now_us, slot->head.len);
    return 0;
}

/* --- sending ------------------------------------------------------------------------------ */

void voice_on_nack(struct voice *v, int64_t now_us, const struct nack *n)
{
    for (uint32_t at = 0; at < VOICE_OWN_MAX; at++) {
        struct saying *s = &v->own[at];
        uint32_t i = 0, slot;
        uint16_t count;
        while (s->used && s->stream == n->stream && s->n_asked < ASKED_MAX &&
               history_asked(&s->history, now_us, v->rtt_us, n, &i, &slot, &count)) {
            s->asked[s->n_asked].slot = slot;
            s->asked[s->n_asked++].count = count;
            figures_on_loss(&s->figures, now_us, 1, 1);
        }
    }
}

bool voice_has_parts(const struct voice *v)
{
    for (uint32_t at = 0; at < VOICE_OWN_MAX; at++)
        if (v->own[at].used && (v->own[at].sent != v->own[at].history.next || v->own[at].n_asked))
            return true;
    return false;
}

static bool put(struct voice_out *out, uint32_t *room, const struct saying_slot *slot)
{
    uint32_t bytes = (uint32_t)media_bytes(&slot->head) + slot->head.len;

    if (out->n_parts == VOICE_PARTS_MAX || bytes > *room)
        return false;
    out->parts[out->n_parts++] = (struct media_part){ slot->head, slot->bytes };
    *room -= bytes;
    return true;
}

/* What is new goes first, the oldest of it before the others; what nobody could be sent in time is
 * left out. */
static void put_new(struct saying *s, struct voice_out *out, uint32_t *room)
{
    if ((uint16_t)(s->history.next - s->sent) > WAITING_MAX)
        s->sent = (uint16_t)(s->history.next - WAITING_MAX);
    while (s->sent != s->history.next) {
        uint16_t before = (uint16_t)(s->history.next - 1 - s->sent);
        uint16_t count;
        uint32_t slot;
        if (history_back(&s->history, before, &slot, &count) && !put(out, room, &s->slots[slot]))
            return;
        s->sent++;
    }
}

static void put_asked(struct saying *s, struct voice_out *out, uint32_t *room)
{
    while (s->n_asked && put(out, room, &s->slots[s->asked[0].slot]))
        memmove(s->asked, s->asked + 1, --s->n_asked * sizeof *s->asked);
}

/* The frames before the one that goes now for the first time. */
static void put_again(const struct voice *v, struct saying *s, uint16_t first,
                      struct voice_out *out, uint32_t *room)
{
    for (uint16_t k = 0; k < v->repeats; k++) {
        uint16_t before = (uint16_t)(s->history.next - first + k), count;
        uint32_t slot;
        if (!history_back(&s->history, before, &slot, &count) || !put(out, room, &s->slots[slot]))
            return;
    }
}

bool voice_next(struct voice *v, int64_t now_us, struct voice_out *ret)
{
    uint32_t room = v->mtu - PACKET_HEAD_TAIL - PACKET_TAG;

    ret->n_parts = ret->n_words = 0;
    for (uint32_t at = 0; at < VOICE_OWN_MAX; at++) {
        struct saying *s = &v->own[at];
        uint16_t first = s->sent;
        if (!s->used)
            continue;
        put_new(s, ret, &room);
        put_asked(s, ret, &room);
        if (s->sent != first)
            put_again(v, s, first, ret, &room);
    }
    voice_put_words(v, now_us, ret);
    return ret->n_parts || ret->n_words;
}

/* --- rates --------------------------------------------------------------------------------- */

/* Bits of the codec's alone: the rest of a datagram, and what goes along again, is paid before. */
uint32_t voice_bits(const struct voice *v, uint32_t wanted, uint32_t frame_ticks)
{
    double a_second = (double)MEDIA_HZ / frame_ticks, again = 1 + v->repeats;
    double heads = (OVERHEAD + again * (HEAD_ABOUT + KEYRING_TAG)) * 8 * a_second;
    double left = ((double)v->rate * OF_RATE - heads) / again;

    if (!v->rate || left >= wanted)
        return wanted;
    return left < 8000 ? 8000 : (uint32_t)left;
}
