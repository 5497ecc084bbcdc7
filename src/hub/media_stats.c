/* media_stats.c - what devices measured: the last of it, and a summary that is kept.
 *
 * A device reports its figures, and who forwards measures the same hop from the other end. Every
 * report counts alike in the summary, which goes to the device's attendee within a second, and
 * into the store with the next change of that row, half a minute later at the latest
 * (meet_time.c).
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "hub/handlers_media.h"
#include "hub/media.h"

enum {
    REPORTS_BURST = 4,
    CODEC_MAX = 40,
    WHY_NR = 8, /* reasons, as docs/PROTOCOL.md has them; 0 is none */
};

#define KEEP_US (30 * 1000000LL)

struct one {
    struct hub_figures is;
    char codec[CODEC_MAX + 1];
};

struct mean {
    uint64_t sum, n;
    uint32_t worst;
};

struct device_figures {
    struct one *last;
    uint32_t n_last;
    int64_t at_ms, came_ms, left_ms;
    struct hub_figures server[LEG_FIGURES_MAX];
    uint32_t n_server;
    struct mean rtt, jitter, loss, left, concealed;
    uint32_t reports, tunnel, why[WHY_NR];
};

/* --- reports ---------------------------------------------------------------------------- */

static void add(struct mean *m, uint32_t value)
{
    m->sum += value;
    m->n++;
    m->worst = value > m->worst ? value : m->worst;
}

static uint32_t mean_of(const struct mean *m)
{
    return m->n ? (uint32_t)(m->sum / m->n) : 0;
}

static void count(struct device_figures *f)
{
    uint32_t why = 0; /* of the way, or else of what was heard */

    f->reports++;
    for (uint32_t i = 0; i < f->n_last; i++) {
        const struct hub_figures *is = &f->last[i].is;
        if (!is->stream) {
            add(&f->rtt, is->rtt_us);
            f->tunnel += is->tunnel;
            why = is->why ? is->why : why;
        } else if (!is->sent) {
            add(&f->jitter, is->jitter_us);
            add(&f->loss, is->loss_ppm);
            add(&f->left, is->left_ppm);
            add(&f->concealed, is->concealed_ppm);
            why = why ? why : is->why;
        }
    }
    f->why[why]++;
}

static struct device_figures *figures_of(struct hub *h, struct device *d)
{
    if (!d->figures)
        d->figures = calloc(1, sizeof *d->figures);
    if (d->figures && !d->figures->came_ms)
        d->figures->came_ms = h->now.wall_ms;
    return d->figures;
}

static bool is_fine(const Roost__MediaFigures *f)
{
    if (strlen(f->codec) > CODEC_MAX || f->why >= WHY_NR)
        return false;
    for (const char *p = f->codec, *end = p + strlen(p); p < end;)
        if (utf8_is_control(utf8_next(&p, end)))
            return false;
    return true;
}

static void take(struct one *to, const Roost__MediaFigures *f)
{
    to->is = (struct hub_figures){ .stream = f->stream,
                                   .bits = f->bits,
                                   .estimate = f->estimate,
                                   .rtt_us = f->rtt_us,
                                   .jitter_us = f->jitter_us,
                                   .loss_ppm = f->loss_ppm,
                                   .left_ppm = f->left_ppm,
                                   .held_us = f->held_us,
                                   .concealed_ppm = f->concealed_ppm,
                                   .why = f->why,
                                   .why_value = f->why_value,
                                   .sent = f->sent,
                                   .tunnel = f->tunnel };
    strcpy(to->codec, f->codec);
}

int media_report_on_message(struct hub *h, struct request *q)
{
    const Roost__MediaReport *b = q->msg->media_report;
    struct device *d = media_device(h, q, b->meeting);

    if (!d)
        return -ROOST_NOT_IN_MEETING;
    if (b->n_figures > MEDIA_FIGURES_MAX)
        return -ROOST_LIMIT;
    for (size_t i = 0; i < b->n_figures; i++)
        if (!is_fine(b->figures[i]))
            return -ROOST_INVALID;
    if (d->report_us > h->now.mono_us + REPORTS_BURST * MEDIA_REPORT_US)
        return -ROOST_TOO_FAST;
    struct device_figures *f = figures_of(h, d);
    struct one *last = f ? calloc(b->n_figures + 1, sizeof *last) : NULL;
    if (!last)
        return -ROOST_NOMEM;
    d->report_us = (d->report_us > h->now.mono_us ? d->report_us : h->now.mono_us) +
                   MEDIA_REPORT_US;
    for (size_t i = 0; i < b->n_figures; i++)
        take(&last[i], b->figures[i]);
    free(f->last);
    f->last = last;
    f->n_last = (uint32_t)b->n_figures;
    f->at_ms = h->now.wall_ms;
    count(f);
    return reply_done(h, q, NULL);
}

