/* meeting.c - a meeting in memory: read from the store, changed by what was stored. */
#include <stdlib.h>
#include <string.h>

#include "hub/meeting.h"
#include "wire/msg.h"

static char *copy_of(const char *s)
{
    return strdup(s ? s : "");
}

void attendee_free_past(struct device_past *p)
{
    while (p) {
        struct device_past *next = p->next;
        free(p);
        p = next;
    }
}

void attendee_put_past(struct attendee *a, struct device_past *p)
{
    unsigned n = 0;

    for (struct device_past **at = &a->past; *at;) {
        struct device_past *old = *at;
        if (old->number == p->number || ++n == DEVICES_PAST_MAX) {
            *at = old->next;
            free(old);
        } else {
            at = &old->next;
        }
    }
    p->next = a->past;
    a->past = p;
}

static void attendee_free(struct attendee *a)
{
    if (!a)
        return;
    attendee_free_past(a->past);
    free(a->row.name);
    free(a->row.note);
    free(a->row.login);
    free(a->skeleton);
    free(a->source);
    free(a);
}

static void head_fini(Roost__Meeting *head)
{
    free(head->code);
    free(head->title);
    free(head->bound_name);
}

void meeting_free(struct meeting *m)
{
    struct map_slot *s;

    if (!m)
        return;
    for (size_t i = 0; (s = map_next(&m->attendees, &i));)
        attendee_free(s->value);
    map_fini(&m->attendees);
    head_fini(&m->head);
    free(m);
}

size_t meeting_bytes(const struct meeting *m)
{
    enum { STRINGS = 160 }; /* names, skeleton, source */

    return m ? sizeof *m + m->attendees.cap * sizeof(struct map_slot) +
                   m->attendees.n * (sizeof(struct attendee) + STRINGS)
             : 0;
}

static int head_set(Roost__Meeting *to, const Roost__Meeting *from)
{
    Roost__Meeting fresh = *from;

    fresh.base = (ProtobufCMessage){ .descriptor = &roost__meeting__descriptor };
    fresh.code = copy_of(from->code);
    fresh.title = copy_of(from->title);
    fresh.bound_name = copy_of(from->bound_name);
    if (!fresh.code || !fresh.title || !fresh.bound_name) {
        head_fini(&fresh);
        return -ROOST_NOMEM;
    }
    head_fini(to);
    *to = fresh;
    return 0;
}

static void count(struct meeting *m, const struct attendee *a, int by)
{
    if (a->row.state == ROOST__MEET_STATE__IN)
        m->n_in += (uint32_t)by;
    else if (a->row.state == ROOST__MEET_STATE__WAITING)
        m->n_waiting += (uint32_t)by;
}

/* Puts a copy of it into the place of the one with this account. */
static int attendee_put(struct meeting *m, const struct attendee *from)
{
    struct attendee *old = meeting_attendee(m, from->row.account);
    struct attendee *a = malloc(sizeof *a);

    if (!a)
        return -ROOST_NOMEM;
    *a = *from;
    a->row.base = (ProtobufCMessage){ .descriptor = &roost__attendee__descriptor };
    a->row.name = copy_of(from->row.name);
    a->row.note = copy_of(from->row.note);
    a->row.login = copy_of(from->row.login);
    a->skeleton = copy_of(from->skeleton);
    a->source = copy_of(from->source);
    a->here = old ? old->here : 0;
    a->lost_us = old ? old->lost_us : 0;
    a->past = NULL;
    if (!a->row.name || !a->row.note || !a->row.login || !a->skeleton || !a->source ||
        map_put(&m->attendees, from->row.account, a) < 0) {
        attendee_free(a);
        return -ROOST_NOMEM;
    }
    a->past = old ? old->past : from->past;
    if (old) {
        old->past = NULL;
        count(m, old, -1);
    }
    attendee_free(old);
    count(m, a, 1);
    return 0;
}

struct attendee *meeting_attendee(const struct meeting *m, uint64_t account)
{
    return map_get(&m->attendees, account);
}

int meeting_role(const struct meeting *m, uint64_t account)
{
    const struct attendee *a = meeting_attendee(m, account);

    return a && a->row.state == ROOST__MEET_STATE__IN ? (int)a->row.role : -1;
}

bool meeting_manages(const struct meeting *m, uint64_t account)
{
    return meeting_role(m, account) >= (int)ROOST__MEET_ROLE__COHOST;
}

const struct attendee *meeting_named(const struct meeting *m, const char *skeleton)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (attendee_present(a) && strcmp(a->skeleton, skeleton) == 0)
            return a;
    }
    return NULL;
}

/* --- from the store ---------------------------------------------------------------- */

