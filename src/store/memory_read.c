/* Reading, searching, forgetting, in the store in memory. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory_db.h"
#include "store/words.h"

/* --- events as they are now --- */

static void words_empty(struct event *e)
{
    e->text = "";
    e->mentions = NULL;
    e->n_mentions = 0;
}

static void words_of(struct event *e, const struct event *from)
{
    e->text = from->text;
    e->mentions = from->mentions;
    e->n_mentions = from->n_mentions;
}

static int by_emoji(const void *a, const void *b)
{
    const struct event_reaction *x = a, *y = b;

    return strcmp(x->emoji, y->emoji);
}

static void reactions_show(struct mem *m, struct store_result *r, const struct mem_event *from,
                           struct event *e, uint64_t account)
{
    struct event_reaction *list = NULL;

    assert(e->n_reactions == 0 && "the caller has just made it");
    for (size_t i = 0; i < from->n_reactions; i++) {
        size_t k = 0;
        while (k < e->n_reactions && strcmp(list[k].emoji, from->reactions[i].emoji) != 0)
            k++;
        if (k == e->n_reactions) {
            if (!mem_result_add(m, r, &list, &e->n_reactions, sizeof *list))
                return;
            list[k].emoji = mem_str(m, r, from->reactions[i].emoji);
        }
        list[k].count++;
        list[k].mine |= from->reactions[i].account == account;
    }
    if (list)
        qsort(list, e->n_reactions, sizeof *list, by_emoji);
    e->reactions = list;
}

/* Copies what it borrows. */
static void own(struct mem *m, struct store_result *r, struct event *e)
{
    e->from_name = mem_str(m, r, e->shown ? e->shown : mem_name(m, e->from));
    e->shown = NULL;
    e->who_name = mem_str(m, r, mem_name(m, e->who));
    e->text = mem_str(m, r, e->text);
    e->room_name = mem_str(m, r, e->room_name);
    if (e->n_mentions)
        e->mentions = arena_dup(&r->mem, e->mentions, e->n_mentions * sizeof *e->mentions);
    if (e->n_mentions && !e->mentions) {
        m->nomem = true;
        e->n_mentions = 0;
    }
    if (e->n_data)
        e->data = arena_dup(&r->mem, e->data, e->n_data);
    if (e->n_data && !e->data) {
        m->nomem = true;
        e->n_data = 0;
    }
}

void mem_event_show(struct mem *m, struct store_result *r, struct mem_room *room,
                    struct mem_event *from, uint64_t account)
{
    struct event *e = mem_result_add(m, r, &r->events, &r->n_events, sizeof *e);

    if (!e)
        return;
    *e = from->e;
    if (e->kind == EVENT_TEXT) {
        e->edit_seq = from->edit_seq;
        e->deleted = from->deleted;
        if (from->deleted)
            words_empty(e);
        else if (from->edit_seq)
            words_of(e, &room->events[from->edit_seq - 1].e);
        reactions_show(m, r, from, e, account);
    } else if (e->kind == EVENT_EDIT) {
        const struct mem_event *t = mem_event_at(room, e->ref);
        if (!t || t->deleted || t->edit_seq != e->seq)
            words_empty(e);
    }
    own(m, r, e);
}

/* --- pages --- */

static void reverse(struct event *list, size_t n)
{
    for (size_t i = 0; i + 1 < n - i; i++) {
        struct event swap = list[i];
        list[i] = list[n - 1 - i];
        list[n - 1 - i] = swap;
    }
}

