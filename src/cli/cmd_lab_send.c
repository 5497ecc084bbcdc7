/* lab send: a file, or what is piped in, to who listens with the same word */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/lab_end.h"

enum { PIECE = 128 * 1024, CLOSES = 3 };
#define LOOK_US 500000 /* of silence, and between two looks */

struct sending {
    struct lab_end e;
    const char *file;
    int fd;
    bool sleeps;         /* the file is slept for: a pipe */
    bool readable, over; /* all was read */
    uint64_t size;
    union address to;
    struct pair_caller pair;
    struct parcel_out parcel;
    uint8_t *piece;
    int64_t begun_us;
    uint64_t refused;  /* hellos, by the other machine */
    int64_t looked_us; /* whether this machine has another address now */
};

/* --- the file -------------------------------------------------------------------------- */

static int open_file(struct sending *s)
{
    struct stat st;

    if (strcmp(s->file, "-") != 0)
        s->fd = open(s->file, O_RDONLY | O_CLOEXEC);
    else
        s->fd = STDIN_FILENO;
    if (s->fd < 0 || fstat(s->fd, &st))
        return lab_fail(&s->e, CLI_REFUSED,
                        "name a file that can be read, or - for what is piped in", "%s: %s",
                        s->file, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return lab_fail(&s->e, CLI_REFUSED, "pack it: tar c FOLDER | roost lab send … -",
                        "%s is a folder", s->file);
    off_t at = S_ISREG(st.st_mode) ? lseek(s->fd, 0, SEEK_CUR) : -1;
    /* what the kernel makes as it is read has no size */
    s->size = at >= 0 && at < st.st_size ? (uint64_t)(st.st_size - at) : PARCEL_UNKNOWN;
    /* regular files cannot be slept for, and need not be */
    s->sleeps = !sleep_add(&s->e.sleep, s->fd, 0, LAB_FILE);
    s->readable = !s->sleeps;
    s->piece = malloc(PIECE);
    return s->piece ? 0 : lab_fail(&s->e, CLI_REFUSED, "try again", "out of memory");
}

static int fail_reading(struct sending *s)
{
    int error = errno;

    flow_close(s->e.flow, PARCEL_UNREADABLE, parcel_text(PARCEL_UNREADABLE));
    lab_out(&s->e, sleep_now_us());
    return lab_fail(&s->e, CLI_REFUSED, "nothing was stored on the other side", "%s: %s", s->file,
                    strerror(error));
}

static bool wants_more(const struct sending *s)
{
    return !s->over && parcel_room(&s->parcel);
}

/* What is behind the size that was told has come since: it is another file's turn. */
static size_t piece_now(const struct sending *s)
{
    uint64_t room = parcel_room(&s->parcel), left = s->size - s->parcel.length;

    room = room < PIECE ? room : PIECE;
    return (size_t)(left < room ? left : room);
}

static int fail_changed(struct sending *s)
{
    flow_close(s->e.flow, PARCEL_UNREADABLE, parcel_text(PARCEL_UNREADABLE));
    lab_out(&s->e, sleep_now_us());
    return lab_fail(&s->e, CLI_REFUSED, "nothing was stored on the other side; send it again",
                    "%s became shorter while it was sent", s->file);
}

/* As much as keeps the path busy. */
static int feed(struct sending *s)
{
    while (s->readable && wants_more(s)) {
        size_t most = piece_now(s);
        ssize_t n = most ? read(s->fd, s->piece, most) : 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_reading(s);
        if (!n && most && s->size != PARCEL_UNKNOWN)
            return fail_changed(s);
        s->over = !n;
        int64_t took = n ? parcel_put(&s->parcel, s->piece, (size_t)n) : 0;
        if (took < 0 || (s->over && parcel_end(&s->parcel)))
            return s->parcel.closed || took == -ROOST_CLOSED
                       ? 0
                       : lab_fail(&s->e, CLI_REFUSED, "try again", "out of memory");
        s->readable = !s->sleeps; /* a pipe is asked again */
    }
    if (s->sleeps)
        sleep_set(&s->e.sleep, s->fd, wants_more(s) ? SLEEP_READ : 0, LAB_FILE);
    return 0;
}

/* --- saying hello ------------------------------------------------------------------------ */

static void send_plain(struct sending *s, const uint8_t *bytes, size_t len)
{
    struct iovec part = { (void *)bytes, len };
    struct udp_out o = { .to = &s->to, .parts = &part, .n_parts = 1 };

    udp_send(s->e.udp, &o); /* what is lost is said again */
}

static int wrong_word(struct sending *s)
{
    uint8_t no[PAIR_NO];

    pair_no(&s->pair, no);
    send_plain(s, no, sizeof no);
    return lab_fail(&s->e, CLI_LOGIN_WRONG, "give the same --word on both sides",
                    "the other side has another word");
}

/* 1: agreed. 0: not yet. Negative: an exit status, less one. */
static int hear_answer(struct sending *s, int64_t now_us, struct pair_keys *keys)
{
    struct udp_in in;
    int got = 0;

    for (int i = 0; i < LAB_HEAR_MAX && !got && udp_receive(s->e.udp, &in) > 0; i++)
        got = pair_caller_hear(&s->pair, now_us, in.bytes, in.len, keys);
    if (got >= 0)
        return got;
    return -1 - (got == -ROOST_LOGIN_WRONG
                     ? wrong_word(s)
                     : lab_fail(&s->e, CLI_REFUSED, "try again", "out of memory"));
}

static int nobody(struct sending *s)
{
    char text[ADDRESS_TEXT_MAX];

    address_text(&s->to, text);
    return lab_fail(&s->e, CLI_UNREACHABLE,
                    "start roost lab receive there first, and look at address, port and firewall",
                    "nobody answers at %s", text);
}

/* Its machine says so. Whoever starts the other side a moment later is waited for. */
static bool nobody_listens(struct sending *s, int64_t now_us)
{
    char text[ADDRESS_TEXT_MAX];
    uint64_t refused = udp_counts(s->e.udp)->refused;
    bool again = refused > s->refused;

    address_text(&s->to, text);
    if (again && !s->refused && !s->e.c->json)
        fprintf(stderr, "nobody listens at %s yet: trying for %d seconds\n", text,
                (int)(LAB_KNOCK_US / 1000000));
    s->refused = refused;
    if (!again || now_us - s->begun_us < LAB_KNOCK_US)
        return false;
    lab_fail(&s->e, CLI_UNREACHABLE,
             "start roost lab receive there first, and look at address and port",
             "nobody listens at %s", text);
    return true;
}

/* It would not even leave this machine. */
static int too_narrow(struct sending *s)
{
    char text[ADDRESS_TEXT_MAX];

    address_text(&s->to, text);
    return lab_fail(&s->e, CLI_UNREACHABLE,
                    "raise the MTU of the interface to 1,280 or more: ip link set DEVICE mtu 1280",
                    "the interface towards %s carries no datagrams of 1,200 bytes", text);
}

static int call(struct sending *s)
{
    uint8_t hello[PAIR_HELLO], seed[32];
    struct pair_keys keys;
    bool file;
    int got = 0, status = lab_seed(&s->e, seed);

    s->begun_us = sleep_now_us();
    if (status)
        return status;
    if (pair_call(&s->pair, s->e.word, seed, s->begun_us))
        return lab_fail(&s->e, CLI_REFUSED, "try again", "out of memory");
    for (int64_t now_us = s->begun_us; !got; now_us = sleep_now_us()) {
        if (now_us - s->begun_us > LAB_PATIENCE_US)
            return nobody(s);
        if (pair_caller_next(&s->pair, now_us, hello))
            send_plain(s, hello, sizeof hello);
        if (udp_counts(s->e.udp)->narrow)
            return too_narrow(s);
        if (!lab_wait(&s->e, s->pair.due_us, &file))
            return lab_fail(&s->e, CLI_REFUSED, "", "stopped");
        got = hear_answer(s, sleep_now_us(), &keys);
        if (!got && nobody_listens(s, sleep_now_us()))
            return CLI_UNREACHABLE;
    }
    explicit_bzero(seed, sizeof seed);
    if (got < 0)
        return -1 - got;
    int err = lab_session(&s->e, &keys, true, &s->to, sleep_now_us());
    explicit_bzero(&keys, sizeof keys);
    if (!err)
        err = parcel_send(&s->parcel, s->e.flow, s->size);
    return err ? lab_fail(&s->e, CLI_REFUSED, "try again", "out of memory") : 0;
}

/* --- the transfer --------------------------------------------------------------------------- */

static void hear(struct sending *s, int64_t now_us)
{
    struct udp_in in;

    for (int i = 0; i < LAB_HEAR_MAX && udp_receive(s->e.udp, &in) > 0; i++)
        if (!pair_is_ours(in.bytes, in.len))
            lab_hear(&s->e, &in, now_us);
    flow_expire(s->e.flow, now_us);
    parcel_out_hear(&s->parcel, now_us);
}

/* After a silence: another network, another lease? Then it goes on from there. */
static void follow(struct sending *s, int64_t now_us)
{
    struct flow_view v;

    flow_look(s->e.flow, &v);
    if (now_us - v.heard_us < LOOK_US || now_us - s->looked_us < LOOK_US)
        return;
    s->looked_us = now_us;
    if (udp_follow(s->e.udp))
        flow_on_change(s->e.flow, now_us);
}

static int stop(struct sending *s)
{
    flow_close(s->e.flow, PARCEL_GIVEN_UP, parcel_text(PARCEL_GIVEN_UP));
    lab_out(&s->e, sleep_now_us());
    return lab_fail(&s->e, CLI_REFUSED, "nothing was stored on the other side", "stopped");
}

/* The other side waits a while for this; one may be lost. */
static void say_goodbye(struct sending *s)
{
    uint8_t bytes[PACKET_MTU_MIN];

    flow_close(s->e.flow, PARCEL_DONE, "");
    int n = flow_next(s->e.flow, sleep_now_us(), bytes, sizeof bytes);
    for (int i = 0; i < CLOSES && n > 0; i++)
        send_plain(s, bytes, (size_t)n);
}

static int carry_all(struct sending *s)
{
    while (!s->parcel.done) {
        int64_t now_us = sleep_now_us();
        hear(s, now_us);
        if (s->parcel.closed && !s->parcel.done)
            return lab_fail(&s->e, CLI_REFUSED, "nothing was stored on the other side", "%s",
                            parcel_text(s->parcel.why));
        follow(s, now_us);
        int status = feed(s);
        if (!status)
            status = lab_out(&s->e, now_us);
        if (status)
            return status;
        if (lab_is_silent(&s->e, now_us) && udp_counts(s->e.udp)->narrow)
            return too_narrow(s);
        if (lab_is_silent(&s->e, now_us))
            return lab_fail(&s->e, CLI_UNREACHABLE,
                            s->parcel.ended ? "it may have arrived all the same: look there"
                                            : "look at the network and the other program",
                            "the other side does not answer any more");
        uint64_t waiting = flow_waiting(s->e.flow, (uint64_t)s->parcel.bytes);
        lab_progress(&s->e, now_us, s->parcel.length - waiting, s->size, false);
        int64_t until_us = s->readable && wants_more(s)
                               ? now_us /* the path has taken all that was read */
                               : lab_deadline_us(&s->e, now_us);
        if (until_us > now_us + 100000)
            until_us = now_us + 100000;
        bool file;
        if (!lab_wait(&s->e, until_us, &file))
            return stop(s);
        s->readable = s->readable || file;
    }
    return 0;
}

static int run(struct sending *s)
{
    union address any = { .v4 = { .sin_family = AF_INET } };
    int status = open_file(s);

    if (s->to.any.sa_family == AF_INET6)
        any = (union address){ .v6 = { .sin6_family = AF_INET6 } };
    if (!status)
        status = lab_open(&s->e, &any, &s->to);
    if (!status)
        status = call(s);
    if (!status)
        status = carry_all(s);
    if (status)
        return status;
    int64_t now_us = sleep_now_us();
    lab_progress(&s->e, now_us, s->parcel.length, s->size, true);
    say_goodbye(s);
    lab_result(&s->e, "sent", s->file, s->parcel.length, s->parcel.hash, now_us - s->begun_us);
    return CLI_OK;
}

/* A place that datagrams can be sent to. */
static bool is_somewhere(const union address *a)
{
    const bool six = a->any.sa_family == AF_INET6;
    const struct in6_addr *ip = &a->v6.sin6_addr;
    uint32_t four = ntohl(a->v4.sin_addr.s_addr);

    return six ? a->v6.sin6_port && !IN6_IS_ADDR_UNSPECIFIED(ip) && !IN6_IS_ADDR_MULTICAST(ip)
               : a->v4.sin_port && four && four < 0xe0000000;
}

CLI_RUN(cmd_lab_send)
{
    struct sending *s = calloc(1, sizeof *s);
    const char *to = args_value(a, "to");
    int status = CLI_REFUSED;

    if (!s)
        return status;
    s->file = a->words[0];
    s->fd = -1;
    int err = to ? address_parse(&s->to, to, true) : -ROOST_INVALID;
    if (!err && !is_somewhere(&s->to))
        err = -ROOST_INVALID;
    if (err == -ROOST_TIMEOUT)
        status = cli_fail(c, CLI_UNREACHABLE, "this name has no address",
                          "write the address itself");
    else if (err)
        status = cli_usage(
            c, to ? "--to takes an address or a name, and a port" : "it is not said where to",
            "--to ADDRESS:PORT, for example "
            "--to 192.0.2.7:5002");
    else if (!(status = lab_begin(&s->e, c, a)))
        status = run(s);
    if (!err) {
        parcel_out_fini(&s->parcel);
        pair_caller_fini(&s->pair);
        int unwritten = lab_fini(&s->e);
        status = status ? status : unwritten;
        if (s->fd > STDIN_FILENO)
            close(s->fd);
    }
    free(s->piece);
    free(s);
    return status;
}
