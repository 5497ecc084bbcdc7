#include "server/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/err.h"
#include "base/utf8.h"

enum kind { FLAG, NUMBER, DURATION, SIZE, SIZE32, KIB, CHOICE, TEXT };

/* min and max are in the unit of the member: ms, bytes, KiB, or the number. */
struct setting {
    const char *key;
    enum kind kind;
    size_t at;
    const char *value; /* the default, as one would write it */
    int64_t min, max;
    const char *choices; /* separated by '|', numbered from 0 */
    const char *help;
};

#define AT(member) offsetof(struct config, member)
#define DAY_MS     86400000LL

static const struct setting settings[] = {
    { "listen", TEXT, AT(listen), "::,0.0.0.0", 1, CONFIG_TEXT_MAX - 1, NULL,
      "addresses to listen on, separated by commas" },
    { "port", NUMBER, AT(port), "5000", 0, 65535, NULL, "TCP port; 0 takes a free one" },
    { "media_port", NUMBER, AT(media_port), "0", 0, 65535, NULL, "UDP port; 0 is port + 1" },
    { "tls.certificate", TEXT, AT(tls_certificate), "", 0, CONFIG_TEXT_MAX - 1, NULL,
      "PEM file with the certificate and its chain; empty makes one" },
    { "tls.key", TEXT, AT(tls_key), "", 0, CONFIG_TEXT_MAX - 1, NULL, "PEM file with its key" },
    { "mdns", FLAG, AT(mdns), "yes", 0, 1, NULL,
      "announce the server in the local network (Avahi)" },
    { "log.level", CHOICE, AT(log_level), "info", 0, 0, "error|warn|info|debug",
      "how much is written to stderr" },
    { "log.format", CHOICE, AT(log_format), "text", 0, 0, "text|logfmt|json",
      "lines for people, key=value, or JSON" },
    { "sandbox", CHOICE, AT(sandbox), "refuse", 0, 0, "off|refuse|kill",
      "what happens to a system call that a server has no use for (seccomp)" },

    { "registration", CHOICE, AT(hub.registration), "invite", 0, 0, "open|invite|admin",
      "who may register: everybody, who has an invitation, nobody (admins make accounts)" },
    { "registration.local_open", FLAG, AT(hub.open_to_local), "no", 0, 1, NULL,
      "registration is open for private and loopback addresses" },
    { "broadcast", CHOICE, AT(hub.broadcast), "everyone", 0, 0, "everyone|moderators|admins",
      "who may speak to everyone" },
    { "log_private_text", FLAG, AT(hub.log_private_text), "no", 0, 1, NULL,
      "exports hold private messages too; every user is told at login" },
    { "say.rate", NUMBER, AT(hub.say_rate), "10", 1, 100000, NULL,
      "messages a second by one user" },
    { "say.burst", NUMBER, AT(hub.say_burst), "50", 1, 1000000, NULL, "and so many at once" },
    { "text.max", SIZE32, AT(hub.text_max), "16K", 64, 32768, NULL, "bytes in one message" },

    { "guests_may_host", FLAG, AT(hub.guests_may_host), "yes", 0, 1, NULL,
      "a name is enough to start a meeting, where registration is open" },
    { "code_digits", NUMBER, AT(hub.code_digits), "6", 6, 9, NULL, "of the code of a meeting" },
    { "code_tries", NUMBER, AT(hub.code_tries), "10", 1, 100000, NULL,
      "wrong codes an hour from one source, or of one account" },
    { "code_tries_all", NUMBER, AT(hub.code_tries_all), "8000", 1, 10000000, NULL,
      "wrong codes a day from all who are not signed in" },
    { "guests_hour", NUMBER, AT(hub.guests_hour), "200", 1, 1000000, NULL,
      "guests an hour from one source" },

    { "speakers", NUMBER, AT(hub.speakers), "5", 1, 16, NULL,
      "of a meeting, whose voices are forwarded: those who spoke last" },
    { "unsealed", FLAG, AT(hub.unsealed), "no", 0, 1, NULL,
      "new meetings are sealed by the server, not end to end, unless who makes one says so" },

    { "files.keep", FLAG, AT(hub.files), "yes", 0, 1, NULL,
      "files to rooms, meetings and everyone are taken and kept here" },
    { "files.away", FLAG, AT(hub.files_away), "yes", 0, 1, NULL,
      "and files to one person who is away, or by wish of the sender" },
    { "files.max", SIZE, AT(hub.file_max), "20G", 0, 1LL << 40, NULL,
      "the largest that is kept; 0: 1T" },
    { "files.quota_user", SIZE, AT(hub.file_quota_user), "20G", 0, 1LL << 50, NULL,
      "bytes that one user may have kept; 0 is without limit" },
    { "files.quota_room", SIZE, AT(hub.file_quota_room), "50G", 0, 1LL << 50, NULL,
      "and all in one room" },
    { "files.days", NUMBER, AT(hub.file_days), "90", 0, 36500, NULL,
      "a file is kept so long; 0 is until somebody forgets it" },
    { "files.reserve", SIZE, AT(files_reserve), "1G", 0, 1LL << 50, NULL,
      "bytes of the disk that files leave free" },
    { "files.https", FLAG, AT(hub.file_paths), "yes", 0, 1, NULL,
      "files that are kept can be had by browsers, curl and players, by a path made for them" },
    { "files.threads", NUMBER, AT(files_threads), "2", 1, 16, NULL,
      "threads that read and write files" },
    { "files.transfers", NUMBER, AT(files_transfers), "200", 1, 10000, NULL,
      "files that travel at the same time to and from the server" },
    { "files.transfers_user", NUMBER, AT(files_transfers_user), "20", 1, 10000, NULL,
      "and those of one user" },
    { "files.codes", FLAG, AT(hub.codes), "yes", 0, 1, NULL,
      "two people without an account may find each other by a code" },
    { "files.relay", FLAG, AT(hub.relays), "yes", 0, 1, NULL,
      "packets between two people whom no straight path joins are passed" },

    { "login.tries", NUMBER, AT(hub.login_tries), "5", 1, 1000, NULL,
      "failed logins before a block of account and source" },
    { "login.window", DURATION, AT(hub.login_window_ms), "10m", 1000, DAY_MS, NULL,
      "within this time" },
    { "login.block", DURATION, AT(hub.login_block_ms), "10s", 1000, DAY_MS, NULL,
      "length of the first block; each doubles" },
    { "login.block_max", DURATION, AT(hub.login_block_max_ms), "15m", 1000, 30 * DAY_MS, NULL,
      "longest block" },
    { "login.source_accounts", NUMBER, AT(hub.source_accounts), "20", 1, 100000, NULL,
      "accounts that may fail from one source without a success" },
    { "login.account_tries", NUMBER, AT(hub.account_tries), "100", 1, 1000000, NULL,
      "failures of one account from all sources" },
    { "sessions.max", NUMBER, AT(hub.sessions_max), "20", 1, 1000, NULL, "sessions of an account" },
    { "idle.timeout", DURATION, AT(hub.idle_ms), "60s", 1000, DAY_MS, NULL,
      "a client silent for longer is taken for dead" },

    { "hash.memory", KIB, AT(hash.memory_kib), "19M", 8, PASSWORD_MEMORY_KIB_MAX, NULL,
      "argon2id: memory of one password hash" },
    { "hash.passes", NUMBER, AT(hash.passes), "2", 1, PASSWORD_PASSES_MAX, NULL,
      "argon2id: passes over it" },
    { "hash.lanes", NUMBER, AT(hash.lanes), "1", 1, PASSWORD_LANES_MAX, NULL, "argon2id: lanes" },
    { "hash.threads", NUMBER, AT(hash_threads), "0", 0, 64, NULL,
      "hashes made at the same time; 0 leaves one processor to those who talk (1 to 4)" },
    { "hash.waiting", NUMBER, AT(hub.hashes_max), "64", 1, 10000, NULL,
      "hashes that may wait; more logins are told to come back" },

    { "conns.max", NUMBER, AT(hub.conns_max), "20000", 1, 1000000, NULL, "connections" },
    { "conn.queue", SIZE, AT(queue_bytes), "1M", 128 * 1024, 1 << 30, NULL,
      "bytes that may wait for a slow reader before it is closed" },
    { "handshake.max", NUMBER, AT(handshakes_max), "1024", 1, 100000, NULL,
      "connections that have not finished TLS and said Hello; the oldest makes room" },
    { "handshake.source", NUMBER, AT(handshakes_source), "256", 1, 100000, NULL,
      "of them, from one source (an address, or a /56 of IPv6)" },
    { "handshake.timeout", DURATION, AT(handshake_ms), "10s", 100, 600000, NULL,
      "time to finish that" },
    { "http.timeout", DURATION, AT(http_ms), "10s", 100, 600000, NULL,
      "time for a browser's request, from its first byte, and until its next" },
    { "http.max", NUMBER, AT(http_max), "512", 1, 100000, NULL,
      "connections of browsers; more are told to come back" },
    { "metrics.token", TEXT, AT(metrics_token), "", 0, CONFIG_TEXT_MAX - 1, NULL,
      "who sends it may read /metrics from anywhere (16 bytes or more); empty: this machine only" },
    { "close.timeout", DURATION, AT(close_ms), "3s", 100, 60000, NULL,
      "time for the last bytes to reach a client" },
    { "store.waiting", NUMBER, AT(store_waiting), "8192", 16, 1000000, NULL,
      "operations that may wait for the disk; more are told to come back" },
    { "store.batch", NUMBER, AT(store_batch), "1024", 1, 100000, NULL,
      "operations committed together" },
};

