/* people.c - who is on, since when, how idle, away; hello and ping; ignoring. */
#include <stdlib.h>
#include <string.h>

#include "hub/handlers_talk.h"

enum { TELL_EVERY_US = 250000 }; /* a class that logs in at once is told in a few frames */
enum { PEOPLE_PER_FRAME = 200, ADDRESSES_MAX = 20 };

void user_changed(struct hub *h, struct user *u)
{
    u->changed = true;
    if (!h->people_changed)
        h->people_due_us = h->now.mono_us + TELL_EVERY_US;
    h->people_changed = true;
}

/* --- hello and ping -------------------------------------------------------------------- */

static const char *registration_text(const struct hub *h, const struct request *q)
{
    if (h->config.registration == REGISTRATION_OPEN || (h->config.open_to_local && q->local))
        return "open";
    return h->config.registration == REGISTRATION_INVITE ? "invite" : "admin";
}

int hello_on_message(struct hub *h, struct request *q)
{
    const Roost__Hello *b = q->msg->hello;
    struct conn *c = request_conn(h, q);
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__Welcome welcome = ROOST__WELCOME__INIT;

    if (b->version_min > 1 || b->version_max < 1)
        return -ROOST_VERSION;
    if (c)
        c->greeted = true;
    welcome.version = 1;
    welcome.program = "roostd " ROOST_RELEASE;
    welcome.server_id = (ProtobufCBinaryData){ sizeof h->config.server_id, h->config.server_id };
    welcome.now_ms = (uint64_t)h->now.wall_ms;
    welcome.registration = (char *)registration_text(h, q);
    welcome.logs_private_text = h->config.log_private_text;
    welcome.text_max = h->config.text_max;
    welcome.idle_ms = (uint32_t)h->config.idle_ms;
    reply.result_case = ROOST__REPLY__RESULT_WELCOME;
    reply.welcome = &welcome;
    return reply_with(h, q, &reply);
}

int ping_on_message(struct hub *h, struct request *q)
{
    return reply_done(h, q, NULL);
}

/* --- who ---------------------------------------------------------------------------------- */

static bool address_known(const Roost__Person *p, const char *address)
{
    for (size_t i = 0; i < p->n_addresses; i++)
        if (strcmp(p->addresses[i], address) == 0)
            return true;
    return false;
}

static void addresses_fill(struct arena *a, Roost__Person *p, const struct user *u)
{
    p->addresses = arena_get(a, ADDRESSES_MAX * sizeof *p->addresses);
    for (struct conn *c = u->conns; p->addresses && c && p->n_addresses < ADDRESSES_MAX;
         c = c->next_of_user)
        if (!address_known(p, c->peer.address))
            p->addresses[p->n_addresses++] = c->peer.address;
}

/* Where somebody types is seen by those who follow the same room. */
static char *typing_text(const struct hub *h, const struct user *u, struct conn *asker)
{
    if (u->typing_until_us <= h->now.mono_us || !asker || !sub_get(asker, u->typing_room))
        return "";
    return u->typing_name && *u->typing_name ? u->typing_name : "here";
}

static void person_fill(struct hub *h, struct arena *a, Roost__Person *p, const struct user *u,
                        struct conn *asker)
{
    roost__person__init(p);
    p->account = u->account;
    p->name = u->name;
    p->since_ms = (uint64_t)u->since_ms;
    p->idle_ms = (uint64_t)((h->now.mono_us - u->active_us) / 1000);
    p->away = u->away ? u->away : "";
    p->self = asker && asker->user == u;
    p->sessions = u->n_conns;
    p->role = (Roost__Role)u->role;
    p->typing = typing_text(h, u, asker);
    if (asker && asker->user && asker->user->role == ROOST__ROLE__ADMIN)
        addresses_fill(a, p, u);
}

static int by_account(const void *a, const void *b)
{
    const struct user *x = *(const struct user *const *)a, *y = *(const struct user *const *)b;

    return x->account < y->account ? -1 : x->account > y->account;
}

