/* datadir.h - the directory that holds all a server keeps.
 *
 * Made with mode 0700 and locked, so that a second roostd on it is refused.
 * The identity of the server and its secret are made once, fsynced, mode 0600.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { DATADIR_PATH_MAX = 1024 };

struct datadir {
    char path[DATADIR_PATH_MAX];
    int lock; /* fd */
    uint8_t server_id[16], server_secret[32];
};

/* Logs what is wrong. -ROOST_IO, or -ROOST_BUSY: another process has it. */
int datadir_open(struct datadir *d, const char *path);
void datadir_close(struct datadir *d);

/* DIR/name; the result is for at most DATADIR_PATH_MAX bytes. */
void datadir_path(const struct datadir *d, const char *name, char ret[static DATADIR_PATH_MAX]);
/* Written aside, fsynced and renamed: there is the old file or the whole new one. Mode
 * 0600. It is there for good after datadir_sync, once for several. */
int datadir_write(const struct datadir *d, const char *name, const void *bytes, size_t len);
int datadir_sync(const struct datadir *d);
/* Up to cap bytes; returns how many, or -ROOST_IO (errno says why). */
long datadir_read(const struct datadir *d, const char *name, void *bytes, size_t cap);
void datadir_remove(const struct datadir *d, const char *name);