enum { SETTINGS_NR = sizeof settings / sizeof *settings, METRICS_TOKEN_MIN = 16 };

/* --- units ------------------------------------------------------------------ */

struct unit {
    const char *name;
    int64_t factor;
};

/* Digits, then one of the units; the first unit is for none. */
static int parse_units(const char *text, const struct unit *units, size_t n, int64_t *ret)
{
    char *end;

    if (!isdigit((unsigned char)*text))
        return -ROOST_INVALID;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno)
        return -ROOST_INVALID;
    for (size_t i = 0; i < n; i++) {
        int64_t product;

        if (strcasecmp(end, units[i].name) != 0)
            continue;
        if (__builtin_mul_overflow((int64_t)number, units[i].factor, &product))
            return -ROOST_INVALID;
        *ret = product;
        return 0;
    }
    return -ROOST_INVALID;
}

int config_duration(const char *text, int64_t *ret_ms)
{
    static const struct unit units[] = {
        { "", 1000 },     { "ms", 1 },      { "s", 1000 },   { "m", 60000 },
        { "min", 60000 }, { "h", 3600000 }, { "d", DAY_MS },
    };
    return parse_units(text, units, sizeof units / sizeof *units, ret_ms);
}

int config_size(const char *text, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        { "", 1 },        { "B", 1 },         { "K", 1 << 10 }, { "KiB", 1 << 10 },
        { "M", 1 << 20 }, { "MiB", 1 << 20 }, { "G", 1 << 30 }, { "GiB", 1 << 30 },
    };
    int64_t bytes;
    int err = parse_units(text, units, sizeof units / sizeof *units, &bytes);

    if (!err)
        *ret_bytes = (uint64_t)bytes;
    return err;
}

