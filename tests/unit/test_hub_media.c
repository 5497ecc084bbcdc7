/* test_hub_media.c - who takes part with media, as all are told, and what is forwarded. */
#include <string.h>

#include "base/err.h"
#include "hub/media.h"
#include "media/figures.h"
#include "meets.h"
#include "seal/keyring.h"
#include "test.h"

#define ACT(name) ROOST__MEET_ACTION__##name
#define VOICE     ROOST__MEDIA_KIND__MEDIA_VOICE
#define CAMERA    ROOST__MEDIA_KIND__MEDIA_CAMERA
#define SCREEN    ROOST__MEDIA_KIND__MEDIA_SCREEN
#define OPUS      ROOST__MEDIA_CODEC__CODEC_OPUS
enum { SHORT = 64 }; /* bytes of a message */

#define VP8 ROOST__MEDIA_CODEC__CODEC_VP8

static struct stage *stage(void)
{
    struct stage *s = meet_stage();

    s->hall.config.datagrams = true;
    s->hall.config.media_port = 5001;
    s->hall.config.workers = 4;
    hub_set_config(s->hall.hub, &s->hall.config);
    unhurried(s);
    return s;
}

static void begin(struct meets *m)
{
    meets_begin(m, stage(), true);
}

static struct visitor *comer(struct meets *m, const char *name)
{
    struct visitor *v = visitor_named(m->stage, name);

    hall_disconnect(&m->stage->hall, v->conn, HUB_CLOSE_GONE);
    visitor_connect(v);
    CHECK(login(v, name, PASSWORD, 5) == 0); /* with a device that can come back */
    CHECK(join_link(v, m) == 0);
    return v;
}

/* --- requests ------------------------------------------------------------------------------ */

static Roost__Reply *enter_reply(struct visitor *v, const struct meets *m, uint8_t identity,
                                 uint32_t number, uint32_t keep)
{
    Roost__MediaEnter b = ROOST__MEDIA_ENTER__INIT;
    uint8_t bytes[32] = { 0x1d, identity };

    b.meeting = m->meeting;
    b.identity = (ProtobufCBinaryData){ sizeof bytes, bytes };
    b.device_name = "laptop";
    b.number = number;
    b.keep = keep;
    return ASK(v, MEDIA_ENTER, media_enter, &b);
}

struct place {
    uint32_t number, datagrams;
};

static struct place enter(struct visitor *v, const struct meets *m, uint8_t identity)
{
    const Roost__Reply *r = enter_reply(v, m, identity, 0, 0);

    CHECK(reply_code(r) == 0 && r->result_case == ROOST__REPLY__RESULT_MEDIA_PLACE);
    CHECK(r->media_place->number && r->media_place->speakers == 5);
    CHECK(r->media_place->datagrams->secret.len == 32);
    return (struct place){ r->media_place->number, r->media_place->datagrams->session };
}

static int leave(struct visitor *v, const struct meets *m)
{
    Roost__MediaLeave b = ROOST__MEDIA_LEAVE__INIT;

    b.meeting = m->meeting;
    return reply_code(ASK(v, MEDIA_LEAVE, media_leave, &b));
}

static int publish(struct visitor *v, const struct meets *m, Roost__MediaKind kind,
                   Roost__MediaCodec codec, uint64_t *stream)
{
    Roost__MediaPublish b = ROOST__MEDIA_PUBLISH__INIT;

    b.meeting = m->meeting;
    b.kind = kind;
    b.codec = codec;
    b.stream = stream ? *stream : 0;
    const Roost__Reply *r = ASK(v, MEDIA_PUBLISH, media_publish, &b);
    if (!reply_code(r) && stream)
        *stream = r->media_stream->stream;
    return reply_code(r);
}

static int unpublish(struct visitor *v, const struct meets *m, uint64_t stream)
{
    Roost__MediaUnpublish b = ROOST__MEDIA_UNPUBLISH__INIT;

    b.meeting = m->meeting;
    b.stream = stream;
    return reply_code(ASK(v, MEDIA_UNPUBLISH, media_unpublish, &b));
}

