#include "cli/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/json.h"
#include "cli/line.h"
#include "cli/meet_explain.h"
#include "cli/text.h"
#include "cli/when.h"

/* A single command gives up when a lost connection does not come back so long. */
enum { PATIENCE_MS = 15000 };

void cli_fini(struct cli *c)
{
    roost_close(c->r);
    rooms_fini(&c->rooms);
    buf_fini(&c->out);
    free(c->name);
    *c = (struct cli){ 0 };
}

int64_t cli_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t cli_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void cli_pause_ms(struct cli *c, int64_t ms)
{
    int64_t end = cli_now_us() + ms * 1000, left;
    struct roost_event e;

    while ((left = end - cli_now_us()) > 0 && roost_wait(c->r, left / 1000 + 1) >= 0)
        if (c->line)
            line_drain(c->line);
        else
            while (roost_next(c->r, &e))
                continue;
}

int32_t cli_zone_s(int64_t at_ms)
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;
    return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

/* --- output --- */

void cli_flush(struct cli *c)
{
    if (c->line) {
        line_print(c->line, &c->out);
    } else if (c->out.len) {
        fwrite(c->out.p, 1, c->out.len, stdout);
        fflush(stdout);
    }
    buf_clear(&c->out);
}

void cli_say(struct cli *c, const char *format, ...)
{
    va_list ap;

    if (c->json)
        return;
    va_start(ap, format);
    struct buf b = { 0 };
    buf_vprintf(&b, format, ap);
    text_clean(&c->out, buf_str(&b), TEXT_ONE_LINE);
    buf_putc(&c->out, '\n');
    buf_fini(&b);
    va_end(ap);
    cli_flush(c);
}

const char *cli_style(const struct cli *c, const char *style)
{
    return c->colour ? style : "";
}

static void put_error(struct cli *c, const char *wrong, const char *advice)
{
    struct buf b = { 0 };

    buf_printf(&b, "%s%s", c->line ? "" : "roost: ", cli_style(c, "\033[31m"));
    text_clean(&b, wrong, TEXT_ONE_LINE);
    buf_puts(&b, cli_style(c, STYLE_OFF));
    if (*advice) {
        buf_puts(&b, c->line ? "\n  " : "\n       ");
        text_clean(&b, advice, TEXT_ONE_LINE);
    }
    buf_putc(&b, '\n');
    if (c->line)
        line_print(c->line, &b);
    else
        fputs(buf_str(&b), stderr);
    buf_fini(&b);
}

static int fail(struct cli *c, int status, const struct roost_error *e)
{
    c->error = e->code;
    cli_flush(c);
    if (!c->json) {
        put_error(c, e->text, e->advice);
        return status;
    }
    struct json j;
    json_begin(&j, &c->out);
    json_str(&j, "event", "error");
    json_u64(&j, "code", (uint64_t)e->code);
    json_str(&j, "name", e->name);
    json_str(&j, "text", e->text);
    json_str(&j, "advice", e->advice);
    json_u64(&j, "retry_after_ms", e->retry_after_ms);
    json_u64(&j, "status", (uint64_t)status);
    json_end(&j);
    cli_flush(c);
    return status;
}

int cli_fail(struct cli *c, int status, const char *wrong, const char *advice)
{
    static const char *const names[] = {
        "ok", "refused", "usage", "unreachable", "login", "blocked"
    };
    struct roost_error e = { 0, names[status], wrong, advice, 0 };
    return fail(c, status, &e);
}

int cli_usage(struct cli *c, const char *wrong, const char *advice)
{
    return cli_fail(c, CLI_USAGE, wrong, advice);
}

static int status_of(int code)
{
    switch (code) {
    case ROOST_E_LOGIN_NEEDED:
    case ROOST_E_LOGIN_WRONG:
    case ROOST_E_SESSION_OVER:
    case ROOST_E_ACCOUNT_GONE:
        return CLI_LOGIN_WRONG;
    case ROOST_E_BLOCKED:
    case ROOST_E_GUESSES:
        return CLI_BLOCKED;
    case ROOST_E_TIMEOUT:
    case ROOST_E_CLOSED:
    case ROOST_E_SHUTTING_DOWN:
    case ROOST_E_UNTRUSTED:
    case ROOST_E_STRANGER:
    case ROOST_E_MALFORMED:
        return CLI_UNREACHABLE;
    default:
        return CLI_REFUSED;
    }
}

