/* test_files.c - files from person to person: who may offer, get and end what. */
#include <string.h>

#include "base/err.h"
#include "parcels.h"
#include "test.h"

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

/* Other programs of the two see it, and nobody else says it. */
/* The first that v lists. */
static const Roost__FileInfo *first(struct visitor *v)
{
    const Roost__FileListing *l = list(v, NULL, false);

    CHECK(l && l->n_files);
    return l->files[0];
}

static void how_far_it_is_the_sender_says(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *eve = visitor_named(s, "eve");
    uint64_t file = ticket(offer(ann, "@bob", 500))->file->file;

    CHECK(progress(ann, file, 1) == 0);
    CHECK(first(bob)->moved == 0); /* nobody has accepted */
    CHECK(CODE_OF(answer(bob, file, true)) == 0);
    CHECK(progress(ann, file, 200) == 0);
    CHECK(progress(bob, file, 300) == ROOST_NO_SUCH_FILE);
    CHECK(progress(eve, file, 300) == ROOST_NO_SUCH_FILE);
    CHECK(progress(ann, file + 1, 300) == ROOST_NO_SUCH_FILE);
    CHECK(first(ann)->moved == 200);
    CHECK(first(bob)->moved == 200);
    CHECK(first(bob)->way == 2);
    CHECK(progress(ann, file, UINT64_MAX) == 0); /* there is no more than was offered */
    CHECK(first(bob)->moved == 500);
    CHECK(cancel(ann, file) == 0);
    CHECK(progress(ann, file, 400) == ROOST_NO_SUCH_FILE);
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

TEST_MAIN({ "one_offers_and_one_accepts", one_offers_and_one_accepts },
          { "how_far_it_is_the_sender_says", how_far_it_is_the_sender_says },
          { "what_is_declined_or_cancelled_is_over", what_is_declined_or_cancelled_is_over },
          { "it_goes_on_after_the_server_died", it_goes_on_after_the_server_died },
          { "signals_have_a_limit", signals_have_a_limit },
          { "both_ends_get_one_relay", both_ends_get_one_relay },
          { "what_cannot_be_is_refused", what_cannot_be_is_refused })