int who_on_message(struct hub *h, struct request *q)
{
    Roost__Reply reply = ROOST__REPLY__INIT;
    Roost__People people = ROOST__PEOPLE__INIT;
    struct conn *asker = request_conn(h, q);
    size_t n = 0, bytes = 0;
    const struct user **on = arena_get(&q->mem, (h->users.n + 1) * sizeof *on);
    struct map_slot *s;

    for (size_t i = 0; on && (s = map_next(&h->users, &i));) {
        const struct user *u = s->value;
        if (u->n_conns && !u->guest && u->account > q->msg->who->after)
            on[n++] = u;
    }
    Roost__Person *rows = on ? arena_get(&q->mem, (n + 1) * sizeof *rows) : NULL;
    people.people = arena_get(&q->mem, (n + 1) * sizeof *people.people);
    if (!rows || !people.people)
        return -ROOST_NOMEM;
    qsort(on, n, sizeof *on, by_account);
    for (size_t i = 0; i < n; i++) {
        person_fill(h, &q->mem, &rows[i], on[i], asker);
        bytes += roost__person__get_packed_size(&rows[i]) + 8;
        if (bytes > REPLY_BYTES_MAX)
            break;
        people.people[people.n_people++] = &rows[i];
    }
    people.more = people.n_people < n;
    reply.result_case = ROOST__REPLY__RESULT_PEOPLE;
    reply.people = &people;
    return reply_with(h, q, &reply);
}

int watch_people_on_message(struct hub *h, struct request *q)
{
    struct conn *c = request_conn(h, q);

    if (c)
        c->watches_people = q->msg->watch_people->on;
    return reply_done(h, q, NULL);
}

int away_on_message(struct hub *h, struct request *q)
{
    struct user *u = user_of(h, q->account);
    const char *text = q->msg->away->text;

    if (strlen(text) > AWAY_MAX)
        return -ROOST_TOO_LONG;
    char *copy = *text ? strdup(text) : NULL;
    if (*text && !copy)
        return -ROOST_NOMEM;
    if (!u) {
        free(copy);
        return HUB_DONE;
    }
    free(u->away);
    u->away = copy;
    user_changed(h, u);
    return reply_done(h, q, NULL);
}

/* One frame of at most PEOPLE_PER_FRAME changed people to each who watches. */
static void tell_watchers(struct hub *h, const struct user **changed, size_t n)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->conns, &i));) {
        struct conn *c = s->value;
        struct arena a = { 0 };
        if (!c->watches_people || !c->user)
            continue;
        Roost__PeopleChanged body = ROOST__PEOPLE_CHANGED__INIT;
        Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
        Roost__Person *rows = arena_get(&a, n * sizeof *rows);
        body.people = arena_get(&a, n * sizeof *body.people);
        for (size_t k = 0; rows && body.people && k < n; k++) {
            person_fill(h, &a, &rows[k], changed[k], c);
            body.people[body.n_people++] = &rows[k];
        }
        frame.body_case = ROOST__TO_CLIENT__BODY_PEOPLE_CHANGED;
        frame.people_changed = &body;
        if (body.n_people)
            send_frame(h, c, &frame);
        arena_fini(&a);
    }
}

void people_expire(struct hub *h)
{
    const struct user *changed[PEOPLE_PER_FRAME];
    struct map_slot *s;
    size_t n = 0;

    if (!h->people_changed || h->now.mono_us < h->people_due_us)
        return;
    h->people_changed = false;
    for (size_t i = 0; (s = map_next(&h->users, &i));) {
        struct user *u = s->value;
        if (!u->changed)
            continue;
        u->changed = false;
        if (u->guest)
            continue; /* is nobody outside its meeting */
        changed[n++] = u;
        if (n == PEOPLE_PER_FRAME) {
            tell_watchers(h, changed, n);
            n = 0;
        }
    }
    if (n)
        tell_watchers(h, changed, n);
}

/* --- ignoring -------------------------------------------------------------------------------- */

int ignore_on_message(struct hub *h, struct request *q)
{
    if (q->user_id == q->account)
        return -ROOST_SELF;
    struct store_op *op = request_do(h, q, STORE_IGNORE);
    if (op) {
        op->account.id = q->account;
        op->peer = q->user_id;
        op->on = q->msg->ignore->on;
    }
    return request_store(h, q, op);
}

int ignore_on_stored(struct hub *h, struct request *q, struct store_result *r)
{
    tell_ignored(h, q->account, q->user_id, q->msg->ignore->on);
    return reply_done(h, q, r);
}
