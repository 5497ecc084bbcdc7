/* Any message, from anybody, in any order, into a live hub with its store.
 *
 * Connections 0 admin, 1 and 2 users, 3 a stranger. The input is a list of steps:
 *   head byte   low 2 bits the connection, the rest what:
 *     0..47     a frame: 2 bytes of length, then its body
 *     48..51    time goes on by 2^(next byte % 24) microseconds
 *     52..55    the connection goes (slow if the next byte is odd) and comes again
 *     56..59    the next batch fails or not (next byte odd or not)
 *     60        the server crashes; everybody connects again
 * Whatever comes out must be a frame that a client understands.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/hall.h"

enum { CONNS = 4, FUZZ_BYTES_MAX = 64 << 20 };

struct world {
    struct hall hall;
    uint64_t conn[CONNS], next_conn; /* 0: closed by the server */
    uint8_t token[CONNS][64];
    size_t token_len[CONNS];
    uint64_t id; /* of requests */
};

/* --- what comes out --- */

static void keep_token(void *arg, uint64_t conn, const Roost__ToClient *m)
{
    struct world *w = arg;

    if (m->body_case != ROOST__TO_CLIENT__BODY_REPLY ||
        m->reply->result_case != ROOST__REPLY__RESULT_SESSION)
        return;
    for (int i = 0; i < CONNS; i++)
        if (w->conn[i] == conn && m->reply->session->token.len <= sizeof w->token[i]) {
            w->token_len[i] = m->reply->session->token.len;
            memcpy(w->token[i], m->reply->session->token.data, w->token_len[i]);
        }
}

static void on_send(void *arg, uint64_t conn, struct blob *bytes)
{
    fuzz_hear(keep_token, arg, conn, bytes);
}

static void on_close(void *arg, uint64_t conn)
{
    struct world *w = arg;

    for (int i = 0; i < CONNS; i++)
        if (w->conn[i] == conn)
            w->conn[i] = 0;
}

/* --- what goes in --- */

static void connect(struct world *w, int i)
{
    struct hub_peer peer = { "192.0.2.1", "192.0.2.1", false };
    Roost__Hello hello = ROOST__HELLO__INIT;

    peer.address[8] = (char)('1' + i);
    w->conn[i] = ++w->next_conn;
    hall_connect(&w->hall, w->conn[i], &peer);
    hello.version_min = hello.version_max = 1;
    SEND(w, i, hello, HELLO, &hello);
}

static uint8_t device[CONNS][32] = { { 1 }, { 2 }, { 3 }, { 4 } };

static void sign_in(struct world *w, int i, char *name)
{
    Roost__SignUp up = ROOST__SIGN_UP__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;

    up.name = in.name = name;
    up.password = in.password = (char *)"correct horse";
    if (i == 0)
        up.invite = w->hall.first_admin;
    in.device = (ProtobufCBinaryData){ 32, device[i] };
    in.device_name = (char *)"fuzz";
    SEND(w, i, sign_up, SIGN_UP, &up);
    SEND(w, i, login, LOGIN, &in);
}

static void resume(struct world *w, int i)
{
    Roost__Resume m = ROOST__RESUME__INIT;

    connect(w, i);
    if (!w->token_len[i])
        return;
    m.token = (ProtobufCBinaryData){ w->token_len[i], w->token[i] };
    m.device = (ProtobufCBinaryData){ 32, device[i] };
    SEND(w, i, resume, RESUME, &m);
}

static void begin(struct world *w)
{
    static const struct hall_sink sink = { on_send, on_close, NULL };
    struct hall_sink mine = sink;
    struct hub_config config;
    char *users[] = { (char *)"ben" };

    memset(w, 0, sizeof *w);
    mine.arg = w;
    hub_config_default(&config);
    config.registration = REGISTRATION_OPEN;
    config.datagrams = config.files = config.files_away = config.file_paths = true;
    config.codes = config.relays = true;
    config.media_port = 5000;
    if (hall_open(&w->hall, &config, &mine, 1, 1000000) < 0)
        abort();
    for (int i = 0; i < CONNS; i++)
        connect(w, i);
    sign_in(w, 0, (char *)"admin");
    sign_in(w, 1, (char *)"anna");
    sign_in(w, 2, (char *)"ben");

    Roost__NewRoom room = ROOST__NEW_ROOM__INIT;
    room.name = (char *)"lobby";
    room.users = users;
    room.n_users = 1;
    SEND(w, 1, new_room, NEW_ROOM, &room);

    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Say say = ROOST__SAY__INIT;
    target.name = (char *)"#lobby";
    say.target = &target;
    say.text = (char *)"hello @ben";
    SEND(w, 1, say, SAY, &say);
}

static void end(struct world *w)
{
    struct hub_stats stats;

    hub_stats(w->hall.hub, &stats);
    assert(stats.bytes < FUZZ_BYTES_MAX);
    hall_close(&w->hall);
}

/* --- the steps --- */

static void crash(struct world *w)
{
    if (hall_crash(&w->hall) < 0)
        abort();
    for (int i = 0; i < CONNS; i++)
        resume(w, i);
}

static size_t step(struct world *w, const uint8_t *p, size_t len)
{
    int i = p[0] & 3, what = p[0] >> 2;

    if (what < 48) {
        size_t n = len < 3 ? 0 : (size_t)p[1] << 8 | p[2];
        size_t head = len < 3 ? len : 3;
        if (n > len - head)
            n = len - head;
        if (w->conn[i])
            hall_frame(&w->hall, w->conn[i], p + head, n);
        return head + n;
    }
    uint8_t arg = len > 1 ? p[1] : 0;
    if (what < 52) {
        hall_run(&w->hall, w->hall.now_us + (1 << arg % 24));
    } else if (what < 56) {
        if (w->conn[i])
            hall_disconnect(&w->hall, w->conn[i], arg & 1 ? HUB_CLOSE_SLOW : HUB_CLOSE_GONE);
        resume(w, i);
    } else if (what < 60) {
        w->hall.fail_ppm = arg & 1 ? 1000000 : 0;
    } else if (what == 60) {
        crash(w);
    }
    return len > 1 ? 2 : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world w; /* too large for a stack */
    size_t at = 0;

    begin(&w);
    while (at < len)
        at += step(&w, data + at, len - at);
    w.hall.fail_ppm = 0;
    hall_settle(&w.hall);
    end(&w);
    return 0;
}
