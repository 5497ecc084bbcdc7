/* actor.c - a client and the person before it: keeps the token and the cursors as
 * a disk would, follows every room it is in, and checks all that arrives. */
#include "sim/world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

int actor_index(const struct world *w, const struct actor *a)
{
    return (int)(a - w->actors);
}

bool actor_is_ready(const struct actor *a)
{
    return a->core && core_state(a->core) == CORE_AT_READY;
}

uint64_t actor_account(const struct world *w, const struct actor *a)
{
    return a->guest ? core_self(a->core)->account : w->people[a->person].account;
}

/* --- asking --- */

bool actor_ask(struct world *w, struct actor *a, Roost__ToServer *m, uint64_t room, uint32_t word,
               bool must_fail)
{
    if (a->n_asked == ASKED_MAX)
        return false;
    int64_t request = core_request(a->core, m, w->now_us);
    if (request < 0)
        return false;
    bool leaves = m->body_case == ROOST__TO_SERVER__BODY_MEET_ACT &&
                  m->meet_act->action == ROOST__MEET_ACTION__LEAVE;
    a->asked[a->n_asked++] = (struct asked){ request, m->body_case, room, word, must_fail, leaves };
    return true;
}

static struct asked take_asked(struct actor *a, int64_t request)
{
    for (size_t i = 0; i < a->n_asked; i++)
        if (a->asked[i].request == request) {
            struct asked found = a->asked[i];
            a->asked[i] = a->asked[--a->n_asked];
            return found;
        }
    return (struct asked){ 0 };
}

static void list_rooms(struct world *w, struct actor *a)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__ListRooms list = ROOST__LIST_ROOMS__INIT;

    list.mine = true;
    m.body_case = ROOST__TO_SERVER__BODY_LIST_ROOMS;
    m.list_rooms = &list;
    actor_ask(w, a, &m, 0, 0, false);
}

static void sign_up(struct world *w, struct actor *a)
{
    Roost__ToServer m = ROOST__TO_SERVER__INIT;
    Roost__SignUp up = ROOST__SIGN_UP__INIT;

    up.name = w->people[a->person].name;
    up.password = (char *)"correct horse";
    m.body_case = ROOST__TO_SERVER__BODY_SIGN_UP;
    m.sign_up = &up;
    w->people[a->person].registering = actor_ask(w, a, &m, 0, 0, false);
}

static void log_in(struct world *w, struct actor *a)
{
    if (a->logs_in)
        return;
    int64_t request = core_login(a->core, w->people[a->person].name, "correct horse", w->now_us);
    if (request < 0)
        return;
    a->logs_in = true;
    a->asked[a->n_asked++] = (struct asked){ .request = request,
                                             .body = ROOST__TO_SERVER__BODY_LOGIN };
}

/* --- rooms --- */

static struct followed *followed(struct actor *a, uint64_t room)
{
    for (size_t i = 0; i < a->n_rooms; i++)
        if (a->rooms[i].room == room)
            return &a->rooms[i];
    assert(a->n_rooms < ROOMS_MAX);
    a->rooms[a->n_rooms] = (struct followed){ .room = room };
    return &a->rooms[a->n_rooms++];
}

static void follow(struct world *w, struct actor *a, uint64_t room)
{
    struct followed *f = followed(a, room);

    if (f->on || a->guest)
        return;
    f->on = core_follow(a->core, room, f->cursor, w->now_us) > 0;
    f->ever |= f->on;
}

static void on_room_changed(struct world *w, struct actor *a, const Roost__RoomChanged *c)
{
    if (c->room->kind == ROOST__ROOM_KIND__MEETING)
        return; /* its place keeps it */
    if (c->gone || !c->room->member) {
        core_unfollow(a->core, c->room->room);
        followed(a, c->room->room)->on = false;
    } else {
        follow(w, a, c->room->room);
    }
}

/* --- what arrives --- */

static uint32_t word_in(const char *text)
{
    unsigned n = 0;

    return text && sscanf(text, "w%06u", &n) == 1 && n < WORDS_MAX ? n : 0;
}

