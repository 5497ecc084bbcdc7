#include "sim/roles/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/frame.h"

#define PASSWORD "correct horse"
enum { REQUEST_BYTES = 16 };

void play_break(struct play *p, const char *format, ...)
{
    va_list args;

    if (!p->broken++) {
        printf("  seed %llu step %zu: %s\n    ", (unsigned long long)p->seed, p->step, p->what);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        printf("\n");
    }
}

void play_tell(struct play *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->what, sizeof p->what, format, args);
    va_end(args);
    if (p->verbose)
        printf("%zu (%lld s) %s\n", p->step, (long long)(p->now_us / 1000000), p->what);
}

const char *play_source(int source)
{
    static const char *const sources[SOURCES] = { "192.0.2.1",    "192.0.2.2",   "198.51.100.3",
                                                  "198.51.100.4", "203.0.113.5", "203.0.113.6" };
    return sources[source];
}

/* --- what the hub sends --- */

static void on_send(void *arg, uint64_t conn, struct blob *bytes)
{
    struct play *p = arg;
    struct actor *a = p->by_conn[conn % CONNS_MAX];
    struct arena mem;
    int err;

    if (!a || a->conn != conn)
        return;
    arena_init(&mem, 0);
    Roost__ToClient *f = msg_to_client_decode(&mem, bytes->bytes + FRAME_HEAD,
                                              bytes->len - FRAME_HEAD, &err);
    if (!f)
        play_break(p, "a frame that cannot be read");
    else if (f->body_case == ROOST__TO_CLIENT__BODY_SESSION_OVER)
        a->over = true;
    else if (f->body_case == ROOST__TO_CLIENT__BODY_MEET_NOW) {
        a->told_state = (int)f->meet_now->you->state;
        a->told_of = f->meet_now->meeting;
    } else if (f->body_case == ROOST__TO_CLIENT__BODY_REPLY && f->reply->id.len == REQUEST_BYTES &&
               !memcmp(f->reply->id.data, p->id, REQUEST_BYTES) && !p->reply) {
        p->mem = mem;
        p->reply = f->reply;
        return;
    }
    arena_fini(&mem);
}

static void on_depot(void *arg, const struct hub_depot *order)
{
    files_on_order(arg, order);
}

static void on_close(void *arg, uint64_t conn)
{
    struct play *p = arg;
    struct actor *a = p->by_conn[conn % CONNS_MAX];

    if (a && a->conn == conn) {
        a->conn = 0;
        p->by_conn[conn % CONNS_MAX] = NULL;
    }
}

int play_ask(struct play *p, struct actor *a, Roost__ToServer *m)
{
    p->n_requests++;
    memset(p->id, 0, sizeof p->id);
    memcpy(p->id, &p->n_requests, sizeof p->n_requests);
    m->id = (ProtobufCBinaryData){ sizeof p->id, p->id };
    if (p->reply)
        arena_fini(&p->mem);
    p->reply = NULL;
    struct blob *frame = msg_encode(&m->base);
    if (!frame)
        abort();
    hall_frame(&p->hall, a->conn, frame->bytes + FRAME_HEAD, frame->len - FRAME_HEAD);
    blob_unref(frame);
    hall_settle(&p->hall);
    if (!p->reply)
        return -1;
    return p->reply->result_case == ROOST__REPLY__RESULT_ERROR ? (int)p->reply->error->code : 0;
}

void play_time(struct play *p, int64_t ms)
{
    p->now_us += ms * 1000;
    hall_run(&p->hall, p->now_us);
    hall_settle(&p->hall);
    m_time(&p->model, hall_now(&p->hall).wall_ms);
}

/* --- coming and going --- */

void play_connect(struct play *p, struct actor *a)
{
    struct hub_peer peer = { .local = false };
    Roost__Hello hello = ROOST__HELLO__INIT;

    strcpy(peer.address, play_source(a->source));
    strcpy(peer.source, play_source(a->source));
    a->conn = ++p->n_conns;
    a->attached = 0;
    a->over = false;
    p->by_conn[a->conn % CONNS_MAX] = a;
    hall_connect(&p->hall, a->conn, &peer);
    hello.version_min = hello.version_max = 1;
    if (ASK(p, a, HELLO, hello, &hello))
        play_break(p, "no welcome");
}

void play_drop(struct play *p, struct actor *a)
{
    if (a->conn) {
        p->by_conn[a->conn % CONNS_MAX] = NULL;
        hall_disconnect(&p->hall, a->conn, HUB_CLOSE_GONE);
        hall_settle(&p->hall);
    }
    a->conn = 0;
    a->on = false;
    if (a->attached)
        m_lost(&p->model, m_meet(&p->model, a->attached), a->id);
    a->attached = 0;
}

