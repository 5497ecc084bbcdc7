#include "cli/filing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/amount.h"
#include "cli/filed.h"
#include "cli/json.h"
#include "cli/moving.h"
#include "cli/text.h"

/* --- what is to be sent --- */

static int read_via(struct cli *c, const char *word, enum roost_file_via *ret)
{
    static const char *const names[] = { "best", "direct", "relay", "server" };

    for (int i = 0; i < 4; i++)
        if (!strcmp(word, names[i])) {
            *ret = (enum roost_file_via)i;
            return CLI_OK;
        }
    return cli_usage(c, "there is no such way", "--via direct, relay or server");
}

static int read_limit(struct cli *c, const char *word, uint64_t *ret)
{
    if (amount_rate(word, ret))
        return CLI_OK;
    return cli_usage(c, "this is no rate", "--limit 5M is 5 Mbit/s, --limit 600kB is 600 kB/s");
}

static int read_options(struct cli *c, const struct cli_args *a, struct roost_file_send *what)
{
    int status = CLI_OK;

    what->cc = args_value(a, "cc");
    what->name = args_value(a, "name");
    what->text = args_value(a, "text");
    if (what->cc && strcmp(what->cc, "reno") != 0 && strcmp(what->cc, "cubic") != 0 &&
        strcmp(what->cc, "bbr") != 0)
        return cli_usage(c, "there is no such congestion control", "--cc reno, cubic or bbr");
    if (args_has(a, "via"))
        status = read_via(c, args_value(a, "via"), &what->via);
    if (!status && args_has(a, "limit"))
        status = read_limit(c, args_value(a, "limit"), &what->limit_bits);
    return status;
}

static int read_paths(struct cli *c, const struct cli_args *a, size_t n, struct filing_send *f)
{
    struct roost_file_send *what = &f->what;

    if (what->text && n)
        return cli_usage(c, "a text, or files?", "give --text TEXT and no files, or files alone");
    if (what->text)
        return *what->text ? CLI_OK : cli_usage(c, "the text is missing", "--text 'some words'");
    if (!n)
        return cli_usage(c, "send what?", "write: roost send FILE… TARGET");
    if (n == 1 && !strcmp(a->words[0], "-")) {
        if (c->line)
            return cli_usage(c, "there is no standard input in the chat", "give a file");
        what->fd = dup(STDIN_FILENO);
        if (!what->name)
            what->name = "stdin";
        return what->fd < 0 ? cli_fail(c, CLI_REFUSED, strerror(errno), "try again") : CLI_OK;
    }
    f->paths = calloc(n, sizeof *f->paths);
    if (!f->paths)
        return cli_fail(c, CLI_REFUSED, "out of memory", "try again");
    for (size_t i = 0; i < n; i++)
        f->paths[i] = a->words[i];
    what->paths = f->paths;
    what->n_paths = n;
    return CLI_OK;
}

int filing_send_read(struct cli *c, const struct cli_args *a, struct filing_send *f)
{
    bool nearby = args_has(a, "nearby"), alone = args_has(a, "code") || nearby;
    size_t n = a->n_words;

    *f = (struct filing_send){ .what.fd = -1 };
    if (!alone && !n)
        return cli_usage(c, "to whom?", "write: roost send FILE… @USER, or '#ROOM'");
    if (!alone && !(f->target = cli_target(a->words[--n], false)))
        return cli_fail(c, CLI_REFUSED, "out of memory", "try again");
    f->what.target = f->target;
    f->what.code = alone && !nearby;
    if (nearby && args_has(a, "code"))
        return cli_usage(c, "by a phrase, or nearby?", "give --code or --nearby");
    int status = read_options(c, a, &f->what);
    return status ? status : read_paths(c, a, n, f);
}

void filing_send_fini(struct filing_send *f)
{
    free(f->paths);
    free(f->target);
    *f = (struct filing_send){ .what.fd = -1 };
}

const char *filing_send_name(const struct filing_send *f)
{
    return f->what.n_paths ? f->what.paths[0] : f->what.text ? "text" : "standard input";
}

/* --- what is to be fetched --- */

/* "-o PATH": a folder that is there, or a name in one. */
static char *take_apart(const char *path, struct roost_file_get *what)
{
    struct stat st;
    char *copy = strdup(path), *slash;

    if (!copy)
        return NULL;
    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        what->dir = copy;
        return copy;
    }
    slash = strrchr(copy, '/');
    what->name = slash ? slash + 1 : copy;
    if (slash == copy)
        what->dir = "/";
    else if (slash)
        what->dir = copy;
    if (slash)
        *slash = 0;
    return copy;
}

int filing_where_read(struct cli *c, const struct cli_args *a, struct filing_get *g)
{
    const char *path = args_value(a, "output"), *dir = args_value(a, "dir");

    *g = (struct filing_get){ .what.fd = -1 };
    if (path && dir)
        return cli_usage(c, "two places are one too many", "give -o, or --dir");
    g->what.dir = dir;
    g->what.shown = !path && !dir;
    if (!path)
        return CLI_OK;
    if (!strcmp(path, "-")) {
        if (c->line)
            return cli_usage(c, "the standard output is the chat's", "give a name");
        g->what.fd = dup(STDOUT_FILENO);
        g->what.stream = true;
        return g->what.fd < 0 ? cli_fail(c, CLI_REFUSED, strerror(errno), "try again") : CLI_OK;
    }
    if (!*path || !(g->copy = take_apart(path, &g->what)))
        return cli_usage(c, "the name is missing", "-o NAME, -o FOLDER or -o -");
    return CLI_OK;
}

