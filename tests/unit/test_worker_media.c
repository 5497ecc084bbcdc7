/* test_worker_media.c - a worker with real sockets, and the media of a meeting: who hears what. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flow/flow_media.h"
#include "net/carry.h"
#include "net/sleep.h"
#include "server/workers.h"
#include "test.h"
#include "wire/frame.h"

enum {
    PEOPLE = 3, /* the first two speak */
    WORKERS = 2,
    MEETING = 9,
    BYTES = 96,
    TUNNEL = 77,
    PATIENCE_MS = 4000,
    FRAMES_MAX = 4096,
};

struct ear {
    uint32_t heard, again;
    bool had[FRAMES_MAX];
};

struct person {
    uint32_t id;
    struct flow *flow;
    struct udp *udp;
    struct carry carry;
    uint64_t frame, count;
    struct ear ears[PEOPLE]; /* by stream - 1 */
    uint32_t asked;          /* parts that the server missed */
    uint16_t asked_first;
    uint32_t keys; /* key frames that it asked for */
    bool wrong, ready;
};

struct stage {
    uv_loop_t loop;
    struct workers *workers;
    struct person people[PEOPLE];
    uint32_t speaker, figures; /* that the hub heard of */
    struct hub_leg_word last;
    bool tunnelled; /* the last of them */
};

/* --- what people hear ------------------------------------------------------------------- */

static void take(void *ctx, const struct dgram *d, const uint8_t *payload)
{
    struct person *p = ctx;
    const struct media *m = &d->media;

    p->asked += d->kind == DGRAM_NACK;
    p->asked_first = d->kind == DGRAM_NACK ? d->nack.gaps[0].first : p->asked_first;
    p->keys += d->kind == DGRAM_KEYFRAME;
    if (d->kind != DGRAM_MEDIA)
        return;
    if (m->stream < 1 || m->stream > PEOPLE || m->len != BYTES || m->frame >= FRAMES_MAX ||
        m->has_level || payload[0] != (uint8_t)m->stream || payload[BYTES - 1] != m->frame % 251) {
        p->wrong = true;
        return;
    }
    struct ear *e = &p->ears[m->stream - 1];
    *(e->had[m->frame] ? &e->again : &e->heard) += 1;
    e->had[m->frame] = true;
}

static void join(struct stage *s, struct person *p, uint32_t id)
{
    uint8_t secret[32] = { (uint8_t)id };
    struct udp_settings u = { 0 };
    union address to;
    const struct flow_settings settings = {
        .client = true, .session = id, .secret = secret, .seed = secret, .keeps = true
    };
    const struct flow_media_settings media = { .take = take, .ctx = p };

    p->id = id;
    CHECK(address_parse(&u.at, "127.0.0.1:0", false) == 0 && udp_open(&p->udp, &u) == 0);
    CHECK(address_parse(&to, "127.0.0.1:1", false) == 0);
    to.v4.sin_port = htons(workers_port(s->workers));
    CHECK(flow_new(&p->flow, &settings, sleep_now_us()) == 0);
    CHECK(flow_take_media(p->flow, &media, sleep_now_us()) == 0);
    CHECK(carry_init(&p->carry, p->udp, p->flow, &to) == 0);
}

static void part(struct person *p)
{
    flow_free(p->flow);
    carry_fini(&p->carry);
    udp_close(p->udp);
}

static void speak_as(struct person *p, uint64_t stream, uint64_t frame, uint16_t count)
{
    uint8_t payload[BYTES] = { (uint8_t)stream }, head[PACKET_MTU_MIN];
    struct media_part one = { .payload = payload };
    struct flow_to to;

    payload[BYTES - 1] = (uint8_t)(frame % 251);
    one.head = (struct media){ .stream = stream,
                               .frame = frame,
                               .codec = MEDIA_OPUS,
                               .timestamp = (uint32_t)(frame * 960),
                               .key = true,
                               .last = true,
                               .has_level = true,
                               .level = 90,
                               .count = count,
                               .len = BYTES };
    int n = flow_send_media(p->flow, sleep_now_us(), head, sizeof head, &one, 1, NULL, 0, &to);
    if (n <= 0)
        return;
    struct iovec parts[] = { { head, (size_t)n }, { payload, BYTES } };
    struct udp_out o = { .to = &p->carry.to, .parts = parts, .n_parts = 2 };
    udp_send(p->udp, &o);
}

