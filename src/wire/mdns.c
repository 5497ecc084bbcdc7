#include "wire/mdns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/cursor.h"

enum {
    HEAD = 12,
    TYPE_PTR = 12,
    TYPE_TXT = 16,
    TYPE_SRV = 33,
    TYPE_ANY = 255,
    CLASS_IN = 1,
    CLASS_MASK = 0x7fff, /* the top bit: flush, or answer straight */
    RESPONSE = 0x8400,
    WHOLE_MAX = 256, /* a name, with dots */
    JUMPS_MAX = 16,
};

/* --- names ------------------------------------------------------------------------------ */

/* "a.b.c" as labels; the first may hold anything, if it is given. */
static void put_name(struct writer *w, const char *first, const char *rest)
{
    if (first) {
        write_u8(w, (uint8_t)strlen(first));
        write_bytes(w, first, strlen(first));
    }
    while (*rest) {
        size_t n = strcspn(rest, ".");
        write_u8(w, (uint8_t)n);
        write_bytes(w, rest, n);
        rest += n + (rest[n] == '.');
    }
    write_u8(w, 0);
}

/* Reads a name at *at; *ret_first: the length of its first label. False: it is none. */
static bool read_name(const uint8_t *bytes, size_t len, size_t *at, char ret[static WHOLE_MAX],
                      size_t *ret_first)
{
    size_t i = *at, n = 0, least = len;
    bool jumped = false;

    *ret_first = 0;
    for (int jumps = 0; jumps < JUMPS_MAX;) {
        if (i >= len)
            return false;
        unsigned c = bytes[i];
        if ((c & 0xc0) == 0xc0) {
            if (i + 1 >= len)
                return false;
            size_t to = (c & 0x3f) << 8 | bytes[i + 1];
            if (to >= least || to >= i) /* backwards only */
                return false;
            if (!jumped)
                *at = i + 2;
            jumped = true;
            least = i = to;
            jumps++;
            continue;
        }
        if (c > 63 || i + 1 + c > len || n + c + 2 > WHOLE_MAX)
            return false;
        if (!c) {
            ret[n ? n - 1 : 0] = 0;
            if (!jumped)
                *at = i + 1;
            return true;
        }
        memcpy(ret + n, bytes + i + 1, c);
        n += c;
        if (!*ret_first)
            *ret_first = n;
        ret[n++] = '.';
        i += 1 + c;
    }
    return false;
}

static bool is_service(const char *name, const char *service)
{
    size_t n = strlen(service);

    return strlen(name) == n + 6 && !strncasecmp(name, service, n) &&
           !strcasecmp(name + n, ".local");
}

static void whole_service(char ret[static WHOLE_MAX], const char *service)
{
    snprintf(ret, WHOLE_MAX, "%s.local", service);
}

