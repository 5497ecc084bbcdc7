#include "flow/alive.h"

enum { DOUBLINGS_MAX = 4, PATIENT_ASKS = 3, FLOW_ASKS = 10 };

void alive_init(struct alive *a, int64_t now_us)
{
    *a = (struct alive){ .heard_us = now_us, .asked_us = now_us, .await_us = INT64_MAX };
}

void alive_on_heard(struct alive *a, int64_t now_us)
{
    if (a->asked)
        a->flows = false; /* the path works: there is no more of it for now */
    a->heard_us = now_us;
    a->asked = 0;
    if (a->await_us != INT64_MAX)
        a->await_us = now_us;
}

void alive_on_data(struct alive *a)
{
    a->flows = true;
}

void alive_on_awaited(struct alive *a, bool awaited, int64_t now_us)
{
    if (!awaited)
        a->await_us = INT64_MAX;
    else if (a->await_us == INT64_MAX)
        a->await_us = now_us;
}

void alive_on_change(struct alive *a)
{
    a->hurry = true;
}

/* The first few at an even pace: the path may come back any moment. */
static int64_t ask_at(const struct alive *a, int64_t patience_us)
{
    int64_t wait_us = patience_us > ALIVE_SILENT_US ? patience_us : ALIVE_SILENT_US;
    uint32_t more = a->asked > PATIENT_ASKS ? a->asked - PATIENT_ASKS : 0;

    bool flows = a->flows && a->asked < FLOW_ASKS;
    if (a->await_us == INT64_MAX && !flows)
        return INT64_MAX;
    if (!a->asked)
        return (flows ? a->heard_us : a->await_us) + wait_us;
    wait_us <<= more < DOUBLINGS_MAX ? more : DOUBLINGS_MAX;
    return a->asked_us + (wait_us < ALIVE_SLOW_US ? wait_us : ALIVE_SLOW_US);
}

static int64_t ping_at(const struct alive *a)
{
    return (a->heard_us > a->asked_us ? a->heard_us : a->asked_us) + ALIVE_PING_US;
}

int64_t alive_deadline_us(const struct alive *a, int64_t patience_us)
{
    int64_t ask_us = ask_at(a, patience_us), ping_us = ping_at(a);

    return a->hurry ? INT64_MIN : ask_us < ping_us ? ask_us : ping_us;
}

enum alive_wish alive_expire(struct alive *a, int64_t now_us, int64_t patience_us)
{
    enum alive_wish wish = a->hurry || ask_at(a, patience_us) <= now_us ? ALIVE_ASK
                           : ping_at(a) <= now_us                       ? ALIVE_PING
                                                                        : ALIVE_NOTHING;

    if (wish == ALIVE_NOTHING)
        return wish;
    a->hurry = false;
    a->asked += wish == ALIVE_ASK;
    a->asked_us = now_us;
    return wish;
}
