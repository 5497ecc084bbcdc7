#include "base/blob.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct blob *blob_new(size_t len)
{
    struct blob *b = len < UINT32_MAX ? malloc(sizeof *b + len) : NULL;

    if (!b)
        return NULL;
    b->refs = 1;
    b->secret = false;
    b->len = (uint32_t)len;
    return b;
}

struct blob *blob_copy(const void *bytes, size_t len)
{
    struct blob *b = blob_new(len);

    if (b && len)
        memcpy(b->bytes, bytes, len);
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    assert(b->refs > 0);
    b->refs++;
    return b;
}

/* volatile: what nobody reads again is written all the same. */
static void wipe(volatile uint8_t *bytes, size_t len)
{
    while (len)
        bytes[--len] = 0;
}

struct blob *blob_unref(struct blob *b)
{
    if (b && --b->refs == 0) {
        if (b->secret)
            wipe(b->bytes, b->len);
        free(b);
    }
    return NULL;
}
