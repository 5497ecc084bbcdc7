/* guessing.c - a day of guessing codes, from a thousand addresses, against a hundred meetings.
 *
 *     guessing [SEED]
 *
 * Whoever guesses tries on whatever it is told, twelve times an hour from each address,
 * with bare codes that are drawn at random. Counted are the guesses that the hub looked
 * at, and those that were right. Meanwhile innocent people come from the same addresses:
 * by link they get in at any hour, and so does an account with the bare code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/dice.h"
#include "sim/hall.h"
#include "wire/frame.h"
#include "wire/msg.h"

enum { ADDRESSES = 1000, MEETINGS = 100, HOURS = 24, TRIES = 12, ALLOWED = 8000 };
#define HOUR_US 3600000000LL

struct meeting_is {
    char code[12], secret[40];
};

struct day {
    struct hall hall;
    struct dice dice;
    int64_t now_us;
    uint64_t n_conns, n_requests, awaited;
    uint8_t id[16];
    struct arena mem;
    Roost__Reply *reply;
    struct meeting_is meetings[MEETINGS];
    uint64_t guessers[ADDRESSES];
    uint64_t looked_at, stopped, found, innocent;
    int failed;
};

static void on_send(void *arg, uint64_t conn, struct blob *bytes)
{
    struct day *d = arg;
    struct arena mem;
    int err;

    if (conn != d->awaited || d->reply)
        return;
    arena_init(&mem, 0);
    Roost__ToClient *f = msg_to_client_decode(&mem, bytes->bytes + FRAME_HEAD,
                                              bytes->len - FRAME_HEAD, &err);
    if (f && f->body_case == ROOST__TO_CLIENT__BODY_REPLY && f->reply->id.len == 16 &&
        !memcmp(f->reply->id.data, d->id, 16)) {
        d->mem = mem;
        d->reply = f->reply;
    } else {
        arena_fini(&mem);
    }
}

static void on_close(void *arg, uint64_t conn)
{
    struct day *d = arg;

    (void)conn;
    d->failed++; /* nobody is thrown out here */
}

static int ask(struct day *d, uint64_t conn, Roost__ToServer *m)
{
    d->n_requests++;
    memcpy(d->id, &d->n_requests, sizeof d->n_requests);
    m->id = (ProtobufCBinaryData){ sizeof d->id, d->id };
    d->awaited = conn;
    if (d->reply)
        arena_fini(&d->mem);
    d->reply = NULL;
    struct blob *frame = msg_encode(&m->base);
    if (!frame)
        abort();
    hall_frame(&d->hall, conn, frame->bytes + FRAME_HEAD, frame->len - FRAME_HEAD);
    blob_unref(frame);
    hall_settle(&d->hall);
    return !d->reply                                             ? -1
           : d->reply->result_case == ROOST__REPLY__RESULT_ERROR ? (int)d->reply->error->code
                                                                 : 0;
}

#define ASK(d, conn, CASE, member, body)                                                           \
    ask(d, conn,                                                                                   \
        &(Roost__ToServer){ .base = PROTOBUF_C_MESSAGE_INIT(&roost__to_server__descriptor),        \
                            .body_case = ROOST__TO_SERVER__BODY_##CASE,                            \
                            .member = body })

static uint64_t connect_from(struct day *d, unsigned address)
{
    struct hub_peer peer = { .local = false };
    Roost__Hello hello = ROOST__HELLO__INIT;
    uint64_t conn = ++d->n_conns;

    snprintf(peer.address, sizeof peer.address, "10.1.%u.%u", address / 250, address % 250);
    strcpy(peer.source, peer.address);
    hall_connect(&d->hall, conn, &peer);
    hello.version_min = hello.version_max = 1;
    if (ASK(d, conn, HELLO, hello, &hello))
        d->failed++;
    return conn;
}

static void fail(struct day *d, const char *what, int code)
{
    printf("FAIL %s: %s\n", what, code < 0 ? "no answer" : err_name(code));
    d->failed++;
}

/* --- who is there --- */

static uint64_t account_from(struct day *d, unsigned address, const char *name)
{
    Roost__SignUp up = ROOST__SIGN_UP__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;
    uint8_t device[32] = { 1 };
    uint64_t conn = connect_from(d, address);

    up.name = in.name = (char *)name;
    up.password = in.password = "correct horse";
    ASK(d, conn, SIGN_UP, sign_up, &up);
    in.device = (ProtobufCBinaryData){ sizeof device, device };
    in.device_name = "day";
    int code = ASK(d, conn, LOGIN, login, &in);
    if (code)
        fail(d, "login", code);
    return conn;
}

