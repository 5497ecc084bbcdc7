/* meet.c - coming into a meeting, and the loop of being in it. */
#include "cli/meet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/json.h"
#include "cli/meet_in.h"

static volatile sig_atomic_t resized, interrupted, ended;

const struct roost_ticket *meet_there(const struct meet *m)
{
    return roost_meet_get(m->c->r, m->meeting);
}

void meet_over(struct meet *m, int status, const char *reason)
{
    if (m->quit)
        return;
    m->quit = true;
    m->status = status;
    m->reason = reason;
}

/* --- coming in -------------------------------------------------------------------------- */

/* Anybody on this machine can read the words of a running command. */
static void wipe_secret(const char *word)
{
    char *secret = strchr(word, '#');

    if (secret)
        memset(secret + 1, '*', strlen(secret + 1));
}

int meet_door(struct cli *c, const struct cli_args *a, struct meet_link *ret, size_t *ret_used)
{
    size_t used = meet_link_words(a->words, a->n_words);
    char *word = cmd_join(a->words, used);
    const char *wrong = "out of memory";
    int err = word ? meet_link_parse(word, ret, &wrong) : -ROOST_E_NOMEM;

    free(word);
    wipe_secret(a->words[0]);
    if (err)
        return cli_usage(c, wrong,
                         "a code is six digits, or up to nine; a link is "
                         "https://HOST:PORT/j/CODE#SECRET, quoted for the shell");
    if (!ret_used && used < a->n_words)
        return cli_usage(c, "that is too much",
                         "one code or link; a name with spaces stands in \"quotes\"");
    if (ret_used)
        *ret_used = used;
    return CLI_OK;
}

static void pull_status(struct cli *c)
{
    struct roost_event e;

    while (roost_next(c->r, &e))
        if (e.kind == ROOST_STATUS)
            cli_on_status(c, &e.status);
}

static int open_guest(struct cli *c, const struct meet_link *door, const char *name)
{
    struct roost_event e;

    c->guest = door ? door->code : "";
    int status = cli_open(c, door ? CLI_ANY : CLI_FRESH, name);
    if (status || c->account)
        return status;
    status = cli_call(
        c, roost_guest(c->r, name, door ? door->code : NULL, door ? door->secret : NULL), &e);
    if (!status)
        pull_status(c);
    return status;
}

