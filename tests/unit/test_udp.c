/* test_udp.c - datagrams over loopback, with everything that the kernel has and without. */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "net/sleep.h"
#include "net/udp.h"
#include "test.h"

enum { PATIENCE_MS = 5000 };

struct pair {
    struct udp *here, *there;
    union address at_here, at_there;
};

static struct udp *open_at(const char *at, unsigned lacks, union address *ret_where)
{
    struct udp_settings s = { .lacks = lacks };
    struct udp *u = NULL;

    CHECK(address_parse(&s.at, at, false) == 0);
    CHECK(udp_open(&u, &s) == 0);
    CHECK(udp_where(u, ret_where) == 0);
    return u;
}

static void pair_begin(struct pair *p, const char *at, unsigned lacks)
{
    *p = (struct pair){ 0 };
    p->here = open_at(at, lacks, &p->at_here);
    p->there = open_at(at, lacks, &p->at_there);
}

static void pair_end(struct pair *p)
{
    udp_close(p->here);
    udp_close(p->there);
}

/* The next datagram, which is on its way. */
static int await(struct udp *u, struct udp_in *in)
{
    int n;

    while ((n = udp_receive(u, in)) == 0) {
        struct pollfd fd = { udp_fd(u), POLLIN, 0 };
        if (poll(&fd, 1, PATIENCE_MS) <= 0)
            return 0;
    }
    return n;
}

static void fill(uint8_t *bytes, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256 + seed);
}

/* A run of equal datagrams, out of parts that do not end where they do. */
static void send_run(struct pair *p, size_t len, size_t segment, int ecn)
{
    static uint8_t bytes[40000];
    struct udp_in in;
    size_t at = 0;

    fill(bytes, len, 3);
    struct iovec parts[] = { { bytes, 100 }, { bytes + 100, 0 }, { bytes + 100, len - 100 } };
    struct udp_out o = {
        .to = &p->at_there, .parts = parts, .n_parts = 3, .segment = segment, .ecn = ecn
    };
    CHECK(udp_send(p->here, &o) == (int64_t)len);
    while (at < len) {
        size_t left = len - at, want = left < segment ? left : segment;
        CHECK(await(p->there, &in) == 1);
        CHECK(in.len == want && !memcmp(in.bytes, bytes + at, want));
        CHECK(in.ecn == ecn);
        CHECK(address_equal(&in.from, &p->at_here));
        at += want;
    }
    CHECK(udp_receive(p->there, &in) == 0);
}

static void all_ways(const char *at)
{
    static const unsigned lacks[] = { 0, UDP_LACKS_SEGMENT, UDP_LACKS_GRO, UDP_LACKS_MANY,
                                      UDP_LACKS_SEGMENT | UDP_LACKS_GRO | UDP_LACKS_MANY };

    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        struct pair p;
        pair_begin(&p, at, lacks[i]);
        send_run(&p, 38400, 1200, 2);
        send_run(&p, 12345, 1000, 0);
        send_run(&p, 300, 300, 1);
        send_run(&p, 40000, 8952, 3);
        const struct udp_counts *out = udp_counts(p.here), *in = udp_counts(p.there);
        CHECK(out->out == 32 + 13 + 1 + 5 && in->in == out->out);
        CHECK(in->in_bytes == out->out_bytes && !out->unsent);
        if (!(lacks[i] & UDP_LACKS_SEGMENT))
            CHECK(out->out_calls == 4 || out->lacks & UDP_LACKS_SEGMENT);
        pair_end(&p);
    }
}

