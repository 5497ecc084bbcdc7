#include "lab/classics/talk.h"

#include <stdio.h>

#include "base/err.h"
#include "base/utf8.h"
#include "lab/classics/pack.h"

enum kind { HELLO = 1, WELCOME, TEXT, ACK, BYE, BUSY, KINDS };

enum { EOT = 4 };

struct message {
    enum kind kind;
    uint32_t session, number;
    const char *text;
    size_t len;
};

/* --- messages ------------------------------------------------------------------------------ */

static bool is_text(const char *s, size_t len, size_t *ret_characters)
{
    const char *at = s, *end = s + len;

    *ret_characters = 0;
    if (!len || !utf8_valid(s, len))
        return false;
    for (; at < end; ++*ret_characters)
        if (utf8_is_control(utf8_next(&at, end)))
            return false;
    return true;
}

static int check_text(bool udp, const char *s, size_t len)
{
    size_t characters;

    if (!is_text(s, len, &characters))
        return -ROOST_BAD_TEXT;
    return (udp && characters > TALK_CHARACTERS_MAX) || len > TALK_TEXT_MAX ? -ROOST_TOO_LONG : 0;
}

static int decode(struct message *ret, const uint8_t *bytes, size_t len)
{
    struct message m = { 0 };
    struct unpack p;

    if (!unpack_begin(&p, bytes, len))
        return -ROOST_MALFORMED;
    m.kind = (enum kind)unpack_number(&p, 1);
    m.session = (uint32_t)unpack_number(&p, 4);
    if (m.kind == TEXT || m.kind == ACK)
        m.number = (uint32_t)unpack_number(&p, 4);
    if (m.kind == TEXT) {
        m.len = (size_t)(p.end - p.at);
        m.text = (const char *)unpack_bytes(&p, m.len);
        p.bad |= !m.text || check_text(true, m.text, m.len);
    }
    if (p.bad || p.at != p.end || m.kind < HELLO || m.kind >= KINDS || !m.session)
        return -ROOST_MALFORMED;
    *ret = m;
    return 0;
}

static size_t encode(const struct message *m, uint8_t ret[static TALK_OUT_MAX])
{
    struct pack p = { ret, ret + TALK_OUT_MAX, false };

    pack_number(&p, m->kind, 1);
    pack_number(&p, m->session, 4);
    if (m->kind == TEXT || m->kind == ACK)
        pack_number(&p, m->number, 4);
    if (m->kind == TEXT)
        pack_bytes(&p, m->text, m->len);
    return pack_end(&p, ret);
}

void talk_describe(bool udp, const uint8_t *bytes, size_t len, char ret[static 256])
{
    static const char *const names[] = { "?", "HELLO", "WELCOME", "TEXT", "ACK", "BYE", "BUSY" };
    struct message m;

    if (!udp && len == 1 && bytes[0] == EOT)
        snprintf(ret, 256, "goodbye (EOT)");
    else if (!udp)
        snprintf(ret, 256, "%.*s", (int)(len < 200 ? len : 200), (const char *)bytes);
    else if (decode(&m, bytes, len))
        snprintf(ret, 256, "damaged, %zu bytes", len);
    else if (m.kind == TEXT)
        snprintf(ret, 256, "TEXT %u: %.*s", m.number, (int)(m.len < 200 ? m.len : 200), m.text);
    else if (m.kind == ACK)
        snprintf(ret, 256, "ACK %u", m.number);
    else
        snprintf(ret, 256, "%s", names[m.kind]);
}

/* --- what this side does --------------------------------------------------------------------- */

void talk_init(struct talk *t, bool udp, bool calls, uint32_t session)
{
    *t = (struct talk){ .state = calls ? TALK_CALLS : TALK_WAITS,
                        .udp = udp,
                        .session = calls ? session : 0,
                        .turn = true };
}

void talk_connected(struct talk *t)
{
    if (!t->udp)
        t->state = TALK_TALKS;
}

bool talk_may_say(const struct talk *t)
{
    return t->state == TALK_TALKS && t->turn && !t->pending;
}

int talk_say(struct talk *t, const char *text, size_t len)
{
    int err = check_text(t->udp, text, len);

    if (err)
        return err;
    if (!talk_may_say(t))
        return -ROOST_BUSY;
    memcpy(t->text, text, len);
    t->text[len] = 0;
    t->pending = true;
    t->turn = false;
    t->tries = 0;
    t->said++;
    return 0;
}

void talk_bye(struct talk *t)
{
    bool talked = t->state == TALK_TALKS;

    t->state = talked ? TALK_LEAVES : TALK_OVER;
    t->tries = 0;
}

/* --- what is heard --------------------------------------------------------------------------- */

static enum talk_news on_bye(struct talk *t)
{
    bool news = t->state == TALK_TALKS;

    t->was_left |= news;
    /* when both leave at once, ours may not have left yet, or may have been lost */
    t->owes_bye = t->was_left ? t->udp || news : t->state == TALK_LEAVES && (t->udp || !t->tries);
    if (t->state == TALK_TALKS || t->state == TALK_LEAVES)
        t->state = TALK_OVER;
    return news ? TALK_GOODBYE : TALK_NOTHING;
}

static enum talk_news hear_line(struct talk *t, const uint8_t *bytes, size_t len,
                                const char **ret_text, size_t *ret_len)
{
    if (len == 1 && bytes[0] == EOT)
        return on_bye(t);
    if (t->state != TALK_TALKS || !len)
        return TALK_NOTHING;
    t->turn = true;
    *ret_text = (const char *)bytes;
    *ret_len = len;
    return TALK_TEXT;
}

