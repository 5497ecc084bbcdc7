/* steps_files.c - somebody sends a file, gets one, or does something with it. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sim/roles/model_files.h"
#include "sim/roles/play.h"

enum { CONTENTS = 12 };

/* --- transfers with the server ------------------------------------------------------------- */

static void trip_drop(struct play *p, size_t i)
{
    p->trips[i] = p->trips[--p->n_trips];
}

static void trip_new(struct play *p, const struct hub_depot *grant)
{
    if (p->n_trips == TRIPS_MAX)
        trip_drop(p, 0);
    p->trips[p->n_trips++] = (struct trip){ *grant, false };
}

void files_on_order(struct play *p, const struct hub_depot *o)
{
    if (o->what == DEPOT_TAKE || o->what == DEPOT_GIVE)
        trip_new(p, o);
    for (size_t i = 0; i < p->n_trips; i++) {
        struct trip *t = &p->trips[i];
        if (o->what == DEPOT_BAR && hub_depot_bars(o, &t->grant))
            t->cut = true;
        if (o->what == DEPOT_OVER && o->file == t->grant.file &&
            (!o->takes || t->grant.what == DEPOT_TAKE))
            trip_drop(p, i--);
    }
}

void files_check(struct play *p)
{
    for (size_t i = 0; i < p->n_trips; i++) {
        const struct trip *t = &p->trips[i];
        struct m_file *f = m_file(&p->model, t->grant.file);
        uint64_t who = t->grant.account;
        bool sends = t->grant.what == DEPOT_TAKE;
        const struct m_person *x = m_person(&p->model, who);
        bool may = f && x && m_may_go_on(&p->model, f, who, sends);
        if (!t->cut && !may)
            play_break(p, "%s goes on %s file %llu, which by the page has ended",
                       x ? x->name : "nobody", sends ? "sending" : "getting",
                       (unsigned long long)t->grant.file);
        if (t->cut && may && who != f->sender) /* who sent it may ask again */
            play_break(p, "%s was cut off file %llu, which by the page goes on", x->name,
                       (unsigned long long)t->grant.file);
        p->tally.deeds[DEED_FILE_CUT] += t->cut;
        if (t->cut || p->broken)
            trip_drop(p, i--);
    }
}

/* --- where, and which ------------------------------------------------------------------------ */

static bool any_place(struct play *p, const struct actor *a, struct m_file *f,
                      Roost__Target *target)
{
    struct m_meet *t;
    uint64_t draw = dice_below(&p->dice, 10);

    *f = (struct m_file){ .sender = a->id, .kept = true };
    if (draw < 5 || a->guest) {
        t = a->attached && !one_in(p, 8) ? m_meet(&p->model, a->attached) : any_meet(p);
        if (!t || (t->ended && t->forget))
            return false;
        target->room = f->meeting = t->id;
    } else if (draw < 8) {
        if (!p->model.n_rooms)
            return false;
        target->room = f->room = p->model.rooms[dice_below(&p->dice, p->model.n_rooms)].id;
    } else if (draw < 9) {
        target->name = "*";
        f->everyone = true;
    } else {
        const struct actor *b = &p->actors[1 + dice_below(&p->dice, ACCOUNTS - 1)];
        if (b == a)
            return false;
        static char name[48];
        snprintf(name, sizeof name, "@%s", b->name);
        target->name = name;
        f->peer = b->id;
        f->kept = !b->on;
    }
    return true;
}

static struct m_file *any_file(struct play *p)
{
    struct model *m = &p->model;

    for (int i = 0; i < 20 && m->n_files; i++) {
        struct m_file *f =
            &m->files[m->n_files - 1 - dice_below(&p->dice, m->n_files < 30 ? m->n_files : 30)];
        struct m_meet *t = f->meeting ? m_meet(m, f->meeting) : NULL;
        if (!t || !t->ended || !t->forget)
            return f;
    }
    return NULL;
}

/* One that it is likely to have to do with. */
static struct m_file *file_for(struct play *p, const struct actor *a)
{
    struct m_file *f = NULL;

