#include "lab/classics/files.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

const char *files_text(enum files_why why)
{
    static const char *const texts[] = {
        "",
        "ask LIST, LIST FOLDER or GET NAME",
        "a name is relative to the folder, without . and ..",
        "there is no such file",
        "that is no file",
        "it cannot be read",
    };
    return texts[why <= FILES_UNREADABLE ? why : FILES_REQUEST];
}

static bool word_ok(const char *word, size_t len)
{
    return len && !(len == 1 && word[0] == '.') && !(len == 2 && word[0] == '.' && word[1] == '.');
}

static bool is_text(const char *name, size_t len)
{
    const char *at = name, *end = name + len;

    if (!utf8_valid(name, len))
        return false;
    while (at < end)
        if (utf8_is_control(utf8_next(&at, end)))
            return false;
    return true;
}

bool files_name_ok(const char *name)
{
    size_t len = strlen(name);
    int depth = 0;

    if (!len || len > FILES_NAME_MAX || !is_text(name, len))
        return false;
    for (const char *slash; (slash = strchr(name, '/')); name = slash + 1)
        if (!word_ok(name, (size_t)(slash - name)) || ++depth >= FILES_DEPTH_MAX)
            return false;
    return word_ok(name, strlen(name));
}

char *files_step(char *name)
{
    char *slash = strchr(name, '/');

    if (!slash)
        return NULL;
    *slash = 0;
    return slash + 1;
}

enum files_why files_read_request(struct files_request *ret, const uint8_t *line, size_t len)
{
    bool list = len >= 4 && !memcmp(line, "LIST", 4);

    *ret = (struct files_request){ .kind = list ? FILES_LIST : FILES_GET };
    if (list && len == 4)
        return 0;
    size_t head = list ? 5 : 4;
    if (len <= head || (list ? line[4] != ' ' : memcmp(line, "GET ", 4) != 0))
        return FILES_REQUEST;
    if (len - head > FILES_NAME_MAX || memchr(line, 0, len))
        return FILES_NAME;
    memcpy(ret->name, line + head, len - head);
    return files_name_ok(ret->name) ? 0 : FILES_NAME;
}

int files_read_answer(const uint8_t *line, size_t len, uint64_t *ret_n, const char **ret_why,
                      size_t *ret_why_len)
{
    uint64_t n = 0;

    if (len > 3 && !memcmp(line, "NO ", 3)) {
        *ret_why = (const char *)line + 3;
        *ret_why_len = len - 3;
        return -ROOST_INVALID;
    }
    if (len < 4 || len > 3 + 15 || memcmp(line, "OK ", 3) != 0)
        return -ROOST_MALFORMED;
    for (size_t i = 3; i < len; i++) {
        if (line[i] < '0' || line[i] > '9')
            return -ROOST_MALFORMED;
        n = n * 10 + (uint64_t)(line[i] - '0');
    }
    *ret_n = n;
    return 0;
}
