/* blob.h - immutable bytes with a count of owners.
 *
 * What goes to many is encoded once into a blob; each receiver's queue holds a
 * reference. Not thread-safe: a blob lives on one thread, or is handed over
 * whole.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    uint32_t refs;
    uint32_t len;
    bool secret; /* wiped when nobody owns it any more */
    uint8_t bytes[];
};

/* One reference, contents not set; NULL when out of memory. */
struct blob *blob_new(size_t len);
struct blob *blob_copy(const void *bytes, size_t len);
struct blob *blob_ref(struct blob *b);
struct blob *blob_unref(struct blob *b); /* returns NULL; NULL is fine */
