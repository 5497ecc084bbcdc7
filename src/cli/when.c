#include "cli/when.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, YEAR_MAX = 9999 };

/* --- calendar --- */

static const char *const day_names[] = { "sunday",   "monday", "tuesday", "wednesday",
                                         "thursday", "friday", "saturday" };
static const char *const month_names[] = { "January",   "February", "March",    "April",
                                           "May",       "June",     "July",     "August",
                                           "September", "October",  "November", "December" };

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970 of a day of the Gregorian calendar. The year begins in March
 * here, so that the leap day is its last. */
static int64_t days_of(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = floor_div(year, 400), of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int64_t when_day_number(int64_t ms, int32_t zone_s)
{
    return floor_div(ms + zone_s * INT64_C(1000), DAY_MS);
}

struct when_parts when_split(int64_t ms, int32_t zone_s)
{
    int64_t days = when_day_number(ms, zone_s);
    int64_t rest = ms + zone_s * INT64_C(1000) - days * DAY_MS;
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct when_parts){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / HOUR_MS),
        .minute = (int)(rest / MINUTE_MS % 60),
        .second = (int)(rest / 1000 % 60),
        .ms = (int)(rest % 1000),
        .weekday = (int)(((days + 4) % 7 + 7) % 7),
    };
}

/* --- reading --- */

struct scan {
    const char *p;
    int64_t now_ms;
    int32_t zone_s;
    bool ahead; /* what is meant has not come yet */
    const char *error;
};

static void spaces(struct scan *s)
{
    while (*s->p == ' ' || *s->p == '\t')
        s->p++;
}

static bool at_end(struct scan *s)
{
    spaces(s);
    return !*s->p;
}

/* A whole word, in any case; passed over if it is there. */
static bool word(struct scan *s, const char *w)
{
    size_t n = strlen(w);
    spaces(s);
    if (strncasecmp(s->p, w, n) != 0 || isalnum((unsigned char)s->p[n]))
        return false;
    s->p += n;
    return true;
}

/* 1 to max_digits digits. */
static bool number(struct scan *s, int max_digits, int64_t *ret)
{
    int64_t n = 0;
    int digits = 0;
    while (isdigit((unsigned char)*s->p) && digits < max_digits) {
        n = n * 10 + (*s->p++ - '0');
        digits++;
    }
    if (!digits || isdigit((unsigned char)*s->p))
        return false;
    *ret = n;
    return true;
}

static bool fixed(struct scan *s, int digits, int64_t *ret)
{
    const char *start = s->p;
    return number(s, digits, ret) && s->p - start == digits;
}

static bool fail(struct scan *s, const char *error)
{
    s->error = error;
    return false;
}

/* "14:00", "9:30:15", "14:00:00.123" */
static bool time_of_day(struct scan *s, int64_t *ret_ms)
{
    int64_t hour, minute, second = 0, ms = 0;

    spaces(s);
    if (!number(s, 2, &hour) || *s->p != ':')
        return false;
    s->p++;
    if (!fixed(s, 2, &minute))
        return false;
    if (*s->p == ':') {
        s->p++;
        if (!fixed(s, 2, &second))
            return false;
        if (*s->p == '.' || *s->p == ',') {
            int64_t unit = 100;
            s->p++;
            if (!isdigit((unsigned char)*s->p))
                return false;
            for (; isdigit((unsigned char)*s->p); s->p++, unit /= 10)
                ms += (*s->p - '0') * unit;
        }
    }
    if (hour > 23 || minute > 59 || second > 60)
        return fail(s, "a time of day goes from 0:00 to 23:59");
    *ret_ms = hour * HOUR_MS + minute * MINUTE_MS + second * 1000 + ms;
    return true;
}

static bool at_zone(struct scan *s, int32_t *ret_zone_s)
{
    int64_t hours, minutes = 0;

    if (*s->p == 'Z' || *s->p == 'z') {
        s->p++;
        *ret_zone_s = 0;
        return true;
    }
    if (*s->p != '+' && *s->p != '-')
        return false;
    int sign = *s->p++ == '-' ? -1 : 1;
    if (isdigit((unsigned char)s->p[0]) && isdigit((unsigned char)s->p[1])) {
        hours = (s->p[0] - '0') * 10 + (s->p[1] - '0');
        s->p += 2;
        s->p += *s->p == ':';
        if (isdigit((unsigned char)*s->p) && !fixed(s, 2, &minutes))
            return false;
        if (hours <= 14 && minutes <= 59) {
            *ret_zone_s = (int32_t)(sign * (hours * 3600 + minutes * 60));
            return true;
        }
    }
    return fail(s, "a zone is Z or an offset such as +02:00");
}