static unsigned number_at(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* --- questions -------------------------------------------------------------------------- */

static void put_head(struct writer *w, uint16_t id, unsigned flags, unsigned answers)
{
    write_number(w, id, 2);
    write_number(w, flags, 2);
    write_number(w, 1, 2); /* a question; an answer repeats it */
    write_number(w, answers, 2);
    write_number(w, 0, 4);
}

static void put_asked(struct writer *w, const char *service)
{
    char whole[WHOLE_MAX];

    whole_service(whole, service);
    put_name(w, NULL, whole);
    write_number(w, TYPE_PTR, 2);
    write_number(w, CLASS_IN, 2);
}

size_t mdns_put_question(uint8_t ret[static MDNS_MESSAGE_MAX], uint16_t id, const char *service)
{
    struct writer w = writer_of(ret, MDNS_MESSAGE_MAX);

    put_head(&w, id, 0, 0);
    put_asked(&w, service);
    return MDNS_MESSAGE_MAX - writer_left(&w);
}

bool mdns_is_question(const uint8_t *bytes, size_t len, const char *service, uint16_t *ret_id)
{
    char name[WHOLE_MAX];
    size_t at = HEAD, first;

    if (len < HEAD || number_at(bytes + 2) & 0xf800)
        return false;
    unsigned n = number_at(bytes + 4);
    for (unsigned i = 0; i < n && i < MDNS_RECORDS_MAX; i++, at += 4) {
        if (!read_name(bytes, len, &at, name, &first) || at + 4 > len)
            return false;
        unsigned type = number_at(bytes + at), class = number_at(bytes + at + 2) & CLASS_MASK;
        if ((type == TYPE_PTR || type == TYPE_ANY) && class == CLASS_IN &&
            is_service(name, service)) {
            *ret_id = (uint16_t)number_at(bytes);
            return true;
        }
    }
    return false;
}

/* --- answers ------------------------------------------------------------------------------ */

/* Name, type, and room for the length, which end_record fills in. */
static uint8_t *begin_record(struct writer *w, const char *first, const char *rest, unsigned type)
{
    put_name(w, first, rest);
    write_number(w, type, 2);
    write_number(w, CLASS_IN, 2);
    write_number(w, MDNS_TTL, 4);
    return write_room(w, 2);
}

static void end_record(const struct writer *w, uint8_t *length)
{
    if (!length || w->full)
        return;
    size_t n = (size_t)(w->p - length) - 2;
    length[0] = (uint8_t)(n >> 8);
    length[1] = (uint8_t)n;
}

size_t mdns_put_answer(uint8_t ret[static MDNS_MESSAGE_MAX], const struct mdns_answer *a,
                       const char *service)
{
    struct writer w = writer_of(ret, MDNS_MESSAGE_MAX);
    char whole[WHOLE_MAX], text[48] = "id=";
    uint8_t *length;

    whole_service(whole, service);
    put_head(&w, a->id, RESPONSE, 3);
    put_asked(&w, service);
    length = begin_record(&w, NULL, whole, TYPE_PTR);
    put_name(&w, a->name, whole);
    end_record(&w, length);
    length = begin_record(&w, a->name, whole, TYPE_SRV);
    write_number(&w, 0, 4); /* priority, weight */
    write_number(&w, a->port, 2);
    put_name(&w, a->name, "local");
    end_record(&w, length);
    for (unsigned i = 0; i < sizeof a->text; i++)
        snprintf(text + 3 + 2 * i, 3, "%02x", a->text[i]);
    length = begin_record(&w, a->name, whole, TYPE_TXT);
    write_u8(&w, (uint8_t)strlen(text));
    write_bytes(&w, text, strlen(text));
    end_record(&w, length);
    return w.full ? 0 : MDNS_MESSAGE_MAX - writer_left(&w);
}

struct record {
    char name[WHOLE_MAX];
    size_t first; /* of the name: its first label */
    unsigned type;
    const uint8_t *data;
    size_t len, data_at;
};

static bool read_record(const uint8_t *bytes, size_t len, size_t *at, struct record *ret)
{
    if (!read_name(bytes, len, at, ret->name, &ret->first) || *at + 10 > len)
        return false;
    ret->type = number_at(bytes + *at);
    ret->len = number_at(bytes + *at + 8);
    ret->data_at = *at + 10;
    ret->data = bytes + ret->data_at;
    *at = ret->data_at + ret->len;
    return *at <= len;
}

static bool is_ours(const struct record *r, const char *service)
{
    return r->first && r->first <= MDNS_NAME_MAX && r->name[r->first] == '.' &&
           is_service(r->name + r->first + 1, service);
}

static unsigned hex_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - (unsigned)'0';
    return c >= 'a' && c <= 'f' ? c - (unsigned)'a' + 10 : 16;
}

static void read_text(const struct record *r, struct mdns_answer *ret)
{
    if (r->len < 36 || r->data[0] != 35 || memcmp(r->data + 1, "id=", 3) != 0)
        return;
    for (unsigned i = 0; i < 16; i++) {
        unsigned high = hex_of(r->data[4 + 2 * i]), low = hex_of(r->data[5 + 2 * i]);
        if (high > 15 || low > 15)
            return;
        ret->text[i] = (uint8_t)(high << 4 | low);
    }
    ret->has_text = true;
}

/* As people see it: whole characters that do nothing to a terminal. */
static bool is_shown(const char *name)
{
    const char *end = name + strlen(name);

    if (!utf8_valid(name, strlen(name)))
        return false;
    while (name < end)
        if (utf8_is_control(utf8_next(&name, end)))
            return false;
    return true;
}

int mdns_read_answer(const uint8_t *bytes, size_t len, const char *service, struct mdns_answer *ret)
{
    struct mdns_answer a = { 0 };
    struct record r;
    char name[WHOLE_MAX];
    size_t at = HEAD, first;

    if (len < HEAD || !(number_at(bytes + 2) & 0x8000))
        return -ROOST_MALFORMED;
    unsigned asked = number_at(bytes + 4),
             n = number_at(bytes + 6) + number_at(bytes + 8) + number_at(bytes + 10);
    a.id = (uint16_t)number_at(bytes);
    for (unsigned i = 0; i < asked; i++, at += 4)
        if (i == MDNS_RECORDS_MAX || !read_name(bytes, len, &at, name, &first) || at + 4 > len)
            return -ROOST_MALFORMED;
    for (unsigned i = 0; i < n && i < MDNS_RECORDS_MAX; i++) {
        if (!read_record(bytes, len, &at, &r))
            return -ROOST_MALFORMED;
        if (r.type == TYPE_SRV && r.len >= 7 && is_ours(&r, service)) {
            memcpy(a.name, r.name, r.first);
            a.name[r.first] = 0;
            a.port = (uint16_t)number_at(r.data + 4);
        } else if (r.type == TYPE_TXT && is_ours(&r, service)) {
            read_text(&r, &a);
        }
    }
    if (!a.port || !a.name[0] || !is_shown(a.name))
        return -ROOST_MALFORMED;
    *ret = a;
    return 0;
}
