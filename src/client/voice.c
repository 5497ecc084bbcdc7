#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "client/voice_inside.h"
#include "wire/packet.h"

int voice_new(struct voice **ret, const struct voice_settings *s, int64_t now_us)
{
    struct voice *v = calloc(1, sizeof *v);
    int err = -ROOST_NOMEM;

    (void)now_us;
    if (!v)
        return err;
    map_init(&v->streams, s->seed);
    v->early_store = malloc((size_t)EARLY_FRAMES * MEDIA_PART_MAX);
    if (!v->early_store)
        goto out;
    err = keyring_new(&v->keys, &s->keys);
    if (err)
        goto out;
    early_init(&v->early, v->early_store, MEDIA_PART_MAX);
    v->heard = s->heard;
    v->opens_each = s->opens_each;
    v->ctx = s->ctx;
    v->mtu = s->mtu ? s->mtu : PACKET_MTU_MIN;
    v->rtt_us = VOICE_RTT_US;
    *ret = v;
    v = NULL;
out:
    voice_free(v);
    return err;
}

void voice_free(struct voice *v)
{
    if (!v)
        return;
    voice_on_none(v);
    map_fini(&v->streams);
    for (uint32_t i = 0; i < VOICE_OWN_MAX; i++)
        voice_unpublish(v, i);
    keyring_free(v->keys);
    free(v->early_store);
    free(v);
}

void voice_go_on(struct voice *v, const struct voice *before)
{
    for (uint32_t i = 0; i < VOICE_OWN_MAX; i++)
        v->own[i].frame = before->own[i].frame;
}

const struct keyring *voice_keys(const struct voice *v)
{
    return v->keys;
}

/* --- keys ------------------------------------------------------------------------------- */

/* Who does not look at events loses the oldest; keys are not held up. */
void voice_tell(struct voice *v, const struct keyring_event *e)
{
    if (v->n_events == VOICE_EVENTS_MAX)
        memmove(v->events, v->events + 1, --v->n_events * sizeof *v->events);
    v->events[v->n_events++] = *e;
}

void voice_drain_keys(struct voice *v, int64_t now_us)
{
    struct keyring_event e;

    while (keyring_event(v->keys, &e)) {
        if (e.what == KEYRING_HAS_KEY)
            voice_try_early(v, now_us, e.who, e.value);
        voice_tell(v, &e);
    }
}

int voice_on_roster(struct voice *v, int64_t now_us, uint32_t epoch,
                    const struct roster_member *members, size_t n)
{
    int err = keyring_on_roster(v->keys, now_us, epoch, members, n);

    if (!err && v->speaks && !keyring_key_id(v->keys))
        err = keyring_speak(v->keys, now_us);
    voice_drain_keys(v, now_us);
    return err;
}

int voice_on_keys(struct voice *v, int64_t now_us, uint32_t who, const uint8_t *bytes, size_t len)
{
    int err = keyring_on_message(v->keys, now_us, who, bytes, len);

    voice_drain_keys(v, now_us);
    return err;
}

size_t voice_next_keys(struct voice *v, uint32_t *ret_to, uint8_t ret[static KEYRING_MESSAGE_MAX])
{
    return keyring_next(v->keys, ret_to, ret);
}

bool voice_event(struct voice *v, struct keyring_event *ret)
{
    if (!v->n_events)
        return false;
    *ret = v->events[0];
    memmove(v->events, v->events + 1, --v->n_events * sizeof *v->events);
    return true;
}

/* --- streams of others ---------------------------------------------------------------------- */

int voice_on_stream(struct voice *v, int64_t now_us, uint64_t stream, uint32_t who,
                    enum media_codec codec, bool muted)
{
    struct hearing *h = map_get(&v->streams, stream);

    (void)now_us;
    if (h && h->who != who) { /* the number is another's now */
        voice_on_gone(v, stream);
        h = NULL;
    }
    if (!h) {
        if (v->streams.n >= VOICE_STREAMS_MAX)
            return -ROOST_LIMIT;
        h = calloc(1, sizeof *h);
        if (!h || map_put(&v->streams, stream, h)) {
            free(h);
            return -ROOST_NOMEM;
        }
    }
    h->stream = stream;
    h->who = who;
    h->codec = codec;
    h->muted = muted;
    return 0;
}

void voice_on_gone(struct voice *v, uint64_t stream)
{
    hearing_free(map_take(&v->streams, stream));
}

void voice_on_none(struct voice *v)
{
    struct map_slot *slot;

    for (size_t i = 0; (slot = map_next(&v->streams, &i)); i = 0)
        voice_on_gone(v, slot->key);
}

/* --- time ---------------------------------------------------------------------------------- */

void voice_on_path(struct voice *v, uint64_t rate, float loss, int64_t rtt_us)
{
    v->rate = rate;
    v->loss = loss;
    v->rtt_us = rtt_us ? rtt_us : VOICE_RTT_US;
    v->repeats = history_repeats(v->repeats, loss);
}

void voice_expire(struct voice *v, int64_t now_us)
{
    keyring_expire(v->keys, now_us);
    voice_drain_keys(v, now_us);
}

int64_t voice_deadline_us(const struct voice *v, int64_t now_us)
{
    int64_t keys_us = keyring_deadline_us(v->keys), ask_us = voice_ask_us(v, now_us);

    if (voice_has_parts(v))
        return now_us;
    return keys_us < ask_us ? keys_us : ask_us;
}
