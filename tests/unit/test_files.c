/* test_files.c - parcels and codes: who may offer, get, end and forget what. */
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "hub/internal.h"
#include "meets.h"
#include "test.h"

static uint8_t root_of_7[32] = { 7 };

static struct stage *stage(void)
{
    struct stage *s = meet_stage();

    s->hall.config.datagrams = s->hall.config.files = s->hall.config.files_away = true;
    s->hall.config.file_paths = true;
    s->hall.config.media_port = 5001;
    hub_set_config(s->hall.hub, &s->hall.config);
    return s;
}

static Roost__FileOffer parcel(Roost__Target *to, uint64_t size)
{
    Roost__FileOffer b = ROOST__FILE_OFFER__INIT;

    b.target = to;
    b.name = "notes.txt";
    b.files = 1;
    b.size = size;
    return b;
}

static Roost__Reply *offer_as(struct visitor *v, const char *to, Roost__FileOffer *b)
{
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = (char *)to;
    b->target = &t;
    return ASK(v, FILE_OFFER, file_offer, b);
}

static Roost__Reply *offer(struct visitor *v, const char *to, uint64_t size)
{
    Roost__FileOffer b = parcel(NULL, size);

    return offer_as(v, to, &b);
}

/* Of a reply that must be one. */
static const Roost__FileTicket *ticket(const Roost__Reply *r)
{
    CHECK(reply_code(r) == 0);
    return r->file_ticket;
}

static Roost__Reply *get(struct visitor *v, uint64_t file, bool web)
{
    Roost__FileGet b = ROOST__FILE_GET__INIT;

    b.file = file;
    b.web = web;
    return ASK(v, FILE_GET, file_get, &b);
}

static Roost__Reply *answer(struct visitor *v, uint64_t file, bool accept)
{
    Roost__FileAnswer b = ROOST__FILE_ANSWER__INIT;

    b.file = file;
    b.accept = accept;
    return ASK(v, FILE_ANSWER, file_answer, &b);
}

static int state(struct visitor *v, uint64_t file, int stage_now)
{
    Roost__FileState b = ROOST__FILE_STATE__INIT;

    b.file = file;
    b.stage = (Roost__FileStage)stage_now;
    return reply_code(ASK(v, FILE_STATE, file_state, &b));
}

static int cancel(struct visitor *v, uint64_t file)
{
    Roost__FileCancel b = ROOST__FILE_CANCEL__INIT;

    b.file = file;
    return reply_code(ASK(v, FILE_CANCEL, file_cancel, &b));
}

static int forget(struct visitor *v, uint64_t file)
{
    Roost__FileForget b = ROOST__FILE_FORGET__INIT;

    b.file = file;
    return reply_code(ASK(v, FILE_FORGET, file_forget, &b));
}

static const Roost__FileListing *list(struct visitor *v, const char *where, bool all)
{
    Roost__FileList b = ROOST__FILE_LIST__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = (char *)(where ? where : "");
    b.target = where ? &t : NULL;
    b.all = all;
    const Roost__Reply *r = ASK(v, FILE_LIST, file_list, &b);
    return reply_code(r) ? NULL : r->file_listing;
}

static size_t listed(struct visitor *v, const char *where)
{
    const Roost__FileListing *l = list(v, where, false);

    CHECK(l);
    return l->n_files;
}

static uint64_t used(struct visitor *v, const char *where)
{
    const Roost__FileListing *l = list(v, where, false);

    CHECK(l);
    return l->used;
}

static int signal_to(struct visitor *v, uint64_t file, uint32_t code, size_t len)
{
    static uint8_t bytes[8192];
    Roost__FileSignal b = ROOST__FILE_SIGNAL__INIT;

    b.file = file;
    b.code = code;
    b.data = (ProtobufCBinaryData){ len, bytes };
    return reply_code(ASK(v, FILE_SIGNAL, file_signal, &b));
}

static Roost__Reply *relay(struct visitor *v, uint64_t file, uint32_t code)
{
    Roost__FileRelay b = ROOST__FILE_RELAY__INIT;

    b.file = file;
    b.code = code;
    return ASK(v, FILE_RELAY, file_relay, &b);
}

static const Roost__ToClient *heard_of(const struct visitor *v, int what)
{
    for (size_t i = v->n_heard; i-- > 0;)
        if ((int)v->heard[i].frame->body_case == what)
            return v->heard[i].frame;
    return NULL;
}

static const Roost__ToClient *heard(const struct visitor *v, int what)
{
    const Roost__ToClient *f = heard_of(v, what);

    CHECK(f);
    return f;
}

static const struct hub_depot *told(const struct stage *s, int what, uint64_t file)
{
    for (size_t i = s->hall.n_depot; i-- > 0 && i + HALL_CARRIED_MAX > s->hall.n_depot;)
        if ((int)s->hall.depot[i % HALL_CARRIED_MAX].what == what &&
            s->hall.depot[i % HALL_CARRIED_MAX].file == file)
            return &s->hall.depot[i % HALL_CARRIED_MAX];
    return NULL;
}

