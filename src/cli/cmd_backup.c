/* admin backup FILE, admin restore FILE */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cmd.h"
#include "cli/json.h"
#include "seal/digest.h"
#include "seal/running.h"
#include "wire/backup.h"

enum { ASK_AGAIN_MS = 100, PATH_BYTES = 4096, AHEAD = 8 /* pieces asked for at once */ };

static int fail_file(struct cli *c, const char *name, const char *why, const char *advice)
{
    struct buf b = { 0 };

    buf_printf(&b, "%s: %s", name, why);
    int status = cli_fail(c, CLI_REFUSED, buf_str(&b), advice);
    buf_fini(&b);
    return status;
}

static int fail_work(struct cli *c, const struct roost_work *w)
{
    return cli_fail(c, CLI_REFUSED, *w->text ? w->text : "the server gave it up",
                    "the log of the server may say more");
}

/* How far it is, on a terminal that is not busy with a chat. */
static void progress(struct cli *c, const char *doing, uint64_t done, uint64_t total)
{
    if (c->json || c->line || !c->columns || !isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r%s %" PRIu64 " of %" PRIu64 " KiB\033[K", doing, done / 1024, total / 1024);
    if (!total)
        fputs("\r\033[K", stderr);
}

static void put_done(struct cli *c, const char *event, const char *file, uint64_t bytes,
                     const char *text)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", event);
    json_str(&j, "file", file);
    json_u64(&j, "bytes", bytes);
    json_str(&j, "text", text);
    json_end(&j);
    cli_flush(c);
}

/* --- backup ------------------------------------------------------------------------ */

struct fetch {
    struct cli *c;
    const char *file;
    char part[PATH_BYTES];
    int fd;
    struct seal_running *sum;
    uint64_t work, total, at;
    uint8_t expected[32];
    char text[256];
};

static int make_copy(struct fetch *f)
{
    struct roost_event e;
    int status = cli_call(f->c, roost_admin_backup(f->c->r, 0, 0), &e);

    while (!status && e.reply.work.stage < ROOST_WORK_READY) {
        f->work = e.reply.work.work;
        progress(f->c, "copying", e.reply.work.done, e.reply.work.total);
        cli_pause_ms(f->c, ASK_AGAIN_MS);
        status = cli_call(f->c, roost_admin_backup(f->c->r, f->work, 0), &e);
    }
    if (status)
        return status;
    if (e.reply.work.stage != ROOST_WORK_READY || !e.reply.work.sha256)
        return fail_work(f->c, &e.reply.work);
    f->total = e.reply.work.total;
    memcpy(f->expected, e.reply.work.sha256, sizeof f->expected);
    snprintf(f->text, sizeof f->text, "%s", e.reply.work.text);
    return CLI_OK;
}

static int take_piece(struct fetch *f, const struct roost_work *w)
{
    if (w->stage != ROOST_WORK_READY || w->offset != f->at || !w->n_data)
        return fail_work(f->c, w);
    if (write(f->fd, w->data, w->n_data) != (ssize_t)w->n_data ||
        seal_running_add(f->sum, w->data, w->n_data))
        return fail_file(f->c, f->part, strerror(errno), "make room, or choose another place");
    f->at += w->n_data;
    return CLI_OK;
}

/* The first piece is the head; the others are as large as they may be, so several can be
 * on their way. */
static int fetch_all(struct fetch *f)
{
    int64_t asked[AHEAD] = { 0 };
    size_t first = 0, n = 0;
    uint64_t next = 0;
    int status = CLI_OK;

    while (!status && f->at < f->total) {
        while (n < AHEAD && next < f->total) {
            asked[(first + n++) % AHEAD] = roost_admin_backup(f->c->r, f->work, next);
            next += next < BACKUP_HEAD_BYTES ? BACKUP_HEAD_BYTES : ROOST_PIECE;
        }
        struct roost_event e;
        status = cli_call(f->c, asked[first], &e);
        first = (first + 1) % AHEAD;
        n--;
        if (!status)
            status = take_piece(f, &e.reply.work);
        progress(f->c, "fetching", f->at, f->total);
    }
    for (; n; n--, first = (first + 1) % AHEAD)
        if (asked[first] > 0)
            roost_cancel(f->c->r, asked[first]);
    return status;
}

static int sync_folder(const char *file)
{
    char folder[PATH_BYTES];

    snprintf(folder, sizeof folder, "%s", file);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0;
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0)
        close(fd);
    return err;
}

