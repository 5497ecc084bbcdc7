/* meet_judge.c - a second opinion on meetings: the log of each is played again by rules
 * written from what users were promised (docs/ROLES.md), and held against what every
 * client was given.
 *
 *   There is one host at most. Who is banned is never in, nor a guest from its address
 *   unless somebody lets it in. Names of those who are in are unique, codes of live
 *   meetings too. Only who is in speaks. Guests are given what came while they were in;
 *   accounts what came until they were removed; whoever was never in, nothing. When all
 *   is calm every client sees the meeting as it is kept.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "proto/node.pb-c.h"
#include "sim/world.h"
#include "store/batch.h"

struct seat {
    Roost__MeetState state;
    Roost__MeetRole role;
    char name[64];
    bool guest, ever, member; /* member: of the chat */
    uint8_t may[SEQ_MAX / 8]; /* read, as a guest: it was in */
    uint64_t last;            /* highest number that it may read, as an account */
};

struct ruling {
    struct world *w;
    const struct met *met;
    uint64_t head, host;
    bool no_chat, ended;
    bool forgotten; /* its texts are gone, and so are their numbers */
    struct seat of[NUMBERS_MAX];
    uint64_t author[SEQ_MAX];
};

static struct store_result *ask(struct world *w, struct store_op *op)
{
    struct store_result *r = NULL;

    assert(op);
    int err = store_run_batch(w->hall.store, &op, 1, &r);
    assert(!err && r);
    (void)err;
    store_op_unref(op);
    return r;
}

static void forbidden(struct ruling *g, uint64_t account, const char *what)
{
    world_break(g->w, "meeting %llu:%llu, account %llu: %s", (unsigned long long)g->met->room,
                (unsigned long long)g->head, (unsigned long long)account, what);
}

static struct seat *seat(struct ruling *g, uint64_t account)
{
    assert(account < NUMBERS_MAX);
    return &g->of[account];
}

/* --- the log --------------------------------------------------------------------- */

/* Somebody comes in by itself: is a guest with its device or address banned? */
static void judge_coming(struct ruling *g, uint64_t account)
{
    int8_t who = account < NUMBERS_MAX ? g->w->actor_of[account] : 0;
    char address[16], other[16];

    for (uint64_t i = 0; who && i < NUMBERS_MAX; i++) {
        int8_t banned = g->w->actor_of[i];
        if (g->of[i].state != ROOST__MEET_STATE__EXCLUDED || !banned)
            continue;
        actor_address(g->w, &g->w->actors[who - 1], address);
        actor_address(g->w, &g->w->actors[banned - 1], other);
        if (strcmp(address, other) == 0)
            forbidden(g, account, "came in from where somebody is banned");
    }
}

static void judge_row(struct ruling *g, const Roost__Met *m, const Roost__Attendee *a)
{
    struct seat *s = seat(g, a->account);

    if (s->state == ROOST__MEET_STATE__EXCLUDED && m->action != ROOST__MEET_ACTION__UNBAN &&
        a->state != ROOST__MEET_STATE__EXCLUDED)
        forbidden(g, a->account, "was banned, and is so no more");
    if (a->state == ROOST__MEET_STATE__IN && s->state != ROOST__MEET_STATE__IN &&
        m->action == ROOST__MEET_ACTION__CAME)
        judge_coming(g, a->account);
    s->state = a->state;
    s->role = a->role;
    s->guest = a->guest;
    snprintf(s->name, sizeof s->name, "%s", a->name);
    s->ever |= a->state == ROOST__MEET_STATE__IN;
    if (a->state == ROOST__MEET_STATE__IN)
        s->member = true;
    if (a->state >= ROOST__MEET_STATE__REMOVED)
        s->member = false;
}

