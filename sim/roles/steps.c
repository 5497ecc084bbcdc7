/* steps.c - one random thing in the life of meetings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/roles/play.h"

enum { LIVE_MAX = 4, TRIES = 10, WINDOW_MS = 3600000 };

static const char *const names[] = { "Zoe", "zoe", "Max", "Max 2", "Kim",    "Corn", "Com",
                                     "Ann", "Gus", "Lea", "Ida",   "B0B",    "Uwe",  "Tom",
                                     "a/b", "",    "Kim", "Max",   "Nora X", "Zoe" };

const char *any_name(struct play *p)
{
    return PICK(p, names);
}

bool one_in(struct play *p, uint64_t n)
{
    return dice_below(&p->dice, n) == 0;
}

struct actor *any_actor(struct play *p, bool connected)
{
    for (int i = 0; i < 60; i++) {
        struct actor *a = &p->actors[1 + dice_below(&p->dice, ACTORS - 1)];
        if (a->id && a->on == connected && !m_person(&p->model, a->id)->gone)
            return a;
    }
    return NULL;
}

static size_t n_live(const struct play *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->model.n_meets; i++)
        n += !p->model.meets[i]->ended;
    return n;
}

/* A live one mostly. */
struct m_meet *any_meet(struct play *p)
{
    if (!p->model.n_meets)
        return NULL;
    for (int i = 0; i < 200; i++) {
        struct m_meet *t = p->model.meets[dice_below(&p->dice, p->model.n_meets)];
        if (!t->ended || one_in(p, 100))
            return t;
    }
    return NULL;
}

static struct m_coming coming(const struct actor *a)
{
    return (struct m_coming){ .who = a->id,
                              .guest = a->guest,
                              .name = a->name,
                              .device = a->device,
                              .source = play_source(a->source) };
}

static void attach(struct play *p, struct actor *a, struct m_meet *t)
{
    if (a->attached && a->attached != t->id)
        m_lost(&p->model, m_meet(&p->model, a->attached), a->id);
    a->attached = t->id;
    m_found(t, a->id);
}

/* Guests whose meeting has ended are nobody any more. */
static void forget_the_gone(struct play *p)
{
    for (int i = 0; i < ACTORS; i++) {
        struct actor *a = &p->actors[i];
        if (!a->guest || !a->id || !m_person(&p->model, a->id)->gone)
            continue;
        if (a->on && !a->over)
            play_break(p, "the guest %s is not told that its meeting ended", a->name);
        a->attached = 0;
        play_drop(p, a);
        a->id = 0;
    }
}

/* --- codes --- */

enum way { LINK, BARE, NUMBER, WRONG, WRONG_LINK };

static enum way any_way(struct play *p)
{
    static const enum way ways[] = { LINK, LINK, LINK, LINK, LINK,   BARE,  BARE,
                                     BARE, BARE, BARE, BARE, NUMBER, WRONG, WRONG_LINK };
    return PICK(p, ways);
}

static no guess(struct play *p, const struct actor *a, bool wrong)
{
    size_t key = a->guest ? (size_t)a->source : (size_t)(SOURCES + (a - p->actors));
    bool within = p->model.now_ms < p->guesses[key].until_ms;

    if (within && p->guesses[key].n >= TRIES)
        return NO(GUESSES);
    if (!wrong)
        return 0;
    if (!within) {
        p->guesses[key].until_ms = p->model.now_ms + WINDOW_MS;
        p->guesses[key].n = 0;
    }
    p->guesses[key].n++;
    return NO(NO_MEETING);
}

static bool code_is_live(struct play *p, const char *code)
{
    for (size_t i = 0; i < p->model.n_meets; i++)
        if (!p->model.meets[i]->ended && !strcmp(p->model.meets[i]->code, code))
            return true;
    return false;
}

static void wrong_code(struct play *p, char code[static 12])
{
    do
        snprintf(code, 12, "%06u", (unsigned)dice_below(&p->dice, 1000000));
    while (code_is_live(p, code));
}

static bool is_known_there(struct play *p, const struct actor *a, struct m_meet *t)
{
    const struct m_person *x = a->id ? m_person(&p->model, a->id) : NULL;

    return x && (m_seat(t, a->id) || (x->guest && x->guest_of == t->id));
}