/* What an event is, but for a text, which may have been changed since. */
static uint64_t sign_of(const Roost__Event *e)
{
    uint64_t s = (uint64_t)e->what_case << 56 | e->sender << 40;

    switch (e->what_case) {
    case ROOST__EVENT__WHAT_EDITED:
        return s ^ e->edited->seq;
    case ROOST__EVENT__WHAT_DELETED:
        return s ^ e->deleted->seq;
    case ROOST__EVENT__WHAT_REACTED:
        return s ^ e->reacted->seq ^ (uint64_t)e->reacted->remove << 32;
    case ROOST__EVENT__WHAT_MEMBER:
        return s ^ e->member->account ^ (uint64_t)e->member->change << 32 ^
               (uint64_t)e->member->role << 36;
    case ROOST__EVENT__WHAT_ROOM_SET:
        return s ^ (uint64_t)e->room_set->private_ ^ (uint64_t)e->room_set->moderated << 1 ^
               (uint64_t)e->room_set->closed << 2;
    default:
        return s;
    }
}

static void check_same(struct world *w, struct actor *a, const Roost__Event *e)
{
    struct room_seen *r = world_room(w, e->room);
    uint64_t sign = sign_of(e);

    if (e->seq >= SEQ_MAX)
        return;
    if (!r->sign[e->seq])
        r->sign[e->seq] = sign;
    if (r->sign[e->seq] != sign)
        world_break(w, "client %d saw another event %llu:%llu than those before", actor_index(w, a),
                    (unsigned long long)e->room, (unsigned long long)e->seq);
}

/* A text has one number for ever. */
static void check_word(struct world *w, const Roost__Event *e)
{
    if (e->what_case != ROOST__EVENT__WHAT_TEXT)
        return;
    uint32_t n = word_in(e->text->text);
    if (!n || e->text->edit_seq)
        return;
    struct word *word = &w->words[n];
    if (word->seen_seq && (word->seen_room != e->room || word->seen_seq != e->seq))
        world_break(w, "text %u came as %llu:%llu and as %llu:%llu", n,
                    (unsigned long long)word->seen_room, (unsigned long long)word->seen_seq,
                    (unsigned long long)e->room, (unsigned long long)e->seq);
    word->seen_room = e->room;
    word->seen_seq = e->seq;
    if (e->sender != world_author(w, word))
        world_break(w, "text %u was said by another", n);
}

static void on_event(struct world *w, struct actor *a, const Roost__Event *e)
{
    struct followed *f = followed(a, e->room);

    world_count(w, SIM_ARRIVAL);
    if (met_known(w, e->room))
        met_on_event(w, a, f, e);
    else if (e->seq != f->cursor + 1)
        world_break(w, "client %d got %llu:%llu after %llu", actor_index(w, a),
                    (unsigned long long)e->room, (unsigned long long)e->seq,
                    (unsigned long long)f->cursor);
    f->cursor = e->seq;
    f->most = e->seq > f->most ? e->seq : f->most;
    check_same(w, a, e);
    check_word(w, e);
}

static void on_place(struct world *w, struct actor *a, const Roost__MeetNow *m)
{
    Roost__MeetState state = m->you->state;

    w->counts[SIM_DENIAL] += state == ROOST__MEET_STATE__DENIED;
    if (state != ROOST__MEET_STATE__IN && state != ROOST__MEET_STATE__WAITING)
        met_on_over(w, a, m->meeting);
}

static void on_push(struct world *w, struct actor *a, const Roost__ToClient *m)
{
    if (m->body_case == ROOST__TO_CLIENT__BODY_EVENT)
        on_event(w, a, m->event);
    else if (m->body_case == ROOST__TO_CLIENT__BODY_ROOM_CHANGED)
        on_room_changed(w, a, m->room_changed);
    else if (m->body_case == ROOST__TO_CLIENT__BODY_MEET_NOW && m->meet_now->you)
        on_place(w, a, m->meet_now);
}

/* --- answers --- */