struct roost_error cli_fit(const struct cli *c, const struct roost_error *e, struct buf *text,
                           struct buf *advice)
{
    struct roost_error fit = *e;

    if (!c->tried || !meet_explain(e->code, c->tried, text, advice)) {
        buf_puts(text, e->text);
        if (e->code == ROOST_E_NAME_BAD && c->guest)
            buf_puts(advice, MEET_NAME_ADVICE);
        else if (e->code == ROOST_E_GUESSES && c->account && !c->guest)
            buf_puts(advice, "use the link of the meeting, or wait");
        else
            buf_puts(advice, e->advice);
    }
    fit.text = buf_str(text);
    fit.advice = buf_str(advice);
    return fit;
}

int cli_fail_error(struct cli *c, const struct roost_error *e, const char *detail)
{
    struct buf text = { 0 }, advice = { 0 };

    cli_fit(c, e, &text, &advice);
    if (detail && *detail)
        buf_printf(&text, ": %s", detail);
    if (e->retry_after_ms) {
        buf_puts(&advice, " (");
        when_span(&advice, (int64_t)e->retry_after_ms + 999);
        buf_puts(&advice, ")");
    }
    struct roost_error full = *e;
    full.text = buf_str(&text);
    full.advice = buf_str(&advice);
    int status = fail(c, status_of(e->code), &full);
    buf_fini(&text);
    buf_fini(&advice);
    return status;
}

/* --- connection --- */

void cli_on_status(struct cli *c, const struct roost_status *s)
{
    if (s->state != ROOST_READY)
        return;
    c->account = s->account;
    c->session = s->session;
    c->role = s->role;
    free(c->name);
    c->name = strdup(s->name);
}

static int fail_changed_certificate(struct cli *c, const struct roost_trust *t)
{
    struct buf wrong = { 0 }, advice = { 0 };

    if (t->pinned) {
        buf_printf(&wrong,
                   "THE CERTIFICATE OF %s HAS CHANGED: it was %s and is now %s; "
                   "somebody may be listening in",
                   t->server, t->pinned, t->fingerprint);
        buf_printf(&advice,
                   "ask who runs the server; if the new one is right: "
                   "roost --accept-certificate %s …  (the certificates that it knows are in %s)",
                   t->fingerprint, t->pin_file);
    } else {
        buf_printf(&wrong, "the certificate of %s was not accepted", t->server);
        buf_puts(&advice, "compare the fingerprint with the one the server shows when it starts");
    }
    struct roost_error e = roost_error_get(ROOST_E_UNTRUSTED);
    e.text = buf_str(&wrong);
    e.advice = buf_str(&advice);
    int status = fail(c, CLI_UNREACHABLE, &e);
    buf_fini(&wrong);
    buf_fini(&advice);
    return status;
}

static int fail_unreachable(struct cli *c, const struct roost_error *e, const char *detail)
{
    struct buf wrong = { 0 };
    const char *advice = "check -s HOST[:PORT], and that roostd runs there; "
                         "roost discover shows the servers nearby";

    if (e->code == ROOST_E_MALFORMED) {
        buf_printf(&wrong, "%s sends what this roost does not understand", roost_server(c->r));
        advice = "check -s HOST[:PORT]; if roostd runs there, update the older of the two";
    } else {
        buf_printf(&wrong, "cannot reach %s: %s", roost_server(c->r), *detail ? detail : e->text);
    }
    int status = cli_fail(c, CLI_UNREACHABLE, buf_str(&wrong), advice);
    buf_fini(&wrong);
    return status;
}

static int fail_over(struct cli *c, const struct roost_status *s)
{
    if (s->trust)
        return fail_changed_certificate(c, s->trust);
    if (status_of(s->error.code) != CLI_UNREACHABLE && s->error.code != ROOST_E_IO)
        return cli_fail_error(c, &s->error, s->detail);
    return fail_unreachable(c, &s->error, s->detail);
}

