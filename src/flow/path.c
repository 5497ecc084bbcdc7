#include "flow/path.h"

#include <string.h>

enum { FRAME = 1 + PATH_BYTES };
#define SECOND_US 1000000
#define NEVER     (INT64_MIN / 2)

bool path_same(const struct path_address *a, const struct path_address *b)
{
    return a->len == b->len && a->port == b->port && a->scope == b->scope &&
           !memcmp(a->ip, b->ip, a->len);
}

void paths_init(struct paths *p, int64_t now_us)
{
    (void)now_us;
    *p = (struct paths){ 0 };
    for (int i = 0; i < PATHS_A_SECOND; i++)
        p->asked_us[i] = NEVER;
}

/* --- candidates ---------------------------------------------------------------------- */

static struct path_candidate *find(struct paths *p, const struct path_address *at)
{
    for (uint32_t i = 0; i < p->n_tried; i++)
        if (path_same(&p->tried[i].at, at))
            return &p->tried[i];
    return NULL;
}

static void forget(struct paths *p, uint32_t i)
{
    p->n_tried--;
    memmove(&p->tried[i], &p->tried[i + 1], (p->n_tried - i) * sizeof *p->tried);
}

static void forget_old(struct paths *p, int64_t now_us)
{
    for (uint32_t i = p->n_tried; i-- > 0;)
        if (now_us - p->tried[i].since_us >= PATHS_PATIENCE_US)
            forget(p, i);
}

/* The oldest is the first. */
static struct path_candidate *make_room(struct paths *p, int64_t now_us)
{
    if (p->n_tried == PATHS_CANDIDATES_MAX && now_us - p->tried[0].since_us >= PATHS_TRIED_US)
        forget(p, 0);
    if (p->n_tried == PATHS_CANDIDATES_MAX) {
        p->refused++;
        return NULL;
    }
    return &p->tried[p->n_tried++];
}

void paths_on_packet(struct paths *p, const struct path_address *from, size_t len, bool newest,
                     const uint8_t challenge[static PATH_BYTES], int64_t now_us)
{
    forget_old(p, now_us);
    if (p->now.len && path_same(&p->now, from)) {
        if (newest)
            p->n_tried = 0; /* it is where it was: the others are not tried any more */
        return;
    }
    struct path_candidate *c = find(p, from);
    if (!c && newest) {
        c = make_room(p, now_us);
        if (!c)
            return;
        *c = (struct path_candidate){ .at = *from, .since_us = now_us, .asked_us = NEVER };
        memcpy(c->challenge, challenge, PATH_BYTES);
    }
    if (c)
        c->received += len;
}

bool paths_on_path(struct paths *p, const struct path_address *from,
                   const uint8_t bytes[static PATH_BYTES])
{
    if (p->now.len && path_same(&p->now, from))
        return true;
    struct path_candidate *c = find(p, from);
    if (c) {
        memcpy(c->back, bytes, PATH_BYTES);
        c->owes_back = true;
    }
    return false;
}

bool paths_on_back(struct paths *p, const struct path_address *from,
                   const uint8_t bytes[static PATH_BYTES], int64_t now_us, int64_t *ret_took_us)
{
    const struct path_candidate *c = find(p, from);

    if (!c || !c->asked || memcmp(c->challenge, bytes, PATH_BYTES) != 0)
        return false;
    *ret_took_us = c->asked == 1 ? now_us - c->asked_us : 0;
    p->now = *from;
    p->n_tried = 0;
    p->proven++;
    return true;
}

/* --- sending --------------------------------------------------------------------------- */

static bool affords(const struct path_candidate *c, size_t bytes)
{
    return c->sent + bytes <= PATHS_TIMES * c->received;
}

/* When the next challenge to it may leave. */
static int64_t ask_at(const struct paths *p, const struct path_candidate *c)
{
    int64_t again_us = c->asked_us + PATHS_AGAIN_US;
    int64_t free_us = p->asked_us[p->asked_at] + SECOND_US;

    return again_us > free_us ? again_us : free_us;
}

bool paths_next(struct paths *p, size_t overhead, int64_t now_us, struct path_words *ret)
{
    forget_old(p, now_us);
    for (uint32_t i = p->n_tried; i-- > 0;) { /* the newest first */
        struct path_candidate *c = &p->tried[i];
        bool asks = ask_at(p, c) <= now_us && affords(c, overhead + FRAME);
        bool backs = c->owes_back && affords(c, overhead + FRAME + (asks ? FRAME : 0));
        if (!asks && !backs)
            continue;
        *ret = (struct path_words){ .to = &c->at,
                                    .challenge = asks ? c->challenge : NULL,
                                    .back = backs ? c->back : NULL };
        c->sent += overhead + (asks ? FRAME : 0) + (backs ? FRAME : 0);
        if (backs)
            c->owes_back = false;
        if (asks) {
            c->asked++;
            c->asked_us = now_us;
            p->asked_us[p->asked_at] = now_us;
            p->asked_at = (p->asked_at + 1) % PATHS_A_SECOND;
        }
        return true;
    }
    return false;
}

int64_t paths_deadline_us(const struct paths *p, size_t overhead, int64_t now_us)
{
    int64_t due_us = INT64_MAX;

    for (uint32_t i = 0; i < p->n_tried; i++) {
        const struct path_candidate *c = &p->tried[i];
        int64_t end_us = c->since_us + PATHS_PATIENCE_US, at_us = ask_at(p, c);
        if (!affords(c, overhead + FRAME) || now_us >= end_us)
            continue;
        at_us = c->owes_back ? now_us : at_us > now_us ? at_us : now_us;
        if (at_us < end_us && at_us < due_us)
            due_us = at_us;
    }
    return due_us;
}