static int past_load(struct attendee *a, const Roost__KeptAttendee *kept)
{
    struct device_past **end = &a->past;

    for (size_t i = 0; i < kept->n_devices && i < DEVICES_PAST_MAX; i++) {
        const Roost__DeviceFigures *d = kept->devices[i];
        struct device_past *p = d->summary ? calloc(1, sizeof *p) : NULL;
        if (!p && d->summary)
            return -ROOST_NOMEM;
        if (!p)
            continue;
        p->number = d->number;
        strncpy(p->name, d->device_name, sizeof p->name - 1);
        p->summary = *d->summary;
        p->summary.base = (ProtobufCMessage){ .descriptor = &roost__media_summary__descriptor };
        *end = p;
        end = &p->next;
    }
    return 0;
}

static int attendee_load(struct meeting *m, struct arena *mem, const struct attendee_row *row,
                         int64_t now_us)
{
    Roost__KeptAttendee *kept = msg_unpack(mem, &roost__kept_attendee__descriptor, row->data,
                                           row->n_data);

    if (!kept || !kept->attendee)
        return -ROOST_MALFORMED;
    struct attendee a = { .row = *kept->attendee,
                          .skeleton = kept->skeleton,
                          .source = kept->source,
                          .sent_away_ms = (int64_t)kept->sent_away_ms,
                          .has_device = kept->device.len == 32 };
    if (a.has_device)
        memcpy(a.device, kept->device.data, 32);
    a.row.account = row->account;
    int err = past_load(&a, kept);
    if (!err)
        err = attendee_put(m, &a);
    if (err)
        attendee_free_past(a.past);
    else /* nobody is connected to what was just read: their time runs from now */
        meeting_attendee(m, row->account)->lost_us = now_us;
    return err;
}

int meeting_load(struct meeting **ret, const struct store_result *loaded, int64_t now_us)
{
    struct meeting *m = calloc(1, sizeof *m);
    struct arena mem = { 0 };
    int err = m ? 0 : -ROOST_NOMEM;
    Roost__KeptMeeting *kept = NULL;

    if (m) {
        map_init(&m->attendees, loaded->room_row.id);
        kept = msg_unpack(&mem, &roost__kept_meeting__descriptor, loaded->meet.data,
                          loaded->meet.n_data);
        err = kept && kept->meeting ? head_set(&m->head, kept->meeting) : -ROOST_MALFORMED;
    }
    for (size_t i = 0; !err && i < loaded->n_attendees; i++)
        err = attendee_load(m, &mem, &loaded->attendees[i], now_us);
    arena_fini(&mem);
    if (err) {
        meeting_free(m);
        return err;
    }
    m->head.room = loaded->room_row.id;
    if (!meeting_attendee(m, m->head.host))
        m->head.host = 0; /* the account was deleted */
    *ret = m;
    return 0;
}

void meeting_keep_presence(struct meeting *m, const struct meeting *before)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        struct attendee *a = s->value;
        struct attendee *was = meeting_attendee(before, a->row.account);
        if (was) {
            a->here = was->here;
            a->lost_us = was->lost_us;
        }
        if (was && was->past) {
            attendee_free_past(a->past);
            a->past = was->past;
            was->past = NULL;
        }
    }
}

const char *meeting_shown(const struct meeting *m, uint64_t account, const char *own)
{
    const struct attendee *a = m ? meeting_attendee(m, account) : NULL;

    return a && strcmp(a->row.name, own) != 0 ? a->row.name : NULL;
}

/* --- changes -------------------------------------------------------------------------- */

void meet_change_begin(struct meet_change *c, struct arena *mem, const struct meeting *m,
                       Roost__MeetAction action, uint64_t by, int64_t now_ms)
{
    *c = (struct meet_change){ .mem = mem, .now_ms = now_ms, .action = action, .by = by };
    c->edits_end = &c->edits;
    c->event = true;
    if (!m) {
        roost__meeting__init(&c->head);
        return;
    }
    c->head = m->head;
    c->head.code = meet_text(c, m->head.code);
    c->head.title = meet_text(c, m->head.title);
    c->head.bound_name = meet_text(c, m->head.bound_name);
}

static struct attendee *edit_add(struct meet_change *c, const struct attendee *from, bool fresh)
{
    struct meet_edit *e = arena_get(c->mem, sizeof *e);

    if (!e) {
        c->err = -ROOST_NOMEM;
        c->none.a = *from;
        return &c->none.a;
    }
    e->a = *from;
    e->a.row.name = meet_text(c, from->row.name);
    e->a.row.note = meet_text(c, from->row.note);
    e->a.row.login = meet_text(c, from->row.login);
    e->a.skeleton = meet_text(c, from->skeleton);
    e->a.source = meet_text(c, from->source);
    e->fresh = fresh;
    *c->edits_end = e;
    c->edits_end = &e->next;
    c->n_edits++;
    return &e->a;
}

struct attendee *meet_edit(const struct meeting *m, struct meet_change *c, uint64_t account)
{
    static const struct attendee nobody;
    const struct attendee *a = meeting_attendee(m, account);

    for (struct meet_edit *e = c->edits; e; e = e->next)
        if (e->a.row.account == account)
            return &e->a;
    return edit_add(c, a ? a : &nobody, false);
}