static void speak(struct stage *s, int who)
{
    struct person *p = &s->people[who];

    speak_as(p, (uint64_t)who + 1, p->frame, (uint16_t)p->count);
    p->frame++;
    p->count++;
}

static void turn(struct person *p)
{
    struct flow_event e;
    struct udp_in in;
    int64_t now = sleep_now_us();

    while (udp_receive(p->udp, &in) > 0)
        carry_hear(&p->carry, &in, now);
    flow_expire(p->flow, now);
    while (flow_event(p->flow, &e)) {
        p->wrong |= e.what == FLOW_CLOSED;
        p->ready |= e.what == FLOW_BACK;
    }
    carry_out(&p->carry, now);
}

static void run(struct stage *s, int ms)
{
    for (int k = 0; k < ms; k++) {
        for (int i = 0; i < PEOPLE; i++)
            if (s->people[i].flow)
                turn(&s->people[i]);
        uv_run(&s->loop, UV_RUN_NOWAIT);
        poll(NULL, 0, 1);
    }
}

/* The way is known on both sides. What comes before the worker knows the session is lost. */
static void meet(struct stage *s, struct person *p)
{
    for (int k = 0; k < PATIENCE_MS && !p->ready; k++) {
        if (k % 50 == 0)
            flow_ask(p->flow, 1);
        run(s, 1);
    }
    CHECK(p->ready);
}

#define AWAIT(s, what)                                                                             \
    do {                                                                                           \
        for (int k_ = 0; k_ < PATIENCE_MS && !(what); k_++)                                        \
            run(s, 1);                                                                             \
        CHECK(what);                                                                               \
    } while (0)

/* --- the hub, as far as a worker sees it --------------------------------------------------- */

static void on_frames(void *ctx, uint64_t conn, struct blob *bytes, bool soon)
{
    struct stage *s = ctx;
    const uint8_t *at = bytes->bytes, *end = at + bytes->len, *body;
    struct frame_reader whole;
    size_t len;

    (void)soon;
    CHECK(conn == TUNNEL);
    frame_reader_init(&whole);
    while (s->tunnelled && frame_next(&whole, &at, end, &body, &len) > 0)
        flow_on_frames(s->people[PEOPLE - 1].flow, sleep_now_us(), body, len);
    frame_reader_fini(&whole);
    blob_unref(bytes);
}

static void on_over(void *ctx, uint64_t conn)
{
    (void)ctx, (void)conn;
}

static void on_taken(void *ctx)
{
    (void)ctx;
}

static void on_leg(void *ctx, const struct hub_leg_word *word)
{
    struct stage *s = ctx;

    if (word->what == LEG_SPEAKER)
        s->speaker = word->number;
    else if (word->number == 101)
        s->last = *word;
    s->figures += word->what == LEG_FIGURES;
}

static void open_session(struct stage *s, uint32_t id)
{
    struct hub_datagrams d = { .what = DATAGRAMS_OPEN, .id = id };

    d.secret[0] = (uint8_t)id;
    workers_put(s->workers, &d);
}

static void leg(struct stage *s, struct hub_leg l)
{
    l.meeting = MEETING;
    workers_leg(s->workers, &l);
}

static uint16_t free_port(void)
{
    struct udp_settings s = { 0 };
    union address at;
    struct udp *u = NULL;

    CHECK(address_parse(&s.at, "127.0.0.1:0", false) == 0 && udp_open(&u, &s) == 0);
    CHECK(udp_where(u, &at) == 0);
    udp_close(u);
    return ntohs(at.v4.sin_port);
}

