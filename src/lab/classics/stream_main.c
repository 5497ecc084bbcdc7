/* lab stream: sends a media file in datagrams of random size, at a rate; or takes one, and plays
 * it while it comes. stream.h has the protocol. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "lab/classics/desk.h"
#include "lab/classics/player.h"
#include "lab/classics/progress.h"
#include "lab/classics/stream.h"
#include "lab/classics/sum_file.h"

/* PIECES_A_TURN: then it is looked at what came. FEED_BYTES: to the player at once. */
enum { PIECES_A_TURN = 64, FEED_BYTES = 65536 };
#define RATE_DEFAULT   20000000ULL /* bits a second */
#define PLAYER_LOOK_US 50000

static void say(struct desk *d, size_t peer, const struct stream_message *m)
{
    uint8_t bytes[STREAM_DATAGRAM_MOST];

    desk_send(d, peer, bytes, stream_encode(m, bytes));
}

/* --- the server --------------------------------------------------------------------------------
 */

struct server {
    struct desk d; /* the first: forget gets it */
    int fd;
    const char *name;
    uint64_t size, rate;
    uint8_t hash[STREAM_HASH];
    struct dice dice;
};

static void tell(struct server *s, size_t peer, const char *event, const char *words)
{
    const struct stream_out *o = s->d.peers[peer].mine;
    char who[ADDRESS_TEXT_MAX];
    struct json j;

    desk_name(&s->d, peer, who);
    if (s->d.c->json) {
        desk_json(&s->d, &j, event);
        json_str(&j, "peer", who);
        json_u64(&j, "bytes", o->at);
        json_u64(&j, "datagrams", o->number);
        json_u64(&j, "repeated", o->repaired);
        desk_json_end(&s->d, &j);
    } else {
        desk_note(&s->d, "%s %s: %u datagrams, %u of them again", who, words, o->number,
                  o->repaired);
    }
}

static void forget(struct desk *d, size_t peer)
{
    struct stream_out *o = d->peers[peer].mine;

    if (o->session)
        tell((struct server *)d, peer, "left", "has left");
    stream_out_fini(o);
    free(o);
}

static void hear(struct server *s, const struct desk_event *e)
{
    struct desk_peer *p = &s->d.peers[e->peer];
    struct stream_out *o = p->mine;

    if (!o && !(o = p->mine = calloc(1, sizeof *o)))
        return;
    if (!o->rate)
        stream_out_init(o, s->size, s->rate);
    stream_out_hear(o, e->bytes, e->len, sleep_now_us());
    if (!o->session || o->over) /* nonsense, or goodbye */
        desk_drop(&s->d, e->peer);
}

static void send_some(struct server *s, size_t peer)
{
    struct stream_out *o = s->d.peers[peer].mine;
    uint8_t bytes[STREAM_DATAGRAM_MOST];
    struct stream_message m;
    bool ended = o->ended;

    for (int i = 0; i < PIECES_A_TURN && stream_out_next(o, sleep_now_us(), &s->dice, &m); i++) {
        snprintf(m.name, sizeof m.name, "%s", s->name);
        memcpy(m.hash, s->hash, sizeof m.hash);
        m.bytes = bytes;
        if (m.kind == STREAM_PIECE && pread(s->fd, bytes, m.len, (off_t)m.at) != (ssize_t)m.len)
            o->over = true; /* the file became shorter */
        else
            say(&s->d, peer, &m);
    }
    if (o->ended && !ended)
        tell(s, peer, "sent", "has been sent all");
    if (o->over)
        desk_drop(&s->d, peer);
}

static int64_t send_all(struct server *s)
{
    int64_t at = INT64_MAX;

    for (size_t i = 0; i < s->d.n_peers; i++) {
        if (!s->d.peers[i].used || !s->d.peers[i].mine)
            continue;
        send_some(s, i);
        const struct stream_out *o = s->d.peers[i].mine;
        int64_t due = s->d.peers[i].used && o ? stream_out_deadline_us(o) : INT64_MAX;
        at = due < at ? due : at;
    }
    return at;
}

