#include "flow/pmtu.h"

#include <stddef.h>

/* Of UDP in IPv4 and IPv6: Ethernet, less a tunnel, PPPoE; jumbo frames. */
static const uint32_t known[] = { 1372, 1452, 1472, 8932, 8952 };

void pmtu_init(struct pmtu *p, uint32_t base, uint32_t most, int64_t now_us)
{
    *p = (struct pmtu){ .base = base,
                        .most = most,
                        .now = base,
                        .high = most,
                        .next_us = now_us,
                        .soon_us = PMTU_SOON_US };
}

/* The smallest that is known and not decided; between two of those, the middle. */
static uint32_t choose(const struct pmtu *p)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i] > p->now && known[i] <= p->high)
            return known[i];
    return p->high - p->now < PMTU_GRAIN ? 0 : p->now + (p->high - p->now + 1) / 2;
}

static void give_up(struct pmtu *p)
{
    bool excused = p->company && p->excuses < PMTU_EXCUSES;

    p->excuses += excused;
    p->tries += !excused;
    if (p->tries >= PMTU_TRIES) {
        p->high = p->probing - 1;
        p->tries = p->excuses = 0;
    }
    p->probing = 0;
}

/* It is found; later perhaps more. */
static void rest(struct pmtu *p, int64_t now_us)
{
    bool little = p->now < PMTU_USUAL && p->now < p->most && p->soon_us < PMTU_RAISE_US;

    p->high = p->most;
    p->next_us = now_us + (little ? p->soon_us : PMTU_RAISE_US);
    p->soon_us *= little ? 2 : 1;
}

uint32_t pmtu_next(struct pmtu *p, int64_t now_us)
{
    if (now_us < p->next_us || p->most <= p->base)
        return 0;
    if (p->probing)
        give_up(p);
    uint32_t size = choose(p);
    if (!size)
        rest(p, now_us);
    return size;
}

void pmtu_on_probe(struct pmtu *p, uint32_t bytes, int64_t now_us, int64_t patience_us)
{
    p->probing = bytes;
    p->sent_us = now_us;
    p->near_us = patience_us;
    p->company = false;
    p->next_us = now_us + 3 * patience_us; /* nothing may follow that shows its loss */
}

bool pmtu_on_acked(struct pmtu *p, uint64_t number, uint32_t bytes)
{
    if (bytes > p->base && number >= p->number) {
        p->number = number + 1;
        p->black = 0;
    }
    if (bytes != p->probing || bytes <= p->now)
        return false;
    p->now = bytes;
    p->probing = p->tries = p->excuses = 0;
    p->next_us = 0;
    return true;
}

/* Begins anew, a little later. */
static void fall(struct pmtu *p, int64_t now_us)
{
    uint32_t holes = p->holes + 1;
    uint64_t number = p->number;

    pmtu_init(p, p->base, p->most, now_us + PMTU_REST_US);
    p->holes = holes;
    p->number = number;
}

bool pmtu_on_lost(struct pmtu *p, uint64_t number, uint32_t bytes, int64_t sent_us, int64_t now_us,
                  int64_t patience_us)
{
    if (p->probing && bytes == p->probing && bytes > p->now) {
        p->next_us = now_us + patience_us; /* until then one knows what else was lost */
        return false;
    }
    int64_t apart_us = sent_us > p->sent_us ? sent_us - p->sent_us : p->sent_us - sent_us;
    p->company = p->company || (p->probing && apart_us <= p->near_us);
    if (p->now == p->base || bytes <= p->base || bytes > p->now || number < p->number)
        return false;
    if (!p->black++)
        p->black_us = sent_us;
    if (p->black < PMTU_BLACK || sent_us - p->black_us < patience_us / 2)
        return false;
    fall(p, now_us);
    return true;
}