static const struct hub_depot *barred(const struct stage *s, uint64_t account, uint64_t room)
{
    for (size_t i = s->hall.n_depot; i-- > 0 && i + HALL_CARRIED_MAX > s->hall.n_depot;) {
        const struct hub_depot *d = &s->hall.depot[i % HALL_CARRIED_MAX];
        if (d->what == DEPOT_BAR && d->account == account && d->room == room)
            return d;
    }
    return NULL;
}

/* The depot has all of it. */
static void whole(struct stage *s, uint64_t file, uint64_t size)
{
    struct hub_depot_word w = { .what = DEPOT_KEPT, .file = file, .size = size };

    memcpy(w.root, root_of_7, 32);
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
}

static uint64_t kept(struct stage *s, struct visitor *v, const char *where)
{
    const Roost__Reply *r = offer(v, where, 500);

    CHECK(reply_code(r) == 0);
    uint64_t file = r->file_ticket->file->file;
    whole(s, file, 500);
    return file;
}

#define CODE_OF(reply) reply_code(reply)

/* --- from person to person -------------------------------------------------------------- */

static void one_offers_and_one_accepts(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    const Roost__Reply *r = offer(ann, "@bob", 500);
    CHECK(CODE_OF(r) == 0 && !r->file_ticket->token.len && r->file_ticket->sends);
    CHECK(!r->file_ticket->file->kept);
    uint64_t file = r->file_ticket->file->file;
    const Roost__ToClient *f = heard(bob, ROOST__TO_CLIENT__BODY_FILE_OFFERED);
    CHECK(f && f->file_offered->file->file == file && f->file_offered->file->size == 500);
    CHECK(strcmp(f->file_offered->file->sender_name, "ann") == 0);
    CHECK(signal_to(ann, file, 0, 10) == ROOST_NO_SUCH_FILE); /* nobody has accepted */

    CHECK(CODE_OF(answer(eve, file, true)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(answer(ann, file, true)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(answer(bob, file, true)) == 0);
    CHECK(CODE_OF(answer(bob, file, true)) == ROOST_ALREADY);
    f = heard(ann, ROOST__TO_CLIENT__BODY_FILE_STATE);
    CHECK(f && f->file_state->stage == ROOST__FILE_STAGE__FILE_ACCEPTED && f->file_state->session);

    CHECK(signal_to(ann, file, 0, 4096) == 0 && signal_to(bob, file, 0, 10) == 0);
    f = heard(bob, ROOST__TO_CLIENT__BODY_FILE_SIGNAL);
    CHECK(f && f->file_signal->data.len == 4096 && f->file_signal->file == file);
    CHECK(signal_to(ann, file, 0, 4097) == ROOST_TOO_LONG);
    CHECK(signal_to(eve, file, 0, 10) == ROOST_NO_SUCH_FILE);

    CHECK(state(ann, file, ROOST__FILE_STAGE__FILE_PAUSED) == 0);
    f = heard(bob, ROOST__TO_CLIENT__BODY_FILE_STATE);
    CHECK(f && f->file_state->stage == ROOST__FILE_STAGE__FILE_PAUSED);
    CHECK(state(eve, file, ROOST__FILE_STAGE__FILE_PAUSED) == ROOST_NO_SUCH_FILE);
    CHECK(state(ann, file, ROOST__FILE_STAGE__FILE_DONE) == ROOST_NOT_ALLOWED);
    CHECK(state(ann, file, ROOST__FILE_STAGE__FILE_DECLINED) == ROOST_INVALID);
    CHECK(state(bob, file, ROOST__FILE_STAGE__FILE_DONE) == 0);
    CHECK(state(bob, file, ROOST__FILE_STAGE__FILE_DONE) == 0); /* once more is once */
    CHECK(cancel(ann, file) == ROOST_FILE_OVER);
    CHECK(signal_to(ann, file, 0, 10) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_FILE_OVER);
    stage_free(s);
}

static void what_is_declined_or_cancelled_is_over(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    uint64_t file = ticket(offer(ann, "@bob", 1))->file->file;
    CHECK(CODE_OF(answer(bob, file, false)) == 0);
    CHECK(heard(ann, ROOST__TO_CLIENT__BODY_FILE_STATE)->file_state->stage ==
          ROOST__FILE_STAGE__FILE_DECLINED);
    CHECK(CODE_OF(answer(bob, file, true)) == ROOST_FILE_OVER);

    file = ticket(offer(ann, "@bob", 2))->file->file;
    CHECK(cancel(eve, file) == ROOST_NO_SUCH_FILE && cancel(ann, file) == 0);
    CHECK(cancel(ann, file) == ROOST_FILE_OVER && cancel(ann, 999) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(answer(bob, file, true)) == ROOST_FILE_OVER);
    stage_free(s);
}

/* The server forgets who is at it; the parcel is still there. */
static void it_goes_on_after_the_server_died(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    uint64_t file = ticket(offer(ann, "@bob", 500))->file->file;
    CHECK(CODE_OF(answer(bob, file, true)) == 0);
    CHECK(hall_crash(&s->hall) == 0);
    visitor_connect(ann);
    visitor_connect(bob);
    CHECK(resume(ann, ann->token, 1) == 0 || login(ann, "ann", PASSWORD, 1) == 0);
    CHECK(resume(bob, bob->token, 2) == 0 || login(bob, "bob", PASSWORD, 2) == 0);
    CHECK(signal_to(ann, file, 0, 10) == ROOST_NO_SUCH_FILE);
    CHECK(listed(bob, NULL) == 1 && listed(ann, NULL) == 1);

    CHECK(CODE_OF(get(bob, file, false)) == 0);
    CHECK(signal_to(bob, file, 0, 10) == ROOST_NOBODY_THERE);
    CHECK(CODE_OF(get(ann, file, false)) == 0);
    const Roost__ToClient *f = heard(bob, ROOST__TO_CLIENT__BODY_FILE_STATE);
    CHECK(f && f->file_state->stage == ROOST__FILE_STAGE__FILE_ACCEPTED && f->file_state->session);
    CHECK(signal_to(bob, file, 0, 10) == 0 && signal_to(ann, file, 0, 10) == 0);
    stage_free(s);
}

static void signals_have_a_limit(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    int n = 0;

    uint64_t file = ticket(offer(ann, "@bob", 500))->file->file;
    CHECK(CODE_OF(answer(bob, file, true)) == 0);
    while (n < 1000 && signal_to(ann, file, 0, 10) == 0)
        n++;
    CHECK(n >= 200 && n < 250);
    CHECK(signal_to(bob, file, 0, 10) == 0); /* the other end has its own */
    visitor_forget(bob);
    CHECK(visitor_errors(ann, ROOST_TOO_FAST) == 1);
    stage_run(s, SECONDS(10));
    CHECK(signal_to(ann, file, 0, 10) == 0);
    stage_free(s);
}

static void both_ends_get_one_relay(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    uint64_t file = ticket(offer(ann, "@bob", 500))->file->file;
    CHECK(CODE_OF(relay(ann, file, 0)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(answer(bob, file, true)) == 0);
    const Roost__Reply *a = relay(ann, file, 0), *b = relay(bob, file, 0);
    CHECK(CODE_OF(a) == 0 && CODE_OF(b) == 0 && a->relay->number == b->relay->number);
    CHECK(memcmp(a->relay->token.data, b->relay->token.data, 16) != 0 && a->relay->passes);
    CHECK(CODE_OF(relay(eve, file, 0)) == ROOST_NO_SUCH_FILE);
    CHECK(s->hall.hub->relays.n == 1);
    CHECK(cancel(bob, file) == 0 && s->hall.hub->relays.n == 0);
    stage_free(s);
}

/* --- kept -------------------------------------------------------------------------------- */

static void a_room_gets_an_event_when_it_is_whole(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");
    uint64_t room = visitor_room(ann, "maths", "bob");

    CHECK(visitor_sync(bob, room, 0) == 0);
    const Roost__Reply *r = offer(ann, "#maths", 500);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->token.len == 16 && r->file_ticket->file->kept);
    uint64_t file = r->file_ticket->file->file;
    const struct hub_depot *d = told(s, DEPOT_TAKE, file);
    CHECK(d && memcmp(d->token, r->file_ticket->token.data, 16) == 0 && d->size == 500);
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_NO_SUCH_FILE); /* not whole */
    CHECK(listed(bob, "#maths") == 0);

    visitor_forget(bob);
    whole(s, file, 500);
    CHECK(told(s, DEPOT_STORED, file) && told(s, DEPOT_STORED, file)->err == 0);
    CHECK(visitor_events(bob, room) == 1);
    const Roost__Event *e = visitor_event(bob, room, 0);
    CHECK(e->what_case == ROOST__EVENT__WHAT_FILED && e->filed->file->file == file);
    CHECK(e->filed->file->seq == e->seq && e->filed->file->root.len == 32);
    CHECK(e->filed->file->stage == ROOST__FILE_STAGE__FILE_DONE && e->filed->file->until_ms);

    /* said twice: it is there */
    whole(s, file, 500);
    CHECK(visitor_events(bob, room) == 1);

    r = get(bob, file, true);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->token.len == 16 && !r->file_ticket->sends);
    CHECK(strncmp(r->file_ticket->path, "/files/", 7) == 0);
    CHECK(told(s, DEPOT_GIVE, file));
    CHECK(CODE_OF(get(eve, file, false)) == ROOST_NO_SUCH_FILE);
    CHECK(listed(bob, "#maths") == 1 && used(ann, "#maths") == 500);
    CHECK(!list(eve, "#maths", false));

    CHECK(forget(eve, file) == ROOST_NO_SUCH_FILE && forget(bob, file) == ROOST_NOT_ALLOWED);
    CHECK(forget(ann, file) == 0 && forget(ann, file) == ROOST_FILE_OVER);
    CHECK(told(s, DEPOT_DROP, 0));
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_NO_SUCH_FILE);
    CHECK(listed(bob, "#maths") == 0 && used(ann, NULL) == 0);
    stage_free(s);
}

