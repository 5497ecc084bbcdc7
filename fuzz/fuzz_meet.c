/* What is asked in meetings, by hosts, guests, who waits and who was sent away, in any
 * order, into a live hub with a meeting under way; crashes and lost connections too.
 *
 * Connections: 0 anna, host; 1 ben, in; 2 cora, waits; 3 a guest, in by the link; 4 a guest,
 * waits; 5 a stranger, from the same address as 4; 6 dora, with a room of her own; 7 an admin.
 * The input is a list of steps: a byte of which the low 3 bits are the connection, then what:
 *     0..7     a frame: 2 bytes of length, then its body
 *     8..15    MeetAct: action, on whom (a connection, or nobody), which text
 *     16..17   MeetJoin: how (code, link, number, wrong code)
 *     18       Guest: how, name        19       MeetNew: how
 *     20       MeetWho, MeetList, AdminMeetings, MeetReact, by the next byte
 *     21       a word in the chat      22       a note to whom
 *     23       reads or follows the chat from some number on
 *     24..25   time goes on by 2^(next byte % 38) microseconds
 *     26..27   the connection goes and comes again, with its session if the next byte is odd
 *     28       the next batches fail or not
 *     29       the server crashes; everybody connects again
 *     30..31   the connection comes again as another, a stranger
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/hall.h"

enum { CONNS = 8, FUZZ_BYTES_MAX = 64 << 20 };

struct world {
    struct hall hall;
    uint64_t conn[CONNS], next_conn; /* 0: closed by the server */
    uint64_t account[CONNS];
    uint8_t token[CONNS][64];
    size_t token_len[CONNS];
    uint64_t room, id; /* of the meeting; of requests */
    char code[16], secret[64];
};

/* --- what comes out --- */

static void note_reply(struct world *w, int i, const Roost__Reply *r)
{
    if (r->result_case == ROOST__REPLY__RESULT_SESSION &&
        r->session->token.len <= sizeof w->token[i]) {
        w->token_len[i] = r->session->token.len;
        memcpy(w->token[i], r->session->token.data, w->token_len[i]);
        w->account[i] = r->session->account;
    }
    if (r->result_case == ROOST__REPLY__RESULT_TICKET && r->ticket->meeting && !w->room) {
        w->room = r->ticket->meeting->room;
        strcpy(w->code, r->ticket->meeting->code);
        strcpy(w->secret, r->ticket->secret);
    }
}

static void keep_reply(void *arg, uint64_t conn, const Roost__ToClient *m)
{
    struct world *w = arg;

    for (int i = 0; i < CONNS; i++)
        if (w->conn[i] == conn && m->body_case == ROOST__TO_CLIENT__BODY_REPLY)
            note_reply(w, i, m->reply);
}

static void on_send(void *arg, uint64_t conn, struct blob *bytes)
{
    fuzz_hear(keep_reply, arg, conn, bytes);
}

static void on_close(void *arg, uint64_t conn)
{
    struct world *w = arg;

    for (int i = 0; i < CONNS; i++)
        if (w->conn[i] == conn)
            w->conn[i] = 0;
}

/* --- what goes in --- */

static uint8_t device[CONNS][32] = { { 1 }, { 2 }, { 3 }, { 4 }, { 5 }, { 6 }, { 7 }, { 8 } };
static char *const names[] = { (char *)"anna",   (char *)"Gerda", (char *)"cora",
                               (char *)"Anna 2", (char *)"",      (char *)"\xd0\xb0nna",
                               (char *)"ben",    (char *)"dora" };

static void connect(struct world *w, int i)
{
    struct hub_peer peer = { "192.0.2.1", "192.0.2.1", false };
    Roost__Hello hello = ROOST__HELLO__INIT;

    peer.address[8] = peer.source[8] = (char)('1' + (i == 5 ? 4 : i));
    w->conn[i] = ++w->next_conn;
    hall_connect(&w->hall, w->conn[i], &peer);
    hello.version_min = hello.version_max = 1;
    SEND(w, i, hello, HELLO, &hello);
}

static void resume(struct world *w, int i)
{
    Roost__Resume m = ROOST__RESUME__INIT;

    connect(w, i);
    m.token = (ProtobufCBinaryData){ w->token_len[i], w->token[i] };
    m.device = (ProtobufCBinaryData){ 32, device[i] };
    if (w->token_len[i])
        SEND(w, i, resume, RESUME, &m);
}

static void again(struct world *w, int i, bool same)
{
    if (w->conn[i])
        hall_disconnect(&w->hall, w->conn[i], HUB_CLOSE_GONE);
    if (!same)
        w->token_len[i] = 0;
    resume(w, i);
}

