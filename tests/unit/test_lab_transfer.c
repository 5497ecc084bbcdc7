#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lab/classics/transfer.h"
#include "lab/link.h"
#include "seal/digest.h"
#include "tests/unit/test.h"

#define MS 1000LL

enum { FILE_MOST = 200000 };

/* A sender and a receiver with a link each way, and virtual time. */
struct story {
    struct transfer_out out;
    struct transfer_in in;
    struct link up, down;
    uint8_t file[FILE_MOST], stored[FILE_MOST];
    int64_t now_us;
    bool deaf;      /* the receiver answers nothing */
    unsigned ends;  /* the receiver compared so often */
    uint64_t under; /* the most chunks that were under way */
};

static struct story *begin(uint64_t size, uint32_t window, bool lossy,
                           const struct link_config *how)
{
    static const struct link_config none;
    struct story *s = calloc(1, sizeof *s);

    CHECK(s != NULL);
    s->now_us = 1000000;
    for (size_t i = 0; i < size; i++)
        s->file[i] = (uint8_t)(i * 31 + i / 999);
    link_init(&s->up, LINK_DATAGRAMS, how ? how : &none, 1);
    link_init(&s->down, LINK_DATAGRAMS, how ? how : &none, 2);
    transfer_out_init(&s->out, 77, "file", size, 1000, window, lossy, s->now_us);
    const struct seal_part part = { s->file, size };
    CHECK(!seal_sha256(s->out.hash, &part, 1));
    return s;
}

static void end(struct story *s)
{
    link_fini(&s->up);
    link_fini(&s->down);
    free(s);
}

static void push(struct link *l, int64_t now_us, const struct transfer_message *m)
{
    uint8_t bytes[TRANSFER_MESSAGE_MAX];
    size_t len = transfer_encode(m, bytes);
    struct blob *b = blob_copy(bytes, len);

    if (b)
        link_push(l, now_us, b);
    blob_unref(b);
}

static void check_whole(struct story *s, struct transfer_message *answer)
{
    uint8_t hash[32];
    const struct seal_part part = { s->stored, s->in.size };

    CHECK(!seal_sha256(hash, &part, 1));
    s->ends++;
    if (memcmp(hash, s->in.hash, 32) != 0)
        transfer_in_refuse(&s->in, TRANSFER_DIFFERS, answer);
    else
        transfer_in_accept(&s->in, answer);
}

static void receive(struct story *s, const struct blob *b)
{
    struct transfer_message m, answer;
    enum transfer_wish wish = transfer_in_hear(&s->in, b->bytes, b->len, &m, &answer);

    if (wish == TRANSFER_OPEN) {
        transfer_in_accept(&s->in, &answer);
    } else if (wish == TRANSFER_STORE) {
        memcpy(s->stored + m.number * s->in.chunk, m.bytes, m.len);
        transfer_in_stored(&s->in, &m, &answer);
    } else if (wish == TRANSFER_CHECK) {
        check_whole(s, &answer);
    }
    if (answer.kind && !s->deaf)
        push(&s->down, s->now_us, &answer);
}

static void turn(struct story *s)
{
    struct transfer_message m;
    struct blob *b;

    for (; (b = link_next(&s->up, s->now_us)); blob_unref(b))
        receive(s, b);
    for (; (b = link_next(&s->down, s->now_us)); blob_unref(b))
        transfer_out_hear(&s->out, b->bytes, b->len, s->now_us);
    while (transfer_out_next(&s->out, s->now_us, &m)) {
        m.bytes = s->file + m.number * s->out.chunk;
        push(&s->up, s->now_us, &m);
        if (s->out.next - s->out.base > s->under)
            s->under = s->out.next - s->out.base;
    }
}

/* Until it is over, or so long. */
static void run(struct story *s, int64_t for_us)
{
    int64_t until_us = s->now_us + for_us;

    while (s->out.state < TRANSFER_OVER && s->now_us < until_us) {
        turn(s);
        if (s->out.state >= TRANSFER_OVER)
            return;
        int64_t next_us = transfer_out_deadline_us(&s->out);
        const int64_t due[] = { link_deadline_us(&s->up), link_deadline_us(&s->down) };
        for (int i = 0; i < 2; i++)
            next_us = due[i] < next_us ? due[i] : next_us;
        s->now_us = next_us > s->now_us ? next_us : s->now_us + 1;
    }
}

static bool is_whole(const struct story *s, uint64_t size)
{
    return s->out.state == TRANSFER_OVER && s->in.whole && s->in.got == size &&
           !memcmp(s->file, s->stored, size);
}

static void files_of_all_sizes_arrive(void)
{
    static const uint64_t sizes[] = { 0, 1, 999, 1000, 1001, 2000, 65000 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int way = 0; way < 4; way++) {
            struct story *s = begin(sizes[i], way & 1 ? 16 : 1, way & 2, NULL);
            run(s, 1000 * MS);
            CHECK(is_whole(s, sizes[i]) && !s->out.again);
            end(s);
        }
}

