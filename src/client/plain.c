/* plain.c - what the core tells, as the plain structs of roost.h. They live in the
 * arena of the core's event, strings stay where they were decoded. */
#include "client/edge.h"

#include <string.h>

#include "base/err.h"

static const char *str(const char *s)
{
    return s ? s : "";
}

struct roost_error roost_error_get(int code)
{
    code = code < 0 ? -code : code;
    if (!code)
        return (struct roost_error){ 0, "", "", "", 0 };
    return (struct roost_error){ code, err_name(code), err_text(code), err_advice(code), 0 };
}

static struct roost_error plain_error(const struct core_error *e)
{
    if (!e)
        return roost_error_get(0);
    return (struct roost_error){ e->code, e->name, e->text, e->advice, e->retry_after_ms };
}

/* --- one thing --------------------------------------------------------------------- */

static int plain_person(struct arena *a, const Roost__Person *m, struct roost_person *p)
{
    *p = (struct roost_person){ m->account,     str(m->name),
                                m->since_ms,    m->idle_ms,
                                str(m->away),   m->self,
                                m->sessions,    (const char *const *)m->addresses,
                                m->n_addresses, (enum roost_role)m->role,
                                str(m->typing) };
    (void)a;
    return 0;
}

static int plain_room(struct arena *a, const Roost__RoomInfo *m, struct roost_room *p)
{
    (void)a;
    *p = (struct roost_room){ .room = m->room,
                              .kind = (enum roost_room_kind)m->kind,
                              .name = str(m->name),
                              .topic = str(m->topic),
                              .private_ = m->private_,
                              .moderated = m->moderated,
                              .closed = m->closed,
                              .member = m->member,
                              .muted = m->muted,
                              .members = m->members,
                              .role = (enum roost_room_role)m->role,
                              .head = m->head,
                              .first = m->first,
                              .read = m->read,
                              .unread = m->unread,
                              .mentions = m->mentions,
                              .retention_days = m->retention_days,
                              .pins = m->pins,
                              .n_pins = m->n_pins,
                              .last_ms = m->last_ms,
                              .peer = m->peer };
    return 0;
}

static int plain_member(struct arena *a, const Roost__Member *m, struct roost_member *p)
{
    (void)a;
    *p = (struct roost_member){ m->account, str(m->name), (enum roost_room_role)m->role,
                                m->on,      m->banned,    m->delivered,
                                m->read };
    return 0;
}

static int plain_session(struct arena *a, const Roost__SessionInfo *m, struct roost_session *p)
{
    (void)a;
    *p = (struct roost_session){
        m->session, str(m->device_name), m->created_ms, m->used_ms,    m->on,
        m->own,     str(m->address),     str(m->name),  str(m->bearer)
    };
    return 0;
}

static int plain_user(struct arena *a, const Roost__User *m, struct roost_account *p)
{
    (void)a;
    *p = (struct roost_account){ m->account,    str(m->name), (enum roost_role)m->role,
                                 m->created_ms, m->sessions,  m->deleted };
    return 0;
}

static int plain_block(struct arena *a, const Roost__Block *m, struct roost_block *p)
{
    (void)a;
    *p = (struct roost_block){ m->key.data,    m->key.len,  str(m->kind), str(m->name),
                               str(m->source), m->failures, m->until_ms };
    return 0;
}

static int plain_line(struct arena *a, const Roost__LogLine *m, struct roost_log_line *p)
{
    (void)a;
    *p = (struct roost_log_line){ m->n,         m->at_ms,       m->account,      str(m->name),
                                  str(m->kind), str(m->target), str(m->address), str(m->outcome) };
    return 0;
}

static int read_meeting(struct arena *a, const Roost__Meeting *m, struct roost_meeting *p)
{
    (void)a;
    plain_meeting(m, p);
    return 0;
}

/* --- what happened in a room --------------------------------------------------------- */