static void judge_names_and_host(struct ruling *g)
{
    uint64_t hosts = 0;

    for (uint64_t i = 0; i < NUMBERS_MAX; i++) {
        if (g->of[i].state != ROOST__MEET_STATE__IN)
            continue;
        hosts += g->of[i].role == ROOST__MEET_ROLE__HOST;
        if (g->of[i].role == ROOST__MEET_ROLE__HOST && g->host != i)
            forbidden(g, i, "is host, and the meeting says somebody else is");
        for (uint64_t k = 0; k < i; k++)
            if (g->of[k].state == ROOST__MEET_STATE__IN &&
                strcmp(g->of[k].name, g->of[i].name) == 0)
                forbidden(g, i, "has the name of somebody who is in");
    }
    if (hosts > 1)
        forbidden(g, g->host, "there are two hosts");
}

static void count(struct ruling *g, const Roost__Met *m)
{
    struct world *w = g->w;

    switch (m->action) {
    case ROOST__MEET_ACTION__ADMIT:
    case ROOST__MEET_ACTION__ADMIT_ALL:
        world_count(w, SIM_ADMISSION);
        break;
    case ROOST__MEET_ACTION__REMOVE:
        world_count(w, SIM_MEET_REMOVAL);
        break;
    case ROOST__MEET_ACTION__BAN:
        world_count(w, SIM_MEET_BAN);
        break;
    case ROOST__MEET_ACTION__LEAVE:
        world_count(w, SIM_MEET_LEAVE);
        break;
    case ROOST__MEET_ACTION__LOST:
        world_count(w, SIM_MEET_LOST);
        break;
    case ROOST__MEET_ACTION__END:
        world_count(w, SIM_MEET_END);
        break;
    case ROOST__MEET_ACTION__CAME:
    case ROOST__MEET_ACTION__CREATED:
    case ROOST__MEET_ACTION__EXPIRED:
        break;
    default:
        world_count(w, SIM_CONTROL);
    }
    w->counts[SIM_HANDOVER] += m->meeting && m->meeting->host && g->host &&
                               m->meeting->host != g->host;
}

static void judge_met(struct ruling *g, const struct event *e)
{
    Roost__Met *m = roost__met__unpack(NULL, e->n_data, e->data);

    if (!m) {
        if (e->n_data)
            forbidden(g, e->from, "did what cannot be read");
        return;
    }
    if (g->ended)
        forbidden(g, e->from, "did something after the end");
    count(g, m);
    if (m->action == ROOST__MEET_ACTION__CREATED) /* whose it is need not come to read */
        seat(g, e->from)->member = seat(g, e->from)->ever = true;
    for (size_t i = 0; i < m->n_attendees; i++)
        judge_row(g, m, m->attendees[i]);
    if (m->meeting) {
        g->host = m->meeting->host;
        g->no_chat = m->meeting->no_chat;
        g->ended = m->meeting->ended;
    }
    for (int i = 0; g->ended && i < NUMBERS_MAX; i++)
        if (g->of[i].state == ROOST__MEET_STATE__IN)
            g->of[i].state = ROOST__MEET_STATE__OUT;
    judge_names_and_host(g);
    roost__met__free_unpacked(m, NULL);
}

static void judge_text(struct ruling *g, const struct event *e)
{
    const struct seat *s = seat(g, e->from);

    world_count(g->w, SIM_MEET_TEXT);
    if (s->state != ROOST__MEET_STATE__IN)
        forbidden(g, e->from, "spoke without being in");
    if (g->no_chat && s->role < ROOST__MEET_ROLE__COHOST)
        forbidden(g, e->from, "spoke where it is forbidden");
    if (e->seq < SEQ_MAX)
        g->author[e->seq] = e->from;
}

/* e: NULL when a text was here that was forgotten. */
static void judge_next(struct ruling *g, const struct event *e)
{
    bool in_before[NUMBERS_MAX], member_before[NUMBERS_MAX];

    uint64_t seq = ++g->head;
    for (int i = 0; i < NUMBERS_MAX; i++) {
        in_before[i] = g->of[i].state == ROOST__MEET_STATE__IN;
        member_before[i] = g->of[i].member;
    }
    if (e && e->kind == EVENT_MEET)
        judge_met(g, e);
    else if (e && e->kind == EVENT_TEXT)
        judge_text(g, e);
    for (int i = 0; seq < SEQ_MAX && i < NUMBERS_MAX; i++) {
        struct seat *s = &g->of[i];
        if (in_before[i] || s->state == ROOST__MEET_STATE__IN)
            s->may[seq / 8] |= (uint8_t)(1u << seq % 8);
        if (member_before[i] || s->member)
            s->last = seq;
    }
}

