/* chat_people.c - who is on: for completion, and a line when somebody comes or goes. */
#include <stdlib.h>
#include <string.h>

#include "cli/chat_in.h"
#include "cli/text.h"

static struct chat_person *get(struct chat *chat, uint64_t account)
{
    for (size_t i = 0; i < chat->n_people; i++)
        if (chat->people[i].account == account)
            return &chat->people[i];
    return NULL;
}

static void drop(struct chat *chat, struct chat_person *p)
{
    free(p->name);
    free(p->away);
    memmove(p, &chat->people[--chat->n_people], sizeof *p);
}

static struct chat_person *add(struct chat *chat, const struct roost_person *from)
{
    if (chat->n_people >= CHAT_PEOPLE_MAX)
        return NULL;
    struct chat_person *list = realloc(chat->people, (chat->n_people + 1) * sizeof *list);
    char *name = strdup(from->name), *away = strdup(from->away);
    if (list)
        chat->people = list;
    if (!list || !name || !away) {
        free(name);
        free(away);
        return NULL;
    }
    list[chat->n_people] = (struct chat_person){ from->account, name, away, false };
    return &list[chat->n_people++];
}

static void line(struct chat *chat, const char *name, const char *what, const char *detail)
{
    struct buf *out = &chat->c->out;

    if (chat->c->json)
        return;
    buf_puts(out, cli_style(chat->c, STYLE_DIM));
    buf_puts(out, "- ");
    text_clean(out, name, TEXT_ONE_LINE);
    buf_puts(out, what);
    text_clean(out, detail, TEXT_ONE_LINE);
    buf_puts(out, cli_style(chat->c, STYLE_OFF));
    buf_putc(out, '\n');
}

static void one(struct chat *chat, const struct roost_person *now)
{
    struct chat_person *p = get(chat, now->account);

    if (!now->sessions) {
        if (p) {
            line(chat, p->name, " went off", "");
            drop(chat, p);
        }
        return;
    }
    if (!p) {
        p = add(chat, now);
        if (p)
            p->seen = true;
        if (p && now->account != chat->c->account)
            line(chat, now->name, " is on", "");
        return;
    }
    p->seen = true;
    if (strcmp(p->away, now->away) != 0 && now->account != chat->c->account)
        line(chat, now->name, *now->away ? " is away: " : " is back", now->away);
    char *away = strdup(now->away);
    if (away) {
        free(p->away);
        p->away = away;
    }
}

void people_seen(struct chat *chat, const struct roost_person *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (chat->c->json)
            cmd_json_person(chat->c, &list[i]);
        one(chat, &list[i]);
    }
}

void people_changed(struct chat *chat, const struct roost_event *e)
{
    people_seen(chat, e->people, e->n_people);
}

void people_unsee(struct chat *chat)
{
    for (size_t i = 0; i < chat->n_people; i++)
        chat->people[i].seen = false;
}

void people_end_unseen(struct chat *chat)
{
    for (size_t i = chat->n_people; i-- > 0;) {
        const struct chat_person *p = &chat->people[i];
        if (p->seen)
            continue;
        char *name = strdup(p->name);
        struct roost_person gone = {
            .account = p->account, .name = name ? name : "", .away = "", .typing = ""
        };
        people_seen(chat, &gone, 1); /* sessions is 0 */
        free(name);
    }
}

void people_load(struct chat *chat)
{
    struct buf names = { 0 };
    struct roost_event e;
    uint64_t after = 0;

    roost_people_watch(chat->c->r, true);
    people_free(chat);
    do {
        if (cli_call(chat->c, roost_people_who(chat->c->r, after), &e))
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.people[i].account;
            add(chat, &e.reply.people[i]);
            if (chat->c->json)
                cmd_json_person(chat->c, &e.reply.people[i]);
            buf_printf(&names, "%s%s", names.len ? ", " : "", e.reply.people[i].name);
        }
    } while (e.reply.more && e.reply.n);
    line(chat, "on now: ", "", buf_str(&names));
    buf_fini(&names);
}

void people_free(struct chat *chat)
{
    while (chat->n_people)
        drop(chat, &chat->people[chat->n_people - 1]);
    free(chat->people);
    chat->people = NULL;
}
