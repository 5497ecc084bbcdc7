/* test_carry.c - a session over real sockets of this machine, with all that the kernel has and
 * without, with sockets that are full, and written down meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "net/carry.h"
#include "net/sleep.h"
#include "net/study.h"
#include "test.h"

enum { HERE, THERE, PATIENCE_US = 20000000 };

struct pair {
    struct udp *udp[2];
    struct flow *flow[2];
    struct carry carry[2];
    union address at[2];
    struct sleep sleep;
    uint64_t stream, put, got, length;
    bool wrong, over;
};

static const uint8_t secret[32] = { 7 }, seeds[2][32] = { { 1 }, { 2 } };

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 31 + at / 251);
}

static bool begin(struct pair *p, unsigned lacks, uint32_t queue_bytes)
{
    int64_t now_us = sleep_now_us();

    *p = (struct pair){ .sleep = { -1, -1 } };
    for (int i = 0; i < 2; i++) {
        struct udp_settings u = { .lacks = lacks, .queue_bytes = queue_bytes };
        if (address_parse(&u.at, "127.0.0.1:0", false) || udp_open(&p->udp[i], &u) ||
            udp_where(p->udp[i], &p->at[i]))
            return false;
    }
    if (sleep_init(&p->sleep, false))
        return false;
    for (int i = 0; i < 2; i++) {
        struct flow_settings f = { .client = i == HERE,
                                   .session = 5,
                                   .secret = secret,
                                   .seed = seeds[i],
                                   .mtu_most = PACKET_MTU_MAX,
                                   .ecn = true,
                                   .proves = i == THERE,
                                   .keeps = i == HERE };
        if (flow_new(&p->flow[i], &f, now_us) ||
            carry_init(&p->carry[i], p->udp[i], p->flow[i], &p->at[!i]) ||
            sleep_add(&p->sleep, udp_fd(p->udp[i]), SLEEP_READ, (uint64_t)i))
            return false;
    }
    p->carry[THERE].answers = true;
    int64_t stream = flow_open(p->flow[HERE], 0);
    p->stream = (uint64_t)stream;
    return stream >= 0;
}

static void end(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        carry_fini(&p->carry[i]);
        flow_free(p->flow[i]);
        udp_close(p->udp[i]);
    }
    sleep_fini(&p->sleep);
}

static void write_some(struct pair *p)
{
    uint8_t bytes[8192];

    while (p->put < p->length && flow_waiting(p->flow[HERE], p->stream) < 300000) {
        size_t n = p->length - p->put < sizeof bytes ? (size_t)(p->length - p->put) : sizeof bytes;
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_at(p->put + i);
        int64_t took = flow_write(p->flow[HERE], p->stream, bytes, n);
        p->over = p->over || took < 0;
        if (took <= 0)
            return;
        p->put += (uint64_t)took;
    }
}

static void read_all(struct pair *p, int64_t now_us)
{
    struct flow_event e;
    const uint8_t *at;
    size_t len;
    bool over;

    while (flow_event(p->flow[THERE], &e) || flow_event(p->flow[HERE], &e))
        p->over = p->over || e.what == FLOW_CLOSED;
    while ((at = flow_read(p->flow[THERE], p->stream, &len, &over)) && len) {
        for (size_t i = 0; i < len; i++)
            p->wrong = p->wrong || at[i] != byte_at(p->got + i);
        p->got += len;
        flow_take(p->flow[THERE], p->stream, len, now_us);
    }
}

static void turn(struct pair *p)
{
    int64_t now_us = sleep_now_us(), until_us = INT64_MAX;
    struct sleep_ready ready[SLEEP_AT_ONCE];
    struct udp_in in;

    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 200 && udp_receive(p->udp[i], &in) > 0; k++)
            carry_hear(&p->carry[i], &in, now_us);
        flow_expire(p->flow[i], now_us);
    }
    write_some(p);
    read_all(p, now_us);
    for (int i = 0; i < 2; i++) {
        CHECK(carry_out(&p->carry[i], now_us) == 0);
        sleep_set(&p->sleep, udp_fd(p->udp[i]), SLEEP_READ | (p->carry[i].full ? SLEEP_WRITE : 0),
                  (uint64_t)i);
        int64_t at_us = carry_deadline_us(&p->carry[i], now_us);
        until_us = at_us < until_us ? at_us : until_us;
    }
    CHECK(sleep_until(&p->sleep, until_us < now_us + 50000 ? until_us : now_us + 50000, ready) >=
          0);
}

static void transfer(struct pair *p, uint64_t length)
{
    int64_t begun_us = sleep_now_us();

    p->length += length;
    while (p->got < p->length && !p->over && sleep_now_us() < begun_us + PATIENCE_US)
        turn(p);
    CHECK(p->got == p->length && !p->wrong);
}

static void all_arrives_whatever_lacks(void)
{
    static const unsigned lacks[] = { 0, UDP_LACKS_SEGMENT, UDP_LACKS_GRO, UDP_LACKS_MANY,
                                      UDP_LACKS_ECN | UDP_LACKS_SEGMENT | UDP_LACKS_GRO };

    for (size_t i = 0; i < sizeof lacks / sizeof *lacks; i++) {
        struct pair p;
        struct flow_view v;
        CHECK(begin(&p, lacks[i], 0));
        transfer(&p, 2000000);
        const struct udp_counts *out = udp_counts(p.udp[HERE]);
        flow_look(p.flow[HERE], &v);
        if (!(out->lacks & UDP_LACKS_SEGMENT))
            CHECK(out->out_calls < out->out / 2);
        if (lacks[i] & UDP_LACKS_ECN)
            CHECK(strcmp(v.ecn, "capable") != 0);
        end(&p);
    }
}

/* Small queues: what is dropped by our own socket is counted as that, and goes again. */
static void full_sockets(void)
{
    struct pair p;

    CHECK(begin(&p, UDP_LACKS_SEGMENT, 4608));
    transfer(&p, 500000);
    CHECK(udp_counts(p.udp[THERE])->overflowed > 0);
    end(&p);
}