static int finish(struct fetch *f, bool force)
{
    uint8_t sum[32];

    if (seal_running_end(f->sum, sum) || !seal_equal(sum, f->expected, sizeof sum))
        return cli_fail(f->c, CLI_REFUSED, "what came is not what the server sent", "try again");
    bool bad = fsync(f->fd) != 0;
    if (!bad && force)
        bad = rename(f->part, f->file) != 0;
    else if (!bad) /* never over a file that came meanwhile */
        bad = link(f->part, f->file) != 0 || unlink(f->part) != 0;
    if (bad || sync_folder(f->file))
        return fail_file(f->c, f->file, strerror(errno), "choose another place");
    return CLI_OK;
}

CLI_RUN(cmd_admin_backup)
{
    struct fetch f = { .c = c, .file = a->words[0], .fd = -1 };
    bool force = args_has(a, "force");

    if ((size_t)snprintf(f.part, sizeof f.part, "%s.part", f.file) >= sizeof f.part)
        return cli_usage(c, "the name of the file is too long", "choose a shorter one");
    if (!force && !access(f.file, F_OK))
        return fail_file(c, f.file, "there is such a file already",
                         "choose another name, or give --force");
    f.fd = open(f.part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f.fd < 0)
        return fail_file(c, f.part, strerror(errno), "choose another place");
    f.sum = seal_running_new();
    int status = f.sum ? make_copy(&f) : CLI_REFUSED;
    if (!status)
        status = fetch_all(&f);
    progress(c, "", 0, 0);
    if (!status)
        status = finish(&f, force);
    seal_running_free(f.sum);
    close(f.fd);
    if (status) {
        unlink(f.part);
        return status;
    }
    if (c->json)
        put_done(c, "backup", f.file, f.total, f.text);
    else
        cli_say(c, "%s: %" PRIu64 " KiB, %s", f.file, f.total / 1024, f.text);
    return CLI_OK;
}

/* --- restore ----------------------------------------------------------------------- */

struct send {
    struct cli *c;
    const char *file;
    int fd;
    uint64_t work, size, at;
    char text[256];
};

/* Before anything is sent: is it a backup at all? The server looks closer. */
static int look(struct send *s)
{
    uint8_t bytes[BACKUP_HEAD_BYTES];
    struct backup_head h;
    struct stat st;

    s->fd = open(s->file, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0 || fstat(s->fd, &st))
        return fail_file(s->c, s->file, strerror(errno), "check the name");
    ssize_t n = pread(s->fd, bytes, sizeof bytes, 0);
    if (n < 0 || backup_head_decode(&h, bytes, (size_t)n))
        return fail_file(s->c, s->file, "this is no backup that this program knows",
                         "give a file that admin backup wrote");
    s->size = (uint64_t)st.st_size;
    if (s->size != h.size + BACKUP_HEAD_BYTES)
        return fail_file(s->c, s->file, "the backup is cut off, or too long",
                         "fetch it again, or take another");
    return CLI_OK;
}

