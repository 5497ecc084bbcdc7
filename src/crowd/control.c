#include <stdlib.h>
#include <string.h>

#include "crowd/crowd.h"
#include "seal/keyring.h"
#include "seal/tie.h"
#include "wire/msg.h"

static void send_request(struct person *p, Roost__ToServer *m, bool awaited)
{
    uint8_t id[16] = { 'c', (uint8_t)(p->index >> 8), (uint8_t)p->index };
    uint64_t n = ++p->asked;

    memcpy(id + 8, &n, sizeof n);
    memcpy(id + 3, p->seed, 5); /* another run's are others */
    m->id = (ProtobufCBinaryData){ sizeof id, id };
    if (awaited)
        p->awaited = n;
    struct blob *b = msg_encode(&m->base);
    if (!b || tls_send(&p->tls, b))
        person_fail(p, "sending", "the connection is full, or memory is");
}

/* Declares `m`, a request with its body. */
#define REQUEST(Type, type, TYPE) MSG_TO_SERVER(m, body, Type, TYPE, type)

/* --- one step after the other ----------------------------------------------------------------- */

static void say_hello(struct person *p)
{
    REQUEST(Hello, hello, HELLO);
    body.version_min = body.version_max = 1;
    body.program = "roost-crowd";
    send_request(p, &m, true);
}

static void be_guest(struct person *p)
{
    static const char *const names[] = {
        "Ada",  "Bert", "Cleo", "Dag",   "Edda", "Finn",  "Greta", "Hugo", "Ines", "Jan",
        "Kira", "Lars", "Mira", "Nils",  "Olga", "Paul",  "Quinn", "Rosa", "Sven", "Tess",
        "Ulla", "Vito", "Wim",  "Xenia", "Yann", "Zoe",   "Arne",  "Bela", "Cora", "Dora",
        "Emil", "Fee",  "Gero", "Hela",  "Ivo",  "Jette", "Kai",   "Lea",  "Max",  "Nora",
    };
    char name[32], code[64], secret[64];
    REQUEST(Guest, guest, GUEST);

    if (p->crowd->is.in_turn && p->index < sizeof names / sizeof *names)
        snprintf(name, sizeof name, "%s", names[p->index]);
    else
        snprintf(name, sizeof name, "Crowd %u", p->index + 1);
    pthread_mutex_lock(&p->crowd->lock);
    strcpy(code, p->crowd->is.code);
    strcpy(secret, p->crowd->is.secret);
    pthread_mutex_unlock(&p->crowd->lock);
    body.name = name;
    body.device = (ProtobufCBinaryData){ sizeof p->seed, p->seed };
    body.device_name = "crowd";
    body.code = code;
    body.secret = secret;
    body.host = !*code;
    send_request(p, &m, true);
}

static void make_meeting(struct person *p)
{
    REQUEST(MeetNew, meet_new, MEET_NEW);
    body.title = "A crowd";
    body.open = true;
    body.sealed = p->crowd->is.unsealed ? ROOST__SWITCH__OFF : ROOST__SWITCH__AS_IT_IS;
    send_request(p, &m, true);
}

static void join(struct person *p)
{
    char code[64], secret[64];
    REQUEST(MeetJoin, meet_join, MEET_JOIN);

    pthread_mutex_lock(&p->crowd->lock);
    strcpy(code, p->crowd->is.code);
    strcpy(secret, p->crowd->is.secret);
    pthread_mutex_unlock(&p->crowd->lock);
    body.code = code;
    body.secret = secret;
    send_request(p, &m, true);
}

static void enter(struct person *p)
{
    uint8_t identity[32];
    struct tie_self self;
    REQUEST(MediaEnter, media_enter, MEDIA_ENTER);

    if (tie_self_init(&self, 1, p->seed, p->random)) {
        person_fail(p, "an identity", "it cannot be made");
        return;
    }
    memcpy(identity, self.identity, sizeof identity);
    tie_self_fini(&self);
    body.meeting = p->crowd->meeting;
    body.identity = (ProtobufCBinaryData){ sizeof identity, identity };
    body.device_name = "crowd";
    send_request(p, &m, true);
}

static void publish(struct person *p)
{
    REQUEST(MediaPublish, media_publish, MEDIA_PUBLISH);
    body.meeting = p->crowd->meeting;
    body.kind = ROOST__MEDIA_KIND__MEDIA_VOICE;
    body.codec = ROOST__MEDIA_CODEC__CODEC_OPUS;
    send_request(p, &m, true);
}