    for (int i = 0; i < 6 && (f = any_file(p)); i++)
        if (f->sender == a->id || f->peer == a->id || m_file_reads(&p->model, f, a->id))
            return f;
    return f;
}

/* --- what is done ------------------------------------------------------------------------------
 */

static void offer(struct play *p, struct actor *a)
{
    Roost__FileOffer b = ROOST__FILE_OFFER__INIT;
    Roost__Target target = ROOST__TARGET__INIT;
    struct m_file f;
    uint8_t root[32] = { 0 };
    char name[40];

    if (p->model.n_files == M_FILES_MAX || !any_place(p, a, &f, &target))
        return;
    f.contents = 1 + dice_below(&p->dice, CONTENTS);
    f.open_size = one_in(p, 5);
    f.size = f.open_size ? 0 : f.contents * 160;
    root[0] = (uint8_t)f.contents;
    snprintf(name, sizeof name, "file %zu", p->step);
    b.target = &target;
    b.name = name;
    b.files = 1;
    b.size = f.size;
    b.open_size = f.open_size;
    if (!f.open_size)
        b.root = (ProtobufCBinaryData){ 32, root };
    play_tell(p, "%s offers %llu bytes of %llu to %s %llu%s", a->name, (unsigned long long)f.size,
              (unsigned long long)f.contents, target.name ? target.name : "",
              (unsigned long long)target.room, f.open_size ? ", or so" : "");
    bool had = m_file_had(&p->model, &f);
    if (!check_answer(p, ASK(p, a, FILE_OFFER, file_offer, &b), m_may_offer(&p->model, &f)))
        return;
    const Roost__FileTicket *t = p->reply->file_ticket;
    f.id = t->file->file;
    if (t->have != had || t->file->kept != f.kept)
        play_break(p, "had %d, kept %d, by the page %d, %d", t->have, t->file->kept, had, f.kept);
    p->tally.deeds[DEED_FILE_OFFERED]++;
    p->tally.deeds[DEED_FILE_HAD] += had;
    p->tally.deeds[DEED_FILE_BY_GUEST] += a->guest;
    f.number = p->model.n_whole;
    p->model.files[p->model.n_files++] = f;
    if (had)
        m_file_came(&p->model, &p->model.files[p->model.n_files - 1], f.size);
}

/* Whoever carries files has all of one. */
static void comes(struct play *p)
{
    struct hub_depot_word w = { .what = DEPOT_KEPT };
    struct trip *t = NULL;

    for (int i = 0; i < 10 && p->n_trips; i++) {
        t = &p->trips[dice_below(&p->dice, p->n_trips)];
        if (t->grant.what == DEPOT_TAKE)
            break;
        t = NULL;
    }
    struct m_file *f = t ? m_file(&p->model, t->grant.file) : NULL;
    if (!f)
        return;
    w.file = f->id;
    w.account = f->sender;
    if (f->open_size)
        f->contents = 1 + dice_below(&p->dice, CONTENTS);
    w.size = f->contents * 160;
    w.root[0] = (uint8_t)f->contents;
    play_tell(p, "file %llu is whole: %llu bytes", (unsigned long long)f->id,
              (unsigned long long)w.size);
    hall_word(&p->hall, &w);
    hall_settle(&p->hall);
    m_file_came(&p->model, f, w.size);
    p->tally.deeds[f->stage == F_WHOLE ? DEED_FILE_WHOLE : DEED_FILE_GIVEN_UP]++;
}

static void get(struct play *p, struct actor *a, struct m_file *f)
{
    Roost__FileGet b = ROOST__FILE_GET__INIT;

    b.file = f->id;
    play_tell(p, "%s gets file %llu", a->name, (unsigned long long)f->id);
    if (!check_answer(p, ASK(p, a, FILE_GET, file_get, &b), m_may_get(&p->model, f, a->id)))
        return;
    p->tally.deeds[DEED_FILE_GOT]++;
    p->tally.deeds[DEED_FILE_TO_GUEST] += a->guest && f->sender != a->id;
}

