#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "crowd/crowd.h"
#include "wire/packet.h"

#define ASK_US   200000
#define PING_US  20000000
#define KEYS_US  20000
#define BAD_RATE 100000.0 /* bits a second */
#define BAD_ROOM 3000.0
#define BAD_LOSS 0.2

void person_fail(struct person *p, const char *what, const char *why)
{
    if (p->step == STEP_GONE)
        return;
    pthread_mutex_lock(&p->crowd->lock);
    if (!p->crowd->failed)
        fprintf(stderr, "roost-crowd: person %u: %s: %s\n", p->index + 1, what, why);
    pthread_mutex_unlock(&p->crowd->lock);
    p->step = STEP_GONE;
    p->crowd->failed = true;
}

int person_begin(struct person *p)
{
    frame_reader_init(&p->frames);
    if (getrandom(p->seed, sizeof p->seed, 0) != sizeof p->seed ||
        getrandom(p->random, sizeof p->random, 0) != sizeof p->random || tls_init(&p->tls))
        return -ROOST_NOMEM;
    int err = tls_open(&p->tls, p->crowd->is.host, p->crowd->is.port, p->group->now_us);
    p->step = STEP_TLS;
    p->ping_us = p->group->now_us + PING_US;
    return err;
}

void person_end(struct person *p)
{
    if (p->step == STEP_WAITS)
        return;
    voice_free(p->voice);
    free(p->sound);
    if (p->has_flow) {
        flow_free(p->flow);
        carry_fini(&p->carry);
        udp_close(p->udp);
    }
    frame_reader_fini(&p->frames);
    tls_fini(&p->tls);
}

/* --- control --------------------------------------------------------------------------------- */

static void read_control(struct person *p)
{
    uint8_t bytes[16384];
    const uint8_t *body;
    size_t body_len;
    int n;

    while (p->step != STEP_GONE && (n = tls_read(&p->tls, bytes, sizeof bytes)) != 0) {
        if (n < 0) {
            person_fail(p, "the connection", err_text(n));
            return;
        }
        const uint8_t *at = bytes, *end = bytes + n;
        while (p->step != STEP_GONE && frame_next(&p->frames, &at, end, &body, &body_len) > 0)
            control_on_frame(p, body, body_len);
    }
}

/* It is asked for nothing while datagrams come and go. */
static bool is_quiet(const struct person *p)
{
    return p->tls.state == TLS_UP && !p->heard && p->group->now_us < p->ping_us;
}

static void turn_control(struct person *p)
{
    int err = tls_step(&p->tls, p->group->now_us);

    if (err) {
        person_fail(p, "connecting", p->tls.detail);
        return;
    }
    if (p->tls.state == TLS_HANDSHAKE_DONE) {
        tls_accept(&p->tls); /* whoever it is: nothing of anybody's is told */
        p->step = STEP_HELLO;
        control_next(p);
    }
    if (p->tls.state != TLS_UP)
        return;
    read_control(p);
    if (p->step == STEP_GONE)
        return;
    control_keys(p);
    if (p->group->now_us >= p->ping_us) {
        p->ping_us = p->group->now_us + PING_US;
        control_ping(p);
    }
    if (tls_flush(&p->tls))
        person_fail(p, "the connection", "it was closed");
}

/* --- datagrams ---------------------------------------------------------------------------------
 */

static void take(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct person *p = ctx;

    if (p->voice)
        voice_on_dgram(p->voice, p->group->now_us, d, payload);
}

int person_open_flow(struct person *p, const Roost__DatagramSession *s)
{
    struct udp_settings u = { .stamps = true };
    union address to;
    char text[300];
    const struct flow_settings settings = { .client = true,
                                            .session = s->session,
                                            .secret = s->secret.data,
                                            .seed = p->seed,
                                            .keeps = true };
    const struct flow_media_settings media = { .take = take, .ctx = p };

    if (s->secret.len != 32 || !s->port)
        return -ROOST_UNSUPPORTED;
    snprintf(text, sizeof text, strchr(p->crowd->is.host, ':') ? "[%s]:%u" : "%s:%u",
             p->crowd->is.host, s->port);
    int err = address_parse(&to, text, true);
    if (!err)
        err = address_parse(&u.at, to.any.sa_family == AF_INET6 ? "[::]:0" : "0.0.0.0:0", false);
    if (!err)
        err = udp_open(&p->udp, &u);
    if (err)
        return err;
    err = flow_new(&p->flow, &settings, p->group->now_us);
    if (!err)
        err = flow_take_media(p->flow, &media, p->group->now_us);
    if (!err)
        err = carry_init(&p->carry, p->udp, p->flow, &to);
    if (!err)
        err = sleep_add(&p->group->sleep, udp_fd(p->udp), SLEEP_READ, 2 * (uint64_t)p->index + 1);
    p->has_flow = !err;
    return err;
}