/* The other side comes from elsewhere: it is asked, and followed. */
static void who_moves_is_followed(void)
{
    struct udp_settings u = { 0 };
    union address before;
    struct pair p;

    CHECK(begin(&p, 0, 0));
    transfer(&p, 300000);
    before = p.carry[THERE].to;
    CHECK(address_equal(&before, &p.at[HERE]));
    struct udp *old = p.udp[HERE];
    CHECK(address_parse(&u.at, "127.0.0.1:0", false) == 0);
    CHECK(sleep_remove(&p.sleep, udp_fd(old)) == 0 && udp_open(&p.udp[HERE], &u) == 0);
    CHECK(sleep_add(&p.sleep, udp_fd(p.udp[HERE]), SLEEP_READ, HERE) == 0);
    p.carry[HERE].udp = p.udp[HERE];
    udp_close(old);
    flow_on_change(p.flow[HERE], sleep_now_us());
    transfer(&p, 300000);
    CHECK(!address_equal(&before, &p.carry[THERE].to));
    end(&p);
}

/* Not of this session, or damaged: counted, and that is all. */
static void strangers_change_nothing(void)
{
    struct pair p;
    uint8_t bytes[100] = { 0x48, 0, 0, 0, 5 };
    struct udp_in in = { .bytes = bytes, .len = sizeof bytes };

    CHECK(begin(&p, 0, 0));
    transfer(&p, 10000);
    in.from = p.at[HERE];
    for (size_t len = 0; len <= sizeof bytes; len++) {
        in.len = len;
        CHECK(carry_hear(&p.carry[THERE], &in, sleep_now_us()) == -ROOST_MALFORMED);
    }
    transfer(&p, 10000);
    end(&p);
}

static uint32_t number(const uint8_t *at)
{
    uint32_t n;

    memcpy(&n, at, sizeof n);
    return n;
}

/* Each datagram of both ways is in the file, once, behind headers of its own length. */
static void it_is_written_down(void)
{
    char pcap[32], keys[32];
    static uint8_t file[4000000];
    struct study study;
    struct pair p;
    const char *name;
    int fds[] = { memfd_create("pcap", 0), memfd_create("keys", 0) };

    CHECK(fds[0] >= 0 && fds[1] >= 0);
    snprintf(pcap, sizeof pcap, "/proc/self/fd/%d", fds[0]);
    snprintf(keys, sizeof keys, "/proc/self/fd/%d", fds[1]);
    CHECK(study_open(&study, pcap, keys, &name) == 0);
    CHECK(begin(&p, 0, 0));
    study_socket(&study, p.udp[HERE]);
    study_keys(&study, 5, secret);
    study_line(&study, "a line of TLS");
    transfer(&p, 100000);
    uint64_t wanted = udp_counts(p.udp[HERE])->in + udp_counts(p.udp[HERE])->out;
    end(&p);
    study_close(&study);
    ssize_t len = pread(fds[0], file, sizeof file, 0);
    CHECK(len > 100000 && number(file) == 0xa1b2c3d4 && number(file + 20) == 101);
    uint64_t n = 0;
    ssize_t at = 24;
    for (; at + 16 < len; at += 16 + number(file + at + 8), n++) {
        const uint8_t *ip = file + at + 16;
        CHECK(ip[0] == 0x45 && ip[9] == 17 && ip[2] * 256u + ip[3] == number(file + at + 8));
    }
    CHECK(at == len && n == wanted);
    len = pread(fds[1], file, sizeof file - 1, 0);
    file[len] = 0;
    CHECK(file[0] == '#'); /* what it is, once */
    CHECK(strstr((char *)file, "\nROOST_DATAGRAMS 00000005 0700000000"));
    CHECK(strstr((char *)file, "\na line of TLS\n"));
    close(fds[0]);
    close(fds[1]);
    CHECK(study_open(&study, NULL, "/dev/full", &name) == -ROOST_IO);
    CHECK(study_open(&study, NULL, "/nowhere/at/all", &name) == -ROOST_IO);
    CHECK(!strcmp(name, "/nowhere/at/all"));
}

TEST_MAIN({ "all_arrives_whatever_lacks", all_arrives_whatever_lacks },
          { "full_sockets", full_sockets }, { "who_moves_is_followed", who_moves_is_followed },
          { "strangers_change_nothing", strangers_change_nothing },
          { "it_is_written_down", it_is_written_down })
