#include "cli/options.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "cli/text.h"

const struct cli_option cli_globals[] = {
    { "server", 's', "HOST[:PORT]", "the server; else $ROOST_SERVER, else that of the last login" },
    { "user", 'u', "USER", "whose session; else $ROOST_USER, else the last one on this server" },
    { "home", 0, "DIR", "where sessions and known certificates are kept; else $ROOST_HOME" },
    { "password-file", 0, "FILE",
      "the first line is the password; else $ROOST_PASSWORD, else asked" },
    { "accept-certificate", 0, "FINGERPRINT", "take this changed certificate of the server" },
    { "json", 'j', NULL, "one JSON object a line, see roost-json(5)" },
    { "help", 'h', NULL, "explain the command" },
    { "version", 'V', NULL, "say which version this is" },
    { "pcap", 0, "FILE", "write down all datagrams, sealed as they are, for Wireshark" },
    { "key-log", 0, "FILE", "write down the keys that open them; else $ROOST_KEY_LOG" },
    { "link", 0, "SPEC", "bend the way of datagrams: wifi, 'rate=2M loss=2%'; see lab link" },
    { NULL },
};

struct parse {
    const struct cli_command *table;
    size_t n;
    struct cli_args *args;
    char name[CLI_NAME_MAX]; /* the words of the command so far */
    bool named;              /* they cannot grow any more */
    struct buf *wrong, *advice;
};

static int refuse(struct parse *p, const char *wrong, const char *detail, const char *advice)
{
    buf_puts(p->wrong, wrong);
    if (detail) {
        buf_puts(p->wrong, " \"");
        text_fit(p->wrong, detail, 60);
        buf_puts(p->wrong, "\"");
    }
    buf_puts(p->advice, advice);
    return -ROOST_INVALID;
}

/* --- names --- */

static const struct cli_command *exact(const struct parse *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (!strcmp(p->table[i].name, name))
            return &p->table[i];
    return NULL;
}

static bool begins_some(const struct parse *p, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < p->n; i++)
        if (!strncmp(p->table[i].name, name, len) && p->table[i].name[len] == ' ')
            return true;
    return false;
}

static size_t least3(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Edits that lead from one short word to another. */
static size_t distance(const char *a, const char *b)
{
    size_t row[CLI_NAME_MAX + 1], n = strlen(b);

    if (strlen(a) > CLI_NAME_MAX || n > CLI_NAME_MAX)
        return CLI_NAME_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t up = row[j];
            row[j] = least3(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = up;
        }
    }
    return row[n];
}

static int unknown_command(struct parse *p, const char *name)
{
    const char *best = NULL;
    size_t best_distance = 3;

    refuse(p, "there is no command", name, "");
    for (size_t i = 0; i < p->n; i++) {
        size_t d = distance(name, p->table[i].name);
        bool alike = d <= 1 || *name == *p->table[i].name;
        if (d < best_distance && alike && p->table[i].group) {
            best = p->table[i].name;
            best_distance = d;
        }
    }
    if (best)
        buf_printf(p->advice, "did you mean \"%s\"? roost --help lists all", best);
    else
        buf_puts(p->advice, "roost --help lists all");
    return -ROOST_INVALID;
}

static int unfinished_command(struct parse *p)
{
    size_t len = strlen(p->name);
    bool any = false;

    buf_printf(p->wrong, "\"%s\" is only the beginning of a command", p->name);
    buf_puts(p->advice, "go on with one of: ");
    for (size_t i = 0; i < p->n; i++)
        if (!strncmp(p->table[i].name, p->name, len) && p->table[i].name[len] == ' ') {
            buf_printf(p->advice, "%s%s", any ? ", " : "", p->table[i].name + len + 1);
            any = true;
        }
    return -ROOST_INVALID;
}

/* Is the word part of the command's name? Sets args->command when it is whole. */
static int take_word(struct parse *p, const char *word)
{
    struct cli_args *a = p->args;

    if (!p->named) {
        char longer[CLI_NAME_MAX];
        size_t len = strlen(p->name), add = strlen(word);
        bool fits = len + add + 2 <= sizeof longer;
        if (fits) {
            memcpy(longer, p->name, len);
            if (len)
                longer[len++] = ' ';
            memcpy(longer + len, word, add + 1);
        }
        if (fits && add && (exact(p, longer) || begins_some(p, longer))) {
            memcpy(p->name, longer, sizeof longer);
            a->command = exact(p, longer);
            return 0;
        }
        if (!a->command)
            return unknown_command(p, fits ? longer : word);
        p->named = true;
    }
    a->words[a->n_words++] = word;
    return 0;
}

/* --- options --- */