struct offers {
    uint64_t file;
    size_t n;
};

static void count_offer(void *arg, const struct roost_file *f)
{
    struct offers *o = arg;

    if (f->yours || f->kept || f->stage != ROOST_FILE_WAITING)
        return;
    o->file = f->file;
    o->n++;
}

int filing_offered(struct cli *c, const struct cli_args *a, uint64_t *ret)
{
    struct offers o = { 0 };

    if (a->n_words)
        return filing_number(c, a->words[0], ret);
    int status = filing_each(c, NULL, count_offer, &o);
    if (status)
        return status;
    *ret = o.file;
    if (o.n == 1)
        return CLI_OK;
    return cli_usage(c, o.n ? "several are offered" : "nothing is offered now",
                     "give a number: transfers shows them, and files what is kept");
}

int filing_get_read(struct cli *c, const struct cli_args *a, struct filing_get *g)
{
    uint64_t file = 0, limit = 0;
    int status = filing_offered(c, a, &file);

    *g = (struct filing_get){ .what.fd = -1 };
    if (!status && args_has(a, "limit"))
        status = read_limit(c, args_value(a, "limit"), &limit);
    if (!status)
        status = filing_where_read(c, a, g);
    g->what.file = file;
    g->what.limit_bits = limit;
    return status;
}

void filing_get_fini(struct filing_get *g)
{
    free(g->copy);
    *g = (struct filing_get){ .what.fd = -1 };
}

int filing_get(struct cli *c, const struct cli_args *a)
{
    struct filing_get g;
    struct moving m;
    int status = filing_get_read(c, a, &g);

    moving_init(&m, c);
    moving_catch();
    m.to_stdout = g.what.stream;
    if (!status && moving_add(&m, roost_file_get(c->r, &g.what), g.what.dir ? g.what.dir : "."))
        status = moving_wait(&m, NULL, NULL);
    filing_get_fini(&g);
    return status ? status : m.status;
}

/* --- files in words --- */

int filing_number(struct cli *c, const char *word, uint64_t *ret)
{
    unsigned long long n;

    if (!args_number(word, 1, UINT64_MAX, &n))
        return cli_usage(c, "this is no number of a file",
                         "roost files and roost transfers show the numbers");
    *ret = n;
    return CLI_OK;
}

void filing_json(struct cli *c, const char *event, const struct roost_file *f)
{
    struct json j;

    json_begin(&j, &c->out);
    json_str(&j, "event", event);
    filed_json(&j, f);
    json_u64(&j, "room", f->room);
    json_str(&j, "from", f->from);
    json_str(&j, "peer", *f->to ? f->to : NULL);
    json_bool(&j, "yours", f->yours);
    json_time(&j, "at", (int64_t)(f->done_ms ? f->done_ms : f->made_ms));
    json_end(&j);
    cli_flush(c);
}

bool filing_goes_on(const struct roost_event *e)
{
    return e->changed.stage == ROOST_FILE_GOING && *e->file.name && !e->file.yours &&
           !e->file.kept && e->changed.account == e->file.account;
}

void filing_offer_say(struct cli *c, const struct roost_file *f)
{
    struct buf b = { 0 };
    const char *mark = c->line ? "/" : "roost ";

    text_clean(&b, f->from, TEXT_ONE_LINE);
    buf_puts(&b, f->kept ? " sent " : " offers ");
    filed_what(&b, f);
    if (f->kept)
        buf_printf(&b, ": %sget %" PRIu64, mark, f->file);
    else
        buf_printf(&b, ": %saccept %" PRIu64 " or %sdecline %" PRIu64, mark, f->file, mark,
                   f->file);
    cli_say(c, "%s%s", c->line ? "- " : "", buf_str(&b));
    buf_fini(&b);
}

void filing_taken_say(struct cli *c, const struct roost_file *f)
{
    struct buf b = { 0 };

    text_clean(&b, f->from, TEXT_ONE_LINE);
    buf_puts(&b, " sends ");
    filed_what(&b, f);
    cli_say(c, "%s%s: taken unasked, as accept --always says.", c->line ? "- " : "", buf_str(&b));
    buf_fini(&b);
}

/* --- lists --- */

int filing_each(struct cli *c, const char *target,
                void (*each)(void *arg, const struct roost_file *f), void *arg)
{
    struct roost_event e;
    uint64_t after = 0;
    bool more;

    do {
        int status = cli_call(c, roost_file_list(c->r, target, after), &e);
        if (status)
            return status;
        more = e.reply.more && e.reply.n;
        for (size_t i = 0; i < e.reply.n; i++) {
            after = e.reply.files[i].file;
            each(arg, &e.reply.files[i]);
        }
    } while (more);
    return CLI_OK;
}
