/* files.h - the classic file server: who asks for a file by its name gets it.
 *
 *     LIST                 OK 2            and so many lines:
 *                          1200 notes.txt
 *                          - photos/
 *     LIST photos          OK ...
 *     GET notes.txt        OK 1200         and so many bytes
 *     GET nothing.txt      NO there is no such file
 *
 * Requests are lines, one after the other on a connection; each is answered before the next is
 * looked at. A name is relative to the folder that is served: words parted by '/', none of them
 * empty, "." or "..", so no name can mean anything outside. That no link (symlink) leads out is
 * for who opens it to see to. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILES_NAME_MAX = 1024, FILES_DEPTH_MAX = 16, FILES_LIST_MAX = 10000, FILES_HEAD_MAX = 64 };

enum files_kind { FILES_LIST, FILES_GET };

enum files_why {
    FILES_REQUEST = 1, /* neither LIST nor GET */
    FILES_NAME,        /* not a name of anything in the folder */
    FILES_NONE,
    FILES_NO_FILE, /* a folder, a device */
    FILES_UNREADABLE,
};

struct files_request {
    enum files_kind kind;
    char name[FILES_NAME_MAX + 1]; /* "" of a LIST: the folder itself */
};

/* 0, or why not. */
enum files_why files_read_request(struct files_request *ret, const uint8_t *line, size_t len);
bool files_name_ok(const char *name);
const char *files_text(enum files_why why);
/* The first word of a name, ended in place, and the rest or NULL: for opening step by step. */
char *files_step(char *name);

/* The client's: "OK n": 0 and n; "NO why": -ROOST_INVALID and the sentence, which borrows from
 * the line; else -ROOST_MALFORMED. */
int files_read_answer(const uint8_t *line, size_t len, uint64_t *ret_n, const char **ret_why,
                      size_t *ret_why_len);