/* --- one setting ------------------------------------------------------------- */

static int parse_flag(const char *text, int64_t *ret)
{
    static const char *const words[] = { "no", "yes", "off", "on", "false", "true", "0", "1" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(text, words[i])) {
            *ret = i & 1;
            return 0;
        }
    return -ROOST_INVALID;
}

static int parse_choice(const char *choices, const char *text, int64_t *ret)
{
    size_t len = strlen(text);

    for (int64_t i = 0; len; i++) {
        size_t n = strcspn(choices, "|");

        if (n == len && !memcmp(choices, text, n)) {
            *ret = i;
            return 0;
        }
        if (!choices[n])
            break;
        choices += n + 1;
    }
    return -ROOST_INVALID;
}

static int parse_number(const struct setting *s, const char *text, int64_t *ret)
{
    static const struct unit plain[] = { { "", 1 } };
    uint64_t bytes;
    int err;

    switch (s->kind) {
    case FLAG:
        return parse_flag(text, ret);
    case CHOICE:
        return parse_choice(s->choices, text, ret);
    case DURATION:
        return config_duration(text, ret);
    case SIZE:
    case SIZE32:
    case KIB:
        err = config_size(text, &bytes);
        if (!err)
            *ret = (int64_t)(s->kind == KIB ? bytes / 1024 : bytes);
        return err;
    case NUMBER:
    case TEXT:
        break;
    }
    return parse_units(text, plain, 1, ret);
}

static void put(struct config *c, const struct setting *s, int64_t number)
{
    void *at = (char *)c + s->at;

    switch (s->kind) {
    case FLAG:
        *(bool *)at = number != 0;
        break;
    case DURATION:
        *(int64_t *)at = number;
        break;
    case SIZE:
        *(uint64_t *)at = (uint64_t)number;
        break;
    default: /* the enums of struct hub_config have the size of this too */
        *(uint32_t *)at = (uint32_t)number;
        break;
    }
}

_Static_assert(sizeof(enum hub_registration) == sizeof(uint32_t), "put() writes 32 bits");
_Static_assert(sizeof(enum hub_broadcast) == sizeof(uint32_t), "put() writes 32 bits");

