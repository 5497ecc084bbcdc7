#include "store/looks.h"

#include <string.h>

bool looks_next(struct looks *l, const char **ret, size_t *ret_len)
{
    if (l->skeleton) {
        *ret = l->skeleton;
        *ret_len = strlen(l->skeleton);
        l->skeleton = NULL;
        return true;
    }
    if (!l->rest || !*l->rest)
        return false;
    *ret = l->rest;
    *ret_len = strcspn(l->rest, "\n");
    l->rest += *ret_len + (l->rest[*ret_len] == '\n');
    return true;
}

bool looks_meet(struct looks a, struct looks b)
{
    const char *x, *y;
    size_t x_len, y_len;

    while (looks_next(&a, &x, &x_len)) {
        struct looks all = b;
        while (looks_next(&all, &y, &y_len))
            if (x_len == y_len && memcmp(x, y, x_len) == 0)
                return true;
    }
    return false;
}
