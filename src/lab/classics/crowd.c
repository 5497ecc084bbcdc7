#include "lab/classics/crowd.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Valid, without control characters; ret: how many. */
static bool is_text(const char *s, size_t len, size_t *ret_characters)
{
    const char *at = s, *end = s + len;

    *ret_characters = 0;
    if (!utf8_valid(s, len))
        return false;
    for (; at < end; ++*ret_characters)
        if (utf8_is_control(utf8_next(&at, end)))
            return false;
    return true;
}

static const char *check_name(const struct crowd *c, const char *name, size_t len)
{
    size_t characters;

    if (!is_text(name, len, &characters) || !characters || characters > CROWD_NAME_MAX ||
        memchr(name, ' ', len) || memchr(name, ':', len) || *name == '*' || *name == '/')
        return "* this is no name: 1 to 32 characters, without spaces; your name?";
    for (size_t i = 0; i < CROWD_MOST; i++)
        if (strlen(c->members[i].name) == len && !memcmp(c->members[i].name, name, len))
            return "* this name is taken; your name?";
    return NULL;
}

/* The names of all but one, as many as fit. */
static void list(const struct crowd *c, size_t but, char *ret, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < CROWD_MOST; i++) {
        const char *name = c->members[i].name;
        if (i == but || !*name || n + strlen(name) + 3 > size)
            continue;
        n += (size_t)snprintf(ret + n, size - n, "%s%s", n ? " " : "", name);
    }
    if (!n)
        snprintf(ret, size, "nobody else");
}

static void take_name(struct crowd *c, size_t who, const char *name, size_t len,
                      struct crowd_said *ret)
{
    char others[CROWD_SAID_BYTES / 2];
    const char *wrong = check_name(c, name, len);

    if (wrong) {
        snprintf(ret->to_one, sizeof ret->to_one, "%s", wrong);
        return;
    }
    memcpy(c->members[who].name, name, len);
    c->members[who].name[len] = 0;
    c->named++;
    list(c, who, others, sizeof others);
    snprintf(ret->to_one, sizeof ret->to_one, "* welcome, %s; here: %s", c->members[who].name,
             others);
    snprintf(ret->to_all, sizeof ret->to_all, "* %s came", c->members[who].name);
}

void crowd_came(struct crowd *c, size_t who, struct crowd_said *ret)
{
    *ret = (struct crowd_said){ .to_one = "* your name?" };
    c->members[who] = (struct crowd_member){ .there = true };
}

static bool is(const char *text, size_t len, const char *command)
{
    return len == strlen(command) && !memcmp(text, command, len);
}

void crowd_hear(struct crowd *c, size_t who, const uint8_t *line, size_t len,
                struct crowd_said *ret)
{
    const char *text = (const char *)line;
    char others[CROWD_SAID_BYTES / 2];
    size_t characters;

    *ret = (struct crowd_said){ 0 };
    if (!c->members[who].there || !len)
        return;
    if (is(text, len, "/bye")) {
        ret->bye = true;
        snprintf(ret->to_one, sizeof ret->to_one, "* goodbye");
    } else if (!*c->members[who].name) {
        take_name(c, who, text, len, ret);
    } else if (is(text, len, "/who")) {
        list(c, who, others, sizeof others);
        snprintf(ret->to_one, sizeof ret->to_one, "* here: you, %s", others);
    } else if (len > CROWD_TEXT_MAX || !is_text(text, len, &characters)) {
        snprintf(ret->to_one, sizeof ret->to_one,
                 "* that was no text of at most %d bytes; nobody got it", CROWD_TEXT_MAX);
    } else {
        snprintf(ret->to_all, sizeof ret->to_all, "%s: %.*s", c->members[who].name, (int)len, text);
    }
}

void crowd_goes(struct crowd *c, size_t who, struct crowd_said *ret)
{
    *ret = (struct crowd_said){ 0 };
    if (*c->members[who].name) {
        snprintf(ret->to_all, sizeof ret->to_all, "* %s went", c->members[who].name);
        c->named--;
    }
    c->members[who] = (struct crowd_member){ 0 };
}

bool crowd_listens(const struct crowd *c, size_t who)
{
    return *c->members[who].name;
}
