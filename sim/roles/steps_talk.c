/* steps_talk.c - somebody says something in a meeting, or looks who is there. */
#include <string.h>

#include "base/err.h"
#include "sim/roles/play.h"

static void talk(struct play *p, struct m_meet *t, struct actor *a)
{
    Roost__Say b = ROOST__SAY__INIT;
    Roost__Target target = ROOST__TARGET__INIT;

    target.room = t->id;
    b.target = &target;
    b.text = "hello";
    play_tell(p, "%s says something in %llu", a->name, (unsigned long long)t->id);
    if (!check_answer(p, ASK(p, a, SAY, say, &b), m_may_chat(&p->model, t, a->id)))
        return;
    struct said *x = &p->said[p->n_said++ % 4096];
    *x = (struct said){ t->id, p->reply->done->seq };
    strcpy(x->name, m_seat(t, a->id)->name);
    p->model.n_said = p->n_said;
    p->tally.deeds[DEED_CHAT]++;
}

static void note(struct play *p, struct m_meet *t, struct actor *a)
{
    Roost__MeetNote b = ROOST__MEET_NOTE__INIT;

    b.meeting = t->id;
    b.account = any_target(p, t, a);
    b.text = "between us";
    play_tell(p, "%s writes a note in %llu", a->name, (unsigned long long)t->id);
    if (check_answer(p, ASK(p, a, MEET_NOTE, meet_note, &b),
                     m_may_note(&p->model, t, a->id, b.account)))
        p->tally.deeds[DEED_NOTE]++;
}

static void react(struct play *p, struct m_meet *t, struct actor *a)
{
    Roost__MeetReact b = ROOST__MEET_REACT__INIT;

    b.meeting = t->id;
    b.emoji = "+1";
    play_tell(p, "%s reacts in %llu", a->name, (unsigned long long)t->id);
    if (check_answer(p, ASK(p, a, MEET_REACT, meet_react, &b), m_may_react(&p->model, t, a->id)))
        p->tally.deeds[DEED_REACTION]++;
}

static void see(struct play *p, struct m_meet *t, struct actor *a)
{
    Roost__MeetWho b = ROOST__MEET_WHO__INIT;

    b.meeting = t->id;
    b.all = one_in(p, 3);
    play_tell(p, "%s looks who %s %llu", a->name, b.all ? "was in" : "is in",
              (unsigned long long)t->id);
    if (!check_answer(p, ASK(p, a, MEET_WHO, meet_who, &b), m_may_see(&p->model, t, a->id, b.all)))
        return;
    const Roost__Ticket *ticket = p->reply->ticket;
    p->tally.deeds[b.all ? DEED_ATTENDANCE : DEED_LOOK]++;
    size_t all = b.all ? t->n_seats : m_count(t, ROOST__MEET_STATE__IN);
    bool waiting = !b.all && m_sees_waiting(&p->model, t, a->id);
    if (ticket->n_attendees != all)
        play_break(p, "%s sees %zu, not %zu", a->name, ticket->n_attendees, all);
    if (ticket->n_waiting != (waiting ? m_count(t, ROOST__MEET_STATE__WAITING) : 0))
        play_break(p, "%s sees %zu who wait", a->name, ticket->n_waiting);
}

static const Roost__Event *was_read(const Roost__Page *page, uint64_t seq)
{
    for (size_t i = 0; i < page->n_events; i++)
        if (page->events[i]->seq == seq)
            return page->events[i];
    return NULL;
}

static void read_chat(struct play *p, struct m_meet *t, struct actor *a)
{
    Roost__Read b = ROOST__READ__INIT;
    Roost__Target target = ROOST__TARGET__INIT;
    struct m_seat *s = m_seat(t, a->id);
    bool forgotten = t->ended && t->forget;

    target.room = t->id;
    b.target = &target;
    b.last = true;
    b.limit = 200;
    play_tell(p, "%s reads the chat of %llu", a->name, (unsigned long long)t->id);
    int code = ASK(p, a, READ, read, &b);
    if (code && forgotten)
        return;
    if (!check_answer(p, code, m_may_read(&p->model, t, a->id)))
        return;
    p->tally.deeds[DEED_READING]++;
    const Roost__Page *page = p->reply->page;
    uint64_t oldest = page->n_events ? page->events[0]->seq : UINT64_MAX;
    for (uint64_t i = p->n_said > 4000 ? p->n_said - 4000 : 0; i < p->n_said; i++) {
        const struct said *x = &p->said[i % 4096];
        if (x->meeting != t->id)
            continue;
        bool before = a->guest && i < s->heard_from;
        const Roost__Event *has = was_read(page, x->seq);
        if (has && strcmp(has->sender_name, x->name) != 0)
            play_break(p, "%llu was said by %s, not %s", (unsigned long long)x->seq, x->name,
                       has->sender_name);
        if (has && (before || forgotten))
            play_break(p, "%s reads %llu, %s", a->name, (unsigned long long)x->seq,
                       before ? "said before it came" : "which is forgotten");
        if (!has && !before && !forgotten && x->seq > oldest)
            play_break(p, "%s cannot read %llu", a->name, (unsigned long long)x->seq);
    }
}

void step_talk(struct play *p)
{
    struct m_meet *t = any_meet(p);
    struct actor *a = !t ? NULL : one_in(p, 4) ? any_actor(p, true) : actor_in(p, t);

    if (!a)
        return;
    switch (dice_below(&p->dice, 6)) {
    case 0:
    case 1:
        talk(p, t, a);
        break;
    case 2:
        note(p, t, a);
        break;
    case 3:
        react(p, t, a);
        break;
    case 4:
        see(p, t, a);
        break;
    default:
        read_chat(p, t, a);
        break;
    }
}
