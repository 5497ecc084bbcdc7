/* media_roster.c - who takes part: an epoch for all that changes within a quarter of a second.
 *
 * Keyrings refuse an epoch that is not higher than before, whoever shows it. Nothing of epochs is
 * kept: the number of quarter seconds since 2020 is never behind them, as no two epochs of a
 * meeting are less than one apart.
 */
#include "hub/media.h"

#define EPOCH_BEGIN_MS 1577836800000LL /* 2020-01-01 UTC; 32 bits last until 2054 */

static void due(struct hub *h, struct call *m, int64_t at_us)
{
    m->roster_us = at_us;
    if (at_us < h->media_due_us)
        h->media_due_us = at_us;
}

void media_roster_changed(struct hub *h, struct call *m)
{
    if (m->roster_us == INT64_MAX)
        due(h, m, h->now.mono_us + MEDIA_ROSTER_US);
}

static struct blob *encode(const struct call *m)
{
    Roost__MediaRoster roster = ROOST__MEDIA_ROSTER__INIT;
    Roost__ToClient frame = ROOST__TO_CLIENT__INIT;
    struct arena mem;
    struct blob *b = NULL;

    arena_init(&mem, 0);
    Roost__MediaMember *rows = arena_get(&mem, (m->n_devices + 1) * sizeof *rows);
    roster.members = arena_get(&mem, (m->n_devices + 1) * sizeof *roster.members);
    if (rows && roster.members) {
        for (struct device *d = m->devices; d; d = d->next) {
            if (d->over)
                continue;
            Roost__MediaMember *row = &rows[roster.n_members];
            roster.members[roster.n_members++] = row;
            roost__media_member__init(row);
            row->number = d->number;
            row->account = d->account;
            row->name = d->person;
            row->identity = (ProtobufCBinaryData){ sizeof d->identity, d->identity };
            row->guest = d->guest;
            row->device_name = d->name;
        }
        roster.meeting = m->meeting;
        roster.epoch = m->epoch;
        frame.body_case = ROOST__TO_CLIENT__BODY_MEDIA_ROSTER;
        frame.media_roster = &roster;
        b = msg_encode(&frame.base);
    }
    arena_fini(&mem);
    return b;
}

static uint32_t next_epoch(const struct hub *h, const struct call *m)
{
    int64_t quarters = (h->now.wall_ms - EPOCH_BEGIN_MS) / 250;

    return quarters > (int64_t)m->epoch && quarters < UINT32_MAX ? (uint32_t)quarters
                                                                 : m->epoch + 1;
}

void media_roster_expire(struct hub *h, struct call *m)
{
    if (m->roster_us > h->now.mono_us)
        return;
    m->roster_us = INT64_MAX;
    m->epoch = next_epoch(h, m);
    media_tell(h, m, encode(m));
}

void media_roster_tell(struct hub *h, const struct device *d)
{
    const struct call *m = d->call;
    struct conn *c = conn_of(h, d->conn);

    if (!c || m->roster_us != INT64_MAX) /* the next one comes at once */
        return;
    struct blob *b = encode(m);
    if (b)
        send_blob(h, c, b);
    else
        hub_condemn(h, c);
    blob_unref(b);
}
