/* lab pair: two talk by turns (talk.h). The keyboard is not read while the reply is awaited; so
 * what is typed ahead waits, and what comes from a pipe goes line by line. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "lab/classics/desk.h"
#include "lab/classics/talk.h"

#define LINGER_US 1000000 /* our goodbye may be lost, and asked for again */

struct pair {
    struct desk d;
    struct talk talk;
    size_t peer;                    /* whom we talk to; DESK_PEERS_MAX: nobody yet */
    bool begun, left, ours, waited; /* left: a goodbye was heard or said; ours: we said it */
    int64_t over_us;
};

static void describe_lines(const uint8_t *bytes, size_t len, char ret[static DESK_WHAT_MAX])
{
    talk_describe(false, bytes, len, ret);
}

static void describe_datagrams(const uint8_t *bytes, size_t len, char ret[static DESK_WHAT_MAX])
{
    talk_describe(true, bytes, len, ret);
}

static void tell(struct pair *p, const char *event, const char *text)
{
    struct json j;

    if (p->d.c->json) {
        desk_json(&p->d, &j, event);
        json_str(&j, "text", text);
        desk_json_end(&p->d, &j);
    } else if (!strcmp(event, "message")) {
        desk_say(&p->d, "%s%s", p->d.c->columns ? "< " : "", text); /* beside what is typed */
    } else {
        desk_note(&p->d, "%s", text);
    }
}

static void begin(struct pair *p, size_t peer)
{
    char who[ADDRESS_TEXT_MAX], text[ADDRESS_TEXT_MAX + 80];

    p->peer = peer;
    p->begun = true;
    desk_name(&p->d, peer, who);
    snprintf(text, sizeof text,
             "%s is there; after each message wait for the reply; Ctrl+C says goodbye", who);
    tell(p, "begun", text);
}

static void on_news(struct pair *p, enum talk_news news, const char *text, size_t len, size_t peer)
{
    char copy[CUT_LINE_MAX + 1];

    if (news == TALK_BEGUN) {
        begin(p, peer);
    } else if (news == TALK_TEXT) {
        snprintf(copy, sizeof copy, "%.*s", (int)len, text);
        p->waited = false;
        tell(p, "message", copy);
    } else if (news == TALK_GOODBYE) {
        p->left = true;
        tell(p, "goodbye", "the other side said goodbye; goodbye");
    }
}

static void on_message(struct pair *p, const struct desk_event *e)
{
    uint8_t out[TALK_OUT_MAX];
    const char *text = NULL;
    size_t len = 0;

    if (!p->d.is_udp && e->peer != p->peer)
        return;
    enum talk_news news = talk_hear(&p->talk, e->bytes, e->len, &text, &len);
    on_news(p, news, text, len, e->peer);
    if (e->peer == p->peer)
        return;
    if (p->talk.owes_busy && (len = talk_next(&p->talk, sleep_now_us(), out)))
        desk_send(&p->d, e->peer, out, len); /* two talk, nobody else */
    desk_drop(&p->d, e->peer);
}

static void on_line(struct pair *p, const struct desk_event *e)
{
    int err = e->len ? talk_say(&p->talk, (const char *)e->bytes, e->len) : 0;

    if (err == -ROOST_TOO_LONG)
        tell(p, "refused",
             p->d.is_udp ? "not sent: a message has at most 1000 characters"
                         : "not sent: a message has at most 8000 bytes");
    else if (err)
        tell(p, "refused", "not sent: that is no text");
}

/* Over TCP: the end without a goodbye is a loss. */
static void on_gone(struct pair *p, const struct desk_event *e)
{
    if (e->peer != p->peer && p->d.serves)
        return;
    if (p->talk.state < TALK_LEAVES)
        p->talk.state = TALK_LOST;
    else if (p->talk.state == TALK_LEAVES)
        p->talk.state = TALK_OVER;
    if (!e->err)
        desk_finish(&p->d, e->peer);
}

