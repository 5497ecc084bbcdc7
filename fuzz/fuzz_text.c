/* What others wrote, on its way to a terminal: nothing that a terminal would obey
 * comes out, and what was to fit fits. First two bytes: width, indent. */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/buf.h"
#include "cli/text.h"

static void check_clean(const struct buf *b, bool lines)
{
    const char *p = buf_str(b), *end = p + b->len;

    assert(utf8_valid(p, b->len) || b->len == 0);
    while (p < end) {
        uint32_t c = utf8_next(&p, end);
        assert(!utf8_is_control(c) || (lines && c == '\n'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    size_t columns = data[0], indent = data[1] % 40;
    char *s = malloc(len - 1);
    struct buf clean = { 0 }, out = { 0 };
    if (!s)
        return 0;
    memcpy(s, data + 2, len - 2);
    s[len - 2] = 0;

    text_clean(&clean, s, (int)indent);
    check_clean(&clean, true);

    text_fit(&out, s, columns);
    check_clean(&out, false);
    assert(text_columns(buf_str(&out)) <= columns);

    buf_clear(&out);
    text_pad(&out, s, columns);
    assert(text_columns(buf_str(&out)) == columns);

    buf_clear(&out);
    text_wrap(&out, buf_str(&clean), 0, indent, columns);
    check_clean(&out, true);

    buf_fini(&clean);
    buf_fini(&out);
    free(s);
    return 0;
}
