#include "cli/meet_slash.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "cli/json_in.h"
#include "cli/options.h"

/* What is shorter to type than the word of the table, or no action at all. */
static const struct short_word {
    const char *name, *with; /* with: the next word, exactly; NULL: nothing follows */
    enum meet_do what;
    enum roost_meet_action action;
} shorts[] = {
    { "hand", NULL, MEET_DO_ACT, ROOST_ACT_HAND_UP },
    { "hand", "up", MEET_DO_ACT, ROOST_ACT_HAND_UP },
    { "hand", "down", MEET_DO_ACT, ROOST_ACT_HAND_DOWN },
    { "mute", NULL, MEET_DO_ACT, ROOST_ACT_SELF_MUTE },
    { "unmute", NULL, MEET_DO_ACT, ROOST_ACT_SELF_UNMUTE },
    { "video", "on", MEET_DO_ACT, ROOST_ACT_VIDEO_ON },
    { "video", "off", MEET_DO_ACT, ROOST_ACT_VIDEO_OFF },
    { "away", NULL, MEET_DO_ACT, ROOST_ACT_GO_AWAY },
    { "back", NULL, MEET_DO_ACT, ROOST_ACT_COME_BACK },
    { "share", NULL, MEET_DO_ACT, ROOST_ACT_START_SHARE },
    { "stopshare", NULL, MEET_DO_ACT, ROOST_ACT_STOP_SHARE },
    { "wantshare", NULL, MEET_DO_ACT, ROOST_ACT_WANT_SHARE },
    { "record", NULL, MEET_DO_ACT, ROOST_ACT_START_RECORD },
    { "record", "on", MEET_DO_ACT, ROOST_ACT_START_RECORD },
    { "record", "off", MEET_DO_ACT, ROOST_ACT_STOP_RECORD },
    { "stoprecord", NULL, MEET_DO_ACT, ROOST_ACT_STOP_RECORD },
    { "quit", NULL, MEET_DO_ACT, ROOST_ACT_LEAVE },
    { "verify", NULL, MEET_DO_VERIFY, ROOST_ACT_NOTHING },
    { "figures", NULL, MEET_DO_FIGURES, ROOST_ACT_NOTHING },
    { "talk", NULL, MEET_DO_TALK, ROOST_ACT_NOTHING },
    { "hush", NULL, MEET_DO_HUSH, ROOST_ACT_NOTHING },
    { "who", NULL, MEET_DO_WHO, ROOST_ACT_NOTHING },
    { "link", NULL, MEET_DO_LINK, ROOST_ACT_NOTHING },
    { "help", NULL, MEET_DO_HELP, ROOST_ACT_NOTHING },
};
/* These take words behind them. */
static const struct {
    const char *name;
    enum meet_do what;
    enum meet_takes takes;
} talk[] = {
    { "say", MEET_DO_SAY, MEET_TEXT },
    { "note", MEET_DO_NOTE, MEET_MAYBE_USER_TEXT },
    { "react", MEET_DO_REACT, MEET_TEXT },
    { "volume", MEET_DO_VOLUME, MEET_MAYBE_USER_TEXT },
};

enum { SHORTS = sizeof shorts / sizeof *shorts, TALK = sizeof talk / sizeof *talk };

const char meet_slash_help[] =
    "What you type is said to all. Commands:\n"
    "  /who           who is in, who waits      /link         code and link\n"
    "  /hand  /hand down  /away  /back          /react 👍     a sign to all\n"
    "  /mute  /unmute  /video on|off            /note NAME TEXT  to one person\n"
    "  /share  /stopshare  /wantshare           /rename NAME  call yourself so\n"
    "  /record  /record off                     /leave [SUCCESSOR]\n"
    "  /verify        words to compare          /figures      how sound and network do\n"
    "  /talk  /hush   push to talk (--ptt)      /volume NAME PERCENT\n"
    "For hosts and co-hosts:\n"
    "  /admit NAME  /deny NAME  /admit-all  /deny-all  /message [NAME] TEXT\n"
    "  /mute NAME  /mute-all  /ask-unmute NAME  /ask-video NAME  /stop-video NAME\n"
    "  /lock-mic  /unlock-mic  /mute-on-entry  /no-mute-on-entry  /lower-hand NAME\n"
    "  /give-share NAME  /take-share  /spotlight NAME  /spotlight-off\n"
    "  /allow-… and /forbid-… share, chat, notes, rename;  /allow-record NAME\n"
    "  /rename NAME NEW  /remove NAME  /ban NAME  /unban NAME  /lock  /unlock\n"
    "  /open  /close  /title TEXT  /keep-chat  /forget-chat  /end\n"
    "  /make-host NAME  /make-cohost NAME  /drop-cohost NAME  /take-back\n"
    "  /make-viewer NAME  /make-participant NAME\n"
    "Tab completes. A name with spaces may stand in \"quotes\".\n";

