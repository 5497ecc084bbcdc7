#include "base/err.h"
#include "wire/event.h"
#include "wire/frame.h"

#include <string.h>

#include "test.h"

static Roost__ToServer *decode(struct arena *a, const void *p, size_t len, int *err)
{
    *err = 0;
    arena_init(a, 0);
    return msg_to_server_decode(a, p, len, err);
}

/* say #a "hi", written down by hand from the schema. */
static const uint8_t say[] = "\xc2\x02\x0a\x0a\x04\x12\x02#a\x12\x02hi";

static void known_bytes(void)
{
    struct arena a;
    int err;
    Roost__ToServer *m = decode(&a, say, sizeof say - 1, &err);

    CHECK(m && m->body_case == ROOST__TO_SERVER__BODY_SAY);
    CHECK(strcmp(m->say->target->name, "#a") == 0 && strcmp(m->say->text, "hi") == 0);
    struct blob *again = msg_encode(&m->base);
    arena_fini(&a);
    CHECK(again && again->len == FRAME_HEAD + sizeof say - 1);
    bool same = memcmp(again->bytes + FRAME_HEAD, say, sizeof say - 1) == 0;
    blob_unref(again);
    CHECK(same);
}

static void not_utf8_is_refused(void)
{
    struct arena a;
    int err;
    uint8_t bad[sizeof say];

    memcpy(bad, say, sizeof say);
    bad[sizeof say - 2] = 0xff;
    CHECK(!decode(&a, bad, sizeof say - 1, &err) && err == -ROOST_MALFORMED);
    arena_fini(&a);
    bad[sizeof say - 2] = 0; /* a zero byte would cut the text short */
    CHECK(!decode(&a, bad, sizeof say - 1, &err) && err == -ROOST_MALFORMED);
    arena_fini(&a);
}

/* Forty thousand empty names in one frame must not become megabytes. */
static void memory_has_a_budget(void)
{
    static uint8_t body[60000];
    struct arena a;
    int err;
    size_t inner = sizeof body - 8;

    memset(body, 0, sizeof body);
    memcpy(body, "\x9a\x03", 2); /* new_room, then its length */
    body[2] = (uint8_t)(0x80 | (inner & 0x7f));
    body[3] = (uint8_t)(0x80 | (inner >> 7 & 0x7f));
    body[4] = (uint8_t)(inner >> 14);
    for (size_t i = 5; i + 1 < 5 + inner; i += 2)
        body[i] = 0x12; /* users: "" */
    decode(&a, body, 5 + inner, &err);
    size_t used = a.used_bytes;
    arena_fini(&a);
    CHECK(used <= 1 << 20);
}

static void an_event_carries_what_it_has(void)
{
    uint64_t mentions[] = { 7, 9 };
    struct event_reaction reaction = { "+1", 3, true };
    struct event e = { .room = 5,
                       .seq = 6,
                       .at_ms = 1000,
                       .from = 7,
                       .from_name = "ann",
                       .kind = EVENT_TEXT,
                       .text = "hello",
                       .mentions = mentions,
                       .n_mentions = 2,
                       .reactions = &reaction,
                       .n_reactions = 1 };
    struct blob *b = event_encode(&e);
    struct arena a = { 0 };
    int err = 0;

    CHECK(b);
    Roost__ToClient *m = msg_to_client_decode(&a, b->bytes + FRAME_HEAD, b->len - FRAME_HEAD, &err);
    bool ok = m && m->event->seq == 6 && strcmp(m->event->text->text, "hello") == 0 &&
              m->event->text->mentions[1] == 9 && m->event->text->reactions[0]->count == 3 &&
              strcmp(m->event->sender_name, "ann") == 0;
    blob_unref(b);
    arena_fini(&a);
    CHECK(ok);
}

TEST_MAIN({ "known_bytes", known_bytes }, { "not_utf8_is_refused", not_utf8_is_refused },
          { "memory_has_a_budget", memory_has_a_budget },
          { "an_event_carries_what_it_has", an_event_carries_what_it_has })
