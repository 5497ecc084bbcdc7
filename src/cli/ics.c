#include "cli/ics.h"

#include <string.h>

#include "base/utf8.h"
#include "cli/when.h"

enum { LINE_BYTES = 75 };

/* One content line: as it stands, then folded. */
static void line(struct buf *out, const char *name, const char *value)
{
    struct buf whole = { 0 };
    size_t room = LINE_BYTES;

    buf_printf(&whole, "%s:%s", name, value);
    const char *p = buf_str(&whole);
    while (strlen(p) > room) {
        size_t n = utf8_fit(p, room);
        n = n ? n : room; /* not UTF-8: cut anywhere */
        buf_add(out, p, n);
        buf_puts(out, "\r\n ");
        p += n;
        room = LINE_BYTES - 1; /* the space counts */
    }
    buf_puts(out, p);
    buf_puts(out, "\r\n");
    buf_fini(&whole);
}

/* RFC 5545 3.3.11: backslash, semicolon and comma are escaped, a line break is \n. */
static void text(struct buf *out, const char *name, const char *value)
{
    struct buf b = { 0 };

    for (const char *p = value; *p; p++) {
        if (*p == '\n')
            buf_puts(&b, "\\n");
        else if (*p == '\\' || *p == ';' || *p == ',')
            buf_printf(&b, "\\%c", *p);
        else if ((unsigned char)*p >= 0x20 && *p != 0x7f)
            buf_putc(&b, *p);
    }
    line(out, name, buf_str(&b));
    buf_fini(&b);
}

static void time_utc(struct buf *out, const char *name, int64_t ms)
{
    struct when_parts t = when_split(ms, 0);
    struct buf b = { 0 };

    buf_printf(&b, "%04d%02d%02dT%02d%02d%02dZ", t.year, t.month, t.day, t.hour, t.minute,
               t.second);
    line(out, name, buf_str(&b));
    buf_fini(&b);
}

void ics_put(struct buf *b, const struct ics *what)
{
    line(b, "BEGIN", "VCALENDAR");
    line(b, "VERSION", "2.0");
    line(b, "PRODID", "-//Roost//roost " ROOST_RELEASE "//EN");
    line(b, "METHOD", "PUBLISH");
    line(b, "BEGIN", "VEVENT");
    text(b, "UID", what->uid);
    time_utc(b, "DTSTAMP", what->now_ms);
    time_utc(b, "DTSTART", what->starts_ms);
    time_utc(b, "DTEND", what->starts_ms + what->length_ms);
    text(b, "SUMMARY", what->title);
    text(b, "DESCRIPTION", what->description);
    text(b, "LOCATION", what->link);
    line(b, "URL", what->link);
    line(b, "END", "VEVENT");
    line(b, "END", "VCALENDAR");
}
