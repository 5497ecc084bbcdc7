/* meet.c - clients in meetings: what they are given is remembered by account, and no
 * event comes twice, out of order, or is left out while one is in. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/world.h"

struct met *met_known(struct world *w, uint64_t room)
{
    for (int i = 0; i < w->n_meets; i++)
        if (w->meets[i].room == room)
            return &w->meets[i];
    return NULL;
}

static struct met *meeting_of(struct world *w, const Roost__Meeting *m)
{
    struct met *known = met_known(w, m->room);

    if (known || w->n_meets == MEETS_MAX)
        return known;
    known = &w->meets[w->n_meets++];
    *known = (struct met){ .room = m->room };
    world_count(w, SIM_MEETING);
    return known;
}

static struct followed *followed(struct actor *a, uint64_t room)
{
    for (size_t i = 0; i < a->n_rooms; i++)
        if (a->rooms[i].room == room)
            return &a->rooms[i];
    assert(a->n_rooms < ROOMS_MAX);
    a->rooms[a->n_rooms] = (struct followed){ .room = room };
    return &a->rooms[a->n_rooms++];
}

void met_on_ticket(struct world *w, struct actor *a, const Roost__Ticket *t, bool again)
{
    struct met *m = meeting_of(w, t->meeting);
    bool in = t->you->state == ROOST__MEET_STATE__IN;

    if (!m)
        return;
    if (w->verbose)
        printf("            ticket of %llu: state %d, up to %llu\n", (unsigned long long)m->room,
               (int)t->you->state, (unsigned long long)t->head);
    if (*t->meeting->code)
        strcpy(m->code, t->meeting->code);
    if (*t->secret)
        strcpy(m->secret, t->secret);
    if (in)
        world_count(w, again ? SIM_PLACE_BACK : SIM_TICKET_IN);
    else
        followed(a, m->room)->in = false;
    w->counts[SIM_KNOCK] += t->you->state == ROOST__MEET_STATE__WAITING;
    if (in) {
        struct followed *f = followed(a, m->room);
        if (f->heads[0] != t->head + 1)
            memmove(f->heads + 1, f->heads, sizeof f->heads - sizeof *f->heads);
        f->heads[0] = t->head + 1;
        f->in = true;
    }
    if (!in && t->n_attendees)
        world_break(w, "client %d waits, and sees who is in", actor_index(w, a));
}

void met_on_over(struct world *w, struct actor *a, uint64_t room)
{
    if (met_known(w, room))
        followed(a, room)->in = false;
}

/* --- what is given --------------------------------------------------------------- */

static struct receipt *receipt(struct world *w, struct actor *a, uint64_t room)
{
    uint64_t account = core_self(a->core)->account;
    int actor = actor_index(w, a);
    struct receipt *r = w->receipts;

    while (r && (r->actor != actor || r->account != account || r->room != room))
        r = r->next;
    if (r)
        return r;
    r = calloc(1, sizeof *r);
    assert(r);
    *r = (struct receipt){ .next = w->receipts, .actor = actor, .account = account, .room = room };
    w->receipts = r;
    return r;
}

void met_on_event(struct world *w, struct actor *a, struct followed *f, const Roost__Event *e)
{
    struct receipt *r = receipt(w, a, e->room);
    uint8_t bit = (uint8_t)(1u << e->seq % 8);

    if (e->seq >= SEQ_MAX)
        return;
    if (r->got[e->seq / 8] & bit)
        world_break(w, "client %d got %llu:%llu twice", actor_index(w, a),
                    (unsigned long long)e->room, (unsigned long long)e->seq);
    r->got[e->seq / 8] |= bit;
    /* who comes anew begins behind its ticket */
    /* a guest that was lost for too long has missed what came meanwhile */
    bool follows = e->seq == f->cursor + 1 || (a->guest && f->heads[0]);
    for (size_t i = 0; i < sizeof f->heads / sizeof *f->heads; i++) {
        follows |= f->heads[i] == e->seq;
        f->heads[i] = 0;
    }
    if (!follows || e->seq <= f->cursor)
        world_break(w, "client %d got %llu:%llu after %llu", actor_index(w, a),
                    (unsigned long long)e->room, (unsigned long long)e->seq,
                    (unsigned long long)f->cursor);
}

void met_on_read(struct world *w, struct actor *a, const Roost__Event *e)
{
    if (e->seq < SEQ_MAX)
        receipt(w, a, e->room)->read[e->seq / 8] |= (uint8_t)(1u << e->seq % 8);
}

/* --- guests ------------------------------------------------------------------------ */

void met_guest_in(struct world *w, struct actor *a)
{
    char wrong[] = "000001";
    const struct met *m;

    if (w->settling || !w->n_meets)
        return;
    m = &w->meets[dice_below(&w->dice, (uint64_t)w->n_meets)];
    bool guess = dice_below(&w->dice, 5) == 0;
    a->by_link = !guess && *m->secret && dice_below(&w->dice, 2);
    int64_t request = core_guest(a->core, "Visitor", guess ? wrong : m->code,
                                 a->by_link ? m->secret : "", false, w->now_us);
    if (request < 0)
        return;
    a->logs_in = true;
    a->asked[a->n_asked++] = (struct asked){ .request = request,
                                             .body = ROOST__TO_SERVER__BODY_LOGIN };
    core_meet(a->core, m->code, a->by_link ? m->secret : NULL, 0, w->now_us);
}