static void on_page(struct world *w, struct actor *a, const struct asked *asked,
                    const Roost__Page *p)
{
    for (size_t i = 0; i < p->n_events; i++) {
        const Roost__Event *e = p->events[i];
        struct followed *f = followed(a, e->room);
        if (asked->room && e->room != asked->room)
            world_break(w, "a page of another room");
        f->most = e->seq > f->most ? e->seq : f->most;
        if (met_known(w, e->room))
            met_on_read(w, a, e);
        check_word(w, e);
    }
}

static void on_done(struct world *w, struct actor *a, const struct asked *asked,
                    const Roost__Done *d)
{
    static const struct {
        Roost__ToServer__BodyCase body;
        enum happening what;
    } counted[] = {
        { ROOST__TO_SERVER__BODY_EDIT, SIM_EDIT },
        { ROOST__TO_SERVER__BODY_DELETE, SIM_DELETION },
        { ROOST__TO_SERVER__BODY_REACT, SIM_REACTION },
        { ROOST__TO_SERVER__BODY_NEW_ROOM, SIM_ROOM },
        { ROOST__TO_SERVER__BODY_JOIN, SIM_JOIN },
        { ROOST__TO_SERVER__BODY_LEAVE, SIM_LEAVE },
        { ROOST__TO_SERVER__BODY_INVITE, SIM_INVITATION },
        { ROOST__TO_SERVER__BODY_REMOVE, SIM_REMOVAL },
        { ROOST__TO_SERVER__BODY_BAN, SIM_BAN },
        { ROOST__TO_SERVER__BODY_SET_ROLE, SIM_ROLE },
        { ROOST__TO_SERVER__BODY_SET_ROOM, SIM_SETTING },
        { ROOST__TO_SERVER__BODY_SET_TOPIC, SIM_SETTING },
        { ROOST__TO_SERVER__BODY_MEET_NOTE, SIM_NOTE },
    };

    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        if (counted[i].body == asked->body)
            world_count(w, counted[i].what);
    if (asked->body == ROOST__TO_SERVER__BODY_SIGN_UP) {
        w->people[a->person].registered = true;
        log_in(w, a);
    }
    if (asked->body == ROOST__TO_SERVER__BODY_MEET_ACT && asked->leaves)
        met_on_over(w, a, asked->room);
    if (asked->body == ROOST__TO_SERVER__BODY_NEW_ROOM)
        world_room(w, d->room);
    if (asked->word) {
        world_count(w, asked->room ? SIM_MESSAGE : SIM_PRIVATE);
        world_room(w, d->room);
        w->words[asked->word].room = d->room;
        w->words[asked->word].seq = d->seq;
    }
}

static void on_reply(struct world *w, struct actor *a, const struct core_event *e)
{
    struct asked asked = take_asked(a, e->request);
    const Roost__Reply *r = e->msg ? e->msg->reply : NULL;

    if (asked.must_fail)
        world_break(w, "client %d did what the rules forbid (request %d in room %llu)",
                    actor_index(w, a), (int)asked.body, (unsigned long long)asked.room);
    if (asked.body == ROOST__TO_SERVER__BODY_LOGIN) {
        world_count(w, SIM_LOGIN);
        a->logs_in = false;
    }
    if (!r)
        return;
    if (r->result_case == ROOST__REPLY__RESULT_DONE) {
        on_done(w, a, &asked, r->done);
    } else if (r->result_case == ROOST__REPLY__RESULT_PAGE) {
        world_count(w, asked.body == ROOST__TO_SERVER__BODY_SEARCH ? SIM_SEARCH : SIM_READING);
        on_page(w, a, &asked, r->page);
    } else if (r->result_case == ROOST__REPLY__RESULT_ROOMS) {
        for (size_t i = 0; i < r->rooms->n_rooms; i++)
            if (r->rooms->rooms[i]->member && r->rooms->rooms[i]->kind != ROOST__ROOM_KIND__MEETING)
                follow(w, a, r->rooms->rooms[i]->room);
    } else if (r->result_case == ROOST__REPLY__RESULT_TICKET &&
               asked.body != ROOST__TO_SERVER__BODY_MEET_WHO) {
        met_on_ticket(w, a, r->ticket, false);
    }
}