/* HELLO, at the side that waits: the first is the one. */
static enum talk_news on_hello(struct talk *t, uint32_t session)
{
    bool first = t->state == TALK_WAITS;

    if (first) {
        t->state = TALK_TALKS;
        t->session = session;
    }
    if (session == t->session) {
        t->owes_welcome = true; /* again, if it was lost */
    } else {
        t->owes_busy = true;
        t->busy = session;
    }
    return first ? TALK_BEGUN : TALK_NOTHING;
}

static enum talk_news on_text(struct talk *t, const struct message *m, const char **ret_text,
                              size_t *ret_len)
{
    if (m->number > t->heard + 1 || (t->state != TALK_TALKS && t->state != TALK_LEAVES))
        return TALK_NOTHING;
    t->owes_ack = true;
    t->ack = m->number;
    if (m->number <= t->heard)
        return TALK_NOTHING; /* our ACK was lost */
    t->heard++;
    t->turn = true;
    *ret_text = m->text;
    *ret_len = m->len;
    return TALK_TEXT;
}

enum talk_news talk_hear(struct talk *t, const uint8_t *bytes, size_t len, const char **ret_text,
                         size_t *ret_len)
{
    struct message m;

    if (!t->udp)
        return hear_line(t, bytes, len, ret_text, ret_len);
    if (decode(&m, bytes, len))
        return TALK_NOTHING;
    if (m.kind == HELLO)
        return t->state == TALK_CALLS ? TALK_NOTHING : on_hello(t, m.session);
    if (m.session != t->session)
        return TALK_NOTHING;
    if (m.kind == WELCOME && t->state == TALK_CALLS) {
        t->state = TALK_TALKS;
        t->tries = 0;
        return TALK_BEGUN;
    }
    if (m.kind == BUSY && t->state == TALK_CALLS) {
        t->state = TALK_LOST;
        return TALK_BUSY;
    }
    if (m.kind == TEXT)
        return on_text(t, &m, ret_text, ret_len);
    if (m.kind == ACK && t->pending && m.number == t->said)
        t->pending = false;
    return m.kind == BYE && t->state != TALK_CALLS ? on_bye(t) : TALK_NOTHING;
}

/* --- what is said ------------------------------------------------------------------------------
 */

static int64_t again_us(const struct talk *t)
{
    unsigned doubled = t->tries < 4 ? t->tries - 1 : 3;

    return t->tries ? t->sent_us + ((int64_t)TALK_AGAIN_US << doubled) : 0;
}

/* Answers leave at once. */
static size_t next_answer(struct talk *t, uint8_t *ret)
{
    struct message m = { .session = t->session };

    if (t->owes_busy) {
        t->owes_busy = false;
        m = (struct message){ .kind = BUSY, .session = t->busy };
    } else if (t->owes_welcome) {
        t->owes_welcome = false;
        m.kind = WELCOME;
    } else if (t->owes_ack) {
        t->owes_ack = false;
        m.kind = ACK;
        m.number = t->ack;
    } else if (t->owes_bye) {
        t->owes_bye = false;
        m.kind = BYE;
    }
    return m.kind ? encode(&m, ret) : 0;
}

static size_t next_line(struct talk *t, int64_t now_us, uint8_t *ret)
{
    if (t->state == TALK_LEAVES && t->tries && now_us >= t->sent_us + TALK_PATIENCE_US)
        t->state = TALK_OVER; /* it does not say goodbye */
    if (t->pending) {
        t->pending = false;
        size_t len = strlen(t->text);
        memcpy(ret, t->text, len);
        return len;
    }
    if (!t->owes_bye && (t->state != TALK_LEAVES || t->tries))
        return 0;
    t->owes_bye = false;
    t->tries = 1; /* nothing is lost: once is enough */
    t->sent_us = now_us;
    ret[0] = EOT;
    return 1;
}

static enum kind repeats(const struct talk *t)
{
    if (t->state == TALK_CALLS)
        return HELLO;
    if (t->state == TALK_LEAVES)
        return BYE;
    return t->state == TALK_TALKS && t->pending ? TEXT : 0;
}

size_t talk_next(struct talk *t, int64_t now_us, uint8_t ret[static TALK_OUT_MAX])
{
    struct message m = { repeats(t), t->session, t->said, t->text, strlen(t->text) };

    if (!t->udp)
        return next_line(t, now_us, ret);
    size_t n = next_answer(t, ret);
    if (n || !m.kind || now_us < again_us(t))
        return n;
    if (t->tries == (m.kind == BYE ? TALK_BYE_TRIES : TALK_TRIES)) {
        t->state = m.kind == BYE ? TALK_OVER : TALK_LOST; /* it was said; that is all one can do */
        return 0;
    }
    t->tries++;
    t->sent_us = now_us;
    return encode(&m, ret);
}

int64_t talk_deadline_us(const struct talk *t)
{
    if (t->owes_welcome || t->owes_ack || t->owes_bye || t->owes_busy)
        return 0;
    if (t->udp)
        return repeats(t) ? again_us(t) : INT64_MAX;
    if (t->pending || (t->state == TALK_LEAVES && !t->tries))
        return 0;
    return t->state == TALK_LEAVES ? t->sent_us + TALK_PATIENCE_US : INT64_MAX;
}