static uint32_t ticks_of(int64_t us)
{
    return (uint32_t)(us * 6 / 125);
}

/* What a frame says inside: when it was said. Its timestamp says so too, within 21 us. */
void person_heard(void *ctx, int64_t now_us, uint32_t who, const struct media *m,
                  const uint8_t *bytes, size_t len)
{
    struct person *p = ctx;
    struct counts *c = m->codec == MEDIA_OPUS ? &p->group->counts : &p->group->pictures;
    int64_t said_us, from_us = p->crowd->from_us, until_us = p->crowd->until_us;

    (void)who;
    said_us = now_us - (int64_t)(int32_t)(ticks_of(now_us) - m->timestamp) * 125 / 6;
    if (bytes && len < sizeof said_us) {
        c->strange++;
        return;
    }
    if (bytes)
        memcpy(&said_us, bytes + len - sizeof said_us, sizeof said_us);
    if (p->bad || !from_us || said_us < from_us || said_us >= until_us)
        return;
    int64_t delay = (p->came_us - said_us) / CROWD_DELAY_US;
    c->received++;
    c->delays[delay < 0 ? 0 : delay < CROWD_DELAYS ? delay : CROWD_DELAYS - 1]++;
}

static void send_out(struct person *p)
{
    struct voice_out out;
    uint8_t head[PACKET_MTU_MAX];
    struct flow_to to;

    while (voice_next(p->voice, p->group->now_us, &out)) {
        struct iovec parts[1 + VOICE_PARTS_MAX];
        int n = flow_send_media(p->flow, p->group->now_us, head, sizeof head, out.parts,
                                out.n_parts, out.words, out.n_words, &to);
        if (n <= 0)
            continue;
        parts[0] = (struct iovec){ head, (size_t)n };
        for (uint32_t i = 0; i < out.n_parts; i++)
            parts[1 + i] = (struct iovec){ (void *)out.parts[i].payload, out.parts[i].head.len };
        struct udp_out o = { .to = &p->carry.to, .parts = parts, .n_parts = 1 + out.n_parts };
        udp_send(p->udp, &o);
    }
}

/* In a rehearsal one after the other speaks for five seconds. */
static bool has_turn(const struct person *p)
{
    const struct crowd_settings *is = &p->crowd->is;

    return !is->in_turn ||
           (uint64_t)(p->group->now_us / 5000000) % (is->speakers ? is->speakers : 1) == p->index;
}

/* With when it was said. */
static void put(struct person *p, uint32_t at, struct voice_said *said, uint8_t *bytes,
                struct counts *c)
{
    int64_t now_us = p->group->now_us, from_us = p->crowd->from_us, said_us = sleep_now_us();

    memcpy(bytes + said->len - CROWD_STAMP, &said_us, CROWD_STAMP);
    if (at || !p->sound) /* who listens wants them even */
        said->timestamp = ticks_of(said_us);
    said->bytes = bytes;
    if (!voice_say(p->voice, now_us, at, said) && from_us && now_us >= from_us &&
        now_us < p->crowd->until_us)
        c->sent++;
}

static void say_one(struct person *p)
{
    const struct crowd_settings *is = &p->crowd->is;
    uint8_t bytes[CROWD_BYTES_MAX] = { 0 };
    struct voice_said said = { .codec = MEDIA_OPUS, .level = 90, .len = is->bytes };

    if (p->sound) {
        const struct crowd_frame *f = &p->sound[p->said % p->n_sound];
        memcpy(bytes, f->bytes, f->len);
        said.len = f->len;
        said.level = f->level;
        said.timestamp = (uint32_t)(p->said * is->frame_ms * 48);
    }
    put(p, 0, &said, bytes, &p->group->counts);
}

/* Pictures are a stream of packets, evenly spaced. */
static void show(struct person *p)
{
    int64_t now_us = p->group->now_us;
    int64_t each_us = (int64_t)CROWD_PICTURE_BYTES * 8000 / p->crowd->is.video_kbit;
    uint8_t bytes[CROWD_PICTURE_BYTES] = { 0 };

    if (!p->show_us)
        p->show_us = now_us + (int64_t)p->index * each_us / (p->crowd->is.speakers + 1);
    for (; p->show_us <= now_us; p->show_us += each_us, p->shown++) {
        struct voice_said said = { .codec = MEDIA_VP8, .len = sizeof bytes };
        put(p, 1, &said, bytes, &p->group->pictures);
    }
}