/* What is written into a request, and what the page says to the code alone. */
static no knock(struct play *p, const struct actor *a, struct m_meet *t, enum way way,
                char code[static 12], const char **ret_secret)
{
    strcpy(code, t->code);
    *ret_secret = "";
    if (way == LINK || way == WRONG_LINK)
        *ret_secret = way == LINK ? t->secret : "MFRGGZDFMZTWQ2LKMFRGGZDFMY";
    if (way == WRONG)
        wrong_code(p, code);
    if (way == NUMBER)
        return 0;
    if (way == WRONG || way == WRONG_LINK || t->ended) {
        p->tally.deeds[way == WRONG_LINK ? DEED_WRONG_SECRET : DEED_WRONG_CODE]++;
        return guess(p, a, true);
    }
    return way == BARE && !is_known_there(p, a, t) ? guess(p, a, false) : 0;
}

static const char *const way_words[] = { "by link", "by bare code", "by number", "by a wrong code",
                                         "by a wrong link" };

/* --- new meetings --- */

static struct m_room *room_to_bind(struct play *p, const struct actor *a)
{
    if (a->guest || !p->model.n_rooms || !one_in(p, 2))
        return NULL;
    return &p->model.rooms[dice_below(&p->dice, p->model.n_rooms)];
}

static no may_bind(struct play *p, const struct actor *a, struct m_room *r)
{
    struct m_member *x = m_member(r, a->id);
    Roost__Role role = m_person(&p->model, a->id)->role;
    bool member = x && x->in;
    no why = 0;

    if (r->closed)
        why |= NO(CLOSED);
    if (!member && r->private && role != ROOST__ROLE__ADMIN)
        return why | NO(NO_ROOM) | NO(NOT_MEMBER) | (x && x->banned ? NO(ROOM_BANNED) : 0);
    bool may = (member && x->role != ROOST__ROOM_ROLE__MEMBER) || role == ROOST__ROLE__ADMIN ||
               (role == ROOST__ROLE__MODERATOR && !r->private);
    if (!may)
        why |= NO(RIGHT) | NO(NOT_MEMBER) | (x && x->banned ? NO(ROOM_BANNED) : 0);
    return why;
}

static void begin_meeting(struct play *p, struct actor *a)
{
    Roost__MeetNew b = ROOST__MEET_NEW__INIT;
    Roost__Target target = ROOST__TARGET__INIT;
    struct m_room *r = room_to_bind(p, a);
    struct m_person *x = m_person(&p->model, a->id);

    b.title = one_in(p, 3) ? "Plans" : "";
    b.open = one_in(p, 2);
    b.forget_chat = one_in(p, 4);
    b.starts_ms = one_in(p, 6) ? (uint64_t)p->model.now_ms + 7200000 : 0;
    if (r) {
        target.room = r->id;
        b.room = &target;
    }
    play_tell(p, "%s begins a meeting%s%s", a->name, r ? " of " : "", r ? r->name : "");
    no why = r ? may_bind(p, a, r) : 0;
    if (a->guest && x->guest_of)
        why |= NO(GUEST);
    if (!check_answer(p, ASK(p, a, MEET_NEW, meet_new, &b), why))
        return;
    const Roost__Ticket *ticket = p->reply->ticket;
    struct m_coming c = coming(a);
    struct m_meet *t = m_meet_new(&p->model, ticket->meeting->room, a->id, &c);
    snprintf(t->code, sizeof t->code, "%s", ticket->meeting->code);
    snprintf(t->secret, sizeof t->secret, "%s", ticket->secret);
    if (*b.title)
        strcpy(t->title, b.title);
    else
        snprintf(t->title, sizeof t->title, "%s's meeting", a->name);
    t->starts_ms = (int64_t)b.starts_ms;
    t->open = b.open;
    t->forget = b.forget_chat;
    t->bound = r ? r->id : 0;
    p->tally.deeds[r ? DEED_BOUND_MEETING : DEED_MEETING]++;
    p->tally.deeds[DEED_GUEST_HOST] += a->guest;
    check_meeting(p, t);
}

/* --- coming --- */