/* A round trip carries one chunk, or as many as the window has. */
static void a_window_is_what_it_says(void)
{
    static const struct link_config how = { .delay_us = 50 * MS };
    struct story *s = begin(20000, 1, true, &how);

    run(s, 10000 * MS);
    CHECK(is_whole(s, 20000) && s->under == 1 && !s->out.again);
    int64_t took_us = s->now_us - 1000000;
    CHECK(took_us >= 22 * 100 * MS && took_us < 23 * 100 * MS); /* 20 chunks, OFFER, END */
    end(s);
    s = begin(20000, 10, true, &how);
    run(s, 10000 * MS);
    CHECK(is_whole(s, 20000) && s->under == 10 && !s->out.again);
    took_us = s->now_us - 1000000;
    CHECK(took_us >= 4 * 100 * MS && took_us < 5 * 100 * MS);
    end(s);
}

static void what_is_lost_goes_again(void)
{
    static const struct link_config how = { .delay_us = 10 * MS, .loss_ppm = 100000 };

    for (uint32_t window = 1; window <= 64; window *= 8) {
        struct story *s = begin(100000, window, true, &how);
        run(s, 120000 * MS);
        CHECK(is_whole(s, 100000) && s->out.again > 5);
        end(s);
    }
}

static void what_is_damaged_doubled_or_late_does_no_harm(void)
{
    static const struct link_config how = { .delay_us = 5 * MS,
                                            .corrupt_ppm = 50000,
                                            .loss_ppm = 20000,
                                            .duplicate_ppm = 100000,
                                            .reorder_ppm = 100000,
                                            .late_us = 30 * MS };
    struct story *s = begin(100000, 32, true, &how);

    run(s, 120000 * MS);
    CHECK(is_whole(s, 100000) && s->in.damaged && s->in.twice && s->ends == 1);
    end(s);
}

/* Over TCP our timer stays silent: nothing goes twice, however long it takes. */
static void nothing_is_repeated_over_tcp(void)
{
    static const struct link_config how = { .delay_us = 900 * MS };
    struct story *s = begin(5000, 2, false, &how);

    run(s, 60000 * MS);
    CHECK(is_whole(s, 5000) && !s->out.again && !s->in.twice);
    end(s);
}

static void silence_ends_it(void)
{
    struct story *s = begin(5000, 2, true, NULL);

    s->deaf = true;
    run(s, 60000 * MS);
    CHECK(s->out.state == TRANSFER_FAILED && !s->out.why);
    CHECK(s->now_us - 1000000 > TRANSFER_SILENCE_US &&
          s->now_us - 1000000 < 2 * TRANSFER_SILENCE_US);
    end(s);
}

/* The timer follows what is measured (RFC 6298), and a repeated chunk measures nothing (Karn). */
static void the_timer_learns(void)
{
    static const struct link_config how = { .delay_us = 20 * MS };
    struct story *s = begin(50000, 4, true, &how);

    CHECK(s->out.patience_us == 500 * MS);
    run(s, 10000 * MS);
    CHECK(s->out.smooth_us >= 40 * MS && s->out.smooth_us < 42 * MS);
    CHECK(s->out.patience_us >= 40 * MS && s->out.patience_us < 80 * MS);
    end(s);
}

static void what_differs_is_refused(void)
{
    struct story *s = begin(5000, 2, true, NULL);

    s->out.hash[0] ^= 1;
    run(s, 5000 * MS);
    CHECK(s->out.state == TRANSFER_FAILED && s->out.why == TRANSFER_DIFFERS && !s->in.whole);
    end(s);
}

/* An acknowledgement of what was never sent moves nothing. */
static void acks_are_not_believed(void)
{
    struct transfer_message m, ack = { .kind = TRANSFER_ACK, .session = 77, .number = 3 };
    uint8_t bytes[TRANSFER_MESSAGE_MAX];
    struct story *s = begin(5000, 2, true, NULL);

    turn(s);
    turn(s); /* READY has come, two chunks are under way */
    CHECK(s->out.state == TRANSFER_SENDS && s->out.next == 2);
    transfer_out_hear(&s->out, bytes, transfer_encode(&ack, bytes), s->now_us);
    CHECK(s->out.base == 0 && s->out.next == 2);
    ack.session = 78;
    ack.number = 0;
    transfer_out_hear(&s->out, bytes, transfer_encode(&ack, bytes), s->now_us);
    CHECK(s->out.base == 0);
    ack.session = 77;
    transfer_out_hear(&s->out, bytes, transfer_encode(&ack, bytes), s->now_us);
    CHECK(s->out.base == 1 && transfer_out_next(&s->out, s->now_us, &m) && m.number == 2);
    for (ack.number = 1; ack.number < 3; ack.number++) {
        transfer_out_hear(&s->out, bytes, transfer_encode(&ack, bytes), s->now_us);
        CHECK(transfer_out_next(&s->out, s->now_us, &m) && m.number == ack.number + 2);
    }
    CHECK(s->out.base == 3); /* 3 was acknowledged before it was sent: that does not count */
    end(s);
}