static int want(struct visitor *v, const struct meets *m, uint64_t stream, int temporal)
{
    Roost__MediaWant b = ROOST__MEDIA_WANT__INIT;

    b.meeting = m->meeting;
    b.stream = stream;
    b.encoding = 1;
    b.temporal = temporal;
    return reply_code(ASK(v, MEDIA_WANT, media_want, &b));
}

static int keys(struct visitor *v, const struct meets *m, uint32_t to, size_t n, size_t len)
{
    Roost__MediaKeys b = ROOST__MEDIA_KEYS__INIT;
    Roost__MediaKey list[MEDIA_KEYS_MAX + 1], *rows[MEDIA_KEYS_MAX + 1];
    uint8_t bytes[2 * MEDIA_KEYS_MAX];

    CHECK(n <= MEDIA_KEYS_MAX + 1 && len <= MEDIA_KEYS_MAX);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    for (size_t i = 0; i < n; i++) {
        roost__media_key__init(&list[i]);
        list[i].number = to;
        list[i].data = (ProtobufCBinaryData){ len, bytes + (i & 63) };
        rows[i] = &list[i];
    }
    b.meeting = m->meeting;
    b.keys = rows;
    b.n_keys = n;
    return reply_code(ASK(v, MEDIA_KEYS, media_keys, &b));
}

static int report(struct visitor *v, const struct meets *m, uint32_t rtt_us, uint32_t left_ppm)
{
    Roost__MediaReport b = ROOST__MEDIA_REPORT__INIT;
    Roost__MediaFigures path = ROOST__MEDIA_FIGURES__INIT, voice = ROOST__MEDIA_FIGURES__INIT;
    Roost__MediaFigures *rows[] = { &path, &voice };

    path.rtt_us = rtt_us;
    path.why = FIGURES_LOSS;
    voice.stream = 1;
    voice.left_ppm = left_ppm;
    voice.codec = "opus 24 kbit/s";
    b.meeting = m->meeting;
    b.figures = rows;
    b.n_figures = 2;
    return reply_code(ASK(v, MEDIA_REPORT, media_report, &b));
}

static const Roost__MeetFigures *stats(struct visitor *v, const struct meets *m, int code)
{
    Roost__MeetStats b = ROOST__MEET_STATS__INIT;

    b.meeting = m->meeting;
    const Roost__Reply *r = ASK(v, MEET_STATS, meet_stats, &b);
    CHECK(reply_code(r) == code);
    return code ? NULL : r->meet_figures;
}

/* --- what was heard -------------------------------------------------------------------------- */

/* The last frame of that kind; NULL: none since visitor_forget. */
static const Roost__ToClient *heard(const struct visitor *v, Roost__ToClient__BodyCase what)
{
    for (size_t i = v->n_heard; i-- > 0;)
        if (v->heard[i].frame->body_case == what)
            return v->heard[i].frame;
    return NULL;
}

static const Roost__MediaRoster *roster(const struct visitor *v)
{
    const Roost__ToClient *f = heard(v, ROOST__TO_CLIENT__BODY_MEDIA_ROSTER);

    return f ? f->media_roster : NULL;
}

static const Roost__MediaRoster *the_roster(const struct visitor *v)
{
    const Roost__MediaRoster *r = roster(v);

    CHECK(r); /* starved */
    return r;
}

static const Roost__MediaStreams *streams(const struct visitor *v)
{
    const Roost__ToClient *f = heard(v, ROOST__TO_CLIENT__BODY_MEDIA_STREAMS);

    CHECK(f); /* starved */
    return f->media_streams;
}

static size_t count(const struct visitor *v, Roost__ToClient__BodyCase what)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_heard; i++)
        n += v->heard[i].frame->body_case == what;
    return n;
}

static int over(const struct visitor *v)
{
    const Roost__ToClient *f = heard(v, ROOST__TO_CLIENT__BODY_MEDIA_OVER);

    return f ? (int)f->media_over->error->code : -1;
}

