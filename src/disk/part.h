/* part.h - what a part is made of: part.c (opening, the map, wishes), part_body.c (bytes to files),
 * part_plan.c (what the files are called), part_finish.c (names).
 *
 *     PARTS/body           a body in one file
 *     PARTS/files/...      or laid out
 *     PARTS/list           as it came
 *     PARTS/plan           the list with the names that are safe here
 *     PARTS/map.0 map.1    which blocks are held, by turns
 *     PARTS/whole          all is there and synced: only names are missing. Its content: the name
 * of a body
 */
#pragma once

#include "disk/inside.h"
#include "share/held.h"
#include "share/names.h"

struct disk_part {
    const struct disk_os *os;
    struct disk_part_settings settings;
    char *name; /* of a body; NULL: by its root */
    int home;   /* the directory of the part */
    int body;   /* -1: laid out, or not there */
    int list;
    uint64_t list_size;
    bool laid_out_now, whole;

    uint8_t *map; /* the newest that is whole */
    size_t map_len;
    uint64_t generation; /* of it */
    uint32_t written;    /* which of the two files was written last */

    int plan;
    uint64_t plan_size;
    struct index index; /* over the plan */
    bool has_index;
    int file; /* of the plan: the one that is open */
    uint64_t file_at, file_size;
    bool file_made; /* ... and was made by opening it */
    uint64_t dirty_from,
        dirty_to;      /* of a body: what was written since the last sync lies between */
    uint32_t touched;  /* files written since the last sync */
    bool made;         /* names are new since then */
    uint64_t unlooked; /* bytes written since there was a look at what is free */
    uint64_t size;     /* of the body, when it is laid out; TREE_UNKNOWN */

    char top[NAMES_ROOM]; /* the name that was asked for last */
    char done_name[NAMES_ROOM];
};

int part_path(char *ret, size_t cap, const struct disk_part *p, const char *name);
int part_open_file(struct disk_part *p, const char *name, int flags);
int part_keep_maps_room(struct disk_part *p); /* for both, before the disk gets full */

/* part_body.c */
int part_write(struct disk_part *p, uint64_t at, const uint8_t *bytes, uint32_t len);
int part_sync_data(struct disk_part *p);
int part_lay_out(struct disk_part *p, const struct wish *w);
void part_close_file(struct disk_part *p);
int part_make_parents(struct disk_part *p, const char *path);
int part_make_file(struct disk_part *p, const char *path); /* its handle, with folders above it */

/* part_plan.c */
int part_plan(struct disk_part *p, uint64_t list_size, const uint8_t *root);

/* part_finish.c */
int part_finish(struct disk_part *p, const struct wish *w);
int part_name_all(struct disk_part *p);