/* One device of several cannot do it (here: a socket that makes no checksums). */
static void runs_are_tried_again(void)
{
    static uint8_t bytes[12000];
    const int on = 1, off = 0;
    struct pair p;

    pair_begin(&p, "127.0.0.1:0", 0);
    const struct udp_counts *c = udp_counts(p.here);
    struct iovec part = { bytes, sizeof bytes };
    struct udp_out o = { .to = &p.at_there, .parts = &part, .n_parts = 1, .segment = 1200 };
    CHECK(setsockopt(udp_fd(p.here), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on) == 0);
    CHECK(udp_send(p.here, &o) == sizeof bytes && c->lacks & UDP_LACKS_SEGMENT);
    CHECK(setsockopt(udp_fd(p.here), SOL_SOCKET, SO_NO_CHECK, &off, sizeof off) == 0);
    CHECK(udp_send(p.here, &o) == sizeof bytes && c->lacks & UDP_LACKS_SEGMENT);
    while (c->out < UDP_SEGMENT_AGAIN + 20)
        CHECK(udp_send(p.here, &o) == sizeof bytes);
    uint64_t calls = c->out_calls;
    CHECK(udp_send(p.here, &o) == sizeof bytes && c->out_calls == calls + 1);
    CHECK(!(c->lacks & UDP_LACKS_SEGMENT) && !c->unsent);
    pair_end(&p);
    pair_begin(&p, "127.0.0.1:0", UDP_LACKS_SEGMENT); /* the kernel has none: never */
    o.to = &p.at_there;
    for (int i = 0; i < 1200; i++)
        CHECK(udp_send(p.here, &o) == sizeof bytes);
    CHECK(udp_counts(p.here)->out_calls == 12000);
    pair_end(&p);
}

static void runs_arrive_over_v4(void)
{
    all_ways("127.0.0.1:0");
}

static void runs_arrive_over_v6(void)
{
    union address a = { .v6 = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback } };
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool has = fd >= 0 && !bind(fd, &a.any, sizeof a.v6);

    if (fd >= 0)
        close(fd);
    if (has)
        all_ways("[::1]:0");
}

/* A socket of both families says IPv4 for what is IPv4, and answers from where it was asked. */
static void both_families(void)
{
    struct udp_settings s = { 0 };
    union address at, client;
    struct udp *both, *four;
    struct udp_in in;

    CHECK(address_parse(&s.at, ":0", false) == 0);
    if (udp_open(&both, &s))
        return; /* without IPv6 */
    CHECK(udp_where(both, &at) == 0);
    four = open_at("127.0.0.1:0", 0, &client);
    struct iovec part = { "hello", 5 };
    union address to = { .v4 = { .sin_family = AF_INET, .sin_port = at.v6.sin6_port } };
    to.v4.sin_addr.s_addr = htonl(0x7f000002); /* another of this machine's */
    struct udp_out o = { .to = &to, .parts = &part, .n_parts = 1, .ecn = 2 };
    CHECK(udp_send(four, &o) == 5);
    CHECK(await(both, &in) == 1 && in.ecn == 2);
    CHECK(in.from.any.sa_family == AF_INET && address_equal(&in.from, &client));
    CHECK(in.to.len == 4 && in.to.ip[3] == 2);

    struct udp_out back = {
        .to = &in.from, .from = &in.to, .parts = &part, .n_parts = 1, .ecn = 1
    };
    CHECK(udp_send(both, &back) == 5);
    CHECK(await(four, &in) == 1 && in.ecn == 1);
    CHECK(address_equal(&in.from, &to));
    udp_close(both);
    udp_close(four);
}

/* Nobody at the other port: said, counted, and no end of anything. */
static void nobody_there(void)
{
    struct udp_settings s = { .connect = true };
    union address gone;
    struct udp_in in;
    struct udp *u = open_at("127.0.0.1:0", 0, &gone);

    udp_close(u);
    CHECK(address_parse(&s.at, "127.0.0.1:0", false) == 0);
    s.to = gone;
    CHECK(udp_open(&u, &s) == 0);
    struct iovec part = { "hello", 5 };
    struct udp_out o = { .parts = &part, .n_parts = 1 };
    for (int i = 0; i < 5; i++)
        CHECK(udp_send(u, &o) == 5);
    CHECK(udp_receive(u, &in) == 0);
    CHECK(udp_counts(u)->refused > 0);
    udp_close(u);
}