static int serve(struct server *s)
{
    struct desk_event e;

    for (;;) {
        while (desk_next(&s->d, &e)) {
            if (e.kind == DESK_STOP)
                return CLI_OK;
            if (e.kind == DESK_MESSAGE)
                hear(s, &e);
        }
        desk_sleep(&s->d, send_all(s));
    }
}

/* "20M", "800k", "1000000": bits a second. */
static bool read_rate(const char *text, uint64_t *ret)
{
    char digits[16];
    size_t len = strlen(text);
    unsigned long long n, times = 1;

    if (!len || len >= sizeof digits)
        return false;
    memcpy(digits, text, len + 1);
    if (digits[len - 1] == 'k' || digits[len - 1] == 'M')
        times = digits[len - 1] == 'k' ? 1000 : 1000000;
    if (times > 1)
        digits[len - 1] = 0;
    if (!args_number(digits, 1, 10000000000ULL, &n))
        return false;
    *ret = n * times;
    return *ret >= 8000 && *ret <= 10000000000ULL;
}

static int run_server(struct server *s, struct cli *c, const struct cli_args *a,
                      const struct desk_plan *plan)
{
    const char *rate = args_value(a, "rate");
    uint64_t bits = RATE_DEFAULT;
    struct stat st;

    if (a->n_words != 1)
        return cli_usage(c, "it is not said which file is sent",
                         "roost lab stream --serve film.mkv");
    if (rate && !read_rate(rate, &bits))
        return cli_usage(c, "--rate takes bits a second, 8k to 10000M", "--rate 20M");
    s->rate = bits / 8;
    s->name = strrchr(a->words[0], '/') ? strrchr(a->words[0], '/') + 1 : a->words[0];
    s->fd = open(a->words[0], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (s->fd < 0 || fstat(s->fd, &st))
        return cli_fail(c, CLI_REFUSED, strerror(errno), "name a file that can be read");
    if (!S_ISREG(st.st_mode) || strlen(s->name) > STREAM_NAME_MAX)
        return cli_fail(c, CLI_REFUSED, "that is no file", "name a media file");
    s->size = (uint64_t)st.st_size;
    if (sum_file(s->fd, s->hash))
        return cli_fail(c, CLI_REFUSED, strerror(errno), "name a file that can be read");
    int status = desk_open(&s->d, c, a, plan);
    s->dice.state = s->d.dice.state;
    return status ? status : serve(s);
}

/* --- the client ---------------------------------------------------------------------------------
 */

struct client {
    struct desk *d;
    struct stream_in in;
    struct player player;
    const char *command; /* of the player, or NULL */
    const char *file;    /* or NULL: it is not kept */
    int fd;              /* what came, in its place */
    uint64_t fed;        /* to the player */
    bool player_waits;   /* its pipe is full */
    bool stop;
    struct progress progress;
};

static int fail_file(struct client *k)
{
    return desk_fail(k->d, CLI_REFUSED, "make room, or choose another place", "%s: %s",
                     k->file ? k->file : "a file for what comes", strerror(errno));
}

static int open_store(struct client *k)
{
    char name[] = "/tmp/roost-stream-XXXXXX";

    k->fd = k->file ? open(k->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                    : mkostemp(name, O_CLOEXEC);
    if (k->fd >= 0 && !k->file)
        unlink(name);
    return k->fd < 0 ? fail_file(k) : 0;
}

static void watch_player(struct client *k, bool waits)
{
    if (waits != k->player_waits)
        sleep_set(&k->d->sleep, k->player.fd, waits ? SLEEP_WRITE : 0, DESK_ID_MINE);
    k->player_waits = waits;
}

/* It starts with the first byte. */
static int start_player(struct client *k)
{
    struct json j;

    if (player_start(&k->player, k->command))
        return desk_fail(k->d, CLI_REFUSED, "leave --player out, and keep it with -o FILE", "%s",
                         strerror(errno));
    sleep_add(&k->d->sleep, k->player.fd, 0, DESK_ID_MINE);
    if (k->d->c->json) {
        desk_json(k->d, &j, "playing");
        json_str(&j, "player", k->command);
        json_u64(&j, "bytes", k->in.got);
        json_u64(&j, "total", k->in.size);
        desk_json_end(k->d, &j);
    }
    return 0;
}

static void end_input(struct client *k)
{
    if (k->player.fd >= 0)
        sleep_remove(&k->d->sleep, k->player.fd);
    player_end_input(&k->player);
}

/* What can be played goes to the player, as far as it takes it. */
static int feed(struct client *k)
{
    uint8_t bytes[FEED_BYTES];
    uint64_t ready = stream_in_ready(&k->in);
    bool full = false;

    if (k->command && !k->player.pid && !k->fed && ready) {
        int status = start_player(k);
        if (status)
            return status;
    }
    while (k->player.fd >= 0 && k->fed < ready && !full) {
        size_t want = ready - k->fed < sizeof bytes ? (size_t)(ready - k->fed) : sizeof bytes;
        ssize_t got = pread(k->fd, bytes, want, (off_t)k->fed); /* holes are zeros */
        ssize_t n = got > 0 ? player_feed(&k->player, bytes, (size_t)got) : -ROOST_CLOSED;
        full = n >= 0 && n < got;
        if (n < 0)
            end_input(k); /* it was closed: the rest is only kept */
        else
            k->fed += (uint64_t)n;
    }
    if (k->player.fd >= 0)
        watch_player(k, full);
    return 0;
}

static int store(struct client *k, const struct stream_message *m)
{
    if (pwrite(k->fd, m->bytes, m->len, (off_t)m->at) != (ssize_t)m->len)
        return fail_file(k);
    k->progress.total = k->in.size;
    progress_show(&k->progress, k->d, k->in.got);
    return 0;
}

static int on_event(struct client *k, const struct desk_event *e)
{
    struct stream_message m;

    if (e->kind == DESK_STOP)
        k->stop = true;
    else if (e->kind == DESK_GONE)
        return desk_fail_gone(k->d, e);
    else if (e->kind == DESK_MESSAGE &&
             stream_in_hear(&k->in, e->bytes, e->len, sleep_now_us(), &m))
        return store(k, &m);
    return 0;
}

static int take(struct client *k)
{
    struct stream_message m;
    struct desk_event e;
    int status = 0;

    while (!status && !k->stop && k->in.state < STREAM_OVER) {
        while (!status && desk_next(k->d, &e))
            status = on_event(k, &e);
        while (!status && stream_in_next(&k->in, sleep_now_us(), &m))
            say(k->d, 0, &m);
        if (!status)
            status = feed(k);
        if (k->command && !k->file && k->fed && player_is_over(&k->player))
            k->stop = true; /* nobody watches, and nothing is kept */
        if (!status && !k->stop && k->in.state < STREAM_OVER)
            desk_sleep(k->d, stream_in_deadline_us(&k->in));
    }
    stream_in_bye(&k->in, &m);
    for (int i = 0; i < 3; i++) /* one of them will arrive; else the server sees the silence */
        say(k->d, 0, &m);
    progress_clear(&k->progress, k->d);
    return status;
}

/* The rest of the film. */
static void play_on(struct client *k)
{
    struct desk_event e;

    while (k->player.pid && !k->stop && !player_is_over(&k->player)) {
        while (desk_next(k->d, &e))
            k->stop |= e.kind == DESK_STOP;
        if (feed(k))
            return;
        if (k->fed == stream_in_ready(&k->in))
            end_input(k);
        desk_sleep(k->d, sleep_now_us() + PLAYER_LOOK_US);
    }
}

static bool is_whole(const struct client *k)
{
    uint8_t hash[STREAM_HASH];

    return k->in.state == STREAM_OVER && !k->in.given_up && !ftruncate(k->fd, (off_t)k->in.size) &&
           !sum_file(k->fd, hash) && !memcmp(hash, k->in.hash, sizeof hash);
}

static void tell_received(struct client *k, bool whole)
{
    double seconds = progress_seconds(&k->progress);
    struct buf b = { 0 };
    struct json j;

    if (k->d->c->json) {
        desk_json(k->d, &j, "received");
        json_str(&j, "file", k->in.name);
        json_u64(&j, "bytes", k->in.got);
        json_u64(&j, "total", k->in.size);
        json_bool(&j, "whole", whole);
        json_fixed(&j, "seconds", seconds);
        json_u64(&j, "datagrams", k->in.pieces);
        json_u64(&j, "lost", stream_in_lost(&k->in));
        json_u64(&j, "twice", k->in.twice);
        json_u64(&j, "missing_bytes", k->in.size - k->in.got);
        desk_json_end(k->d, &j);
        return;
    }
    amount_bytes(&b, (double)k->in.got);
    desk_note(k->d, "%s: %s in %.2f s, %llu datagrams, %llu lost%s", k->in.name, buf_str(&b),
              seconds, (unsigned long long)k->in.pieces, (unsigned long long)stream_in_lost(&k->in),
              whole           ? k->in.asked_again ? ", all repaired; whole" : "; whole"
              : k->in.repairs ? "; not whole"
                              : "; with holes");
    buf_fini(&b);
}

static int finish(struct client *k)
{
    if (k->stop)
        return desk_fail(k->d, CLI_REFUSED, "", "stopped");
    if (k->in.state == STREAM_LOST && !k->in.size && !k->in.got)
        return desk_fail_gone(k->d, &(struct desk_event){ .err = -ROOST_IO });
    bool whole = is_whole(k);
    tell_received(k, whole);
    if (k->in.state == STREAM_LOST)
        return desk_fail_gone(k->d, &(struct desk_event){ .err = -ROOST_TIMEOUT });
    if (k->in.repairs && !whole)
        return desk_fail(k->d, CLI_REFUSED, "get it again", "what came is not what was sent");
    play_on(k);
    return CLI_OK;
}

static int run_client(struct client *k)
{
    uint32_t session = 0;
    int status = open_store(k);

    while (!session && getrandom(&session, sizeof session, 0) == sizeof session)
        continue;
    stream_in_init(&k->in, session, args_has(k->d->args, "reliable"), sleep_now_us());
    progress_begin(&k->progress, PROGRESS_UNKNOWN);
    if (!status)
        status = take(k);
    if (!status)
        status = finish(k);
    player_stop(&k->player);
    stream_in_fini(&k->in);
    if (k->fd >= 0)
        close(k->fd);
    return status;
}

static int begin_client(struct desk *d, struct cli *c, const struct cli_args *a,
                        const struct desk_plan *plan)
{
    struct client k = { .d = d, .fd = -1, .player = { .fd = -1 } };

    k.file = args_value(a, "output");
    k.command = args_value(a, "player");
    if (!k.command && !k.file && !(k.command = player_default()))
        return cli_usage(c, "there is neither mpv nor ffplay here",
                         "--player 'COMMAND' plays by another one, -o FILE keeps it");
    int status = desk_open(d, c, a, plan);
    return status ? status : run_client(&k);
}

CLI_RUN(cmd_lab_stream)
{
    static const struct desk_plan serving = {
        false, true, false, false, CUT_LINES, stream_describe, forget,
    };
    static const struct desk_plan taking = {
        false, true, false, false, CUT_LINES, stream_describe, NULL,
    };
    struct server *s = calloc(1, sizeof *s);
    int status = CLI_REFUSED;

    if (!s)
        return status;
    s->fd = -1;
    if (args_has(a, "serve"))
        status = run_server(s, c, a, &serving);
    else if (a->n_words)
        status = cli_usage(c, "the file is named where it is sent",
                           "-o FILE says where it is stored");
    else
        status = begin_client(&s->d, c, a, &taking);
    desk_close(&s->d);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
    return status;
}
