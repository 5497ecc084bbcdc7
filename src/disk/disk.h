/* disk.h - files at both ends of a transfer, the same for client and server.
 *
 * A *source* is what is sent: files and directories that are read in the order of their list. A
 * *part* is what has come so far: it survives power cuts, and gets its name when it is whole. Both
 * do the wishes of share/wish.h. Every call may block; a source or part is used by one thread at a
 * time.
 *
 * Errors are base/err.h's: -ROOST_IO, -ROOST_DISK_FULL (what is there stays),
 * -ROOST_SOURCE_CHANGED, -ROOST_NOMEM, -ROOST_LIMIT, -ROOST_NOT_ALLOWED (the system refuses),
 * -ROOST_UNREADABLE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "disk/os.h"
#include "share/list.h"
#include "share/talk.h"
#include "share/wish.h"

/* --- sources --- */

struct disk_source;

/* What a person named: files and directories, walked now; links are listed by name and not
 * followed, what is neither is left out and counted. One plain file has no list. The list goes to a
 * file without a name in spool (a directory; NULL: /tmp). */
int disk_source_open(struct disk_source **ret, const char *const *paths, size_t n,
                     const char *spool);
/* An open file, which is closed with the source; `stream`: what is read is kept in the spool until
 * disk_source_settle lets it go (stdin). */
int disk_source_file(struct disk_source **ret, int fd, bool stream, const char *spool);
/* A parcel that is kept in two files, as disk_part keeps one that is not laid out. list_fd: -1. */
int disk_source_kept(struct disk_source **ret, int body_fd, int list_fd, uint64_t list_size);
void disk_source_free(struct disk_source *s);

struct disk_source_view {
    uint64_t files, directories, links; /* in the list */
    uint64_t left_out;                  /* links, devices, sockets, and what is missing: */
    uint64_t missing;                   /* what cannot be read, names that cannot be */
    const char *left;                   /* the first of them, and why; "" */
    uint64_t size;                      /* of the body; TREE_UNKNOWN */
    uint32_t mode;                      /* of one plain file; 0: of another kind */
    int64_t mtime_s;                    /* likewise; 0 for what is earlier */
    const char *name;                   /* of the file, or of the first thing in the list */
};
void disk_source_look(const struct disk_source *s, struct disk_source_view *ret);
/* All but the root. */
void disk_source_about(const struct disk_source *s, struct about *ret);
/* Reads all of it: about's root, and the page hashes, which the caller frees. Blocks for as long as
 * that takes; stop (or NULL) is looked at after each block and ends it with -ROOST_CANCELLED. */
int disk_source_hash(struct disk_source *s, struct about *about, uint8_t **ret_pages,
                     const bool *stop);
/* len bytes at `at` of the body; fewer only at the end of a stream. */
int64_t disk_source_read(struct disk_source *s, uint64_t at, uint8_t *bytes, uint32_t len);
/* A stream's bytes below need not be kept. */
void disk_source_settle(struct disk_source *s, uint64_t at);
int64_t disk_source_do(struct disk_source *s, const struct wish *w);

/* --- parts --- */

struct disk_part;

struct disk_part_settings {
    const struct disk_os *os; /* NULL: disk_os_real */
    int dir;                  /* where it ends; borrowed */
    const char
        *parts; /* below dir: where it is until then (".roost-parts/ID"); made when it is missing */
    /* Laid out: files of the list become files of dir. Else: one body file, moved to `name`, and a
     * list beside it, moved to `name`.list. */
    bool lay_out;
    const char *name; /* of a parcel without a list; what the sender says is made safe (lay_out), or
                         used as it is */
    uint32_t mode;    /* of such a file; 0: 0644 */
    int64_t mtime_s;  /* of such a file; 0: now */
    uint32_t files;   /* that the list is to have, as was told; 0: nothing was */
    uint64_t reserve; /* bytes of the disk that stay free */
    uint64_t seed;    /* random; may be 0 in tests */
};

/* Opens what is there, or makes it. */
int disk_part_open(struct disk_part **ret, const struct disk_part_settings *settings);
void disk_part_close(struct disk_part *p); /* what is there stays */
/* Forgets it: all that is there is removed, but for what has its name. Closes. */
int disk_part_remove(struct disk_part *p);

/* All is there and has its name: also when it was opened again after that, so that who died before
 * the other side heard of it does not fetch it twice. Nothing is to be received any more; the other
 * side is to be told. When it knows, disk_part_remove takes away what is left of the part. */
bool disk_part_is_whole(const struct disk_part *p);
/* For receiver_settings: the newest map that is whole, and what there is of the list. NULL: none.
 */
const uint8_t *disk_part_map(const struct disk_part *p, size_t *ret_len);
uint64_t disk_part_list(const struct disk_part *p);
/* What was written can be read, for players and Range; the caller knows what was (receiver_has). */
int64_t disk_part_read(struct disk_part *p, uint64_t at, uint8_t *bytes, uint32_t len);
int64_t disk_part_read_list(struct disk_part *p, uint64_t at, uint8_t *bytes, uint32_t len);
int64_t disk_part_do(struct disk_part *p, const struct wish *w);
/* When it is whole: what it is called, below dir; of many, one after the other what stands at the
 * top; NULL: no more. *i begins with 0; borrowed from p until the next. */
const char *disk_part_name(struct disk_part *p, uint32_t *i);

/* --- whole kept files --- */

/* Reads size bytes of fd: root, and page hashes, which the caller frees; stop as in
 * disk_source_hash. */
int disk_tree(int fd, uint64_t size, const bool *stop, uint8_t root[static TREE_HASH],
              uint8_t **ret_pages);
