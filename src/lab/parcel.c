#include "lab/parcel.h"

#include <string.h>

#include "base/err.h"
#include "seal/digest.h"
#include "wire/cursor.h"

enum { VERSION = 1, HEAD_BYTES = 9, END_BYTES = 8 + PARCEL_HASH, DONE_BYTE = 1 };
enum { TALK = 0, BYTES = 2 }; /* the first two streams of who called */

const char *parcel_text(uint64_t code)
{
    static const char *const texts[] = {
        [PARCEL_UNREADABLE - FLOW_WHY_APP] = "the sender could not read it to its end",
        [PARCEL_UNWRITABLE - FLOW_WHY_APP] = "the receiver could not store it",
        [PARCEL_WRONG - FLOW_WHY_APP] = "what arrived is not what was sent",
        [PARCEL_GIVEN_UP - FLOW_WHY_APP] = "the other side stopped it",
        [PARCEL_NONSENSE - FLOW_WHY_APP] = "the two programs do not understand each other",
    };
    static const char *const of_flow[] = {
        [FLOW_DONE] = "the other side ended it early",
        [FLOW_BROKEN] = "the other side broke the protocol",
        [FLOW_LIMITS] = "a limit was passed",
        [FLOW_NOMEM] = "out of memory",
    };

    if (code < sizeof of_flow / sizeof *of_flow)
        return of_flow[code];
    code -= FLOW_WHY_APP;
    return code < sizeof texts / sizeof *texts ? texts[code] : "the session ended";
}

/* --- the sender ----------------------------------------------------------------------- */

static int say(struct flow *f, uint64_t stream, const uint8_t *bytes, size_t len)
{
    int64_t n = flow_write(f, stream, bytes, len);

    return n < 0 ? (int)n : (size_t)n == len ? 0 : -ROOST_LIMIT;
}

int parcel_send(struct parcel_out *p, struct flow *f, uint64_t length)
{
    uint8_t head[HEAD_BYTES];
    struct writer w = writer_of(head, sizeof head);

    *p = (struct parcel_out){ .flow = f, .sum = seal_running_new() };
    if (!p->sum)
        return -ROOST_NOMEM;
    p->talk = flow_open(f, 0);
    p->bytes = p->talk < 0 ? p->talk : flow_open(f, 1);
    if (p->bytes < 0) {
        parcel_out_fini(p);
        return p->bytes == -ROOST_NOMEM ? -ROOST_NOMEM : -ROOST_CLOSED;
    }
    write_u8(&w, VERSION);
    write_number(&w, length, 8);
    return say(f, (uint64_t)p->talk, head, sizeof head);
}

void parcel_out_fini(struct parcel_out *p)
{
    seal_running_free(p->sum);
    p->sum = NULL;
}

uint64_t parcel_room(const struct parcel_out *p)
{
    uint64_t stream = (uint64_t)p->bytes;

    return flow_waiting(p->flow, stream) < PARCEL_AHEAD ? flow_room(p->flow, stream) : 0;
}

int64_t parcel_put(struct parcel_out *p, const void *bytes, size_t len)
{
    int64_t n = flow_write(p->flow, (uint64_t)p->bytes, bytes, len);

    if (n > 0) {
        int err = seal_running_add(p->sum, bytes, (size_t)n);
        if (err)
            return err;
        p->length += (uint64_t)n;
    }
    return n;
}

int parcel_end(struct parcel_out *p)
{
    uint8_t end[END_BYTES];
    struct writer w = writer_of(end, sizeof end);

    write_number(&w, p->length, 8);
    int err = seal_running_end(p->sum, p->hash);
    if (!err) {
        write_bytes(&w, p->hash, PARCEL_HASH);
        err = flow_end(p->flow, (uint64_t)p->bytes);
    }
    if (!err)
        err = say(p->flow, (uint64_t)p->talk, end, sizeof end);
    if (!err)
        err = flow_end(p->flow, (uint64_t)p->talk);
    p->ended = !err;
    return err;
}

static void read_done(struct parcel_out *p, int64_t now_us)
{
    size_t len;
    bool over;
    const uint8_t *at = flow_read(p->flow, (uint64_t)p->talk, &len, &over);

    if (!at || !len)
        return;
    p->done = p->done || (p->ended && at[0] == DONE_BYTE);
    flow_take(p->flow, (uint64_t)p->talk, len, now_us);
}

