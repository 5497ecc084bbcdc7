/* files [TARGET]: what is kept where; transfers [--watch]: what is under way */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/amount.h"
#include "cli/filed.h"
#include "cli/filing.h"
#include "cli/moving.h"
#include "cli/text.h"
#include "cli/when.h"

enum { WATCHED_MAX = 100 };
#define STALE_US 5000000 /* who moves says so more often */

/* How fast they are, which shows from one look to the next. */
struct watched {
    struct {
        uint64_t file;
        struct progress progress;
    } list[WATCHED_MAX];
    size_t n;
};

struct listing {
    struct cli *c;
    struct table table;
    struct watched *watched; /* NULL: it is looked at once */
    size_t n;
    int64_t now_ms;
    int32_t zone_s;
};

static void add_size(struct table *t, uint64_t bytes)
{
    struct buf b = { 0 };

    if (bytes != ROOST_SIZE_UNKNOWN)
        amount_bytes(&b, (double)bytes);
    table_add_buf(t, &b);
    buf_fini(&b);
}

static void add_place(struct listing *l, const struct roost_file *f)
{
    struct buf b = { 0 };

    if (*f->to)
        buf_printf(&b, "@%s", f->yours ? f->to : f->from);
    else
        rooms_label(&l->c->rooms, f->room, &b);
    table_add_buf(&l->table, &b);
    buf_fini(&b);
}

static void add_name(struct table *t, const struct roost_file *f)
{
    struct buf b = { 0 };

    buf_puts(&b, f->name);
    if (f->kind == ROOST_FILE_TREE)
        buf_printf(&b, ", %" PRIu32 " file%s", f->files, f->files == 1 ? "" : "s");
    table_add_buf(t, &b);
    buf_fini(&b);
}

static void put_kept(void *arg, const struct roost_file *f)
{
    struct listing *l = arg;
    struct buf b = { 0 };

    l->n++;
    if (l->c->json) {
        filing_json(l->c, "file", f);
        return;
    }
    table_add_u64(&l->table, f->file);
    add_size(&l->table, f->size);
    table_add(&l->table, f->from);
    add_place(l, f);
    when_short(&b, (int64_t)(f->done_ms ? f->done_ms : f->made_ms), l->now_ms, l->zone_s);
    table_add_buf(&l->table, &b);
    add_name(&l->table, f);
    buf_fini(&b);
}

static struct progress *watch_one(struct watched *w, const struct roost_file *f)
{
    size_t i = 0;

    size_t known = w->n < WATCHED_MAX ? w->n : WATCHED_MAX;

    while (i < known && w->list[i].file != f->file)
        i++;
    if (i == known) { /* when all are taken, the oldest */
        i = w->n++ % WATCHED_MAX;
        w->list[i].file = f->file;
        w->list[i].progress = (struct progress){ 0 };
    }
    return &w->list[i].progress;
}

/* "going, 42 %, 3.1 MB/s, 0:12 left, direct" */
static void put_how_far(struct buf *b, struct listing *l, const struct roost_file *f)
{
    struct progress *p = l->watched ? watch_one(l->watched, f) : NULL;
    bool going = f->stage == ROOST_FILE_GOING || f->stage == ROOST_FILE_WAITING;

    if (f->moved && f->size != ROOST_SIZE_UNKNOWN)
        buf_printf(b, ", %d %%", (int)(100.0 * (double)f->moved / (double)f->size));
    else if (f->moved) {
        buf_puts(b, ", ");
        amount_bytes(b, (double)f->moved);
    }
    /* the sender tells every other second: a look between says nothing */
    if (p && (f->moved != p->bytes || cli_now_us() - p->at_us > STALE_US || !p->looks))
        progress_look(p, cli_now_us(), f->moved);
    if (p && going && p->rate >= 1) {
        int64_t left_s = progress_left_s(p, f->moved, f->size);
        buf_puts(b, ", ");
        amount_bytes(b, p->rate);
        buf_puts(b, "/s");
        if (left_s >= 0) {
            buf_puts(b, ", ");
            amount_span(b, left_s);
            buf_puts(b, " left");
        }
    }
    if (f->moved && *filed_way(f->way))
        buf_printf(b, ", %s", filed_way(f->way));
}

