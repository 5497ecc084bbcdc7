#include "seal/keyring_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void keyring_forget(struct stream_key **list, uint32_t *n, uint32_t key_id)
{
    for (struct stream_key *s; (s = *list);) {
        if (key_id && s->key_id != key_id) {
            list = &s->after;
            continue;
        }
        *list = s->after;
        sframe_fini(&s->sframe);
        seal_wipe(s, sizeof *s);
        free(s);
        --*n;
    }
}

void keyring_drop(struct member *m, struct known_chain *c)
{
    for (struct stream_key **at = &m->streams, *s; (s = *at);) {
        if (s->key_id / CHAIN_STEPS != c->now.generation)
            at = &s->after;
        else
            keyring_forget(at, &m->n_streams, s->key_id);
    }
    seal_wipe(c, sizeof *c);
}

static struct stream_key *find(struct stream_key *list, const struct media *m)
{
    for (; list; list = list->after)
        if (list->stream == m->stream && list->encoding == m->encoding && list->key_id == m->key_id)
            return list;
    return NULL;
}

static int make(const struct chain *c, const struct media *m, bool seals, struct stream_key **ret)
{
    struct stream_key *s = calloc(1, sizeof *s);

    if (!s)
        return -ROOST_NOMEM;
    s->stream = m->stream;
    s->encoding = m->encoding;
    s->key_id = chain_key_id(c);
    int err = chain_stream(c, m->stream, m->encoding, seals, &s->sframe, s->mark);
    if (err) {
        free(s);
        return err;
    }
    *ret = s;
    return 0;
}

static void put(struct stream_key **list, uint32_t *n, struct stream_key *s)
{
    s->after = *list;
    *list = s;
    ++*n;
}

/* --- sealing ---------------------------------------------------------------------------- */

static int own_key(struct keyring *k, const struct media *m, struct stream_key **ret)
{
    *ret = find(k->streams, m);
    if (*ret)
        return 0;
    if (k->n_streams >= KEYRING_STREAMS_MAX)
        return -ROOST_LIMIT;
    int err = make(&k->now, m, true, ret);
    if (!err)
        put(&k->streams, &k->n_streams, *ret);
    return err;
}

int keyring_seal(struct keyring *k, struct media *m, uint8_t *bytes, size_t len,
                 uint8_t tag[static KEYRING_TAG])
{
    struct stream_key *s;
    uint8_t also[MEDIA_ALSO_MAX];

    if (!k->now.generation)
        return -ROOST_INVALID;
    m->key_id = chain_key_id(&k->now);
    int err = own_key(k, m, &s);
    if (err)
        return err;
    if (m->frame < s->least) /* a nonce that was used */
        return -ROOST_INVALID;
    struct seal_part meta = { also, media_also(m, k->self.meeting, k->now.epoch, k->number, also) };
    err = sframe_seal(&s->sframe, m->frame, &meta, 1, bytes, len, tag);
    if (!err)
        s->least = m->frame + 1;
    return err;
}

/* --- opening ----------------------------------------------------------------------------- */

/* The chain as it is at this step: a copy. */
static int chain_at(const struct known_chain *c, uint32_t step, struct chain *ret)
{
    if (c->before.generation && c->before.step == step) {
        *ret = c->before;
        return 0;
    }
    if (step < c->now.step || step - c->now.step > CHAIN_AHEAD_MAX)
        return -ROOST_MALFORMED;
    int err = 0;
    for (*ret = c->now; !err && ret->step < step;)
        err = chain_step(ret);
    return err;
}

static struct known_chain *chain_of(struct member *m, uint32_t key_id, int64_t now_us)
{
    for (int i = 0; i < 2; i++)
        if (m->chains[i].now.generation && now_us < m->chains[i].until_us &&
            m->chains[i].now.generation == key_id / CHAIN_STEPS)
            return &m->chains[i];
    return NULL;
}

/* The hub's key is that of all members, and the only one. */
static int hub_chain(struct keyring *k, struct member *m)
{
    if (!k->hub_key || m->chains[0].now.generation)
        return 0;
    m->chains[0].until_us = INT64_MAX;
    return chain_of_hub(&m->chains[0].now, k->hub, m->is.number);
}

/* It opened: the step is the newest now, and a newer chain is in use. */
static void follow(struct member *m, struct known_chain *c, const struct chain *at, int64_t now_us)
{
    if (at->step > c->now.step) {
        if (c->before.generation)
            keyring_forget(&m->streams, &m->n_streams, chain_key_id(&c->before));
        c->before = c->now;
        c->before_until_us = now_us + KEYRING_LATE_US;
        c->now = *at;
    }
    if (c == &m->chains[0] && m->chains[1].until_us > now_us + KEYRING_LATE_US)
        m->chains[1].until_us = now_us + KEYRING_LATE_US;
}