void media_stats_on_word(struct device *d, const struct hub_leg_word *word)
{
    if (!d || !d->figures) /* with the device's next report */
        return;
    d->figures->n_server = word->n_figures;
    memcpy(d->figures->server, word->figures, sizeof word->figures);
}

/* --- the summary ------------------------------------------------------------------------------ */

static void summary_fill(Roost__MediaSummary *s, const struct device_figures *f)
{
    uint32_t most = 1;

    roost__media_summary__init(s);
    s->came_ms = (uint64_t)f->came_ms;
    s->left_ms = (uint64_t)f->left_ms;
    s->reports = f->reports;
    s->rtt_us = mean_of(&f->rtt);
    s->rtt_worst_us = f->rtt.worst;
    s->jitter_us = mean_of(&f->jitter);
    s->jitter_worst_us = f->jitter.worst;
    s->loss_ppm = mean_of(&f->loss);
    s->left_ppm = mean_of(&f->left);
    s->left_worst_ppm = f->left.worst;
    s->concealed_ppm = mean_of(&f->concealed);
    s->concealed_worst_ppm = f->concealed.worst;
    s->tunnel_permille = f->reports ? f->tunnel * 1000 / f->reports : 0;
    for (uint32_t i = most; i < WHY_NR; i++)
        most = f->why[i] > f->why[most] ? i : most;
    if (f->why[most]) {
        s->why = most;
        s->why_permille = (uint32_t)((uint64_t)f->why[most] * 1000 / f->reports);
    }
}

static struct device_past *past_of(const struct device *d)
{
    struct device_past *p = d->figures ? calloc(1, sizeof *p) : NULL;

    if (!p)
        return NULL;
    p->number = d->number;
    strcpy(p->name, d->name);
    summary_fill(&p->summary, d->figures);
    return p;
}

void media_stats_end(struct hub *h, struct device *d)
{
    struct media_past *end = d->figures ? calloc(1, sizeof *end) : NULL;

    if (!end)
        return;
    d->figures->left_ms = h->now.wall_ms;
    end->account = d->account;
    end->past = past_of(d);
    if (!end->past) {
        free(end);
        return;
    }
    end->next = d->call->past;
    d->call->past = end;
}

static void note(const struct hub *h, const struct room *r, uint64_t account, struct device_past *p)
{
    struct attendee *a = meeting_attendee(r->meeting, account);

    if (!a || !p) {
        free(p);
        return;
    }
    attendee_put_past(a, p);
    if (!r->meeting->keep_us)
        r->meeting->keep_us = h->now.mono_us + KEEP_US;
}

void media_stats_note(struct hub *h, struct room *r)
{
    struct call *m = r->meeting ? media_of(h, r->id) : NULL;
    struct media_past *past = m ? m->past : NULL;

    if (!m)
        return;
    m->past = NULL;
    for (struct media_past *next; past; past = next) {
        next = past->next;
        note(h, r, past->account, past->past);
        free(past);
    }
    for (const struct device *d = m->devices; d; d = d->next)
        if (!d->over && d->figures)
            note(h, r, d->account, past_of(d));
}

void media_past_free(struct media_past *p)
{
    for (struct media_past *next; p; p = next) {
        next = p->next;
        free(p->past);
        free(p);
    }
}

void media_stats_free(struct device *d)
{
    if (!d->figures)
        return;
    free(d->figures->last);
    free(d->figures);
    d->figures = NULL;
}

/* --- asked for ----------------------------------------------------------------------------------
 */

struct page {
    struct arena *mem;
    Roost__MeetFigures list;
    uint32_t place, after;
    size_t bytes;
    bool full, failed;
};

static Roost__MediaFigures **rows_of(struct page *p, const struct one *from,
                                     const struct hub_figures *server, uint32_t n)
{
    Roost__MediaFigures *rows = arena_get(p->mem, (n + 1) * sizeof *rows);
    Roost__MediaFigures **list = arena_get(p->mem, (n + 1) * sizeof *list);

    assert(!n || from || server);
    if (!rows || !list) {
        p->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_figures *f = from ? &from[i].is : &server[i];
        roost__media_figures__init(&rows[i]);
        rows[i].stream = f->stream;
        rows[i].sent = f->sent;
        rows[i].rtt_us = f->rtt_us;
        rows[i].jitter_us = f->jitter_us;
        rows[i].bits = f->bits;
        rows[i].estimate = f->estimate;
        rows[i].loss_ppm = f->loss_ppm;
        rows[i].left_ppm = f->left_ppm;
        rows[i].held_us = f->held_us;
        rows[i].concealed_ppm = f->concealed_ppm;
        rows[i].why = f->why;
        rows[i].why_value = f->why_value;
        rows[i].tunnel = f->tunnel;
        rows[i].codec = from ? (char *)from[i].codec : (char *)"";
        list[i] = &rows[i];
    }
    return list;
}

