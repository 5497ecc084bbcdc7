#include "sim/pump.h"

#include <string.h>

enum { STILL_MAX = 1000 }; /* turns without a moment between them */

void pump_in(struct flow *f, struct link *from, int64_t now_us)
{
    uint8_t bytes[PACKET_MTU_MAX];

    for (struct blob *b; (b = link_next(from, now_us)); blob_unref(b)) {
        memcpy(bytes, b->bytes, b->len); /* it is opened in its place */
        flow_on_datagram(f, now_us, bytes, b->len, 0);
    }
}

bool pump_push(struct link *to, const uint8_t *bytes, size_t len, int64_t now_us)
{
    struct blob *b = blob_copy(bytes, len);
    bool ok = b && !link_push(to, now_us, b);

    blob_unref(b);
    return ok;
}

bool pump_out(struct flow *f, struct link *to, int64_t now_us)
{
    uint8_t bytes[PACKET_MTU_MAX];
    bool ok = true;
    int len;

    while ((len = flow_next(f, now_us, bytes, sizeof bytes)) > 0)
        ok = pump_push(to, bytes, (size_t)len, now_us) && ok;
    return ok;
}

size_t pump_media(struct flow *f, int64_t now_us, const struct media_part *parts, size_t n_parts,
                  const struct dgram *words, size_t n_words, uint8_t *bytes, size_t cap)
{
    struct flow_to to;
    int n = flow_send_media(f, now_us, bytes, cap, parts, n_parts, words, n_words, &to);
    size_t len = n > 0 ? (size_t)n : 0;

    for (size_t i = 0; len && i < n_parts; len += parts[i++].head.len)
        memcpy(bytes + len, parts[i].payload, parts[i].head.len);
    return len;
}

int64_t pump_due_us(struct flow *const end[static 2], const struct link link[static 2],
                    int64_t now_us)
{
    int64_t at = INT64_MAX;

    for (int i = 0; i < 2; i++) {
        int64_t a = flow_deadline_us(end[i], now_us), b = link_deadline_us(&link[i]);
        at = a < at ? a : at;
        at = b < at ? b : at;
    }
    return at;
}

bool pump_run(pump_turn *turn, void *story, int64_t *now_us, int64_t for_us)
{
    int64_t end_us = *now_us + for_us, at;

    for (int still = 0; (at = turn(story, *now_us)) <= end_us && still < STILL_MAX;) {
        still = at > *now_us ? 0 : still + 1;
        *now_us = at > *now_us ? at : *now_us;
    }
    bool moves = at > end_us;
    *now_us = end_us;
    return moves;
}