/* Until connected and resumed, or until that cannot be. */
static int wait_ready(struct cli *c, enum cli_open_how how, bool *ret_login)
{
    struct roost_event e;
    int n;

    while ((n = roost_wait(c->r, -1)) >= 0)
        while (roost_next(c->r, &e)) {
            if (e.kind != ROOST_STATUS)
                continue;
            switch (e.status.state) {
            case ROOST_READY:
                cli_on_status(c, &e.status);
                return 0;
            case ROOST_LOGIN:
                *ret_login = how == CLI_RESUME;
                return 0;
            case ROOST_OVER:
                return fail_over(c, &e.status);
            default:
                break;
            }
        }
    struct roost_error error = roost_error_get(n);
    return cli_fail_error(c, &error, NULL);
}

static int log_in_unasked(struct cli *c)
{
    const char *name = c->user;

    if (!name || !ask_has_password(c)) {
        struct roost_error e = roost_error_get(ROOST_E_LOGIN_NEEDED);
        return cli_fail_error(c, &e, NULL);
    }
    char *password = ask_password(c, "");
    int status = password ? cli_login(c, name, password) : CLI_USAGE;
    ask_forget(password);
    return status;
}

void cli_close(struct cli *c)
{
    roost_close(c->r);
    c->r = NULL;
    c->account = 0;
}

int cli_open(struct cli *c, enum cli_open_how how, const char *user)
{
    struct roost_options o = {
        .server = c->server,
        .user = user ? user : c->user,
        .guest = c->guest,
        .home = c->home,
        .program = "roost " ROOST_RELEASE,
        .no_resume = how == CLI_FRESH,
        .once = true,
        .patience_ms = c->patient ? 0 : PATIENCE_MS,
        .accept_fingerprint = c->accept,
        .trust = ask_trust,
        .trust_arg = c,
        .pcap = c->pcap,
        .key_log = c->key_log,
        .link = c->link,
    };
    bool login = false;
    int err = roost_open(&c->r, &o);

    if (err == -ROOST_E_INVALID && !c->server && !c->link)
        return cli_usage(c, "no server is known yet",
                         "say which with -s HOST[:PORT] or ROOST_SERVER; "
                         "roost discover shows those nearby");
    if (err) {
        struct roost_error e = roost_error_get(err);
        return cli_fail(c, err == -ROOST_E_INVALID ? CLI_USAGE : CLI_REFUSED, roost_problem(),
                        e.advice);
    }
    int status = wait_ready(c, how, &login);
    return status || !login ? status : log_in_unasked(c);
}

/* 1 with the answer in *ret, or an error. */
static int await_answer(struct cli *c, int64_t request, struct roost_event *ret)
{
    int n = request < 0 ? (int)request : roost_await(c->r, request, ret, -1);

    while (n == 0 || (n == -ROOST_E_LIMIT && c->line && request > 0)) {
        if (n)
            line_drain(c->line); /* so much else came meanwhile: show it first */
        n = roost_await(c->r, request, ret, -1);
    }
    return n;
}

static int judge(struct cli *c, int64_t request, int n, const struct roost_event *answer)
{
    if (n > 0 && answer->kind == ROOST_REPLY)
        return CLI_OK;

    struct roost_error e = n < 0 ? roost_error_get(n) : answer->error;
    if (n == -ROOST_E_INVALID && request < 0)
        return cli_fail(c, CLI_USAGE, "a name, number or text in this command cannot be used",
                        "--help shows how it is written");
    if (e.code == ROOST_E_MALFORMED)
        return fail_unreachable(c, &e, "");
    return cli_fail_error(c, &e, NULL);
}

int cli_call(struct cli *c, int64_t request, struct roost_event *ret)
{
    *ret = (struct roost_event){ 0 };
    int n = await_answer(c, request, ret);

    return judge(c, request, n, ret);
}

