#include "client/people.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const char IDENTITIES[] = "people", ACCEPTS[] = "accepts";

/* --- lines -------------------------------------------------------------------------------- */

/* As it is kept. Names come from servers too: one with a space would be another line. */
static bool fold(char ret[static PEOPLE_NAME], const char *name)
{
    size_t n = 0;

    for (name += *name == '@'; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c <= ' ' || c == 0x7f || n + 1 == PEOPLE_NAME)
            return false;
        ret[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    ret[n] = 0;
    return n != 0;
}

struct line {
    char name[PEOPLE_NAME];
    char rest[HOME_PATH_MAX + 32];
};

/* The next line about somebody at this server; *at moves behind it. */
static bool next_line(const struct home *h, const char **at, struct line *ret)
{
    size_t n = strlen(h->server);

    while (**at) {
        const char *line = *at;
        size_t len = strcspn(line, "\n");
        *at += len + (line[len] == '\n');
        if (len <= n || strncmp(line, h->server, n) != 0 || line[n] != ' ')
            continue;
        line += n + 1;
        len -= n + 1;
        size_t name = strcspn(line, " \n");
        if (!name || name >= sizeof ret->name || name + 1 >= len ||
            len - name - 1 >= sizeof ret->rest)
            continue;
        snprintf(ret->name, sizeof ret->name, "%.*s", (int)name, line);
        snprintf(ret->rest, sizeof ret->rest, "%.*s", (int)(len - name - 1), line + name + 1);
        return true;
    }
    return false;
}

static bool line_at(const struct home *h, const char *file, size_t i, struct line *ret)
{
    char *text = home_text(h, file);
    const char *at = text;
    bool found = text != NULL;

    for (size_t n = 0; found && n <= i; n++)
        found = next_line(h, &at, ret);
    free(text);
    return found;
}

/* The line of a name (and, if it is given, of that rest) goes; another may come. */
struct change {
    const struct home *h;
    const char *name, *rest, *add;
    bool first; /* only if there is none of that name */
};

static bool is_meant(const struct change *c, const struct line *l)
{
    return !strcmp(l->name, c->name) && (!c->rest || !strcmp(l->rest, c->rest));
}

static bool append(char *text, size_t cap, const char *from, size_t len)
{
    size_t n = strlen(text);

    if (n + len >= cap)
        return false;
    memcpy(text + n, from, len);
    text[n + len] = 0;
    return true;
}

static char *change(void *ctx, const char *old, int *ret_err)
{
    const struct change *c = ctx;
    size_t cap = strlen(old) + sizeof c->h->server + sizeof(struct line) + 8, gone = 0;
    char *text = calloc(1, cap);
    struct line l;

    *ret_err = text ? 0 : -ROOST_NOMEM;
    for (const char *at = old; text && *at;) {
        size_t len = strcspn(at, "\n");
        const char *whole = at, *in = at;
        at += len + (at[len] == '\n');
        if (next_line(c->h, &in, &l) && in == at && is_meant(c, &l)) {
            gone++;
            continue;
        }
        append(text, cap, whole, len);
        append(text, cap, "\n", 1);
    }
    if (text && c->add) {
        size_t n = strlen(text);
        snprintf(text + n, cap - n, "%s %s %s\n", c->h->server, c->name, c->add);
    } else if (text && !gone) {
        *ret_err = -ROOST_ALREADY;
    }
    if (*ret_err) {
        free(text);
        text = NULL;
    }
    return text;
}

/* --- identities --------------------------------------------------------------------------- */

void people_print(const uint8_t id[static PEOPLE_IDENTITY], char ret[static PEOPLE_PRINT])
{
    for (size_t i = 0; i < PEOPLE_IDENTITY; i++)
        snprintf(ret + 3 * i, 4, "%02x%s", id[i], i + 1 < PEOPLE_IDENTITY ? ":" : "");
}

static bool read_print(const char *text, uint8_t ret[static PEOPLE_IDENTITY])
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(text) != PEOPLE_PRINT - 1)
        return false;
    for (size_t i = 0; i < PEOPLE_IDENTITY; i++) {
        const char *high = memchr(digits, text[3 * i] | 0x20, 16);
        const char *low = memchr(digits, text[3 * i + 1] | 0x20, 16);
        if (!high || !low || (i + 1 < PEOPLE_IDENTITY && text[3 * i + 2] != ':'))
            return false;
        ret[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return true;
}

static size_t known_in(const struct home *h, const char *text, const char *name, uint8_t *ret)
{
    struct line l;
    size_t n = 0;

    while (n < PEOPLE_DEVICES_MAX && next_line(h, &text, &l))
        if (!strcmp(l.name, name) && read_print(l.rest, ret + n * PEOPLE_IDENTITY))
            n++;
    return n;
}

size_t people_known(const struct home *h, const char *name,
                    uint8_t ret[static PEOPLE_DEVICES_MAX * PEOPLE_IDENTITY])
{
    char folded[PEOPLE_NAME];
    char *text = fold(folded, name) ? home_text(h, IDENTITIES) : NULL;
    size_t n = text ? known_in(h, text, folded, ret) : 0;

    free(text);
    return n;
}

static char *add_identity(void *ctx, const char *old, int *ret_err)
{
    uint8_t known[PEOPLE_DEVICES_MAX * PEOPLE_IDENTITY], id[PEOPLE_IDENTITY];
    const struct change *c = ctx;
    size_t n = known_in(c->h, old, c->name, known);

    if (!read_print(c->add, id)) {
        *ret_err = -ROOST_INVALID;
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (!memcmp(known + i * PEOPLE_IDENTITY, id, sizeof id)) {
            *ret_err = -ROOST_ALREADY;
            return NULL;
        }
    if (n && c->first)
        *ret_err = -ROOST_STRANGER;
    else if (n == PEOPLE_DEVICES_MAX)
        *ret_err = -ROOST_LIMIT;
    return *ret_err ? NULL : change(ctx, old, ret_err);
}

static int note(struct home *h, const char *name, const char *print, bool first)
{
    char folded[PEOPLE_NAME], lower[PEOPLE_PRINT] = "";
    uint8_t id[PEOPLE_IDENTITY];

    if (!fold(folded, name) || !read_print(print, id))
        return -ROOST_INVALID;
    people_print(id, lower);
    /* What goes is what comes, so nothing is there twice. */
    struct change c = { h, folded, lower, lower, first };
    return home_change(h, IDENTITIES, add_identity, &c);
}

int people_met(struct home *h, const char *name, const uint8_t id[static PEOPLE_IDENTITY])
{
    char print[PEOPLE_PRINT];

    people_print(id, print);
    int err = note(h, name, print, true);
    return err == -ROOST_ALREADY ? 0 : err;
}

int people_trust(struct home *h, const char *name, const char *print)
{
    return note(h, name, print, false);
}

int people_forget(struct home *h, const char *name, const char *print)
{
    char folded[PEOPLE_NAME];
    struct change c = { h, folded, print, NULL, false };

    return fold(folded, name) ? home_change(h, IDENTITIES, change, &c) : -ROOST_INVALID;
}

bool people_at(const struct home *h, size_t i, struct people_identity *ret)
{
    struct line l;

    if (!line_at(h, IDENTITIES, i, &l))
        return false;
    memcpy(ret->name, l.name, sizeof ret->name);
    snprintf(ret->print, sizeof ret->print, "%.95s", l.rest);
    return true;
}

/* --- what is taken unasked ------------------------------------------------------------------ */

int people_accept(struct home *h, const struct people_accept *what)
{
    char folded[PEOPLE_NAME], rest[HOME_PATH_MAX + 32], size[24] = "any";
    struct change c = { h, folded, NULL, rest, false };

    if (!fold(folded, what->name) || strchr(what->dir, '\n') ||
        (what->up_to < 0 && what->up_to != PEOPLE_ANY))
        return -ROOST_INVALID;
    if (what->up_to >= 0)
        snprintf(size, sizeof size, "%" PRId64, what->up_to);
    snprintf(rest, sizeof rest, "%s %s", size, *what->dir ? what->dir : "-");
    return home_change(h, ACCEPTS, change, &c);
}

int people_ask_again(struct home *h, const char *name)
{
    char folded[PEOPLE_NAME];
    struct change c = { h, folded, NULL, NULL, false };

    return fold(folded, name) ? home_change(h, ACCEPTS, change, &c) : -ROOST_INVALID;
}

static bool read_accept(const struct line *l, struct people_accept *ret)
{
    char *end;
    bool any = !strncmp(l->rest, "any ", 4);
    int64_t up_to = any ? PEOPLE_ANY : strtoll(l->rest, &end, 10);

    if (any)
        end = (char *)l->rest + 3;
    if (end == l->rest || *end != ' ' || (!any && up_to < 0) || strlen(end + 1) >= sizeof ret->dir)
        return false;
    memcpy(ret->name, l->name, sizeof ret->name);
    ret->up_to = up_to;
    strcpy(ret->dir, strcmp(end + 1, "-") ? end + 1 : "");
    return true;
}

bool people_accept_at(const struct home *h, size_t i, struct people_accept *ret)
{
    struct line l;

    return line_at(h, ACCEPTS, i, &l) && read_accept(&l, ret);
}

bool people_accepts(const struct home *h, const char *name, struct people_accept *ret)
{
    char folded[PEOPLE_NAME];
    char *text = fold(folded, name) ? home_text(h, ACCEPTS) : NULL;
    const char *at = text;
    bool found = false;
    struct line l;

    while (text && !found && next_line(h, &at, &l))
        found = !strcmp(l.name, folded) && read_accept(&l, ret);
    free(text);
    return found;
}
