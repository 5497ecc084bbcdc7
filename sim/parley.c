#include "sim/parley.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "av/codec.h"
#include "av/ear.h"
#include "av/sound.h"
#include "media/gaps.h"
#include "relay/relay.h"
#include "sim/kernel.h"
#include "sim/pump.h"

#define MS         1000LL
#define STEP_US    250
#define BEGIN_US   1000000000LL
#define LETTER_US  (30 * MS) /* keys go over control */
#define SPEAKER_US (10 * MS) /* is held by a speaker, as a client's that is no device */
#define AHEAD_US   6500      /* so much later Opus gives what was put into it */
enum {
    MEETING = 9,
    HEADS = 28, /* of IP and UDP */
    BUFFER = 2048,
    PREPARED = 64, /* frames, one after the other, again and again */
    SAID = 1024,   /* frames that may be under way */
    FRAMES_MAX = 65536,
    LETTERS_MAX = 64,
    CHUNK = 16384,
    BLOCK = 240, /* 5 ms, as clients ask for them */
};

struct person {
    uint32_t number, leg;
    uint64_t stream;
    struct voice *voice;
    struct flow *flow[2]; /* its end, the server's */
    struct link way[2];   /* up, down */
    struct gaps gaps;     /* at the server */
    struct table *table;
    uint32_t buffer;
    uint8_t *at;
};

struct letter {
    int64_t due_us;
    uint32_t to;
    size_t len;
    uint8_t bytes[KEYRING_MESSAGE_MAX];
};

struct table {
    const struct parley_wish *wish;
    int64_t now_us, look_us, second_us, next_say_us;
    struct relay *relay;
    struct person people[2];
    struct letter letters[LETTERS_MAX];
    uint32_t n_letters;
    struct ear *ear;
    struct sound_out *out;
    int64_t said_us[SAID];
    uint64_t said;
    struct {
        uint8_t bytes[CODEC_BYTES_MAX];
        int len;
    } frames[PREPARED];
    /* beside */
    struct flow *other[2];
    uint64_t stream, got, got_before;
    int64_t *took_us;
    uint32_t n_took;
    uint64_t concealed, played;
    struct figures came;
    uint64_t came_lost;
    bool broke;
};

/* --- what is said ------------------------------------------------------------------------- */

/* Something like a vowel, whose pitch goes up and down. */
static void vowel(int16_t *pcm, uint32_t n, double *phase, uint64_t at)
{
    for (uint32_t i = 0; i < n; i++) {
        double hz = 120 + 20 * sin((double)(at + i) / 9000);
        double x = 0;
        *phase += hz / MEDIA_HZ;
        for (int k = 1; k <= 8; k++)
            x += sin(2 * M_PI * k * *phase) / k;
        pcm[i] = (int16_t)(5000 * x);
    }
}

static bool prepare(struct table *t)
{
    struct encoder_wish w = { .codec = MEDIA_OPUS, .bits = VOICE_BITS_USUAL };
    struct encoder *e = NULL;
    uint32_t ticks = t->wish->frame_ms * (MEDIA_HZ / 1000);
    int16_t pcm[CODEC_TICKS_MAX];
    double phase = 0;
    bool silence;

    if (encoder_new(&e, &w))
        return false;
    for (uint32_t i = 0; i < PREPARED; i++) {
        vowel(pcm, ticks, &phase, (uint64_t)i * ticks);
        t->frames[i].len = encoder_frame(e, pcm, ticks, t->frames[i].bytes, &silence);
        if (t->frames[i].len <= 0)
            return false;
    }
    encoder_free(e);
    return true;
}

static void say(struct table *t)
{
    int64_t long_us = t->wish->frame_ms * MS;
    int64_t off_us = t->next_say_us - t->now_us;

    if (t->wish->both && off_us == long_us / 4 / STEP_US * STEP_US) {
        uint8_t bytes[40] = { 0 };
        const struct voice_said said = { .codec = MEDIA_OPUS,
                                         .timestamp = (uint32_t)(t->now_us * 6 / 125),
                                         .level = 100,
                                         .bytes = bytes,
                                         .len = sizeof bytes };
        voice_say(t->people[1].voice, t->now_us, 0, &said);
    }
    if (off_us > 0)
        return;
    t->next_say_us += long_us;
    const struct voice_said said = { .codec = MEDIA_OPUS,
                                     .timestamp = (uint32_t)(t->now_us / MS * 48),
                                     .level = 100,
                                     .bytes = t->frames[t->said % PREPARED].bytes,
                                     .len = (size_t)t->frames[t->said % PREPARED].len };
    t->said_us[t->said % SAID] = t->now_us - long_us;
    if (!voice_say(t->people[0].voice, t->now_us, 0, &said))
        t->said++;
}

