/* Two on one network: one is found by the other, by name, and they agree over that. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/err.h"
#include "client/nearby.h"
#include "net/sleep.h"
#include "test.h"

enum { PATIENCE_MS = 6000 };

struct two {
    struct nearby *near[2]; /* 0 looks and calls */
    struct reach_edge *edge[2];
    bool met[2], gone[2], known[2], found[2];
};

static void make_edge(struct two *t, int i)
{
    struct reach_edge_settings s = { .caller = i == 0, .nearby = true };

    memcpy(s.offer, nearby_offer(t->near[i]), REACH_OFFER);
    CHECK(reach_edge_new(&t->edge[i], &s, sleep_now_us()) == 0);
    t->met[i] = true;
}

static void call_ours(struct two *t, unsigned peer)
{
    const struct nearby_peer *p = nearby_peer(t->near[0], peer);

    if (!memcmp(p->offer, nearby_offer(t->near[1]), REACH_OFFER)) {
        CHECK(!strcmp(p->name, "Ann's laptop"));
        CHECK(nearby_call(t->near[0], peer, sleep_now_us()) == 0);
    }
}

static void turn(struct two *t)
{
    uint8_t bytes[REACH_SIGNAL_MAX];
    struct reach_edge_event r;
    struct nearby_event e;
    int n;

    for (int i = 0; i < 2; i++) {
        nearby_process(t->near[i], sleep_now_us());
        while (nearby_event(t->near[i], &e)) {
            if (e.what == NEARBY_FOUND)
                call_ours(t, e.peer);
            if (e.what == NEARBY_MET)
                make_edge(t, i);
            t->gone[i] = t->gone[i] || e.what == NEARBY_GONE;
        }
        if (!t->edge[i])
            continue;
        while ((n = nearby_receive(t->near[i], bytes)) > 0)
            reach_edge_on_signal(t->edge[i], bytes, (size_t)n, sleep_now_us());
        reach_edge_process(t->edge[i], sleep_now_us());
        while ((n = reach_edge_next_signal(t->edge[i], bytes)) > 0)
            CHECK(nearby_send(t->near[i], bytes, (size_t)n) == 0);
        while (reach_edge_event(t->edge[i], &r)) {
            t->known[i] = t->known[i] || r.what == REACH_EDGE_KNOWN;
            t->found[i] = t->found[i] || r.what == REACH_EDGE_FOUND;
        }
    }
    poll(NULL, 0, 2);
}

static void they_find_each_other(void)
{
    struct two t = { 0 };
    char words[2][REACH_WORDS_TEXT];
    int64_t until_us = sleep_now_us() + PATIENCE_MS * 1000LL;

    CHECK(nearby_serve(&t.near[1], "Ann's laptop", sleep_now_us()) == 0);
    CHECK(nearby_look(&t.near[0], sleep_now_us()) == 0);
    while (sleep_now_us() < until_us && !(t.found[0] && t.found[1]))
        turn(&t);
    CHECK(t.met[0] && t.met[1] && t.known[0] && t.known[1]);
    CHECK(t.found[0] && t.found[1]);
    for (int i = 0; i < 2; i++)
        reach_edge_words(t.edge[i], words[i]);
    CHECK(words[0][0] && !strcmp(words[0], words[1]));
    nearby_hang_up(t.near[0]);
    while (sleep_now_us() < until_us && !t.gone[1])
        turn(&t);
    CHECK(t.gone[1]);
    CHECK(nearby_send(t.near[1], (const uint8_t *)"x", 1) == -ROOST_CLOSED);
    for (int i = 0; i < 2; i++) {
        reach_edge_free(t.edge[i]);
        nearby_free(t.near[i]);
    }
}