static int open_with(struct keyring *k, struct member *m, uint32_t epoch, struct stream_key *s,
                     const struct media *x, uint8_t *bytes, size_t len, const uint8_t *tag)
{
    uint8_t also[MEDIA_ALSO_MAX];

    if (replay_is_seen(&s->seen, x->frame))
        return -ROOST_ALREADY;
    struct seal_part meta = { also, media_also(x, k->self.meeting, epoch, m->is.number, also) };
    int err = sframe_open(&s->sframe, x->frame, &meta, 1, bytes, len, tag);
    if (!err)
        replay_note(&s->seen, x->frame);
    return err;
}

/* Keys that were never used before are kept only if they open something: nobody makes us hold any.
 */
static int open_first(struct keyring *k, struct member *m, struct known_chain *c,
                      const struct media *x, uint8_t *bytes, size_t len, const uint8_t *tag,
                      int64_t now_us)
{
    struct chain at;
    struct stream_key *s;
    int err = chain_at(c, x->key_id % CHAIN_STEPS, &at);

    if (!err && m->n_streams >= KEYRING_STREAMS_MAX)
        err = -ROOST_LIMIT;
    if (!err)
        err = make(&at, x, false, &s);
    if (err)
        goto out;
    uint32_t alone = 1;
    put(&m->streams, &m->n_streams, s);
    err = open_with(k, m, at.epoch, s, x, bytes, len, tag);
    if (!err) {
        follow(m, c, &at, now_us);
    } else {
        m->streams = s->after;
        m->n_streams--;
        s->after = NULL;
        keyring_forget(&s, &alone, 0);
    }
out:
    seal_wipe(&at, sizeof at);
    return err;
}

int keyring_open(struct keyring *k, int64_t now_us, uint32_t who, const struct media *m,
                 uint8_t *bytes, size_t len, const uint8_t tag[static KEYRING_TAG])
{
    struct member *from = keyring_member(k, who);

    if (!from)
        return -ROOST_NOT_IN_MEETING;
    int err = hub_chain(k, from);
    if (err)
        return err;
    struct known_chain *c = chain_of(from, m->key_id, now_us);
    if (!c) /* one that was replaced, which a slow way still brings, is no lie */
        return m->key_id / CHAIN_STEPS > from->newest ? KEYRING_UNKNOWN : -ROOST_ALREADY;
    struct stream_key *s = find(from->streams, m);
    if (!s)
        return open_first(k, from, c, m, bytes, len, tag, now_us);
    return open_with(k, from, c->now.epoch, s, m, bytes, len, tag);
}

/* --- marks ---------------------------------------------------------------------------------- */

static int mark_key(struct keyring *k, int64_t now_us, uint32_t who, const struct media *m,
                    uint8_t ret[static CHAIN_MARK_KEY])
{
    struct member *from = who == k->number ? NULL : keyring_member(k, who);
    struct stream_key *s = find(from ? from->streams : k->streams, m);
    struct sframe sframe;
    struct chain at;

    if (s) {
        memcpy(ret, s->mark, CHAIN_MARK_KEY);
        return 0;
    }
    if (!from)
        return who == k->number ? -ROOST_INVALID : -ROOST_NOT_IN_MEETING;
    struct known_chain *c = chain_of(from, m->key_id, now_us);
    if (!c)
        return KEYRING_UNKNOWN;
    int err = chain_at(c, m->key_id % CHAIN_STEPS, &at);
    if (!err)
        err = chain_stream(&at, m->stream, m->encoding, false, &sframe, ret);
    if (!err)
        sframe_fini(&sframe);
    seal_wipe(&at, sizeof at);
    return err;
}

int keyring_mark(struct keyring *k, int64_t now_us, uint32_t who, const struct media *m,
                 const uint8_t *bytes, size_t len, uint8_t ret[static MEDIA_MARK])
{
    uint8_t key[CHAIN_MARK_KEY], sum[32], about[8 + 2];
    struct writer w = writer_of(about, sizeof about);
    struct seal_part parts[] = { { about, sizeof about }, { bytes, len } };
    int err = mark_key(k, now_us, who, m, key);

    if (err)
        return err;
    write_number(&w, m->frame, 8);
    write_number(&w, m->part, 2);
    err = seal_hmac(sum, key, parts, 2);
    if (!err)
        memcpy(ret, sum, MEDIA_MARK);
    seal_wipe(key, sizeof key);
    return err;
}