/* --- what is heard -------------------------------------------------------------------------- */

static bool is_measured(const struct table *t)
{
    return t->now_us >= BEGIN_US + t->wish->after_us;
}

static void on_played(void *ctx, const struct jitter_turn *turn, enum media_codec codec,
                      int64_t heard_us)
{
    struct table *t = ctx;
    uint64_t frame = ear_jitter(t->ear)->next - 1;

    (void)turn;
    (void)codec;
    if (is_measured(t) && t->n_took < FRAMES_MAX)
        t->took_us[t->n_took++] = heard_us - t->said_us[frame % SAID] + AHEAD_US;
}

static void heard(void *ctx, int64_t now_us, uint32_t from, const struct media *m,
                  const uint8_t *bytes, size_t len)
{
    struct person *p = ctx;

    (void)from;
    if (p->number == 2)
        ear_put(p->table->ear, now_us, m, bytes, len);
}

/* As a client's thread of sound does it. */
static void play(struct table *t)
{
    const struct jitter_counts *c = &ear_jitter(t->ear)->counts;
    uint64_t concealed = c->concealed_ticks, played = c->played_ticks;
    int16_t pcm[BLOCK];

    while (sound_out_wants(t->out, t->now_us) >= BLOCK) {
        ear_pull(t->ear, t->now_us, sound_out_heard_us(t->out, t->now_us), pcm, BLOCK);
        sound_out_write(t->out, t->now_us, pcm, BLOCK);
    }
    if (!is_measured(t))
        return;
    t->concealed += c->concealed_ticks - concealed;
    t->played += c->played_ticks - played;
}

/* --- the server --------------------------------------------------------------------------- */

/* As the worker measures what comes. */
static void note_came(struct table *t, const struct media *m)
{
    struct person *p = &t->people[1];

    figures_on_packet(&t->came, t->now_us, (int64_t)m->timestamp * 125 / 6, m->len);
    figures_on_loss(&t->came, t->now_us, (uint32_t)(p->gaps.lost - t->came_lost), 0);
    t->came_lost = p->gaps.lost;
}

static void serve(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct person *p = ctx;
    struct table *t = p->table;
    struct flow_media_view v;

    flow_look_media(p->flow[1], &v);
    if (d->kind == DGRAM_NACK)
        relay_on_nack(t->relay, t->now_us, p->leg, &d->nack, v.rtt_us);
    enum gaps_came came = GAPS_AGAIN;
    if (d->kind == DGRAM_MEDIA)
        came = gaps_on_part(&p->gaps, t->now_us, d->media.count);
    if (p->number == 2 && came == GAPS_NEW)
        note_came(t, &d->media);
    if (came != GAPS_AGAIN)
        relay_on_media(t->relay, t->now_us, t->now_us, p->leg, &d->media, p->buffer,
                       (uint32_t)(payload - p->at));
}

static void push(struct table *t, struct link *l, uint8_t *bytes, size_t len, uint32_t tag)
{
    uint8_t packet[HEADS + BUFFER] = { 0 };

    memcpy(packet + HEADS, bytes, len);
    struct blob *b = blob_copy(packet, HEADS + len);
    t->broke = t->broke || !b || link_push_tagged(l, t->now_us, b, tag);
    if (b)
        blob_unref(b);
}

static void send(struct table *t, struct person *p, int end, const struct media_part *parts,
                 size_t n_parts, const struct dgram *words, size_t n_words)
{
    uint8_t bytes[BUFFER];
    size_t len = pump_media(p->flow[end], t->now_us, parts, n_parts, words, n_words, bytes,
                            sizeof bytes);

    if (len)
        push(t, &p->way[end], bytes, len, 0);
}