static void chunks_have_their_place(void)
{
    struct transfer_in *t = calloc(1, sizeof *t);
    struct transfer_message got, answer,
        m = { .kind = TRANSFER_OFFER, .session = 5, .size = 2500, .chunk = 1000, .name = "a" };
    uint8_t bytes[TRANSFER_MESSAGE_MAX], data[1000] = { 0 };

    CHECK(t != NULL);
    CHECK(transfer_in_hear(t, bytes, transfer_encode(&m, bytes), &got, &answer) == TRANSFER_OPEN);
    transfer_in_accept(t, &answer);
    static const struct {
        uint64_t number;
        size_t len;
    } bad[] = {
        { 3, 1000 }, { 2, 1000 }, { 0, 500 }, { 0, 999 }, { UINT64_MAX, 1000 }, { 2, 501 }
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        m = (struct transfer_message){ .kind = TRANSFER_CHUNK,
                                       .session = 5,
                                       .number = bad[i].number,
                                       .bytes = data,
                                       .len = bad[i].len };
        CHECK(!transfer_in_hear(t, bytes, transfer_encode(&m, bytes), &got, &answer) &&
              !answer.kind);
    }
    m.number = 2;
    m.len = 500;
    CHECK(transfer_in_hear(t, bytes, transfer_encode(&m, bytes), &got, &answer) == TRANSFER_STORE);
    transfer_in_stored(t, &got, &answer);
    CHECK(answer.kind == TRANSFER_ACK && answer.number == 2 && t->base == 0);
    /* the same again is acknowledged, and not stored */
    CHECK(!transfer_in_hear(t, bytes, transfer_encode(&m, bytes), &got, &answer));
    CHECK(answer.kind == TRANSFER_ACK && t->twice == 1 && t->got == 500);
    /* END before all is there is nothing */
    m = (struct transfer_message){ .kind = TRANSFER_END, .session = 5, .number = 3 };
    CHECK(!transfer_in_hear(t, bytes, transfer_encode(&m, bytes), &got, &answer) && !answer.kind);
    free(t);
}

static void names_stay_in_their_folder(void)
{
    static const char *const bad[] = {
        "", ".", "..", "a/b", "/a", ".hidden", "a\nb", "\xff", "a\\b"
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!transfer_name_ok(bad[i]));
    CHECK(transfer_name_ok("a b.txt") && transfer_name_ok("\303\244"));
}

static void messages_are_what_they_were(void)
{
    uint8_t bytes[TRANSFER_MESSAGE_MAX];
    char text[256];

    for (int kind = TRANSFER_OFFER; kind < TRANSFER_KINDS; kind++) {
        struct transfer_message got, m = { .kind = (enum transfer_kind)kind,
                                           .session = 9,
                                           .size = 3,
                                           .chunk = 2,
                                           .name = "n",
                                           .number = 1,
                                           .bytes = bytes + 1900,
                                           .len = 2,
                                           .why = TRANSFER_DISK };
        size_t len = transfer_encode(&m, bytes);
        CHECK(len && !transfer_decode(&got, bytes, len) && got.kind == m.kind && got.session == 9);
        transfer_describe(bytes, len, text);
        CHECK(*text);
        for (size_t n = 0; n < len; n++) {
            CHECK(transfer_decode(&got, bytes, n) == -ROOST_MALFORMED);
            bytes[n] ^= 4;
            CHECK(transfer_decode(&got, bytes, len) == -ROOST_MALFORMED);
            bytes[n] ^= 4;
        }
    }
}

TEST_MAIN({ "files_of_all_sizes_arrive", files_of_all_sizes_arrive },
          { "a_window_is_what_it_says", a_window_is_what_it_says },
          { "what_is_lost_goes_again", what_is_lost_goes_again },
          { "what_is_damaged_doubled_or_late_does_no_harm",
            what_is_damaged_doubled_or_late_does_no_harm },
          { "nothing_is_repeated_over_tcp", nothing_is_repeated_over_tcp },
          { "silence_ends_it", silence_ends_it }, { "the_timer_learns", the_timer_learns },
          { "what_differs_is_refused", what_differs_is_refused },
          { "acks_are_not_believed", acks_are_not_believed },
          { "chunks_have_their_place", chunks_have_their_place },
          { "names_stay_in_their_folder", names_stay_in_their_folder },
          { "messages_are_what_they_were", messages_are_what_they_were })