/* "2026-03-01", then perhaps "T14:00" or " 14:00", then perhaps a zone. */
static bool iso_date(struct scan *s, int64_t *ret_ms)
{
    int64_t year, month, day, time_ms = 0;
    int32_t zone_s = s->zone_s;

    if (!fixed(s, 4, &year) || *s->p != '-')
        return false;
    s->p++;
    if (!fixed(s, 2, &month) || *s->p++ != '-' || !fixed(s, 2, &day))
        return fail(s, "a date is written as 2026-03-01");
    if (month < 1 || month > 12 || day < 1 || day > days_in((int)year, (int)month))
        return fail(s, "there is no such day in the calendar");
    if (*s->p == 'T' || *s->p == 't' || (*s->p == ' ' && isdigit((unsigned char)s->p[1]))) {
        s->p++;
        if (!time_of_day(s, &time_ms))
            return fail(s, s->error ? s->error : "a time of day is written as 14:00 or 14:00:30");
        spaces(s);
        at_zone(s, &zone_s);
        if (s->error)
            return false;
    }
    *ret_ms = days_of(year, (int)month, (int)day) * DAY_MS + time_ms - zone_s * INT64_C(1000);
    return true;
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    { "seconds", 1000 },
    { "second", 1000 },
    { "secs", 1000 },
    { "sec", 1000 },
    { "s", 1000 },
    { "minutes", MINUTE_MS },
    { "minute", MINUTE_MS },
    { "mins", MINUTE_MS },
    { "min", MINUTE_MS },
    { "m", MINUTE_MS },
    { "hours", HOUR_MS },
    { "hour", HOUR_MS },
    { "hrs", HOUR_MS },
    { "hr", HOUR_MS },
    { "h", HOUR_MS },
    { "days", DAY_MS },
    { "day", DAY_MS },
    { "d", DAY_MS },
    { "weeks", INT64_C(7) * DAY_MS },
    { "week", INT64_C(7) * DAY_MS },
    { "w", INT64_C(7) * DAY_MS },
    { "months", INT64_C(30) * DAY_MS },
    { "month", INT64_C(30) * DAY_MS },
    { "years", INT64_C(365) * DAY_MS },
    { "year", INT64_C(365) * DAY_MS },
};

static bool unit(struct scan *s, int64_t *ret_ms)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (word(s, units[i].name)) {
            *ret_ms = units[i].ms;
            return true;
        }
    return false;
}

/* "10 minutes ago", "2h", "1h 30m ago", "an hour ago"; ahead: "in 2 hours", "2h" */
static bool span_of_time(struct scan *s, int64_t *ret_ms)
{
    int64_t span = 0, n, unit_ms;
    bool any = false, ago = false;

    if (s->ahead)
        word(s, "in");
    while (!at_end(s)) {
        if (word(s, "ago")) {
            ago = true;
            break;
        }
        if (word(s, "a") || word(s, "an"))
            n = 1;
        else if (!isdigit((unsigned char)*s->p) || !number(s, 6, &n))
            return false;
        spaces(s);
        /* "1h30m": the unit ends where the next number begins */
        const char *p = s->p;
        size_t len = 0;
        while (isalpha((unsigned char)p[len]))
            len++;
        char name[12];
        if (!len || len >= sizeof name)
            return false;
        memcpy(name, p, len);
        name[len] = 0;
        struct scan sub = { .p = name };
        if (!unit(&sub, &unit_ms))
            return fail(s, "units of time are s, min, h, days, weeks, months, years");
        s->p += len;
        span += n * unit_ms;
        any = true;
    }
    *ret_ms = s->ahead && !ago ? s->now_ms + span : s->now_ms - span;
    return any;
}

static bool named_day(struct scan *s, int64_t *ret_day)
{
    int64_t today = when_day_number(s->now_ms, s->zone_s);
    int weekday = when_split(s->now_ms, s->zone_s).weekday;

    if (word(s, "today")) {
        *ret_day = today;
        return true;
    }
    if (word(s, "yesterday")) {
        *ret_day = today - 1;
        return true;
    }
    if (s->ahead && word(s, "tomorrow")) {
        *ret_day = today + 1;
        return true;
    }
    if (s->ahead)
        word(s, "next");
    bool last = word(s, "last");
    for (int i = 0; i < 7; i++) {
        char three[4] = { day_names[i][0], day_names[i][1], day_names[i][2] };
        if (word(s, day_names[i]) || word(s, three)) {
            int back = (weekday - i + 7) % 7;
            if (s->ahead && !last)
                *ret_day = today + (7 - back) % 7;
            else
                *ret_day = today - (last && !back ? 7 : back);
            return true;
        }
    }
    if (last && word(s, "week")) {
        *ret_day = today - 7;
        return true;
    }
    return last ? fail(s, "after \"last\" comes a weekday or \"week\"") : false;
}