static void sign_in(struct world *w, int i, char *name)
{
    Roost__SignUp up = ROOST__SIGN_UP__INIT;
    Roost__Login in = ROOST__LOGIN__INIT;

    up.name = in.name = name;
    up.password = in.password = (char *)"correct horse";
    if (i == 7)
        up.invite = w->hall.first_admin;
    in.device = (ProtobufCBinaryData){ 32, device[i] };
    in.device_name = (char *)"fuzz";
    SEND(w, i, sign_up, SIGN_UP, &up);
    SEND(w, i, login, LOGIN, &in);
}

/* how: 0 code, 1 link, 2 wrong code, 3 wrong link; of join: 4 number */
static void guest(struct world *w, int i, unsigned how, char *name)
{
    Roost__Guest m = ROOST__GUEST__INIT;

    m.name = name;
    m.device = (ProtobufCBinaryData){ 32, device[i] };
    m.code = how == 2 ? (char *)"000000" : w->code;
    m.secret = how == 1 ? w->secret : how == 3 ? (char *)"aaaaaaaaaaaaaaaaaaaaaaaaaa" : (char *)"";
    m.host = how == 4;
    if (m.host)
        m.code = (char *)"";
    SEND(w, i, guest, GUEST, &m);
}

static void join(struct world *w, int i, unsigned how)
{
    Roost__MeetJoin m = ROOST__MEET_JOIN__INIT;

    m.code = how == 2 ? (char *)"000000" : w->code;
    m.secret = how == 1 ? w->secret : how == 3 ? (char *)"aaaaaaaaaaaaaaaaaaaaaaaaaa" : (char *)"";
    if (how >= 4) {
        m.code = (char *)"";
        m.meeting = w->room + how - 4;
    }
    SEND(w, i, meet_join, MEET_JOIN, &m);
}

static void act(struct world *w, int i, uint8_t action, uint8_t whom, uint8_t text)
{
    static char *const texts[] = { (char *)"", (char *)"Someone else", (char *)"Gerda",
                                   (char *)"a\nb" };
    Roost__MeetAct m = ROOST__MEET_ACT__INIT;

    m.meeting = whom & 64 ? 0 : w->room;
    m.code = whom & 64 ? w->code : (char *)"";
    m.action = (Roost__MeetAction)action;
    if (whom & 8)
        m.account = w->account[whom & 7];
    if (whom & 16)
        m.user = names[whom & 7];
    m.text = texts[text & 3];
    SEND(w, i, meet_act, MEET_ACT, &m);
}

static void meet_new(struct world *w, int i, uint8_t how)
{
    Roost__MeetNew m = ROOST__MEET_NEW__INIT;
    Roost__Target room = ROOST__TARGET__INIT;

    m.title = how & 1 ? (char *)"Lesson" : (char *)"";
    m.open = how & 2;
    m.forget_chat = how & 4;
    m.starts_ms = how & 8 ? 1800000000000 : 0;
    room.name = (char *)"#hall";
    if (how & 16)
        m.room = &room;
    if (how & 32) /* what is asked now is about this one */
        w->room = 0;
    SEND(w, i, meet_new, MEET_NEW, &m);
}

static void look(struct world *w, int i, uint8_t what)
{
    Roost__MeetWho who = ROOST__MEET_WHO__INIT;
    Roost__MeetList list = ROOST__MEET_LIST__INIT;
    Roost__AdminMeetings all = ROOST__ADMIN_MEETINGS__INIT;
    Roost__MeetReact react = ROOST__MEET_REACT__INIT;

    who.meeting = react.meeting = w->room;
    who.all = what & 4;
    who.after = what & 8 ? 1 : 0;
    react.emoji = what & 4 ? (char *)"\xf0\x9f\x91\x8d" : (char *)"";
    switch (what & 3) {
    case 0:
        SEND(w, i, meet_who, MEET_WHO, &who);
        break;
    case 1:
        SEND(w, i, meet_list, MEET_LIST, &list);
        break;
    case 2:
        SEND(w, i, admin_meetings, ADMIN_MEETINGS, &all);
        break;
    default:
        SEND(w, i, meet_react, MEET_REACT, &react);
    }
}

static void say(struct world *w, int i, uint8_t text)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Say m = ROOST__SAY__INIT;

    target.room = w->room;
    m.target = &target;
    m.text = text & 1 ? (char *)"hello @ben" : (char *)"hello";
    SEND(w, i, say, SAY, &m);
}

