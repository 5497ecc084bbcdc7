/* What comes to `roost meet`: the first byte chooses a line typed in a meeting, an object
 * that a program writes, a link, a time to come, or a title for a calendar entry. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/ics.h"
#include "cli/meet_link.h"
#include "cli/meet_slash.h"
#include "cli/when.h"

#define NOW INT64_C(1767225600000)

static const struct roost_attendee in[] = { { .name = "Ann" }, { .name = "Ann 2" } };
static const struct roost_attendee waiting[] = { { .name = "Carl von Linden" } };

/* Whatever is understood is whole: nothing that a request would need is missing. */
static void typed(const char *line, bool object, enum roost_meet_role role)
{
    struct roost_ticket there = { .you = { .role = role },
                                  .attendees = in,
                                  .n_attendees = 2,
                                  .waiting = waiting,
                                  .n_waiting = 1 };
    struct meet_cmd c;
    struct arena a;

    arena_init(&a, 0);
    int err = object ? meet_slash_json(&a, line, &there, &c)
                     : meet_slash_parse(&a, line, &there, &c);
    assert(err == 0);
    assert(c.what != MEET_DO_SAY || c.text);
    assert(c.what != MEET_DO_REACT || c.text);
    assert(c.what != MEET_DO_NOTE || (c.text && c.user));
    assert(c.what != MEET_DO_ACT || c.action != ROOST_ACT_NOTHING);
    assert(c.what != MEET_DO_WRONG || (c.wrong && c.advice));
    assert(c.what == MEET_DO_NOTHING || c.name);
    arena_fini(&a);
}

/* A link that is understood comes back from what it is printed as. */
static void link_of(const char *s)
{
    struct meet_link l, again;
    const char *wrong = NULL;
    struct buf b = { 0 };

    if (meet_link_parse(s, &l, &wrong)) {
        assert(wrong && *wrong);
        return;
    }
    assert(*l.code && strspn(l.code, "0123456789") == strlen(l.code));
    if (strchr(l.server, ':') && strlen(l.server) + 5 < MEET_LINK_SERVER_MAX) {
        meet_link_put(&b, l.server, l.code, l.secret);
        assert(meet_link_parse(buf_str(&b), &again, &wrong) == 0);
        assert(!strcmp(again.code, l.code) && !strcmp(again.secret, l.secret));
    }
    buf_fini(&b);
}

static void time_of(const char *s)
{
    const char *error = NULL;
    int64_t ms = 0;

    if (when_parse_ahead(s, NOW, 3600, &ms, &error))
        assert(error && *error);
    else
        assert(ms >= 0);
}

/* Lines of at most 75 bytes, each ended as it should be, none begun by the text itself. */
static void entry_of(const char *s)
{
    struct buf b = { 0 };
    size_t lines = 0;

    ics_put(&b, &(struct ics){ .uid = "1@hall",
                               .title = s,
                               .description = s,
                               .link = "https://hall/j/1",
                               .now_ms = NOW,
                               .starts_ms = NOW,
                               .length_ms = 3600000 });
    for (const char *p = buf_str(&b), *end; *p; p = end + 2) {
        end = strstr(p, "\r\n");
        assert(end && end - p <= 75 && !memchr(p, '\n', (size_t)(end - p)));
        lines += *p != ' ';
    }
    assert(lines == 15);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 1)
        return 0;
    char *s = malloc(len);
    if (!s)
        return 0;
    memcpy(s, data + 1, len - 1);
    s[len - 1] = 0;
    switch (data[0] % 6) {
    case 0:
        typed(s, false, ROOST_HOST);
        break;
    case 1:
        typed(s, true, ROOST_HOST);
        break;
    case 2:
        typed(s, false, ROOST_PARTICIPANT);
        break;
    case 3:
        link_of(s);
        break;
    case 4:
        time_of(s);
        break;
    default:
        entry_of(s);
    }
    free(s);
    return 0;
}
