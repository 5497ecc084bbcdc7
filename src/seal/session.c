#include "seal/session.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

#define PART(text) (&(struct seal_part){ text, sizeof(text) - 1 })

/* --- keys -------------------------------------------------------------------------- */

static int derive(uint8_t ret[static SESSION_SECRET], const uint8_t secret[static SESSION_SECRET],
                  const struct seal_part *purpose)
{
    return seal_hkdf(ret, SESSION_SECRET, &(struct seal_part){ secret, SESSION_SECRET }, PART(""),
                     purpose);
}

static int make_key(struct aead *ret, const uint8_t secret[static SESSION_SECRET], bool seals)
{
    uint8_t bytes[AEAD_KEY + AEAD_IV];
    int err = seal_hkdf(bytes, sizeof bytes, &(struct seal_part){ secret, SESSION_SECRET },
                        PART(""), PART("roost datagram key"));

    if (!err)
        err = aead_init(ret, bytes, bytes + AEAD_KEY, seals);
    seal_wipe(bytes, sizeof bytes);
    return err;
}

/* The secret goes on; what was sealed under the one before cannot be made from it. */
static int next_secret(uint8_t secret[static SESSION_SECRET])
{
    uint8_t next[SESSION_SECRET];
    int err = derive(next, secret, PART("roost datagram next"));

    if (!err)
        memcpy(secret, next, sizeof next);
    seal_wipe(next, sizeof next);
    return err;
}

static int prepare_after(struct session_receiver *in)
{
    uint8_t secret[SESSION_SECRET];

    memcpy(secret, in->secret, sizeof secret);
    int err = next_secret(secret);
    if (!err)
        err = make_key(&in->after, secret, false);
    if (!err)
        memcpy(in->secret, secret, sizeof secret);
    seal_wipe(secret, sizeof secret);
    return err;
}

int session_init(struct session *s, uint32_t id, bool client,
                 const uint8_t secret[static SESSION_SECRET], int64_t now_us)
{
    const struct seal_part *of_client = PART("roost datagrams from the client");
    const struct seal_part *of_server = PART("roost datagrams from the server");

    *s = (struct session){ .id = id, .client = client };
    s->out.phase_us = now_us;
    s->in.phase_us = now_us - SESSION_LATE_US;
    int err = derive(s->out.secret, secret, client ? of_client : of_server);
    if (!err)
        err = derive(s->in.secret, secret, client ? of_server : of_client);
    if (!err)
        err = make_key(&s->out.key, s->out.secret, true);
    if (!err)
        err = make_key(&s->in.now, s->in.secret, false);
    if (!err)
        err = prepare_after(&s->in);
    if (err)
        session_fini(s);
    return err;
}

void session_fini(struct session *s)
{
    aead_fini(&s->out.key);
    aead_fini(&s->in.before);
    aead_fini(&s->in.now);
    aead_fini(&s->in.after);
    seal_wipe(s, sizeof *s);
}

/* --- sealing ------------------------------------------------------------------------ */

static bool phase_ends(const struct session_sender *out, int64_t now_us)
{
    int64_t age_us = now_us - out->phase_us;

    return age_us >= SESSION_REST_US &&
           (age_us >= SESSION_PHASE_US || out->next - out->phase_first >= SESSION_PHASE_PACKETS);
}

/* Without memory for it the phase goes on; the next packet tries again. */
static void begin_phase(struct session_sender *out, int64_t now_us)
{
    uint8_t secret[SESSION_SECRET];
    struct aead key = { 0 };

    memcpy(secret, out->secret, sizeof secret);
    if (!next_secret(secret) && !make_key(&key, secret, true)) {
        memcpy(out->secret, secret, sizeof secret);
        aead_fini(&out->key);
        out->key = key;
        out->phase = !out->phase;
        out->phase_first = out->next;
        out->phase_us = now_us;
    }
    seal_wipe(secret, sizeof secret);
    seal_wipe(&key, sizeof key);
}

int session_seal(struct session *s, int64_t now_us, uint8_t *packet, size_t frames_len,
                 const struct seal_part *tail, size_t n_tail)
{
    struct seal_part also[1 + SESSION_TAIL_PARTS];
    struct packet p = { .from_client = s->client, .session = s->id, .has_tail = n_tail > 0 };
    uint8_t head[PACKET_HEAD_TAIL];

    assert(frames_len && n_tail <= SESSION_TAIL_PARTS);
    if (phase_ends(&s->out, now_us))
        begin_phase(&s->out, now_us);
    p.phase = s->out.phase;
    p.number = (uint32_t)s->out.next;
    p.frames_len = frames_len;
    size_t head_len = packet_write_head(head, &p), n_also = 1;
    memcpy(packet, head, head_len);
    also[0] = (struct seal_part){ head, head_len };
    for (size_t i = 0; s->client && i < n_tail; i++)
        also[n_also++] = tail[i];
    int err = aead_seal(&s->out.key, s->out.next, also, n_also, packet + head_len, frames_len,
                        packet + head_len + frames_len);
    if (err)
        return err;
    s->out.next++;
    return (int)(head_len + frames_len + AEAD_TAG);
}

/* --- opening ------------------------------------------------------------------------- */

/* The one key that may open it; NULL: none. */
static struct aead *key_for(struct session_receiver *in, int64_t now_us, bool phase,
                            uint64_t number)
{
    bool is_late = now_us - in->phase_us < SESSION_LATE_US;

    if (phase == in->phase)
        return &in->now;
    if (!is_late && in->before.ctx)
        aead_fini(&in->before);
    if (in->before.ctx && number < in->phase_first)
        return &in->before;
    if (is_late || number < in->seen.next)
        return NULL; /* nobody changes phase that often, or backwards */
    return in->after.ctx || !prepare_after(in) ? &in->after : NULL;
}

static void follow_phase(struct session_receiver *in, int64_t now_us, uint64_t number)
{
    aead_fini(&in->before);
    in->before = in->now;
    in->now = in->after;
    in->after = (struct aead){ 0 }; /* made when it is needed */
    in->phase = !in->phase;
    in->phase_first = number;
    in->phase_us = now_us;
}

static int refuse(struct session *s)
{
    return ++s->failures >= SESSION_FAILURES_MAX ? -ROOST_CLOSED : -ROOST_MALFORMED;
}

int session_open(struct session *s, int64_t now_us, uint8_t *bytes, size_t len,
                 struct session_opened *ret)
{
    struct session_receiver *in = &s->in;
    struct packet p;

    if (packet_read(&p, bytes, len) || p.session != s->id || p.from_client == s->client)
        return -ROOST_MALFORMED;
    uint64_t number = packet_number(in->seen.next, p.number);
    if (replay_is_seen(&in->seen, number)) {
        s->replays++;
        return -ROOST_ALREADY;
    }
    struct aead *key = key_for(in, now_us, p.phase, number);
    struct seal_part also[] = { { bytes, p.head_len }, { p.tail, s->client ? 0 : p.tail_len } };
    if (!key || aead_open(key, number, also, 2, p.frames, p.frames_len, p.frames + p.frames_len))
        return refuse(s);
    if (key == &in->after)
        follow_phase(in, now_us, number);
    else if (key == &in->now && number < in->phase_first)
        in->phase_first = number;
    *ret = (struct session_opened){
        .number = number,
        .frames = p.frames,
        .frames_len = p.frames_len,
        .tail = p.tail,
        .tail_len = p.tail_len,
        .newest = number >= in->seen.next,
    };
    replay_note(&in->seen, number);
    return 0;
}
