/* chat.c - the chat's life: its loop, and what an entered line does. */
#include "cli/chat.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/chat_in.h"
#include "cli/chat_slash.h"
#include "cli/text.h"

static volatile sig_atomic_t resized, interrupted, ended;

/* --- lines --- */

static void help(struct chat *chat, const char *about)
{
    struct buf *out = &chat->c->out;

    if (*about) {
        const char *words[4], *argv[4];
        char *copy = strdup(about + (*about == '/')), *p = copy, *word;
        struct cli_args a = { .words = words };
        size_t n = 0;
        while (p && n < 3 && (word = cli_word(&p)))
            argv[n++] = word;
        a.n_words = n;
        memcpy(words, argv, n * sizeof *argv);
        cmd_help(chat->c, &a);
        free(copy);
        return;
    }
    cli_flush(chat->c);
    for (size_t i = 0; slash_name(i); i++)
        if (slash_help(i))
            buf_printf(out, "  %s\n", slash_help(i));
    buf_puts(out,
             "Every command of roost works too, with a / before it: /who, /rooms, /read #room\n"
             "--last 50, /room new NAME USER…, /edit ID TEXT; /help room new explains one.\n"
             "Tab completes names, rooms and commands. A line that begins with // is said.\n");
    if (chat->classic)
        buf_puts(out, "BCM SRB SRM RDM UPD ATU OUT are commands without a / too.\n");
    cmd_flush_help(chat->c);
}

/* It takes a while, and one goes on typing. */
static int ping(struct chat *chat, const struct cli_args *a)
{
    unsigned long long count;
    int status = cmd_ping_count(chat->c, a, &count);

    return status ? status : ask_ping(chat, count);
}

/* Nothing of an earlier line is still to come. */
static bool all_done(const struct chat *chat)
{
    return chat_all_said(chat) && ask_is_done(chat);
}

static int run_command(struct chat *chat, struct slash *s)
{
    const char *words[SLASH_WORDS_MAX];
    struct buf wrong = { 0 }, advice = { 0 };
    struct cli *c = chat->c;
    struct cli_args a;
    int status;

    int err = cli_parse(cli_commands, cli_n_commands, (int)s->n, s->argv, &a, words, &wrong,
                        &advice);
    if (err)
        status = cli_usage(c, buf_str(&wrong), "/help lists the commands");
    else if (a.help)
        cmd_print_help(c, &a), status = CLI_OK;
    else if (a.version || a.server || a.user || a.home || a.json || a.password_file || a.accept)
        status = cli_usage(c, "this option cannot be used in the chat", "leave it out");
    else if (a.command->no_chat)
        status = cli_usage(c, "this command cannot be used in the chat",
                           "leave with /quit, or use another terminal");
    else if (a.command->run == cmd_ping)
        status = ping(chat, &a);
    else if (a.command->run == cmd_send)
        status = file_send(chat, &a);
    else if ((a.command->run == cmd_get || a.command->run == cmd_accept) && !cmd_accept_stands(&a))
        status = file_get(chat, &a);
    else
        status = a.command->run(c, &a);
    buf_fini(&wrong);
    buf_fini(&advice);
    return status;
}

static void after_command(struct chat *chat, const struct slash *s, int status)
{
    bool room = !status && s->n > 2 && !strcmp(s->argv[0], "room");

    if (room && !strcmp(s->argv[1], "join")) {
        chat_drain(chat); /* the room becomes known */
        if (cli_rooms(chat->c) == CLI_OK)
            chat_go(chat, s->argv[2]);
    } else if (room && !strcmp(s->argv[1], "new")) {
        cli_rooms(chat->c);
    }
}

static void log_out(struct chat *chat)
{
    struct roost_event e;
    chat->status = cli_call(chat->c, roost_session_logout(chat->c->r), &e);
    if (!chat->status)
        cli_say(chat->c, "Logged out.");
    chat->quit = true;
}

void chat_line(struct chat *chat, const char *line)
{
    struct arena arena;
    struct slash s;
    char fresh[40];
    int status = CLI_OK;

    snprintf(fresh, sizeof fresh, "room-%llx", (unsigned long long)cli_now_ms());
    struct slash_place place = { .table = cli_commands,
                                 .n_table = cli_n_commands,
                                 .target = chat->target,
                                 .fresh_name = fresh,
                                 .classic = chat->classic };
    arena_init(&arena, 0);
    if (slash_parse(&arena, &place, line, &s)) {
        cli_fail(chat->c, CLI_REFUSED, "out of memory", "try again");
        arena_fini(&arena);
        return;
    }
    switch (s.kind) {
    case SLASH_SAY:
        line_wipe_typed(&chat->line, line);
        chat_say(chat, s.text);
        break;
    case SLASH_COMMAND:
        status = run_command(chat, &s);
        after_command(chat, &s, status);
        break;
    case SLASH_GO:
        status = chat_go(chat, s.text);
        break;
    case SLASH_HELP:
        help(chat, s.text);
        break;
    case SLASH_QUIT:
        chat->quit = true;
        break;
    case SLASH_OUT:
        log_out(chat);
        break;
    case SLASH_WRONG:
        status = cli_usage(chat->c, s.wrong, s.advice);
        break;
    case SLASH_NOTHING:
        break;
    }
    if (chat->line.plain && !chat->status)
        chat->status = status; /* nobody sees it, so the program must */
    arena_fini(&arena);
}

static void on_line(void *arg, const char *line)
{
    struct chat *chat = arg;

    if (line)
        chat_line(chat, line);
    else
        chat->quit = true;
}

static void on_drain(void *arg)
{
    chat_drain(arg);
}

/* --- the loop --- */

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