static void put_moving(void *arg, const struct roost_file *f)
{
    struct listing *l = arg;
    struct buf b = { 0 };

    l->n++;
    if (l->c->json) {
        filing_json(l->c, "file", f);
        return;
    }
    table_add_u64(&l->table, f->file);
    table_add(&l->table, f->yours ? "to" : "from");
    add_place(l, f);
    add_size(&l->table, f->size);
    buf_puts(&b, f->stage == ROOST_FILE_WAITING && !f->kept
                     ? f->yours ? "offered" : "offered: accept?"
                 : f->stage == ROOST_FILE_DONE && !f->yours ? "kept for you: accept?"
                 : f->stage == ROOST_FILE_WAITING           ? "not whole yet"
                                                            : filed_stage(f->stage));
    put_how_far(&b, l, f);
    table_add_buf(&l->table, &b);
    add_name(&l->table, f);
    buf_fini(&b);
}

static int print(struct listing *l, const char *nothing)
{
    if (!l->c->json && l->n)
        table_print(&l->table, &l->c->out, l->c->columns, l->c->colour);
    else if (!l->c->json)
        cli_say(l->c, "%s", nothing);
    table_fini(&l->table);
    cli_flush(l->c);
    return CLI_OK;
}

static int each_room(struct listing *l)
{
    for (size_t i = 0; i < l->c->rooms.n; i++) {
        char room[24];
        snprintf(room, sizeof room, "%" PRIu64, l->c->rooms.list[i].room);
        int status = filing_each(l->c, room, put_kept, l);
        if (status)
            return status;
    }
    return CLI_OK;
}

CLI_RUN(cmd_files)
{
    static const char *const heads[] = { "FILE", "SIZE", "FROM", "IN", "WHEN", "NAME" };
    struct listing l = { .c = c, .now_ms = cli_now_ms() };
    char *target = a->n_words ? cli_target(a->words[0], false) : NULL;

    int status = a->n_words && !target ? CLI_REFUSED : cli_rooms(c);
    l.zone_s = cli_zone_s(l.now_ms);
    table_init(&l.table, heads, 6);
    if (!status)
        status = target ? filing_each(c, target, put_kept, &l) : each_room(&l);
    free(target);
    if (status) {
        table_fini(&l.table);
        return status;
    }
    return print(&l, "No files are kept there.");
}

static int list_moving(struct cli *c, struct watched *watched)
{
    static const char *const heads[] = { "FILE", "", "WHO", "SIZE", "STATE", "NAME" };
    struct listing l = { .c = c, .watched = watched };

    table_init(&l.table, heads, 6);
    int status = filing_each(c, NULL, put_moving, &l);
    if (status) {
        table_fini(&l.table);
        return status;
    }
    return print(&l, "Nothing is under way.");
}

/* Once a second, and when one changes. */
static int watch(struct cli *c)
{
    struct watched watched = { .n = 0 };
    struct roost_event e;
    int status;

    moving_catch();
    do {
        if (!c->json && c->columns)
            buf_puts(&c->out, "\033[H\033[2J");
        status = list_moving(c, &watched);
        int n = status ? 0 : roost_wait(c->r, 1000);
        while (n >= 0 && roost_next(c->r, &e))
            if (e.kind == ROOST_STATUS && e.status.state == ROOST_OVER)
                return cli_fail_error(c, &e.status.error, e.status.detail);
    } while (!status && !moving_interrupted());
    return status;
}

CLI_RUN(cmd_transfers)
{
    int status = cli_rooms(c);

    if (status)
        return status;
    return args_has(a, "watch") ? watch(c) : list_moving(c, NULL);
}
