#include "cli/meet_voice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "cli/meet_in.h"
#include "cli/meet_show.h"
#include "cli/meet_stats.h"
#include "cli/text.h"

#define SECOND_US 1000000

/* --- what was asked for ---------------------------------------------------------------- */

static int number(struct meet *m, const struct cli_args *a, const char *name, uint64_t least,
                  uint64_t most, unsigned long long *ret)
{
    const char *value = args_value(a, name);
    char advice[80];

    *ret = 0;
    if (!value || args_number(value, least, most, ret))
        return CLI_OK;
    snprintf(advice, sizeof advice, "--%s: %llu to %llu", name, (unsigned long long)least,
             (unsigned long long)most);
    return cli_usage(m->c, "that is no number for it", advice);
}

static int read_codec(struct meet *m, const struct cli_args *a)
{
    const char *codec = args_value(a, "codec");
    struct roost_voice_options *w = &m->voice.wish;

    w->codec = ROOST_OPUS;
    if (codec && !strcmp(codec, "pcm"))
        w->codec = ROOST_PCM;
    else if (codec && strcmp(codec, "opus") != 0)
        return cli_usage(m->c, "there is no such codec", "--codec opus, or --codec pcm");
    bool pcm = w->codec == ROOST_PCM;
    if (!w->frame_ms || (pcm && (w->frame_ms == 5 || w->frame_ms == 20)) ||
        (!pcm && (w->frame_ms == 10 || w->frame_ms == 20 || w->frame_ms == 60)))
        return CLI_OK;
    return cli_usage(m->c, "no frame of this codec is so long",
                     "--frame: 10, 20 or 60 (ms); of pcm 20 (16 kHz) or 5 (48 kHz)");
}

int meet_voice_options(struct meet *m, const struct cli_args *a)
{
    struct meet_voice *v = &m->voice;
    unsigned long long kbits, seconds, ms;
    int status = number(m, a, "bitrate", 8, 96, &kbits);

    if (!status)
        status = number(m, a, "for", 1, 1000000, &seconds);
    if (!status)
        status = number(m, a, "frame", 5, 60, &ms);
    if (status)
        return status;
    v->wish = (struct roost_voice_options){ .mic = args_value(a, "mic"),
                                            .speaker = args_value(a, "speaker"),
                                            .frame_ms = (uint32_t)ms,
                                            .bits = (uint32_t)kbits * 1000,
                                            .music = args_has(a, "music"),
                                            .push_to_talk = args_has(a, "ptt"),
                                            .record = args_value(a, "record") };
    v->hushed = args_has(a, "muted");
    v->wish.muted = v->hushed;
    v->asked = v->wish.mic || v->wish.speaker || v->wish.record;
    v->stats_path = args_value(a, "stats");
    v->asked = v->asked || v->stats_path;
    v->end_us = seconds ? cli_now_us() + (int64_t)seconds * SECOND_US : 0;
    return read_codec(m, a);
}

/* --- beginning and end ------------------------------------------------------------------ */

static void say(struct meet *m, const char *text)
{
    if (!m->c->json)
        meet_line(&m->show, 0, text, &m->c->out);
}

/* All who are in are told, by the meeting itself; the host may have forbidden it. */
static int ask_to_record(struct meet *m)
{
    const struct roost_act act = { .meeting = m->meeting, .action = ROOST_ACT_START_RECORD };
    struct roost_event e;

    return cli_call(m->c, roost_meet_act(m->c->r, &act), &e);
}

static int open_stats(struct meet *m)
{
    struct meet_voice *v = &m->voice;

    if (!v->stats_path || v->stats)
        return CLI_OK;
    v->stats = fopen(v->stats_path, "we");
    return v->stats ? CLI_OK
                    : cli_fail(m->c, CLI_REFUSED, "the file for the figures cannot be written",
                               "check the name behind --stats");
}

int meet_voice_begin(struct meet *m)
{
    struct meet_voice *v = &m->voice;
    const struct roost_ticket *t = meet_there(m);
    char why[ROOST_VOICE_WHY];

    if (v->tried || !t)
        return CLI_OK;
    v->tried = true;
    if (v->verifies) {
        v->wish.mic = "none";
        v->wish.speaker = "null";
    }
    v->second_us = cli_now_us() + SECOND_US;
    v->wish.title = t->meeting.title;
    v->wish.name = t->you.name;
    int status = open_stats(m);
    if (!status && v->wish.record)
        status = ask_to_record(m);
    if (status)
        return status;
    v->wish.muted = v->hushed || t->you.muted;
    int err = roost_voice_start(m->c->r, m->meeting, &v->wish, why);
    v->on = !err;
    if (err && v->asked)
        return cli_fail(m->c, CLI_REFUSED, *why ? why : roost_error_get(err).text,
                        "roost meet join --help says what --mic and --speaker take");
    if (err)
        say(m, "there is no sound here: you read and write. --mic and --speaker choose others");
    else if (*why)
        say(m, why);
    return CLI_OK;
}