static void on_refused(struct world *w, struct actor *a, const struct core_event *e)
{
    struct asked asked = take_asked(a, e->request);
    struct person *p = &w->people[a->person];

    world_count(w, SIM_REFUSAL);
    w->counts[SIM_NOT_STORED] += e->error->code == ROOST_NOT_STORED;
    w->counts[SIM_PROBE] += asked.must_fail;
    w->counts[SIM_WRONG_CODE] += e->error->code == ROOST_NO_SUCH_MEETING;
    w->counts[SIM_BANNED] += e->error->code == ROOST_MEET_BANNED;
    if (e->error->code == ROOST_MALFORMED || e->error->code == ROOST_CONFLICT)
        world_break(w, "client %d: request %d was refused as %s", actor_index(w, a),
                    (int)asked.body, e->error->name);
    if (asked.body == ROOST__TO_SERVER__BODY_LOGIN)
        a->logs_in = false;
    if (asked.body == ROOST__TO_SERVER__BODY_SIGN_UP) {
        p->registering = false;
        if (e->error->code == ROOST_NAME_TAKEN) /* by a request that failed and was stored */
            p->registered = true;
    }
    if (!asked.body && e->room)
        followed(a, e->room)->on = followed(a, e->room)->in = false;
    if (asked.body == ROOST__TO_SERVER__BODY_LIST_ROOMS && actor_is_ready(a))
        list_rooms(w, a);
}

static void on_status(struct world *w, struct actor *a, const struct core_event *e)
{
    for (size_t i = 0; e->state == CORE_AT_OVER && i < a->n_rooms; i++)
        a->rooms[i].in = false;
    if (e->state != CORE_AT_READY)
        return;
    w->people[a->person].account = core_self(a->core)->account;
    if (a->guest) {
        uint64_t account = core_self(a->core)->account;
        assert(account < NUMBERS_MAX);
        if (!w->actor_of[account])
            world_count(w, a->by_link ? SIM_GUEST_LINK : SIM_GUEST);
        w->actor_of[account] = (int8_t)(actor_index(w, a) + 1);
        w->counts[SIM_RESUME] += e->resumed;
        return;
    }
    w->counts[SIM_RESUME] += e->resumed;
    list_rooms(w, a);
}

static void trace(const struct world *w, const struct actor *a, const struct core_event *e)
{
    static const char *const kinds[] = {
        "status", "reply", "refused", "push", "followed", "ticket"
    };
    const Roost__RoomChanged *c = NULL;
    uint64_t room = e->room;

    if (e->kind == CORE_PUSH && e->msg->body_case == ROOST__TO_CLIENT__BODY_ROOM_CHANGED)
        c = e->msg->room_changed;
    printf("%9.3f client %d %s state %d request %lld room %llu:%llu %s%s%s\n",
           (double)w->now_us / 1e6, actor_index(w, a), kinds[e->kind], (int)e->state,
           (long long)e->request, (unsigned long long)(c ? c->room->room : room),
           (unsigned long long)e->seq, e->error ? e->error->name : "", c ? "room changed" : "",
           c && c->gone ? ", gone" : "");
    if (e->kind == CORE_PUSH && e->msg->body_case == ROOST__TO_CLIENT__BODY_EVENT &&
        e->msg->event->what_case == ROOST__EVENT__WHAT_MEMBER)
        printf("            member %s change %d role %d by %s\n", e->msg->event->member->name,
               (int)e->msg->event->member->change, (int)e->msg->event->member->role,
               e->msg->event->sender_name);
}

static void tell(struct world *w, struct actor *a)
{
    for (struct core_event *e; a->core && (e = core_next_event(a->core));) {
        if (w->verbose)
            trace(w, a, e);
        switch (e->kind) {
        case CORE_STATUS:
            on_status(w, a, e);
            break;
        case CORE_REPLY:
            on_reply(w, a, e);
            break;
        case CORE_REFUSED:
            on_refused(w, a, e);
            break;
        case CORE_PUSH:
            on_push(w, a, e->msg);
            break;
        case CORE_FOLLOWED:
            break;
        case CORE_TICKET:
            met_on_ticket(w, a, e->msg->reply->ticket, true);
            break;
        }
    }
}