/* The last that who forwards was told of this kind. */
static const struct hub_leg *told(const struct meets *m, int what, uint32_t id)
{
    const struct hall *h = &m->stage->hall;

    for (size_t i = h->n_legs; i-- > 0 && i + HALL_LEGS_MAX > h->n_legs;)
        if ((int)h->legs[i % HALL_LEGS_MAX].what == what && h->legs[i % HALL_LEGS_MAX].id == id)
            return &h->legs[i % HALL_LEGS_MAX];
    return NULL;
}

static const struct hub_leg *the_leg(const struct meets *m, int what, uint32_t id)
{
    const struct hub_leg *leg = told(m, what, id);

    CHECK(leg); /* starved */
    return leg;
}

static const Roost__MediaKey *heard_key(const struct visitor *v)
{
    const Roost__ToClient *f = heard(v, ROOST__TO_CLIENT__BODY_MEDIA_KEYS);

    CHECK(f && f->media_keys->n_keys == 1);
    return f->media_keys->keys[0];
}

static void end(struct meets *m, struct visitor *ann, struct visitor *bob)
{
    if (ann)
        visitor_free(ann);
    if (bob)
        visitor_free(bob);
    meets_end(m);
}

/* --- stories ------------------------------------------------------------------------------------
 */

static void all_are_told_who_is_there(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann"), *bob = comer(&m, "bob");

    struct place a = enter(ann, &m, 1), b = enter(bob, &m, 2);
    CHECK(a.number != b.number && the_leg(&m, LEG_ENTER, a.datagrams)->number == a.number);
    CHECK(a.datagrams % 4 == b.datagrams % 4); /* on one worker */
    CHECK(!roster(ann));                       /* changes are told together */
    stage_run(m.stage, 250000);
    CHECK(count(ann, ROOST__TO_CLIENT__BODY_MEDIA_ROSTER) == 1);
    const Roost__MediaRoster *r = roster(bob);
    CHECK(r && r->n_members == 2 && r->meeting == m.meeting && r->members[0]->number == a.number);
    CHECK(!strcmp(r->members[1]->name, "bob") && r->members[1]->identity.data[1] == 2);
    CHECK(!strcmp(r->members[1]->device_name, "laptop") && !r->members[1]->guest);
    CHECK(!roster(m.host)); /* is in, but not with media */
    uint32_t epoch = r->epoch;

    CHECK(leave(bob, &m) == 0 && leave(bob, &m) == ROOST_NOT_IN_MEETING);
    CHECK(told(&m, LEG_LEAVE, b.datagrams));
    stage_run(m.stage, 250000);
    CHECK(the_roster(ann)->n_members == 1 && the_roster(ann)->epoch > epoch);
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0); /* and so is who leaves the meeting */
    CHECK(told(&m, LEG_LEAVE, a.datagrams));
    end(&m, ann, bob);
}

static void only_who_is_in_takes_part(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = visitor_named(m.stage, "ann"), *bob = comer(&m, "bob");

    CHECK(reply_code(enter_reply(ann, &m, 1, 0, 0)) == ROOST_NO_SUCH_MEETING);
    CHECK(publish(bob, &m, VOICE, OPUS, NULL) == ROOST_NOT_IN_MEETING);
    CHECK(keys(bob, &m, 1, 1, 100) == ROOST_NOT_IN_MEETING);
    CHECK(report(bob, &m, 1, 1) == ROOST_NOT_IN_MEETING && want(bob, &m, 1, 0));
    enter(bob, &m, 2);
    CHECK(join_link(ann, &m) == 0);
    CHECK(reply_code(enter_reply(ann, &m, 2, 0, 0)) == ROOST_ALREADY); /* bob's identity */
    enter(ann, &m, 1);
    CHECK(act_on(m.host, &m, ACT(REMOVE), bob->account, "") == 0);
    CHECK(over(bob) == ROOST_NOT_IN_MEETING && over(ann) < 0);
    CHECK(act_on(m.host, &m, ACT(END), 0, "") == 0);
    CHECK(over(ann) == ROOST_MEET_ENDED);
    end(&m, ann, bob);
}