static void too_long(void)
{
    static uint8_t bytes[65000];
    struct pair p;
    struct iovec part = { bytes, sizeof bytes };
    struct udp_out o = { .parts = &part, .n_parts = 1 };

    pair_begin(&p, "127.0.0.1:0", 0);
    CHECK(udp_send(p.here, &o) == -ROOST_INVALID); /* to nobody */
    o.to = &p.at_there;
    part.iov_len = 0;
    CHECK(udp_send(p.here, &o) == -ROOST_INVALID);
    part.iov_len = sizeof bytes;
    int64_t n = udp_send(p.here, &o); /* as loopback's MTU is */
    CHECK(n == (int64_t)sizeof bytes || n == -ROOST_TOO_LONG);
    /* what cannot go anywhere is lost, not an end */
    union address nowhere = { .v4 = { .sin_family = AF_INET } };
    o.to = &nowhere;
    part.iov_len = 10;
    CHECK(udp_send(p.here, &o) == 10);
    CHECK(udp_counts(p.here)->unsent == 1);
    pair_end(&p);
}

/* A queue that nobody empties: what it drops is counted as its own. */
static void own_drops(void)
{
    static uint8_t bytes[1200];
    struct udp_settings s = { .queue_bytes = 4096 };
    union address at, from;
    struct udp *in, *out = open_at("127.0.0.1:0", 0, &from);
    struct udp_in got;

    CHECK(address_parse(&s.at, "127.0.0.1:0", false) == 0);
    CHECK(udp_open(&in, &s) == 0 && udp_where(in, &at) == 0);
    struct iovec part = { bytes, sizeof bytes };
    struct udp_out o = { .to = &at, .parts = &part, .n_parts = 1 };
    for (int i = 0; i < 100; i++)
        CHECK(udp_send(out, &o) == sizeof bytes);
    uint64_t come = 0;
    while (udp_receive(in, &got) == 1 || udp_receive(in, &got) == 1)
        come++;
    CHECK(come > 0 && come < 100);
    CHECK(udp_send(out, &o) == sizeof bytes && await(in, &got) == 1);
    CHECK(udp_counts(in)->overflowed == 100 - come);
    udp_close(in);
    udp_close(out);
}

static void addresses(void)
{
    static const char *const good[] = { "192.0.2.7:5001", "[2001:db8::1]:5001", "[::]:0" };
    static const char *const bad[] = {
        "",      ":",         "192.0.2.7", "192.0.2.7:", "1.2.3.4:70000",
        "::1:5", "[::1:5001", "[]:5",      "host:5001"
    };
    char text[ADDRESS_TEXT_MAX];
    union address a, b;
    struct dgram_address d;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CHECK(address_parse(&a, good[i], false) == 0);
        address_text(&a, text);
        CHECK(!strcmp(text, good[i]));
        CHECK(address_to_wire(&a, &d) && address_of_wire(&d, &b) && address_equal(&a, &b));
        address_mapped(&b);
        CHECK(address_equal(&a, &b));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(address_parse(&a, bad[i], false) == -ROOST_INVALID);
    CHECK(address_parse(&a, ":7", false) == 0 && a.any.sa_family == AF_INET6);
    d.len = 5;
    CHECK(!address_of_wire(&d, &b));
}