static struct stage *begin(void)
{
    static struct stage stage;
    struct stage *s = &stage;
    struct workers_settings settings = { .listen = "127.0.0.1",
                                         .port = free_port(),
                                         .must = true,
                                         .n = WORKERS,
                                         .speakers = 2,
                                         .on_frames = on_frames,
                                         .on_over = on_over,
                                         .on_taken = on_taken,
                                         .on_leg = on_leg,
                                         .ctx = s };

    memset(s, 0, sizeof *s);
    CHECK(uv_loop_init(&s->loop) == 0);
    CHECK(workers_new(&s->workers, &s->loop, &settings) == 0);
    for (uint32_t i = 0; i < PEOPLE; i++) {
        uint32_t id = 1001 + 2 * i; /* all on one worker */
        open_session(s, id);
        leg(s, (struct hub_leg){ .what = LEG_ENTER, .id = id, .number = 101 + i });
        if (i < 2)
            leg(s, (struct hub_leg){
                       .what = LEG_PUBLISH, .id = id, .stream = i + 1, .kind = LEG_VOICE });
        join(s, &s->people[i], id);
    }
    for (int i = 0; i < PEOPLE; i++)
        meet(s, &s->people[i]);
    return s;
}

static void end(struct stage *s)
{
    for (int i = 0; i < PEOPLE; i++) {
        CHECK(!s->people[i].wrong);
        part(&s->people[i]);
    }
    workers_stop(s->workers);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    workers_free(s->workers);
    CHECK(uv_loop_close(&s->loop) == 0);
}

/* Both speak: so many frames. */
static void talk(struct stage *s, int frames)
{
    for (int i = 0; i < frames; i++) {
        speak(s, 0);
        run(s, 1);
        speak(s, 1);
        run(s, 1);
    }
}

static struct ear *ear(struct stage *s, int who, int of)
{
    return &s->people[who].ears[of];
}

/* --- stories ------------------------------------------------------------------------------ */

static void voices_are_heard_by_all(void)
{
    struct stage *s = begin();
    struct workers_stats w;

    talk(s, 100);
    AWAIT(s, ear(s, 2, 0)->heard == 100 && ear(s, 2, 1)->heard == 100);
    AWAIT(s, ear(s, 0, 1)->heard == 100 && ear(s, 1, 0)->heard == 100);
    CHECK(!ear(s, 0, 0)->heard && !ear(s, 1, 1)->heard); /* nobody hears oneself */
    CHECK(!ear(s, 2, 0)->again);
    workers_stats(s->workers, &w);
    CHECK(w.media_in == 200 && w.media_forwarded == 400 && w.media_refused == 0);
    AWAIT(s, s->speaker == 101 || s->speaker == 102);
    end(s);
}

static void who_is_muted_is_not_heard(void)
{
    struct stage *s = begin();
    struct workers_stats w = { 0 };

    talk(s, 20);
    AWAIT(s, ear(s, 2, 0)->heard == 20);
    leg(s, (struct hub_leg){ .what = LEG_MUTE, .id = 1001, .stream = 1, .muted = true });
    for (int i = 0; i < PATIENCE_MS && w.media_muted == 0; i++) {
        talk(s, 1);
        workers_stats(s->workers, &w);
    }
    uint32_t heard = ear(s, 2, 0)->heard, others = ear(s, 2, 1)->heard;
    talk(s, 50);
    AWAIT(s, ear(s, 2, 1)->heard >= others + 50);
    CHECK(ear(s, 2, 0)->heard <= heard + 1); /* one was on its way */
    leg(s, (struct hub_leg){ .what = LEG_MUTE, .id = 1001, .stream = 1 });
    for (int i = 0; i < PATIENCE_MS && ear(s, 2, 0)->heard <= heard + 1; i++)
        talk(s, 1);
    CHECK(ear(s, 2, 0)->heard > heard + 1);
    /* nobody sends under another's number, and who left is heard no more */
    speak_as(&s->people[2], 1, 3000, 0);
    leg(s, (struct hub_leg){ .what = LEG_LEAVE, .id = 1001 });
    for (int i = 0; i < 100; i++)
        talk(s, 1);
    workers_stats(s->workers, &w);
    CHECK(!ear(s, 1, 0)->had[3000] && w.media_muted > 50);
    end(s);
}

