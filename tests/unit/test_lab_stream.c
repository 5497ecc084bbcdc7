#include <stdlib.h>
#include <string.h>

#include "lab/classics/stream.h"
#include "lab/link.h"
#include "tests/unit/test.h"

#define MS 1000LL

enum { FILE_BYTES = 300000 };

struct story {
    struct stream_out out;
    struct stream_in in;
    struct link up, down; /* up: from the client */
    struct dice dice;
    uint8_t file[FILE_BYTES], stored[FILE_BYTES];
    int64_t now_us, first_us, last_us; /* could be played first; the last piece left */
    size_t least, most;                /* of the datagrams but the last */
    bool gone;                         /* the client is, without a word */
};

static struct story *begin(bool repairs, const struct link_config *how)
{
    static const struct link_config none;
    struct story *s = calloc(1, sizeof *s);

    CHECK(s != NULL);
    s->now_us = 1000000;
    s->least = SIZE_MAX;
    s->dice.state = 5;
    for (size_t i = 0; i < FILE_BYTES; i++)
        s->file[i] = (uint8_t)(i * 7 + i / 1000);
    link_init(&s->up, LINK_DATAGRAMS, how ? how : &none, 1);
    link_init(&s->down, LINK_DATAGRAMS, how ? how : &none, 2);
    stream_out_init(&s->out, FILE_BYTES, 1000000); /* a byte a microsecond */
    stream_in_init(&s->in, 42, repairs, s->now_us);
    return s;
}

static void end(struct story *s)
{
    stream_out_fini(&s->out);
    stream_in_fini(&s->in);
    link_fini(&s->up);
    link_fini(&s->down);
    free(s);
}

static size_t push(struct link *l, int64_t now_us, const struct stream_message *m)
{
    uint8_t bytes[STREAM_DATAGRAM_MOST];
    size_t len = stream_encode(m, bytes);
    struct blob *b = blob_copy(bytes, len);

    if (b)
        link_push(l, now_us, b);
    blob_unref(b);
    return len;
}

static void serve(struct story *s)
{
    struct stream_message m;
    struct blob *b;

    for (; (b = link_next(&s->up, s->now_us)); blob_unref(b))
        stream_out_hear(&s->out, b->bytes, b->len, s->now_us);
    while (stream_out_next(&s->out, s->now_us, &s->dice, &m)) {
        m.bytes = s->file + m.at;
        size_t len = push(&s->down, s->now_us, &m);
        if (m.kind != STREAM_PIECE)
            continue;
        s->last_us = s->now_us;
        if (m.at + m.len < FILE_BYTES && !s->out.again.n) {
            s->least = len < s->least ? len : s->least;
            s->most = len > s->most ? len : s->most;
        }
    }
}

static void take(struct story *s)
{
    struct stream_message m;
    struct blob *b;

    for (; (b = link_next(&s->down, s->now_us)); blob_unref(b))
        if (!s->gone && stream_in_hear(&s->in, b->bytes, b->len, s->now_us, &m))
            memcpy(s->stored + m.at, m.bytes, m.len);
    while (!s->gone && stream_in_next(&s->in, s->now_us, &m))
        push(&s->up, s->now_us, &m);
    if (!s->first_us && stream_in_ready(&s->in))
        s->first_us = s->now_us;
}

static void run(struct story *s, int64_t for_us)
{
    int64_t until_us = s->now_us + for_us;

    while (s->in.state < STREAM_OVER && s->now_us < until_us && !s->out.over) {
        serve(s);
        take(s);
        const int64_t due[] = { link_deadline_us(&s->up), link_deadline_us(&s->down),
                                stream_out_deadline_us(&s->out),
                                s->gone ? INT64_MAX : stream_in_deadline_us(&s->in) };
        int64_t next_us = until_us;
        for (int i = 0; i < 4; i++)
            next_us = due[i] < next_us ? due[i] : next_us;
        s->now_us = next_us > s->now_us ? next_us : s->now_us + 1;
    }
}

/* It can be played long before all of it has left. */
static void it_plays_while_it_comes(void)
{
    struct story *s = begin(false, NULL);

    run(s, 5000 * MS);
    CHECK(s->in.state == STREAM_OVER && !memcmp(s->file, s->stored, FILE_BYTES));
    CHECK(s->in.got == FILE_BYTES && !s->in.given_up && !stream_in_lost(&s->in));
    CHECK(s->first_us && s->first_us < s->last_us - 200 * MS);
    CHECK(s->last_us - 1000000 > 270 * MS && s->last_us - 1000000 < 330 * MS); /* the rate */
    CHECK(s->least >= STREAM_DATAGRAM_LEAST && s->least < 1050);
    CHECK(s->most <= STREAM_DATAGRAM_MOST && s->most > 1950);
    end(s);
}

/* Holes are counted and left out, and playing goes on behind them. */
static void what_is_lost_is_counted(void)
{
    static const struct link_config how = { .delay_us = 20 * MS, .loss_ppm = 50000 };
    struct story *s = begin(false, &how);

    run(s, 5000 * MS);
    CHECK(s->in.state == STREAM_OVER && stream_in_ready(&s->in) == FILE_BYTES);
    CHECK(s->in.given_up > 0 && s->in.got + s->in.given_up == FILE_BYTES);
    CHECK(stream_in_lost(&s->in) == s->down.counts.lost || /* HEAD or END may have been lost too */
          stream_in_lost(&s->in) + 2 >= s->down.counts.lost);
    CHECK(stream_in_lost(&s->in) <= s->down.counts.lost && stream_in_lost(&s->in) > 2);
    for (size_t i = 0; i < FILE_BYTES; i++)
        CHECK(s->stored[i] == s->file[i] || !s->stored[i]);
    end(s);
}

