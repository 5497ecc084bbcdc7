#include "cli/chat_slash.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

/* What a short form stands for, word by word: %t where one is, %1 the next word,
 * %@ the next word as a person, %# the next word or else where one is, %* all
 * further words, %r the rest of the line as it stands. */
static const struct short_form {
    const char *name, *means, *help;
} forms[] = {
    { "go", NULL, "/go TARGET              speak to #room, @user or * from now on" },
    { "quit", NULL, "/quit                   leave; the session stays" },
    { "help", NULL, "/help [COMMAND]         this, or about a command" },
    { "join", "room join %1", "/join ROOM              come into a room and speak there" },
    { "leave", "room leave %#", "/leave [ROOM]           leave a room, or this one" },
    { "part", "room leave %#", NULL },
    { "msg", "say %@ -- %r", "/msg USER TEXT          say it in private" },
    { "me", "say --me %t -- %r", "/me TEXT                as an action" },
    { "reply", "say --reply %1 %t -- %r", "/reply ID TEXT          in answer to a message" },
    { "topic", "room topic %t -- %r", "/topic TEXT             what this room is about" },
    { "invite", "room invite %t %@", "/invite USER            bring somebody into this room" },
    { "kick", "room remove %t %@", "/kick USER              put somebody out of it" },
    { "ban", "room ban %t %@", "/ban USER               and keep them out" },
    { "unban", "room ban --lift %t %@", "/unban USER             let them come again" },
    { "members", "room members %t", "/members                who is in this room" },
    { "names", "room members %t", NULL },
    { "mute", "room mute %#", "/mute [ROOM]            let it not ring" },
    { "BCM", "say --everyone -- %r", "/BCM TEXT               a broadcast to all who are on" },
    { "ATU", "who", "/ATU                    who is on" },
    { "SRB", "room new --private %n %*",
      "/SRB USER…              a room of their own; prints its number" },
    { "SRM", "say %1 -- %r", "/SRM ROOM TEXT          say it in that room" },
    { "RDM", NULL, "/RDM b|s TIME           read broadcasts, or rooms, since then" },
    { "send", NULL, "/send FILE [TARGET]     send it, here or there; typing goes on" },
    { "files", "files %#", "/files [TARGET]         what is kept here" },
    { "UPD", NULL, "/UPD USER FILE          send it to somebody" },
    { "OUT", NULL, "/OUT                    log out and leave" },
};

enum { FORMS = sizeof forms / sizeof *forms };

const char *slash_name(size_t i)
{
    return i < FORMS ? forms[i].name : NULL;
}

const char *slash_help(size_t i)
{
    return i < FORMS ? forms[i].help : NULL;
}

struct take {
    struct arena *a;
    const struct slash_place *place;
    char *rest;
    struct slash *s;
    bool nomem;
};

static void add(struct take *t, const char *word)
{
    if (!word)
        t->nomem = true;
    else if (t->s->n < SLASH_WORDS_MAX)
        t->s->argv[t->s->n++] = word;
}

static void wrong(struct take *t, const char *what, const char *advice)
{
    t->s->kind = SLASH_WRONG;
    t->s->wrong = what;
    t->s->advice = advice;
}

static char *rest_of(struct take *t)
{
    return t->rest + strspn(t->rest, " \t");
}

/* --- rows of the table, written out --- */

static const struct cli_command *find(const struct slash_place *p, const char *name)
{
    for (size_t i = 0; i < p->n_table; i++)
        if (!strcmp(p->table[i].name, name))
            return &p->table[i];
    return NULL;
}

static const struct cli_option *option_of(const struct cli_option *o, const char *word)
{
    for (; o && o->name; o++)
        if (word[1] == '-' ? !strcmp(o->name, word + 2) : o->letter == word[1] && !word[2])
            return o;
    return NULL;
}