static int send_all(struct send *s)
{
    static uint8_t piece[ROOST_PIECE];
    int64_t asked[AHEAD];
    size_t first = 0, n = 0;
    struct roost_event e;
    int status = cli_call(s->c, roost_admin_restore(s->c->r, 0, s->size, NULL, 0, false), &e);

    if (!status)
        s->work = e.reply.work.work;
    while (!status && (s->at < s->size || n)) {
        while (n < AHEAD && s->at < s->size) {
            ssize_t got = pread(s->fd, piece, sizeof piece, (off_t)s->at);
            if (got <= 0) {
                status = fail_file(s->c, s->file, "the file changed meanwhile", "try again");
                break;
            }
            asked[(first + n++) % AHEAD] = roost_admin_restore(
                s->c->r, s->work, s->at, piece, (size_t)got, s->at + (uint64_t)got == s->size);
            s->at += (uint64_t)got;
        }
        if (!n)
            break;
        int answer = cli_call(s->c, asked[first], &e);
        status = status ? status : answer;
        first = (first + 1) % AHEAD;
        n--;
        if (!status && e.reply.work.stage == ROOST_WORK_FAILED)
            status = fail_work(s->c, &e.reply.work);
        progress(s->c, "sending", s->at, s->size);
    }
    for (; n; n--, first = (first + 1) % AHEAD)
        if (asked[first] > 0)
            roost_cancel(s->c->r, asked[first]);
    return status;
}

static int await_check(struct send *s)
{
    struct roost_event e;
    int status;

    do {
        cli_pause_ms(s->c, ASK_AGAIN_MS);
        status = cli_call(s->c, roost_admin_restore(s->c->r, s->work, s->size, NULL, 0, false), &e);
    } while (!status && e.reply.work.stage < ROOST_WORK_READY);
    if (!status && e.reply.work.stage != ROOST_WORK_READY)
        status = fail_work(s->c, &e.reply.work);
    if (!status)
        snprintf(s->text, sizeof s->text, "%s", e.reply.work.text);
    return status;
}

static int ask_and_go(struct send *s, bool yes)
{
    struct roost_event e;

    cli_say(s->c, "The backup is whole: %s.", s->text);
    if (!yes && !ask_yes(s->c, "All that the server holds now gives way to it. Is that what you "
                               "want?"))
        return cli_usage(s->c, "nothing was changed", "answer y, or give --yes");
    return cli_call(s->c, roost_admin_restore_go(s->c->r, s->work), &e);
}

/* Until this handle is in one of these states; false: not in time. */
static bool await_state(struct cli *c, unsigned states, int64_t until_us)
{
    struct roost_event e;
    int64_t left;

    while ((left = until_us - cli_now_us()) > 0 && roost_wait(c->r, left / 1000 + 1) >= 0)
        while (roost_next(c->r, &e))
            if (e.kind == ROOST_STATUS && (states & 1u << e.status.state))
                return true;
    return false;
}

/* All sessions have ended, this one too; the server begins anew. Whoever is told to log in
 * finds somebody there. */
static bool await_server(struct cli *c)
{
    enum { PATIENCE_US = 30 * 1000000 };
    int64_t until_us = cli_now_us() + PATIENCE_US;
    struct roost_options o = { .home = c->home,
                               .program = "roost " ROOST_RELEASE,
                               .no_resume = true,
                               .accept_fingerprint = c->accept,
                               .trust = ask_trust,
                               .trust_arg = c };

    if (c->line || !await_state(c, 1u << ROOST_OVER | 1u << ROOST_LOST, until_us))
        return false;
    char *server = strdup(roost_server(c->r));
    o.server = server;
    cli_close(c);
    bool back = server && !roost_open(&c->r, &o) && await_state(c, 1u << ROOST_LOGIN, until_us);
    free(server);
    return back;
}

CLI_RUN(cmd_admin_restore)
{
    struct send s = { .c = c, .file = a->words[0], .fd = -1 };
    int status = look(&s);

    if (!status)
        status = send_all(&s);
    progress(c, "", 0, 0);
    if (!status)
        status = await_check(&s);
    if (!status)
        status = ask_and_go(&s, args_has(a, "yes"));
    if (s.fd >= 0)
        close(s.fd);
    if (status)
        return status;
    bool back = await_server(c);
    if (c->json)
        put_done(c, "restored", s.file, s.size, s.text);
    else
        cli_say(c, "It is restored; all sessions have ended. %s: roost login",
                back ? "Log in again" : "When the server is back, log in again");
    return CLI_OK;
}