static void publish_pictures(struct person *p)
{
    REQUEST(MediaPublish, media_publish, MEDIA_PUBLISH);
    body.meeting = p->crowd->meeting;
    body.kind = ROOST__MEDIA_KIND__MEDIA_CAMERA;
    body.codec = ROOST__MEDIA_CODEC__CODEC_VP8;
    send_request(p, &m, true);
}

static void want(struct person *p, uint64_t stream)
{
    REQUEST(MediaWant, media_want, MEDIA_WANT);
    body.meeting = p->crowd->meeting;
    body.stream = stream;
    send_request(p, &m, false);
}

void control_next(struct person *p)
{
    static void (*const does[])(struct person * p) = {
        [STEP_HELLO] = say_hello,
        [STEP_GUEST] = be_guest,
        [STEP_NEW] = make_meeting,
        [STEP_JOIN] = join,
        [STEP_ENTER] = enter,
        [STEP_PUBLISH] = publish,
        [STEP_CAMERA] = publish_pictures,
        [STEP_GONE] = NULL,
    };

    if (does[p->step])
        does[p->step](p);
}

void control_ping(struct person *p)
{
    REQUEST(Ping, ping, PING);
    send_request(p, &m, false);
}

bool control_keys(struct person *p)
{
    bool any = false;
    enum { AT_ONCE = 200 };
    uint8_t bytes[AT_ONCE][KEYRING_MESSAGE_MAX];
    Roost__MediaKey rows[AT_ONCE], *list[AT_ONCE];
    size_t len;

    for (bool more = p->voice != NULL; more;) {
        REQUEST(MediaKeys, media_keys, MEDIA_KEYS);
        body.keys = list;
        more = false;
        while (body.n_keys < AT_ONCE) {
            Roost__MediaKey *row = &rows[body.n_keys];
            roost__media_key__init(row);
            len = voice_next_keys(p->voice, &row->number, bytes[body.n_keys]);
            if (!len)
                break;
            row->data = (ProtobufCBinaryData){ len, bytes[body.n_keys] };
            list[body.n_keys++] = row;
        }
        body.meeting = p->crowd->meeting;
        more = body.n_keys == AT_ONCE;
        any |= body.n_keys > 0;
        if (body.n_keys)
            send_request(p, &m, false);
    }
    return any;
}

/* --- answers
 * -------------------------------------------------------------------------------------- */

static void on_ticket(struct person *p, const Roost__Ticket *t)
{
    struct crowd *c = p->crowd;

    if (p->step == STEP_NEW) {
        pthread_mutex_lock(&c->lock);
        snprintf(c->is.code, sizeof c->is.code, "%s", t->meeting->code);
        snprintf(c->is.secret, sizeof c->is.secret, "%s", t->secret);
        pthread_mutex_unlock(&c->lock);
        return;
    }
    c->meeting = t->meeting->room;
    if (t->you && t->you->state != ROOST__MEET_STATE__IN)
        person_fail(p, "joining", "the meeting has a lobby: open it");
}

static void on_place(struct person *p, const Roost__MediaPlace *place)
{
    struct voice_settings s = {
        .keys = { .meeting = place->meeting,
                  .number = place->number,
                  .seed = p->seed,
                  .random = p->random,
                  .hub = place->end_to_end || place->hub_key.len != 32 ? NULL
                                                                       : place->hub_key.data },
        .seed = p->index,
        .opens_each = p->crowd->is.verify || p->crowd->is.in_turn ? 0 : CROWD_OPENS,
        .heard = person_heard,
        .ctx = p,
    };

    p->number = place->number;
    if (voice_new(&p->voice, &s, p->group->now_us))
        person_fail(p, "keys", "out of memory");
    else if (person_open_flow(p, place->datagrams))
        person_fail(p, "datagrams", "no socket");
}

static enum step after(const struct person *p)
{
    switch (p->step) {
    case STEP_HELLO:
        return STEP_GUEST;
    case STEP_GUEST: /* the first makes the meeting, if there is none */
        return p->index == 0 && !p->crowd->meeting && !*p->crowd->is.code ? STEP_NEW : STEP_JOIN;
    case STEP_NEW:
        return STEP_JOIN;
    case STEP_JOIN:
        return STEP_ENTER;
    case STEP_ENTER:
        return p->index < p->crowd->is.speakers ? STEP_PUBLISH : STEP_IN;
    case STEP_PUBLISH:
        return p->crowd->is.video_kbit ? STEP_CAMERA : STEP_IN;
    default:
        return STEP_IN;
    }
}