static char *ask_name(struct cli *c)
{
    char name[256];

    if (c->json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return NULL;
    fputs("You are not logged in here. Your name, to come as a guest: ", stderr);
    if (!fgets(name, sizeof name, stdin))
        return NULL;
    name[strcspn(name, "\n")] = 0;
    return *name ? strdup(name) : NULL;
}

static int log_in(struct cli *c)
{
    char *password = ask_password(c, "");
    int status = password ? cli_login(c, c->user, password) : CLI_USAGE;

    ask_forget(password);
    return status;
}

static int open_account(struct cli *c, const struct meet_link *door)
{
    int status = cli_open(c, CLI_ANY, NULL);

    if (status || c->account)
        return status;
    if (c->user && ask_has_password(c))
        return log_in(c);
    char *name = door ? ask_name(c) : NULL;
    if (!name)
        return cli_fail(c, CLI_LOGIN_WRONG, "you are not logged in there",
                        "roost login NAME, or come as a guest with --name NAME");
    cli_close(c);
    status = open_guest(c, door, name);
    free(name);
    return status;
}

/* A name as it is typed or pasted: without the spaces around it. */
static char *trimmed(const char *name)
{
    name += strspn(name, " \t");
    size_t n = strlen(name);
    while (n && (name[n - 1] == ' ' || name[n - 1] == '\t'))
        n--;
    return strndup(name, n);
}

int meet_open(struct cli *c, const struct cli_args *a, const struct meet_link *door,
              const char *guest)
{
    if (door && *door->server && !a->server)
        c->server = door->server;
    if (!guest)
        return open_account(c, door);
    char *name = trimmed(guest);
    int status = open_guest(c, door, name ? name : guest);
    free(name);
    return status;
}

static int open_guest_again(struct cli *c, const struct meet_link *door, const char *guest)
{
    char *name = trimmed(guest);

    c->guest = door->code;
    int status = cli_open(c, CLI_ANY, name ? name : guest);
    free(name);
    return status;
}

int meet_open_again(struct cli *c, const struct cli_args *a, const struct meet_link *door,
                    const char *guest)
{
    if (!guest)
        return meet_open(c, a, door, NULL);
    if (*door->server && !a->server)
        c->server = door->server;
    int status = open_guest_again(c, door, guest);
    if (status || c->account)
        return status;
    return cli_fail(c, CLI_LOGIN_WRONG, "no guest of this name has been in this meeting from here",
                    "roost meet join CODE --name NAME");
}

/* --- the loop ---------------------------------------------------------------------------- */

static void on_signal(int number)
{
    if (number == SIGWINCH)
        resized = 1;
    else if (number == SIGINT)
        interrupted = 1;
    else
        ended = 1;
}

static void catch_signals(void)
{
    static const int numbers[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = on_signal };

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
}

static void on_drain(void *arg)
{
    struct meet *m = arg;
    struct roost_event e;
    bool any = false;

    while (!m->quit && roost_next(m->c->r, &e)) {
        meet_event(m, &e);
        any = true;
    }
    cli_flush(m->c);
    if (any && !m->quit)
        line_prompt(&m->line);
}

static void on_line(void *arg, const char *line)
{
    struct meet *m = arg;

    if (line)
        meet_typed(m, line);
    else
        meet_leave(m); /* Ctrl+D */
}

static void on_flags(struct meet *m)
{
    if (resized && !m->line.plain) {
        line_resize(&m->line);
        m->show.columns = m->c->columns;
        line_prompt(&m->line);
    }
    if (interrupted && !m->line.plain)
        line_drop(&m->line);
    if (ended || (interrupted && m->line.plain))
        meet_over(m, CLI_OK, "stopped"); /* the place is kept for a while */
    resized = interrupted = 0;
}

static void take_lines(struct meet *m)
{
    char *line;

    while (!m->quit && m->n_asked < MEET_ASKED_MAX && !m->leaving &&
           (line = lines_next(&m->lines))) {
        meet_typed(m, line);
        free(line);
    }
    if (lines_over(&m->lines) && !m->n_asked && !meet_voice_stays(m))
        meet_leave(m);
}

/* Sound begins when one is in, which may be after a while in the lobby. */
static void on_voice(struct meet *m)
{
    int64_t before_us = m->voice.second_us;

    if (m->in && !m->voice.tried) {
        int status = meet_voice_begin(m);
        if (status)
            meet_over(m, status, "no sound");
    }
    meet_voice_turn(m);
    if (m->voice.second_us != before_us && !m->line.plain)
        line_prompt(&m->line);
}

static void turn(struct meet *m)
{
    struct roost *r = m->c->r;
    int wants = roost_wants(r);
    int64_t ms = roost_deadline_ms(r);
    struct pollfd fds[2] = {
        { .fd = m->line.plain && !lines_want(&m->lines) ? -1 : STDIN_FILENO, .events = POLLIN },
        { .fd = roost_fd(r),
          .events = (short)((wants & ROOST_READ ? POLLIN : 0) |
                            (wants & ROOST_WRITE ? POLLOUT : 0)) },
    };
    int64_t voice_us = meet_voice_due_us(m), left_us = voice_us - cli_now_us();
    if (voice_us != INT64_MAX && (ms < 0 || left_us / 1000 < ms))
        ms = left_us > 0 ? left_us / 1000 + 1 : 0;
    int n = poll(fds, 2, ms < 0 ? -1 : ms > 60000 ? 60000 : (int)ms);

    on_flags(m);
    roost_process(r);
    on_drain(m);
    if (!m->quit)
        on_voice(m);
    bool typed = n > 0 && fds[0].revents && !m->quit;
    if (m->line.plain) {
        if (typed)
            lines_read(&m->lines);
        take_lines(m);
    } else if (typed) {
        line_key();
    }
    cli_flush(m->c);
}

/* --- life --------------------------------------------------------------------------------- */

static int come_in(struct meet *m, const struct meet_link *door)
{
    struct roost_event e;

    m->join = roost_meet_join(m->c->r, door->code, door->secret, 0);
    int status = cli_call(m->c, m->join, &e);
    if (status)
        return status;
    m->meeting = e.reply.ticket.meeting.meeting;
    meet_ticket(m, &e.reply.ticket, false);
    cli_flush(m->c);
    meet_find_notes(m, 0);
    return CLI_OK;
}

static void json_over(struct meet *m)
{
    struct json j;

    json_begin(&j, &m->c->out);
    json_str(&j, "event", "over");
    json_str(&j, "reason", m->reason);
    if (m->meeting)
        json_u64(&j, "meeting", m->meeting);
    else
        json_null(&j, "meeting");
    json_u64(&j, "status", (uint64_t)m->status);
    json_end(&j);
}

static void say_goodbye(struct meet *m)
{
    if (m->c->json) {
        json_over(m);
    } else if (m->reason && !strcmp(m->reason, "ended")) {
        const struct roost_ticket *t = meet_there(m);
        cli_say(m->c, "The meeting has ended.");
        if (t && t->meeting.first_host == m->c->account && !t->you.guest)
            cli_say(m->c, "Who was there: roost meet who '#%llu' --all",
                    (unsigned long long)m->meeting);
        if (t && !t->meeting.forget_chat && !t->you.guest)
            cli_say(m->c, "What was said: roost read %llu", (unsigned long long)m->meeting);
    } else if (m->elsewhere) {
        cli_say(m->c, m->in ? "You left this meeting in another window or on another device: it is "
                              "over here too."
                            : "You gave up waiting in another window or on another device: it is "
                              "over here too.");
    } else if (m->reason && !strcmp(m->reason, "left")) {
        cli_say(m->c, m->in ? "You have left the meeting." : "You no longer wait.");
    }
    cli_flush(m->c);
}

static void stay(struct meet *m)
{
    struct cli *c = m->c;

    c->line = &m->line;
    catch_signals();
    if (!m->line.plain)
        line_start(&m->line);
    while (!m->quit)
        turn(m);
    if (!m->line.plain)
        line_stop(&m->line);
    c->line = NULL;
    say_goodbye(m);
}

static const char *why_not_in(const struct cli *c, int status)
{
    switch (c->error) {
    case ROOST_E_DENIED:
        return "denied";
    case ROOST_E_MEET_BANNED:
        return "banned";
    case ROOST_E_MEET_ENDED:
        return "ended";
    default:
        return status == CLI_UNREACHABLE ? "lost" : "refused";
    }
}

static int open_door(struct meet *m, const struct cli_args *a, struct meet_link *ret)
{
    int status = meet_door(m->c, a, ret, NULL);

    return status ? status : meet_open(m->c, a, ret, args_value(a, "name"));
}

/* Up to being in, or waiting. */
static int enter(struct meet *m, const struct cli_args *a)
{
    struct meet_link door = { 0 };
    int status = meet_voice_options(m, a);

    m->c->patient = true;
    if (!status && m->rehearsal.on)
        status = rehearsal_begin(m, a, &door);
    else if (!status)
        status = open_door(m, a, &door);
    if (status)
        return status;
    m->show = cmd_show(m->c);
    m->show.ids = false;
    return come_in(m, &door);
}

static int be_in(struct meet *m, const struct cli_args *a)
{
    struct cli *c = m->c;

    m->line = (struct line){ .c = c,
                             .arg = m,
                             .prompt = meet_prompt,
                             .panel = meet_panel,
                             .complete = meet_complete,
                             .entered = on_line,
                             .drain = on_drain,
                             .plain = c->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) };
    m->status = enter(m, a);
    if (!m->status) {
        stay(m);
    } else if (c->json) { /* the error is told already */
        m->reason = why_not_in(c, m->status);
        json_over(m);
        cli_flush(c);
    }
    meet_voice_fini(m);
    rehearsal_end(m);
    lines_fini(&m->lines);
    meet_asked_fini(m);
    return m->status;
}

int meet_main(struct cli *c, const struct cli_args *a)
{
    struct meet m = { .c = c, .reason = "stopped" };

    return be_in(&m, a);
}

int meet_verify_main(struct cli *c, const struct cli_args *a)
{
    struct meet m = { .c = c, .reason = "stopped", .voice.verifies = true };

    return be_in(&m, a);
}

int rehearse_main(struct cli *c, const struct cli_args *a)
{
    struct meet m = { .c = c, .reason = "stopped", .rehearsal.on = true };

    return be_in(&m, a);
}
