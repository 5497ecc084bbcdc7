#include "client/roll.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct roll_row {
    Roost__Attendee a;
    char text[]; /* name, note, login */
};

struct roll_head {
    Roost__Meeting m;
    char text[]; /* code, title, name of the room */
};

/* --- copies ----------------------------------------------------------------------- */

static size_t room_for(const char *s)
{
    return (s ? strlen(s) : 0) + 1;
}

static char *put(char **at, const char *s)
{
    char *to = *at;
    size_t n = room_for(s);

    memcpy(to, s ? s : "", n);
    *at += n;
    return to;
}

static struct roll_row *row_copy(const Roost__Attendee *a)
{
    struct roll_row *r = malloc(sizeof *r + room_for(a->name) + room_for(a->note) +
                                room_for(a->login));
    char *at;

    if (!r)
        return NULL;
    at = r->text;
    r->a = *a;
    r->a.base.n_unknown_fields = 0;
    r->a.base.unknown_fields = NULL;
    r->a.name = put(&at, a->name);
    r->a.note = put(&at, a->note);
    r->a.login = put(&at, a->login);
    return r;
}

static struct roll_head *head_copy(const Roost__Meeting *m)
{
    struct roll_head *h = malloc(sizeof *h + room_for(m->code) + room_for(m->title) +
                                 room_for(m->bound_name));
    char *at;

    if (!h)
        return NULL;
    at = h->text;
    h->m = *m;
    h->m.base.n_unknown_fields = 0;
    h->m.base.unknown_fields = NULL;
    h->m.code = put(&at, m->code);
    h->m.title = put(&at, m->title);
    h->m.bound_name = put(&at, m->bound_name);
    return h;
}

/* --- life ------------------------------------------------------------------------- */

void roll_init(struct roll *r)
{
    *r = (struct roll){ 0 };
}

static void drop_rows(struct roll *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->rows[i]);
    r->n = 0;
}

void roll_fini(struct roll *r)
{
    drop_rows(r);
    free(r->rows);
    free(r->you);
    free(r->head);
    free(r->secret);
    *r = (struct roll){ 0 };
}

/* --- looking ---------------------------------------------------------------------- */

const Roost__Meeting *roll_meeting(const struct roll *r)
{
    return r->head ? &r->head->m : NULL;
}

const Roost__Attendee *roll_you(const struct roll *r)
{
    return r->you ? &r->you->a : NULL;
}

const Roost__Attendee *roll_at(const struct roll *r, size_t i)
{
    return i < r->n ? &r->rows[i]->a : NULL;
}

static size_t index_of(const struct roll *r, uint64_t account)
{
    size_t i = 0;

    while (i < r->n && r->rows[i]->a.account != account)
        i++;
    return i;
}

const Roost__Attendee *roll_find(const struct roll *r, uint64_t account)
{
    return roll_at(r, index_of(r, account));
}

/* --- changing --------------------------------------------------------------------- */

static void remove_at(struct roll *r, size_t i)
{
    if (i >= r->n)
        return;
    free(r->rows[i]);
    memmove(r->rows + i, r->rows + i + 1, (r->n - i - 1) * sizeof *r->rows);
    r->n--;
}

static int add(struct roll *r, struct roll_row *row)
{
    if (r->n >= ROLL_MAX)
        return -ROOST_LIMIT;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        struct roll_row **rows = realloc(r->rows, cap * sizeof(struct roll_row *));
        if (!rows)
            return -ROOST_NOMEM;
        r->rows = rows;
        r->cap = cap;
    }
    r->rows[r->n++] = row;
    return 0;
}

static bool present(const Roost__Attendee *a)
{
    return a->state == ROOST__MEET_STATE__IN || a->state == ROOST__MEET_STATE__WAITING;
}

