#include "parcels.h"

#include <string.h>

#include "test.h"

uint8_t root_of_7[32] = { 7 };

struct stage *stage(void)
{
    struct stage *s = meet_stage();

    s->hall.config.datagrams = s->hall.config.files = s->hall.config.files_away = true;
    s->hall.config.file_paths = true;
    s->hall.config.media_port = 5001;
    hub_set_config(s->hall.hub, &s->hall.config);
    return s;
}

Roost__FileOffer parcel(Roost__Target *to, uint64_t size)
{
    Roost__FileOffer b = ROOST__FILE_OFFER__INIT;

    b.target = to;
    b.name = "notes.txt";
    b.files = 1;
    b.size = size;
    return b;
}

Roost__Reply *offer_as(struct visitor *v, const char *to, Roost__FileOffer *b)
{
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = (char *)to;
    b->target = &t;
    return ASK(v, FILE_OFFER, file_offer, b);
}

Roost__Reply *offer(struct visitor *v, const char *to, uint64_t size)
{
    Roost__FileOffer b = parcel(NULL, size);

    return offer_as(v, to, &b);
}

/* Of a reply that must be one. */
const Roost__FileTicket *ticket(const Roost__Reply *r)
{
    CHECK(reply_code(r) == 0);
    return r->file_ticket;
}

Roost__Reply *get(struct visitor *v, uint64_t file, bool web)
{
    Roost__FileGet b = ROOST__FILE_GET__INIT;

    b.file = file;
    b.web = web;
    return ASK(v, FILE_GET, file_get, &b);
}

Roost__Reply *answer(struct visitor *v, uint64_t file, bool accept)
{
    Roost__FileAnswer b = ROOST__FILE_ANSWER__INIT;

    b.file = file;
    b.accept = accept;
    return ASK(v, FILE_ANSWER, file_answer, &b);
}

int state(struct visitor *v, uint64_t file, int stage_now)
{
    Roost__FileState b = ROOST__FILE_STATE__INIT;

    b.file = file;
    b.stage = (Roost__FileStage)stage_now;
    return reply_code(ASK(v, FILE_STATE, file_state, &b));
}

int cancel(struct visitor *v, uint64_t file)
{
    Roost__FileCancel b = ROOST__FILE_CANCEL__INIT;

    b.file = file;
    return reply_code(ASK(v, FILE_CANCEL, file_cancel, &b));
}

int forget(struct visitor *v, uint64_t file)
{
    Roost__FileForget b = ROOST__FILE_FORGET__INIT;

    b.file = file;
    return reply_code(ASK(v, FILE_FORGET, file_forget, &b));
}

const Roost__FileListing *list(struct visitor *v, const char *where, bool all)
{
    Roost__FileList b = ROOST__FILE_LIST__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = (char *)(where ? where : "");
    b.target = where ? &t : NULL;
    b.all = all;
    const Roost__Reply *r = ASK(v, FILE_LIST, file_list, &b);
    return reply_code(r) ? NULL : r->file_listing;
}

size_t listed(struct visitor *v, const char *where)
{
    const Roost__FileListing *l = list(v, where, false);

    CHECK(l);
    return l->n_files;
}

uint64_t used(struct visitor *v, const char *where)
{
    const Roost__FileListing *l = list(v, where, false);

    CHECK(l);
    return l->used;
}

int signal_to(struct visitor *v, uint64_t file, uint32_t code, size_t len)
{
    static uint8_t bytes[8192];
    Roost__FileSignal b = ROOST__FILE_SIGNAL__INIT;

    b.file = file;
    b.code = code;
    b.data = (ProtobufCBinaryData){ len, bytes };
    return reply_code(ASK(v, FILE_SIGNAL, file_signal, &b));
}

int progress(struct visitor *v, uint64_t file, uint64_t moved)
{
    Roost__FileProgress b = ROOST__FILE_PROGRESS__INIT;

    b.file = file;
    b.moved = moved;
    b.way = 2;
    return reply_code(ASK(v, FILE_PROGRESS, file_progress, &b));
}

Roost__Reply *relay(struct visitor *v, uint64_t file, uint32_t code)
{
    Roost__FileRelay b = ROOST__FILE_RELAY__INIT;

    b.file = file;
    b.code = code;
    return ASK(v, FILE_RELAY, file_relay, &b);
}

const Roost__ToClient *heard_of(const struct visitor *v, int what)
{
    for (size_t i = v->n_heard; i-- > 0;)
        if ((int)v->heard[i].frame->body_case == what)
            return v->heard[i].frame;
    return NULL;
}

const Roost__ToClient *heard(const struct visitor *v, int what)
{
    const Roost__ToClient *f = heard_of(v, what);

    CHECK(f);
    return f;
}

const struct hub_depot *told(const struct stage *s, int what, uint64_t file)
{
    for (size_t i = s->hall.n_depot; i-- > 0 && i + HALL_CARRIED_MAX > s->hall.n_depot;)
        if ((int)s->hall.depot[i % HALL_CARRIED_MAX].what == what &&
            s->hall.depot[i % HALL_CARRIED_MAX].file == file)
            return &s->hall.depot[i % HALL_CARRIED_MAX];
    return NULL;
}

const struct hub_depot *barred(const struct stage *s, uint64_t account, uint64_t room)
{
    for (size_t i = s->hall.n_depot; i-- > 0 && i + HALL_CARRIED_MAX > s->hall.n_depot;) {
        const struct hub_depot *d = &s->hall.depot[i % HALL_CARRIED_MAX];
        if (d->what == DEPOT_BAR && d->account == account && d->room == room)
            return d;
    }
    return NULL;
}

/* The depot has all of it. */
void whole(struct stage *s, uint64_t file, uint64_t size)
{
    struct hub_depot_word w = { .what = DEPOT_KEPT, .file = file, .size = size };

    memcpy(w.root, root_of_7, 32);
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
}

uint64_t kept(struct stage *s, struct visitor *v, const char *where)
{
    const Roost__Reply *r = offer(v, where, 500);

    CHECK(reply_code(r) == 0);
    uint64_t file = r->file_ticket->file->file;
    whole(s, file, 500);
    return file;
}