/* Sleeps end when they are to, and for what they wait for. */
static void sleeps(void)
{
    for (int plain = 0; plain < 2; plain++) {
        struct sleep_ready ready[SLEEP_AT_ONCE];
        struct sleep s;
        struct pair p;

        CHECK(sleep_init(&s, plain) == 0);
        pair_begin(&p, "127.0.0.1:0", 0);
        CHECK(sleep_add(&s, udp_fd(p.there), SLEEP_READ, 7) == 0);
        int64_t begun_us = sleep_now_us();
        CHECK(sleep_until(&s, begun_us + 1500, ready) == 0);
        CHECK(sleep_now_us() >= begun_us + 1500);
        CHECK(sleep_until(&s, begun_us, ready) == 0);
        send_run(&p, 1000, 1000, 0);
        struct iovec part = { "x", 1 };
        struct udp_out o = { .to = &p.at_there, .parts = &part, .n_parts = 1 };
        CHECK(udp_send(p.here, &o) == 1);
        CHECK(sleep_until(&s, INT64_MAX, ready) == 1);
        CHECK(ready[0].id == 7 && ready[0].what == SLEEP_READ);
        CHECK(sleep_set(&s, udp_fd(p.there), SLEEP_READ | SLEEP_WRITE, 8) == 0);
        CHECK(sleep_until(&s, INT64_MAX, ready) == 1);
        CHECK(ready[0].id == 8 && ready[0].what == (SLEEP_READ | SLEEP_WRITE));
        CHECK(sleep_remove(&s, udp_fd(p.there)) == 0);
        CHECK(sleep_until(&s, sleep_now_us() + 200, ready) == 0);
        pair_end(&p);
        sleep_fini(&s);
    }
}

/* A pipe whose writer is gone is at its end for ever: nobody is woken by it unless asked. */
static void what_is_broken_wakes_who_asked(void)
{
    struct sleep_ready ready[SLEEP_AT_ONCE];
    struct sleep s;
    int fds[2];

    CHECK(sleep_init(&s, false) == 0);
    CHECK(pipe(fds) == 0);
    close(fds[1]);
    CHECK(sleep_add(&s, fds[0], 0, 3) == 0);
    CHECK(sleep_until(&s, sleep_now_us() + 200, ready) == 0);
    CHECK(sleep_set(&s, fds[0], SLEEP_READ, 3) == 0);
    CHECK(sleep_until(&s, INT64_MAX, ready) == 1 && ready[0].id == 3);
    CHECK(sleep_set(&s, fds[0], 0, 3) == 0 && sleep_set(&s, fds[0], 0, 3) == 0);
    CHECK(sleep_until(&s, sleep_now_us() + 200, ready) == 0);
    CHECK(sleep_remove(&s, fds[0]) == 0);
    close(fds[0]);
    sleep_fini(&s);
}

/* Who floods with datagrams of no bytes gets no longer turns than others: each counts. */
static void empty_ones_count(void)
{
    struct udp_in in;
    struct pair p;

    for (unsigned lacks = 0; lacks <= UDP_LACKS_MANY; lacks += UDP_LACKS_MANY) {
        pair_begin(&p, "127.0.0.1:0", lacks);
        CHECK(connect(udp_fd(p.here), &p.at_there.any, sizeof p.at_there.v4) == 0);
        for (int i = 0; i < 50; i++)
            CHECK(send(udp_fd(p.here), "x", (size_t)(i % 10 == 9), 0) == i % 10 / 9);
        for (int i = 0; i < 50; i++)
            CHECK(await(p.there, &in) == 1 && in.len == (size_t)(i % 10 == 9));
        CHECK(udp_receive(p.there, &in) == 0 && udp_counts(p.there)->in == 50);
        pair_end(&p);
    }
}

TEST_MAIN({ "empty_ones_count", empty_ones_count },
          { "runs_are_tried_again", runs_are_tried_again },
          { "runs_arrive_over_v4", runs_arrive_over_v4 },
          { "runs_arrive_over_v6", runs_arrive_over_v6 }, { "both_families", both_families },
          { "nobody_there", nobody_there }, { "too_long", too_long }, { "own_drops", own_drops },
          { "addresses", addresses }, { "sleeps", sleeps },
          { "what_is_broken_wakes_who_asked", what_is_broken_wakes_who_asked })
