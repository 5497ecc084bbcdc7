#include "media/history.h"

uint16_t history_on_sent(struct history *h, int64_t now_us, uint32_t what)
{
    uint16_t count = h->next++;
    uint32_t i = count % HISTORY_PARTS;

    h->slots[i].used = true;
    h->slots[i].count = count;
    h->slots[i].what = what;
    h->slots[i].sent_us = h->slots[i].again_us = now_us;
    return count;
}

static bool again(struct history *h, int64_t now_us, int64_t rtt_us, uint16_t count,
                  uint32_t *ret_what)
{
    uint32_t i = count % HISTORY_PARTS;

    if (!h->slots[i].used || h->slots[i].count != count ||
        now_us - h->slots[i].sent_us > HISTORY_AGE_US || now_us - h->slots[i].again_us < rtt_us / 2)
        return false;
    h->slots[i].again_us = now_us;
    *ret_what = h->slots[i].what;
    return true;
}

bool history_asked(struct history *h, int64_t now_us, int64_t rtt_us, const struct nack *n,
                   uint32_t *i, uint32_t *ret_what, uint16_t *ret_count)
{
    for (; *i < n->n * 17; ++*i) {
        uint32_t gap = *i / 17, bit = *i % 17;
        uint16_t count = (uint16_t)(n->gaps[gap].first + bit);
        bool wanted = !bit || n->gaps[gap].more >> (bit - 1) & 1;
        if (wanted && again(h, now_us, rtt_us, count, ret_what)) {
            *ret_count = count;
            ++*i;
            return true;
        }
    }
    return false;
}

bool history_back(const struct history *h, uint16_t before, uint32_t *ret_what, uint16_t *ret_count)
{
    uint16_t count = (uint16_t)(h->next - 1 - before);
    uint32_t i = count % HISTORY_PARTS;

    if (!h->slots[i].used || h->slots[i].count != count)
        return false;
    *ret_what = h->slots[i].what;
    *ret_count = count;
    return true;
}

void history_forget(struct history *h, uint32_t what)
{
    for (uint32_t i = 0; i < HISTORY_PARTS; i++)
        if (h->slots[i].used && h->slots[i].what == what)
            h->slots[i].used = false;
}

/* Begun at a little less than what it is ended at, or it would go on and off. */
uint8_t history_repeats(uint8_t repeats, float loss)
{
    static const float up[] = { 0.04f, 0.08f, 2 }, down[] = { -1, 0.025f, 0.06f };

    repeats = repeats > 2 ? 2 : repeats;
    return loss > up[repeats] ? repeats + 1 : loss < down[repeats] ? repeats - 1 : repeats;
}
