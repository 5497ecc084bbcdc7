#include "flow/seen.h"

void seen_init(struct seen *s)
{
    *s = (struct seen){ .due_us = INT64_MAX };
}

static void remove_range(struct seen *s, uint32_t i)
{
    s->n_ranges--;
    memmove(&s->ranges[i], &s->ranges[i + 1], (s->n_ranges - i) * sizeof *s->ranges);
}

static void insert_range(struct seen *s, uint32_t i, uint64_t number)
{
    if (s->n_ranges == ACK_RANGES_MAX)
        s->n_ranges--; /* the lowest */
    if (i >= ACK_RANGES_MAX)
        return;
    memmove(&s->ranges[i + 1], &s->ranges[i], (s->n_ranges - i) * sizeof *s->ranges);
    s->ranges[i] = (struct ack_range){ number, number };
    s->n_ranges++;
}

/* The first range that does not lie wholly above it. */
static void add(struct seen *s, uint64_t number)
{
    uint32_t i = 0;

    while (i < s->n_ranges && s->ranges[i].first > number + 1)
        i++;
    if (i == s->n_ranges || s->ranges[i].last + 1 < number) {
        insert_range(s, i, number);
        return;
    }
    struct ack_range *r = &s->ranges[i];
    if (number == r->last + 1)
        r->last = number;
    else if (number + 1 == r->first)
        r->first = number;
    if (i + 1 < s->n_ranges && s->ranges[i + 1].last + 1 >= r->first) {
        r->first = s->ranges[i + 1].first;
        remove_range(s, i + 1);
    }
}

static void note_due(struct seen *s, int64_t now_us, bool at_once, const struct seen_pace *pace)
{
    if (at_once || s->packets <= SEEN_AT_ONCE || s->waiting >= pace->every)
        s->due_us = now_us;
    else if (s->due_us > now_us + pace->delay_us)
        s->due_us = now_us + pace->delay_us;
}

void seen_on_packet(struct seen *s, uint64_t number, int64_t now_us, bool eliciting,
                    enum seen_ecn ecn, const struct seen_pace *pace)
{
    uint64_t highest = s->n_ranges ? s->ranges[0].last : 0;
    bool in_order = !s->n_ranges || number == highest + 1;

    if (!s->n_ranges || number > highest)
        s->largest_us = now_us - pace->ago_us;
    add(s, number);
    s->times[number % ACK_TIMES_MAX].number = number + 1; /* 0: none */
    s->times[number % ACK_TIMES_MAX].at_us = now_us - pace->ago_us;
    s->packets++;
    s->ect0 += ecn == SEEN_ECT0;
    s->ect1 += ecn == SEEN_ECT1;
    s->ce += ecn == SEEN_CE;
    if (!eliciting)
        return;
    s->waiting++;
    note_due(s, now_us, !in_order || ecn == SEEN_CE, pace);
}

/* Down from the highest, as long as each is known. */
static void fill_times(const struct seen *s, int64_t base_us, struct ack *ret)
{
    for (uint32_t i = 0; i < s->n_ranges; i++)
        for (uint64_t n = s->ranges[i].last + 1; n > s->ranges[i].first; n--) {
            uint64_t at = (n - 1) % ACK_TIMES_MAX;
            if (ret->n_times == ACK_TIMES_MAX || s->times[at].number != n)
                return;
            ret->times_us[ret->n_times++] = s->times[at].at_us - base_us;
        }
}

bool seen_ack(const struct seen *s, int64_t now_us, int64_t base_us, struct ack *ret)
{
    if (!s->n_ranges)
        return false;
    *ret = (struct ack){ .delay_us = (uint64_t)(now_us - s->largest_us),
                         .n_ranges = s->n_ranges,
                         .ecn = s->ect0 || s->ect1 || s->ce,
                         .ect0 = s->ect0,
                         .ect1 = s->ect1,
                         .ce = s->ce };
    memcpy(ret->ranges, s->ranges, s->n_ranges * sizeof *s->ranges);
    fill_times(s, base_us, ret);
    return true;
}

void seen_on_ack_sent(struct seen *s)
{
    s->waiting = 0;
    s->due_us = INT64_MAX;
}

void seen_forget(struct seen *s, uint64_t number)
{
    while (s->n_ranges > 1 && s->ranges[s->n_ranges - 1].last <= number)
        s->n_ranges--;
    struct ack_range *r = s->n_ranges ? &s->ranges[s->n_ranges - 1] : NULL;
    if (r && r->first <= number && number < r->last)
        r->first = number + 1;
}