static void serve_out(struct table *t)
{
    static struct relay_out o;
    bool looks = t->now_us >= t->look_us;

    while (relay_next(t->relay, t->now_us, &o))
        for (int i = 0; i < 2; i++)
            if (t->people[i].leg == o.leg)
                send(t, &t->people[i], 1, o.parts, o.n, NULL, 0);
    for (int i = 0; looks && i < 2; i++) {
        struct person *p = &t->people[i];
        struct dgram nack = { .kind = DGRAM_NACK };
        struct flow_media_view v;
        flow_look_media(p->flow[1], &v);
        relay_on_path(t->relay, t->now_us, p->leg, v.rate, v.loss);
        if (gaps_ask(&p->gaps, t->now_us, v.rtt_us, 150 * MS, &nack.nack)) {
            nack.nack.stream = p->stream;
            send(t, p, 1, NULL, 0, &nack, 1);
        }
    }
    t->look_us = looks ? t->now_us + 5 * MS : t->look_us;
}

/* --- clients ------------------------------------------------------------------------------- */

static void client_hears(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct person *p = ctx;

    voice_on_dgram(p->voice, p->table->now_us, d, payload);
}

static void client_sends(struct table *t, struct person *p)
{
    struct flow_media_view v;
    struct voice_out o;
    struct keyring_event e;

    if (flow_look_media(p->flow[0], &v))
        voice_on_path(p->voice, v.rate, v.loss, v.rtt_us);
    voice_expire(p->voice, t->now_us);
    while (voice_next(p->voice, t->now_us, &o))
        send(t, p, 0, o.parts, o.n_parts, o.words, o.n_words);
    while (voice_event(p->voice, &e))
        ;
}

static void post(struct table *t)
{
    uint32_t due = 0;

    for (int i = 0; i < 2; i++) {
        struct letter x = { .due_us = t->now_us + LETTER_US };
        while (t->n_letters < LETTERS_MAX &&
               (x.len = voice_next_keys(t->people[i].voice, &x.to, x.bytes)))
            t->letters[t->n_letters++] = x;
    }
    for (; due < t->n_letters && t->letters[due].due_us <= t->now_us; due++) {
        struct letter *x = &t->letters[due];
        int to = t->people[1].number == x->to;
        voice_on_keys(t->people[to].voice, t->now_us, t->people[!to].number, x->bytes, x->len);
    }
    t->n_letters -= due;
    memmove(t->letters, t->letters + due, t->n_letters * sizeof *t->letters);
}

/* --- the ways ------------------------------------------------------------------------------- */

static void arrive(struct table *t, struct person *p, int end, struct blob *b, uint32_t tag)
{
    static const struct path_address from = { .ip = { 192, 0, 2, 1 }, .len = 4, .port = 1 };
    uint8_t bytes[BUFFER];
    size_t len = b->len - HEADS;

    memcpy(bytes, b->bytes + HEADS, len);
    if (tag) {
        flow_on_datagram(t->other[end], t->now_us, bytes, len, 0);
    } else if (end) {
        p->at = relay_buffer(t->relay, &p->buffer);
        memcpy(p->at, bytes, len);
        flow_on_datagram_from(p->flow[1], t->now_us, p->at, len, 0, &from);
    } else {
        flow_on_datagram(p->flow[0], t->now_us, bytes, len, 0);
    }
}

static void say_all(struct table *t, struct flow *f, struct link *l, uint32_t tag)
{
    uint8_t bytes[BUFFER];
    struct flow_event e;
    struct flow_to to;
    int n;

    flow_expire(f, t->now_us);
    while (flow_event(f, &e))
        t->broke = t->broke || e.what == FLOW_CLOSED;
    while ((n = flow_next_to(f, t->now_us, bytes, sizeof bytes, &to)) > 0)
        push(t, l, bytes, (size_t)n, tag);
}

static void carry(struct table *t)
{
    uint32_t tag;

    for (int i = 0; i < 2; i++)
        for (int way = 0; way < 2; way++)
            for (struct blob *b; (b = link_next_tagged(&t->people[i].way[way], t->now_us, &tag));
                 blob_unref(b))
                arrive(t, &t->people[i], !way, b, tag);
    for (int i = 0; i < 2; i++)
        for (int end = 0; end < 2; end++)
            say_all(t, t->people[i].flow[end], &t->people[i].way[end], 0);
    for (int end = 0; end < 2 && t->other[0]; end++)
        say_all(t, t->other[end], &t->people[1].way[end], 1);
}