/* "a number from 1 to 20" */
static void wanted(const struct setting *s, char *out, size_t cap)
{
    switch (s->kind) {
    case FLAG:
        snprintf(out, cap, "yes or no");
        break;
    case CHOICE:
        snprintf(out, cap, "one of %s", s->choices);
        break;
    case DURATION:
        snprintf(out, cap, "a time from %" PRId64 "ms to %" PRId64 "s, like 10s or 15m", s->min,
                 s->max / 1000);
        break;
    case SIZE:
    case SIZE32:
        snprintf(out, cap, "a size from %" PRId64 " to %" PRId64 " bytes, like 16K", s->min,
                 s->max);
        break;
    case KIB:
        snprintf(out, cap, "a size from %" PRId64 "K to %" PRId64 "K, like 19M", s->min, s->max);
        break;
    case TEXT:
        snprintf(out, cap, "text of %" PRId64 " to %" PRId64 " bytes", s->min, s->max);
        break;
    case NUMBER:
        snprintf(out, cap, "a number from %" PRId64 " to %" PRId64, s->min, s->max);
        break;
    }
}

static bool put_text(struct config *c, const struct setting *s, const char *value)
{
    size_t len = strlen(value);

    if ((int64_t)len < s->min || (int64_t)len > s->max || !utf8_valid(value, len))
        return false;
    memcpy((char *)c + s->at, value, len + 1);
    return true;
}

static const struct setting *setting_of(const char *key)
{
    for (size_t i = 0; i < SETTINGS_NR; i++)
        if (!strcmp(settings[i].key, key))
            return &settings[i];
    return NULL;
}

/* How many letters must be added, dropped, changed or swapped. */
static size_t distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    size_t n = strlen(a), m = strlen(b), rows[3][LONGEST + 1];

    if (n > LONGEST || m > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i - 1) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            now[j] = best;
        }
    }
    return rows[n % 3][m];
}

/* The key that was meant, probably; NULL: none is near. */
static const char *nearest(const char *key)
{
    const char *found = NULL;
    size_t least = strlen(key) / 3 + 2;

    for (size_t i = 0; i < SETTINGS_NR; i++) {
        size_t d = distance(key, settings[i].key);
        if (d < least) {
            least = d;
            found = settings[i].key;
        }
    }
    return found;
}

int config_set(struct config *c, const char *key, const char *value,
               char error[static CONFIG_ERROR_MAX])
{
    const struct setting *s = setting_of(key);
    int64_t number;
    char want[128];

    if (!s) {
        const char *meant = nearest(key);
        snprintf(error, CONFIG_ERROR_MAX, "there is no setting '%.64s' (%s%s)", key,
                 meant ? "was it " : "roostd --help lists them", meant ? meant : "");
        return -ROOST_INVALID;
    }
    if (s->kind == TEXT) {
        if (put_text(c, s, value))
            return 0;
    } else if (!parse_number(s, value, &number) &&
               (s->kind == FLAG || s->kind == CHOICE || (number >= s->min && number <= s->max))) {
        put(c, s, number);
        return 0;
    }
    wanted(s, want, sizeof want);
    snprintf(error, CONFIG_ERROR_MAX, "%s wants %s, not '%.64s'", key, want, value);
    return -ROOST_INVALID;
}

void config_default(struct config *c)
{
    char error[CONFIG_ERROR_MAX];

    memset(c, 0, sizeof *c);
    hub_config_default(&c->hub); /* what has no row: identity, secret */
    for (size_t i = 0; i < SETTINGS_NR; i++)
        if (config_set(c, settings[i].key, settings[i].value, error))
            abort(); /* a row of the table contradicts itself; test_config runs this */
}

/* --- pairs and files ---------------------------------------------------------- */

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    size_t n = strlen(s);
    while (n && strchr(" \t\r", s[n - 1]))
        s[--n] = 0;
    return s;
}

/* Takes the pair apart in place. */
static int set_pair(struct config *c, char *pair, char error[static CONFIG_ERROR_MAX])
{
    char *eq = strchr(pair, '=');

    if (!eq) {
        snprintf(error, CONFIG_ERROR_MAX, "'%.64s' is not of the form key=value", pair);
        return -ROOST_INVALID;
    }
    *eq = 0;
    return config_set(c, trim(pair), trim(eq + 1), error);
}

enum { PAIR_MAX = 1024 };

