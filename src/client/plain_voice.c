/* plain_voice.c - figures of media as the plain structs of roost_voice.h. */
#include <string.h>

#include "base/err.h"
#include "client/edge.h"
#include "client/requests.h"
#include "media/figures.h"

static const char *str(const char *s)
{
    return s ? s : "";
}

/* In the arena; "" if nothing is to be said. */
static const char *sentence(struct arena *a, uint32_t why, uint32_t value)
{
    char *text = why > FIGURES_STEADY && why < FIGURES_WHY_MAX ? arena_get(a, FIGURES_SENTENCE)
                                                               : NULL;

    if (text)
        figures_sentence((enum figures_why)why, value, text, FIGURES_SENTENCE);
    return str(text);
}

static struct roost_media_figures *figures(struct arena *a, size_t n,
                                           Roost__MediaFigures *const *list)
{
    struct roost_media_figures *ret = arena_get(a, n * sizeof *ret + 1);

    for (size_t i = 0; ret && i < n; i++) {
        const Roost__MediaFigures *m = list[i];
        ret[i] = (struct roost_media_figures){
            .stream = m->stream,
            .sent = m->sent,
            .tunnel = m->tunnel,
            .figures = { .rtt_us = m->rtt_us,
                         .jitter_us = m->jitter_us,
                         .held_us = m->held_us,
                         .bits = m->bits,
                         .loss_ppm = m->loss_ppm,
                         .left_ppm = m->left_ppm,
                         .concealed_ppm = m->concealed_ppm,
                         .why = sentence(a, m->why, m->why_value) },
            .estimate = m->estimate,
            .codec = str(m->codec),
        };
    }
    return ret;
}

static int device(struct arena *a, const Roost__DeviceFigures *m, struct roost_device_figures *p)
{
    const Roost__MediaSummary *s = m->summary;

    *p = (struct roost_device_figures){ .place = m->place,
                                        .number = m->number,
                                        .account = m->account,
                                        .name = str(m->name),
                                        .device_name = str(m->device_name),
                                        .here = m->here,
                                        .at_ms = m->at_ms,
                                        .figures = figures(a, m->n_figures, m->figures),
                                        .server = figures(a, m->n_server, m->server),
                                        .n_figures = m->n_figures,
                                        .n_server = m->n_server,
                                        .summary.why = "" };
    if (s) {
        p->summary.came_ms = s->came_ms;
        p->summary.left_ms = s->left_ms;
        p->summary.reports = s->reports;
        p->summary.rtt_us = s->rtt_us;
        p->summary.rtt_worst_us = s->rtt_worst_us;
        p->summary.jitter_us = s->jitter_us;
        p->summary.jitter_worst_us = s->jitter_worst_us;
        p->summary.loss_ppm = s->loss_ppm;
        p->summary.left_ppm = s->left_ppm;
        p->summary.left_worst_ppm = s->left_worst_ppm;
        p->summary.concealed_ppm = s->concealed_ppm;
        p->summary.concealed_worst_ppm = s->concealed_worst_ppm;
        p->summary.tunnel_permille = s->tunnel_permille;
        p->summary.why_permille = s->why_permille;
        p->summary.why = sentence(a, s->why, 0);
    }
    return p->figures && p->server ? 0 : -ROOST_NOMEM;
}

int plain_figures(struct arena *a, const Roost__MeetFigures *m, struct roost_reply *to)
{
    struct roost_device_figures *list = arena_get(a, m->n_devices * sizeof *list + 1);
    int err = list ? 0 : -ROOST_NOMEM;

    for (size_t i = 0; !err && i < m->n_devices; i++)
        err = device(a, m->devices[i], &list[i]);
    to->reply = ROOST_FIGURES;
    to->devices = list;
    to->n = m->n_devices;
    to->more = m->more;
    return err;
}

int64_t roost_meet_stats(struct roost *r, uint64_t meeting, const char *code, uint32_t after)
{
    BEGIN(MeetStats, MEET_STATS, meet_stats);

    b.meeting = meeting;
    b.code = (char *)str(code);
    b.after = after;
    return ask(r, &m);
}
