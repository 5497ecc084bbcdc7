/* The chat by turns: what is heard is text of at most so many characters, each message once, and
 * whatever comes nobody talks on without end. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/utf8.h"
#include "fuzz/lab.h"
#include "lab/classics/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct talk t; /* large */
    uint8_t bytes[LAB_MESSAGE_MAX], out[TALK_OUT_MAX];
    int64_t now_us = 1000000;
    const char *text;
    char what[256];
    size_t n, m;

    if (!len)
        return 0;
    bool udp = data[0] & 1;
    talk_init(&t, udp, data[0] & 2, 7);
    if (data[0] & 4)
        talk_connected(&t);
    for (data++, len--; lab_message(&data, &len, bytes, &n); now_us += n % 4 ? 10000 : 700000) {
        talk_describe(udp, bytes, n, what);
        uint32_t heard = t.heard;
        if (talk_hear(&t, bytes, n, &text, &m) == TALK_TEXT && udp)
            assert(t.heard == heard + 1 && m && utf8_valid(text, m) &&
                   m <= 4 * TALK_CHARACTERS_MAX);
        if (n % 5 == 1 && talk_may_say(&t))
            assert(!talk_say(&t, "hello", 5) && !talk_may_say(&t));
        if (n % 50 == 49)
            talk_bye(&t);
        for (int i = 0; talk_next(&t, now_us, out); i++)
            assert(i < 8);
    }
    return 0;
}
