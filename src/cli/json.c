#include "cli/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/msgid.h"
#include "cli/when.h"

static void put_string(struct buf *b, const char *s)
{
    const char *end = s + strlen(s);

    buf_putc(b, '"');
    while (s < end) {
        uint32_t c = utf8_next(&s, end);
        char out[4];

        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", (int)c);
        else if (c == '\n')
            buf_puts(b, "\\n");
        else if (c == '\t')
            buf_puts(b, "\\t");
        else if (utf8_is_control(c) && c < 0x10000) /* a terminal may show this line */
            buf_printf(b, "\\u%04x", (unsigned)c);
        else if (utf8_is_control(c))
            buf_printf(b, "\\u%04x\\u%04x", (unsigned)(0xd7c0 + (c >> 10)),
                       (unsigned)(0xdc00 + (c & 0x3ff)));
        else
            buf_add(b, out, utf8_put(out, c));
    }
    buf_putc(b, '"');
}

static void key_of(struct json *j, const char *key)
{
    if (j->comma)
        buf_puts(j->out, ", ");
    j->comma = true;
    if (key) {
        put_string(j->out, key);
        buf_puts(j->out, ": ");
    }
}

void json_begin(struct json *j, struct buf *out)
{
    j->out = out;
    j->comma = false;
    buf_putc(out, '{');
}

void json_end(struct json *j)
{
    buf_puts(j->out, "}\n");
}

void json_str(struct json *j, const char *key, const char *s)
{
    if (!s) {
        json_null(j, key);
        return;
    }
    key_of(j, key);
    put_string(j->out, s);
}

void json_id(struct json *j, const char *key, uint64_t room, uint64_t seq)
{
    key_of(j, key);
    buf_putc(j->out, '"');
    msgid_put(j->out, room, seq);
    buf_putc(j->out, '"');
}

void json_u64(struct json *j, const char *key, uint64_t n)
{
    key_of(j, key);
    buf_printf(j->out, "%" PRIu64, n);
}

void json_fixed(struct json *j, const char *key, double x)
{
    key_of(j, key);
    buf_printf(j->out, "%.3f", x);
}

void json_bool(struct json *j, const char *key, bool b)
{
    key_of(j, key);
    buf_puts(j->out, b ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
    key_of(j, key);
    buf_puts(j->out, "null");
}

void json_raw(struct json *j, const char *key, const char *value)
{
    key_of(j, key);
    buf_puts(j->out, value);
}

void json_time(struct json *j, const char *key, int64_t ms)
{
    if (!ms) {
        json_null(j, key);
        return;
    }
    key_of(j, key);
    buf_putc(j->out, '"');
    when_rfc3339(j->out, ms);
    buf_putc(j->out, '"');
}

void json_open(struct json *j, const char *key, char bracket)
{
    key_of(j, key);
    buf_putc(j->out, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    buf_putc(j->out, bracket);
    j->comma = true;
}