static void contents_are_not_sent_twice(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    visitor_room(ann, "maths", "bob");
    visitor_room(bob, "music", NULL);
    visitor_room(eve, "elsewhere", NULL);
    uint64_t first = kept(s, ann, "#maths");
    Roost__FileOffer b = parcel(NULL, 500);
    b.root = (ProtobufCBinaryData){ 32, root_of_7 };
    const Roost__Reply *r = offer_as(bob, "#music", &b);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->have && !r->file_ticket->token.len);
    uint64_t second = r->file_ticket->file->file;
    CHECK(listed(bob, "#music") == 1);
    /* who cannot read it learns nothing, and sends it */
    r = offer_as(eve, "#elsewhere", &b);
    CHECK(CODE_OF(r) == 0 && !r->file_ticket->have && r->file_ticket->token.len == 16);
    /* another size is another content */
    b.size = 501;
    CHECK(!ticket(offer_as(bob, "#music", &b))->have);
    /* shared contents go with the last of them */
    size_t n = s->hall.n_depot;
    CHECK(forget(ann, first) == 0 && s->hall.n_depot == n);
    CHECK(forget(bob, second) == 0 && s->hall.n_depot == n + 1);
    CHECK(s->hall.depot[n % HALL_CARRIED_MAX].what == DEPOT_DROP);
    stage_free(s);
}