static int read_text(struct arena *a, const Roost__Text *t, struct roost_message *p)
{
    struct roost_reaction *list = arena_get(a, t->n_reactions * sizeof *list + 1);

    if (!list)
        return -ROOST_NOMEM;
    for (size_t i = 0; i < t->n_reactions; i++)
        list[i] = (struct roost_reaction){ str(t->reactions[i]->emoji), t->reactions[i]->count,
                                           t->reactions[i]->mine };
    p->what = ROOST_TEXT;
    p->text = str(t->text);
    p->reply_to = t->reply_to;
    p->action = t->action;
    p->mentions = t->mentions;
    p->n_mentions = t->n_mentions;
    p->edit_seq = t->edit_seq;
    p->deleted = t->deleted;
    p->reactions = list;
    p->n_reactions = t->n_reactions;
    return 0;
}

static void read_room_set(const Roost__RoomSet *s, struct roost_message *p)
{
    p->what = ROOST_ROOM_SET;
    p->text = str(s->topic);
    p->room_name = str(s->name);
    p->private_ = s->private_;
    p->moderated = s->moderated;
    p->closed = s->closed;
    p->created = s->created;
    p->retention_days = s->retention_days;
}

static void read_rest(const Roost__Event *m, struct roost_message *p)
{
    switch (m->what_case) {
    case ROOST__EVENT__WHAT_EDITED:
        p->what = ROOST_EDITED;
        p->ref = m->edited->seq;
        p->text = str(m->edited->text);
        p->mentions = m->edited->mentions;
        p->n_mentions = m->edited->n_mentions;
        break;
    case ROOST__EVENT__WHAT_DELETED:
        p->what = ROOST_DELETED;
        p->ref = m->deleted->seq;
        break;
    case ROOST__EVENT__WHAT_REACTED:
        p->what = ROOST_REACTED;
        p->ref = m->reacted->seq;
        p->text = str(m->reacted->emoji);
        p->off = m->reacted->remove;
        break;
    case ROOST__EVENT__WHAT_MEMBER:
        p->what = ROOST_MEMBERSHIP;
        p->who = m->member->account;
        p->who_name = str(m->member->name);
        p->change = (enum roost_change)m->member->change;
        p->role = (enum roost_room_role)m->member->role;
        break;
    case ROOST__EVENT__WHAT_ROOM_SET:
        read_room_set(m->room_set, p);
        break;
    case ROOST__EVENT__WHAT_PINNED:
        p->what = ROOST_PINNED;
        p->ref = m->pinned->seq;
        p->off = !m->pinned->on;
        break;
    default:
        break;
    }
}

static int read_filed(struct roost *r, struct arena *a, const Roost__Filed *m,
                      struct roost_message *p)
{
    struct roost_file *file = arena_get(a, sizeof *file);

    if (!file)
        return -ROOST_NOMEM;
    plain_file(r, m->file, file);
    p->what = ROOST_FILED;
    p->text = file->name;
    p->file = file;
    return 0;
}

static int plain_message(struct roost *r, struct arena *a, const Roost__Event *m,
                         struct roost_message *p)
{
    uint64_t me = core_self(r->core)->account;
    int err = 0;

    *p = (struct roost_message){ .room = m->room,
                                 .seq = m->seq,
                                 .at_ms = m->at_ms,
                                 .sender = m->sender,
                                 .sender_name = str(m->sender_name),
                                 .what = ROOST_UNKNOWN,
                                 .text = "",
                                 .who_name = "",
                                 .room_name = "" };
    p->own = me && m->sender == me;
    p->hidden = core_ignores(r->core, m->sender);
    if (m->what_case == ROOST__EVENT__WHAT_TEXT) {
        err = read_text(a, m->text, p);
    } else if (m->what_case == ROOST__EVENT__WHAT_MET) {
        p->what = ROOST_MET;
        p->text = str(m->met->text);
        err = plain_met(a, m->met, &p->met);
    } else if (m->what_case == ROOST__EVENT__WHAT_FILED && m->filed->file) {
        err = read_filed(r, a, m->filed, p);
    } else
        read_rest(m, p);
    for (size_t i = 0; i < p->n_mentions; i++)
        p->mentions_me = p->mentions_me || (me && p->mentions[i] == me);
    return err;
}