void play_resume(struct play *p, struct actor *a)
{
    Roost__Resume resume = ROOST__RESUME__INIT;
    uint8_t device[32] = { (uint8_t)(a->device + 1) };

    play_connect(p, a);
    resume.token = (ProtobufCBinaryData){ 32, a->token };
    resume.device = (ProtobufCBinaryData){ 32, device };
    int code = ASK(p, a, RESUME, resume, &resume);
    if (code) {
        play_break(p, "%s cannot resume: %s", a->name, err_name(code));
        return;
    }
    memcpy(a->token, p->reply->session->token.data, 32);
    a->on = true;
}

void play_restart(struct play *p)
{
    for (int i = 0; i < ACTORS; i++) {
        struct actor *a = &p->actors[i];
        if (a->conn)
            p->by_conn[a->conn % CONNS_MAX] = NULL;
        a->conn = a->attached = 0;
        a->on = false;
    }
    p->n_trips = 0; /* they go with it */
    if (hall_crash(&p->hall))
        abort();
    m_restarted(&p->model);
    play_resume(p, &p->actors[0]);
}

static void register_account(struct play *p, struct actor *a, int i)
{
    static const char *const names[ACCOUNTS] = { "warden", "Root", "Mod",  "Ann", "Bob",
                                                 "Carl",   "Dora", "Emil", "Fay" };
    Roost__SignUp up = ROOST__SIGN_UP__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;
    uint8_t device[32] = { (uint8_t)(a->device + 1) };

    strcpy(a->name, names[i]);
    play_connect(p, a);
    up.name = a->name;
    up.password = PASSWORD;
    up.invite = i == 0 ? p->hall.first_admin : "";
    int code = ASK(p, a, SIGN_UP, sign_up, &up);
    in.name = a->name;
    in.password = PASSWORD;
    in.device = (ProtobufCBinaryData){ 32, device };
    in.device_name = "sim";
    if (!code)
        code = ASK(p, a, LOGIN, login, &in);
    if (code) {
        printf("FAIL %s cannot log in: %s\n", a->name, err_name(code));
        exit(1);
    }
    a->id = p->reply->session->account;
    memcpy(a->token, p->reply->session->token.data, 32);
    a->on = true;
    struct m_person *x = &p->model.people[p->model.n_people++];
    *x = (struct m_person){ .id = a->id, .role = p->reply->session->role };
    strcpy(x->name, a->name);
}

static void give_role(struct play *p, int i, Roost__Role role)
{
    Roost__AdminRole b = ROOST__ADMIN_ROLE__INIT;

    b.user = p->actors[i].name;
    b.role = role;
    if (ASK(p, &p->actors[0], ADMIN_ROLE, admin_role, &b))
        play_break(p, "the first admin cannot give roles");
    p->model.people[i].role = role;
}

void play_init(struct play *p, uint64_t seed, bool verbose)
{
    struct hub_config config;
    struct hall_sink sink = { on_send, on_close, p, on_depot };

    memset(p, 0, sizeof *p);
    p->seed = seed;
    p->verbose = verbose;
    p->dice.state = seed;
    p->now_us = 1000000;
    hub_config_default(&config);
    config.registration = REGISTRATION_OPEN;
    config.idle_ms = 1000000000000; /* nobody pings here */
    config.broadcast = (enum hub_broadcast)dice_below(&p->dice, 3);
    p->model.broadcast = config.broadcast;
    config.files = config.files_away = true;
    p->model.file_max = config.file_max = 1800;
    p->model.quota_user = config.file_quota_user = 2600;
    p->model.quota_room = config.file_quota_room = 3400;
    if (hall_open(&p->hall, &config, &sink, seed, p->now_us))
        abort();
    play_time(p, 1000);
    for (int i = 0; i < ACCOUNTS; i++) {
        p->actors[i].device = i < ACCOUNTS - 1 ? i : 4; /* two share one */
        p->actors[i].source = i % SOURCES;
        register_account(p, &p->actors[i], i);
    }
    for (int i = ACCOUNTS; i < ACTORS; i++)
        p->actors[i].guest = true;
    give_role(p, 1, ROOST__ROLE__ADMIN);
    give_role(p, 2, ROOST__ROLE__MODERATOR);
}

void play_fini(struct play *p)
{
    if (p->reply)
        arena_fini(&p->mem);
    hall_close(&p->hall);
    m_free(&p->model);
}