/* As the row stands now; here: what is known of its being connected. */
static int set(struct roll *r, const Roost__Attendee *a, bool here)
{
    size_t i = index_of(r, a->account);
    struct roll_row *row;
    int err = 0;

    if (!present(a)) {
        remove_at(r, i);
        return 0;
    }
    if (!(row = row_copy(a)))
        return -ROOST_NOMEM;
    row->a.here = here || (r->you && r->you->a.account == a->account); /* who else hears this? */
    if (i < r->n && r->rows[i]->a.state == a->state) {
        free(r->rows[i]);
        r->rows[i] = row;
        return 0;
    }
    remove_at(r, i); /* who was admitted stands behind those who were in before */
    err = add(r, row);
    if (err)
        free(row);
    return err;
}

static int set_you(struct roll *r, const Roost__Attendee *a)
{
    struct roll_row *row = row_copy(a);

    if (!row)
        return -ROOST_NOMEM;
    free(r->you);
    r->you = row;
    return 0;
}

static int set_head(struct roll *r, const Roost__Meeting *m)
{
    struct roll_head *h = head_copy(m);

    if (!h)
        return -ROOST_NOMEM;
    free(r->head);
    r->head = h;
    return 0;
}

int roll_ticket(struct roll *r, const Roost__Ticket *t)
{
    int err = t->meeting ? set_head(r, t->meeting) : 0;

    if (!err && t->you)
        err = set_you(r, t->you);
    free(r->secret);
    r->secret = t->secret && *t->secret ? strdup(t->secret) : NULL;
    if (t->secret && *t->secret && !r->secret)
        err = -ROOST_NOMEM;
    r->upto = t->head;
    drop_rows(r);
    for (size_t i = 0; !err && i < t->n_attendees; i++)
        err = set(r, t->attendees[i], t->attendees[i]->here);
    for (size_t i = 0; !err && i < t->n_waiting; i++)
        err = set(r, t->waiting[i], t->waiting[i]->here);
    return err;
}

static void mute(Roost__Attendee *a)
{
    if (a->state == ROOST__MEET_STATE__IN &&
        (a->role == ROOST__MEET_ROLE__PARTICIPANT || a->role == ROOST__MEET_ROLE__VIEWER))
        a->muted = true;
}

static void mute_all(struct roll *r)
{
    for (size_t i = 0; i < r->n; i++)
        mute(&r->rows[i]->a);
    if (r->you)
        mute(&r->you->a);
}

int roll_met(struct roll *r, uint64_t seq, const Roost__Met *m)
{
    int err = 0;

    if (seq <= r->upto)
        return 0;
    if (m->meeting)
        err = set_head(r, m->meeting);
    if (m->action == ROOST__MEET_ACTION__MUTE_ALL || m->action == ROOST__MEET_ACTION__LOCK_MICS)
        mute_all(r);
    for (size_t i = 0; !err && i < m->n_attendees; i++) {
        const Roost__Attendee *a = m->attendees[i], *old = roll_find(r, a->account);
        err = set(r, a, !old || m->action == ROOST__MEET_ACTION__CAME || old->here);
        if (!err && r->you && r->you->a.account == a->account)
            err = set_you(r, a);
    }
    return err;
}

int roll_lobby(struct roll *r, const Roost__MeetLobby *m)
{
    int err = 0;

    for (size_t i = 0; !err && i < m->n_waiting; i++) {
        const Roost__Attendee *a = m->waiting[i], *old = roll_find(r, a->account);
        if (a->state == ROOST__MEET_STATE__WAITING)
            err = set(r, a, a->here);
        else if (old && old->state == ROOST__MEET_STATE__WAITING)
            remove_at(r, index_of(r, a->account)); /* if it came in, an event says so */
    }
    return err;
}

void roll_here(struct roll *r, const Roost__MeetHere *m)
{
    for (size_t i = 0; i < m->n_attendees; i++) {
        size_t at = index_of(r, m->attendees[i]->account);
        if (at < r->n)
            r->rows[at]->a.here = m->attendees[i]->here;
    }
}

int roll_now(struct roll *r, const Roost__MeetNow *m)
{
    return m->you ? set_you(r, m->you) : 0;
}
