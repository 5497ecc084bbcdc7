#include "lab/classics/desk.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"

/* What sleep_until tells, besides sockets. */
enum { ID_SIGNAL, ID_KEYS };
enum { FLUSH_LOOK_US = 5000 };
/* Datagrams in a turn; then it is looked at the time again. */
enum { DATAGRAMS_A_TURN = 256 };

/* --- options ------------------------------------------------------------------------- */

static int take_protocol(struct desk *d)
{
    bool tcp = args_has(d->args, "tcp"), udp = args_has(d->args, "udp");

    if (tcp && udp)
        return cli_usage(d->c, "--tcp and --udp exclude each other", "choose one of them");
    d->is_udp = udp || (!tcp && !d->plan.tcp);
    return 0;
}

static int take_address(struct desk *d)
{
    const char *to = args_value(d->args, "to"), *listen = args_value(d->args, "listen");
    char own[16];

    snprintf(own, sizeof own, ":%d", DESK_PORT);
    d->serves = args_has(d->args, "serve");
    if (d->serves == !!to)
        return cli_usage(d->c, "one of --serve and --to says on which side this is",
                         "--serve on one side, --to ADDRESS:PORT on the other");
    if (listen && to)
        return cli_usage(d->c, "--listen belongs to --serve", "leave it out");
    if (d->serves && address_parse(&d->at, listen ? listen : own, false))
        return cli_usage(d->c, "--listen takes an address of this machine, not a name, and a port",
                         "--listen [ADDRESS]:PORT, for example --listen :5005");
    int err = d->serves ? 0 : address_parse(&d->at, to, true);
    if (err == -ROOST_INVALID)
        return cli_usage(d->c, "--to takes an address or a name, and a port",
                         "--to HOST:PORT, for example --to 127.0.0.1:5005");
    return err ? cli_fail(d->c, CLI_UNREACHABLE, "nobody knows an address of this name",
                          "check the name, or give the address itself")
               : 0;
}

static int take_link(struct desk *d)
{
    char wrong[LINK_WRONG_MAX];

    if (getrandom(&d->dice.state, sizeof d->dice.state, 0) < 0)
        d->dice.state = (uint64_t)sleep_now_us();
    if (!d->c->link)
        return 0;
    if (link_spec(&d->bent, d->c->link, wrong))
        return cli_usage(d->c, wrong, "--link SPEC, for example --link 'wan loss=2%'");
    d->bends = true;
    return 0;
}

static int take_pcap(struct desk *d)
{
    const char *name;

    if (study_open(&d->own.study, d->c->pcap, NULL, &name))
        return desk_fail(d, CLI_REFUSED, "choose another place", "%s: %s", name, strerror(errno));
    return 0;
}

/* --- the bell and the keyboard ------------------------------------------------------------ */

static int watch_signals(struct desk *d)
{
    signal(SIGPIPE, SIG_IGN); /* who reads from us went away: writing says so */
    d->signals = sleep_add_signals(&d->sleep, ID_SIGNAL);
    return d->signals < 0 ? d->signals : 0;
}

static int watch_keys(struct desk *d)
{
    if (!d->plan.types)
        return 0;
    d->keys = calloc(1, sizeof *d->keys);
    if (!d->keys)
        return -ROOST_NOMEM;
    d->keys_open = true;
    /* a regular file cannot be slept for, and need not be */
    d->keys_always = sleep_add(&d->sleep, STDIN_FILENO, SLEEP_READ, ID_KEYS) < 0;
    return 0;
}

void desk_hold_lines(struct desk *d, bool hold)
{
    if (d->keys_open && !d->keys_always && hold != d->keys_wait)
        sleep_set(&d->sleep, STDIN_FILENO, hold ? 0 : SLEEP_READ, ID_KEYS);
    d->keys_wait = hold;
}

static void read_keys(struct desk *d)
{
    uint8_t *at;
    size_t room = cut_room(d->keys, &at);
    ssize_t n = room ? read(STDIN_FILENO, at, room) : 0;

    if (n > 0) {
        cut_put(d->keys, (size_t)n);
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        d->keys_open = false;
        if (!d->keys_always)
            sleep_remove(&d->sleep, STDIN_FILENO);
    }
}

static bool next_line(struct desk *d, struct desk_event *ret)
{
    if (!d->keys || d->keys_wait)
        return false;
    *ret = (struct desk_event){ .kind = DESK_LINE };
    int got = cut_next(d->keys, CUT_LINES, &ret->bytes, &ret->len);
    if (!got && d->keys_open)
        return false;
    if (!got)
        got = cut_last(d->keys, CUT_LINES, &ret->bytes, &ret->len);
    if (got > 0)
        return true;
    free(d->keys); /* its end, or a line without end */
    d->keys = NULL;
    ret->kind = DESK_LINES_END;
    return true;
}

/* --- the life of a desk --------------------------------------------------------------------- */

static void clear(struct desk *d, struct cli *c, const struct cli_args *a)
{
    memset(d, 0, sizeof *d);
    d->c = c;
    d->args = a;
    d->signals = d->listener = -1;
    d->sleep = (struct sleep){ -1, -1 };
    d->own.began_us = sleep_now_us();
    pthread_mutex_init(&d->own.lock, NULL);
    d->record = &d->own;
}