static void join(struct play *p, struct actor *a, struct m_meet *t, enum way way)
{
    Roost__MeetJoin b = ROOST__MEET_JOIN__INIT;
    struct m_coming c = coming(a);
    char code[12];
    const char *secret;

    play_tell(p, "%s comes to %llu %s", a->name, (unsigned long long)t->id, way_words[way]);
    no why = knock(p, a, t, way, code, &secret);
    b.meeting = way == NUMBER ? t->id : 0;
    b.code = way == NUMBER ? "" : code;
    b.secret = (char *)secret;
    c.by_link = way == LINK;
    c.by_code = way == LINK || way == BARE;
    if (a->guest && m_person(&p->model, a->id)->guest_of != t->id)
        why |= NO(GUEST) | NO(NO_MEETING);
    if (!(why & NO(NO_MEETING)) || way == NUMBER)
        why |= m_may_come(&p->model, t, &c);
    if (!check_answer(p, ASK(p, a, MEET_JOIN, meet_join, &b), why))
        return;
    struct m_seat *s = m_seat(t, a->id);
    bool was_in = s && s->was_in;
    m_come(&p->model, t, &c);
    attach(p, a, t);
    s = m_seat(t, a->id);
    p->tally.deeds[way == LINK ? DEED_BY_LINK : way == BARE ? DEED_BY_CODE : DEED_BY_NUMBER]++;
    p->tally.deeds[DEED_WAITED] += s->state == ROOST__MEET_STATE__WAITING;
    p->tally.deeds[DEED_BACK] += was_in;
    p->tally.deeds[DEED_NUMBERED] += strcmp(s->name, a->name) != 0;
    check_meeting(p, t);
}

void step_follow_link(struct play *p, struct actor *a, struct m_meet *t)
{
    join(p, a, t, LINK);
}

static int guest_ask(struct play *p, struct actor *a, char *code, const char *secret, bool host)
{
    Roost__Guest b = ROOST__GUEST__INIT;
    uint8_t device[32] = { (uint8_t)(a->device + 1) };

    b.name = a->name;
    b.device = (ProtobufCBinaryData){ 32, device };
    b.device_name = "sim";
    b.host = host;
    b.code = host ? "" : code;
    b.secret = host ? "" : (char *)secret;
    return ASK(p, a, GUEST, guest, &b);
}

static void knock_wrongly(struct play *p, struct actor *a, struct m_meet *t)
{
    char code[12];
    const char *secret;

    play_tell(p, "a stranger guesses, from %s", play_source(a->source));
    play_connect(p, a);
    no why = knock(p, a, t, one_in(p, 3) ? WRONG_LINK : WRONG, code, &secret);
    check_answer(p, guest_ask(p, a, code, secret, false), why);
    play_drop(p, a);
}

static bool name_is_good(const char *name)
{
    return *name && !strchr(name, '/');
}

static void guest_comes(struct play *p)
{
    struct actor *a = &p->actors[ACCOUNTS + dice_below(&p->dice, ACTORS - ACCOUNTS)];
    struct m_meet *t = any_meet(p);
    bool host = one_in(p, 6) && n_live(p) < LIVE_MAX;
    enum way way = any_way(p);
    char code[12] = "";
    const char *secret = "";
    no why = 0;

    if (a->on || (!t && !host) || (a->id && !one_in(p, 4)))
        return;
    if (way == NUMBER)
        way = LINK;
    strcpy(a->name, any_name(p));
    a->device = (int)dice_below(&p->dice, DEVICES);
    a->source = (int)dice_below(&p->dice, SOURCES);
    a->id = 0;
    play_tell(p, "the guest \"%s\" comes %s from device %d, %s", a->name,
              host ? "as host" : way_words[way], a->device, play_source(a->source));
    struct m_coming c = coming(a);
    c.by_link = way == LINK;
    c.by_code = true;
    play_connect(p, a);
    if (!host)
        why = knock(p, a, t, way, code, &secret);
    if (!host && !(why & NO(NO_MEETING)))
        why |= m_may_come(&p->model, t, &c);
    why |= m_guest_name(&p->model, host ? NULL : t, a->name);
    if (!name_is_good(a->name))
        why |= NO(NAME_BAD);
    if (!check_answer(p, guest_ask(p, a, code, secret, host), why)) {
        play_drop(p, a);
        return;
    }
    a->id = p->reply->session->account;
    memcpy(a->token, p->reply->session->token.data, 32);
    a->on = true;
    if (p->model.n_people == M_PEOPLE_MAX)
        abort();
    struct m_person *x = &p->model.people[p->model.n_people++];
    *x = (struct m_person){ .id = a->id, .guest = true, .guest_of = host ? 0 : t->id };
    strcpy(x->name, a->name);
    p->tally.deeds[DEED_GUEST]++;
    if (host)
        begin_meeting(p, a);
    else if (!one_in(p, 5))
        join(p, a, t, way == LINK ? LINK : BARE);
}

