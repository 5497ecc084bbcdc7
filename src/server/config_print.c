#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"

struct text {
    char *p;
    size_t n, cap;
    char family[32]; /* of the last key: what stands before its first dot */
};

static void put(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *t, const char *format, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, format);
    int len = vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    if (!t->p || len < 0)
        return;
    if (t->n + (size_t)len + 1 > t->cap) {
        size_t cap = 2 * (t->cap + (size_t)len + 1);
        char *p = realloc(t->p, cap);
        if (!p)
            free(t->p);
        t->p = p;
        t->cap = cap;
        if (!p)
            return;
    }
    memcpy(t->p + t->n, line, (size_t)len + 1);
    t->n += (size_t)len;
}

static struct text begin(void)
{
    return (struct text){ .p = calloc(1, 4096), .cap = 4096 };
}

static void help_row(void *arg, const char *key, const char *value, const char *help,
                     const char *wanted, const char *choices)
{
    char left[80];

    (void)wanted;
    snprintf(left, sizeof left, "%s=%s", key, value);
    put(arg, "  %-28s %s%s%s%s\n", left, help, choices ? " (" : "", choices ? choices : "",
        choices ? ")" : "");
}

char *config_help(void)
{
    struct text t = begin();

    config_each(help_row, &t);
    return t.p;
}

static void file_row(void *arg, const char *key, const char *value, const char *help,
                     const char *wanted, const char *choices)
{
    struct text *t = arg;
    size_t len = strcspn(key, ".");
    bool same = strlen(t->family) == len && !strncmp(t->family, key, len);

    (void)choices;
    if (!same)
        put(t, "\n");
    snprintf(t->family, sizeof t->family, "%.*s", (int)(len < 31 ? len : 31), key);
    put(t, "# %c%s: %s\n#%s = %s\n", *help >= 'a' && *help <= 'z' ? *help - 32 : *help, help + 1,
        wanted, key, value);
}

char *config_print(void)
{
    struct text t = begin();

    put(&t, "# Settings of roostd, each at its default. Take the # away before those that are to\n"
            "# be others. Times: 250ms 10s 15m 2h 1d; sizes: 16K 1M. roostd --config FILE reads\n"
            "# it, roostd --config FILE --check says whether it is right, SIGHUP reads it again;\n"
            "# --set KEY=VALUE wins over it. This file is what roostd --print-config prints.\n");
    config_each(file_row, &t);
    return t.p;
}