static void what_is_sent_is_told(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann"), *bob = comer(&m, "bob");
    struct place a = enter(ann, &m, 1);
    uint64_t voice = 0, camera = 0;

    CHECK(streams(ann)->whole && streams(ann)->n_streams == 0);
    CHECK(publish(ann, &m, VOICE, VP8, NULL) == ROOST_INVALID);
    CHECK(publish(ann, &m, VOICE, OPUS, &voice) == 0 && voice);
    CHECK(the_leg(&m, LEG_PUBLISH, a.datagrams)->kind == LEG_VOICE);
    CHECK(publish(ann, &m, VOICE, OPUS, NULL) == ROOST_ALREADY);
    enter(bob, &m, 2);
    CHECK(streams(bob)->whole && streams(bob)->n_streams == 1);
    CHECK(streams(bob)->streams[0]->number == a.number);
    CHECK(publish(ann, &m, CAMERA, VP8, &camera) == 0 && camera != voice);
    CHECK(!streams(bob)->whole && streams(bob)->streams[0]->stream == camera);
    CHECK(want(bob, &m, camera, 2) == 0 && want(bob, &m, 999, 2) == ROOST_INVALID);
    CHECK(unpublish(bob, &m, camera) == ROOST_INVALID && unpublish(ann, &m, camera) == 0);
    CHECK(streams(bob)->n_gone == 1 && streams(bob)->gone[0] == camera);
    CHECK(the_leg(&m, LEG_UNPUBLISH, a.datagrams)->stream == camera);
    end(&m, ann, bob);
}

static void mutes_are_enforced(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann"), *bob = comer(&m, "bob");
    struct place a = enter(ann, &m, 1);
    uint64_t voice = 0, camera = 0, screen = 0;

    enter(bob, &m, 2);
    CHECK(publish(ann, &m, VOICE, OPUS, &voice) == 0);
    CHECK(publish(ann, &m, CAMERA, VP8, &camera) == 0);
    CHECK(publish(ann, &m, SCREEN, VP8, &screen) == ROOST_NOT_ALLOWED); /* does not present */
    CHECK(!told(&m, LEG_MUTE, a.datagrams));
    CHECK(act_on(m.host, &m, ACT(LOCK_MICS), 0, "") == 0);
    CHECK(the_leg(&m, LEG_MUTE, a.datagrams)->muted &&
          the_leg(&m, LEG_MUTE, a.datagrams)->stream == voice);
    CHECK(streams(bob)->streams[0]->muted && streams(bob)->streams[0]->stream == voice);
    CHECK(act_on(ann, &m, ACT(SELF_UNMUTE), 0, "") == ROOST_NOT_ALLOWED);
    CHECK(the_leg(&m, LEG_MUTE, a.datagrams)->muted);
    CHECK(act_on(m.host, &m, ACT(UNLOCK_MICS), 0, "") == 0);
    CHECK(act_on(ann, &m, ACT(SELF_UNMUTE), 0, "") == 0);
    CHECK(!the_leg(&m, LEG_MUTE, a.datagrams)->muted);
    CHECK(act_on(m.host, &m, ACT(STOP_VIDEO), ann->account, "") == 0);
    CHECK(the_leg(&m, LEG_MUTE, a.datagrams)->muted &&
          the_leg(&m, LEG_MUTE, a.datagrams)->stream == camera);

    CHECK(act_on(ann, &m, ACT(START_SHARE), 0, "") == 0);
    CHECK(publish(ann, &m, SCREEN, VP8, &screen) == 0);
    CHECK(act_on(m.host, &m, ACT(TAKE_SHARE), 0, "") == 0);
    CHECK(the_leg(&m, LEG_MUTE, a.datagrams)->stream == screen);

    /* muted from the beginning, and silent for good as a viewer */
    CHECK(unpublish(ann, &m, voice) == 0);
    CHECK(act_on(m.host, &m, ACT(MUTE), ann->account, "") == 0);
    CHECK(publish(ann, &m, VOICE, OPUS, &voice) == 0);
    CHECK(the_leg(&m, LEG_PUBLISH, a.datagrams)->muted);
    CHECK(act_on(m.host, &m, ACT(MAKE_VIEWER), ann->account, "") == 0);
    CHECK(publish(ann, &m, VOICE, OPUS, NULL) == ROOST_NOT_ALLOWED);
    CHECK(unpublish(ann, &m, voice) == ROOST_INVALID); /* is gone already */
    CHECK(over(ann) < 0);
    end(&m, ann, bob);
}