/* --- what the core wants done --- */

static void connect(struct world *w, struct actor *a)
{
    struct link_config c = { .rate_bps = a->slow ? 4000 : 20000000,
                             .delay_us = 2000,
                             .jitter_us = 3000,
                             .loss_ppm = 5000,
                             .queue_bytes = 64 << 10 };
    int i = 0;

    while (i < WIRES_MAX && w->wires[i].used)
        i++;
    assert(i < WIRES_MAX);
    wire_open(&w->wires[i], ++w->next_conn, actor_index(w, a), &c, &w->dice, w->now_us);
    if (a->partitioned)
        wire_set_down(&w->wires[i], true, w->now_us);
    a->wire = i;
}

static void hang_up(struct world *w, struct actor *a)
{
    if (a->wire < 0)
        return;
    struct wire *x = &w->wires[a->wire];
    x->client_open = false;
    x->rst_us = INT64_MAX;
    x->fin_us = w->now_us + x->up.config.delay_us;
    a->wire = -1;
}

static void do_output(struct world *w, struct actor *a, struct core_output *out)
{
    const uint8_t *token;

    switch (out->kind) {
    case CORE_CONNECT:
        connect(w, a);
        break;
    case CORE_SEND:
        if (a->wire >= 0)
            wire_send_up(&w->wires[a->wire], out->bytes, &w->dice, w->now_us);
        blob_unref(out->bytes);
        break;
    case CORE_CLOSE:
        hang_up(w, a);
        break;
    case CORE_LOAD:
        core_on_token(a->core, a->token, a->token_len, w->now_us);
        break;
    case CORE_SAVE:
        token = core_token(a->core, &a->token_len);
        memcpy(a->token, token, a->token_len);
        core_on_saved(a->core, w->now_us);
        break;
    case CORE_FORGET:
        a->token_len = 0;
        break;
    }
}

void actor_pull(struct world *w, struct actor *a)
{
    struct core_output out;
    bool more = true;

    while (more) {
        more = false;
        while (core_next_output(a->core, &out)) {
            do_output(w, a, &out);
            more = true;
        }
        more |= core_has_events(a->core);
        tell(w, a);
    }
}

/* --- beginning --- */

void actor_address(const struct world *w, const struct actor *a, char ret[static 16])
{
    int guest = a->person - w->n_people;

    snprintf(ret, 16, "192.0.2.%u", a->guest ? 100 + (unsigned)guest / 2 % 100 : 7u);
}

void actor_init(struct world *w, struct actor *a, int person)
{
    memset(a, 0, sizeof *a);
    a->person = person;
    a->wire = -1;
    a->heals_us = INT64_MAX;
    for (size_t i = 0; i < sizeof a->device; i++)
        a->device[i] = (uint8_t)dice_next(&w->dice);
}

/* Also after its program was killed: what is on disk is there, nothing else. */
void actor_start(struct world *w, struct actor *a)
{
    struct core_options o = { .program = "sim", .device_name = "sim" };

    for (size_t i = 0; i < sizeof o.seed; i++)
        o.seed[i] = (uint8_t)dice_next(&w->dice);
    memcpy(o.device, a->device, sizeof o.device);
    a->n_asked = 0;
    a->logs_in = false;
    w->people[a->person].registering = false; /* whoever did may have been this one */
    for (size_t i = 0; i < a->n_rooms; i++)
        a->rooms[i].on = a->rooms[i].in = false;
    a->core = core_new(&o, w->now_us);
    assert(a->core);
    actor_pull(w, a);
}

void actor_log_in(struct world *w, struct actor *a)
{
    struct person *p = &w->people[a->person];

    enum core_state state = core_state(a->core);

    if ((state != CORE_AT_LOGIN && state != CORE_AT_OVER) || a->logs_in)
        return;
    if (a->guest)
        met_guest_in(w, a);
    else if (p->registered)
        log_in(w, a);
    else if (!p->registering)
        sign_up(w, a);
    actor_pull(w, a);
}
