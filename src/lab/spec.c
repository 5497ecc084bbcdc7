#include "lab/spec.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define KB        *1024
#define MB        *1024 * 1024
#define BOTH(...) .up = { __VA_ARGS__ }, .down = { __VA_ARGS__ }

enum { MS = 1000, LATE_US = 10000, LINK_WORD_MAX = 64 };

/* delay_us is one way, so half of the round trip. */
const struct link_name link_names[] = {
    { "lan", "900 Mbit/s, 0.4 ms there and back",
      BOTH(.rate_bps = 900000000, .delay_us = 200, .queue_bytes = 512 KB) },
    { "wifi", "100 Mbit/s, 6 ms, jitter 4 ms each way, 0.5 % lost in pairs",
      BOTH(.rate_bps = 100000000, .delay_us = 3 * MS, .jitter_us = 4 * MS, .loss_ppm = 5000,
           .loss_burst = 2, .queue_bytes = 256 KB) },
    { "wan", "100 Mbit/s, 40 ms, 0.1 % lost",
      BOTH(.rate_bps = 100000000, .delay_us = 20 * MS, .loss_ppm = 1000, .queue_bytes = 256 KB) },
    { "lossy", "50 Mbit/s, 50 ms, 2 % lost",
      BOTH(.rate_bps = 50000000, .delay_us = 25 * MS, .loss_ppm = 20000, .queue_bytes = 256 KB) },
    { "sat", "20 Mbit/s, 600 ms, 0.5 % lost",
      BOTH(.rate_bps = 20000000, .delay_us = 300 * MS, .loss_ppm = 5000, .queue_bytes = 512 KB) },
    { "bloat", "10 Mbit/s, 30 ms, a queue of 1 MB",
      BOTH(.rate_bps = 10000000, .delay_us = 15 * MS, .queue_bytes = 1 MB) },
    { "shallow", "50 Mbit/s, 40 ms, a queue of 32 KB",
      BOTH(.rate_bps = 50000000, .delay_us = 20 * MS, .queue_bytes = 32 KB) },
    { "policed", "20 Mbit/s by a policer with a bucket of 64 KB, 40 ms",
      BOTH(.police_bps = 20000000, .police_bytes = 64 KB, .delay_us = 20 * MS) },
    { "mobile", "30 Mbit/s down and 8 up, 60 ms, jitter 15 ms each way, 0.3 % lost in threes",
      .up = { .rate_bps = 8000000,
              .delay_us = 30 * MS,
              .jitter_us = 15 * MS,
              .loss_ppm = 3000,
              .loss_burst = 3,
              .queue_bytes = 256 KB },
      .down = { .rate_bps = 30000000,
                .delay_us = 30 * MS,
                .jitter_us = 15 * MS,
                .loss_ppm = 3000,
                .loss_burst = 3,
                .queue_bytes = 768 KB } },
};
const size_t link_n_names = sizeof link_names / sizeof *link_names;

const struct link_name *link_find(const char *name)
{
    for (size_t i = 0; i < link_n_names; i++)
        if (!strcmp(link_names[i].name, name))
            return &link_names[i];
    return NULL;
}

/* --- values: a number and its unit, in the whole units of the config --- */

struct unit {
    const char *name;
    double times;
};

static const struct unit rate_units[] = { { "", 1 },       { "bit", 1 },    { "k", 1e3 },
                                          { "kbit", 1e3 }, { "M", 1e6 },    { "mbit", 1e6 },
                                          { "G", 1e9 },    { "gbit", 1e9 }, { NULL, 0 } };
static const struct unit time_units[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { NULL, 0 } };
static const struct unit share_units[] = { { "%", 1e4 }, { "ppm", 1 }, { NULL, 0 } };
static const struct unit byte_units[] = { { "", 1 },      { "b", 1 },       { "K", 1024 },
                                          { "kb", 1024 }, { "M", 1048576 }, { "mb", 1048576 },
                                          { NULL, 0 } };
static const struct unit count_units[] = { { "", 1 }, { NULL, 0 } };

static bool same_letters(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b))
        a++, b++;
    return !*a && !*b;
}