/* --- pieces --------------------------------------------------------------------------- */

static void wrong(struct meet_cmd *c, const char *what, const char *advice)
{
    c->what = MEET_DO_WRONG;
    c->wrong = what;
    c->advice = advice;
}

static char *skip(char *s)
{
    return s + strspn(s, " \t");
}

static void trim_end(char *s)
{
    size_t n = strlen(s);

    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        s[--n] = 0;
}

/* Bytes of this name at the start of s, as a whole word or words; 0: not there. */
static size_t begins_with(const char *s, const char *name)
{
    size_t n = strlen(name);
    bool is = n && !strncasecmp(s, name, n) && (!s[n] || s[n] == ' ' || s[n] == '\t');

    return is ? n : 0;
}

/* "#5" is whoever has this number; no name begins so. */
static size_t number_at(const char *s)
{
    size_t n = *s == '#' ? strspn(s + 1, "0123456789") : 0;

    return n && (!s[n + 1] || s[n + 1] == ' ' || s[n + 1] == '\t') ? n + 1 : 0;
}

static size_t longest_name(const char *s, const struct roost_ticket *there)
{
    size_t best = number_at(s), n;

    for (size_t i = 0; there && i < there->n_attendees; i++)
        if ((n = begins_with(s, there->attendees[i].name)) > best)
            best = n;
    for (size_t i = 0; there && i < there->n_waiting; i++)
        if ((n = begins_with(s, there->waiting[i].name)) > best)
            best = n;
    return best;
}

/* A name at the start, cut off in place; what follows is left in *s. */
static const char *take_name(char **s, const struct roost_ticket *there, bool known_only)
{
    char *start = skip(*s);
    size_t n;

    if (*start == '@')
        start++;
    if (*start == '"') {
        *s = start;
        return cli_word(s);
    }
    n = longest_name(start, there);
    if (!n && known_only)
        return NULL;
    n = n ? n : strcspn(start, " \t");
    *s = start[n] ? start + n + 1 : start + n;
    start[n] = 0;
    return *start ? start : NULL;
}

/* All of the rest is one name. */
static const char *whole_name(char *s)
{
    s = skip(s);
    if (*s == '@')
        s++;
    if (*s == '"')
        return cli_word(&s);
    trim_end(s);
    return *s ? s : NULL;
}

static const char *rest_text(char *s)
{
    s = skip(s);
    trim_end(s);
    return *s ? s : NULL;
}

/* --- what follows a word ---------------------------------------------------------------- */

static bool manages(const struct roost_ticket *there)
{
    return there && (there->you.role == ROOST_HOST || there->you.role == ROOST_COHOST);
}

/* "/rename NEW" is oneself, "/rename NAME NEW" another who is there. A name in quotes
 * alone is a new one. */
static void take_rename(struct meet_cmd *c, char *rest, const struct roost_ticket *there)
{
    char *after = rest;
    const char *user = NULL;

    if (*skip(rest) == '"' || manages(there))
        user = take_name(&after, there, true);
    if (user && *skip(after)) {
        c->user = user;
        c->text = whole_name(after);
    } else if (user) {
        c->text = user;
    } else {
        c->text = whole_name(rest);
    }
    if (!c->text)
        wrong(c, "the new name is missing", "write: /rename NAME");
}

/* To one who waits, if the text begins with the name; else to all. */
static void take_message(struct meet_cmd *c, char *rest, const struct roost_ticket *there)
{
    const char *user = take_name(&rest, there, true);

    c->user = user;
    c->text = rest_text(rest);
    if (!c->text)
        wrong(c, "the text is missing", "write: /message TEXT, or /message NAME TEXT");
}

