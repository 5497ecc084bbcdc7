/* Rooms that are followed: once and in order, whatever the wire does. */
#include "core_peer.h"

#define SYNC ROOST__TO_SERVER__BODY_SYNC

/* The numbers given so far, as one decimal: 1, 12, 123 ... */
static uint64_t given(struct peer *p)
{
    uint64_t n = 0;
    struct core_event *e;

    while ((e = peer_next(p, CORE_PUSH)))
        n = n * 10 + e->seq;
    return n;
}

static int64_t follow(struct peer *p, uint64_t after)
{
    int64_t n = core_follow(p->core, 8, after, p->now_us);

    peer_pump(p);
    return n;
}

static void pages_then_live(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = follow(&p, 0);
    CHECK(n > 0 && core_follow(p.core, 8, 0, p.now_us) == -ROOST_ALREADY);
    peer_event(&p, 8, 1, 5);
    peer_event(&p, 8, 2, 77); /* ignored: given, but hidden */
    peer_synced(&p, peer_find(&p, SYNC, 0), 2, 4, true);
    CHECK(peer_find(&p, SYNC, 1) && peer_find(&p, SYNC, 1)->sync->after == 2);
    peer_event(&p, 8, 4, 6); /* 3 is gone: holes are fine in a Sync */
    peer_synced(&p, peer_find(&p, SYNC, 1), 4, 4, false);
    CHECK(!peer_find(&p, SYNC, 2));
    peer_event(&p, 8, 5, 6);

    struct core_event *e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->seq == 1 && e->own && !e->hidden);
    e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->seq == 2 && e->hidden && !e->own);
    e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->seq == 4);
    e = peer_next(&p, CORE_FOLLOWED);
    CHECK(e && e->request == n && e->seq == 4);
    CHECK(given(&p) == 5);
    peer_fini(&p);
}

static void ignored_from_another_device(void)
{
    struct peer p;
    Roost__IgnoreChanged changed = ROOST__IGNORE_CHANGED__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    peer_init(&p, NULL);
    peer_up(&p);
    follow(&p, 0);
    peer_synced(&p, peer_find(&p, SYNC, 0), 0, 0, false);
    m.body_case = ROOST__TO_CLIENT__BODY_IGNORE_CHANGED;
    m.ignore_changed = &changed;
    changed.account = 6;
    changed.on = true;
    peer_push(&p, &m);
    peer_event(&p, 8, 1, 6);
    changed.on = false;
    peer_push(&p, &m);
    peer_event(&p, 8, 2, 6);
    struct core_event *e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->seq == 1 && e->hidden);
    e = peer_next(&p, CORE_PUSH);
    CHECK(e && e->seq == 2 && !e->hidden);
    peer_fini(&p);
}

static void the_cursor_outlives_a_connection(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    follow(&p, 0);
    peer_event(&p, 8, 1, 6);
    peer_synced(&p, peer_find(&p, SYNC, 0), 1, 1, false);
    peer_event(&p, 8, 2, 6);
    peer_cut(&p);
    peer_again(&p);
    CHECK(peer_find(&p, SYNC, 0) && peer_find(&p, SYNC, 0)->sync->after == 2);
    /* at least once on the wire, once here */
    peer_event(&p, 8, 2, 6);
    peer_event(&p, 8, 3, 6);
    peer_event(&p, 8, 3, 6);
    peer_synced(&p, peer_find(&p, SYNC, 0), 3, 3, false);
    CHECK(given(&p) == 123);
    CHECK(core_stats(p.core)->dups == 2);
    peer_fini(&p);
}

static void a_gap_is_asked_for_and_nothing_overtakes(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    follow(&p, 0);
    peer_synced(&p, peer_find(&p, SYNC, 0), 0, 0, false);
    peer_event(&p, 8, 1, 6);
    peer_event(&p, 8, 3, 6); /* 2 is missing */
    CHECK(core_stats(p.core)->gaps == 1);
    CHECK(peer_find(&p, SYNC, 1) && peer_find(&p, SYNC, 1)->sync->after == 1);
    peer_event(&p, 8, 4, 6); /* was under way before the server read the Sync */
    peer_event(&p, 8, 2, 6);
    peer_event(&p, 8, 3, 6);
    peer_event(&p, 8, 4, 6);
    peer_synced(&p, peer_find(&p, SYNC, 1), 4, 4, false);
    peer_event(&p, 8, 5, 6);
    CHECK(given(&p) == 12345);
    peer_fini(&p);
}