int config_set_pair(struct config *c, const char *pair, char error[static CONFIG_ERROR_MAX])
{
    char copy[PAIR_MAX];

    if (strlen(pair) >= sizeof copy) {
        snprintf(error, CONFIG_ERROR_MAX, "a setting of more than %d bytes", PAIR_MAX - 1);
        return -ROOST_INVALID;
    }
    strcpy(copy, pair);
    return set_pair(c, copy, error);
}

/* A file that says two things of a key means one of them, and nobody knows which. */
static int set_once(struct config *c, char *pair, unsigned line, unsigned said[static SETTINGS_NR],
                    char error[static CONFIG_ERROR_MAX])
{
    int err = set_pair(c, pair, error);
    const struct setting *s = err ? NULL : setting_of(trim(pair));
    unsigned *at = s ? &said[s - settings] : NULL;

    if (at && *at) {
        snprintf(error, CONFIG_ERROR_MAX, "%s is set in line %u already", s->key, *at);
        return -ROOST_INVALID;
    }
    if (at)
        *at = line;
    return err;
}

static int parse_line(struct config *c, const char *line, size_t len, unsigned number,
                      unsigned said[static SETTINGS_NR], char error[static CONFIG_ERROR_MAX])
{
    char copy[PAIR_MAX];

    if (len >= sizeof copy || memchr(line, 0, len)) {
        snprintf(error, CONFIG_ERROR_MAX, "the line is too long, or is not text");
        return -ROOST_INVALID;
    }
    memcpy(copy, line, len);
    copy[len] = 0;
    copy[strcspn(copy, "#")] = 0;
    char *pair = trim(copy);
    return *pair ? set_once(c, pair, number, said, error) : 0;
}

int config_parse(struct config *c, const char *name, const char *text, size_t len,
                 char error[static CONFIG_ERROR_MAX])
{
    const char *end = text + len;
    unsigned said[SETTINGS_NR] = { 0 }; /* in which line */

    for (unsigned line = 1; text < end; line++) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        size_t n = (size_t)((nl ? nl : end) - text);
        char what[CONFIG_ERROR_MAX];
        int err = parse_line(c, text, n, line, said, what);

        if (err) {
            snprintf(error, CONFIG_ERROR_MAX, "%.200s:%u: %.280s", name, line, what);
            return err;
        }
        text += n + 1;
    }
    return 0;
}

int config_load_file(struct config *c, const char *path, char error[static CONFIG_ERROR_MAX])
{
    char *text = malloc(CONFIG_FILE_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = -ROOST_IO;
    ssize_t n = fd >= 0 && text ? read(fd, text, CONFIG_FILE_MAX + 1) : -1;

    if (n < 0)
        snprintf(error, CONFIG_ERROR_MAX, "%.200s: %s", path, strerror(errno));
    else if (n > CONFIG_FILE_MAX)
        snprintf(error, CONFIG_ERROR_MAX, "%.200s: larger than %d bytes", path, CONFIG_FILE_MAX);
    else
        err = config_parse(c, path, text, (size_t)n, error);
    if (fd >= 0)
        close(fd);
    free(text);
    return err;
}

/* As it stands behind "Bearer " in a header, and too long to be guessed. */
static bool metrics_token_fits(const char *token)
{
    size_t n = 0;

    while (token[n] > ' ' && token[n] < 0x7f)
        n++;
    return !token[n] && n >= METRICS_TOKEN_MIN;
}

int config_check(const struct config *c, char error[static CONFIG_ERROR_MAX])
{
    const char *wrong = NULL;

    if (!c->tls_certificate[0] != !c->tls_key[0])
        wrong = "tls.certificate and tls.key belong together: set both or neither";
    else if (c->port == 65535 && !c->media_port)
        wrong = "port 65535 leaves no port above it: set media_port too";
    else if (c->hub.login_block_max_ms < c->hub.login_block_ms)
        wrong = "login.block_max is below login.block";
    else if (!password_params_valid(&c->hash))
        wrong = "hash.memory must be at least 8K for each of hash.lanes";
    else if (c->metrics_token[0] && !metrics_token_fits(c->metrics_token))
        wrong = "metrics.token wants 16 or more letters, digits and signs, without a space";
    else if (c->store_batch > c->store_waiting)
        wrong = "store.batch is above store.waiting";
    if (!wrong)
        return 0;
    snprintf(error, CONFIG_ERROR_MAX, "%s", wrong);
    return -ROOST_INVALID;
}

void config_each(config_shown *shown, void *arg)
{
    for (size_t i = 0; i < SETTINGS_NR; i++) {
        const struct setting *s = &settings[i];
        char want[128];

        wanted(s, want, sizeof want);
        shown(arg, s->key, s->value, s->help, want, s->choices);
    }
}