/* "none", "off" and 0 need no unit. */
static bool read_value(const char *s, const struct unit *units, double most, double *ret)
{
    char *end;

    if (same_letters(s, "none") || same_letters(s, "off") || !strcmp(s, "0")) {
        *ret = 0;
        return true;
    }
    if (!isdigit((unsigned char)*s) && *s != '.')
        return false;
    if (strspn(s, "0123456789.") != strcspn(s, "%bBkKmMgGupPs"))
        return false;
    double value = strtod(s, &end);
    for (; units->name; units++)
        if (same_letters(end, units->name)) {
            *ret = value * units->times + 0.5;
            return value >= 0 && *ret <= most + 0.5;
        }
    return false;
}

/* --- keys --- */

/* What a value is, its limit, and how it is written: for the sentence when it is none. */
struct kind {
    const struct unit *units;
    double most;
    const char *what;
};

static const struct kind rate = { rate_units, 1e12,
                                  "a rate in bits a second: 50M, 900k, 2.5G, none" };
static const struct kind span = { time_units, 60e6, "a time up to a minute: 25ms, 400us, 1.5s" };
static const struct kind share = { share_units, 1e6, "a share: 2%, 0.1%, 500ppm" };
static const struct kind bytes = { byte_units, 1073741824, "bytes up to 1024M: 256K, 1M, 9000" };
static const struct kind count = { count_units, 1000, "a number of packets up to 1000" };

#define FIELD(name) offsetof(struct link_config, name), sizeof((struct link_config){ 0 }.name)

static const struct key {
    const char *name;
    const struct kind *kind;
    size_t at, size; /* in the config */
    int parts;       /* the value is divided by that */
} keys[] = {
    { "rate", &rate, FIELD(rate_bps), 1 },
    { "delay", &span, FIELD(delay_us), 1 },
    { "rtt", &span, FIELD(delay_us), 2 },
    { "jitter", &span, FIELD(jitter_us), 1 },
    { "loss", &share, FIELD(loss_ppm), 1 },
    { "burst", &count, FIELD(loss_burst), 1 },
    { "queue", &bytes, FIELD(queue_bytes), 1 },
    { "reorder", &share, FIELD(reorder_ppm), 1 },
    { "late", &span, FIELD(late_us), 1 },
    { "dup", &share, FIELD(duplicate_ppm), 1 },
    { "corrupt", &share, FIELD(corrupt_ppm), 1 },
    { "codel", &span, FIELD(codel_target_us), 1 },
    { "interval", &span, FIELD(codel_interval_us), 1 },
};

static void put(struct link_config *c, const struct key *k, double value)
{
    uint64_t v = (uint64_t)value / (uint64_t)k->parts;
    uint32_t v32 = (uint32_t)v;

    memcpy((char *)c + k->at, k->size == sizeof v32 ? (void *)&v32 : (void *)&v, k->size);
}

static int say(char *wrong, const char *word, const char *why)
{
    snprintf(wrong, LINK_WRONG_MAX, "\"%.40s\": %s", word, why);
    return -ROOST_INVALID;
}

/* RATE/BYTES, or none */
static int read_police(struct link_config *c, const char *value, const char *word, char *wrong)
{
    static const char why[] = "a policer is a rate and a bucket of bytes, such as 20M/64K, or none";
    char head[32];
    const char *slash = strchr(value, '/');
    size_t len = slash ? (size_t)(slash - value) : strlen(value);
    double bps, bucket = 0;

    if (len >= sizeof head)
        return say(wrong, word, why);
    memcpy(head, value, len);
    head[len] = 0;
    if (!read_value(head, rate_units, rate.most, &bps) ||
        (slash && !read_value(slash + 1, byte_units, bytes.most, &bucket)))
        return say(wrong, word, why);
    if (bps >= 1 && bucket < 1500)
        return say(wrong, word, "the bucket of a policer holds at least a packet: 20M/64K");
    c->police_bps = (uint64_t)bps;
    c->police_bytes = (uint32_t)bucket;
    return 0;
}

static int set_key(struct link_config *c, const char *key, const char *value, const char *word,
                   char *wrong)
{
    double v;

    if (!strcmp(key, "police"))
        return read_police(c, value, word, wrong);
    if (!strcmp(key, "codel") && same_letters(value, "on")) {
        c->codel_target_us = CODEL_TARGET_US;
        return 0;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].name, key) != 0)
            continue;
        if (!read_value(value, keys[i].kind->units, keys[i].kind->most, &v))
            return say(wrong, word, keys[i].kind->what);
        put(c, &keys[i], v);
        if (c->reorder_ppm && !c->late_us)
            c->late_us = LATE_US;
        return 0;
    }
    return say(wrong, word,
               "there is no such setting; there are rate delay rtt jitter loss burst queue "
               "reorder late dup corrupt codel interval police");
}