void meet_voice_fini(struct meet *m)
{
    struct meet_voice *v = &m->voice;

    if (v->on && m->c->r)
        roost_voice_stop(m->c->r);
    if (v->stats)
        fclose(v->stats);
    free(v->id);
    v->on = false;
    v->stats = NULL;
    v->id = NULL;
}

/* --- time ----------------------------------------------------------------------------------- */

static void follow_mute(struct meet *m)
{
    const struct roost_ticket *t = meet_there(m);

    if (m->voice.on && t)
        roost_voice_mute(m->c->r, m->voice.hushed || t->you.muted);
}

static void each_second(struct meet *m)
{
    struct meet_voice *v = &m->voice;
    const struct roost_voice *now = roost_voice_get(m->c->r);
    struct buf line = { 0 };

    if (!now)
        return;
    meet_graph_add(&v->graph, now);
    if (v->stats) {
        meet_stats_line(now, m->c->r, &line);
        fwrite(line.p, 1, line.len, v->stats);
        fflush(v->stats);
    }
    buf_fini(&line);
}

void meet_voice_turn(struct meet *m)
{
    struct meet_voice *v = &m->voice;
    int64_t now_us = cli_now_us();

    follow_mute(m);
    while (v->tried && now_us >= v->second_us) {
        v->second_us = now_us - v->second_us > SECOND_US ? now_us + SECOND_US
                                                         : v->second_us + SECOND_US;
        if (v->on)
            each_second(m);
    }
    if (v->end_us && now_us >= v->end_us) {
        v->end_us = 0;
        meet_leave(m);
    }
}

int64_t meet_voice_due_us(const struct meet *m)
{
    const struct meet_voice *v = &m->voice;
    int64_t at_us = v->on && (v->stats || !m->line.plain) ? v->second_us : INT64_MAX;

    return v->end_us && v->end_us < at_us ? v->end_us : at_us;
}

bool meet_voice_stays(const struct meet *m)
{
    return m->voice.end_us || m->voice.verifies;
}

/* --- what happens ----------------------------------------------------------------------------- */

static const char *const names[] = {
    [ROOST_VOICE_ENTERED] = "entered", [ROOST_VOICE_REFUSED] = "refused",
    [ROOST_VOICE_OVER] = "over",       [ROOST_VOICE_PEOPLE] = "people",
    [ROOST_VOICE_SPEAKER] = "speaker", [ROOST_VOICE_SILENCED] = "silenced",
    [ROOST_VOICE_HEARD] = "heard",     [ROOST_VOICE_CODE] = "code",
    [ROOST_VOICE_ALARM] = "alarm",     [ROOST_VOICE_RECORD] = "record",
};

static void json_event(struct meet *m, const struct roost_voice_event *e)
{
    const struct roost_voice *v = roost_voice_get(m->c->r);
    struct meet_voice *mine = &m->voice;
    struct json j;

    json_begin(&j, &m->c->out);
    json_str(&j, "event", "voice");
    json_u64(&j, "meeting", e->meeting);
    json_str(&j, "what", names[e->what]);
    if (e->what == ROOST_VOICE_CODE && mine->id && !mine->id_is_string)
        json_raw(&j, "id", mine->id);
    else if (e->what == ROOST_VOICE_CODE)
        json_str(&j, "id", mine->id);
    json_u64(&j, "number", e->number);
    json_str(&j, "name", e->name);
    json_str(&j, "text", e->text);
    if (v && (e->what == ROOST_VOICE_ENTERED || e->what == ROOST_VOICE_PEOPLE))
        meet_stats_people(&j, v);
    json_end(&j);
    if (e->what == ROOST_VOICE_CODE) {
        free(mine->id);
        mine->id = NULL;
    }
}

/* Not each time somebody comes: the meeting says that already. */
static void say_event(struct meet *m, const struct roost_voice_event *e)
{
    const struct roost_voice *v = roost_voice_get(m->c->r);
    struct buf b = { 0 };

    switch (e->what) {
    case ROOST_VOICE_ENTERED:
        if (v)
            buf_printf(&b, "sound is on: %s, %s", v->mic && *v->mic ? v->mic : "no microphone",
                       v->end_to_end ? "sealed end to end (/verify shows the words to compare)"
                                     : MEET_UNSEALED ": the server could listen");
        break;
    case ROOST_VOICE_REFUSED:
    case ROOST_VOICE_OVER:
        buf_printf(&b, "sound is off: %s", *e->text ? e->text : "the meeting says so");
        break;
    case ROOST_VOICE_SILENCED:
        buf_puts(&b, "nobody hears you now");
        break;
    case ROOST_VOICE_HEARD:
        buf_puts(&b, "you can be heard again");
        break;
    case ROOST_VOICE_ALARM:
        buf_printf(&b, "WARNING: %s%s%s", e->name, *e->name ? ": " : "", e->text);
        break;
    case ROOST_VOICE_CODE:
        buf_printf(&b, "compare these words with everybody's: %s", e->text);
        break;
    case ROOST_VOICE_RECORD:
        buf_puts(&b, e->text);
        break;
    case ROOST_VOICE_PEOPLE:
    case ROOST_VOICE_SPEAKER:
        break;
    }
    if (b.len)
        meet_line(&m->show, 0, buf_str(&b), &m->c->out);
    buf_fini(&b);
}