bool cli_too_fast(struct cli *c, int64_t request, struct roost_event *ret, int *ret_status,
                  int64_t *ret_wait_ms)
{
    enum { WAIT_MS = 1000 }; /* when the server does not say how long */
    int n = await_answer(c, request, ret);

    if (n > 0 && ret->kind == ROOST_REFUSED && ret->error.code == ROOST_E_TOO_FAST) {
        *ret_wait_ms = ret->error.retry_after_ms ? (int64_t)ret->error.retry_after_ms : WAIT_MS;
        return true;
    }
    *ret_status = judge(c, request, n, ret);
    return false;
}

bool cli_refused(struct cli *c, int64_t request, struct roost_event *ret, int *ret_status)
{
    int n = await_answer(c, request, ret);

    if (n > 0 && ret->kind == ROOST_REFUSED)
        return true;
    *ret_status = judge(c, request, n, ret);
    return false;
}

static void put_done(struct cli *c, const char *command, const struct roost_reply *r)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "done");
    json_str(&j, "command", command);
    if (r->done.room && r->done.seq)
        json_id(&j, "id", r->done.room, r->done.seq);
    else
        json_null(&j, "id");
    if (r->done.room)
        json_u64(&j, "room", r->done.room);
    else
        json_null(&j, "room");
    if (r->done.account)
        json_u64(&j, "account", r->done.account);
    else
        json_null(&j, "account");
    json_time(&j, "at", (int64_t)r->done.at_ms);
    json_end(&j);
}

static void did(struct cli *c, const struct roost_reply *r, const char *command, const char *format,
                va_list ap)
{
    if (c->json) {
        put_done(c, command, r);
    } else {
        struct buf b = { 0 };
        buf_vprintf(&b, format, ap);
        text_clean(&c->out, buf_str(&b), TEXT_ONE_LINE);
        if (b.len)
            buf_putc(&c->out, '\n');
        buf_fini(&b);
    }
    cli_flush(c);
}

void cli_did(struct cli *c, const struct roost_reply *r, const char *command, const char *format,
             ...)
{
    va_list ap;

    va_start(ap, format);
    did(c, r, command, format, ap);
    va_end(ap);
}

int cli_do(struct cli *c, int64_t request, const char *command, const char *format, ...)
{
    struct roost_event e;
    va_list ap;
    int status = cli_call(c, request, &e);

    if (status)
        return status;
    va_start(ap, format);
    did(c, &e.reply, command, format, ap);
    va_end(ap);
    return CLI_OK;
}

int cli_login(struct cli *c, const char *name, const char *password)
{
    struct roost_event e;
    int status = cli_call(c, roost_session_login(c->r, name, password), &e);
    bool logs_private_text = false;

    if (status)
        return status;
    while (roost_next(c->r, &e))
        if (e.kind == ROOST_STATUS) {
            cli_on_status(c, &e.status);
            logs_private_text |= e.status.logs_private_text;
        }
    if (logs_private_text && !c->json)
        fputs("roost: on this server the log that admins export holds private messages too\n",
              stderr);
    return CLI_OK;
}

/* --- rooms and targets --- */

int cli_rooms(struct cli *c)
{
    struct rooms fresh = { 0 };
    struct roost_event e;
    uint64_t after = 0;

    do {
        int status = cli_call(c, roost_room_list(c->r, true, after), &e);
        if (status) {
            rooms_fini(&fresh);
            return status;
        }
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.rooms[i].room;
            rooms_put(&fresh, &e.reply.rooms[i]);
        }
    } while (e.reply.more && e.reply.n);
    rooms_fini(&c->rooms);
    c->rooms = fresh;
    c->have_rooms = true;
    return CLI_OK;
}

static char *with_mark(char mark, const char *word)
{
    size_t len = strlen(word);
    char *s = malloc(len + 2);

    if (s) {
        s[0] = mark;
        memcpy(s + 1, word, len + 1);
    }
    return s;
}

static bool is_number(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s);
}

char *cli_target(const char *word, bool everyone)
{
    if (everyone || !strcmp(word, "*") || !strcmp(word, "--everyone"))
        return strdup("*");
    if (*word == '#' || *word == '@' || is_number(word))
        return strdup(word);
    return with_mark('#', word);
}

char *cli_room_target(const char *word)
{
    return *word == '#' || *word == '*' || is_number(word) ? strdup(word) : with_mark('#', word);
}
