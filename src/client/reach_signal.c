/* reach_signal.c - what both ends tell each other through the house: that they are who they say,
 * then where each may be. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "client/reach_inside.h"

bool reach_signal_is_first(const uint8_t *bytes, size_t len)
{
    return pact_is_first(bytes, len);
}

/* The keys are there: a session for questions, one for streams. */
static int know(struct reach_edge *e, int64_t now_us)
{
    uint8_t ask[SESSION_SECRET + 4], talk[SESSION_SECRET + 4], seed[2][32];
    int err = pact_derive(&e->pact, "questions", ask, sizeof ask);

    if (!err)
        err = pact_derive(&e->pact, "streams", talk, sizeof talk);
    if (!err && getrandom(seed, sizeof seed, 0) != sizeof seed)
        err = -ROOST_IO;
    uint32_t ids[2];
    memcpy(&ids[0], ask + SESSION_SECRET, 4);
    memcpy(&ids[1], talk + SESSION_SECRET, 4);
    const struct reach_settings r = { .caller = e->caller,
                                      .session = ntohl(ids[0]) & ~1u,
                                      .secret = ask,
                                      .seed = seed[0],
                                      .no_direct = e->no_direct,
                                      .link = e->link };
    const struct flow_settings f = { .client = e->caller,
                                     .session = ntohl(ids[1]) | 1u,
                                     .secret = talk,
                                     .seed = seed[1],
                                     .cc = e->cc,
                                     .mtu_most = PACKET_MTU_MAX,
                                     .ecn = true,
                                     .keeps = true,
                                     .trace = e->trace,
                                     .trace_ctx = e->trace_ctx };
    if (!err)
        err = reach_init(&e->reach, &r, now_us);
    e->reaching = !err;
    if (!err)
        err = flow_new(&e->flow, &f, now_us);
    if (!err && e->study) {
        study_keys(e->study, f.session, talk);
        study_keys(e->study, r.session, ask);
    }
    seal_wipe(ask, sizeof ask);
    seal_wipe(talk, sizeof talk);
    return err;
}

int reach_edge_on_signal(struct reach_edge *e, const uint8_t *bytes, size_t len, int64_t now_us)
{
    uint8_t copy[REACH_SIGNAL_MAX];
    const uint8_t *body;
    size_t n;

    if (len > sizeof copy || e->lost)
        return -ROOST_MALFORMED;
    memcpy(copy, bytes, len);
    int err = pact_on_message(&e->pact, copy, len, &body, &n);
    if (err == -ROOST_UNTRUSTED)
        reach_edge_lose(e, REACH_EDGE_WRONG);
    if (!err && e->pact.state == PACT_DONE && !e->reaching) {
        err = know(e, now_us);
        if (err)
            reach_edge_lose(e, REACH_EDGE_LOST);
        else
            reach_edge_tell(e, REACH_EDGE_KNOWN, now_us - e->begun_us);
        e->list_due = true;
    }
    if (!err && n)
        err = reach_on_list(&e->reach, body, n, now_us);
    return err;
}

/* Where this end may be, if that is not what was told. */
static void mind_list(struct reach_edge *e)
{
    static const struct path_address none;
    uint8_t list[REACH_LIST_MAX];
    const struct path_address *seen = e->has_relay ? &e->relay.observed : &none;
    /* Who answers nothing that comes straight tells no address: the other end would wait for it. */
    size_t n = e->no_direct ? reach_list(NULL, 0, 0, &none, list)
                            : reach_list(e->locals, e->n_locals, e->port, seen, list);

    if (n == e->n_list && !memcmp(list, e->list, n))
        return;
    memcpy(e->list, list, n);
    e->n_list = n;
    e->list_due = true;
    reach_set_locals(&e->reach, e->locals, e->n_locals);
    reach_set_observed(&e->reach, seen);
}

int reach_edge_next_signal(struct reach_edge *e, uint8_t ret[static REACH_SIGNAL_MAX])
{
    size_t n = pact_next(&e->pact, ret);

    if (n)
        return (int)n;
    if (!e->reaching || e->lost)
        return 0;
    mind_list(e);
    if (!e->list_due)
        return 0;
    e->list_due = false;
    memcpy(ret + 5, e->list, e->n_list);
    int64_t len = pact_seal(&e->pact, ret, e->n_list);
    return len > 0 ? (int)len : 0;
}