static int plain_messages(struct roost *r, struct arena *a, size_t n, Roost__Event **from,
                          struct roost_reply *to)
{
    struct roost_message *list = arena_get(a, n * sizeof *list + 1);
    int err = list ? 0 : -ROOST_NOMEM;

    for (size_t i = 0; !err && i < n; i++)
        err = plain_message(r, a, from[i], &list[i]);
    to->messages = list;
    to->n = n;
    return err;
}

/* --- replies --------------------------------------------------------------------------- */

/* A repeated field as an array of plain structs: to->FIELD, to->n. */
#define LIST(KIND, FIELD, COUNT, FROM, TYPE, READ)                                                 \
    do {                                                                                           \
        struct TYPE *list = arena_get(a, (COUNT) * sizeof *list + 1);                              \
        to->reply = KIND;                                                                          \
        for (size_t i = 0; list && i < (COUNT); i++)                                               \
            READ(a, (FROM)[i], &list[i]);                                                          \
        to->FIELD = list;                                                                          \
        to->n = (COUNT);                                                                           \
        err = list ? 0 : -ROOST_NOMEM;                                                             \
    } while (0)

static void read_stat(struct arena *a, const Roost__Stat *m, struct roost_stat *to)
{
    (void)a;
    *to = (struct roost_stat){ str(m->name), m->value, str(m->text) };
}

static void read_work(const Roost__Work *m, struct roost_work *to)
{
    *to = (struct roost_work){
        .work = m->work,
        .stage = (enum roost_work_stage)m->stage,
        .done = m->done,
        .total = m->total,
        .offset = m->offset,
        .data = m->data.data,
        .n_data = m->data.len,
        .sha256 = m->sha256.len == 32 ? m->sha256.data : NULL,
        .text = str(m->text),
    };
}

static int plain_files(struct roost *r, struct arena *a, const Roost__FileListing *m,
                       struct roost_reply *to)
{
    struct roost_file *list = arena_get(a, m->n_files * sizeof *list + 1);

    for (size_t i = 0; list && i < m->n_files; i++)
        plain_file(r, m->files[i], &list[i]);
    to->reply = ROOST_FILES;
    to->files = list;
    to->n = m->n_files;
    to->more = m->more;
    to->used = m->used;
    to->quota = m->quota;
    return list ? 0 : -ROOST_NOMEM;
}

static int read_lists(struct roost *r, struct arena *a, const Roost__Reply *m,
                      struct roost_reply *to)
{
    int err = 0;

    switch (m->result_case) {
    case ROOST__REPLY__RESULT_SESSIONS:
        LIST(ROOST_SESSIONS, sessions, m->sessions->n_sessions, m->sessions->sessions,
             roost_session, plain_session);
        break;
    case ROOST__REPLY__RESULT_PEOPLE:
        LIST(ROOST_PEOPLE, people, m->people->n_people, m->people->people, roost_person,
             plain_person);
        to->more = m->people->more;
        break;
    case ROOST__REPLY__RESULT_ROOMS:
        LIST(ROOST_ROOMS, rooms, m->rooms->n_rooms, m->rooms->rooms, roost_room, plain_room);
        to->more = m->rooms->more;
        break;
    case ROOST__REPLY__RESULT_MEMBERS:
        LIST(ROOST_MEMBERS, members, m->members->n_members, m->members->members, roost_member,
             plain_member);
        to->done.room = m->members->room;
        to->more = m->members->more;
        break;
    case ROOST__REPLY__RESULT_USERS:
        LIST(ROOST_USERS, users, m->users->n_users, m->users->users, roost_account, plain_user);
        to->more = m->users->more;
        break;
    case ROOST__REPLY__RESULT_BLOCKS:
        LIST(ROOST_BLOCKS, blocks, m->blocks->n_blocks, m->blocks->blocks, roost_block,
             plain_block);
        break;
    case ROOST__REPLY__RESULT_LOG:
        LIST(ROOST_LOG, lines, m->log->n_lines, m->log->lines, roost_log_line, plain_line);
        to->more = m->log->more;
        break;
    case ROOST__REPLY__RESULT_MEETINGS:
        LIST(ROOST_MEETINGS, meetings, m->meetings->n_meetings, m->meetings->meetings,
             roost_meeting, read_meeting);
        to->more = m->meetings->more;
        break;
    case ROOST__REPLY__RESULT_STATS:
        LIST(ROOST_STATS, stats, m->stats->n_stats, m->stats->stats, roost_stat, read_stat);
        break;
    case ROOST__REPLY__RESULT_WORK:
        to->reply = ROOST_WORK;
        read_work(m->work, &to->work);
        break;
    case ROOST__REPLY__RESULT_PAGE:
        to->reply = ROOST_PAGE;
        to->more = m->page->more;
        return plain_messages(r, a, m->page->n_events, m->page->events, to);
    case ROOST__REPLY__RESULT_FILE_LISTING:
        return plain_files(r, a, m->file_listing, to);
    case ROOST__REPLY__RESULT_VERSIONS:
        to->reply = ROOST_VERSIONS;
        return plain_messages(r, a, m->versions->n_events, m->versions->events, to);
    default:
        break;
    }
    return err;
}