static void repairs_make_it_whole(void)
{
    static const struct link_config how = { .delay_us = 30 * MS,
                                            .loss_ppm = 100000,
                                            .corrupt_ppm = 20000,
                                            .duplicate_ppm = 20000,
                                            .reorder_ppm = 50000,
                                            .late_us = 20 * MS };
    struct story *s = begin(true, &how);

    run(s, 60000 * MS);
    CHECK(s->in.state == STREAM_OVER && !memcmp(s->file, s->stored, FILE_BYTES));
    CHECK(s->in.got == FILE_BYTES && !s->in.given_up && s->out.repaired > 10);
    CHECK(stream_in_lost(&s->in) > 5 && s->in.twice > 0);
    end(s);
}

/* Nobody listens: a server does not send on for ever. */
static void a_silent_client_is_left(void)
{
    struct story *s = begin(false, NULL);

    s->out.rate = 20000; /* 15 s of it */
    run(s, 500 * MS);
    CHECK(s->out.session == 42 && s->out.at > 0);
    s->gone = true;
    run(s, 60000 * MS);
    CHECK(s->out.over && s->out.at < FILE_BYTES);
    end(s);
}

static void nobody_answers(void)
{
    static const struct link_config how = { .loss_ppm = 1000000 };
    struct story *s = begin(false, &how);

    run(s, 60000 * MS);
    CHECK(s->in.state == STREAM_LOST && !s->in.size);
    end(s);
}

/* Who asks for what was not sent yet, or asks without having said so, gets nothing for it. */
static void asking_has_limits(void)
{
    struct story *s = begin(false, NULL);
    struct stream_message m = {
        .kind = STREAM_MISSING, .session = 42, .n_missing = 1, .missing = { { 0, FILE_BYTES } }
    };
    uint8_t bytes[STREAM_DATAGRAM_MOST];

    run(s, 50 * MS);
    stream_out_hear(&s->out, bytes, stream_encode(&m, bytes), s->now_us);
    CHECK(!s->out.again.n);
    s->out.repairs = true;
    m.missing[0].from = s->out.at;
    stream_out_hear(&s->out, bytes, stream_encode(&m, bytes), s->now_us);
    CHECK(!s->out.again.n);
    m.missing[0].from = 0;
    stream_out_hear(&s->out, bytes, stream_encode(&m, bytes), s->now_us);
    CHECK(s->out.again.n == 1 && s->out.again.all[0].to == s->out.at);
    m.session = 43;
    s->out.again.n = 0;
    stream_out_hear(&s->out, bytes, stream_encode(&m, bytes), s->now_us);
    CHECK(!s->out.again.n);
    end(s);
}

/* What goes again may reach into what is there: no byte counts twice. */
static void bytes_are_counted_once(void)
{
    struct story *s = begin(true, NULL);
    struct stream_message got, m = { .kind = STREAM_HEAD_MESSAGE, .session = 42, .size = 5000 };
    uint8_t bytes[STREAM_DATAGRAM_MOST];

    stream_in_hear(&s->in, bytes, stream_encode(&m, bytes), s->now_us, &got);
    static const uint64_t at[] = { 0, 1500, 500, 900, 4000, 2500, 3000 };
    for (uint32_t i = 0; i < sizeof at / sizeof *at; i++) {
        m = (struct stream_message){ .kind = STREAM_PIECE,
                                     .session = 42,
                                     .number = i,
                                     .at = at[i],
                                     .bytes = s->file,
                                     .len = 1000 };
        stream_in_hear(&s->in, bytes, stream_encode(&m, bytes), s->now_us, &got);
        CHECK(s->in.pieces == i + 1 && s->in.got <= 5000);
    }
    CHECK(s->in.got == 5000 && stream_in_ready(&s->in) == 5000);
    end(s);
}

static void pieces_outside_are_refused(void)
{
    struct story *s = begin(false, NULL);
    struct stream_message got, m = { .kind = STREAM_PIECE,
                                     .session = 42,
                                     .number = 1000000,
                                     .at = FILE_BYTES - 1,
                                     .bytes = s->file,
                                     .len = 2 };
    uint8_t bytes[STREAM_DATAGRAM_MOST];

    size_t len = stream_encode(&m, bytes);
    CHECK(!stream_in_hear(&s->in, bytes, len, s->now_us, &got)); /* before HEAD */
    run(s, 10 * MS);
    CHECK(s->in.state == STREAM_PLAYS);
    CHECK(!stream_in_hear(&s->in, bytes, len, s->now_us, &got) && s->in.numbers < 1000);
    m.len = 1;
    len = stream_encode(&m, bytes);
    CHECK(stream_in_hear(&s->in, bytes, len, s->now_us, &got) && s->in.numbers == 1000001);
    CHECK(!stream_in_hear(&s->in, bytes, len, s->now_us, &got) && s->in.twice == 1);
    end(s);
}

TEST_MAIN({ "it_plays_while_it_comes", it_plays_while_it_comes },
          { "what_is_lost_is_counted", what_is_lost_is_counted },
          { "repairs_make_it_whole", repairs_make_it_whole },
          { "a_silent_client_is_left", a_silent_client_is_left },
          { "nobody_answers", nobody_answers }, { "asking_has_limits", asking_has_limits },
          { "bytes_are_counted_once", bytes_are_counted_once },
          { "pieces_outside_are_refused", pieces_outside_are_refused })
