/* decline, cancel, pause, resume, forget: a word about a file by its number */
#include <inttypes.h>

#include "cli/filing.h"

CLI_RUN(cmd_decline)
{
    uint64_t file;
    int status = filing_offered(c, a, &file);

    return status ? status
                  : cli_do(c, roost_file_decline(c->r, file), "decline",
                           "File %" PRIu64 " is declined.", file);
}

CLI_RUN(cmd_cancel)
{
    uint64_t file;
    int status = filing_number(c, a->words[0], &file);

    return status ? status
                  : cli_do(c, roost_file_cancel(c->r, file), "cancel",
                           "File %" PRIu64 " is cancelled.", file);
}

CLI_RUN(cmd_pause)
{
    uint64_t file;
    int status = filing_number(c, a->words[0], &file);

    return status ? status
                  : cli_do(c, roost_file_pause(c->r, file, true), "pause",
                           "File %" PRIu64 " pauses.", file);
}

CLI_RUN(cmd_resume)
{
    uint64_t file;
    int status = filing_number(c, a->words[0], &file);

    return status ? status
                  : cli_do(c, roost_file_pause(c->r, file, false), "resume",
                           "File %" PRIu64 " goes on.", file);
}

CLI_RUN(cmd_forget)
{
    uint64_t file;
    int status = filing_number(c, a->words[0], &file);

    return status ? status
                  : cli_do(c, roost_file_forget(c->r, file), "forget",
                           "File %" PRIu64 " is gone for all.", file);
}