static void answer(struct play *p, struct actor *a, struct m_file *f)
{
    Roost__FileAnswer b = ROOST__FILE_ANSWER__INIT;

    b.file = f->id;
    b.accept = one_in(p, 2);
    play_tell(p, "%s %s file %llu", a->name, b.accept ? "accepts" : "declines",
              (unsigned long long)f->id);
    no why = a->guest ? NO(GUEST) : m_may_answer(f, a->id);
    if (!check_answer(p, ASK(p, a, FILE_ANSWER, file_answer, &b), why))
        return;
    f->stage = b.accept ? F_ACCEPTED : F_OVER;
    p->tally.deeds[DEED_FILE_ANSWERED]++;
}

static void cancel(struct play *p, struct actor *a, struct m_file *f)
{
    Roost__FileCancel b = ROOST__FILE_CANCEL__INIT;

    b.file = f->id;
    play_tell(p, "%s cancels file %llu", a->name, (unsigned long long)f->id);
    if (!check_answer(p, ASK(p, a, FILE_CANCEL, file_cancel, &b),
                      m_may_cancel(&p->model, f, a->id)))
        return;
    f->stage = F_OVER;
    p->tally.deeds[DEED_FILE_CANCELLED]++;
}

static void delete (struct play *p, struct actor *a, struct m_file *f)
{
    Roost__FileForget b = ROOST__FILE_FORGET__INIT;

    b.file = f->id;
    play_tell(p, "%s deletes file %llu", a->name, (unsigned long long)f->id);
    if (!check_answer(p, ASK(p, a, FILE_FORGET, file_forget, &b),
                      m_may_delete(&p->model, f, a->id)))
        return;
    f->stage = F_DELETED;
    p->tally.deeds[DEED_FILE_DELETED]++;
}

static bool is_in(const struct m_file *f, const struct m_file *place)
{
    return place->everyone ? f->everyone
           : place->room   ? f->room == place->room
                           : f->meeting == place->meeting;
}

static void list(struct play *p, struct actor *a)
{
    Roost__FileList b = ROOST__FILE_LIST__INIT;
    Roost__Target target = ROOST__TARGET__INIT;
    struct m_file place;
    size_t n = 0;

    if (!any_place(p, a, &place, &target) || place.peer)
        return;
    b.target = &target;
    play_tell(p, "%s looks which files are in %s%llu", a->name, target.name ? target.name : "",
              (unsigned long long)target.room);
    if (!check_answer(p, ASK(p, a, FILE_LIST, file_list, &b), m_may_list(&p->model, &place, a->id)))
        return;
    const Roost__FileListing *l = p->reply->file_listing;
    for (size_t i = 0; i < p->model.n_files; i++) {
        const struct m_file *f = &p->model.files[i];
        n += f->kept && f->stage == F_WHOLE && is_in(f, &place) &&
             m_file_reads(&p->model, f, a->id);
    }
    for (size_t i = 0; i < l->n_files; i++) {
        const struct m_file *f = m_file(&p->model, l->files[i]->file);
        if (!f || !is_in(f, &place) || !m_file_reads(&p->model, f, a->id) || f->stage != F_WHOLE)
            play_break(p, "%s sees file %llu", a->name, (unsigned long long)l->files[i]->file);
    }
    if (l->n_files != n && !l->more)
        play_break(p, "%s sees %zu files, by the page %zu", a->name, l->n_files, n);
    p->tally.deeds[DEED_FILE_LISTED]++;
}

void step_file(struct play *p)
{
    struct actor *a = any_actor(p, true);
    struct m_file *f = a ? file_for(p, a) : NULL;
    uint64_t draw = dice_below(&p->dice, 20);

    if (!a)
        return;
    if (draw < 6 || !f)
        offer(p, a);
    else if (draw < 10)
        comes(p);
    else if (draw < 14)
        get(p, a, f);
    else if (draw < 16)
        answer(p, a, f);
    else if (draw < 17)
        cancel(p, a, f);
    else if (draw < 18)
        delete (p, a, f);
    else
        list(p, a);
}
