/* requests_file.c - the requests of roost_file.h that are one message each. */
#include "base/err.h"
#include "client/requests.h"

int64_t roost_file_list(struct roost *r, const char *target, uint64_t after)
{
    BEGIN(FileList, FILE_LIST, file_list);
    Roost__Target to;

    if (target && !edge_target(&to, target))
        return -ROOST_INVALID;
    b.target = target ? &to : NULL;
    b.after = after;
    return ask(r, &m);
}

int64_t roost_file_decline(struct roost *r, uint64_t file)
{
    BEGIN(FileAnswer, FILE_ANSWER, file_answer);
    b.file = file;
    return ask(r, &m);
}

int64_t roost_file_cancel(struct roost *r, uint64_t file)
{
    BEGIN(FileCancel, FILE_CANCEL, file_cancel);
    b.file = file;
    return ask(r, &m);
}

int64_t roost_file_pause(struct roost *r, uint64_t file, bool on)
{
    BEGIN(FileState, FILE_STATE, file_state);
    b.file = file;
    b.stage = on ? ROOST__FILE_STAGE__FILE_PAUSED : ROOST__FILE_STAGE__FILE_ACCEPTED;
    return ask(r, &m);
}

int64_t roost_file_forget(struct roost *r, uint64_t file)
{
    BEGIN(FileForget, FILE_FORGET, file_forget);
    b.file = file;
    return ask(r, &m);
}

int64_t roost_file_web(struct roost *r, uint64_t file)
{
    BEGIN(FileGet, FILE_GET, file_get);
    b.file = file;
    b.web = true;
    return ask(r, &m);
}