static void behind_means_sync(void)
{
    struct peer p;
    Roost__Behind behind = ROOST__BEHIND__INIT;
    Roost__ToClient m = ROOST__TO_CLIENT__INIT;

    peer_init(&p, NULL);
    peer_up(&p);
    follow(&p, 4);
    peer_synced(&p, peer_find(&p, SYNC, 0), 4, 4, false);
    behind.room = 8;
    behind.head = 6;
    m.body_case = ROOST__TO_CLIENT__BODY_BEHIND;
    m.behind = &behind;
    struct blob *b = msg_encode(&m.base);
    CHECK(b);
    core_on_bytes(p.core, b->bytes, b->len, p.now_us);
    blob_unref(b);
    peer_pump(&p);
    CHECK(peer_find(&p, SYNC, 1) && peer_find(&p, SYNC, 1)->sync->after == 4);
    peer_event(&p, 8, 5, 6);
    peer_event(&p, 8, 6, 6);
    peer_synced(&p, peer_find(&p, SYNC, 1), 6, 6, false);
    CHECK(given(&p) == 56);
    peer_fini(&p);
}

static void refused_for_now_is_asked_later_and_for_good_is_told(void)
{
    struct peer p;

    peer_init(&p, NULL);
    peer_up(&p);
    int64_t n = follow(&p, 0);
    peer_error(&p, peer_find(&p, SYNC, 0), ROOST_NOT_STORED);
    CHECK(!peer_find(&p, SYNC, 1) && core_deadline_us(p.core) == p.now_us + CORE_RETRY_US);
    p.now_us += CORE_RETRY_US;
    core_expire(p.core, p.now_us);
    peer_pump(&p);
    peer_error(&p, peer_find(&p, SYNC, 1), ROOST_NOT_MEMBER);
    struct core_event *e = core_take_answer(p.core, n);
    CHECK(e && e->kind == CORE_REFUSED && e->error->code == ROOST_NOT_MEMBER);
    CHECK(follow(&p, 0) > 0);
    peer_fini(&p);
}

/* Each answer may be 256 KiB, and the server closes who lets more than 1 MiB wait. */
static void few_syncs_at_a_time_and_each_room_gets_its_turn(void)
{
    enum { ROOMS = 40 };
    struct peer p;
    unsigned times[ROOMS + 1] = { 0 };
    size_t n = 0;

    peer_init(&p, NULL);
    peer_up(&p);
    for (uint64_t room = 1; room <= ROOMS; room++)
        CHECK(core_follow(p.core, room, 0, p.now_us) > 0);
    peer_pump(&p);
    CHECK(peer_find(&p, SYNC, 1) && !peer_find(&p, SYNC, 2));
    CHECK(core_deadline_us(p.core) > p.now_us); /* the others wait for an answer, not for time */

    peer_cut(&p);
    peer_again(&p); /* all rooms are wanted again */
    CHECK(peer_find(&p, SYNC, 1) && !peer_find(&p, SYNC, 2));
    core_unfollow(p.core, peer_find(&p, SYNC, 0)->sync->room);
    CHECK(!peer_find(&p, SYNC, 2)); /* the answer is under way all the same */

    for (Roost__ToServer *m; (m = peer_find(&p, SYNC, n)); n++) {
        uint64_t room = m->sync->room;
        bool first = !times[room]++;
        if (first) /* there is more; but each other room comes first */
            for (uint64_t i = 1; i <= ROOMS; i++)
                CHECK(times[i] <= 1);
        peer_event(&p, room, first ? 1 : 2, 6);
        peer_synced(&p, m, first ? 1 : 2, 2, first);
        CHECK(!peer_find(&p, SYNC, n + 3));
    }
    CHECK(n == 2 * ROOMS - 1);
    peer_fini(&p);
}

TEST_MAIN({ "pages_then_live", pages_then_live },
          { "ignored_from_another_device", ignored_from_another_device },
          { "the_cursor_outlives_a_connection", the_cursor_outlives_a_connection },
          { "a_gap_is_asked_for_and_nothing_overtakes", a_gap_is_asked_for_and_nothing_overtakes },
          { "behind_means_sync", behind_means_sync },
          { "refused_for_now_is_asked_later_and_for_good_is_told",
            refused_for_now_is_asked_later_and_for_good_is_told },
          { "few_syncs_at_a_time_and_each_room_gets_its_turn",
            few_syncs_at_a_time_and_each_room_gets_its_turn })