/* Somebody tries one code after the other; often until it is stopped. */
static void guess_on(struct play *p)
{
    struct m_meet *t = any_meet(p);
    struct actor *a = any_actor(p, true);
    int n = 3 + (int)dice_below(&p->dice, 12);

    if (a && t && !a->guest)
        while (n--)
            join(p, a, t, one_in(p, 3) ? WRONG_LINK : WRONG);
    for (int i = ACCOUNTS; t && i < ACTORS && n > 0; i++) {
        struct actor *stranger = &p->actors[i];
        if (stranger->id)
            continue;
        stranger->source = (int)dice_below(&p->dice, 2);
        strcpy(stranger->name, "Mallory");
        for (; n > 0; n--)
            knock_wrongly(p, stranger, t);
    }
}

/* --- connections --- */

static void drop(struct play *p)
{
    struct actor *a = any_actor(p, true);

    if (!a)
        return;
    play_tell(p, "%s loses its connection", a->name);
    p->tally.deeds[DEED_LOST]++;
    play_drop(p, a);
}

static void back(struct play *p)
{
    struct actor *a = any_actor(p, false);

    if (!a)
        return;
    play_tell(p, "%s connects again", a->name);
    if (one_in(p, 5))
        a->source = (int)dice_below(&p->dice, SOURCES);
    play_resume(p, a);
    for (size_t i = 0; a->on && i < p->model.n_meets; i++) {
        struct m_seat *s = m_seat(p->model.meets[i], a->id);
        bool in = s && s->state == ROOST__MEET_STATE__IN;
        bool was_in = s && s->state == ROOST__MEET_STATE__OUT && s->was_in;
        if (!p->model.meets[i]->ended && ((in && !one_in(p, 4)) || (was_in && one_in(p, 3)))) {
            join(p, a, p->model.meets[i], NUMBER);
            return;
        }
    }
}

static void restart(struct play *p)
{
    play_tell(p, "the server starts again");
    p->tally.deeds[DEED_RESTART]++;
    play_restart(p);
    for (int i = 1; i < ACTORS; i++) {
        struct actor *a = &p->actors[i];
        if (a->id && !m_person(&p->model, a->id)->gone && !one_in(p, 4))
            play_resume(p, a);
    }
    check_all(p);
}

static void come(struct play *p)
{
    struct actor *a = any_actor(p, true);
    struct m_meet *t = any_meet(p);

    /* who is in one seldom goes to another */
    if (a && a->guest && !one_in(p, 8))
        t = m_meet(&p->model, m_person(&p->model, a->id)->guest_of);
    if (a && t && (!a->attached || a->attached == t->id || one_in(p, 6)))
        join(p, a, t, any_way(p));
}

void step_meeting(struct play *p)
{
    struct actor *a = any_actor(p, true);
    uint64_t draw = dice_below(&p->dice, 100);

    if (one_in(p, 100))
        guess_on(p);
    else if (a && n_live(p) < LIVE_MAX && draw < 5)
        begin_meeting(p, a);
    else if (draw < 15)
        guest_comes(p);
    else if (draw < 28)
        come(p);
    else if (draw < 33)
        step_admit(p);
    else if (draw < 78)
        step_act(p);
    else if (draw < 88)
        step_talk(p);
    else if (draw < 92)
        drop(p);
    else if (draw < 98)
        back(p);
    else if (one_in(p, 5))
        restart(p);
    forget_the_gone(p);
}