void parcel_out_hear(struct parcel_out *p, int64_t now_us)
{
    struct flow_event e;

    while (flow_event(p->flow, &e)) {
        if (e.what == FLOW_READABLE && e.stream == (uint64_t)p->talk) {
            read_done(p, now_us);
        } else if (e.what == FLOW_CLOSED) {
            p->closed = true;
            p->why = e.code;
        }
    }
}

/* --- the receiver ------------------------------------------------------------------------ */

int parcel_receive(struct parcel_in *p, struct flow *f)
{
    *p = (struct parcel_in){ .flow = f, .expected = PARCEL_UNKNOWN, .sum = seal_running_new() };
    return p->sum ? 0 : -ROOST_NOMEM;
}

void parcel_in_fini(struct parcel_in *p)
{
    seal_running_free(p->sum);
    p->sum = NULL;
}

static int understand(struct parcel_in *p, bool over)
{
    struct reader r = reader_of(p->words, p->n_words);

    if (!p->has_head && p->n_words >= HEAD_BYTES) {
        if (read_u8(&r) != VERSION)
            return -ROOST_MALFORMED;
        p->expected = read_number(&r, 8);
        p->has_head = true;
    } else {
        read_bytes(&r, p->has_head ? HEAD_BYTES : 0);
    }
    if (p->has_head && !p->has_end && p->n_words >= HEAD_BYTES + END_BYTES) {
        p->length = read_number(&r, 8);
        memcpy(p->wanted, read_bytes(&r, PARCEL_HASH), PARCEL_HASH);
        p->has_end = true;
    }
    return p->n_words > HEAD_BYTES + END_BYTES || (over && !p->has_end) ? -ROOST_MALFORMED : 0;
}

static int hear_words(struct parcel_in *p, int64_t now_us)
{
    size_t len;
    bool over;
    const uint8_t *at;

    while ((at = flow_read(p->flow, TALK, &len, &over)) && len) {
        if (len > sizeof p->words - p->n_words)
            return -ROOST_MALFORMED;
        memcpy(p->words + p->n_words, at, len);
        p->n_words += len;
        flow_take(p->flow, TALK, len, now_us);
    }
    return understand(p, over);
}

int parcel_in_hear(struct parcel_in *p, int64_t now_us)
{
    struct flow_event e;
    int err = 0;

    while (!err && flow_event(p->flow, &e)) {
        if (e.what == FLOW_READABLE && e.stream == TALK) {
            err = hear_words(p, now_us);
        } else if (e.what == FLOW_READABLE) {
            p->has_bytes = true;
            err = e.stream == BYTES ? 0 : -ROOST_MALFORMED;
        } else if (e.what == FLOW_RESET) {
            err = -ROOST_MALFORMED;
        } else if (e.what == FLOW_SENT && e.stream == TALK) {
            p->heard = p->told;
        } else if (e.what == FLOW_CLOSED) {
            p->closed = true;
            p->why = e.code;
        }
    }
    return err;
}

const uint8_t *parcel_peek(struct parcel_in *p, size_t *ret_len)
{
    bool over = false;
    const uint8_t *at;

    *ret_len = 0;
    if (!p->has_bytes || p->bytes_over || p->closed)
        return NULL;
    at = flow_read(p->flow, BYTES, ret_len, &over);
    p->bytes_over = over && !*ret_len;
    return at;
}

int parcel_take(struct parcel_in *p, size_t len, int64_t now_us)
{
    size_t there;
    bool over;
    const uint8_t *at = flow_read(p->flow, BYTES, &there, &over);

    int err = seal_running_add(p->sum, at, len);
    if (err)
        return err;
    p->got += len;
    flow_take(p->flow, BYTES, len, now_us);
    flow_read(p->flow, BYTES, &there, &over);
    p->bytes_over = over && !there;
    return 0;
}

int parcel_is_whole(struct parcel_in *p)
{
    if (!p->has_end || !p->bytes_over || p->told)
        return p->told;
    if (p->got != p->length || (p->expected != PARCEL_UNKNOWN && p->expected != p->length))
        return -ROOST_MALFORMED;
    int err = seal_running_end(p->sum, p->hash);
    return err ? err : seal_equal(p->hash, p->wanted, PARCEL_HASH) ? 1 : -ROOST_MALFORMED;
}

int parcel_confirm(struct parcel_in *p)
{
    uint8_t done = DONE_BYTE;
    int err = say(p->flow, TALK, &done, 1);

    if (!err)
        err = flow_end(p->flow, TALK);
    p->told = !err;
    return err;
}