static void what_was_lost_on_the_way_up_is_asked_for(void)
{
    struct stage *s = begin();
    struct person *p = &s->people[0];

    talk(s, 30);
    uint64_t lost = p->frame++;
    uint16_t count = (uint16_t)p->count++;
    talk(s, 5);
    AWAIT(s, p->asked > 0);
    CHECK(p->asked_first == count);
    speak_as(p, 1, lost, count);
    AWAIT(s, ear(s, 2, 0)->had[lost]);
    speak_as(p, 1, lost, count); /* repeated: it is known by now */
    talk(s, 5);
    AWAIT(s, ear(s, 2, 0)->heard == p->frame);
    CHECK(!ear(s, 2, 0)->again);
    end(s);
}

static void a_session_takes_over(void)
{
    struct stage *s = begin();
    struct person was;

    talk(s, 20);
    open_session(s, 1011);
    leg(s, (struct hub_leg){ .what = LEG_MOVE, .id = 1005, .to = 1011 });
    was = s->people[2];
    struct person *p = &s->people[2];
    join(s, p, 1011);
    p->ready = false;
    meet(s, p);
    uint32_t before = ear(s, 2, 0)->heard;
    talk(s, 50);
    struct hub_datagrams close = { .what = DATAGRAMS_CLOSE, .id = 1005 };
    workers_put(s->workers, &close);
    for (int i = 0; i < PATIENCE_MS && ear(s, 2, 0)->heard < before + 50; i++)
        talk(s, 1);
    CHECK(ear(s, 2, 0)->heard >= before + 50);
    part(&was);
    end(s);
}

static void in_a_tunnel_too(void)
{
    struct stage *s = begin();
    struct hub_datagrams t = { .what = DATAGRAMS_TUNNEL, .id = 1005, .conn = TUNNEL };

    talk(s, 20);
    AWAIT(s, ear(s, 2, 0)->heard == 20);
    s->tunnelled = true;
    flow_tunnel(s->people[2].flow, true, sleep_now_us());
    workers_put(s->workers, &t);
    talk(s, 50);
    AWAIT(s, ear(s, 2, 0)->heard >= 65 && ear(s, 2, 1)->heard >= 65);
    workers_hung_up(s->workers, 1005, TUNNEL); /* and back */
    s->tunnelled = false;
    flow_tunnel(s->people[2].flow, false, sleep_now_us());
    uint32_t before = ear(s, 2, 0)->heard;
    for (int i = 0; i < PATIENCE_MS && ear(s, 2, 0)->heard < before + 20; i++)
        talk(s, 1);
    CHECK(ear(s, 2, 0)->heard >= before + 20);
    end(s);
}

static void figures_are_told(void)
{
    struct stage *s = begin();

    for (int i = 0; i < PATIENCE_MS && s->figures < 6; i++)
        talk(s, 1);
    CHECK(s->last.n_figures == 2 && s->last.figures[0].sent && s->last.figures[1].stream == 1);
    CHECK(s->last.figures[1].bits > 0);
    end(s);
}

/* The hub is told something now and then, which takes memory; frames take none. */
static void frames_take_no_memory(void)
{
    struct stage *s = begin();
    int idle = 0;

    talk(s, 400); /* then what is never acknowledged has its room too */
    for (int i = 0; i < 20; i++) {
        long before = test_allocations();
        talk(s, 30);
        idle += test_allocations() == before;
    }
    CHECK(idle > 5);
    end(s);
}

TEST_MAIN({ "voices_are_heard_by_all", voices_are_heard_by_all },
          { "who_is_muted_is_not_heard", who_is_muted_is_not_heard },
          { "what_was_lost_on_the_way_up_is_asked_for", what_was_lost_on_the_way_up_is_asked_for },
          { "a_session_takes_over", a_session_takes_over }, { "in_a_tunnel_too", in_a_tunnel_too },
          { "figures_are_told", figures_are_told },
          { "frames_take_no_memory", frames_take_no_memory })