static void on_published(struct person *p, uint64_t stream)
{
    bool camera = p->step == STEP_CAMERA;

    if (voice_publish(p->voice, p->group->now_us, camera, stream, camera ? MEDIA_VP8 : MEDIA_OPUS))
        person_fail(p, "keys", "out of memory");
    else if (!camera && p->crowd->is.in_turn &&
             crowd_sound(&p->sound, &p->n_sound, p->index, p->crowd->is.frame_ms))
        person_fail(p, "a voice", "no frame of it is so long, or there is no memory");
    p->speaks = true;
    p->shows |= camera;
}

static void on_reply(struct person *p, const Roost__Reply *r)
{
    uint64_t n = 0;

    if (r->id.len == 16)
        memcpy(&n, r->id.data + 8, sizeof n);
    if (r->result_case == ROOST__REPLY__RESULT_ERROR) {
        person_fail(p, "refused", r->error->text);
        return;
    }
    if (n != p->awaited || p->step == STEP_IN)
        return;
    if (r->result_case == ROOST__REPLY__RESULT_TICKET)
        on_ticket(p, r->ticket);
    else if (r->result_case == ROOST__REPLY__RESULT_MEDIA_PLACE)
        on_place(p, r->media_place);
    else if (r->result_case == ROOST__REPLY__RESULT_MEDIA_STREAM)
        on_published(p, r->media_stream->stream);
    if (p->step == STEP_GONE)
        return;
    p->step = after(p);
    if (p->step == STEP_IN)
        p->group->in++;
    control_next(p);
}

/* --- what is heard by the way
 * ---------------------------------------------------------------------- */

static void on_roster(struct person *p, const Roost__MediaRoster *r)
{
    struct roster_member *list = calloc(r->n_members + 1, sizeof *list);

    for (size_t i = 0; list && i < r->n_members; i++) {
        list[i].number = r->members[i]->number;
        if (r->members[i]->identity.len == ROSTER_IDENTITY)
            memcpy(list[i].identity, r->members[i]->identity.data, ROSTER_IDENTITY);
    }
    if (list && voice_on_roster(p->voice, p->group->now_us, r->epoch, list, r->n_members))
        person_fail(p, "the list", "it is none");
    free(list);
}

static void on_streams(struct person *p, const Roost__MediaStreams *s)
{
    if (s->whole)
        voice_on_none(p->voice);
    for (size_t i = 0; i < s->n_gone; i++)
        voice_on_gone(p->voice, s->gone[i]);
    for (size_t i = 0; i < s->n_streams; i++)
        if (s->streams[i]->number != p->number) {
            voice_on_stream(p->voice, p->group->now_us, s->streams[i]->stream,
                            s->streams[i]->number, (enum media_codec)s->streams[i]->codec,
                            s->streams[i]->muted);
            if (p->crowd->is.video_kbit && s->streams[i]->kind == ROOST__MEDIA_KIND__MEDIA_CAMERA)
                want(p, s->streams[i]->stream);
        }
}

void control_on_frame(struct person *p, const uint8_t *body, size_t len)
{
    struct arena mem = { 0 };
    int err;
    Roost__ToClient *f = msg_to_client_decode(&mem, body, len, &err);

    if (!f)
        person_fail(p, "the server", "it sent what is not this protocol");
    else if (f->body_case == ROOST__TO_CLIENT__BODY_REPLY)
        on_reply(p, f->reply);
    else if (f->body_case == ROOST__TO_CLIENT__BODY_MEDIA_ROSTER && p->voice)
        on_roster(p, f->media_roster);
    else if (f->body_case == ROOST__TO_CLIENT__BODY_MEDIA_STREAMS && p->voice)
        on_streams(p, f->media_streams);
    else if (f->body_case == ROOST__TO_CLIENT__BODY_MEDIA_OVER)
        person_fail(p, "media", f->media_over->error->text);
    else if (f->body_case == ROOST__TO_CLIENT__BODY_MEDIA_KEYS && p->voice)
        for (size_t i = 0; i < f->media_keys->n_keys; i++)
            voice_on_keys(p->voice, p->group->now_us, f->media_keys->keys[i]->number,
                          f->media_keys->keys[i]->data.data, f->media_keys->keys[i]->data.len);
    arena_fini(&mem);
}