static int plain_reply(struct roost *r, struct arena *a, const Roost__Reply *m,
                       struct roost_reply *to)
{
    switch (m->result_case) {
    case ROOST__REPLY__RESULT_DONE:
        to->reply = ROOST_DONE;
        to->done.room = m->done->room;
        to->done.seq = m->done->seq;
        to->done.at_ms = m->done->at_ms;
        to->done.account = m->done->account;
        return 0;
    case ROOST__REPLY__RESULT_ME:
        to->reply = ROOST_ME;
        to->me.account = m->me->account;
        to->me.session = m->me->session;
        to->me.created_ms = m->me->created_ms;
        to->me.name = str(m->me->name);
        to->me.address = str(m->me->address);
        to->me.role = (enum roost_role)m->me->role;
        return 0;
    case ROOST__REPLY__RESULT_ANSWER:
        to->reply = ROOST_ANSWER;
        to->text = str(m->answer->text);
        return 0;
    case ROOST__REPLY__RESULT_FILE_TICKET:
        to->reply = ROOST_ANSWER;
        to->text = str(m->file_ticket->path);
        to->until_ms = m->file_ticket->until_ms;
        return 0;
    case ROOST__REPLY__RESULT_MEET_FIGURES:
        return plain_figures(a, m->meet_figures, to);
    case ROOST__REPLY__RESULT_TOKEN:
        to->reply = ROOST_TOKEN;
        to->text = str(m->token->token);
        to->until_ms = m->token->until_ms;
        return 0;
    case ROOST__REPLY__RESULT_TICKET:
        to->reply = ROOST_TICKET;
        return plain_ticket(a, m->ticket, &to->ticket);
    default:
        return read_lists(r, a, m, to);
    }
}

/* --- the rest ---------------------------------------------------------------------------- */

static enum roost_state plain_state(enum core_state s)
{
    return s == CORE_AT_LOGIN   ? ROOST_LOGIN
           : s == CORE_AT_READY ? ROOST_READY
           : s == CORE_AT_LOST  ? ROOST_LOST
           : s == CORE_AT_OVER  ? ROOST_OVER
                                : ROOST_CONNECTING;
}

static void plain_status(struct roost *r, const struct core_event *from, struct roost_status *to)
{
    const struct core_server *server = core_server(r->core);
    const struct core_self *self = core_self(r->core);
    int64_t wait_us = from->retry_at_us - edge_now_us();

    *to = (struct roost_status){ .state = plain_state(from->state),
                                 .resumed = from->resumed,
                                 .error = plain_error(from->error),
                                 .detail = from->error ? r->detail : "",
                                 .retry_ms = wait_us > 0 ? wait_us / 1000 : 0,
                                 .trust = from->error && r->refused ? &r->trust : NULL,
                                 .program = server->program,
                                 .registration = server->registration,
                                 .logs_private_text = server->logs_private_text,
                                 .text_max = server->text_max,
                                 .account = self->account,
                                 .session = self->session,
                                 .name = self->name,
                                 .role = (enum roost_role)self->role,
                                 .guest = self->guest };
    memcpy(to->server_id, server->id, sizeof to->server_id);
}

