#include "media/turn.h"

#define SECOND_US 1000000
/* Who had something to send so recently goes before those behind it. */
#define WANTS_US 10000

void turn_init(struct turn *t, int64_t now_us, uint64_t rate)
{
    *t = (struct turn){ .rate = rate, .at_us = now_us };
    for (int i = 0; i < TURN_KINDS; i++)
        t->wanted_us[i] = now_us - SECOND_US;
}

static double bytes_of(const struct turn *t, int64_t for_us)
{
    return (double)t->rate / 8 * (double)for_us / SECOND_US;
}

/* A clock that steps back gives nothing twice. */
static void go_on(struct turn *t, int64_t now_us)
{
    if (now_us <= t->at_us)
        return;
    double most = bytes_of(t, TURN_BURST_US);
    most = most < 1500 ? 1500 : most;
    t->room += bytes_of(t, now_us - t->at_us);
    t->room = t->room > most ? most : t->room;
    t->at_us = now_us;
}

void turn_set_rate(struct turn *t, int64_t now_us, uint64_t rate)
{
    go_on(t, now_us);
    t->rate = rate;
}

static bool is_its_turn(const struct turn *t, int64_t now_us, enum turn_kind kind)
{
    return kind != TURN_FILE || now_us - t->wanted_us[TURN_PICTURE] >= WANTS_US;
}

bool turn_allows(struct turn *t, int64_t now_us, enum turn_kind kind, uint32_t bytes)
{
    go_on(t, now_us);
    t->wanted_us[kind] = now_us;
    if (kind == TURN_SOUND)
        return true;
    return is_its_turn(t, now_us, kind) && t->room >= (double)bytes;
}

void turn_on_sent(struct turn *t, int64_t now_us, enum turn_kind kind, uint32_t bytes)
{
    go_on(t, now_us);
    t->room -= bytes;
    t->sent[kind] += bytes;
}

int64_t turn_when_us(struct turn *t, int64_t now_us, enum turn_kind kind, uint32_t bytes)
{
    int64_t when_us = now_us;

    if (turn_allows(t, now_us, kind, bytes))
        return now_us;
    if (t->room < (double)bytes && t->rate)
        when_us += (int64_t)(((double)bytes - t->room) * 8 * SECOND_US / (double)t->rate) + 1;
    if (!is_its_turn(t, now_us, kind) && when_us < t->wanted_us[TURN_PICTURE] + WANTS_US)
        when_us = t->wanted_us[TURN_PICTURE] + WANTS_US;
    return when_us;
}
