/* admin export DIR: the classic files, each line "number; time; name; text":
 * users.log (who came and went), broadcasts.log, and room-NAME.log for each room, with its
 * number too where it does not own its name: room-NAME-17.log is closed, meeting-NAME-17.log
 * the chat of a meeting (direct-17.log: a talk of two, where the server has them exported).
 * One line of a file is one message, whatever was in it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/when.h"

enum { PAGE = 200, NAME_MAX_BYTES = 200 };

struct file {
    struct cli *c;
    FILE *f;
    char name[NAME_MAX_BYTES];
    uint64_t lines;
};

static int fail_file(struct cli *c, const char *name)
{
    struct buf b = { 0 };
    buf_printf(&b, "%s cannot be written: %s", name, strerror(errno));
    int status = cli_fail(c, CLI_REFUSED, buf_str(&b), "choose a directory that can be written");
    buf_fini(&b);
    return status;
}

static int begin(struct file *f, struct cli *c, int dir, const char *name)
{
    *f = (struct file){ .c = c };
    snprintf(f->name, sizeof f->name, "%s", name);
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    f->f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f->f)
        return CLI_OK;
    if (fd >= 0)
        close(fd);
    return fail_file(c, name);
}

static void put(struct file *f, uint64_t at_ms, const char *name, const char *text)
{
    struct buf b = { 0 };

    buf_printf(&b, "%" PRIu64 "; ", ++f->lines);
    when_rfc3339(&b, (int64_t)at_ms);
    buf_puts(&b, "; ");
    text_clean(&b, name, TEXT_ONE_LINE);
    buf_puts(&b, "; ");
    text_clean(&b, text, TEXT_ONE_LINE);
    buf_putc(&b, '\n');
    fwrite(buf_str(&b), 1, b.len, f->f);
    buf_fini(&b);
}

static int finish(struct file *f)
{
    struct cli *c = f->c;
    int bad = fflush(f->f) || fsync(fileno(f->f));
    bad |= fclose(f->f);
    if (bad)
        return fail_file(c, f->name);
    if (c->json) {
        struct json j;
        json_begin(&j, &c->out);
        json_str(&j, "event", "exported");
        json_str(&j, "file", f->name);
        json_u64(&j, "lines", f->lines);
        json_end(&j);
        cli_flush(c);
    } else {
        cli_say(c, "%s: %" PRIu64 " lines", f->name, f->lines);
    }
    return CLI_OK;
}

/* --- who was on --- */

static bool is_coming_or_going(const char *kind)
{
    static const char *const kinds[] = { "sign_up", "login",       "resume",
                                         "logout",  "end_session", "delete_account" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kind, kinds[i]))
            return true;
    return false;
}

static int export_users(struct cli *c, int dir)
{
    struct roost_log_read what = { .limit = PAGE };
    struct roost_event e;
    struct file f;
    int status = begin(&f, c, dir, "users.log");

    if (status)
        return status;
    do {
        status = cli_call(c, roost_admin_log(c->r, &what), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            const struct roost_log_line *l = &e.reply.lines[i];
            what.after = l->n;
            if (!is_coming_or_going(l->kind))
                continue;
            struct buf text = { 0 };
            buf_printf(&text, "%s from %s: %s", l->kind, l->address, l->outcome);
            put(&f, l->at_ms, l->name, buf_str(&text));
            buf_fini(&text);
        }
    } while (e.reply.more && e.reply.n);
    int end = finish(&f);
    return status ? status : end;
}

/* --- rooms --- */

/* Letters and digits of any script stay; the rest, '/' and a leading dot above
 * all, becomes '_'. No two rooms have the same. */