void chat_drain(struct chat *chat)
{
    struct roost_event e;
    int over = 0;

    while (!over && roost_next(chat->c->r, &e))
        over = chat_event(chat, &e);
    cli_flush(chat->c);
    if (over && !chat->quit)
        chat->quit = true;
    if (over)
        chat->status = over - 1;
}

static int timeout_ms(const struct chat *chat)
{
    int64_t ms = roost_deadline_ms(chat->c->r);

    if (chat->typing) {
        int64_t left = chat->typing_until_ms - cli_now_us() / 1000;
        left = left < 0 ? 0 : left;
        ms = ms < 0 || left < ms ? left : ms;
    }
    int64_t again = say_deadline_ms(chat), ask = ask_deadline_ms(chat);
    again = ask < again ? ask : again;
    if (again != INT64_MAX) {
        int64_t left = again - cli_now_us() / 1000;
        left = left < 0 ? 0 : left;
        ms = ms < 0 || left < ms ? left : ms;
    }
    return ms < 0 ? -1 : ms > 60000 ? 60000 : (int)ms;
}

static void tell_typing(struct chat *chat)
{
    int64_t now_ms = cli_now_us() / 1000;

    if (!line_is_words() || !*chat->target || !strcmp(chat->target, "*") || chat->lost ||
        now_ms - chat->typing_sent_ms < TYPING_SENT_MS)
        return;
    chat->typing_sent_ms = now_ms;
    int64_t request = roost_people_typing(chat->c->r, chat->target);
    if (request > 0)
        roost_cancel(chat->c->r, request); /* nobody wants its answer */
}

static void expire_typing(struct chat *chat)
{
    if (!chat->typing || cli_now_us() / 1000 < chat->typing_until_ms)
        return;
    free(chat->typing);
    chat->typing = NULL;
    line_prompt(&chat->line);
}

static void resize(struct chat *chat)
{
    line_resize(&chat->line);
    chat->show.columns = chat->c->columns;
}

static void on_flags(struct chat *chat)
{
    if (resized && !chat->line.plain)
        resize(chat);
    if (interrupted && !chat->line.plain)
        line_drop(&chat->line);
    if (ended || (interrupted && chat->line.plain))
        chat->quit = true;
    resized = interrupted = 0;
}

/* Lines are taken as fast as the server acknowledges: none is dropped. */
static void take_lines(struct chat *chat)
{
    char *line;

    while (!chat->quit && all_done(chat) && (line = lines_next(&chat->lines))) {
        chat_line(chat, line);
        free(line);
    }
    if (lines_over(&chat->lines) && all_done(chat) && file_is_done(chat))
        chat->quit = true;
}

static void turn(struct chat *chat)
{
    struct roost *r = chat->c->r;
    int wants = roost_wants(r), fd = roost_fd(r);
    struct pollfd fds[2] = {
        { .fd = chat->line.plain && !lines_want(&chat->lines) ? -1 : STDIN_FILENO,
          .events = POLLIN },
        { .fd = fd,
          .events = (short)((wants & ROOST_READ ? POLLIN : 0) |
                            (wants & ROOST_WRITE ? POLLOUT : 0)) },
    };
    int n = poll(fds, 2, timeout_ms(chat));

    on_flags(chat);
    roost_process(r);
    chat_drain(chat);
    expire_typing(chat);
    say_expire(chat);
    ask_expire(chat);
    bool typed = n > 0 && fds[0].revents && !chat->quit;
    if (chat->line.plain) {
        if (typed)
            lines_read(&chat->lines);
        take_lines(chat);
    } else if (typed) {
        line_key();
        if (!chat->quit)
            tell_typing(chat);
    }
}

/* --- life --- */

static void greet(struct chat *chat, const char *where)
{
    struct cli *c = chat->c;
    struct buf b = { 0 };

    cli_say(c, "You are %s on %s. /help explains, /quit leaves.", c->name, roost_server(c->r));
    people_load(chat);
    for (size_t i = 0; i < c->rooms.n; i++) {
        const struct room_entry *e = &c->rooms.list[i];
        if (!e->unread)
            continue;
        buf_printf(&b, "%s%u in ", b.len ? ", " : "", (unsigned)e->unread);
        rooms_label(&c->rooms, e->room, &b);
    }
    if (b.len)
        cli_say(c, "Unread: %s.", buf_str(&b));
    buf_fini(&b);
    if (where)
        chat->status = chat_go(chat, where);
    else
        chat_go(chat, "*");
    cli_flush(c);
}

static void close_chat(struct chat *chat)
{
    people_free(chat);
    free(chat->target);
    free(chat->typing);
    lines_fini(&chat->lines);
}

int chat_main(struct cli *c, const struct cli_args *a)
{
    struct chat chat = {
        .c = c,
        .show = cmd_show(c),
        .target = strdup(""),
        .classic = args_has(a, "classic"),
    };

    chat.line = (struct line){
        .c = c,
        .arg = &chat,
        .prompt = chat_prompt,
        .complete = chat_complete,
        .entered = on_line,
        .drain = on_drain,
        .history = "history",
        .plain = c->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO),
    };

    moving_init(&chat.moving, c);
    if (!chat.target)
        return CLI_REFUSED;
    int status = cli_rooms(c);
    if (!status)
        status = live_follow(c, NULL, true);
    if (status) {
        free(chat.target);
        return status;
    }
    c->line = &chat.line;
    catch_signals();
    greet(&chat, a->n_words ? a->words[0] : NULL);
    if (!chat.line.plain)
        line_start(&chat.line);
    while (!chat.quit)
        turn(&chat);
    if (!chat.line.plain)
        line_stop(&chat.line);
    say_close(&chat);
    file_close(&chat);
    c->line = NULL;
    close_chat(&chat);
    return chat.status;
}
