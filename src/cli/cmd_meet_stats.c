/* cmd_meet_stats.c - how everybody's network and sound do in a meeting, and did. */
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/meet.h"
#include "cli/meet_stats.h"
#include "cli/table.h"
#include "cli/text.h"

static void cell(struct table *t, const char *format, double n)
{
    char text[32];

    snprintf(text, sizeof text, format, n);
    table_add(t, text);
}

static void name_cell(struct table *t, const struct roost_device_figures *d)
{
    struct buf b = { 0 };

    text_clean(&b, d->name, TEXT_ONE_LINE);
    if (*d->device_name) {
        buf_puts(&b, " (");
        text_clean(&b, d->device_name, TEXT_ONE_LINE);
        buf_putc(&b, ')');
    }
    table_add_buf(t, &b);
    buf_fini(&b);
}

static const struct roost_media_figures *path_of(const struct roost_media_figures *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!list[i].stream)
            return &list[i];
    return NULL;
}

/* The worst that was heard; the path as the device has it, and down as the server has it. */
static void row(struct table *t, const struct roost_device_figures *d)
{
    const struct roost_media_figures *up = path_of(d->figures, d->n_figures);
    const struct roost_media_figures *down = path_of(d->server, d->n_server);
    double concealed = 0;

    for (size_t i = 0; i < d->n_figures; i++)
        if (!d->figures[i].sent && d->figures[i].figures.concealed_ppm > concealed)
            concealed = d->figures[i].figures.concealed_ppm;
    name_cell(t, d);
    table_add(t, d->here ? "here" : "gone");
    cell(t, "%.0f ms", (double)(up ? up->figures.rtt_us : d->summary.rtt_us) / 1000);
    cell(t, "%.1f ms", (double)(up ? up->figures.jitter_us : d->summary.jitter_us) / 1000);
    cell(t, "%.1f %%", (up ? up->figures.loss_ppm : d->summary.loss_ppm) / 10000.0);
    cell(t, "%.1f %%", (down ? down->figures.loss_ppm : d->summary.left_ppm) / 10000.0);
    cell(t, "%.2f %%", (d->here ? concealed : d->summary.concealed_ppm) / 10000);
    table_add(t, up && up->tunnel ? "tunnel" : "udp");
    table_add(t, up && *up->figures.why ? up->figures.why : d->summary.why);
}

static void show(struct cli *c, struct table *t, const struct roost_device_figures *d)
{
    struct json j;

    if (!c->json) {
        row(t, d);
        return;
    }
    json_begin(&j, &c->out);
    meet_stats_device(&j, d);
    json_end(&j);
}

static int pages(struct cli *c, uint64_t meeting, const char *code, struct table *t)
{
    struct roost_event e;
    uint32_t after = 0;

    do {
        int status = cli_call(c, roost_meet_stats(c->r, meeting, code, after), &e);
        if (status)
            return status;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.devices[i].place;
            show(c, t, &e.reply.devices[i]);
        }
    } while (e.reply.more && e.reply.n);
    return CLI_OK;
}

CLI_RUN(cmd_meet_stats)
{
    static const char *const heads[] = { "NAME", "",        "ROUND TRIP", "JITTER", "LOST UP",
                                         "DOWN", "MADE UP", "BY",         "LAST" };
    struct meet_link door = { 0 };
    uint64_t meeting = 0;
    struct table t;
    bool by_number = a->n_words == 1 && meet_number(a->words[0], &meeting);
    int status = by_number ? CLI_OK : meet_door(c, a, &door, NULL);

    if (!status)
        status = meet_open_again(c, a, &door, args_value(a, "name"));
    if (status)
        return status;
    table_init(&t, heads, sizeof heads / sizeof *heads);
    status = pages(c, meeting, by_number ? NULL : door.code, &t);
    if (!status && !c->json)
        table_print(&t, &c->out, c->columns, c->colour);
    table_fini(&t);
    cli_flush(c);
    return status;
}
