#include "seal/replay.h"

#include <string.h>

static uint64_t bit_of(uint64_t number)
{
    return 1ULL << (number % 64);
}

static uint32_t word_of(uint64_t number)
{
    return (uint32_t)(number / 64 % (REPLAY_WINDOW / 64));
}

bool replay_is_seen(const struct replay *r, uint64_t number)
{
    if (number >= r->next)
        return false;
    return r->next - number > REPLAY_WINDOW || r->seen[word_of(number)] & bit_of(number);
}

void replay_note(struct replay *r, uint64_t number)
{
    if (number >= r->next && number - r->next >= REPLAY_WINDOW)
        memset(r->seen, 0, sizeof r->seen);
    else
        for (uint64_t n = r->next; n <= number; n++)
            r->seen[word_of(n)] &= ~bit_of(n);
    r->seen[word_of(number)] |= bit_of(number);
    if (number >= r->next)
        r->next = number + 1;
}
