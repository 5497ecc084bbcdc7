/* walk.h - what a person named, as a list in a file without a name.
 *
 * Each named thing is one entry at the top, under the last part of its path; folders are walked in
 * the order of their names, so the same files make the same list. Memory: the names of the folders
 * that stand open.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "share/list.h"
#include "share/names.h"

enum { LEFT_MAX = 400 };

struct walk {
    char **roots; /* the paths of the entries at the top, in order */
    uint32_t n;
    int fd; /* the list */
    uint64_t size;
    uint8_t root[TREE_HASH];
    uint64_t room;     /* that the files take on the disk, which are fewer with holes */
    int64_t mtime_ns;  /* the newest */
    uint64_t left_out; /* links, devices, sockets, and what is missing */
    uint64_t
        missing; /* of these: files and folders that cannot be read, or whose names cannot be */
    char left[LEFT_MAX]; /* the first of them, and why: for people */
};

void walk_fini(struct walk *w);
int walk_paths(struct walk *w, const char *const *paths, size_t n, const char *spool);
/* A file without a name; negative: an error. dir NULL: /tmp. */
int walk_spool(const char *dir);
/* The last part of a path, made safe. */
void walk_name(char ret[static NAMES_ROOM], const char *path);
/* The root of a list in a file. */
int walk_sum(int fd, uint64_t size, uint8_t ret[static TREE_HASH]);
