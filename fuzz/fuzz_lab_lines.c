/* What cuts connections into messages, and the exercises whose messages are lines: requests for
 * files (no name leads out), answers, the calculator, the crowd, and the time line. The first byte
 * says how it is cut. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "lab/classics/calc_line.h"
#include "lab/classics/crowd.h"
#include "lab/classics/cut.h"
#include "lab/classics/files.h"
#include "lab/classics/ladder.h"

static void ask_files(const uint8_t *line, size_t len)
{
    struct files_request q;
    const char *why = "";
    size_t n = 0;
    uint64_t number;

    if (!files_read_request(&q, line, len) && *q.name) {
        char *rest = q.name;
        assert(q.name[0] != '/');
        for (char *word = q.name; word; word = rest) {
            rest = files_step(word);
            assert(*word && strcmp(word, ".") != 0 && strcmp(word, "..") != 0);
        }
    }
    if (files_read_answer(line, len, &number, &why, &n) < 0)
        assert(n <= len);
}

static void ask_calc(const uint8_t *line, size_t len)
{
    char answer[CALC_ANSWER_BYTES];

    calc_line(line, len, answer);
    assert(strlen(answer) < sizeof answer && *answer);
    assert(calc_mark(line, len) <= CALC_MARK_MAX + 1);
}

static void ask_crowd(struct crowd *c, size_t who, const uint8_t *line, size_t len)
{
    static struct crowd_said said;

    if (!c->members[who].there)
        crowd_came(c, who, &said);
    crowd_hear(c, who, line, len, &said);
    assert(utf8_valid(said.to_all, strlen(said.to_all)));
    assert(!strchr(said.to_all, '\n') && !strchr(said.to_all, '\033'));
    if (said.bye)
        crowd_goes(c, who, &said);
    assert(c->named <= CROWD_MOST);
}

static void draw(const uint8_t *line, size_t len)
{
    char what[LADDER_WHAT_MAX], drawn[LADDER_BYTES];
    size_t n = len < sizeof what - 1 ? len : sizeof what - 1;

    memcpy(what, line, n);
    what[n] = 0;
    const struct ladder_step s = { (int64_t)len * 1000, len & 1, len & 2, what,
                                   len & 4 ? what : NULL };
    ladder_draw(&s, drawn);
    assert(utf8_valid(drawn, strlen(drawn)) && !strchr(drawn, '\033') && !strchr(drawn, '\r'));
}

static void each(struct cut *c, enum cut_how how, struct crowd *crowd)
{
    const uint8_t *line;
    size_t len;
    int got;

    for (size_t i = 0; (got = cut_next(c, how, &line, &len)) > 0; i++) {
        ask_files(line, len);
        ask_calc(line, len);
        ask_crowd(crowd, i % 3, line, len);
        draw(line, len);
    }
    if (got < 0) /* the connection would be dropped */
        *c = (struct cut){ 0 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct cut cut; /* large */
    struct crowd *crowd = calloc(1, sizeof *crowd);
    uint8_t *at;

    if (!len || !crowd) {
        free(crowd);
        return 0;
    }
    enum cut_how how = data[0] % 3 == 2 ? CUT_FRAMES : CUT_LINES;
    size_t piece = 1 + data[0] * 16u;
    cut = (struct cut){ 0 };
    for (data++, len--; len; data += piece, len -= piece) {
        size_t room = cut_room(&cut, &at);
        piece = piece < len ? piece : len;
        assert(room >= piece);
        memcpy(at, data, piece);
        cut_put(&cut, piece);
        each(&cut, how, crowd);
    }
    const uint8_t *line;
    size_t n;
    if (cut_last(&cut, how, &line, &n))
        ask_files(line, n);
    free(crowd);
    return 0;
}