static const struct cli_option *find(const struct cli_option *list, const char *name, size_t len,
                                     char letter)
{
    for (; list && list->name; list++)
        if (letter ? list->letter == letter
                   : strlen(list->name) == len && !memcmp(list->name, name, len))
            return list;
    return NULL;
}

static void set_global(struct cli_args *a, size_t i, const char *value)
{
    switch (i) {
    case 0:
        a->server = value;
        break;
    case 1:
        a->user = value;
        break;
    case 2:
        a->home = value;
        break;
    case 3:
        a->password_file = value;
        break;
    case 4:
        a->accept = value;
        break;
    case 5:
        a->json = true;
        break;
    case 6:
        a->help = true;
        break;
    case 7:
        a->version = true;
        break;
    case 8:
        a->pcap = value;
        break;
    case 9:
        a->key_log = value;
        break;
    case 10:
        a->link = value;
        break;
    }
}

/* argv[*i] begins with '-'. */
static int take_option(struct parse *p, int argc, const char *const *argv, int *i)
{
    struct cli_args *a = p->args;
    const char *word = argv[*i], *value = NULL;
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : 1;
    char letter = is_long ? 0 : *name;
    const struct cli_option *own = a->command ? a->command->options : NULL;
    const struct cli_option *o = find(own, name, len, letter);
    bool is_own = o != NULL;

    if (!o)
        o = find(cli_globals, name, len, letter);
    if (!o)
        return refuse(p, a->command ? "this command has no option" : "there is no option", word,
                      "--help shows the options; words that begin with a dash go after --");
    if (name[len])
        value = name + len + (is_long ? 1 : 0); /* --since=TIME, -sHOST */
    if (!o->value && value)
        return refuse(p, "this option takes no value:", word, "--help shows the options");
    if (o->value && !value) {
        if (*i + 1 >= argc)
            return refuse(p, "a value is missing after", word, "--help shows the options");
        value = argv[++*i];
    }
    if (is_own)
        a->values[o - own] = value ? value : "";
    else
        set_global(a, (size_t)(o - cli_globals), value);
    return 0;
}

/* --- all of it --- */

static int check_words(struct parse *p)
{
    const struct cli_command *c = p->args->command;

    if (p->args->n_words < (size_t)c->min)
        buf_puts(p->wrong, "something is missing");
    else if (c->max >= 0 && p->args->n_words > (size_t)c->max)
        buf_puts(p->wrong, c->max ? "that is too much" : "this command takes no words");
    else
        return 0;
    buf_printf(p->advice, "write: roost %s%s%s", c->name, *c->words ? " " : "", c->words);
    return -ROOST_INVALID;
}

int cli_parse(const struct cli_command *table, size_t n, int argc, const char *const *argv,
              struct cli_args *args, const char **words, struct buf *wrong, struct buf *advice)
{
    struct parse p = { .table = table, .n = n, .args = args, .wrong = wrong, .advice = advice };
    bool options = true;

    *args = (struct cli_args){ .words = words };
    for (int i = 0; i < argc; i++) {
        const char *w = argv[i];
        int err;

        if (options && !strcmp(w, "--")) {
            options = false;
            continue;
        }
        if (options && w[0] == '-' && w[1] && !isdigit((unsigned char)w[1]))
            err = take_option(&p, argc, argv, &i);
        else
            err = take_word(&p, w);
        if (err)
            return err;
    }
    memcpy(args->family, p.name, sizeof p.name);
    if (args->help || args->version)
        return 0;
    if (!args->command)
        return p.name[0]
                   ? unfinished_command(&p)
                   : refuse(&p, "what is to be done?", NULL, "roost --help lists the commands");
    return check_words(&p);
}

const char *args_value(const struct cli_args *a, const char *option)
{
    const struct cli_option *o = a->command->options;
    for (size_t i = 0; o && o[i].name; i++)
        if (!strcmp(o[i].name, option))
            return a->values[i];
    return NULL;
}

bool args_has(const struct cli_args *a, const char *option)
{
    return args_value(a, option) != NULL;
}

bool args_number(const char *s, unsigned long long least, unsigned long long most,
                 unsigned long long *ret)
{
    unsigned long long n = 0;
    size_t digits = 0;

    for (; s[digits] >= '0' && s[digits] <= '9' && digits < 19; digits++)
        n = n * 10 + (unsigned)(s[digits] - '0');
    if (!digits || s[digits] || n < least || n > most)
        return false;
    *ret = n;
    return true;
}

char *cli_word(char **line)
{
    char *start = *line + strspn(*line, " \t\n");
    char *end;

    if (!*start)
        return NULL;
    if (*start == '"') {
        start++;
        end = start + strcspn(start, "\"");
    } else {
        end = start + strcspn(start, " \t\n");
    }
    *line = *end ? end + 1 : end;
    *end = 0;
    return start;
}
