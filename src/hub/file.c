/* file.c - parcels: who may offer what to whom, and how they stand. */
#include "hub/handlers_file.h"

int files_off_on_message(struct hub *h, struct request *q)
{
    (void)h;
    (void)q;
    return -ROOST_FILES_OFF;
}