static void half_sent_it_goes_on(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    visitor_room(ann, "maths", "bob");
    uint64_t file = ticket(offer(ann, "#maths", 500))->file->file;
    CHECK(ticket(offer(ann, "#maths", 500))->file->file == file);
    CHECK(ticket(offer(ann, "#maths", 501))->file->file != file);
    const Roost__Reply *r = get(ann, file, false);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->sends && r->file_ticket->token.len == 16);
    CHECK(listed(ann, NULL) == 2 && listed(bob, NULL) == 0);
    CHECK(cancel(bob, file) == ROOST_NO_SUCH_FILE && cancel(ann, file) == 0);
    CHECK(told(s, DEPOT_OVER, file));
    CHECK(ticket(offer(ann, "#maths", 500))->file->file != file);
    stage_free(s);
}

static void who_is_away_finds_it_later(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    hall_disconnect(&s->hall, bob->conn, HUB_CLOSE_GONE);
    const Roost__Reply *r = offer(ann, "@bob", 500);
    CHECK(CODE_OF(r) == 0 && r->file_ticket->file->kept && r->file_ticket->token.len == 16);
    uint64_t file = r->file_ticket->file->file;
    whole(s, file, 500);
    visitor_connect(bob);
    CHECK(login(bob, "bob", PASSWORD, 2) == 0);
    CHECK(listed(bob, NULL) == 1);
    CHECK(CODE_OF(get(bob, file, false)) == 0);
    struct hub_depot_word w = { .what = DEPOT_GOT, .file = file, .account = ann->account };
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    CHECK(listed(bob, NULL) == 1); /* its sender got it, that is not the same */
    w.account = bob->account;
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(listed(bob, NULL) == 0);
    CHECK(CODE_OF(get(bob, file, false)) == 0); /* and it can be had again */

    s->hall.config.files_away = false;
    hub_set_config(s->hall.hub, &s->hall.config);
    Roost__FileOffer b = parcel(NULL, 7);
    b.keep = true;
    CHECK(CODE_OF(offer_as(ann, "@bob", &b)) == ROOST_FILES_OFF);
    hall_disconnect(&s->hall, bob->conn, HUB_CLOSE_GONE);
    CHECK(CODE_OF(offer(ann, "@bob", 500)) == ROOST_AWAY);
    stage_free(s);
}