static int open_all(struct desk *d)
{
    if (sleep_init(&d->sleep, false) || watch_signals(d) || watch_keys(d))
        return desk_fail(d, CLI_REFUSED, "try again", "%s", strerror(errno));
    return d->serves ? desk_listen(d) : desk_call(d);
}

int desk_open(struct desk *d, struct cli *c, const struct cli_args *a, const struct desk_plan *plan)
{
    clear(d, c, a);
    d->plan = *plan;
    d->own.trace = args_has(a, "trace");
    int status = take_protocol(d);
    if (!status)
        status = take_address(d);
    if (!status)
        status = take_link(d);
    if (!status)
        status = take_pcap(d);
    return status ? status : open_all(d);
}

static bool is_flushed(const struct desk *d)
{
    for (size_t i = 0; i < d->n_peers; i++)
        if (d->peers[i].used && !desk_is_flushed(d, i))
            return false;
    return true;
}

/* What was said leaves, and who was told that it is over may answer so. */
static void flush(struct desk *d)
{
    int64_t until_us = sleep_now_us() + DESK_FLUSH_US;
    struct desk_event e;

    free(d->keys);
    d->keys = NULL;
    for (size_t i = 0; i < d->n_peers; i++)
        if (d->peers[i].used)
            desk_finish(d, i);
    d->stop = false; /* a second one ends it */
    while (!is_flushed(d) && !d->stop && sleep_now_us() < until_us) {
        int64_t soon_us = sleep_now_us() + FLUSH_LOOK_US;
        desk_sleep(d, soon_us < until_us ? soon_us : until_us);
        while (desk_next(d, &e) && e.kind != DESK_STOP)
            continue;
    }
}

void desk_close(struct desk *d)
{
    if (!d->c)
        return;
    if (d->sleep.epoll >= 0)
        flush(d);
    for (size_t i = 0; i < d->n_peers; i++)
        desk_drop(d, i);
    if (d->listener >= 0)
        close(d->listener);
    udp_close(d->udp);
    blob_unref(d->current);
    if (d->signals >= 0)
        close(d->signals);
    sleep_fini(&d->sleep);
    if (d->record == &d->own)
        study_close(&d->own.study);
    pthread_mutex_destroy(&d->own.lock);
    free(d->keys);
    d->keys = NULL;
    d->c = NULL;
}

int desk_adopt(struct desk *d, const struct desk *from, int fd)
{
    socklen_t len = sizeof(union address);

    clear(d, from->c, from->args);
    d->plan = from->plan;
    d->plan.types = false;
    d->record = from->record;
    d->bent = from->bent;
    d->bends = from->bends;
    d->dice.state = from->dice.state + (uint64_t)fd;
    d->serves = true;
    if (sleep_init(&d->sleep, false)) {
        close(fd);
        return -ROOST_IO;
    }
    getpeername(fd, &d->at.any, &len);
    return desk_call_with(d, fd);
}

/* --- events ---------------------------------------------------------------------------------- */

bool desk_next(struct desk *d, struct desk_event *ret)
{
    d->current = blob_unref(d->current);
    if (d->stop) {
        d->stop = false;
        *ret = (struct desk_event){ .kind = DESK_STOP };
        return true;
    }
    for (size_t n = 0; n < d->n_peers; n++) {
        size_t i = d->next_peer++ % d->n_peers;
        if (d->peers[i].used && desk_next_of(d, i, ret))
            return true;
    }
    if (d->udp && desk_next_udp(d, ret))
        return true;
    return next_line(d, ret);
}

static int64_t deadline(const struct desk *d, int64_t until_us)
{
    if (d->stop || (d->keys && d->keys_always && !d->keys_wait))
        return 0;
    for (size_t i = 0; i < d->n_peers; i++) {
        int64_t due = d->peers[i].used ? desk_peer_deadline(d, i) : INT64_MAX;
        until_us = due < until_us ? due : until_us;
    }
    return until_us;
}

static void on_ready(struct desk *d, const struct sleep_ready *r)
{
    if (r->id == ID_SIGNAL)
        d->stop |= sleep_signalled(d->signals);
    else if (r->id == ID_KEYS && d->keys)
        read_keys(d);
    else if (r->id == DESK_ID_LISTENER && !d->plan.by_hand)
        desk_accept_all(d);
    else if (r->id >= DESK_ID_PEERS && r->id - DESK_ID_PEERS < d->n_peers)
        desk_peer_ready(d, r->id - DESK_ID_PEERS, r->what);
}

void desk_sleep(struct desk *d, int64_t until_us)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];

    for (size_t i = 0; i < d->n_peers; i++)
        if (d->peers[i].used)
            desk_turn(d, i);
    int n = sleep_until(&d->sleep, deadline(d, until_us), ready);
    for (int i = 0; i < n; i++)
        on_ready(d, &ready[i]);
    if (d->keys && d->keys_always && d->keys_open && !d->keys_wait)
        read_keys(d);
    d->datagrams = DATAGRAMS_A_TURN;
    if (d->udp && d->bends)
        desk_hear_udp(d);
    for (size_t i = 0; i < d->n_peers; i++)
        if (d->peers[i].used)
            desk_turn(d, i);
}
