#include "cli/msgid.h"

#include <inttypes.h>

#include "base/err.h"

/* Decimal digits without a leading zero; NULL if it is none or does not fit. */
static const char *number(const char *s, uint64_t *ret)
{
    uint64_t n = 0;

    if (*s < '1' || *s > '9')
        return NULL;
    for (; *s >= '0' && *s <= '9'; s++) {
        unsigned digit = (unsigned)(*s - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return NULL;
        n = n * 10 + digit;
    }
    *ret = n;
    return s;
}

int msgid_parse(const char *s, uint64_t *ret_room, uint64_t *ret_seq)
{
    uint64_t room, seq;
    const char *p = number(s, &room);

    if (!p || *p != ':')
        return -ROOST_INVALID;
    p = number(p + 1, &seq);
    if (!p || *p)
        return -ROOST_INVALID;
    *ret_room = room;
    *ret_seq = seq;
    return 0;
}

void msgid_put(struct buf *b, uint64_t room, uint64_t seq)
{
    buf_printf(b, "%" PRIu64 ":%" PRIu64, room, seq);
}
