/* The command line, and what is typed in chat: words separated by zero bytes, the
 * first byte chooses which parser. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/chat_slash.h"
#include "cli/cli.h"
#include "cli/msgid.h"
#include "cli/options.h"
#include "cli/when.h"

enum { WORDS_MAX = 64 };

static bool is_printable(struct buf *b)
{
    const char *p = buf_str(b), *end = p + b->len;

    while (p < end) {
        uint32_t c = utf8_next(&p, end);
        if (utf8_is_control(c) && c != '\n')
            return false;
    }
    return true;
}

static void parse_words(int argc, const char *const *argv)
{
    const char *words[WORDS_MAX];
    struct cli_args args;
    struct buf wrong = { 0 }, advice = { 0 };

    int err = cli_parse(cli_commands, cli_n_commands, argc, argv, &args, words, &wrong, &advice);
    assert(err == 0 || wrong.len > 0);
    assert(is_printable(&wrong) && is_printable(&advice));
    if (err == 0 && args.command && !args.help && !args.version) {
        const struct cli_command *c = args.command;
        assert((int)args.n_words >= c->min && (c->max < 0 || (int)args.n_words <= c->max));
        for (size_t i = 0; c->options && c->options[i].name; i++)
            assert(args_has(&args, c->options[i].name) ==
                   (args_value(&args, c->options[i].name) != NULL));
    }
    buf_fini(&wrong);
    buf_fini(&advice);
}

/* A line of chat: what it means is a command line, or is checked here. */
static int typed_in_chat(const char *line, uint8_t flags, const char **argv)
{
    struct slash_place place = { cli_commands, cli_n_commands, flags & 2 ? "#maths" : "", "room-1",
                                 (flags & 4) != 0 };
    static struct arena arena;
    struct slash s;

    arena_fini(&arena); /* of the line before: argv points into it */
    arena_init(&arena, 0);
    assert(slash_parse(&arena, &place, line, &s) == 0);
    assert(s.kind != SLASH_SAY || s.text);
    assert(s.kind != SLASH_WRONG || (s.wrong && s.advice));
    assert(s.n <= SLASH_WORDS_MAX);
    memcpy(argv, s.argv, s.n * sizeof *argv);
    return s.kind == SLASH_COMMAND ? (int)s.n : 0;
}

static void parse_value(const char *s)
{
    const char *error = NULL;
    int64_t ms = 0;
    uint64_t room, seq;
    unsigned long long number;

    if (args_number(s, 1, 100000, &number))
        assert(number >= 1 && number <= 100000);

    if (when_parse(s, 1767225600000, 3600, &ms, &error) == 0) {
        struct buf b = { 0 };
        when_rfc3339(&b, ms);
        when_short(&b, ms, 1767225600000, 3600);
        buf_fini(&b);
    } else {
        assert(error && *error);
    }
    if (msgid_parse(s, &room, &seq) == 0)
        assert(room > 0 && seq > 0);
}

/* Each word is in the line, behind the one before. */
static void cut_words(char *line)
{
    char *end = line + strlen(line), *rest = line, *last = line - 1;

    for (char *word; (word = cli_word(&rest)); last = word)
        assert(word > last && word <= end && rest <= end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *argv[WORDS_MAX];
    int argc = 0;

    if (len < 1)
        return 0;
    char *s = malloc(len);
    if (!s)
        return 0;
    memcpy(s, data + 1, len - 1);
    s[len - 1] = 0;

    if (data[0] & 1) {
        argc = typed_in_chat(s, data[0], argv);
    } else {
        for (size_t at = 0; at < len && argc < WORDS_MAX; at += strlen(s + at) + 1)
            argv[argc++] = s + at;
    }
    if (data[0] & 8 && argc > 0)
        parse_value(argv[0]);
    else
        parse_words(argc, argv);
    cut_words(s);
    free(s);
    return 0;
}