static void a_lost_connection_is_not_leaving(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann"), *bob = comer(&m, "bob");
    struct place a = enter(ann, &m, 1), b = enter(bob, &m, 2);
    uint64_t voice = 0;

    CHECK(publish(ann, &m, VOICE, OPUS, &voice) == 0);
    stage_run(m.stage, SECONDS(1));
    uint32_t epoch = the_roster(bob)->epoch;
    hall_disconnect(&m.stage->hall, ann->conn, HUB_CLOSE_GONE);
    stage_run(m.stage, SECONDS(20));
    CHECK(the_roster(bob)->epoch == epoch && !told(&m, LEG_LEAVE, a.datagrams));
    CHECK(keys(bob, &m, a.number, 3, SHORT) == 0); /* they wait */

    visitor_connect(ann);
    CHECK(resume(ann, ann->token, 5) == 0 && join_by(ann, "", "", m.meeting) == 0);
    visitor_forget(ann);
    const Roost__Reply *r = enter_reply(ann, &m, 1, a.number, a.datagrams);
    CHECK(reply_code(r) == 0 && r->media_place->number == a.number);
    CHECK(r->media_place->datagrams->session == a.datagrams && !r->media_place->hub_key.len);
    CHECK(the_roster(ann)->epoch == epoch && streams(ann)->n_streams == 1);
    CHECK(count(ann, ROOST__TO_CLIENT__BODY_MEDIA_KEYS) == 3);
    CHECK(heard_key(ann)->number == b.number);
    CHECK(heard_key(ann)->data.data[0] == 2);

    hall_disconnect(&m.stage->hall, ann->conn, HUB_CLOSE_GONE);
    stage_run(m.stage, SECONDS(32));
    CHECK(told(&m, LEG_LEAVE, a.datagrams) && the_roster(bob)->n_members == 1);
    end(&m, ann, bob);
}

static void another_session_takes_over(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann");
    struct place a = enter(ann, &m, 1);

    /* the same device with another session of datagrams: its leg moves, on the same worker */
    const Roost__Reply *r = enter_reply(ann, &m, 1, a.number, 0);
    CHECK(reply_code(r) == 0 && r->media_place->number == a.number);
    uint32_t is = r->media_place->datagrams->session;
    CHECK(is != a.datagrams && is % 4 == a.datagrams % 4);
    CHECK(the_leg(&m, LEG_MOVE, a.datagrams)->to == is && !told(&m, LEG_LEAVE, a.datagrams));
    Roost__Datagrams b = ROOST__DATAGRAMS__INIT;
    r = ASK(ann, DATAGRAMS, datagrams, &b);
    CHECK(reply_code(r) == 0 && r->datagrams->session % 4 == is % 4);
    CHECK(the_leg(&m, LEG_MOVE, is)->to == r->datagrams->session);

    /* a program that begins anew is another device */
    is = r->datagrams->session;
    r = enter_reply(ann, &m, 1, 0, 0);
    CHECK(reply_code(r) == 0 && r->media_place->number != a.number && told(&m, LEG_LEAVE, is));
    end(&m, ann, NULL);
}