static void take_words(struct meet_cmd *c, enum meet_takes takes, char *rest,
                       const struct roost_ticket *there)
{
    switch (takes) {
    case MEET_NONE:
        if (*skip(rest))
            wrong(c, "nothing goes behind this command", "/help lists the commands");
        break;
    case MEET_USER:
        c->user = whole_name(rest);
        if (!c->user)
            wrong(c, "the name is missing", "/who shows who is there");
        break;
    case MEET_MAYBE_USER:
        c->user = whole_name(rest);
        break;
    case MEET_TEXT:
        c->text = rest_text(rest);
        if (!c->text)
            wrong(c, "the text is missing", "write it after the command");
        break;
    case MEET_MAYBE_USER_TEXT:
        if (c->what == MEET_DO_NOTE || c->what == MEET_DO_VOLUME) {
            bool note = c->what == MEET_DO_NOTE;
            c->user = take_name(&rest, there, false);
            c->text = rest_text(rest);
            if (!c->user || !c->text)
                wrong(c,
                      note ? "a name and a text are missing"
                           : "a name and how loud in percent are missing",
                      note ? "write: /note NAME TEXT" : "write: /volume NAME 0 to 400");
        } else if (c->action == ROOST_ACT_RENAME) {
            take_rename(c, rest, there);
        } else {
            take_message(c, rest, there);
        }
        break;
    }
}

static const struct short_word *short_of(const char *name, const char *with)
{
    for (size_t i = 0; i < SHORTS; i++)
        if (!strcasecmp(shorts[i].name, name) &&
            (*with ? shorts[i].with && !strcasecmp(shorts[i].with, with) : !shorts[i].with))
            return &shorts[i];
    return NULL;
}

static bool is_short(const char *name)
{
    for (size_t i = 0; i < SHORTS; i++)
        if (!strcasecmp(shorts[i].name, name))
            return true;
    return false;
}

static void command(struct meet_cmd *c, const char *name, char *rest,
                    const struct roost_ticket *there)
{
    rest = skip(rest);
    trim_end(rest);
    const struct short_word *s = short_of(name, rest);
    const struct meet_word *w = meet_word_find(name);

    c->name = name;
    if (s) {
        c->what = s->what;
        c->action = s->action;
        return;
    }
    for (size_t i = 0; i < TALK; i++)
        if (!strcmp(talk[i].name, name)) {
            c->what = talk[i].what;
            take_words(c, talk[i].takes, rest, there);
            return;
        }
    if (w) {
        c->what = MEET_DO_ACT;
        c->action = w->action;
        take_words(c, w->takes, rest, there);
        return;
    }
    wrong(c, is_short(name) ? "this command is not complete" : "there is no such command",
          "/help lists the commands");
}

/* --- lines ------------------------------------------------------------------------------- */

int meet_slash_parse(struct arena *a, const char *line, const struct roost_ticket *there,
                     struct meet_cmd *ret)
{
    char *copy = arena_str(a, line);

    *ret = (struct meet_cmd){ .what = MEET_DO_SAY, .name = "say", .text = copy };
    if (!copy)
        return -ROOST_NOMEM;
    if (!line[strspn(line, " \t\r\n")]) {
        ret->what = MEET_DO_NOTHING;
        return 0;
    }
    if (*line != '/')
        return 0;
    if (line[1] == '/') {
        ret->text = copy + 1;
        return 0;
    }
    ret->text = NULL;
    char *rest = copy + 1;
    const char *name = *rest && *rest != ' ' && *rest != '"' ? cli_word(&rest) : NULL;
    if (name)
        command(ret, name, rest, there);
    else
        wrong(ret, "what is to be done?", "/help lists the commands");
    return 0;
}

/* A null is no name: a program whose variable was empty must not mute itself. */
static bool member(struct meet_cmd *c, const struct json_in *j, const char *key, const char **ret)
{
    static const char *const advice = "\"user\", \"text\" and \"emoji\" are strings; leave "
                                      "one out where it does not apply";
    const struct json_member *m = json_in_get(j, key);

    *ret = m ? m->text : NULL;
    if (!m)
        return true;
    bool is_word = !m->is_string && !strchr("-0123456789", *m->text); /* null, true, false */
    if (is_word)
        wrong(c,
              !strcmp(key, "user")   ? "\"user\" is not a string"
              : !strcmp(key, "text") ? "\"text\" is not a string"
                                     : "\"emoji\" is not a string",
              advice);
    else if (!*m->text && !strcmp(key, "user"))
        wrong(c, "\"user\" is empty", advice);
    else
        return true; /* what an empty text is, the command says */
    return false;
}

static bool takes_user(const struct meet_cmd *c, const struct meet_word *w)
{
    return c->what == MEET_DO_NOTE || c->what == MEET_DO_VOLUME ||
           (w && w->takes != MEET_NONE && w->takes != MEET_TEXT && c->what == MEET_DO_ACT);
}