static void say(struct person *p)
{
    const struct crowd_settings *is = &p->crowd->is;
    int64_t now_us = p->group->now_us;

    if (!p->say_us) /* out of phase */
        p->say_us = now_us + (int64_t)p->index * is->frame_ms * 1000 / (is->speakers + 1);
    while (p->say_us <= now_us) {
        p->say_us += is->frame_ms * 1000;
        p->said++;
        if (has_turn(p))
            say_one(p);
    }
}

/* A link without a queue. */
static bool comes_through(struct person *p, size_t len)
{
    int64_t now_us = p->group->now_us;

    p->room += (double)(now_us - p->room_us) * BAD_RATE / 8e6;
    p->room = p->room < BAD_ROOM ? p->room : BAD_ROOM;
    p->room_us = now_us;
    p->dice = p->dice * 6364136223846793005ULL + 1442695040888963407ULL;
    if (p->step < STEP_IN || !p->has_way)
        return true; /* it comes in as all do */
    if (p->dice >> 32 < BAD_LOSS * (1ULL << 32) || p->room < (double)len)
        return false;
    p->room -= (double)len;
    return true;
}

static void turn_media(struct person *p)
{
    struct udp_in in;
    struct flow_event e;
    struct flow_media_view v;
    struct keyring_event k;
    int64_t now_us = p->group->now_us;

    while (udp_receive(p->udp, &in) > 0) {
        p->came_us = in.stamp_ns ? in.stamp_ns / 1000 - p->group->day_us : now_us;
        if (!p->bad || comes_through(p, in.len))
            carry_hear(&p->carry, &in, now_us);
    }
    flow_expire(p->flow, now_us);
    while (flow_event(p->flow, &e)) {
        if (e.what == FLOW_BACK && !p->has_way) {
            p->has_way = true;
            p->group->ready++;
        }
        if (e.what == FLOW_CLOSED)
            person_fail(p, "the session", "it was closed");
    }
    if (!p->has_way && now_us >= p->ask_us) { /* so that both sides know the way */
        p->ask_us = now_us + ASK_US;
        flow_ask(p->flow, 1);
    }
    if (flow_look_media(p->flow, &v))
        voice_on_path(p->voice, v.rate, v.loss, v.rtt_us);
    if (p->speaks && p->has_way && !p->crowd->over)
        say(p);
    if (p->shows && p->has_way && !p->crowd->over)
        show(p);
    while (voice_event(p->voice, &k))
        p->group->counts.strange += k.what == KEYRING_DIFFERS || k.what == KEYRING_FORGED ||
                                    k.what == KEYRING_WENT_BACK || k.what == KEYRING_ALTERED;
    send_out(p);
    carry_out(&p->carry, now_us);
}

/* --- a turn --------------------------------------------------------------------------------------
 */

static void earlier(int64_t *due, int64_t at)
{
    *due = at < *due ? at : *due;
}

/* With hundreds of people this is a look at each of them, so it is not done for each datagram. */
static void turn_keys(struct person *p)
{
    p->keys_us = p->group->now_us + KEYS_US;
    if (p->voice)
        voice_expire(p->voice, p->group->now_us);
    if (control_keys(p) && tls_flush(&p->tls))
        person_fail(p, "the connection", "it was closed");
}

void person_turn(struct person *p)
{
    int64_t now_us = p->group->now_us;

    if (p->step == STEP_GONE || p->step == STEP_WAITS)
        return;
    if (!is_quiet(p))
        turn_control(p);
    else if (now_us >= p->keys_us)
        turn_keys(p);
    p->heard = false;
    if (p->has_flow && p->step != STEP_GONE)
        turn_media(p);
    p->due_us = p->ping_us;
    if (p->tls.state != TLS_UP)
        earlier(&p->due_us, now_us + 20000);
    if (p->has_flow) {
        earlier(&p->due_us, carry_deadline_us(&p->carry, now_us));
        earlier(&p->due_us, p->keys_us);
        if (!p->has_way)
            earlier(&p->due_us, p->ask_us);
        if (p->speaks && p->say_us)
            earlier(&p->due_us, p->say_us);
        if (p->shows && p->show_us)
            earlier(&p->due_us, p->show_us);
    }
    if (p->due_us <= now_us)
        p->due_us = now_us + 100;
}