/* --- words --- */

static int set_word(struct link_pair *p, char *word, char *wrong)
{
    char whole[LINK_WORD_MAX];
    bool up = !strncmp(word, "up.", 3), down = !strncmp(word, "down.", 5);
    char *key = word + (up ? 3 : down ? 5 : 0);
    char *equals = strchr(key, '=');
    const struct link_name *named = equals ? NULL : link_find(key);
    int err = 0;

    snprintf(whole, sizeof whole, "%s", word);
    if (!equals && !named)
        return say(wrong, whole,
                   "there is no such link; there are lan wifi wan lossy sat bloat shallow policed "
                   "mobile, and settings such as rate=50M");
    if (named) {
        if (!down)
            p->up = named->up;
        if (!up)
            p->down = named->down;
        return 0;
    }
    *equals = 0;
    if (!down)
        err = set_key(&p->up, key, equals + 1, whole, wrong);
    if (!up && !err)
        err = set_key(&p->down, key, equals + 1, whole, wrong);
    return err;
}

int link_spec(struct link_pair *p, const char *words, char wrong[static LINK_WRONG_MAX])
{
    static const char between[] = " ,\t\r\n";
    struct link_pair pair = *p;
    int err = 0;

    for (words += strspn(words, between); *words && !err; words += strspn(words, between)) {
        char word[LINK_WORD_MAX];
        size_t len = strcspn(words, between);
        if (len >= sizeof word)
            return say(wrong, words, "this is too long");
        memcpy(word, words, len);
        word[len] = 0;
        words += len;
        err = set_word(&pair, word, wrong);
    }
    if (err)
        return err;
    *p = pair;
    return 0;
}

/* --- and back --- */

struct text {
    char *at;
    size_t left;
};

static void add(struct text *t, const char *key, const char *value)
{
    int n = snprintf(t->at, t->left, "%s%s", key, value);
    size_t took = n < 0 ? 0 : (size_t)n >= t->left ? t->left - 1 : (size_t)n;

    t->at += took;
    t->left -= took;
}

/* The largest unit that tells it without a fraction. */
static const char *with_unit(char ret[static 32], uint64_t v, const struct unit *units)
{
    const struct unit *best = NULL;

    for (; units->name; units++)
        if (v % (uint64_t)units->times == 0 &&
            (!best || units->times > best->times)) /* the first of equals is the short one */
            best = units;
    if (v == 0 || !best)
        snprintf(ret, 32, "%llu", (unsigned long long)v);
    else
        snprintf(ret, 32, "%llu%s", (unsigned long long)(v / (uint64_t)best->times), best->name);
    return ret;
}

static const char *share_text(char ret[static 32], uint64_t ppm)
{
    snprintf(ret, 32, "%g%%", (double)ppm / 1e4);
    return ret;
}

static uint64_t get(const struct link_config *c, const struct key *k)
{
    uint32_t v32;
    uint64_t v;

    if (k->size == sizeof v32) {
        memcpy(&v32, (const char *)c + k->at, sizeof v32);
        return v32;
    }
    memcpy(&v, (const char *)c + k->at, sizeof v);
    return v;
}

void link_config_text(const struct link_config *c, char ret[static LINK_TEXT_MAX])
{
    struct text t = { ret, LINK_TEXT_MAX };
    char value[32];

    *ret = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct key *k = &keys[i];
        uint64_t v = get(c, k);
        if (k->parts != 1 || (v == 0 && k->kind != &rate))
            continue;
        add(&t, *ret ? " " : "", k->name);
        if (v == 0)
            add(&t, "=", "none");
        else
            add(&t, "=",
                k->kind == &share ? share_text(value, v) : with_unit(value, v, k->kind->units));
    }
    if (c->police_bps) {
        add(&t, " police=", with_unit(value, c->police_bps, rate_units));
        add(&t, "/", with_unit(value, c->police_bytes, byte_units));
    }
}