static void keys_are_carried(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann"), *bob = comer(&m, "bob");
    struct place a = enter(ann, &m, 1), b = enter(bob, &m, 2);

    CHECK(keys(ann, &m, b.number, 1, KEYRING_MESSAGE_MAX) == 0);
    const Roost__MediaKey *k = heard_key(bob);
    CHECK(k->number == a.number && k->data.len == KEYRING_MESSAGE_MAX);
    CHECK(keys(ann, &m, b.number, 1, KEYRING_MESSAGE_MAX + 1) == ROOST_INVALID);
    CHECK(keys(ann, &m, b.number, 1, 0) == ROOST_INVALID);
    CHECK(keys(ann, &m, b.number, MEDIA_KEYS_MAX + 1, SHORT) == ROOST_LIMIT);
    CHECK(keys(ann, &m, 77, 1, 1) == 0 && keys(ann, &m, a.number, 1, 1) == 0); /* to nobody */

    /* a flood is refused; what is too much for who is away ends its place, and nobody else's */
    int code = 0;
    for (int i = 0; i < MEDIA_KEYS_BURST / MEDIA_KEYS_MAX + 1 && !code; i++)
        code = keys(bob, &m, 77, MEDIA_KEYS_MAX, SHORT);
    CHECK(code == ROOST_TOO_FAST);
    hall_disconnect(&m.stage->hall, bob->conn, HUB_CLOSE_GONE);
    for (int i = 0; i < MEDIA_KEYS_WAITING / MEDIA_KEYS_MAX; i++)
        CHECK(keys(ann, &m, b.number, MEDIA_KEYS_MAX, SHORT) == 0);
    CHECK(!told(&m, LEG_LEAVE, b.datagrams));
    CHECK(keys(ann, &m, b.number, 1, 1) == 0 && told(&m, LEG_LEAVE, b.datagrams));
    CHECK(!told(&m, LEG_LEAVE, a.datagrams));
    end(&m, ann, bob);
}

static void figures_are_kept(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann");
    struct place a = enter(ann, &m, 1);

    CHECK(report(ann, &m, 10000, 100) == 0 && report(ann, &m, 30000, 300) == 0);
    struct hub_leg_word word = { .what = LEG_FIGURES,
                                 .meeting = m.meeting,
                                 .number = a.number,
                                 .n_figures = 1,
                                 .figures = { { .bits = 1234 } } };
    struct now now = { .mono_us = m.stage->now_us, .wall_ms = m.stage->now_us / 1000 };
    hub_on_leg(m.stage->hall.hub, &word, now);
    stats(ann, &m, ROOST_NOT_ALLOWED);
    const Roost__MeetFigures *f = stats(m.host, &m, 0);
    CHECK(f->n_devices == 1 && f->devices[0]->number == a.number && f->devices[0]->here);
    CHECK(f->devices[0]->n_figures == 2 && f->devices[0]->figures[0]->rtt_us == 30000);
    CHECK(!strcmp(f->devices[0]->figures[1]->codec, "opus 24 kbit/s"));
    CHECK(f->devices[0]->n_server == 1 && f->devices[0]->server[0]->bits == 1234);
    const Roost__MediaSummary *s = f->devices[0]->summary;
    CHECK(s->reports == 2 && s->rtt_us == 20000 && s->rtt_worst_us == 30000);
    CHECK(s->left_ppm == 200 && s->why == FIGURES_LOSS && s->why_permille == 1000);
    int code = 0;
    for (int i = 0; i < 5; i++)
        code = report(ann, &m, 1, 1);
    CHECK(code == ROOST_TOO_FAST);

    /* the summary outlives the device, the meeting, and the server */
    CHECK(act_on(ann, &m, ACT(LEAVE), 0, "") == 0);
    f = stats(m.host, &m, 0);
    CHECK(f->n_devices == 1 && !f->devices[0]->number && f->devices[0]->summary->left_ms);
    CHECK(act_on(m.host, &m, ACT(END), 0, "") == 0);
    CHECK(hall_crash(&m.stage->hall) == 0);
    visitor_connect(m.host);
    CHECK(login(m.host, "host", PASSWORD, 1) == 0);
    f = stats(m.host, &m, 0);
    CHECK(f->n_devices == 1 && f->devices[0]->summary->rtt_worst_us == 30000);
    CHECK(!strcmp(f->devices[0]->name, "ann") && !strcmp(f->devices[0]->device_name, "laptop"));
    end(&m, ann, NULL);
}

/* A server that is killed loses half a minute of them at most. */
static void figures_outlive_a_killed_server(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann");

    enter(ann, &m, 1);
    CHECK(report(ann, &m, 10000, 100) == 0);
    stage_run(m.stage, 33 * 1000000LL);
    CHECK(report(ann, &m, 50000, 100) == 0); /* too new */
    CHECK(hall_crash(&m.stage->hall) == 0);
    visitor_connect(m.host);
    CHECK(login(m.host, "host", PASSWORD, 1) == 0);
    const Roost__MeetFigures *f = stats(m.host, &m, 0);
    CHECK(f->n_devices == 1 && f->devices[0]->summary->rtt_worst_us == 10000);
    end(&m, ann, NULL);
}