void meet_voice_event(struct meet *m, const struct roost_voice_event *e)
{
    struct meet_voice *v = &m->voice;

    if (e->what == ROOST_VOICE_SPEAKER) {
        v->speaker = e->number;
        snprintf(v->speaker_name, sizeof v->speaker_name, "%s", e->name);
    }
    if (e->what == ROOST_VOICE_REFUSED || e->what == ROOST_VOICE_OVER)
        v->on = false;
    if (m->c->json)
        json_event(m, e);
    else
        say_event(m, e);
    if (e->what == ROOST_VOICE_PEOPLE && v->verifies)
        roost_voice_code(m->c->r);
    if (e->what == ROOST_VOICE_CODE && v->verifies)
        meet_over(m, CLI_OK, "verified");
}

void meet_voice_hush(struct meet *m, bool hushed)
{
    m->voice.hushed = hushed;
    follow_mute(m);
}

/* --- commands -----------------------------------------------------------------------------------
 */

static void talk(struct meet *m, bool on)
{
    m->voice.pushed = on;
    roost_voice_talk(m->c->r, on);
    say(m, on ? "you are heard until /hush, or an empty line" : "you are not heard");
}

static void figures(struct meet *m)
{
    const struct roost_voice *v = roost_voice_get(m->c->r);
    bool plain = !m->c->colour;

    if (!v)
        return;
    meet_people(v, plain, &m->c->out);
    meet_graph_show(&m->voice.graph, plain, &m->c->out);
    if (*v->path.why)
        cli_say(m->c, "  %s", v->path.why);
}

static const struct roost_voice_person *person_of(struct meet *m, const char *name)
{
    const struct roost_voice *v = roost_voice_get(m->c->r);

    for (size_t i = 0; v && name && i < v->n_people; i++)
        if (!strcmp(v->people[i].name, name))
            return &v->people[i];
    return NULL;
}

static void volume(struct meet *m, const struct meet_cmd *cmd)
{
    const struct roost_voice_person *p = person_of(m, cmd->user);
    unsigned long long percent;

    if (!p || !args_number(cmd->text ? cmd->text : "", 0, 400, &percent)) {
        cli_usage(m->c, p ? "how loud?" : "nobody of this name is heard",
                  "write: /volume NAME 0 to 400 (%)");
        return;
    }
    roost_voice_volume(m->c->r, p->number, (float)percent / 100);
}

static void verify(struct meet *m, const struct meet_cmd *cmd)
{
    free(m->voice.id);
    m->voice.id = cmd->id ? strdup(cmd->id) : NULL;
    m->voice.id_is_string = cmd->id_is_string;
    roost_voice_code(m->c->r);
}

void meet_voice_do(struct meet *m, const struct meet_cmd *cmd)
{
    if (!m->voice.on) {
        cli_usage(m->c, "there is no sound here", "roost meet join --help: --mic and --speaker");
        return;
    }
    switch (cmd->what) {
    case MEET_DO_VERIFY:
        verify(m, cmd);
        break;
    case MEET_DO_FIGURES:
        if (m->c->json)
            meet_stats_line(roost_voice_get(m->c->r), m->c->r, &m->c->out);
        else
            figures(m);
        break;
    case MEET_DO_TALK:
    case MEET_DO_HUSH:
        talk(m, cmd->what == MEET_DO_TALK);
        break;
    case MEET_DO_NOTHING: /* an empty line: push to talk */
        if (m->voice.wish.push_to_talk)
            talk(m, !m->voice.pushed);
        break;
    case MEET_DO_VOLUME:
        volume(m, cmd);
        break;
    default:
        break;
    }
}

bool meet_voice_is_open(const struct meet *m)
{
    const struct roost_voice *v = m->voice.on ? roost_voice_get(m->c->r) : NULL;
    const struct roost_ticket *t = meet_there(m);

    return (t && t->meeting.unsealed) || (v && v->state == ROOST_VOICE_IN && !v->end_to_end);
}

void meet_voice_prompt(const struct meet *m, struct buf *b)
{
    const struct roost_voice *v = m->voice.on ? roost_voice_get(m->c->r) : NULL;

    if (!v)
        return;
    if (v->state != ROOST_VOICE_IN)
        buf_puts(b, " · no sound yet");
    else if (v->muted || v->silenced)
        buf_puts(b, m->voice.wish.push_to_talk && !m->voice.hushed ? " · hushed" : "");
    for (size_t i = 0; i < v->n_people; i++)
        if (v->people[i].number == v->speaker_number && v->people[i].heard) {
            buf_puts(b, " · ");
            text_fit(b, v->people[i].self ? "you" : v->people[i].name, 16);
            buf_puts(b, v->people[i].self ? " speak" : " speaks");
        }
}
