/* media.c - media in meetings: which devices take part, and what they send. */
#include "hub/handlers_media.h"

/* Nobody carries media here. */
int media_on_message(struct hub *h, struct request *q)
{
    (void)h, (void)q;
    return -ROOST_UNSUPPORTED;
}