static void who_speaks_is_told(void)
{
    struct meets m;
    begin(&m);
    struct visitor *ann = comer(&m, "ann");
    struct place a = enter(ann, &m, 1);
    struct hub_leg_word word = { .what = LEG_SPEAKER, .meeting = m.meeting, .number = a.number };
    struct now now = { .mono_us = m.stage->now_us, .wall_ms = m.stage->now_us / 1000 };

    hub_on_leg(m.stage->hall.hub, &word, now);
    CHECK(whoami(ann) == 0); /* so that it is pulled */
    const Roost__ToClient *f = heard(ann, ROOST__TO_CLIENT__BODY_MEDIA_SPEAKER);
    CHECK(f && f->media_speaker->number == a.number);
    end(&m, ann, NULL);
}

static void after_a_restart(void)
{
    struct meets m;
    begin(&m);
    struct place a = enter(m.host, &m, 1);
    uint64_t voice = 0, kept;

    CHECK(publish(m.host, &m, VOICE, OPUS, &voice) == 0);
    CHECK(unpublish(m.host, &m, voice) == 0 && publish(m.host, &m, VOICE, OPUS, &voice) == 0);
    stage_run(m.stage, SECONDS(1));
    uint32_t epoch = the_roster(m.host)->epoch;
    visitor_forget(m.host);
    meets_crash(&m);
    const Roost__Reply *r = enter_reply(m.host, &m, 1, a.number, a.datagrams);
    CHECK(reply_code(r) == 0 && r->media_place->number == a.number);
    CHECK(r->media_place->datagrams->session != a.datagrams);
    kept = voice;
    CHECK(publish(m.host, &m, VOICE, OPUS, &kept) == 0 && kept == voice);
    stage_run(m.stage, SECONDS(1));
    CHECK(the_roster(m.host)->epoch > epoch);
    end(&m, NULL, NULL);
}

static void unsealed_is_said(void)
{
    struct meets m = { .stage = stage() };
    Roost__MeetNew b = ROOST__MEET_NEW__INIT;

    m.host = visitor_named(m.stage, "host");
    b.sealed = ROOST__SWITCH__OFF;
    const Roost__Reply *r = ASK(m.host, MEET_NEW, meet_new, &b);
    CHECK(reply_code(r) == 0 && r->ticket->meeting->unsealed);
    m.meeting = r->ticket->meeting->room;
    CHECK(join_by(m.host, "", "", m.meeting) == 0 && head_of(&m)->unsealed);
    r = enter_reply(m.host, &m, 1, 0, 0);
    CHECK(reply_code(r) == 0 && !r->media_place->end_to_end && r->media_place->hub_key.len == 32);
    CHECK(leave(m.host, &m) == 0);

    struct meets sealed = m;
    CHECK(meet_new(m.host, &sealed, true) == 0);
    CHECK(join_by(m.host, "", "", sealed.meeting) == 0 && !head_of(&sealed)->unsealed);
    r = enter_reply(m.host, &sealed, 1, 0, 0);
    CHECK(reply_code(r) == 0 && r->media_place->end_to_end && !r->media_place->hub_key.len);
    meets_end(&m);
}

TEST_MAIN({ "all_are_told_who_is_there", all_are_told_who_is_there },
          { "only_who_is_in_takes_part", only_who_is_in_takes_part },
          { "what_is_sent_is_told", what_is_sent_is_told },
          { "mutes_are_enforced", mutes_are_enforced },
          { "a_lost_connection_is_not_leaving", a_lost_connection_is_not_leaving },
          { "another_session_takes_over", another_session_takes_over },
          { "keys_are_carried", keys_are_carried }, { "figures_are_kept", figures_are_kept },
          { "figures_outlive_a_killed_server", figures_outlive_a_killed_server },
          { "who_speaks_is_told", who_speaks_is_told }, { "after_a_restart", after_a_restart },
          { "unsealed_is_said", unsealed_is_said })