static int plain_people(struct arena *a, const Roost__PeopleChanged *m, struct roost_event *to)
{
    struct roost_person *list = arena_get(a, m->n_people * sizeof *list + 1);

    for (size_t i = 0; list && i < m->n_people; i++)
        plain_person(a, m->people[i], &list[i]);
    to->kind = ROOST_PEOPLE_CHANGED;
    to->people = list;
    to->n_people = m->n_people;
    return list ? 0 : -ROOST_NOMEM;
}

static int plain_push(struct roost *r, struct core_event *from, struct roost_event *to)
{
    const Roost__ToClient *m = from->msg;
    static const Roost__RoomInfo no_room = ROOST__ROOM_INFO__INIT;

    switch (m->body_case) {
    case ROOST__TO_CLIENT__BODY_EVENT:
        to->kind = ROOST_MESSAGE;
        return plain_message(r, &from->mem, m->event, &to->message);
    case ROOST__TO_CLIENT__BODY_PEOPLE_CHANGED:
        return plain_people(&from->mem, m->people_changed, to);
    case ROOST__TO_CLIENT__BODY_TYPING_NOW:
        to->kind = ROOST_TYPING;
        to->typing.room = m->typing_now->room;
        to->typing.account = m->typing_now->account;
        to->typing.name = str(m->typing_now->name);
        return 0;
    case ROOST__TO_CLIENT__BODY_ROOM_CHANGED:
        to->kind = ROOST_ROOM_CHANGED;
        to->gone = m->room_changed->gone;
        return plain_room(&from->mem, m->room_changed->room ? m->room_changed->room : &no_room,
                          &to->room);
    case ROOST__TO_CLIENT__BODY_RECEIPT:
        to->kind = ROOST_RECEIPT;
        to->receipt.room = m->receipt->room;
        to->receipt.account = m->receipt->account;
        to->receipt.delivered = m->receipt->delivered;
        to->receipt.read = m->receipt->read;
        return 0;
    case ROOST__TO_CLIENT__BODY_NOTICE:
        to->kind = ROOST_NOTICE;
        to->notice.text = str(m->notice->text);
        to->notice.going_down = m->notice->going_down;
        return 0;
    case ROOST__TO_CLIENT__BODY_LOG_LINE:
        to->kind = ROOST_LOG_LINE;
        return plain_line(&from->mem, m->log_line, &to->log_line);
    case ROOST__TO_CLIENT__BODY_FILE_OFFERED:
    case ROOST__TO_CLIENT__BODY_FILE_STATE:
        return plain_file_push(r, m, to);
    default:
        return plain_meet_push(&from->mem, m, to); /* or it is passed over */
    }
}

int plain_event(struct roost *r, struct core_event *from, struct roost_event *to)
{
    struct roost_reply *reply = &to->reply;

    memset(to, 0, sizeof *to);
    to->request = from->request;
    switch (from->kind) {
    case CORE_STATUS:
        to->kind = ROOST_STATUS;
        plain_status(r, from, &to->status);
        return 0;
    case CORE_REFUSED:
        to->kind = ROOST_REFUSED;
        to->error = plain_error(from->error);
        return 0;
    case CORE_PUSH:
        return plain_push(r, from, to);
    case CORE_TICKET:
        to->kind = ROOST_TICKET_AGAIN;
        return plain_ticket(&from->mem, from->msg->reply->ticket, &to->ticket);
    case CORE_FOLLOWED:
    case CORE_REPLY:
        break;
    }
    to->kind = ROOST_REPLY;
    reply->text = reply->me.name = reply->me.address = "";
    reply->took_ms = from->took_us / 1000;
    if (from->kind == CORE_FOLLOWED) {
        reply->reply = ROOST_FOLLOWED;
        reply->done.room = from->room;
        reply->done.seq = from->seq;
        return 0;
    }
    if (!from->msg) {
        reply->reply = ROOST_LOGGED_IN;
        return 0;
    }
    return plain_reply(r, &from->mem, from->msg->reply, reply);
}
