#include "media/jitter.h"

#include <string.h>

#include "base/err.h"

enum { QUIET_TICKS = MEDIA_HZ / 200 }; /* 5 ms */

static int64_t us_of(int64_t ticks)
{
    return ticks * 125 / 6;
}

void jitter_init(struct jitter *j, void *store, uint32_t each, bool recovers)
{
    *j = (struct jitter){ .bytes = store, .each = each, .recovers = recovers };
    j->ticks = MEDIA_HZ / 50;
    delay_init(&j->delay, JITTER_MOST_US);
}

void jitter_set_lead(struct jitter *j, int64_t lead_us)
{
    j->lead_us = lead_us;
}

static struct jitter_slot *slot_of(struct jitter *j, uint64_t frame)
{
    return &j->slots[frame % JITTER_FRAMES];
}

static bool is_here(struct jitter *j, uint64_t frame)
{
    struct jitter_slot *s = slot_of(j, frame);

    return s->here && s->frame == frame;
}

/* --- coming ---------------------------------------------------------------------------- */

/* Without wrapping: nearest to the newest. */
static int64_t unwrap(const struct jitter *j, uint32_t stamp)
{
    return j->stamp + (int32_t)(stamp - j->last_stamp);
}

/* Far from what was: the sender has begun anew. */
static void begin_anew(struct jitter *j, const struct media *m)
{
    for (int i = 0; i < JITTER_FRAMES; i++)
        j->slots[i].here = false;
    j->begun = true;
    j->playing = false;
    j->next = j->newest = j->resumed = m->frame;
    j->stamp += (int32_t)(m->timestamp - j->last_stamp);
    j->last_stamp = m->timestamp;
}

static void note_newest(struct jitter *j, const struct media *m, int64_t stamp)
{
    if (m->frame < j->newest)
        return;
    j->newest = m->frame;
    j->stamp = stamp;
    j->last_stamp = m->timestamp;
}

/* The oldest make room: nobody has asked for them for too long. */
static void make_room(struct jitter *j, uint64_t frame)
{
    while (frame >= j->next + JITTER_FRAMES) {
        if (is_here(j, j->next)) {
            slot_of(j, j->next)->here = false;
            j->counts.skipped++;
        }
        j->next++;
    }
}

int jitter_put(struct jitter *j, int64_t now_us, const struct media *m, const uint8_t *bytes,
               size_t len, uint32_t ticks)
{
    if (len > j->each || !ticks)
        return -ROOST_LIMIT;
    if (!j->begun || m->frame > j->newest + 64ULL * JITTER_FRAMES)
        begin_anew(j, m);
    int64_t stamp = unwrap(j, m->timestamp), sent_us = us_of(stamp);
    if (is_here(j, m->frame)) {
        j->counts.again++;
        return -ROOST_ALREADY;
    }
    if (m->frame >= j->resumed && m->frame + JITTER_FRAMES > j->next) /* else it says nothing */
        delay_on_frame(&j->delay, now_us, sent_us);
    if (m->frame < j->next && !j->playing && m->frame + 4 > j->next && !j->counts.played)
        j->next = m->frame; /* the first ones overtook each other */
    if (m->frame < j->next) {
        j->counts.late++;
        return -ROOST_ALREADY;
    }
    note_newest(j, m, stamp);
    make_room(j, m->frame);
    struct jitter_slot *s = slot_of(j, m->frame);
    *s = (struct jitter_slot){ true, m->silence, m->frame, sent_us, (uint32_t)len, ticks };
    memcpy(j->bytes + (m->frame % JITTER_FRAMES) * j->each, bytes, len);
    j->ticks = ticks;
    return 0;
}

/* --- being heard ------------------------------------------------------------------------- */

static struct jitter_slot *first_here(struct jitter *j)
{
    for (uint64_t f = j->next; f <= j->newest && f < j->next + JITTER_FRAMES; f++)
        if (is_here(j, f))
            return slot_of(j, f);
    return NULL;
}

/* So much later than it is due. */
static int64_t late_us(const struct jitter *j, int64_t now_us, const struct jitter_slot *s)
{
    return now_us - delay_due_us(&j->delay, s->sent_us) - j->lead_us;
}

