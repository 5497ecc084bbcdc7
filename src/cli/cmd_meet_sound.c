/* meet devices, meet compose: what needs no server */
#include "av/compose.h"
#include "av/sound.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/table.h"

/* --- devices ---------------------------------------------------------------------------- */

static void json_device(struct cli *c, const struct sound_device *d)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", "device");
    json_str(&j, "name", d->name);
    json_str(&j, "text", d->text);
    json_str(&j, "kind", d->out ? "speaker" : "microphone");
    json_bool(&j, "default", d->is_default);
    json_bool(&j, "monitor", d->monitor);
    json_end(&j);
}

static void row(struct table *t, const struct sound_device *d)
{
    table_add(t, d->out ? "speaker" : d->monitor ? "what a speaker plays" : "microphone");
    table_add(t, d->is_default ? "default" : "");
    table_add(t, d->name);
    table_add(t, d->text);
}

CLI_RUN(cmd_meet_devices)
{
    static const char *const heads[] = { "KIND", "", "NAME", "DESCRIPTION" };
    static struct sound_device devices[SOUND_DEVICES_MAX];
    char why[SOUND_WHY];
    int n = sound_devices(devices, why);
    struct table t;

    (void)a;
    if (n < 0)
        return cli_fail(c, CLI_REFUSED, why,
                        "start one, or use --mic none or file:F and --speaker null or file:F");
    table_init(&t, heads, sizeof heads / sizeof *heads);
    for (int i = 0; i < n; i++)
        if (c->json)
            json_device(c, &devices[i]);
        else
            row(&t, &devices[i]);
    if (!c->json && n > 0)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    cli_say(c, "%s", n ? "" : "There is no device.");
    return CLI_OK;
}

/* --- compose ----------------------------------------------------------------------------- */

static int refused(struct cli *c, int err)
{
    switch (-err) {
    case ROOST_INVALID:
        return cli_usage(c, "this is no name of a file of sound",
                         "it ends in .wav, .opus, .ogg, .webm or .mka");
    case ROOST_ALREADY:
        return cli_fail(c, CLI_REFUSED, "the file is there already", "choose another name");
    case ROOST_NO_SUCH_FILE:
        return cli_fail(c, CLI_REFUSED, "the recording cannot be read", "check its name");
    case ROOST_MALFORMED:
        return cli_fail(c, CLI_REFUSED, "this is no recording of voices",
                        "it takes what roost meet join --record wrote");
    default:
        return cli_fail(c, CLI_REFUSED, err_text(err), err_advice(err));
    }
}

static const char *state_of(const struct compose_track *t)
{
    return t->empty && t->partly ? "nothing was recorded"
           : t->empty            ? "nothing was said"
           : t->partly           ? "some of it is missing"
           : t->bad              ? "some of it is damaged"
                                 : "";
}

static void json_report(struct cli *c, const struct compose_report *r, const char *to)
{
    struct json j;

    for (uint32_t i = 0; i < r->n; i++) {
        const struct compose_track *t = &r->tracks[i];
        json_begin(&j, &c->out);
        json_str(&j, "event", "track");
        json_str(&j, "name", t->name);
        json_u64(&j, "first_ms", (uint64_t)t->first_us / 1000);
        json_u64(&j, "heard_ms", (uint64_t)t->heard_us / 1000);
        json_u64(&j, "damaged", t->bad);
        json_bool(&j, "whole", !t->partly && !t->bad);
        json_end(&j);
    }
    json_begin(&j, &c->out);
    json_str(&j, "event", "composed");
    json_str(&j, "file", to);
    json_u64(&j, "length_ms", (uint64_t)r->us / 1000);
    json_u64(&j, "tracks", r->n);
    json_bool(&j, "cut", r->cut);
    json_end(&j);
}

static void show_time(struct table *t, int64_t us)
{
    struct buf b = { 0 };

    buf_printf(&b, "%lld:%02lld", (long long)(us / 60000000), (long long)(us / 1000000 % 60));
    table_add_buf(t, &b);
    buf_fini(&b);
}

static void show_report(struct cli *c, const struct compose_report *r)
{
    static const char *const heads[] = { "TRACK", "FROM", "SOUND", "" };
    struct table t;

    table_init(&t, heads, sizeof heads / sizeof *heads);
    for (uint32_t i = 0; i < r->n; i++) {
        table_add(&t, r->tracks[i].name);
        show_time(&t, r->tracks[i].first_us);
        show_time(&t, r->tracks[i].heard_us);
        table_add(&t, state_of(&r->tracks[i]));
    }
    table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
}

CLI_RUN(cmd_meet_compose)
{
    static struct compose_report report;
    const char *to = a->words[1];
    int err = compose(a->words[0], to, &report);

    if (err)
        return refused(c, err);
    if (c->json)
        json_report(c, &report, to);
    else
        show_report(c, &report);
    cli_flush(c);
    cli_say(c, "%s: %lld:%02lld of sound.%s", to, (long long)(report.us / 60000000),
            (long long)(report.us / 1000000 % 60),
            report.cut ? " The recording was cut off; this is what there is." : "");
    return CLI_OK;
}