/* Words up to the command's raw one; options and their values do not count. */
static void add_words(struct take *t, const struct cli_command *k)
{
    int words = 0;

    for (;;) {
        char *next = rest_of(t);
        bool is_option = next[0] == '-' && next[1] && !isdigit((unsigned char)next[1]);
        if (!*next)
            return;
        if (k && k->raw >= 0 && words >= k->raw && !is_option) {
            add(t, "--");
            add(t, next);
            return;
        }
        const char *word = cli_word(&t->rest);
        if (!word)
            return;
        add(t, word);
        if (!is_option) {
            words++;
            continue;
        }
        const struct cli_option *o = option_of(k ? k->options : NULL, word);
        if (o && o->value && (word = cli_word(&t->rest)))
            add(t, word);
    }
}

static void command(struct take *t, const char *first)
{
    char name[CLI_NAME_MAX];
    size_t len = strlen(first);
    const struct cli_command *k = NULL;

    t->s->kind = SLASH_COMMAND;
    add(t, first);
    if (len >= sizeof name)
        return;
    memcpy(name, first, len + 1);
    k = find(t->place, name);
    /* "room join": further words belong to the name as long as a row has them */
    for (int i = 0; i < 2; i++) {
        char *next = rest_of(t);
        size_t more = strcspn(next, " \t");
        if (!more || len + more + 2 > sizeof name)
            break;
        name[len] = ' ';
        memcpy(name + len + 1, next, more);
        name[len + 1 + more] = 0;
        const struct cli_command *longer = find(t->place, name);
        bool begins = longer != NULL;
        for (size_t j = 0; j < t->place->n_table && !begins; j++) {
            const char *other = t->place->table[j].name;
            begins = !strncmp(other, name, len + 1 + more) && other[len + 1 + more] == ' ';
        }
        if (!begins)
            break;
        add(t, cli_word(&t->rest));
        len += 1 + more;
        if (longer)
            k = longer;
    }
    add_words(t, k);
}

/* --- short forms --- */

static const char *person(struct take *t, const char *word)
{
    if (*word == '@')
        return word;
    size_t len = strlen(word);
    char *s = arena_get(t->a, len + 2);
    if (s) {
        s[0] = '@';
        memcpy(s + 1, word, len + 1);
    }
    return s;
}

static bool need_target(struct take *t)
{
    if (*t->place->target)
        return true;
    wrong(t, "you are not speaking to anybody yet", "first /go #room, /go @user or /go *");
    return false;
}

/* One word of what a form means; false when the line does not fit. */
static bool expand(struct take *t, const char *piece)
{
    const char *word;

    if (piece[0] != '%') {
        add(t, arena_str(t->a, piece));
        return true;
    }
    switch (piece[1]) {
    case 't':
        if (!need_target(t))
            return false;
        add(t, t->place->target);
        return true;
    case 'n':
        add(t, t->place->fresh_name);
        return true;
    case '#':
        word = cli_word(&t->rest);
        if (!word && !need_target(t))
            return false;
        add(t, word ? word : t->place->target);
        return true;
    case '*':
        while ((word = cli_word(&t->rest)))
            add(t, word);
        return true;
    case 'r':
        if (*rest_of(t))
            add(t, rest_of(t));
        else
            wrong(t, "the text is missing", "write it after the command");
        return t->s->kind != SLASH_WRONG;
    default:
        word = cli_word(&t->rest);
        if (word)
            add(t, piece[1] == '@' ? person(t, word) : word);
        return true;
    }
}

static void stands_for(struct take *t, const char *means)
{
    char copy[64];

    t->s->kind = SLASH_COMMAND;
    memcpy(copy, means, strlen(means) + 1); /* the table's own: short */
    for (char *p = copy, *piece; (piece = cli_word(&p));)
        if (!expand(t, piece))
            return;
}

/* "RDM b 2026-03-01 14:00" */
static void classic_read(struct take *t)
{
    const char *which = cli_word(&t->rest);
    bool broadcasts = which && (*which == 'b' || *which == 'B');

    if (!which || which[1] || !strchr("bBsS", *which) || !*rest_of(t)) {
        wrong(t, "read what, and since when?",
              "write: RDM b TIME (broadcasts) or RDM s TIME (rooms)");
        return;
    }
    t->s->kind = SLASH_COMMAND;
    add(t, "read");
    add(t, broadcasts ? "--everyone" : "--rooms");
    add(t, "--since");
    add(t, rest_of(t));
}