/* --- what goes beside ------------------------------------------------------------------------ */

static struct flow *carries(const struct table *t, int end)
{
    return t->wish->beside == PARLEY_FILE ? t->people[1].flow[end] : t->other[end];
}

static bool begin_beside(struct table *t)
{
    static const uint8_t secret[32] = { 8 }, seeds[2][32] = { { 6 }, { 7 } };
    bool cubic = t->wish->beside == PARLEY_CUBIC;

    for (int end = 0; end < 2 && t->wish->beside > PARLEY_FILE; end++) {
        struct flow_settings s = { .client = !end,
                                   .session = 77,
                                   .secret = secret,
                                   .seed = seeds[end],
                                   .mtu = 1472,
                                   .cc = cubic ? &kernel_cubic : NULL,
                                   .pacer = cubic ? PACER_NONE : PACER_BUCKET };
        if (flow_new(&t->other[end], &s, t->now_us))
            return false;
    }
    int64_t stream = t->wish->beside ? flow_open(carries(t, 1), 0) : 0;
    t->stream = (uint64_t)stream;
    return stream >= 0;
}

static void go_on_beside(struct table *t)
{
    static const uint8_t zeros[CHUNK];
    struct flow *from = carries(t, 1), *to = carries(t, 0);
    size_t len;
    bool over;

    if (!from || !t->wish->beside)
        return;
    while (flow_write(from, t->stream, zeros, sizeof zeros) == (int64_t)sizeof zeros)
        ;
    while (flow_read(to, t->stream, &len, &over) && len) {
        flow_take(to, t->stream, len, t->now_us);
        t->got += len;
        t->got_before += is_measured(t) ? 0 : len;
    }
}

/* --- who is there ------------------------------------------------------------------------------
 */

static bool connect_to(struct table *t, struct person *p, uint32_t session)
{
    const uint8_t secret[32] = { 3, (uint8_t)session }, seeds[2][32] = { { 4 }, { 5 } };

    for (int end = 0; end < 2; end++) {
        struct flow_settings s = { .client = !end,
                                   .session = session,
                                   .secret = secret,
                                   .seed = seeds[end],
                                   .keeps = !end,
                                   .proves = end == 1 };
        struct flow_media_settings m = { .take = end ? serve : client_hears, .ctx = p };
        if (flow_new(&p->flow[end], &s, t->now_us) || flow_take_media(p->flow[end], &m, t->now_us))
            return false;
    }
    flow_ask(p->flow[0], 1);
    int64_t leg = relay_enter(t->relay, MEETING, t->now_us);
    p->leg = (uint32_t)leg;
    return leg >= 0 && !relay_publish(t->relay, p->leg, p->stream, true);
}

static bool come(struct table *t, uint32_t at)
{
    const struct parley_wish *w = t->wish;
    struct person *p = &t->people[at];
    uint8_t seed[32] = { 1, (uint8_t)at }, random[32] = { 2, (uint8_t)at };
    struct voice_settings s = { .keys = { MEETING, at + 1, seed, random, NULL },
                                .heard = heard,
                                .ctx = p };

    p->table = t;
    p->number = at + 1;
    p->stream = 100 + at;
    link_init(&p->way[0], LINK_DATAGRAMS, at ? &w->up : &w->first, w->seed * 4 + 2 * at);
    link_init(&p->way[1], LINK_DATAGRAMS, at ? &w->down : &w->first, w->seed * 4 + 2 * at + 1);
    return !voice_new(&p->voice, &s, t->now_us) && connect_to(t, p, at + 1) &&
           !voice_publish(p->voice, t->now_us, 0, p->stream, MEDIA_OPUS);
}