static void begin_meetings(struct day *d)
{
    uint64_t host = account_from(d, 2000, "host");

    for (int i = 0; i < MEETINGS; i++) {
        Roost__MeetNew b = ROOST__MEET_NEW__INIT;
        b.open = true;
        b.starts_ms = (uint64_t)hall_now(&d->hall).wall_ms + 86400000; /* live all day */
        int code = ASK(d, host, MEET_NEW, meet_new, &b);
        if (code) {
            fail(d, "a meeting", code);
            continue;
        }
        strcpy(d->meetings[i].code, d->reply->ticket->meeting->code);
        strcpy(d->meetings[i].secret, d->reply->ticket->secret);
    }
}

static int come(struct day *d, uint64_t conn, const char *name, const char *code,
                const char *secret)
{
    Roost__Guest b = ROOST__GUEST__INIT;
    uint8_t device[32] = { 2 };

    memcpy(device + 1, &conn, sizeof conn);
    b.name = (char *)name;
    b.device = (ProtobufCBinaryData){ sizeof device, device };
    b.device_name = "day";
    b.code = (char *)code;
    b.secret = (char *)secret;
    return ASK(d, conn, GUEST, guest, &b);
}

static void guess(struct day *d, int address)
{
    char text[12];

    snprintf(text, sizeof text, "%06u", (unsigned)dice_below(&d->dice, 1000000));
    int code = come(d, d->guessers[address], "Mallory", text, "");
    d->looked_at += code == 0 || code == ROOST_NO_SUCH_MEETING;
    d->stopped += code == ROOST_GUESSES;
    if (code == 0) { /* found one: goes on as somebody else */
        d->found++;
        hall_disconnect(&d->hall, d->guessers[address], HUB_CLOSE_GONE);
        d->guessers[address] = connect_from(d, (unsigned)address);
    } else if (code != ROOST_NO_SUCH_MEETING && code != ROOST_GUESSES) {
        fail(d, "a guess", code);
    }
}

static void innocent_people_come(struct day *d, unsigned address, uint64_t account)
{
    const struct meeting_is *m = &d->meetings[dice_below(&d->dice, MEETINGS)];
    uint64_t conn = connect_from(d, address);
    Roost__MeetJoin b = ROOST__MEET_JOIN__INIT;
    int code = come(d, conn, "Zoe", m->code, m->secret);

    if (code)
        fail(d, "an innocent guest with the link", code);
    else
        d->innocent++;
    hall_disconnect(&d->hall, conn, HUB_CLOSE_GONE);
    b.code = (char *)m->code;
    code = ASK(d, account, MEET_JOIN, meet_join, &b);
    if (code)
        fail(d, "a signed-in user with the bare code", code);
}

/* --- the day --- */

static void open_day(struct day *d, uint64_t seed)
{
    struct hub_config config;
    struct hall_sink sink = { on_send, on_close, d };

    hub_config_default(&config);
    config.registration = REGISTRATION_OPEN;
    config.idle_ms = 1000000000000;
    d->dice.state = seed;
    d->now_us = 1000000;
    if (hall_open(&d->hall, &config, &sink, seed, d->now_us))
        abort();
    begin_meetings(d);
    for (int i = 0; i < ADDRESSES; i++)
        d->guessers[i] = connect_from(d, (unsigned)i);
}

static void live(struct day *d)
{
    uint64_t account = account_from(d, 7, "ann");

    for (int hour = 0; hour < HOURS; hour++) {
        for (int i = 0; i < TRIES; i++) {
            for (int a = 0; a < ADDRESSES; a++)
                guess(d, a);
            d->now_us += HOUR_US / TRIES;
            hall_run(&d->hall, d->now_us);
        }
        innocent_people_come(d, 7, account);
    }
}

int main(int argc, char **argv)
{
    static struct day d;
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;

    open_day(&d, seed);
    live(&d);
    double expected = (double)d.looked_at * MEETINGS / 1e6;
    printf("NOTE %llu guesses looked at, %llu stopped; %.2f finds expected, %llu found\n",
           (unsigned long long)d.looked_at, (unsigned long long)d.stopped, expected,
           (unsigned long long)d.found);
    if (d.looked_at > ALLOWED + d.found || d.looked_at < ALLOWED)
        d.failed++, printf("FAIL not %d guesses were looked at\n", ALLOWED);
    if (expected >= 1)
        d.failed++, printf("FAIL a day finds one or more\n");
    if (d.found > 6) /* of 0.8 expected: once in 100,000 runs */
        d.failed++, printf("FAIL more finds than chance has\n");
    if (d.innocent != HOURS)
        d.failed++, printf("FAIL innocent guests were kept out\n");
    if (!d.failed)
        printf("ok a day of guessing\n");
    if (d.reply)
        arena_fini(&d.mem);
    hall_close(&d.hall);
    return d.failed > 0;
}
