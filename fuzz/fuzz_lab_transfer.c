/* The chunked transfer: whatever comes, a receiver stores each chunk once and in its place, and a
 * sender never takes for delivered what it has not sent. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "fuzz/lab.h"
#include "lab/classics/transfer.h"

static void receive(const uint8_t *data, size_t len)
{
    struct transfer_in t = { 0 };
    struct transfer_message m, answer;
    uint8_t bytes[LAB_MESSAGE_MAX], out[TRANSFER_MESSAGE_MAX];
    char text[256];
    size_t n;

    while (lab_message(&data, &len, bytes, &n)) {
        transfer_describe(bytes, n, text);
        uint64_t got = t.got;
        enum transfer_wish wish = transfer_in_hear(&t, bytes, n, &m, &answer);
        assert(t.got == got);
        if (wish == TRANSFER_OPEN) {
            assert(transfer_name_ok(t.name) && !t.offered);
            transfer_in_accept(&t, &answer);
        } else if (wish == TRANSFER_STORE) {
            assert(m.number * t.chunk + m.len <= t.size && m.number >= t.base);
            transfer_in_stored(&t, &m, &answer);
            assert(t.got <= t.size);
        } else if (wish == TRANSFER_CHECK) {
            assert(t.got == t.size && t.base == t.chunks);
            if (t.hash[0] & 1)
                transfer_in_refuse(&t, TRANSFER_DIFFERS, &answer);
            else
                transfer_in_accept(&t, &answer);
        }
        assert(!answer.kind || transfer_encode(&answer, out));
    }
}

static void send_to(const uint8_t *data, size_t len, bool lossy, uint32_t window)
{
    struct transfer_out t;
    struct transfer_message m;
    uint8_t bytes[LAB_MESSAGE_MAX];
    int64_t now_us = 1000000;
    size_t n;

    transfer_out_init(&t, 7, "name", 10500, 1000, window, lossy, now_us);
    do {
        for (int i = 0; i < 100 && transfer_out_next(&t, now_us, &m); i++) {
            assert(m.kind != TRANSFER_CHUNK || m.number * 1000 + m.len <= 10500);
            assert(t.next - t.base <= t.window && t.base <= t.next && t.next <= t.chunks);
        }
        assert(t.state != TRANSFER_OVER || t.base == t.chunks);
        assert(transfer_out_done(&t) <= t.size && t.patience_us > 0);
        if (!lab_message(&data, &len, bytes, &n))
            break;
        transfer_out_hear(&t, bytes, n, now_us);
        int64_t at = transfer_out_deadline_us(&t);
        now_us = at != INT64_MAX && at > now_us && n % 3 == 0 ? at : now_us + 1000;
    } while (true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] & 1)
        send_to(data + 1, len - 1, data[0] & 2, 1u + (data[0] >> 2) % 32);
    else
        receive(data + 1, len - 1);
    return 0;
}