/* At most `limit` events of low..high from either end; true if some are left. */
static bool take(struct mem *m, const struct store_op *op, struct store_result *r, uint64_t low,
                 uint64_t high, size_t limit, bool newest)
{
    struct mem_room *room = mem_room(m, op->room.id);
    size_t first = r->n_events, bytes = 0;
    bool more = false;

    for (uint64_t i = 0; low <= high && i <= high - low && !m->nomem; i++) {
        struct mem_event *e = mem_event_at(room, newest ? high - i : low + i);
        if (!e)
            continue;
        more = r->n_events - first == limit || bytes > READ_BYTES_MAX;
        if (more)
            break;
        mem_event_show(m, r, room, e, op->account.id);
        const struct event *put = r->n_events ? &r->events[r->n_events - 1] : NULL;
        bytes += put ? strlen(put->text) + put->n_data : 0;
    }
    if (newest && r->n_events > first)
        reverse(r->events + first, r->n_events - first);
    return more;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The first number that is not older; what is gone tells no time. */
static uint64_t seq_since(struct mem_room *room, int64_t at_ms)
{
    uint64_t seq = room->n_events + 1;

    while (seq > 1 && (room->events[seq - 2].gone || room->events[seq - 2].e.at_ms >= at_ms))
        seq--;
    return seq;
}

int mem_read(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    size_t limit = store_page(op, READ_PAGE);

    if (!room)
        return -ROOST_NO_SUCH_ROOM;
    r->room = room->row.id;
    r->head = room->row.head;
    uint64_t low = op->after + 1, high = room->row.head;
    struct mem_member *in = mem_in(room, op->account.id);
    if (op->since_ms > 0)
        low = larger(low, seq_since(room, op->since_ms));
    if (op->unread && in)
        low = larger(low, in->row.read + 1);
    if (op->before && op->before <= high)
        high = op->before - 1;
    if (op->after == UINT64_MAX || low > high)
        return 0;
    if (op->around) {
        uint64_t mid = op->around < low ? low : op->around > high ? high + 1 : op->around;
        take(m, op, r, low, mid - 1, limit / 2, true);
        r->more = take(m, op, r, mid, high, limit - r->n_events, false);
    } else {
        r->more = take(m, op, r, low, high, limit, op->last);
    }
    return 0;
}

int mem_earlier(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    struct mem_event *t = room ? mem_event_at(room, op->seq) : NULL;
    size_t skip = 0;

    if (!t || t->e.kind != EVENT_TEXT)
        return -ROOST_NO_SUCH_MESSAGE;
    for (size_t i = op->seq; i < room->n_events; i++)
        skip += room->events[i].e.kind == EVENT_EDIT && room->events[i].e.ref == op->seq;
    skip = skip >= STORE_PAGE_MAX ? skip - (STORE_PAGE_MAX - 1) : 0; /* the newest matter most */
    for (size_t i = op->seq - 1; i < room->n_events; i++) {
        const struct mem_event *from = &room->events[i];
        bool is_edit = from->e.kind == EVENT_EDIT && from->e.ref == op->seq;
        if (i >= op->seq && (!is_edit || (skip && skip--)))
            continue;
        struct event *e = mem_result_add(m, r, &r->events, &r->n_events, sizeof *e);
        if (!e)
            break;
        *e = from->e;
        own(m, r, e);
    }
    r->room = room->row.id;
    return 0;
}

/* --- searching --- */

static bool is_letter(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (unsigned char)c >= 0x80;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

struct word {
    const char *at;
    size_t len;
};

static bool word_next(const char **p, const char *end, struct word *ret)
{
    while (*p < end && !is_letter(**p))
        (*p)++;
    ret->at = *p;
    while (*p < end && is_letter(**p))
        (*p)++;
    ret->len = (size_t)(*p - ret->at);
    return ret->len > 0;
}

static bool same(struct word want, struct word have, bool prefix)
{
    if (have.len < want.len || (have.len > want.len && !prefix))
        return false;
    for (size_t i = 0; i < want.len; i++)
        if (lower(want.at[i]) != lower(have.at[i]))
            return false;
    return true;
}

/* Do the term's words follow each other from here? */
static bool phrase_at(const struct words_term *t, const char *text, const char *end)
{
    const char *p = t->text, *stop = t->text + t->len;
    struct word want, have, after;

    for (bool on = word_next(&p, stop, &want); on; want = after) {
        on = word_next(&p, stop, &after);
        if (!word_next(&text, end, &have) || !same(want, have, !on && t->prefix))
            return false;
    }
    return true;
}

static bool term_in(const struct words_term *t, const char *text)
{
    const char *end = text + strlen(text);
    struct word w;

    do {
        if (phrase_at(t, text, end))
            return true;
    } while (word_next(&text, end, &w));
    return false;
}

struct hit {
    struct mem_room *room;
    struct mem_event *e;
};

static int newer_first(const void *pa, const void *pb)
{
    const struct event *a = &((const struct hit *)pa)->e->e, *b = &((const struct hit *)pb)->e->e;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? 1 : -1;
    if (a->room != b->room)
        return a->room < b->room ? 1 : -1;
    return a->seq < b->seq ? 1 : a->seq > b->seq ? -1 : 0;
}

static const char *text_of(struct mem_room *room, const struct mem_event *e)
{
    const char *text = e->edit_seq ? room->events[e->edit_seq - 1].e.text : e->e.text;

    return text ? text : "";
}

static void search_room(struct mem *m, const struct store_op *op, struct mem_room *room,
                        const struct words_term *terms, size_t n_terms, struct hit **hits,
                        size_t *n_hits)
{
    for (size_t i = 0; i < room->n_events && n_terms; i++) {
        struct mem_event *e = &room->events[i];
        bool all = e->e.kind == EVENT_TEXT && !e->deleted && !e->gone &&
                   (op->since_ms <= 0 || e->e.at_ms >= op->since_ms);
        for (size_t k = 0; all && k < n_terms; k++)
            all = term_in(&terms[k], text_of(room, e));
        struct hit *h = all ? mem_add(m, hits, n_hits, sizeof *h) : NULL;
        if (h)
            *h = (struct hit){ room, e };
    }
}

int mem_search(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct words_term terms[WORDS_TERMS_MAX];
    size_t n_terms = words_parse(op->words, terms), n = 0, limit = store_page(op, READ_PAGE);
    size_t bytes = 0, take_n = 0;
    struct hit *hits = NULL;

    for (size_t i = 0; i < m->now.n_rooms; i++) {
        struct mem_room *room = &m->now.rooms[i];
        if (op->room.id ? room->row.id == op->room.id : mem_in(room, op->account.id) != NULL)
            search_room(m, op, room, terms, n_terms, &hits, &n);
    }
    if (n)
        qsort(hits, n, sizeof *hits, newer_first);
    while (take_n < n && take_n < limit && bytes <= READ_BYTES_MAX) {
        const char *text = hits[take_n++].e->e.text;
        bytes += text ? strlen(text) : 0;
    }
    while (take_n-- > 0)
        mem_event_show(m, r, hits[take_n].room, hits[take_n].e, op->account.id);
    free(hits);
    return 0;
}

/* --- forgetting --- */

void mem_texts_drop(struct mem_room *room, uint64_t first)
{
    for (size_t i = 0; i < room->n_events; i++) {
        struct mem_event *e = &room->events[i];
        bool about = e->e.kind == EVENT_EDIT || e->e.kind == EVENT_DELETE ||
                     e->e.kind == EVENT_REACT || e->e.kind == EVENT_PIN;
        if (e->e.kind == EVENT_TEXT ? e->e.seq < first : about && e->e.ref < first) {
            e->gone = true;
            mem_text_delete(room, e);
        }
    }
    if (first > room->row.first)
        room->row.first = first;
}

int mem_retain(struct mem *m, const struct store_op *op, struct store_result *r)
{
    struct mem_room *room = mem_room(m, op->room.id);
    struct mem_state *now = &m->now;

    if (op->room.id && op->before_ms > 0) {
        if (!room)
            return -ROOST_NO_SUCH_ROOM;
        mem_texts_drop(room, seq_since(room, op->before_ms));
        r->room = room->row.id;
        r->head = room->row.head;
    }
    for (size_t i = now->n_sessions; i-- > 0;)
        if (now->sessions[i].row.used_ms < op->now_ms - SESSION_KEEP_MS)
            mem_drop(now->sessions, &now->n_sessions, sizeof *now->sessions, i);
    for (size_t i = now->n_guards; i-- > 0;) {
        int64_t old = op->now_ms - GUARD_KEEP_MS;
        if (now->guards[i].until_ms < old && now->guards[i].since_ms < old)
            mem_drop(now->guards, &now->n_guards, sizeof *now->guards, i);
    }
    if (!op->room.id)
        mem_guests_clear(m, op->now_ms);
    return 0;
}