static void there_are_quotas(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");

    visitor_room(ann, "maths", "bob");
    visitor_room(ann, "music", NULL);
    s->hall.config.file_max = 1000;
    s->hall.config.file_quota_user = 1500;
    s->hall.config.file_quota_room = 1200;
    hub_set_config(s->hall.hub, &s->hall.config);
    CHECK(CODE_OF(offer(ann, "#maths", 1001)) == ROOST_FILE_TOO_BIG);
    CHECK(CODE_OF(offer(ann, "#maths", 1000)) == 0);
    CHECK(CODE_OF(offer(ann, "#music", 501)) == ROOST_QUOTA);
    CHECK(CODE_OF(offer(ann, "#music", 500)) == 0);
    CHECK(CODE_OF(offer(bob, "#maths", 201)) == ROOST_QUOTA); /* the room's */
    CHECK(CODE_OF(offer(bob, "#maths", 200)) == 0);
    struct hub_depot_word w = { .what = DEPOT_ROOM, .size = 50 };
    hub_on_depot(s->hall.hub, &w, hall_now(&s->hall));
    CHECK(CODE_OF(offer(bob, "*", 51)) == ROOST_FILE_RESERVE);
    /* a stream whose size turns out too large is over */
    Roost__FileOffer b = parcel(NULL, 0);
    b.open_size = true;
    const Roost__Reply *r = offer_as(bob, "#maths", &b);
    CHECK(CODE_OF(r) == 0);
    uint64_t file = r->file_ticket->file->file;
    visitor_forget(bob);
    whole(s, file, 5000);
    CHECK(told(s, DEPOT_STORED, file) && told(s, DEPOT_STORED, file)->err == -ROOST_QUOTA);
    CHECK(heard(bob, ROOST__TO_CLIENT__BODY_FILE_STATE)->file_state->stage ==
          ROOST__FILE_STAGE__FILE_CANCELLED);
    CHECK(CODE_OF(get(bob, file, false)) == ROOST_FILE_OVER);
    s->hall.config.files = false;
    hub_set_config(s->hall.hub, &s->hall.config);
    CHECK(CODE_OF(offer(ann, "#maths", 1)) == ROOST_FILES_OFF);
    stage_free(s);
}

static void what_is_kept_goes_in_time(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann");

    visitor_room(ann, "maths", NULL);
    s->hall.config.file_days = 1;
    s->hall.config.idle_ms = 100LL * 86400000;
    hub_set_config(s->hall.hub, &s->hall.config);
    uint64_t file = kept(s, ann, "#maths"), half = ticket(offer(ann, "#maths", 9))->file->file;
    stage_run(s, SECONDS(86400 / 2));
    CHECK(listed(ann, "#maths") == 1);
    stage_run(s, SECONDS(86400));
    CHECK(listed(ann, "#maths") == 0 && told(s, DEPOT_DROP, 0));
    CHECK(CODE_OF(get(ann, file, false)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(ann, half, false)) == 0);
    stage_run(s, SECONDS(86400 * 15LL));
    CHECK(CODE_OF(get(ann, half, false)) == ROOST_FILE_OVER && told(s, DEPOT_OVER, half));
    stage_free(s);
}