/* Looks until the one with that offer is listed; its number there. */
static unsigned find(struct nearby *looks, const struct nearby *served[2],
                     const struct nearby *wanted)
{
    int64_t until_us = sleep_now_us() + PATIENCE_MS * 1000LL;

    while (sleep_now_us() < until_us) {
        for (unsigned i = 0; i < nearby_peers(looks); i++)
            if (!memcmp(nearby_peer(looks, i)->offer, nearby_offer(wanted), REACH_OFFER))
                return i;
        nearby_process(looks, sleep_now_us());
        for (int i = 0; i < 2; i++)
            if (served[i])
                nearby_process((struct nearby *)served[i], sleep_now_us());
        poll(NULL, 0, 2);
    }
    CHECK(!"it is not found");
    return 0;
}

static void ends_call(struct nearby *looks, enum nearby_what *ret)
{
    int64_t until_us = sleep_now_us() + PATIENCE_MS * 1000LL;
    struct nearby_event e;

    while (sleep_now_us() < until_us) {
        nearby_process(looks, sleep_now_us());
        while (nearby_event(looks, &e))
            if (e.what != NEARBY_FOUND) {
                *ret = e.what;
                return;
            }
        poll(NULL, 0, 2);
    }
    CHECK(!"nothing comes of the call");
}

static void of_two_of_one_name_the_later_is_there(void)
{
    struct nearby *one, *other, *looks;
    enum nearby_what what = NEARBY_FOUND;

    CHECK(nearby_serve(&one, "Ann's laptop", sleep_now_us()) == 0);
    CHECK(nearby_look(&looks, sleep_now_us()) == 0);
    unsigned first = find(looks, (const struct nearby *[]){ one, NULL }, one);
    CHECK(nearby_is_there(looks, first));
    CHECK(nearby_serve(&other, "Ann's laptop", sleep_now_us()) == 0);
    unsigned second = find(looks, (const struct nearby *[]){ one, other }, other);
    CHECK(nearby_is_there(looks, second) && !nearby_is_there(looks, first));
    nearby_free(other); /* nobody takes a call there: the one that is left counts again */
    if (nearby_call(looks, second, sleep_now_us()) == 0) {
        ends_call(looks, &what);
        CHECK(what == NEARBY_GONE);
    }
    CHECK(!nearby_is_there(looks, second) && nearby_is_there(looks, first));
    CHECK(!nearby_is_there(looks, nearby_peers(looks)));
    nearby_free(one);
    nearby_free(looks);
}

static void a_place_goes_from_one_to_the_next(void)
{
    struct nearby *one, *next = NULL, *none = NULL, *looks;
    enum nearby_what what = NEARBY_FOUND;

    CHECK(nearby_serve(&one, "Ann's laptop", sleep_now_us()) == 0);
    CHECK(nearby_look(&looks, sleep_now_us()) == 0);
    unsigned peer = find(looks, (const struct nearby *[]){ one, NULL }, one);
    CHECK(nearby_pass_on(one, &next) == 0 && nearby_listens(next) && !nearby_listens(one));
    CHECK(nearby_pass_on(one, &none) == -ROOST_INVALID && !none);
    CHECK(!memcmp(nearby_offer(next), nearby_peer(looks, peer)->offer, REACH_OFFER));
    nearby_free(one);
    CHECK(nearby_call(looks, peer, sleep_now_us()) == 0);
    ends_call(looks, &what);
    CHECK(what == NEARBY_MET && !nearby_is_called(next));
    nearby_process(next, sleep_now_us());
    CHECK(nearby_is_called(next));
    nearby_free(next);
    nearby_free(looks);
}

static void a_name_has_to_be_one(void)
{
    struct nearby *n = NULL;

    CHECK(nearby_serve(&n, "", 0) == -ROOST_INVALID && !n);
}

TEST_MAIN({ "they_find_each_other", they_find_each_other },
          { "of_two_of_one_name_the_later_is_there", of_two_of_one_name_the_later_is_there },
          { "a_place_goes_from_one_to_the_next", a_place_goes_from_one_to_the_next },
          { "a_name_has_to_be_one", a_name_has_to_be_one })