static bool meet(struct table *t)
{
    struct relay_settings s = { .legs = 4,
                                .meetings = 1,
                                .streams = 4,
                                .items = 1024,
                                .buffers = 1024,
                                .buffer_bytes = BUFFER,
                                .speakers = 5,
                                .mtu = PACKET_MTU_MIN };
    struct roster_member list[2];
    char why[SOUND_WHY];

    if (relay_new(&t->relay, &s) || !prepare(t) || ear_new(&t->ear) ||
        sound_out_new(&t->out, "null", t->now_us, SPEAKER_US, why) || !come(t, 0) || !come(t, 1))
        return false;
    ear_set_played(t->ear, on_played, t);
    for (int i = 0; i < 2; i++) {
        list[i].number = t->people[i].number;
        memcpy(list[i].identity, keyring_identity(voice_keys(t->people[i].voice)), ROSTER_IDENTITY);
    }
    for (int i = 0; i < 2; i++) {
        voice_on_stream(t->people[i].voice, t->now_us, t->people[!i].stream, t->people[!i].number,
                        MEDIA_OPUS, false);
        voice_on_roster(t->people[i].voice, t->now_us, 1, list, 2);
    }
    return begin_beside(t);
}

static void part(struct table *t)
{
    for (int i = 0; i < 2; i++) {
        voice_free(t->people[i].voice);
        for (int k = 0; k < 2; k++) {
            flow_free(t->people[i].flow[k]);
            link_fini(&t->people[i].way[k]);
        }
        flow_free(t->other[i]);
    }
    relay_free(t->relay);
    ear_free(t->ear);
    if (t->out)
        sound_out_free(t->out);
    free(t->took_us);
    free(t);
}

/* --- what came of it -----------------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void tell(struct table *t, struct parley *ret)
{
    const struct jitter *j = ear_jitter(t->ear);
    const struct relay_counts *c = relay_counts(t->relay);
    int64_t sum_us = 0;

    qsort(t->took_us, t->n_took, sizeof *t->took_us, by_time);
    for (uint32_t i = 0; i < t->n_took; i++)
        sum_us += t->took_us[i];
    *ret = (struct parley){
        .frames = t->n_took,
        .concealed = 100.0 * (double)t->concealed / (double)(t->concealed + t->played + 1),
        .recovered = j->counts.recovered,
        .stretched = j->counts.stretched,
        .again = c->again,
        .held_us = jitter_held_us(j),
        .other_mbit = (double)(t->got - t->got_before) * 8 / (double)t->wish->for_us,
        .first = t->people[0].way[0].counts,
        .up = t->people[1].way[0].counts,
        .down = t->people[1].way[1].counts,
        .sent_twice = (double)(c->again + c->repeats) / (double)(c->forwarded + 1),
    };
    if (!t->n_took)
        return;
    ret->mean_us = sum_us / t->n_took;
    ret->p99_us = t->took_us[(uint64_t)t->n_took * 99 / 100];
    ret->most_us = t->took_us[t->n_took - 1];
}

static void each_second(struct table *t)
{
    const struct jitter *j = ear_jitter(t->ear);
    const struct voice_ear ear = { j->counts.played_ticks, j->counts.concealed_ticks,
                                   jitter_held_us(j) };

    if (t->now_us < t->second_us)
        return;
    t->second_us += 1000 * MS;
    voice_on_ear(t->people[1].voice, t->now_us, t->people[0].stream, &ear);
    struct parley_look look = { .came = &t->came };
    for (int i = 0; i < 2; i++) {
        look.voice[i] = t->people[i].voice;
        for (int k = 0; k < 2; k++) {
            look.flow[i][k] = t->people[i].flow[k];
            look.way[i][k] = &t->people[i].way[k];
        }
    }
    if (t->wish->each_second)
        t->wish->each_second(t->wish->ctx, t->now_us, &look);
}

static void turn(struct table *t)
{
    post(t);
    say(t);
    carry(t);
    go_on_beside(t);
    for (int i = 0; i < 2; i++)
        client_sends(t, &t->people[i]);
    serve_out(t);
    play(t);
    each_second(t);
}

bool parley_hold(const struct parley_wish *w, struct parley *ret)
{
    struct table *t = calloc(1, sizeof *t);

    if (!t)
        return false;
    t->wish = w;
    t->now_us = t->next_say_us = BEGIN_US;
    t->second_us = BEGIN_US + 1000 * MS;
    figures_init(&t->came, t->now_us);
    t->took_us = malloc(FRAMES_MAX * sizeof *t->took_us);
    bool ok = t->took_us && meet(t);
    for (int64_t end_us = t->now_us + w->after_us + w->for_us; ok && t->now_us < end_us;
         t->now_us += STEP_US)
        turn(t);
    if (ok)
        tell(t, ret);
    ok = ok && !t->broke;
    part(t);
    return ok;
}