static void note(struct world *w, int i, uint8_t whom)
{
    Roost__MeetNote m = ROOST__MEET_NOTE__INIT;

    m.meeting = w->room;
    m.account = whom & 8 ? 0 : w->account[whom & 7];
    m.user = whom & 8 ? names[whom & 7] : (char *)"";
    m.text = whom & 16 ? (char *)"" : (char *)"between us";
    SEND(w, i, meet_note, MEET_NOTE, &m);
}

static void read_chat(struct world *w, int i, uint8_t from)
{
    Roost__Target target = ROOST__TARGET__INIT;
    Roost__Read r = ROOST__READ__INIT;
    Roost__Sync s = ROOST__SYNC__INIT;

    target.room = s.room = w->room;
    r.target = &target;
    r.after = s.after = from >> 1;
    r.limit = s.limit = 50;
    if (from & 1)
        SEND(w, i, read, READ, &r);
    else
        SEND(w, i, sync, SYNC, &s);
}

static void begin(struct world *w)
{
    struct hall_sink sink = { on_send, on_close, w };
    struct hub_config config;
    Roost__NewRoom room = ROOST__NEW_ROOM__INIT;

    memset(w, 0, sizeof *w);
    hub_config_default(&config);
    config.registration = REGISTRATION_OPEN;
    config.guests_may_host = true;
    if (hall_open(&w->hall, &config, &sink, 1, 1000000) < 0)
        abort();
    for (int i = 0; i < CONNS; i++)
        connect(w, i);
    sign_in(w, 7, (char *)"admin");
    sign_in(w, 0, (char *)"anna");
    sign_in(w, 1, (char *)"ben");
    sign_in(w, 2, (char *)"cora");
    sign_in(w, 6, (char *)"dora");
    room.name = (char *)"hall";
    SEND(w, 6, new_room, NEW_ROOM, &room);
    meet_new(w, 0, 1);
    join(w, 0, 4);
    guest(w, 3, 1, (char *)"Gerda");
    guest(w, 4, 0, (char *)"Gerda");
    for (int i = 1; i <= 4; i++)
        join(w, i, i == 3 ? 1 : 0);
    act(w, 0, ROOST__MEET_ACTION__ADMIT, 8 | 1, 0);
    act(w, 0, ROOST__MEET_ACTION__ADMIT, 8 | 3, 0);
    join(w, 1, 4);
    join(w, 3, 4);
}

/* --- the steps --- */

static size_t frame(struct world *w, int i, const uint8_t *p, size_t len)
{
    size_t n = len < 3 ? 0 : (size_t)p[1] << 8 | p[2], head = len < 3 ? len : 3;

    if (n > len - head)
        n = len - head;
    if (w->conn[i])
        hall_frame(&w->hall, w->conn[i], p + head, n);
    return head + n;
}

static size_t step(struct world *w, const uint8_t *p, size_t len)
{
    int i = p[0] & 7, what = p[0] >> 3;
    uint8_t a = len > 1 ? p[1] : 0, b = len > 2 ? p[2] : 0, c = len > 3 ? p[3] : 0;
    size_t used = 2;

    if (what < 8)
        return frame(w, i, p, len);
    if (what < 16) {
        act(w, i, a, b, c);
        used = 4;
    } else if (what < 18) {
        join(w, i, a % 6);
    } else if (what == 18) {
        guest(w, i, a % 5, names[a / 5 % 8]);
    } else if (what == 19) {
        meet_new(w, i, a);
    } else if (what == 20) {
        look(w, i, a);
    } else if (what == 21) {
        say(w, i, a);
    } else if (what == 22) {
        note(w, i, a);
    } else if (what == 23) {
        read_chat(w, i, a);
    } else if (what < 26) {
        hall_run(&w->hall, w->hall.now_us + (1LL << a % 38));
    } else if (what < 28 || what >= 30) {
        again(w, i, what < 28 && a & 1);
    } else if (what == 28) {
        w->hall.fail_ppm = a & 1 ? 1000000 : 0;
    } else {
        if (hall_crash(&w->hall) < 0)
            abort();
        for (int k = 0; k < CONNS; k++)
            resume(w, k);
    }
    return used < len ? used : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct world w; /* too large for a stack */
    struct hub_stats stats;

    begin(&w);
    for (size_t at = 0; at < len;)
        at += step(&w, data + at, len - at);
    w.hall.fail_ppm = 0;
    hall_settle(&w.hall);
    hub_stats(w.hall.hub, &stats);
    assert(stats.bytes < FUZZ_BYTES_MAX);
    hall_close(&w.hall);
    return 0;
}
