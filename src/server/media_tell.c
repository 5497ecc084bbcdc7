#include "server/worker_media_in.h"

#include <stdlib.h>

static void tell_hub(struct worker *w, const struct hub_leg_word *heard)
{
    struct word *word = calloc(1, sizeof *word);

    if (!word)
        return;
    word->what = WORD_HEARD;
    word->bytes = blob_copy(heard, sizeof *heard);
    if (word->bytes)
        worker_tell(w, word);
    else
        word_free(word);
}

static void look_who_speaks(struct worker *w, struct shown *s)
{
    struct forwarding *f = w->media;
    int64_t leg = relay_speaker(f->relay, s->meeting);
    uint32_t number = leg >= 0 && f->legs[leg] ? f->legs[leg]->number : 0;
    struct hub_leg_word heard = { .what = LEG_SPEAKER, .meeting = s->meeting, .number = number };

    if (number == s->number)
        return;
    s->number = number;
    tell_hub(w, &heard);
}

static void fill_up(struct hub_figures *to, struct up *u, int64_t now_us)
{
    struct figures_view v;

    figures_look(&u->figures, now_us, &v);
    *to = (struct hub_figures){ .stream = u->stream,
                                .bits = v.bits,
                                .jitter_us = (uint32_t)v.jitter_us,
                                .loss_ppm = v.loss_ppm,
                                .left_ppm = v.loss_after_ppm,
                                .why = v.why,
                                .why_value = v.why_value };
}

static void tell_figures(struct worker *w, struct leg_at *l)
{
    struct hub_leg_word heard = { .what = LEG_FIGURES, .meeting = l->meeting, .number = l->number };
    struct flow_media_view v;
    struct figures_view f = { 0 };

    l->figures_us = w->now_us + MEDIA_FIGURES_US;
    if (!l->c || !flow_look_media(l->c->flow, &v))
        return;
    bool udp = !l->c->tunnel && flow_media_figures(l->c->flow, w->now_us, &f);
    heard.figures[heard.n_figures++] = (struct hub_figures){
        .sent = true,
        .rtt_us = (uint32_t)v.rtt_us,
        .estimate = v.rate,
        .jitter_us = (uint32_t)f.jitter_us,
        .loss_ppm = f.loss_ppm,
        .left_ppm = f.loss_after_ppm,
        .why = f.why,
        .why_value = f.why_value,
        .bits = udp ? f.bits : (l->bytes_out - l->bytes_told) * 8 * 1000000 / MEDIA_FIGURES_US,
        .tunnel = l->c->tunnel != 0,
    };
    l->bytes_told = l->bytes_out;
    for (int i = 0; i < UPS_MAX; i++)
        if (l->ups[i])
            fill_up(&heard.figures[heard.n_figures++], l->ups[i], w->now_us);
    tell_hub(w, &heard);
}

void media_look_around(struct worker *w)
{
    struct forwarding *f = w->media;
    struct map_slot *s;

    if (f->second_us > w->now_us)
        return;
    f->second_us = f->n_legs ? w->now_us + MEDIA_SPEAKER_US : INT64_MAX;
    for (size_t i = 0; (s = map_next(&f->shown, &i));)
        look_who_speaks(w, s->value);
    for (uint32_t i = 0, n = 0; i < LEGS_MAX && n < f->n_legs; i++) {
        n += f->legs[i] != NULL;
        if (f->legs[i] && f->legs[i]->figures_us <= w->now_us)
            tell_figures(w, f->legs[i]);
    }
}