static void leave(struct pair *p)
{
    if (p->talk.state == TALK_TALKS && !p->left)
        tell(p, "goodbye", "goodbye");
    p->left = p->ours = true;
    talk_bye(&p->talk);
}

static int on_event(struct pair *p, const struct desk_event *e)
{
    switch (e->kind) {
    case DESK_CAME:
        if (p->d.is_udp)
            break;
        if (p->peer != DESK_PEERS_MAX && p->d.serves) {
            desk_drop(&p->d, e->peer); /* two talk, nobody else */
            break;
        }
        talk_connected(&p->talk);
        begin(p, e->peer);
        break;
    case DESK_MESSAGE:
        on_message(p, e);
        break;
    case DESK_GONE:
        if (!p->begun && !p->d.serves)
            return desk_fail_gone(&p->d, e);
        on_gone(p, e);
        break;
    case DESK_LINE:
        on_line(p, e);
        break;
    case DESK_LINES_END:
    case DESK_STOP:
        leave(p);
        break;
    }
    return 0;
}

static void say_all(struct pair *p)
{
    uint8_t out[TALK_OUT_MAX];
    size_t n, to = p->peer == DESK_PEERS_MAX ? 0 : p->peer;

    while ((p->begun || !p->d.serves) && (n = talk_next(&p->talk, sleep_now_us(), out)))
        desk_send(&p->d, to, out, n);
}

static void watch_keys(struct pair *p)
{
    bool may = talk_may_say(&p->talk);

    desk_hold_lines(&p->d, !may);
    if (p->begun && !may && !p->waited && p->talk.state == TALK_TALKS) {
        p->waited = true;
        tell(p, "waiting", "(waiting for the reply)");
    }
}

static bool is_over(struct pair *p)
{
    if (p->talk.state < TALK_OVER)
        return false;
    if (!p->over_us)
        p->over_us = sleep_now_us() +
                     (p->d.is_udp && p->talk.state == TALK_OVER && !p->ours ? LINGER_US : 0);
    return sleep_now_us() >= p->over_us;
}

static int talk(struct pair *p)
{
    struct desk_event e;
    int status = 0;

    while (!status && !is_over(p)) {
        watch_keys(p);
        while (!status && desk_next(&p->d, &e)) {
            status = on_event(p, &e);
            say_all(p);
            watch_keys(p);
        }
        say_all(p);
        if (is_over(p) || status)
            break;
        int64_t until_us = talk_deadline_us(&p->talk);
        desk_sleep(&p->d, p->over_us && p->over_us < until_us ? p->over_us : until_us);
    }
    if (!status && p->talk.state == TALK_LOST && !p->begun)
        status = desk_fail(&p->d, CLI_UNREACHABLE,
                           "start the other side with --serve; two talk, nobody else",
                           "nobody answers, or somebody else is talking");
    else if (!status && p->talk.state == TALK_LOST)
        status = desk_fail(&p->d, CLI_UNREACHABLE,
                           "it may have been killed, or the network is down",
                           "the other side went without a goodbye");
    return status;
}

CLI_RUN(cmd_lab_pair)
{
    bool udp = args_has(a, "udp");
    const struct desk_plan plan = { true,  true,      true,
                                    false, CUT_LINES, udp ? describe_datagrams : describe_lines,
                                    NULL };
    struct pair *p = calloc(1, sizeof *p);
    uint32_t session = 0;

    if (!p)
        return CLI_REFUSED;
    int status = desk_open(&p->d, c, a, &plan);
    while (!session && getrandom(&session, sizeof session, 0) == sizeof session)
        continue;
    if (!status) {
        talk_init(&p->talk, p->d.is_udp, !p->d.serves, session);
        p->peer = p->d.serves || !p->d.is_udp ? DESK_PEERS_MAX : 0;
        status = talk(p);
    }
    desk_close(&p->d);
    free(p);
    return status;
}
