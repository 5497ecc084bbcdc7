/* The pure pieces of the edge: addresses, and the queue of a peer. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "server/addr.h"
#include "server/queue.h"
#include "test.h"

static struct hub_peer peer_of(const char *text)
{
    struct sockaddr_storage a;
    socklen_t len;
    struct hub_peer p = { 0 };

    if (!addr_parse(text, 7, &a, &len))
        addr_peer(&a, &p);
    return p;
}

static bool counted_by(const char *address, const char *source, bool local)
{
    struct hub_peer p = peer_of(address);

    return !strcmp(p.source, source) && p.local == local;
}

static void a_source_is_what_one_household_has(void)
{
    CHECK(counted_by("192.0.2.7", "192.0.2.7", false));
    CHECK(counted_by("10.1.2.3", "10.1.2.3", true));
    CHECK(counted_by("172.31.0.1", "172.31.0.1", true));
    CHECK(counted_by("172.32.0.1", "172.32.0.1", false));
    CHECK(counted_by("192.168.7.7", "192.168.7.7", true));
    CHECK(counted_by("127.0.0.2", "127.0.0.2", true));
    CHECK(counted_by("2001:db8:1:2ff:3::4", "2001:db8:1:200::/56", false));
    CHECK(counted_by("::1", "::/56", true));
    CHECK(counted_by("fe80::1", "fe80::/56", true));
    CHECK(counted_by("fd00::1", "fd00::/56", true));
}

static void mapped_addresses_are_ipv4(void)
{
    CHECK(counted_by("::ffff:192.0.2.7", "192.0.2.7", false));
    CHECK(counted_by("::ffff:10.0.0.1", "10.0.0.1", true));
    CHECK(!strcmp(peer_of("::ffff:192.0.2.7").address, "192.0.2.7"));
}

static void loopback_is_this_machine_only(void)
{
    CHECK(addr_is_loopback(peer_of("127.8.9.1").address));
    CHECK(addr_is_loopback(peer_of("::1").address));
    CHECK(addr_is_loopback(peer_of("::ffff:127.0.0.1").address));
    CHECK(!addr_is_loopback(peer_of("192.168.0.1").address));
    CHECK(!addr_is_loopback(peer_of("fe80::1").address));
    CHECK(!addr_is_loopback("?"));
}

static void only_addresses_are_parsed(void)
{
    struct sockaddr_storage a;
    char text[ADDR_TEXT_MAX];
    socklen_t len;

    CHECK(addr_parse("localhost", 1, &a, &len) < 0);
    CHECK(addr_parse("", 1, &a, &len) < 0);
    CHECK(addr_parse("1.2.3", 1, &a, &len) < 0);
    CHECK(addr_parse("::", 65535, &a, &len) == 0 && addr_port(&a) == 65535);
    addr_text(&a, text);
    CHECK(!strcmp(text, "[::]:65535"));
    CHECK(addr_parse("192.0.2.7", 1, &a, &len) == 0);
    addr_text(&a, text);
    CHECK(!strcmp(text, "192.0.2.7:1"));
}

static size_t queue_take(struct queue *q, uint8_t *out, size_t cap)
{
    size_t n;
    const uint8_t *p = queue_peek(q, out, cap, &n);

    memmove(out, p, n);
    queue_drop(q, n);
    return n;
}

static void a_queue_gives_bytes_in_order(void)
{
    struct queue q;
    uint8_t out[64];

    queue_init(&q);
    for (int i = 0; i < 20; i++) {
        struct blob *b = blob_copy("abcdefg", 7);

        CHECK(b);
        CHECK(!queue_put(&q, b, 0, 7));
    }
    CHECK(q.bytes == 20 * (7 + QUEUE_ITEM_COST));

    /* records may end in the middle of a frame */
    CHECK(queue_take(&q, out, 10) == 10 && !memcmp(out, "abcdefgabc", 10));
    CHECK(queue_take(&q, out, 10) == 10 && !memcmp(out, "defgabcdef", 10));
    size_t left = 120, n;
    while ((n = queue_take(&q, out, sizeof out)))
        left -= n;
    CHECK(left == 0 && q.n == 0 && q.bytes == 0);
    CHECK(q.ring == q.few); /* an empty queue holds no memory */
    queue_fini(&q);
}

static void parts_of_one_blob_are_one(void)
{
    struct queue q;
    uint8_t out[64];
    struct blob *b = blob_copy("abcdefghij", 10), *other = blob_copy("0123", 4);
    size_t n;

    CHECK(b && other);
    queue_init(&q);
    CHECK(!queue_put(&q, blob_ref(b), 1, 3));
    CHECK(!queue_put(&q, blob_ref(b), 4, 2));
    CHECK(q.n == 1 && b->refs == 2 && q.bytes == 5 + QUEUE_ITEM_COST);
    CHECK(queue_peek(&q, out, sizeof out, &n) == b->bytes + 1 && n == 5); /* not copied */
    CHECK(!queue_put(&q, blob_ref(b), 8, 2)); /* a hole: a part of its own */
    CHECK(!queue_put(&q, blob_ref(other), 0, 4));
    CHECK(q.n == 3);
    CHECK(queue_peek(&q, out, 3, &n) == b->bytes + 1 && n == 3);
    queue_drop(&q, 3);
    CHECK(queue_take(&q, out, sizeof out) == 8 && !memcmp(out, "efij0123", 8));
    CHECK(q.n == 0 && b->refs == 1 && other->refs == 1);
    queue_fini(&q);
    blob_unref(b);
    blob_unref(other);
}

static void a_queue_wraps_and_grows(void)
{
    struct queue q;
    uint8_t out[8], next = 0;

    queue_init(&q);
    for (uint8_t i = 0; i < 100; i++) {
        struct blob *b = blob_copy(&i, 1);

        CHECK(b);
        CHECK(!queue_put(&q, b, 0, 1));
        if (i % 3 == 0) {
            CHECK(queue_take(&q, out, 1) == 1);
            CHECK(out[0] == next++);
        }
    }
    while (queue_take(&q, out, 1))
        CHECK(out[0] == next++);
    CHECK(next == 100);
    queue_fini(&q);
}

TEST_MAIN({ "a_source_is_what_one_household_has", a_source_is_what_one_household_has },
          { "mapped_addresses_are_ipv4", mapped_addresses_are_ipv4 },
          { "loopback_is_this_machine_only", loopback_is_this_machine_only },
          { "only_addresses_are_parsed", only_addresses_are_parsed },
          { "a_queue_gives_bytes_in_order", a_queue_gives_bytes_in_order },
          { "parts_of_one_blob_are_one", parts_of_one_blob_are_one },
          { "a_queue_wraps_and_grows", a_queue_wraps_and_grows })
