/* test_datagrams.c - keys for datagrams: who gets them, and how long they are good. */
#include <string.h>

#include "asking.h"
#include "base/err.h"
#include "hub/internal.h"
#include "meets.h"
#include "test.h"

static struct stage *stage(void)
{
    struct stage *s = meet_stage();

    s->hall.config.datagrams = true;
    s->hall.config.media_port = 5001;
    hub_set_config(s->hall.hub, &s->hall.config);
    return s;
}

static Roost__Reply *ask(struct visitor *v, uint32_t keep)
{
    Roost__Datagrams b = ROOST__DATAGRAMS__INIT;

    b.keep = keep;
    return ASK(v, DATAGRAMS, datagrams, &b);
}

static uint32_t get(struct visitor *v, uint32_t keep, uint8_t *ret_token)
{
    const Roost__Reply *r = ask(v, keep);

    CHECK(reply_code(r) == 0 && r->result_case == ROOST__REPLY__RESULT_DATAGRAMS);
    CHECK(r->datagrams->port == 5001 && r->datagrams->outlives_ms == 60000);
    CHECK(r->datagrams->token.len == 16);
    CHECK(r->datagrams->secret.len == (keep == r->datagrams->session ? 0 : 32));
    if (ret_token)
        memcpy(ret_token, r->datagrams->token.data, 16);
    return r->datagrams->session;
}

static const struct hub_datagrams *told(const struct stage *s, int what, uint32_t id)
{
    for (size_t i = s->hall.n_carried; i-- > 0 && i + HALL_CARRIED_MAX > s->hall.n_carried;)
        if ((int)s->hall.carried[i % HALL_CARRIED_MAX].what == what &&
            s->hall.carried[i % HALL_CARRIED_MAX].id == id)
            return &s->hall.carried[i % HALL_CARRIED_MAX];
    return NULL;
}

static bool over(const struct stage *s, uint32_t id)
{
    return told(s, DATAGRAMS_CLOSE, id);
}

static void keys_are_handed_out(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *bob = visitor_named(s, "bob");
    struct visitor *nobody = visitor_new(s);

    CHECK(reply_code(ask(nobody, 0)) == ROOST_LOGIN_NEEDED);
    const Roost__Reply *r = ask(ann, 0);
    CHECK(reply_code(r) == 0);
    const struct hub_datagrams *open = told(s, DATAGRAMS_OPEN, r->datagrams->session);
    CHECK(open && !memcmp(open->secret, r->datagrams->secret.data, 32));
    uint32_t anns = r->datagrams->session, bobs = get(bob, 0, NULL);
    CHECK(anns != bobs && get(bob, anns, NULL) != anns); /* somebody else's is not kept */
    CHECK(get(ann, anns, NULL) == anns);
    visitor_free(ann);
    visitor_free(bob);
    visitor_free(nobody);
    stage_free(s);
}

static void none_where_nobody_carries_them(void)
{
    struct stage *s = meet_stage();
    struct visitor *ann = visitor_named(s, "ann");

    CHECK(reply_code(ask(ann, 0)) == ROOST_UNSUPPORTED);
    visitor_free(ann);
    stage_free(s);
}

static void the_one_before_is_good_for_a_moment(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann");
    uint32_t first = get(ann, 0, NULL), second = get(ann, 0, NULL);

    CHECK(!over(s, first));
    stage_run(s, SECONDS(1));
    CHECK(!over(s, first));
    stage_run(s, SECONDS(12));
    CHECK(over(s, first) && !over(s, second));
    uint32_t third = get(ann, first, NULL); /* that one is gone: another */
    CHECK(third != first && third != second);
    uint32_t fourth = get(ann, 0, NULL); /* two at most */
    CHECK(over(s, second) && !over(s, third) && !over(s, fourth));
    visitor_free(ann);
    stage_free(s);
}

