#include "base/err.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct err_row {
    int code;
    const char *name, *text, *advice;
} rows[] = {
#define X(name, number, id, text, advice) { number, id, text, advice },
    ROOST_ERRORS(X)
#undef X
};

static const struct err_row *row_of(int err)
{
    static const struct err_row unknown = { 0, "unknown", "an unknown error",
                                            "update the older side" };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == abs(err))
            return &rows[i];
    return &unknown;
}

const char *err_name(int err)
{
    return row_of(err)->name;
}

const char *err_text(int err)
{
    return row_of(err)->text;
}

const char *err_advice(int err)
{
    return row_of(err)->advice;
}

int err_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return rows[i].code;
    return 0;
}