/* "yesterday", "monday 9:30", "today at 14:00" */
static bool day_and_time(struct scan *s, int64_t *ret_ms)
{
    int64_t day, time_ms = 0;

    spaces(s);
    bool weekday = strncasecmp(s->p, "today", 5) != 0 && strncasecmp(s->p, "last", 4) != 0;
    if (!named_day(s, &day))
        return false;
    word(s, "at");
    if (!at_end(s) && !time_of_day(s, &time_ms))
        return fail(s, s->error ? s->error : "after a day comes a time such as 14:00");
    *ret_ms = day * DAY_MS + time_ms - s->zone_s * INT64_C(1000);
    if (s->ahead && *ret_ms < s->now_ms && weekday && day == when_day_number(s->now_ms, s->zone_s))
        *ret_ms += 7 * (int64_t)DAY_MS; /* it is Monday 10:00, and Monday 9:30 is meant */
    return true;
}

/* "14:00": today, or yesterday if that has not come yet; ahead: or tomorrow. */
static bool time_alone(struct scan *s, int64_t *ret_ms)
{
    int64_t time_ms;
    if (!time_of_day(s, &time_ms))
        return false;
    int64_t at = when_day_number(s->now_ms, s->zone_s) * DAY_MS + time_ms -
                 s->zone_s * INT64_C(1000);
    if (s->ahead)
        *ret_ms = at < s->now_ms ? at + DAY_MS : at;
    else
        *ret_ms = at > s->now_ms ? at - DAY_MS : at;
    return true;
}

static bool unix_time(struct scan *s, int64_t *ret_ms)
{
    int64_t n;
    if (*s->p != '@')
        return false;
    s->p++;
    if (!number(s, 12, &n))
        return fail(s, "after @ come the seconds since 1970");
    *ret_ms = n * 1000;
    return true;
}

static bool now_word(struct scan *s, int64_t *ret_ms)
{
    *ret_ms = s->now_ms;
    return word(s, "now");
}

static int parse(const struct scan *start, int64_t *ret_ms, const char **ret_error)
{
    static bool (*const forms[])(struct scan *, int64_t *) = { now_word,   unix_time,
                                                               iso_date,   day_and_time,
                                                               time_alone, span_of_time };
    const char *error = NULL;

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct scan s = *start;
        int64_t ms = 0;
        spaces(&s);
        if (!*s.p) {
            error = "the time is empty";
            break;
        }
        if (forms[i](&s, &ms) && at_end(&s)) {
            if (ms < 0) {
                error = "times before 1970 are not kept";
                break;
            }
            *ret_ms = ms;
            return 0;
        }
        if (s.error && !error)
            error = s.error;
    }
    *ret_error = error          ? error
                 : start->ahead ? "a time is for example \"in 2 hours\", \"tomorrow 14:00\", "
                                  "\"monday 9:30\" or 2026-03-01T14:00"
                                : "a time is for example \"10 minutes ago\", \"2h\", \"yesterday "
                                  "14:00\", \"monday\" or 2026-03-01T14:00";
    return -ROOST_INVALID;
}

int when_parse(const char *s, int64_t now_ms, int32_t zone_s, int64_t *ret_ms,
               const char **ret_error)
{
    struct scan start = { s, now_ms, zone_s, false, NULL };

    return parse(&start, ret_ms, ret_error);
}

int when_parse_ahead(const char *s, int64_t now_ms, int32_t zone_s, int64_t *ret_ms,
                     const char **ret_error)
{
    struct scan start = { s, now_ms, zone_s, true, NULL };

    return parse(&start, ret_ms, ret_error);
}

/* --- writing --- */

void when_rfc3339(struct buf *b, int64_t ms)
{
    struct when_parts p = when_split(ms, 0);
    buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", p.year, p.month, p.day, p.hour, p.minute,
               p.second, p.ms);
}

void when_short(struct buf *b, int64_t ms, int64_t now_ms, int32_t zone_s)
{
    struct when_parts p = when_split(ms, zone_s);
    int64_t days = when_day_number(now_ms, zone_s) - when_day_number(ms, zone_s);

    if (days > 0 && days <= 6)
        buf_printf(b, "%c%.2s ", toupper((unsigned char)day_names[p.weekday][0]),
                   day_names[p.weekday] + 1);
    else if (days)
        buf_printf(b, "%04d-%02d-%02d ", p.year, p.month, p.day);
    buf_printf(b, "%02d:%02d", p.hour, p.minute);
}

void when_day(struct buf *b, int64_t ms, int32_t zone_s)
{
    struct when_parts p = when_split(ms, zone_s);
    buf_printf(b, "%c%s, %d %s %d", toupper((unsigned char)day_names[p.weekday][0]),
               day_names[p.weekday] + 1, p.day, month_names[p.month - 1], p.year);
}

void when_span(struct buf *b, int64_t span_ms)
{
    int64_t s = span_ms < 0 ? 0 : span_ms / 1000;
    if (s < 60)
        buf_printf(b, "%d s", (int)s);
    else if (s < 3600)
        buf_printf(b, "%d min", (int)(s / 60));
    else if (s < 86400)
        buf_printf(b, "%d h", (int)(s / 3600));
    else
        buf_printf(b, "%lld d", (long long)(s / 86400));
}
