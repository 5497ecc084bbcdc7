#include "server/cheat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/log.h"

enum cheat cheat_now;

static const char *const names[CHEATS] = {
    [CHEAT_NONE] = "none",
    [CHEAT_FRAME_SWAPPED] = "frame-swapped",     /* tails of two frames of one sender */
    [CHEAT_SENDER_SWAPPED] = "sender-swapped",   /* tails of two senders */
    [CHEAT_PARTS_SWAPPED] = "parts-swapped",     /* the two halves of a tail */
    [CHEAT_FRAME_REPLAYED] = "frame-replayed",   /* each once more, half a second later */
    [CHEAT_FRAME_TRUNCATED] = "frame-truncated", /* its last byte is missing */
    [CHEAT_FRAME_DELAYED] = "frame-delayed",     /* one of ten comes two seconds later */
    [CHEAT_KEY_FLAG] = "key-flag",               /* of a frame, the other way round */
    [CHEAT_MEMBER_INSERTED] = "member-inserted", /* a guest who is none, in everybody's list */
    [CHEAT_DEVICE_INSERTED] = "device-inserted", /* another device of somebody's, in everybody's */
    [CHEAT_LIST_DIFFERS] = "list-differs",       /* one is shown somebody more than the others */
    [CHEAT_LIST_OLD] = "list-old",               /* the first list again, after each new one */
    [CHEAT_KEYS_OLD] = "keys-old",       /* the first messages of keys again, after each new one */
    [CHEAT_KEYS_FORGED] = "keys-forged", /* messages of keys, with a bit changed */
    [CHEAT_KEYS_RENAMED] = "keys-renamed", /* messages of keys, in somebody else's name */
    [CHEAT_UNSEALED] = "unsealed",         /* a key of the server's in a meeting that is sealed */
    [CHEAT_UNSEALED_LATER] = "unsealed-later", /* the meeting is said not to be sealed after all */
};

void cheat_begin(void)
{
    const char *wish = getenv("ROOST_CHEAT");

    for (int i = 0; wish && i < CHEATS; i++)
        if (!strcmp(wish, names[i])) {
            cheat_now = (enum cheat)i;
            log_warn("THIS SERVER CHEATS: %s", names[i]);
            return;
        }
    fprintf(stderr, "roostd: this one was built to cheat; ROOST_CHEAT says how:");
    for (int i = 0; i < CHEATS; i++)
        fprintf(stderr, " %s", names[i]);
    fputs("\n", stderr);
    exit(2);
}
