/* relay.c - numbers under which two ends reach each other through the server.
 *
 * Whoever brings two ends together (an offer, a code) makes one and gives each end its token;
 * the packets are passed by whoever carries datagrams, which is told by HUB_DATAGRAMS. It lasts
 * until its maker ends it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "hub/internal.h"
#include "seal/digest.h"

struct relay {
    uint32_t number;
    uint8_t tokens[2][DATAGRAMS_TOKEN];
};

static int tell_new(struct hub *h, const struct relay *r, bool passes)
{
    struct hub_datagrams d = { .what = DATAGRAMS_RELAY, .id = r->number, .passes = passes };

    static_assert(sizeof r->tokens == sizeof d.secret, "both tokens fit where a secret does");
    memcpy(d.secret, r->tokens, sizeof d.secret);
    int err = outbox_datagrams(h->out, &d);
    seal_wipe(&d, sizeof d);
    return err < 0 ? err : 0;
}

int relays_new(struct hub *h, bool passes, uint32_t *ret_number,
               uint8_t ret_tokens[static 2][DATAGRAMS_TOKEN])
{
    if (!h->config.datagrams)
        return -ROOST_UNSUPPORTED;
    if (h->relays.n >= RELAYS_MAX)
        return -ROOST_LIMIT;
    struct relay *r = calloc(1, sizeof *r);
    int err = r ? datagrams_draw_id(h, -1, &r->number) : -ROOST_NOMEM;
    if (!err)
        err = map_put(&h->relays, r->number, r);
    if (err) {
        free(r);
        return err;
    }
    rng_fill(&h->rng, (uint8_t *)r->tokens, sizeof r->tokens);
    err = tell_new(h, r, passes);
    if (err) {
        map_take(&h->relays, r->number);
        free(r);
        return err;
    }
    *ret_number = r->number;
    memcpy(ret_tokens, r->tokens, sizeof r->tokens);
    return 0;
}

/* Without memory for the word the worker keeps it; nobody has its tokens any more. */
void relays_end(struct hub *h, uint32_t number)
{
    struct hub_datagrams d = { .what = DATAGRAMS_CLOSE, .id = number };
    struct relay *r = number ? map_take(&h->relays, number) : NULL;

    if (!r)
        return;
    outbox_datagrams(h->out, &d);
    seal_wipe(r, sizeof *r);
    free(r);
}

bool relays_token_side(const struct hub *h, uint32_t number, const uint8_t *token, size_t len,
                       uint8_t *ret_side)
{
    const struct relay *r = map_get(&h->relays, number);

    for (uint8_t i = 0; r && len == DATAGRAMS_TOKEN && i < 2; i++)
        if (seal_equal(token, r->tokens[i], DATAGRAMS_TOKEN)) {
            *ret_side = i;
            return true;
        }
    return false;
}

void relays_free_all(struct hub *h)
{
    struct map_slot *s;

    for (size_t i = 0; (s = map_next(&h->relays, &i));)
        free(s->value);
    map_fini(&h->relays);
}
