/* chat_say.c - what is said in the chat: one line after the other, each until the
 * server has it or will not have it. */
#include <stdlib.h>
#include <string.h>

#include "cli/chat_in.h"
#include "cli/json.h"
#include "cli/text.h"

static struct chat_saying *first_of(struct chat *chat)
{
    return chat->n_saying ? &chat->saying[chat->saying_at] : NULL;
}

static void drop_first(struct chat *chat)
{
    struct chat_saying *s = first_of(chat);

    free(s->target);
    free(s->text);
    *s = (struct chat_saying){ 0 };
    chat->saying_at = (chat->saying_at + 1) % CHAT_SAYING_MAX;
    chat->n_saying--;
    chat->say_request = 0;
    chat->say_again_ms = 0;
}

bool chat_all_said(const struct chat *chat)
{
    return !chat->n_saying;
}

static void not_said(struct chat *chat, const char *text)
{
    struct cli *c = chat->c;

    if (chat->line.plain && !chat->status)
        chat->status = CLI_REFUSED;
    if (c->json)
        return;
    buf_puts(&c->out, cli_style(c, STYLE_DIM));
    buf_puts(&c->out, "  not said: ");
    text_clean(&c->out, text, TEXT_ONE_LINE);
    buf_puts(&c->out, cli_style(c, STYLE_OFF));
    buf_putc(&c->out, '\n');
}

static void refused(struct chat *chat, const struct roost_error *e)
{
    cli_fail_error(chat->c, e, NULL);
    not_said(chat, first_of(chat)->text);
    drop_first(chat);
}

/* The first goes out, when nothing is under way. */
static void pump(struct chat *chat)
{
    while (chat->n_saying && !chat->say_request && !chat->say_again_ms) {
        const struct chat_saying *s = first_of(chat);
        int64_t request = roost_message_say(chat->c->r, s->target, s->text, 0, false);
        if (request > 0) {
            chat->say_request = request;
        } else {
            struct roost_error e = roost_error_get((int)request);
            refused(chat, &e);
        }
    }
}

static void tell_waiting(struct chat *chat, const struct roost_error *e)
{
    struct json j;

    if (chat->told_waiting)
        return;
    chat->told_waiting = true;
    if (!chat->c->json) {
        cli_say(chat->c, "- %s: what you say is sent more slowly", e->text);
        return;
    }
    json_begin(&j, &chat->c->out);
    json_str(&j, "event", "status");
    json_str(&j, "state", "waiting");
    json_str(&j, "text", e->text);
    json_null(&j, "detail");
    json_end(&j);
}

bool say_on_answer(struct chat *chat, const struct roost_event *e)
{
    if (!chat->say_request || e->request != chat->say_request)
        return false;
    chat->say_request = 0;
    if (e->kind != ROOST_REFUSED) {
        drop_first(chat);
    } else if (e->error.code == ROOST_E_TOO_FAST) {
        int64_t wait_ms = e->error.retry_after_ms ? (int64_t)e->error.retry_after_ms : CHAT_WAIT_MS;
        chat->say_again_ms = cli_now_us() / 1000 + wait_ms;
        tell_waiting(chat, &e->error);
    } else {
        refused(chat, &e->error);
    }
    pump(chat);
    return true;
}

int64_t say_deadline_ms(const struct chat *chat)
{
    return chat->say_again_ms ? chat->say_again_ms : INT64_MAX;
}

void say_expire(struct chat *chat)
{
    if (!chat->say_again_ms || cli_now_us() / 1000 < chat->say_again_ms)
        return;
    chat->say_again_ms = 0;
    pump(chat);
}

void chat_say(struct chat *chat, const char *text)
{
    struct chat_saying *s = &chat->saying[(chat->saying_at + chat->n_saying) % CHAT_SAYING_MAX];

    if (!*chat->target) {
        chat->status = chat->line.plain ? CLI_REFUSED : chat->status;
        cli_usage(chat->c, "you are not speaking to anybody yet",
                  "first /go #room, /go @user or /go *");
        return;
    }
    if (chat->n_saying < CHAT_SAYING_MAX)
        *s = (struct chat_saying){ strdup(chat->target), strdup(text) };
    if (chat->n_saying == CHAT_SAYING_MAX || !s->target || !s->text) {
        struct roost_error e = roost_error_get(chat->n_saying == CHAT_SAYING_MAX ? ROOST_E_LIMIT
                                                                                 : ROOST_E_NOMEM);
        if (chat->n_saying < CHAT_SAYING_MAX) {
            free(s->target);
            free(s->text);
            *s = (struct chat_saying){ 0 };
        }
        cli_fail_error(chat->c, &e, NULL);
        not_said(chat, text);
        return;
    }
    chat->n_saying++;
    pump(chat);
}

void say_close(struct chat *chat)
{
    while (chat->n_saying) {
        not_said(chat, first_of(chat)->text);
        drop_first(chat);
    }
    cli_flush(chat->c);
}
