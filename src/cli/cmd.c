#include "cli/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/msgid.h"
#include "cli/when.h"

/* More than any server takes in one message (16 KiB), so that the refusal is the
 * server's and names its limit. */
enum { STDIN_MAX = 60000 };

struct show cmd_show(struct cli *c)
{
    int64_t now = cli_now_ms();
    return (struct show){
        .rooms = &c->rooms,
        .json = c->json,
        .colour = c->colour,
        .columns = c->columns,
        .room_labels = true,
        .ids = true,
        .now_ms = now,
        .zone_s = cli_zone_s(now),
        .me = c->name,
    };
}

const char *cmd_role(enum roost_role role)
{
    static const char *const names[] = { "user", "moderator", "admin" };
    return (size_t)role < 3 ? names[role] : "user";
}

const char *cmd_room_role_name(enum roost_room_role role)
{
    static const char *const names[] = { "member", "moderator", "owner" };
    return (size_t)role < 3 ? names[role] : "member";
}

bool cmd_parse_role(const char *s, enum roost_role *ret)
{
    for (int i = 0; i < 3; i++)
        if (!strcmp(s, cmd_role((enum roost_role)i))) {
            *ret = (enum roost_role)i;
            return true;
        }
    return false;
}

int cmd_id(struct cli *c, const char *word, uint64_t *ret_room, uint64_t *ret_seq)
{
    if (!msgid_parse(word, ret_room, ret_seq))
        return CLI_OK;
    return cli_usage(c, "this is no id of a message",
                     "write it as roost read shows it, for example 12:345");
}

int cmd_since(struct cli *c, const char *word, uint64_t *ret_ms)
{
    int64_t now = cli_now_ms(), ms;
    const char *error;

    if (when_parse(word, now, cli_zone_s(now), &ms, &error))
        return cli_usage(c, "this time is not understood", error);
    *ret_ms = (uint64_t)ms;
    return CLI_OK;
}

char *cmd_join(const char **words, size_t n)
{
    struct buf b = { 0 };

    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(&b, ' ');
        buf_puts(&b, words[i]);
    }
    char *s = b.bad ? NULL : strdup(buf_str(&b));
    buf_fini(&b);
    return s;
}

char *cmd_read_stdin(struct cli *c)
{
    struct buf b = { 0 };
    char part[4096];
    ssize_t n;

    if (c->line) {
        cli_usage(c, "the text is missing", "write it after the command");
        return NULL;
    }
    if (isatty(STDIN_FILENO) && !c->json)
        fputs("Type the text; Ctrl+D ends it.\n", stderr);
    while ((n = read(STDIN_FILENO, part, sizeof part)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        buf_add(&b, part, (size_t)n);
        if (b.len > STDIN_MAX)
            break;
    }
    while (b.len && b.p[b.len - 1] == '\n')
        b.p[--b.len] = 0;
    if (!b.len || b.len > STDIN_MAX || !utf8_valid(b.p, b.len)) {
        cli_usage(c,
                  !b.len              ? "there is no text"
                  : b.len > STDIN_MAX ? "the text is too long"
                                      : "the text is not UTF-8",
                  "give the text after the command, or as UTF-8 on standard input");
        buf_fini(&b);
        return NULL;
    }
    return b.p; /* a string: buf keeps a zero at its end */
}

/* --- files that are written --- */

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_stdout(const char *path)
{
    return !strcmp(path, "-");
}

int cmd_file_free(struct cli *c, const char *path, bool force)
{
    struct buf text = { 0 };

    if (!path || force || is_stdout(path) || !is_file(path))
        return CLI_OK;
    buf_printf(&text, "%s: there is such a file already", path);
    int status = cli_fail(c, CLI_REFUSED, buf_str(&text), "choose another name, or give --force");
    buf_fini(&text);
    return status;
}

bool cmd_file_write(const char *path, bool force, const char *bytes, size_t len)
{
    struct stat st;
    bool over = force || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)); /* or a device, a pipe */
    FILE *f = is_stdout(path) ? stdout : fopen(path, over ? "we" : "wxe");
    bool ok = f && fwrite(bytes, 1, len, f) == len;

    return f && f != stdout ? fclose(f) == 0 && ok : ok;
}
