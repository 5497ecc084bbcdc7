/* chat_ask.c - what the chat asks while one types: who is on after a lost connection, and
 * how long the server takes. One of each at a time. */
#include "cli/chat_in.h"

/* --- who is on, again --- */

static void ask_people(struct chat *chat, uint64_t after)
{
    int64_t request = roost_people_who(chat->c->r, after);

    chat->people_request = request > 0 ? request : 0;
}

void ask_people_again(struct chat *chat)
{
    people_unsee(chat);
    ask_people(chat, 0);
}

static bool people_on_answer(struct chat *chat, const struct roost_event *e)
{
    if (!chat->people_request || e->request != chat->people_request)
        return false;
    chat->people_request = 0;
    if (e->kind == ROOST_REFUSED)
        return true;
    people_seen(chat, e->reply.people, e->reply.n);
    if (e->reply.more && e->reply.n)
        ask_people(chat, e->reply.people[e->reply.n - 1].account);
    else
        people_end_unseen(chat);
    return true;
}

/* --- ping --- */

static void ping_send(struct chat *chat)
{
    int64_t request = roost_ping(chat->c->r);

    chat->ping_at_ms = 0;
    chat->ping_sent_us = cli_now_us();
    chat->ping_request = request > 0 ? request : 0;
}

int ask_ping(struct chat *chat, uint64_t count)
{
    if (chat->ping_request)
        roost_cancel(chat->c->r, chat->ping_request);
    chat->ping_n = 0;
    chat->ping_count = count;
    ping_send(chat);
    return chat->ping_request ? CLI_OK : CLI_REFUSED;
}

static bool ping_on_answer(struct chat *chat, const struct roost_event *e)
{
    if (!chat->ping_request || e->request != chat->ping_request)
        return false;
    chat->ping_request = 0;
    if (e->kind == ROOST_REFUSED) {
        int status = cli_fail_error(chat->c, &e->error, NULL);
        if (chat->line.plain && !chat->status)
            chat->status = status;
        return true;
    }
    cmd_pong(chat->c, ++chat->ping_n, cli_now_us() - chat->ping_sent_us);
    if (chat->ping_n < chat->ping_count)
        chat->ping_at_ms = cli_now_us() / 1000 + PING_EVERY_MS;
    return true;
}

/* --- both --- */

bool ask_on_answer(struct chat *chat, const struct roost_event *e)
{
    return people_on_answer(chat, e) || ping_on_answer(chat, e);
}

int64_t ask_deadline_ms(const struct chat *chat)
{
    return chat->ping_at_ms ? chat->ping_at_ms : INT64_MAX;
}

void ask_expire(struct chat *chat)
{
    if (chat->ping_at_ms && cli_now_us() / 1000 >= chat->ping_at_ms)
        ping_send(chat);
}

bool ask_is_done(const struct chat *chat)
{
    return !chat->ping_request && !chat->ping_at_ms;
}
