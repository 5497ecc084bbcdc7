/* The list of a parcel: in pieces or at once it reads the same; what was read is written again and
 * reads the same; every name becomes one that is safe. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "share/list.h"
#include "share/names.h"

enum { ENTRIES = 400 };

/* So many entries were read, and what they add up to. */
struct sum {
    uint64_t n, body, paths;
    int end;
};

static void check_name(const struct list_entry *e)
{
    const char *slash = strrchr(e->path, '/'), *last = slash ? slash + 1 : e->path;
    char clean[NAMES_ROOM], again[NAMES_ROOM];

    if (names_clean(clean, last, strlen(last), !slash))
        return;
    size_t len = strlen(clean);
    assert(len && len <= NAMES_BYTES_MAX && !strchr(clean, '/') && strcmp(clean, ".."));
    for (size_t i = 0; i < len; i++)
        assert((unsigned char)clean[i] >= ' ');
    assert(names_clean(again, clean, len, !slash) || !strcmp(again, clean));
}

static struct sum read_in(const uint8_t *data, size_t len, size_t piece, struct list_writer *w,
                          uint8_t *out, size_t *out_len)
{
    struct list_reader *r = calloc(1, sizeof *r);
    struct sum s = { 0 };
    struct list_entry e;
    int got = 0;

    assert(r);
    for (size_t at = 0; got >= 0 && !r->over && at < len && s.n < ENTRIES;) {
        size_t left = len - at < piece ? len - at : piece;
        const uint8_t *p = data + at;
        at += left;
        while ((got = list_read(r, &p, &left, &e)) == 1 && e.kind != LIST_END && s.n < ENTRIES) {
            assert(strlen(e.path) == e.path_len && e.at == s.body);
            s.n++;
            s.body += e.size;
            for (const char *c = e.path; *c; c++)
                s.paths = s.paths * 31 + (unsigned char)*c;
            if (!w)
                continue;
            check_name(&e);
            int n = list_write(w, &e, out + *out_len, LIST_ENTRY_MAX);
            assert(n > 0);
            *out_len += (size_t)n;
        }
    }
    s.end = got < 0 ? -1 : r->over;
    free(r);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    size_t piece = 1 + data[0], out_len;
    uint8_t *out = malloc((ENTRIES + 3) * (size_t)LIST_ENTRY_MAX);
    struct list_writer *w = calloc(1, sizeof *w);

    assert(out && w);
    data++;
    len--;
    out_len = (size_t)list_write_head(w, out, LIST_ENTRY_MAX);
    struct sum a = read_in(data, len, len + 1, w, out, &out_len);
    struct sum b = read_in(data, len, piece, NULL, NULL, NULL);
    if (a.end == 1) {
        assert(a.n == b.n && a.body == b.body && a.paths == b.paths && b.end == 1);
        out_len += (size_t)list_write_end(w, out + out_len, LIST_ENTRY_MAX);
        struct sum c = read_in(out, out_len, 4096, NULL, NULL, NULL);
        assert(c.end == 1 && c.n == a.n && c.body == a.body && c.paths == a.paths);
    }
    free(out);
    free(w);
    return 0;
}