static void it_outlives_its_connection_by_a_minute(void)
{
    for (int i = 0; i < 2; i++) {
        struct stage *s = stage();
        struct visitor *ann = visitor_named(s, "ann");
        uint32_t id = get(ann, 0, NULL);

        hall_disconnect(&s->hall, ann->conn, HUB_CLOSE_GONE);
        stage_run(s, SECONDS(50));
        CHECK(!over(s, id));
        if (i == 0) { /* back in time: it goes on */
            visitor_connect(ann);
            CHECK(resume(ann, ann->token, 1) == 0 || login(ann, "ann", PASSWORD, 1) == 0);
            uint32_t now = get(ann, id, NULL);
            stage_run(s, SECONDS(50));
            CHECK(!over(s, now));
        } else {
            stage_run(s, SECONDS(25));
            CHECK(over(s, id) && !s->hall.hub->datagrams.n && !s->hall.hub->datagram_ids.n);
        }
        visitor_free(ann);
        stage_free(s);
    }
}

static void who_logs_out_is_cut_off(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *again = visitor_new(s);
    Roost__Logout b = ROOST__LOGOUT__INIT;
    Roost__EndSession end = ROOST__END_SESSION__INIT;
    uint32_t id = get(ann, 0, NULL);

    CHECK(reply_code(ASK(ann, LOGOUT, logout, &b)) == 0);
    CHECK(over(s, id));
    /* and who is ended from elsewhere, while it is away */
    CHECK(login(ann, "ann", PASSWORD, 1) == 0 && login(again, "ann", PASSWORD, 2) == 0);
    id = get(ann, 0, NULL);
    uint32_t other = get(again, 0, NULL);
    const Roost__SessionList *list = sessions(again);
    for (size_t i = 0; i < list->n_sessions; i++)
        if (!list->sessions[i]->own)
            end.session = list->sessions[i]->session;
    hall_disconnect(&s->hall, ann->conn, HUB_CLOSE_GONE);
    CHECK(!over(s, id));
    again->n_requests = 1000; /* ids of its own */
    CHECK(reply_code(ASK(again, END_SESSION, end_session, &end)) == 0);
    CHECK(over(s, id) && !over(s, other));
    visitor_free(ann);
    visitor_free(again);
    stage_free(s);
}

static int tunnel(struct visitor *v, uint32_t id, const uint8_t *token, size_t len)
{
    Roost__Tunnel b = ROOST__TUNNEL__INIT;

    b.session = id;
    b.token = (ProtobufCBinaryData){ len, (uint8_t *)token };
    return reply_code(ASK(v, TUNNEL, tunnel, &b));
}

static void a_tunnel_is_bound_by_its_token(void)
{
    struct stage *s = stage();
    struct visitor *ann = visitor_named(s, "ann"), *second = visitor_new(s);
    uint8_t token[16], wrong[16];
    uint32_t id = get(ann, 0, token);

    memcpy(wrong, token, sizeof wrong);
    wrong[15] ^= 1;
    CHECK(tunnel(second, id, wrong, 16) == ROOST_SESSION_OVER);
    CHECK(tunnel(second, id, token, 15) == ROOST_SESSION_OVER);
    CHECK(tunnel(second, id + 1, token, 16) == ROOST_SESSION_OVER);
    CHECK(tunnel(ann, id, token, 16) == ROOST_INVALID); /* control goes on as control */
    CHECK(tunnel(second, id, token, 16) == 0);
    const struct hub_datagrams *bound = told(s, DATAGRAMS_TUNNEL, id);
    CHECK(bound && bound->conn == second->conn);
    Roost__Ping ping = ROOST__PING__INIT;
    CHECK(!ASK(second, PING, ping, &ping)); /* the hub has let go of it */
    CHECK(get(ann, id, NULL) == id);
    visitor_free(ann);
    visitor_free(second);
    stage_free(s);
}

TEST_MAIN({ "keys_are_handed_out", keys_are_handed_out },
          { "none_where_nobody_carries_them", none_where_nobody_carries_them },
          { "the_one_before_is_good_for_a_moment", the_one_before_is_good_for_a_moment },
          { "it_outlives_its_connection_by_a_minute", it_outlives_its_connection_by_a_minute },
          { "who_logs_out_is_cut_off", who_logs_out_is_cut_off },
          { "a_tunnel_is_bound_by_its_token", a_tunnel_is_bound_by_its_token })