struct attendee *meet_edit_new(struct meet_change *c, uint64_t account)
{
    struct attendee a = { 0 };

    roost__attendee__init(&a.row);
    a.row.account = account;
    a.skeleton = a.source = "";
    return edit_add(c, &a, true);
}

static bool may_go(const struct meeting *m, const struct attendee *a, int64_t now_ms)
{
    return a->row.guest && !a->here && !attendee_present(a) &&
           a->row.state != ROOST__MEET_STATE__EXCLUDED && a->row.account != m->head.host &&
           a->row.account != m->head.first_host &&
           (!a->sent_away_ms || a->sent_away_ms + MEET_ROW_MS < now_ms);
}

static bool was_away_longer(const struct attendee *a, const struct attendee *b)
{
    return a->row.left_ms == b->row.left_ms ? a->row.account < b->row.account
                                            : a->row.left_ms < b->row.left_ms;
}

uint64_t meet_oldest(const struct meeting *m, int64_t now_ms)
{
    const struct attendee *oldest = NULL;
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&m->attendees, &i));) {
        const struct attendee *a = s->value;
        if (may_go(m, a, now_ms) && (!oldest || was_away_longer(a, oldest)))
            oldest = a;
    }
    return oldest ? oldest->row.account : 0;
}

void meet_edit_drop(const struct meeting *m, struct meet_change *c, uint64_t account)
{
    struct meet_edit **end = c->edits_end;

    meet_edit(m, c, account);
    if (*end)
        (*end)->gone = (*end)->quiet = true;
}

char *meet_text(struct meet_change *c, const char *text)
{
    char *copy = arena_str(c->mem, text ? text : "");

    if (!copy)
        c->err = -ROOST_NOMEM;
    return copy ? copy : "";
}

int meet_apply(struct meeting *m, const struct meet_change *c, int64_t now_us)
{
    int err = head_set(&m->head, &c->head);

    for (const struct meet_edit *e = c->edits; e && !err; e = e->next) {
        const struct attendee *was = meeting_attendee(m, e->a.row.account);
        if (e->gone) {
            attendee_free(map_take(&m->attendees, e->a.row.account));
            continue;
        }
        bool comes = attendee_present(&e->a) && !(was && attendee_present(was));
        err = attendee_put(m, &e->a);
        struct attendee *a = err ? NULL : meeting_attendee(m, e->a.row.account);
        if (a && comes && !a->here)
            a->lost_us = now_us; /* until its connection shows up, its time runs */
    }
    return err;
}

/* --- as bytes ------------------------------------------------------------------------------ */

int meet_pack_head(struct arena *mem, const Roost__Meeting *head, const uint8_t **ret, size_t *n)
{
    Roost__KeptMeeting kept = ROOST__KEPT_MEETING__INIT;

    kept.meeting = (Roost__Meeting *)head;
    return msg_pack(mem, &kept.base, ret, n);
}

/* At most DEVICES_PAST_MAX rows. Returns how many. */
static size_t past_fill(const struct attendee *a, Roost__DeviceFigures *rows,
                        Roost__DeviceFigures **list)
{
    size_t n = 0;

    for (struct device_past *p = a->past; p && n < DEVICES_PAST_MAX; p = p->next, n++) {
        roost__device_figures__init(&rows[n]);
        rows[n].number = p->number;
        rows[n].device_name = p->name;
        rows[n].summary = &p->summary;
        list[n] = &rows[n];
    }
    return n;
}

int meet_pack_attendee(struct arena *mem, const struct attendee *a, const uint8_t **ret, size_t *n)
{
    Roost__KeptAttendee kept = ROOST__KEPT_ATTENDEE__INIT;
    Roost__DeviceFigures rows[DEVICES_PAST_MAX], *list[DEVICES_PAST_MAX];

    kept.devices = list;
    kept.n_devices = past_fill(a, rows, list);

    kept.attendee = (Roost__Attendee *)&a->row;
    kept.skeleton = a->skeleton;
    kept.source = a->source;
    kept.sent_away_ms = (uint64_t)a->sent_away_ms;
    if (a->has_device)
        kept.device = (ProtobufCBinaryData){ 32, (uint8_t *)a->device };
    return msg_pack(mem, &kept.base, ret, n);
}

int meet_pack_event(struct arena *mem, const struct meet_change *c, const uint8_t **ret, size_t *n)
{
    Roost__Met met = ROOST__MET__INIT;

    met.action = c->action;
    met.meeting = (Roost__Meeting *)&c->head;
    met.text = (char *)(c->text ? c->text : "");
    met.old_name = (char *)(c->old_name ? c->old_name : "");
    met.attendees = arena_get(mem, (c->n_edits + 1) * sizeof *met.attendees);
    if (!met.attendees)
        return -ROOST_NOMEM;
    for (const struct meet_edit *e = c->edits; e; e = e->next)
        if (!e->quiet)
            met.attendees[met.n_attendees++] = (Roost__Attendee *)&e->a.row;
    return msg_pack(mem, &met.base, ret, n);
}