static void judge_event(struct ruling *g, const struct event *e)
{
    while (g->forgotten && g->head + 1 < e->seq)
        judge_next(g, NULL);
    if (e->seq != g->head + 1)
        forbidden(g, e->from, "a number is missing, or comes twice");
    judge_next(g, e);
}

static bool is_forgotten(struct ruling *g)
{
    struct store_op *op = store_op_new(STORE_ROOM_LOAD, 0);

    op->room.id = g->met->room;
    struct store_result *r = ask(g->w, op);
    bool forgotten = !r->meet.live && r->meet.forget;
    store_result_free(r);
    return forgotten;
}

static void judge_log(struct ruling *g)
{
    bool more = true;

    g->forgotten = is_forgotten(g);
    while (more) {
        struct store_op *op = store_op_new(STORE_READ, 0);
        op->room.id = g->met->room;
        op->after = g->head;
        op->limit = STORE_PAGE_MAX;
        struct store_result *r = ask(g->w, op);
        for (size_t i = 0; i < r->n_events; i++)
            judge_event(g, &r->events[i]);
        more = r->more && r->n_events;
        store_result_free(r);
    }
}

/* --- what was given ---------------------------------------------------------------- */

static bool has(const uint8_t *bits, uint64_t seq)
{
    return bits[seq / 8] >> seq % 8 & 1;
}

static void judge_receipt(struct ruling *g, const struct receipt *r)
{
    const struct seat *s = seat(g, r->account);

    for (uint64_t seq = 1; seq < SEQ_MAX; seq++) {
        if (!has(r->got, seq) && !has(r->read, seq))
            continue;
        bool may = s->guest ? has(s->may, seq) : s->ever && seq <= s->last;
        if (may)
            continue;
        world_break(g->w, "a leak: client %d, account %llu, has %llu:%llu of a meeting%s", r->actor,
                    (unsigned long long)r->account, (unsigned long long)r->room,
                    (unsigned long long)seq, s->ever ? "" : " that it was never in");
        return;
    }
}

static void judge_acknowledged(struct ruling *g)
{
    struct world *w = g->w;

    for (uint32_t n = 1; !g->forgotten && n < w->n_words; n++) {
        const struct word *x = &w->words[n];
        if (x->room == g->met->room && x->seq &&
            (x->seq > g->head || x->seq >= SEQ_MAX || g->author[x->seq] != world_author(w, x)))
            forbidden(g, x->account, "its text was acknowledged, and is not there");
    }
}

/* --- how it is kept ------------------------------------------------------------------ */

static Roost__KeptAttendee *kept(const struct attendee_row *row)
{
    Roost__KeptAttendee *k = roost__kept_attendee__unpack(NULL, row->n_data, row->data);

    assert(k && k->attendee);
    return k;
}

static void judge_roll_row(struct ruling *g, int client, const struct roll *r,
                           const Roost__Attendee *a)
{
    const Roost__Attendee *seen = roll_find(r, a->account);
    bool in = a->state == ROOST__MEET_STATE__IN;

    if (in != (seen && seen->state == ROOST__MEET_STATE__IN))
        world_break(g->w, "client %d: account %llu is %s meeting %llu, and is seen otherwise",
                    client, (unsigned long long)a->account, in ? "in" : "not in",
                    (unsigned long long)g->met->room);
    else if (in && (seen->role != a->role || seen->muted != a->muted ||
                    seen->hand_ms != a->hand_ms || strcmp(seen->name, a->name) != 0))
        world_break(g->w,
                    "client %d: account %llu of meeting %llu is %d muted %d hand %d '%s', and is "
                    "seen as %d %d %d '%s'",
                    client, (unsigned long long)a->account, (unsigned long long)g->met->room,
                    a->role, a->muted, a->hand_ms > 0, a->name, seen->role, seen->muted,
                    seen->hand_ms > 0, seen->name);
}