/* The row of the next place, if it is on this page. */
static Roost__DeviceFigures *next_row(struct page *p)
{
    if (++p->place <= p->after || p->full || p->failed)
        return NULL;
    Roost__DeviceFigures *row = arena_get(p->mem, sizeof *row);
    if (!row) {
        p->failed = true;
        return NULL;
    }
    roost__device_figures__init(row);
    row->place = p->place;
    return row;
}

static void put_row(struct page *p, Roost__DeviceFigures *row)
{
    p->bytes += roost__device_figures__get_packed_size(row) + 8;
    if (p->bytes > REPLY_BYTES_MAX)
        p->full = true;
    else
        p->list.devices[p->list.n_devices++] = row;
}

static void put_live(struct page *p, const struct device *d)
{
    const struct device_figures *f = d->figures;
    Roost__DeviceFigures *row = next_row(p);
    Roost__MediaSummary *sum = row ? arena_get(p->mem, sizeof *sum) : NULL;

    if (!sum) {
        p->failed = p->failed || row;
        return;
    }
    row->number = d->number;
    row->account = d->account;
    row->name = d->person;
    row->device_name = (char *)d->name;
    row->here = d->conn != 0;
    if (f) {
        row->at_ms = (uint64_t)f->at_ms;
        row->figures = rows_of(p, f->last, NULL, f->n_last);
        row->n_figures = row->figures ? f->n_last : 0;
        row->server = rows_of(p, NULL, f->server, f->n_server);
        row->n_server = row->server ? f->n_server : 0;
        summary_fill(sum, f);
        row->summary = sum;
    }
    put_row(p, row);
}

static void put_past(struct page *p, const struct attendee *a, struct device_past *past)
{
    Roost__DeviceFigures *row = next_row(p);

    if (!row)
        return;
    row->account = a->row.account;
    row->name = a->row.name;
    row->device_name = past->name;
    row->summary = &past->summary;
    put_row(p, row);
}

static int by_account(const void *a, const void *b)
{
    const struct attendee *x = *(struct attendee *const *)a, *y = *(struct attendee *const *)b;

    return x->row.account < y->row.account ? -1 : x->row.account > y->row.account;
}

static void put_all(struct page *p, const struct meeting *m, const struct call *call)
{
    struct attendee **all = arena_get(p->mem, (m->attendees.n + 1) * sizeof *all);
    size_t n = 0;
    struct map_slot *s;

    p->failed = !all;
    for (const struct device *d = call && all ? call->devices : NULL; d; d = d->next)
        if (!d->over)
            put_live(p, d);
    for (size_t i = 0; all && (s = map_next(&m->attendees, &i));)
        all[n++] = s->value;
    if (n)
        qsort(all, n, sizeof *all, by_account);
    for (size_t i = 0; i < n; i++)
        for (struct device_past *past = all[i]->past; past; past = past->next)
            if (!call || !media_numbered(call, past->number))
                put_past(p, all[i], past);
}

static bool may_look(const struct request *q, const struct meeting *m)
{
    return meeting_manages(m, q->account) || m->head.first_host == q->account ||
           q->role == ROOST__ROLE__ADMIN;
}

int meet_stats_on_message(struct hub *h, struct request *q)
{
    const struct meeting *m = q->room->meeting;
    struct page p = { .mem = &q->mem, .after = q->msg->meet_stats->after };
    Roost__Reply reply = ROOST__REPLY__INIT;
    struct call *call = media_of(h, q->room_id);

    if (!may_look(q, m))
        return meeting_attendee(m, q->account) ? -ROOST_NOT_ALLOWED : -ROOST_NO_SUCH_MEETING;
    media_stats_note(h, q->room);
    roost__meet_figures__init(&p.list);
    p.list.devices = arena_get(&q->mem, (MEDIA_DEVICES_MAX + DEVICES_PAST_MAX * m->attendees.n) *
                                            sizeof *p.list.devices);
    if (!p.list.devices)
        return -ROOST_NOMEM;
    put_all(&p, m, call);
    if (p.failed)
        return -ROOST_NOMEM;
    p.list.more = p.full;
    reply.result_case = ROOST__REPLY__RESULT_MEET_FIGURES;
    reply.meet_figures = &p.list;
    return reply_with(h, q, &reply);
}
