#include "cli/meet_stats.h"

#include "cli/meet_graph.h"

static void figures(struct json *j, const struct roost_voice_figures *f)
{
    json_fixed(j, "rtt_ms", (double)f->rtt_us / 1000);
    json_fixed(j, "jitter_ms", (double)f->jitter_us / 1000);
    json_u64(j, "bits", f->bits);
    json_fixed(j, "loss_percent", f->loss_ppm / 10000.0);
    json_fixed(j, "left_percent", f->left_ppm / 10000.0);
    json_fixed(j, "held_ms", (double)f->held_us / 1000);
    json_fixed(j, "concealed_percent", f->concealed_ppm / 10000.0);
    json_str(j, "why", f->why);
}

static void person(struct json *j, const struct roost_voice_person *p)
{
    json_open(j, NULL, '{');
    json_u64(j, "number", p->number);
    json_u64(j, "account", p->account);
    json_str(j, "name", p->name);
    json_str(j, "device", p->device_name);
    json_bool(j, "self", p->self);
    json_str(j, "trust", p->self ? "self" : meet_trust_name(p->trust));
    json_bool(j, "sends", p->sends);
    json_bool(j, "muted", p->muted);
    json_bool(j, "heard", p->heard);
    json_u64(j, "level", p->level);
    if (!p->self) {
        json_u64(j, "unopened", p->unopened);
        figures(j, &p->figures);
        json_fixed(j, "played_s", (double)p->figures.played_us / 1e6);
        json_fixed(j, "made_up_s", (double)p->figures.made_up_us / 1e6);
    }
    json_close(j, '}');
}

void meet_stats_people(struct json *j, const struct roost_voice *v)
{
    json_bool(j, "sealed", v->end_to_end);
    json_u64(j, "epoch", v->epoch);
    json_open(j, "people", '[');
    for (size_t i = 0; i < v->n_people; i++)
        person(j, &v->people[i]);
    json_close(j, ']');
}

static const char *way_name(const struct roost *r)
{
    struct roost_path p = { .way = ROOST_WAY_NONE };

    if (r)
        roost_path_get(r, &p);
    return p.way == ROOST_WAY_UDP ? "udp" : p.way == ROOST_WAY_TUNNEL ? "tunnel" : NULL;
}

void meet_stats_line(const struct roost_voice *v, const struct roost *r, struct buf *out)
{
    struct json j;

    if (!v)
        return;
    json_begin(&j, out);
    json_str(&j, "event", "stats");
    json_u64(&j, "meeting", v->meeting);
    json_str(&j, "state", v->state == ROOST_VOICE_IN ? "in" : "entering");
    json_str(&j, "way", way_name(r));
    json_str(&j, "mic", v->mic);
    json_str(&j, "speaker", v->speaker);
    json_bool(&j, "muted", v->muted);
    json_bool(&j, "silenced", v->silenced);
    json_u64(&j, "level", v->level);
    json_str(&j, "codec", v->codec == ROOST_PCM ? "pcm" : "opus");
    json_u64(&j, "frame_ms", v->frame_ms);
    json_u64(&j, "codec_bits", v->codec_bits);
    json_u64(&j, "estimate_bits", v->estimate);
    json_fixed(&j, "mic_began_ms", (double)v->mic_began_us / 1000);
    json_fixed(&j, "speaker_began_ms", (double)v->speaker_began_us / 1000);
    json_u64(&j, "frames_sent", v->frames_sent);
    json_u64(&j, "frames_lost", v->frames_lost);
    json_open(&j, "path", '{');
    figures(&j, &v->path);
    json_close(&j, '}');
    meet_stats_people(&j, v);
    json_end(&j);
}

static void media(struct json *j, const char *key, const struct roost_media_figures *list, size_t n)
{
    json_open(j, key, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(j, NULL, '{');
        json_u64(j, "stream", list[i].stream);
        json_bool(j, "sent", list[i].sent);
        json_bool(j, "tunnel", list[i].tunnel);
        json_u64(j, "estimate_bits", list[i].estimate);
        json_str(j, "codec", list[i].codec);
        figures(j, &list[i].figures);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void summary(struct json *j, const struct roost_device_figures *d)
{
    json_open(j, "summary", '{');
    json_time(j, "came", (int64_t)d->summary.came_ms);
    json_time(j, "left", (int64_t)d->summary.left_ms);
    json_u64(j, "reports", d->summary.reports);
    json_fixed(j, "rtt_ms", d->summary.rtt_us / 1000.0);
    json_fixed(j, "rtt_worst_ms", d->summary.rtt_worst_us / 1000.0);
    json_fixed(j, "jitter_ms", d->summary.jitter_us / 1000.0);
    json_fixed(j, "jitter_worst_ms", d->summary.jitter_worst_us / 1000.0);
    json_fixed(j, "loss_percent", d->summary.loss_ppm / 10000.0);
    json_fixed(j, "left_percent", d->summary.left_ppm / 10000.0);
    json_fixed(j, "left_worst_percent", d->summary.left_worst_ppm / 10000.0);
    json_fixed(j, "concealed_percent", d->summary.concealed_ppm / 10000.0);
    json_fixed(j, "concealed_worst_percent", d->summary.concealed_worst_ppm / 10000.0);
    json_fixed(j, "tunnel_percent", d->summary.tunnel_permille / 10.0);
    json_str(j, "why", d->summary.why);
    json_fixed(j, "why_percent", d->summary.why_permille / 10.0);
    json_close(j, '}');
}

void meet_stats_device(struct json *j, const struct roost_device_figures *d)
{
    json_str(j, "event", "device");
    json_u64(j, "place", d->place);
    json_u64(j, "number", d->number);
    json_u64(j, "account", d->account);
    json_str(j, "name", d->name);
    json_str(j, "device", d->device_name);
    json_bool(j, "here", d->here);
    json_time(j, "at", (int64_t)d->at_ms);
    media(j, "figures", d->figures, d->n_figures);
    media(j, "server", d->server, d->n_server);
    summary(j, d);
}
