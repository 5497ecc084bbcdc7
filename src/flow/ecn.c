#include "flow/ecn.h"

void ecn_init(struct ecn *e, bool use)
{
    *e = (struct ecn){ .state = use ? ECN_TESTING : ECN_OFF };
}

void ecn_on_path(struct ecn *e)
{
    if (e->state == ECN_OFF)
        return;
    e->state = ECN_TESTING;
    e->sent = e->lost = e->fresh = 0;
    e->base = e->ect0 + e->ce;
}

bool ecn_marks(const struct ecn *e)
{
    return e->state == ECN_CAPABLE || (e->state == ECN_TESTING && e->sent < ECN_TEST_PACKETS);
}

void ecn_on_sent(struct ecn *e)
{
    e->sent++;
}

void ecn_on_acked(struct ecn *e)
{
    e->fresh++;
}

void ecn_on_lost(struct ecn *e)
{
    e->lost++;
    if (e->state == ECN_TESTING && e->sent >= ECN_TEST_PACKETS && e->lost >= e->sent)
        e->state = ECN_FAILED; /* they may be dropped for their mark */
}

/* Do its counts fit what was sent and what it acknowledges? */
static bool fits(const struct ecn *e, const struct ack *a)
{
    if (!a->ecn)
        return !e->fresh;
    if (a->ect0 < e->ect0 || a->ect1 != e->ect1 || a->ce < e->ce)
        return false;
    uint64_t more = a->ect0 - e->ect0 + a->ce - e->ce;
    return more >= e->fresh && a->ect0 + a->ce - e->base <= e->sent;
}

bool ecn_on_ack(struct ecn *e, const struct ack *a)
{
    if (e->state != ECN_TESTING && e->state != ECN_CAPABLE)
        return false;
    if (!fits(e, a)) {
        e->state = ECN_FAILED;
        return false;
    }
    if (!a->ecn)
        return false;
    bool ce = a->ce > e->ce;
    if (e->fresh)
        e->state = ECN_CAPABLE;
    e->fresh = 0;
    e->ect0 = a->ect0;
    e->ect1 = a->ect1;
    e->ce = a->ce;
    return ce;
}

const char *ecn_name(const struct ecn *e)
{
    static const char *const names[] = { "off", "testing", "capable", "failed" };

    return names[e->state];
}
