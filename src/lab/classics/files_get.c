#include "lab/classics/files_get.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "lab/classics/files.h"
#include "lab/classics/progress.h"
#include "lab/classics/transfer.h"

#define SILENT_US 20000000

enum part { ASKS, LISTS, GETS };

struct getting {
    struct desk *d;
    size_t at; /* which word */
    enum part part;
    uint64_t left; /* bytes, or lines */
    uint64_t size;
    int folder, fd;
    char tmp[32];
    const char *name; /* here */
    struct progress progress;
    bool over;
    int status;
};

static bool lists(const struct getting *g)
{
    return !g->d->args->n_words;
}

static const char *word(const struct getting *g)
{
    return lists(g) ? "" : g->d->args->words[g->at];
}

static int ask(struct getting *g)
{
    char line[FILES_NAME_MAX + 16];

    if (!lists(g) && g->at == g->d->args->n_words) {
        g->over = true;
        return 0;
    }
    g->part = ASKS;
    if (!lists(g) && strlen(word(g)) > FILES_NAME_MAX)
        return desk_fail(g->d, CLI_REFUSED, "", "the name is too long");
    snprintf(line, sizeof line, lists(g) ? "LIST" : "GET %s", word(g));
    desk_send(g->d, 0, line, strlen(line));
    return 0;
}

static int next(struct getting *g)
{
    g->at++;
    desk_cut(g->d, 0, CUT_LINES);
    return ask(g);
}

/* --- a file --------------------------------------------------------------------------------- */

static int fail_file(struct getting *g)
{
    return desk_fail(g->d, CLI_REFUSED, "make room, or choose another --dir", "%s: %s", g->name,
                     strerror(errno));
}

static int open_file(struct getting *g)
{
    const char *slash = strrchr(word(g), '/');

    g->name = slash ? slash + 1 : word(g);
    if (!transfer_name_ok(g->name))
        return desk_fail(g->d, CLI_REFUSED, "get it by nc", "it would be hidden here");
    if (!args_has(g->d->args, "overwrite") &&
        !faccessat(g->folder, g->name, F_OK, AT_SYMLINK_NOFOLLOW))
        return desk_fail(g->d, CLI_REFUSED, "rename it, or say --overwrite", "%s is there already",
                         g->name);
    snprintf(g->tmp, sizeof g->tmp, ".part-%ld", (long)getpid());
    g->fd = openat(g->folder, g->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return g->fd < 0 ? fail_file(g) : 0;
}

static void tell_got(struct getting *g)
{
    double seconds = progress_seconds(&g->progress);
    struct buf b = { 0 };
    struct json j;

    progress_clear(&g->progress, g->d);
    if (g->d->c->json) {
        desk_json(g->d, &j, "received");
        json_str(&j, "file", g->name);
        json_u64(&j, "bytes", g->size);
        json_fixed(&j, "seconds", seconds);
        desk_json_end(g->d, &j);
        return;
    }
    amount_bytes(&b, (double)g->size);
    desk_note(g->d, "%s: %s in %.2f s", g->name, buf_str(&b), seconds);
    buf_fini(&b);
}

static int keep_file(struct getting *g)
{
    int err = close(g->fd);

    g->fd = -1;
    if (err || renameat(g->folder, g->tmp, g->folder, g->name))
        return fail_file(g);
    *g->tmp = 0;
    tell_got(g);
    return next(g);
}

static int store(struct getting *g, const struct desk_event *e)
{
    if (e->len > g->left)
        return desk_fail_gone(g->d, &(struct desk_event){ .err = -ROOST_MALFORMED });
    if (write(g->fd, e->bytes, e->len) != (ssize_t)e->len)
        return fail_file(g);
    g->left -= e->len;
    progress_show(&g->progress, g->d, g->size - g->left);
    return g->left ? 0 : keep_file(g);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static int refused(struct getting *g, const char *why, size_t len)
{
    g->status = desk_fail(g->d, CLI_REFUSED, "without a name, it lists what is there", "%s%s%.*s",
                          word(g), lists(g) ? "" : ": ", (int)len, why);
    if (lists(g))
        g->over = true;
    return lists(g) ? 0 : next(g); /* the others may be there */
}

static int on_answer(struct getting *g, const struct desk_event *e)
{
    const char *why = NULL;
    size_t len = 0;
    int err = files_read_answer(e->bytes, e->len, &g->size, &why, &len);

    if (err == -ROOST_INVALID)
        return refused(g, why, len);
    if (err || (lists(g) && g->size > FILES_LIST_MAX))
        return desk_fail_gone(g->d, &(struct desk_event){ .err = -ROOST_MALFORMED });
    g->left = g->size;
    g->part = lists(g) ? LISTS : GETS;
    if (lists(g)) {
        g->over = !g->left;
        return 0;
    }
    progress_begin(&g->progress, g->size);
    desk_cut(g->d, 0, CUT_RAW);
    int status = open_file(g);
    return !status && !g->left ? keep_file(g) : status;
}

static void show(struct getting *g, const struct desk_event *e)
{
    const char *name = memchr(e->bytes, ' ', e->len);
    struct json j;
    char text[FILES_NAME_MAX + 64];

    snprintf(text, sizeof text, "%.*s", (int)e->len, (const char *)e->bytes);
    if (g->d->c->json && name) {
        desk_json(g->d, &j, "file");
        json_str(&j, "file", strchr(text, ' ') + 1);
        if (*text == '-')
            json_null(&j, "bytes");
        else
            json_u64(&j, "bytes", strtoull(text, NULL, 10));
        desk_json_end(g->d, &j);
    } else if (name) {
        desk_say(g->d, "%12.*s  %s", (int)(strchr(text, ' ') - text), text, strchr(text, ' ') + 1);
    }
    g->over = !--g->left;
}

static int on_event(struct getting *g, const struct desk_event *e)
{
    if (e->kind == DESK_CAME)
        return ask(g);
    if (e->kind == DESK_STOP)
        return desk_fail(g->d, CLI_REFUSED, "", "stopped");
    if (e->kind == DESK_GONE)
        return desk_fail_gone(g->d, e);
    if (e->kind != DESK_MESSAGE)
        return 0;
    if (g->part == GETS)
        return store(g, e);
    if (g->part == ASKS)
        return on_answer(g, e);
    show(g, e);
    return 0;
}

static int get_all(struct getting *g)
{
    struct desk_event e;
    int status = 0;

    while (!status && !g->over) {
        while (!status && !g->over && desk_next(g->d, &e))
            status = on_event(g, &e);
        if (status || g->over)
            break;
        if (sleep_now_us() - g->d->peers[0].heard_us > SILENT_US)
            return desk_fail_gone(g->d, &(struct desk_event){ .err = -ROOST_TIMEOUT });
        desk_sleep(g->d, g->d->peers[0].heard_us + SILENT_US + 1);
    }
    return status ? status : g->status;
}

int files_get(struct desk *d)
{
    const char *folder = args_value(d->args, "dir");
    struct getting g = { .d = d, .fd = -1 };

    g.folder = open(folder ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (g.folder < 0)
        return desk_fail(d, CLI_REFUSED, "--dir takes a folder that is there", "%s: %s",
                         folder ? folder : ".", strerror(errno));
    int status = get_all(&g);
    progress_clear(&g.progress, d);
    if (g.fd >= 0)
        close(g.fd);
    if (*g.tmp)
        unlinkat(g.folder, g.tmp, 0);
    close(g.folder);
    return status;
}