/* "UPD bea my notes.pdf": the rest of the line is the file. */
static void classic_send(struct take *t)
{
    const char *user = cli_word(&t->rest);

    if (!user || !*rest_of(t)) {
        wrong(t, "send what, to whom?", "write: UPD USER FILE");
        return;
    }
    t->s->kind = SLASH_COMMAND;
    add(t, "send");
    add(t, "--");
    add(t, rest_of(t));
    add(t, person(t, user));
}

/* A single file, or a text, goes to where one speaks. */
static void send_here(struct take *t)
{
    const struct cli_command *k = find(t->place, "send");
    const char *word;
    bool alone = false; /* to nobody who is named */
    size_t files = 0;

    t->s->kind = SLASH_COMMAND;
    add(t, "send");
    while ((word = cli_word(&t->rest))) {
        bool dash = word[0] == '-' && word[1];
        const struct cli_option *o = k && dash ? option_of(k->options, word) : NULL;
        add(t, word);
        if (o && o->value && (word = cli_word(&t->rest)))
            add(t, word);
        files += !dash || (o && !strcmp(o->name, "text"));
        alone = alone || (o && !strcmp(o->name, "code"));
    }
    if (!files)
        wrong(t, "send what?", "write: /send FILE, or /send FILE… TARGET");
    else if (files == 1 && !alone && need_target(t))
        add(t, t->place->target);
}

static void own(struct take *t, const char *name)
{
    if (!strcmp(name, "go")) {
        const char *word = cli_word(&t->rest);
        t->s->kind = SLASH_GO;
        t->s->text = word;
        if (!word)
            wrong(t, "speak to whom?", "write: /go #room, /go @user or /go *");
    } else if (!strcmp(name, "help")) {
        t->s->kind = SLASH_HELP;
        t->s->text = rest_of(t);
    } else if (!strcmp(name, "quit")) {
        t->s->kind = SLASH_QUIT;
    } else if (!strcmp(name, "RDM")) {
        classic_read(t);
    } else if (!strcmp(name, "OUT")) {
        t->s->kind = SLASH_OUT;
    } else if (!strcmp(name, "send")) {
        send_here(t);
    } else {
        classic_send(t);
    }
}

static const struct short_form *form_of(const char *name)
{
    for (size_t i = 0; i < FORMS; i++)
        if (!strcasecmp(forms[i].name, name))
            return &forms[i];
    return NULL;
}

/* --- the line --- */

/* A bare classic word counts when it stands as the classic clients wanted it, and
 * OUT and ATU only alone, so that "OUT of time" is said and logs nobody out. */
static bool is_classic(const char *line)
{
    static const char *const words[] = { "BCM", "SRB", "SRM", "RDM", "UPD", "ATU", "OUT" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strncmp(line, words[i], 3) && (!line[3] || (line[3] == ' ' && i < 5)))
            return true;
    return false;
}

int slash_parse(struct arena *a, const struct slash_place *place, const char *line,
                struct slash *ret)
{
    struct take t = { .a = a, .place = place, .s = ret };
    bool classic = place->classic && is_classic(line);
    char *copy = arena_str(a, line);

    *ret = (struct slash){ .kind = SLASH_SAY, .text = copy };
    if (!copy)
        return -ROOST_NOMEM;
    if (!line[strspn(line, " \t\n")]) {
        ret->kind = SLASH_NOTHING;
        return 0;
    }
    if (!classic && *line != '/')
        return 0;
    if (!classic && line[1] == '/') {
        ret->text = copy + 1;
        return 0;
    }
    t.rest = copy + !classic;
    const char *name = *t.rest && *t.rest != ' ' ? cli_word(&t.rest) : NULL;
    if (!name) {
        wrong(&t, "what is to be done?", "/help lists the commands");
        return 0;
    }
    const struct short_form *form = form_of(name);
    if (form && form->means)
        stands_for(&t, form->means);
    else if (form)
        own(&t, form->name);
    else
        command(&t, name);
    if (ret->n == SLASH_WORDS_MAX)
        wrong(&t, "there are too many words", "use fewer, or put \"quotes\" around some");
    return t.nomem ? -ROOST_NOMEM : 0;
}