static void file_name(const struct room_entry *e, char out[static NAME_MAX_BYTES])
{
    const char *p = e->name, *end = p + strlen(p);
    char clean[NAME_MAX_BYTES - 40];
    size_t n = 0;

    while (p < end && n < sizeof clean - 5) {
        uint32_t c = utf8_next(&p, end);
        bool ok = c > 0x7f ? !utf8_is_control(c)
                           : (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                 (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        n += utf8_put(clean + n, ok ? c : '_');
    }
    clean[n] = 0;
    if (e->kind == ROOST_EVERYONE)
        snprintf(out, NAME_MAX_BYTES, "broadcasts.log");
    else if (e->kind == ROOST_DIRECT)
        snprintf(out, NAME_MAX_BYTES, "direct-%" PRIu64 ".log", e->room);
    else if (e->kind == ROOST_MEETING || e->closed)
        snprintf(out, NAME_MAX_BYTES, "%s-%s-%" PRIu64 ".log",
                 e->kind == ROOST_MEETING ? "meeting" : "room", clean, e->room);
    else
        snprintf(out, NAME_MAX_BYTES, "room-%s.log", clean);
}

static void put_message(struct file *f, const struct roost_message *m)
{
    struct buf text = { 0 };
    struct show s = { .rooms = &f->c->rooms };

    if (m->what == ROOST_TEXT) {
        buf_printf(&text, "%s%s", m->action ? "/me " : "", m->deleted ? "(deleted)" : m->text);
    } else {
        show_message(&s, m, &text);
        const char *dash = strstr(buf_str(&text), "- "); /* after the time */
        struct buf rest = { 0 };
        buf_printf(&rest, "(%.*s)", (int)strcspn(dash ? dash + 2 : "", "\n"), dash ? dash + 2 : "");
        buf_fini(&text);
        text = rest;
    }
    put(f, m->at_ms, *m->sender_name ? m->sender_name : "-", buf_str(&text));
    buf_fini(&text);
}

/* Talks between two are refused where the server keeps them out of exports. */
static bool is_kept_out(struct cli *c, const struct room_entry *room)
{
    struct roost_event e;
    int64_t request = room->kind == ROOST_DIRECT ? roost_admin_export(c->r, room->room, 0) : 0;

    return request > 0 && roost_await(c->r, request, &e, -1) > 0 && e.kind == ROOST_REFUSED &&
           e.error.code == ROOST_E_NOT_ALLOWED;
}

static int export_room(struct cli *c, int dir, const struct room_entry *room)
{
    char name[NAME_MAX_BYTES];
    struct roost_event e;
    struct file f;
    uint64_t after = 0;

    if (is_kept_out(c, room))
        return CLI_OK;
    file_name(room, name);
    int status = begin(&f, c, dir, name);
    if (status)
        return status;
    do {
        status = cli_call(c, roost_admin_export(c->r, room->room, after), &e);
        if (status)
            break;
        for (size_t i = 0; i < e.reply.n; i++) {
            put_message(&f, &e.reply.messages[i]);
            after = e.reply.messages[i].seq;
        }
    } while (e.reply.more && e.reply.n);
    int end = finish(&f);
    return status ? status : end;
}

static int list_rooms(struct cli *c, struct rooms *all)
{
    struct roost_event e;
    uint64_t after = 0;
    int status;

    do {
        status = cli_call(c, roost_admin_rooms(c->r, after), &e);
        if (status)
            return status;
        for (size_t i = 0; i < e.reply.n; i++) {
            rooms_put(all, &e.reply.rooms[i]);
            after = e.reply.rooms[i].room;
        }
    } while (e.reply.more && e.reply.n);
    return CLI_OK;
}

CLI_RUN(cmd_admin_export)
{
    struct rooms all = { 0 };
    const char *path = a->words[0];
    int status = mkdir(path, 0700) && errno != EEXIST ? fail_file(c, path) : CLI_OK;

    if (status)
        return status;
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return fail_file(c, path);
    status = list_rooms(c, &all);
    if (!status)
        status = export_users(c, dir);
    for (size_t i = 0; i < all.n && !status; i++)
        status = export_room(c, dir, &all.list[i]);
    rooms_fini(&all);
    close(dir);
    return status;
}