static void what_the_depot_finds_is_looked_up(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann");

    visitor_room(ann, "maths", NULL);
    kept(s, ann, "#maths");
    uint64_t half = ticket(offer(ann, "#maths", 9))->file->file;
    size_t n = s->hall.n_depot;
    struct hub_depot_word found = { .what = DEPOT_FOUND },
                          part = { .what = DEPOT_PART, .file = half };
    memcpy(found.root, root_of_7, 32);
    hub_on_depot(s->hall.hub, &found, hall_now(&s->hall));
    hub_on_depot(s->hall.hub, &part, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(s->hall.n_depot == n);
    found.root[0] = 8;
    part.file = 77;
    hub_on_depot(s->hall.hub, &found, hall_now(&s->hall));
    hub_on_depot(s->hall.hub, &part, hall_now(&s->hall));
    stage_run(s, SECONDS(1));
    CHECK(s->hall.n_depot == n + 2 && told(s, DEPOT_OVER, 77));
    CHECK(told(s, DEPOT_DROP, 0) && told(s, DEPOT_DROP, 0)->root[0] == 8);
    stage_free(s);
}

static void what_cannot_be_is_refused(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *nobody = visitor_new(s);
    static const char *const names[] = { "", "a/b", "..", ".", "a\nb", NULL };

    visitor_room(ann, "maths", NULL);
    CHECK(CODE_OF(offer(nobody, "#maths", 1)) == ROOST_LOGIN_NEEDED);
    CHECK(CODE_OF(offer(bob, "#maths", 1)) == ROOST_NOT_MEMBER);
    CHECK(CODE_OF(offer(bob, "@bob", 1)) == ROOST_SELF);
    for (size_t i = 0; names[i]; i++) {
        Roost__FileOffer b = parcel(NULL, 1);
        b.name = (char *)names[i];
        CHECK(CODE_OF(offer_as(ann, "#maths", &b)) == ROOST_NAME_BAD);
    }
    Roost__FileOffer b = parcel(NULL, (1ULL << 40) + 1);
    CHECK(CODE_OF(offer_as(ann, "#maths", &b)) == ROOST_FILE_TOO_BIG);
    b = parcel(NULL, 1);
    b.root = (ProtobufCBinaryData){ 31, root_of_7 };
    CHECK(CODE_OF(offer_as(ann, "#maths", &b)) == ROOST_INVALID);
    b = parcel(NULL, 1);
    b.kind = ROOST__PARCEL_KIND__PARCEL_TREE; /* without a list */
    CHECK(CODE_OF(offer_as(ann, "#maths", &b)) == ROOST_INVALID);
    b = parcel(NULL, 1);
    b.kind = (Roost__ParcelKind)99;
    CHECK(CODE_OF(offer_as(ann, "#maths", &b)) == ROOST_INVALID);
    b = parcel(NULL, 1);
    b.open_size = true; /* and a size */
    CHECK(CODE_OF(offer_as(ann, "#maths", &b)) == ROOST_INVALID);
    CHECK(CODE_OF(get(ann, 12345, false)) == ROOST_NO_SUCH_FILE);
    CHECK(!list(bob, NULL, true) && list(bob, NULL, false));
    CHECK(signal_to(nobody, 1, 0, 1) == ROOST_LOGIN_NEEDED);
    CHECK(CODE_OF(relay(nobody, 1, 0)) == ROOST_LOGIN_NEEDED);
    stage_free(s);
}

/* --- meetings ------------------------------------------------------------------------------- */

static const Roost__FileListing *list_in(struct visitor *v, uint64_t room)
{
    Roost__FileList b = ROOST__FILE_LIST__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.room = room;
    t.name = "";
    b.target = &t;
    const Roost__Reply *r = ASK(v, FILE_LIST, file_list, &b);
    CHECK(reply_code(r) == 0);
    return r->file_listing;
}

static Roost__Reply *offer_in(struct visitor *v, uint64_t room, const uint8_t *root)
{
    Roost__FileOffer b = parcel(NULL, 500);
    Roost__Target t = ROOST__TARGET__INIT;

    t.room = room;
    t.name = "";
    b.target = &t;
    b.root = (ProtobufCBinaryData){ root ? 32 : 0, (uint8_t *)root };
    return ASK(v, FILE_OFFER, file_offer, &b);
}

static uint64_t kept_in(struct stage *s, struct visitor *v, uint64_t room)
{
    uint64_t file = ticket(offer_in(v, room, NULL))->file->file;

    whole(s, file, 500);
    return file;
}

static void a_guest_has_the_files_that_came_while_it_was_in(void)
{
    struct stage *s = stage();
    struct meets m;

    meets_begin(&m, s, true);
    uint64_t before = kept_in(s, m.host, m.meeting);
    struct visitor *gus = visitor_new(s), *ann = visitor_named(s, "ann");
    CHECK(guest(gus, "Gus", m.code, m.secret, 7) == 0 && join_link(gus, &m) == 0);
    CHECK(join_link(ann, &m) == 0);
    uint64_t after = kept_in(s, m.host, m.meeting);

    CHECK(list_in(ann, m.meeting)->n_files == 2 && CODE_OF(get(ann, before, false)) == 0);
    const Roost__FileListing *l = list_in(gus, m.meeting);
    CHECK(l->n_files == 1 && l->files[0]->file == after && !l->more);
    CHECK(CODE_OF(get(gus, after, false)) == 0 && CODE_OF(get(gus, after, true)) == 0);
    CHECK(CODE_OF(get(gus, before, false)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(gus, before, true)) == ROOST_NO_SUCH_FILE);
    CHECK(forget(gus, before) == ROOST_NO_SUCH_FILE && forget(gus, after) == ROOST_NOT_ALLOWED);
    /* who names the contents does not get them by that */
    CHECK(!ticket(offer_in(gus, m.meeting, root_of_7))->have);
    CHECK(ticket(offer_in(ann, m.meeting, root_of_7))->have);
    uint64_t own = kept_in(s, gus, m.meeting);
    CHECK(CODE_OF(get(gus, own, false)) == 0);

    /* and after another coming only what came since */
    CHECK(act_on(gus, &m, ROOST__MEET_ACTION__LEAVE, 0, "") == 0);
    CHECK(CODE_OF(get(gus, after, false)) == ROOST_NO_SUCH_FILE);
    CHECK(join_link(gus, &m) == 0 && list_in(gus, m.meeting)->n_files == 0);
    CHECK(CODE_OF(get(gus, after, false)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(gus, own, false)) == 0);
    CHECK(act_on(m.host, &m, ROOST__MEET_ACTION__END, 0, "") == 0);
    CHECK(barred(s, gus->account, m.meeting) && barred(s, 0, m.meeting)->takes);
    meets_end(&m);
}

static int removed(struct visitor *v, const char *room, const char *whom)
{
    Roost__Remove b = ROOST__REMOVE__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = (char *)room;
    b.target = &t;
    b.user = (char *)whom;
    return reply_code(ASK(v, REMOVE, remove, &b));
}

/* What it was given ends, and nothing is given any more. */
static void who_was_removed_has_its_files_no_more(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");

    uint64_t room = visitor_room(ann, "maths", "bob"), file = kept(s, ann, "#maths");
    uint64_t half = ticket(offer(bob, "#maths", 9))->file->file;
    CHECK(CODE_OF(get(bob, file, true)) == 0 && CODE_OF(get(ann, file, false)) == 0);
    CHECK(!barred(s, bob->account, room));
    const struct hub_depot hers = *told(s, DEPOT_GIVE, file), his = *told(s, DEPOT_TAKE, half);
    CHECK(removed(ann, "#maths", "bob") == 0);
    const struct hub_depot *bar = barred(s, bob->account, room);
    CHECK(bar);
    CHECK(hub_depot_bars(bar, &his));
    CHECK(!hub_depot_bars(bar, &hers));
    CHECK(CODE_OF(get(bob, file, true)) == ROOST_NO_SUCH_FILE);
    CHECK(CODE_OF(get(bob, half, false)) == ROOST_NO_SUCH_FILE); /* nor does he send there */

    /* of an account that is gone also what others get from it */
    uint64_t direct = ticket(offer(eve, "@ann", 5))->file->file;
    CHECK(CODE_OF(answer(ann, direct, true)) == 0 && CODE_OF(relay(eve, direct, 0)) == 0);
    CHECK(s->hall.hub->relays.n == 1);
    Roost__DeleteAccount b = ROOST__DELETE_ACCOUNT__INIT;
    b.password = PASSWORD;
    CHECK(reply_code(ASK(eve, DELETE_ACCOUNT, delete_account, &b)) == 0);
    bar = barred(s, eve->account, 0);
    CHECK(bar && !hub_depot_bars(bar, &hers) && s->hall.hub->relays.n == 0);
    struct hub_depot from_eve = hers;
    from_eve.sender = eve->account;
    CHECK(hub_depot_bars(bar, &from_eve));
    stage_free(s);
}

static void a_closed_room_can_be_read(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    Roost__CloseRoom b = ROOST__CLOSE_ROOM__INIT;
    Roost__Target t = ROOST__TARGET__INIT;

    t.name = "#maths";
    b.target = &t;
    uint64_t room = visitor_room(ann, "maths", "bob"), file = kept(s, ann, "#maths");
    CHECK(reply_code(ASK(ann, CLOSE_ROOM, close_room, &b)) == 0);
    CHECK(list_in(bob, room)->n_files == 1 && CODE_OF(get(bob, file, false)) == 0);
    CHECK(CODE_OF(offer_in(ann, room, NULL)) == ROOST_ROOM_CLOSED);
    CHECK(barred(s, 0, room) && barred(s, 0, room)->takes);
    stage_free(s);
}

/* --- codes ---------------------------------------------------------------------------------- */

static Roost__Reply *code_new(struct visitor *v, uint32_t number, uint8_t claim)
{
    uint8_t bytes[16] = { claim };
    Roost__CodeNew b = ROOST__CODE_NEW__INIT;

    b.number = number;
    b.claim = (ProtobufCBinaryData){ 16, bytes };
    return ASK(v, CODE_NEW, code_new, &b);
}

static int code_join(struct visitor *v, uint32_t number)
{
    Roost__CodeJoin b = ROOST__CODE_JOIN__INIT;

    b.number = number;
    return reply_code(ASK(v, CODE_JOIN, code_join, &b));
}

static int code_end(struct visitor *v, uint32_t number)
{
    Roost__CodeEnd b = ROOST__CODE_END__INIT;

    b.number = number;
    return reply_code(ASK(v, CODE_END, code_end, &b));
}

static bool met(const struct visitor *v, bool gone)
{
    const Roost__ToClient *f = heard_of(v, ROOST__TO_CLIENT__BODY_CODE_MET);

    return f && f->code_met->gone == gone;
}

static void two_without_an_account_meet(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_new(s), *bob = visitor_new(s), *eve = visitor_new(s);

    const Roost__Reply *r = code_new(ann, 0, 1);
    CHECK(CODE_OF(r) == 0);
    uint32_t n = r->code->number;
    CHECK(n >= 1000 && n <= 9999);
    CHECK(signal_to(ann, 0, n, 1) == ROOST_NOBODY_THERE && code_join(ann, n) == ROOST_SELF);
    CHECK(code_join(bob, n) == 0 && met(ann, false));
    CHECK(code_join(eve, n) == ROOST_CODE_BUSY);
    CHECK(signal_to(bob, 0, n, 100) == 0 && signal_to(ann, 0, n, 100) == 0);
    CHECK(signal_to(eve, 0, n, 100) == ROOST_NO_SUCH_CODE);
    const Roost__Reply *a = relay(ann, 0, n), *b = relay(bob, 0, n);
    CHECK(CODE_OF(a) == 0 && CODE_OF(b) == 0 && a->relay->number == b->relay->number);
    CHECK(CODE_OF(relay(eve, 0, n)) == ROOST_NO_SUCH_CODE);

    CHECK(code_end(bob, n) == 0 && met(ann, true));
    CHECK(code_join(eve, n) == 0);
    CHECK(code_end(ann, n) == 0 && met(eve, true)); /* burnt */
    CHECK(code_join(bob, n) == ROOST_NO_SUCH_CODE && s->hall.hub->relays.n == 0);
    CHECK(code_end(ann, n) == ROOST_NO_SUCH_CODE);
    stage_free(s);
}

static void a_code_outlives_a_lost_connection(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_new(s), *bob = visitor_new(s);

    const Roost__Reply *made = code_new(ann, 0, 1);
    CHECK(CODE_OF(made) == 0);
    uint32_t n = made->code->number;
    CHECK(code_join(bob, n) == 0);
    hall_disconnect(&s->hall, ann->conn, HUB_CLOSE_GONE);
    CHECK(met(bob, true));
    visitor_connect(ann);
    CHECK(CODE_OF(code_new(ann, n, 2)) == ROOST_NO_SUCH_CODE); /* not its maker's */
    CHECK(CODE_OF(code_new(ann, n, 1)) == 0 && met(bob, false));
    CHECK(signal_to(bob, 0, n, 1) == 0);
    hall_disconnect(&s->hall, ann->conn, HUB_CLOSE_GONE);
    stage_run(s, SECONDS(62));
    visitor_connect(ann);
    CHECK(CODE_OF(code_new(ann, n, 1)) == ROOST_NO_SUCH_CODE);
    stage_free(s);
}

static void numbers_cannot_be_tried(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_new(s), *eve = visitor_at(s, "198.51.100.7");
    int wrong = 0;

    const Roost__Reply *made = code_new(ann, 0, 1);
    CHECK(CODE_OF(made) == 0);
    uint32_t n = made->code->number;
    for (uint32_t i = 1000; i < 1100 && wrong != ROOST_GUESSES; i++)
        wrong = i == n ? 0 : code_join(eve, i);
    CHECK(wrong == ROOST_GUESSES && visitor_errors(eve, ROOST_NO_SUCH_CODE) == 10);
    CHECK(code_join(eve, n) == ROOST_GUESSES); /* the right one too */
    CHECK(code_join(visitor_at(s, "198.51.100.8"), n) == 0);

    for (int i = 1; i < 20; i++)
        CHECK(CODE_OF(code_new(ann, 0, 1)) == 0);
    CHECK(CODE_OF(code_new(ann, 0, 1)) == ROOST_LIMIT);
    s->hall.config.codes = false;
    hub_set_config(s->hall.hub, &s->hall.config);
    CHECK(CODE_OF(code_new(ann, 0, 1)) == ROOST_FILES_OFF && code_join(ann, n) == ROOST_FILES_OFF);
    stage_free(s);
}

TEST_MAIN({ "one_offers_and_one_accepts", one_offers_and_one_accepts },
          { "what_is_declined_or_cancelled_is_over", what_is_declined_or_cancelled_is_over },
          { "it_goes_on_after_the_server_died", it_goes_on_after_the_server_died },
          { "signals_have_a_limit", signals_have_a_limit },
          { "both_ends_get_one_relay", both_ends_get_one_relay },
          { "a_room_gets_an_event_when_it_is_whole", a_room_gets_an_event_when_it_is_whole },
          { "contents_are_not_sent_twice", contents_are_not_sent_twice },
          { "half_sent_it_goes_on", half_sent_it_goes_on },
          { "who_is_away_finds_it_later", who_is_away_finds_it_later },
          { "there_are_quotas", there_are_quotas },
          { "what_is_kept_goes_in_time", what_is_kept_goes_in_time },
          { "what_the_depot_finds_is_looked_up", what_the_depot_finds_is_looked_up },
          { "what_cannot_be_is_refused", what_cannot_be_is_refused },
          { "a_guest_has_the_files_that_came_while_it_was_in",
            a_guest_has_the_files_that_came_while_it_was_in },
          { "who_was_removed_has_its_files_no_more", who_was_removed_has_its_files_no_more },
          { "a_closed_room_can_be_read", a_closed_room_can_be_read },
          { "two_without_an_account_meet", two_without_an_account_meet },
          { "a_code_outlives_a_lost_connection", a_code_outlives_a_lost_connection },
          { "numbers_cannot_be_tried", numbers_cannot_be_tried })