static bool keeps_place(const struct ruling *g, const struct actor *a)
{
    for (size_t i = 0; i < a->n_rooms; i++) {
        const struct followed *f = &a->rooms[i];
        if (f->room != g->met->room || !f->in)
            continue;
        if (f->cursor != g->head && !f->heads[0])
            world_break(g->w, "client %d is in meeting %llu and has %llu of %llu",
                        actor_index(g->w, a), (unsigned long long)f->room,
                        (unsigned long long)f->cursor, (unsigned long long)g->head);
        return true;
    }
    return false;
}

/* Each client that is in sees all as it is kept. */
static void judge_rolls(struct ruling *g, const struct store_result *kept_rows)
{
    for (int i = 0; i < g->w->n_actors; i++) {
        struct actor *a = &g->w->actors[i];
        const struct roll *r = actor_is_ready(a) ? core_roll(a->core, g->met->room) : NULL;
        if (!r || g->ended || !keeps_place(g, a))
            continue;
        for (size_t k = 0; k < kept_rows->n_attendees; k++) {
            Roost__KeptAttendee *row = kept(&kept_rows->attendees[k]);
            judge_roll_row(g, i, r, row->attendee);
            roost__kept_attendee__free_unpacked(row, NULL);
        }
    }
}

static void judge_kept(struct ruling *g)
{
    struct store_op *op = store_op_new(STORE_ROOM_LOAD, 0);

    op->room.id = g->met->room;
    struct store_result *r = ask(g->w, op);
    for (size_t i = 0; i < r->n_attendees && !g->ended; i++) {
        Roost__KeptAttendee *row = kept(&r->attendees[i]);
        const Roost__Attendee *a = row->attendee;
        bool in = a->state == ROOST__MEET_STATE__IN;
        if (in != (seat(g, a->account)->state == ROOST__MEET_STATE__IN))
            forbidden(g, a->account, "is kept as the log does not say");
        roost__kept_attendee__free_unpacked(row, NULL);
    }
    judge_rolls(g, r);
    store_result_free(r);
}

static void judge_codes(struct world *w)
{
    struct store_op *op = store_op_new(STORE_MEET_LIST, 0);

    op->limit = STORE_PAGE_MAX;
    struct store_result *r = ask(w, op);
    for (size_t i = 0; i < r->n_meets; i++)
        for (size_t k = 0; k < i; k++)
            if (r->meets[i].live && r->meets[k].live &&
                strcmp(r->meets[i].code, r->meets[k].code) == 0)
                world_break(w, "two live meetings have one code");
    store_result_free(r);
}

/* Whoever is not in may not read. */
static void probe(struct ruling *g)
{
    struct world *w = g->w;

    for (int i = 0; i < w->n_actors; i++) {
        struct actor *a = &w->actors[i];
        Roost__ToServer m = ROOST__TO_SERVER__INIT;
        Roost__Target target = ROOST__TARGET__INIT;
        Roost__Read read = ROOST__READ__INIT;
        if (!actor_is_ready(a))
            continue;
        const struct seat *s = seat(g, core_self(a->core)->account);
        if (a->guest ? s->state == ROOST__MEET_STATE__IN : s->member)
            continue;
        target.room = g->met->room;
        read.target = &target;
        m.body_case = ROOST__TO_SERVER__BODY_READ;
        m.read = &read;
        actor_ask(w, a, &m, target.room, 0, true);
        actor_pull(w, a);
    }
}

void met_judge(struct world *w, const struct met *m)
{
    static struct ruling g;

    memset(&g, 0, sizeof g);
    g.w = w;
    g.met = m;
    judge_log(&g);
    for (const struct receipt *r = w->receipts; r; r = r->next)
        if (r->room == m->room)
            judge_receipt(&g, r);
    judge_acknowledged(&g);
    judge_kept(&g);
    probe(&g);
    judge_codes(w);
}
