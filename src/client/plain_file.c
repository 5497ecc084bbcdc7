/* plain_file.c - what the server tells of files, as the plain structs of roost_file.h. */
#include "base/err.h"
#include "client/edge.h"

static const char *str(const char *s)
{
    return s ? s : "";
}

enum roost_file_stage plain_file_stage(Roost__FileStage stage)
{
    switch (stage) {
    case ROOST__FILE_STAGE__FILE_ACCEPTED:
        return ROOST_FILE_GOING;
    case ROOST__FILE_STAGE__FILE_DECLINED:
        return ROOST_FILE_DECLINED;
    case ROOST__FILE_STAGE__FILE_CANCELLED:
        return ROOST_FILE_CANCELLED;
    case ROOST__FILE_STAGE__FILE_PAUSED:
        return ROOST_FILE_PAUSED;
    case ROOST__FILE_STAGE__FILE_DONE:
    case ROOST__FILE_STAGE__FILE_FORGOTTEN:
        return ROOST_FILE_DONE;
    default:
        return ROOST_FILE_WAITING;
    }
}

void plain_file(const struct roost *r, const Roost__FileInfo *m, struct roost_file *p)
{
    uint64_t me = core_self(r->core)->account;

    *p = (struct roost_file){ .file = m->file,
                              .room = m->room,
                              .account = m->sender,
                              .peer = m->peer,
                              .from = str(m->sender_name),
                              .to = str(m->peer_name),
                              .name = str(m->name),
                              .kind = (enum roost_file_kind)m->kind,
                              .files = m->files,
                              .size = m->open_size ? ROOST_SIZE_UNKNOWN : m->size,
                              .made_ms = m->made_ms,
                              .done_ms = m->done_ms,
                              .until_ms = m->until_ms,
                              .seq = m->seq,
                              .kept = m->kept,
                              .yours = me && m->sender == me,
                              .gone = m->stage == ROOST__FILE_STAGE__FILE_FORGOTTEN,
                              .stage = plain_file_stage(m->stage),
                              .moved = m->moved,
                              .way = m->way <= ROOST_FILE_SERVER ? (enum roost_file_way)m->way
                                                                 : ROOST_FILE_NO_WAY };
}

int plain_file_push(struct roost *r, const Roost__ToClient *m, struct roost_event *to)
{
    static const Roost__FileInfo nothing = ROOST__FILE_INFO__INIT;
    const Roost__FileInfo *info;

    if (m->body_case == ROOST__TO_CLIENT__BODY_FILE_OFFERED) {
        to->kind = ROOST_FILE_OFFERED;
        info = m->file_offered->file;
        if (!info)
            return -ROOST_MALFORMED;
        plain_file(r, info, &to->file);
        return 0;
    }
    to->kind = ROOST_FILE_CHANGED;
    info = m->file_state->info;
    plain_file(r, info ? info : &nothing, &to->file);
    to->file.file = m->file_state->file;
    to->changed.stage = plain_file_stage(m->file_state->stage);
    to->changed.account = m->file_state->account;
    to->changed.session = m->file_state->session;
    return 0;
}