static bool takes_text(const struct meet_cmd *c, const struct meet_word *w)
{
    return c->what == MEET_DO_SAY || c->what == MEET_DO_NOTE || c->what == MEET_DO_REACT ||
           c->what == MEET_DO_VOLUME ||
           (w && (w->takes == MEET_TEXT || w->takes == MEET_MAYBE_USER_TEXT));
}

/* What the word is; NULL in *ret_word: one of the short ones, or of talk. */
static void name_command(struct meet_cmd *c, const struct meet_word **ret_word)
{
    const struct short_word *s = c->user || c->text ? NULL : short_of(c->name, "");

    *ret_word = NULL;
    c->what = MEET_DO_ACT;
    for (size_t i = 0; i < TALK; i++)
        if (!strcmp(talk[i].name, c->name)) {
            c->what = talk[i].what;
            return;
        }
    *ret_word = s ? NULL : meet_word_find(c->name);
    if (s || *ret_word) {
        c->what = s ? s->what : MEET_DO_ACT;
        c->action = s ? s->action : (*ret_word)->action;
    } else if (short_of(c->name, "")) {
        wrong(c, "nothing goes beside this command", "leave out \"user\" and \"text\"");
    } else {
        wrong(c, "there is no such command", "roost-json(5) lists them");
    }
}

/* Members beside "cmd" are what would stand behind it. */
static void fill(struct meet_cmd *c, const struct json_in *j)
{
    const char *user, *text, *emoji;
    const struct meet_word *w;

    if (!member(c, j, "user", &user) || !member(c, j, "text", &text) ||
        !member(c, j, "emoji", &emoji))
        return;
    c->user = user;
    c->text = text ? text : emoji;
    name_command(c, &w);
    if (c->what == MEET_DO_WRONG)
        return;
    if (c->user && !takes_user(c, w))
        wrong(c, "this command takes no \"user\"", "roost-json(5) says what stands beside which");
    else if (c->text && !takes_text(c, w))
        wrong(c, "this command takes no \"text\"", "roost-json(5) says what stands beside which");
    else if (!c->user &&
             (c->what == MEET_DO_NOTE || c->what == MEET_DO_VOLUME || (w && w->takes == MEET_USER)))
        wrong(c, "\"user\" is missing", "the name of somebody in the meeting");
    else if ((!c->text || !*c->text) && takes_text(c, w))
        wrong(c, "\"text\" is missing", "write it beside \"cmd\"");
}

int meet_slash_json(struct arena *a, const char *line, const struct roost_ticket *there,
                    struct meet_cmd *ret)
{
    struct json_in j;
    const char *what = NULL;
    int err = json_in_parse(a, line, &j, &what);

    *ret = (struct meet_cmd){ .name = "" };
    if (err == -ROOST_NOMEM)
        return err;
    if (err) {
        wrong(ret, what, "write {\"cmd\": \"who\", \"id\": 1}");
        return 0;
    }
    const struct json_member *id = json_in_get(&j, "id");
    const char *cmd = json_in_text(&j, "cmd");
    if (!cmd || !*cmd) {
        wrong(ret, "\"cmd\" is missing", "write {\"cmd\": \"who\", \"id\": 1}");
    } else if (*cmd == '/' || strchr(cmd, ' ')) {
        char *slash = arena_get(a, strlen(cmd) + 2);
        if (!slash)
            return -ROOST_NOMEM;
        strcat(strcpy(slash, *cmd == '/' ? "" : "/"), cmd);
        err = meet_slash_parse(a, slash, there, ret);
    } else {
        ret->name = cmd;
        fill(ret, &j);
    }
    ret->id = id ? id->text : NULL;
    ret->id_is_string = id && id->is_string;
    return err;
}

const char *meet_slash_name(size_t i, bool *ret_takes_name)
{
    *ret_takes_name = false;
    if (i < SHORTS)
        return shorts[i].name;
    i -= SHORTS;
    if (i < TALK) {
        *ret_takes_name = talk[i].takes == MEET_MAYBE_USER_TEXT;
        return talk[i].name;
    }
    const struct meet_word *w = meet_word_at(i - TALK);
    if (w)
        *ret_takes_name = w->takes == MEET_USER || w->takes == MEET_MAYBE_USER ||
                          w->takes == MEET_MAYBE_USER_TEXT;
    return w ? w->name : NULL;
}