static void quiet(struct jitter *j, uint32_t ticks, struct jitter_turn *ret)
{
    *ret = (struct jitter_turn){ JITTER_QUIET, NULL, 0, ticks };
    if (j->counts.played && !j->silence && j->run < JITTER_GONE_TICKS) {
        j->run += ticks; /* somebody speaks, and is not heard */
        j->counts.concealed_ticks += ticks;
    }
}

static void play(struct jitter *j, int64_t now_us, struct jitter_slot *s, struct jitter_turn *ret)
{
    int64_t late = late_us(j, now_us, s);
    enum jitter_what what = late > JITTER_SLACK_US    ? JITTER_FASTER
                            : late < -JITTER_EARLY_US ? JITTER_SLOWER
                                                      : JITTER_PLAY;

    *ret = (struct jitter_turn){ what, j->bytes + (s->frame % JITTER_FRAMES) * j->each, s->len,
                                 s->ticks };
    s->here = false;
    j->silence = s->silence;
    j->next = s->frame + 1;
    j->owed = j->run = 0;
    j->counts.played++;
    j->counts.played_ticks += s->ticks;
    j->counts.stretched += what != JITTER_PLAY;
}

static void conceal(struct jitter *j, struct jitter_turn *ret)
{
    *ret = (struct jitter_turn){ JITTER_CONCEAL, NULL, 0, j->ticks };
    j->run += j->ticks;
    j->counts.concealed++;
    j->counts.concealed_ticks += j->ticks;
    if (us_of(j->run) >= JITTER_MAKE_UP_US)
        j->playing = false;
}

static void recover(struct jitter *j, struct jitter_slot *s, struct jitter_turn *ret)
{
    *ret = (struct jitter_turn){ JITTER_RECOVER, j->bytes + (s->frame % JITTER_FRAMES) * j->each,
                                 s->len, j->ticks };
    j->next++;
    j->run = 0;
    j->counts.recovered++;
    j->counts.played_ticks += j->ticks;
}

/* After silence, or at first: when its first frame is due. */
static bool begin(struct jitter *j, int64_t now_us, struct jitter_turn *ret)
{
    struct jitter_slot *s = first_here(j);
    int64_t early = s ? -late_us(j, now_us, s) : 0;

    if (!s || early > 0) {
        quiet(j, early > us_of(QUIET_TICKS) || !s ? QUIET_TICKS : (uint32_t)(early * 6 / 125 + 1),
              ret);
        return false;
    }
    if (us_of(j->run) >= JITTER_MAKE_UP_US)
        j->resumed = s->frame;
    j->playing = true;
    j->next = s->frame;
    j->owed = 0;
    return true;
}

/* What was made up for already is not heard, if there is something behind it. */
static void leave_out(struct jitter *j, int64_t now_us)
{
    struct jitter_slot *s;

    while (j->next < j->newest && (s = first_here(j))) {
        bool made_up = j->owed >= j->ticks &&
                       (s->frame > j->next || late_us(j, now_us, s) > us_of(j->ticks));
        bool too_late = s->frame == j->next && late_us(j, now_us, s) > JITTER_SKIP_US;
        if (!made_up && !too_late)
            return;
        if (s->frame == j->next) {
            s->here = false;
            j->counts.skipped++;
        }
        j->owed -= made_up ? j->ticks : 0;
        j->next++;
    }
}

void jitter_next(struct jitter *j, int64_t now_us, struct jitter_turn *ret)
{
    if (!j->playing && !begin(j, now_us, ret))
        return;
    leave_out(j, now_us);
    struct jitter_slot *s = first_here(j);
    if (s && s->frame == j->next) {
        play(j, now_us, s, ret);
    } else if (j->silence) {
        j->playing = false;
        if (begin(j, now_us, ret))
            play(j, now_us, slot_of(j, j->next), ret);
    } else if (!s) { /* late or lost: who knows */
        j->owed += j->ticks;
        conceal(j, ret);
    } else if (j->recovers && s->frame == j->next + 1) {
        recover(j, s, ret);
    } else {
        j->next++;
        conceal(j, ret);
    }
}

int64_t jitter_held_us(const struct jitter *j)
{
    return j->delay.target_us;
}

int64_t jitter_budget_us(const struct jitter *j)
{
    return j->delay.most_us;
}
